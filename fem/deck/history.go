package deck

import (
	"math"
	"slices"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// history turns the state that a file wants at the end of each of its steps
// into the stages of a model.
type history struct {
	m          *fem.Model
	held, last []bool    // 3 per node: prescribed now, and at the end of the stage before
	val, prev  []float64 // displacement, mm
	load       fem.LoadCase
	count      int
	ends       []fem.Stage
}

func newHistory(m *fem.Model) *history {
	n := 3 * len(m.Mesh.Nodes)
	return &history{m: m, held: make([]bool, n), last: make([]bool, n), val: make([]float64, n), prev: make([]float64, n)}
}

// hold prescribes a component (3·node + axis).
func (h *history) hold(dof int, valueMM float64) { h.held[dof], h.val[dof] = true, valueMM }

// free releases all components.
func (h *history) freeAll() {
	for i := range h.held {
		h.held[i], h.val[i] = false, 0
	}
}

// stage closes a stage: s carries its name, duration and steps, load what acts
// at its end.
func (h *history) stage(s fem.Stage, load fem.LoadCase) {
	first := h.count == 0
	h.count++
	if first {
		for d, on := range h.held {
			if on {
				h.m.Prescribed = append(h.m.Prescribed, prescribed(d, h.val[d]))
			}
		}
		h.m.Loads, h.m.Forces, h.m.GravityChange = load.Faces, load.Forces, load.GravityChange
	} else {
		for d, on := range h.held {
			switch {
			case on && (!h.last[d] || h.val[d] != h.prev[d]):
				s.Prescribed = append(s.Prescribed, prescribed(d, h.val[d]))
			case !on && h.last[d]:
				s.Release = append(s.Release, fem.Hold{Node: int32(d / 3), Axis: int8(d % 3)})
			}
		}
		if !slices.Equal(load.Faces, h.load.Faces) || !slices.Equal(load.Forces, h.load.Forces) || load.GravityChange != h.load.GravityChange {
			s.Loads = &fem.LoadCase{Faces: load.Faces, Forces: load.Forces, GravityChange: load.GravityChange}
		}
	}
	h.load = load
	copy(h.last, h.held)
	copy(h.prev, h.val)
	h.ends = append(h.ends, s)
}

// finish writes the stages; a single one of 1 s needs none.
func (h *history) finish() fem.Settings {
	if len(h.ends) == 1 {
		if s := h.ends[0]; (s.DurationS == 1 || s.DurationS == 0) && !s.Sudden && s.Attach == nil {
			return fem.Settings{Steps: s.Steps}
		}
	}
	h.m.Stages = h.ends
	return fem.Settings{}
}

func prescribed(dof int, valueMM float64) fem.Prescribed {
	return fem.Prescribed{Node: int32(dof / 3), Axis: int8(dof % 3), ValueMM: valueMM}
}

// steps is how many increments of length dt fill the period t.
func steps(t, dt float64) int {
	if !(dt > 0) || !(t > 0) || dt >= t {
		return 1
	}
	return int(min(math.Ceil(t/dt-1e-6), maxSteps))
}

// maxSteps bounds the frames of a stage.
const maxSteps = 100000

// collector sums nodal forces.
type collector struct {
	at   []int32 // per node: place in list plus one
	list []fem.NodalForce
}

func newCollector(nodes int) *collector { return &collector{at: make([]int32, nodes)} }

func (c *collector) add(node int32, f r3.Vec) {
	i := c.at[node]
	if i == 0 {
		c.list = append(c.list, fem.NodalForce{Node: node})
		i = int32(len(c.list))
		c.at[node] = i
	}
	c.list[i-1].ForceN = r3.Add(c.list[i-1].ForceN, f)
}

// forces are the sums in the order of the nodes, without zeros.
func (c *collector) forces() []fem.NodalForce {
	out := slices.DeleteFunc(c.list, func(f fem.NodalForce) bool { return f.ForceN == r3.Vec{} })
	slices.SortFunc(out, func(a, b fem.NodalForce) int { return int(a.Node) - int(b.Node) })
	return out
}
