package dense

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func ExampleWork_LDL() {
	a := []float64{ // columns of a symmetric matrix with eigenvalues −1 and 3
		1, 2,
		2, 1,
	}
	var w Work[float64]
	negative, err := w.LDL(2, a, 2)
	fmt.Println(negative, err, a[0], a[1], a[3])
	// Output: 1 <nil> 1 2 -3
}

func ExampleWork_Gemm() {
	c := make([]float64, 4)
	var w Work[float64]
	w.Gemm(2, 2, 1, []float64{1, 2}, 2, []float64{3, 4}, 2, c, 2) // C −= a·bᵀ
	fmt.Println(c)
	// Output: [-3 -6 -4 -8]
}

var factorSizes = []int{0, 1, 2, 5, 8, 13, 24, 47, 100, 192, 193, 250}

func TestPotrfAndLDLGiveBackTheMatrix(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		factorContract[float64](t, 1e-14)
		factorContract[float32](t, 1e-5)
	})
}

func factorContract[T Float](t *testing.T, tol float64) {
	rng := rand.New(rand.NewPCG(11, 1))
	var w Work[T]
	for _, n := range factorSizes {
		for _, form := range []Form{LLT, LDL} {
			p := newProblem[T](rng, n, 0, form == LDL)
			lda := n + 3
			a := random[T](rng, lda*max(n, 1))
			for j := range n {
				copy(a[j*lda:], p.a[j*n:(j+1)*n])
			}
			before := slices.Clone(a)
			var err error
			negative, want := 0, 0
			if form == LLT {
				err = w.Potrf(n, a, lda)
			} else {
				negative, err = w.LDL(n, a, lda)
			}
			if err != nil {
				t.Fatal(err)
			}
			for j := range n {
				if form == LDL && a[j*lda+j] < 0 {
					want++
				}
				for i := range n {
					if i < j {
						if a[j*lda+i] != before[j*lda+i] {
							t.Fatalf("%T %d: the upper triangle changed", a[0], n)
						}
						continue
					}
					var s float64
					for c := range j + 1 {
						x, y, d := float64(a[c*lda+i]), float64(a[c*lda+j]), 1.0
						if form == LDL {
							d = float64(a[c*lda+c])
							if c == i {
								x = 1
							}
							if c == j {
								y = 1
							}
						}
						s += x * d * y
					}
					if e := math.Abs(s - float64(before[j*lda+i])); !(e <= tol*float64(3*n)) {
						t.Fatalf("%T form %d, n = %d: entry %d, %d is off by %g", a[0], form, n, i, j, e)
					}
				}
			}
			if negative != want {
				t.Errorf("%T n = %d: %d negative pivots, D has %d", a[0], n, negative, want)
			}
		}
	}
}

func TestTrsmUndoesTheProduct(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		trsmContract[float64](t, 1e-13)
		trsmContract[float32](t, 1e-4)
	})
}

func trsmContract[T Float](t *testing.T, tol float64) {
	rng := rand.New(rand.NewPCG(12, 1))
	var w Work[T]
	for _, n := range factorSizes {
		m := rng.IntN(60)
		ldl, ldb := n+2, m+1
		l, x := random[T](rng, ldl*max(n, 1)), random[T](rng, ldb*max(n, 1))
		for j := range n {
			for i := range n {
				l[j*ldl+i] /= T(n)
			}
			l[j*ldl+j] = 1 + T(rng.Float64())
		}
		b := slices.Clone(x)
		for j := range n {
			for i := range m {
				var s float64
				for p := range j + 1 {
					s += float64(x[p*ldb+i]) * float64(l[p*ldl+j])
				}
				b[j*ldb+i] = T(s)
			}
		}
		w.Trsm(m, n, l, ldl, b, ldb)
		for i := range b {
			if math.Abs(float64(b[i]-x[i])) > tol*10 {
				t.Fatalf("%T m = %d, n = %d: number %d is %g, want %g", b[0], m, n, i, b[i], x[i])
			}
		}
	}
}

func TestFactorsAgreeToTheBitBetweenKernels(t *testing.T) {
	const n, m = 230, 70
	var want []float64
	withKernels(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(13, 1))
		p := newProblem[float64](rng, n, 0, false)
		var w Work[float64]
		if err := w.Potrf(n, p.a, n); err != nil {
			t.Fatal(err)
		}
		b := random[float64](rng, m*n)
		w.Trsm(m, n, p.a, n, b, m)
		got := append(p.a, b...)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Error("other bits")
		}
	})
}

func TestPotrfRefusesAndKeepsTheMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 1))
	p := newProblem[float64](rng, 40, 0, false)
	p.a[17*40+17] = -2
	before := slices.Clone(p.a)
	var w Work[float64]
	err := w.Potrf(40, p.a, 40)
	if e, ok := errors.AsType[*PivotError](err); !ok || e.Column != 17 || !slices.Equal(p.a, before) {
		t.Errorf("got %v", err)
	}
	p.a[17*40+17] = math.NaN()
	if _, err := w.LDL(40, p.a, 40); err == nil {
		t.Error("LDL took NaN")
	}
	if _, ok := errors.AsType[*UnknownKernelError](Use("vax")); !ok {
		t.Error("Use takes any name")
	}
}
