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
		Name: "nafems-le10", Title: "NAFEMS LE10, thick plate under pressure", Group: Published,
		Text: "A quarter of a plate 0.6 m thick between the ellipses 2 × 1 m and 3.25 × 2.75 m, E = 210 GPa, ν = 0.3, 1 MPa on the upper face; symmetry on x = 0 and y = 0, " +
			"the outer face held in x and y, and in z along its middle line. σyy at D = (2, 0, 0.6) m is the recovered nodal stress of curved Tet10 in the displacement form.",
		Source: "[R] −5.38 MPa and the supports: seamplex.com/fino/cases/012-nafems-le10, after NAFEMS, The Standard NAFEMS Benchmarks (1990), LE10",
		Run:    runLE10,
	})
}

func runLE10(ctx context.Context, l Level) (rows []Row, err error) {
	const a, thick, want = 1000.0, 600.0, -5.38
	sets := [][3]int{{3, 4, 2}, {6, 8, 2}, {12, 16, 4}, {24, 24, 6}} // between the ellipses, around, through
	tol := 0.01
	if l == Quick {
		sets, tol = sets[:2], 0.05
	}
	law := must(material.NewLinear(210e3, 0.3))
	for _, n := range sets {
		m := ellipticPlate(2*a, a, 3.25*a, 2.75*a, thick, n[0], n[1], n[2])
		outer := func(p r3.Vec) bool {
			return math.Abs(math.Hypot(p.X/(3.25*a), p.Y/(2.75*a))-1) < near
		}
		hold := append(symmetry(m, 0, 1), append(held(m, 0, 0, outer), held(m, 1, 0, outer)...)...)
		hold = append(hold, held(m, 2, 0, func(p r3.Vec) bool { return outer(p) && math.Abs(p.Z-thick/2) < 1e-6 })...)
		mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: onceEach(hold), Loads: pressed(m, onZ(thick), 1, false)}
		f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-9})
		if err != nil {
			return rows, err
		}
		d := nodeAt(m, r3.Vec{X: 2 * a, Z: thick})
		rows = append(rows, shown("σyy(D)", described(fmt.Sprintf("%d × %d × %d cells", n[0], n[1], n[2]), m), "MPa", f.Stress[d][1], want).at(1250/float64(n[0])))
	}
	return judged(rows, tol), nil
}

// onceEach leaves out what is prescribed twice.
func onceEach(p []fem.Prescribed) (out []fem.Prescribed) {
	type at struct {
		node int32
		axis int8
	}
	seen := map[at]bool{} // only looked up
	for _, c := range p {
		if k := (at{c.Node, c.Axis}); !seen[k] {
			seen[k] = true
			out = append(out, c)
		}
	}
	return out
}
