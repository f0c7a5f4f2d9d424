package register

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
)

// check registers and compares with the truth: the mean target error must stay
// below limit mm.
func check(t *testing.T, name string, affine bool, fixed, moving *imaging.Volume, truth Transform, o Options, inside func(float64) bool, limit float64) Transform {
	t.Helper()
	do := Rigid
	if affine {
		do = Affine
	}
	got, rep, err := do(context.Background(), fixed, moving, o)
	if err != nil {
		t.Errorf("%s: %v (%+v)", name, err, rep)
		return got
	}
	mean, most := targetError(fixed, inside, got, truth)
	t.Logf("%s: mean error %.3f mm, greatest %.3f mm; stated %.3f / %.3f; overlap %.2f, sharpness %.0f, confidence %.2f, %d calls",
		name, mean, most, rep.MeanErrorMM, rep.MaxErrorMM, rep.Overlap, rep.Sharpness, rep.Confidence, rep.Calls)
	if mean > limit {
		t.Errorf("%s: off by %.3f mm on the mean, want at most %.3f (%+v)", name, mean, limit, rep)
	}
	return got
}

// resampled moves a volume by t onto a grid by interpolation, for moves that a
// scan cannot make.
func resampled(t *testing.T, v *imaging.Volume, g imaging.Grid, move Transform, outside float64) *imaging.Volume {
	t.Helper()
	inv, err := move.Invert()
	if err != nil {
		t.Fatal(err)
	}
	out, err := Resample(context.Background(), v, g, inv, outside)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// randomAffine scales by up to 10 % along each axis, shears by up to 0.08, and
// moves as randomRigid.
func randomAffine(seed uint64, deg, mm float64) Transform {
	rng := rand.New(rand.NewPCG(seed, 78))
	u := func(a float64) float64 { return (2*rng.Float64() - 1) * a }
	m := [9]float64{1 + u(0.1), u(0.08), u(0.08), 0, 1 + u(0.1), u(0.08), 0, 0, 1 + u(0.1)}
	return randomRigid(seed, deg, mm).Compose(NewAffine(m, r3.Vec{X: 5, Y: -10, Z: 20}, r3.Vec{}))
}

func TestAffineFindsScalesAndShears(t *testing.T) {
	fixed, fine := fixedScan(t, fixedGrid(6)), fixedScan(t, fixedGrid(5))
	for seed := range uint64(2) {
		truth := randomAffine(seed, 10, 20)
		moving := resampled(t, fine, movingGrid(fixed.Grid), truth, -1024)
		got := check(t, "affine", true, fixed, moving, truth, Options{Samples: 15000}, tissue, 0.5*6)
		if got.IsRigid() {
			t.Errorf("seed %d: found %v", seed, got)
		}
	}
}

// asMR makes a magnetic resonance image of a CT scan: signal by tissue (air and
// bone dark, fat bright, organs between and out of order), a receive field that
// varies by a factor of two over the trunk, Rician noise.
func asMR(ct *imaging.Volume, seed uint64) *imaging.Volume {
	curve := [][2]float64{{-1024, 0}, {-800, 20}, {-300, 60}, {-100, 900}, {-20, 700}, {10, 250}, {50, 480}, {110, 380}, {170, 620}, {250, 150}, {500, 60}, {3000, 20}}
	signal := func(hu float64) float64 {
		for n := 1; n < len(curve); n++ {
			if hu <= curve[n][0] {
				a, b := curve[n-1], curve[n]
				return a[1] + (b[1]-a[1])*math.Max(0, (hu-a[0])/(b[0]-a[0]))
			}
		}
		return curve[len(curve)-1][1]
	}
	rng := rand.New(rand.NewPCG(seed, 79))
	out := imaging.NewVolume(ct.Grid, imaging.KindMR)
	for n := range out.Data {
		i, j, k := ct.Grid.IJK(n)
		x, y, z := float64(i)/float64(ct.Grid.Size[0]), float64(j)/float64(ct.Grid.Size[1]), float64(k)/float64(ct.Grid.Size[2])
		field := math.Exp(0.35 * (math.Sin(2*x+1) - math.Cos(3*y) + (z - 0.5)))
		s := signal(ct.Value(n)) * field
		out.Data[n] = int16(math.Hypot(s+30*rng.NormFloat64(), 30*rng.NormFloat64()))
	}
	return out
}

func TestRigidPlacesMROnCT(t *testing.T) {
	fixed := fixedScan(t, fixedGrid(6))
	for seed := range uint64(3) {
		truth := randomRigid(100+seed, 15, 30)
		moving := asMR(scan(t, movingGrid(fixed.Grid), truth), seed)
		check(t, "MR on CT", false, fixed, moving, truth, Options{Samples: 15000}, tissue, 0.5*6)
	}
}

func TestAffinePlacesMROnCT(t *testing.T) {
	fixed, fine := fixedScan(t, fixedGrid(6)), fixedScan(t, fixedGrid(5))
	truth := randomAffine(9, 10, 20)
	moving := asMR(resampled(t, fine, movingGrid(fixed.Grid), truth, -1024), 9)
	check(t, "affine, MR on CT", true, fixed, moving, truth, Options{Samples: 15000}, tissue, 0.5*6)
}

func noisy(v *imaging.Volume, sd float64, seed uint64) *imaging.Volume {
	rng := rand.New(rand.NewPCG(seed, 80))
	out := *v
	out.Data = make([]int16, len(v.Data))
	for n, d := range v.Data {
		out.Data[n] = toInt16(float64(d) + sd*rng.NormFloat64())
	}
	return &out
}

func TestRigidInNoise(t *testing.T) {
	fixed := fixedScan(t, fixedGrid(6))
	for seed := range uint64(2) {
		truth := randomRigid(200+seed, 15, 30)
		moving := scan(t, movingGrid(fixed.Grid), truth)
		check(t, "noise 150 HU", false, noisy(fixed, 150, 2*seed), noisy(moving, 150, 2*seed+1), truth, Options{Samples: 15000}, tissue, 0.5*6)
	}
}

// The moving scan holds 45 % of the trunk.
func TestRigidWithPartOfThePatient(t *testing.T) {
	fixed := fixedScan(t, fixedGrid(6))
	for seed, part := range []struct{ lo, hi [3]float64 }{
		{[3]float64{0, 0, 0}, [3]float64{1, 1, 0.45}},
		{[3]float64{0, 0, 0.55}, [3]float64{1, 1, 1}},
		{[3]float64{0, 0, 0.2}, [3]float64{0.6, 1, 0.95}},
	} {
		truth := randomRigid(300+uint64(seed), 15, 30)
		g := movingGrid(fixed.Grid)
		var b imaging.Box
		for a := range 3 {
			b.Lo[a] = int(part.lo[a] * float64(g.Size[a]))
			b.Hi[a] = int(part.hi[a] * float64(g.Size[a]))
		}
		moving := scan(t, g.Crop(b), truth)
		check(t, "part", false, fixed, moving, truth, Options{Samples: 15000}, tissue, 0.5*6)
	}
}

func TestRigidWithThickSlices(t *testing.T) {
	thin := fixedScan(t, fixedGrid(5))
	for seed := range uint64(1) {
		truth := randomRigid(400+seed, 15, 30)
		moving := scan(t, fixedGrid(3, 3, 8), truth)
		check(t, "3×3×8 mm on 5 mm", false, thin, moving, truth, Options{Samples: 15000}, tissue, 2)
		back, err := truth.Invert()
		if err != nil {
			t.Fatal(err)
		}
		check(t, "5 mm on 3×3×8 mm", false, moving, thin, back, Options{Samples: 15000}, tissue, 2)
	}
}
