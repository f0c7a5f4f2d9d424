package aneurysm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"halsted/fem"
	"halsted/fem/inverse"
	"halsted/planner"
)

// Mesh sizes of the levels, where Config.Mesh does not say otherwise.
const (
	anglesL1 = 16
	anglesL2 = 16
)

// mechanics is what a level's solves give under one sample.
type mechanics struct {
	peak       Peak
	index      float64
	indexOK    bool
	unloadedMM float64
	forward    int
	newton     int
	err        error
}

// cache keeps the mechanics of the last samples: they are those of the
// aneurysm, the same for every graft.
type cache struct {
	mu    sync.Mutex // guards the rest
	known map[string]*mechanics
	order []string
}

const cacheSize = 512

func (c *cache) get(key string) *mechanics {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[key]
}

func (c *cache) put(key string, m *mechanics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*mechanics{}
	}
	if _, have := c.known[key]; have {
		return
	}
	if len(c.order) == cacheSize {
		delete(c.known, c.order[0])
		c.order = c.order[1:]
	}
	c.known[key] = m
	c.order = append(c.order, key)
}

// moved is the shape with its borders moved outward, mm.
func (s *Shape) moved(mm float64) *Shape {
	if mm == 0 {
		return s
	}
	rows := func(r [][]float64) [][]float64 {
		out := make([][]float64, len(r))
		for i, row := range r {
			for _, v := range row {
				out[i] = append(out[i], max(v+mm, 0.5))
			}
		}
		return out
	}
	out := *s
	out.Lumen = rows(s.Lumen)
	if s.Outer != nil {
		out.Outer = rows(s.Outer)
	}
	return &out
}

// diameter is the largest outer diameter, mm, with the border moved outward and
// the thickness of a wall that was not seen.
func (c *Case) diameter(offset, thickness float64) float64 {
	d := 0.0
	for i, r := range c.Shape.border() {
		if s := c.topMM + float64(i)*c.Shape.StepMM; s >= 0 || c.Neck == nil {
			d = max(d, wide(r))
		}
	}
	d += 2 * offset
	if c.Shape.Outer == nil {
		d += 2 * thickness
	}
	return d
}

// thrombusML is the volume between lumen and outer border, less the wall, ml.
func (c *Case) thrombusML(thickness float64) float64 {
	sum := 0.0
	for i, row := range c.Shape.Outer {
		for j, r := range row {
			if in := c.Shape.Lumen[i][j]; r-thickness-in >= minThrombusMM {
				sum += ((r-thickness)*(r-thickness) - in*in) / 2 * 2 * math.Pi / float64(len(row)) * c.Shape.StepMM
			}
		}
	}
	return sum / 1000
}

// Simulate computes what is known of a plan: L0 the geometry and how the graft
// sits; L1 the stress of the imaged wall by equilibrium alone (Wall.Stiff); L2
// the stress of the wall unloaded from the pressure at imaging and loaded again
// to systolic pressure. Stress is that of the aneurysm before the graft.
func (c *Case) Simulate(ctx context.Context, p planner.Plan, l planner.Level, sample []float64) (*planner.Outcome, error) {
	if sample == nil {
		sample = planner.Medians(c.inputs)
	}
	if len(sample) != len(c.inputs) {
		return nil, &InputError{"sample", fmt.Sprintf("has %d values for %d inputs", len(sample), len(c.inputs))}
	}
	for n, v := range sample {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &InputError{"sample", inputIDs[n] + " is not finite"}
		}
	}
	if p.Graft == nil {
		return nil, &InputError{"Plan.Graft", "is missing: this procedure plans grafts"}
	}
	values := map[string]planner.Value{}
	set := func(id string, v float64, s *planner.Solution) { values[id] = planner.Value{ID: id, V: v, Solution: s} }
	set("max_diameter_mm", c.diameter(sample[inBorder], sample[inThickness]), nil)
	set("thrombus_ml", c.thrombusML(sample[inThickness]), nil)
	out := &planner.Outcome{}
	if c.Neck != nil {
		notes, err := c.sized(p.Graft, sample[inBorder], set)
		if err != nil {
			return nil, err
		}
		out.Notes = append(out.Notes, notes...)
	}
	if l >= planner.L1 && !c.noWall {
		m, err := c.mechanics(ctx, l, sample)
		if err != nil {
			return nil, err
		}
		c.stresses(m, set)
		if m.indexOK {
			out.Notes = append(out.Notes, RuptureWarning)
		}
		out.Notes = append(out.Notes, fmt.Sprintf("Wall stress is that before the graft; the largest lies at (%.0f, %.0f, %.0f) mm LPS with every input at its median. Published means of the largest: 22.0 ± 5.8 N/cm² without symptoms, 33.4 ± 15.8 N/cm² ruptured, not different at equal diameter (PMC6105024).",
			m.peak.AtMM.X, m.peak.AtMM.Y, m.peak.AtMM.Z))
	}
	if c.Config.Patient != nil && c.Config.Patient.Sex != "" {
		limit := map[string]float64{"M": 55, "F": 50}[c.Config.Patient.Sex]
		out.Notes = append(out.Notes, fmt.Sprintf("Repair is usually considered from a diameter of %.0f mm [M+ (unverified source); %s].", limit, clinical))
	}
	for _, o := range c.Outputs() {
		if v, ok := values[o.ID]; ok && o.Level <= l {
			out.Values = append(out.Values, v)
		}
	}
	return out, nil
}

