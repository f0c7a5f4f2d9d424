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

// The thick walls of Lamé: radii in mm, E and pressure in MPa.
const (
	lameInner, lameOuter     = 10.0, 15.0
	lameYoung, lamePoisson   = 0.01, 0.45
	lamePressure             = 0.0015
	lameDispTol, lameHoopTol = 1e-3, 5e-3
)

func init() {
	const text = "a = 10, b = 15 mm, E = 0.01 MPa, ν = 0.45, p = 0.0015 MPa inside, linear law, Tet10 in the displacement form, curved edges. " +
		"u is the node furthest from the closed form, σθ the recovered stress at the worst node of the inner surface; h is the size of cells through the wall."
	register(Case{
		Name: "lame-tube", Title: "Lamé tube in plane strain", Group: ClosedForms,
		Text:   text + " A quarter, one cell long.",
		Source: "[C] S. Timoshenko & J. Goodier, Theory of Elasticity (1970), §28",
		Run:    runLameTube,
	}, Case{
		Name: "lame-sphere", Title: "Lamé sphere", Group: ClosedForms,
		Text:   text + " An eighth; cells grow with the radius and are up to twice as wide as thick.",
		Source: "[C] S. Timoshenko & J. Goodier, Theory of Elasticity (1970), §136",
		Run:    runLameSphere,
	})
}

// tubeU is Lamé's radial displacement in plane strain, mm.
func tubeU(r float64) float64 {
	const a, b = lameInner, lameOuter
	c := lamePressure * a * a / (b*b - a*a)
	return (1 + lamePoisson) / lameYoung * c * ((1-2*lamePoisson)*r + b*b/r)
}

// tubeHoop is its circumferential stress, MPa.
func tubeHoop(r float64) float64 {
	const a, b = lameInner, lameOuter
	return lamePressure * a * a / (b*b - a*a) * (1 + b*b/(r*r))
}

// sphereU is Lamé's radial displacement of the sphere, mm.
func sphereU(r float64) float64 {
	const a, b = lameInner, lameOuter
	c := lamePressure * a * a * a / (b*b*b - a*a*a)
	return c / lameYoung * ((1-2*lamePoisson)*r + (1+lamePoisson)*b*b*b/(2*r*r))
}

// sphereHoop is its tangential stress, MPa.
func sphereHoop(r float64) float64 {
	const a, b = lameInner, lameOuter
	return lamePressure * a * a * a / (b*b*b - a*a*a) * (1 + b*b*b/(2*r*r*r))
}

// wallMesh is one mesh of a series through a wall: cells through it and around.
type wallMesh struct {
	nr, nt int
	judge  bool
}

func runLameTube(ctx context.Context, l Level) (rows []Row, err error) {
	set := []wallMesh{{1, 4, false}, {2, 8, false}, {4, 16, false}, {8, 32, false}, {10, 40, true}}
	if l == Quick {
		set = []wallMesh{{2, 6, false}, {4, 10, false}, {6, 14, true}}
	}
	return lame(ctx, set, l, func(w wallMesh) (*mesh.TetMesh, []fem.Prescribed) {
		m := quarterTube(lameInner, lameOuter, 0.5, w.nr, w.nt, 1)
		return m, append(symmetry(m, 0, 1), held(m, 2, 0, everywhere)...)
	}, func(p r3.Vec) r3.Vec { return r3.Vec{X: p.X, Y: p.Y} }, tubeU, tubeHoop)
}

func runLameSphere(ctx context.Context, l Level) (rows []Row, err error) {
	set := []wallMesh{{1, 1, false}, {2, 2, false}, {4, 4, false}, {8, 8, false}, {10, 10, true}}
	if l == Quick {
		set = []wallMesh{{2, 2, false}, {4, 3, false}, {6, 5, true}}
	}
	return lame(ctx, set, l, func(w wallMesh) (*mesh.TetMesh, []fem.Prescribed) {
		m := octant(layers(lameInner, lameOuter, w.nr), w.nt)
		return m, symmetry(m, 0, 1, 2)
	}, func(p r3.Vec) r3.Vec { return p }, sphereU, sphereHoop)
}

// lame runs the series; out is the vector from the axis or centre.
func lame(ctx context.Context, set []wallMesh, l Level, build func(wallMesh) (*mesh.TetMesh, []fem.Prescribed), out func(r3.Vec) r3.Vec, exactU, exactHoop func(float64) float64) (rows []Row, err error) {
	const a, b = lameInner, lameOuter
	tolU, tolS := lameDispTol, lameHoopTol
	if l == Quick {
		tolU, tolS = 2*tolU, 4*tolS
	}
	var ua, ub, sa []Row
	for _, w := range set {
		m, hold := build(w)
		inner := func(p r3.Vec) bool { return math.Abs(r3.Norm(out(p))-a) < near }
		mod := &fem.Model{Mesh: m, Regions: one(must(material.NewLinear(lameYoung, lamePoisson))), Prescribed: hold, Loads: pressed(m, inner, lamePressure, false)}
		f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-10})
		if err != nil {
			return nil, err
		}
		h := (b - a) / float64(w.nr)
		name := described(fmt.Sprintf("h = %.4g mm", h), m)
		row := func(quantity, unit string, r, want, tol float64, value func(int32) float64) Row {
			v := farthestFrom(nodesWhere(m, func(p r3.Vec) bool { return math.Abs(r3.Norm(out(p))-r) < near }), want, value)
			if w.judge {
				return relative(quantity, name, unit, v, want, tol).at(h)
			}
			return shown(quantity, name, unit, v, want).at(h)
		}
		u := func(v int32) float64 { return r3.Dot(f.U[v], r3.Unit(out(m.Nodes[v]))) }
		ua = append(ua, row("u(a)", "mm", a, exactU(a), tolU, u))
		ub = append(ub, row("u(b)", "mm", b, exactU(b), tolU, u))
		sa = append(sa, row("σθ(a)", "MPa", a, exactHoop(a), tolS, func(v int32) float64 { return f.StressMax[v] }))
	}
	for _, s := range [][]Row{ua, ub, sa} {
		rows = append(append(rows, s...), shown("rate of "+s[0].Quantity, fmt.Sprintf("%d meshes", len(s)), "", rateOf(s), 0))
	}
	return rows, nil
}

// farthestFrom is the value of f over the nodes that is furthest from want.
func farthestFrom(nodes []int32, want float64, f func(int32) float64) (far float64) {
	for i, v := range nodes {
		if x := f(v); i == 0 || math.Abs(x-want) > math.Abs(far-want) {
			far = x
		}
	}
	return far
}
