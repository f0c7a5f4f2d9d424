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
		Name: "hertz", Title: "Hertz contact", Group: ClosedForms,
		Text: "A rigid ball of 10 mm is pressed 0.01 mm into a block (linear law, E = 0.01 MPa, ν = 0.45) of 160 mm depth and half-width, a quarter of it meshed, without friction; " +
			"the contact has a radius of 0.316 mm. h is the size of the cells under the ball; away from it they grow. The tolerances are those of the finest mesh. " +
			"Pressed 0.1 mm on a mesh √10 times as large, the force is compared with Sneddon's for a sphere that is no paraboloid.",
		Source: "[C] F = 4/3·E*·√R·δ^1.5, p0 = 2E*/π·√(δ/R) (K. L. Johnson, Contact Mechanics (1985), 4.2); I. N. Sneddon, Int. J. Eng. Sci. 3 (1965) 47, 6.4",
		Run:    runHertz,
	}, Case{
		Name: "contact-patch", Title: "Contact and tie patch test", Group: Formulations,
		Text: "Two blocks of 10 × 10 × 5 mm, linear law, whose meshes do not match, pressed together by 0.5 mm (contact without friction, gap tolerance 1 µm) or pulled apart by 0.1 mm (tie). " +
			"Spread is that of the largest principal stress over all nodes, relative to it: the stress is uniform.",
		Source: "[C] M. A. Crisfield, Int. J. Numer. Meth. Eng. 48 (2000) 435; M. Puso, ibid. 59 (2004) 315",
		Run:    runContactPatch,
	}, Case{
		Name: "friction", Title: "Friction on a plane", Group: ClosedForms,
		Text:   "A block of 10 × 10 × 6 mm, linear law, is pressed on a rigid plane by 5 % and pushed aside until all of it slides: T = μ·N.",
		Source: "[C] Coulomb's law",
		Run:    runFriction,
	})
}

// indent presses a rigid ball of radius r, mm, into a graded block and returns
// the force on the ball, N, and the largest pressure, MPa.
func indent(ctx context.Context, m *mesh.TetMesh, law material.Law, r, delta, reach, size, tol float64) (force, peak float64, err error) {
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: append(symmetry(m, 0, 1), prescribed(m, onZ(-size), still)...)}
	mod.Contacts = []fem.Contact{{
		Name: "ball", GapToleranceMM: tol,
		Faces:    facesWhere(m, func(p r3.Vec) bool { return math.Abs(p.Z) < near && math.Hypot(p.X, p.Y) < reach }),
		Obstacle: &fem.Obstacle{Shape: fem.Sphere{CentreMM: r3.Vec{Z: r}, RadiusMM: r}, MoveMM: []r3.Vec{{Z: -delta}}},
	}}
	f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-8})
	if err != nil {
		return 0, 0, err
	}
	c := f.Contacts[0]
	return 4 * c.ForceN.Z, c.MaxPressureMPa, nil
}

func runHertz(ctx context.Context, l Level) (rows []Row, err error) {
	const r, young, nu, size = 10.0, 0.01, 0.45, 160.0
	es := young / (1 - nu*nu)
	law := must(material.NewLinear(young, nu))
	set := []struct{ h, factor float64 }{{0.2, 2.5}, {0.14, 2}, {0.1, 1.7}, {0.07, 1.5}}
	tolF, tolP := 0.01, 0.03
	if l == Quick {
		set = set[1:2]
		tolF, tolP = 0.05, 0.2
	}
	const delta = 0.01
	f0, p0 := 4./3*es*math.Sqrt(r)*math.Pow(delta, 1.5), 2*es/math.Pi*math.Sqrt(delta/r)
	var force, peak []Row
	for _, s := range set {
		m := gradedQuarter(s.h, 0.42, s.factor, size).Quadratic()
		f, p, err := indent(ctx, m, law, r, delta, 0.9, size, 1e-5)
		if err != nil {
			return rows, err
		}
		name := described(fmt.Sprintf("h = %.3g mm", s.h), m)
		force = append(force, shown("F", name, "N", f, f0).at(s.h))
		peak = append(peak, shown("p0", name, "MPa", p, p0).at(s.h))
	}
	rows = append(judged(force, tolF), judged(peak, tolP)...)
	if l == Quick {
		return rows, nil
	}
	const deep, k = 0.1, 3.1622776601683795
	m := gradedQuarter(0.1*k, 0.42*k, 1.7, size*k).Quadratic()
	f, _, err := indent(ctx, m, law, r, deep, 0.9*k, size*k, 1e-4)
	if err != nil {
		return rows, err
	}
	return append(rows, relative("F, δ = 0.1 mm, Sneddon", described(fmt.Sprintf("h = %.3g mm", 0.1*k), m), "N", f, sneddon(r, deep, es), 0.02)), nil
}

