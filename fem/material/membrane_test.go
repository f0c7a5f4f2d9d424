package material_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/fem/material"
)

func ExampleBilinearMembrane() {
	// Glisson's capsule: 8.22 and 48.15 MPa, 0.06 mm (Umale et al. 2011); the
	// transition strain of 0.2 is for this example only.
	law, err := material.NewBilinearMembrane(8.22, 48.15, 0.2, 0.5, 0.06)
	if err != nil {
		fmt.Println(err)
		return
	}
	l, side := 1.3, 1-0.5*0.3 // a strip, its sides free
	var s [3]float64
	law.Stress(&s, [3]float64{l * l, side * side, 0})
	fmt.Printf("nominal stress at 30 %%: %.4f MPa, across %.4f\n", s[0]*l/law.ThicknessMM(), s[1]*side)
	// Output: nominal stress at 30 %: 6.4590 MPa, across 0.0000
}

// checkMembrane is the contract of material.Membrane: every sheet runs it. At
// seeded random metrics with principal stretches in [min, max] it checks that
// the stress is the derivative of the energy and the tangent that of the stress,
// that the tangent is symmetric, that an isotropic sheet does not see its basis,
// that it rests at C = I with a positive definite stiffness, that bad metrics
// have no energy, that force goes with thickness, and that nothing allocates.
// make is the sheet of a given thickness.
func checkMembrane(t *testing.T, make func(thickness float64) material.Membrane, min, max float64, isotropic bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(23, 29))
	law, twice := make(0.5), make(1)
	if law.ThicknessMM() != 0.5 {
		t.Errorf("%T: thickness %g mm", law, law.ThicknessMM())
	}
	rest := [3]float64{1, 1, 0}
	var s, q [3]float64
	var d [3][3]float64
	law.Stress(&s, rest)
	law.Tangent(&d, rest)
	scale := d[0][0] + d[1][1]
	if s != [3]float64{} || law.Energy(rest) != 0 {
		t.Errorf("%T: stress %v or energy %g at rest", law, s, law.Energy(rest))
	}
	if !(d[0][0] > 0 && d[0][0]*d[1][1] > d[0][1]*d[0][1] && d[2][2] > 0) {
		t.Errorf("%T: stiffness at rest %v", law, d)
	}
	for n := range 40 {
		c := turned(min+(max-min)*rng.Float64(), min+(max-min)*rng.Float64(), 6*rng.Float64())
		switch n {
		case 0:
			c = rest
		case 1: // equal stretches
			c = [3]float64{max * max, max * max, 0}
		case 2: // in the basis
			c = [3]float64{max * max, min * min, 0}
		}
		sheetDerivatives(t, law, c, scale)
		law.Stress(&s, c)
		twice.Stress(&q, c)
		for k := range s {
			if math.Abs(q[k]-2*s[k]) > 1e-14*(scale+math.Abs(q[k])) {
				t.Errorf("%T: force is not in proportion to thickness", law)
			}
		}
		if isotropic {
			a, b := min+(max-min)*rng.Float64(), min+(max-min)*rng.Float64()
			u, v := law.Energy(turned(a, b, 0.3)), law.Energy(turned(a, b, 2))
			if math.Abs(u-v) > 1e-13*(scale+u) {
				t.Errorf("%T: the basis changes the energy: %g, %g", law, u, v)
			}
		}
	}
	for _, c := range [][3]float64{{1, 1, 1}, {-1, -1, 0}, {0, 0, 0}, {1, 1, -2}, {math.NaN(), 1, 0}, {1, math.NaN(), 0}, {1, 1, math.NaN()}, {math.Inf(1), 1, 0}} {
		if w := law.Energy(c); !math.IsInf(w, 1) {
			t.Errorf("%T: energy %g at C = %v", law, w, c)
		}
		law.Stress(&s, c) // must come back
		law.Tangent(&d, c)
	}
	if n := testing.AllocsPerRun(10, func() { law.Energy(rest); law.Stress(&s, rest); law.Tangent(&d, rest) }); n != 0 {
		t.Errorf("%T: %v allocations", law, n)
	}
}

// turned is the metric with principal stretches a and b at an angle.
func turned(a, b, angle float64) [3]float64 {
	s, c := math.Sincos(angle)
	return [3]float64{a*a*c*c + b*b*s*s, a*a*s*s + b*b*c*c, (a*a - b*b) * c * s}
}

func sheetDerivatives(t *testing.T, law material.Membrane, c [3]float64, scale float64) {
	t.Helper()
	const h = 1e-5
	var s [3]float64
	var d [3][3]float64
	law.Stress(&s, c)
	law.Tangent(&d, c)
	size := scale
	for r := range d {
		for k := range d {
			size = math.Max(size, math.Abs(d[r][k]))
			if math.Abs(d[r][k]-d[k][r]) > 1e-13*size {
				t.Errorf("%T: D[%d][%d] = %g, transpose %g", law, r, k, d[r][k], d[k][r])
			}
		}
	}
	for k, perE := range [3]float64{2, 2, 1} { // dC/dE, dC12/d(2·E12)
		var w [4]float64
		var f [3][4]float64
		for n, step := range [4]float64{-2, -1, 1, 2} {
			x := c
			x[k] += step * h * perE
			w[n] = law.Energy(x)
			var q [3]float64
			law.Stress(&q, x)
			for r := range f {
				f[r][n] = q[r]
			}
		}
		if e := math.Abs(difference(w, h) - s[k]); e > 2e-8*size {
			t.Errorf("%T: S[%d] = %g at %v, energy difference is off by %g", law, k, s[k], c, e)
		}
		for r := range f {
			if e := math.Abs(difference(f[r], h) - d[r][k]); e > 2e-7*size {
				t.Errorf("%T: D[%d][%d] = %g at %v, stress difference %g", law, r, k, d[r][k], c, difference(f[r], h))
			}
		}
	}
}

