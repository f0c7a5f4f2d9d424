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
	const text = "A = 10, B = 15 mm, μ = 1 MPa, ν = 0.4999, Tet10 with mean dilatation. The inner surface is moved to the radius a; the pressure is that of its reactions, " +
		"their virtual work in a radial motion over the change of the enclosed volume. What remains on fine meshes is the compressibility of ν = 0.4999, not the mesh. Then the same pressure as a following load must find the radius (as the pressure that the closed form gives at the radius found)."
	register(Case{
		Name: "inflation-tube", Title: "Inflation of an incompressible neo-Hookean tube", Group: ClosedForms,
		Text:   text + " A quarter in plane strain (λz = 1), one cell long.",
		Source: "[C] R. W. Ogden, Non-Linear Elastic Deformations (1997), §5.3: p/μ = ln(λa/λb) + ½(1/λb² − 1/λa²)",
		Run:    runInflationTube,
	}, Case{
		Name: "inflation-sphere", Title: "Inflation of an incompressible neo-Hookean sphere", Group: ClosedForms,
		Text:   text + " An eighth; the pressure has its limit point at a ≈ 16.",
		Source: "[C] R. W. Ogden, Non-Linear Elastic Deformations (1997), §5.3: p/μ = g(λb) − g(λa), g(λ) = 2/λ + 1/(2λ⁴)",
		Run:    runInflationSphere,
	})
}

// spherePressure is p/μ of a sphere with radii A, B at rest when the inner one
// is a.
func spherePressure(ra, rb, a float64) float64 {
	b := math.Cbrt(rb*rb*rb - ra*ra*ra + a*a*a)
	g := func(l float64) float64 { return 2/l + 1/(2*l*l*l*l) }
	return g(b/rb) - g(a/ra)
}

// tubePressure is the same for a tube in plane strain.
func tubePressure(ra, rb, a float64) float64 {
	b := math.Sqrt(rb*rb - ra*ra + a*a)
	la, lb := a/ra, b/rb
	return math.Log(la/lb) + (1/(lb*lb)-1/(la*la))/2
}

// inflation is a thick wall A = 10, B = 15 mm to be blown up.
type inflation struct {
	build func(wallMesh) (*mesh.TetMesh, []fem.Prescribed)
	out   func(r3.Vec) r3.Vec           // the vector from the axis or centre
	area  func(m *mesh.TetMesh) float64 // of the inner surface of radius 1, mm² (tube: times the length)
	power float64                       // the area grows with a to this power
	exact func(ra, rb, a float64) float64
	radii []float64
}

const inflateA, inflateB = 10.0, 15.0

var tubeInflation = inflation{
	build: func(w wallMesh) (*mesh.TetMesh, []fem.Prescribed) {
		m := quarterTube(inflateA, inflateB, 0.5, w.nr, w.nt, 1)
		return m, append(symmetry(m, 0, 1), held(m, 2, 0, everywhere)...)
	},
	out:  func(p r3.Vec) r3.Vec { return r3.Vec{X: p.X, Y: p.Y} },
	area: func(*mesh.TetMesh) float64 { return math.Pi / 2 * 0.5 }, power: 1,
	exact: tubePressure, radii: []float64{12, 15, 20},
}

var sphereInflation = inflation{
	build: func(w wallMesh) (*mesh.TetMesh, []fem.Prescribed) {
		m := octant(layers(inflateA, inflateB, w.nr), w.nt)
		return m, symmetry(m, 0, 1, 2)
	},
	out:  func(p r3.Vec) r3.Vec { return p },
	area: func(*mesh.TetMesh) float64 { return math.Pi / 2 }, power: 2,
	exact: spherePressure, radii: []float64{12, 15},
}

func runInflationTube(ctx context.Context, l Level) ([]Row, error) {
	set := []wallMesh{{1, 4, false}, {2, 8, false}, {4, 16, false}, {5, 20, true}, {8, 32, false}}
	if l == Quick {
		set = []wallMesh{{2, 6, false}, {4, 10, true}}
	}
	return tubeInflation.run(ctx, set)
}