// sized sets what depends on the graft.
func (c *Case) sized(p *planner.Graft, offset float64, set func(string, float64, *planner.Solution)) ([]string, error) {
	g, err := c.graft(p)
	if err != nil {
		return nil, err
	}
	n := c.Neck
	set("neck_length_mm", n.length(offset), nil)
	set("neck_diameter_mm", n.DiameterMM+2*offset, nil)
	set("neck_angle_deg", n.AngleDeg, nil)
	if n.HasAbove {
		set("suprarenal_angle_deg", n.AboveDeg, nil)
	}
	f := c.neckFit(g, offset)
	set("oversizing_neck_min_percent", f.least, nil)
	set("oversizing_neck_max_percent", f.most, nil)
	set("oversizing_neck_off_percent", f.off(), nil)
	parts := 1.0
	if g.limb[0] != nil {
		parts = 3
	}
	set("components", parts, nil)
	set("seal_neck_mm", f.sealMM, nil)
	for _, mm := range rings {
		set(ringOutput(mm), c.ring(g, mm, offset), nil)
	}
	var notes []string
	if c.Side[0] != nil && c.Side[1] != nil {
		set("access_diameter_mm", max(c.access(0, offset), c.access(1, offset)), nil)
		set("access_margin_mm", c.accessMargin(g, offset), nil)
		notes = append(notes, "Access was judged as far as the mask of the lumen reaches down; the external iliac and femoral arteries beyond it were not.")
	}
	off, seal, room := 0.0, math.Inf(1), math.Inf(1)
	for side := range 2 {
		lower, clear := fit{}, 0.0 // of this side
		if g.limb[0] == nil {
			lower, clear = c.lowerFit(g, offset), c.bifurMM-g.bottom
		} else if c.Side[side] == nil {
			continue
		} else {
			lower, clear = c.limbFit(g, side, offset)
		}
		ids := lowerOutputs(side)
		set(ids[0], lower.least, nil)
		set(ids[1], lower.most, nil)
		set(ids[2], lower.sealMM, nil)
		set(ids[3], clear, nil)
		off, seal, room = max(off, lower.off()), min(seal, lower.sealMM), min(room, clear)
	}
	if !math.IsInf(seal, 1) {
		set("oversizing_lower_off_percent", off, nil)
		set("seal_lower_mm", seal, nil)
		set("clearance_internal_mm", room, nil)
	}
	return notes, nil
}

// stresses sets what the mechanics gave.
func (c *Case) stresses(m *mechanics, set func(string, float64, *planner.Solution)) {
	p := m.peak
	put := func(id string, mpa, scale, errorMPa float64) {
		set(id, mpa*scale, &planner.Solution{Residual: p.Residual, MeshError: errorMPa * scale})
	}
	put("wall_stress_max_kpa", p.MaxMPa, 1000, p.ErrorMPa)
	put("wall_stress_p99_kpa", p.P99MPa, 1000, p.MeanErrorMPa)
	put("wall_stress_max_n_cm2", p.MaxMPa, mpaToNPerCM2, p.ErrorMPa)
	put("wall_stress_p99_n_cm2", p.P99MPa, mpaToNPerCM2, p.MeanErrorMPa)
	put("principal_stress_max_kpa", p.PrincipalMaxMPa, 1000, p.ErrorMPa)
	put("principal_stress_p99_kpa", p.PrincipalP99MPa, 1000, p.MeanErrorMPa)
	if m.indexOK {
		set("rupture_index", m.index, &planner.Solution{Residual: p.Residual, MeshError: m.index * p.ErrorMPa / p.MaxMPa})
	}
	if m.unloadedMM > 0 {
		set("unloaded_diameter_mm", m.unloadedMM, &planner.Solution{Residual: p.Residual})
	}
}

