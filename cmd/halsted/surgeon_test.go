package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/internal/access"
	"halsted/planner"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/feed"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The token that the service writes for itself approves nothing; that of the
// surgeon who was named does.
func TestOnlyTheNamedSurgeonsTokenApproves(t *testing.T) {
	const name = "Dr. Ada Weiss"
	srv, err := startServer(t.Context(), serverConfig{data: t.TempDir(), api: "127.0.0.1:0", dicom: "127.0.0.1:0", aeTitle: "HALSTED", surgeon: name,
		log: slog.New(slog.DiscardHandler)}, &runner{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.close()
	if st, err := os.Stat(srv.SurgeonToken); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("the surgeon's token file: %v, %v", st, err)
	}
	c := planner.Case{Study: "s1", Procedure: "liver.resection", Seeds: []planner.Seed{{Label: imaging.LabelLiver}}}.Sealed()
	p := planner.Plan{Case: c.ID, Procedure: c.Procedure, Name: "left", Cuts: []planner.Plane{{Normal: r3.Vec{Z: 1}}}}.Sealed()
	e := planner.Evaluation{Plan: p.ID, Rank: 1}
	for _, err := range []error{srv.st.PutStudy(t.Context(), planner.Study{ID: "s1"}), srv.st.PutCase(t.Context(), c), srv.st.PutPlan(t.Context(), p), srv.st.PutEvaluations(t.Context(), e)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]codes.Code{srv.Token: codes.PermissionDenied, srv.SurgeonToken: codes.OK} {
		token, err := access.ReadToken(file)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := feed.Dial(srv.API.String(), token, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		plan := "cases/" + c.ID + "/plans/" + p.ID
		shown, err := pb.NewEvaluationServiceClient(conn).GetEvaluation(t.Context(), &pb.GetEvaluationRequest{Name: plan + "/evaluation"})
		if err != nil {
			t.Fatal(err)
		}
		a, err := pb.NewApprovalServiceClient(conn).ApprovePlan(t.Context(), &pb.ApprovePlanRequest{Name: plan, EvaluationId: shown.Evaluation.EvaluationId, Statement: "I choose this plan."})
		if status.Code(err) != want || want == codes.OK && a.Approval.ApproverName != name {
			t.Errorf("%s: %v, %v", file, a, err)
		}
	}
}

func TestASurgeonWithoutAReadableNameIsRefused(t *testing.T) {
	for _, name := range []string{" ", "a\x1b[2J", strings.Repeat("a", 300)} {
		data := t.TempDir()
		var log bytes.Buffer
		if code := run(t.Context(), []string{"serve", "--data", data, "--api", "127.0.0.1:0", "--dicom", "127.0.0.1:0", "--surgeon", name}, io.Discard, &log); code != exitUsage {
			t.Errorf("%.20q exits %d: %s", name, code, log.String())
		}
		if left, _ := os.ReadDir(data); len(left) != 0 {
			t.Errorf("%.20q left %v", name, left)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--help"}, &out, &out); code != exitOK || !strings.Contains(out.String(), "--surgeon") || !strings.Contains(out.String(), "approve") {
		t.Errorf("help: %d %s", code, out.String())
	}
}
