package material_test

import (
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleDamage() {
	liver, err := material.NewNeoHookean(0.9e-3, 0.49)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Onset at 24 % of strain, two thirds of the way at 34 %.
	onset := material.UniaxialEquivalentStrain(liver, 0.24)
	scale := material.UniaxialEquivalentStrain(liver, 0.34) - onset
	law, err := material.NewDamage(liver, onset, scale, 0.99)
	if err != nil {
		fmt.Println(err)
		return
	}
	old, next := make([]float64, 1), make([]float64, 1)
	law.InitHistory(old)
	var p material.Mat3
	for _, strain := range []float64{0.2, 0.34, 0.1} {
		l := 1 + strain
		f := material.Mat3{{X: l}, {Y: 1 / math.Sqrt(l)}, {Z: 1 / math.Sqrt(l)}}
		if law.Respond(&p, nil, &f, old, next, 0) {
			fmt.Printf("strain %.2f: d = %.3f\n", strain, law.Damage(next))
		}
		old, next = next, old
	}
	// Output:
	// strain 0.20: d = 0.000
	// strain 0.34: d = 0.626
	// strain 0.10: d = 0.626
}

// Loading follows (1 − d(Ξ))·P_iso with Ξ = √(μ·(Ī1 − 3)); below the largest Ξ
// the law is the sound one times 1 − d; the pressure is not damaged.
func TestDamageAgainstClosedForm(t *testing.T) {
	const mu, onset, scale, most = 2.0, 0.3, 0.5, 0.8
	nh := must(material.NewNeoHookean(mu, 0.45))
	law := must(material.NewDamage(nh, onset, scale, most))
	old, next := make([]float64, 1), make([]float64, 1)
	law.InitHistory(old)
	largest := 0.0
	for _, l := range []float64{1.05, 1.2, 1.4, 1.1, 1, 0.8, 1.5, 1.45} {
		side := 1 / math.Sqrt(l)
		f := material.Mat3{{X: l}, {Y: side}, {Z: side}}
		var p, q material.Mat3
		if !law.Respond(&p, nil, &f, old, next, 0) {
			t.Fatal("no response")
		}
		nh.Stress(&q, &f)
		largest = math.Max(largest, math.Sqrt(math.Max(0, mu*(l*l+2/l-3))))
		d := 0.0
		if largest > onset {
			d = most * (1 - math.Exp(-(largest-onset)/scale))
		}
		if math.Abs(law.Damage(next)-d) > 1e-12 || math.Abs(p[0].X-(1-d)*q[0].X) > 1e-12*mu {
			t.Errorf("stretch %g: d = %g, want %g; P11 = %g, want %g", l, law.Damage(next), d, p[0].X, (1-d)*q[0].X)
		}
		old, next = next, old
	}
	f := material.Mat3{{X: 1.1}, {Y: 1.1}, {Z: 1.1}}
	var p, q material.Mat3
	law.Respond(&p, nil, &f, old, next, 0)
	nh.Stress(&q, &f)
	if math.Abs(p[0].X-q[0].X) > 1e-12*nh.BulkMPa() {
		t.Errorf("pressure of a damaged point: P11 = %g, sound %g", p[0].X, q[0].X)
	}
}

func TestDamageRefusesBadConstants(t *testing.T) {
	nh := must(material.NewNeoHookean(1, 0.45))
	for n, name := range []string{"onset", "scale", "largest damage"} {
		for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
			v := [3]float64{0.1, 0.1, 0.5}
			v[n] = bad
			_, err := material.NewDamage(nh, v[0], v[1], v[2])
			refused(t, err, name)
		}
	}
	_, err := material.NewDamage(nil, 0.1, 0.1, 0.5)
	refused(t, err, "sound law")
	_, err = material.NewDamage(must(material.NewElasticPlastic(1, 0.3, 1, 0)), 0.1, 0.1, 0.5)
	refused(t, err, "sound law")
	_, err = material.NewViscoelastic(must(material.NewGuccione(1, 8, 2, 4, 1, material.GuccioneFull)), material.PronyTerm{G: 0.5, TauS: 1})
	refused(t, err, "instantaneous law")
	if _, err = material.NewDamage(must(material.NewGuccione(1, 8, 2, 4, 1, material.GuccioneIsochoric)), 0.1, 0.1, 0.5); err != nil {
		t.Error(err)
	}
	if x := material.UniaxialEquivalentStrain(nh, -1.5); !math.IsInf(x, 1) {
		t.Errorf("strain of -150 %%: %g", x)
	}
}