func runInflationSphere(ctx context.Context, l Level) ([]Row, error) {
	set := []wallMesh{{1, 1, false}, {2, 2, false}, {4, 4, false}, {5, 6, true}}
	if l == Quick {
		set = []wallMesh{{2, 2, false}, {3, 3, true}}
	}
	return sphereInflation.run(ctx, set)
}

func (c *inflation) inner(p r3.Vec) bool { return math.Abs(r3.Norm(c.out(p))-inflateA) < near }

func (c *inflation) run(ctx context.Context, set []wallMesh) (rows []Row, err error) {
	const tol = 2e-3
	law := must(material.NewNeoHookean(1, material.IncompressibleNu))
	s := fem.Settings{Formulation: fem.MeanDilatation, Steps: 2, ResidualTol: 1e-8}
	series := make([][]Row, len(c.radii))
	var follow []Row
	for _, w := range set {
		m, hold := c.build(w)
		h := (inflateB - inflateA) / float64(w.nr)
		name := described(fmt.Sprintf("h = %.4g mm", h), m)
		mod := &fem.Model{Mesh: m, Regions: one(law)}
		inner := nodesWhere(m, c.inner)
		for _, a := range c.radii {
			mod.Stages = append(mod.Stages, fem.Stage{Prescribed: append(append([]fem.Prescribed(nil), hold...), prescribed(m, c.inner, func(p r3.Vec) r3.Vec { return r3.Scale(a/inflateA-1, c.out(p)) })...)})
		}
		_, err := fem.Solve(ctx, mod, s, func(f *fem.Frame) error {
			if f.Step == 0 || f.LoadFactor < 1 {
				return nil
			}
			a := c.radii[f.Stage]
			var work float64 // of the reactions in a motion of 1 mm outwards
			for _, v := range inner {
				work += r3.Dot(f.ReactionN[v], r3.Unit(c.out(m.Nodes[v])))
			}
			p := work / (c.area(m) * math.Pow(a, c.power))
			quantity, want := fmt.Sprintf("p/μ at a = %g", a), c.exact(inflateA, inflateB, a)
			r := shown(quantity, name, "", p, want)
			if w.judge {
				r = relative(quantity, name, "", p, want, tol)
			}
			series[f.Stage] = append(series[f.Stage], r.at(h))
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", name, err)
		}
		if w.judge {
			if follow, err = c.follow(ctx, m, hold, law, s, name, tol); err != nil {
				return rows, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, r := range series {
		rows = append(rows, r...)
	}
	return append(rows, follow...), nil
}

// follow puts the pressures on as following loads.
func (c *inflation) follow(ctx context.Context, m *mesh.TetMesh, hold []fem.Prescribed, law material.Law, s fem.Settings, name string, tol float64) (rows []Row, err error) {
	mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: hold}
	var given []float64
	for _, a := range c.radii {
		p := c.exact(inflateA, inflateB, a)
		given = append(given, p)
		mod.Stages = append(mod.Stages, fem.Stage{Loads: &fem.LoadCase{Faces: pressed(m, c.inner, p, true)}})
	}
	inner := nodesWhere(m, c.inner)
	s.Steps = 4
	_, err = fem.Solve(ctx, mod, s, func(f *fem.Frame) error {
		if f.Step == 0 || f.LoadFactor < 1 {
			return nil
		}
		a, _ := mean(inner, 1, func(v int32) float64 { return r3.Norm(c.out(r3.Add(m.Nodes[v], f.U[v]))) })
		rows = append(rows, relative(fmt.Sprintf("p/μ at the radius found, a = %.3f", a), name+", following load", "", c.exact(inflateA, inflateB, a), given[f.Stage], tol))
		return nil
	})
	return rows, err
}
