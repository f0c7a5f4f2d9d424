package vessel

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// Section is the cross-section of a lumen with a plane.
type Section struct {
	Centre, Normal r3.Vec   // of the plane: LPS mm, unit
	Outline        []r3.Vec // closed polygon, LPS mm, the last point joined to the first
	AreaMM2        float64
	CentroidLPS    r3.Vec
	// DiameterMM is the largest distance of two points of the outline, from Start
	// to End; PerpendicularMM the largest chord across it (Feret diameter at a
	// right angle), from StartPerp to EndPerp.
	DiameterMM, PerpendicularMM    float64
	Start, End, StartPerp, EndPerp r3.Vec
	EquivalentMM                   float64 // diameter of the circle of equal area
	TouchesBorder                  bool    // the plane leaves the grid inside the lumen: the section is cut off
}

// ErrNoSection says that a plane meets no lumen near its centre.
var ErrNoSection = errors.New("vessel: the plane meets no lumen near its centre")

// SectionAt cuts a lumen mask with the plane through centre across normal. The
// outline lies between the voxels: it is the level ½ of the mask interpolated
// between voxel centres, found on rays of the plane and refined by bisection. Of
// several pieces in the plane the one nearest to the centre counts. reachMM
// bounds the search around the centre; 0 means 60 mm.
//
// It returns ErrNoSection when no lumen lies within a quarter of the reach, and
// an error for a bad grid, normal or reach.
func SectionAt(g imaging.Grid, mask filter.Mask, centre, normal r3.Vec, reachMM float64) (*Section, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("vessel: %w", err)
	}
	if len(mask) != g.Len() {
		return nil, fmt.Errorf("vessel: a mask of %d voxels on a grid of %d", len(mask), g.Len())
	}
	n := r3.Norm(normal)
	if s := r3.Norm(centre) + n; math.IsNaN(s) || math.IsInf(s, 0) || n == 0 {
		return nil, fmt.Errorf("vessel: plane at %v across %v: give a finite point and direction", centre, normal)
	}
	if reachMM == 0 {
		reachMM = 60
	}
	if !(reachMM > 0 && reachMM <= 500) {
		return nil, fmt.Errorf("vessel: a reach of %g mm: give up to 500", reachMM)
	}
	normal = r3.Scale(1/n, normal)
	h := g.SpacingMM()
	p := &plane{g: g, mask: mask, o: centre, step: min(h[0], h[1], h[2]) / 3}
	p.step = max(p.step, reachMM/600)
	p.half = int(math.Ceil(reachMM / p.step))
	p.u, p.v = across(normal)
	s := &Section{Centre: centre, Normal: normal}
	return s, p.cut(s, reachMM/4)
}

// across is two unit vectors that make a right-handed frame with normal n.
func across(n r3.Vec) (u, v r3.Vec) {
	e := r3.Vec{X: 1}
	if math.Abs(n.X) > 0.7 {
		e = r3.Vec{Y: 1}
	}
	u = r3.Unit(r3.Cross(e, n))
	return u, r3.Cross(n, u)
}

// plane is a lattice of (2·half+1)² points in a plane.
type plane struct {
	g    imaging.Grid
	mask filter.Mask
	o    r3.Vec
	u, v r3.Vec
	step float64
	half int
}

func (p *plane) point(a, b float64) r3.Vec {
	return r3.Add(p.o, r3.Add(r3.Scale(a*p.step, p.u), r3.Scale(b*p.step, p.v)))
}

// value is the trilinear mask at lattice place (a, b), 0 beyond the grid.
func (p *plane) value(a, b float64) float64 {
	x, y, z := p.g.Voxel(p.point(a, b))
	i, j, k := int(math.Floor(x)), int(math.Floor(y)), int(math.Floor(z))
	fx, fy, fz := x-float64(i), y-float64(j), z-float64(k)
	sum := 0.0
	for c := range 8 {
		di, dj, dk := c&1, c>>1&1, c>>2
		if !p.g.Contains(i+di, j+dj, k+dk) || !p.mask[p.g.Index(i+di, j+dj, k+dk)] {
			continue
		}
		w := 1.0
		for _, f := range [3][2]float64{{fx, float64(di)}, {fy, float64(dj)}, {fz, float64(dk)}} {
			if f[1] == 1 {
				w *= f[0]
			} else {
				w *= 1 - f[0]
			}
		}
		sum += w
	}
	return sum
}

