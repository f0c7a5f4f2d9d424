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

// ctHead is an ellipsoid of a head: skull of 6 mm with a foramen of the given
// radius in its base and two openings towards fat in front, neck below.
func ctHead(foramen, noise float64) (*imaging.Volume, *imaging.Segments) {
	g := imaging.NewGrid([3]int{96, 112, 80}, r3.Vec{X: -95, Y: -111, Z: -99}, [3]float64{2, 2, 2.5})
	v, truth := imaging.NewVolume(g, imaging.KindHU), imaging.NewSegments(g, imaging.LabelBrain)
	rng := rand.New(rand.NewPCG(5, 6))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(a, b, c float64) float64 { return math.Hypot(math.Hypot(p.X/a, p.Y/b), p.Z/c) }
		hole := p.Z < 0 && math.Hypot(p.X, p.Y-20) < foramen
		orbit := p.Y < 0 && math.Hypot(math.Abs(p.X)-30, p.Z+20) < 5
		hu := -1000.0
		switch {
		case e(20, 30, 12) < 1:
			hu = 8 // fluid
		case e(65, 80, 62) < 1:
			hu = 35
		case e(71, 86, 68) < 1:
			hu = 900
			if hole {
				hu = 35
			} else if orbit {
				hu = -80
			}
		case e(78, 95, 74) < 1:
			hu = -90
			if hole {
				hu = 35
			}
		case p.Z < -40 && math.Hypot(p.X, p.Y-10) < 55:
			hu = 55
			if hole {
				hu = 30
			} else if math.Hypot(p.X, p.Y-20) < foramen+5 {
				hu = 800
			}
		}
		if e(65, 80, 62) < 1 {
			truth.Bits[n] = 1
		}
		v.Data[n] = int16(hu + noise*rng.NormFloat64())
	}
	return v, truth
}

// The cavity ends at the foramen magnum, whose neck the ball does not pass.
func TestBrainCavityOfASyntheticHead(t *testing.T) {
	foramina := []float64{16}
	if os.Getenv("HALSTED_DATA") != "" {
		foramina = append(foramina, 0, 12)
	}
	for _, foramen := range foramina {
		v, truth := ctHead(foramen, 15)
		got, rep := run(t, v, builtin(t, segment.HeadCT))
		s := rep.Of(imaging.LabelBrain)
		if s.Missing != "" {
			t.Fatalf("foramen of %g mm: %s", foramen, s.Missing)
		}
		d := dice(got, truth, imaging.LabelBrain)
		if t.Logf("foramen of %g mm: %.0f ml, Dice %.3f", foramen, s.VolumeML, d); d < 0.97 {
			t.Errorf("foramen of %g mm: Dice %.3f", foramen, d)
		}
	}
}

// A trunk has no brain cavity, and neither has half a skull.
func TestBrainCavityIsNotMadeUp(t *testing.T) {
	body, _ := trunk(1).make()
	half, _ := ctHead(12, 10)
	g := half.Grid
	half.Data = half.Data[:g.Size[0]*g.Size[1]*g.Size[2]*2/5]
	half.Grid.Size[2] = g.Size[2] * 2 / 5
	for name, v := range map[string]*imaging.Volume{"a trunk": body, "the base of a skull": half} {
		got, rep := run(t, v, builtin(t, segment.HeadCT))
		s := rep.Of(imaging.LabelBrain)
		if s.Missing == "" || !strings.ContainsAny(s.Missing, "0123456789") || rep.Failed() == nil || got.Bit(imaging.LabelBrain) != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// A head with a piece of the frontal bone missing: bone against a plain
// threshold of 226 HU, and a cavity within the range of adults that holds no
// bone. There is no truth of the cavity.
func TestCraniumCase(t *testing.T) {
	dir := realCase(t, "ct_cranium_invesalius")
	v, err := nifti.ReadVolume(filepath.Join(dir, "ct.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	bits, err := nifti.ReadVolume(filepath.Join(dir, "masks_bits.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	truth := imaging.NewSegments(v.Grid, imaging.LabelBone)
	for n, x := range bits.Data {
		truth.Bits[n] = uint32(x) & 1
	}
	got, rep := run(t, v, builtin(t, segment.HeadCT))
	d := dice(got, truth, imaging.LabelBone)
	s := rep.Of(imaging.LabelBrain)
	t.Logf("bone: Dice %.3f; cavity: %.0f ml, %.0f HU, confidence %.2f %v %s", d, s.VolumeML, s.MeanHU, s.Confidence, s.Doubts, s.Missing)
	if d < 0.92 {
		t.Errorf("bone: Dice %.3f", d)
	}
	if s.VolumeML < 1100 || s.VolumeML > 1800 || s.MeanHU < 10 || s.MeanHU > 50 || s.Confidence > 0.9 {
		t.Errorf("%+v", s)
	}
}
