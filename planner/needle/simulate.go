package needle

import (
	"context"
	"fmt"
	"math"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// PlanError says that a plan cannot be simulated on this case.
type PlanError struct{ Plan, Why string }

func (e *PlanError) Error() string { return fmt.Sprintf("needle: plan %q: %s", e.Plan, e.Why) }

// Simulate computes what a plan does under a sample of the inputs. L1 is L0:
// there is no coarse mechanics. Errors: *PlanError, *rules.DeviceError,
// *fem.NotConvergedError, or that of ctx.
func (c *Case) Simulate(ctx context.Context, p planner.Plan, l planner.Level, sample []float64) (*planner.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if sample == nil {
		sample = planner.Medians(c.Inputs())
	}
	if err := c.check(&p, sample); err != nil {
		return nil, err
	}
	v := map[string]planner.Value{}
	set := func(id string, x float64) { v[id] = planner.Value{ID: id, V: x} }
	m, err := c.moved(sample)
	if err != nil {
		return nil, &PlanError{p.Name, err.Error()}
	}
	if err := c.clearances(ctx, &p, sample, &m, set); err != nil {
		return nil, err
	}
	c.geometry(&p, set)
	var notes []string
	if c.condition == "ablation" {
		if err := c.ablate(&p, sample, &m, set); err != nil {
			return nil, err
		}
		if c.sinkMM < heatSinkMM {
			notes = append(notes, fmt.Sprintf("A vessel of %d mm or more lies %.0f mm (spread not quantified: as the masks have it) from the target, closer than %d mm: it carries heat away, and the burn may be smaller there.", wideMM, max(0, c.sinkMM), heatSinkMM))
		}
	} else {
		c.tips(&p, sample, &m, set)
	}
	if l >= planner.L2 && c.gives("target_shift_mm") {
		if err := c.shifts(ctx, &p, sample, v); err != nil {
			return nil, err
		}
	}
	for _, d := range p.Needles {
		if u := r3.Unit(r3.Sub(d.Entry, d.Tip)); u.Y > fromBehind {
			notes = append(notes, "The needle enters from behind: a patient scanned on the back has to be turned, and the organs then lie elsewhere.")
			break
		}
	}
	out := &planner.Outcome{Notes: notes}
	for _, o := range c.Outputs() {
		x, ok := v[o.ID]
		if o.Level > l || !ok {
			continue
		}
		if math.IsNaN(x.V) || math.IsInf(x.V, 0) {
			return nil, &PlanError{p.Name, o.ID + " is not finite"}
		}
		out.Values = append(out.Values, x)
	}
	return out, nil
}

const (
	heatSinkMM = 5
	fromBehind = 0.5 // cosine: within 60° of straight from behind
)

func (c *Case) check(p *planner.Plan, sample []float64) error {
	if len(sample) != inputs {
		return &PlanError{p.Name, fmt.Sprintf("a sample of %d values for %d inputs", len(sample), int(inputs))}
	}
	for n, x := range sample {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &PlanError{p.Name, fmt.Sprintf("value %d of the sample is not finite", n)}
		}
	}
	if len(p.Needles) == 0 {
		return &PlanError{p.Name, "has no needle"}
	}
	if err := p.Validate(); err != nil {
		return &PlanError{p.Name, err.Error()}
	}
	for n, d := range p.Needles {
		for _, q := range []r3.Vec{d.Entry, d.Tip} {
			i, j, k := c.Grid.Voxel(q)
			for a, x := range [3]float64{i, j, k} {
				if !(x >= -0.5 && x <= float64(c.Grid.Size[a])-0.5) {
					return &PlanError{p.Name, fmt.Sprintf("needle %d reaches (%.0f, %.0f, %.0f) mm, outside what was scanned around the target", n+1, q.X, q.Y, q.Z)}
				}
			}
		}
	}
	return nil
}

// stray is where a needle really goes, seen from the organs: displaced as the
// sample says, and against their place in the breathing cycle if moving.
func (c *Case) stray(d planner.Needle, x []float64, moving bool) (entry, tip r3.Vec) {
	in := r3.Sub(d.Tip, d.Entry)
	l := r3.Norm(in)
	u := r3.Scale(1/l, in)
	a, b := frame(u)
	u = r3.Unit(r3.Add(u, r3.Add(r3.Scale(math.Tan(x[inTiltA]*math.Pi/180), a), r3.Scale(math.Tan(x[inTiltB]*math.Pi/180), b))))
	entry = r3.Add(d.Entry, r3.Vec{X: x[inX], Y: x[inY], Z: x[inZ]})
	if moving {
		entry.Z -= x[inBreath]
	}
	return entry, r3.Add(entry, r3.Scale(max(0, l+x[inDepth]), u))
}

