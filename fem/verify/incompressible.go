package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "near-incompressible", Title: "No locking, no checkerboard at ν = 0.4999", Group: Formulations,
		Text: "The tube of inflation-tube under the following pressure that belongs to a = 15 mm. Locking: the radius found, within 1 % on the second mesh of the series already. " +
			"Checkerboard: a pressure that alternates between elements does not fall with h. For Tet10 the pressure of each element, U′(θ) with θ its volume ratio, is compared with the closed form in its middle; " +
			"for Tet4 the volumetric part of the recovered stress at the nodes, and the largest of the estimated errors of the elements' stress, which an alternating pressure would fill (ErrorMPa); " +
			"all over μ, on the finest mesh within 0.01 (Tet10) and 0.05 (Tet4); the estimated error must fall with h at the rate of a pressure that is constant in patches, 1. Cook's membrane in the same limit is among the published cases.",
		Source: "[C] closed form of inflation-tube; F. Brezzi & M. Fortin, Mixed and Hybrid Finite Element Methods (1991), §VI.3",
		Run:    runIncompressible,
	})
}

// tubeMeanStress is tr σ/3, MPa, at radius r of the incompressible neo-Hookean
// tube, μ = 1, whose inner radius is a: σr + (σθ + σz − 2σr)/3, with
// σr = −∫_r^b (λ² − λ⁻²) dx/x.
func tubeMeanStress(a, r float64) float64 {
	b := math.Sqrt(inflateB*inflateB - inflateA*inflateA + a*a)
	l2 := func(x float64) float64 { return x * x / (x*x - a*a + inflateA*inflateA) }
	sr := -quad.Fixed(func(x float64) float64 { return (l2(x) - 1/l2(x)) / x }, r, b, 16, quad.Legendre{}, 0)
	l := l2(r)
	return sr + ((l-1/l)+(1-1/l))/3
}

func runIncompressible(ctx context.Context, l Level) (rows []Row, err error) {
	const a = 15.0
	set := []wallMesh{{2, 6, false}, {4, 12, false}, {8, 24, false}}
	if l == Full {
		set = append(set, wallMesh{16, 48, false})
	}
	law := must(material.NewNeoHookean(1, material.IncompressibleNu))
	p := tubePressure(inflateA, inflateB, a)
	for _, c := range []struct {
		quadratic bool
		form      fem.Formulation
	}{{true, fem.MeanDilatation}, {false, fem.MeanDilatation}} {
		var radius, pressure, spread []Row
		for i, w := range set {
			m := quarterTube(inflateA, inflateB, 5/float64(w.nr), w.nr, w.nt, 1)
			if !c.quadratic {
				m = linearOf(m)
			}
			mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: append(symmetry(m, 0, 1), held(m, 2, 0, everywhere)...), Loads: pressed(m, onRadius(inflateA), p, true)}
			h := (inflateB - inflateA) / float64(w.nr)
			name := described(fmt.Sprintf("%s, h = %.4g mm", formName(c.form), h), m)
			f, _, err := last(ctx, mod, fem.Settings{Formulation: c.form, Steps: 4, ResidualTol: 1e-8})
			if err != nil {
				return rows, fmt.Errorf("%s: %w", name, err)
			}
			title := kind(m) + ", " + formName(c.form)
			got := farthestFrom(nodesWhere(m, onRadius(inflateA)), a, func(v int32) float64 { return math.Hypot(m.Nodes[v].X+f.U[v].X, m.Nodes[v].Y+f.U[v].Y) })
			r := shown("a, "+title, name, "mm", got, a)
			if i == 1 {
				r = relative(r.Quantity, name, "mm", got, a, 1e-2)
			}
			radius = append(radius, r.at(h))
			var off, err2 float64
			if c.quadratic {
				off = elementPressure(m, f.U, law, a)
			} else {
				for v, x := range m.Nodes {
					s := &f.Stress[v]
					off = max(off, math.Abs((s[0]+s[1]+s[2])/3-tubeMeanStress(a, math.Hypot(x.X+f.U[v].X, x.Y+f.U[v].Y))))
				}
			}
			for _, e := range f.ErrorMPa {
				err2 = max(err2, e)
			}
			pr, sp := shown("pressure off, over μ, "+title, name, "", off, 0).at(h), shown("estimated error, over μ, "+title, name, "", err2, 0).at(h)
			pr.Error, sp.Error = off, err2
			pressure, spread = append(pressure, pr), append(spread, sp)
		}
		rows = append(rows, radius...)
		bar := 0.01
		if !c.quadratic {
			bar = 0.05
		}
		if l == Quick {
			bar *= 2
		}
		fine := &pressure[len(pressure)-1]
		*fine = bound(fine.Quantity, fine.Mesh, "", fine.Value, bar).at(fine.HMM)
		rows = append(append(rows, pressure...), shown("rate: "+fine.Quantity, fmt.Sprintf("%d meshes", len(pressure)), "", rateOf(pressure), 0))
		rows = append(append(rows, spread...), atLeast("rate: "+spread[0].Quantity, fmt.Sprintf("%d meshes", len(spread)), "", rateOf(spread), 1, 0.2))
	}
	return rows, nil
}

// linearOf is a mesh without its mid-edge nodes.
func linearOf(m *mesh.TetMesh) *mesh.TetMesh {
	n := int32(0)
	for _, t := range m.Tets {
		for _, v := range t {
			n = max(n, v+1)
		}
	}
	return &mesh.TetMesh{Nodes: m.Nodes[:n:n], Tets: m.Tets, Region: m.Region}
}

// elementPressure is the largest distance, MPa, of U′(θ) of a Tet10 from the
// closed form at its middle.
func elementPressure(m *mesh.TetMesh, u []r3.Vec, law material.NeoHookean, a float64) (off float64) {
	rule := element.TetRule(2)
	d, g := make([]r3.Vec, element.Tet10Nodes), make([]r3.Vec, element.Tet10Nodes)
	n := make([]float64, element.Tet10Nodes)
	was, is := make([]r3.Vec, element.Tet10Nodes), make([]r3.Vec, element.Tet10Nodes)
	for e, t := range m.Tets {
		for i := range element.Tet10Nodes {
			v := m.Mid[e][max(0, i-4)]
			if i < 4 {
				v = t[i]
			}
			was[i], is[i] = m.Nodes[v], r3.Add(m.Nodes[v], u[v])
		}
		var before, after float64
		for q, p := range rule.P {
			element.Tet10(n, d, p)
			before += rule.W[q] * element.Gradients(g, d, was)
			after += rule.W[q] * element.Gradients(g, d, is)
		}
		element.Tet10(n, nil, r3.Vec{X: 0.25, Y: 0.25, Z: 0.25})
		var c r3.Vec
		for i, x := range is {
			c = r3.Add(c, r3.Scale(n[i], x))
		}
		_, p, _ := law.Dilatation(after / before)
		off = max(off, math.Abs(p-tubeMeanStress(a, math.Hypot(c.X, c.Y))))
	}
	return off
}
