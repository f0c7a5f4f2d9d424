package fem

import (
	"testing"

	"halsted/fem/material"
)

// Newton's method on (u, p) does not feel κ: Cook's membrane under its full load
// takes about the same iterations at ν = 0.4999 as at 0.49, also from Tet4.
func TestNewtonDoesNotFeelTheBulkModulus(t *testing.T) {
	const e = 1.0985
	for _, quadratic := range []bool{true, false} {
		for _, nu := range []float64{0.49, 0.4999} {
			m := cook(8, must(material.NewNeoHookean(e/(2*(1+nu)), nu)), 0.0625)
			if !quadratic {
				m = cookOf(16, must(material.NewNeoHookean(e/(2*(1+nu)), nu)), 0.0625, false)
			}
			f, r := solve(t, m, Settings{Formulation: MeanDilatation, Steps: 4, ResidualTol: 1e-8})
			var tip float64
			for i, p := range m.Mesh.Nodes {
				if p.X == 48 && p.Y > 51.99 && p.Y < 52.01 && p.Z == 0 {
					tip = f.U[i].Y
				}
			}
			t.Logf("tip %.4f mm", tip)
			t.Logf("%s ν = %v: %d iterations, %d linear, frame %d", isTet10(m.Mesh), nu, r.Newton, r.LinearIterations, f.Step)
			if r.Newton > 40 {
				t.Errorf("%s ν = %v: %d iterations", isTet10(m.Mesh), nu, r.Newton)
			}
		}
	}
}
