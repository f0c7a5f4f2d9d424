package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/pacs"
	"halsted/imaging/phantom"
	"halsted/planner"
	"halsted/planner/report"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/protobuf/proto"
)

// writeCase writes a coarse sample patient as a volume and bit masks; it
// returns their names and what the bits are.
func writeCase(t *testing.T) (volume, masks, bits string) {
	t.Helper()
	return writeCaseAt(t, 3)
}

// writeCaseAt writes it in voxels of mm.
func writeCaseAt(t *testing.T, mm float64) (volume, masks, bits string) {
	t.Helper()
	l := phantom.NewLiver(1)
	g := l.GridAt([3]float64{mm, mm, mm})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := l.Truth(g)
	volume, masks = writeNIfTI(t, v, s)
	var names []string
	for _, of := range s.Of {
		names = append(names, of.String())
	}
	return volume, masks, strings.Join(names, ",")
}

// writeNIfTI writes a scan and its masks into a new folder.
func writeNIfTI(t *testing.T, v *imaging.Volume, s *imaging.Segments) (volume, masks string) {
	t.Helper()
	dir := t.TempDir()
	volume, masks = filepath.Join(dir, "scan.nii"), filepath.Join(dir, "masks.nii")
	write := func(path string, encode func(*os.File) error) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := encode(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(volume, func(f *os.File) error { return nifti.Encode(f, v) })
	write(masks, func(f *os.File) error { return nifti.EncodeSegments(f, s) })
	return volume, masks
}

// plans runs `halsted plan --json` and reads what it prints.
func plans(t *testing.T, args ...string) (r planResult, code int, said string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), append([]string{"plan", "--json"}, args...), &out, &log)
	if code == exitOK {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
	}
	return r, code, log.String() + out.String()
}

