package series

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// TestCorpusStructureSets reads the structure sets of three other programs. The
// volumes are the areas of the contours times their distance.
func TestCorpusStructureSets(t *testing.T) {
	root := data(t, "corpus")
	for _, c := range []struct {
		file   string
		closed []int     // contours of each ROI
		ml     []float64 // within them
	}{
		{"rtstruct_rtutils/mock_data/rt.dcm", []int{2}, []float64{0.351}},
		{"rtstruct_rtutils/mock_data/non_existent_reference_rt.dcm", []int{3, 3, 3, 3}, []float64{6.507, 6.007, 5.736, 10.965}},
		{"rtstruct_rtutils/empty/dummy_rt.dcm", []int{3, 3, 3, 3}, []float64{6.507, 6.007, 5.736, 10.965}},
		{"pydicom/test_files/rtstruct.dcm", []int{3, 0, 0}, []float64{3600, 0, 0}}, // three boxes of 400 × 300 × 10 mm
	} {
		s, err := ReadRTStructFile(filepath.Join(root, c.file), dicomfile.Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if len(s.ROIs) != len(c.closed) || len(s.Notes) != 0 {
			t.Errorf("%s: %v, notes %v", c.file, s, s.Notes)
			continue
		}
		for n := range s.ROIs {
			ml := 0.0
			if f, _ := newFiller(cube(1), &s.ROIs[n]); f != nil {
				ml = f.contourML()
			}
			if s.ROIs[n].Closed != c.closed[n] || math.Abs(ml-c.ml[n]) > 0.001 {
				t.Errorf("%s: ROI %d has %d contours and %.3f ml", c.file, n+1, s.ROIs[n].Closed, ml)
			}
		}
	}
	// Every other object of that archive is refused as one.
	refused := 0
	for name, e := range manifest(t) {
		if e.Modality == "RTSTRUCT" || filepath.Dir(name) != "pydicom/test_files" {
			continue
		}
		refused++
		if _, err := ReadRTStructFile(filepath.Join(root, name), dicomfile.Limits{}); err == nil {
			t.Errorf("%s passes for a structure set", name)
		}
	}
	if refused < 50 {
		t.Errorf("%d other objects", refused)
	}
}

// TestCorpusStructureSetsOnTheirSeries: one set lies in the frame of the
// images; the other refers to the images and yet names a frame that it made up,
// which is a contradiction and refused until allowed. The voxels of the first
// are those that plastimatch 1.9.4 counts; of the second it counts all 2401
// within the outer contour, as it unites contours.
func TestCorpusStructureSetsOnTheirSeries(t *testing.T) {
	root := data(t, "corpus", "rtstruct_rtutils")
	ctx := context.Background()
	src := readDir(t, filepath.Join(root, "mock_data"))[0]
	g, err := src.Grid()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file   string
		any    bool
		voxels []int
	}{{"empty/dummy_rt.dcm", false, []int{4976, 3697, 4519, 6954}}, {"mock_data/rt.dcm", true, []int{1443}}} {
		s, err := ReadRTStructFile(filepath.Join(root, c.file), dicomfile.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, rep, err := s.Onto(ctx, src, StructureOptions{})
		if c.any {
			if e, ok := errors.AsType[*FrameOfReferenceError](err); !ok || e.Missing || !s.Refers(src) {
				t.Errorf("%s: %v", c.file, err)
			}
			_, rep, err = s.Onto(ctx, src, StructureOptions{AnyFrame: true})
		}
		if err != nil {
			t.Fatalf("%s: %v", c.file, err)
		}
		for n, p := range rep.Placed {
			mask, err := s.MaskOn(ctx, g, n)
			if err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, m := range mask {
				if m {
					count++
				}
			}
			if count != p.OnGrid || count != c.voxels[n] || p.Structure != imaging.LabelBackground {
				t.Errorf("%s: ROI %d: %d voxels, %+v", c.file, n+1, count, p)
			}
			t.Logf("%s ROI %d: %.3f ml in contours, %.3f ml on the grid", c.file, n+1, p.BeforeML, p.AfterML)
		}
		t.Log(rep.Notes)
	}
}

// FuzzRTStruct reads foreign bytes: an error, or ROIs that can be filled.
func FuzzRTStruct(f *testing.F) {
	small := func(u, v r3.Vec) (out []contour) { // short, so that mutations hit what counts
		for _, t := range every(4, -9, 9) {
			out = append(out, ring(r3.Add(middle, r3.Scale(t, r3.Cross(u, v))), u, v, 15, 6))
		}
		return out
	}
	f.Add(encode(f, rtSet(f, rtROI{name: "Liver", contours: small(ex, ey)}, rtROI{name: "Heart", kind: "POINT", contours: []contour{{middle}}})))
	f.Add(encode(f, rtSet(f, rtROI{name: "x", contours: small(ey, ez), kind: "CLOSEDPLANAR_XOR"})))
	if root := os.Getenv("HALSTED_DATA"); root != "" {
		for _, name := range []string{"rtstruct_rtutils/mock_data/rt.dcm", "pydicom/test_files/rtstruct.dcm"} {
			if b, err := os.ReadFile(filepath.Join(root, "corpus", name)); err == nil {
				f.Add(b)
			}
		}
	}
	g := cube(4)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadRTStruct(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{FileBytes: 1 << 20, InflatedBytes: 1 << 20})
		if err != nil {
			return
		}
		segs, rep, err := s.OnGrid(context.Background(), g)
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Placed) != len(s.ROIs) {
			t.Fatalf("%d of %d ROIs in the report", len(rep.Placed), len(s.ROIs))
		}
		for _, p := range rep.Placed {
			if p.OnGrid < 0 || p.OnGrid > g.Len() || p.BeforeML != p.BeforeML || p.Structure != imaging.LabelBackground && segs.Bit(p.Structure) == 0 {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// TestStructureSetsFailByKind wants a typed error for a file that is no DICOM.
func TestStructureSetsFailByKind(t *testing.T) {
	if _, err := ReadRTStruct(bytes.NewReader([]byte("not DICOM at all")), -1, dicomfile.Limits{}); !errors.Is(err, dicomfile.ErrNotDICOM) {
		t.Errorf("got %v", err)
	}
	if _, err := ReadRTStructFile(filepath.Join(t.TempDir(), "none.dcm"), dicomfile.Limits{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
