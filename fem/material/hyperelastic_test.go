package material_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleRaghavanVorp() {
	law, err := material.NewRaghavanVorp(material.RaghavanVorpAlphaMPa, material.RaghavanVorpBetaMPa, 0.4999)
	if err != nil {
		fmt.Println(err)
		return
	}
	l := 1.2 // uniaxial, incompressible
	side := 1 / math.Sqrt(l)
	f := material.Mat3{{X: l}, {Y: side}, {Z: side}}
	var p material.Mat3
	law.Stress(&p, &f)
	fmt.Printf("Cauchy stress at a stretch of %g: %.5f MPa\n", l, p[0].X*l-p[2].Z*side)
	// Output: Cauchy stress at a stretch of 1.2: 0.69801 MPa
}

// Incompressible uniaxial and equibiaxial stretch: the Cauchy stress with free
// sides is 2(λ² − λ⁻¹)(Ψ1 + Ψ2/λ) and 2(λ² − λ⁻⁴)(Ψ1 + Ψ2·λ²), Ψi = ∂W/∂Īi.
func TestInvariantLawsAgainstClosedForms(t *testing.T) {
	for _, c := range []struct {
		law  material.Law
		dPsi func(x float64) (d1, d2 float64) // x = I1 − 3
	}{
		{must(material.NewMooneyRivlin(0.4, 0.1, 0.4999)), func(float64) (float64, float64) { return 0.4, 0.1 }},
		{must(material.NewYeoh(0.5, -0.05, 0.01, 0.4999)), func(x float64) (float64, float64) { return 0.5 - 0.1*x + 0.03*x*x, 0 }},
		{must(material.NewRaghavanVorp(0.174, 1.881, 0.4999)), func(x float64) (float64, float64) { return 0.174 + 3.762*x, 0 }},
	} {
		for _, l := range []float64{0.7, 0.95, 1.1, 1.5, 2} {
			d1, d2 := c.dPsi(l*l + 2/l - 3)
			closed(t, c.law, l, 1/math.Sqrt(l), 2*(l*l-1/l)*(d1+d2/l))
			l4 := 1 / (l * l * l * l)
			d1, d2 = c.dPsi(2*l*l + l4 - 3)
			closed(t, c.law, l, l, 2*(l*l-l4)*(d1+d2*l*l))
		}
	}
	// Published figures at λ = 1.5: 1.477778 and 2.565586 MPa.
	mr := must(material.NewMooneyRivlin(0.4, 0.1, 0.49))
	for side, want := range map[float64]float64{1 / math.Sqrt(1.5): 1.477778, 1.5: 2.565586} {
		if got := cauchy(mr, 1.5, side); math.Abs(got-want) > 1e-6 {
			t.Errorf("Mooney-Rivlin: σ = %.7f MPa, want %.6f", got, want)
		}
	}
}

// cauchy is σ1 at stretches l1, l2 and 1/(l1·l2), the third direction free.
func cauchy(law material.Law, l1, l2 float64) float64 {
	l3 := 1 / (l1 * l2)
	f := material.Mat3{{X: l1}, {Y: l2}, {Z: l3}}
	var p material.Mat3
	law.Stress(&p, &f)
	return p[0].X*l1 - p[2].Z*l3
}

func closed(t *testing.T, law material.Law, l1, l2, want float64) {
	t.Helper()
	if got := cauchy(law, l1, l2); math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%T: stretches %g, %g: σ = %.15g MPa, want %.15g", law, l1, l2, got, want)
	}
}

// The laws that contain the neo-Hookean law give its stress.
func TestInvariantLawsReduceToNeoHookean(t *testing.T) {
	want := must(material.NewNeoHookean(1, 0.45))
	f := material.Mat3{{X: 1.2, Y: .1}, {X: -.3, Y: .9, Z: .2}, {Y: .4, Z: 1.1}}
	for _, got := range []material.Law{must(material.NewMooneyRivlin(0.5, 0, 0.45)), must(material.NewYeoh(0.5, 0, 0, 0.45)), must(material.NewRaghavanVorp(0.5, 0, 0.45))} {
		var a, b [9][9]float64
		got.Tangent(&a, &f)
		want.Tangent(&b, &f)
		for r := range a {
			for c := range a {
				if d := math.Abs(a[r][c] - b[r][c]); d > 1e-12 {
					t.Fatalf("%T: A[%d][%d] off by %g", got, r, c, d)
				}
			}
		}
	}
}

// refused checks that err is a *ParameterError for the value of that name.
func refused(t *testing.T, err error, name string) {
	t.Helper()
	if e, ok := errors.AsType[*material.ParameterError](err); !ok || e.Name != name || e.Range == "" {
		t.Errorf("got %v, want a *ParameterError about %s", err, name)
	}
}

func TestInvariantLawsRefuseBadConstants(t *testing.T) {
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err := material.NewMooneyRivlin(bad, 1, 0.49)
		refused(t, err, "C10")
		_, err = material.NewMooneyRivlin(1, bad, 0.49)
		refused(t, err, "C01")
		_, err = material.NewYeoh(bad, 0, 0, 0.49)
		refused(t, err, "C10")
		_, err = material.NewYeoh(1, bad, 0, 0.49)
		refused(t, err, "C20")
		_, err = material.NewYeoh(1, 0, bad, 0.49)
		refused(t, err, "C30")
		_, err = material.NewRaghavanVorp(bad, 0, 0.49)
		refused(t, err, "alpha")
		_, err = material.NewRaghavanVorp(1, bad, 0.49)
		refused(t, err, "beta")
		_, err = material.NewRaghavanVorp(1, 1, bad)
		refused(t, err, "ratio of Poisson")
	}
	_, err := material.NewMooneyRivlin(0, 0, 0.49)
	refused(t, err, "initial shear modulus 2*(C10 + C01)")
	_, err = material.NewYeoh(1, -0.2, 0.01, 0.49) // −√0.03 = −0.173
	refused(t, err, "C20")
	_, err = material.NewYeoh(1, 0, 0, 0.5)
	refused(t, err, "ratio of Poisson")
}
