package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/inverse"
	"halsted/fem/material"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "zero-pressure-tube", Title: "Zero-pressure shape of an aneurysm wall", Group: ClosedForms,
		Text: "A tube of 55 mm outer diameter and 1.5 mm wall (Raghavan–Vorp, ν = 0.4999, mean dilatation; a quarter of a slice in plane strain) as imaged at 93 mmHg is unloaded, and inflated again from rest by a solve of its own: " +
			"the largest nodal distance to the imaged shape. The stress-free inner radius is compared with the closed form at the worst node.",
		Source: "[C] the imaged shape itself; quadrature of p = ∫ 2Ψ′(λ² − λ⁻²) dr/r (M. L. Raghavan & D. A. Vorp, J. Biomech. 33 (2000) 475)",
		Run:    runZeroPressure,
	})
}

const (
	aneurysmOuter    = 27.5                  // mm
	aneurysmInner    = 26.0                  // mm
	aneurysmPressure = 93 * 1.33322387415e-4 // MPa
)

// unloadedRadius is the stress-free inner radius A, mm, of the incompressible
// tube: the root of p = ∫_a^b 2Ψ′(I1)·(λ² − λ⁻²) dr/r, λ = r/R,
// R² = A² + r² − a², by bisection.
func unloadedRadius() float64 {
	const a, b = aneurysmInner, aneurysmOuter
	missing := func(inner float64) float64 {
		return quad.Fixed(func(r float64) float64 {
			l2 := r * r / (inner*inner + r*r - a*a)
			i1 := l2 + 1/l2 + 1
			return 2 * (material.RaghavanVorpAlphaMPa + 2*material.RaghavanVorpBetaMPa*(i1-3)) * (l2 - 1/l2) / r
		}, a, b, 12, quad.Legendre{}, 0) - aneurysmPressure
	}
	lo, hi := 0.7*a, a
	for range 60 {
		if mid := (lo + hi) / 2; missing(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

func runZeroPressure(ctx context.Context, l Level) (rows []Row, err error) {
	nr, nt := 2, 16
	if l == Full {
		nr, nt = 2, 24
	}
	m := quarterTube(aneurysmInner, aneurysmOuter, 2, nr, nt, 1)
	law := must(material.NewRaghavanVorp(material.RaghavanVorpAlphaMPa, material.RaghavanVorpBetaMPa, material.IncompressibleNu))
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: append(symmetry(m, 0, 1), held(m, 2, 0, everywhere)...),
		Loads: pressed(m, onRadius(aneurysmInner), aneurysmPressure, true)}
	s := fem.Settings{Formulation: fem.MeanDilatation, Steps: 2}
	ref, rep, err := inverse.Unload(ctx, mod, s, inverse.Options{})
	if err != nil {
		return nil, err
	}
	name := described(fmt.Sprintf("%d×%d cells", nr, nt), m)
	again := *mod
	again.Mesh = ref.Mesh
	f, _, err := last(ctx, &again, fem.Settings{Formulation: fem.MeanDilatation, Steps: 4, ResidualTol: 1e-9})
	if err != nil {
		return nil, err
	}
	var d float64
	for i, x := range ref.Mesh.Nodes {
		d = max(d, r3.Norm(r3.Sub(r3.Add(x, f.U[i]), m.Nodes[i])))
	}
	want := unloadedRadius()
	got := farthestFrom(nodesWhere(m, onRadius(aneurysmInner)), want, func(v int32) float64 { return math.Hypot(ref.Mesh.Nodes[v].X, ref.Mesh.Nodes[v].Y) })
	return []Row{
		bound("distance when inflated again", name, "mm", d, 1e-3),
		relative("stress-free inner radius", name, "mm", got, want, 1e-4),
		shown("forward solves", name, "", float64(rep.ForwardSolves), 0).because(fmt.Sprintf("after %d iterations of Newton's method for the stress-free shape itself", rep.InverseNewton)),
	}, nil
}
