package filter_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

var roundStar = filter.StarSettings{StepMM: 0.5, MostMM: 40, Stiff: 0.1, Slope: 1}

// An ellipsoid is found with its volume and its middle from any point in its
// inner half, in noise.
func TestStarFindsAnEllipsoid(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	middle, half := r3.Vec{X: 3, Y: -7, Z: 11}, r3.Vec{X: 20, Y: 16, Z: 13}
	inside := func(p r3.Vec) bool {
		d := r3.Sub(p, middle)
		return d.X*d.X/half.X/half.X+d.Y*d.Y/half.Y/half.Y+d.Z*d.Z/half.Z/half.Z < 1
	}
	want := 4 * math.Pi / 3 * half.X * half.Y * half.Z
	for range 4 {
		at := r3.Add(middle, r3.Vec{X: 10 * (rng.Float64() - 0.5), Y: 10 * (rng.Float64() - 0.5), Z: 10 * (rng.Float64() - 0.5)})
		s, err := filter.FitStar(t.Context(), at, func(p r3.Vec) float64 {
			noise := 3 * math.Sin(37*p.X+11*p.Y*p.Z)
			if inside(p) {
				return 1 + noise
			}
			return -1 + noise
		}, roundStar)
		if err != nil {
			t.Fatal(err)
		}
		if v := s.VolumeMM3(); math.Abs(v-want) > 0.04*want {
			t.Errorf("from %v: %.0f mm³, want %.0f", at, v, want)
		}
		if d := r3.Norm(r3.Sub(s.Middle(), middle)); d > 0.7 {
			t.Errorf("from %v: the middle is %.2f mm off", at, d)
		}
		wrong := 0
		for range 2000 {
			p := r3.Add(middle, r3.Vec{X: 50 * (rng.Float64() - 0.5), Y: 50 * (rng.Float64() - 0.5), Z: 50 * (rng.Float64() - 0.5)})
			if inside(p) != (s.DepthMM(p) > 0) {
				wrong++
			}
		}
		if wrong > 60 {
			t.Errorf("from %v: %d of 2000 points on the wrong side", at, wrong)
		}
	}
}

// A bite that gains nothing is bridged by a stiff surface, and twice the size
// gives twice the radius.
func TestStarBridgesAndScales(t *testing.T) {
	var volume [2]float64
	for n, size := range []float64{1, 2} {
		gain := func(p r3.Vec) float64 {
			p = r3.Scale(1/size, p)
			bite := r3.Norm(r3.Sub(p, r3.Vec{X: 12})) < 5
			if r3.Norm(p) < 12 && !bite {
				return 2
			}
			return -2
		}
		s, err := filter.FitStar(t.Context(), r3.Vec{}, gain, filter.StarSettings{StepMM: 0.5 * size, MostMM: 20 * size, Stiff: 0.8, Slope: 1})
		if err != nil {
			t.Fatal(err)
		}
		if d := s.DepthMM(r3.Vec{X: 9 * size}); d < 0 {
			t.Errorf("size %g: the bite is not bridged (%.1f mm)", size, d)
		}
		volume[n] = s.VolumeMM3()
	}
	if r := volume[1] / volume[0]; math.Abs(r-8) > 0.01 {
		t.Errorf("twice the size has %.3f times the volume, want 8", r)
	}
}

func TestStarRefuses(t *testing.T) {
	one := func(r3.Vec) float64 { return 1 }
	for name, f := range map[string]func() error{
		"no step":      func() error { _, err := filter.FitStar(t.Context(), r3.Vec{}, one, filter.StarSettings{}); return err },
		"not a number": func() error { _, err := filter.FitStar(t.Context(), r3.Vec{X: math.NaN()}, one, roundStar); return err },
		"gain not a number": func() error {
			_, err := filter.FitStar(t.Context(), r3.Vec{}, func(r3.Vec) float64 { return math.NaN() }, roundStar)
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
