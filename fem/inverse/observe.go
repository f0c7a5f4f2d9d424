package inverse

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Displacement is a point that was seen to move.
type Displacement struct {
	Name string // for messages; may be empty
	// AtMM is the point in the undeformed mesh, LPS mm; it follows the
	// tetrahedron around it (mesh.Embed).
	AtMM r3.Vec
	// OnNode takes Node in place of AtMM.
	OnNode  bool
	Node    int32
	MovedMM r3.Vec // measured displacement, mm
	// SDMM is the standard deviation of the measurement along x, y and z, mm; an
	// axis with 0 was not measured.
	SDMM r3.Vec
	Step int // Frame.Step at which it was measured; 0 means the last
}

// Reaction is a force that was measured at a support or grip.
type Reaction struct {
	Name   string
	Nodes  []int32 // prescribed nodes whose reactions are summed
	ForceN r3.Vec  // that the support exerts on the body, N
	SDN    r3.Vec  // standard deviation, N; an axis with 0 was not measured
	Step   int     // Frame.Step at which it was measured; 0 means the last
}

// Observations is what was measured.
type Observations struct {
	Displacements []Displacement
	Reactions     []Reaction
}

// Residual is one measured component beside the model.
type Residual struct {
	Name             string
	Axis             int8    // 0, 1, 2: x, y, z
	Measured, Fitted float64 // mm, or N for a reaction
	SD               float64
}

// row is one measured component.
type row struct {
	item     int // index into Displacements, or Reactions behind them
	axis     int8
	value    float64
	sd       float64
	step     int
	reaction bool
}

