package fem

import (
	"halsted/fem/element"

	"gonum.org/v1/gonum/spatial/r3"
)

// Foundation holds faces of the mesh elastically where they were when it was
// attached (Winkler's bed): the traction is NormalMPaPerMM times the
// displacement along the normal and TangentMPaPerMM times that along the face,
// both of the reference shape. It pulls as it pushes.
type Foundation struct {
	Name                            string // for Stage.Attach and Detach; may be empty
	Faces                           [][3]int32
	NormalMPaPerMM, TangentMPaPerMM float64
}

// foundations is the term of all foundations:
// f_a = ∫N_a·B·(u − u₀), K_ab = ∫N_a·N_b·B with B = t·I + (n − t)·n⊗n.
type foundations struct {
	passive
	sys  *system
	tri  triangles
	beds []bed
}

// bed is a foundation in the solve.
type bed struct {
	*Foundation
	nodes  []int32 // k per face
	normal []r3.Vec
	w      []float64 // per face and point: weight × area, mm²
	base   []float64 // u₀ of nodes, 3 each
	live   []bool    // per face: attached, and not on removed elements alone
}

func (s *system) newFoundations() (term, error) {
	if len(s.model.Foundations) == 0 {
		return nil, nil
	}
	t := &foundations{sys: s, tri: newTriangles(s.faceNodes())}
	x, x3 := make([]r3.Vec, t.tri.k), make([]int32, t.tri.k)
	for i := range s.model.Foundations {
		f := &s.model.Foundations[i]
		nodes, err := s.surface("Foundations", i, f.Faces, nil)
		if err != nil {
			return nil, err
		}
		b := bed{Foundation: f, nodes: nodes, base: make([]float64, 3*len(nodes)), live: make([]bool, len(f.Faces))}
		for j := range f.Faces {
			if s.elementOfFace(f.Faces[j]) < 0 && !s.sheetFace(f.Faces[j], x3) {
				return nil, badInput("Foundations", "entry %d: face %d with nodes %v belongs to no element and no membrane; take faces of the mesh", i, j, f.Faces[j])
			}
			for a, v := range nodes[j*t.tri.k : (j+1)*t.tri.k] {
				x[a] = s.x[v]
			}
			for q, w := range t.tri.w {
				area := element.AreaVector(t.tri.d[q], x)
				size := r3.Norm(area)
				if !(size > flatTol*r3.Norm2(r3.Sub(x[1], x[0]))) {
					return nil, badInput("Foundations", "entry %d: face %d with nodes %v has no area; take it out", i, j, f.Faces[j])
				}
				b.normal = append(b.normal, r3.Scale(1/size, area))
				b.w = append(b.w, w*size)
			}
		}
		t.beds = append(t.beds, b)
	}
	return t, nil
}

func (t *foundations) enter(c *change) (changed bool, err error) {
	for i := range t.beds {
		b := &t.beds[i]
		attached := t.sys.attached(b.Name, c.index)
		for j, f := range b.Faces {
			live := attached && !t.sys.faceGone(f)
			if live == b.live[j] {
				continue
			}
			b.live[j], changed = live, true
			for a := j * t.tri.k; live && a < (j+1)*t.tri.k; a++ {
				v := b.nodes[a]
				copy(b.base[3*a:3*a+3], c.u[3*v:3*v+3])
			}
		}
	}
	return changed, nil
}

func (t *foundations) couple(add func(...int32)) {
	k := t.tri.k
	for i := range t.beds {
		b := &t.beds[i]
		for j := range b.Faces {
			if b.live[j] {
				add(b.nodes[j*k : (j+1)*k]...)
			}
		}
	}
}

func (t *foundations) supports(add func(int32, r3.Vec)) {
	k, points := t.tri.k, len(t.tri.w)
	for i := range t.beds {
		b := &t.beds[i]
		for j := range b.Faces {
			if !b.live[j] {
				continue
			}
			n := b.normal[j*points]
			for _, v := range b.nodes[j*k : (j+1)*k] {
				if b.NormalMPaPerMM > 0 {
					add(v, n)
				}
				if b.TangentMPaPerMM > 0 {
					add(v, r3.Cross(n, r3.Vec{X: 1}))
					add(v, r3.Cross(n, r3.Vec{Y: 1}))
					add(v, r3.Cross(n, r3.Vec{Z: 1}))
				}
			}
		}
	}
}

// pull is the traction at point q of face j and the displacement there.
func (t *foundations) pull(b *bed, j, q int, u []float64) (traction, d r3.Vec) {
	k := t.tri.k
	for a, n := range t.tri.n[q] {
		v, at := b.nodes[j*k+a], 3*(j*k+a)
		d = r3.Add(d, r3.Scale(n, r3.Vec{X: u[3*v] - b.base[at], Y: u[3*v+1] - b.base[at+1], Z: u[3*v+2] - b.base[at+2]}))
	}
	n := b.normal[j*len(t.tri.w)+q]
	along := r3.Scale(r3.Dot(d, n), n)
	return r3.Add(r3.Scale(b.NormalMPaPerMM, along), r3.Scale(b.TangentMPaPerMM, r3.Sub(d, along))), d
}

func (t *foundations) force(f, u []float64, _ clock) int32 {
	k := t.tri.k
	for i := range t.beds {
		b := &t.beds[i]
		for j := range b.Faces {
			if !b.live[j] {
				continue
			}
			for q, n := range t.tri.n {
				p, _ := t.pull(b, j, q, u)
				p = r3.Scale(b.w[j*len(t.tri.w)+q], p)
				for a, v := range b.nodes[j*k : (j+1)*k] {
					f[3*v] += n[a] * p.X
					f[3*v+1] += n[a] * p.Y
					f[3*v+2] += n[a] * p.Z
				}
			}
		}
	}
	return -1
}

func (t *foundations) tangent(m *stiffness, _ []float64, _ clock) {
	k := t.tri.k
	for i := range t.beds {
		b := &t.beds[i]
		h, g := b.TangentMPaPerMM, b.NormalMPaPerMM-b.TangentMPaPerMM
		for j := range b.Faces {
			if !b.live[j] {
				continue
			}
			nodes := b.nodes[j*k : (j+1)*k]
			for x := range k {
				for y := x; y < k; y++ {
					var o [9]float64
					for q, n := range t.tri.n {
						d := b.normal[j*len(t.tri.w)+q]
						w := b.w[j*len(t.tri.w)+q] * n[x] * n[y]
						o[0] += w * (h + g*d.X*d.X)
						o[1] += w * g * d.X * d.Y
						o[2] += w * g * d.X * d.Z
						o[4] += w * (h + g*d.Y*d.Y)
						o[5] += w * g * d.Y * d.Z
						o[8] += w * (h + g*d.Z*d.Z)
					}
					o[3], o[6], o[7] = o[1], o[2], o[5]
					m.add(nodes[x], nodes[y], &o)
				}
			}
		}
	}
}

func (t *foundations) energy(u []float64, _ clock) (w float64, ok bool) {
	for i := range t.beds {
		b := &t.beds[i]
		for j := range b.Faces {
			for q := range t.tri.w {
				if b.live[j] {
					p, d := t.pull(b, j, q, u)
					w += b.w[j*len(t.tri.w)+q] * r3.Dot(p, d) / 2
				}
			}
		}
	}
	return w, true
}
