package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "patch", Title: "Patch test", Group: Formulations,
		Text: "A cube of 10 mm, its inner vertices moved at random, under the six states of 1 % constant strain prescribed on the surface. " +
			"The error is the largest distance of a node from the exact place over the applied strain times the edge; the worst of the states counts.",
		Source: "[C] B. M. Irons & A. Razzaque, Experience with the patch test (1972)",
		Run:    runPatch,
	})
}

// uniform is a displacement of constant symmetric strain e in state i, from 0:
// xx, yy, zz, xy, yz, xz.
func uniform(state int, e float64) func(r3.Vec) r3.Vec {
	i, j := [6]int{0, 1, 2, 0, 1, 0}[state], [6]int{0, 1, 2, 1, 2, 2}[state]
	return func(p r3.Vec) r3.Vec {
		x, v := [3]float64{p.X, p.Y, p.Z}, [3]float64{}
		v[i] += e / 2 * x[j]
		v[j] += e / 2 * x[i]
		return r3.Vec{X: v[0], Y: v[1], Z: v[2]}
	}
}

// farthest is the largest distance of a node from where u puts it.
func farthest(m *mesh.TetMesh, got []r3.Vec, u func(r3.Vec) r3.Vec) (d float64) {
	for i, p := range m.Nodes {
		d = max(d, r3.Norm(r3.Sub(got[i], u(p))))
	}
	return d
}

func runPatch(ctx context.Context, l Level) (rows []Row, err error) {
	const edge, e, tol = 10.0, 0.01, 1e-12
	n := 2
	if l == Full {
		n = 4
	}
	forms := []struct {
		name      string
		quadratic bool
		form      fem.Formulation
	}{{"Tet4", false, fem.Displacement}, {"Tet4 mean dilatation", false, fem.MeanDilatation}, {"Tet10", true, fem.Displacement}, {"Tet10 mean dilatation", true, fem.MeanDilatation}}
	laws := []struct {
		name string
		law  material.Law
	}{{"linear ν = 0.45", must(material.NewLinear(0.01, 0.45))}, {"neo-Hookean ν = 0.45", must(material.NewNeoHookean(0.003, 0.45))}}
	for _, f := range forms {
		m := distorted(brick(n, n, n, edge, edge, edge), edge, 0.2*edge/float64(n), 1)
		if f.quadratic {
			m = m.Quadratic()
		}
		for _, law := range laws {
			var worst float64
			for state := range 6 {
				u := uniform(state, e)
				frame, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(law.law), Prescribed: prescribed(m, onCube(edge), u)}, fem.Settings{Formulation: f.form, Steps: 1, ResidualTol: 1e-14})
				if err != nil {
					return rows, fmt.Errorf("%s, %s, state %d: %w", f.name, law.name, state, err)
				}
				worst = max(worst, farthest(m, frame.U, u)/(e*edge))
			}
			rows = append(rows, bound("constant strain, "+law.name, described(f.name, m), "", worst, tol))
		}
	}
	return linearStress(ctx, rows, n)
}

// linearStress adds the states of linear strain, which a Tet10 in the
// displacement form holds exactly: pure bending and torsion of the linear law,
// both without body force.
func linearStress(ctx context.Context, rows []Row, n int) ([]Row, error) {
	const edge, k, nu, tol = 10.0, 1e-3, 0.3, 1e-12
	law := must(material.NewLinear(0.01, nu))
	m := distorted(brick(n, n, n, edge, edge, edge), edge, 0.2*edge/float64(n), 2).Quadratic()
	for _, c := range []struct {
		name string
		u    func(r3.Vec) r3.Vec
		// stress is the only one of the Voigt stresses xx, yy, zz, xy, yz, xz
		// that is looked at, MPa.
		at     int
		stress func(r3.Vec) float64
	}{
		// Curvature k about y: σxx = E·k·z, εxx = k·z, εyy = εzz = −ν·k·z.
		{"linear stress, bending", func(p r3.Vec) r3.Vec {
			return r3.Vec{X: k * p.X * p.Z, Y: -nu * k * p.Y * p.Z, Z: -k / 2 * (p.X*p.X + nu*(p.Z*p.Z-p.Y*p.Y))}
		}, 0, func(p r3.Vec) float64 { return 0.01 * k * p.Z }},
		// Twist k about z: σxz = −μ·k·y.
		{"linear stress, torsion", func(p r3.Vec) r3.Vec { return r3.Vec{X: -k * p.Y * p.Z, Y: k * p.X * p.Z} },
			5, func(p r3.Vec) float64 { return -law.ShearMPa() * k * p.Y }},
	} {
		f, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(law), Prescribed: prescribed(m, onCube(edge), c.u)}, fem.Settings{Steps: 1, ResidualTol: 1e-14})
		if err != nil {
			return rows, err
		}
		rows = append(rows, bound(c.name+": displacement", described("", m), "", farthest(m, f.U, c.u)/(k*edge*edge), tol))
		var off float64
		for i, p := range m.Nodes {
			off = max(off, math.Abs(f.Stress[i][c.at]-c.stress(p))/(0.01*k*edge))
		}
		rows = append(rows, shown(c.name+": recovered stress", described("", m), "", off, 0))
	}
	return rows, nil
}
