package material_test

import (
	"math"
	"testing"

	"halsted/fem/material"
)

// Pure dilatation F = J^(1/3)·I: P = U'(J)·J^(2/3)·I. U' and U” are the
// derivatives of U, U”(1) is κ, and the forms agree to first order.
func TestVolumetricForms(t *testing.T) {
	const kappa = 5.0
	for _, form := range []material.Volumetric{material.VolumetricSimo, material.VolumetricQuadratic, material.VolumetricLog} {
		law := must(material.NewNeoHookeanWith(1, kappa, form))
		if law.Volumetric() != form {
			t.Errorf("%v became %v", form, law.Volumetric())
		}
		for _, j := range []float64{0.6, 0.99, 1, 1.01, 1.7} {
			const h = 1e-5
			_, du, ddu := law.Dilatation(j)
			a, da, _ := law.Dilatation(j - h)
			b, db, _ := law.Dilatation(j + h)
			if math.Abs((b-a)/(2*h)-du) > 1e-8*kappa || math.Abs((db-da)/(2*h)-ddu) > 1e-8*kappa {
				t.Errorf("%v: derivatives at J = %g are off", form, j)
			}
			l := math.Cbrt(j)
			f := material.Mat3{{X: l}, {Y: l}, {Z: l}}
			var p material.Mat3
			law.Stress(&p, &f)
			if math.Abs(p[0].X-du*l*l) > 1e-14*kappa || math.Abs(p[1].X) > 1e-14*kappa {
				t.Errorf("%v: P = %v at J = %g, want %g", form, p, j, du*l*l)
			}
		}
		if u, du, ddu := law.Dilatation(1); u != 0 || du != 0 || ddu != kappa {
			t.Errorf("%v at rest: %g, %g, %g", form, u, du, ddu)
		}
	}
	simo, old := must(material.NewNeoHookeanWith(1, material.NeoHookean.BulkMPa(must(material.NewNeoHookean(1, 0.3))), material.VolumetricSimo)), must(material.NewNeoHookean(1, 0.3))
	if simo != old {
		t.Error("NewNeoHookean is no longer the Simo form")
	}
}

// Uniaxial stress of the compressible law: σ = μ/J·(λ² − λs²) with the sides'
// stretch λs free, where μ·(λs² − 1) + λ_L·ln J = 0.
func TestCompressibleNeoHookeanUniaxial(t *testing.T) {
	law := must(material.NewCompressibleNeoHookean(0.01, 0.3))
	mu := law.ShearMPa()
	lame := law.BulkMPa() - 2./3*mu
	for _, l := range []float64{0.6, 0.9, 1.1, 1.8} {
		side := 1.0
		for range 60 { // Newton's method on the free sides
			g := mu*(side*side-1) + lame*math.Log(l*side*side)
			side -= g / (2*mu*side + 2*lame/side)
		}
		f := material.Mat3{{X: l}, {Y: side}, {Z: side}}
		var p material.Mat3
		law.Stress(&p, &f)
		want := mu * (l*l - side*side) / (l * side * side)
		if got := p[0].X / (side * side); math.Abs(got/want-1) > 1e-12 || math.Abs(p[1].Y) > 1e-15 {
			t.Errorf("stretch %g: σ = %g MPa, want %g; side %g", l, got, want, p[1].Y)
		}
	}
}

func TestNeoHookeanFormsRefuseBadConstants(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := material.NewNeoHookeanWith(bad, 1, material.VolumetricLog)
		refused(t, err, "shear modulus")
		_, err = material.NewNeoHookeanWith(1, bad, material.VolumetricLog)
		refused(t, err, "bulk modulus")
		_, err = material.NewCompressibleNeoHookean(bad, 0.3)
		refused(t, err, "Young's modulus")
	}
	_, err := material.NewNeoHookeanWith(1, 1, 9)
	refused(t, err, "volumetric form")
	_, err = material.NewCompressibleNeoHookean(1, -0.1)
	refused(t, err, "ratio of Poisson")
}

// Simple shear γ: σ12 = μγ and σ11 − σ22 = μγ² for each form of U, and 0 in the
// free plane.
func TestSimpleShear(t *testing.T) {
	for _, form := range []material.Volumetric{material.VolumetricSimo, material.VolumetricQuadratic, material.VolumetricLog} {
		law := must(material.NewNeoHookeanWith(1.5, 40, form))
		for _, g := range []float64{-0.3, 0.01, 0.5, 2} {
			f := material.Mat3{{X: 1}, {X: g, Y: 1}, {Z: 1}}
			var p material.Mat3
			law.Stress(&p, &f)
			s12, s11, s22 := p[1].X, p[0].X+g*p[1].X, p[1].Y // σ = P·Fᵀ, J = 1
			if math.Abs(s12-1.5*g) > 1e-14 || math.Abs(s11-s22-1.5*g*g) > 1e-13 || p[0].Z != 0 || p[1].Z != 0 {
				t.Errorf("%v, γ = %g: σ12 = %.15g, σ11 − σ22 = %.15g", form, g, s12, s11-s22)
			}
		}
	}
}
