package pipeline

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"
	"halsted/planner"
	"halsted/planner/liver"

	"gonum.org/v1/gonum/spatial/r3"
)

// Sink takes what a simulation shows while it runs: the topology once, then
// each converged state. Either function may be nil.
type Sink struct {
	Topology func(*planner.Topology) error
	Frame    func(*planner.DisplayFrame) error
}

// Simulated is a plan with its mechanical consequences.
type Simulated struct {
	Plan       planner.Plan
	Evaluation planner.Evaluation
	Topology   *planner.Topology
	Last       *planner.DisplayFrame
	Mesh       *mesh.TetMesh // the remnant, Tet10, as imaged
	State      *fem.Frame    // at full retraction
	Result     fem.Result
	Fill       tetra.Report
}

// Simulate is the arrow Plan → Mesh → Model → Frames → Evaluation.
func (c *Prepared) Simulate(ctx context.Context, plan planner.Plan, sink Sink, p Progress) (*Simulated, error) {
	report := p.stage("mesh remnant")
	report(0)
	r, err := c.Anatomy.Resect(ctx, plan)
	if err != nil {
		return nil, err
	}
	tet4, fill, err := tetra.Fill(ctx, tetra.Domain{Grid: c.Anatomy.Grid, Phi: r.Phi, TargetMM3: r.RemnantMM3}, tetra.Options{EdgeMM: c.Settings.EdgeMM})
	if err != nil {
		return nil, fmt.Errorf("remnant of plan %q: %w", plan.Name, err)
	}
	m := largestPart(tet4).Quadratic()
	model, grips, err := c.Anatomy.Model(m, plan)
	if err != nil {
		return nil, err
	}
	show, err := c.display(ctx, r, m)
	if err != nil {
		return nil, err
	}
	if show.evidence, err = tissueEvidence(); err != nil {
		return nil, err
	}
	if sink.Topology != nil {
		if err := sink.Topology(show.topology); err != nil {
			return nil, err
		}
	}
	report(1)

	out := &Simulated{Plan: plan, Evaluation: r.Evaluation, Topology: show.topology, Mesh: m, Fill: fill}
	settings := fem.Settings{Steps: c.Settings.Steps, Formulation: fem.MeanDilatation, Progress: p.stage("simulate")}
	out.Result, err = fem.Solve(ctx, model, settings, func(f *fem.Frame) error {
		out.State = f
		out.Last = show.frame(f)
		if sink.Frame == nil {
			return nil
		}
		return sink.Frame(out.Last)
	})
	if err != nil {
		return nil, fmt.Errorf("plan %q: %w", plan.Name, err)
	}
	qs, err := liver.Judge(m, plan, grips, out.State)
	if err != nil {
		return nil, err
	}
	out.Evaluation.Quantities = append(out.Evaluation.Quantities, qs...)
	return out, nil
}

// largestPart drops parts of the mesh that hang on the rest by less than a
// face: a solver could not hold them.
func largestPart(m *mesh.TetMesh) *mesh.TetMesh {
	part, count := m.Parts()
	if count <= 1 {
		return m
	}
	tets := make([]int, count)
	for _, p := range part {
		tets[p]++
	}
	largest := 0
	for p, n := range tets {
		if n > tets[largest] {
			largest = p
		}
	}
	return m.Keep(func(t int) bool { return int(part[t]) == largest })
}

// shown maps the solver's nodes to the displayed vertices.
type shown struct {
	topology *planner.Topology
	node     []int32 // remnant vertex → node
	inside   []*mesh.Embedding
	first    []int32          // first vertex of each embedded structure
	evidence planner.Evidence // of the tissue
}

// tissueEvidence is that of the one tissue of the model.
func tissueEvidence() (planner.Evidence, error) {
	tissue, err := material.Lookup(liver.ParenchymaTissue)
	if err != nil {
		return 0, err
	}
	return planner.ParseEvidence(tissue.Evidence)
}

