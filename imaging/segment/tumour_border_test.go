package segment_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// balls is a liver of 105 HU in noise that holds balls, and the seeds of all.
func balls(t *testing.T, noiseHU, blurMM float64, all ...lump) (lumps, []segment.Seed) {
	t.Helper()
	l := lumps{noiseHU: noiseHU, blurMM: blurMM, liver: r3.Vec{X: -5, Y: 34}}
	seeds := []segment.Seed{{Label: imaging.LabelLiver, LPS: l.liver}}
	for n, o := range all {
		o.radii = r3.Vec{X: o.mm, Y: o.mm, Z: o.mm}
		l.all = append(l.all, o)
		seeds = append(seeds, segment.Seed{Label: imaging.LabelTumour + imaging.Label(n), LPS: o.at})
	}
	g := imaging.NewGrid([3]int{175, 150, 80}, r3.Vec{X: -70, Y: -60, Z: -50}, [3]float64{0.8, 0.8, 1.25})
	l.make(t, g, r3.Vec{X: -5}, r3.Vec{X: 52, Y: 46, Z: 46}, rand.New(rand.NewPCG(11, 99)))
	return l, seeds
}

// A tumour whose border fades into liver over more than the scan blurs ends where
// liver begins; one with a sharp border beside it ends at that.
func TestATumourEndsWhereLiverBegins(t *testing.T) {
	l, seeds := balls(t, 15, 0.7,
		lump{at: r3.Vec{X: -31}, mm: 15, hu: -60, border: 6},
		lump{at: r3.Vec{X: 20, Y: -8}, mm: 10, hu: -70, border: 4},
		lump{at: r3.Vec{X: -5, Y: 5, Z: 29}, mm: 8, hu: -50, border: 3},
		lump{at: r3.Vec{X: -5, Y: 5, Z: -28}, mm: 9, hu: -50},
		lump{at: r3.Vec{X: 22, Y: 20}, mm: 6, hu: -50},
	)
	got, rep := run(t, l.v, toTumours(), seeds...)
	for n, o := range l.all {
		label := imaging.LabelTumour + imaging.Label(n)
		d, part := dice(got, l.truth, label), float64(got.Count(label))/float64(l.truth.Count(label))
		t.Logf("radius %.0f mm, border %.0f mm: Dice %.3f, volume %+.0f %%, confidence %.2f", o.mm, o.border, d, 100*(part-1), rep.Of(label).Confidence)
		if d < 0.85 || part < 0.8 || part > 1.2 {
			t.Errorf("radius %.0f mm, border %.0f mm: Dice %.3f, volume %+.0f %%", o.mm, o.border, d, 100*(part-1))
		}
	}
}

// A rim brighter than liver all around a tumour belongs to it, and the outline is
// not sure; a vessel that touches a tumour does not belong to it.
func TestABrightRimBelongsToTheTumour(t *testing.T) {
	l, seeds := balls(t, 15, 0.7,
		lump{at: r3.Vec{X: -31}, mm: 10, hu: -45, rim: 4, rimHU: 30},
		lump{at: r3.Vec{X: 20, Y: -8}, mm: 8, hu: -40, rim: 3, rimHU: 40},
		lump{at: r3.Vec{X: -5, Y: 5, Z: 26}, mm: 8, hu: -45},
		lump{at: r3.Vec{X: 8, Y: 5, Z: 26}, mm: 5, hu: 50},
	)
	got, rep := run(t, l.v, toTumours(), seeds...)
	for n, o := range l.all[:3] {
		label := imaging.LabelTumour + imaging.Label(n)
		s, d := rep.Of(label), dice(got, l.truth, label)
		t.Logf("radius %.0f mm, rim %.0f mm: Dice %.3f, confidence %.2f, %q", o.mm, o.rim, d, s.Confidence, s.Doubts)
		if d < 0.85 {
			t.Errorf("radius %.0f mm, rim %.0f mm: Dice %.3f", o.mm, o.rim, d)
		}
		if told := len(s.Doubts) > 0 && strings.Contains(s.Doubts[0], "rim"); told != (o.rim > 0) || told != (s.Confidence <= 0.5) {
			t.Errorf("radius %.0f mm, rim %.0f mm: confidence %.2f, %q", o.mm, o.rim, s.Confidence, s.Doubts)
		}
	}
}
