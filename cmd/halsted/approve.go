package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"halsted/planner"
	"halsted/planner/report"
	pb "halsted/proto/halsted/v1"
)

// approveJob is one call of `halsted approve`.
type approveJob struct {
	link
	evaluation, statement string
	withdraw              bool
}

// approveResult is what `halsted approve --json` prints.
type approveResult struct {
	Plan       string             `json:"plan"` // its name
	Evaluation planner.Evaluation `json:"evaluation"`
	// EvaluationID names all that Evaluation shows: an approval is given on it.
	EvaluationID string             `json:"evaluation_id"`
	State        string             `json:"state"` // in words
	Given        []planner.Approval `json:"given,omitempty"`
	Notice       string             `json:"notice"`
	item         report.Item
}

func approveCommand() *command {
	var j approveJob
	return &command{
		name: "approve", args: "PLAN", summary: "Show a stored plan as it is evaluated; with --evaluation and --statement a surgeon approves it, or takes that back",
		example: "halsted approve cases/C/plans/P --token-file data/token    # shows the numbers and their evaluation id\n" +
			"halsted approve cases/C/plans/P --token-file data/token-surgeon --evaluation ID --statement \"I choose this plan.\"\n" +
			"halsted approve cases/C/plans/P --token-file data/token-surgeon --evaluation ID --statement \"The tumour has grown.\" --withdraw",
		flags: func(fs *flag.FlagSet) {
			j.register(fs, defaultAPI, "host:port of the service", "file with the token; to approve, the surgeon's own (`halsted serve --surgeon NAME` writes it)")
			fs.StringVar(&j.evaluation, "evaluation", "", "id of the evaluation as it was shown; when it is not that of the plan now, nothing is approved")
			fs.StringVar(&j.statement, "statement", "", "why, in the surgeon's own words")
			fs.BoolVar(&j.withdraw, "withdraw", false, "take back the approvals that were given on --evaluation")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			switch {
			case len(args) != 1 || strings.Count(args[0], "/") != 3:
				return nil, usagef("want one plan: cases/CASE/plans/PLAN")
			case j.token == "":
				return nil, usagef("want --token-file")
			case (j.evaluation == "") != (j.statement == ""), j.withdraw && j.evaluation == "":
				return nil, usagef("to approve or to withdraw, give both: --evaluation of what was shown, and --statement in your own words")
			}
			r, err := j.run(ctx, args[0])
			if err != nil || o.json {
				return r, err
			}
			return r, r.print(o.out, j.evaluation == "")
		},
	}
}

// run approves or withdraws, when asked to, and fetches the plan as it stands.
func (j *approveJob) run(ctx context.Context, plan string) (*approveResult, error) {
	c, err := connect(j.server, j.token)
	if err != nil {
		return nil, err
	}
	defer c.close()
	service := pb.NewApprovalServiceClient(c.conn)
	switch {
	case j.withdraw:
		_, err = service.WithdrawApproval(ctx, &pb.WithdrawApprovalRequest{Name: plan, EvaluationId: j.evaluation, Statement: j.statement})
	case j.evaluation != "":
		_, err = service.ApprovePlan(ctx, &pb.ApprovePlanRequest{Name: plan, EvaluationId: j.evaluation, Statement: j.statement})
	}
	if err != nil {
		return nil, said(err)
	}
	return c.shown(ctx, plan)
}

// shown is a stored plan with its evaluation and what surgeons said of it.
func (c *client) shown(ctx context.Context, plan string) (*approveResult, error) {
	p, err := pb.NewPlanServiceClient(c.conn).GetPlan(ctx, &pb.GetPlanRequest{Name: plan})
	if err != nil {
		return nil, said(err)
	}
	e, err := pb.NewEvaluationServiceClient(c.conn).GetEvaluation(ctx, &pb.GetEvaluationRequest{Name: plan + "/evaluation"})
	if err != nil {
		return nil, said(err)
	}
	it, err := itemOf(p.Plan, e.Evaluation)
	if err != nil {
		return nil, err
	}
	return &approveResult{Plan: plan, Evaluation: it.Evaluation, EvaluationID: e.Evaluation.EvaluationId, State: it.State(), Given: it.Given, Notice: planner.Notice, item: it}, nil
}

// print writes the plan for people; shown says that nothing was asked but to
// see it.
func (r *approveResult) print(w io.Writer, shown bool) error {
	if err := report.Table(w, []report.Item{r.item}); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: %s\n", r.Plan, r.State)
	for _, a := range r.Given {
		what := "approved"
		if a.Withdraws != "" {
			what = "withdrawn"
		}
		fmt.Fprintf(w, "  %s by %s at %s: %q\n", what, strconv.Quote(a.By), a.At.UTC().Format("2006-01-02 15:04 UTC"), a.Statement)
	}
	switch {
	case r.EvaluationID == "":
		fmt.Fprintln(w, "evaluation: it holds a number without unit or basis, and cannot be approved")
	case shown:
		fmt.Fprintf(w, "evaluation: %s\nA surgeon approves what is shown here with --evaluation %s --statement \"...\" and their own --token-file.\n", r.EvaluationID, r.EvaluationID)
	default:
		fmt.Fprintf(w, "evaluation: %s\n", r.EvaluationID)
	}
	return nil
}
