package material_test

import (
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestLawsOfRecords(t *testing.T) {
	for _, c := range []struct {
		law      material.Law
		min, max float64
	}{
		{must(material.NewIsotropicI2(26e-3, 26e-3, 0.49)), 0.7, 1.5},
		{must(material.NewIsotropicI2(1, 0, 0.3)), 0.7, 1.5},
		{must(material.NewStrainDependentNeoHookean(748.5e-6, -1.18, 0.49)), 0.6, 1.5},
		{must(material.NewStrainDependentNeoHookean(956.4e-6, -0.36, 0.45)), 0.6, 1.5},
		{must(material.NewStrainDependentNeoHookean(1, -1, 0.3)), 0.6, 1.5},
		{must(material.NewBilinear(1.6e-3, 11.7e-3, 0.2, 0.49)), 0.7, 1.6},
	} {
		checkLaw(t, c.law, c.min, c.max)
	}
	// Without D2, without exponent and with one slope they are known laws.
	f := material.Mat3{{X: 1.2, Y: .1}, {X: -.3, Y: .9, Z: .2}, {Y: .4, Z: 1.1}}
	for _, c := range [][2]material.Law{
		{must(material.NewIsotropicI2(0.2, 0, 0.3)), must(material.NewMooneyRivlin(0, 0.2, 0.3))},
		{must(material.NewStrainDependentNeoHookean(2, 0, 0.3)), must(material.NewNeoHookean(2, 0.3))},
		{must(material.NewBilinear(2.6, 2.6, 0.1, 0.3)), must(material.NewNeoHookean(1, 0.3))},
	} {
		var a, b [9][9]float64
		c[0].Tangent(&a, &f)
		c[1].Tangent(&b, &f)
		if d := math.Abs(c[0].Energy(&f) - c[1].Energy(&f)); d > 1e-13 {
			t.Errorf("%T: energy is off by %g", c[0], d)
		}
		for r := range a {
			for k := range a {
				if math.Abs(a[r][k]-b[r][k]) > 1e-12 {
					t.Fatalf("%T: A[%d][%d] = %g, want %g", c[0], r, k, a[r][k], b[r][k])
				}
			}
		}
	}
}

// Uniaxial stretch, incompressible. Thrombus: 2(λ² − 1/λ)·Ψ2/λ. Strain-dependent:
// G0·Cyy^p·(λ² − 1/λ) in compression, Cyy = λ². Bilinear: the two slopes.
func TestLawsOfRecordsAgainstClosedForms(t *testing.T) {
	const d1, d2 = 0.026, 0.026
	ilt := must(material.NewIsotropicI2(d1, d2, 0.4999))
	for _, l := range []float64{0.7, 0.95, 1.1, 1.5, 2} {
		x := 2*l + 1/(l*l) - 3
		closed(t, ilt, l, 1/math.Sqrt(l), 2*(l*l-1/l)*(d1+2*d2*x)/l)
		x = l*l*l*l + 2/(l*l) - 3
		closed(t, ilt, l, l, 2*(l*l-1/(l*l*l*l))*(d1+2*d2*x)*l*l)
	}
	const g0, p = 748.5e-6, -1.18
	fat := must(material.NewStrainDependentNeoHookean(g0, p, 0.4999))
	for _, l := range []float64{0.05, 0.3, 0.6, 0.9, 0.99, 0.9999} {
		closed(t, fat, l, 1/math.Sqrt(l), g0*math.Pow(l*l, p)*(l*l-1/l))
	}
	const small, large, kink = 1.6e-3, 11.7e-3, 0.2
	tension := must(material.NewBilinear(small, large, kink, 0.4999))
	mu := small / (2 * 1.4999)
	for _, l := range []float64{0.8, 1.1, 1.14, 1.26, 1.6} {
		nominal := mu * (l - 1/(l*l))
		if l > 1+kink {
			nominal += (large - small) * (l - 1 - kink)
		}
		closed(t, tension, l, 1/math.Sqrt(l), nominal*l)
	}
}

// Active tension: P and A are derivatives, rotation does not matter, and with
// free sides the fibre shortens until T·λ² balances the passive stress.
func TestActiveTension(t *testing.T) {
	const mu, tension = 1e-2, 4e-3
	law := must(material.NewActive(must(material.NewNeoHookean(mu, 0.49)), tension, r3.Vec{X: 1, Y: 2}))
	f := material.Mat3{{X: 1.1, Y: .1}, {X: -.2, Y: .9, Z: .2}, {Y: .1, Z: 1.05}}
	derivatives(t, law, &f, law.ShearMPa()+law.BulkMPa())
	var p material.Mat3
	law = must(material.NewActive(must(material.NewNeoHookean(mu, 0.49)), tension, r3.Vec{X: 3}))
	law.Stress(&p, &material.Identity)
	if p[0].X != tension || p[1].Y != 0 || p[0].Y != 0 {
		t.Errorf("at rest P = %v, want %g on the fibre", p, tension)
	}
	// μ(λ² − 1/λ) + T·λ² = 0: λ³ = μ/(μ + T)
	l := math.Cbrt(mu / (mu + tension))
	if s := cauchy(law, l, 1/math.Sqrt(l)); math.Abs(s) > 1e-16 {
		t.Errorf("free shortening: σ = %g MPa", s)
	}
	if w := law.Energy(&material.Mat3{{X: -1}, {Y: 1}, {Z: 1}}); !math.IsInf(w, 1) {
		t.Errorf("energy %g for det F < 0", w)
	}
	nh := must(material.NewNeoHookean(mu, 0.49))
	_, err := material.NewActive(nh, math.NaN(), r3.Vec{X: 1})
	refused(t, err, "active tension")
	_, err = material.NewActive(nh, 1, r3.Vec{})
	refused(t, err, "length of the fibre direction")
	_, err = material.NewActive(nil, 1, r3.Vec{X: 1})
	refused(t, err, "passive law")
}

func TestLawsOfRecordsRefuseBadConstants(t *testing.T) {
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err := material.NewIsotropicI2(bad, 1, 0.3)
		refused(t, err, "D1")
		_, err = material.NewIsotropicI2(1, bad, 0.3)
		refused(t, err, "D2")
		_, err = material.NewStrainDependentNeoHookean(bad, -1, 0.3)
		refused(t, err, "G0")
		_, err = material.NewStrainDependentNeoHookean(1, -1, bad)
		refused(t, err, "ratio of Poisson")
		_, err = material.NewBilinear(1, bad, 0.1, 0.3)
		refused(t, err, "large modulus")
		_, err = material.NewBilinear(1, 2, bad, 0.3)
		refused(t, err, "transition strain")
	}
	_, err := material.NewStrainDependentNeoHookean(1, 0.1, 0.3)
	refused(t, err, "exponent")
	_, err = material.NewBilinear(2, 1, 0.1, 0.3)
	refused(t, err, "large modulus")
}
