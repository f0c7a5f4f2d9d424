package sparse

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"halsted/internal/dense"
)

// spring makes the matrix of a block of linear tetrahedra-like cells joined by
// springs along all edges of the pattern: stiffness k·n·nᵀ in direction n. It is
// symmetric positive semidefinite with the six rigid motions in its kernel; the
// nodes of the face x = 0 are held when fixed.
func spring(a, b, c int, fixed bool) *BSR3 {
	m := brick(a, b, c, 1)
	clear(m.Val)
	place := func(i int32) (x [3]float64) {
		n := int32(a + 1)
		p := int32(b + 1)
		jitter := rand.New(rand.NewPCG(uint64(i), 5))
		for k, v := range []int32{i % n, i / n % p, i / n / p} {
			x[k] = float64(v) + 0.1*jitter.Float64()
		}
		return x
	}
	for i := range int32(m.N) {
		for p := m.RowPtr[i]; p < m.RowPtr[i+1]; p++ {
			j := m.Col[p]
			if i == j {
				continue
			}
			x, y := place(i), place(j)
			var d [3]float64
			l := 0.0
			for k := range d {
				d[k] = y[k] - x[k]
				l += d[k] * d[k]
			}
			for r := range 3 {
				for q := range 3 {
					v := d[r] * d[q] / l
					m.Val[9*p+int32(3*r+q)] -= v
					m.Val[9*m.Diag[i]+int32(3*r+q)] += v
				}
			}
		}
	}
	if fixed {
		hold := make([]bool, 3*m.N)
		for i := 0; i < m.N; i += a + 1 {
			hold[3*i], hold[3*i+1], hold[3*i+2] = true, true, true
		}
		m.Constrain(hold)
	}
	return m
}

// shift subtracts s from the diagonal.
func (m *BSR3) shift(s float64) {
	for i := range m.N {
		for r := range int32(3) {
			m.Val[9*m.Diag[i]+4*r] -= s
		}
	}
}

func residual(m *BSR3, x, b []float64) float64 {
	r := make([]float64, len(b))
	m.MulVec(r, x)
	return distance(r, b)
}

