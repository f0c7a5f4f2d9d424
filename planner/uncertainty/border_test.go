package uncertainty

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/distance"
)

// blurredBall is a ball of radius r seen through a Gaussian, at a distance d
// from its centre: the convolution in closed form.
func blurredBall(r, sigma, d float64) float64 {
	s := math.Sqrt2 * sigma
	d = max(d, 1e-6)
	return (math.Erf((r+d)/s)+math.Erf((r-d)/s))/2 - sigma/(math.Sqrt(2*math.Pi)*d)*(math.Exp(-(r-d)*(r-d)/(s*s))-math.Exp(-(r+d)*(r+d)/(s*s)))
}

// ballScan is an image of a blurred ball on an anisotropic grid.
func ballScan(r, sigma, inside, outside float64) (*Scan, r3.Vec) {
	wide := 2 * (r + 12)
	n := int(wide/1.4) + 1
	g := imaging.NewGrid([3]int{n, n, int(wide/2.5) + 1}, r3.Vec{X: 0.3, Y: 0.1, Z: 0.7}, [3]float64{1.4, 1.4, 2.5})
	centre := r3.Vec{X: wide / 2, Y: wide / 2, Z: wide / 2}
	hu := make([]float32, g.Len())
	for n := range hu {
		i, j, k := g.IJK(n)
		hu[n] = float32(outside + (inside-outside)*blurredBall(r, sigma, r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), centre))))
	}
	return &Scan{Grid: g, HU: hu, NoiseHU: 0.5, Scales: []Scale{{0.4, 2.5}, {0.3, 7}}}, centre
}

func area(s *Surface) (sum float64) {
	for _, a := range s.AreaMM2 {
		sum += a
	}
	return sum
}

// A ball without noise: the border is found where blur put it, further in by
// about σ²/r; with the bias its volume, half volumes and least distances are
// those of the ball. The structure may be darker or brighter.
func TestBorderOfABall(t *testing.T) {
	for _, c := range []struct{ r, sigma, in, out float64 }{{10, 1.95, 150, 100}, {10, 1.5, 60, 110}, {14, 1.95, 60, 110}, {24, 1.8, 150, 100}} {
		s, centre := ballScan(c.r, c.sigma, c.in, c.out)
		half := float32((c.in + c.out) / 2)
		b, err := s.Border(context.Background(), func(n int) bool { return (s.HU[n] > half) == (c.in > c.out) }, nil, c.sigma)
		if err != nil {
			t.Fatal(err)
		}
		at, bias := 0.0, 0.0
		for n, p := range b.Fine.Points {
			d := r3.Norm(r3.Sub(p, centre)) - c.r
			at += b.Fine.AreaMM2[n] * d / area(&b.Fine)
			bias += b.Fine.AreaMM2[n] * b.Fine.BiasMM[n] / area(&b.Fine)
		}
		if want := -c.sigma * c.sigma / c.r; math.Abs(at-want) > 0.1*-want {
			t.Errorf("radius %g: the image shows the border %.3f mm out, want about %.3f", c.r, at, want)
		}
		// interpolating along grid lines puts a curved border some 0.02 mm further in
		if math.Abs(at+bias) > 0.035 {
			t.Errorf("radius %g: the border at %.3f mm has a bias of %.3f", c.r, at, bias)
		}
		m, err := b.Move(0.5, 1)
		if err != nil {
			t.Fatal(err)
		}
		volume := 4 * math.Pi / 3 * c.r * c.r * c.r
		if v := m.VolumeMM3() / volume; math.Abs(v-1) > 3*0.035/c.r {
			t.Errorf("radius %g: volume %.4f of the ball's", c.r, v)
		}
		// with the plane through the centre, and half the radius off it: 27/32 of the ball
		n := r3.Unit(r3.Vec{X: 1, Y: -2, Z: 0.5})
		for off, want := range map[float64]float64{0: 0.5, 0.5: 27. / 32} {
			if v := m.BelowMM3(r3.Add(centre, r3.Scale(off*c.r, n)), n) / volume; math.Abs(v-want) > 3*0.035/c.r {
				t.Errorf("radius %g: %.4f of the ball lie below a plane %g radii out, want %.4f", c.r, v, off, want)
			}
		}
		far := r3.Add(centre, r3.Scale(c.r+5, n))
		if d := m.Least(func(p r3.Vec) float64 { return r3.Dot(r3.Sub(far, p), n) }); math.Abs(d-5) > 0.12 {
			t.Errorf("radius %g: least distance %.3f mm, want 5", c.r, d)
		}
	}
}

