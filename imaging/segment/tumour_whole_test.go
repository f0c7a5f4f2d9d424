package segment_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// withoutLesions is the recipe as far as its tumours with a liver that leaves
// out what is not of its own value.
func withoutLesions() segment.Recipe {
	return with(with(toTumours(), "liver", "LesionMinML", 100), "liver", "CloseMM", 1)
}

// A tumour at the edge of the liver whose core the outline of the liver leaves
// out is found whole from a click in its rim, and its confidence says that it
// was not all in the liver.
func TestATumourThatTheLiverLeavesOutIsWhole(t *testing.T) {
	for _, o := range []lump{
		{at: r3.Vec{X: 34}, mm: 12, hu: -85, rim: 8, rimHU: -30},
		{at: r3.Vec{X: 36}, mm: 14, hu: -85, rim: 5, rimHU: -30},
		{at: r3.Vec{X: 36}, mm: 16, hu: -85, rim: 8, rimHU: -30},
	} {
		name := fmt.Sprintf("radius %.0f mm, rim %.0f mm", o.mm, o.rim)
		l, seeds := balls(t, 15, 0.7, o)
		seeds[0].LPS, seeds[1].LPS.X = r3.Vec{X: -25, Y: 10}, o.at.X-o.mm+3
		got, rep := run(t, l.v, withoutLesions(), seeds...)
		s, d := rep.Of(imaging.LabelTumour), dice(got, l.truth, imaging.LabelTumour)
		t.Logf("%s: Dice %.3f, confidence %.2f", name, d, s.Confidence)
		if d < 0.9 || s.Confidence > 0.5 || len(s.Doubts) == 0 || !strings.Contains(s.Doubts[0], "its rest was taken from") {
			t.Errorf("%s: Dice %.3f, confidence %.2f, %q", name, d, s.Confidence, s.Doubts)
		}
	}
}

// Where tissue like the tumour lies against the liver, the tumour ends at the
// outline of the liver, and that is said.
func TestATumourEndsAtTissueLikeItBesideTheLiver(t *testing.T) {
	o := lump{at: r3.Vec{X: 36}, mm: 14, hu: -60}
	for _, beside := range []bool{false, true} {
		l, seeds := balls(t, 15, 0.7, o)
		seeds[0].LPS, seeds[1].LPS.X = r3.Vec{X: -25, Y: 10}, o.at.X-o.mm/2
		if rng := rand.New(rand.NewPCG(8, 9)); beside {
			for n, b := range l.truth.Bits {
				i, j, k := l.v.Grid.IJK(n)
				if p := l.v.Grid.Point(float64(i), float64(j), float64(k)); b == 1 && p.X > 15 {
					l.v.Data[n] = int16(45 + 15*rng.NormFloat64())
				}
			}
		}
		got, rep := run(t, l.v, toTumours(), seeds...)
		s, d := rep.Of(imaging.LabelTumour), dice(got, l.truth, imaging.LabelTumour)
		part := float64(got.Count(imaging.LabelTumour)) / float64(l.truth.Count(imaging.LabelTumour))
		t.Logf("tissue like it %v: Dice %.3f, volume %+.0f %%, confidence %.2f, %q", beside, d, 100*(part-1), s.Confidence, s.Doubts)
		if d < 0.85 || part > 1.15 {
			t.Errorf("tissue like it %v: Dice %.3f, volume %+.0f %%, confidence %.2f, %q", beside, d, 100*(part-1), s.Confidence, s.Doubts)
		}
		if told := strings.Contains(strings.Join(s.Doubts, ""), "the tissue beyond is like it"); beside && !told {
			t.Errorf("nothing says that the tissue beside the liver is like it: %q", s.Doubts)
		}
	}
}
