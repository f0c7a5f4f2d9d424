package verify

import (
	"context"
	"fmt"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Cook's membrane: 48 mm wide, 44 mm high where it is clamped and 16 mm where a
// dead traction shears it.
const (
	cookYoung    = 1.0985 // MPa
	cookTraction = 0.0625 // MPa, upwards per reference area of x = 48
)

func init() {
	register(Case{
		Name: "cook-finite", Title: "Cook's membrane, finite neo-Hookean", Group: Published,
		Text: "48 × 44/16 mm in plane strain, clamped at x = 0, a dead traction of 62.5 kPa on x = 48; E = 1.0985 MPa, ν = 0.3, W = μ/2·(Ī1 − 3) + κ/4·(J² − 1 − 2·ln J). " +
			"The vertical displacement at (48, 52); at the corner (48, 60) for those who look there. One cell through the thickness.",
		Source: "[R] solids4foam/solid-benchmarks@732f74c, hyperElasticity/cooksMembrane/plotScripts: Abaqus CPE4H 14.727, deal.II Q2 (Pelteret & McBride 2016) 14.74; 14.73 and the corner's 13.76 [C] with Q2 elements",
		Run:    runCookFinite,
	}, Case{
		Name: "cook-incompressible", Title: "Cook's membrane, nearly incompressible", Group: Published,
		Text: "The same membrane, law and load with ν = 0.4999. Tet10 with mean dilatation must come to the displacement of an inf-sup stable mixed method; Tet4 with mean dilatation (over patches of elements) and the displacement form, which locks, are shown beside it. " +
			"A tenth of the load first, which all forms take in a few steps.",
		Source: "[C] the two-field form μ/2·(Ī1 − 3) + p·(J − 1) − p²/(2κ) with Taylor–Hood triangles (P2–P1, crossed 64 × 64) in FEniCS 2019.2; deal.II's step-44 shows its figures for another problem (see block-incompressible)",
		Run:    runCookIncompressible,
	})
}

// cookMesh is the membrane of n×n cells and one layer, Tet10 or Tet4.
func cookMesh(n int, quadratic bool) *mesh.TetMesh {
	m := mapped(brick(n, n, 1, 1, 1, 48/float64(n)), func(p r3.Vec) r3.Vec {
		low, high := 44*p.X, 44+16*p.X
		return r3.Vec{X: 48 * p.X, Y: low + (high-low)*p.Y, Z: p.Z}
	})
	if quadratic {
		m = m.Quadratic()
	}
	return m
}

// cookModel is plane strain, clamped at x = 0 and sheared at x = 48.
func cookModel(m *mesh.TetMesh, law material.Law, traction float64) *fem.Model {
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: append(held(m, 2, 0, everywhere), append(held(m, 0, 0, onX(0)), held(m, 1, 0, onX(0))...)...)}
	for _, f := range facesWhere(m, onX(48)) {
		mod.Loads = append(mod.Loads, fem.FaceLoad{Face: f, TractionMPa: r3.Vec{Y: traction}})
	}
	return mod
}

func runCookFinite(ctx context.Context, l Level) (rows []Row, err error) {
	sizes := []int{4, 8, 16, 32}
	if l == Quick {
		sizes = []int{4, 8}
	}
	law := must(material.NewNeoHookean(cookYoung/(2*1.3), 0.3))
	for _, form := range []fem.Formulation{fem.Displacement, fem.MeanDilatation} {
		var mid, corner []Row
		for _, n := range sizes {
			m := cookMesh(n, true)
			f, _, err := last(ctx, cookModel(m, law, cookTraction), fem.Settings{Formulation: form, ResidualTol: 1e-8})
			if err != nil {
				return rows, fmt.Errorf("%d×%d: %w", n, n, err)
			}
			h := 48 / float64(n)
			name := described(fmt.Sprintf("%d×%d cells, %s", n, n, formName(form)), m)
			mid = append(mid, shown("u(48, 52), "+formName(form), name, "mm", f.U[nodeAt(m, r3.Vec{X: 48, Y: 52})].Y, 14.73).at(h))
			corner = append(corner, shown("u(48, 60), "+formName(form), name, "mm", f.U[nodeAt(m, r3.Vec{X: 48, Y: 60})].Y, 13.76).at(h))
		}
		tol := 2e-3
		if l == Quick {
			tol = 1e-2
		}
		rows = append(append(rows, judged(mid, tol)...), judged(corner, tol)...)
	}
	return rows, nil
}

// cookMixed are the displacements of the mixed method at (48, 52) under the
// parts of the load, mm: its last two meshes differ by less than 0.1 %.
var cookMixed = []struct{ part, midMM float64 }{{0.1, 1.65020}, {1, 13.4208}}

func runCookIncompressible(ctx context.Context, l Level) (rows []Row, err error) {
	law := must(material.NewNeoHookean(cookYoung/(2*(1+material.IncompressibleNu)), material.IncompressibleNu))
	type series struct {
		quadratic bool
		form      fem.Formulation
		sizes     []int
		tol       float64 // 0: shown
	}
	sets := []series{{true, fem.MeanDilatation, []int{4, 8, 16, 32}, 1e-2}, {false, fem.MeanDilatation, []int{8, 16, 32}, 0}, {true, fem.Displacement, []int{8, 16}, 0}, {false, fem.Displacement, []int{16}, 0}}
	loads := cookMixed
	if l == Quick {
		sets = []series{{true, fem.MeanDilatation, []int{4, 8}, 1e-2}, {false, fem.MeanDilatation, []int{8}, 0}}
		loads = loads[:1]
	}
	for i, load := range loads {
		for _, s := range sets {
			if i > 0 && s.form == fem.Displacement {
				continue
			}
			var r []Row
			for _, n := range s.sizes {
				m := cookMesh(n, s.quadratic)
				steps := 2
				if i > 0 {
					steps = 20
				}
				f, _, err := last(ctx, cookModel(m, law, load.part*cookTraction), fem.Settings{Formulation: s.form, Steps: steps})
				if err != nil {
					return rows, fmt.Errorf("%s %s, %d×%d, %g of the load: %w", kind(m), formName(s.form), n, n, load.part, err)
				}
				r = append(r, shown(fmt.Sprintf("u(48, 52), %g kPa, %s %s", 1e3*load.part*cookTraction, kind(m), formName(s.form)), described(fmt.Sprintf("%d×%d cells", n, n), m),
					"mm", f.U[nodeAt(m, r3.Vec{X: 48, Y: 52})].Y, load.midMM).at(48/float64(n)))
			}
			if s.tol > 0 {
				r = judged(r, s.tol)
			}
			rows = append(rows, r...)
		}
	}
	return rows, nil
}
