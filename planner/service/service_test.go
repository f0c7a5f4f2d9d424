package service

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"halsted/internal/access"
	"halsted/planner"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// wantStatus checks the code and that the message says the words; for
// InvalidArgument also that the details name the field.
func wantStatus(t *testing.T, err error, code codes.Code, words string) {
	t.Helper()
	s := status.Convert(err)
	if err == nil || s.Code() != code || !strings.Contains(s.Message(), words) {
		t.Errorf("got %v: %q, want %v with %q", s.Code(), s.Message(), code, words)
		return
	}
	if code != codes.InvalidArgument {
		return
	}
	for _, d := range s.Details() {
		if b, ok := d.(*errdetails.BadRequest); ok && len(b.FieldViolations) == 1 && strings.Contains(b.FieldViolations[0].Field, strings.Fields(words)[0]) {
			return
		}
	}
	t.Errorf("no detail names the field %s: %v", words, s.Details())
}

// The whole walk, over plain gRPC without a port.
func TestWalk(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(6, 4, nil))
	r.study(t)
	conn := r.overBufconn(t, r.token)
	ctx := testContext(t)
	sts, err := pb.NewStudyServiceClient(conn).ListStudies(ctx, &pb.ListStudiesRequest{})
	must(t, err)
	if st := sts.Studies[0]; st.Name != "studies/s1" || st.SizeK != 120 || st.SpacingKMm != 2.5 || st.InstanceCount != 2 || st.ValueKind != "HU" {
		t.Errorf("study %v", st)
	}
	st, err := pb.NewStudyServiceClient(conn).GetStudy(ctx, &pb.GetStudyRequest{Name: "studies/s1"})
	if err != nil || !proto.Equal(st.Study, sts.Studies[0]) {
		t.Errorf("got %v, %v", st, err)
	}
	cases, plans := pb.NewCaseServiceClient(conn), pb.NewPlanServiceClient(conn)
	c, err := cases.CreateCase(ctx, &pb.CreateCaseRequest{Case: wireCase()})
	must(t, err)
	if s := c.Case.Seeds[0]; s.Label.CodeScheme != "SCT" || s.Point.YMm != -2.5 {
		t.Errorf("seed %v", s)
	}
	again, err := cases.CreateCase(ctx, &pb.CreateCaseRequest{Case: wireCase()})
	if err != nil || !proto.Equal(again.Case, c.Case) {
		t.Errorf("the same case again: %v, %v", again, err)
	}
	got, err := cases.GetCase(ctx, &pb.GetCaseRequest{Name: c.Case.Name})
	if err != nil || !proto.Equal(got.Case, c.Case) {
		t.Errorf("got %v, %v", got, err)
	}
	p, err := plans.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c.Case.Name, Plan: wirePlan()})
	must(t, err)
	if p.Plan.Procedure != "liver.resection" || p.Plan.ParentPlan != "" || p.Plan.Cuts[0].Normal.X != 1 {
		t.Errorf("plan %v", p.Plan)
	}
	child, err := plans.EditPlan(ctx, &pb.EditPlanRequest{Name: p.Plan.Name, Plan: &pb.Plan{RetractionMm: 12}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"retraction_mm"}}})
	must(t, err)
	want := proto.Clone(p.Plan).(*pb.Plan)
	want.Name, want.ParentPlan, want.RetractionMm = child.Plan.Name, p.Plan.Name, 12
	if !proto.Equal(child.Plan, want) || child.Plan.Name == p.Plan.Name {
		t.Errorf("child %v, want %v", child.Plan, want)
	}
	all, err := plans.EditPlan(ctx, &pb.EditPlanRequest{Name: child.Plan.Name, Plan: &pb.Plan{DisplayName: "new", Cuts: wirePlan().Cuts, GravityChange: &pb.GravityChange{YG: 1}}})
	must(t, err)
	if all.Plan.RetractionMm != 0 || all.Plan.DisplayName != "new" || all.Plan.GravityChange.YG != 1 || all.Plan.ParentPlan != child.Plan.Name {
		t.Errorf("edit of everything: %v", all.Plan)
	}
	if parent, err := plans.GetPlan(ctx, &pb.GetPlanRequest{Name: p.Plan.Name}); err != nil || !proto.Equal(parent.Plan, p.Plan) {
		t.Errorf("the parent changed: %v, %v", parent, err)
	}
	var names []string
	for token := ""; ; {
		page, err := plans.ListPlans(ctx, &pb.ListPlansRequest{Parent: c.Case.Name, PageSize: 1, PageToken: token})
		must(t, err)
		for _, p := range page.Plans {
			names = append(names, p.Name)
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if len(names) != 3 || !slices.IsSorted(names) {
		t.Errorf("plans %v", names)
	}
	runs := pb.NewRunServiceClient(conn)
	first, err := runs.CreateRun(ctx, &pb.CreateRunRequest{Parent: child.Plan.Name, RequestId: "one"})
	must(t, err)
	same, err := runs.CreateRun(ctx, &pb.CreateRunRequest{Parent: child.Plan.Name, RequestId: "one"})
	if err != nil || same.Run.Name != first.Run.Name {
		t.Errorf("the same request gave %v, %v", same, err)
	}
	second, err := runs.CreateRun(ctx, &pb.CreateRunRequest{Parent: p.Plan.Name, RequestId: "one"})
	must(t, err)
	if !strings.HasPrefix(first.Run.Name, child.Plan.Name+"/runs/") || first.Run.CreateTime == nil || second.Run.Name == first.Run.Name {
		t.Errorf("runs %v and %v", first.Run, second.Run)
	}
	s, err := watch(ctx, conn, &pb.WatchFramesRequest{Run: first.Run.Name}, nil)
	if err != nil || len(s.frames) != 4 || s.last.State != pb.RunState_RUN_STATE_SUCCEEDED || s.last.Progress != 1 {
		t.Errorf("watched %d frames, %v, %v", len(s.frames), s.last, err)
	}
	if g, err := runs.GetRun(ctx, &pb.GetRunRequest{Name: first.Run.Name}); err != nil || !proto.Equal(g.Run, s.last) {
		t.Errorf("got %v, %v, want %v", g, err, s.last)
	}
	for parent, n := range map[string]int{child.Plan.Name: 1, all.Plan.Name: 0, c.Case.Name + "/plans/-": 2} {
		if l, err := runs.ListRuns(ctx, &pb.ListRunsRequest{Parent: parent}); err != nil || len(l.Runs) != n {
			t.Errorf("runs of %s: %v, %v, want %d", parent, l, err, n)
		}
	}
}

func TestEvaluations(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	ctx := testContext(t)
	ev := pb.NewEvaluationServiceClient(r.conn)
	caseName, id := plan[:strings.Index(plan, "/plans/")], runID(plan)
	_, err := ev.GetEvaluation(ctx, &pb.GetEvaluationRequest{Name: plan + "/evaluation"})
	wantStatus(t, err, codes.NotFound, id)
	must(t, r.st.PutEvaluations(ctx, planner.Evaluation{
		Plan: id, Rank: 1, Reasons: []string{"widest margin"}, Warnings: []string{"thin remnant"},
		Quantities: []planner.Quantity{
			{ID: "flr_percent", Label: "Future liver remnant", Value: 40, Unit: "%", Spread: planner.Around(38, 40, 43), Basis: "voxels", Evidence: planner.EvidenceComputed},
			{ID: "peak", Label: "Peak stress", Value: 12, Unit: "kPa", Basis: "one run", Evidence: planner.EvidenceUnverified},
		},
		Vetoes:  []planner.Veto{{Rule: "r", Text: "t", Have: planner.Quantity{ID: "x", Value: 1, Unit: "mm", Basis: "one run"}, Want: planner.Limit{Operator: ">=", Value: 2, Unit: "mm", Source: "s", Evidence: planner.EvidencePartly}}},
		Vessels: []planner.VesselCut{{System: "portal", Radius: planner.Quantity{ID: "radius_mm", Value: 2, Unit: "mm", Basis: "one run"}, At: [3]float64{1, 2, 3}}},
	}))
	e, err := ev.GetEvaluation(ctx, &pb.GetEvaluationRequest{Name: plan + "/evaluation"})
	must(t, err)
	m := e.Evaluation
	q := m.Quantities
	if m.Name != plan+"/evaluation" || m.Plan != plan || m.Rank != 1 || m.Notice != planner.Notice || m.Reasons[0] != "widest margin" || m.Warnings[0] != "thin remnant" ||
		q[0].Spread.P2_5 != 38 || q[0].Spread.P97_5 != 43 || q[0].Unit != "%" || q[0].Evidence != pb.Evidence_EVIDENCE_COMPUTED ||
		q[1].Spread != nil || q[1].Evidence != pb.Evidence_EVIDENCE_UNVERIFIED ||
		m.Vetoes[0].Want.Value != 2 || m.Vetoes[0].Want.Evidence != pb.Evidence_EVIDENCE_PARTLY || m.VesselsCut[0].At.ZMm != 3 || m.VesselsCut[0].Radius.Value != 2 {
		t.Errorf("evaluation %v", m)
	}
	l, err := ev.ListEvaluations(ctx, &pb.ListEvaluationsRequest{Parent: caseName})
	if err != nil || len(l.Evaluations) != 1 || !proto.Equal(l.Evaluations[0], m) {
		t.Errorf("list %v, %v", l, err)
	}
}

// A plan of every kind comes back as it was sent.
func TestPlansOfAllKindsTravel(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	ctx := testContext(t)
	ps := pb.NewPlanServiceClient(r.conn)
	heights := make([]float64, 16)
	for n := range heights {
		heights[n] = float64(n) / 3
	}
	want := &pb.Plan{
		DisplayName: "all", Cuts: wirePlan().Cuts,
		Sheets:    []*pb.Sheet{{Origin: &pb.Point{XMm: 1}, U: &pb.Displacement{YMm: 40}, V: &pb.Displacement{ZMm: 50}, HeightMm: heights}},
		Divided:   []*pb.VesselBranch{{System: "portal", Index: 4, DisplayName: "right portal vein"}},
		Embolised: []*pb.VesselBranch{{System: "portal", Index: 7}},
		Needles:   []*pb.Needle{{Entry: &pb.Point{XMm: 1}, Tip: &pb.Point{YMm: 70}, Device: "needle@1"}},
		Graft:     &pb.Graft{Device: "graft@1", ProximalMm: 5, DistalMm: 120},
	}
	made, err := ps.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: plan[:strings.Index(plan, "/plans/")], Plan: want})
	must(t, err)
	got, err := ps.GetPlan(ctx, &pb.GetPlanRequest{Name: made.Plan.Name})
	must(t, err)
	want.Name, want.Procedure, want.GravityChange = made.Plan.Name, "liver.resection", &pb.GravityChange{}
	if !proto.Equal(got.Plan, want) {
		t.Errorf("came back as %v", got.Plan)
	}
}

