package aneurysm

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Neck is the aorta between the lowest renal artery and the aneurysm.
type Neck struct {
	LengthMM   float64 // until the lumen is a tenth wider than at its top
	DiameterMM float64 // mean lumen diameter of its first 3 mm
	AngleDeg   float64 // between the neck and the axis of the aneurysm (β)
	AboveDeg   float64 // between the aorta above the renal arteries and the neck (α)
	HasAbove   bool    // at least 30 mm above were seen

	lumen  []float64 // diameters from the lowest renal artery down, mm
	stepMM float64
}

// length is the neck's length with the border of the lumen moved outward, mm.
func (n *Neck) length(offset float64) (mm float64) {
	for i, d := range n.lumen {
		if d+2*offset > neckWider*(n.DiameterMM+2*offset) {
			break
		}
		mm = float64(i) * n.stepMM
	}
	return mm
}

const (
	neckTopMM   = 3   // over which the neck's own diameter is taken
	neckWider   = 1.1 // where it ends, relative to that
	neckAxisMM  = 15  // of a short neck that its direction is taken over
	aboveMM     = 40  // of aorta above the renal arteries that the direction is taken over
	leastAbove  = 30
	aboveRenal  = 10 // of aorta above the lowest renal artery that the wall model has
	farRenalMM  = 40 // a point further from the centreline is no renal artery of it
	skipTopMM   = 12 // of the centreline below the top end, which is not made of whole sections
	skipIliacMM = 8  // below the bifurcation, where sections hold both arteries
	cutoffWider = 1.35
)

// measure makes the shapes and the neck.
func (c *Case) measure(a *aorta, in, out *field) error {
	trunk := a.trunk
	skip := min(skipTopMM, trunk.length()/4)
	var kept []r3.Vec
	for n, p := range trunk.p {
		if trunk.arc[n] > skip {
			kept = append(kept, p)
		}
	}
	trunk = newPolyline(append([]r3.Vec{trunk.at(skip)}, kept...)).smooth(stepMM, smoothMM)
	end := trunk.length()
	r := 0.0
	for j := range 8 {
		u, v := frames([]r3.Vec{trunk.at(end - 20), trunk.at(end - 15)}, 1)
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / 8)
		r += in.reach(trunk.at(end-15), r3.Add(r3.Scale(cos, u[0]), r3.Scale(sin, v[0])), maxRadiusMM) / 8
	}
	if a.side[0] != nil {
		end -= lowEnd * max(r, 5)
	} else {
		end -= skip
	}
	whole, err := trace(trunk, 0, end, in, out, "the aorta")
	if err != nil {
		return err
	}
	if i0, i1 := whole.inside(c.grid); i0 > 0 || i1 < len(whole.Centre)-1 { // sections that the scan cuts off
		if i1-i0 < minStations {
			return &InputError{"Segments", "show no whole section of the aorta over 8 mm: give a longer scan"}
		}
		low := trunk.length()
		if a.side[0] == nil {
			low = float64(i1) * whole.StepMM
			end = low
		}
		s0 := float64(i0) * whole.StepMM
		kept := []r3.Vec{trunk.at(s0)}
		for n, p := range trunk.p {
			if trunk.arc[n] > s0+1e-9 && trunk.arc[n] <= low {
				kept = append(kept, p)
			}
		}
		trunk, end = newPolyline(kept), min(end, low)-s0
		if whole, err = trace(trunk, 0, end, in, out, "the aorta"); err != nil {
			return err
		}
	}
	// the centreline once more, through the middles of the sections
	var middles []r3.Vec
	for i := range whole.Centre {
		middles = append(middles, whole.centroid(i))
	}
	for n, p := range trunk.p {
		if trunk.arc[n] > end+stepMM {
			middles = append(middles, p)
		}
	}
	tail := trunk.length() - end
	trunk = newPolyline(middles).smooth(stepMM, smoothMM)
	end = trunk.length() - tail
	if whole, err = trace(trunk, 0, end, in, out, "the aorta"); err != nil {
		return err
	}
	renal, known := 0.0, false
	if p := c.Config.LowestRenal; p != nil {
		s, d := trunk.nearest(*p)
		if !finite(*p) || d > farRenalMM {
			return &InputError{"LowestRenal", fmt.Sprintf("is %.0f mm away from the centreline of the aorta: give a point at the artery's origin, LPS mm", d)}
		}
		renal, known = s, true
	} else {
		widest := 0
		for i := range whole.Lumen {
			if ringDiameter(whole.border()[i]) > ringDiameter(whole.border()[widest]) {
				widest = i
			}
		}
		for _, p := range a.branches {
			if s, _ := trunk.nearest(p); s < float64(widest)*whole.StepMM && s > renal {
				renal, known = s, true
			}
		}
	}
	c.Shape, c.topMM = whole, -renal
	if known {
		c.neck(trunk, whole, renal)
		if renal > aboveRenal {
			if c.Shape, err = trace(trunk, renal-aboveRenal, end, in, out, "the aorta below the renal arteries"); err != nil {
				return err
			}
			c.topMM = -aboveRenal
		}
	} else {
		for _, id := range sizingOutputs {
			c.Lost = append(c.Lost, Loss{id, "the lowest renal artery is not known: give its origin, or a lumen mask with the renal arteries"})
		}
	}
	c.bifurMM = trunk.length() - renal
	for n, line := range a.side {
		if line == nil {
			continue
		}
		l := line.smooth(stepMM, smoothMM/2)
		s, err := trace(l, skipIliacMM, l.length()-3, in, nil, [2]string{"the left", "the right"}[n]+" iliac artery")
		if err != nil {
			c.Lost = append(c.Lost, Loss{"seal_" + sides[n] + "_mm", err.Error()})
			continue
		}
		c.Side[n], c.sideSplit[n] = s, a.sideSplit[n]
	}
	if (c.Side[0] == nil || c.Side[1] == nil) && known {
		for _, id := range iliacOutputs {
			c.Lost = append(c.Lost, Loss{id, "the iliac arteries were not seen on both sides: segment the lumen below the bifurcation; only tube grafts can be sized"})
		}
	}
	return nil
}

