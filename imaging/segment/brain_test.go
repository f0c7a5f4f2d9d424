package segment_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

func builtin(t testing.TB, name string) segment.Recipe {
	t.Helper()
	r, err := segment.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// t1Head is a head of ellipsoids as T1-weighted MR shows it: bright scalp, dark
// skull, darker fluid, grey and white matter, with a bias field of ±part from
// ear to ear and noise. The bone of the base has a bright marrow.
func t1Head(part, noise float64) (*imaging.Volume, *imaging.Segments) {
	g := imaging.NewGrid([3]int{90, 108, 90}, r3.Vec{X: -89, Y: -107, Z: -89}, [3]float64{2, 2, 2})
	v, truth := imaging.NewVolume(g, imaging.KindMR), imaging.NewSegments(g, imaging.LabelBrain)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(a, b, c float64) float64 { return math.Hypot(math.Hypot(p.X/a, p.Y/b), p.Z/c) }
		x := 0.0
		switch {
		case e(60, 80, 60) < 1:
			x = 480
		case e(66, 86, 66) < 1:
			x = 400
		case e(70, 90, 70) < 1: // fluid
			x = 130
		case e(77, 97, 77) < 1: // skull
			x = 60
			if p.Z < -50 {
				x = 350
			}
		case e(84, 104, 84) < 1:
			x = 600
		}
		if e(66, 86, 66) < 1 {
			truth.Bits[n] = 1
		}
		v.Data[n] = int16(math.Abs(x*(1+part*p.X/80) + noise*rng.NormFloat64()))
	}
	return v, truth
}

func TestBrainOfASyntheticHead(t *testing.T) {
	cases := []struct{ bias, noise float64 }{{0.3, 15}}
	if os.Getenv("HALSTED_DATA") != "" {
		cases = append(cases, struct{ bias, noise float64 }{0, 0})
	}
	for _, c := range cases {
		v, truth := t1Head(c.bias, c.noise)
		got, rep := run(t, v, builtin(t, segment.BrainT1))
		s := rep.Of(imaging.LabelBrain)
		if s.Missing != "" {
			t.Fatalf("bias %g: %s", c.bias, s.Missing)
		}
		d := dice(got, truth, imaging.LabelBrain)
		if t.Logf("bias %g, noise %g: %.0f ml, Dice %.3f", c.bias, c.noise, s.VolumeML, d); d < 0.95 {
			t.Errorf("bias %g, noise %g: Dice %.3f", c.bias, c.noise, d)
		}
	}
}

// What is not a head has no brain, and the report says so with a number.
func TestBrainIsNotMadeUp(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 60, 60}, r3.Vec{}, [3]float64{2, 2, 2})
	flat, ball, noise := imaging.NewVolume(g, imaging.KindMR), imaging.NewVolume(g, imaging.KindMR), imaging.NewVolume(g, imaging.KindMR)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range ball.Data {
		i, j, k := g.IJK(n)
		if math.Hypot(math.Hypot(float64(i)-30, float64(j)-30), float64(k)-30) < 18 { // 195 ml
			ball.Data[n] = 300
		}
		noise.Data[n] = int16(100 + 50*rng.NormFloat64())
	}
	for name, v := range map[string]*imaging.Volume{"one value": flat, "a ball of 195 ml": ball, "noise": noise} {
		r, err := builtin(t, segment.BrainT1).With("brain", "Steps", 300)
		if err != nil {
			t.Fatal(err)
		}
		got, rep := run(t, v, r)
		s := rep.Of(imaging.LabelBrain)
		if s.Missing == "" || !strings.ContainsAny(s.Missing, "0123456789") || rep.Failed() == nil || got.Bit(imaging.LabelBrain) != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// The Colin27 head against its skull-stripped copy, as it is and with the
// brightness falling by half from one side to the other.
func TestColin27Brain(t *testing.T) {
	dir := realCase(t, "mr_t1_colin27")
	v, err := nifti.ReadVolume(filepath.Join(dir, "ch2.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	stripped, err := nifti.ReadVolume(filepath.Join(dir, "ch2bet.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	truth := imaging.NewSegments(v.Grid, imaging.LabelBrain)
	for n, x := range stripped.Data {
		if x > 0 {
			truth.Bits[n] = 1
		}
	}
	for _, bias := range []float64{0, 0.33} {
		b := *v
		b.Data = make([]int16, len(v.Data))
		for n, x := range v.Data {
			i, _, _ := v.Grid.IJK(n)
			b.Data[n] = int16(float64(x) * (1 + bias*(2*float64(i)/float64(v.Grid.Size[0])-1)))
		}
		got, rep := run(t, &b, builtin(t, segment.BrainT1))
		if s := rep.Of(imaging.LabelBrain); s.Missing != "" {
			t.Fatal(s.Missing)
		}
		c, err := segment.Compare(t.Context(), got, truth, imaging.LabelBrain)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("bias %g: Dice %.3f, %.0f ml for %.0f, surface mean %.2f, p95 %.2f mm", bias, c.Dice, c.VolumeML, c.TruthML, c.MeanMM, c.P95MM)
		if c.Dice < 0.95 {
			t.Errorf("bias %g: %+v", bias, c)
		}
	}
}
