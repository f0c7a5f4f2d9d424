package fem

import (
	"math"

	"halsted/fem/material"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// Membrane is a thin sheet on faces of the mesh: an organ's capsule, a fascia,
// a vessel wall, a graft. It resists strain in its plane and has no bending
// stiffness. Faces are Tri6 on a Tet10 mesh, else Tri3 (Bonet & Wood 2008,
// chapter 9; C = g_a·g_b of the deformed tangents, total Lagrangian).
type Membrane struct {
	Name string // for Stage.Attach and Detach; may be empty
	// Faces are corner nodes of faces on the surface or inside of the mesh. The
	// order of the nodes gives the front side of a sheet that is loaded by
	// itself: pressure acts against the normal that sees them counter-clockwise.
	Faces [][3]int32
	// Mid are the nodes on edges 01, 12, 20 of every face; nil: they are taken
	// from the Tet10 mesh. In a model without elements all membranes have them
	// or none.
	Mid [][3]int32
	Law material.Membrane
	// Prestretch is the in-plane stretch that the sheet has in the reference
	// shape, the same in all directions; 0 means 1.
	Prestretch float64
	// Axis projected on the face is the first direction of a law with
	// directions; zero: the first edge.
	Axis           r3.Vec
	DensityTPerMM3 float64 // t/mm³, for gravity and inertia
}

// membranes is the term of all sheets.
//
// With N_n,a the gradient along the orthonormal reference directions a = 1, 2:
// f_n = ∫(S11·N_n,1·g1 + S22·N_n,2·g2 + S12·(N_n,1·g2 + N_n,2·g1)), and
// K_nm = ∫Bᵀ_n·D·B_m + (N_n,a·S_ab·N_m,b)·I with the rows of B_n
// N_n,1·g1, N_n,2·g2, N_n,1·g2 + N_n,2·g1.
type membranes struct {
	passive
	sys    *system
	tri    triangles
	sheets []sheet
	weight weight
	index  map[[3]int32][]int32 // nodes of a face by its corners; only looked up
}

// sheet is a membrane in the solve.
type sheet struct {
	*Membrane
	nodes []int32 // k per face
	on    bool
	pre   float64      // prestretch
	grad  [][2]float64 // per face, point, node
	w     []float64    // per face and point: weight × area, mm²
	f     []float64    // scratch: 3 per face and node
	bad   []int32      // scratch: per chunk
}

func (s *system) newMembranes() (term, error) {
	if len(s.model.Membranes) == 0 {
		return nil, nil
	}
	t := &membranes{sys: s, tri: newTriangles(s.faceNodes()), index: map[[3]int32][]int32{}}
	for i := range s.model.Membranes {
		m := &s.model.Membranes[i]
		sh := sheet{Membrane: m, pre: m.Prestretch}
		if sh.pre == 0 {
			sh.pre = 1
		}
		var err error
		if sh.nodes, err = s.surface("Membranes", i, m.Faces, m.Mid); err != nil {
			return nil, err
		}
		for j, f := range m.Faces {
			t.index[sortedCorners(f)] = sh.nodes[j*t.tri.k : (j+1)*t.tri.k]
		}
		sh.f = make([]float64, 3*len(sh.nodes))
		sh.bad = make([]int32, (len(m.Faces)+elemChunk-1)/elemChunk)
		t.sheets = append(t.sheets, sh)
	}
	return t, nil
}

func (t *membranes) enter(c *change) (changed bool, err error) {
	for i := range t.sheets {
		sh := &t.sheets[i]
		on := t.sys.attached(sh.Name, c.index)
		if on == sh.on {
			continue
		}
		sh.on, changed = on, true
		if on {
			if err := t.rest(i, c.u); err != nil {
				return false, err
			}
		}
	}
	t.weight.take(c, t.lumps)
	return changed, nil
}

// rest makes the present shape the reference of sheet i.
func (t *membranes) rest(i int, u []float64) error {
	sh, k := &t.sheets[i], t.tri.k
	points := len(t.tri.w)
	sh.grad = make([][2]float64, 0, points*len(sh.nodes))
	sh.w = make([]float64, 0, points*len(sh.Faces))
	x := make([]r3.Vec, k)
	for j := range sh.Faces {
		t.places(x, sh.nodes[j*k:(j+1)*k], u)
		for q, w := range t.tri.w {
			r, s := tangents(t.tri.d[q], x)
			n := r3.Cross(r, s)
			area := r3.Norm(n)
			if !(area > flatTol*max(r3.Norm2(r), r3.Norm2(s))) {
				return badInput("Membranes", "entry %d: face %d with nodes %v has no area; take it out", i, j, sh.Faces[j])
			}
			n = r3.Scale(1/area, n)
			e1 := sh.Axis
			if e1 == (r3.Vec{}) {
				e1 = r
			}
			if e1 = r3.Sub(e1, r3.Scale(r3.Dot(e1, n), n)); !(r3.Norm(e1) > flatTol*r3.Norm(sh.Axis)) {
				return badInput("Membranes", "entry %d: its axis stands upright on face %d with nodes %v; choose one in the plane of the sheet", i, j, sh.Faces[j])
			}
			e1 = r3.Unit(e1)
			e2 := r3.Cross(n, e1)
			r1, r2, s1, s2 := r3.Dot(r, e1), r3.Dot(r, e2), r3.Dot(s, e1), r3.Dot(s, e2)
			det := r1*s2 - r2*s1
			for _, d := range t.tri.d[q] {
				sh.grad = append(sh.grad, [2]float64{(s2*d.X - r2*d.Y) / det, (r1*d.Y - s1*d.X) / det})
			}
			sh.w = append(sh.w, w*area)
		}
	}
	return nil
}

// tangents are ∂x/∂r and ∂x/∂s.
func tangents(d, x []r3.Vec) (r, s r3.Vec) {
	for a, da := range d {
		r = r3.Add(r, r3.Scale(da.X, x[a]))
		s = r3.Add(s, r3.Scale(da.Y, x[a]))
	}
	return r, s
}

func (t *membranes) places(x []r3.Vec, nodes []int32, u []float64) {
	for a, v := range nodes {
		x[a] = r3.Add(t.sys.x[v], r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})
	}
}

