package fem

import (
	"fmt"
	"slices"

	"halsted/imaging"
)

// maxStageSteps bounds the steps of a stage: with maxCutbacks halvings an
// increment is still more than the rounding of the time.
const maxStageSteps = 1_000_000

// checkHistory goes through the stages as Solve will and refuses what only
// shows in their order, before the first is solved.
func (m *Model) checkHistory() error {
	held := make([]bool, 3*len(m.Mesh.Nodes))
	hold := func(list []Prescribed) {
		for _, p := range list {
			held[3*int(p.Node)+int(p.Axis)] = true
		}
	}
	there := map[imaging.Label]bool{}
	for _, l := range m.Mesh.Region {
		there[l] = true
	}
	empty := len(there) == 0
	on := map[string]bool{}
	for i := range m.Stages {
		for _, l := range m.Stages[i].Add {
			if there[l] {
				there[l] = false
			}
		}
		for _, name := range m.Stages[i].Attach {
			on[name] = false
		}
	}
	loads := newLoadChecker(m)
	now, field := &LoadCase{Faces: m.Loads, Forces: m.Forces, GravityChange: m.GravityChange}, ""
	for i, st := range m.history() {
		at := fmt.Sprintf("Stages[%d]", i)
		for k, r := range st.Release {
			d := 3*int(r.Node) + int(r.Axis)
			if !held[d] {
				return badInput(at+".Release", "entry %d releases node %d, axis %d, which is not held then; take it out", k, r.Node, r.Axis)
			}
			held[d] = false
		}
		if i == 0 {
			hold(m.Prescribed)
		}
		hold(st.Prescribed)
		for _, l := range st.Remove {
			if slices.Contains(st.Add, l) {
				return badInput(at, "removes and adds label %v; do one of them, or take two stages", l)
			}
			if gone, known := there[l]; known && !gone {
				return badInput(at+".Remove", "takes out label %v, which is not there then; take it out of the list", l)
			} else if known {
				there[l] = false
			}
		}
		for _, l := range st.Add {
			if here, known := there[l]; known && here {
				return badInput(at+".Add", "puts in label %v, which is there already; take it out of the list", l)
			} else if known {
				there[l] = true
			}
		}
		left := empty || m.beside()
		for _, here := range there { // any of them: the order does not matter
			left = left || here
		}
		if !left {
			return badInput(at, "leaves no element of the mesh; keep a region")
		}
		for _, name := range st.Attach {
			if slices.Contains(st.Detach, name) {
				return badInput(at, "attaches and detaches %q; do one of them, or take two stages", name)
			}
			if on[name] {
				return badInput(at+".Attach", "attaches %q, which acts already; take it out of the list", name)
			}
			on[name] = true
		}
		for _, name := range st.Detach {
			if acts, known := on[name]; known && !acts {
				return badInput(at+".Detach", "detaches %q, which does not act then; take it out of the list", name)
			}
			on[name] = false
		}
		if st.Loads != nil {
			now, field = st.Loads, at+".Loads."
		}
		if err := loads.check(now, field, i, there); err != nil {
			return err
		}
	}
	return nil
}
