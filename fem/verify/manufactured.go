package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "manufactured", Title: "Manufactured solutions", Group: Formulations,
		Text: "u = A·(sin kx·cos ky, cos kx·sin kz, sin ky·cos kz), k = π/2, on the unit cube, prescribed on its surface, with the body force −Div P(u) as consistent nodal forces (14-point rule); " +
			"A = 0.001 with the linear law, A = 0.1 (strains to 20 %) with the neo-Hookean law, ν = 0.3. The L2 norm of the error of u over that of u, on meshes halving h. " +
			"Theory: rate 2 for Tet4 and 3 for Tet10 in the displacement form (Strang & Fix 1973). With a pressure that is constant in patches the pressure converges with h, so the bound for u in L2 is h² for both elements " +
			"(Boffi, Brezzi & Fortin 2013, §8.4: P2–P0). That rate sets in late, as the coarse patches are as large as the wave; the two finest meshes are judged.",
		Source: "[C] G. Strang & G. Fix, An Analysis of the Finite Element Method (1973); D. Boffi, F. Brezzi & M. Fortin, Mixed Finite Element Methods (2013)",
		Run:    runManufactured,
	})
}

// waves is the manufactured displacement of amplitude a.
type waves struct{ a float64 }

const waveNumber = math.Pi / 2

func (w waves) u(p r3.Vec) r3.Vec {
	sx, cx := math.Sincos(waveNumber * p.X)
	sy, cy := math.Sincos(waveNumber * p.Y)
	sz, cz := math.Sincos(waveNumber * p.Z)
	return r3.Scale(w.a, r3.Vec{X: sx * cy, Y: cx * sz, Z: sy * cz})
}

// gradients returns F = I + ∂u/∂X as columns and h[i][J][L] = ∂²u_i/∂X_J∂X_L.
func (w waves) gradients(p r3.Vec) (f material.Mat3, h [3][3][3]float64) {
	sx, cx := math.Sincos(waveNumber * p.X)
	sy, cy := math.Sincos(waveNumber * p.Y)
	sz, cz := math.Sincos(waveNumber * p.Z)
	k, kk := w.a*waveNumber, w.a*waveNumber*waveNumber
	f = material.Mat3{
		{X: 1 + k*cx*cy, Y: -k * sx * sz},
		{X: -k * sx * sy, Y: 1, Z: k * cy * cz},
		{Y: k * cx * cz, Z: 1 - k*sy*sz},
	}
	h[0][0][0], h[0][1][1] = -kk*sx*cy, -kk*sx*cy
	h[0][0][1], h[0][1][0] = -kk*cx*sy, -kk*cx*sy
	h[1][0][0], h[1][2][2] = -kk*cx*sz, -kk*cx*sz
	h[1][0][2], h[1][2][0] = -kk*sx*cz, -kk*sx*cz
	h[2][1][1], h[2][2][2] = -kk*sy*cz, -kk*sy*cz
	h[2][1][2], h[2][2][1] = -kk*cy*sz, -kk*cy*sz
	return f, h
}

// body is −Div P: −A_iJkL·∂²u_k/∂X_J∂X_L, N/mm³.
func (w waves) body(law material.Law, p r3.Vec) r3.Vec {
	f, h := w.gradients(p)
	var a [9][9]float64
	law.Tangent(&a, &f)
	var b [3]float64
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				for l := range 3 {
					b[i] -= a[3*i+j][3*k+l] * h[k][j][l]
				}
			}
		}
	}
	return r3.Vec{X: b[0], Y: b[1], Z: b[2]}
}

// overPoints visits the points of the degree 5 rule in every element: place,
// weight in mm³, shape functions and nodes.
func overPoints(m *mesh.TetMesh, visit func(p r3.Vec, w float64, n []float64, conn []int32)) {
	rule := element.TetRule(5)
	k, shape := element.Tet4Nodes, element.Shape(element.Tet4)
	if m.Mid != nil {
		k, shape = element.Tet10Nodes, element.Tet10
	}
	n, d, g, x, c := make([]float64, k), make([]r3.Vec, k), make([]r3.Vec, k), make([]r3.Vec, k), make([]int32, k)
	for e, t := range m.Tets {
		copy(c, t[:])
		if m.Mid != nil {
			copy(c[4:], m.Mid[e][:])
		}
		for a, v := range c {
			x[a] = m.Nodes[v]
		}
		for q, at := range rule.P {
			shape(n, d, at)
			det := element.Gradients(g, d, x)
			var p r3.Vec
			for a := range c {
				p = r3.Add(p, r3.Scale(n[a], x[a]))
			}
			visit(p, rule.W[q]*det, n, c)
		}
	}
}

