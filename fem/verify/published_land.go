package verify

import (
	"context"
	"fmt"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// kilopascal is 1 kPa in MPa, the unit of Land's constants.
const kilopascal = 1e-3

func init() {
	const common = " Lengths are mm; pressures are converted from Pa and kPa to MPa. The problem is incompressible: Tet10 with mean dilatation and a bulk modulus of 1000·C, and ten times that on one mesh to show what it leaves."
	const paper = "S. Land et al., Verification of cardiac mechanics software, Proc. R. Soc. A 471 (2015) 20150641"
	register(Case{
		Name: "land-beam", Title: "Land 2015, problem 1: a beam bent by pressure", Group: Published,
		Text: "A beam of 10 × 1 × 1 mm, clamped at x = 0, 4 Pa of following pressure on the bottom face z = 0; Guccione's law, C = 2 kPa, bf, bt, bfs = 8, 2, 4, fibres along the beam (axis 1 of the material). " +
			"The z that the point (10, 0.5, 1) comes to. Half of the beam, with symmetry about y = 0.5." + common,
		Source: "[R] finsberg/fenicsx-pulse@b73d9a1, demo/benchmark/problem1.py: about 4.17 mm; problem 1 of " + paper,
		Run:    runLandBeam,
	}, Case{
		Name: "land-ventricle", Title: "Land 2015, problem 2: a ventricle blown up", Group: Published,
		Text: "An ellipsoid of half axes 7 and 17 mm inside, 10 and 20 mm outside, cut at z = 5 mm where it is held; 10 kPa of following pressure inside; Guccione's law with C = 10 kPa, bf = bt = bfs = 1 (isotropic). " +
			"The z that the apex comes to, inside and outside. A quarter, with symmetry about x = 0 and y = 0. Meshes whose cells are flat at the held edge (2 or 3 layers of 3·6²) turn an element inside out there, at 94 and 36 % of the pressure, for any size of step." + common,
		Source: "[M] −26.53 and −28.18 mm, from a run of finsberg/fenicsx-pulse, whose demo/benchmark/problem2.py (@b73d9a1, read) prints them but does not hold them; problem 2 of " + paper,
		Run:    runLandVentricle,
	})
}

// landBulk is κ/C.
const landBulk = 1000

// beamLaw is the muscle of the beam with κ over C.
func beamLaw(bulk float64) material.Law {
	const c = 2 * kilopascal
	return must(material.NewGuccione(c, 8, 2, 4, bulk*c, material.GuccioneFull))
}

// landBeam gives the z that (10, 0.5, 1) comes to, mm, with n cells along the
// beam, over half its width and its height.
func landBeam(ctx context.Context, n [3]int, law material.Law, form fem.Formulation) (float64, *mesh.TetMesh, error) {
	m := brick(n[0], n[1], n[2], 10, 0.5, 1).Quadratic()
	hold := append(prescribed(m, onX(0), still), held(m, 1, 0, onY(0.5))...)
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: onceEach(hold), Loads: pressed(m, onZ(0), 4e-3*kilopascal, true)}
	f, _, err := last(ctx, mod, fem.Settings{Formulation: form, Steps: 5})
	if err != nil {
		return 0, m, fmt.Errorf("%v cells: %w", n, err)
	}
	v := nodeAt(m, r3.Vec{X: 10, Y: 0.5, Z: 1})
	return m.Nodes[v].Z + f.U[v].Z, m, nil
}

func runLandBeam(ctx context.Context, l Level) (rows []Row, err error) {
	const want = 4.17
	sets := [][3]int{{5, 1, 2}, {10, 1, 2}, {20, 2, 4}, {30, 3, 6}}
	tol := 5e-3
	if l == Quick {
		sets, tol = sets[:2], 2e-2
	}
	for _, n := range sets {
		z, m, err := landBeam(ctx, n, beamLaw(landBulk), fem.MeanDilatation)
		if err != nil {
			return rows, err
		}
		rows = append(rows, shown("z of (10, 0.5, 1)", described(fmt.Sprintf("%d × %d × %d cells", n[0], 2*n[1], n[2]), m), "mm", z, want).at(10/float64(n[0])))
	}
	rows = judged(rows, tol)
	if l == Full {
		n := sets[len(sets)-2]
		z, m, err := landBeam(ctx, n, beamLaw(10*landBulk), fem.MeanDilatation)
		if err != nil {
			return rows, err
		}
		rows = append(rows, shown("z of (10, 0.5, 1), κ = 10⁴·C", described(fmt.Sprintf("%d × %d × %d cells", n[0], 2*n[1], n[2]), m), "mm", z, want))
	}
	return rows, nil
}

// ventricleLaw is its muscle with κ over C.
func ventricleLaw(bulk float64) material.Law {
	const c = 10 * kilopascal
	return must(material.NewGuccione(c, 1, 1, 1, bulk*c, material.GuccioneFull))
}

// landVentricle gives the z that the apex comes to inside and outside, mm, with
// n layers and cells along the edge of each of the three patches.
func landVentricle(ctx context.Context, n [2]int, law material.Law) (endo, epi float64, m *mesh.TetMesh, err error) {
	const base = 5.0
	m, depth := ventricle(7, 17, 10, 20, base, n[0], n[1])
	hold := append(prescribed(m, onZ(base), still), symmetry(m, 0, 1)...)
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: onceEach(hold)}
	for _, f := range facesAmong(m, func(v int32) bool { return depth[v] == 0 }) {
		mod.Loads = append(mod.Loads, fem.FaceLoad{Face: f, PressureMPa: 10 * kilopascal, Follows: true})
	}
	f, _, err := last(ctx, mod, fem.Settings{Formulation: fem.MeanDilatation, Steps: 10})
	if err != nil {
		return 0, 0, m, fmt.Errorf("%v cells: %w", n, err)
	}
	in, out := nodeAt(m, r3.Vec{Z: -17}), nodeAt(m, r3.Vec{Z: -20})
	return m.Nodes[in].Z + f.U[in].Z, m.Nodes[out].Z + f.U[out].Z, m, nil
}

func runLandVentricle(ctx context.Context, l Level) (rows []Row, err error) {
	const wantEndo, wantEpi = -26.53, -28.18
	sets := [][2]int{{1, 4}, {1, 6}, {2, 8}, {3, 10}} // through the wall, in each of three patches
	tol := 1e-2
	if l == Quick {
		sets, tol = sets[:1], 3e-2
	}
	var endo, epi []Row
	for _, n := range sets {
		a, b, m, err := landVentricle(ctx, n, ventricleLaw(landBulk))
		if err != nil {
			return append(endo, epi...), err
		}
		name := described(fmt.Sprintf("%d layers of 3·%d² cells", n[0], n[1]), m)
		endo = append(endo, shown("z of the apex, inside", name, "mm", a, wantEndo).at(12/float64(n[1])))
		epi = append(epi, shown("z of the apex, outside", name, "mm", b, wantEpi).at(12/float64(n[1])))
	}
	rows = append(judged(endo, tol), judged(epi, tol)...)
	if l == Full {
		a, b, m, err := landVentricle(ctx, sets[2], ventricleLaw(10*landBulk))
		if err != nil {
			return rows, err
		}
		name := described(fmt.Sprintf("%d layers of 3·%d² cells, κ = 10⁴·C", sets[2][0], sets[2][1]), m)
		rows = append(rows, shown("z of the apex, inside", name, "mm", a, wantEndo), shown("z of the apex, outside", name, "mm", b, wantEpi))
	}
	return rows, nil
}
