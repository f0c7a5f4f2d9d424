package pipeline

import (
	"cmp"
	"slices"

	"halsted/planner/liver"
)

// thin takes shortlistSize candidates, evenly from the one that leaves the
// most to the one that leaves the least.
func thin(front []liver.Candidate) []liver.Candidate {
	slices.SortStableFunc(front, func(x, y liver.Candidate) int {
		return cmp.Or(cmp.Compare(y.Scores[0].Value, x.Scores[0].Value), cmp.Compare(x.Plan.ID, y.Plan.ID))
	})
	if len(front) <= shortlistSize {
		return front
	}
	out := make([]liver.Candidate, shortlistSize)
	for n := range out {
		out[n] = front[n*(len(front)-1)/(shortlistSize-1)]
	}
	return out
}
