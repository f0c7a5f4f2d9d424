package fem

import (
	"fmt"
	"math"

	"halsted/fem/element"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// tieTerm is one tie.
type tieTerm struct {
	passive
	sys   *system
	t     *Tie
	field string
	own   *skin
	other *skin
	on    bool

	pts    []tiePoint
	groups []tieGroup
	start  []float64 // displacement at the start of the tie
	// memory: displacement at the start (3 per node of the mesh), then λ (3 per
	// corner of own and 3 per node of the tie), then boost.
	memory []float64
	lambda []r3.Vec // of the round
	boost  float64
	worst  float64
}

// tiePoint is a point of the tie: J = Σ c_a·u_a.
type tiePoint struct {
	group int32
	c     [12]float64
	w     float64 // mm²; 1 at a node
	k     float64 // w·ε, N/mm
	at    [3]int32
	l     [3]float64 // λ = Σ l·λ[at]
}

// tieGroup is a set of nodes that points share: two faces, or a node and an
// element.
type tieGroup struct {
	nodes []int32
	k     []float64 // stiffness among them, N/mm, n×n
	under [2]int32  // elements that must be alive: under both faces, or around the node; −1: none
	off   bool
}

func (s *system) newTies() (out []term, err error) {
	for i := range s.model.Ties {
		t := &tieTerm{sys: s, t: &s.model.Ties[i], field: fmt.Sprintf("Ties[%d]", i), boost: 1}
		count := len(t.t.Nodes)
		if len(t.t.Faces) > 0 {
			if t.own, err = s.newSkin(t.field+".Faces", t.t.Faces); err != nil {
				return nil, err
			}
			if t.other, err = s.newSkin(t.field+".Against", t.t.Against); err != nil {
				return nil, err
			}
			count += t.own.count
		}
		t.lambda = make([]r3.Vec, count)
		t.memory = make([]float64, 3*s.n+3*count+1)
		t.memory[len(t.memory)-1] = 1
		t.start = t.memory[:3*s.n]
		out = append(out, t)
	}
	return out, nil
}

func (t *tieTerm) history() []float64 { return t.memory }

func (t *tieTerm) penalty() float64 {
	if t.t.Penalty == 0 {
		return defaultPenalty
	}
	return t.t.Penalty
}

func (t *tieTerm) enter(c *change) (changed bool, err error) {
	was := t.on
	t.on = t.sys.attached(t.t.Name, c.index)
	if t.on && !was {
		copy(t.start, c.u)
		clear(t.memory[3*t.sys.n:])
		t.memory[len(t.memory)-1] = 1
		t.load()
		if err := t.find(c.u); err != nil {
			return false, err
		}
		return true, nil
	}
	changed = was != t.on
	for i := range t.groups { // parts that were taken out do not pull
		g := &t.groups[i]
		off := !t.on
		for _, e := range g.under {
			off = off || e >= 0 && t.sys.alive != nil && !t.sys.alive[e]
		}
		changed = changed || off != g.off
		g.off = off
	}
	return changed, nil
}

// load takes the multipliers from the history.
func (t *tieTerm) load() {
	m := t.memory[3*t.sys.n:]
	for i := range t.lambda {
		t.lambda[i] = r3.Vec{X: m[3*i], Y: m[3*i+1], Z: m[3*i+2]}
	}
	t.boost, t.worst = m[len(m)-1], math.Inf(1)
}

// find makes the points of the tie at the displacement u.
func (t *tieTerm) find(u []float64) error {
	t.pts, t.groups = t.pts[:0], t.groups[:0]
	corners := 0
	if t.own != nil {
		t.own.live(t.sys.alive)
		t.other.live(t.sys.alive)
		t.segments(u)
		corners = t.own.count
		if len(t.pts) == 0 {
			return badInput(t.field, "finds no face of Against within %s that faces one of Faces; move the surfaces together or raise SearchMM", t.distance())
		}
	}
	if err := t.embed(u, corners); err != nil {
		return err
	}
	for i := range t.pts {
		p := &t.pts[i]
		g := &t.groups[p.group]
		n := len(g.nodes)
		if g.k == nil {
			g.k = make([]float64, n*n)
		}
		for a := range n {
			for b := range n {
				g.k[a*n+b] += p.k * p.c[a] * p.c[b]
			}
		}
	}
	return nil
}

func (t *tieTerm) distance() string {
	if t.t.SearchMM == 0 {
		return "a quarter of a face's longest edge"
	}
	return fmt.Sprintf("%g mm", t.t.SearchMM)
}

func (t *tieTerm) couple(add func(nodes ...int32)) {
	if !t.on {
		return
	}
	for i := range t.groups {
		if !t.groups[i].off {
			add(t.groups[i].nodes...)
		}
	}
}

func (t *tieTerm) begin([]float64, clock) (bool, error) {
	if t.on {
		t.load()
	}
	return false, nil
}

// jump is J at point p.
func (t *tieTerm) jump(p *tiePoint, u []float64) (j r3.Vec) {
	for a, v := range t.groups[p.group].nodes {
		c := p.c[a]
		j.X += c * (u[3*v] - t.start[3*v])
		j.Y += c * (u[3*v+1] - t.start[3*v+1])
		j.Z += c * (u[3*v+2] - t.start[3*v+2])
	}
	return j
}

func (t *tieTerm) multiplier(p *tiePoint) (v r3.Vec) {
	for c, l := range p.l {
		if l != 0 {
			v = r3.Add(v, r3.Scale(l, t.lambda[p.at[c]]))
		}
	}
	return v
}

func (t *tieTerm) force(f, u []float64, _ clock) int32 {
	if !t.on {
		return -1
	}
	pull := make([]r3.Vec, len(t.pts))
	t.sys.chunks(len(t.pts), 64, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := &t.pts[i]
			if t.groups[p.group].off {
				continue
			}
			pull[i] = r3.Add(r3.Scale(t.boost*p.k, t.jump(p, u)), r3.Scale(p.w, t.multiplier(p)))
		}
	})
	for i, v := range pull {
		p := &t.pts[i]
		for a, n := range t.groups[p.group].nodes {
			f[3*n] += p.c[a] * v.X
			f[3*n+1] += p.c[a] * v.Y
			f[3*n+2] += p.c[a] * v.Z
		}
	}
	return -1
}

