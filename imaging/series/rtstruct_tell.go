package series

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// area is the vector area of a polygon, mm².
func (c contour) area() r3.Vec {
	var a r3.Vec
	for n := 2; n < len(c); n++ {
		a = r3.Add(a, r3.Cross(r3.Sub(c[n-1], c[0]), r3.Sub(c[n], c[0])))
	}
	return r3.Scale(0.5, a)
}

// tell completes the entry of the report and says what was odd.
func (f *filler) tell(entry *PlacedStructure, r *StructureReport) {
	n := f.roi.Number
	entry.OnGrid = f.set
	entry.AfterML = float64(f.set) * f.to.VoxelMM3() / 1000
	entry.BeforeML = f.contourML()
	stepMM := f.step * r3.Norm(f.grid.Axes[2])
	if f.oblique {
		r.Resampled = true
		r.note("ROI %d: its contours lie on other planes than those of the grid: resampled", n)
	} else {
		switch {
		case f.between > 0 && math.Abs(f.step-1) < onPlane:
			r.note("ROI %d: its contours lie between the planes of the grid; the shape was interpolated on %d of them", n, f.between)
		case f.between > 0:
			r.note("ROI %d: contours every %.3g mm, %.3g planes of the grid; the shape was interpolated on %d planes between them", n, stepMM, f.step, f.between)
		}
	}
	if f.empty > 0 {
		r.note("ROI %d: %.3g mm between its contours have none and stay empty (contours every %.3g mm)", n, float64(f.empty)*r3.Norm(f.grid.Axes[2]), stepMM)
	}
	if f.boundedWork {
		r.note("ROI %d: too many points to interpolate between its contours; the nearer one was taken", n)
	}
	if nested := f.nested(); nested > 0 {
		r.note("ROI %d: on %d planes a contour lies within another; it was taken as a hole", n, nested)
	}
	if f.reachesOut() {
		r.note("ROI %d reaches outside the grid: %.2f ml in its contours, %.2f ml on the grid", n, entry.BeforeML, entry.AfterML)
	}
}

// contourML is the volume by the areas of the contours: each stands for half
// the distance to its neighbours.
func (f *filler) contourML() float64 {
	h := f.grid.SpacingMM()
	sum := 0.0
	for n, p := range f.planes {
		thick := 0.0
		for _, m := range []int{n - 1, n + 1} {
			gap := f.step
			if m >= 0 && m < len(f.planes) {
				if d := math.Abs(f.planes[m].at - p.at); d <= widest*f.step {
					gap = d
				}
			}
			thick += gap / 2
		}
		sum += p.area() * thick
	}
	return sum * h[0] * h[1] * h[2] / 1000
}

// area is that of a plane's contours in voxels, holes taken off.
func (p *contourPlane) area() float64 {
	sum := 0.0
	for n, c := range p.contours {
		a := 0.0
		for m := range c {
			q := c[(m+1)%len(c)]
			a += c[m][0]*q[1] - q[0]*c[m][1]
		}
		a = math.Abs(a) / 2
		if p.hole[n] {
			a = -a
		}
		sum += a
	}
	return sum
}

// nested is the number of planes with a contour inside another.
func (f *filler) nested() int {
	planes := 0
	for n := range f.planes {
		if slices.Contains(f.planes[n].hole, true) {
			planes++
		}
	}
	return planes
}

// reachesOut reports a contour beyond the outer voxels of the grid.
func (f *filler) reachesOut() bool {
	for _, c := range f.roi.contours {
		for _, p := range c {
			i, j, k := f.to.Voxel(p)
			for a, v := range [3]float64{i, j, k} {
				if v < -0.5 || v > float64(f.to.Size[a])-0.5 {
					return true
				}
			}
		}
	}
	return false
}
