package sparse

import (
	"context"
	"math"
	"slices"

	"halsted/internal/par"
)

// TwoLevel preconditions a matrix of quadratic elements with the linear
// elements inside it: a Chebyshev polynomial in the block-Jacobi scaled matrix
// before and after a coarse correction, solved by Cholesky. It is symmetric
// and positive definite. The smoother and its vectors are in float32: it only
// steers an iteration whose residual is kept in float64.
//
// A stale coarse factor stays usable while the matrix changes slowly (Newton
// iterations): Update renews the smoother always, Factor the coarse factor on
// request.
type TwoLevel struct {
	fine    *BSR3
	parents [][2]int32 // coarse ends of every fine node; equal for a vertex
	fixed   []bool
	coarse  *BSR3
	chol    *Cholesky // of coarse, or
	amg     *AMG      // where that is large
	kids    []int32   // coarse node → fine nodes that depend on it, CSR
	kidPtr  []int32
	fixedC  []bool

	val        []float32
	inv        []float32
	lambda     float64
	x, r, d, e []float32
	probe      []float32
	started    bool // the probe has seen a matrix near the present one
	rc, zc     []float64
}

// Chebyshev smoothing: smoothDegree products with the matrix before and after
// the coarse correction, aimed at the part of the spectrum above
// λmax/smoothRange. The largest eigenvalue comes from powerSteps power
// iterations, raised by powerMargin since they approach it from below.
const (
	smoothDegree = 2
	smoothRange  = 8.0
	powerFirst   = 12
	powerAgain   = 2
	powerMargin  = 1.1
)

// largeCoarse is the number of coarse nodes above which a cycle of smoothed
// aggregation takes the place of their Cholesky factor: it costs a few
// iterations and spares most of the memory.
const largeCoarse = 30000

// NewTwoLevel prepares for the pattern of fine. parents[i] are the coarse
// nodes whose mean places fine node i (twice the same for a vertex); coarse
// nodes are numbered by their order in the fine matrix through vertex[c], the
// fine node of coarse node c. corner holds the four coarse nodes of every
// element; extra lists the further groups of fine nodes that fine couples. xyz
// are the coordinates of the coarse nodes, mm, 3 per node.
// fixed marks constrained degrees of freedom of the fine system.
func NewTwoLevel(fine *BSR3, parents [][2]int32, vertex, corner []int32, xyz []float64, fixed []bool, extra ...[]int32) *TwoLevel {
	nc := len(vertex)
	groups := make([][]int32, len(extra))
	for g, nodes := range extra {
		for _, v := range nodes {
			groups[g] = append(groups[g], parents[v][:]...)
		}
		slices.Sort(groups[g])
		groups[g] = slices.Compact(groups[g])
	}
	t := &TwoLevel{fine: fine, parents: parents, fixed: fixed, coarse: NewBSR3(nc, corner, 4, groups...)}
	t.fixedC = make([]bool, 3*nc)
	for c, v := range vertex {
		copy(t.fixedC[3*c:3*c+3], fixed[3*v:3*v+3])
	}
	if nc > largeCoarse {
		t.amg = NewAMG(t.coarse, xyz, t.fixedC)
	} else {
		t.chol = NewCholeskyWith(t.coarse, CholeskyConfig{Precision: Single})
	}
	t.kidPtr = make([]int32, nc+1)
	each := func(f func(c, i int32)) {
		for i, p := range parents {
			f(p[0], int32(i))
			if p[1] != p[0] {
				f(p[1], int32(i))
			}
		}
	}
	each(func(c, _ int32) { t.kidPtr[c+1]++ })
	for c := range nc {
		t.kidPtr[c+1] += t.kidPtr[c]
	}
	t.kids = make([]int32, t.kidPtr[nc])
	at := append([]int32(nil), t.kidPtr[:nc]...)
	each(func(c, i int32) { t.kids[at[c]] = i; at[c]++ })
	return t
}

// Bytes is the memory the preconditioner will hold.
func (t *TwoLevel) Bytes() int64 {
	n := int64(len(t.fine.Col))*9*4 + int64(t.fine.N)*(9+5*3)*4 + t.coarse.Bytes()
	if t.amg != nil {
		return n + t.amg.Bytes()
	}
	return n + t.chol.Bytes()
}

