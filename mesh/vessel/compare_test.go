package vessel

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// TestCompare changes a tree in known ways.
func TestCompare(t *testing.T) {
	truth := truthOf(liverOf(1), imaging.LabelPortalVein, 2.5)
	same := Compare(truth, truth)
	if same.Missing+same.Extra > 0 || same.MaxMM > 1e-9 || same.RadiusQuantile(1) > 1e-12 {
		t.Errorf("a tree against itself: %v", same)
	}
	shifted := moved(truth, r3.Vec{X: 0.4})
	for n := range shifted.Branches {
		shifted.Branches[n].RadiusMM = slices.Clone(shifted.Branches[n].RadiusMM)
		for m := range shifted.Branches[n].RadiusMM {
			shifted.Branches[n].RadiusMM[m] *= 1.1
		}
	}
	a := Compare(shifted, truth)
	if a.Missing+a.Extra > 0 || a.MaxMM > 0.4+1e-9 || a.MeanMM < 0.1 || math.Abs(a.RadiusMean()-0.1) > 1e-9 || math.Abs(a.RadiusQuantile(0.5)-0.1) > 1e-9 {
		t.Errorf("moved by 0.4 mm and a tenth wider: %v", a)
	}
	// Without one of two tips the branch that carried both is a part of its parent's.
	tip := truth.Tips()[0]
	cut := *truth
	cut.Branches = slices.Clone(truth.Branches)
	cut.Branches[tip].RadiusMM = slices.Repeat([]float64{0.1}, len(cut.Branches[tip].Points))
	less := cut.Thick(1)
	if a := Compare(less, truth); a.Missing < 2 || len(less.Branches) != len(truth.Branches)-2 {
		t.Errorf("a tip less: %d of %d branches, %v", len(less.Branches), len(truth.Branches), a)
	}
	if err := less.Validate(); err != nil {
		t.Error(err)
	}
}
