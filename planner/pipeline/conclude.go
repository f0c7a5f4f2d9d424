package pipeline

import (
	"halsted/planner"
	"halsted/planner/rank"
)

// conclude ranks the quantified plans and says why the others are not among
// them.
func conclude(d *planner.Decision, p planner.Procedure, q Question, shown []*quantified, searched []planner.Evaluation, plans map[string]planner.Plan) error {
	es := make([]planner.Evaluation, len(shown))
	for n, s := range shown {
		es[n] = s.eval
	}
	if err := rank.Order(es, p.Objectives(q.Level)); err != nil {
		return err
	}
	for _, e := range es {
		d.Plans, d.Evaluations = append(d.Plans, plans[e.Plan]), append(d.Evaluations, e)
	}
	return nil
}