// Each bad request is refused with its field named.
func TestBadRequests(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	c := plan[:strings.Index(plan, "/plans/")]
	ctx := testContext(t)
	cs, ps, rs := pb.NewCaseServiceClient(r.conn), pb.NewPlanServiceClient(r.conn), pb.NewRunServiceClient(r.conn)
	newCase := func(change func(*pb.Case)) func() error {
		return func() error {
			m := wireCase()
			change(m)
			_, err := cs.CreateCase(ctx, &pb.CreateCaseRequest{Case: m})
			return err
		}
	}
	newPlan := func(change func(*pb.Plan)) func() error {
		return func() error {
			m := wirePlan()
			change(m)
			_, err := ps.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c, Plan: m})
			return err
		}
	}
	for _, q := range []struct {
		field string
		f     func() error
	}{
		{"case", func() error { _, err := cs.CreateCase(ctx, &pb.CreateCaseRequest{}); return err }},
		{"case.study", newCase(func(m *pb.Case) { m.Study = "" })},
		{"case.study", newCase(func(m *pb.Case) { m.Study = "studies/.." })},
		{"case.study", newCase(func(m *pb.Case) { m.Study = "studies/unknown" })},
		{"case.procedure", newCase(func(m *pb.Case) { m.Procedure = "" })},
		{"case.procedure", newCase(func(m *pb.Case) { m.Procedure = "a\x00b" })},
		{"case.condition", newCase(func(m *pb.Case) { m.Condition = strings.Repeat("x", 201) })},
		{"case.seeds[0].label", newCase(func(m *pb.Case) { m.Seeds[0].Label.Id = "spleen?" })},
		{"case.seeds[0].label", newCase(func(m *pb.Case) { m.Seeds[0].Label = nil })},
		{"case.seeds[0].point", newCase(func(m *pb.Case) { m.Seeds[0].Point = nil })},
		{"case.seeds[0].point", newCase(func(m *pb.Case) { m.Seeds[0].Point.XMm = math.NaN() })},
		{"case.seeds[0].label", newCase(func(m *pb.Case) { m.Seeds[0] = &pb.Seed{} })},
		{"case.seeds", newCase(func(m *pb.Case) { m.Seeds = make([]*pb.Seed, maxSeeds+1); fillSeeds(m.Seeds) })},
		{"case.masks_sha256", newCase(func(m *pb.Case) { m.MasksSha256 = "../x" })},
		{"case.patient", newCase(func(m *pb.Case) { m.Patient = &pb.PatientFacts{WeightKg: known(-3)} })},
		{"case.patient", newCase(func(m *pb.Case) { m.Patient = &pb.PatientFacts{Sex: "other"} })},
		{"case.masks_sha256", newCase(func(m *pb.Case) { m.MasksSha256 = strings.Repeat("a", 64) })},
		{"parent", func() error {
			_, err := ps.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: plan, Plan: wirePlan()})
			return err
		}},
		{"plan", func() error { _, err := ps.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c}); return err }},
		{"plan", func() error { _, err := ps.EditPlan(ctx, &pb.EditPlanRequest{Name: plan}); return err }},
		{"plan.procedure", newPlan(func(m *pb.Plan) { m.Procedure = "other" })},
		{"plan.parent_plan", newPlan(func(m *pb.Plan) { m.ParentPlan = plan })},
		{"plan.display_name", newPlan(func(m *pb.Plan) { m.DisplayName = "a\nb" })},
		{"plan", newPlan(func(m *pb.Plan) { m.Cuts = nil })},
		{"plan.cuts", newPlan(func(m *pb.Plan) { m.Cuts = slices.Repeat(m.Cuts, maxCuts+1) })},
		{"plan.sheets[0].height_mm", newPlan(func(m *pb.Plan) { m.Sheets = []*pb.Sheet{{Origin: &pb.Point{}}} })},
		{"plan.sheets[0].origin", newPlan(func(m *pb.Plan) { m.Sheets = []*pb.Sheet{nil} })},
		{"plan", newPlan(func(m *pb.Plan) { m.Sheets = []*pb.Sheet{{Origin: &pb.Point{}, HeightMm: make([]float64, 16)}} })},
		{"plan", newPlan(func(m *pb.Plan) { m.Divided = []*pb.VesselBranch{{Index: 3}} })},
		{"plan.embolised[0].system", newPlan(func(m *pb.Plan) { m.Embolised = []*pb.VesselBranch{{System: "a\x00"}} })},
		{"plan.needles[0].tip", newPlan(func(m *pb.Plan) { m.Needles = []*pb.Needle{{Entry: &pb.Point{}}} })},
		{"plan", newPlan(func(m *pb.Plan) { m.Needles = []*pb.Needle{{Entry: &pb.Point{}, Tip: &pb.Point{}}} })},
		{"plan", newPlan(func(m *pb.Plan) { m.Graft = &pb.Graft{} })},
		{"plan.cuts[0].normal", newPlan(func(m *pb.Plan) { m.Cuts[0].Normal = nil })},
		{"plan.cuts[0].normal", newPlan(func(m *pb.Plan) { m.Cuts[0].Normal.X = math.NaN() })},
		{"plan.cuts[0].point", newPlan(func(m *pb.Plan) { m.Cuts[0].Point.YMm = math.Inf(1) })},
		{"plan", newPlan(func(m *pb.Plan) { m.RetractionMm = math.NaN() })},
		{"plan", newPlan(func(m *pb.Plan) { m.GravityChange = &pb.GravityChange{ZG: 3} })},
		{"update_mask", func() error {
			_, err := ps.EditPlan(ctx, &pb.EditPlanRequest{Name: plan, Plan: wirePlan(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name"}}})
			return err
		}},
		{"request_id", func() error { _, err := rs.CreateRun(ctx, &pb.CreateRunRequest{Parent: plan}); return err }},
		{"request_id", func() error {
			_, err := rs.CreateRun(ctx, &pb.CreateRunRequest{Parent: plan, RequestId: "a b"})
			return err
		}},
		{"parent", func() error {
			_, err := rs.CreateRun(ctx, &pb.CreateRunRequest{Parent: "x", RequestId: "a"})
			return err
		}},
		{"name", func() error { _, err := rs.GetRun(ctx, &pb.GetRunRequest{Name: plan}); return err }},
		{"page_size", func() error { _, err := cs.ListCases(ctx, &pb.ListCasesRequest{PageSize: -1}); return err }},
		{"page_token", func() error { _, err := cs.ListCases(ctx, &pb.ListCasesRequest{PageToken: "!"}); return err }},
		{"parent", func() error { _, err := rs.ListRuns(ctx, &pb.ListRunsRequest{Parent: "plans/-"}); return err }},
	} {
		err := q.f()
		wantStatus(t, err, codes.InvalidArgument, q.field)
	}
	// Well-formed names of what is not there, or not there.
	other := strings.Replace(plan, "cases/", "cases/0", 1)
	for _, f := range []func() error{
		func() error { _, err := cs.GetCase(ctx, &pb.GetCaseRequest{Name: "cases/x"}); return err },
		func() error { _, err := ps.GetPlan(ctx, &pb.GetPlanRequest{Name: other}); return err },
		func() error {
			_, err := ps.EditPlan(ctx, &pb.EditPlanRequest{Name: other, Plan: wirePlan()})
			return err
		},
		func() error {
			_, err := rs.CreateRun(ctx, &pb.CreateRunRequest{Parent: other, RequestId: "a"})
			return err
		},
		func() error { _, err := rs.CancelRun(ctx, &pb.CancelRunRequest{Name: plan + "/runs/x"}); return err },
		func() error { _, err := rs.ListRuns(ctx, &pb.ListRunsRequest{Parent: "cases/x/plans/-"}); return err },
		func() error {
			_, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: plan + "/runs/x"}, nil)
			return err
		},
	} {
		wantStatus(t, f(), codes.NotFound, "")
	}
	// A normal in single precision is taken and made unit.
	third := float64(float32(1 / math.Sqrt(3)))
	p, err := ps.CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c, Plan: &pb.Plan{Cuts: []*pb.Plane{{Point: &pb.Point{}, Normal: &pb.Direction{X: third, Y: third, Z: third}}}}})
	if err != nil || math.Abs(p.Plan.Cuts[0].Normal.X-1/math.Sqrt(3)) > 1e-15 {
		t.Errorf("a normal in single precision: %v, %v", p, err)
	}
}

