package material_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

const degree = math.Pi / 180

func ExampleHolzapfelGasserOgden() {
	// Carotid media of Holzapfel, Gasser & Ogden 2000; X circumferential, Y axial.
	a1, a2 := material.FibresInPlane(r3.Vec{X: 1}, r3.Vec{Y: 1}, 29*degree)
	law, err := material.NewHolzapfelGasserOgden(3e-3, 2.3632e-3, 0.8393, material.IncompressibleNu, a1, a2)
	if err != nil {
		fmt.Println(err)
		return
	}
	l := 1.3 // equibiaxial: Ī4 = λ²
	f := material.Mat3{{X: l}, {Y: l}, {Z: 1 / (l * l)}}
	var p material.Mat3
	law.Stress(&p, &f)
	free := p[2].Z / (l * l)
	fmt.Printf("circumferential %.3f kPa, axial %.3f kPa\n", 1e3*(p[0].X*l-free), 1e3*(p[1].Y*l-free))
	// Output: circumferential 16.594 kPa, axial 7.883 kPa
}

func TestFibreLaws(t *testing.T) {
	a1, a2 := r3.Vec{X: 1, Y: 0.6, Z: 0.1}, r3.Vec{X: -2, Y: 1.3}
	for _, c := range []struct {
		law      material.Law
		min, max float64
	}{
		{must(material.NewHolzapfelGasserOgden(3e-3, 2.3632e-3, 0.8393, 0.49, a1, a2)), 0.7, 1.5},
		{must(material.NewHolzapfelGasserOgden(3e-3, 0, 1, 0.3, a1, a2)), 0.7, 1.5},
		{must(material.NewHolzapfelGasserOgden(0.01, 0.05, 20, 0.4999, a1, a1)), 0.8, 1.2},
		{must(material.NewGasserOgdenHolzapfel(7.64e-3, 0.9966, 524.6, 0.226, 0.4999, a1, a2)), 0.97, 1.03},
		{must(material.NewGasserOgdenHolzapfel(7.64e-3, 0.1, 2, 0.1, 0.45, a1, a2)), 0.7, 1.4},
		{must(material.NewGasserOgdenHolzapfel(7.64e-3, 0.1, 2, 1./3, 0.45, a1, a2)), 0.7, 1.4},
	} {
		checkLaw(t, c.law, c.min, c.max)
	}
}

// Incompressible stretches along the axes of two families at ±φ in the plane:
// σ1 − σ3 = c·(λ1² − λ3²) + 4·k1·E·exp(k2·E²)·(d·(λ1² − λ3²) + (1 − 3d)·λ1²·cos²φ),
// E = d·I1 + (1 − 3d)·(λ1²·cos²φ + λ2²·sin²φ) − 1, without fibres when E < 0.
// φ = 0 with λ2 = λ1^(−1/2) is uniaxial, λ1 = λ2 equibiaxial.
func TestFibreLawsAgainstClosedForms(t *testing.T) {
	const c, k1, k2 = 3e-3, 2.3632e-3, 0.8393
	pulled, slack := 0, 0
	for _, phi := range []float64{0, 29 * degree, 62 * degree} {
		a1, a2 := material.FibresInPlane(r3.Vec{X: 1}, r3.Vec{Y: 1}, phi)
		for _, d := range []float64{0, 0.226, 1. / 3} {
			var law material.Law = must(material.NewGasserOgdenHolzapfel(c, k1, k2, d, 0.4999, a1, a2))
			if d == 0 {
				law = must(material.NewHolzapfelGasserOgden(c, k1, k2, 0.4999, a1, a2))
			}
			for _, l := range []float64{0.7, 0.9, 1.1, 1.5} {
				for _, side := range []float64{1 / math.Sqrt(l), l, 1.05} {
					l3 := 1 / (l * side)
					cos2, sin2 := math.Cos(phi)*math.Cos(phi), math.Sin(phi)*math.Sin(phi)
					e := d*(l*l+side*side+l3*l3) + (1-3*d)*(l*l*cos2+side*side*sin2) - 1
					want := c * (l*l - l3*l3)
					if e > 0 {
						pulled++
						want += 4 * k1 * e * math.Exp(k2*e*e) * (d*(l*l-l3*l3) + (1-3*d)*l*l*cos2)
					} else {
						slack++
					}
					closed(t, law, l, side, want)
				}
			}
		}
	}
	if pulled < 20 || slack < 10 {
		t.Errorf("%d states with fibres in tension, %d without", pulled, slack)
	}
}

// Without dispersion the two laws are one; fibres in compression leave the
// neo-Hookean law; the sign and length of a direction have no meaning.
func TestFibreLimits(t *testing.T) {
	a1, a2 := r3.Vec{X: 1, Y: 0.5}, r3.Vec{X: 1, Y: -0.5}
	hgo := must(material.NewHolzapfelGasserOgden(1, 2, 3, 0.45, a1, a2))
	goh := must(material.NewGasserOgdenHolzapfel(1, 2, 3, 0, 0.45, r3.Scale(-3, a1), a2))
	matrix := must(material.NewNeoHookean(1, 0.45))
	rng := rand.New(rand.NewPCG(3, 5))
	for range 20 {
		f := state(rng, 0.8, 1.2)
		if a, b := hgo.Energy(&f), goh.Energy(&f); math.Abs(a-b) > 1e-13*a {
			t.Errorf("energy %g without dispersion, %g with none", a, b)
		}
	}
	short := material.Mat3{{X: 0.8, Y: 0.1}, {Y: 0.9}, {Z: 1.4}}
	var p, q material.Mat3
	hgo.Stress(&p, &short)
	matrix.Stress(&q, &short)
	for k := range p {
		if r3.Norm(r3.Sub(p[k], q[k])) > 1e-14 {
			t.Errorf("slack fibres carry stress: %v, want %v", p, q)
		}
	}
}

func TestFibreLawsRefuseBadConstants(t *testing.T) {
	a := r3.Vec{X: 1}
	goh := func(c, k1, k2, d, nu float64, a1, a2 r3.Vec) error {
		_, err := material.NewGasserOgdenHolzapfel(c, k1, k2, d, nu, a1, a2)
		return err
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		refused(t, goh(bad, 1, 1, 0.1, 0.49, a, a), "c")
		refused(t, goh(1, bad, 1, 0.1, 0.49, a, a), "k1")
		refused(t, goh(1, 1, bad, 0.1, 0.49, a, a), "k2")
		refused(t, goh(1, 1, 1, bad, 0.49, a, a), "kappa")
		refused(t, goh(1, 1, 1, 0.1, bad, a, a), "ratio of Poisson")
	}
	refused(t, goh(1, 1, 0, 0.1, 0.49, a, a), "k2")
	refused(t, goh(1, 1, 1, 0.34, 0.49, a, a), "kappa")
	refused(t, goh(1, 1, 1, 0.1, 0.49, r3.Vec{}, a), "length of the direction of fibre family 1")
	refused(t, goh(1, 1, 1, 0.1, 0.49, a, r3.Vec{X: math.NaN()}), "length of the direction of fibre family 2")
}