// mechanics solves the wall under a sample, or recalls it.
func (c *Case) mechanics(ctx context.Context, l planner.Level, sample []float64) (*mechanics, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", l)
	for _, v := range sample {
		fmt.Fprintf(&b, " %x", math.Float64bits(v))
	}
	if m := c.results.get(b.String()); m != nil {
		return m, m.err
	}
	m, err := c.solve(ctx, l, sample)
	if err != nil {
		_, stuck := errors.AsType[*fem.NotConvergedError](err)
		_, inverted := errors.AsType[*fem.InvertedError](err)
		if stuck || inverted {
			c.results.put(b.String(), &mechanics{err: err})
		}
		return nil, err
	}
	c.results.put(b.String(), m)
	return m, nil
}

// meshOptions are those of a level.
func (c *Case) meshOptions(l planner.Level) MeshOptions {
	o := c.Config.Mesh
	if o.Angles == 0 {
		o.Angles = [3]int{anglesL1, anglesL1, anglesL2}[l]
	}
	if o.ThrombusLayers == 0 {
		o.ThrombusLayers = 1
	}
	return o
}

func (c *Case) solve(ctx context.Context, l planner.Level, sample []float64) (*mechanics, error) {
	w, err := NewWall(c.Shape.moved(sample[inBorder]), min(max(sample[inThickness], 0.3), 6), c.meshOptions(l))
	if err != nil { // a wall that folds under this sample is one that fails, not a plan that cannot be simulated
		return nil, &fem.NotConvergedError{Reason: err.Error()}
	}
	const least = 0.05 // of the published mean: a normal law has a tail below nothing
	t := Tissue{AlphaMPa: max(sample[inAlpha]/1000, least*0.174), BetaMPa: max(sample[inBeta]/1000, least*1.881)}
	if len(sample) > inThrombus {
		t.ThrombusMPa = sample[inThrombus] / 1000
	}
	if id := c.Config.WallRecord; id != "" {
		if t.Wall, err = GOHWall(id); err != nil {
			return nil, err
		}
	}
	ends := Ends(sample[inEnds])
	m := &mechanics{}
	var s *State
	if l == planner.L1 {
		s, err = w.Stiff(ctx, t, ends, sample[inSystolicPressure])
	} else {
		var u *Unloaded
		if u, err = w.Unload(ctx, t, ends, sample[inImagingPressure]); err != nil {
			return nil, err
		}
		m.forward, m.newton = u.Report.ForwardSolves, u.Report.InverseNewton
		m.unloadedMM = w.across(u.Reference)
		s, err = w.Load(ctx, t, ends, u, sample[inSystolicPressure])
	}
	if err != nil {
		return nil, err
	}
	if m.peak, err = w.Peak(s); err != nil {
		return nil, err
	}
	if p := c.Config.Patient; p != nil && p.Sex != "" && p.FamilyHistory != nil {
		pr := Predictors{Male: p.Sex == "M", FamilyHistory: *p.FamilyHistory, NormalMM: sample[inNormal], Factor: max(sample[inStrength], 0.1)}
		m.index, _, m.indexOK = w.RuptureIndex(s, pr)
		if !m.indexOK {
			return nil, &fem.NotConvergedError{Reason: "the regression gives no positive strength of the wall for this diameter and thrombus"}
		}
	}
	return m, nil
}

// across is the largest outer diameter of the unloaded wall, mm: of the nodes
// of each row of the mesh.
func (w *Wall) across(r *inverse.Reference) (d float64) {
	rows := map[float64][]int{}
	var order []float64
	for n, out := range w.outside {
		if out {
			if rows[w.ArcMM[n]] == nil {
				order = append(order, w.ArcMM[n])
			}
			rows[w.ArcMM[n]] = append(rows[w.ArcMM[n]], n)
		}
	}
	for _, s := range order {
		for i, a := range rows[s] {
			for _, b := range rows[s][:i] {
				p, q := r.Mesh.Nodes[a], r.Mesh.Nodes[b]
				d = max(d, math.Sqrt((p.X-q.X)*(p.X-q.X)+(p.Y-q.Y)*(p.Y-q.Y)+(p.Z-q.Z)*(p.Z-q.Z)))
			}
		}
	}
	return d
}

var _ planner.Procedure = (*Case)(nil)
