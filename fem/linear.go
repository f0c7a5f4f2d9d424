package fem

import (
	"context"
	"errors"

	"halsted/fem/element"
	"halsted/internal/sparse"
	"halsted/mesh"
)

// directFlops bounds the work, in multiply-adds, of a factor that is made of
// the whole matrix rather than of a coarse level; directNodes the size for
// which it is worth asking.
const (
	directFlops = 4e8
	directNodes = 4000
	tet4Flops   = 4e9
	tet4Nodes   = 15000
)

// slowIters is the count of iterations of one solve after which the whole
// matrix is factored instead, if that takes no more multiply-adds than
// rescueFlops: near incompressibility and thin walls defeat the smoothers.
// oldIters is that count for a whole factor of an earlier matrix, which is then
// made anew.
const (
	oldIters    = 30
	slowIters   = 120
	rescueFlops = 3e11
)

// staleFactor is the rise of the iteration count over that of a fresh factor
// at which the factor is made again, and staleMin the count below which it
// never is.
const (
	staleFactor = 2.0
	staleMin    = 12
)

// linear solves with the tangent: matrix, preconditioner and when to renew it.
type linear struct {
	m     *sparse.BSR3
	pos   []int32
	cg    sparse.CG
	chol  *sparse.Cholesky // whole matrix
	two   *sparse.TwoLevel
	amg   *sparse.AMG
	fresh float64 // iterations per decade right after a factorisation
	stale bool
	iters int
	limit int64 // bytes that a whole factor may take; 0: any
	old   bool  // the whole factor is of an earlier matrix
	asked bool  // whether a whole factor has been thought of
	// fromStart says that the smoother has been set up for the present matrix
	// without memory of the ones before.
	fromStart, restarted bool
}

// restart forgets the matrices until now: the next one is far from them.
func (l *linear) restart() {
	l.stale = true
	if l.two != nil {
		l.two.Restart()
		l.restarted = true
	}
}

// newLinear analyses the pattern; values are not allocated yet.
func newLinear(s *system) *linear {
	l := &linear{m: sparse.NewBSR3(s.n, s.conn, s.k, s.couplings()...), stale: true}
	if s.n <= directNodes {
		if c, err := sparse.NewCholeskyCtx(s.ctx, l.m, sparse.CholeskyConfig{}); err == nil && c.Flops() <= directFlops {
			l.chol = c
			return l
		}
	}
	if s.k == element.Tet10Nodes {
		parents, vertex, corner := s.parentsOf()
		xyz := make([]float64, 0, 3*len(vertex))
		for _, v := range vertex {
			xyz = append(xyz, s.x[v].X, s.x[v].Y, s.x[v].Z)
		}
		l.two = sparse.NewTwoLevel(l.m, parents, vertex, corner, xyz, s.fixed, s.couplings()...)
		return l
	}
	if s.n <= tet4Nodes {
		if c, err := sparse.NewCholeskyCtx(s.ctx, l.m, sparse.CholeskyConfig{}); err == nil && c.Flops() <= tet4Flops {
			l.chol = c
			return l
		}
	}
	xyz := make([]float64, 0, 3*s.n)
	for _, p := range s.x {
		xyz = append(xyz, p.X, p.Y, p.Z)
	}
	l.amg = sparse.NewAMG(l.m, xyz, s.fixed)
	return l
}

// couplings are the groups of nodes that terms couple.
func (s *system) couplings() (groups [][]int32) {
	if s.dil != nil {
		for p := 1; p < len(s.dil.nodePtr); p++ {
			groups = append(groups, s.dil.nodes[s.dil.nodePtr[p-1]:s.dil.nodePtr[p]])
		}
	}
	for _, t := range s.terms {
		t.couple(func(nodes ...int32) { groups = append(groups, append([]int32(nil), nodes...)) })
	}
	return groups
}

// bytes estimates the memory of a solve.
func (l *linear) bytes(s *system) int64 {
	n := l.m.Bytes() + int64(len(s.grad))*24 + int64(len(s.conn))*(4+4+24+4*int64(s.k)) + int64(s.elems)*(8*48) + int64(s.n)*8*(3*20+40)
	switch {
	case l.chol != nil:
		n += l.chol.Bytes()
	case l.two != nil:
		n += l.two.Bytes()
	case l.amg != nil:
		n += l.amg.Bytes()
	}
	return n
}

// prepare takes new matrix values (already constrained) into the
// preconditioner. A factor is kept while it pays.
func (l *linear) prepare(ctx context.Context) error {
	switch {
	case l.two != nil:
		l.two.Update()
		l.fromStart, l.restarted = l.restarted, false
		if !l.stale {
			return nil
		}
		if err := l.two.Factor(ctx); err != nil {
			return err
		}
	case l.chol != nil:
		l.old = !l.stale
		if !l.stale {
			return nil
		}
		if err := l.chol.Factor(ctx, l.m); err != nil {
			return err
		}
	default:
		l.amg.Update()
		if !l.stale {
			return nil
		}
		if err := l.amg.Factor(ctx); err != nil {
			return err
		}
	}
	l.stale, l.fresh = false, 0
	return nil
}

