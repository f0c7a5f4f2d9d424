package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/phantom"
	"halsted/imaging/series"
	"halsted/internal/atomicfile"
)

// convertOf runs `halsted convert … --json`.
func convertOf(t *testing.T, want int, args ...string) (convertResult, string) {
	t.Helper()
	var out, log bytes.Buffer
	if code := run(t.Context(), append([]string{"convert", "--json"}, args...), &out, &log); code != want {
		t.Fatalf("convert %v: exit %d, want %d: %s", args, code, want, log.String())
	}
	var r convertResult
	if want == exitOK {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
	}
	return r, log.String()
}

// convertStudy is a small patient on disk: the folder of its series, the
// series, its volume and its structures, of which some overlap.
func convertStudy(t *testing.T) (dir string, src *series.Series, v *imaging.Volume, segs *imaging.Segments) {
	t.Helper()
	l := phantom.NewLiver(3)
	g := l.GridAt([3]float64{4, 4, 5})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := phantom.WriteSeries(t.Context(), filepath.Join(dir, "study"), v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	all, err := series.ReadDir(t.Context(), filepath.Join(dir, "study"), series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	truth := l.Truth(g)
	segs = imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelTumour)
	for b, label := range segs.Of {
		from := truth.Bit(label)
		for n, bits := range truth.Bits {
			if bits&from != 0 {
				segs.Bits[n] |= 1 << b
			}
		}
		if segs.Count(label) == 0 {
			t.Fatalf("the phantom has no %v", label)
		}
	}
	return dir, all[0], v, segs
}

func readSEGBits(t *testing.T, path string, src *series.Series) *imaging.Segments {
	t.Helper()
	o, err := series.ReadStructuresFile(path, dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := o.Onto(t.Context(), src, series.StructureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Volumes keep their samples and places through every format.
func TestConvertVolumes(t *testing.T) {
	dir, _, v, _ := convertStudy(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	chain := []string{at("study"), at("a.nrrd"), at("b.nii.gz"), at("c.nii"), at("d.nrrd")}
	for n := 1; n < len(chain); n++ {
		r, _ := convertOf(t, exitOK, chain[n-1], chain[n])
		if r.Size != v.Grid.Size || len(r.Structures) != 0 || len(r.Notes) != 0 || len(r.Stages) == 0 {
			t.Fatalf("%s: %+v", filepath.Base(chain[n]), r)
		}
	}
	got, err := nrrd.ReadVolume(chain[4])
	if err != nil {
		t.Fatal(err)
	}
	if !got.Grid.Matches(v.Grid, 1e-3) {
		t.Errorf("grid %v, want %v", got.Grid, v.Grid)
	}
	for n := range v.Data {
		if got.Value(n) != v.Value(n) {
			t.Fatalf("voxel %d is %v, was %v", n, got.Value(n), v.Value(n))
		}
	}
	// Values that 16 bits do not hold are rounded, which is said.
	fine := imaging.NewVolume(imaging.NewGrid([3]int{3, 2, 2}, r3.Vec{}, [3]float64{1, 1, 1}), imaging.KindUnknown)
	for n := range fine.Data {
		fine.Data[n] = int16(n * n * 100)
	}
	fine.Slope, fine.Intercept = 1./3, 0.1
	if err := nrrd.WriteVolume(at("fine.nrrd"), fine, nrrd.Options{}); err != nil {
		t.Fatal(err)
	}
	if r, _ := convertOf(t, exitOK, at("fine.nrrd"), at("fine.nii")); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "rounded") {
		t.Errorf("notes %v", r.Notes)
	}
}

// Structures go around through DICOM, 3D Slicer and masks and come back the
// same, overlaps included.
func TestConvertStructuresAround(t *testing.T) {
	dir, src, _, segs := convertStudy(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	study := at("study")
	if err := atomicfile.Write(at("seg.dcm"), func(w io.Writer) error {
		return series.WriteSEG(t.Context(), w, segs, src, series.SEGOptions{})
	}); err != nil {
		t.Fatal(err)
	}
	r, _ := convertOf(t, exitOK, at("seg.dcm"), at("1.seg.nrrd"), "--onto", study)
	if r.Resampled || len(r.Structures) != 3 || r.Structures[1].Name != "liver" || !r.Structures[1].Known || r.Structures[1].Code != "SCT 10200004" {
		t.Fatalf("%+v", r)
	}
	for n, l := range segs.Of {
		if ml := segs.VolumeMM3(l) / 1000; math.Abs(r.Structures[n].AfterML-ml) > 1e-6*ml || math.Abs(r.Structures[n].BeforeML-ml) > 1e-6*ml {
			t.Errorf("%v: %+v, has %.4f ml", l, r.Structures[n], ml)
		}
	}
	convertOf(t, exitOK, at("1.seg.nrrd"), at("2.nii.gz"))
	convertOf(t, exitOK, at("2.nii.gz"), at("3.nrrd"), "--bits", "body,liver,tumour_1")
	convertOf(t, exitOK, at("3.nrrd"), at("4.dcm"), "--onto", study)
	convertOf(t, exitOK, at("4.dcm"), at("5.dcm"), "--onto", study, "--type", "fractional")
	back := readSEGBits(t, at("5.dcm"), src)
	if !slices.Equal(back.Of, segs.Of) || !slices.Equal(back.Bits, segs.Bits) {
		t.Fatalf("structures %v came back", back.Of)
	}
	if _, log := convertOf(t, exitRefused, at("4.dcm"), at("6.dcm"), "--onto", study, "--type", "labelmap"); !strings.Contains(log, "both cover voxel") {
		t.Errorf("overlap in a label map: %s", log)
	}
	// A SEG needs no series to be read onto its own lattice.
	r, _ = convertOf(t, exitOK, at("seg.dcm"), at("own.seg.nrrd"))
	s, err := nrrd.ReadSegmentation(at("own.seg.nrrd"))
	if err != nil || len(s.Segments) != 3 || r.Resampled {
		t.Fatal(err)
	}
	// Onto half the resolution: reported, and the volumes stay.
	v := imaging.NewVolume(coarse(segs.Grid), imaging.KindHU)
	if err := nifti.WriteVolume(at("coarse.nii"), v); err != nil {
		t.Fatal(err)
	}
	r, _ = convertOf(t, exitOK, at("1.seg.nrrd"), at("coarse.seg.nrrd"), "--onto", at("coarse.nii"))
	if !r.Resampled || r.OffMM == 0 || r.Size != v.Grid.Size || math.Abs(r.Structures[1].AfterML/r.Structures[1].BeforeML-1) > 0.03 {
		t.Errorf("%+v", r)
	}
	if _, log := convertOf(t, exitRefused, at("seg.dcm"), at("x.nrrd"), "--onto", at("coarse.nii")); !strings.Contains(log, "frame of reference") {
		t.Errorf("a grid without a frame of reference: %s", log)
	}
	convertOf(t, exitOK, at("seg.dcm"), at("x.nrrd"), "--onto", at("coarse.nii"), "--any-frame")
}

// coarse is a grid of double spacing over the same place, a little off.
func coarse(g imaging.Grid) imaging.Grid {
	out := imaging.Grid{Origin: g.Point(0.4, 0.4, 0.4)}
	for a, n := range g.Size {
		out.Size[a], out.Axes[a] = (n+1)/2, r3.Scale(2, g.Axes[a])
	}
	return out
}

// Structures that none of ours stands for keep their names and codes.
func TestConvertCarriesForeignStructures(t *testing.T) {
	dir, src, _, segs := convertStudy(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	pancreas := imaging.Code{Value: "15776009", Scheme: "SCT", Meaning: "Pancreas"}
	if err := nrrd.WriteSegments(at("in.seg.nrrd"), segs, nrrd.Options{Describe: map[imaging.Label]nrrd.Segment{
		imaging.LabelBody:   {Name: "Pancreas", Type: pancreas, Colour: [3]uint8{10, 20, 30}, HasColour: true},
		imaging.LabelTumour: {Name: "odd\\thing", ID: "x", Type: tissue},
	}}); err != nil {
		t.Fatal(err)
	}
	r, _ := convertOf(t, exitOK, at("in.seg.nrrd"), at("a.dcm"), "--onto", at("study"))
	if len(r.Structures) != 3 || r.Structures[0].Known || r.Structures[0].Name != "Pancreas" || r.Structures[0].Code != "SCT 15776009" || !r.Structures[1].Known || r.Structures[2].Known {
		t.Fatalf("%+v", r.Structures)
	}
	// Known structures come first out of an object: the others are found by name.
	r, _ = convertOf(t, exitOK, at("a.dcm"), at("b.seg.nrrd"), "--onto", at("study"))
	s, err := nrrd.ReadSegmentation(at("b.seg.nrrd"))
	if err != nil || len(s.Segments) != 3 {
		t.Fatal(err, r)
	}
	for name, b := range map[string]int{"Pancreas": 0, "liver": 1, "odd thing": 2} {
		n := slices.IndexFunc(s.Segments, func(g nrrd.Segment) bool { return g.Name == name })
		if n < 0 {
			t.Errorf("%s is missing: %+v", name, s.Segments)
			continue
		}
		if b == 0 && s.Segments[n].Type != pancreas {
			t.Errorf("the pancreas is coded %v", s.Segments[n].Type)
		}
		for v, in := range s.Mask(n) {
			if in != (segs.Bits[v]>>b&1 != 0) {
				t.Fatalf("%s differs at voxel %d", name, v)
			}
		}
	}
	_ = src
}

// structureSet writes an RTSTRUCT of one square box, 40 × 40 mm on every plane
// from lo to hi, around the middle of the grid.
func structureSet(t *testing.T, path, frame, name string, g imaging.Grid, lo, hi int) {
	t.Helper()
	item := func(values map[dicomfile.Tag]any) *dicomfile.Dataset {
		d := dicomfile.New()
		for tag, v := range values {
			if err := d.Set(tag, v); err != nil {
				t.Fatal(tag, err)
			}
		}
		return d
	}
	var contours []*dicomfile.Dataset
	for k := lo; k < hi; k++ {
		c := g.Point(float64(g.Size[0])/2, float64(g.Size[1])/2, float64(k))
		var v []float64
		for _, p := range [][2]float64{{-20, -20}, {20, -20}, {20, 20}, {-20, 20}} {
			v = append(v, c.X+p[0], c.Y+p[1], c.Z)
		}
		contours = append(contours, item(map[dicomfile.Tag]any{dicomfile.ContourGeometricType: "CLOSED_PLANAR", dicomfile.NumberOfContourPoints: 4, dicomfile.ContourData: v}))
	}
	d := item(map[dicomfile.Tag]any{
		dicomfile.SOPClassUID: dicomfile.RTStructureSetStorage, dicomfile.SOPInstanceUID: dicomfile.HashUID("set"), dicomfile.Modality: "RTSTRUCT",
		dicomfile.PatientName: "Doe^Jane",
		dicomfile.StructureSetROISequence: []*dicomfile.Dataset{item(map[dicomfile.Tag]any{
			dicomfile.ROINumber: 1, dicomfile.ROIName: name, dicomfile.ReferencedFrameOfReferenceUID: frame})},
		dicomfile.ROIContourSequence: []*dicomfile.Dataset{item(map[dicomfile.Tag]any{dicomfile.ReferencedROINumber: 1, dicomfile.ContourSequence: contours})},
	})
	if err := atomicfile.Write(path, func(w io.Writer) error { return dicomfile.Write(w, d) }); err != nil {
		t.Fatal(err)
	}
}

func TestConvertStructureSets(t *testing.T) {
	dir, src, _, segs := convertStudy(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	d, err := dicomfile.ReadFile(filepath.Join(dir, "study", src.Files()[0]), dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	frame, _ := d.String(dicomfile.FrameOfReferenceUID)
	g := segs.Grid
	structureSet(t, at("rt.dcm"), frame, "Spleen", g, 3, 9)
	r, _ := convertOf(t, exitOK, at("rt.dcm"), at("rt.seg.nrrd"), "--onto", at("study"))
	want := 40. * 40 * 6 * g.SpacingMM()[2] / 1000
	if len(r.Structures) != 1 || r.Structures[0].Name != "spleen" || math.Abs(r.Structures[0].BeforeML-want) > 1e-6 || math.Abs(r.Structures[0].AfterML-want) > 1e-6 {
		t.Errorf("%+v, want %.3f ml", r.Structures, want)
	}
	convertOf(t, exitOK, at("rt.dcm"), at("rt_as_seg.dcm"), "--onto", at("study"))
	if got := readSEGBits(t, at("rt_as_seg.dcm"), src); math.Abs(got.VolumeMM3(imaging.LabelSpleen)/1000-want) > 1e-6 {
		t.Errorf("as a segmentation: %.3f ml", got.VolumeMM3(imaging.LabelSpleen)/1000)
	}
	if _, log := convertOf(t, exitUsage, at("rt.dcm"), at("x.nii.gz")); !strings.Contains(log, "--onto") {
		t.Errorf("without a grid: %s", log)
	}
	structureSet(t, at("other.dcm"), dicomfile.HashUID("elsewhere"), "Jane Doe", g, 3, 9)
	if _, log := convertOf(t, exitRefused, at("other.dcm"), at("x.nii.gz"), "--onto", at("study")); !strings.Contains(log, "another frame of reference") || strings.Contains(log, "Doe") {
		t.Errorf("another frame: %s", log)
	}
	r, log := convertOf(t, exitOK, at("other.dcm"), at("x.nii.gz"), "--onto", at("study"), "--any-frame")
	if len(r.Structures) != 1 || r.Structures[0].Known || r.Structures[0].Bit != 0 || strings.Contains(log, "Doe") {
		t.Errorf("%+v", r.Structures)
	}
}

func TestConvertLabelMaps(t *testing.T) {
	dir, _, _, segs := convertStudy(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	m := &imaging.Labels{Grid: segs.Grid, ID: make([]imaging.Label, len(segs.Bits))}
	for n, b := range segs.Bits { // 5 for the liver, 7 for the tumour
		switch {
		case b&4 != 0:
			m.ID[n] = 7
		case b&2 != 0:
			m.ID[n] = 5
		}
	}
	if err := nifti.WriteLabels(at("map.nii.gz"), m); err != nil {
		t.Fatal(err)
	}
	convertOf(t, exitOK, at("map.nii.gz"), at("map.seg.nrrd"), "--values", "5=liver, 7=tumour_1")
	s, err := nrrd.ReadSegmentation(at("map.seg.nrrd"))
	if err != nil || len(s.Segments) != 2 || s.Segments[0].Layer != s.Segments[1].Layer {
		t.Fatal(err)
	}
	for n, want := range []imaging.Label{5, 7} {
		for v, in := range s.Mask(n) {
			if in != (m.ID[v] == want) {
				t.Fatalf("segment %d at voxel %d", n, v)
			}
		}
	}
	convertOf(t, exitOK, at("map.seg.nrrd"), at("map.dcm"), "--onto", at("study"), "--type", "labelmap")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitRefused, "no named structure", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--values", "5=liver"}},
		{exitRefused, "no mask of", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--bits", "liver"}},
		{exitUsage, "no structure", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--values", "5=livre"}},
		{exitUsage, "want NUMBER", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--values", "liver"}},
		{exitUsage, "named twice", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--values", "5=liver,5=spleen"}},
		{exitUsage, "not both", []string{at("map.nii.gz"), at("x.seg.nrrd"), "--values", "5=liver", "--bits", "liver"}},
		{exitUsage, "the input is a volume", []string{at("map.nii.gz"), at("x.seg.nrrd")}},
		{exitUsage, "not resampled", []string{at("map.nii.gz"), at("x.nrrd"), "--onto", at("study")}},
		{exitUsage, "want .nii.gz", []string{at("map.nii.gz"), at("x.stl")}},
		{exitUsage, "want .nii.gz", []string{at("map.nii.gz"), at("x.nhdr")}},
		{exitUsage, "one file", []string{at("map.nii.gz"), at("map.nii.gz")}},
		{exitUsage, "--onto", []string{at("map.seg.nrrd"), at("x.dcm")}},
		{exitUsage, "folder of the series", []string{at("map.seg.nrrd"), at("x.dcm"), "--onto", at("map.nii.gz")}},
		{exitUsage, "--type", []string{at("map.seg.nrrd"), at("x.nii"), "--type", "png"}},
		{exitUsage, "are for NIfTI", []string{at("study"), at("x.nii"), "--bits", "liver"}},
		{exitUsage, "an input and an output", []string{at("study")}},
		{exitRefused, "no such file", []string{at("gone.nrrd"), at("x.nii")}},
		{exitRefused, "no such file", []string{at("map.seg.nrrd"), at("x.nii"), "--onto", at("gone")}},
		{exitRefused, "not a DICOM file", []string{at("map.seg.nrrd.dcm"), at("x.nii")}},
		{exitRefused, "of another kind", []string{filepath.Join(at("study"), "00000.dcm"), at("x.nii")}},
	} {
		if strings.Contains(c.args[0], "map.seg.nrrd.dcm") {
			if err := os.WriteFile(c.args[0], []byte("no DICOM"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if c.says == "of another kind" {
			files, err := os.ReadDir(at("study"))
			if err != nil {
				t.Fatal(err)
			}
			c.args[0] = filepath.Join(at("study"), files[0].Name())
		}
		if _, log := convertOf(t, c.code, c.args...); !strings.Contains(log, c.says) {
			t.Errorf("%v: %q is missing in %s", c.args, c.says, log)
		}
		if _, err := os.Stat(at("x.seg.nrrd")); err == nil {
			t.Fatalf("%v left a file", c.args)
		}
	}
}

// `halsted segment` writes for 3D Slicer and compares with every format.
func TestSegmentInEveryFormat(t *testing.T) {
	l := phantom.NewLiver(3)
	v, err := l.Volume(t.Context(), l.GridAt([3]float64{3, 3, 3}), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	study, slicer := filepath.Join(dir, "study"), filepath.Join(dir, "x.seg.nrrd")
	if err := phantom.WriteSeries(t.Context(), study, v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	all, err := series.ReadDir(t.Context(), study, series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dicomfile.ReadFile(filepath.Join(study, all[0].Files()[0]), dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	frame, _ := d.String(dicomfile.FrameOfReferenceUID)
	rt := filepath.Join(dir, "rt.dcm")
	structureSet(t, rt, frame, "Liver", v.Grid, v.Grid.Size[2]/2, v.Grid.Size[2]/2+4)
	r, _ := segmentOf(t, exitOK, study, "--against", rt, "--out", slicer)
	if c, ok := r.Against["liver"]; !ok || c.Dice >= 0.9 || c.Dice <= 0 {
		t.Errorf("liver against a box: %+v", c)
	}
	segs, notes, err := readTruth(t.Context(), slicer, "", v.Grid, &scan{})
	if err != nil || len(notes) != 0 {
		t.Fatal(err, notes)
	}
	found := 0
	for _, line := range r.Structures {
		label, err := imaging.ParseLabel(line.Name)
		if err != nil || line.Missing != "" || line.ML == 0 {
			continue
		}
		if found++; math.Abs(segs.VolumeMM3(label)/1000-line.ML) > 1e-6*line.ML {
			t.Errorf("%s: %.3f ml in the file, %.3f ml reported", line.Name, segs.VolumeMM3(label)/1000, line.ML)
		}
	}
	if found < 3 {
		t.Errorf("%d structures", found)
	}
}
