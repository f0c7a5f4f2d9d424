package segment_test

import (
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// One click, in the middle or half a radius off it, finds the whole tumour and
// not its neighbour.
func TestOneClickFindsATumour(t *testing.T) {
	v, truth := trunk(1).make()
	for _, off := range []r3.Vec{{}, {X: 7}, {Y: -7}, {Z: 7}} {
		got, _ := run(t, v, toTumours3(), segment.Seed{Label: imaging.LabelTumour, LPS: r3.Add(tumour1, off)})
		if d := dice(got, truth, imaging.LabelTumour); d < 0.85 {
			t.Errorf("clicked %v mm off its middle: Dice %.3f", off, d)
		}
		if got.Count(imaging.LabelTumour+1) != 0 {
			t.Error("a tumour nobody clicked was found beside a clicked one")
		}
	}
}

// A click that cannot mean a tumour is refused with the number or the place.
func TestClicksThatMeanNoTumour(t *testing.T) {
	v, _ := trunk(1).make()
	for want, at := range map[string]r3.Vec{
		"HU, the same as liver": {X: -75, Y: 20, Z: 520},
		"lies outside the body": {X: -160, Y: -118, Z: 500},
	} {
		_, rep := run(t, v, toTumours3(), segment.Seed{Label: imaging.LabelTumour, LPS: at})
		if s := rep.Of(imaging.LabelTumour); !strings.Contains(s.Missing, want) {
			t.Errorf("click at %v: %+v, want %q", at, s, want)
		}
	}
}
