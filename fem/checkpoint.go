package fem

import (
	"slices"
)

// Checkpoint is a converged state from which Solve goes on (Settings.Resume).
// It belongs to one Model; its fields are exported so that encoding/gob and
// encoding/json can carry it. Slices are not shared with the solve.
type Checkpoint struct {
	Nodes, Stages int     // of the model, to tell another one
	Mesh          uint64  // its fingerprint; 0: not known
	Stage         int     // the stage under way
	Part          float64 // of it that has passed, 0 to 1
	Steps         int     // frames emitted after the first
	Starts        [][]float64
	U             []float64 // mm, 3 per node
	Past          []PastState
	BarFrom       []float64 // displacement of the fixed at the stage's start, mm
	ExtFrom       []float64 // load at the stage's start, N
	ActFrom       float64
	History       []float64   // of the laws
	Terms         [][]float64 // memory of contacts, springs, …
}

// PastState is a converged displacement at a part of the stage.
type PastState struct {
	Part float64
	U    []float64
}

// checkpoint copies the present converged state.
func (n *newton) checkpoint(part float64, steps int) *Checkpoint {
	s := n.sys
	c := &Checkpoint{
		Nodes: s.n, Stages: len(s.stages), Mesh: fingerprint(s.model.Mesh), Stage: s.stage, Part: part, Steps: steps,
		U: slices.Clone(n.u), BarFrom: slices.Clone(s.barFrom), ExtFrom: slices.Clone(s.extFrom), ActFrom: s.actFrom,
		History: slices.Clone(s.old), Starts: slices.Clone(n.starts),
	}
	for _, p := range n.past {
		c.Past = append(c.Past, PastState{p.at, slices.Clone(p.u)})
	}
	for _, t := range s.terms {
		c.Terms = append(c.Terms, slices.Clone(t.history()))
	}
	return c
}

// resume brings n to the state of c: it walks through the stages again at their
// recorded starts and puts the memories back.
func (n *newton) resume(c *Checkpoint) error {
	s := n.sys
	size := 3 * s.n
	fits := c.Nodes == s.n && c.Stages == len(s.stages) && c.Stage >= 0 && c.Stage < c.Stages && c.Part >= 0 && c.Part <= 1 &&
		len(c.U) == size && len(c.BarFrom) == size && len(c.ExtFrom) == size && len(c.Starts) == c.Stage &&
		len(c.History) == len(s.old) && len(c.Terms) == len(s.terms) && finite(c.U...)
	for _, u := range c.Starts {
		fits = fits && len(u) == size
	}
	for _, p := range c.Past {
		fits = fits && len(p.U) == size
	}
	if !fits {
		return badInput("Settings.Resume", "is not a checkpoint of this model (%d nodes, %d stages); give the one that its solve returned", s.n, len(s.stages))
	}
	for i := 1; i <= c.Stage; i++ {
		n.start += s.stages[i-1].duration()
		if _, err := s.enterStage(i, c.Starts[i-1], n.start); err != nil {
			return err
		}
	}
	n.starts = slices.Clone(c.Starts)
	copy(n.u, c.U)
	copy(s.barFrom, c.BarFrom)
	copy(s.extFrom, c.ExtFrom)
	s.actFrom = c.ActFrom
	copy(s.old, c.History)
	copy(s.next, c.History)
	for i, t := range s.terms {
		if h := t.history(); len(h) != len(c.Terms[i]) {
			return badInput("Settings.Resume", "has %d numbers for a part of the model that keeps %d; give the checkpoint of this model's solve", len(c.Terms[i]), len(h))
		}
		copy(t.history(), c.Terms[i])
	}
	for _, p := range c.Past {
		n.past = append(n.past, state{p.Part, slices.Clone(p.U)})
	}
	d := s.stages[s.stage].duration()
	s.now = clock{s: c.Part, t: n.start + c.Part*d, at: n.start + c.Part*d}
	n.rebuild()
	n.lin.stale = true
	s.internal(n.fint, n.u)
	n.bulk = s.bulk
	return nil
}