// Update takes the values of the (constrained) fine matrix into the smoother.
func (t *TwoLevel) Update() {
	n := t.fine.N
	if t.val == nil {
		t.val = make([]float32, len(t.fine.Val)+1) // one more: row32 reads past the end
		t.inv = make([]float32, 9*n)
		for _, v := range []*[]float32{&t.x, &t.r, &t.d, &t.e, &t.probe} {
			*v = make([]float32, 3*n)
		}
		t.rc, t.zc = make([]float64, 3*t.coarse.N), make([]float64, 3*t.coarse.N)
	}
	par.Chunks(len(t.fine.Col), 4096, func(lo, hi int) {
		for b := lo; b < hi; b++ { // column-major, as row32 wants it
			v, w := t.fine.Val[9*b:9*b+9:9*b+9], t.val[9*b:9*b+9:9*b+9]
			w[0], w[1], w[2] = float32(v[0]), float32(v[3]), float32(v[6])
			w[3], w[4], w[5] = float32(v[1]), float32(v[4]), float32(v[7])
			w[6], w[7], w[8] = float32(v[2]), float32(v[5]), float32(v[8])
		}
	})
	par.Chunks(n, 1024, func(lo, hi int) {
		var v [9]float64
		for i := lo; i < hi; i++ {
			invert3(v[:], t.fine.Val[9*t.fine.Diag[i]:9*t.fine.Diag[i]+9])
			for q, w := range v {
				t.inv[9*i+q] = float32(w)
			}
		}
	})
	steps := powerAgain
	if !t.started {
		steps, t.started = powerFirst, true
		seed := uint64(1)
		for i := range t.probe { // a fixed start with all frequencies in it
			seed = seed*6364136223846793005 + 1442695040888963407
			t.probe[i] = float32(int64(seed>>33)-1<<30) / (1 << 30)
		}
	}
	for range steps {
		// d = D⁻¹·K·probe, λ = ‖d‖/‖probe‖ in the norm of the vector itself.
		t.gather(t.e, t.probe)
		t.scaleJacobi(t.d, t.e)
		num, den := norm32(t.d), norm32(t.probe)
		t.lambda = num / den
		s := float32(1 / num)
		for i, v := range t.d {
			t.probe[i] = s * v
			if t.fixed[i] {
				t.probe[i] = 0
			}
		}
	}
}

// Restart says that the next matrix is not near the last one: Update then looks
// for its largest eigenvalue from a start with all frequencies in it. The vector
// of a wild matrix can be next to orthogonal to that of a tame one, and an
// eigenvalue that is too small makes the smoother amplify.
func (t *TwoLevel) Restart() { t.started = false }

// Factor makes the coarse matrix Pᵀ·K·P of the fine matrix and factors it.
func (t *TwoLevel) Factor(ctx context.Context) error {
	t.coarse.Zero()
	c := t.coarse
	par.Chunks(c.N, 64, func(lo, hi int) {
		where := make([]int32, c.N)
		for row := lo; row < hi; row++ {
			for b := c.RowPtr[row]; b < c.RowPtr[row+1]; b++ {
				where[c.Col[b]] = b
			}
			for _, i := range t.kids[t.kidPtr[row]:t.kidPtr[row+1]] {
				t.addRow(i, t.weight(i), where)
			}
		}
	})
	c.Constrain(t.fixedC)
	if t.amg != nil {
		return t.amg.Factor(ctx)
	}
	return t.chol.Factor(ctx, c)
}

func (t *TwoLevel) weight(i int32) float64 {
	if p := t.parents[i]; p[0] != p[1] {
		return 0.5
	}
	return 1
}

// addRow adds w·(row i of K)·P to the coarse row whose blocks are at where.
func (t *TwoLevel) addRow(i int32, w float64, where []int32) {
	f, c := t.fine, t.coarse
	for b := f.RowPtr[i]; b < f.RowPtr[i+1]; b++ {
		j := f.Col[b]
		v := f.Val[9*b : 9*b+9]
		p := t.parents[j]
		s := w * t.weight(j)
		for k := range 2 {
			if k == 1 && p[1] == p[0] {
				break
			}
			dst := c.Val[9*where[p[k]] : 9*where[p[k]]+9]
			if i == j {
				for q, x := range v {
					if q%4 == 0 && t.fixed[3*i+int32(q/4)] {
						continue // the constraint's own diagonal
					}
					dst[q] += s * x
				}
				continue
			}
			for q, x := range v {
				dst[q] += s * x
			}
		}
	}
}

