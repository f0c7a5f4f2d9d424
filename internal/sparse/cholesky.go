package sparse

import (
	"context"
	"fmt"

	"halsted/internal/dense"
)

// Precision is the type of number a factor is made and kept in.
type Precision uint8

// The precisions. Single halves memory and time; a solution has about six
// digits less than the condition of the matrix leaves, which Refine or a
// preconditioned iteration in float64 makes good.
const (
	Double Precision = iota // float64
	Single                  // float32
)

// CholeskyConfig chooses the kind of factor. The zero value is L·Lᵀ in
// float64.
type CholeskyConfig struct {
	Precision  Precision
	Indefinite bool // L·D·Lᵀ: the matrix is symmetric with pivots of either sign
}

// Cholesky is the factor of a symmetric BSR3, L·Lᵀ of a positive definite
// matrix or L·D·Lᵀ of an indefinite one, by the multifrontal method on
// supernodes (Liu 1992). Analyse once per pattern, Factor as often as the
// values change.
type Cholesky struct {
	sym    *symbolic
	config CholeskyConfig
	plan   *plan
	num    numeric // nil until Factor
}

// numeric is the part of a factor that depends on the type of number.
type numeric interface {
	factor(ctx context.Context, a *BSR3) (negative int, err error)
	solve(x, b [][]float64)
	negative() int
}

// NotPositiveError says that a pivot was not positive.
type NotPositiveError struct {
	Node  int32 // block row of the matrix
	Axis  int
	Pivot float64
}

func (e *NotPositiveError) Error() string {
	return fmt.Sprintf("sparse: matrix is not positive definite: pivot %g at node %d, axis %d", e.Pivot, e.Node, e.Axis)
}

// ZeroPivotError says that a pivot of an indefinite matrix was zero to
// rounding: the matrix is singular, or singular before the nodes eliminated
// after this one are joined to it.
type ZeroPivotError struct {
	Node  int32 // block row of the matrix
	Axis  int
	Pivot float64
}

func (e *ZeroPivotError) Error() string {
	return fmt.Sprintf("sparse: matrix is singular or needs another order of elimination: pivot %g at node %d, axis %d", e.Pivot, e.Node, e.Axis)
}

// NewCholesky analyses the pattern of a for L·Lᵀ in float64. Nothing numeric
// is allocated yet: Bytes and Flops say what Factor will need.
func NewCholesky(a *BSR3) *Cholesky { return NewCholeskyWith(a, CholeskyConfig{}) }

// NewCholeskyWith is NewCholesky with a choice.
func NewCholeskyWith(a *BSR3, config CholeskyConfig) *Cholesky {
	c, _ := NewCholeskyCtx(context.Background(), a, config) // fails with the context alone
	return c
}

// NewCholeskyCtx is NewCholeskyWith for patterns whose analysis takes long. It
// fails with the error of ctx.
func NewCholeskyCtx(ctx context.Context, a *BSR3, config CholeskyConfig) (*Cholesky, error) {
	s, err := analyseCtx(ctx, a.N, a.RowPtr, a.Col)
	if err != nil {
		return nil, err
	}
	return &Cholesky{sym: s, config: config, plan: newPlan(s, config)}, nil
}

// Bytes is the memory of the factor, of the fronts and waiting updates while
// it is made, which are kept for the next Factor, and of the scratch of a
// solve with one right side (SolveMany takes that scratch up to eight times). It
// is exact but for the number of cores, which it takes as it is now.
func (c *Cholesky) Bytes() int64 { return c.plan.bytes() }

// Flops is the number of multiply-adds of one Factor.
func (c *Cholesky) Flops() int64 { return c.sym.work }

// Factor computes the factor for the values of a, which has the pattern given
// to NewCholesky. It fails with *NotPositiveError, with *ZeroPivotError
// (Indefinite only), or with the error of ctx, which is checked at every
// supernode and, in large ones, about every millisecond; then Solve must not
// be called. The kernels must not be changed (dense.Use) while it runs.
func (c *Cholesky) Factor(ctx context.Context, a *BSR3) error {
	if a.N != c.sym.n {
		panic("sparse: Factor of a matrix with another pattern")
	}
	if c.plan.kernel != dense.Kernel() {
		c.plan, c.num = newPlan(c.sym, c.config), nil
	}
	if c.num == nil {
		if c.config.Precision == Single {
			c.num = newEngine[float32](c.sym, c.plan, c.config)
		} else {
			c.num = newEngine[float64](c.sym, c.plan, c.config)
		}
	}
	_, err := c.num.factor(ctx, a)
	return err
}

// Negative is the number of negative pivots of the last Factor: by Sylvester's
// law of inertia, of negative eigenvalues. It is 0 unless Indefinite.
func (c *Cholesky) Negative() int {
	if c.num == nil {
		return 0
	}
	return c.num.negative()
}

// Solve writes A⁻¹·b into x; they may be the same slice. It uses scratch space
// of c: one goroutine at a time.
func (c *Cholesky) Solve(x, b []float64) { c.num.solve([][]float64{x}, [][]float64{b}) }

// SolveMany writes A⁻¹·b[i] into x[i], which may be the same slice, for
// several right sides: the factor is read once for every eight of them. Each
// solution has the bits Solve gives.
func (c *Cholesky) SolveMany(x, b [][]float64) {
	if len(x) != len(b) {
		panic(fmt.Sprintf("sparse: SolveMany of %d right sides into %d solutions", len(b), len(x)))
	}
	for i := 0; i < len(b); i += panelWidth {
		e := min(len(b), i+panelWidth)
		c.num.solve(x[i:e], b[i:e])
	}
}