func factored(t *testing.T, m *BSR3, config CholeskyConfig) *Cholesky {
	t.Helper()
	c := NewCholeskyWith(m, config)
	if err := c.Factor(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	return c
}

var everyConfig = []CholeskyConfig{{}, {Precision: Single}, {Indefinite: true}, {Precision: Single, Indefinite: true}}

func TestEveryFactorSolves(t *testing.T) {
	m := spring(8, 6, 7, true)
	b := random(3*m.N, 2)
	for _, config := range everyConfig {
		c := factored(t, m, config)
		x := make([]float64, len(b))
		c.Solve(x, b)
		limit := 1e-12
		if config.Precision == Single {
			limit = 2e-4
		}
		if r := residual(m, x, b); !(r < limit) {
			t.Errorf("%+v: residual %g", config, r)
		}
		res, err := c.Refine(context.Background(), m, x, b, 1e-13, 10)
		if r := residual(m, x, b); err != nil || !res.Reached || math.Abs(r-res.Residual) > 1e-14 || r > 1e-13 {
			t.Errorf("%+v refined: %+v, %v, residual %g", config, res, err, r)
		}
		if c.Negative() != 0 {
			t.Errorf("%+v: %d negative pivots in a positive definite matrix", config, c.Negative())
		}
	}
}

func TestScaleOfARightSideDoesNotMatterInSingle(t *testing.T) {
	m := spring(4, 4, 4, true)
	c := factored(t, m, CholeskyConfig{Precision: Single})
	b := random(3*m.N, 3)
	x, y := make([]float64, len(b)), make([]float64, len(b))
	c.Solve(x, b)
	const far = 0x1p-200 // below the smallest float32
	for i := range b {
		b[i] *= far
	}
	c.Solve(y, b)
	for i := range y {
		if y[i] != x[i]*far {
			t.Fatalf("entry %d: %g, want %g", i, y[i], x[i]*far)
		}
	}
}

func TestManyRightSidesHaveTheBitsOfOne(t *testing.T) {
	m := spring(7, 9, 6, true)
	for _, config := range everyConfig {
		c := factored(t, m, config)
		var b, x [][]float64
		for i := range 11 {
			b = append(b, random(3*m.N, uint64(i)))
			x = append(x, make([]float64, 3*m.N))
		}
		c.SolveMany(x, b)
		y := make([]float64, 3*m.N)
		for i := range b {
			c.Solve(y, b[i])
			if !slices.Equal(y, x[i]) {
				t.Fatalf("%+v: right side %d has other bits among others", config, i)
			}
		}
		c.SolveMany(b, b)
		if !slices.EqualFunc(b, x, slices.Equal) {
			t.Errorf("%+v: in place gives other bits", config)
		}
	}
}

// Sylvester: K − s·1 has as many negative pivots as K has eigenvalues below s.
// The eigenvalues of a chain of n equal springs along x, held at one end, are
// 2 − 2·cos((2k−1)π/(2n+1)).
func TestNegativePivotsCountEigenvalues(t *testing.T) {
	const n = 40
	conn := make([]int32, 0, 2*n)
	for i := range int32(n - 1) {
		conn = append(conn, i, i+1)
	}
	for _, s := range []float64{-0.1, 0.001, 0.3, 1.7, 3.9, 5} {
		m := NewBSR3(n, conn, 2)
		m.Zero()
		for i := range n {
			for r := range int32(3) {
				d := 2.0
				if i == n-1 {
					d = 1
				}
				m.Val[9*m.Diag[i]+4*r] = d - s
				if i > 0 {
					m.Val[9*m.Index(int32(i), int32(i-1))+4*r] = -1
					m.Val[9*m.Index(int32(i-1), int32(i))+4*r] = -1
				}
			}
		}
		want := 0
		for k := 1; k <= n; k++ {
			if 2-2*math.Cos(float64(2*k-1)*math.Pi/(2*n+1)) < s {
				want += 3 // one for each axis
			}
		}
		for _, p := range []Precision{Double, Single} {
			c := factored(t, m, CholeskyConfig{Indefinite: true, Precision: p})
			if got := c.Negative(); got != want {
				t.Errorf("shift %g, precision %d: %d negative pivots, want %d", s, p, got, want)
			}
		}
	}
}

func TestIndefiniteMatrixIsSolved(t *testing.T) {
	m := spring(7, 6, 5, true)
	m.shift(0.9)
	b, x := random(3*m.N, 9), make([]float64, 3*m.N)
	c := factored(t, m, CholeskyConfig{Indefinite: true})
	if c.Negative() == 0 {
		t.Fatal("the shift left the matrix positive definite: the test shows nothing")
	}
	if _, ok := errors.AsType[*NotPositiveError](NewCholesky(m).Factor(context.Background(), m)); !ok {
		t.Error("L·Lᵀ took an indefinite matrix")
	}
	if res, err := c.Refine(context.Background(), m, x, b, 1e-12, 5); err != nil || !res.Reached {
		t.Errorf("%+v, %v", res, err)
	}
	if r := residual(m, x, b); r > 1e-12 {
		t.Errorf("residual %g", r)
	}
}

func TestFreeBodyIsRefused(t *testing.T) {
	m := spring(5, 5, 5, false)
	for _, p := range []Precision{Double, Single} {
		err := NewCholeskyWith(m, CholeskyConfig{Indefinite: true, Precision: p}).Factor(context.Background(), m)
		e, ok := errors.AsType[*ZeroPivotError](err)
		if !ok || e.Node < 0 || int(e.Node) >= m.N || e.Axis < 0 || e.Axis > 2 {
			t.Errorf("precision %d: a body that can move freely gave %v", p, err)
		}
	}
	// A node that nothing holds.
	m = spring(3, 3, 3, true)
	for p := m.RowPtr[21]; p < m.RowPtr[22]; p++ {
		j := m.Col[p]
		clear(m.Val[9*p : 9*p+9])
		q := m.Index(j, 21)
		clear(m.Val[9*q : 9*q+9])
	}
	err := NewCholeskyWith(m, CholeskyConfig{Indefinite: true}).Factor(context.Background(), m)
	if e, ok := errors.AsType[*ZeroPivotError](err); !ok || e.Node != 21 || e.Axis != 0 || e.Pivot != 0 {
		t.Errorf("a node without stiffness gave %v", err)
	}
	m.Val[9*m.Diag[20]] = math.NaN()
	for _, config := range everyConfig {
		if err := NewCholeskyWith(m, config).Factor(context.Background(), m); err == nil {
			t.Errorf("%+v took NaN", config)
		}
	}
}

func TestFactorHasTheSameBitsForAnyKernelAndCoreCount(t *testing.T) {
	before := dense.Kernel()
	defer func() {
		if err := dense.Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	m := spring(9, 8, 7, true)
	b := random(3*m.N, 3)
	for _, config := range everyConfig {
		var want []float64
		for _, id := range dense.Kernels() {
			if err := dense.Use(id); err != nil {
				t.Fatal(err)
			}
			for _, procs := range []int{1, 2, 7} {
				old := runtime.GOMAXPROCS(procs)
				x := make([]float64, len(b))
				factored(t, m, config).Solve(x, b)
				runtime.GOMAXPROCS(old)
				if want == nil {
					want = x
				}
				if !slices.Equal(x, want) {
					t.Errorf("%+v, kernel %s, GOMAXPROCS %d: other bits", config, id, procs)
				}
				if id == "portable" {
					break // slow
				}
			}
		}
	}
}

func TestKernelMayChangeBetweenFactors(t *testing.T) {
	before := dense.Kernel()
	defer func() {
		if err := dense.Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	m := spring(4, 5, 4, true)
	b := random(3*m.N, 3)
	c := NewCholesky(m)
	var want []float64
	for _, id := range dense.Kernels() {
		if err := dense.Use(id); err != nil {
			t.Fatal(err)
		}
		if err := c.Factor(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		x := make([]float64, len(b))
		c.Solve(x, b)
		if want == nil {
			want = x
		}
		if !slices.Equal(x, want) {
			t.Errorf("kernel %s: other bits", id)
		}
	}
}

// Bytes promises what is allocated, within what the runtime rounds up.
func TestBytesIsWhatFactorAllocates(t *testing.T) {
	m := spring(12, 12, 12, true)
	b, x := random(3*m.N, 1), make([]float64, 3*m.N)
	for _, config := range everyConfig {
		c := NewCholeskyWith(m, config)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := c.Factor(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		c.Solve(x, b)
		runtime.ReadMemStats(&after)
		got, want := int64(after.TotalAlloc-before.TotalAlloc), c.Bytes()
		if got > want+want/20+1<<16 || got < want/2 {
			t.Errorf("%+v: %d bytes allocated, %d promised", config, got, want)
		}
		runtime.ReadMemStats(&before)
		if err := c.Factor(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if again := int64(after.TotalAlloc - before.TotalAlloc); again > want/20 {
			t.Errorf("%+v: a second Factor allocates %d bytes", config, again)
		}
	}
}

// countdown is done after so many questions.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// A front that alone takes seconds asks its context often enough: between two
// questions less than 2e8 multiply-adds, some ten milliseconds.
func TestFactorStopsInsideALargeFront(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	m := spring(11, 11, 11, true)
	c := NewCholesky(m)
	ask := &countdown{Context: context.Background(), left: 1 << 40}
	if err := c.Factor(ask, m); err != nil {
		t.Fatal(err)
	}
	asked := 1<<40 - ask.left
	if largest := c.Flops() / int64(asked); largest > 2e6 {
		t.Errorf("asked %d times in %d multiply-adds", asked, c.Flops())
	}
	for _, n := range []int{0, 1, asked / 3, asked - 1} {
		if err := c.Factor(&countdown{Context: context.Background(), left: n}, m); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at question %d of %d: %v", n, asked, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if err := c.Factor(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	if _, err := NewCholeskyCtx(ctx, m, CholeskyConfig{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline in the analysis: %v", err)
	}
	if err := c.Factor(context.Background(), m); err != nil { // usable afterwards
		t.Error(err)
	}
}
