package fem

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Spring pulls two nodes, or a node and a place that does not move, together
// along their present line: a ligament, a suture, an elastic support. Its
// force is StiffnessNPerMM times the elongation over RestMM, or follows Curve.
type Spring struct {
	Name  string   // for Stage.Attach and Detach; may be empty
	Nodes [2]int32 // the second −1: the other end is AnchorMM
	// AnchorMM is the fixed end, LPS mm. At the node's own place the spring
	// holds it elastically in all directions.
	AnchorMM        r3.Vec
	StiffnessNPerMM float64
	// RestMM is the length without force; 0: the distance when the spring is
	// attached.
	RestMM float64
	// Curve, if given, replaces the stiffness: straight between its points and
	// on beyond the ends, elongation ascending.
	Curve       []SpringPoint
	TensionOnly bool // no force below the rest length
}

// SpringPoint is a point of a force curve; tension is positive.
type SpringPoint struct{ ElongationMM, ForceN float64 }

// TrussStrain is the strain of a truss.
type TrussStrain uint8

// The strains of a truss of area A and rest length L at the stretch λ = l/L.
const (
	// GreenStrain: S = E·(λ²−1)/2, force N = E·A·λ·(λ²−1)/2 (St. Venant–Kirchhoff).
	GreenStrain TrussStrain = iota
	// LogStrain: σ = E·ln λ at constant volume, N = E·A·ln λ/λ (Bonet & Wood
	// 2008, §3.2).
	LogStrain
)

// Truss is a straight bar between two nodes that carries force along itself
// only; with TensionOnly a cable.
type Truss struct {
	Name           string // for Stage.Attach and Detach; may be empty
	Nodes          [2]int32
	AreaMM2, EMPa  float64 // at rest; Young's modulus
	Strain         TrussStrain
	RestMM         float64 // length free of stress; 0: the distance when attached
	TensionOnly    bool
	DensityTPerMM3 float64 // t/mm³, for gravity and inertia
}

// bars is the term of springs and trusses: force N(l) along the line,
// K = N'·n⊗n + N/l·(I − n⊗n) between the ends.
type bars struct {
	passive
	sys    *system
	list   []bar
	weight weight
}

// bar is a spring or a truss in the solve.
type bar struct {
	spring *Spring
	truss  *Truss
	name   string
	a, b   int32 // b is −1 for a fixed end
	end    r3.Vec
	on     bool
	given  float64 // rest length asked for; 0: at attachment
	rest   float64 // mm
}

func (s *system) newBars() (term, error) {
	t := &bars{sys: s}
	for i := range s.model.Springs {
		p := &s.model.Springs[i]
		t.list = append(t.list, bar{spring: p, name: p.Name, a: p.Nodes[0], b: p.Nodes[1], end: p.AnchorMM, given: p.RestMM})
	}
	for i := range s.model.Trusses {
		p := &s.model.Trusses[i]
		t.list = append(t.list, bar{truss: p, name: p.Name, a: p.Nodes[0], b: p.Nodes[1], given: p.RestMM})
	}
	if len(t.list) == 0 {
		return nil, nil
	}
	return t, nil
}

// line is the vector from a to b.
func (t *bars) line(b *bar, u []float64) r3.Vec {
	at := func(v int32) r3.Vec {
		return r3.Add(t.sys.x[v], r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})
	}
	if b.b < 0 {
		return r3.Sub(b.end, at(b.a))
	}
	return r3.Sub(at(b.b), at(b.a))
}

// pointTol is the length, relative to the model, below which the ends of a bar
// are one point.
const pointTol = 1e-12

func (t *bars) enter(c *change) (changed bool, err error) {
	for i := range t.list {
		b := &t.list[i]
		on := t.sys.attached(b.name, c.index) && !t.sys.nodeGone(b.a) && (b.b < 0 || !t.sys.nodeGone(b.b))
		if on == b.on {
			continue
		}
		b.on, changed = on, true
		if !on {
			continue
		}
		if b.rest = b.given; b.rest == 0 {
			if b.rest = r3.Norm(t.line(b, c.u)); b.rest <= pointTol*t.sys.size {
				b.rest = 0
			}
		}
		if b.truss != nil && b.rest == 0 {
			return false, badInput("Trusses", "entry %d (%q) joins two nodes at one place; give a rest length or take it out", i-len(t.sys.model.Springs), b.name)
		}
	}
	t.weight.take(c, t.lumps)
	return changed, nil
}

func (t *bars) couple(add func(...int32)) {
	for i := range t.list {
		switch b := &t.list[i]; {
		case !b.on:
		case b.b < 0:
			add(b.a)
		default:
			add(b.a, b.b)
		}
	}
}

func (t *bars) supports(add func(int32, r3.Vec)) {
	for i := range t.list {
		b := &t.list[i]
		if !b.on || b.b >= 0 {
			continue
		}
		if b.rest == 0 {
			add(b.a, r3.Vec{X: 1})
			add(b.a, r3.Vec{Y: 1})
			add(b.a, r3.Vec{Z: 1})
			continue
		}
		if d := r3.Sub(b.end, t.sys.x[b.a]); d != (r3.Vec{}) {
			add(b.a, r3.Unit(d))
		}
	}
}

