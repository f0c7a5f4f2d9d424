package fem

import (
	"slices"

	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// follower is the pressure that acts on the deformed face along its deformed
// normal. With outward x,r × x,s the force on the body is −p·∫N_a·(x,r × x,s),
// which as an internal force is +p·∂V/∂x_a with the enclosed volume
// V = ⅓·∫(x−o)·(x,r × x,s). Of its derivative only the symmetric part
//
//	K_ab = p/2·∫ (N_a·N_b,s − N_b·N_a,s)·[x,r]× − (N_a·N_b,r − N_b·N_a,r)·[x,s]×
//
// is kept (Bonet & Wood 2008, chapters 8 and 9, pressure forces). The rest is
// an integral along the rim of the pressed surface, ½·p·∮δx·(w × dl): it
// vanishes for a closed surface and where the rim is held or slides in a
// coordinate plane. There p·V is the energy too; elsewhere there is none, and
// Newton's method converges linearly.
type follower struct {
	passive
	sys    *system
	tri    triangles
	faces  []followed
	f      []float64 // scratch: 3 per node and face
	origin r3.Vec
	closed bool // p·V is an energy
}

// followed is a pressed face; its pressure goes from..to in the stage, MPa.
type followed struct {
	corners  [3]int32 // sorted
	nodes    [element.Tri6Nodes]int32
	from, to float64
}

func (f *followed) pressure(now clock) float64 { return f.from + now.s*(f.to-f.from) }

// triangles is the shape and the rule of the faces of the mesh, tabulated.
type triangles struct {
	k int // nodes
	w []float64
	n [][]float64
	d [][]r3.Vec
}

// newTriangles tabulates Tri3 (k = 3) or Tri6 with a rule exact for products
// of two quadratics, or of two linears.
func newTriangles(k int) triangles {
	shape, rule := element.Shape(element.Tri3), element.TriRule(2)
	if k == element.Tri6Nodes {
		shape, rule = element.Tri6, element.TriRule(4)
	}
	t := triangles{k: k, w: rule.W}
	for _, p := range rule.P {
		n, d := make([]float64, k), make([]r3.Vec, k)
		shape(n, d, p)
		t.n, t.d = append(t.n, n), append(t.d, d)
	}
	return t
}

// faceNodes is the number of nodes of a face of the mesh.
func (s *system) faceNodes() int {
	if s.k == element.Tet10Nodes || s.elems == 0 && len(s.model.Membranes) > 0 && s.model.Membranes[0].Mid != nil {
		return element.Tri6Nodes
	}
	return element.Tri3Nodes
}

// newFollower is nil when nothing follows in any stage.
func (s *system) newFollower() (term, error) {
	any := false
	look := func(list []FaceLoad) {
		for _, l := range list {
			any = any || l.Follows && l.PressureMPa != 0
		}
	}
	look(s.model.Loads)
	for i := range s.stages {
		if l := s.stages[i].Loads; l != nil {
			look(l.Faces)
		}
	}
	if !any {
		return nil, nil
	}
	return &follower{sys: s, tri: newTriangles(s.faceNodes())}, nil
}

func sortedCorners(f [3]int32) [3]int32 {
	slices.Sort(f[:])
	return f
}

// enter takes the loads of the stage over. A face that loses its element loses
// its pressure at once: what it did fades as a dead load (enterStage).
func (t *follower) enter(c *change) (bool, error) {
	at := map[[3]int32]int{} // only looked up
	kept := t.faces[:0]
	for _, f := range t.faces {
		if !t.sys.faceGone(f.corners) && f.to != 0 {
			f.from, f.to = f.to, 0
			at[f.corners] = len(kept)
			kept = append(kept, f)
		}
	}
	t.faces = kept
	for _, l := range c.loads.Faces {
		if !l.Follows || l.PressureMPa == 0 || t.sys.faceGone(l.Face) {
			continue
		}
		key := sortedCorners(l.Face)
		i, ok := at[key]
		if !ok {
			f := followed{corners: key}
			if err := t.sys.face(l.Face, f.nodes[:t.tri.k]); err != nil {
				err.Field = "Loads"
				return false, err
			}
			i = len(t.faces)
			at[key] = i
			t.faces = append(t.faces, f)
		}
		t.faces[i].to += l.PressureMPa
	}
	if c.stage.Sudden {
		for i := range t.faces {
			t.faces[i].from = t.faces[i].to
		}
	}
	t.f = make([]float64, 3*t.tri.k*len(t.faces))
	t.origin, t.closed = t.rim(c.u)
	return false, nil
}

// rim looks at the edges at which the pressure jumps. They must be held, or
// slide in a coordinate plane; the planes of an axis must be one, and the
// origin of V lies on it.
func (t *follower) rim(u []float64) (origin r3.Vec, closed bool) {
	type jump struct{ from, to float64 }
	jumps := map[[2]int32]*jump{} // every check below is independent of the order
	for _, f := range t.faces {
		for e := range 3 {
			a, b := f.nodes[e], f.nodes[(e+1)%3]
			sign := 1.0
			if a > b {
				a, b, sign = b, a, -1
			}
			j := jumps[[2]int32{a, b}]
			if j == nil {
				j = new(jump)
				jumps[[2]int32{a, b}] = j
			}
			j.from += sign * f.from
			j.to += sign * f.to
		}
	}
	s := t.sys
	at := func(v int32, axis int) float64 {
		x := s.x[v]
		return [3]float64{x.X, x.Y, x.Z}[axis] + u[3*int(v)+axis]
	}
	var plane [3]float64
	var known [3]bool
	for _, f := range t.faces { // in the order of the faces: origin must not depend on a map
		for e := range 3 {
			nodes := []int32{f.nodes[e], f.nodes[(e+1)%3]}
			if t.tri.k == element.Tri6Nodes {
				nodes = append(nodes, f.nodes[3+e])
			}
			j := jumps[[2]int32{min(nodes[0], nodes[1]), max(nodes[0], nodes[1])}]
			if j.from == 0 && j.to == 0 {
				continue
			}
			var all [3]bool
			for c := range 3 {
				all[c] = true
				for _, v := range nodes {
					all[c] = all[c] && s.held[3*int(v)+c]
				}
			}
			if all[0] && all[1] && all[2] {
				continue
			}
			slides := false
			for c := range 3 {
				if !all[c] || slides {
					continue
				}
				p, ok := at(nodes[0], c), true
				tol := 1e-9 * s.size
				for _, v := range nodes {
					move := s.barTo[3*int(v)+c] - u[3*int(v)+c]
					ok = ok && within(at(v, c), p, tol) && within(move, 0, tol)
				}
				if known[c] {
					ok = ok && within(p, plane[c], tol)
				}
				if ok {
					plane[c], known[c], slides = p, true, true
				}
			}
			if !slides {
				return r3.Vec{}, false
			}
		}
	}
	return r3.Vec{X: plane[0], Y: plane[1], Z: plane[2]}, true
}

func within(a, b, tol float64) bool { return a-b <= tol && b-a <= tol }

// deformed writes the places of a face's nodes.
func (t *follower) deformed(x []r3.Vec, f *followed, u []float64) {
	for a, v := range f.nodes[:t.tri.k] {
		x[a] = r3.Add(t.sys.x[v], r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})
	}
}

