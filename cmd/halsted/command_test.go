package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"halsted/fem"
	"halsted/imaging/series"
	"halsted/planner"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"
)

func Example() {
	code := run(context.Background(), []string{"simulate", "--help"}, os.Stdout, io.Discard)
	fmt.Println("exit code", code)
	// The help ends with an example and the exit codes:
	// Output:
	// usage: halsted simulate [options] DICOM-FOLDER
	// Take a series to a few simulated liver resections by planes, with meshes and pictures.
	//
	//   -bits string
	//     	structures of the mask bits, lowest first, e.g. body,bone,liver,portal_vein
	//   -condition string
	//     	condition of the organ: normal, chemotherapy, cirrhosis (default "normal")
	//   -edge float
	//     	edge of the tetrahedra, mm (default 10)
	//   -json
	//     	print the result as JSON
	//   -masks string
	//     	NIfTI bit masks to use instead of our own segmentation
	//   -out string
	//     	folder for the artefacts (default "out")
	//   -plans int
	//     	plans to simulate (default 2)
	//   -retract float
	//     	prescribed pull on the remnant, mm (default 30)
	//   -seed value
	//     	a point inside a structure, LPS mm: tumour_1=-40,20,110 (may be repeated)
	//   -steps int
	//     	load steps of a simulation (default 5)
	//
	// Example:
	//   halsted simulate study/ --seed tumour_1=-62,-8,1210 --out out
	//   halsted simulate study/ --masks masks.nii.gz --bits body,bone,liver,portal_vein,hepatic_vein,artery,tumour_1
	//
	// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the input is refused, 4 the solve did not converge, 130 cancelled.
	// exit code 0
}

func TestEveryCommandHasHelpWithExampleJSONAndExitCodes(t *testing.T) {
	for _, c := range commands() {
		var out bytes.Buffer
		if code := run(t.Context(), []string{c.name, "--help"}, &out, io.Discard); code != exitOK {
			t.Errorf("%s --help exits %d", c.name, code)
		}
		for _, want := range []string{"-json", "Example:\n  halsted " + c.name, "Exit codes:"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s --help lacks %q", c.name, want)
			}
		}
		var log bytes.Buffer
		if code := run(t.Context(), []string{c.name, "--no-such-flag"}, io.Discard, &log); code != exitUsage {
			t.Errorf("%s with an unknown flag exits %d: %s", c.name, code, log.String())
		}
	}
	if code := run(t.Context(), []string{"no-such-command"}, io.Discard, io.Discard); code != exitUsage {
		t.Errorf("an unknown command exits %d", code)
	}
}

func TestErrorsHaveTheirExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{context.Canceled, exitCancelled},
		{fmt.Errorf("plan: %w", &fem.NotConvergedError{}), exitDiverged},
		{fmt.Errorf("x: %w", &series.GapError{}), exitRefused},
		{refusedError{errors.New("x")}, exitRefused},
		{usagef("x"), exitUsage},
		{errors.New("x"), exitFailed},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v exits %d, want %d", c.err, got, c.want)
		}
	}
}

func TestBadInputEndsInOneSentence(t *testing.T) {
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, "notes.txt"), []byte("no DICOM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"simulate", empty}, {"segment", empty}, {"send", empty}, {"simulate", filepath.Join(empty, "gone")}, {"simulate", filepath.Join(empty, "notes.txt")}} {
		var out, log bytes.Buffer
		out2 := filepath.Join(t.TempDir(), "out")
		if args[0] == "simulate" {
			args = append(args, "--out", out2)
		}
		code := run(t.Context(), append(args, "--json"), &out, &log)
		if code != exitRefused {
			t.Errorf("%v exits %d: %s", args, code, log.String())
		}
		var said struct {
			Error string `json:"error"`
			Code  int    `json:"exit_code"`
		}
		if err := json.Unmarshal(out.Bytes(), &said); err != nil || said.Error == "" || said.Code != code || strings.Count(strings.TrimSpace(said.Error), "\n") > 0 {
			t.Errorf("%v printed %q (%v)", args, out.String(), err)
		}
		if _, err := os.Stat(out2); err == nil {
			t.Errorf("%v left %s behind", args, out2)
		}
	}
}

func TestSeedsAreParsedAndRefused(t *testing.T) {
	var s seedFlag
	if err := s.Set("tumour_2=-40,20.5,110"); err != nil || s[0].Label.String() != "tumour_2" || s[0].LPS.Y != 20.5 {
		t.Fatalf("%v %+v", err, s)
	}
	for _, bad := range []string{"tumour_2", "spline=1,2,3", "liver=1,2", "liver=1,2,x"} {
		if s.Set(bad) == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestBlobsOfAStudyReadAsAFolder(t *testing.T) {
	st, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var keys []string
	for _, s := range []string{"one", "two", "three"} {
		k, err := st.PutBytes(t.Context(), []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	b := &blobFS{ctx: t.Context(), st: st, keys: keys}
	f, err := b.Open(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "two" {
		t.Fatalf("%q %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open("elsewhere"); err == nil {
		t.Fatal("a blob that is not of the study was opened")
	}
	if err := fstest.TestFS(b, keys...); err != nil {
		t.Fatal(err)
	}
}

func TestProgressPrintsALinePerStageWithoutATerminal(t *testing.T) {
	var w bytes.Buffer
	b := newBar(&w)
	b.set("read", 0)
	b.set("read", 0.5)
	b.set("mesh", 0)
	took := b.finish()
	if len(took) != 2 || took[0].Stage != "read" || strings.Count(w.String(), "\n") != 2 {
		t.Errorf("%v, printed %q", took, w.String())
	}
}

func TestEvaluationsAreReadOffTheWire(t *testing.T) {
	e := fromWire(&pb.Evaluation{Plan: "cases/c/plans/p", Rank: 2, Quantities: []*pb.Quantity{
		{Id: "a", Value: 2, Unit: "mm", Spread: &pb.Spread{P2_5: 1, P50: 2, P97_5: 3}, Basis: "b", Evidence: pb.Evidence_EVIDENCE_UNVERIFIED},
		{Id: "n", Value: 2, Unit: "mm", Basis: "not known", Evidence: pb.Evidence_EVIDENCE_COMPUTED},
	}})
	if e.Plan != "p" || e.Rank != 2 || !e.Quantities[0].HasInterval() || e.Quantities[0].Evidence != planner.EvidenceUnverified ||
		e.Quantities[1].HasInterval() || e.Quantities[1].Evidence != planner.EvidenceComputed {
		t.Errorf("%+v", e)
	}
}
