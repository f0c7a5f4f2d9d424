package material_test

import (
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ExampleNeoHookean() {
	law, err := material.NewNeoHookean(0.9e-3, 0.49) // 0.9 kPa
	if err != nil {
		fmt.Println(err)
		return
	}
	shear := material.Mat3{{X: 1}, {X: 0.5, Y: 1}, {Z: 1}} // γ = 0.5
	var p material.Mat3
	law.Stress(&p, &shear)
	fmt.Printf("κ = %.4f MPa, P12 = μγ = %.5f MPa\n", law.BulkMPa(), p[1].X)
	// Output: κ = 0.0447 MPa, P12 = μγ = 0.00045 MPa
}

func TestLaws(t *testing.T) {
	for _, c := range []struct {
		law      material.Law
		min, max float64
	}{
		{must(material.NewLinear(0.01, 0.45)), 0.7, 1.4},
		{must(material.NewStVenantKirchhoff(0.01, 0.3)), 0.7, 1.4},
		{must(material.NewNeoHookean(1e-3, 0.3)), 0.5, 2},
		{must(material.NewNeoHookean(0.9e-3, 0.49)), 0.6, 1.8},
		{must(material.NewNeoHookeanWith(1e-3, 5e-3, material.VolumetricQuadratic)), 0.5, 2},
		{must(material.NewNeoHookeanWith(1e-3, 5e-3, material.VolumetricLog)), 0.5, 2},
		{must(material.NewCompressibleNeoHookean(1e-2, 0.3)), 0.5, 2},
		{must(material.NewCompressibleNeoHookean(1e-2, 0)), 0.5, 2},
		{must(material.NewOgden(material.OgdenMuOverAlpha, 0.45, material.OgdenTerm{MuMPa: 0.63, Alpha: 1.3}, material.OgdenTerm{MuMPa: 0.0012, Alpha: 5}, material.OgdenTerm{MuMPa: -0.01, Alpha: -2})), 0.7, 1.6},
		{must(material.NewOgden(material.Ogden2MuOverAlpha2, 0.49, material.OgdenTerm{MuMPa: 1e-3, Alpha: -19})), 0.9, 1.1},
		{must(material.NewOgdenBulk(material.OgdenCOverM2, 0.148, material.OgdenTerm{MuMPa: 670e-6, Alpha: -19})), 0.9, 1.1},
		{must(material.NewMooneyRivlin(0.4, 0.1, 0.49)), 0.6, 1.8},
		{must(material.NewMooneyRivlin(0, 0.2, 0.3)), 0.6, 1.8},
		{must(material.NewYeoh(9850e-6, 26290e-6, 0, 0.49)), 0.6, 1.6},
		{must(material.NewYeoh(0.5, -0.05, 0.01, 0.45)), 0.6, 1.8},
		{must(material.NewRaghavanVorp(material.RaghavanVorpAlphaMPa, material.RaghavanVorpBetaMPa, 0.4999)), 0.7, 1.5},
	} {
		checkLaw(t, c.law, c.min, c.max)
	}
}

// The Ogden law with α = 2 is the neo-Hookean law, in each of its forms.
func TestOgdenReducesToNeoHookean(t *testing.T) {
	want := must(material.NewNeoHookean(1, 0.45))
	f := material.Mat3{{X: 1.2, Y: .1}, {X: -.3, Y: .9, Z: .2}, {Y: .4, Z: 1.1}}
	for form, mu := range map[material.OgdenForm]float64{material.OgdenMuOverAlpha: 1, material.Ogden2MuOverAlpha2: 1, material.OgdenCOverM2: 2} {
		got := must(material.NewOgden(form, 0.45, material.OgdenTerm{MuMPa: mu, Alpha: 2}))
		if d := math.Abs(got.Energy(&f) - want.Energy(&f)); d > 1e-13 {
			t.Errorf("form %d: energy off by %g", form, d)
		}
		var a, b [9][9]float64
		got.Tangent(&a, &f)
		want.Tangent(&b, &f)
		for r := range a {
			for c := range a {
				if d := math.Abs(a[r][c] - b[r][c]); d > 1e-11 {
					t.Fatalf("form %d: A[%d][%d] off by %g", form, r, c, d)
				}
			}
		}
	}
}

// Stretch 1.5, incompressible: uniaxial and equibiaxial Cauchy stress of the
// neo-Hookean law with μ = 1 MPa and of Ogden's rubber (Ogden 1972:
// σ = Σμ(λ^α − λ^t)); p follows from the free sides.
func TestStretchesAgainstClosedForms(t *testing.T) {
	ogden := must(material.NewOgden(material.OgdenMuOverAlpha, 0.49,
		material.OgdenTerm{MuMPa: 0.63, Alpha: 1.3}, material.OgdenTerm{MuMPa: 0.0012, Alpha: 5}, material.OgdenTerm{MuMPa: -0.01, Alpha: -2}))
	for _, c := range []struct {
		law               material.Law
		uniaxial, biaxial float64
	}{
		{must(material.NewNeoHookean(1, 0.49)), 1.583333333, 2.052469136},
		{ogden, 0.602425, 0.902970},
	} {
		l := 1.5
		for _, s := range []struct {
			f    material.Mat3
			want float64
		}{
			{material.Mat3{{X: l}, {Y: 1 / math.Sqrt(l)}, {Z: 1 / math.Sqrt(l)}}, c.uniaxial},
			{material.Mat3{{X: l}, {Y: l}, {Z: 1 / (l * l)}}, c.biaxial},
		} {
			var p material.Mat3
			c.law.Stress(&p, &s.f)
			// J = 1: the volumetric part gives no stress, and the difference to
			// the free direction is the Cauchy stress whatever the pressure.
			got := p[0].X*s.f[0].X - p[2].Z*s.f[2].Z
			if e := math.Abs(got/s.want - 1); e > 1e-6 {
				t.Errorf("%T: σ = %.9f MPa, want %.9f", c.law, got, s.want)
			}
		}
	}
}

// Ogden's rubber at a stretch of 1.5 in its three forms, to 1e-8 of the closed
// form σ = Σμ·(λ^α − λ^t), t = −α/2 in tension and −2α in equibiaxial tension,
// with μ = (6.3e5, 0.012e5, −0.1e5) Pa: 602425 and 902970 Pa.
func TestOgdenForms(t *testing.T) {
	rubber := []material.OgdenTerm{{MuMPa: 0.63, Alpha: 1.3}, {MuMPa: 0.0012, Alpha: 5}, {MuMPa: -0.01, Alpha: -2}}
	for _, form := range []material.OgdenForm{material.OgdenMuOverAlpha, material.Ogden2MuOverAlpha2, material.OgdenCOverM2} {
		terms := make([]material.OgdenTerm, len(rubber))
		for n, term := range rubber {
			terms[n] = must(material.ConvertOgden(term, material.OgdenMuOverAlpha, form))
			back := must(material.ConvertOgden(terms[n], form, material.OgdenMuOverAlpha))
			if math.Abs(back.MuMPa-term.MuMPa) > 1e-15 || back.Alpha != term.Alpha {
				t.Errorf("form %d: %v comes back as %v", form, term, back)
			}
		}
		law := must(material.NewOgden(form, 0.4999, terms...))
		const l = 1.5
		var uniaxial, biaxial float64
		for _, term := range rubber {
			uniaxial += term.MuMPa * (math.Pow(l, term.Alpha) - math.Pow(l, -term.Alpha/2))
			biaxial += term.MuMPa * (math.Pow(l, term.Alpha) - math.Pow(l, -2*term.Alpha))
		}
		if math.Abs(uniaxial-0.602425) > 5e-7 || math.Abs(biaxial-0.902970) > 5e-7 {
			t.Fatalf("closed form %.7f, %.7f MPa", uniaxial, biaxial)
		}
		closed(t, law, l, 1/math.Sqrt(l), uniaxial)
		closed(t, law, l, l, biaxial)
	}
	_, err := material.ConvertOgden(rubber[0], material.OgdenUnknown, material.OgdenCOverM2)
	refused(t, err, "form")
	_, err = material.ConvertOgden(material.OgdenTerm{MuMPa: 1}, material.OgdenCOverM2, material.OgdenCOverM2)
	refused(t, err, "alpha")
}

// Every split law takes κ and the form of U(J); at J = 1 the stress is as before.
func TestBulkIsChosen(t *testing.T) {
	const kappa = 7.0
	for _, form := range []material.Volumetric{material.VolumetricSimo, material.VolumetricQuadratic, material.VolumetricLog} {
		for _, law := range []material.Split{
			must(must(material.NewMooneyRivlin(0.4, 0.1, 0.3)).WithBulk(kappa, form)),
			must(must(material.NewYeoh(0.5, -0.05, 0.01, 0.3)).WithBulk(kappa, form)),
			must(must(material.NewOgden(material.OgdenMuOverAlpha, 0.3, material.OgdenTerm{MuMPa: 0.6, Alpha: 3})).WithBulk(kappa, form)),
			must(must(material.NewHolzapfelGasserOgden(0.3, 0.2, 0.8, 0.3, r3.Vec{X: 1}, r3.Vec{Y: 1})).WithBulk(kappa, form)),
			must(must(material.NewGasserOgdenHolzapfel(0.3, 0.2, 0.8, 0.2, 0.3, r3.Vec{X: 1}, r3.Vec{Y: 1})).WithBulk(kappa, form)),
		} {
			checkLaw(t, law, 0.7, 1.4)
			u, du, ddu := must(material.NewNeoHookeanWith(1, kappa, form)).Dilatation(1.2)
			if a, b, c := law.Dilatation(1.2); a != u || b != du || c != ddu || law.BulkMPa() != kappa {
				t.Errorf("%T, %v: U, U', U” = %g, %g, %g, want %g, %g, %g", law, form, a, b, c, u, du, ddu)
			}
		}
	}
	_, err := must(material.NewMooneyRivlin(0.4, 0.1, 0.3)).WithBulk(0, material.VolumetricLog)
	refused(t, err, "bulk modulus")
	_, err = must(material.NewYeoh(0.4, 0.1, 0, 0.3)).WithBulk(1, 5)
	refused(t, err, "volumetric form")
}

func TestBadConstantsAreRefused(t *testing.T) {
	nan := math.NaN()
	for _, nu := range []float64{0.5, 0.6, -1, nan} {
		if _, err := material.NewNeoHookean(1, nu); err == nil {
			t.Errorf("ν = %v accepted", nu)
		}
	}
	for _, v := range []float64{0, -1, nan, math.Inf(1)} {
		if _, err := material.NewNeoHookean(v, 0.4); err == nil {
			t.Errorf("μ = %v accepted", v)
		}
		if _, err := material.NewLinear(v, 0.4); err == nil {
			t.Errorf("E = %v accepted", v)
		}
		if _, err := material.NewStVenantKirchhoff(v, 0.4); err == nil {
			t.Errorf("E = %v accepted", v)
		}
		if _, err := material.NewOgdenBulk(material.OgdenCOverM2, v, material.OgdenTerm{MuMPa: 1, Alpha: 2}); err == nil {
			t.Errorf("κ = %v accepted", v)
		}
	}
	for name, terms := range map[string][]material.OgdenTerm{"number of terms": nil, "alpha": {{MuMPa: 1, Alpha: 0}}, "initial shear modulus": {{MuMPa: 1, Alpha: -2}}} {
		_, err := material.NewOgden(material.OgdenMuOverAlpha, 0.45, terms...)
		refused(t, err, name)
	}
	_, err := material.NewOgden(material.OgdenMuOverAlpha, 0.45, make([]material.OgdenTerm, 4)...)
	refused(t, err, "number of terms")
	_, err = material.NewOgden(material.OgdenUnknown, 0.45, material.OgdenTerm{MuMPa: 1, Alpha: 2})
	refused(t, err, "form")
	_, err = material.NewOgden(material.OgdenMuOverAlpha, 0.45, material.OgdenTerm{MuMPa: nan, Alpha: 2})
	refused(t, err, "initial shear modulus")
}