// lumps adds half of every truss to its ends.
func (t *bars) lumps(add func(node int32, mass float64)) {
	for i := range t.list {
		if b := &t.list[i]; b.on && b.truss != nil && b.truss.DensityTPerMM3 > 0 {
			m := b.truss.DensityTPerMM3 * b.truss.AreaMM2 * b.rest
			add(b.a, m/2)
			add(b.b, m/2)
		}
	}
}

// masses adds the consistent mass of the trusses, t.
func (t *bars) masses(add func(i, j int32, mass float64)) {
	for i := range t.list {
		if b := &t.list[i]; b.on && b.truss != nil && b.truss.DensityTPerMM3 > 0 {
			m := b.truss.DensityTPerMM3 * b.truss.AreaMM2 * b.rest
			add(b.a, b.a, m/3)
			add(b.b, b.b, m/3)
			add(b.a, b.b, m/6)
			add(b.b, b.a, m/6)
		}
	}
}

// answer is the force at length l, its slope and the stored energy.
func (b *bar) answer(l float64) (n, dn, w float64) {
	e := l - b.rest
	if p := b.truss; p != nil {
		if p.TensionOnly && e < 0 {
			return 0, 0, 0
		}
		x, ea := l/b.rest, p.EMPa*p.AreaMM2
		if p.Strain == LogStrain {
			h := math.Log(x)
			return ea * h / x, ea * (1 - h) / (x * x * b.rest), ea * b.rest * h * h / 2
		}
		g := (x*x - 1) / 2
		return ea * x * g, ea * (3*x*x - 1) / (2 * b.rest), ea * b.rest * g * g / 2
	}
	p := b.spring
	switch {
	case p.TensionOnly && e < 0:
		return 0, 0, 0
	case p.Curve == nil:
		return p.StiffnessNPerMM * e, p.StiffnessNPerMM, p.StiffnessNPerMM * e * e / 2
	}
	return follow(p.Curve, e)
}

// follow is the curve at e with its slope, and its integral from the first
// point.
func follow(c []SpringPoint, e float64) (n, dn, w float64) {
	for i := 1; ; i++ {
		p, q := c[i-1], c[i]
		dn = (q.ForceN - p.ForceN) / (q.ElongationMM - p.ElongationMM)
		if e <= q.ElongationMM || i == len(c)-1 {
			d := e - p.ElongationMM
			return p.ForceN + dn*d, dn, w + p.ForceN*d + dn*d*d/2
		}
		w += (p.ForceN + q.ForceN) / 2 * (q.ElongationMM - p.ElongationMM)
	}
}

// stretch is the force over the length, N/l, which stays finite at l = 0 only
// for a rest length of 0; ok is false where the line has no direction.
func (t *bars) stretch(b *bar, d r3.Vec) (n, dn, perLength float64, dir r3.Vec, ok bool) {
	l := r3.Norm(d)
	n, dn, _ = b.answer(l)
	if l > pointTol*t.sys.size {
		return n, dn, n / l, r3.Scale(1/l, d), finite(n, dn)
	}
	return 0, dn, dn, r3.Vec{}, b.rest == 0
}

func (t *bars) force(f, u []float64, now clock) int32 {
	for i := range t.list {
		b := &t.list[i]
		if !b.on {
			continue
		}
		n, _, _, dir, ok := t.stretch(b, t.line(b, u))
		if !ok {
			return b.a
		}
		p := r3.Scale(n, dir)
		f[3*b.a] -= p.X
		f[3*b.a+1] -= p.Y
		f[3*b.a+2] -= p.Z
		if b.b >= 0 {
			f[3*b.b] += p.X
			f[3*b.b+1] += p.Y
			f[3*b.b+2] += p.Z
		}
	}
	t.weight.force(f, now)
	return -1
}

func (t *bars) tangent(m *stiffness, u []float64, _ clock) {
	for i := range t.list {
		b := &t.list[i]
		if !b.on {
			continue
		}
		_, dn, h, d, ok := t.stretch(b, t.line(b, u))
		if !ok {
			continue // forces have refused such a state
		}
		g := dn - h
		k := [9]float64{
			h + g*d.X*d.X, g * d.X * d.Y, g * d.X * d.Z,
			g * d.Y * d.X, h + g*d.Y*d.Y, g * d.Y * d.Z,
			g * d.Z * d.X, g * d.Z * d.Y, h + g*d.Z*d.Z,
		}
		m.add(b.a, b.a, &k)
		if b.b >= 0 {
			m.add(b.b, b.b, &k)
			for c := range k {
				k[c] = -k[c]
			}
			m.add(b.a, b.b, &k)
		}
	}
}

func (t *bars) energy(u []float64, now clock) (w float64, ok bool) {
	for i := range t.list {
		if b := &t.list[i]; b.on {
			_, _, e := b.answer(r3.Norm(t.line(b, u)))
			w += e
		}
	}
	return w + t.weight.energy(u, now), true
}
