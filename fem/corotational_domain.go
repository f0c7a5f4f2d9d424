package fem

import (
	"context"
	"slices"

	"halsted/internal/par"
	"halsted/internal/sparse"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// domains are the smoothing domains of the coarse mode, each within one region:
// an edge has a sixth of the volume of every element around it, a node a
// quarter. Elements that are absent have none.
type domains struct {
	edgePtr, edgeElems []int32
	edgeVol, edgeMu    []float64 // mm³, MPa
	ofEdge             []int32   // 6 per element
	nodePtr, nodeElems []int32
	nodeVol            []float64
	nodeLambda         []float64
	ofNode             []int32 // 4 per element
}

// nuLimit is the largest Poisson's ratio of the coarse mode: above it the
// dilatation is as stiff as there.
const nuLimit = 0.49

// lame are μ and λ of a region in the coarse mode, MPa.
func (r *region) lame() (mu, lambda float64) {
	mu = r.law.ShearMPa()
	return mu, min(r.law.BulkMPa()-2./3*mu, 2*mu*nuLimit/(1-2*nuLimit))
}

func (s *system) newDomains() *domains {
	d := &domains{ofEdge: make([]int32, 6*s.elems), ofNode: make([]int32, 4*s.elems)}
	edges, nodes := make(map[[3]int32]int32), make(map[[2]int32]int32) // only looked up
	for e := range s.elems {
		if !s.present(e) {
			continue
		}
		c, reg := s.conn[4*e:4*e+4], s.regOf[e]
		for k, ends := range mesh.TetEdges {
			a, b := c[ends[0]], c[ends[1]]
			key := [3]int32{min(a, b), max(a, b), reg}
			i, ok := edges[key]
			if !ok {
				i = int32(len(edges))
				edges[key] = i
			}
			d.ofEdge[6*e+k] = i
		}
		for k, v := range c {
			key := [2]int32{v, reg}
			i, ok := nodes[key]
			if !ok {
				i = int32(len(nodes))
				nodes[key] = i
			}
			d.ofNode[4*e+k] = i
		}
	}
	list := func(of []int32, per, count int) (ptr, elems []int32) {
		ptr = make([]int32, count+1)
		for i, k := range of {
			if s.present(i / per) {
				ptr[k+1]++
			}
		}
		for i := range count {
			ptr[i+1] += ptr[i]
		}
		elems = make([]int32, ptr[count])
		fill := slices.Clone(ptr[:count])
		for i, k := range of {
			if s.present(i / per) {
				elems[fill[k]] = int32(i / per)
				fill[k]++
			}
		}
		return ptr, elems
	}
	d.edgePtr, d.edgeElems = list(d.ofEdge, 6, len(edges))
	d.nodePtr, d.nodeElems = list(d.ofNode, 4, len(nodes))
	mean := func(ptr, elems []int32, part float64, modulus func(r *region) float64) (vol, mod []float64) {
		n := len(ptr) - 1
		vol, mod = make([]float64, n), make([]float64, n)
		for i := range n {
			for _, e := range elems[ptr[i]:ptr[i+1]] {
				w := part * s.w[e]
				vol[i] += w
				mod[i] += w * s.multiplier(int(e)) * modulus(&s.reg[s.regOf[e]])
			}
			mod[i] /= vol[i]
		}
		return vol, mod
	}
	d.edgeVol, d.edgeMu = mean(d.edgePtr, d.edgeElems, 1./6, func(r *region) float64 { mu, _ := r.lame(); return mu })
	d.nodeVol, d.nodeLambda = mean(d.nodePtr, d.nodeElems, 1./4, func(r *region) float64 { _, l := r.lame(); return l })
	return d
}

// restStiffness is the stiffness at rest and its factor, over the nodes that an
// element or a term holds; with terms over all nodes, as terms count them.
type restStiffness struct {
	nodes []int32
	place []int32 // node → index in nodes; −1
	fixed []bool  // 3 per node of the mesh: as factored
	m     *sparse.BSR3
	chol  *sparse.Cholesky
}

// smoothedFlops is the work, in multiply-adds, of a factor up to which the
// stiffness of the smoothing domains is used; above it that of the plain
// tetrahedra, whose pattern is a quarter as dense and which costs iterations.
const smoothedFlops = 2e10

// patch is a domain with its nodes and the mean gradients of their shape
// functions, weighing mu for the shear part and lambda for the dilatation,
// MPa·mm³.
type patch struct {
	nodes      []int32
	g          []r3.Vec
	mu, lambda float64
}

// patchOf averages the gradients over the elements; nodes are numbered by place.
func (s *system) patchOf(elems, place []int32, mu, lambda float64) patch {
	p := patch{mu: mu, lambda: lambda}
	var vol float64
	for _, e := range elems {
		w := s.w[e]
		vol += w
		for a, v := range s.conn[4*e : 4*e+4] {
			i := slices.Index(p.nodes, place[v])
			if i < 0 {
				i = len(p.nodes)
				p.nodes, p.g = append(p.nodes, place[v]), append(p.g, r3.Vec{})
			}
			p.g[i] = r3.Add(p.g[i], r3.Scale(w, s.grad[4*int(e)+a]))
		}
	}
	for i := range p.g {
		p.g[i] = r3.Scale(1/vol, p.g[i])
	}
	return p
}

// newRestStiffness analyses the pattern; factor does the rest.
func newRestStiffness(ctx context.Context, s *system, d *domains) (*restStiffness, []patch, error) {
	r := &restStiffness{place: make([]int32, s.n)}
	for v := range r.place {
		r.place[v] = -1
		if !s.orphan[v] || len(s.terms) > 0 {
			r.place[v] = int32(len(r.nodes))
			r.nodes = append(r.nodes, int32(v))
		}
	}
	patches := make([]patch, len(d.edgeVol)+len(d.nodeVol))
	par.Chunks(len(patches), corotatedChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if i < len(d.edgeVol) {
				patches[i] = s.patchOf(d.edgeElems[d.edgePtr[i]:d.edgePtr[i+1]], r.place, d.edgeVol[i]*d.edgeMu[i], 0)
			} else {
				j := i - len(d.edgeVol)
				patches[i] = s.patchOf(d.nodeElems[d.nodePtr[j]:d.nodePtr[j+1]], r.place, 0, d.nodeVol[j]*d.nodeLambda[j])
			}
		}
	})
	// The patch of a node holds those of its edges.
	if err := r.analyse(ctx, s, patches[len(d.edgeVol):]); err != nil {
		return nil, nil, err
	}
	if r.chol.Flops() > smoothedFlops {
		patches = patches[:0]
		for e := range s.elems {
			if s.present(e) {
				mu, lambda := s.reg[s.regOf[e]].lame()
				w := s.w[e] * s.multiplier(e)
				patches = append(patches, s.patchOf([]int32{int32(e)}, r.place, w*mu, w*lambda))
			}
		}
		if err := r.analyse(ctx, s, patches); err != nil {
			return nil, nil, err
		}
	}
	return r, patches, nil
}

