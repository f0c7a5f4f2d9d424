package fem

import (
	"fmt"
	"slices"

	"halsted/fem/element"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// history lists the stages of the model; a model without has one, in which its
// own motions and loads come.
func (m *Model) history() []Stage {
	if len(m.Stages) == 0 {
		return []Stage{{}}
	}
	return m.Stages
}

func (s *Stage) duration() float64 {
	if s.DurationS == 0 {
		return 1
	}
	return s.DurationS
}

// enterStage brings the system from the converged state u at the end of stage
// i−1 (u = 0 for i = 0) into stage i: supports, loads, elements and terms.
// Whatever balanced the free nodes until now is the load at the start of the
// stage, so that all that the stage takes away fades in proportion to time.
// rebuilt says that the pattern of the matrix may be another one.
func (s *system) enterStage(i int, u []float64, start float64) (rebuilt bool, err error) {
	st := &s.stages[i]
	s.stage, s.now = i, clock{t: start, at: start}
	copy(s.barFrom, u)
	if err := s.hold(i, st); err != nil {
		return false, err
	}
	rebuilt = s.births(i, u)
	for v := range s.n { // nodes without anything to hold them stay where they are
		s.orphan[v] = s.touched[v] == 0
	}
	if st.Loads != nil {
		s.loads = *st.Loads
	}
	copy(s.extFrom, s.extTo)
	if err := s.deadLoads(&s.loads); err != nil {
		return false, err
	}
	c := change{stage: st, index: i, loads: &s.loads, u: u, start: start}
	for _, t := range s.terms {
		ch, err := t.enter(&c)
		if err != nil {
			return false, err
		}
		rebuilt = rebuilt || ch
		t.couple(func(nodes ...int32) {
			for _, v := range nodes {
				s.orphan[v] = false
			}
		})
	}
	if st.Activation != nil {
		s.actFrom, s.actTo = s.actTo, *st.Activation
	} else {
		s.actFrom = s.actTo
	}
	for v := range s.n {
		for c := range 3 {
			d := 3*v + c
			s.fixed[d] = s.held[d] || s.orphan[v]
			if !s.held[d] {
				s.barTo[d] = u[d]
			}
		}
	}
	if err := s.checkHeld(); err != nil {
		return false, err
	}
	if st.Sudden {
		copy(s.extFrom, s.extTo)
		s.actFrom = s.actTo
		return rebuilt, nil
	}
	f := make([]float64, 3*s.n)
	if bad := s.internal(f, u); bad.element >= 0 {
		return false, fmt.Errorf("%w at element %d", errStart, bad.element)
	}
	for d, fixed := range s.fixed {
		if !fixed {
			s.extFrom[d] = f[d]
		}
	}
	return rebuilt, nil
}

// hold takes the prescribed motions and releases of stage i over.
func (s *system) hold(i int, st *Stage) error {
	if i > 0 || len(s.model.Stages) > 0 {
		for _, r := range st.Release {
			s.held[3*int(r.Node)+int(r.Axis)] = false
		}
	}
	lists := [][]Prescribed{st.Prescribed}
	if i == 0 {
		lists = [][]Prescribed{s.model.Prescribed, st.Prescribed}
	}
	for n, list := range lists {
		field := "Prescribed"
		if n == len(lists)-1 && len(s.model.Stages) > 0 {
			field = fmt.Sprintf("Stages[%d].Prescribed", i)
		}
		given := make(map[int]float64, len(list)) // only looked up
		for k, p := range list {
			d := 3*int(p.Node) + int(p.Axis)
			if old, ok := given[d]; ok && old != p.ValueMM {
				return badInput(field, "entry %d: node %d, axis %d is prescribed %g mm and %g mm", k, p.Node, p.Axis, old, p.ValueMM)
			}
			given[d] = p.ValueMM
			s.held[d], s.barTo[d] = true, p.ValueMM
		}
	}
	return nil
}

// births switches elements off and on for stage i; it says whether any changed.
func (s *system) births(i int, u []float64) (changed bool) {
	st := &s.stages[i]
	if i == 0 {
		for k := range s.stages {
			for _, l := range s.stages[k].Add {
				changed = s.toggle(l, false) || changed
			}
		}
	}
	for _, l := range st.Remove {
		changed = s.toggle(l, false) || changed
	}
	var born []imaging.Label
	for _, l := range st.Add {
		if s.toggle(l, true) {
			born = append(born, l)
		}
	}
	if len(born) > 0 {
		changed = true
		if i > 0 {
			s.rest(born, u)
		}
	}
	if changed || i == 0 {
		clear(s.touched)
		for e := range s.elems {
			if s.alive == nil || s.alive[e] {
				for _, v := range s.conn[e*s.k : (e+1)*s.k] {
					s.touched[v]++
				}
			}
		}
	}
	return changed
}

func (s *system) toggle(l imaging.Label, on bool) (changed bool) {
	for e, r := range s.model.Mesh.Region {
		if r != l {
			continue
		}
		if s.alive == nil {
			if on {
				return false
			}
			s.alive = make([]bool, s.elems)
			for i := range s.alive {
				s.alive[i] = true
			}
		}
		changed = changed || s.alive[e] != on
		s.alive[e] = on
	}
	return changed
}

// rest makes the present shape the stress-free one of the regions: their
// gradients are taken on it, and their displacement is counted from it.
func (s *system) rest(labels []imaging.Label, u []float64) {
	s.bases = append(s.bases, slices.Clone(u))
	if s.birth == nil {
		s.birth = make([]int32, s.elems)
	}
	rule, shape := s.rule()
	d := make([]r3.Vec, s.nq*s.k)
	for q, p := range rule.P {
		shape(nil, d[q*s.k:(q+1)*s.k], p)
	}
	x := make([]r3.Vec, s.k)
	for e, l := range s.model.Mesh.Region {
		if !slices.Contains(labels, l) {
			continue
		}
		s.birth[e] = int32(len(s.bases))
		for a, v := range s.conn[e*s.k : (e+1)*s.k] {
			x[a] = r3.Add(s.x[v], r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})
		}
		for q := range s.nq {
			at := e*s.nq + q
			det := element.Gradients(s.grad[at*s.k:(at+1)*s.k], d[q*s.k:(q+1)*s.k], x)
			s.w[at] = rule.W[q] * det
		}
	}
	s.dilate()
}

// external is the dead load on degree of freedom d at part p of the stage.
func (s *system) external(d int, p float64) float64 {
	return s.extFrom[d] + p*(s.extTo[d]-s.extFrom[d])
}

// bar is the prescribed displacement of degree of freedom d at part p.
func (s *system) bar(d int, p float64) float64 {
	return s.barFrom[d] + p*(s.barTo[d]-s.barFrom[d])
}

// activation is the active part at the present clock.
func (s *system) activation() float64 { return s.actFrom + s.now.s*(s.actTo-s.actFrom) }
