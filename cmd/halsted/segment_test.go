package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"
)

// segmentOf runs `halsted segment … --json`.
func segmentOf(t *testing.T, want int, args ...string) (segmentResult, string) {
	t.Helper()
	var out, log bytes.Buffer
	if code := run(t.Context(), append([]string{"segment", "--json"}, args...), &out, &log); code != want {
		t.Fatalf("segment %v: exit %d, want %d: %s", args, code, want, log.String())
	}
	var told struct {
		segmentResult
		Result segmentResult `json:"result"` // of a run that failed
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &told); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
	}
	if want != exitOK {
		return told.Result, log.String()
	}
	return told.segmentResult, log.String()
}

// A patient goes from DICOM to a DICOM segmentation that compares as itself, to
// NIfTI likewise, with every step on file; a wrong name is refused before the
// work.
func TestSegmentWritesWhatItReads(t *testing.T) {
	l := phantom.NewLiver(3)
	g := l.GridAt([3]float64{3, 3, 3})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	study := filepath.Join(dir, "study")
	if err := phantom.WriteSeries(t.Context(), study, v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	seg, nii, steps := filepath.Join(dir, "x.dcm"), filepath.Join(dir, "x.nii.gz"), filepath.Join(dir, "steps")
	first, _ := segmentOf(t, exitOK, study, "--out", seg, "--inspect", steps)
	var names []string
	for _, s := range first.Structures {
		if s.Missing == "" && s.ML > 0 {
			names = append(names, s.Name)
		}
	}
	if len(names) < 3 || first.Hash == "" {
		t.Fatalf("structures %v, hash %q", names, first.Hash)
	}
	if files, err := os.ReadDir(steps); err != nil || len(files) < 4 {
		t.Errorf("%d steps on file: %v", len(files), err)
	}
	again, _ := segmentOf(t, exitOK, study, "--against", seg, "--out", nii)
	for _, name := range names {
		if c, ok := again.Against[name]; !ok || c.Dice != 1 {
			t.Errorf("%s against its own DICOM segmentation: %+v", name, c)
		}
	}
	if st, err := os.Stat(nii); err != nil || st.Size() == 0 {
		t.Error(err)
	}
	if _, log := segmentOf(t, exitUsage, study, "--out", filepath.Join(dir, "x.stl")); !strings.Contains(log, ".nii.gz") {
		t.Errorf("a wrong name: %s", log)
	}
	if _, log := segmentOf(t, exitUsage, study, "--set", "liver.NoSuchNumber=7"); !strings.Contains(log, "NoSuchNumber") {
		t.Errorf("a wrong number: %s", log)
	}
	// A seed in plain air: the rest stands, and the run has failed.
	air := g.Point(2, 2, float64(g.Size[2]/2))
	arg := fmt.Sprintf("%v=%g,%g,%g", imaging.LabelTumour, air.X, air.Y, air.Z)
	r, log := segmentOf(t, exitRefused, study, "--seed", arg)
	if len(r.Structures) == 0 || !strings.Contains(log, "tumour_1") {
		t.Errorf("a seed in air: %d structures, %s", len(r.Structures), log)
	}
}
