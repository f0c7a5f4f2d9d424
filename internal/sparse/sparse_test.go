package sparse

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// brick makes the pattern of an a×b×c grid of eight-node cells and fills it
// with a symmetric positive definite matrix: random coupling, dominant diagonal.
func brick(a, b, c int, seed uint64) *BSR3 {
	id := func(i, j, k int) int32 { return int32(i + (a+1)*(j+(b+1)*k)) }
	var conn []int32
	for k := range c {
		for j := range b {
			for i := range a {
				for d := range 8 {
					conn = append(conn, id(i+d&1, j+d>>1&1, k+d>>2))
				}
			}
		}
	}
	m := NewBSR3((a+1)*(b+1)*(c+1), conn, 8)
	m.Zero()
	rng := rand.New(rand.NewPCG(seed, 7))
	for i := range m.N {
		for p := m.RowPtr[i]; p < m.RowPtr[i+1]; p++ {
			j := m.Col[p]
			if int(j) > i {
				continue
			}
			t := m.Index(j, int32(i))
			for r := range 3 {
				for q := range 3 {
					v := rng.NormFloat64()
					m.Val[9*p+int32(3*r+q)] = v
					m.Val[9*t+int32(3*q+r)] = v
				}
			}
		}
	}
	for i := range m.N {
		for r := range 3 {
			var sum float64
			for p := m.RowPtr[i]; p < m.RowPtr[i+1]; p++ {
				for q := range 3 {
					sum += math.Abs(m.Val[9*p+int32(3*r+q)])
				}
			}
			m.Val[9*m.Diag[i]+int32(4*r)] += 1.05 * sum
		}
		// the diagonal block was made row by row: make it symmetric
		d := m.Val[9*m.Diag[i] : 9*m.Diag[i]+9]
		d[1], d[2], d[5] = d[3], d[6], d[7]
	}
	return m
}

func random(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func distance(a, b []float64) float64 {
	d := slices.Clone(a)
	AXPY(d, -1, b)
	return math.Sqrt(Dot(d, d) / Dot(b, b))
}

func ExampleCholesky() {
	m := NewBSR3(2, []int32{0, 1}, 2) // two coupled nodes
	m.Zero()
	for i := range 2 {
		for r := range 3 {
			m.Val[9*m.Diag[i]+int32(4*r)] = 2
			m.Val[9*m.Index(int32(i), int32(1-i))+int32(4*r)] = -1
		}
	}
	c := NewCholesky(m)
	if err := c.Factor(context.Background(), m); err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float64, 6)
	c.Solve(x, []float64{1, 1, 1, 0, 0, 0})
	fmt.Printf("%.4f %.4f\n", x[0], x[3])
	// Output: 0.6667 0.3333
}

func TestCholeskySolvesItsOwnProduct(t *testing.T) {
	for _, size := range [][3]int{{1, 1, 1}, {1, 1, 9}, {2, 3, 4}, {7, 6, 8}} {
		m := brick(size[0], size[1], size[2], 3)
		c := NewCholesky(m)
		if !slices.Equal(sorted(c.sym.order), iota32(m.N)) {
			t.Fatalf("%v: the order is not a permutation", size)
		}
		for round := range 2 { // the analysis is used twice
			if err := c.Factor(context.Background(), m); err != nil {
				t.Fatal(err)
			}
			want := random(3*m.N, uint64(round))
			b, x := make([]float64, 3*m.N), make([]float64, 3*m.N)
			m.MulVec(b, want)
			c.Solve(x, b)
			if e := distance(x, want); e > 1e-13 {
				t.Errorf("%v: relative error %g", size, e)
			}
			for i := range m.Val {
				m.Val[i] *= 3
			}
		}
	}
}

func iota32(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

func sorted(s []int32) []int32 { s = slices.Clone(s); slices.Sort(s); return s }

func TestIndefiniteMatrixIsRefusedByName(t *testing.T) {
	m := brick(3, 3, 3, 5)
	m.Val[9*m.Diag[17]+4] = -1
	err := NewCholesky(m).Factor(context.Background(), m)
	e, ok := errors.AsType[*NotPositiveError](err)
	if !ok || e.Node != 17 || e.Axis != 1 || !(e.Pivot < 0) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := NewCholesky(m).Factor(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPCGAgreesWithCholesky(t *testing.T) {
	m := brick(6, 6, 6, 9)
	b, x, y := random(3*m.N, 4), make([]float64, 3*m.N), make([]float64, 3*m.N)
	c := NewCholesky(m)
	if err := c.Factor(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	c.Solve(y, b)
	j := NewJacobi(m.N)
	j.Update(m)
	var cg CG
	r, err := cg.Solve(context.Background(), m, j, x, b, Settings{Tol: 1e-12})
	if err != nil || r.Stop != Converged {
		t.Fatal(r, err)
	}
	if e := distance(x, y); e > 1e-11 {
		t.Errorf("relative difference %g", e)
	}
	r, err = cg.Solve(context.Background(), m, c, x, b, Settings{Tol: 1e-12})
	if err != nil || r.Stop != Converged || r.Iter > 2 {
		t.Errorf("with an exact preconditioner: %+v, %v", r, err)
	}
}

func TestPCGReportsNegativeCurvatureAndBadNumbers(t *testing.T) {
	m := brick(2, 2, 2, 2)
	j := NewJacobi(m.N)
	j.Update(m)
	for i := range m.Val {
		m.Val[i] = -m.Val[i]
	}
	b, x := random(3*m.N, 1), make([]float64, 3*m.N)
	var cg CG
	r, err := cg.Solve(context.Background(), m, j, x, b, Settings{})
	if err != nil || r.Stop != Indefinite || !(Dot(x, b) > 0) {
		t.Errorf("%+v, %v, x·b = %v: want a direction along the gradient", r, err, Dot(x, b))
	}
	b[3] = math.NaN()
	if r, _ := cg.Solve(context.Background(), m, j, x, b, Settings{}); r.Stop != BrokenDown {
		t.Errorf("NaN: %+v", r)
	}
}

func TestConstrainKeepsTheFreePart(t *testing.T) {
	m := brick(3, 2, 2, 8)
	fixed := make([]bool, 3*m.N)
	for i := 0; i < len(fixed); i += 5 {
		fixed[i] = true
	}
	x := random(3*m.N, 2)
	free := slices.Clone(x)
	for i, f := range fixed {
		if f {
			free[i] = 0
		}
	}
	want, got := make([]float64, 3*m.N), make([]float64, 3*m.N)
	m.MulVec(want, free)
	m.Constrain(fixed)
	m.MulVec(got, x)
	for i, f := range fixed {
		switch {
		case f && !(got[i]*x[i] > 0):
			t.Fatalf("fixed entry %d: %v from %v", i, got[i], x[i])
		case !f && math.Abs(got[i]-want[i]) > 1e-12:
			t.Fatalf("free entry %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	run := func(procs int) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		m := brick(9, 8, 7, 6)
		c := NewCholesky(m)
		if err := c.Factor(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 3*m.N)
		c.Solve(x, random(3*m.N, 3))
		y := make([]float64, 3*m.N)
		m.MulVec(y, x)
		return append(y, append(x, Dot(x, y))...)
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if !slices.Equal(run(procs), want) {
			t.Errorf("GOMAXPROCS %d gives other bits than 1", procs)
		}
	}
}
