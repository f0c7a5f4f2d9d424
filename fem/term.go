package fem

import (
	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// term is a part of the model beside the tetrahedra: surface loads that follow,
// membranes, springs, contact, inertia. Its forces count as internal forces.
// Calls come from the solving goroutine alone.
type term interface {
	// enter starts a stage at the converged displacement u: what the stage
	// changes (its loads, attached and detached names) is taken over. Parts
	// that are ramped go from their present to their new value with now.s.
	// changed says that the node groups of couple are others than before.
	enter(c *change) (changed bool, err error)
	// couple calls add for every group of nodes among which tangent writes
	// blocks; such nodes also count as joined into one body.
	couple(add func(nodes ...int32))
	// supports calls add for every direction in which a node is held to the
	// ground.
	supports(add func(node int32, dir r3.Vec))
	// begin starts an increment at the converged displacement u (search).
	begin(u []float64, now clock) (changed bool, err error)
	// force adds the forces at u to f, 3 per node. bad is a node next to a part
	// that cannot take u, or −1.
	force(f, u []float64, now clock) (bad int32)
	// tangent adds the symmetric part of ∂force/∂u.
	tangent(k *stiffness, u []float64, now clock)
	// energy is the energy whose derivative force is; ok is false if there is
	// none.
	energy(u []float64, now clock) (w float64, ok bool)
	// commit takes the converged u over into the history. again asks for
	// another solve of the same increment (augmented Lagrangian).
	commit(u []float64, now clock) (again bool)
	// history is the term's memory, to be saved and restored in place.
	history() []float64
}

// augmented is a term with multipliers that move between the rounds of an
// increment. augment moves them at the converged u, before any history is
// taken over; again asks for another round. last says that there will be none:
// then why tells what is left, if that cannot stand.
type augmented interface {
	augment(u []float64, now clock, last bool) (again bool, why string)
}

// passive has the answers of a term that has nothing to say.
type passive struct{}

func (passive) enter(*change) (bool, error)             { return false, nil }
func (passive) couple(func(...int32))                   {}
func (passive) supports(func(int32, r3.Vec))            {}
func (passive) begin([]float64, clock) (bool, error)    { return false, nil }
func (passive) energy([]float64, clock) (float64, bool) { return 0, true }
func (passive) commit([]float64, clock) bool            { return false }
func (passive) history() []float64                      { return nil }
func (passive) force(_, _ []float64, _ clock) int32     { return -1 }
func (passive) tangent(*stiffness, []float64, clock)    {}

var _ term = passive{}

// clock is the instant that forces are asked for: the end of an increment.
type clock struct {
	s  float64 // part of the stage that has passed, 0 to 1
	t  float64 // time since the first stage, s
	dt float64 // length of the increment, s
	at float64 // t at the increment's start
}

// change is what a stage brings, for a term.
type change struct {
	stage *Stage
	index int       // of the stage
	loads *LoadCase // loads at its end
	u     []float64 // converged displacement at its start
	start float64   // time of its start, s
}

// attached follows the names of a term's items through the stages: absent
// before the stage that attaches them, if any does, and after the one that
// detaches them.
func (s *system) attached(name string, index int) bool {
	if name == "" {
		return true
	}
	on := true
	for i := range s.stages {
		for _, a := range s.stages[i].Attach {
			if a == name {
				on = false
			}
		}
	}
	for i := range s.stages[:index+1] {
		for _, a := range s.stages[i].Attach {
			on = on || a == name
		}
		for _, d := range s.stages[i].Detach {
			on = on && d != name
		}
	}
	return on
}

// stiffness is the matrix as terms see it.
type stiffness struct{ m *sparse.BSR3 }

// add adds the row-major block b to (i, j) and its transpose to (j, i).
func (k *stiffness) add(i, j int32, b *[9]float64) {
	at := k.m.Index(i, j)
	d := k.m.Val[9*at : 9*at+9 : 9*at+9]
	for c, v := range b {
		d[c] += v
	}
	if i == j {
		return
	}
	at = k.m.Index(j, i)
	d = k.m.Val[9*at : 9*at+9 : 9*at+9]
	d[0] += b[0]
	d[1] += b[3]
	d[2] += b[6]
	d[3] += b[1]
	d[4] += b[4]
	d[5] += b[7]
	d[6] += b[2]
	d[7] += b[5]
	d[8] += b[8]
}

// newTerms builds the terms of the model, in a fixed order.
func (s *system) newTerms() error {
	for _, build := range []func() (term, error){s.newMembranes, s.newBars, s.newFoundations, s.newInertia, s.newFollower} {
		t, err := build()
		if err != nil {
			return err
		}
		if t != nil {
			s.terms = append(s.terms, t)
		}
	}
	ties, err := s.newTies()
	if err != nil {
		return err
	}
	s.terms = append(s.terms, ties...)
	contacts, err := s.newContacts()
	if err != nil {
		return err
	}
	s.terms = append(s.terms, contacts...) // last: they ask the others what holds a body
	return nil
}
