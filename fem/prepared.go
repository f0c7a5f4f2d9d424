package fem

import (
	"context"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// Prepared answers one linear model for many loads: the stiffness at rest is
// factored once, and every load costs a solve with it. For a model whose laws are all material.Linear the answer is that of
// Solve; for others it is the first, linear part of it. One goroutine at a
// time.
type Prepared struct {
	sys  *system
	m    *sparse.BSR3
	chol *sparse.Cholesky
	cg   sparse.CG
	u, b []float64
}

// Prepare factors the stiffness of m at rest. m's own loads and motions must be
// zero motions: supports. Errors as Solve; *MemoryError when the factor is
// above limit bytes (0: no limit).
func Prepare(ctx context.Context, m *Model, limit int64) (*Prepared, error) {
	s, err := Settings{}.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	for i, p := range m.Prescribed {
		if p.ValueMM != 0 {
			return nil, badInput("Prescribed", "entry %d moves node %d by %g mm; a prepared model is held still where it is held", i, p.Node, p.ValueMM)
		}
	}
	sys, err := newSystem(m, s)
	if err != nil {
		return nil, err
	}
	p := &Prepared{sys: sys, m: sparse.NewBSR3(sys.n, sys.conn, sys.k, sys.couplings()...)}
	if p.chol, err = sparse.NewCholeskyCtx(ctx, p.m, sparse.CholeskyConfig{}); err != nil {
		return nil, err
	}
	if need := p.chol.Bytes() + p.m.Bytes(); limit > 0 && need > limit {
		return nil, &MemoryError{NeedBytes: need, LimitBytes: limit}
	}
	p.m.Zero()
	p.u, p.b = make([]float64, 3*sys.n), make([]float64, 3*sys.n)
	sys.internal(p.b, p.u)
	sys.tangent(p.m, sys.positions(p.m), p.u)
	p.m.Constrain(sys.fixed)
	return p, p.chol.Factor(ctx, p.m)
}

// Solve writes the displacement per node under the loads, mm, into u, and
// returns ‖R‖/‖F‖, at most tol (0 means 1e-6).
func (p *Prepared) Solve(ctx context.Context, u []r3.Vec, loads *LoadCase, tol float64) (residual float64, err error) {
	if tol == 0 {
		tol = 1e-6
	}
	if len(u) != p.sys.n {
		panic("fem: Solve into a vector of another length")
	}
	if err := p.sys.deadLoads(loads); err != nil {
		return 0, err
	}
	for i, f := range p.sys.fixed {
		p.b[i] = 0
		if !f {
			p.b[i] = p.sys.extTo[i]
		}
	}
	r, err := p.cg.Solve(ctx, p.m, p.chol, p.u, p.b, sparse.Settings{Tol: tol, MaxIter: 200})
	if err != nil {
		return r.Residual, err
	}
	if r.Stop != sparse.Converged {
		return r.Residual, &NotConvergedError{Iter: r.Iter, Residual: r.Residual, Reason: "the linear solve failed (" + r.Stop.String() + ")"}
	}
	for v := range u {
		u[v] = r3.Vec{X: p.u[3*v], Y: p.u[3*v+1], Z: p.u[3*v+2]}
	}
	return r.Residual, nil
}