func component(v r3.Vec, axis int8) float64 {
	switch axis {
	case 0:
		return v.X
	case 1:
		return v.Y
	}
	return v.Z
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func finiteVec(v r3.Vec) bool { return finite(v.X, v.Y, v.Z) }

// rows lists the measured components, in order.
func (o *Observations) rows() (out []row, err error) {
	add := func(field string, item int, value, sd r3.Vec, step int, reaction bool) error {
		if !finiteVec(value) || !finiteVec(sd) || min(sd.X, sd.Y, sd.Z) < 0 {
			return badInput(field, "has the value %v and standard deviation %v; both finite, the second not negative", value, sd)
		}
		if sd == (r3.Vec{}) {
			return badInput(field, "has no standard deviation; give one for each axis that was measured")
		}
		if step < 0 {
			return badInput(field, "names step %d; 1 or more, or 0 for the last", step)
		}
		for axis := range int8(3) {
			if s := component(sd, axis); s > 0 {
				out = append(out, row{item, axis, component(value, axis), s, step, reaction})
			}
		}
		return nil
	}
	for i, d := range o.Displacements {
		if err := add(fmt.Sprintf("Observations.Displacements[%d]", i), i, d.MovedMM, d.SDMM, d.Step, false); err != nil {
			return nil, err
		}
	}
	for i, r := range o.Reactions {
		field := fmt.Sprintf("Observations.Reactions[%d]", i)
		if len(r.Nodes) == 0 {
			return nil, badInput(field, "names no node")
		}
		if err := add(field, i, r.ForceN, r.SDN, r.Step, true); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, badInput("Observations", "are empty; give at least one measured component")
	}
	return out, nil
}

func (o *Observations) name(r row) string {
	if r.reaction {
		if n := o.Reactions[r.item].Name; n != "" {
			return n
		}
		return fmt.Sprintf("reaction %d", r.item)
	}
	if n := o.Displacements[r.item].Name; n != "" {
		return n
	}
	return fmt.Sprintf("point %d", r.item)
}

// observer predicts the measured components from parameters.
type observer struct {
	build  func([]float64) (*fem.Model, error)
	obs    *Observations
	rows   []row
	solver warm
	mesh   *mesh.TetMesh // for which the points below were found
	points *mesh.Embedding
	at     []int32 // point or, as −1−node, node per displacement
	model  *fem.Model
}

// locate ties the points to the mesh of m.
func (o *observer) locate(m *fem.Model) error {
	if m.Mesh == o.mesh {
		return nil
	}
	var verts []r3.Vec
	n := int32(len(m.Mesh.Nodes))
	o.at = make([]int32, len(o.obs.Displacements))
	var item []int
	for i, d := range o.obs.Displacements {
		switch {
		case !d.OnNode && !finiteVec(d.AtMM):
			return badInput(fmt.Sprintf("Observations.Displacements[%d].AtMM", i), "is %v", d.AtMM)
		case !d.OnNode:
			o.at[i] = int32(len(verts))
			verts = append(verts, d.AtMM)
			item = append(item, i)
		case d.Node < 0 || d.Node >= n:
			return badInput(fmt.Sprintf("Observations.Displacements[%d].Node", i), "is %d, the mesh has %d nodes", d.Node, n)
		default:
			o.at[i] = -1 - d.Node
		}
	}
	for i, r := range o.obs.Reactions {
		for _, v := range r.Nodes {
			if v < 0 || v >= n {
				return badInput(fmt.Sprintf("Observations.Reactions[%d].Nodes", i), "names node %d, the mesh has %d", v, n)
			}
		}
	}
	o.points = nil
	if len(verts) > 0 {
		e, err := mesh.Embed(verts, m.Mesh)
		if err != nil {
			return fmt.Errorf("inverse: observed points (point 0 is Displacements[%d]): %w", item[0], err)
		}
		o.points = e
	}
	o.mesh = m.Mesh
	return nil
}

// predict solves once and returns the measured components in units of their
// standard deviation.
func (o *observer) predict(ctx context.Context, p []float64) ([]float64, error) {
	m, err := o.build(p)
	if err != nil {
		return nil, fmt.Errorf("inverse: model for parameters %v: %w", p, err)
	}
	if m == nil || m.Mesh == nil {
		return nil, badInput("build", "returned no model")
	}
	if err := o.locate(m); err != nil {
		return nil, err
	}
	o.model = m
	out := make([]float64, len(o.rows))
	seen := make([]bool, len(o.rows))
	moved := make([]r3.Vec, 0)
	if o.points != nil {
		moved = make([]r3.Vec, o.points.Len())
	}
	take := func(f *fem.Frame, want func(step int) bool) {
		done := false
		for i, r := range o.rows {
			if !want(r.step) {
				continue
			}
			seen[i] = true
			var v r3.Vec
			switch {
			case r.reaction:
				for _, n := range o.obs.Reactions[r.item].Nodes {
					v = r3.Add(v, f.ReactionN[n])
				}
			case o.at[r.item] < 0:
				v = f.U[-1-o.at[r.item]]
			default:
				if !done {
					o.points.Apply(moved, f.U)
					done = true
				}
				v = moved[o.at[r.item]]
			}
			out[i] = component(v, r.axis) / r.sd
		}
	}
	var last *fem.Frame
	err = o.solver.run(ctx, m, func(f *fem.Frame) error {
		last = f
		take(f, func(step int) bool { return step != 0 && step == f.Step })
		return nil
	})
	if err != nil {
		return nil, err
	}
	if last == nil {
		return nil, fmt.Errorf("inverse: the solver gave no frame")
	}
	take(last, func(step int) bool { return step == 0 })
	for i, ok := range seen {
		if !ok {
			return nil, badInput("Observations", "%s was measured at step %d, the solve ends with step %d", o.obs.name(o.rows[i]), o.rows[i].step, last.Step)
		}
	}
	return out, nil
}

// driven says whether anything but prescribed motion moves the model.
func driven(m *fem.Model) bool {
	loaded := func(c fem.LoadCase) bool {
		for _, f := range c.Faces {
			if f.PressureMPa != 0 || f.TractionMPa != (r3.Vec{}) {
				return true
			}
		}
		for _, f := range c.Forces {
			if f.ForceN != (r3.Vec{}) {
				return true
			}
		}
		return c.GravityChange != (r3.Vec{})
	}
	if loaded(fem.LoadCase{Faces: m.Loads, Forces: m.Forces, GravityChange: m.GravityChange}) {
		return true
	}
	for _, s := range m.Stages {
		if s.Loads != nil && loaded(*s.Loads) || s.Activation != nil {
			return true
		}
	}
	return false
}