func fillSeeds(s []*pb.Seed) {
	for n := range s {
		s[n] = wireCase().Seeds[0]
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	ctx := testContext(t)
	for name, conn := range map[string]*grpc.ClientConn{
		"wrong token over http": r.dial(t, "wrong"), "empty token over http": r.dial(t, ""),
		"wrong token over grpc": r.overBufconn(t, r.token+"x"),
	} {
		_, err := pb.NewPlanServiceClient(conn).GetPlan(ctx, &pb.GetPlanRequest{Name: plan})
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
		_, err = watch(ctx, conn, &pb.WatchFramesRequest{Run: plan + "/runs/x"}, nil)
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s, stream: %v", name, err)
		}
	}
	viewer := r.dial(t, r.viewer)
	if _, err := pb.NewPlanServiceClient(viewer).GetPlan(ctx, &pb.GetPlanRequest{Name: plan}); err != nil {
		t.Errorf("a viewer may not read: %v", err)
	}
	_, err := pb.NewRunServiceClient(viewer).CreateRun(ctx, &pb.CreateRunRequest{Parent: plan, RequestId: "a"})
	wantStatus(t, err, codes.PermissionDenied, "viewer may not run")
	r.run(t, plan, "a")
	r.close()
	f, err := os.Open(r.trail)
	must(t, err)
	defer f.Close()
	var lines []string
	_, _, err = access.Verify(f, func(e access.Entry) error {
		lines = append(lines, strings.Join([]string{e.Subject, string(e.Action), e.Outcome}, " "))
		return nil
	})
	must(t, err)
	if got := strings.Join(lines, ", "); got != "s edit ok, s edit ok, v run denied, s run ok" {
		t.Errorf("trail: %s", got)
	}
}

