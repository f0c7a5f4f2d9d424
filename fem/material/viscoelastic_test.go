package material_test

import (
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleViscoelastic() {
	fast, err := material.NewOgden(material.Ogden2MuOverAlpha2, 0.4999, material.OgdenTerm{MuMPa: 842e-6, Alpha: -4.7})
	if err != nil {
		fmt.Println(err)
		return
	}
	brain, err := material.NewViscoelastic(fast, material.PronyTerm{G: 0.45, TauS: 0.5}, material.PronyTerm{G: 0.365, TauS: 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("left after 1 s %.4f, after an hour %.4f\n", brain.Relaxed(1), brain.Relaxed(3600))
	// Output: left after 1 s 0.6037, after an hour 0.1850
}

// A stretch put on at once and held: the Cauchy stress less the pressure falls
// to Relaxed(t), whatever the steps; the pressure part stays.
func TestRelaxation(t *testing.T) {
	nh := must(material.NewNeoHookean(1e-3, 0.45))
	law := must(material.NewViscoelastic(nh, material.PronyTerm{G: 0.3, TauS: 0.2}, material.PronyTerm{G: 0.5, TauS: 4}))
	f := material.Mat3{{X: 1.3, Y: .1}, {X: -.1, Y: .9, Z: .2}, {Y: .1, Z: 1.05}}
	j := f.Det()
	_, du, _ := nh.Dilatation(j)
	dev := func(p *material.Mat3) (s [2]float64) { // σ11 − U', σ12
		s[0] = (p[0].X*f[0].X+p[1].X*f[1].X+p[2].X*f[2].X)/j - du
		s[1] = (p[0].X*f[0].Y + p[1].X*f[1].Y + p[2].X*f[2].Y) / j
		return s
	}
	var p material.Mat3
	nh.Stress(&p, &f)
	want := dev(&p)
	old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
	law.InitHistory(old)
	now := 0.0
	for n, dt := range []float64{0, 0.01, 0.3, 2, 0.5, 100, 1e6} {
		if !law.Respond(&p, nil, &f, old, next, dt) {
			t.Fatal("no response")
		}
		if n > 0 { // the first step puts the stretch on
			now += dt
		}
		got := dev(&p)
		for k := range got {
			if d := math.Abs(got[k] - law.Relaxed(now)*want[k]); d > 1e-13*math.Abs(want[0]) {
				t.Errorf("after %g s: %g, want %g", now, got[k], law.Relaxed(now)*want[k])
			}
		}
		old, next = next, old
	}
	if r := law.Relaxed(math.Inf(1)); math.Abs(r-0.2) > 1e-15 {
		t.Errorf("long-term fraction %g", r)
	}
}

// Slow loading gives the long-term law, and small shear at a constant rate the
// closed form τ = μ·γ̇·((1 − Σg)·t + Σ g·τ·(1 − exp(−t/τ))).
func TestViscoelasticRates(t *testing.T) {
	const mu, tau, g = 1e-3, 2.0, 0.6
	law := must(material.NewViscoelastic(must(material.NewNeoHookean(mu, 0.45)), material.PronyTerm{G: g, TauS: tau}))
	old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
	run := func(rate, dt float64, steps int) float64 {
		law.InitHistory(old)
		var p material.Mat3
		for n := 1; n <= steps; n++ {
			f := material.Mat3{{X: 1}, {X: rate * dt * float64(n), Y: 1}, {Z: 1}}
			law.Respond(&p, nil, &f, old, next, dt)
			old, next = next, old
		}
		return p[1].X
	}
	const rate = 1e-5 // small strain: S_iso is linear in time
	for _, end := range []float64{0.1, 2, 20} {
		want := mu * rate * ((1-g)*end + g*tau*(1-math.Exp(-end/tau)))
		for _, steps := range []int{1, 7} {
			if got := run(rate, end/float64(steps), steps); math.Abs(got/want-1) > 1e-7 {
				t.Errorf("%g s in %d steps: %g, want %g", end, steps, got, want)
			}
		}
	}
	if got := run(0.2e-8, 1e8, 1); math.Abs(got/(mu*(1-g)*0.2)-1) > 1e-7 {
		t.Errorf("slow shear of 0.2: P12 = %g, want %g", got, mu*(1-g)*0.2)
	}
}

func TestViscoelasticRefusesBadConstants(t *testing.T) {
	nh := must(material.NewNeoHookean(1e-3, 0.45))
	for _, bad := range []float64{0, -0.1, 1, math.NaN(), math.Inf(1)} {
		_, err := material.NewViscoelastic(nh, material.PronyTerm{G: bad, TauS: 1})
		refused(t, err, "g")
	}
	for _, bad := range []float64{0, -0.1, math.NaN(), math.Inf(1)} {
		_, err := material.NewViscoelastic(nh, material.PronyTerm{G: 0.5, TauS: bad})
		refused(t, err, "relaxation time")
	}
	_, err := material.NewViscoelastic(nh, material.PronyTerm{G: 0.5, TauS: 1}, material.PronyTerm{G: 0.5, TauS: 2})
	refused(t, err, "sum of g")
	_, err = material.NewViscoelastic(nh)
	refused(t, err, "number of terms")
	_, err = material.NewViscoelastic(nil, material.PronyTerm{G: 0.5, TauS: 1})
	refused(t, err, "instantaneous law")
	law := must(material.NewViscoelastic(nh, material.PronyTerm{G: 0.5, TauS: 1}))
	var p material.Mat3
	h := make([]float64, law.HistorySize())
	for _, dt := range []float64{-1, math.NaN(), math.Inf(1)} {
		if law.Respond(&p, nil, &material.Identity, h, make([]float64, len(h)), dt) {
			t.Errorf("a step of %g s was answered", dt)
		}
	}
}
