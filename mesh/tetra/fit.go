package tetra

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

// side is a face that may lie on an interface: a face of a tetrahedron whose
// three corners carry more than one label each.
type side struct {
	v   [3]int32 // counter-clockwise seen from outside the tetrahedron
	lab uint8    // label of the tetrahedron
}

// pairSides matches faces from both sides and keeps those between different
// labels; what is on the far side of a face without a partner is background.
// Faces stay in order of their lowest node.
func pairSides(all []side, nodes int) (faces []side, beyond []uint8) {
	start := make([]int32, nodes+2)
	for _, s := range all {
		start[min(s.v[0], s.v[1], s.v[2])+2]++
	}
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	order := make([]int32, len(all))
	for i, s := range all {
		low := min(s.v[0], s.v[1], s.v[2]) + 1
		order[start[low]] = int32(i)
		start[low]++
	}
	for n := range nodes {
		run := order[start[n]:start[n+1]]
		for i, x := range run {
			if x < 0 {
				continue
			}
			s, other := all[x], uint8(0)
			sum, top := s.v[0]+s.v[1]+s.v[2], max(s.v[0], s.v[1], s.v[2])
			for j := i + 1; j < len(run); j++ {
				if y := run[j]; y >= 0 {
					t := all[y].v
					if t[0]+t[1]+t[2] == sum && max(t[0], t[1], t[2]) == top {
						other = all[y].lab
						run[j] = -1
						break
					}
				}
			}
			if s.lab != other {
				faces, beyond = append(faces, s), append(beyond, other)
			}
		}
	}
	return faces, beyond
}

// fitting moves interface nodes so that the faces lie evenly on both sides of
// the true interfaces.
type fitting struct {
	f      *labelField
	m      *mesh.TetMesh // in local mm
	faces  []side
	beyond []uint8
	hold   []bool         // nodes that stay
	ask    *[3][3]float64 // where on a face
	push   [256]float64   // extra offset per label, mm: outwards
	off    float64        // mean distance of the faces from their place before the last step, mm
	// per node
	mass  [][6]float64 // Σ w n nᵀ: xx, yy, zz, xy, xz, yz
	rhs   []r3.Vec
	reach []float64 // shortest interface edge, squared
	old   []r3.Vec
	state []uint8 // 1: moved, 2: changed in this round
	back  []uint8 // times the move was cut
}

// points on a face where the field is asked, barycentric: the rule of degree
// 2 with three inner points.
var facePoints = [3][3]float64{{2.0 / 3, 1.0 / 6, 1.0 / 6}, {1.0 / 6, 2.0 / 3, 1.0 / 6}, {1.0 / 6, 1.0 / 6, 2.0 / 3}}

// faceCorners are asked when the sides will be curved: then the corners belong
// on the interface itself.
var faceCorners = [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}

// gap is how far the interface between a and b is from p towards b, mm; ok is
// false where a third label rules or the field knows neither.
func (x *fitting) gap(p r3.Vec, a, b uint8, s *support) (float64, bool) {
	x.f.at(p, s)
	if s.lab[0] != a && s.lab[0] != b {
		return 0, false
	}
	return s.of(a) - s.of(b), true
}

// step moves the nodes once.
func (x *fitting) step(ctx context.Context, relax float64) error {
	p := x.m.Nodes
	clear(x.mass)
	clear(x.rhs)
	for n := range x.reach {
		x.reach[n] = math.Inf(1)
	}
	var s support
	var sum, all float64
	for i, f := range x.faces {
		if i&0x3fff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		a, b, c := p[f.v[0]], p[f.v[1]], p[f.v[2]]
		ab, ac, bc := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(c, b)
		n := r3.Cross(ab, ac)
		area := math.Sqrt(r3.Norm2(n))
		if area == 0 {
			continue
		}
		n = r3.Scale(1/area, n)
		l0, l1, l2 := r3.Norm2(ab), r3.Norm2(ac), r3.Norm2(bc)
		short := min(l0, l1, l2)
		for _, v := range f.v {
			x.reach[v] = min(x.reach[v], short)
		}
		extra := x.push[f.lab] - x.push[x.beyond[i]]
		for _, w := range x.ask {
			q := r3.Add(r3.Add(r3.Scale(w[0], a), r3.Scale(w[1], b)), r3.Scale(w[2], c))
			g, ok := x.gap(q, f.lab, x.beyond[i], &s)
			if !ok {
				continue
			}
			g += extra
			sum, all = sum+area*math.Abs(g), all+area
			for k, v := range f.v {
				z := w[k] * area
				m := &x.mass[v]
				m[0] += z * n.X * n.X
				m[1] += z * n.Y * n.Y
				m[2] += z * n.Z * n.Z
				m[3] += z * n.X * n.Y
				m[4] += z * n.X * n.Z
				m[5] += z * n.Y * n.Z
				x.rhs[v] = r3.Add(x.rhs[v], r3.Scale(z*g, n))
			}
		}
	}
	x.off = sum / max(all, math.SmallestNonzeroFloat64)
	for v := range x.mass {
		m := &x.mass[v]
		trace := m[0] + m[1] + m[2]
		if trace == 0 || x.hold[v] {
			continue
		}
		d := solve3(m, x.rhs[v], 0.05*trace)
		d = r3.Scale(relax*1.05, d)
		limit := 0.25 * math.Sqrt(x.reach[v])
		if l := math.Sqrt(r3.Norm2(d)); l > limit {
			d = r3.Scale(limit/l, d)
		}
		x.old[v] = p[v]
		p[v] = r3.Add(p[v], d)
		x.state[v] = 3
		x.back[v] = 0
	}
	return x.guard(ctx)
}

