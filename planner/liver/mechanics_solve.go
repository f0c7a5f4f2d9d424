package liver

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"halsted/fem"
	"halsted/mesh"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// MeshSize is how finely a plan is meshed for L2; L1 has one size.
type MeshSize int

// The sizes of mesh. Each states its gap: what its results with every input at
// its median differ from those on the other one by.
const (
	// MeshRanking is the coarse mesh for many plans and samples: rankingDOF
	// degrees of freedom and a little more.
	MeshRanking MeshSize = iota
	// MeshChosen is the mesh for the plan that is looked at closely: chosenDOF
	// degrees of freedom or more.
	MeshChosen
)

// Degrees of freedom asked for: Tet10 for L2; for L1 of the linear elements of
// its corner nodes.
const (
	startDOF        = 3_000 // the first, cheap solve of L2
	rankingDOF      = 12_000
	chosenDOF       = 30_000
	coarseLinearDOF = 1_500
	fineLinearDOF   = 4_000
	// dofSlack is how far above the number asked for a mesh may be.
	dofSlack = 1.1
)

// mechanicalTol is the residual relative to the forces; at a tenth of it no
// output of the phantom changes by more than 0.1 % (tested).
const mechanicalTol = 1e-4

// mostCutbacks bounds the halvings of a stage: a sample that needs more counts as
// not converged.
const mostCutbacks = 4

// solveMemory bounds the memory of one solve, bytes.
const solveMemory = 2 << 30

// Mechanics is a plan prepared for many samples: its mesh, what holds it, the
// states that solves start from, and the gap to another mesh. It may be used by
// several goroutines; no more than GOMAXPROCS solves run at once.
type Mechanics struct {
	Plan  planner.Plan
	Level planner.Level
	// DOF are the degrees of freedom and EdgeMM the cell side of the mesh; GapDOF
	// and GapEdgeMM those of the mesh that the gap is taken to.
	DOF, GapDOF       int
	EdgeMM, GapEdgeMM float64
	Notes             []string

	body   *discretised
	median *solution // with every input at its median
	gap    []float64 // per output: difference to the other mesh at the medians
	// dihedrals are the smallest and the largest angle of the mesh, degrees.
	dihedrals [2]float64
	slots     chan struct{}
	start     [len(boundaryShare)]startState
}

// startState is the state that samples of one boundary condition start from.
type startState struct {
	mu    sync.Mutex // guards guess
	guess [][]r3.Vec
}

// Mechanics simulates plan p under the sample x on the mesh for ranking: the
// values of MechanicalOutputs at the level, in their order, and notes. Prepare
// it with PrepareMechanics for more than one sample.
//
// Errors: *NothingLeftError; *fem.NotConvergedError or *fem.InvertedError when
// the sample cannot be solved; ctx.Err().
func (a *Anatomy) Mechanics(ctx context.Context, p planner.Plan, level planner.Level, x MechanicalSample) ([]planner.Value, []string, error) {
	m, err := a.PrepareMechanics(ctx, p, level, MeshRanking)
	if err != nil {
		return nil, nil, err
	}
	v, err := m.Sample(ctx, x)
	return v, m.Notes, err
}

// PrepareMechanics meshes plan p and solves it with every input at its median,
// on two meshes. Level is L1 or L2. Errors as Mechanics.
func (a *Anatomy) PrepareMechanics(ctx context.Context, p planner.Plan, level planner.Level, size MeshSize) (*Mechanics, error) {
	if level != planner.L1 && level != planner.L2 || size != MeshRanking && size != MeshChosen {
		return nil, fmt.Errorf("liver: mechanics are simulated at L1 or L2 and on the mesh for ranking or for the chosen plan, not at %d on %d", level, size)
	}
	r, err := a.Resect(ctx, p)
	if err != nil {
		return nil, err
	}
	if level == planner.L1 {
		return a.prepare(ctx, r, level, []int{coarseLinearDOF, fineLinearDOF}, 1)
	}
	return a.prepare(ctx, r, level, []int{startDOF, rankingDOF, chosenDOF}, 1+int(size))
}

