package fem

import (
	"halsted/fem/material"

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
	nodes []int32      // k per face
	on    bool         // some face is
	live  []bool       // per face: attached, and not on removed elements alone
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
		sh.live = make([]bool, len(m.Faces))
		sh.grad = make([][2]float64, len(t.tri.w)*len(sh.nodes))
		sh.w = make([]float64, len(t.tri.w)*len(m.Faces))
		sh.bad = make([]int32, (len(m.Faces)+elemChunk-1)/elemChunk)
		t.sheets = append(t.sheets, sh)
	}
	return t, nil
}

func (t *membranes) enter(c *change) (changed bool, err error) {
	for i := range t.sheets {
		sh := &t.sheets[i]
		attached := t.sys.attached(sh.Name, c.index)
		sh.on = false
		for j, f := range sh.Faces {
			live := attached && !t.sys.faceGone(f)
			sh.on = sh.on || live
			if live == sh.live[j] {
				continue
			}
			sh.live[j], changed = live, true
			if live {
				if err := t.rest(i, j, c.u); err != nil {
					return false, err
				}
			}
		}
	}
	t.weight.take(c, t.lumps)
	return changed, nil
}

// rest makes the present shape the reference of face j of sheet i.
func (t *membranes) rest(i, j int, u []float64) error {
	sh, k := &t.sheets[i], t.tri.k
	x := make([]r3.Vec, k)
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
		p := j*len(t.tri.w) + q
		for a, d := range t.tri.d[q] {
			sh.grad[p*k+a] = [2]float64{(s2*d.X - r2*d.Y) / det, (r1*d.Y - s1*d.X) / det}
		}
		sh.w[p] = w * area
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
		for j := range sh.Faces {
			if sh.live[j] {
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
			if !sh.live[j] {
				continue
			}
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
			if !sh.live[j] {
				continue
			}
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
