package material_test

import (
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleElasticPlastic() {
	law, err := material.NewElasticPlastic(114000, 0.34, 795, 0) // Ti-6Al-4V ELI
	if err != nil {
		fmt.Println(err)
		return
	}
	old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
	law.InitHistory(old)
	f := material.Mat3{{X: 1}, {X: 0.03, Y: 1}, {Z: 1}} // simple shear of 3 %
	var p material.Mat3
	if law.Respond(&p, nil, &f, old, next, 0) {
		fmt.Printf("shear stress %.1f MPa (σy/√3 = %.1f), plastic strain %.4f\n", p[1].X, 795/math.Sqrt(3), law.PlasticStrain(next))
	}
	// Output: shear stress 458.9 MPa (σy/√3 = 459.0), plastic strain 0.0111
}

// uniaxial is F of a bar stretched to the logarithmic strain e of which plastic
// are α: the elastic part contracts by ν, the plastic part keeps volume.
func uniaxial(e, elastic, nu float64) material.Mat3 {
	l, side := math.Exp(e), math.Exp(-nu*elastic-(e-elastic)/2)
	return material.Mat3{{X: l}, {Y: side}, {Z: side}}
}

// A bar in tension: Kirchhoff stress E·ε up to yield, then (σy + H·ε)/(1 + H/E);
// unloading along E; yield in compression at −(σy + H·α). Any number of steps.
func TestPlasticBar(t *testing.T) {
	const e, nu, sy = 200.0, 0.3, 1.0
	for _, h := range []float64{0, 20} {
		law := must(material.NewElasticPlastic(e, nu, sy, h))
		old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
		law.InitHistory(old)
		step := func(strain, plastic, wantAlpha float64) {
			t.Helper()
			elastic := strain - plastic
			f := uniaxial(strain, elastic, nu)
			var p material.Mat3
			if !law.Respond(&p, nil, &f, old, next, 0) {
				t.Fatal("no response")
			}
			if tau := p[0].X * f[0].X; math.Abs(tau-e*elastic) > 1e-12*e || math.Abs(p[1].Y) > 1e-12*e {
				t.Errorf("H = %g, strain %g: τ = %.12g MPa, want %.12g; side %g", h, strain, tau, e*elastic, p[1].Y)
			}
			if a := law.PlasticStrain(next); math.Abs(a-wantAlpha) > 1e-13 {
				t.Errorf("H = %g, strain %g: α = %g, want %g", h, strain, a, wantAlpha)
			}
			old, next = next, old
		}
		step(0.9*sy/e, 0, 0)
		alpha := 0.0
		for _, strain := range []float64{0.01, 0.05, 0.4} {
			alpha = strain - (sy+h*strain)/(1+h/e)/e
			step(strain, alpha, alpha)
		}
		top := sy + h*alpha
		step(0.4-top/e, alpha, alpha) // unloaded
		step(0.4-1.99*top/e, alpha, alpha)
		// back by 0.1: −E·(ε − εp) = σy + H·α with α grown by Δ = εp0 − εp
		strain := 0.3
		d := (-e*(strain-alpha) - top) / (e + h)
		step(strain, alpha-d, alpha+d)
	}
}

// Plastic flow keeps volume: the pressure is κ·ln J, and C_p stays unimodular
// over many steps.
func TestPlasticVolume(t *testing.T) {
	law := must(material.NewElasticPlastic(200, 0.3, 1, 0))
	old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
	law.InitHistory(old)
	var p material.Mat3
	for n := range 200 {
		x := 0.3 * math.Sin(float64(n)/10)
		f := material.Mat3{{X: 1.02, Y: x}, {X: -x, Y: 1 + x/2, Z: x * x}, {Y: x / 3, Z: 0.97}}
		if !law.Respond(&p, nil, &f, old, next, 0) {
			t.Fatal("no response")
		}
		if next[6] < old[6] {
			t.Fatal("plastic strain fell")
		}
		h := next
		det := h[0]*(h[1]*h[2]-h[5]*h[5]) - h[3]*(h[3]*h[2]-h[5]*h[4]) + h[4]*(h[3]*h[5]-h[1]*h[4])
		if math.Abs(det-1) > 1e-12 {
			t.Fatalf("step %d: det C_p⁻¹ = %.15g", n, det)
		}
		j := f.Det()
		trace := p[0].X*f[0].X + p[1].X*f[1].X + p[2].X*f[2].X + p[0].Y*f[0].Y + p[1].Y*f[1].Y + p[2].Y*f[2].Y + p[0].Z*f[0].Z + p[1].Z*f[1].Z + p[2].Z*f[2].Z
		if want := 3 * law.BulkMPa() * math.Log(j); math.Abs(trace-want) > 1e-11*law.BulkMPa() {
			t.Fatalf("step %d: tr τ = %g, want %g", n, trace, want)
		}
		old, next = next, old
	}
	if old[6] < 1 {
		t.Errorf("α = %g: the path did not flow", old[6])
	}
}

func TestElasticPlasticRefusesBadConstants(t *testing.T) {
	for n, name := range []string{"Young's modulus", "ratio of Poisson", "yield stress", "hardening modulus"} {
		for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
			v := [4]float64{1, 0.3, 1, 0}
			v[n] = bad
			_, err := material.NewElasticPlastic(v[0], v[1], v[2], v[3])
			refused(t, err, name)
		}
	}
	_, err := material.NewHencky(0, 0.3)
	refused(t, err, "Young's modulus")
	law := must(material.NewElasticPlastic(1, 0.3, 1, 0))
	var p material.Mat3
	for _, h := range [][]float64{make([]float64, 7), {-1, 1, 1, 0, 0, 0, 0}, {1, 1, 1, 2, 0, 0, 0}, {math.NaN(), 1, 1, 0, 0, 0, 0}} {
		if law.Respond(&p, nil, &material.Identity, h, make([]float64, 7), 0) {
			t.Errorf("the history %v was answered", h)
		}
	}
}