// prepare solves r at the medians on meshes of want degrees of freedom, each
// from the state on the one before, and samples on the k-th of them. The gap is
// to the last of the others.
func (a *Anatomy) prepare(ctx context.Context, r *Resection, level planner.Level, want []int, k int) (*Mechanics, error) {
	x, err := NewMechanicalSample(nil)
	if err != nil {
		return nil, err
	}
	m := &Mechanics{Plan: r.Plan, Level: level, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	var last, other *discretised
	var state, far *solution
	for i, n := range want {
		d, err := a.discretise(ctx, r, level, n)
		if err != nil {
			if i == 0 && len(want) > 2 && ctx.Err() == nil { // too coarse for the cut
				continue
			}
			return nil, err
		}
		var guess [][]r3.Vec
		steps := coldSteps
		if last != nil && level == planner.L2 {
			if guess, err = carryOver(last, d, state.states); err != nil {
				return nil, err
			}
			steps = 1
		}
		s, err := d.solve(ctx, x, guess, steps)
		if err != nil {
			return nil, fmt.Errorf("liver: plan %q at the median of its inputs: %w", r.Plan.Name, err)
		}
		last, state = d, s
		if i == k {
			m.body, m.median = d, s
		} else {
			other, far = d, s
		}
	}
	m.DOF, m.EdgeMM, m.GapDOF, m.GapEdgeMM = m.body.dof(), m.body.edgeMM, other.dof(), other.edgeMM
	for i, v := range m.median.values {
		m.gap = append(m.gap, math.Abs(v-far.values[i]))
	}
	m.start[BoundaryMobilised].guess = m.median.states
	shape := mesh.Quality(m.body.TetMesh)
	m.dihedrals = [2]float64{shape.MinDihedralDeg, shape.MaxDihedralDeg}
	m.note()
	return m, nil
}

// note says what was assumed and left out.
func (m *Mechanics) note() {
	m.Notes = append(m.Notes, fmt.Sprintf("%v on %d degrees of freedom (cells of %.1f mm); mesh error is the difference to %d (%.1f mm)", m.Level, m.DOF, m.EdgeMM, m.GapDOF, m.GapEdgeMM))
	if len(m.body.lost) > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("%d tumours are too small for elements of their own and count as parenchyma", len(m.body.lost)))
	}
	if m.Level == planner.L2 && len(m.body.openPairs) == 0 {
		m.Notes = append(m.Notes, "the cut is too small for this mesh to open: its opened width is not computed")
	}
	m.Notes = append(m.Notes, "the liver's weight is taken to be carried by what lies under it and by packs: only its change is in the force at the grasp")
}

