package material_test

import (
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleGuccione() {
	// The beam of Land et al. (2015), problem 1: C = 2 kPa, 8, 2, 4.
	law, err := material.NewGuccione(2e-3, 8, 2, 4, 1, material.GuccioneIsochoric)
	if err != nil {
		fmt.Println(err)
		return
	}
	l := 1.1 // stretched along the fibre, volume kept
	side := 1 / math.Sqrt(l)
	f := material.Mat3{{X: l}, {Y: side}, {Z: side}}
	var p material.Mat3
	law.Stress(&p, &f)
	fmt.Printf("Cauchy stress along the fibre, sides free: %.6f kPa\n", 1e3*(p[0].X*l-p[1].Y*side))
	// Output: Cauchy stress along the fibre, sides free: 2.420691 kPa
}

func TestGuccione(t *testing.T) {
	for _, strain := range []material.GuccioneStrain{material.GuccioneIsochoric, material.GuccioneFull} {
		checkLaw(t, must(material.NewGuccione(2e-3, 8, 2, 4, 0.05, strain)), 0.75, 1.3)
		checkLaw(t, must(material.NewGuccione(10e-3, 1, 1, 1, 0.1, strain)), 0.7, 1.5)
		checkLaw(t, must(material.NewGuccione(0.4e-3, 18.5, 3.6, 1.6, 0.1, strain)), 0.85, 1.2)
	}
}

// Incompressible stretch λ of the fibre with free sides: σ = λ²·S11 − S22/λ
// with S = C·exp(Q)·b·E; along a cross axis the same with the axes exchanged;
// simple shear γ of fibre against sheet: P12 at F = I + γ·e1⊗e2, which no
// pressure enters, as F⁻ᵀ12 = 0.
func TestGuccioneClosedForms(t *testing.T) {
	const c, bf, bt, bfs = 2e-3, 8.0, 2.0, 4.0
	for _, strain := range []material.GuccioneStrain{material.GuccioneIsochoric, material.GuccioneFull} {
		law := must(material.NewGuccione(c, bf, bt, bfs, 10, strain))
		for _, l := range []float64{0.8, 1.1, 1.3} {
			e1, e2 := (l*l-1)/2, (1/l-1)/2
			q := bf*e1*e1 + 2*bt*e2*e2
			closed(t, law, l, 1/math.Sqrt(l), c*math.Exp(q)*(l*l*bf*e1-bt*e2/l))
		}
		// γ = 0.2: E12 = γ/2, E22 = γ²/2; P = F·S, P12 = S12 + γ·S22
		g := 0.2
		f := material.Mat3{{X: 1}, {X: g, Y: 1}, {Z: 1}}
		var p material.Mat3
		law.Stress(&p, &f)
		q := bt*g*g*g*g/4 + 2*bfs*g*g/4
		want := c * math.Exp(q) * (bfs*g/2 + g*bt*g*g/2)
		if math.Abs(p[1].X-want) > 1e-14 {
			t.Errorf("strain %d: P12 = %.12g, want %.12g", strain, p[1].X, want)
		}
	}
}

// Where the exponent would overflow the energy is +Inf and the stress finite.
func TestGuccioneOverflow(t *testing.T) {
	law := must(material.NewGuccione(2e-3, 80, 20, 40, 10, material.GuccioneFull))
	f := material.Mat3{{X: 20}, {Y: 1}, {Z: 1}}
	var p material.Mat3
	var a [9][9]float64
	law.Stress(&p, &f)
	law.Tangent(&a, &f)
	if !math.IsInf(law.Energy(&f), 1) || math.IsNaN(p.Norm2()) || math.IsNaN(a[0][0]) || math.IsInf(a[0][0], 0) {
		t.Errorf("energy %g, P11 %g, A11 %g", law.Energy(&f), p[0].X, a[0][0])
	}
}

func TestGuccioneRefusesBadConstants(t *testing.T) {
	for n, name := range []string{"C", "bf", "bt", "bfs", "bulk modulus"} {
		for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
			v := [5]float64{1, 1, 1, 1, 1}
			v[n] = bad
			_, err := material.NewGuccione(v[0], v[1], v[2], v[3], v[4], 0)
			refused(t, err, name)
		}
	}
	_, err := material.NewGuccione(1, 1, 1, 1, 1, 7)
	refused(t, err, "strain")
}
