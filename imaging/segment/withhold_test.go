package segment

import (
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// What is found at a confidence that reads 0.00 is not handed on: no voxel of it,
// and a line that says why.
func TestNothingIsGivenAtNoConfidence(t *testing.T) {
	g := imaging.NewGrid([3]int{4, 4, 4}, r3.Vec{}, [3]float64{2, 2, 2})
	w := &work{rep: &Report{}, out: imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelTumour), v: imaging.NewVolume(g, imaging.KindHU)}
	liver, tumour := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelTumour)
	for n := range w.out.Bits {
		w.out.Bits[n] = liver
		if n%3 == 0 {
			w.out.Bits[n] |= tumour
		}
	}
	w.found(imaging.LabelLiver, Automatic, 0.01)
	w.found(imaging.LabelTumour, AutomaticCandidate, 0.004, "it is 3 HU brighter than liver")
	if err := w.withhold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.tally(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.rep.Of(imaging.LabelTumour); w.out.Bit(imaging.LabelTumour) != 0 || s.VolumeML != 0 || s.Confidence != 0 || !strings.Contains(s.Missing, "withheld") || !strings.Contains(s.Missing, "3 HU brighter") {
		t.Errorf("a tumour at no confidence: %+v in %v", s, w.out.Of)
	}
	if s := w.rep.Of(imaging.LabelLiver); s.Missing != "" || w.out.Count(imaging.LabelLiver) != g.Len() {
		t.Errorf("a liver at a confidence of 0.01: %+v, %d voxels", s, w.out.Count(imaging.LabelLiver))
	}
}

// A piece of vessel that joins neither tree is given as vessel of no system, at a
// confidence that is low and not 0; without any root all vessels keep theirs.
func TestVesselsOfNoSystem(t *testing.T) {
	s := systemSettings{WorkMM: 1.5, ReachMM: 40, RimMM: 6, GapMM: 5, CavaMM: 7, MinML: 0.3}
	for _, withCava := range []bool{true, false} {
		w, _, _ := rootScene(t, 8)
		liver, vessel, cava := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelVessel), w.out.Bit(imaging.LabelVenaCava)
		for n, b := range w.out.Bits { // far from every other vessel
			if i, j, k := w.out.Grid.IJK(n); i > 4 && i < 10 && j > 5 && j < 10 && k > 5 && k < 10 {
				w.out.Bits[n], w.v.Data[n] = liver|vessel, 190
			} else if !withCava && b == cava {
				w.out.Bits[n] = 0
			}
		}
		if !withCava {
			w.out.Of[2] = imaging.LabelLung
		}
		w.found(imaging.LabelVessel, Automatic, 0.9)
		if err := tellSystems(t.Context(), w, s); err != nil {
			t.Fatal(err)
		}
		if err := w.withhold(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.rep.Of(imaging.LabelVessel)
		if low := got.Confidence <= 0.3 && len(got.Doubts) > 0; got.Confidence < 0.05 || low != withCava || w.out.Count(imaging.LabelVessel) < 5*4*4 {
			t.Errorf("vena cava %v: %d voxels of no system, %+v", withCava, w.out.Count(imaging.LabelVessel), got)
		}
	}
}

// Calcification is told from blood also where no aorta gives its value.
func TestSpecksWithoutAorta(t *testing.T) {
	g := imaging.NewGrid([3]int{30, 30, 30}, r3.Vec{}, [3]float64{1, 1, 1})
	v := imaging.NewVolume(g, imaging.KindHU)
	out := imaging.NewSegments(g, imaging.LabelLiver)
	speck := g.Index(15, 15, 15)
	for n := range v.Data {
		v.Data[n], out.Bits[n] = int16(70+n%7), out.Bit(imaging.LabelLiver)
	}
	v.Data[speck] = 600
	c, err := filter.Reduce(t.Context(), v, 2)
	if err != nil {
		t.Fatal(err)
	}
	w := &work{v: v, out: out, rep: &Report{}, c: c, chalk: make(filter.Mask, c.Grid.Len()), liverHU: 73}
	blood, err := w.medianHU(t.Context(), imaging.LabelAorta) // NaN
	if err != nil {
		t.Fatal(err)
	}
	f, err := newVesselField(t.Context(), w, vesselSettings{WorkMM: 1, LocalMM: 8, NearMM: 6, SmoothMM: 0.9, RimMM: 2}, blood)
	if err != nil {
		t.Fatal(err)
	}
	if f.quiet[speck] || !f.quiet[g.Index(5, 5, 5)] {
		t.Errorf("a speck of 600 HU is looked at for vessels: %v; liver: %v", f.quiet[speck], f.quiet[g.Index(5, 5, 5)])
	}
}
