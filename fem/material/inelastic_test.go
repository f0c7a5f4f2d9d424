package material_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// checkInelastic is the contract of material.Inelastic: every law with memory
// runs it, beside checkLaw for the response without history. Along seeded
// random paths with principal stretches in [min, max] it checks that the
// tangent is the derivative of the stress within the step and symmetric, that a
// rotation laid over the step turns the stress and leaves the history, that old
// is not changed, that stress does not depend on whether a tangent is wanted,
// that small steps from rest are those of the law without history, that bad F
// is refused, and that nothing allocates.
func checkInelastic(t *testing.T, law material.Inelastic, min, max float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(17, 19))
	n := law.HistorySize()
	scale := law.ShearMPa() + law.BulkMPa()
	old, next, spare := make([]float64, n), make([]float64, n), make([]float64, n)
	var p, q, g material.Mat3
	var a [9][9]float64
	for range 6 {
		law.InitHistory(old)
		for range 4 {
			f, dt := state(rng, min, max), 0.5*rng.Float64()
			before := slices.Clone(old)
			if !law.Respond(&p, &a, &f, old, next, dt) {
				t.Fatalf("%T: no response at %v", law, f)
			}
			if !slices.Equal(before, old) {
				t.Fatalf("%T: the old state was changed", law)
			}
			stepTangent(t, law, &f, &a, old, spare, dt, scale)
			if !law.Respond(&q, nil, &f, old, spare, dt) || q != p || !slices.Equal(next, spare) {
				t.Errorf("%T: the response without a tangent differs", law)
			}
			r := r3.NewRotation(6*rng.Float64(), r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: 1}))
			for j := range f {
				g[j] = r.Rotate(f[j])
			}
			if !law.Respond(&q, nil, &g, old, spare, dt) {
				t.Fatalf("%T: no response after a rotation", law)
			}
			for j := range p {
				if d := r3.Norm(r3.Sub(q[j], r.Rotate(p[j]))); d > 1e-11*(scale+math.Sqrt(p.Norm2())) {
					t.Errorf("%T: P(R·F) differs from R·P(F) by %g", law, d)
				}
			}
			for k := range next {
				if d := math.Abs(next[k] - spare[k]); d > 1e-11*(1+scale) {
					t.Errorf("%T: a rotation changes history %d by %g", law, k, d)
				}
			}
			old, next = next, old
		}
	}
	// A small instantaneous step from rest: within yield and onset.
	law.InitHistory(old)
	f := material.Mat3{{X: 1 + 1e-5}, {X: 2e-5, Y: 1 - 1e-5}, {Z: 1}}
	law.Stress(&q, &f)
	if !law.Respond(&p, nil, &f, old, next, 0) {
		t.Fatalf("%T: no response to a small step", law)
	}
	for j := range p {
		if d := r3.Norm(r3.Sub(p[j], q[j])); d > 1e-13*scale {
			t.Errorf("%T: a small step from rest differs from the law by %g MPa", law, d)
		}
	}
	nan, inf := math.NaN(), math.Inf(1)
	for _, bad := range []material.Mat3{{{X: -1}, {Y: 1}, {Z: 1}}, {{}, {}, {}}, {{X: nan}, {Y: 1}, {Z: 1}}, {{X: inf}, {Y: 1}, {Z: 1}}, {{X: 1}, {X: nan, Y: 1}, {Z: 1}}, {{X: 1e200}, {Y: 1}, {Z: 1}}} {
		if law.Respond(&p, &a, &bad, old, next, 0.1) {
			t.Errorf("%T: %v was answered with %v", law, bad, p)
		}
	}
	if n := testing.AllocsPerRun(10, func() { law.Respond(&p, &a, &f, old, next, 0.1) }); n != 0 {
		t.Errorf("%T: %v allocations", law, n)
	}
}

// stepTangent compares A with fourth-order central differences of P in the step.
func stepTangent(t *testing.T, law material.Inelastic, f *material.Mat3, a *[9][9]float64, old, spare []float64, dt, scale float64) {
	t.Helper()
	const h = 1e-5
	var s [4]material.Mat3
	for r := range a {
		for c := range a {
			if d := math.Abs(a[r][c] - a[c][r]); d > 1e-12*scale {
				t.Errorf("%T: A[%d][%d] and its transpose differ by %g of %g", law, r, c, d, scale)
			}
		}
	}
	for k := range 3 {
		for l := range 3 {
			x := at(f, k, l)
			start := *x
			for n, step := range [4]float64{-2, -1, 1, 2} {
				*x = start + step*h
				law.Respond(&s[n], nil, f, old, spare, dt)
			}
			*x = start
			for i := range 3 {
				for j := range 3 {
					fd := difference([4]float64{*at(&s[0], i, j), *at(&s[1], i, j), *at(&s[2], i, j), *at(&s[3], i, j)}, h)
					if d := math.Abs(fd - a[3*i+j][3*k+l]); d > 2e-7*scale {
						t.Errorf("%T: A[%d%d][%d%d] = %g, stress difference %g", law, i, j, k, l, a[3*i+j][3*k+l], fd)
					}
				}
			}
		}
	}
}

func TestInelasticLaws(t *testing.T) {
	nh := must(material.NewNeoHookean(1e-3, 0.45))
	// Miller & Chinzei (2002): two terms.
	brain := must(material.NewOgden(material.Ogden2MuOverAlpha2, 0.49, material.OgdenTerm{MuMPa: 842e-6, Alpha: -4.7}))
	prony := []material.PronyTerm{{G: 0.45, TauS: 0.5}, {G: 0.365, TauS: 50}}
	for _, c := range []struct {
		law      material.Inelastic
		min, max float64
	}{
		{must(material.NewViscoelastic(nh, prony...)), 0.7, 1.5},
		{must(material.NewViscoelastic(brain, prony...)), 0.8, 1.3},
		{must(material.NewDamage(nh, 0.01, 0.02, 0.9)), 0.7, 1.5},
		{must(material.NewDamage(brain, 0.002, 0.01, 0.99)), 0.8, 1.3},
		{must(material.NewElasticPlastic(200, 0.3, 1, 0)), 0.8, 1.25},
		{must(material.NewElasticPlastic(200, 0.3, 1, 20)), 0.95, 1.05},
		{must(material.NewElasticPlastic(114000, 0.34, 795, 0)), 0.98, 1.02}, // Ti-6Al-4V
	} {
		checkInelastic(t, c.law, c.min, c.max)
		checkLaw(t, c.law, c.min, c.max)
	}
	checkLaw(t, must(material.NewHencky(100, 0.3)), 0.7, 1.4)
}
