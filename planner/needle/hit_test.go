package needle

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Tube against tube, skew, displaced by an isotropic normal error.
func TestTubeHitIsThatOfMonteCarlo(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, k := range []struct{ d, R, r, sigma float64 }{{5, 1.5, 0.9, 1.3}, {3, 1.5, 0.9, 2.5}, {1, 2, 0.6, 1}, {0, 1, 0.5, 3}, {8, 4, 0.9, 1.3}} {
		const n = 200000
		hit := 0
		u, v := r3.Unit(r3.Vec{X: 1, Y: 0.2}), r3.Unit(r3.Vec{X: 0.3, Y: 1}) // both across Z
		w := r3.Unit(r3.Cross(u, v))
		for range n {
			p := r3.Add(r3.Vec{Z: k.d}, r3.Scale(k.sigma, r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}))
			if math.Abs(r3.Dot(p, w)) < k.R+k.r { // distance of two lines
				hit++
			}
		}
		got, mc := TubeHit(k.d, k.R, k.r, k.sigma), float64(hit)/n
		if sd := math.Sqrt(got * (1 - got) / n); math.Abs(got-mc) > 4*sd+1e-9 {
			t.Errorf("%+v: %.5f, by Monte Carlo %.5f ± %.5f", k, got, mc, sd)
		}
	}
	if TubeHit(3, 1, 1, 0) != 0 || TubeHit(1, 1, 1, 0) != 1 {
		t.Error("without error the tubes meet or they do not")
	}
}

// straight is a case with one straight vessel, known exactly, for P(hit).
func straight(t *testing.T, d, radius float64, e Errors) (*Case, *Field, shaft) {
	g := imaging.NewGrid([3]int{61, 61, 101}, r3.Vec{X: -30, Y: -30, Z: -50}, [3]float64{1, 1, 1})
	c := &Case{Grid: g, errors: e}
	// along z at x = d, beside a needle along y in the plane z = 0
	f := sampled(t, g, func(p r3.Vec) float64 { return math.Hypot(p.X-d, p.Y+5) - radius })
	return c, f, newShaft(&g, r3.Vec{Y: 10}, r3.Vec{Y: -28})
}

func TestProbabilityOfAHitIsThatOfMonteCarlo(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const needle = 0.9
	for _, k := range []struct {
		d, radius float64
		moves     bool
		e         Errors
	}{
		{7, 2, false, Errors{RegistrationMM: 1.3}},
		{5, 2, false, Errors{RegistrationMM: 1.3}},
		{6, 2.5, false, Errors{RegistrationMM: 1, AngleDeg: 3}},
		{6, 2.5, true, Errors{RegistrationMM: 1, AngleDeg: 1, HoldMM: 3}},
	} {
		c, f, s := straight(t, k.d, k.radius, k.e)
		got := c.hit(&s, f, needle, k.moves)
		// the needle displaced and turned, against the vessel's closed form
		const n = 100000
		hit := 0
		sa := k.e.AngleDeg * math.Pi / 180
		for range n {
			x := k.e.RegistrationMM * rng.NormFloat64()
			slope := sa * rng.NormFloat64()
			// nearest approach to the line x = d, y = −5 along the needle
			at := -5 - (-28.0)
			if dx := x + slope*at - k.d; math.Abs(dx) < k.radius+needle {
				hit++
			}
		}
		mc := float64(hit) / n
		tol := 4*math.Sqrt(mc*(1-mc)/n) + 0.1*mc + 1e-4 // the far wall, the lattice of the field
		if math.Abs(got-mc) > tol {
			t.Errorf("%+v: P(hit) %.4f, by Monte Carlo %.4f ± %.4f", k, got, mc, tol)
		}
		sigma := math.Hypot(k.e.RegistrationMM, sa*23)
		if tubes := TubeHit(k.d, k.radius, needle, sigma); math.Abs(got-tubes) > 0.1*tubes+1e-4 {
			t.Errorf("%+v: P(hit) %.4f, tube against tube %.4f", k, got, tubes)
		}
	}
}

// With free breathing a vessel across the body's axis comes into the way.
func TestBreathingBringsAVesselIntoTheWay(t *testing.T) {
	g := imaging.NewGrid([3]int{61, 61, 61}, r3.Vec{X: -30, Y: -30, Z: -30}, [3]float64{1, 1, 1})
	f := sampled(t, g, func(p r3.Vec) float64 { return math.Hypot(p.Z-8, p.Y) - 2 }) // along x, 8 mm above
	s := newShaft(&g, r3.Vec{Y: 10}, r3.Vec{Y: -28})
	c := &Case{Grid: g, errors: Errors{RegistrationMM: 0.5, FreeMM: 20}}
	still, moving := c.hit(&s, f, 0.9, false), c.hit(&s, f, 0.9, true)
	// the way of 20 mm brings the vessel within 2.9 mm of the axis for b in [−10, −5.1]
	if want := 4.9 / 20; still > 1e-6 || math.Abs(moving-want) > 0.04 {
		t.Errorf("P(hit) %.4f at rest, %.4f breathing, want 0 and about %.3f", still, moving, want)
	}
}

// A ball and an isotropic error: the distance from the middle is Maxwell's.
func TestTipInABall(t *testing.T) {
	g := imaging.NewGrid([3]int{61, 61, 61}, r3.Vec{X: -30, Y: -30, Z: -30}, [3]float64{1, 1, 1})
	for _, k := range []struct{ radius, sigma float64 }{{4, 2}, {3, 2}, {6, 3}} {
		c := &Case{Grid: g, errors: Errors{RegistrationMM: k.sigma}}
		c.tumour = sampled(t, g, func(p r3.Vec) float64 { return r3.Norm(p) - k.radius })
		s := newShaft(&g, r3.Vec{}, r3.Vec{X: -10, Y: -25})
		x := k.radius / k.sigma
		want := math.Erf(x/math.Sqrt2) - math.Sqrt(2/math.Pi)*x*math.Exp(-x*x/2)
		if got := c.tipIn(&s, 0); math.Abs(got-want) > 0.02 {
			t.Errorf("%+v: P(tip in target) %.4f, Maxwell's distribution gives %.4f", k, got, want)
		}
	}
}

// The samples of the inputs and the analytic probability tell the same.
func TestSampledClearanceAgreesWithTheProbabilityOfAHit(t *testing.T) {
	c := closedCase(t)
	p := planOf(c, r3.Vec{X: 10, Y: -44}, r3.Vec{X: 4})
	o, err := c.Simulate(t.Context(), p, planner.L0, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := o.Value("p_hit_vessel_percent")
	rng := rand.New(rand.NewPCG(9, 9))
	in := c.Inputs()
	const n = 3000
	hit := 0
	for range n {
		x := planner.Medians(in)
		for _, i := range []int{inX, inY, inZ, inTiltA, inTiltB, inDepth, inBreath} {
			x[i] = in[i].Spread.Quantile(rng.Float64())
		}
		o, err := c.Simulate(t.Context(), p, planner.L0, x)
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := o.Value("clearance_vessel_mm"); v.V < 0 {
			hit++
		}
	}
	mc := 100 * float64(hit) / n
	if want.V < 3 || math.Abs(mc-want.V) > 4*math.Sqrt(want.V*(100-want.V)/n)+0.1*want.V {
		t.Errorf("P(hit) %.2f %%, of %d samples %.2f %%", want.V, n, mc)
	}
}
