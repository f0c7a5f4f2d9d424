package sparse

import (
	"math/rand/v2"
	"testing"

	"halsted/internal/dense"
)

// The kernels of a block row give the bits of the portable code.
func TestRowKernelsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	x := make([]float64, 3*40)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for n := range 30 {
		val, col := make([]float64, 9*n+1), make([]int32, n)
		for i := range val {
			val[i] = rng.NormFloat64()
		}
		for i := range col {
			col[i] = rng.Int32N(40)
		}
		a0, a1, a2 := row64()(val[:9*n:9*n+1], col, x)
		if b0, b1, b2 := row64Portable(val[:9*n], col, x); a0 != b0 || a1 != b1 || a2 != b2 {
			t.Errorf("%d blocks: kernels %s give %v %v %v, portable %v %v %v", n, dense.Kernel(), a0, a1, a2, b0, b1, b2)
		}
	}
	z := make([]float32, 3*40)
	for i := range z {
		z[i] = float32(rng.NormFloat64())
	}
	for n := 1; n < 30; n++ {
		val, col := make([]float32, 9*n+1), make([]int32, n)
		for i := range val {
			val[i] = float32(rng.NormFloat64())
		}
		for i := range col {
			col[i] = rng.Int32N(40)
		}
		a0, a1, a2 := row32(val, col, z)
		if b0, b1, b2 := rowPortable(val, col, z); a0 != b0 || a1 != b1 || a2 != b2 {
			t.Errorf("%d blocks in float32: kernel gives %v %v %v, portable %v %v %v", n, a0, a1, a2, b0, b1, b2)
		}
	}
}

// BenchmarkRow32 is a product in float32 of 10,000 rows of 27 blocks.
func BenchmarkRow32(b *testing.B) {
	const rows, blocks = 10000, 27
	val, col := make([]float32, 9*rows*blocks+1), make([]int32, rows*blocks)
	x := make([]float32, 3*rows)
	for i := range col {
		col[i] = int32((i/blocks + 37*(i%blocks)) % rows)
	}
	for _, vec := range []bool{true, false} {
		b.Run(map[bool]string{true: "vector", false: "sse"}[vec], func(b *testing.B) {
			old := vector
			vector = vec && old
			defer func() { vector = old }()
			var s float32
			for b.Loop() {
				for r := range rows {
					y, _, _ := row32(val[9*r*blocks:9*(r+1)*blocks+1], col[r*blocks:(r+1)*blocks], x)
					s += y
				}
			}
			b.ReportMetric(float64(36*rows*blocks)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
		})
	}
}
