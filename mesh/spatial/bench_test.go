package spatial_test

import (
	"math/rand/v2"
	"testing"

	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// 524k faces on a sphere of 60 mm.
func benchmark(b *testing.B, n int, f func(t *spatial.BVH, near, far []r3.Vec)) {
	s := sphere(r3.Vec{}, 60, 8)
	r := rand.New(rand.NewPCG(1, 1))
	t := tree(b, s)
	var near, far []r3.Vec
	for range n {
		near = append(near, r3.Add(s.Verts[r.IntN(len(s.Verts))], vec(r, 0.3)))
		far = append(far, vec(r, 40))
	}
	for b.Loop() {
		f(t, near, far)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/query")
}

func BenchmarkNew(b *testing.B) {
	s := sphere(r3.Vec{}, 60, 8)
	for b.Loop() {
		if _, err := spatial.New(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.Tris)*b.N)/b.Elapsed().Seconds()/1e6, "Mface/s")
}

func BenchmarkClosestNear(b *testing.B) {
	benchmark(b, 10000, func(t *spatial.BVH, near, _ []r3.Vec) {
		for _, p := range near {
			t.Closest(p)
		}
	})
}

func BenchmarkClosestFar(b *testing.B) {
	benchmark(b, 1000, func(t *spatial.BVH, _, far []r3.Vec) {
		for _, p := range far {
			t.Closest(p)
		}
	})
}

func BenchmarkWithin(b *testing.B) {
	benchmark(b, 10000, func(t *spatial.BVH, _, far []r3.Vec) {
		for _, p := range far {
			t.Within(p, 1)
		}
	})
}

func BenchmarkRay(b *testing.B) {
	benchmark(b, 10000, func(t *spatial.BVH, near, far []r3.Vec) {
		for i, p := range far {
			t.Ray(p, near[i], 1000)
		}
	})
}

func BenchmarkInside(b *testing.B) {
	benchmark(b, 10000, func(t *spatial.BVH, _, far []r3.Vec) {
		for _, p := range far {
			t.Inside(p)
		}
	})
}

func BenchmarkInBox(b *testing.B) {
	var dst []int32
	benchmark(b, 10000, func(t *spatial.BVH, near, _ []r3.Vec) {
		h := r3.Vec{X: 0.5, Y: 0.5, Z: 0.5}
		for _, p := range near {
			dst = t.InBox(dst[:0], r3.Sub(p, h), r3.Add(p, h))
		}
	})
}