func TestPlanDecidesWritesAndReplays(t *testing.T) {
	volume, masks, bits := writeCase(t)
	out := filepath.Join(t.TempDir(), "out")
	args := []string{volume, "--structures", masks, "--bits", bits, "--procedure", "needle.trajectory", "--level", "L0", "--shown", "3", "--out", out}
	r, code, said := plans(t, args...)
	if code != exitOK {
		t.Fatal(said)
	}
	d := r.Decision
	if d.Searched < 2 || len(d.Plans) == 0 || len(d.Plans) > 3 || len(d.Evaluations) != len(d.Plans) || d.Notice != planner.Notice {
		t.Fatalf("%d searched, %d plans, %d evaluations", d.Searched, len(d.Plans), len(d.Evaluations))
	}
	for _, e := range d.Evaluations {
		for _, q := range e.Quantities {
			if err := q.Validate(); err != nil {
				t.Error(err)
			}
		}
		if q, ok := e.Quantity("min_clearance_mm"); !ok || !q.HasInterval() {
			t.Errorf("clearance %v", q)
		}
	}
	noBareNumber(t, d)
	noRawID(t, d, out)
	for _, name := range []string{"decision.json", "plans.txt", "report.html", "report.pdf", "report.json", "bundle/manifest.json", "bundle/result.json", "bundle/samples.jsonl"} {
		if st, err := os.Stat(filepath.Join(out, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if slices.Contains(r.Artefacts, "report.dcm") {
		t.Error("a DICOM report of a case that is not DICOM")
	}
	if b, err := os.ReadFile(filepath.Join(out, "report.json")); err != nil || !strings.Contains(string(b), report.Schema) {
		t.Errorf("report.json: %v", err)
	}

	// The same call goes on where nothing is left to do, and says the same.
	again, code, said := plans(t, args...)
	if code != exitOK || again.Bundle != r.Bundle {
		t.Errorf("again: %d %s", code, said)
	}
	// Another run does not mix with this one.
	if _, code, said = plans(t, append(args, "--random-seed", "2")...); code != exitRefused || !strings.Contains(said, "another run") {
		t.Errorf("another seed in the same folder: %d %s", code, said)
	}
	// A replay takes its settings from the bundle and gives the same bytes.
	p, code, said := plans(t, volume, "--structures", masks, "--replay", filepath.Join(out, "bundle"))
	if code != exitOK || p.Replay == nil || !p.Replay.Identical || !p.Replay.SameProgram {
		t.Errorf("replay: %d %s", code, said)
	}
	if _, code, said = plans(t, volume, "--structures", volume, "--replay", filepath.Join(out, "bundle")); code == exitOK {
		t.Error("a replay on other structures passed: " + said)
	}
	// What came out is not what the bundle says: the difference is named.
	path := filepath.Join(out, "bundle", "result.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(`"searched":`), []byte(`"searched":1`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, code, said = plans(t, volume, "--structures", masks, "--replay", filepath.Join(out, "bundle")); code != exitFailed || !strings.Contains(said, "searched: was 1") {
		t.Errorf("a changed result: %d %s", code, said)
	}
}

// A liver through the command: what is said of its plans holds no bare number
// and no name that only programs know, and a tree that is missing is told in
// words.
func TestPlanALiver(t *testing.T) {
	volume, masks, bits := writeCaseAt(t, 4)
	out := filepath.Join(t.TempDir(), "out")
	r, code, said := plans(t, volume, "--structures", masks, "--bits", strings.Replace(bits, "hepatic_vein", "spleen", 1), "--level", "L0", "--shown", "2", "--out", out)
	if code != exitOK {
		t.Fatal(said)
	}
	d := r.Decision
	if d.Searched < 2 || len(d.Plans) == 0 || len(d.Lost) == 0 || !strings.Contains(strings.Join(d.Lost, "\n"), "no hepatic tree") {
		t.Errorf("%d searched, %d plans, lost %q", d.Searched, len(d.Plans), d.Lost)
	}
	noBareNumber(t, d)
	noRawID(t, d, out)
}

func TestPlanRefusesInOneSentence(t *testing.T) {
	volume, masks, bits := writeCase(t)
	over := filepath.Join(t.TempDir(), "over.json")
	if err := os.WriteFile(over, []byte(`{"schema":"halsted.rules-override/1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{volume, "--procedure", "knee.replacement"}, exitUsage, "liver.resection"},
		{[]string{volume, "--level", "L3"}, exitUsage, "L0, L1 or L2"},
		{[]string{volume, "--method", "guess"}, exitUsage, "sobol"},
		{[]string{volume, "--weight", "0.5"}, exitUsage, "weight"},
		{[]string{volume, "--shown", "0"}, exitUsage, "shown"},
		{[]string{volume, "--family-history", "maybe"}, exitUsage, "yes or no"},
		{[]string{}, exitUsage, "one case"},
		{[]string{filepath.Join(t.TempDir(), "gone")}, exitRefused, "no such file"},
		{[]string{volume, "--rules", over}, exitRefused, "rules"},
		{[]string{volume, "--structures", masks}, exitUsage, "--bits"},
		{[]string{volume, "--structures", masks, "--bits", bits, "--condition", "unheard-of"}, exitRefused, "condition"},
		{[]string{volume, "--structures", masks, "--bits", bits, "--replay", t.TempDir()}, exitRefused, "manifest"},
	} {
		_, code, said := plans(t, append(c.args, "--out", filepath.Join(t.TempDir(), "out"))...)
		if code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, said)
		}
	}
}

// A decision asked for over the wire: bands arrive, plans and evaluations are
// kept, and the same request again finds every simulation done.
func TestDecisionOverTheWire(t *testing.T) {
	l := phantom.NewLiver(1)
	g := l.GridAt([3]float64{2.5, 2.5, 3})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := phantom.WriteSeries(t.Context(), dir, v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	data := t.TempDir()
	srv := running(t, data, func(_ planner.Study, err error) { got <- err })
	if _, err := send(t.Context(), dir, srv.DICOM.String(), pacs.AE{Called: "HALSTED", Calling: "TEST"}, newBar(io.Discard)); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	c, err := dialClient(srv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	study, err := c.study(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := &pb.Case{Study: study, Procedure: "needle.trajectory", Condition: "biopsy"}
	for _, s := range l.Seeds() {
		in.Seeds = append(in.Seeds, &pb.Seed{Label: &pb.StructureLabel{Id: s.Label.String()}, Point: &pb.Point{XMm: s.LPS.X, YMm: s.LPS.Y, ZMm: s.LPS.Z}})
	}
	kase, err := pb.NewCaseServiceClient(c.conn).CreateCase(t.Context(), &pb.CreateCaseRequest{Case: in})
	if err != nil {
		t.Fatal(err)
	}
	decide := func() (bands int, d *pb.Decision) {
		stream, err := pb.NewDecisionServiceClient(c.conn).Decide(t.Context(), &pb.DecideRequest{Parent: kase.Case.Name, Level: pb.SimulationLevel_SIMULATION_LEVEL_GEOMETRY, MaxPlans: 2})
		if err != nil {
			t.Fatal(err)
		}
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return bands, d
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.GetBand() != nil {
				bands++
			}
			if m.GetDecision() != nil {
				d = m.GetDecision()
			}
		}
	}
	bands, d := decide()
	if bands == 0 || d == nil || len(d.Plans) == 0 || len(d.Evaluations) != len(d.Plans) || d.Notice != planner.Notice {
		t.Fatalf("%d bands, decision %v", bands, d)
	}
	kept, err := c.evaluations(t.Context(), kase.Case.Name)
	if err != nil || len(kept) != len(d.Plans) {
		t.Errorf("%d evaluations are kept of %d: %v", len(kept), len(d.Plans), err)
	}
	journals, err := filepath.Glob(filepath.Join(data, "bundles", "*", "samples.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("bundles %v, %v", journals, err)
	}
	before, err := os.Stat(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	_, again := decide()
	if !proto.Equal(again, d) {
		t.Error("the same request again gives another decision")
	}
	if after, err := os.Stat(journals[0]); err != nil || after.Size() != before.Size() {
		t.Errorf("finished simulations were run again: %v", err)
	}
}