func (t *follower) force(f, u []float64, now clock) int32 {
	k := t.tri.k
	t.sys.chunks(len(t.faces), elemChunk, func(lo, hi int) {
		x := make([]r3.Vec, k)
		for i := lo; i < hi; i++ {
			out := t.f[3*k*i : 3*k*(i+1)]
			clear(out)
			p := t.faces[i].pressure(now)
			t.deformed(x, &t.faces[i], u)
			for q, w := range t.tri.w {
				area := r3.Scale(w*p, element.AreaVector(t.tri.d[q], x))
				for a, n := range t.tri.n[q] {
					out[3*a] += n * area.X
					out[3*a+1] += n * area.Y
					out[3*a+2] += n * area.Z
				}
			}
		}
	})
	for i := range t.faces {
		for a, v := range t.faces[i].nodes[:k] {
			for c := range 3 {
				f[3*int(v)+c] += t.f[3*(k*i+a)+c]
			}
		}
	}
	return -1
}

func (t *follower) tangent(m *stiffness, u []float64, now clock) {
	k := t.tri.k
	x := make([]r3.Vec, k)
	for i := range t.faces {
		f := &t.faces[i]
		p := f.pressure(now)
		if p == 0 {
			continue
		}
		t.deformed(x, f, u)
		for a := range k {
			for b := a + 1; b < k; b++ {
				var v r3.Vec // K_ab = [v]×
				for q, w := range t.tri.w {
					n, d := t.tri.n[q], t.tri.d[q]
					var xr, xs r3.Vec
					for c := range k {
						xr = r3.Add(xr, r3.Scale(d[c].X, x[c]))
						xs = r3.Add(xs, r3.Scale(d[c].Y, x[c]))
					}
					v = r3.Add(v, r3.Scale(w*p/2*(n[a]*d[b].Y-n[b]*d[a].Y), xr))
					v = r3.Sub(v, r3.Scale(w*p/2*(n[a]*d[b].X-n[b]*d[a].X), xs))
				}
				m.add(f.nodes[a], f.nodes[b], &[9]float64{0, -v.Z, v.Y, v.Z, 0, -v.X, -v.Y, v.X, 0})
			}
		}
	}
}

func (t *follower) energy(u []float64, now clock) (w float64, ok bool) {
	if !t.closed {
		return 0, false
	}
	x := make([]r3.Vec, t.tri.k)
	for i := range t.faces {
		t.deformed(x, &t.faces[i], u)
		w += t.faces[i].pressure(now) * t.volume(x)
	}
	return w, true
}

// volume is ⅓·∫(x−o)·(x,r × x,s) of a face.
func (t *follower) volume(x []r3.Vec) (v float64) {
	for q, w := range t.tri.w {
		var at r3.Vec
		for a, n := range t.tri.n[q] {
			at = r3.Add(at, r3.Scale(n, x[a]))
		}
		v += w / 3 * r3.Dot(r3.Sub(at, t.origin), element.AreaVector(t.tri.d[q], x))
	}
	return v
}
