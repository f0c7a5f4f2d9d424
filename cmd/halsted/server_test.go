package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/imaging/pacs"
	"halsted/imaging/phantom"
	"halsted/planner"
)

// smallSeries writes a sample patient on a coarse grid and returns its files.
func smallSeries(t *testing.T, patient uint64) (string, []string) {
	l := phantom.NewLiver(patient)
	v, err := l.Volume(t.Context(), l.GridAt([3]float64{6, 6, 6}), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := phantom.WriteSeries(t.Context(), dir, v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	files, err := pacs.Files(dir)
	if err != nil || len(files) != v.Grid.Size[2] {
		t.Fatalf("%d files: %v", len(files), err)
	}
	return dir, files
}

// running starts a server on a data folder; it stops when the test ends.
func running(t *testing.T, data string, studied func(planner.Study, error)) *server {
	t.Helper()
	return runningFor(t, data, "", studied)
}

// runningFor is running with a surgeon who may approve.
func runningFor(t *testing.T, data, surgeon string, studied func(planner.Study, error)) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := startServer(ctx, serverConfig{data: data, api: "127.0.0.1:0", dicom: "127.0.0.1:0", aeTitle: "HALSTED",
		surgeon: surgeon, log: slog.New(slog.DiscardHandler), studied: studied}, &runner{})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		srv.close()
	})
	return srv
}

func TestAPushedSeriesBecomesAStudyAndABadOneIsRefused(t *testing.T) {
	good, _ := smallSeries(t, 1)
	gap, files := smallSeries(t, 2)
	if err := os.Remove(files[len(files)/2]); err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		study planner.Study
		err   error
	}
	got := make(chan outcome, 4)
	srv := running(t, t.TempDir(), func(s planner.Study, err error) { got <- outcome{s, err} })
	push := func(dir string) outcome {
		if _, err := send(t.Context(), dir, srv.DICOM.String(), pacs.AE{Called: "HALSTED", Calling: "TEST"}, newBar(io.Discard)); err != nil {
			t.Fatal(err)
		}
		select {
		case o := <-got:
			return o
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was taken in")
		}
		return outcome{}
	}
	if o := push(gap); exitCode(o.err) != exitRefused || !strings.Contains(o.err.Error(), "gap") && !strings.Contains(o.err.Error(), "missing") {
		t.Errorf("a series with a missing slice: %v", o.err)
	}
	o := push(good)
	if o.err != nil {
		t.Fatal(o.err)
	}
	c, err := dialClient(srv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	name, err := c.study(t.Context())
	if err != nil || lastOf(name) != o.study.ID {
		t.Errorf("the service has %q, %v", name, err)
	}
	again := push(good) // the same series is the same study
	if again.err != nil || again.study.ID != o.study.ID {
		t.Errorf("sent again: %+v", again)
	}
}

func TestServeRefusesOpenNetworksAndASecondServerOnTheSameData(t *testing.T) {
	data := t.TempDir()
	for _, args := range [][]string{
		{"serve", "--data", data, "--api", "0.0.0.0:0", "--dicom", "127.0.0.1:0"},
		{"serve", "--data", data, "--api", "127.0.0.1:0", "--dicom", "0.0.0.0:0"},
	} {
		var log bytes.Buffer
		if code := run(t.Context(), args, io.Discard, &log); code != exitFailed || !strings.Contains(log.String(), "loopback") {
			t.Errorf("%v exits %d: %s", args, code, log.String())
		}
	}
	srv, err := startServer(t.Context(), serverConfig{data: data, api: "127.0.0.1:0", dicom: "127.0.0.1:0", aeTitle: "HALSTED", log: slog.New(slog.DiscardHandler)}, &runner{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.close()
	if st, err := os.Stat(srv.Token); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("token file: %v, %v", st, err)
	}
	if second, err := startServer(t.Context(), srv.cfg, &runner{}); err == nil {
		second.close()
		t.Error("two servers share one folder")
	}
}

// TestDemo is the main job on the sample patient, as `make demo` runs it.
func TestDemo(t *testing.T) {
	out := t.TempDir()
	var printed, log bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--out", out, "--json"}, &printed, &log); code != exitOK {
		t.Fatalf("exit %d: %s", code, log.String())
	}
	var r simulateResult
	if err := json.Unmarshal(printed.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Plans) != 2 || len(r.Evaluations) != 2 || r.Notice == "" {
		t.Errorf("%d plans, %d evaluations, notice %q", len(r.Plans), len(r.Evaluations), r.Notice)
	}
	truth := phantom.NewLiver(1)
	if ml := truth.VolumeML(imaging.LabelLiver); r.Organ.VoxelML < 0.9*ml || r.Organ.VoxelML > 1.1*ml {
		t.Errorf("liver of %.0f ml, the truth is %.0f", r.Organ.VoxelML, ml)
	}
	for _, e := range r.Evaluations {
		for _, id := range []string{"flr_percent", "margin_mm", "vessels_cut", "displacement_mm", "reaction_n", "peak_stress_kpa", "peak_strain_percent"} {
			if q, ok := e.Quantity(id); !ok || q.Validate() != nil {
				t.Errorf("plan %s: %s is %+v", e.Plan, id, q)
			}
		}
	}
	for _, name := range []string{"anatomy.png", "organ.stl", "plans.json", "plans.txt", "remnant-1.vtu", "remnant-2.vtu", "report.html", "scene.glb", "stress-1.png", "stress-2.png"} {
		if st, err := os.Stat(filepath.Join(out, name)); err != nil || st.Size() < 500 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := os.ReadDir(out); len(left) != 10 {
		t.Errorf("%d files in %s, want 10", len(left), out)
	}
}

func TestACancelledDemoLeavesNothingBehind(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	out := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2*time.Second, cancel)
	if code := run(ctx, []string{"demo", "--out", out}, io.Discard, io.Discard); code != exitCancelled {
		t.Errorf("exit %d, want %d", code, exitCancelled)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("artefacts of a cancelled demo")
	}
	if left, _ := os.ReadDir(tmp); len(left) != 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}
