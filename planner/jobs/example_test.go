package jobs_test

import (
	"context"
	"fmt"
	"os"

	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/store"

	"gonum.org/v1/gonum/spatial/r3"
)

func Example() {
	if err := example(); err != nil {
		fmt.Println(err)
	}
	// Output: run r1: succeeded, progress 1, epoch 1
}

func example() error {
	dir, err := os.MkdirTemp("", "jobs")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Close()
	c := planner.Case{Study: "s1", Procedure: "liver.resection"}.Sealed()
	p := planner.Plan{Case: c.ID, Cuts: []planner.Plane{{Normal: r3.Vec{X: 1}}}}.Sealed()
	for _, err := range []error{s.PutStudy(ctx, planner.Study{ID: "s1"}), s.PutCase(ctx, c), s.PutPlan(ctx, p)} {
		if err != nil {
			return err
		}
	}
	work := func(ctx context.Context, j jobs.Job, r jobs.Reporter) error {
		r.Progress("solve", 0.5)
		return nil
	}
	q, err := jobs.Open(ctx, s, jobs.RunnerFunc(work), jobs.Config{})
	if err != nil {
		return err
	}
	defer q.Close()
	news := q.Bus().Subscribe("r1")
	defer news.Close()
	run, err := q.Submit(ctx, jobs.Job{ID: "r1", Case: c.ID, Plan: p.ID})
	for err == nil && !run.State.Done() {
		<-news.C
		run, err = s.Run(ctx, "r1")
	}
	fmt.Printf("run %s: %v, progress %g, epoch %d\n", run.ID, run.State, run.Progress, run.Epoch)
	return err
}