// cut fills s from the piece of the lumen in the plane nearest to its centre.
func (p *plane) cut(s *Section, nearMM float64) error {
	side := 2*p.half + 1
	val := make([]float32, side*side)
	at := func(a, b int) int { return a + p.half + side*(b+p.half) }
	best, bestD := [2]int{}, math.Inf(1)
	for b := -p.half; b <= p.half; b++ {
		for a := -p.half; a <= p.half; a++ {
			v := p.value(float64(a), float64(b))
			val[at(a, b)] = float32(v)
			if d := math.Hypot(float64(a), float64(b)); v > 0.5 && d < bestD {
				best, bestD = [2]int{a, b}, d
			}
		}
	}
	if bestD*p.step > nearMM {
		return ErrNoSection
	}
	// The piece around best, its area and its border crossings.
	in := make([]bool, side*side)
	in[at(best[0], best[1])] = true
	stack := [][2]int{best}
	var marks []r3.Vec
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		i, j, k := p.g.Voxel(p.point(float64(c[0]), float64(c[1])))
		for x, y := range [3]float64{i, j, k} {
			if y < 0 || y > float64(p.g.Size[x]-1) {
				s.TouchesBorder = true
			}
		}
		v := float64(val[at(c[0], c[1])])
		for _, d := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			a, b := c[0]+d[0], c[1]+d[1]
			if a < -p.half || a > p.half || b < -p.half || b > p.half {
				s.TouchesBorder = true
				continue
			}
			w := float64(val[at(a, b)])
			switch {
			case w <= 0.5:
				t := (v - 0.5) / (v - w)
				marks = append(marks, p.point(float64(c[0])+t*float64(d[0]), float64(c[1])+t*float64(d[1])))
			case !in[at(a, b)]:
				in[at(a, b)] = true
				stack = append(stack, [2]int{a, b})
			}
		}
	}
	if len(marks) < 3 {
		return ErrNoSection
	}
	s.Outline = p.walk(in, val, side)
	if len(s.Outline) < 3 {
		return ErrNoSection
	}
	s.measure(p.u, p.v)
	return nil
}

// walk is the outer border of the piece by marching squares.
func (p *plane) walk(in []bool, val []float32, side int) []r3.Vec {
	get := func(a, b int) (bool, float64) {
		if a < 0 || b < 0 || a >= side || b >= side {
			return false, 0
		}
		v := float64(val[a+side*b])
		if !in[a+side*b] {
			return false, min(v, 0.499)
		}
		return true, v
	}
	// Start left of the first inside point, walk with the inside on the left hand.
	start := slices.Index(in, true)
	if start < 0 {
		return nil
	}
	type place struct{ a, b, d int } // inside point and direction to the outside one
	dir := [4][2]int{{-1, 0}, {0, -1}, {1, 0}, {0, 1}}
	cur := place{start % side, start / side, 1}
	first := cur
	var out []r3.Vec
	for range 8 * side * side {
		d := dir[cur.d]
		_, v := get(cur.a, cur.b)
		_, w := get(cur.a+d[0], cur.b+d[1])
		t := (v - 0.5) / (v - w)
		out = append(out, p.point(float64(cur.a-p.half)+t*float64(d[0]), float64(cur.b-p.half)+t*float64(d[1])))
		// Turn to the next crossing around the cell ahead.
		ahead := dir[(cur.d+1)%4]
		inDiag, _ := get(cur.a+d[0]+ahead[0], cur.b+d[1]+ahead[1])
		inAhead, _ := get(cur.a+ahead[0], cur.b+ahead[1])
		switch {
		case !inAhead:
			cur.d = (cur.d + 1) % 4
		case inDiag:
			cur = place{cur.a + d[0] + ahead[0], cur.b + d[1] + ahead[1], (cur.d + 3) % 4}
		default:
			cur = place{cur.a + ahead[0], cur.b + ahead[1], cur.d}
		}
		if cur == first {
			return out
		}
	}
	return nil
}

