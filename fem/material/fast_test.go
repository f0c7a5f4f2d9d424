package material

import (
	"math"
	"testing"
)

func TestCbrt2(t *testing.T) {
	if cbrt2(1) != 1 {
		t.Error("J = 1 is not exact")
	}
	for j := 1e-3; j < 50; j *= 1.0003 {
		z := cbrt2(j)
		if r := 1 - (j*z)*(j*z)*z; math.Abs(r) > 2e-15 { // three times the relative error
			t.Fatalf("J = %g: 1 - J²z³ = %g", j, r)
		}
	}
	if !math.IsNaN(cbrt2(math.NaN())) {
		t.Error("NaN was lost")
	}
}
