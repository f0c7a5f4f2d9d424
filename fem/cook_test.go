package fem

import (
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// cook is Cook's membrane in plane strain: 48 wide, 44 high at the clamped
// side and 16 at the free one, sheared by a dead traction (MPa) on the free
// side; n×n cells of one layer.
func cook(n int, law material.Law, traction float64) *Model {
	return cookOf(n, law, traction, true)
}

// cookOf is cook of Tet10 or Tet4.
func cookOf(n int, law material.Law, traction float64, quadratic bool) *Model {
	m := brickMesh(n, n, 1, 1, 1, 48/float64(n))
	for i, p := range m.Nodes {
		x := 48 * p.X
		low, high := 44*p.X, 44+16*p.X
		m.Nodes[i] = r3.Vec{X: x, Y: low + (high-low)*p.Y, Z: p.Z}
	}
	q := m
	if quadratic {
		q = m.Quadratic()
	}
	mod := &Model{Mesh: q, Regions: one(law)}
	for i, p := range q.Nodes {
		mod.Prescribed = append(mod.Prescribed, Prescribed{int32(i), 2, 0})
		if p.X == 0 {
			mod.Prescribed = append(mod.Prescribed, Prescribed{int32(i), 0, 0}, Prescribed{int32(i), 1, 0})
		}
	}
	for _, f := range facesOf(q, func(p r3.Vec) bool { return math.Abs(p.X-48) < 1e-9 }) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{Y: traction}})
	}
	return mod
}

// tip is the vertical displacement at (48, 52).
func tip(t *testing.T, mod *Model, s Settings) float64 {
	t.Helper()
	f, _ := solve(t, mod, s)
	for i, p := range mod.Mesh.Nodes {
		if math.Abs(p.X-48) < 1e-9 && math.Abs(p.Y-52) < 1e-9 && p.Z == 0 {
			return f.U[i].Y
		}
	}
	t.Fatal("no node at (48, 52)")
	return 0
}

// Cook's membrane, finite neo-Hookean, W = μ/2(Ī1−3) + κ/4(J²−1−2 ln J),
// E = 1.0985 MPa, ν = 0.3, 62.5 kPa: 14.727 mm (Abaqus) and 14.74 mm (deal.II)
// at (48, 52), from solids4foam/solid-benchmarks; 0.2 %.
func TestCooksMembrane(t *testing.T) {
	const e, nu = 1.0985, 0.3
	law := must(material.NewNeoHookean(e/(2*(1+nu)), nu))
	for _, form := range []Formulation{Displacement, MeanDilatation} {
		if w := tip(t, cook(16, law, 0.0625), Settings{Formulation: form}); math.Abs(w/14.73-1) > 2e-3 {
			t.Errorf("formulation %d: %.4f mm, want 14.73", form, w)
		} else {
			t.Logf("formulation %d: %.4f mm", form, w)
		}
	}
}

// Towards incompressibility the displacement form of Tet10 is 3 % stiff at
// ν = 0.49 on this coarse mesh of bending, and the mean dilatation 0.4 % even
// at ν = 0.4999 (there under a tenth of the load: Newton's method needs many
// small steps for the whole). The reference is the mean dilatation on a mesh
// twice as fine.
func TestNearIncompressibilityDoesNotLock(t *testing.T) {
	const e = 1.0985
	for _, c := range []struct {
		nu, traction float64
		form         Formulation
		tol          float64
	}{{0.49, 0.0625, Displacement, 0.04}, {0.49, 0.0625, MeanDilatation, 0.005}, {0.4999, 0.00625, MeanDilatation, 0.01}} {
		law := must(material.NewNeoHookean(e/(2*(1+c.nu)), c.nu))
		coarse := tip(t, cook(8, law, c.traction), Settings{Formulation: c.form})
		fine := tip(t, cook(16, law, c.traction), Settings{Formulation: MeanDilatation})
		t.Logf("ν = %v, formulation %d: %.4f mm on 8×8, %.4f mm on 16×16", c.nu, c.form, coarse, fine)
		if math.Abs(coarse/fine-1) > c.tol {
			t.Errorf("ν = %v, formulation %d: %.4f mm, converged %.4f", c.nu, c.form, coarse, fine)
		}
	}
}