func TestMembranes(t *testing.T) {
	for _, c := range []struct {
		make      func(h float64) material.Membrane
		min, max  float64
		isotropic bool
	}{
		{func(h float64) material.Membrane { return must(material.NewLinearMembrane(41.5, 0.45, h)) }, 0.8, 1.3, true},
		{func(h float64) material.Membrane { return must(material.NewLinearMembrane(2, 0.5, h)) }, 0.8, 1.3, true},
		{func(h float64) material.Membrane { return must(material.NewNeoHookeanMembrane(0.3, h)) }, 0.7, 1.8, true},
		{func(h float64) material.Membrane {
			return must(material.NewBilinearMembrane(8.22, 48.15, 0.2, 0.5, h))
		}, 0.75, 1.5, true},
		{func(h float64) material.Membrane {
			return must(material.NewBilinearMembrane(1, 1, 0.1, 0.3, h))
		}, 0.75, 1.5, true},
		{func(h float64) material.Membrane {
			return must(material.NewExponentialMembrane(0.02, 12, 8, 3, 4, h))
		}, 0.8, 1.25, false},
		{func(h float64) material.Membrane {
			return must(material.NewExponentialMembrane(0.02, 10, 10, 4, 3, h))
		}, 0.8, 1.25, true},
	} {
		checkMembrane(t, c.make, c.min, c.max, c.isotropic)
	}
}

// Sheets in tension against closed forms: the incompressible neo-Hookean strip
// and balloon, and the strip of the bilinear sheet below and above its kink.
func TestMembraneClosedForms(t *testing.T) {
	const mu, h = 0.3, 0.5
	nh := must(material.NewNeoHookeanMembrane(mu, h))
	var s [3]float64
	for _, l := range []float64{0.8, 1.2, 2} {
		nh.Stress(&s, [3]float64{l * l, 1 / l, 0}) // strip: nominal force μ·h·(λ − λ⁻²)
		if math.Abs(s[0]*l-mu*h*(l-1/(l*l))) > 1e-14 || math.Abs(s[1]) > 1e-14 {
			t.Errorf("strip at %g: %v", l, s)
		}
		nh.Stress(&s, [3]float64{l * l, l * l, 0}) // equibiaxial: μ·h·(λ − λ⁻⁵)
		if math.Abs(s[0]*l-mu*h*(l-math.Pow(l, -5))) > 1e-14 {
			t.Errorf("equibiaxial at %g: %v", l, s)
		}
	}
	const small, large, kink, nu = 2.0, 30.0, 0.1, 0.4
	sheet := must(material.NewBilinearMembrane(small, large, kink, nu, h))
	for _, e := range []float64{-0.05, 0.03, 0.07, 0.13, 0.4} {
		l, side := 1+e, 1-nu*e
		sheet.Stress(&s, turned(l, side, 0.7))
		// back to the principal axes
		sn, cs := math.Sincos(0.7)
		along := cs*cs*s[0] + sn*sn*s[1] + 2*sn*cs*s[2]
		across := sn*sn*s[0] + cs*cs*s[1] - 2*sn*cs*s[2]
		want := small * e
		if e > kink {
			want += (large - small) * (e - kink)
		}
		if math.Abs(along*l-h*want) > 1e-13 || math.Abs(across) > 1e-13 {
			t.Errorf("strain %g: %.15g N/mm, want %.15g; across %g", e, along*l, h*want, across)
		}
	}
}

func TestMembranesRefuseBadConstants(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := material.NewLinearMembrane(bad, 0.3, 1)
		refused(t, err, "Young's modulus")
		_, err = material.NewLinearMembrane(1, 0.3, bad)
		refused(t, err, "thickness")
		_, err = material.NewNeoHookeanMembrane(bad, 1)
		refused(t, err, "shear modulus")
		_, err = material.NewBilinearMembrane(bad, 2, 0.1, 0.3, 1)
		refused(t, err, "small modulus")
		_, err = material.NewBilinearMembrane(1, 2, bad, 0.3, 1)
		refused(t, err, "transition strain")
		_, err = material.NewExponentialMembrane(1, 1, bad, 0, 1, 1)
		refused(t, err, "a2")
	}
	_, err := material.NewLinearMembrane(1, 0.51, 1)
	refused(t, err, "ratio of Poisson")
	_, err = material.NewBilinearMembrane(2, 1, 0.1, 0.3, 1)
	refused(t, err, "large modulus")
	_, err = material.NewExponentialMembrane(1, 1, 1, 1, 1, 1)
	refused(t, err, "a12")
	_, err = material.NewExponentialMembrane(1, 1, 1, math.NaN(), 1, 1)
	refused(t, err, "a12")
}
