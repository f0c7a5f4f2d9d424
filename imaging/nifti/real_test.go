package nifti_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/series"
)

// TestIRCADMasks reads the masks of 3D-IRCADb-01 patient 17 onto the grid of
// its CT. The published voxel counts and the mean HU under each mask (truth.json
// of the case) hold only if the voxel order agrees with that of the series.
func TestIRCADMasks(t *testing.T) {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	dir := filepath.Join(data, "cases", "ircad01_17_liver_ct")
	all, err := series.ReadDir(t.Context(), filepath.Join(dir, "dicom"), series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d series, want 1", len(all))
	}
	ct, err := all[0].Volume(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nifti.ReadSegments(filepath.Join(dir, "masks_bits.nii.gz"), ct.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		l      imaging.Label
		voxels int
		ml, hu float64
	}{
		{imaging.LabelBody, 15984710, 14118.95, -81.8},
		{imaging.LabelBone, 477406, 421.68, 310.9},
		{imaging.LabelLiver, 2106497, 1860.62, 99.4},
	} {
		if got := s.Count(c.l); got != c.voxels {
			t.Errorf("%v has %d voxels, want %d", c.l, got, c.voxels)
		}
		if got := s.VolumeMM3(c.l) / 1000; math.Abs(got-c.ml) > 0.01 {
			t.Errorf("%v has %.2f ml, want %.2f", c.l, got, c.ml)
		}
		bit, sum := s.Bit(c.l), 0.0
		for n, b := range s.Bits {
			if b&bit != 0 {
				sum += ct.Value(n)
			}
		}
		if got := sum / float64(s.Count(c.l)); math.Abs(got-c.hu) > 0.05 {
			t.Errorf("%v has a mean of %.2f HU, want %.1f: the masks do not lie on the CT", c.l, got, c.hu)
		}
	}
	for n, want := range []float64{85.64, 78.64} {
		if got := s.VolumeMM3(imaging.LabelTumour+imaging.Label(n)) / 1000; math.Abs(got-want) > 0.01 {
			t.Errorf("tumour %d has %.2f ml, want %.2f", n+1, got, want)
		}
	}
	// The label map of the same case, written by another priority, agrees.
	l, err := nifti.ReadLabels(filepath.Join(dir, "labels.nii.gz"), ct.Grid, map[int]imaging.Label{
		1: imaging.LabelBody, 2: imaging.LabelBone, 3: imaging.LabelLiver, 4: imaging.LabelPortalVein,
		5: imaging.LabelHepaticVein, 6: imaging.LabelArtery, 7: imaging.LabelTumour, 8: imaging.LabelTumour + 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range l.ID {
		if id != imaging.LabelBackground && s.Bits[n]&s.Bit(id) == 0 {
			t.Fatalf("voxel %d is %v in the label map but not in the masks", n, id)
		}
	}
	// A mask exported head to foot lands on the same voxels.
	r := imaging.Reorder{Axis: [3]int{0, 1, 2}, Flip: [3]bool{false, false, true}}
	at := r.Index(s.Grid)
	flipped := &imaging.Segments{Grid: r.Grid(s.Grid), Bits: make([]uint32, len(s.Bits)), Of: s.Of}
	for n := range flipped.Bits {
		flipped.Bits[n] = s.Bits[at(n)]
	}
	path := filepath.Join(t.TempDir(), "flipped.nii.gz")
	if err := nifti.WriteSegments(path, flipped); err != nil {
		t.Fatal(err)
	}
	again, err := nifti.ReadSegments(path, ct.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	for n := range s.Bits {
		if again.Bits[n] != s.Bits[n] {
			t.Fatalf("voxel %d changed through a file stored head to foot", n)
		}
	}
}
