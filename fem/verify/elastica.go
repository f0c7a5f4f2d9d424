package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "elastica", Title: "Elastica: cantilever under a dead tip load", Group: ClosedForms,
		Text: "A beam of 40 × 1 × 1 mm, St. Venant–Kirchhoff with ν = 0, clamped at x = 0, a dead traction across its end, P·L²/EI = 1, 2 and 5 one after another. " +
			"The deflection w and the shortening u are those of the middle of the end section; shear alone makes 0.04 % at this slenderness.",
		Source: "[C] the elastica EI·θ″ + P·cos θ = 0, by shooting (K. E. Bisshopp & D. C. Drucker, Q. Appl. Math. 3 (1945) 272)",
		Run:    runElastica,
	})
}

// elastica is the tip of the inextensible cantilever, w/L and u/L, for
// k = P·L²/EI: θ″ = −k·cos θ from θ(0) = 0 with the curvature that makes
// θ′(1) = 0, by bisection of Runge–Kutta runs.
func elastica(k float64) (w, u float64) {
	run := func(c float64) (end, w, x float64) {
		const n = 2000
		y := [4]float64{0, c} // θ, θ′, w, x
		f := func(y [4]float64) [4]float64 {
			s, c := math.Sincos(y[0])
			return [4]float64{y[1], -k * c, s, c}
		}
		step := func(y, d [4]float64, h float64) (z [4]float64) {
			for i := range y {
				z[i] = y[i] + h*d[i]
			}
			return z
		}
		const h = 1. / n
		for range n {
			a := f(y)
			b := f(step(y, a, h/2))
			c := f(step(y, b, h/2))
			d := f(step(y, c, h))
			for i := range y {
				y[i] += h / 6 * (a[i] + 2*b[i] + 2*c[i] + d[i])
			}
		}
		return y[1], y[2], y[3]
	}
	lo, hi := 0.0, k
	for range 60 {
		mid := (lo + hi) / 2
		if end, _, _ := run(mid); end > 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	_, w, x := run((lo + hi) / 2)
	return w, 1 - x
}

func runElastica(ctx context.Context, l Level) (rows []Row, err error) {
	const length, young, tol = 40.0, 1.0, 2e-3
	loads := []float64{1, 2, 5}
	cells := []int{5, 10, 20, 40}
	if l == Quick {
		cells = []int{10, 20}
	}
	type key struct{ load, what int }
	series := map[key][]Row{}
	for i, n := range cells {
		m := brick(n, 1, 1, length, 1, 1).Quadratic()
		mod := &fem.Model{Mesh: m, Regions: one(must(material.NewStVenantKirchhoff(young, 0))), Prescribed: prescribed(m, onX(0), still)}
		for _, k := range loads {
			p := k * young / 12 / (length * length)
			lc := &fem.LoadCase{}
			for _, f := range facesWhere(m, onX(length)) {
				lc.Faces = append(lc.Faces, fem.FaceLoad{Face: f, TractionMPa: r3.Vec{Z: p}})
			}
			mod.Stages = append(mod.Stages, fem.Stage{Loads: lc, Steps: 4})
		}
		h := length / float64(n)
		name := described(fmt.Sprintf("h = %.4g mm", h), m)
		middle := nodeAt(m, r3.Vec{X: length, Y: 0.5, Z: 0.5})
		_, err := fem.Solve(ctx, mod, fem.Settings{ResidualTol: 1e-8}, func(f *fem.Frame) error {
			if f.Step == 0 || f.LoadFactor < 1 {
				return nil
			}
			w, u := elastica(loads[f.Stage])
			for what, r := range []Row{
				relative(fmt.Sprintf("w/L at PL²/EI = %g", loads[f.Stage]), name, "", f.U[middle].Z/length, w, tol),
				relative(fmt.Sprintf("u/L at PL²/EI = %g", loads[f.Stage]), name, "", -f.U[middle].X/length, u, tol),
			} {
				if i < len(cells)-1 {
					r = shown(r.Quantity, r.Mesh, "", r.Value, r.Reference)
				}
				k := key{f.Stage, what}
				series[k] = append(series[k], r.at(h))
			}
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", name, err)
		}
	}
	for load := range loads {
		for what := range 2 {
			rows = append(rows, series[key{load, what}]...)
		}
	}
	return rows, nil
}