// display builds the topology: the remnant's surface, which moves with its
// nodes; the vessels inside it, which are carried by the tetrahedra around
// them; and, at rest, what is resected with its tumours.
func (c *Prepared) display(ctx context.Context, r *liver.Resection, m *mesh.TetMesh) (*shown, error) {
	surface, node := m.Boundary()
	s := &shown{topology: &planner.Topology{}, node: node}
	s.add("remnant", imaging.LabelLiver, surface)

	bodies, err := c.bodies(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, b := range bodies {
		first := s.add(b.name, b.label, b.surface)
		if b.moves {
			e, err := mesh.Embed(b.surface.Verts, m)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.name, err)
			}
			s.inside = append(s.inside, e)
			s.first = append(s.first, first)
		}
	}
	return s, s.topology.Validate()
}

func (s *shown) add(name string, l imaging.Label, m *mesh.Surface) (first int32) {
	t := s.topology
	first = int32(len(t.Rest))
	t.Rest = append(t.Rest, m.Verts...)
	st := planner.Structure{Name: name, Label: l, First: first, Count: int32(len(m.Verts)), Tris: make([][3]int32, len(m.Tris))}
	for n, tri := range m.Tris {
		st.Tris[n] = [3]int32{tri[0] + first, tri[1] + first, tri[2] + first}
	}
	t.Structures = append(t.Structures, st)
	return first
}

// frame is a converged state as it is shown; structures at rest carry zero.
func (s *shown) frame(f *fem.Frame) *planner.DisplayFrame {
	n := len(s.topology.Rest)
	out := &planner.DisplayFrame{Epoch: 1, Seq: uint64(f.Step) + 1, SimTimeS: f.TimeS, Pos: make([]r3.Vec, n)}
	copy(out.Pos, s.topology.Rest)
	moved, stress, strain := make([]float32, n), make([]float32, n), make([]float32, n)
	for v, node := range s.node {
		out.Pos[v] = r3.Add(out.Pos[v], f.U[node])
		moved[v] = float32(r3.Norm(f.U[node]))
		stress[v] = float32(f.VonMisesMPa[node] * 1000)
		strain[v] = float32(f.StrainMax[node] * 100)
	}
	for b, e := range s.inside {
		u, mises, eps := make([]r3.Vec, e.Len()), make([]float64, e.Len()), make([]float64, e.Len())
		e.Apply(u, f.U)
		e.ApplyScalar(mises, f.VonMisesMPa)
		e.ApplyScalar(eps, f.StrainMax)
		for i, d := range u {
			v := int(s.first[b]) + i
			out.Pos[v] = r3.Add(out.Pos[v], d)
			moved[v] = float32(r3.Norm(d))
			stress[v] = float32(mises[i] * 1000)
			strain[v] = float32(eps[i] * 100)
		}
	}
	known := planner.FieldQuality{Residual: f.Residual, Evidence: s.evidence} // no estimate for motion and strain
	stressed := known
	stressed.Error = s.stressError(f)
	out.Fields = []planner.Field{
		{ID: "von_mises", Unit: "kPa", Values: stress, Quality: &stressed},
		{ID: "displacement", Unit: "mm", Values: moved, Quality: &known},
		{ID: "strain_max", Unit: "%", Values: strain, Quality: &known},
	}
	return out
}

// stressError is the estimated error of the von Mises stress in kPa, root mean
// square over the vertices that move. With δσ the error of the stress, that of
// √(3/2)·‖dev σ‖ is at most √(3/2)·‖δσ‖; fem.Frame.ErrorMPa estimates ‖δσ‖.
// nil: the solver made no estimate.
func (s *shown) stressError(f *fem.Frame) *float64 {
	if len(f.ErrorMPa) == 0 {
		return nil
	}
	var sum float64
	count := len(s.node)
	for _, node := range s.node {
		sum += f.ErrorMPa[node] * f.ErrorMPa[node]
	}
	for _, e := range s.inside {
		at := make([]float64, e.Len())
		e.ApplyScalar(at, f.ErrorMPa)
		for _, v := range at {
			sum += v * v
		}
		count += len(at)
	}
	kPa := 1000 * math.Sqrt(1.5*sum/float64(max(count, 1)))
	return &kPa
}