// Shifts of a tangent that is not positive, as parts of its diagonal: the first,
// its growth, and the last. The step is then one of descent, towards a state
// that is stable; where the body has none nearby, the increment is cut.
const (
	firstShift = 1e-3
	moreShift  = 8
	lastShift  = 5.0
)

// prepareShifted is prepare; a matrix that is not positive gets a shift.
func (l *linear) prepareShifted(ctx context.Context) error {
	err := l.prepare(ctx)
	for shift, sum := firstShift, 0.0; err != nil && notPositive(err) && shift <= lastShift; shift *= moreShift {
		l.m.Shift(shift - sum)
		sum = shift
		l.stale = true
		err = l.prepare(ctx)
	}
	return err
}

func (l *linear) operator() sparse.Operator {
	switch {
	case l.two != nil:
		return l.two
	case l.chol != nil:
		return l.chol
	}
	return l.amg
}

// solve writes K⁻¹·b into x to the relative tolerance.
func (l *linear) solve(ctx context.Context, x, b []float64, tol float64) (sparse.Result, error) {
	most := 2000
	switch {
	case l.chol != nil && l.old:
		most = oldIters
	case l.chol == nil && !l.asked:
		most = slowIters
	}
	r, err := l.cg.Solve(ctx, l.m, l.operator(), x, b, sparse.Settings{Tol: tol, MaxIter: most})
	l.iters += r.Iter
	if err != nil {
		return r, err
	}
	if r.Stop == sparse.BrokenDown && l.two != nil && !l.fromStart { // the smoother amplifies
		l.restart()
		if err := l.prepare(ctx); err == nil {
			return l.solve(ctx, x, b, tol)
		} else if !notPositive(err) {
			return r, err
		}
		return r, nil
	}
	if r.Stop == sparse.OutOfSteps && l.chol != nil && l.old {
		l.stale = true
		if err := l.prepare(ctx); err != nil {
			if notPositive(err) {
				r.Stop = sparse.Indefinite // x is the best the iteration had
				return r, nil
			}
			return r, err
		}
		return l.solve(ctx, x, b, tol)
	}
	if r.Stop == sparse.OutOfSteps && !l.asked && l.chol == nil {
		l.asked = true
		if l.whole() {
			if err := l.prepare(ctx); err != nil {
				if notPositive(err) {
					r.Stop = sparse.Indefinite // x is the best the iteration had
					return r, nil
				}
				return r, err
			}
		}
		return l.solve(ctx, x, b, tol)
	}
	l.judge(r, tol)
	return r, nil
}

// whole changes to a factor of the whole matrix, if it is affordable.
func (l *linear) whole() bool {
	l.asked = true
	c := sparse.NewCholesky(l.m)
	if c.Flops() > rescueFlops || l.limit > 0 && c.Bytes() > l.limit {
		return false
	}
	l.chol, l.two, l.amg = c, nil, nil
	l.stale, l.fresh = true, 0
	return true
}

// judge decides from the iterations per decade whether the factor has aged.
func (l *linear) judge(r sparse.Result, tol float64) {
	if r.Iter == 0 || r.Stop != sparse.Converged {
		l.stale = l.stale || r.Stop == sparse.OutOfSteps
		return
	}
	rate := float64(r.Iter) / decades(tol)
	if l.fresh == 0 {
		l.fresh = rate
	} else if r.Iter > staleMin && rate > staleFactor*l.fresh {
		l.stale = true
	}
}

func notPositive(err error) bool {
	_, ok := errors.AsType[*sparse.NotPositiveError](err)
	return ok
}

// parentsOf describes the linear elements inside a Tet10 mesh: for every node
// the two vertices (numbered densely) whose mean places it, the node of every
// vertex, and the four vertices of every element.
func (s *system) parentsOf() (parents [][2]int32, vertex, corner []int32) {
	dense := make([]int32, s.n)
	for i := range dense {
		dense[i] = -1
	}
	for e := range s.elems {
		for _, v := range s.conn[e*s.k : e*s.k+4] {
			dense[v] = 0
		}
	}
	for v, d := range dense {
		if d == 0 {
			dense[v] = int32(len(vertex))
			vertex = append(vertex, int32(v))
		}
	}
	for v := range dense { // a node without element is its own vertex
		if s.adjPtr[v] == s.adjPtr[v+1] {
			dense[v] = int32(len(vertex))
			vertex = append(vertex, int32(v))
		}
	}
	parents = make([][2]int32, s.n)
	for v, d := range dense {
		if d >= 0 {
			parents[v] = [2]int32{d, d}
		}
	}
	corner = make([]int32, 0, 4*s.elems)
	for e := range s.elems {
		c := s.conn[e*s.k : (e+1)*s.k]
		for _, v := range c[:4] {
			corner = append(corner, dense[v])
		}
		for i, v := range c[4:] {
			ends := mesh.TetEdges[i]
			parents[v] = [2]int32{dense[c[ends[0]]], dense[c[ends[1]]]}
		}
	}
	return parents, vertex, corner
}