// discretise meshes r with n to dofSlack·n degrees of freedom.
func (a *Anatomy) discretise(ctx context.Context, r *Resection, level planner.Level, n int) (*discretised, error) {
	linear := level == planner.L1
	d := &discretised{plan: r.Plan, level: level}
	// a lattice of cubic cells of side h has about 4 nodes to h³ with the finer
	// surface, and eight times as many with the mid-edge ones
	per := 30.0
	if linear {
		per = 4
	}
	edge := math.Cbrt(per * 3 * a.OrganML * 1000 / float64(n) / 4)
	halvings := a.halvings(r, edge)
	low, high := 0.0, math.Inf(1) // sides that give too many, too few
	var best *organMesh
	for range meshTries {
		o, err := a.meshOrgan(ctx, r, edge, halvings, !linear)
		if err != nil {
			return nil, err
		}
		d.organMesh = o
		got := d.dof()
		if got >= n && (best == nil || len(o.Nodes) < len(best.Nodes)) {
			best, d.edgeMM = o, edge
		}
		if got >= n && float64(got) <= dofSlack*float64(n) {
			break
		}
		if got < n {
			high = min(high, edge)
		} else {
			low = max(low, edge)
		}
		edge *= math.Pow(float64(got)/(float64(n)*(1+dofSlack)/2), 0.37)
		if !(edge > low && edge < high) {
			if edge = (low + high) / 2; math.IsInf(high, 1) || low == 0 {
				break
			}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("liver: plan %q: no mesh of %d degrees of freedom was found", r.Plan.Name, n)
	}
	d.organMesh = best
	var err error
	if d.holds, err = a.holds(r, d.organMesh); err != nil {
		return nil, err
	}
	if d.tissue, err = lookupTissues(); err != nil {
		return nil, err
	}
	if d.walls, err = a.vesselWalls(ctx, d.organMesh, d.tissue.veinMM); err != nil {
		return nil, err
	}
	var centres []r3.Vec
	for _, t := range a.Tumours {
		centres = append(centres, t.Centre)
	}
	if d.tumours, err = mesh.Embed(centres, d.TetMesh); err != nil {
		return nil, fmt.Errorf("liver: %w", err)
	}
	d.judged, d.share = d.awayFromEdges(), d.nodeShares()
	d.stays = make([]bool, len(d.Nodes))
	for t, l := range d.Region {
		if !resectedRegion(l) {
			for _, n := range d.Tets[t] {
				d.stays[n] = true
			}
			for _, n := range d.Mid[t] {
				d.stays[n] = true
			}
		}
	}
	return d, nil
}

// meshTries bounds the search for the cell side.
const meshTries = 8

// Sample simulates one draw of the inputs. It is a pure function of plan, level
// and sample. Errors as Anatomy.Mechanics.
func (m *Mechanics) Sample(ctx context.Context, x MechanicalSample) ([]planner.Value, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := m.median
	if mid, err := NewMechanicalSample(nil); err != nil {
		return nil, err
	} else if x != mid {
		guess, err := m.starting(ctx, x.Boundary)
		if err != nil {
			return nil, err
		}
		if s, err = m.body.solve(ctx, x, guess, 1); err != nil {
			return nil, err
		}
	}
	var out []planner.Value
	for i, o := range MechanicalOutputs() {
		if o.Level <= m.Level {
			out = append(out, planner.Value{ID: o.ID, V: s.values[i], Solution: &planner.Solution{Residual: s.residual, MeshError: m.gap[i]}})
		}
	}
	return out, nil
}

// starting is the state at the medians under boundary condition b, solved when
// it is first asked for: it depends on plan and b alone.
func (m *Mechanics) starting(ctx context.Context, b Boundary) ([][]r3.Vec, error) {
	s := &m.start[b]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guess != nil || b == BoundaryMobilised {
		return s.guess, nil
	}
	x, err := NewMechanicalSample(nil)
	if err != nil {
		return nil, err
	}
	x.Boundary = b
	got, err := m.body.solve(ctx, x, m.start[BoundaryMobilised].guess, 1)
	if err != nil {
		return nil, err
	}
	s.guess = got.states
	return s.guess, nil
}

// carryOver takes the states of one mesh to another, for the stages before the
// cut.
func carryOver(from, to *discretised, states [][]r3.Vec) ([][]r3.Vec, error) {
	e, err := mesh.Embed(to.Nodes, from.TetMesh)
	if err != nil {
		return nil, fmt.Errorf("liver: %w", err)
	}
	out := make([][]r3.Vec, len(to.stages()))
	for i, st := range to.stages() {
		if i < len(states) && (st.Name == stageGravity || st.Name == stageRetract) {
			out[i] = make([]r3.Vec, len(to.Nodes))
			e.Apply(out[i], states[i])
		}
	}
	return out, nil
}

// solution is a solved sample.
type solution struct {
	values   []float64  // in the order of MechanicalOutputs
	states   [][]r3.Vec // displacement at the end of every stage
	residual float64    // worst of the stages
}

// coldSteps is the number of load steps of a solve without a good guess.
const coldSteps = 2

// solve carries the sample x through the stages.
func (d *discretised) solve(ctx context.Context, x MechanicalSample, guess [][]r3.Vec, steps int) (*solution, error) {
	m, err := d.model(x)
	if err != nil {
		return nil, err
	}
	out := &solution{}
	j := judge{d: d, x: x}
	if len(m.Stages) == 0 { // nothing pulls and nothing turns
		out.values = j.values()
		return out, nil
	}
	for i := range m.Stages {
		if m.Stages[i].Name == stageRetract {
			m.Stages[i].Steps = steps
		}
	}
	emit := func(f *fem.Frame) error {
		if f.Step == 0 || f.LoadFactor < 1-1e-9 {
			return nil
		}
		out.states = append(out.states, f.U)
		out.residual = max(out.residual, f.Residual)
		j.take(m.Stages[f.Stage].Name, f)
		return nil
	}
	if d.level == planner.L1 {
		_, err = fem.SolveCoarse(ctx, m, fem.Settings{MemoryLimit: solveMemory}, emit)
	} else {
		_, err = fem.Solve(ctx, m, fem.Settings{ResidualTol: mechanicalTol, MaxCutbacks: mostCutbacks, MemoryLimit: solveMemory, Guesses: guess}, emit)
	}
	if err != nil {
		return nil, err
	}
	out.values = j.values()
	return out, nil
}
