package aneurysm

import (
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh/vessel"

	"gonum.org/v1/gonum/spatial/r3"
)

// polyline is a curve through points, with its arc length.
type polyline struct {
	p   []r3.Vec
	arc []float64 // mm from p[0]
}

func newPolyline(p []r3.Vec) polyline {
	l := polyline{p: p}
	s := 0.0
	for n := range p {
		if n > 0 {
			s += r3.Norm(r3.Sub(p[n], p[n-1]))
		}
		l.arc = append(l.arc, s)
	}
	return l
}

func (l polyline) length() float64 { return l.arc[len(l.arc)-1] }

// at is the point at arc length s; beyond the ends it goes on straight.
func (l polyline) at(s float64) r3.Vec {
	n, _ := slices.BinarySearch(l.arc, s)
	n = min(max(n, 1), len(l.p)-1)
	return mix(l.p[n-1], l.p[n], (s-l.arc[n-1])/(l.arc[n]-l.arc[n-1]))
}

// nearest is the arc length of the point nearest to q, and its distance.
func (l polyline) nearest(q r3.Vec) (s, d float64) {
	d = math.Inf(1)
	for n := 1; n < len(l.p); n++ {
		a, b := l.p[n-1], l.p[n]
		t := r3.Dot(r3.Sub(q, a), r3.Sub(b, a)) / max(r3.Norm2(r3.Sub(b, a)), 1e-12)
		t = max(0, min(1, t))
		if e := r3.Norm(r3.Sub(q, mix(a, b, t))); e < d {
			s, d = l.arc[n-1]+t*(l.arc[n]-l.arc[n-1]), e
		}
	}
	return s, d
}

// smooth is the curve sampled every stepMM and averaged over reachMM each way
// with weights that fall linearly; near the ends over what there is on both
// sides, so that the ends stay.
func (l polyline) smooth(stepMM, reachMM float64) polyline {
	n := max(2, int(math.Round(l.length()/stepMM))+1)
	raw := make([]r3.Vec, n)
	for i := range raw {
		raw[i] = l.at(l.length() * float64(i) / float64(n-1))
	}
	out := make([]r3.Vec, n)
	for i := range out {
		k := min(int(reachMM/stepMM), i, n-1-i)
		var sum r3.Vec
		total := 0.0
		for d := -k; d <= k; d++ {
			w := float64(k + 1 - max(d, -d))
			sum = r3.Add(sum, r3.Scale(w, raw[i+d]))
			total += w
		}
		out[i] = r3.Scale(1/total, sum)
	}
	return newPolyline(out)
}

// aorta is what the tree of the lumen says: the aorta down to its bifurcation,
// the two common iliac arteries and what they lead to, and where side branches
// leave the aorta.
type aorta struct {
	trunk     polyline
	side      [2]*polyline // left, right, from the bifurcation down; nil: not seen
	sideSplit [2]float64   // arc length of the first branching on it, mm; its end without one
	branches  []r3.Vec     // points of side branches just outside the trunk, LPS mm
}

const (
	minIliacMM     = 20  // a shorter branch is no iliac artery
	minIliacRadius = 2.5 // mm
	iliacLevelMM   = 80  // the ends of both stand within this of each other, unless the scan ends
)

