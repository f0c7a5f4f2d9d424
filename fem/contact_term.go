package fem

import (
	"math"
	"strconv"

	"halsted/fem/element"

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
	// snapTol is the gap, relative to a face's longest edge, at which a point
	// already counts as closed in the tangent: of surfaces that just touch the
	// stiffness is that of contact.
	snapTol = 1e-6
	// pointChunk points are one unit of parallel work.
	pointChunk = 64
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

	rule  *element.Rule
	cut   bool      // points on the pieces between the edges of both sides
	eps   []float64 // per face, MPa/mm
	on    bool
	boost float64 // of the penalty

	memory []float64 // touchMemory per point with friction, then λ per vertex, then boost
	lambda []float64 // per vertex of own, MPa
	pts    []touch   // by face
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
	face int32
	xi   r3.Vec     // on face
	n    [6]float64 // shape functions of own there
	l    [3]float64 // and linear ones
	w    float64    // weight × reference area, mm²

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
	apart  r3.Vec  // from the anchor to the point at the increment's start, in space
	turned r3.Vec  // the same in the frame of the anchor
	m      [6]float64
}

// hit is a quadrature point at a displacement.
type hit struct {
	on      bool // evaluated: gap, n and t count
	closed  bool // under pressure, or about to be
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
	t.rule, _ = own.rule()
	t.cut = other != nil && c.Friction == 0
	factor := c.Penalty
	if factor == 0 {
		factor = defaultPenalty
	}
	soft := math.Inf(1) // the softer side rules
	if other != nil {
		soft = 0
		for _, v := range other.scale {
			soft += v / float64(other.faces())
		}
	}
	for _, v := range own.scale {
		t.eps = append(t.eps, factor*min(v, soft))
	}
	n := 0
	if c.Friction > 0 {
		n = touchMemory * len(t.rule.P) * own.faces()
	}
	t.memory = make([]float64, n+own.count+1)
	t.memory[len(t.memory)-1] = 1
	t.lambda = make([]float64, own.count)
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
	gone := t.other != nil && t.prune()
	changed = t.search(c.u, t.sys.now) || gone
	if len(t.loose) > 0 {
		if gap, long := t.nearest(); gap > looseGap*long {
			return changed, badInput("Contacts", "a body of contact %q is held by nothing but contact and starts %.3g mm away from it: let them touch, or hold the body by a weak spring", t.c.Name, gap)
		}
	}
	if was {
		return changed, nil
	}
	for i := range t.pts {
		if p := &t.pts[i]; p.faces && p.near < -t.own.long[p.face] {
			return changed, &ContactError{Name: t.c.Name, Face: t.own.corners(p.face), AtMM: p.x, DepthMM: -p.near, LimitMM: t.own.long[p.face]}
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
			gap, long = p.near, t.own.long[p.face]
		}
	}
	return gap, long
}

// spot is the place of point s; p is scratch.
func (t *contactTerm) spot(p *[6]r3.Vec, s *touch, u []float64) r3.Vec {
	t.own.place(p, s.face, u)
	m := &s.n // a Tri3 has zeros for the edges
	return combine(p, m[0], m[1], m[2], m[3], m[4], m[5])
}

// search takes the converged state over at the start of an increment: the
// multipliers from the history, and for every point the nearest face.
func (t *contactTerm) search(u []float64, now clock) (changed bool) {
	copy(t.u0, u)
	t.boost = t.memory[len(t.memory)-1]
	copy(t.lambda, t.memory[len(t.memory)-1-len(t.lambda):])
	t.worst = math.Inf(1)
	t.layout(u)
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
	t.sys.chunks(len(t.pts), pointChunk, func(lo, hi int) {
		var p [6]r3.Vec
		var g quad6
		for i := lo; i < hi; i++ {
			s := &t.pts[i]
			guess := s.anchor.face
			if t.cut {
				guess = s.base
			}
			*s = touch{face: s.face, xi: s.xi, n: s.n, l: s.l, w: s.w, lambda: t.multiplier(s), base: -1, near: math.Inf(1)}
			if t.c.Friction > 0 {
				m := t.memory[touchMemory*i:]
				s.limit, s.drag = m[0], r3.Vec{X: m[1], Y: m[2], Z: m[3]}
			}
			if t.own.alone[s.face] {
				continue
			}
			s.x = t.spot(&p, s, u)
			t.own.place(&p, s.face, u)
			g.at(&p, s.xi.X, s.xi.Y)
			normal := g.normal()
			if t.other == nil {
				s.near, s.flat, _ = t.rigid.gap(r3.Sub(s.x, place))
				s.faces = r3.Dot(normal, s.flat) < facingTol
				s.anchor.y = r3.Sub(s.x, place)
				s.base = 0
				continue
			}
			var foot foot
			if t.cut && guess >= 0 { // the piece's own face is over it
				foot = t.other.walk(guess, s.x, u)
			} else {
				var ok bool
				if foot, ok = t.other.closest(tree, guess, s.x, u); !ok {
					continue
				}
			}
			n, gap, _, ok := t.other.side(&foot, s.x, u)
			s.base, s.anchor, s.flat, s.near = foot.face, foot, n, gap
			s.faces = r3.Dot(normal, n) < facingTol
			if !ok {
				s.near = foot.dist
			}
			t.other.shape(&s.m, foot.xi)
			s.apart = r3.Sub(s.x, foot.y)
			s.local, s.turned = t.other.into(&foot, s.drag, u), t.other.into(&foot, s.apart, u)
		}
	})
	return t.pattern()
}

// multiplier is λ at a point: linear between the corners of its face.
func (t *contactTerm) multiplier(s *touch) float64 {
	v := t.own.vertex[3*s.face : 3*s.face+3]
	return s.l[0]*t.lambda[v[0]] + s.l[1]*t.lambda[v[1]] + s.l[2]*t.lambda[v[2]]
}
