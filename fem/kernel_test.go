package fem

import (
	"math"
	"testing"

	"halsted/fem/material"
)

// The tangent from five coefficients is the one from the 9×9 matrix.
func TestClosedTangentIsTheOpenOne(t *testing.T) {
	for _, form := range []Formulation{Displacement, MeanDilatation} {
		for _, law := range []material.Law{
			must(material.NewLinear(0.01, 0.45)), must(material.NewNeoHookean(1, 0.45)), must(material.NewYeoh(1, 0.3, 0.1, 0.45)),
			must(material.NewNeoHookeanWith(1, 10, material.VolumetricQuadratic)),
		} {
			m := brickMesh(1, 1, 1, 10, 10, 10).Quadratic()
			s := must(Settings{Formulation: form}.withDefaults())
			sys := must(newSystem(&Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, everywhere, still)}, s))
			u := make([]float64, 3*sys.n)
			for i := range u {
				u[i] = 0.4 * math.Sin(float64(7*i*i+1))
			}
			if sys.dil != nil {
				sys.dilatations(u)
				sys.resetPressures()
			}
			a, b := new(scratch), new(scratch)
			var worst, scale float64
			for e := range sys.elems {
				r := &sys.reg[sys.regOf[e]]
				if !sys.closed(r) {
					t.Fatalf("%T is not closed", law)
				}
				var p float64
				if r.vol != nil {
					p = sys.pressure(e)
				}
				sys.gatherU(a, e, u)
				sys.gatherU(b, e, u)
				sys.closedTangent(a, r, e, p)
				vector := a.ke
				blocksPortable(&a.ke, &a.points, sys.nq, sys.k)
				if a.ke != vector {
					t.Fatalf("%T: the vector kernel and the portable one differ", law)
				}
				sys.openTangent(b, r, e, p)
				for i := range 10 {
					for j := i; j < 10; j++ {
						for c := range 9 {
							worst = max(worst, math.Abs(a.ke[i][c][j]-b.ke[i][c][j]))
							scale = max(scale, math.Abs(b.ke[i][c][j]))
						}
					}
					if r.vol != nil {
						worst = max(worst, math.Abs(a.b[i].X-b.b[i].X), math.Abs(a.b[i].Y-b.b[i].Y), math.Abs(a.b[i].Z-b.b[i].Z))
					}
				}
			}
			if worst > 1e-11*scale {
				t.Errorf("%T, formulation %d: off by %g of %g", law, form, worst, scale)
			}
		}
	}
}
