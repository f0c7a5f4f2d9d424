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
		Name: "hanging-bar", Title: "Bar under its own weight", Group: ClosedForms,
		Text: "A steel bar of 100 × 100 × 1000 mm, E = 210 GPa, ν = 0.28, 7800 kg/m³, g = 9.80665 m/s²; the top face has the displacement of the solution, which is quadratic, so that Tet10 must hold it exactly.",
		Source: "[R] solids4foam/solid-benchmarks, linearElasticity/hangingBar: ΔL = ρgL²/2E, σ = ρgz; the lateral displacement from " +
			"S. Timoshenko & J. Goodier, Theory of Elasticity (1970), §102",
		Run: runBar,
	}, Case{
		Name: "spherical-cavity", Title: "Spherical cavity under tension", Group: ClosedForms,
		Text: "A cavity of 200 mm in a body under 1 MPa along z, E = 200 GPa, ν = 0.3; an eighth up to 10 radii, where the displacement of the uniform tension is prescribed (which is off by 1e-3 of the stress). " +
			"Recovered stress at the worst node of the equator (σzz) and at the pole (σxx).",
		Source: "[R] solids4foam/solid-benchmarks, linearElasticity/sphericalCavity; R. V. Southwell & H. J. Gough (1926): σzz = (27 − 15ν)/(14 − 10ν)·T, σxx = −(3 + 15ν)/(14 − 10ν)·T",
		Run:    runCavity,
	}, Case{
		Name: "boussinesq", Title: "Point force on a half-space", Group: ClosedForms,
		Text: "400 kN on a half-space, E = 100 MPa, ν = 0.3; a quarter of 1 × 1 × 1 m with the exact displacement on the far faces and cells that grow as their number. " +
			"Displacement along the force on the surface and below, stress below; the vicinity of the force is singular.",
		Source: "[R] solids4foam/solid-benchmarks, linearElasticity/BoussinesqProblem; K. L. Johnson, Contact Mechanics (1985), §3.2",
		Run:    runBoussinesq,
	})
}

func runBar(ctx context.Context, l Level) ([]Row, error) {
	const young, nu, rho, g, length, side = 210e3, 0.28, 7.8e-9, 9806.65, 1000.0, 100.0
	n := 1
	if l == Full {
		n = 2
	}
	m := mapped(brick(n, n, 9*n, side, side, length).Quadratic(), func(p r3.Vec) r3.Vec { return r3.Vec{X: p.X - side/2, Y: p.Y - side/2, Z: p.Z} })
	u := func(p r3.Vec) r3.Vec {
		c := rho * g / young
		return r3.Vec{X: -nu * c * p.X * p.Z, Y: -nu * c * p.Y * p.Z, Z: c / 2 * (p.Z*p.Z - length*length + nu*(p.X*p.X+p.Y*p.Y))}
	}
	mod := &fem.Model{Mesh: m, Regions: []fem.Region{{Label: tissue, Law: must(material.NewLinear(young, nu)), DensityTPerMM3: rho}},
		Prescribed: prescribed(m, onZ(length), u), GravityChange: r3.Vec{Z: -g}}
	f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-12})
	if err != nil {
		return nil, err
	}
	long := rho * g * length * length / (2 * young)
	low, high := nodeAt(m, r3.Vec{}), nodesWhere(m, onZ(length))
	return []Row{
		relative("elongation", described("", m), "mm", -f.U[low].Z, long, 1e-8),
		bound("displacement, all nodes, over it", described("", m), "", farthest(m, f.U, u)/long, 1e-8),
		relative("σzz at the top", described("", m), "MPa", farthestFrom(high, rho*g*length, func(v int32) float64 { return f.Stress[v][2] }), rho*g*length, 1e-8),
	}, nil
}