// solve3 solves (m + e·1) d = r for a symmetric m given by xx, yy, zz, xy, xz,
// yz.
func solve3(m *[6]float64, r r3.Vec, e float64) r3.Vec {
	a, b, c, d, f, g := m[0]+e, m[1]+e, m[2]+e, m[3], m[4], m[5]
	// cofactors
	c00, c01, c02 := b*c-g*g, f*g-d*c, d*g-b*f
	c11, c12, c22 := a*c-f*f, d*f-a*g, a*b-d*d
	det := a*c00 + d*c01 + f*c02
	return r3.Vec{
		X: (c00*r.X + c01*r.Y + c02*r.Z) / det,
		Y: (c01*r.X + c11*r.Y + c12*r.Z) / det,
		Z: (c02*r.X + c12*r.Y + c22*r.Z) / det,
	}
}

// fitMinDeg and fitMaxDeg are the dihedral angles a move may not cross unless
// the element was beyond them before.
const (
	fitMinDeg = 13
	fitMaxDeg = 155
)

// guard takes moves back, by halves and then whole, until every tetrahedron
// that was touched is good enough.
func (x *fitting) guard(ctx context.Context) error {
	good0, good1 := math.Cos(fitMinDeg*math.Pi/180), math.Cos(fitMaxDeg*math.Pi/180)
	least0, least1 := math.Cos(MinDihedralDeg*math.Pi/180), math.Cos(MaxDihedralDeg*math.Pi/180)
	p := x.m.Nodes
	was := func(v int32) r3.Vec {
		if x.state[v] != 0 {
			return x.old[v]
		}
		return p[v]
	}
	for round := 0; ; round++ {
		var bad []int32
		for t, v := range x.m.Tets {
			if t&0xffff == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if (x.state[v[0]]|x.state[v[1]]|x.state[v[2]]|x.state[v[3]])&2 == 0 {
				continue
			}
			if angled(p[v[0]], p[v[1]], p[v[2]], p[v[3]], good0, good1) {
				continue
			}
			if angled(p[v[0]], p[v[1]], p[v[2]], p[v[3]], least0, least1) &&
				!angled(was(v[0]), was(v[1]), was(v[2]), was(v[3]), good0, good1) {
				continue
			}
			bad = append(bad, int32(t))
		}
		for v := range x.state {
			x.state[v] &^= 2
		}
		if len(bad) == 0 {
			break
		}
		for _, t := range bad {
			for _, v := range x.m.Tets[t] {
				if x.state[v] != 1 {
					continue // not moved, or cut already in this round
				}
				x.back[v]++
				if x.back[v] > 2 || round > 4 {
					p[v] = x.old[v]
					x.state[v] = 4 | 2
				} else {
					p[v] = r3.Scale(0.5, r3.Add(p[v], x.old[v]))
					x.state[v] = 1 | 2
				}
			}
		}
	}
	clear(x.state)
	return nil
}

// balance sets the offsets so that, to first order, every label gets its
// volume.
func (x *fitting) balance(want *[256]float64, limit float64) (worst float64) {
	var row [256]int
	var labels []int
	for l := range row {
		row[l] = -1
		if l > 0 && want[l] > 0 {
			row[l] = len(labels)
			labels = append(labels, l)
		}
	}
	n := len(labels)
	if n == 0 {
		return 0
	}
	var vol [256]float64
	for t, v := range x.m.Tets {
		p := x.m.Nodes
		vol[x.m.Region[t]] += mesh.Signed6(p[v[0]], p[v[1]], p[v[2]], p[v[3]]) / 6
	}
	a := mat.NewSymDense(n, nil)
	for i, f := range x.faces {
		p := x.m.Nodes
		area := math.Sqrt(r3.Norm2(r3.Cross(r3.Sub(p[f.v[1]], p[f.v[0]]), r3.Sub(p[f.v[2]], p[f.v[0]])))) / 2
		r, s := row[f.lab], row[x.beyond[i]]
		if r >= 0 {
			a.SetSym(r, r, a.At(r, r)+area)
		}
		if s >= 0 {
			a.SetSym(s, s, a.At(s, s)+area)
		}
		if r >= 0 && s >= 0 {
			a.SetSym(r, s, a.At(r, s)-area)
		}
	}
	missing := mat.NewVecDense(n, nil)
	for i, l := range labels {
		missing.SetVec(i, want[l]-vol[l])
		worst = max(worst, math.Abs(vol[l]/want[l]-1))
		a.SetSym(i, i, a.At(i, i)*(1+1e-9)+1e-12)
	}
	var chol mat.Cholesky
	var d mat.VecDense
	if !chol.Factorize(a) || chol.SolveVecTo(&d, missing) != nil {
		return worst
	}
	for i, l := range labels {
		x.push[l] = min(max(x.push[l]+d.AtVec(i), -limit), limit)
	}
	return worst
}

