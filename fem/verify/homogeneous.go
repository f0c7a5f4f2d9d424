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
		Name: "homogeneous", Title: "Homogeneous states, stretch 1.5", Group: ClosedForms,
		Text: "A distorted unit cube of Tet10 with the isochoric stretches (λ, 1/√λ, 1/√λ) or (λ, λ, 1/λ²), λ = 1.5, prescribed on its surface; the Cauchy stress σ11 − σ33 at the worst node is that of the incompressible body with free sides. " +
			"Then uniaxial stretch with free sides, ν = 0.4999, mean dilatation: the stress is that of the law at the side stretch found by bisection.",
		Source: "[C] neo-Hookean μ(λ² − 1/λ), Mooney–Rivlin 2(λ² − 1/λ)(C10 + C01/λ), Ogden Σ μ(λ^α − λ^(−α/2)) (R. W. Ogden, Proc. R. Soc. A 326 (1972) 565), and their equibiaxial forms",
		Run:    runHomogeneous,
	}, Case{
		Name: "simple-shear", Title: "Simple shear", Group: ClosedForms,
		Text:   "A distorted cube of 10 mm, neo-Hookean, μ = 0.9 kPa, ν = 0.49, u = (γ·y, 0, 0) on its surface; the worst node counts.",
		Source: "[C] R. W. Ogden, Non-Linear Elastic Deformations (1997), §5.2: σ12 = μγ, σ11 − σ22 = μγ²",
		Run:    runShear,
	})
}

func runHomogeneous(ctx context.Context, l Level) (rows []Row, err error) {
	const lambda, tol, nu = 1.5, 1e-8, 0.49
	ogden := []material.OgdenTerm{{MuMPa: 0.63, Alpha: 1.3}, {MuMPa: 0.0012, Alpha: 5}, {MuMPa: -0.01, Alpha: -2}}
	ogdenStress := func(t func(a float64) float64) (s float64) {
		for _, o := range ogden {
			s += o.MuMPa * (math.Pow(lambda, o.Alpha) - t(o.Alpha))
		}
		return s
	}
	one3, biax := lambda*lambda-1/lambda, lambda*lambda-math.Pow(lambda, -4)
	n := 2
	if l == Full {
		n = 3
	}
	m := distorted(brick(n, n, n, 1, 1, 1), 1, 0.1, 4).Quadratic()
	for _, c := range []struct {
		name     string
		law      material.Law
		uni, equ float64 // MPa
	}{
		{"neo-Hookean μ = 1", must(material.NewNeoHookean(1, nu)), one3, biax},
		{"Mooney–Rivlin 0.4, 0.1", must(material.NewMooneyRivlin(0.4, 0.1, nu)), 2 * one3 * (0.4 + 0.1/lambda), 2 * biax * (0.4 + 0.1*lambda*lambda)},
		{"Ogden, three terms", must(material.NewOgden(material.OgdenMuOverAlpha, nu, ogden...)),
			ogdenStress(func(a float64) float64 { return math.Pow(lambda, -a/2) }), ogdenStress(func(a float64) float64 { return math.Pow(lambda, -2*a) })},
	} {
		for _, s := range []struct {
			name    string
			stretch r3.Vec
			want    float64
		}{{"uniaxial", r3.Vec{X: lambda, Y: 1 / math.Sqrt(lambda), Z: 1 / math.Sqrt(lambda)}, c.uni}, {"equibiaxial", r3.Vec{X: lambda, Y: lambda, Z: 1 / (lambda * lambda)}, c.equ}} {
			u := func(p r3.Vec) r3.Vec {
				return r3.Vec{X: (s.stretch.X - 1) * p.X, Y: (s.stretch.Y - 1) * p.Y, Z: (s.stretch.Z - 1) * p.Z}
			}
			f, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(c.law), Prescribed: prescribed(m, onCube(1), u)}, fem.Settings{ResidualTol: 1e-12})
			if err != nil {
				return rows, fmt.Errorf("%s, %s: %w", c.name, s.name, err)
			}
			got := farthestFrom(nodesWhere(m, everywhere), s.want, func(v int32) float64 { return f.Stress[v][0] - f.Stress[v][2] })
			rows = append(rows, relative(c.name+", "+s.name, described("", m), "MPa", got, s.want, tol))
		}
		law := incompressible(c.law)
		mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: append(symmetry(m, 0, 1, 2), held(m, 0, lambda-1, onX(1))...)}
		f, _, err := last(ctx, mod, fem.Settings{Formulation: fem.MeanDilatation, ResidualTol: 1e-12})
		if err != nil {
			return rows, fmt.Errorf("%s, free sides: %w", c.name, err)
		}
		want := freeSides(law, lambda)
		got := farthestFrom(nodesWhere(m, everywhere), want, func(v int32) float64 { return f.Stress[v][0] })
		rows = append(rows, relative(c.name+", free sides", described("ν = 0.4999", m), "MPa", got, want, tol),
			shown(c.name+", free sides", described("ν = 0.4999", m), "MPa", got, c.uni).because("beside the incompressible body"))
	}
	return rows, nil
}

