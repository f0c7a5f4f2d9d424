package segment_test

import (
	"os"
	"path/filepath"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/nifti"
	"halsted/imaging/phantom"
	"halsted/imaging/segment"
	"halsted/imaging/series"
)

// scored is what a case must reach; tumours are compared by number.
type scored struct {
	l       imaging.Label
	dice    float64
	meanMM  float64
	percent float64 // volume error, either way
}

func check(t *testing.T, got, truth *imaging.Segments, want []scored) {
	t.Helper()
	for _, s := range want {
		c, err := segment.Compare(t.Context(), got, truth, s.l)
		if err != nil {
			t.Errorf("%v: %v", s.l, err)
			continue
		}
		t.Logf("%v: Dice %.3f, volume %+.1f %%, surface mean %.2f, p95 %.2f, max %.2f mm", s.l, c.Dice, c.VolumePercent, c.MeanMM, c.P95MM, c.MaxMM)
		if c.Dice < s.dice || c.MeanMM > s.meanMM || c.VolumePercent > s.percent || c.VolumePercent < -s.percent {
			t.Errorf("%v: %+v, want Dice ≥ %g, mean ≤ %g mm, volume within %g %%", s.l, c, s.dice, s.meanMM, s.percent)
		}
	}
}

// The synthetic patient of imaging/phantom, with no seed: the recipe is not
// fitted to it.
func TestPhantomPatient(t *testing.T) {
	l := phantom.NewLiver(2)
	g := l.GridAt([3]float64{2, 2, 2})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := run(t, v, abdomen())
	check(t, got, l.Truth(g), []scored{
		{imaging.LabelBody, 0.98, 1, 3},
		{imaging.LabelBone, 0.8, 2, 40},
		{imaging.LabelLiver, 0.95, 1.5, 6},
		{imaging.LabelTumour, 0.85, 2, 15},
		{imaging.LabelTumour + 1, 0.85, 2, 15},
	})
	liver := got.Bit(imaging.LabelLiver)
	for _, in := range []bool{true, false} { // no specks, no pinholes
		p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return got.Bits[n]&liver != 0 == in }))
		for c, count := range p.Count[1:] {
			if ml := float64(count) * g.VoxelMM3() / 1000; ml < 0.1 {
				t.Errorf("part %d of the liver (inside: %v) has %.3f ml", c+1, in, ml)
			}
		}
	}
}

// realCase is the folder of a case of HALSTED_DATA.
func realCase(t *testing.T, name string) string {
	t.Helper()
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	return filepath.Join(data, "cases", name)
}

// ircad is patient 17 of 3D-IRCADb-01 and its manual outlines.
func ircad(t *testing.T) (*imaging.Volume, *imaging.Segments) {
	t.Helper()
	dir := realCase(t, "ircad01_17_liver_ct")
	all, err := series.ReadDir(t.Context(), filepath.Join(dir, "dicom"), series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := all[0].Volume(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := nifti.ReadSegments(filepath.Join(dir, "masks_bits.nii.gz"), v.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	return v, truth
}

// 3D-IRCADb-01 patient 17, fully automatic, against the outlines of the IRCAD:
// the whole organ with two tumours of 85.6 and 78.6 ml at its surface. Then
// with one seed in each tumour.
func TestIRCADPatient(t *testing.T) {
	v, truth := ircad(t)
	got, rep := run(t, v, abdomen())
	check(t, got, truth, []scored{
		{imaging.LabelLiver, 0.955, 1.3, 5},
	})
	for l, least := range map[imaging.Label]float64{imaging.LabelBody: 0.99, imaging.LabelBone: 0.87} {
		d := dice(got, truth, l)
		if t.Logf("%v: Dice %.3f", l, d); d < least {
			t.Errorf("%v: Dice %.3f, want at least %.2f", l, d, least)
		}
	}
	for _, n := range rep.Notes() {
		t.Log(n)
	}
	inside := truth.Bit(imaging.LabelLiver)
	known := truth.Bit(imaging.LabelPortalVein) | truth.Bit(imaging.LabelHepaticVein)
	ours := got.Bit(imaging.LabelPortalVein) | got.Bit(imaging.LabelHepaticVein) | got.Bit(imaging.LabelVessel)
	d := segment.Dice(len(got.Bits), func(n int) bool { return got.Bits[n]&ours != 0 }, func(n int) bool { return truth.Bits[n]&inside != 0 && truth.Bits[n]&known != 0 })
	if t.Logf("vessels inside: Dice %.3f", d); d < 0.61 {
		t.Errorf("vessels inside the liver: Dice %.3f", d)
	}
	// seeds at the middle of each tumour's bounding box
	var seeds []segment.Seed
	for _, l := range []imaging.Label{imaging.LabelTumour, imaging.LabelTumour + 1} {
		bit := truth.Bit(l)
		b := v.Grid.Bounds(func(n int) bool { return truth.Bits[n]&bit != 0 })
		p := v.Grid.Point(float64(b.Lo[0]+b.Hi[0]-1)/2, float64(b.Lo[1]+b.Hi[1]-1)/2, float64(b.Lo[2]+b.Hi[2]-1)/2)
		seeds = append(seeds, segment.Seed{Label: l, LPS: p})
	}
	got, _ = run(t, v, abdomen(), seeds...)
	check(t, got, truth, []scored{
		{imaging.LabelLiver, 0.955, 1.3, 5},
		{imaging.LabelTumour, 0.85, 3, 30},
		{imaging.LabelTumour + 1, 0.85, 3, 20},
	})
}

// BenchmarkRun is the sample patient's CT of 512×512×120 voxels.
func BenchmarkRun(b *testing.B) {
	l := phantom.NewLiver(1)
	v, err := l.Volume(b.Context(), l.Grid(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := segment.Run(b.Context(), v, abdomen(), segment.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
