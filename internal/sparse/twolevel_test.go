package sparse

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// chain is a row of m springs with mid nodes: vertices are the even nodes, and
// the 3×3 coupling is positive definite. Node 0 is held.
func chain(m int) (a *BSR3, two *TwoLevel, fixed []bool) {
	n := 2*m + 1
	var conn, corner, vertex []int32
	parents := make([][2]int32, n)
	for i := range int32(n) {
		parents[i] = [2]int32{i / 2, (i + 1) / 2}
		if i > 0 {
			conn = append(conn, i-1, i)
		}
		if i%2 == 0 {
			vertex = append(vertex, i)
		} else {
			corner = append(corner, i/2, i/2+1, i/2, i/2+1)
		}
	}
	a = NewBSR3(n, conn, 2)
	a.Zero()
	k := [9]float64{2, .5, 0, .5, 3, -.2, 0, -.2, 1}
	for i := 1; i < n; i++ {
		for q, v := range k {
			a.Val[9*int(a.Diag[i])+q] += v
			a.Val[9*int(a.Diag[i-1])+q] += v
			a.Val[9*int(a.Index(int32(i), int32(i-1)))+q] -= v
			a.Val[9*int(a.Index(int32(i-1), int32(i)))+q] -= v
		}
	}
	fixed = make([]bool, 3*n)
	fixed[0], fixed[1], fixed[2] = true, true, true
	a.Constrain(fixed)
	return a, NewTwoLevel(a, parents, vertex, corner, nil, fixed), fixed
}

// With the coarse level the iterations do not grow with the size, without it
// they grow in proportion to the length.
func TestTwoLevelDoesNotSeeTheSize(t *testing.T) {
	for _, m := range []int{20, 200, 2000} {
		a, two, fixed := chain(m)
		two.Update()
		if err := two.Factor(context.Background()); err != nil {
			t.Fatal(err)
		}
		b, x, r := random(3*a.N, 5), make([]float64, 3*a.N), make([]float64, 3*a.N)
		for i, f := range fixed {
			if f {
				b[i] = 0
			}
		}
		var cg CG
		res, err := cg.Solve(context.Background(), a, two, x, b, Settings{Tol: 1e-8})
		if err != nil || res.Stop != Converged || res.Iter > 14 {
			t.Errorf("%d springs: %+v, %v", m, res, err)
		}
		a.MulVec(r, x)
		if e := distance(r, b); e > 1e-7 {
			t.Errorf("%d springs: true residual %g", m, e)
		}
		if m == 200 {
			j := NewJacobi(a.N)
			j.Update(a)
			if res, _ := cg.Solve(context.Background(), a, j, x, b, Settings{Tol: 1e-8}); res.Iter < 100 {
				t.Errorf("block Jacobi alone took %d iterations: the test shows nothing", res.Iter)
			}
		}
	}
}

func TestTwoLevelIsSymmetricAndPositive(t *testing.T) {
	a, two, fixed := chain(50)
	two.Update()
	if err := two.Factor(context.Background()); err != nil {
		t.Fatal(err)
	}
	mx, my := make([]float64, 3*a.N), make([]float64, 3*a.N)
	for seed := range uint64(10) {
		x, y := random(3*a.N, seed), random(3*a.N, seed+100)
		for i, f := range fixed {
			if f {
				x[i], y[i] = 0, 0
			}
		}
		two.Apply(mx, x)
		two.Apply(my, y)
		xmy, ymx, xmx := Dot(x, my), Dot(y, mx), Dot(x, mx)
		if math.Abs(xmy-ymx) > 1e-5*xmx { // float32 smoother
			t.Errorf("x·My = %v, y·Mx = %v", xmy, ymx)
		}
		if !(xmx > 0) {
			t.Errorf("x·Mx = %v", xmx)
		}
	}
}

// A matrix far from the one before: the smoother is that of a fresh start.
func TestTwoLevelForgetsAWildMatrix(t *testing.T) {
	a, two, _ := chain(50)
	two.Update()
	fresh := two.lambda
	tame := slices.Clone(a.Val)
	for _, j := range []int32{40, 42} { // one node pulls ten times too hard at its neighbours
		for q := range 9 {
			a.Val[9*int(a.Index(41, j))+q] *= 10
			a.Val[9*int(a.Index(j, 41))+q] *= 10
		}
	}
	for range 10 {
		two.Update()
	}
	if !(two.lambda > 2*fresh) {
		t.Fatalf("the wild matrix has an eigenvalue of %g, the tame one of %g: the test shows nothing", two.lambda, fresh)
	}
	copy(a.Val, tame)
	two.Restart()
	two.Update()
	if two.lambda != fresh {
		t.Errorf("largest eigenvalue %v after a wild matrix, %v before", two.lambda, fresh)
	}
}

func TestTwoLevelSameBitsForAnyCoreCount(t *testing.T) {
	run := func(procs int) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		a, two, _ := chain(1500)
		two.Update()
		if err := two.Factor(context.Background()); err != nil {
			t.Fatal(err)
		}
		y := make([]float64, 3*a.N)
		two.Apply(y, random(3*a.N, 1))
		return y
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if !slices.Equal(run(procs), want) {
			t.Errorf("GOMAXPROCS %d gives other bits than 1", procs)
		}
	}
}

// The assembly and the portable row product agree to the bit.
func TestRowKernelMatchesThePortableOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 2, 5, 31} {
		val, x := make([]float32, 9*n+1), make([]float32, 300)
		for i := range val {
			val[i] = float32(rng.NormFloat64())
		}
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		val[9*n] = float32(math.NaN()) // past the end: must not matter
		col := make([]int32, n)
		for i := range col {
			col[i] = rng.Int32N(100)
		}
		a0, a1, a2 := row32(val, col, x)
		b0, b1, b2 := rowPortable(val, col, x)
		if a0 != b0 || a1 != b1 || a2 != b2 {
			t.Errorf("%d blocks: %v %v %v, portable %v %v %v", n, a0, a1, a2, b0, b1, b2)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	m := brick(20, 20, 20, 1)
	val, x := make([]float32, len(m.Val)+1), make([]float32, 3*m.N)
	for i, v := range m.Val {
		val[i] = float32(v)
	}
	for _, k := range []struct {
		name string
		f    func(val []float32, col []int32, x []float32) (y0, y1, y2 float32)
	}{{"native", row32}, {"portable", rowPortable}} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				for i := range m.N {
					lo, hi := m.RowPtr[i], m.RowPtr[i+1]
					k.f(val[9*lo:9*hi+1], m.Col[lo:hi], x)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(m.Col)), "ns/block")
		})
	}
}
