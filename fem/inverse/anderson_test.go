package inverse

import (
	"math"
	"math/rand/v2"
	"testing"
)

// On an affine map in n dimensions, with a window of n, the mixture is that of
// GMRES: exact after n + 1 evaluations (Walker & Ni 2011, theorem 2.2), growing
// modes or not.
func TestAndersonAffine(t *testing.T) {
	rates := []float64{-1.4, -0.3, 0.2, 0.9, 1.5} // of the plain iteration
	n := len(rates)
	rng := rand.New(rand.NewPCG(11, 0))
	x, want := make([]float64, n), make([]float64, n)
	for i := range want {
		want[i] = rng.NormFloat64()
	}
	correction := func(x []float64) []float64 {
		f := make([]float64, n)
		for i := range f {
			f[i] = (rates[i] - 1) * (x[i] - want[i])
		}
		return f
	}
	a := anderson{window: n}
	f, s := correction(x), make([]float64, n)
	for range n + 1 {
		a.step(s, f)
		next := make([]float64, n)
		for i := range next {
			next[i] = x[i] + s[i]
		}
		g := correction(next)
		dx, df := append([]float64(nil), next...), append([]float64(nil), g...)
		axpy(dx, -1, x)
		axpy(df, -1, f)
		a.learn(dx, df)
		x, f = next, g
	}
	if d := math.Sqrt(dot(f, f)); d > 1e-8 {
		t.Errorf("still %g off after %d evaluations", d, n+2)
	}
}

// Columns that repeat each other are dropped, and the window holds.
func TestAndersonFilter(t *testing.T) {
	a := anderson{window: 3}
	s := make([]float64, 4)
	for i := range 6 {
		a.learn([]float64{1, 0, 0, float64(i)}, []float64{1, 2, 3, 4})
	}
	a.step(s, []float64{1, 1, 1, 1})
	if a.kept != 1 || len(a.df) != 1 || a.dx[0][3] != 5 {
		t.Errorf("%d columns kept, %v", a.kept, a.dx)
	}
	a.learn([]float64{0, 0, 0, 0}, []float64{0, 0, 0, 0})
	a.step(s, []float64{1, 1, 1, 1})
	for _, v := range s {
		if !finite(v) {
			t.Fatalf("step %v", s)
		}
	}
	if a.kept != 1 {
		t.Errorf("a column of zeros was kept")
	}
	plain := anderson{window: -1}
	plain.learn([]float64{1}, []float64{1})
	if plain.step(s[:1], []float64{7}); s[0] != 7 || plain.kept != 0 {
		t.Errorf("without a window the step is %g", s[0])
	}
}