// centroid is the middle of the area of the lumen at station i.
func (s *Shape) centroid(i int) r3.Vec {
	var x, y, area float64
	n := len(s.Lumen[i])
	for j, r := range s.Lumen[i] {
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / float64(n))
		x, y, area = x+r*r*r*cos/3, y+r*r*r*sin/3, area+r*r/2
	}
	return r3.Add(s.Centre[i], r3.Add(r3.Scale(x/area, s.U[i]), r3.Scale(y/area, s.V[i])))
}

// inside are the first and the last station from which no section reaches
// within a voxel of the ends of the scan.
func (s *Shape) inside(g imaging.Grid) (first, last int) {
	whole := func(i int) bool {
		for j, r := range s.border()[i] {
			sin, cos := math.Sincos(2 * math.Pi * float64(j) / float64(len(s.border()[i])))
			x, y, z := g.Voxel(r3.Add(s.Centre[i], r3.Scale(r, r3.Add(r3.Scale(cos, s.U[i]), r3.Scale(sin, s.V[i])))))
			for a, v := range [3]float64{x, y, z} {
				if v < 1 || v > float64(g.Size[a]-2) {
					return false
				}
			}
		}
		return true
	}
	last = len(s.Centre) - 1
	for first < last && !whole(first) {
		first++
	}
	for last > first && !whole(last) {
		last--
	}
	return first, last
}

var sides = [2]string{"left", "right"}

// ringDiameter is the diameter of the circle with the area of a section, mm.
func ringDiameter(r []float64) float64 {
	sum := 0.0
	for j := range r {
		sum += r[j] * r[(j+1)%len(r)]
	}
	return 2 * math.Sqrt(sum/2*math.Sin(2*math.Pi/float64(len(r)))/math.Pi)
}

// wide is the largest distance of two points of a section, mm.
func wide(r []float64) (d float64) {
	n := len(r)
	for i := range r {
		for j := range i {
			c := math.Cos(2 * math.Pi * float64(i-j) / float64(n))
			d = max(d, r[i]*r[i]+r[j]*r[j]-2*r[i]*r[j]*c)
		}
	}
	return math.Sqrt(d)
}

// neck measures the neck on the whole aorta.
func (c *Case) neck(trunk polyline, whole *Shape, renal float64) {
	first := int(math.Round(renal / whole.StepMM))
	n := &Neck{stepMM: whole.StepMM}
	for _, r := range whole.Lumen[min(first, len(whole.Lumen)-1):] {
		n.lumen = append(n.lumen, ringDiameter(r))
	}
	count := min(len(n.lumen), neckTopMM+1)
	for _, d := range n.lumen[:count] {
		n.DiameterMM += d / float64(count)
	}
	n.LengthMM = n.length(0)
	low := renal + max(n.LengthMM, neckAxisMM)
	axis := r3.Sub(trunk.at(low), trunk.at(renal))
	n.AngleDeg = angleDeg(axis, r3.Sub(trunk.at(trunk.length()), trunk.at(low)))
	if renal >= leastAbove {
		n.HasAbove = true
		n.AboveDeg = angleDeg(r3.Sub(trunk.at(renal), trunk.at(max(0, renal-aboveMM))), axis)
	} else {
		c.Lost = append(c.Lost, Loss{"suprarenal_angle_deg", fmt.Sprintf("too little of the aorta above the lowest renal artery is in the mask, want %d mm", leastAbove)})
	}
	c.Neck = n
}

func angleDeg(a, b r3.Vec) float64 {
	return math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)) * 180 / math.Pi
}

// ends refuses an aneurysm that is cut off by the upper or lower end of the
// scan: the aorta there is much wider than its narrowest section.
func (c *Case) ends(g imaging.Grid) error {
	narrow := math.Inf(1)
	for _, r := range c.Shape.border() {
		narrow = min(narrow, ringDiameter(r))
	}
	h := g.SpacingMM()
	margin := 2*skipTopMM + max(h[0], h[1], h[2])
	for e, name := range [2]string{"upper end", "lower end"} {
		i := e * (len(c.Shape.Centre) - 1)
		d := ringDiameter(c.Shape.border()[i])
		_, _, k := g.Voxel(c.Shape.Centre[i])
		near := min(k, float64(g.Size[2]-1)-k)*h[2] < margin
		if near && d > cutoffWider*narrow && (e == 1 && c.Side[0] == nil || e == 0) {
			return &BorderError{Side: name, Area: math.Pi / 4 * d * d, Field: "aneurysm"}
		}
	}
	return nil
}

// station is the index of the section of the aorta at arc length s from the
// lowest renal artery.
func (c *Case) station(s float64) int {
	return min(max(int(math.Round((s-c.topMM)/c.Shape.StepMM)), 0), len(c.Shape.Centre)-1)
}
