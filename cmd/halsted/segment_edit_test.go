package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/imaging/nifti"
	"halsted/imaging/phantom"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// Edits on a segmentation are replayed: what they touch changes as they say, all
// else stays, and on another scan or a wrong file they are refused.
func TestSegmentReplaysEdits(t *testing.T) {
	l := phantom.NewLiver(3)
	g := l.GridAt([3]float64{3.5, 3.5, 3.5})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	study, out, file := filepath.Join(dir, "ct.nii.gz"), filepath.Join(dir, "x.nii.gz"), filepath.Join(dir, "edits.json")
	if err := nifti.WriteVolume(study, v); err != nil {
		t.Fatal(err)
	}
	first, _ := segmentOf(t, exitOK, study, "--out", out)
	if len(first.State) != 64 {
		t.Fatalf("state %q", first.State)
	}
	ml := func(r segmentResult) map[string]float64 {
		m := map[string]float64{}
		for _, s := range r.Structures {
			m[s.Name] = s.ML
		}
		return m
	}
	// write gives every path an edit of the same parent.
	write := func(parent string, paths ...[][3]float64) {
		t.Helper()
		var b bytes.Buffer
		var edits []segment.Edit
		for _, p := range paths {
			edits = append(edits, segment.Edit{Version: 1, Parent: parent, Do: segment.EditPaint, Label: "tumour_9", Path: p, RadiusMM: 12})
		}
		if err := segment.WriteEdits(&b, edits); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first.State, segment.Points(l.TumourCentre(0)))
	second, _ := segmentOf(t, exitOK, study, "--edit", file)
	before, after := ml(first), ml(second)
	if want := 4.0 / 3 * math.Pi * 12 * 12 * 12 / 1000; math.Abs(after["tumour_9"]/want-1) > 0.1 {
		t.Errorf("painted %.2f ml, want %.2f", after["tumour_9"], want)
	}
	delete(after, "tumour_9")
	if len(before) != len(after) {
		t.Errorf("structures %v became %v", before, after)
	}
	for name, x := range before {
		if after[name] != x {
			t.Errorf("%s: %.3f ml became %.3f without an edit", name, x, after[name])
		}
	}
	if second.State == first.State || len(second.State) != 64 {
		t.Error("the state is the same after an edit")
	}
	write(strings.Repeat("00", 32), segment.Points(l.TumourCentre(0)))
	if _, log := segmentOf(t, exitRefused, study, "--edit", file); !strings.Contains(log, first.State[:12]) {
		t.Errorf("edits of another state: %s", log)
	}
	// What the scan and the file tell is refused before the work: no step is
	// written.
	steps := filepath.Join(dir, "steps")
	early := func(name, want string, args ...string) {
		t.Helper()
		_, log := segmentOf(t, exitRefused, append([]string{study, "--inspect", steps}, args...)...)
		if _, err := os.Stat(steps); !strings.Contains(log, want) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, %s", name, err, log)
		}
	}
	write(first.State, segment.Points(r3.Vec{X: 5000}))
	early("a point beyond the scan", "edit 1: paint tumour_9: path point 1 at 5000.0,0.0,0.0 mm lies outside the volume", "--edit", file)
	write(first.State, segment.Points(l.TumourCentre(0)), segment.Points(l.TumourCentre(1)))
	early("edits of two states", "edit 2: the edit was made on state", "--edit", file)
	early("a DICOM segmentation of NIfTI", "segment the DICOM series", "--out", filepath.Join(dir, "x.dcm"))
	early("masks that are not there", "none.nrrd", "--against", filepath.Join(dir, "none.nrrd"))
	if err := os.WriteFile(file, []byte(`{"format":"other"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, log := segmentOf(t, exitRefused, study, "--edit", file); !strings.Contains(log, "halsted.edits") {
		t.Errorf("another file: %s", log)
	}
}