func runCavity(ctx context.Context, l Level) (rows []Row, err error) {
	const young, nu, a, far, pull = 200e3, 0.3, 200.0, 10.0, 1.0
	set := []wallMesh{{3, 1, false}, {6, 2, false}, {12, 4, false}, {24, 8, true}}
	tol := 2e-2
	if l == Quick {
		set, tol = []wallMesh{{10, 4, true}}, 0.2
	}
	equator, pole := (27-15*nu)/(14-10*nu)*pull, -(3+15*nu)/(14-10*nu)*pull
	var top []Row
	for _, w := range set {
		m := octant(layers(a, far*a, w.nr), w.nt)
		u := func(p r3.Vec) r3.Vec {
			return r3.Scale(pull/young, r3.Vec{X: -nu * p.X, Y: -nu * p.Y, Z: p.Z})
		}
		edge := func(p r3.Vec) bool { return math.Abs(r3.Norm(p)-far*a) < 1e-6 }
		mod := &fem.Model{Mesh: m, Regions: one(must(material.NewLinear(young, nu))), Prescribed: append(symmetry(m, 0, 1, 2), prescribed(m, edge, u)...)}
		f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-10})
		if err != nil {
			return nil, err
		}
		h := a * (math.Pow(far, 1/float64(w.nr)) - 1)
		name := described(fmt.Sprintf("h = %.3g mm at the cavity", h), m)
		ring := nodesWhere(m, func(p r3.Vec) bool { return p.Z < near && math.Abs(r3.Norm(p)-a) < 1e-6 })
		e := relative("σzz on the equator", name, "MPa", farthestFrom(ring, equator, func(v int32) float64 { return f.Stress[v][2] }), equator, tol)
		p := relative("σxx at the pole", name, "MPa", f.Stress[nodeAt(m, r3.Vec{Z: a})][0], pole, tol)
		if !w.judge {
			e, p = shown(e.Quantity, name, "MPa", e.Value, equator), shown(p.Quantity, name, "MPa", p.Value, pole)
		}
		rows, top = append(rows, e.at(h)), append(top, p.at(h))
	}
	return append(rows, top...), nil
}

func runBoussinesq(ctx context.Context, l Level) (rows []Row, err error) {
	const young, nu, force, edge = 100.0, 0.3, 4e5, 1000.0
	c := force / (4 * math.Pi * young / (2 * (1 + nu)))
	u := func(p r3.Vec) r3.Vec {
		r := r3.Norm(p)
		side := p.Z/(r*r*r) - (1-2*nu)/(r*(r+p.Z))
		return r3.Scale(c, r3.Vec{X: p.X * side, Y: p.Y * side, Z: p.Z*p.Z/(r*r*r) + 2*(1-nu)/r})
	}
	n, tolU, tolS := 8, 2e-2, 0.2
	if l == Full {
		n, tolU, tolS = 16, 5e-3, 5e-2
	}
	m := mapped(brick(n, n, n, 1, 1, 1).Quadratic(), func(p r3.Vec) r3.Vec {
		return r3.Vec{X: edge * p.X * p.X, Y: edge * p.Y * p.Y, Z: edge * p.Z * p.Z}
	})
	straight(m)
	far := func(p r3.Vec) bool { return max(p.X, p.Y, p.Z) > edge-1e-6 }
	mod := &fem.Model{Mesh: m, Regions: one(must(material.NewLinear(young, nu))), Prescribed: append(symmetry(m, 0, 1), prescribed(m, far, u)...),
		Forces: []fem.NodalForce{{Node: nodeAt(m, r3.Vec{}), ForceN: r3.Vec{Z: force / 4}}}}
	f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-10})
	if err != nil {
		return nil, err
	}
	name := described("", m)
	for _, at := range []r3.Vec{{X: edge / 4}, {Z: edge / 4}, {X: edge * 9 / 16}, {Z: edge * 9 / 16}} {
		v := nodeAt(m, at)
		where := "surface"
		if at.Z > 0 {
			where = "depth"
		}
		p := m.Nodes[v]
		rows = append(rows, relative(fmt.Sprintf("u along the force, %s %.0f mm", where, r3.Norm(p)), name, "mm", f.U[v].Z, u(p).Z, tolU))
		if at.Z > 0 {
			want := -3 * force / (2 * math.Pi * p.Z * p.Z)
			rows = append(rows, relative(fmt.Sprintf("σ along the force, %s %.0f mm", where, r3.Norm(p)), name, "MPa", f.Stress[v][2], want, tolS))
		}
	}
	return rows, nil
}
