package fem

import (
	"math"
	"slices"
	"strconv"

	"halsted/fem/element"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Constants of contact.
const (
	defaultPenalty = 10.0
	// stickRatio is the stiffness ε_T of sticking relative to the penalty ε:
	// softer, as a point changes between sticking and sliding all the time.
	stickRatio = 0.1
	// frictionTol is the change of all friction limits from one round to the
	// next, relative to their sum, at which rounds end.
	frictionTol = 1e-3
	// facingTol bounds the cosine between the normals of two surfaces that
	// touch.
	facingTol = -0.05
	// contactChunk faces are one unit of parallel work.
	contactChunk = 8
	// touchMemory floats of a point are its history: the friction limit and
	// the friction traction, MPa.
	touchMemory = 4
)

// contactTerm is one pass of a contact.
type contactTerm struct {
	sys    *system
	c      *Contact
	weight float64 // 1, or ½ in each of two passes
	second bool    // pass
	own    *skin
	other  *skin         // nil: obstacle
	rigid  distanceField // nil: other
	from   r3.Vec        // translation of the obstacle at the stage's ends
	to     r3.Vec

	nq    int
	n     [6][6]float64 // shape functions of own at the quadrature points
	rule  *element.Rule
	w     []float64 // per point: weight × reference area, mm²
	eps   []float64 // per face, MPa/mm
	on    bool
	boost float64 // of the penalty

	memory []float64 // touchMemory per point, then λ per vertex, then boost
	lambda []float64 // per vertex of own, MPa
	pts    []touch
	hits   []hit
	u0     []float64 // displacement at the increment's start
	worst  float64   // penetration after the last round, mm

	pairs  [][]int32 // faces of other coupled with each own face
	wanted [][2]int32
	loose  []drift
	closed []bool // per point: under pressure at the last tangent
	flips  int    // points that changed that between the last two
}

// touch is what a quadrature point keeps during a round.
type touch struct {
	lambda float64 // MPa
	limit  float64 // of the friction traction, MPa
	drag   r3.Vec  // friction traction the increment started with, in space
	local  r3.Vec  // the same in the frame of the anchor
	flat   r3.Vec  // normal of the plane in which friction acts
	faces  bool    // the surfaces face each other
	base   int32   // face of other from which the search starts; −1: none
	near   float64 // gap at the increment's start
	x      r3.Vec  // place at the increment's start
	anchor foot    // on other, or, with y alone, on the obstacle without its motion
	m      [6]float64
}

// hit is a quadrature point at a displacement.
type hit struct {
	on      bool // evaluated: gap, n and t count
	foot    foot
	n       r3.Vec
	gap, t  float64
	sharp   bool
	h       bend
	trial   r3.Vec // friction traction before the limit
	ft      r3.Vec
	sliding bool
}

// newContacts builds the terms of the contacts, one per pass.
func (s *system) newContacts() ([]term, error) {
	var out []term
	for i := range s.model.Contacts {
		c := &s.model.Contacts[i]
		field := "Contacts[" + strconv.Itoa(i) + "]"
		own, err := s.newSkin(field+".Faces", c.Faces)
		if err != nil {
			return nil, err
		}
		if c.Obstacle != nil {
			f, err := c.Obstacle.Shape.field()
			if err != nil {
				return nil, err
			}
			out = append(out, s.newContact(c, own, nil, f, 1))
			continue
		}
		other, err := s.newSkin(field+".Against", c.Against)
		if err != nil {
			return nil, err
		}
		if c.TwoPass {
			second := s.newContact(c, other, own, nil, 0.5)
			second.second = true
			out = append(out, s.newContact(c, own, other, nil, 0.5), second)
			continue
		}
		out = append(out, s.newContact(c, own, other, nil, 1))
	}
	return out, nil
}

func (s *system) newContact(c *Contact, own, other *skin, rigid distanceField, weight float64) *contactTerm {
	t := &contactTerm{sys: s, c: c, weight: weight, own: own, other: other, rigid: rigid, boost: 1}
	var shape element.Shape
	t.rule, shape = own.rule()
	t.nq = len(t.rule.P)
	for q, p := range t.rule.P {
		shape(t.n[q][:], nil, p)
	}
	factor := c.Penalty
	if factor == 0 {
		factor = defaultPenalty
	}
	var p [6]r3.Vec
	var g quad6
	for f := range int32(own.faces()) {
		own.place(&p, f, nil)
		for q, x := range t.rule.P {
			g.at(&p, x.X, x.Y)
			t.w = append(t.w, weight*t.rule.W[q]*r3.Norm(r3.Cross(g.a, g.b)))
		}
		t.eps = append(t.eps, factor*own.scale[f])
	}
	n := len(t.w)
	t.memory = make([]float64, touchMemory*n+own.count+1)
	t.memory[len(t.memory)-1] = 1
	t.lambda = make([]float64, own.count)
	t.pts, t.hits, t.closed = make([]touch, n), make([]hit, n), make([]bool, n)
	t.u0 = make([]float64, 3*s.n)
	t.pairs = make([][]int32, own.faces())
	return t
}

// rule is the quadrature rule of a face, and its shape functions.
func (k *skin) rule() (*element.Rule, element.Shape) {
	if k.k == element.Tri6Nodes {
		return element.TriRule(4), element.Tri6
	}
	return element.TriRule(2), element.Tri3
}

func (t *contactTerm) history() []float64 { return t.memory }

// moved is the translation of the obstacle.
func (t *contactTerm) moved(now clock) r3.Vec {
	return r3.Add(t.from, r3.Scale(now.s, r3.Sub(t.to, t.from)))
}

func (t *contactTerm) enter(c *change) (changed bool, err error) {
	was := t.on
	t.on = t.sys.attached(t.c.Name, c.index)
	t.own.live(t.sys.alive)
	if t.other != nil {
		t.other.live(t.sys.alive)
	} else {
		t.from, t.to = t.c.Obstacle.at(c.index-1), t.c.Obstacle.at(c.index)
	}
	if !t.on {
		clear(t.memory)
		t.memory[len(t.memory)-1] = 1
		t.loose = nil
		changed = t.drop()
		return changed, nil
	}
	t.findLoose(c.u)
	changed = t.search(c.u, t.sys.now)
	if len(t.loose) > 0 {
		if gap, long := t.nearest(); gap > looseGap*long {
			return changed, badInput("Contacts", "a body of contact %q is held by nothing but contact and starts %.3g mm away from it: let them touch, or hold the body by a weak spring", t.c.Name, gap)
		}
	}
	if was {
		return changed, nil
	}
	for i := range t.pts {
		f := int32(i / t.nq)
		if p := &t.pts[i]; p.faces && p.near < -t.own.long[f] {
			return changed, &ContactError{Name: t.c.Name, Face: t.own.corners(f), AtMM: p.x, DepthMM: -p.near, LimitMM: t.own.long[f]}
		}
	}
	return changed, nil
}

func (t *contactTerm) begin(u []float64, now clock) (changed bool, err error) {
	if !t.on {
		return false, nil
	}
	for _, l := range t.loose {
		l.anchor(u)
	}
	return t.search(u, now), nil
}

// nearest is the smallest gap, and the longest edge of the face that has it.
func (t *contactTerm) nearest() (gap, long float64) {
	gap = math.Inf(1)
	for i := range t.pts {
		if p := &t.pts[i]; p.faces && p.near < gap {
			gap, long = p.near, t.own.long[i/t.nq]
		}
	}
	return gap, long
}

// point is the place of quadrature point q on a face with nodes p.
func (t *contactTerm) point(p *[6]r3.Vec, q int) r3.Vec {
	m := &t.n[q]
	return combine(p, m[0], m[1], m[2], m[3], m[4], m[5])
}

// spot is the place of point q of own face f; p is scratch.
func (t *contactTerm) spot(p *[6]r3.Vec, f int32, q int, u []float64) r3.Vec {
	t.own.place(p, f, u)
	if t.own.k == element.Tri3Nodes {
		p[3], p[4], p[5] = r3.Vec{}, r3.Vec{}, r3.Vec{}
	}
	return t.point(p, q)
}

// search takes the converged state over at the start of an increment: the
// multipliers from the history, and for every point the nearest face.
func (t *contactTerm) search(u []float64, now clock) (changed bool) {
	copy(t.u0, u)
	t.boost = t.memory[len(t.memory)-1]
	copy(t.lambda, t.memory[touchMemory*len(t.pts):])
	t.worst = math.Inf(1)
	var tree *boxTree
	if t.other != nil {
		tree = t.other.tree(u)
	}
	// At the increment's start the obstacle is where it was.
	then := now
	if d := t.sys.stages[t.sys.stage].duration(); d > 0 {
		then.s = max(0, now.s-now.dt/d)
	}
	place := t.moved(then)
	par.Chunks(t.own.faces(), contactChunk, func(lo, hi int) {
		var p [6]r3.Vec
		var g quad6
		for f := int32(lo); f < int32(hi); f++ {
			for q := range t.nq {
				i := int(f)*t.nq + q
				s := &t.pts[i]
				guess := s.anchor.face
				mem := t.memory[touchMemory*i:]
				*s = touch{lambda: t.multiplier(f, q), limit: mem[0], drag: r3.Vec{X: mem[1], Y: mem[2], Z: mem[3]}, base: -1, near: math.Inf(1)}
				if t.own.alone[f] {
					continue
				}
				s.x = t.spot(&p, f, q, u)
				t.own.place(&p, f, u)
				g.at(&p, t.rule.P[q].X, t.rule.P[q].Y)
				normal := g.normal()
				if t.other == nil {
					s.near, s.flat, _ = t.rigid.gap(r3.Sub(s.x, place))
					s.faces = r3.Dot(normal, s.flat) < facingTol
					s.anchor.y = r3.Sub(s.x, place)
					s.base = 0
					continue
				}
				if int(guess) >= t.other.faces() {
					guess = -1
				}
				foot, ok := t.other.closest(tree, guess, s.x, u)
				if !ok {
					continue
				}
				n, gap, _, ok := t.other.side(&foot, s.x, u)
				s.base, s.anchor, s.flat, s.near = foot.face, foot, n, gap
				s.faces = r3.Dot(normal, n) < facingTol
				if !ok {
					s.near = foot.dist
				}
				t.other.shape(&s.m, foot.xi)
				s.local = t.other.into(&foot, s.drag, u)
			}
		}
	})
	return t.pattern()
}

// multiplier is λ at quadrature point q of face f: linear between its corners.
func (t *contactTerm) multiplier(f int32, q int) float64 {
	x, v := t.rule.P[q], t.own.vertex[3*f:3*f+3]
	return (1-x.X-x.Y)*t.lambda[v[0]] + x.X*t.lambda[v[1]] + x.Y*t.lambda[v[2]]
}

// into writes the vector v in the frame of a foot: along the first coordinate
// line of the face, across it, and along the normal.
func (k *skin) into(f *foot, v r3.Vec, u []float64) r3.Vec {
	a, b, n := k.frame(f, u)
	return r3.Vec{X: r3.Dot(v, a), Y: r3.Dot(v, b), Z: r3.Dot(v, n)}
}

// out is the inverse of into.
func (k *skin) out(f *foot, v r3.Vec, u []float64) r3.Vec {
	a, b, n := k.frame(f, u)
	return r3.Add(r3.Scale(v.X, a), r3.Add(r3.Scale(v.Y, b), r3.Scale(v.Z, n)))
}

func (k *skin) frame(f *foot, u []float64) (a, b, n r3.Vec) {
	var p [6]r3.Vec
	var q quad6
	k.place(&p, f.face, u)
	q.at(&p, f.xi.X, f.xi.Y)
	n = q.normal()
	a = r3.Unit(q.a)
	return a, r3.Cross(n, a), n
}

// pattern brings the couplings up to date; it says whether they are others.
func (t *contactTerm) pattern() (changed bool) {
	if t.other == nil {
		return false
	}
	missing := len(t.wanted) > 0
	for i := range t.pts {
		s := &t.pts[i]
		f := i / t.nq
		if s.faces && s.base >= 0 && s.near < t.reach(f, s.base)/2 && !slices.Contains(t.pairs[f], s.base) {
			missing = true
			break
		}
	}
	if !missing {
		return false
	}
	for f := range t.pairs {
		t.pairs[f] = t.pairs[f][:0]
	}
	for i := range t.pts {
		s := &t.pts[i]
		f := i / t.nq
		if s.faces && s.base >= 0 && s.near < t.reach(f, s.base) {
			t.pairs[f] = append(append(t.pairs[f], s.base), t.other.ring[s.base]...)
		}
	}
	for _, w := range t.wanted {
		t.pairs[w[0]] = append(append(t.pairs[w[0]], w[1]), t.other.ring[w[1]]...)
	}
	t.wanted = t.wanted[:0]
	for f := range t.pairs {
		slices.Sort(t.pairs[f])
		t.pairs[f] = slices.Compact(t.pairs[f])
	}
	return true
}

// reach is the gap below which two faces are coupled.
func (t *contactTerm) reach(f int, other int32) float64 {
	return 0.5 * (t.own.long[f] + t.other.long[other])
}

// drop forgets the couplings.
func (t *contactTerm) drop() (changed bool) {
	for f := range t.pairs {
		changed = changed || len(t.pairs[f]) > 0
		t.pairs[f] = nil
	}
	t.wanted = t.wanted[:0]
	return changed
}

func (t *contactTerm) couple(add func(nodes ...int32)) {
	var buf []int32
	for f, list := range t.pairs {
		for _, o := range list {
			buf = append(append(buf[:0], t.own.of(int32(f))...), t.other.of(o)...)
			add(buf...)
		}
	}
}