// measure sets area, centroid and diameters from the outline.
func (s *Section) measure(u, v r3.Vec) {
	n := len(s.Outline)
	q := make([][2]float64, n)
	for m, p := range s.Outline {
		d := r3.Sub(p, s.Centre)
		q[m] = [2]float64{r3.Dot(d, u), r3.Dot(d, v)}
	}
	area, cx, cy := 0.0, 0.0, 0.0
	for m := range q {
		a, b := q[m], q[(m+1)%n]
		c := a[0]*b[1] - a[1]*b[0]
		area, cx, cy = area+c/2, cx+c*(a[0]+b[0])/6, cy+c*(a[1]+b[1])/6
	}
	s.AreaMM2 = math.Abs(area)
	if area != 0 {
		s.CentroidLPS = r3.Add(s.Centre, r3.Add(r3.Scale(cx/area, u), r3.Scale(cy/area, v)))
	}
	s.EquivalentMM = 2 * math.Sqrt(s.AreaMM2/math.Pi)
	for a := range q {
		for b := a + 1; b < n; b++ {
			if d := math.Hypot(q[a][0]-q[b][0], q[a][1]-q[b][1]); d > s.DiameterMM {
				s.DiameterMM, s.Start, s.End = d, s.Outline[a], s.Outline[b]
			}
		}
	}
	if s.DiameterMM == 0 {
		return
	}
	// Chords across: at each place along the diameter the width of the outline.
	along := r3.Scale(1/s.DiameterMM, r3.Sub(s.End, s.Start))
	perp := r3.Cross(s.Normal, along)
	const stripes = 200
	for k := 1; k < stripes; k++ {
		at := s.DiameterMM * float64(k) / stripes
		lo, hi := math.Inf(1), math.Inf(-1)
		for m := range s.Outline {
			a, b := r3.Sub(s.Outline[m], s.Start), r3.Sub(s.Outline[(m+1)%n], s.Start)
			x, y := r3.Dot(a, along)-at, r3.Dot(b, along)-at
			if cmp.Compare(x, 0) == cmp.Compare(y, 0) || x == y {
				continue
			}
			w := r3.Dot(a, perp) + x/(x-y)*(r3.Dot(b, perp)-r3.Dot(a, perp))
			lo, hi = min(lo, w), max(hi, w)
		}
		if hi-lo > s.PerpendicularMM {
			s.PerpendicularMM = hi - lo
			base := r3.Add(s.Start, r3.Scale(at, along))
			s.StartPerp, s.EndPerp = r3.Add(base, r3.Scale(lo, perp)), r3.Add(base, r3.Scale(hi, perp))
		}
	}
}

// SectionOf cuts the lumen across the centreline of branch b at arc length atMM
// from its first point; the direction is the chord over a radius each way.
func SectionOf(g imaging.Grid, mask filter.Mask, b *Branch, atMM float64) (*Section, error) {
	total := b.LengthMM()
	if !(atMM >= 0 && atMM <= total) {
		return nil, fmt.Errorf("vessel: place %g mm on a branch of %.1f mm", atMM, total)
	}
	at := func(s float64) r3.Vec {
		s = min(max(s, 0), total)
		for n := 1; n < len(b.Points); n++ {
			d := r3.Sub(b.Points[n], b.Points[n-1])
			l := r3.Norm(d)
			if s <= l && l > 0 {
				return r3.Add(b.Points[n-1], r3.Scale(s/l, d))
			}
			s -= l
		}
		return b.Points[len(b.Points)-1]
	}
	r := b.MeanRadiusMM()
	return SectionAt(g, mask, at(atMM), r3.Sub(at(atMM+r), at(atMM-r)), 5*r+10)
}
