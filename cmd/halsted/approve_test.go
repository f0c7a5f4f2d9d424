package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging/pacs"
	"halsted/imaging/phantom"
	"halsted/planner"
)

// approving runs `halsted approve --json`.
func approving(t *testing.T, args ...string) (r approveResult, code int, said string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), append([]string{"approve", "--json"}, args...), &out, &log)
	if code == exitOK {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
	}
	return r, code, log.String() + out.String()
}

// The whole way of a plan: a service decides, the dossier says that nobody
// approved, only the named surgeon's token approves and only what was shown,
// the dossier then says who and when, and after a withdrawal that it is none.
func TestAPlanIsApprovedOnTheCommandLineByTheNamedSurgeonOnly(t *testing.T) {
	const name = "Dr. Ada Weiss"
	l := phantom.NewLiver(1)
	v, err := l.Volume(t.Context(), l.GridAt([3]float64{2.5, 2.5, 3}), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := phantom.WriteSeries(t.Context(), dir, v, l.SeriesID()); err != nil {
		t.Fatal(err)
	}
	got := make(chan planner.Study, 1)
	srv := runningFor(t, t.TempDir(), name, func(s planner.Study, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- s
	})
	if _, err := send(t.Context(), dir, srv.DICOM.String(), pacs.AE{Called: "HALSTED", Calling: "TEST"}, newBar(io.Discard)); err != nil {
		t.Fatal(err)
	}
	study := <-got
	api := srv.API.String()

	dossier := func(of string) (planResult, map[string]string) {
		out := filepath.Join(t.TempDir(), "out")
		args := []string{of, "--server", api, "--token-file", srv.Token, "--procedure", "needle.trajectory", "--condition", "biopsy", "--level", "L0", "--shown", "2", "--out", out}
		for _, s := range l.Seeds() {
			args = append(args, "--seed", fmt.Sprintf("%s=%g,%g,%g", s.Label, s.LPS.X, s.LPS.Y, s.LPS.Z))
		}
		r, code, said := plans(t, args...)
		if code != exitOK {
			t.Fatal(said)
		}
		files := map[string]string{}
		for _, f := range []string{"report.html", "report.json", "plans.txt"} {
			b, err := os.ReadFile(filepath.Join(out, f))
			if err != nil {
				t.Fatal(err)
			}
			files[f] = string(b)
		}
		return r, files
	}
	r, files := dossier("studies/" + study.ID)
	if len(r.Names) == 0 || len(r.Decision.Plans) != len(r.Names) {
		t.Fatalf("names %v", r.Names)
	}
	for f, s := range files {
		if !strings.Contains(s, "No plan is approved.") || strings.Contains(s, "approved by") {
			t.Errorf("%s does not say that nobody approved", f)
		}
	}
	plan, _, _ := strings.Cut(r.Names[0], "/plans/")
	first := r.Names[0]

	// Seen first: with any token, and it changes nothing.
	seen, code, said := approving(t, first, "--server", api, "--token-file", srv.Token)
	if code != exitOK || seen.State != "not approved" || seen.EvaluationID == "" || len(seen.Evaluation.Quantities) == 0 || seen.Notice != planner.Notice {
		t.Fatalf("%d %s", code, said)
	}
	yes := []string{first, "--server", api, "--statement", "I choose this plan.", "--evaluation"}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{append(yes, seen.EvaluationID, "--token-file", srv.Token), exitRefused, "approve"},
		{append(yes, strings.Repeat("0", 32), "--token-file", srv.SurgeonToken), exitRefused, "not the one that was shown"},
		{append(yes, seen.EvaluationID, "--token-file", srv.SurgeonToken, "--withdraw"), exitRefused, "no approval"},
		{[]string{first, "--server", api, "--token-file", srv.SurgeonToken, "--statement", "x"}, exitUsage, "--evaluation"},
		{[]string{first, "--server", api, "--token-file", srv.SurgeonToken, "--evaluation", seen.EvaluationID}, exitUsage, "--statement"},
		{[]string{first, "--server", api, "--token-file", srv.SurgeonToken, "--withdraw"}, exitUsage, "--statement"},
		{[]string{"P", "--token-file", srv.SurgeonToken}, exitUsage, "cases/CASE/plans/PLAN"},
		{[]string{first, "--server", api}, exitUsage, "--token-file"},
		{[]string{first, "--server", api, "--token-file", filepath.Join(dir, "gone")}, exitRefused, "gone"},
		{[]string{first + "0", "--server", api, "--token-file", srv.Token}, exitRefused, "not found"},
	} {
		if _, code, said := approving(t, c.args...); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, said)
		}
	}
	if still, _, _ := approving(t, first, "--server", api, "--token-file", srv.Token); still.State != "not approved" || len(still.Given) != 0 {
		t.Errorf("refused, and yet %+v", still)
	}

	done, code, said := approving(t, append(yes, seen.EvaluationID, "--token-file", srv.SurgeonToken)...)
	if code != exitOK || !strings.HasPrefix(done.State, "approved by "+name+" at 2") || len(done.Given) != 1 || done.Given[0].By != name {
		t.Fatalf("%d %s", code, said)
	}
	again, files := dossier(plan)
	if !slices.Equal(again.Names, r.Names) {
		t.Errorf("the same case has other plans: %v", again.Names)
	}
	for f, s := range files {
		if !strings.Contains(s, done.State) || strings.Contains(s, "No plan is approved.") {
			t.Errorf("%s does not say %q", f, done.State)
		}
	}
	if !strings.Contains(files["report.html"], "I choose this plan.") {
		t.Error("the page does not say with what words it was approved")
	}

	back, code, said := approving(t, first, "--server", api, "--token-file", srv.SurgeonToken, "--evaluation", seen.EvaluationID, "--statement", "It has grown.", "--withdraw")
	if code != exitOK || back.State != "not approved: its approval was withdrawn" || len(back.Given) != 2 {
		t.Errorf("%d %s", code, said)
	}
	if _, files = dossier(plan); !strings.Contains(files["report.html"], "its approval was withdrawn") || strings.Contains(files["report.html"], "approved by") {
		t.Error("the page does not say that it was withdrawn")
	}
	var text bytes.Buffer
	if code := run(t.Context(), []string{"approve", first, "--server", api, "--token-file", srv.Token}, &text, io.Discard); code != exitOK {
		t.Error(code)
	}
	for _, want := range []string{`approved by "Dr. Ada Weiss" at`, `withdrawn by "Dr. Ada Weiss" at`, `"It has grown."`, "evaluation: " + seen.EvaluationID, "clearance"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("approve prints no %q: %s", want, text.String())
		}
	}
}

func TestPlanOnAServiceRefusesInOneSentence(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"study/", "--server", "127.0.0.1:1", "--token-file", "x"}, "studies/STUDY"},
		{[]string{"cases/x", "--server", "127.0.0.1:1"}, "--token-file"},
		{[]string{"cases/x", "--server", "127.0.0.1:1", "--token-file", "x", "--structures", "y"}, "--structures"},
	} {
		if _, code, said := plans(t, c.args...); code != exitUsage || !strings.Contains(said, c.want) {
			t.Errorf("%v: %d %s", c.args, code, said)
		}
	}
}
