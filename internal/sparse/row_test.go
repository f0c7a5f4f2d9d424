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
}