// sneddon is the force on a rigid ball: δ = a/2·ln((R+a)/(R−a)) gives the
// radius a of the contact, F = E*/2·((a² + R²)·ln((R+a)/(R−a)) − 2aR).
func sneddon(r, delta, es float64) float64 {
	lo, hi := 0.0, r*(1-1e-9)
	for range 200 {
		a := (lo + hi) / 2
		if a/2*math.Log((r+a)/(r-a)) < delta {
			lo = a
		} else {
			hi = a
		}
	}
	return es / 2 * ((lo*lo+r*r)*math.Log((r+lo)/(r-lo)) - 2*lo*r)
}

func runContactPatch(ctx context.Context, l Level) (rows []Row, err error) {
	law := must(material.NewLinear(0.01, 0.3))
	fine := []int{3, 5, 7}
	if l == Quick {
		fine = fine[:1]
	}
	for _, n := range fine {
		for _, quadratic := range []bool{false, true} {
			m := twoBodies(brick(4, 4, 2, 10, 10, 5), brick(n, n, 2, 10, 10, 5), r3.Vec{Z: 5})
			below, above := facesOf(m, tissue, onZ(5)), facesOf(m, upper, onZ(5))
			if quadratic {
				m = m.Quadratic()
			}
			name := described(fmt.Sprintf("%d × %d on 4 × 4", n, n), m)
			for _, tie := range []bool{false, true} {
				mod := &fem.Model{Mesh: m, Regions: append(one(law), fem.Region{Label: upper, Law: law})}
				move, what := -0.5, "contact"
				if tie {
					move, what = 0.1, "tie"
					mod.Ties = []fem.Tie{{Name: "tie", Faces: above, Against: below, JumpToleranceMM: 1e-7}}
				} else {
					mod.Contacts = []fem.Contact{{Name: "pair", Faces: above, Against: below, GapToleranceMM: 1e-3}}
				}
				mod.Prescribed = append(symmetry(m, 0, 1, 2), held(m, 2, move, onZ(10))...)
				f, _, err := last(ctx, mod, fem.Settings{Steps: 1, ResidualTol: 1e-11})
				if err != nil {
					return rows, err
				}
				lo, hi := math.Inf(1), 0.0
				for v := range m.Nodes {
					s := math.Max(math.Abs(f.StressMin[v]), math.Abs(f.StressMax[v]))
					lo, hi = min(lo, s), max(hi, s)
				}
				rows = append(rows, bound(what+", spread of stress", name, "", (hi-lo)/hi, 1e-9), relative(what+", stress", name, "MPa", hi, 0.01*math.Abs(move)/10, 1e-3))
			}
		}
	}
	return rows, nil
}

func runFriction(ctx context.Context, l Level) (rows []Row, err error) {
	n := 3
	if l == Full {
		n = 6
	}
	for _, mu := range []float64{0.1, 0.3, 0.6} {
		m := brick(n, n, n/2+1, 10, 10, 6).Quadratic()
		push := func(x float64) []fem.Prescribed {
			return prescribed(m, onZ(6), func(r3.Vec) r3.Vec { return r3.Vec{X: x, Z: -0.3} })
		}
		mod := &fem.Model{Mesh: m, Regions: one(must(material.NewLinear(0.01, 0.3)))}
		mod.Contacts = []fem.Contact{{Name: "plane", Friction: mu, Faces: facesWhere(m, onZ(0)), Obstacle: &fem.Obstacle{Shape: fem.Plane{Normal: r3.Vec{Z: 1}}}}}
		mod.Stages = []fem.Stage{{Prescribed: push(0), Steps: 2}, {Prescribed: push(4), Steps: 10}}
		f, _, err := last(ctx, mod, fem.Settings{})
		if err != nil {
			return rows, err
		}
		c := f.Contacts[0]
		rows = append(rows, relative(fmt.Sprintf("T/N, μ = %g", mu), described("", m), "", c.ForceN.X/-c.ForceN.Z, mu, 2e-3))
	}
	return rows, nil
}