// clearances fills in the clearance from each structure and the probability of
// hitting it: over several needles the least, and that of hitting with any.
func (c *Case) clearances(ctx context.Context, p *planner.Plan, x []float64, m *moved, set func(string, float64)) error {
	if len(c.obst) == 0 {
		return nil
	}
	near, err := c.near(ctx, p.Needles)
	if err != nil {
		return err
	}
	all, bounded := nearMM+0.0, false
	for n, o := range c.obst {
		least, miss := float64(nearMM), 1.0
		for _, d := range p.Needles {
			f := near.fields[n]
			if f == nil {
				continue
			}
			dev, err := c.deviceOf(d)
			if err != nil {
				return err
			}
			_, radius, _, _, err := readDevice(&dev, "")
			if err != nil {
				return err
			}
			entry, tip := c.stray(d, x, o.Moves)
			s := newShaft(&c.Grid, tip, entry)
			v, _ := s.least(f, 0, s.n, nearMM, math.Inf(-1), c.blur)
			least = min(least, c.least(n, &s, f, v, m)-radius)
			planned := newShaft(&c.Grid, d.Tip, d.Entry)
			out := m.boundaryMM // of the border, where the planned needle comes closest
			if m.vessel != nil && n == c.borders.obstacle {
				v, _ := planned.least(f, 0, planned.n, nearMM, math.Inf(-1), c.blur)
				out = v - c.least(n, &planned, f, v, m)
			}
			miss *= 1 - c.hit(&planned, f, radius+out, o.Moves)
		}
		set("clearance_"+o.ID+"_mm", least)
		set("p_hit_"+o.ID+"_percent", 100*(1-miss))
		if o.hard {
			all, bounded = min(all, least), true
		}
	}
	if !bounded {
		all = nearMM
	}
	set("min_clearance_mm", all)
	return nil
}

// geometry fills in lengths and angles: over several needles the worst.
func (c *Case) geometry(p *planner.Plan, set func(string, float64)) {
	length, over, scan, angle, track := 0.0, math.Inf(-1), 0.0, 0.0, math.Inf(1)
	for _, d := range p.Needles {
		s := newShaft(&c.Grid, d.Tip, d.Entry)
		limit := c.length
		if dev, err := c.deviceOf(d); err == nil {
			if l, err := dev.Number("length", "mm"); err == nil {
				limit = l
			}
		}
		length, over, scan = max(length, s.mm), max(over, s.mm-limit), max(scan, c.scanDeg(&s))
		if c.organField != nil {
			enter, t := c.organWay(&s, s.first)
			angle, track = max(angle, c.capsuleDeg(&s, enter)), min(track, t)
		}
	}
	set("length_mm", length)
	set("length_over_device_mm", over)
	set("scan_plane_angle_deg", scan)
	set("needles", float64(len(p.Needles)))
	if c.organField != nil {
		set("capsule_angle_deg", angle)
		set("organ_track_mm", track)
	}
}

// tips fills in how deep the tip ends in the target, and how likely it does:
// of several needles the worst.
func (c *Case) tips(p *planner.Plan, x []float64, m *moved, set func(string, float64)) {
	depth, in := math.Inf(1), 1.0
	for _, d := range p.Needles {
		_, tip := c.stray(d, x, true)
		mm, ok := c.tumour.point(&c.Grid, tip), false
		if m.target != nil {
			mm, ok = toBorder(c.borders.target, m.target, tip, mm)
		}
		if !ok {
			mm -= x[inTarget]
		}
		depth = min(depth, -mm)
		s := newShaft(&c.Grid, d.Tip, d.Entry)
		in = min(in, c.tipIn(&s, c.growTarget(m, x)))
	}
	set("tip_depth_mm", depth)
	set("p_tip_percent", 100*in)
}

// ablate fills in what the burns kill.
func (c *Case) ablate(p *planner.Plan, x []float64, m *moved, set func(string, float64)) error {
	var burns []burn
	for _, d := range p.Needles {
		dev, err := c.deviceOf(d)
		if err != nil {
			return err
		}
		_, _, beyond, z, err := readDevice(&dev, "ablation")
		if err != nil {
			return err
		}
		if d.Device == c.device.Ref() {
			z = zone{x[inAlong] / 2, x[inAcross] / 2}
		}
		entry, tip := c.stray(d, x, true)
		axis := r3.Unit(r3.Sub(tip, entry))
		burns = append(burns, burn{z, r3.Sub(tip, r3.Scale(beyond, axis)), axis})
	}
	out := c.growTarget(m, x)
	k := c.killed(burns, out)
	set("coverage_percent", 100*k.covered/k.wanted)
	set("ablated_ml", k.all)
	set("healthy_ml", k.organ)
	if !math.IsInf(c.sinkMM, 1) {
		set("zone_vessel_mm", c.sinkMM-c.growVessel(m, x)-out)
	}
	return nil
}
