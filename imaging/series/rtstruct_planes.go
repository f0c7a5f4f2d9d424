package series

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// contourPlane holds the contours of one plane in voxels of the grid.
type contourPlane struct {
	at       float64 // k
	contours [][][2]float64
	hole     []bool // contours within an odd number of others
}

// across runs the axes of g towards the patient's left, posterior and head,
// with the one that is closest to the normal last: the voxels of a structure
// do not depend on the order and the directions in which g stores them.
func across(g imaging.Grid, normal r3.Vec) imaging.Reorder {
	lps := g.Canonical()
	last, most := 2, -1.0
	for a, v := range lps.Grid(g).Axes {
		if c := math.Abs(r3.Dot(r3.Unit(v), normal)); c > most+1e-9 {
			last, most = a, c
		}
	}
	var r imaging.Reorder
	for n := range 3 {
		a := (last + 1 + n) % 3
		r.Axis[n], r.Flip[n] = lps.Axis[a], lps.Flip[a]
	}
	return r
}

// normal is the common unit normal of the contours, each weighted by its area
// (Newell), and how far points lie off the plane of their contour at worst.
func (r *ROI) normal() (n r3.Vec, bentMM float64) {
	for _, c := range r.contours {
		a := c.area()
		if r3.Dot(a, n) < 0 {
			a = r3.Scale(-1, a)
		}
		n = r3.Add(n, a)
	}
	if r3.Norm(n) < 1e-9 {
		return r3.Vec{}, 0
	}
	n = r3.Unit(n)
	for _, c := range r.contours {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range c {
			t := r3.Dot(p, n)
			lo, hi = min(lo, t), max(hi, t)
		}
		bentMM = max(bentMM, (hi-lo)/2)
	}
	return n, bentMM
}

// parallelTo reports whether every contour keeps to one k of g.
func (f *filler) parallelTo(g imaging.Grid) bool {
	h := r3.Norm(g.Axes[2])
	for _, c := range f.roi.contours {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, p := range c {
			_, _, k := g.Voxel(p)
			lo, hi = min(lo, k), max(hi, k)
		}
		if (hi-lo)*h/2 > flatTolMM {
			return false
		}
	}
	return true
}

// ownGrid is a lattice along the planes of the contours, twice as fine in the
// plane as to, over the part of the structure that to can hold.
func ownGrid(to imaging.Grid, roi *ROI, normal r3.Vec) imaging.Grid {
	// The axis of to that is closest to the planes gives the direction of rows.
	row := to.Axes[0]
	for _, a := range to.Axes {
		if math.Abs(r3.Dot(r3.Unit(a), normal)) < math.Abs(r3.Dot(r3.Unit(row), normal))-1e-6 {
			row = a
		}
	}
	u := r3.Unit(r3.Sub(row, r3.Scale(r3.Dot(row, normal), normal)))
	axes := [3]r3.Vec{u, r3.Cross(normal, u), normal}
	sp := to.SpacingMM()
	fine := min(sp[0], sp[1], sp[2])
	h := [3]float64{fine / 2, fine / 2, fine}
	lo, hi := [3]float64{}, [3]float64{}
	for a, v := range axes {
		lo[a], hi[a] = math.Inf(1), math.Inf(-1)
		for _, c := range roi.contours {
			for _, p := range c {
				lo[a], hi[a] = min(lo[a], r3.Dot(p, v)), max(hi[a], r3.Dot(p, v))
			}
		}
		from, until := math.Inf(1), math.Inf(-1)
		for c := range 8 {
			p := to.Point(float64(c&1*(to.Size[0]-1)), float64(c>>1&1*(to.Size[1]-1)), float64(c>>2*(to.Size[2]-1)))
			from, until = min(from, r3.Dot(p, v)), max(until, r3.Dot(p, v))
		}
		margin := 2 * max(sp[0], sp[1], sp[2])
		if a == 2 {
			margin += maxStepMM
		}
		lo[a], hi[a] = max(lo[a]-margin, from-margin), min(hi[a]+margin, until+margin)
		if hi[a] <= lo[a] {
			return imaging.Grid{}
		}
	}
	voxels := 1.0
	for a := range h {
		voxels *= (hi[a]-lo[a])/h[a] + 1
	}
	if voxels > maxOwnVoxels {
		for a := range h {
			h[a] *= math.Cbrt(voxels / maxOwnVoxels)
		}
	}
	g := imaging.Grid{}
	for a, v := range axes {
		g.Size[a] = int((hi[a]-lo[a])/h[a]) + 1
		g.Origin = r3.Add(g.Origin, r3.Scale(lo[a], v))
		g.Axes[a] = r3.Scale(h[a], v)
	}
	return g
}

// maxStepMM is how far from the last contour a lattice of its own reaches:
// half of the widest distance of contours in use.
const maxStepMM = 10

// sort groups the contours into planes, ascending, and finds their usual
// distance.
func (f *filler) sort() {
	all := make([]contourPlane, len(f.roi.contours))
	for n, c := range f.roi.contours {
		points := make([][2]float64, len(c))
		sum := 0.0
		for m, p := range c {
			i, j, k := f.grid.Voxel(p)
			points[m] = [2]float64{i, j}
			sum += k
		}
		all[n] = contourPlane{at: sum / float64(len(c)), contours: [][][2]float64{points}}
	}
	slices.SortStableFunc(all, func(a, b contourPlane) int { return cmp.Compare(a.at, b.at) })
	for _, p := range all {
		if n := len(f.planes); n > 0 && p.at-f.planes[n-1].at <= samePlanes {
			f.planes[n-1].contours = append(f.planes[n-1].contours, p.contours...)
			continue
		}
		f.planes = append(f.planes, p)
	}
	for n := range f.planes {
		f.planes[n].findHoles()
	}
	f.bound()
	f.step = 1
	if len(f.planes) < 2 {
		return
	}
	gaps := make([]float64, len(f.planes)-1)
	for n := range gaps {
		gaps[n] = f.planes[n+1].at - f.planes[n].at
	}
	slices.Sort(gaps)
	f.step = gaps[len(gaps)/2]
}

// bound finds the columns and rows that the contours can reach.
func (f *filler) bound() {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range f.planes {
		for _, c := range p.contours {
			for _, v := range c {
				for a, x := range v {
					lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
				}
			}
		}
	}
	for a := range lo {
		n := float64(f.grid.Size[a])
		f.box.Lo[a] = int(min(max(math.Floor(lo[a])-1, 0), n))
		f.box.Hi[a] = int(min(max(math.Ceil(hi[a])+2, 0), n))
	}
}

// findHoles finds the contours whose first point lies inside an odd number of
// the others of the plane; none where that is too much work.
func (p *contourPlane) findHoles() {
	p.hole = make([]bool, len(p.contours))
	edges := 0
	for _, c := range p.contours {
		edges += len(c)
	}
	if len(p.contours) < 2 || edges > maxHoleWork/len(p.contours) {
		return
	}
	for n := range p.contours {
		x, y := p.contours[n][0][0], p.contours[n][0][1]
		for m, c := range p.contours {
			if m == n {
				continue
			}
			q := c[len(c)-1]
			for _, v := range c {
				if (v[1] > y) != (q[1] > y) && x < v[0]+(y-v[1])/(q[1]-v[1])*(q[0]-v[0]) {
					p.hole[n] = !p.hole[n]
				}
				q = v
			}
		}
	}
}