func (r *restStiffness) analyse(ctx context.Context, s *system, patches []patch) (err error) {
	groups := s.couplings()
	for i := range patches {
		groups = append(groups, patches[i].nodes)
	}
	r.m = sparse.NewBSR3(len(r.nodes), nil, 1, groups...)
	r.chol, err = sparse.NewCholeskyCtx(ctx, r.m, sparse.CholeskyConfig{Precision: sparse.Single})
	return err
}

func (r *restStiffness) bytes() int64 { return r.m.Bytes() + r.chol.Bytes() }

// assemble fills the matrix, row by row: of a patch
// K_ab = μ·(g_b⊗g_a + g_a·g_b·I) + λ·g_a⊗g_b.
func (r *restStiffness) assemble(patches []patch) {
	m := r.m
	m.Zero()
	ptr := make([]int32, m.N+1) // node → its patches, and its place in them
	for i := range patches {
		for _, v := range patches[i].nodes {
			ptr[v+1]++
		}
	}
	for i := range m.N {
		ptr[i+1] += ptr[i]
	}
	in, fill := make([][2]int32, ptr[m.N]), slices.Clone(ptr[:m.N])
	for i := range patches {
		for a, v := range patches[i].nodes {
			in[fill[v]] = [2]int32{int32(i), int32(a)}
			fill[v]++
		}
	}
	par.Chunks(m.N, 128, func(lo, hi int) {
		column := make([]int32, m.N)
		for i := lo; i < hi; i++ {
			for b := m.RowPtr[i]; b < m.RowPtr[i+1]; b++ {
				column[m.Col[b]] = b
			}
			for _, at := range in[ptr[i]:ptr[i+1]] {
				p := &patches[at[0]]
				x := p.g[at[1]]
				for b, j := range p.nodes {
					y := p.g[b]
					v := (*[9]float64)(m.Val[9*int(column[j]):])
					l := r3.Scale(p.lambda, x)
					s := r3.Scale(p.mu, y)
					dot := r3.Dot(s, x)
					v[0] += s.X*x.X + l.X*y.X + dot
					v[1] += s.X*x.Y + l.X*y.Y
					v[2] += s.X*x.Z + l.X*y.Z
					v[3] += s.Y*x.X + l.Y*y.X
					v[4] += s.Y*x.Y + l.Y*y.Y + dot
					v[5] += s.Y*x.Z + l.Y*y.Z
					v[6] += s.Z*x.X + l.Z*y.X
					v[7] += s.Z*x.Y + l.Z*y.Y
					v[8] += s.Z*x.Z + l.Z*y.Z + dot
				}
			}
		}
	})
}

// factor assembles and factors with the supports of s; terms enter with their
// stiffness at u, unless that makes the matrix indefinite.
func (r *restStiffness) factor(ctx context.Context, s *system, patches []patch, u []float64) error {
	fixed := make([]bool, 3*len(r.nodes))
	for i, v := range r.nodes {
		copy(fixed[3*i:3*i+3], s.fixed[3*v:3*v+3])
	}
	r.fixed = nil
	for _, with := range []bool{true, false} {
		r.assemble(patches)
		if with {
			for _, t := range s.terms {
				t.tangent(&stiffness{r.m}, u, s.now)
			}
		}
		r.m.Constrain(fixed)
		err := r.chol.Factor(ctx, r.m)
		if err == nil {
			r.fixed = slices.Clone(s.fixed)
			return nil
		}
		if !with || len(s.terms) == 0 || !notPositive(err) {
			return err
		}
	}
	return nil
}