// Apply writes M⁻¹·b into dst.
func (t *TwoLevel) Apply(dst, b []float64) {
	par.Chunks(len(b), vecChunk, func(lo, hi int) {
		r, x := t.r[lo:hi], t.x[lo:hi]
		for i, v := range b[lo:hi] {
			r[i] = float32(v)
			x[i] = 0
		}
	})
	t.smooth()
	t.subtract(t.d) // the last correction has not reached r yet
	// restrict
	par.Chunks(t.coarse.N, 256, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			var s0, s1, s2 float64
			for _, i := range t.kids[t.kidPtr[c]:t.kidPtr[c+1]] {
				w := t.weight(i)
				if !t.fixed[3*i] {
					s0 += w * float64(t.r[3*i])
				}
				if !t.fixed[3*i+1] {
					s1 += w * float64(t.r[3*i+1])
				}
				if !t.fixed[3*i+2] {
					s2 += w * float64(t.r[3*i+2])
				}
			}
			t.rc[3*c], t.rc[3*c+1], t.rc[3*c+2] = s0, s1, s2
			for k := range 3 {
				if t.fixedC[3*c+k] {
					t.rc[3*c+k] = 0
				}
			}
		}
	})
	if t.amg != nil {
		t.amg.Apply(t.zc, t.rc)
	} else {
		t.chol.Solve(t.zc, t.rc)
	}
	par.Chunks(t.fine.N, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := t.parents[i]
			for k := range 3 {
				v := float32(0.5 * (t.zc[3*p[0]+int32(k)] + t.zc[3*p[1]+int32(k)]))
				if t.fixed[3*i+k] {
					v = 0
				}
				t.d[3*i+k] = v
				t.x[3*i+k] += v
			}
		}
	})
	t.subtract(t.d)
	t.smooth()
	par.Chunks(len(dst), vecChunk, func(lo, hi int) {
		d := dst[lo:hi]
		for i, v := range t.x[lo:hi] {
			d[i] = float64(v)
		}
	})
}

// smooth adds smoothDegree Chebyshev corrections for the residual r to x. It
// leaves the last one in d, not yet taken off r.
func (t *TwoLevel) smooth() {
	hi := powerMargin * t.lambda
	lo := hi / smoothRange
	theta, delta := (hi+lo)/2, (hi-lo)/2
	sigma := theta / delta
	rho := 1 / sigma
	s := float32(1 / theta)
	par.Chunks(t.fine.N, 512, func(a, b int) {
		for i := a; i < b; i++ {
			z0, z1, z2 := t.jacobi(i)
			t.d[3*i], t.d[3*i+1], t.d[3*i+2] = s*z0, s*z1, s*z2
			t.x[3*i] += s * z0
			t.x[3*i+1] += s * z1
			t.x[3*i+2] += s * z2
		}
	})
	for range smoothDegree - 1 {
		next := 1 / (2*sigma - rho)
		c0, c1 := float32(next*rho), float32(2*next/delta)
		rho = next
		par.Chunks(t.fine.N, rowChunk, func(a, b int) {
			for i := a; i < b; i++ {
				y0, y1, y2 := t.row(i, t.d)
				t.r[3*i] -= y0
				t.r[3*i+1] -= y1
				t.r[3*i+2] -= y2
				z0, z1, z2 := t.jacobi(i)
				z0, z1, z2 = c0*t.d[3*i]+c1*z0, c0*t.d[3*i+1]+c1*z1, c0*t.d[3*i+2]+c1*z2
				t.e[3*i], t.e[3*i+1], t.e[3*i+2] = z0, z1, z2
				t.x[3*i] += z0
				t.x[3*i+1] += z1
				t.x[3*i+2] += z2
			}
		})
		t.d, t.e = t.e, t.d
	}
}

// jacobi is D⁻¹·r in block row i.
func (t *TwoLevel) jacobi(i int) (z0, z1, z2 float32) {
	v := t.inv[9*i : 9*i+9 : 9*i+9]
	r := t.r[3*i : 3*i+3 : 3*i+3]
	a, b, c := r[0], r[1], r[2]
	return v[0]*a + v[1]*b + v[2]*c, v[3]*a + v[4]*b + v[5]*c, v[6]*a + v[7]*b + v[8]*c
}

// row is (K·x) in block row i.
func (t *TwoLevel) row(i int, x []float32) (y0, y1, y2 float32) {
	lo, hi := int(t.fine.RowPtr[i]), int(t.fine.RowPtr[i+1])
	return row32(t.val[9*lo:9*hi+1], t.fine.Col[lo:hi], x)
}

// subtract does r −= K·x.
func (t *TwoLevel) subtract(x []float32) {
	par.Chunks(t.fine.N, rowChunk, func(a, b int) {
		for i := a; i < b; i++ {
			y0, y1, y2 := t.row(i, x)
			t.r[3*i] -= y0
			t.r[3*i+1] -= y1
			t.r[3*i+2] -= y2
		}
	})
}

func (t *TwoLevel) gather(dst, x []float32) {
	par.Chunks(t.fine.N, rowChunk, func(a, b int) {
		for i := a; i < b; i++ {
			dst[3*i], dst[3*i+1], dst[3*i+2] = t.row(i, x)
		}
	})
}

func (t *TwoLevel) scaleJacobi(dst, src []float32) {
	copy(t.r, src)
	par.Chunks(t.fine.N, 1024, func(a, b int) {
		for i := a; i < b; i++ {
			dst[3*i], dst[3*i+1], dst[3*i+2] = t.jacobi(i)
		}
	})
}

func norm32(x []float32) float64 {
	return math.Sqrt(par.Sum(len(x), vecChunk, func(lo, hi int) float64 {
		var s float64
		for _, v := range x[lo:hi] {
			s += float64(v) * float64(v)
		}
		return s
	}))
}
