package register

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
)

// made fills a cube of n voxels of 2 mm.
func made(n int, value func(p r3.Vec) float64) *imaging.Volume {
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: -float64(n - 1), Y: -float64(n - 1), Z: -float64(n - 1)}, [3]float64{2, 2, 2})
	v := imaging.NewVolume(g, imaging.KindUnknown)
	for i := range v.Data {
		x, y, z := g.IJK(i)
		v.Data[i] = toInt16(value(g.Point(float64(x), float64(y), float64(z))))
	}
	return v
}

func static(seed uint64) *imaging.Volume {
	rng := rand.New(rand.NewPCG(seed, 81))
	return made(40, func(r3.Vec) float64 { return 100 * rng.NormFloat64() })
}

// blocks is a shape with no symmetry.
func blocks(p r3.Vec) float64 {
	switch {
	case p.X > -20 && p.X < 10 && p.Y > -25 && p.Y < 20 && p.Z > -10 && p.Z < 25:
		return 1000
	case r3.Norm(r3.Sub(p, r3.Vec{X: 15, Y: 5, Z: -15})) < 12:
		return 400
	}
	return 0
}

func noise(v *imaging.Volume, seed uint64) *imaging.Volume { return noisy(v, 20, seed) }

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	shape := made(40, blocks)
	ball := func(p r3.Vec) float64 { return 800 / (1 + math.Exp((r3.Norm(p)-22)/2)) }
	rod := func(p r3.Vec) float64 { return 800 / (1 + math.Exp((math.Hypot(p.X, p.Y)-15)/2)) }
	far := noise(shape, 1)
	far.Grid.Origin.X += 200
	onlyHere := make([]bool, len(shape.Data))
	for i := range onlyHere {
		x, _, _ := shape.Grid.IJK(i)
		onlyHere[i] = x < 2 // nothing of the shape
	}

	t.Run("constant", func(t *testing.T) {
		for _, c := range []struct {
			name          string
			fixed, moving *imaging.Volume
			o             Options
			image         string
		}{
			{"fixed", made(20, func(r3.Vec) float64 { return 7 }), shape, Options{}, "fixed"},
			{"moving", shape, made(20, func(r3.Vec) float64 { return 7 }), Options{}, "moving"},
			{"mask", shape, shape, Options{FixedMask: onlyHere}, "fixed"},
			{"empty mask", shape, shape, Options{MovingMask: make([]bool, len(shape.Data))}, "moving"},
		} {
			got, _, err := Rigid(ctx, c.fixed, c.moving, c.o)
			e, ok := errors.AsType[*ConstantError](err)
			if !ok || e.Image != c.image || got != (Transform{}) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
	t.Run("flat", func(t *testing.T) {
		for _, c := range []struct {
			name          string
			fixed, moving *imaging.Volume
			direction     string
		}{
			{"noise on noise", static(1), static(2), ""},
			{"noise on a shape", noise(shape, 1), static(2), ""},
			{"a ball turns", noise(made(40, ball), 1), noise(made(40, ball), 2), "turn"},
			{"a rod slides", noise(made(40, rod), 1), noise(made(40, rod), 2), ""},
		} {
			got, rep, err := Rigid(ctx, c.fixed, c.moving, Options{Samples: 30000})
			e, ok := errors.AsType[*FlatError](err)
			if !ok || got != (Transform{}) || !(e.Sharpness < e.Min) || (c.direction != "" && e.Direction != c.direction) {
				t.Errorf("%s: %v %+v", c.name, err, rep)
				continue
			}
			t.Logf("%s: %v", c.name, err)
		}
	})
	t.Run("overlap", func(t *testing.T) {
		_, rep, err := Rigid(ctx, shape, far, Options{Start: StartIdentity})
		if e, ok := errors.AsType[*OverlapError](err); !ok || e.Fraction >= e.Min {
			t.Errorf("%v %+v", err, rep)
		}
		got, rep, err := Rigid(ctx, shape, far, Options{})
		if err != nil || math.Abs(got.Apply(r3.Vec{}).X-200) > 0.2 {
			t.Errorf("the same with other starts: %v %v %+v", got, err, rep)
		}
	})
	t.Run("inconsistent", func(t *testing.T) {
		_, rep, err := Rigid(ctx, noise(shape, 1), noise(shape, 2), Options{MaxErrorMM: 1e-6})
		if e, ok := errors.AsType[*InconsistentError](err); !ok || !(e.MeanMM > e.LimitMM) || !rep.Checked {
			t.Errorf("%v %+v", err, rep)
		}
	})
	t.Run("options", func(t *testing.T) {
		thin := imaging.NewVolume(imaging.NewGrid([3]int{30, 30, 1}, r3.Vec{}, [3]float64{1, 1, 1}), imaging.KindHU)
		nan := *shape
		nan.Slope = math.NaN()
		for name, f := range map[string]func() error{
			"nil":   func() error { _, _, err := Rigid(ctx, nil, shape, Options{}); return err },
			"thin":  func() error { _, _, err := Rigid(ctx, shape, thin, Options{}); return err },
			"slope": func() error { _, _, err := Rigid(ctx, shape, &nan, Options{}); return err },
			"short": func() error {
				_, _, err := Rigid(ctx, shape, &imaging.Volume{Grid: shape.Grid, Slope: 1}, Options{})
				return err
			},
			"mask":    func() error { _, _, err := Rigid(ctx, shape, shape, Options{FixedMask: make([]bool, 3)}); return err },
			"given":   func() error { _, _, err := Rigid(ctx, shape, shape, Options{Start: StartGiven}); return err },
			"metric":  func() error { _, _, err := Rigid(ctx, shape, shape, Options{Metric: 9}); return err },
			"start":   func() error { _, _, err := Rigid(ctx, shape, shape, Options{Start: 9}); return err },
			"levels":  func() error { _, _, err := Rigid(ctx, shape, shape, Options{Levels: -1}); return err },
			"bins":    func() error { _, _, err := Rigid(ctx, shape, shape, Options{Bins: 1000}); return err },
			"samples": func() error { _, _, err := Rigid(ctx, shape, shape, Options{Samples: 5}); return err },
			"overlap": func() error { _, _, err := Rigid(ctx, shape, shape, Options{MinOverlap: 2}); return err },
			"error":   func() error { _, _, err := Rigid(ctx, shape, shape, Options{MaxErrorMM: math.NaN()}); return err },
			"spacing": func() error { _, _, err := Rigid(ctx, shape, shape, Options{SpacingMM: math.Inf(1)}); return err },
			"memory":  func() error { _, err := Memory(shape.Grid, imaging.Grid{}, Options{}); return err },
		} {
			if err := f(); !errors.Is(err, ErrOptions) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestMasksAreHonoured(t *testing.T) {
	// A second object moves the other way; the masks leave it out.
	at := func(shift float64) func(r3.Vec) float64 {
		return func(p r3.Vec) float64 {
			if p.Z > 28 {
				return 900 * math.Exp(-(math.Pow(p.X+3*shift, 2)+p.Y*p.Y)/300)
			}
			return blocks(r3.Sub(p, r3.Vec{X: shift}))
		}
	}
	fixed, moving := noise(made(40, at(0)), 1), noise(made(40, at(6)), 2)
	mask := make([]bool, len(fixed.Data))
	for i := range mask {
		x, y, z := fixed.Grid.IJK(i)
		mask[i] = fixed.Grid.Point(float64(x), float64(y), float64(z)).Z < 27
	}
	got, rep, err := Rigid(context.Background(), fixed, moving, Options{FixedMask: mask, MovingMask: mask})
	if err != nil {
		t.Fatalf("%v %+v", err, rep)
	}
	if d := r3.Norm(r3.Sub(got.Apply(r3.Vec{}), r3.Vec{X: 6})); d > 0.2 {
		t.Errorf("off by %.3f mm with masks: %v", d, got)
	}
}

func TestSameBitsOnAnyCores(t *testing.T) {
	fixed, moving := noise(made(40, blocks), 1), noise(made(40, blocks), 2)
	moving.Grid.Origin.X += 4.5
	var want Transform
	var value float64
	for n, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		got, rep, err := Affine(context.Background(), fixed, moving, Options{Samples: 20000})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			want, value = got, rep.Value
		} else if got != want || rep.Value != value {
			t.Errorf("GOMAXPROCS %d: %v, want %v", procs, got, want)
		}
	}
	got, _, err := Affine(context.Background(), fixed, moving, Options{Samples: 20000, Seed: 5})
	if err != nil || got == want {
		t.Errorf("another seed: the same samples, or %v", err)
	}
}

func TestCancelAndProgress(t *testing.T) {
	fixed, moving := noise(made(32, blocks), 1), noise(made(32, blocks), 2)
	var seen []float64
	if _, _, err := Rigid(context.Background(), fixed, moving, Options{Samples: 4000, Progress: func(d float64) { seen = append(seen, d) }}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(seen); n++ {
		if seen[n] < seen[n-1] {
			t.Errorf("progress falls: %v", seen)
		}
	}
	if len(seen) < 4 || seen[len(seen)-1] != 1 {
		t.Errorf("progress %v", seen)
	}
	// Cancelling at every report must end the call before the next one.
	for stop := range seen {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		_, _, err := Rigid(ctx, fixed, moving, Options{Samples: 4000, Progress: func(float64) {
			if calls++; calls == stop+1 {
				cancel()
			}
		}})
		cancel()
		if stop < len(seen)-1 && (!errors.Is(err, context.Canceled) || calls > stop+1) {
			t.Errorf("cancelled at report %d: %v after %d reports", stop, err, calls)
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	if _, err := Resample(ctx, moving, fixed.Grid, Identity(), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Resample: %v", err)
	}
}

func TestGivenStartAlone(t *testing.T) {
	shape := made(40, blocks)
	fixed, moving := noise(shape, 1), noise(shape, 2)
	moving.Grid.Origin = r3.Add(moving.Grid.Origin, r3.Vec{X: 500, Y: -40})
	given := NewRigid(r3.Vec{Z: 0.1}, r3.Vec{}, r3.Vec{X: 497, Y: -42})
	got, rep, err := Rigid(context.Background(), fixed, moving, Options{Start: StartGiven, Given: given, Metric: MI})
	if err != nil || r3.Norm(r3.Sub(got.Apply(r3.Vec{}), r3.Vec{X: 500, Y: -40})) > 0.2 || rep.Starts != 1 {
		t.Errorf("%v %v %+v", got, err, rep)
	}
}

func TestMemoryCoversTheHeap(t *testing.T) {
	v := made(90, func(p r3.Vec) float64 { return blocks(r3.Scale(0.45, p)) })
	for _, o := range []Options{{}, {FixedMask: make([]bool, len(v.Data)), MovingMask: make([]bool, len(v.Data))}} {
		for n := range o.FixedMask {
			o.FixedMask[n], o.MovingMask[n] = true, true
		}
		want, err := Memory(v.Grid, v.Grid, o)
		if err != nil {
			t.Fatal(err)
		}
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var most uint64
		o.Progress = func(float64) { // at every level, everything live
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		}
		o.Levels, o.Samples = 2, 5000
		if _, _, err := Rigid(context.Background(), noise(v, 1), v, o); err != nil {
			t.Fatal(err)
		}
		t.Logf("estimate %.1f MB, live %.1f MB", float64(want)/1e6, float64(most)/1e6)
		if float64(most) > 1.2*float64(want) {
			t.Errorf("live %d bytes, estimate %d", most, want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for err, word := range map[error]string{
		&ConstantError{"fixed"}:      "mask",
		&OverlapError{0.1, 0.25}:     "start",
		&FlatError{1, 10, "turn"}:    "symmetric",
		&InconsistentError{9, 20, 3}: "masks",
	} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not mention %q", err, word)
		}
	}
}
