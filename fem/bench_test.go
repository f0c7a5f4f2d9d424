package fem

import (
	"testing"

	"halsted/fem/material"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// pull is a block of liver 160×120×100 mm with a tumour-stiff ball inside,
// clamped on a patch of its back and pulled 30 mm at a patch of its front.
func pull(n int, nu float64) *Model {
	m := brickMesh(n*8/5, n*6/5, n, 160, 120, 100)
	for e, t := range m.Tets {
		if r3.Norm(r3.Sub(m.Nodes[t[0]], r3.Vec{X: 70, Y: 60, Z: 60})) < 18 {
			m.Region[e] = 2
		}
	}
	q := m.Quadratic()
	soft, err := material.NewNeoHookean(900e-6, nu)
	if err != nil {
		panic(err)
	}
	hard, err := material.NewNeoHookean(3960e-6, nu)
	if err != nil {
		panic(err)
	}
	mod := &Model{Mesh: q, Regions: []Region{{Label: liver, Law: soft, DensityTPerMM3: 1.079e-9}, {Label: imaging.Label(2), Law: hard, DensityTPerMM3: 1.06e-9}}}
	mod.Prescribed = append(prescribe(q, func(p r3.Vec) bool { return p.X == 0 && p.Y > 20 && p.Z < 70 }, still),
		prescribe(q, func(p r3.Vec) bool { return p.X > 159.9 && p.Y < 60 && p.Y > 20 && p.Z > 30 && p.Z < 80 },
			func(r3.Vec) r3.Vec { return r3.Vec{X: 18, Y: 0, Z: 24} })...)
	return mod
}

// BenchmarkPull is one solve of the kind a plan asks for: 83k degrees of
// freedom, ν = 0.49, five steps, relative residual 1e-6.
func BenchmarkPull(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
		set  Settings
	}{{"7k", 5, Settings{}}, {"83k", 12, Settings{}}, {"83k-mean-dilatation", 12, Settings{Formulation: MeanDilatation}}} {
		b.Run(c.name, func(b *testing.B) {
			m := pull(c.n, 0.49)
			var r Result
			for b.Loop() {
				var err error
				if r, err = Solve(b.Context(), m, c.set, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(r.DOF), "DOF")
			b.ReportMetric(float64(r.Newton), "Newton")
			b.ReportMetric(float64(r.LinearIterations), "CG")
			b.ReportMetric(float64(r.MemoryEstimate)/(1<<20), "MiB")
		})
	}
}

// BenchmarkElementTangent is the stiffness of one Tet10 of a neo-Hookean tissue.
func BenchmarkElementTangent(b *testing.B) {
	for _, closed := range []bool{true, false} {
		b.Run(map[bool]string{true: "five-coefficients", false: "9x9"}[closed], func(b *testing.B) {
			m := pull(2, 0.45)
			sys := must(newSystem(m, must(Settings{}.withDefaults())))
			k, u := new(scratch), make([]float64, 3*sys.n)
			r := &sys.reg[0]
			sys.gatherU(k, 0, u)
			for b.Loop() {
				if closed {
					sys.closedTangent(k, r, 0, 0)
				} else {
					sys.openTangent(k, r, 0, 0)
				}
			}
		})
	}
}
