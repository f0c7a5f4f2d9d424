package register

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestSplineIsAPartitionOfUnity(t *testing.T) {
	for u := 0.0; u <= 1; u += 1.0 / 64 {
		w, d := spline(u)
		var sum, slope, mean float64
		for n := range w {
			sum += w[n]
			slope += d[n]
			mean += w[n] * float64(n-1)
		}
		if math.Abs(sum-1) > 1e-14 || math.Abs(slope) > 1e-14 || math.Abs(mean-u) > 1e-14 {
			t.Fatalf("u %g: weights sum to %g, slopes to %g, mean %g", u, sum, slope, mean)
		}
	}
}

// testMetric is a metric of two shapes, with a mask on the moving one.
func testMetric(t *testing.T, kind Metric) *metric {
	t.Helper()
	ctx := context.Background()
	v := noise(made(40, blocks), 1)
	mask := make([]bool, len(v.Data))
	for n := range mask {
		x, y, z := v.Grid.IJK(n)
		mask[n] = x+y+z > 20
	}
	b, ok := newBinning(v, nil, 32)
	if !ok {
		t.Fatal("constant")
	}
	f, err := newPyramid(ctx, v, nil, b, []float64{4})
	if err != nil {
		t.Fatal(err)
	}
	m, err := newPyramid(ctx, v, mask, b, []float64{4})
	if err != nil {
		t.Fatal(err)
	}
	return newMetric(kind, 32, draw(&f[0], 5000, rand.New(rand.NewPCG(1, 1))), &m[0])
}

// The gradient by rigid and affine parameters agrees with differences of the
// metric, also where samples leave the image and the mask.
func TestGradientAgainstDifferences(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 84))
	for _, kind := range []Metric{NMI, MI} {
		m := testMetric(t, kind)
		for _, affine := range []bool{false, true} {
			ch := newChart(affine, m.fixed, NewRigid(r3.Vec{X: 0.1, Y: -0.2}, r3.Vec{}, r3.Vec{X: 3, Z: -5}))
			n := ch.dim()
			at := func(x []float64) float64 {
				a, b := ch.at(x)
				sc, err := m.at(ctx, &a, b)
				if err != nil {
					t.Fatal(err)
				}
				return sc.s
			}
			x, g := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = 2 * rng.NormFloat64()
			}
			at(x)
			da, db, err := m.gradient(ctx)
			if err != nil {
				t.Fatal(err)
			}
			ch.pull(x, &da, db, g)
			// The trilinear field has kinks at voxel borders: a step of 1e-6 mm
			// crosses few of them, and rounding stays near 1e-9.
			const h = 1e-6
			for i := range x {
				keep := x[i]
				x[i] = keep + h
				up := at(x)
				x[i] = keep - h
				down := at(x)
				x[i] = keep
				if d := (up - down) / (2 * h); math.Abs(d-g[i]) > 1e-3*norm(g) {
					t.Errorf("%v, affine %v, parameter %d: gradient %.6g, differences %.6g", kind, affine, i, g[i], d)
				}
			}
		}
	}
}

// An image says all about itself: mutual information is the entropy, and no
// move raises it.
func TestMetricIsGreatestAtHome(t *testing.T) {
	ctx := context.Background()
	m := testMetric(t, MI)
	id := Identity().Matrix
	home, err := m.at(ctx, &id, m.fixed.centre)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []r3.Vec{{X: 3}, {X: -3}, {Y: 3}, {Y: -3}, {Z: 3}, {Z: -3}} {
		away, err := m.at(ctx, &id, r3.Add(m.fixed.centre, d))
		if err != nil {
			t.Fatal(err)
		}
		if away.s >= home.s {
			t.Errorf("moved by %v: %.4f, at home %.4f", d, away.s, home.s)
		}
	}
	if out, err := m.at(ctx, &id, r3.Vec{X: 1e6}); err != nil || out != (score{}) {
		t.Errorf("nothing shared: %+v %v", out, err)
	}
}

func TestDescendFindsTheBottom(t *testing.T) {
	// Rosenbrock's valley from its usual start.
	x := []float64{-1.2, 1}
	v, _, err := descend(func(x, g []float64) (float64, error) {
		a, b := 1-x[0], x[1]-x[0]*x[0]
		g[0], g[1] = -2*a-400*x[0]*b, 200*b
		return a*a + 100*b*b, nil
	}, x, 0.5, 1e-9, 200)
	if err != nil || v > 1e-12 || math.Abs(x[0]-1) > 1e-5 || math.Abs(x[1]-1) > 1e-5 {
		t.Errorf("%v at %v: %v", v, x, err)
	}
}
