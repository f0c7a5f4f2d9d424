package series

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// data is a folder of the real test data; the test is skipped only when
// HALSTED_DATA is unset.
func data(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	dir := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readDir(t testing.TB, dir string) []*Series {
	t.Helper()
	list, err := ReadDir(context.Background(), dir, Options{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(dir), err)
	}
	return list
}

func pixelsSHA(v *imaging.Volume) string {
	b := make([]byte, 0, 2*len(v.Data))
	for _, x := range v.Data {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// TestSeriesDefects goes through the 25 prepared series; EXPECT.json says in
// words what must happen, this table says it in types.
func TestSeriesDefects(t *testing.T) {
	root := data(t, "corpus", "series_defects")
	var expect map[string]json.RawMessage
	b, err := os.ReadFile(filepath.Join(root, "EXPECT.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &expect); err != nil {
		t.Fatal(err)
	}
	var truth struct {
		SHA string `json:"sha256_int16le"`
	}
	if err := json.Unmarshal(expect["_truth_00_clean"], &truth); err != nil || truth.SHA == "" {
		t.Fatalf("no truth: %v", err)
	}
	clean, err := readDir(t, filepath.Join(root, "00_clean"))[0].Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const same = "the clean volume"
	want := map[string]any{
		"00_clean": same, "01_instance_number_shuffled": same, "04_duplicate_position_same_pixels": same,
		"06_same_sop_uid_twice": same, "09_localizer_in_series": same, "10_rescale_differs_per_slice": same,
		"11_slope_half": same, "14_reverse_order": same, "16_rounded_positions": same, "20_implicit_vr": same,
		"02_missing_slice":                   &GapError{Before: "008.dcm", After: "009.dcm", AtMM: -651.800049, StepMM: 1, GapMM: 2, Missing: 1},
		"03_missing_ends":                    func(t *testing.T, v *imaging.Volume) { inside(t, clean, v, 1) },
		"05_duplicate_position_other_pixels": &DuplicateError{File: "020.dcm", Other: "007.dcm", AtMM: -652.800049},
		"07_variable_spacing":                &GapError{Before: "000.dcm", After: "001.dcm", AtMM: -659.800049, StepMM: 1.5, GapMM: 1},
		"08_gantry_tilt_15deg":               &TiltError{Before: "000.dcm", File: "001.dcm", ShiftMM: math.Tan(15 * math.Pi / 180), AngleDeg: 15},
		"12_pixel_spacing_differs":           &MixedError{"PixelSpacing", "012.dcm", "000.dcm"},
		"13_matrix_differs":                  &MixedSizeError{"012.dcm", "000.dcm", [2]int{64, 32}, [2]int{64, 64}},
		"15_no_image_position":               &AttributeError{"ImagePositionPatient", "000.dcm", "is missing"},
		"17_two_series_one_folder":           2,
		"18_two_frames_of_reference":         &MixedError{"FrameOfReferenceUID", "010.dcm", "000.dcm"},
		"19_other_patient_slice":             &MixedError{"PatientID", "005.dcm", "000.dcm"},
		"21_double_oblique":                  func(t *testing.T, v *imaging.Volume) { oblique(t, clean, v) },
		"22_left_handed_columns":             func(t *testing.T, v *imaging.Volume) { mirrored(t, clean, v) },
		"23_short_pixel_data":                &TruncatedError{"004.dcm", 8192, 7192},
		"24_single_slice":                    &TooFewSlicesError{Slices: 1},
	}
	if len(want) != 25 || len(expect) != 26 {
		t.Fatalf("%d cases known, %d in EXPECT.json", len(want), len(expect)-1)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t.Run(name, func(t *testing.T) {
			if expect[name] == nil {
				t.Fatal("not in EXPECT.json")
			}
			list := readDir(t, filepath.Join(root, name))
			if n, ok := want[name].(int); ok {
				if len(list) != n || list[0].Len() != 10 || list[1].Len() != 10 || list[0].Check() != nil || list[1].Check() != nil {
					t.Fatalf("%d series", len(list))
				}
				return
			}
			if len(list) != 1 {
				t.Fatalf("%d series", len(list))
			}
			v, err := list[0].Volume(context.Background(), nil)
			switch w := want[name].(type) {
			case error:
				if err == nil || !nearMM(err, w) {
					t.Fatalf("got %v\nwant %v", err, w)
				}
			case string:
				if err != nil {
					t.Fatal(err)
				}
				if pixelsSHA(v) != truth.SHA || v.Slope != 1 || v.Intercept != 0 || !v.Grid.Matches(clean.Grid, 0.01) {
					t.Fatalf("another volume than the clean one: %v", v.Grid)
				}
			case func(*testing.T, *imaging.Volume):
				if err != nil {
					t.Fatal(err)
				}
				w(t, v)
			}
		})
	}
}

// nearMM compares two errors of one type through their text, which rounds mm
// to three decimals.
func nearMM(a, b error) bool {
	return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) && a.Error() == b.Error()
}

// inside wants v to be whole without the first and last skip slices.
func inside(t *testing.T, whole, v *imaging.Volume, skip int) {
	plane := whole.Grid.Size[0] * whole.Grid.Size[1]
	if !slices.Equal(v.Data, whole.Data[skip*plane:len(whole.Data)-skip*plane]) {
		t.Fatal("voxels differ")
	}
	if r3.Norm(r3.Sub(v.Grid.Origin, whole.Grid.Point(0, 0, float64(skip)))) > 1e-9 {
		t.Fatalf("origin %v", v.Grid.Origin)
	}
}

// oblique wants the same voxels in a rotated grid of the same spacing.
func oblique(t *testing.T, whole, v *imaging.Volume) {
	if !slices.Equal(v.Data, whole.Data) {
		t.Fatal("voxels differ")
	}
	for a := range 3 {
		if math.Abs(v.Grid.SpacingMM()[a]-whole.Grid.SpacingMM()[a]) > 1e-6 {
			t.Fatalf("spacing %v", v.Grid.SpacingMM())
		}
	}
	if !v.Grid.RightHanded() || math.Abs(r3.Dot(r3.Unit(v.Grid.Axes[2]), r3.Vec{Z: 1})) > 0.99 {
		t.Fatalf("axes %v", v.Grid.Axes)
	}
}

// mirrored wants the row direction turned, the same pixels in each slice, and
// a right-handed grid: the slices then run from head to feet.
func mirrored(t *testing.T, whole, v *imaging.Volume) {
	if !v.Grid.RightHanded() || v.Grid.Axes[0].X >= 0 || v.Grid.Axes[2].Z >= 0 {
		t.Fatalf("axes %v", v.Grid.Axes)
	}
	plane, n := v.Grid.Size[0]*v.Grid.Size[1], v.Grid.Size[2]
	for k := range n {
		if !slices.Equal(v.Data[k*plane:(k+1)*plane], whole.Data[(n-1-k)*plane:(n-k)*plane]) {
			t.Fatalf("slice %d differs", k)
		}
	}
}

func TestLiverCase(t *testing.T) {
	list := readDir(t, data(t, "cases", "ircad01_17_liver_ct", "dicom"))
	if len(list) != 1 {
		t.Fatalf("%d series", len(list))
	}
	v, err := list[0].Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sp := v.Grid.SpacingMM()
	if v.Grid.Size != [3]int{512, 512, 119} || math.Abs(sp[0]-0.743) > 1e-6 || math.Abs(sp[1]-0.743) > 1e-6 || math.Abs(sp[2]-1.6) > 1e-6 {
		t.Fatalf("size %v spacing %v", v.Grid.Size, sp)
	}
	lo, hi, saturated := v.Data[0], v.Data[0], 0
	for _, x := range v.Data {
		lo, hi = min(lo, x), max(hi, x)
		if x == 1023 {
			saturated++
		}
	}
	if v.Kind != imaging.KindHU || lo != -1024 || hi != 1023 || saturated != 3690 {
		t.Fatalf("%v %d…%d HU, %d saturated voxels", v.Kind, lo, hi, saturated)
	}
	if !v.Grid.RightHanded() || v.Grid.Axes[2].Z <= 0 || math.Abs(v.Grid.Point(0, 0, 118).Z-188.8) > 1e-4 {
		t.Fatalf("grid %v", v.Grid)
	}
}

func TestChestCaseImplicitUnsigned(t *testing.T) {
	list := readDir(t, data(t, "cases", "ct_chest_lidc0314_36", "dicom"))
	v, err := list[0].Volume(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Grid.Size != [3]int{512, 512, 36} || v.Grid.Axes[2].Z != 1 || math.Abs(v.Grid.Origin.Z+679.800049) > 1e-9 {
		t.Fatalf("grid %v", v.Grid)
	}
	// Stored 0 is −1000 HU outside the field of view, in the corner.
	if v.Data[0] != -1000 || v.Slope != 1 || v.Intercept != 0 || v.Kind != imaging.KindHU {
		t.Fatalf("corner %d HU", v.Data[0])
	}
	if notes := list[0].Notes; len(notes) != 1 || !strings.Contains(notes[0].Text, "FrameOfReferenceUID") {
		t.Fatalf("notes %v", notes)
	}
}

func TestTiltedHeadIsRefused(t *testing.T) {
	err := readDir(t, data(t, "cases", "ct_head_ge_tilt", "dicom"))[0].Check()
	e, ok := errors.AsType[*TiltError](err)
	if !ok || math.Abs(e.AngleDeg-18.5) > 0.05 || e.File != "02.dcm" {
		t.Fatalf("got %v", err)
	}
}

// TestHostileFilesNeverMakeABadVolume stacks each hostile file on a copy of
// itself one millimetre higher where that is possible, and wants an error or
// a sound volume.
func TestHostileFilesNeverMakeABadVolume(t *testing.T) {
	dir := data(t, "corpus", "fuzz")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile(filepath.Join(dir, "_base.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".dcm") {
			continue
		}
		n++
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		list, err := Read(context.Background(), fstest.MapFS{f.Name(): {Data: b}, "base": {Data: base}, "raised": {Data: raised(t, base)}}, Options{})
		if err != nil {
			continue
		}
		for _, s := range list {
			v, err := s.Volume(context.Background(), nil)
			if err != nil {
				continue
			}
			if err := v.Validate(); err != nil {
				t.Errorf("%s: %v", f.Name(), err)
			}
			for _, mm := range v.Grid.SpacingMM() {
				if !(mm > 0 && mm < 1000) {
					t.Errorf("%s: spacing %v", f.Name(), mm)
				}
			}
		}
	}
	if n != 106 {
		t.Fatalf("%d files", n)
	}
}

func BenchmarkLiverCase(b *testing.B) {
	dir := data(b, "cases", "ircad01_17_liver_ct", "dicom")
	for b.Loop() {
		list := readDir(b, dir)
		if _, err := list[0].Volume(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(119*float64(b.N)/b.Elapsed().Seconds(), "slices/s")
}