// incompressible is a law of the homogeneous cases with ν = 0.4999.
func incompressible(law material.Law) material.Law {
	const nu = material.IncompressibleNu
	switch law.(type) {
	case material.NeoHookean:
		return must(material.NewNeoHookean(1, nu))
	case material.MooneyRivlin:
		return must(material.NewMooneyRivlin(0.4, 0.1, nu))
	}
	return must(material.NewOgden(material.OgdenMuOverAlpha, nu, material.OgdenTerm{MuMPa: 0.63, Alpha: 1.3}, material.OgdenTerm{MuMPa: 0.0012, Alpha: 5}, material.OgdenTerm{MuMPa: -0.01, Alpha: -2}))
}

// freeSides is the Cauchy stress of a law along a bar of stretch l with free
// sides, MPa; the side stretch is found by bisection.
func freeSides(law material.Law, l float64) float64 {
	var p material.Mat3
	side := func(s float64) float64 {
		law.Stress(&p, &material.Mat3{{X: l}, {Y: s}, {Z: s}})
		return p[1].Y
	}
	lo, hi := 0.5, 1.2
	for range 100 {
		if mid := (lo + hi) / 2; side(mid) > 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	s := (lo + hi) / 2
	side(s)
	return p[0].X / (s * s)
}

func runShear(ctx context.Context, l Level) (rows []Row, err error) {
	const mu, edge, tol = 0.9e-3, 10.0, 1e-10
	n := 2
	if l == Full {
		n = 3
	}
	law := must(material.NewNeoHookean(mu, 0.49))
	m := distorted(brick(n, n, n, edge, edge, edge), edge, 1, 4).Quadratic()
	for _, gamma := range []float64{0.01, 0.3, 1} {
		f, _, err := last(ctx, &fem.Model{Mesh: m, Regions: one(law), Prescribed: prescribed(m, onCube(edge), func(p r3.Vec) r3.Vec { return r3.Vec{X: gamma * p.Y} })}, fem.Settings{ResidualTol: 1e-14})
		if err != nil {
			return rows, fmt.Errorf("γ = %g: %w", gamma, err)
		}
		all := nodesWhere(m, everywhere)
		shear, normal := mu*gamma, mu*gamma*gamma
		rows = append(rows,
			relative(fmt.Sprintf("σ12, γ = %g", gamma), described("", m), "MPa", farthestFrom(all, shear, func(v int32) float64 { return f.Stress[v][3] }), shear, tol),
			relative(fmt.Sprintf("σ11 − σ22, γ = %g", gamma), described("", m), "MPa", farthestFrom(all, normal, func(v int32) float64 { return f.Stress[v][0] - f.Stress[v][1] }), normal, tol))
	}
	return rows, nil
}
