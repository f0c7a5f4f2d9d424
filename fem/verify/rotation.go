package verify

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "rotation", Title: "Rigid rotation", Group: Formulations,
		Text: "A distorted block of 20 mm turned by 30°, 90° and 179° about an oblique axis and moved: no stress may appear (von Mises over Young's modulus, the worst of laws and angles). " +
			"Then a block that is held on one face alone, which turns by 60°: the free nodes must follow (distance over the edge).",
		Source: "[C] objectivity",
		Run:    runRotation,
	})
}

// laws are one of each kind of large strain, with an initial Young's modulus of
// about 0.01 MPa, which errors are measured by.
func laws() (names []string, all []material.Law) {
	const mu, nu = 0.01 / 3, 0.45
	a1, a2 := material.FibresInPlane(r3.Vec{X: 1}, r3.Vec{Y: 1}, 0.5)
	add := func(name string, l material.Law) { names, all = append(names, name), append(all, l) }
	add("St. Venant–Kirchhoff", must(material.NewStVenantKirchhoff(0.01, nu)))
	add("Hencky", must(material.NewHencky(0.01, nu)))
	add("neo-Hookean", must(material.NewNeoHookean(mu, nu)))
	add("compressible neo-Hookean", must(material.NewCompressibleNeoHookean(0.01, nu)))
	add("Mooney–Rivlin", must(material.NewMooneyRivlin(mu/3, mu/6, nu)))
	add("Ogden", must(material.NewOgden(material.OgdenMuOverAlpha, nu, material.OgdenTerm{MuMPa: 2 * mu / 3, Alpha: 3})))
	add("Yeoh", must(material.NewYeoh(mu/2, mu/10, mu/100, nu)))
	add("Raghavan–Vorp", must(material.NewRaghavanVorp(mu/2, mu, nu)))
	add("Holzapfel–Gasser–Ogden", must(material.NewHolzapfelGasserOgden(mu, mu, 0.8, nu, a1, a2)))
	add("Gasser–Ogden–Holzapfel", must(material.NewGasserOgdenHolzapfel(mu, mu, 0.8, 0.2, nu, a1, a2)))
	add("Guccione", must(material.NewGuccione(mu, 8, 2, 4, 30*mu, material.GuccioneFull)))
	return names, all
}

func runRotation(ctx context.Context, l Level) (rows []Row, err error) {
	const edge, young = 20.0, 0.01
	names, all := laws()
	turn := func(deg float64) func(r3.Vec) r3.Vec {
		rot := r3.NewRotation(deg*math.Pi/180, r3.Unit(r3.Vec{X: 1, Y: -2, Z: 0.5}))
		return func(p r3.Vec) r3.Vec { return r3.Add(r3.Sub(rot.Rotate(p), p), r3.Vec{X: 40, Y: -3, Z: 7}) }
	}
	for _, quadratic := range []bool{false, true} {
		for _, form := range []fem.Formulation{fem.Displacement, fem.MeanDilatation} {
			m := distorted(brick(2, 2, 2, edge, edge, edge), edge, 2, 5)
			if quadratic {
				m = m.Quadratic()
			}
			var worst float64
			for i, law := range all {
				for _, deg := range []float64{30, 90, 179} {
					f, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(law), Prescribed: prescribed(m, everywhere, turn(deg))}, fem.Settings{Formulation: form, Steps: 1})
					if err != nil {
						return rows, fmt.Errorf("%s, %g°: %w", names[i], deg, err)
					}
					worst = max(worst, slices.Max(f.VonMisesMPa)/young)
				}
			}
			rows = append(rows, bound(fmt.Sprintf("von Mises / E, %d laws", len(all)), described(formName(form), m), "", worst, 1e-10))
		}
	}
	n := 2
	if l == Full {
		n = 4
	}
	for _, form := range []fem.Formulation{fem.Displacement, fem.MeanDilatation} {
		m := distorted(brick(n, n, n, edge, edge, edge), edge, 0.1*edge/float64(n), 3).Quadratic()
		rot := r3.NewRotation(math.Pi/3, r3.Vec{X: 1})
		u := func(p r3.Vec) r3.Vec { return r3.Sub(rot.Rotate(p), p) }
		f, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(must(material.NewNeoHookean(0.003, 0.49))), Prescribed: prescribed(m, onX(0), u)}, fem.Settings{Formulation: form, ResidualTol: 1e-13})
		if err != nil {
			return rows, err
		}
		rows = append(rows, bound("turned by one face", described(formName(form), m), "", farthest(m, f.U, u)/edge, 1e-8))
	}
	return rows, nil
}

// formName is what the table calls a formulation.
func formName(f fem.Formulation) string {
	if f == fem.MeanDilatation {
		return "mean dilatation"
	}
	return "displacement form"
}