func (t *membranes) couple(add func(...int32)) {
	for i := range t.sheets {
		sh, k := &t.sheets[i], t.tri.k
		for j := range len(sh.Faces) {
			if sh.on {
				add(sh.nodes[j*k : (j+1)*k]...)
			}
		}
	}
}

// lumps adds the mass that every node carries, t.
func (t *membranes) lumps(add func(node int32, mass float64)) {
	for i := range t.sheets {
		sh, k := &t.sheets[i], t.tri.k
		if !sh.on || sh.DensityTPerMM3 == 0 {
			continue
		}
		for j := range sh.Faces {
			for q, n := range t.tri.n {
				m := sh.DensityTPerMM3 * sh.Law.ThicknessMM() * sh.w[j*len(t.tri.w)+q]
				for a, v := range sh.nodes[j*k : (j+1)*k] {
					add(v, m*n[a])
				}
			}
		}
	}
}

// masses adds the consistent mass of the sheets, t.
func (t *membranes) masses(add func(i, j int32, mass float64)) {
	for i := range t.sheets {
		sh, k := &t.sheets[i], t.tri.k
		if !sh.on || sh.DensityTPerMM3 == 0 {
			continue
		}
		for j := range sh.Faces {
			nodes := sh.nodes[j*k : (j+1)*k]
			for q, n := range t.tri.n {
				m := sh.DensityTPerMM3 * sh.Law.ThicknessMM() * sh.w[j*len(t.tri.w)+q]
				for a, v := range nodes {
					for b, w := range nodes {
						add(v, w, m*n[a]*n[b])
					}
				}
			}
		}
	}
}

// metric is C of the prestretched sheet and the deformed tangents at a point.
func (sh *sheet) metric(x []r3.Vec, grad [][2]float64) (c [3]float64, g1, g2 r3.Vec, ok bool) {
	for a, d := range grad {
		g1 = r3.Add(g1, r3.Scale(d[0], x[a]))
		g2 = r3.Add(g2, r3.Scale(d[1], x[a]))
	}
	p := sh.pre * sh.pre
	c = [3]float64{p * r3.Norm2(g1), p * r3.Norm2(g2), p * r3.Dot(g1, g2)}
	return c, g1, g2, c[0] > 0 && c[0]*c[1] > c[2]*c[2] && !math.IsInf(c[0]*c[1], 1)
}

// at lists the places and gradients of face j.
func (t *membranes) at(sh *sheet, j, q int) (grad [][2]float64, w float64) {
	k, points := t.tri.k, len(t.tri.w)
	p := j*points + q
	return sh.grad[p*k : (p+1)*k], sh.w[p]
}