// solveWaves solves the manufactured problem on a mesh of the unit cube and
// returns the L2 error of u over the norm of u.
func solveWaves(ctx context.Context, m *mesh.TetMesh, law material.Law, w waves, form fem.Formulation) (float64, error) {
	force := make([]r3.Vec, len(m.Nodes))
	overPoints(m, func(p r3.Vec, weight float64, n []float64, conn []int32) {
		b := w.body(law, p)
		for a, v := range conn {
			force[v] = r3.Add(force[v], r3.Scale(weight*n[a], b))
		}
	})
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: prescribed(m, onCube(1), w.u)}
	for v, f := range force {
		mod.Forces = append(mod.Forces, fem.NodalForce{Node: int32(v), ForceN: f})
	}
	s := fem.Settings{Formulation: form, Steps: 1, ResidualTol: 1e-9}
	f, _, err := last(ctx, mod, s)
	if err != nil {
		return 0, err
	}
	var sum, norm float64
	overPoints(m, func(p r3.Vec, weight float64, n []float64, conn []int32) {
		var u r3.Vec
		for a, v := range conn {
			u = r3.Add(u, r3.Scale(n[a], f.U[v]))
		}
		sum += weight * r3.Norm2(r3.Sub(u, w.u(p)))
		norm += weight * r3.Norm2(w.u(p))
	})
	return math.Sqrt(sum / norm), nil
}

func runManufactured(ctx context.Context, l Level) (rows []Row, err error) {
	for _, c := range []struct {
		law       string
		w         waves
		quadratic bool
		form      fem.Formulation
		rate      float64
	}{
		{"linear", waves{1e-3}, false, fem.Displacement, 2},
		{"linear", waves{1e-3}, true, fem.Displacement, 3},
		{"neo-Hookean", waves{0.1}, false, fem.Displacement, 2},
		{"neo-Hookean", waves{0.1}, true, fem.Displacement, 3},
		{"neo-Hookean", waves{0.1}, false, fem.MeanDilatation, 2},
		{"neo-Hookean", waves{0.1}, true, fem.MeanDilatation, 2},
	} {
		var law material.Law = must(material.NewLinear(1, 0.3))
		if c.law != "linear" {
			law = must(material.NewNeoHookean(1/2.6, 0.3))
		}
		var cells []int
		switch {
		case l == Quick && c.quadratic:
			cells = []int{2, 3, 4, 6}
		case l == Quick:
			cells = []int{4, 6, 8, 12}
		case c.quadratic:
			cells = []int{2, 4, 8, 16}
		default:
			cells = []int{4, 8, 16, 32}
		}
		var set []Row
		for _, n := range cells {
			m := brick(n, n, n, 1, 1, 1)
			if c.quadratic {
				m = m.Quadratic()
			}
			e, err := solveWaves(ctx, m, law, c.w, c.form)
			if err != nil {
				return rows, fmt.Errorf("%s %s, %s, %d cells: %w", c.law, kind(m), formName(c.form), n, err)
			}
			name := fmt.Sprintf("%s, %s, %s", c.law, kind(m), formName(c.form))
			r := shown(name, described(fmt.Sprintf("h = 1/%d", n), m), "", e, 0).at(1 / float64(n))
			r.Error = e
			set = append(set, r)
		}
		rows = append(rows, set...)
		name, meshes := "rate: "+set[0].Quantity, fmt.Sprintf("%d meshes", len(cells))
		if c.form == fem.Displacement {
			rows = append(rows, absolute(name, meshes, "", rateOf(set), c.rate, 0.1))
			continue
		}
		tol := 0.1
		if l == Quick { // still coarse
			tol = 0.3
		}
		rows = append(rows, shown(name, meshes, "", rateOf(set), 0),
			atLeast(name, "two finest meshes", "", rateOf(set[len(set)-2:]), c.rate, tol))
	}
	return rows, nil
}