// Every method of every service has its action.
func TestActionsAreComplete(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	n := 0
	for name, info := range r.server.GRPC().GetServiceInfo() {
		for _, m := range info.Methods {
			n++
			if _, ok := actions["/"+name+"/"+m.Name]; !ok {
				t.Errorf("/%s/%s has no action: nobody can call it", name, m.Name)
			}
		}
	}
	if n != len(actions) {
		t.Errorf("%d methods, %d actions", n, len(actions))
	}
}

func TestHealth(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	h := healthpb.NewHealthClient(r.conn)
	for _, service := range []string{"", "halsted.v1.RunService"} {
		resp, err := h.Check(testContext(t), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || resp.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, resp, err)
		}
	}
	stream, err := h.Watch(testContext(t), &healthpb.HealthCheckRequest{})
	must(t, err)
	_, err = stream.Recv()
	must(t, err)
	r.server.Close()
	resp, err := stream.Recv()
	if err != nil || resp.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("after Close: %v, %v", resp, err)
	}
}

func TestRequestTooLarge(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	c := wireCase()
	c.Procedure = strings.Repeat("x", MaxRequestBytes)
	for _, conn := range []*grpc.ClientConn{r.conn, r.overBufconn(t, r.token)} {
		_, err := pb.NewCaseServiceClient(conn).CreateCase(testContext(t), &pb.CreateCaseRequest{Case: c})
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("got %v", err)
		}
	}
}

// A panic in a handler ends the call, not the server.
func TestHandlerPanics(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	call := func() (err error) {
		defer r.server.rescue("/test", &err)
		panic("oops")
	}
	wantStatus(t, call(), codes.Internal, "internal error")
	if strings.Contains(call().Error(), "oops") || !strings.Contains(r.log.String(), "service_test.go") {
		t.Error("the panic's text is shown, or its stack is not in the log")
	}
	st := r.server.st
	r.server.st = nil // the next call dereferences nil
	_, err := pb.NewCaseServiceClient(r.conn).ListCases(testContext(t), &pb.ListCasesRequest{})
	wantStatus(t, err, codes.Internal, "internal error")
	r.server.st = st
	if _, err := pb.NewCaseServiceClient(r.conn).ListCases(testContext(t), &pb.ListCasesRequest{}); err != nil {
		t.Errorf("after the panic: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	ok := r.server.cfg
	for field, change := range map[string]func(*Config){
		"Store": func(c *Config) { c.Store = nil }, "Queue": func(c *Config) { c.Queue = nil },
		"Tokens": func(c *Config) { c.Tokens = nil }, "Build": func(c *Config) { c.Build = "" },
	} {
		c := ok
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("without %s: %v", field, err)
		}
	}
}