func (t *membranes) force(f, u []float64, now clock) int32 {
	k := t.tri.k
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		par.Chunks(len(sh.Faces), elemChunk, func(lo, hi int) {
			sh.bad[lo/elemChunk] = -1
			x := make([]r3.Vec, k)
			s := new([3]float64)
			for j := lo; j < hi; j++ {
				nodes := sh.nodes[j*k : (j+1)*k]
				out := sh.f[3*j*k : 3*(j+1)*k]
				clear(out)
				t.places(x, nodes, u)
				for q := range t.tri.w {
					grad, w := t.at(sh, j, q)
					c, g1, g2, ok := sh.metric(x, grad)
					if !ok {
						sh.bad[lo/elemChunk] = nodes[0]
						return
					}
					sh.Law.Stress(s, c)
					for a, d := range grad {
						v := r3.Add(r3.Scale(w*(s[0]*d[0]+s[2]*d[1]), g1), r3.Scale(w*(s[1]*d[1]+s[2]*d[0]), g2))
						out[3*a] += v.X
						out[3*a+1] += v.Y
						out[3*a+2] += v.Z
					}
				}
			}
		})
		for _, v := range sh.bad {
			if v >= 0 {
				return v
			}
		}
		for a, v := range sh.nodes {
			for c := range 3 {
				f[3*int(v)+c] += sh.f[3*a+c]
			}
		}
	}
	t.weight.force(f, now)
	return -1
}

func (t *membranes) tangent(m *stiffness, u []float64, _ clock) {
	k := t.tri.k
	x := make([]r3.Vec, k)
	s, d := new([3]float64), new([3][3]float64)
	type rows [3]r3.Vec
	b := make([]rows, k)
	ke := make([][9]float64, k*k)
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		for j := range sh.Faces {
			nodes := sh.nodes[j*k : (j+1)*k]
			t.places(x, nodes, u)
			clear(ke)
			for q := range t.tri.w {
				grad, w := t.at(sh, j, q)
				c, g1, g2, ok := sh.metric(x, grad)
				if !ok {
					continue // forces have refused such a state
				}
				sh.Law.Stress(s, c)
				sh.Law.Tangent(d, c)
				wd := w * sh.pre * sh.pre // S and E are per natural shape: E = p²·E_ref + const
				for a, n := range grad {
					b[a] = rows{r3.Scale(n[0], g1), r3.Scale(n[1], g2), r3.Add(r3.Scale(n[0], g2), r3.Scale(n[1], g1))}
				}
				for a, na := range grad {
					var db rows // Dᵀ·B_a
					for r := range 3 {
						db[r] = r3.Scale(wd, r3.Add(r3.Scale(d[0][r], b[a][0]), r3.Add(r3.Scale(d[1][r], b[a][1]), r3.Scale(d[2][r], b[a][2]))))
					}
					for e := a; e < k; e++ {
						ne := grad[e]
						h := w * (s[0]*na[0]*ne[0] + s[1]*na[1]*ne[1] + s[2]*(na[0]*ne[1]+na[1]*ne[0]))
						o := &ke[a*k+e]
						for r := range 3 {
							v, y := db[r], b[e][r]
							o[0] += v.X * y.X
							o[1] += v.X * y.Y
							o[2] += v.X * y.Z
							o[3] += v.Y * y.X
							o[4] += v.Y * y.Y
							o[5] += v.Y * y.Z
							o[6] += v.Z * y.X
							o[7] += v.Z * y.Y
							o[8] += v.Z * y.Z
						}
						o[0] += h
						o[4] += h
						o[8] += h
					}
				}
			}
			for a := range k {
				for e := a; e < k; e++ {
					m.add(nodes[a], nodes[e], &ke[a*k+e])
				}
			}
		}
	}
}

func (t *membranes) energy(u []float64, now clock) (w float64, ok bool) {
	k := t.tri.k
	x := make([]r3.Vec, k)
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		for j := range sh.Faces {
			t.places(x, sh.nodes[j*k:(j+1)*k], u)
			for q := range t.tri.w {
				grad, area := t.at(sh, j, q)
				c, _, _, ok := sh.metric(x, grad)
				if !ok {
					return math.Inf(1), true
				}
				w += area / (sh.pre * sh.pre) * sh.Law.Energy(c)
			}
		}
	}
	return w + t.weight.energy(u, now), true
}