// findAorta reads the tree; its root is the upper end.
func findAorta(t *vessel.Tree) (*aorta, error) {
	path := func(n int) (p []int) { // from the root
		for ; n >= 0; n = t.Branches[n].Parent {
			p = append(p, n)
		}
		slices.Reverse(p)
		return p
	}
	end := func(n int) r3.Vec { b := &t.Branches[n]; return b.Points[len(b.Points)-1] }
	var tips []int
	for _, n := range t.Tips() {
		if t.Branches[n].MeanRadiusMM() >= minIliacRadius {
			tips = append(tips, n)
		}
	}
	if len(tips) == 0 {
		return nil, &MissingError{"aorta", "no branch of the lumen is wide enough; check the mask"}
	}
	slices.SortStableFunc(tips, func(a, b int) int {
		switch za, zb := end(a).Z, end(b).Z; {
		case za < zb:
			return -1
		case za > zb:
			return 1
		}
		return a - b
	})
	first := path(tips[0])
	points := func(list []int) (p []r3.Vec) {
		for _, n := range list {
			b := t.Branches[n].Points
			if len(p) > 0 {
				b = b[1:]
			}
			p = append(p, b...)
		}
		return p
	}
	a := &aorta{}
	trunk := first
	for _, other := range tips[1:] {
		second := path(other)
		k := 0
		for k < len(first) && k < len(second) && first[k] == second[k] {
			k++
		}
		if k == 0 || k >= len(first) || k >= len(second) || end(other).Z-end(tips[0]).Z > iliacLevelMM {
			continue
		}
		sides := [2][]int{first[k:], second[k:]}
		lines := [2]polyline{}
		for n, list := range sides {
			lines[n] = newPolyline(append([]r3.Vec{end(first[k-1])}, points(list)[1:]...))
		}
		if min(lines[0].length(), lines[1].length()) < minIliacMM {
			continue
		}
		if end(tips[0]).X < end(other).X { // LPS: x grows to the left
			sides[0], sides[1] = sides[1], sides[0]
			lines[0], lines[1] = lines[1], lines[0]
		}
		trunk = first[:k]
		for n := range sides {
			a.side[n] = &lines[n]
			a.sideSplit[n] = t.Branches[sides[n][0]].LengthMM()
		}
		break
	}
	a.trunk = newPolyline(points(trunk))
	for _, n := range trunk[:len(trunk)-1] {
		for _, child := range t.Branches[n].Children {
			if !slices.Contains(trunk, child) {
				a.branches = append(a.branches, leaving(&t.Branches[child], end(n), t.Branches[n].RadiusMM))
			}
		}
	}
	return a, nil
}

// leaving is the point of a branch just outside its parent, whose lumen it
// starts in the middle of.
func leaving(b *vessel.Branch, from r3.Vec, radius []float64) r3.Vec {
	const outside = 2 // mm
	for _, p := range b.Points {
		if r3.Norm(r3.Sub(p, from)) > radius[len(radius)-1]+outside {
			return p
		}
	}
	return b.Points[len(b.Points)-1]
}

// field is a smoothed mask: ½ is its border.
type field struct {
	g imaging.Grid
	v []float32
}

// at is the field between voxel centres (trilinear), 0 outside the grid.
func (f *field) at(p r3.Vec) float64 {
	x, y, z := f.g.Voxel(p)
	i, j, k := int(math.Floor(x)), int(math.Floor(y)), int(math.Floor(z))
	sum := 0.0
	for c := range 8 {
		di, dj, dk := c&1, c>>1&1, c>>2
		if !f.g.Contains(i+di, j+dj, k+dk) {
			continue
		}
		w := math.Abs(1 - float64(di) - (x - float64(i)))
		w *= math.Abs(1 - float64(dj) - (y - float64(j)))
		w *= math.Abs(1 - float64(dk) - (z - float64(k)))
		sum += w * float64(f.v[f.g.Index(i+di, j+dj, k+dk)])
	}
	return sum
}

// reach is how far the mask goes from c in direction d, mm, up to most; 0 when
// c is outside.
func (f *field) reach(c, d r3.Vec, most float64) float64 {
	const step = 0.5
	if f.at(c) < 0.5 {
		return 0
	}
	for r := step; r <= most; r += step {
		if f.at(r3.Add(c, r3.Scale(r, d))) >= 0.5 {
			continue
		}
		lo, hi := r-step, r
		for range 20 {
			if mid := (lo + hi) / 2; f.at(r3.Add(c, r3.Scale(mid, d))) >= 0.5 {
				lo = mid
			} else {
				hi = mid
			}
		}
		return (lo + hi) / 2
	}
	return most
}
