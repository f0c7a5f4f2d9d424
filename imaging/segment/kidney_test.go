package segment_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// plainKidneys is a trunk in voxels of 3 mm without contrast: psoas of 48 HU on the
// vertebra, back muscle of 20 HU with fat in it, and kidneys of 28 HU in fat, of
// which the right one leans on the psoas; or fat alone where the kidneys would lie.
func plainKidneys(kidneys bool) (*imaging.Volume, *imaging.Segments) {
	g := imaging.NewGrid([3]int{88, 68, 56}, r3.Vec{X: -132, Y: -102, Z: 0}, [3]float64{3, 3, 3})
	v := imaging.NewVolume(g, imaging.KindHU)
	truth := imaging.NewSegments(g, imaging.LabelKidneyRight, imaging.LabelKidneyLeft)
	rng := rand.New(rand.NewPCG(7, 2))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(x, y, a, b float64) float64 { return math.Hypot((math.Abs(p.X)-x)/a, (p.Y-y)/b) }
		lean := 70.0
		if p.X < 0 {
			lean = 66
		}
		hu, bit := -100.0, uint32(0)
		switch {
		case e(0, 0, 126, 96) > 1:
			hu = -1000
		case e(0, 20, 18, 14) < 1:
			hu = 200
		case e(0, 20, 22, 18) < 1, e(14, 46, 8, 8) < 1:
			hu = 600
		case e(32, 20, 15, 20) < 1:
			hu = 48
		case kidneys && math.Hypot(e(lean, 28, 22, 25), (p.Z-84)/48) < 1:
			hu, bit = 28, 1
			if p.X > 0 {
				bit = 2
			}
		case p.Y > 42 && e(0, 62, 70, 26) < 1:
			hu = 20
		case e(0, 0, 116, 86) > 1 && p.Y < 60:
			hu = 48
		}
		v.Data[n] = int16(hu + 12*rng.NormFloat64())
		truth.Bits[n] = bit
	}
	return v, truth
}

// Without contrast kidneys are what lies in fat beside the spine, not the psoas,
// which is brighter than they are, and they are never sure.
func TestKidneysWithoutContrast(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone", "kidneys")
	if err != nil {
		t.Fatal(err)
	}
	v, truth := plainKidneys(true)
	got, rep, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []imaging.Label{imaging.LabelKidneyRight, imaging.LabelKidneyLeft} {
		d, s := dice(got, truth, l), rep.Of(l)
		t.Logf("%s: Dice %.3f, confidence %.2f %q", l, d, s.Confidence, s.Doubts)
		if d < 0.85 {
			t.Errorf("%s: Dice %.3f", l, d)
		}
		if s.Confidence > 0.5 {
			t.Errorf("%s: confidence %.2f without contrast", l, s.Confidence)
		}
	}
}

// Where there are no kidneys, muscle is not called one.
func TestNoKidneyInMuscle(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone", "kidneys")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := plainKidneys(false)
	_, rep, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []imaging.Label{imaging.LabelKidneyRight, imaging.LabelKidneyLeft} {
		s := rep.Of(l)
		t.Logf("%s: %q", l, s.Missing)
		if s.Missing == "" {
			t.Errorf("%s: %.0f ml at confidence %.2f %q", l, s.VolumeML, s.Confidence, s.Doubts)
		}
	}
}