// The nodes are moved at least fitSteps times, and up to maxFitSteps while a
// label is further than fitVolume from its volume or the faces were further
// than fitOff (in units of labelField.far) from their place on average. Before
// every step but the first the offsets are set anew.
const (
	fitSteps    = 2
	maxFitSteps = 6
	fitVolume   = 2e-3
	fitOff      = 0.05
)

// fit runs the steps. want are the volumes of the labels, mm³. It returns the
// labels whose interface each node lies on: lower << 8 | higher, 0 for none,
// junction for several.
func (s *stuffing) fit(ctx context.Context, m *mesh.TetMesh, sides []side, want *[256]float64, quadratic bool) (pair []uint16, err error) {
	n := len(m.Nodes)
	x := &fitting{f: s.f, m: m, hold: s.hold, ask: &facePoints, mass: make([][6]float64, n), rhs: make([]r3.Vec, n), reach: make([]float64, n),
		old: make([]r3.Vec, n), state: make([]uint8, n), back: make([]uint8, n)}
	x.faces, x.beyond = pairSides(sides, n)
	if quadratic {
		x.ask = &faceCorners
	}
	lastWorst, lastOff := math.Inf(1), math.Inf(1)
	for i := range maxFitSteps {
		worst := 0.0
		if i > 0 && !quadratic {
			worst = x.balance(want, 0.5*float64(s.f.far))
		}
		// near enough, or held back by the shape of the tetrahedra
		volume := worst < fitVolume || worst > 0.7*lastWorst
		place := x.off < fitOff*float64(s.f.far) || x.off > 0.8*lastOff
		if i >= fitSteps && volume && place {
			break
		}
		lastWorst, lastOff = worst, x.off
		if err := x.step(ctx, 1); err != nil {
			return nil, err
		}
	}
	pair = make([]uint16, n)
	for i, f := range x.faces {
		a, b := uint16(f.lab), uint16(x.beyond[i])
		k := min(a, b)<<8 | max(a, b)
		for _, v := range f.v {
			if pair[v] == 0 {
				pair[v] = k
			} else if pair[v] != k {
				pair[v] = junction
			}
		}
	}
	return pair, nil
}

// improve works on the worst tetrahedra. Nodes on the interface of two labels
// stay on it. Improve lets small angles trade with large ones so that BelowDeg
// and AboveDeg are worth the same; the ratio of sines is chosen so that
// MinDihedralDeg and MaxDihedralDeg are, too, and neither can be lost.
func (s *stuffing) improve(ctx context.Context, m *mesh.TetMesh, pair []uint16, below float64) (ImproveReport, error) {
	if below == 0 {
		below = DefaultBelowDeg
	}
	const deg = math.Pi / 180
	ratio := math.Sin(MaxDihedralDeg*deg) / math.Sin(MinDihedralDeg*deg)
	above := 180 - math.Asin(min(1, ratio*math.Sin(below*deg)))/deg
	hold := s.hold
	frozen := func(node int32) bool { return hold[node] }
	if !slices.Contains(hold, true) {
		frozen = nil
	}
	rep, err := Improve(ctx, m, ImproveOptions{BelowDeg: below, AboveDeg: above, Frozen: frozen, Project: func(p r3.Vec, node int32) (r3.Vec, bool) {
		k := pair[node]
		if k == 0 || k == junction {
			return p, false
		}
		return s.project(p, uint8(k>>8), uint8(k))
	}})
	rep.NodeFrom, rep.TetFrom = nil, nil
	return rep, err
}

// project puts a point on the interface between labels x and y; false where
// there is none near by.
func (s *stuffing) project(p r3.Vec, x, y uint8) (r3.Vec, bool) {
	var w support
	far := float64(s.f.far)
	for range 4 {
		s.f.at(p, &w)
		g := w.of(x) - w.of(y)
		if math.Abs(g) < 0.01*far {
			return p, true
		}
		n, ok := s.normal(p, x, y)
		if !ok {
			return p, false
		}
		// away from the interface the field only tells the side
		p = r3.Add(p, r3.Scale(min(max(g, -far/2), far/2), n))
	}
	s.f.at(p, &w)
	return p, math.Abs(w.of(x)-w.of(y)) < 0.1*far
}

// curve makes the mesh quadratic with sides that follow the interfaces.
func (s *stuffing) curve(ctx context.Context, m *mesh.TetMesh) (CurveReport, error) {
	return Curve(ctx, m, func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) { return s.project(p, uint8(a), uint8(b)) })
}
