package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"halsted/fem/verify"
	"halsted/internal/par"
)

// randomProblems is how many seeds the robustness rows take; a solve that takes
// longer than hangS counts as hung.
const (
	randomProblems = 1000
	hangS          = 120
)

// randomRows solves seeded random problems: what part of those that can be
// solved with ten times finer steps converges in five, and how the rest ends.
func randomRows(string) ([]Row, error) {
	outcomes, late := make([]verify.Outcome, randomProblems), make([]bool, randomProblems)
	details := make([]string, randomProblems)
	start := time.Now()
	err := par.ChunksCtx(context.Background(), randomProblems, 1, func(i, _ int) error {
		ctx, cancel := context.WithTimeout(context.Background(), hangS*time.Second)
		defer cancel()
		var err error
		outcomes[i], details[i], err = verify.SolveRandom(ctx, uint64(i))
		late[i] = ctx.Err() != nil
		if err != nil && !late[i] {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var count [4]int
	hung := 0
	for i, o := range outcomes {
		if late[i] {
			hung++
			fmt.Fprintln(os.Stderr, "hung:", details[i])
			continue
		}
		count[o]++
		if o != verify.Converged {
			fmt.Fprintln(os.Stderr, [...]string{"", "missed:", "unsolved:", "broken:"}[o], details[i])
		}
	}
	fmt.Fprintf(os.Stderr, "%-32s measured in %.0f s\n", "random", time.Since(start).Seconds())
	solvable := count[verify.Converged] + count[verify.Missed]
	return []Row{
		atLeast(fmt.Sprintf("%d random problems, converged of the %d solvable", randomProblems, solvable), 100*float64(count[verify.Converged])/float64(solvable), "%", 95, ""),
		atMost("random problems that end without a typed reason or with NaN", float64(count[verify.Broken]), "", 0, fmt.Sprintf("%d end typed at fifty steps too", count[verify.Unsolved])),
		atMost(fmt.Sprintf("random problems longer than %d s", hangS), float64(hung), "", 0, ""),
	}, nil
}