func (t *tieTerm) energy(u []float64, _ clock) (float64, bool) {
	if !t.on {
		return 0, true
	}
	return par.Sum(len(t.pts), 64, func(lo, hi int) (w float64) {
		for i := lo; i < hi; i++ {
			p := &t.pts[i]
			if t.groups[p.group].off {
				continue
			}
			j := t.jump(p, u)
			w += t.boost*p.k/2*r3.Norm2(j) + p.w*r3.Dot(t.multiplier(p), j)
		}
		return w
	}), true
}

func (t *tieTerm) tangent(k *stiffness, _ []float64, _ clock) {
	if !t.on {
		return
	}
	for i := range t.groups {
		g := &t.groups[i]
		if g.off {
			continue
		}
		n := len(g.nodes)
		for a := range n {
			for b := a; b < n; b++ {
				c := t.boost * g.k[a*n+b]
				k.add(g.nodes[a], g.nodes[b], &[9]float64{c, 0, 0, 0, c, 0, 0, 0, c})
			}
		}
	}
}

// augment moves λ by the mean of ε·J around each corner (Uzawa).
func (t *tieTerm) augment(u []float64, _ clock, last bool) (again bool, why string) {
	if !t.on || t.t.JumpToleranceMM == 0 {
		return false, ""
	}
	sum, mean := make([]r3.Vec, len(t.lambda)), make([]r3.Vec, len(t.lambda))
	area := make([]float64, len(t.lambda))
	for i := range t.pts {
		p := &t.pts[i]
		if t.groups[p.group].off {
			continue
		}
		j := t.jump(p, u)
		for c, l := range p.l {
			if l != 0 {
				sum[p.at[c]] = r3.Add(sum[p.at[c]], r3.Scale(l*t.boost*p.k, j))
				mean[p.at[c]] = r3.Add(mean[p.at[c]], r3.Scale(l*p.w, j))
				area[p.at[c]] += l * p.w
			}
		}
	}
	deep := 0.0
	for i, a := range area {
		if a > 0 {
			deep = max(deep, r3.Norm(mean[i])/a)
		}
	}
	if deep <= t.t.JumpToleranceMM {
		return false, ""
	}
	if last {
		return false, fmt.Sprintf("tie %q: the jump stays at %.3g mm (tolerance %.3g mm)", t.t.Name, deep, t.t.JumpToleranceMM)
	}
	for i, a := range area {
		if a > 0 {
			t.lambda[i] = r3.Add(t.lambda[i], r3.Scale(1/a, sum[i]))
		}
	}
	if deep > t.worst/3 {
		t.boost = min(4*t.boost, maxBoost)
	}
	t.worst = deep
	return true, ""
}

func (t *tieTerm) commit([]float64, clock) bool {
	if !t.on {
		return false
	}
	m := t.memory[3*t.sys.n:]
	for i, v := range t.lambda {
		m[3*i], m[3*i+1], m[3*i+2] = v.X, v.Y, v.Z
	}
	m[len(m)-1] = t.boost
	return false
}

// faceRule is the quadrature rule of a piece of two faces: exact for the
// product of their shape functions.
func (k *skin) faceRule() *element.Rule {
	if k.k == element.Tri6Nodes {
		return element.TriRule(4)
	}
	return element.TriRule(2)
}