// The blur of a large ball is measured as it is.
func TestBlurIsMeasured(t *testing.T) {
	for _, sigma := range []float64{1.5, 2} {
		s, _ := ballScan(26, sigma, 150, 100)
		b, err := s.Border(context.Background(), func(n int) bool { return s.HU[n] > 125 }, nil, 0)
		if err != nil || math.Abs(b.BlurMM-sigma) > 0.05*sigma {
			t.Errorf("blur %.3f mm, want %g (%v)", b.BlurMM, sigma, err)
		}
	}
}

// Noise of two scales is measured, whatever the mean.
func TestNoiseIsMeasured(t *testing.T) {
	g := imaging.NewGrid([3]int{48, 48, 32}, r3.Vec{}, [3]float64{1.4, 1.4, 2.2})
	sd, long, integral := 0.0, 0.0, 0.0
	const fields = 12
	rng := rand.New(rand.NewPCG(5, 5))
	for range fields {
		o, err := newMixture(open01(rng), []Scale{{3, 2.5}, {2, 7}})
		if err != nil {
			t.Fatal(err)
		}
		hu := make([]float32, g.Len())
		o.OnGrid(hu, g)
		for n := range hu {
			hu[n] += 100
		}
		s, err := MeasureNoise(context.Background(), g, hu, func(int) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		sd += s.NoiseHU * s.NoiseHU / fields
		long += s.Scales[1].SD * s.Scales[1].SD / fields
		for _, f := range s.Scales {
			integral += f.SD * f.SD * f.LengthMM * f.LengthMM / fields
		}
	}
	// one body holds some twenty patches of the long scale: 30 % of a variance, a third of that over twelve
	if math.Abs(sd/13-1) > 0.15 || math.Abs(long/4-1) > 0.4 || math.Abs(integral/(9*6.25+4*49)-1) > 0.3 {
		t.Errorf("variance %.2f (want 13), of the long scale %.2f (want 4), integral %.0f (want %.0f)", sd, long, integral, 9*6.25+4*49)
	}
}

func TestBorderSaysWhatItLacks(t *testing.T) {
	ctx := context.Background()
	s, _ := ballScan(10, 1.5, 150, 100)
	inside := func(n int) bool { return s.HU[n] > 125 }
	if _, err := s.Border(ctx, func(int) bool { return false }, nil, 0); !errors.Is(err, distance.ErrEmptySet) {
		t.Errorf("no voxel: %v", err)
	}
	var thin *ThinError
	if _, err := s.Border(ctx, func(n int) bool { return n == 5000 }, nil, 0); !errors.As(err, &thin) {
		t.Errorf("one voxel: %v", err)
	}
	s.NoiseHU = 80
	if _, err := s.Border(ctx, inside, nil, 0); !errors.As(err, &thin) {
		t.Errorf("a step lower than the noise: %v", err)
	}
	s.NoiseHU = 0.5
	var image *ImageError
	s.HU[s.Grid.Len()/2] = float32(math.NaN())
	if _, err := s.Border(ctx, inside, nil, 0); !errors.As(err, &image) {
		t.Errorf("NaN: %v", err)
	}
	if _, err := MeasureNoise(ctx, s.Grid, make([]float32, s.Grid.Len()), func(int) bool { return true }); !errors.As(err, &image) {
		t.Errorf("no noise: %v", err)
	}
	if _, err := MeasureNoise(ctx, s.Grid, s.HU[1:], func(int) bool { return true }); !errors.As(err, &image) {
		t.Errorf("a value short: %v", err)
	}
	if _, err := MeasureNoise(ctx, s.Grid, s.HU, func(n int) bool { return n < 5 }); !errors.As(err, &thin) {
		t.Errorf("five voxels: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	s.HU[s.Grid.Len()/2] = 150
	if _, err := s.Border(stopped, inside, nil, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	b, err := s.Border(ctx, inside, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var seed *OffsetError
	if _, err := b.Move(1.5, 1); !errors.As(err, &seed) {
		t.Errorf("a seed of 1.5: %v", err)
	}
}
