package needle

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/planner"
	"halsted/planner/rules"

	"gonum.org/v1/gonum/spatial/r3"
)

var _ planner.Procedure = (*Case)(nil)

// Name is "needle.trajectory".
func (c *Case) Name() string { return Name }

// Flags tells where the case lies outside the verified range, and which
// outputs are lost for want of a structure.
func (c *Case) Flags() []planner.Flag {
	out := slices.Clone(c.flags)
	var reasons []string
	for _, l := range c.Lost {
		if !slices.Contains(reasons, l.Why) {
			reasons = append(reasons, l.Why)
		}
	}
	for n, why := range reasons {
		text := fmt.Sprintf("Not given: %s; %s. The needle may pass there.", c.lostText(why), why)
		out = append(out, planner.Flag{ID: fmt.Sprintf("lost_%d", n+1), Text: text, Touches: []string{"min_clearance_mm"}})
	}
	return out
}

// Objectives are what trajectories are compared by. Caps are where the search
// stops counting as well.
func (c *Case) Objectives(l planner.Level) []planner.Objective {
	var out []planner.Objective
	add := func(id string, less bool, limit float64) {
		if c.gives(id) {
			out = append(out, planner.Objective{ID: id, Less: less, Cap: limit})
		}
	}
	add("coverage_percent", false, 0)
	add("needles", true, 0)
	add("min_clearance_mm", false, reserveCapMM)
	add("length_mm", true, 0)
	add("capsule_angle_deg", true, angleBestDeg)
	add("organ_track_mm", false, trackBestMM)
	add("scan_plane_angle_deg", true, scanBestDeg)
	add("healthy_ml", true, 0)
	if l >= planner.L2 {
		add("target_shift_mm", true, 0)
	}
	return out
}

func (c *Case) gives(output string) bool {
	return slices.ContainsFunc(c.Outputs(), func(o planner.Output) bool { return o.ID == output })
}

// Generate hands out at most seven trajectories of the front that differ, and
// for ablation the sets of needles that cover the target with its margin. When
// no trajectory keeps the hard limits, it hands out those that come closest.
// The search is exhaustive: it does not depend on the seed. No two plans have the
// same name.
func (c *Case) Generate(ctx context.Context, _ uint64, emit func(planner.Candidate) error) error {
	found, err := c.Search(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	give := func(p planner.Plan, scores []planner.Score) error {
		key := fmt.Sprint(p.Needles)
		if seen[key] {
			return nil
		}
		seen[key] = true
		return emit(planner.Candidate{Plan: p.Sealed(), Scores: scores})
	}
	if c.condition == "ablation" && found.Feasible > 0 {
		for by := range preferences {
			cov, err := c.cover(ctx, by)
			if err != nil {
				return err
			}
			if cov == nil {
				continue
			}
			p := planner.Plan{Case: c.id, Procedure: Name}
			for _, w := range cov.Ways {
				p.Needles = append(p.Needles, c.needle(w))
			}
			p.Name = fmt.Sprintf("%d burns, %s", len(p.Needles), [...]string{"widest berth", "shortest ways", "best angles"}[by])
			if cov.Minimal && len(p.Needles) > 1 {
				p.Name += fmt.Sprintf(", no fewer of %d tried do", cov.Tried)
			}
			if err := give(p, []planner.Score{{ID: "coverage_percent", Value: 100 * cov.Covered}, {ID: "needles", Value: float64(len(cov.Ways)), Less: true}}); err != nil {
				return err
			}
		}
	}
	for n, t := range append(Thin(found.Front, shownMost), found.Least...) {
		p := planner.Plan{Case: c.id, Procedure: Name, Name: c.describe(n+1, t), Needles: []planner.Needle{c.needle(t)}}
		scores := []planner.Score{{ID: "reserve_mm", Value: t.ReserveMM}, {ID: "length_mm", Value: t.LengthMM, Less: true},
			{ID: "capsule_angle_deg", Value: t.CapsuleDeg, Less: true}, {ID: "organ_track_mm", Value: t.TrackMM}, {ID: "scan_plane_angle_deg", Value: t.ScanDeg, Less: true}}
		if err := give(p, scores); err != nil {
			return err
		}
	}
	return nil
}

// needle is a trajectory as a plan has it. Coordinates are rounded to a
// hundredth of a millimetre, far below what a hand or a mask can do.
func (c *Case) needle(t Trajectory) planner.Needle {
	return planner.Needle{Entry: round(t.Entry), Tip: round(t.Tip), Device: c.device.Ref()}
}

func round(p r3.Vec) r3.Vec {
	r := func(v float64) float64 { return math.Round(v*100) / 100 }
	return r3.Vec{X: r(p.X), Y: r(p.Y), Z: r(p.Z)}
}

// describe names the n-th trajectory of a case and says where it comes from, as
// seen from the target. Two may come from the same side and be as long: the
// number tells them apart.
func (c *Case) describe(n int, t Trajectory) string {
	d := r3.Unit(r3.Sub(t.Entry, t.Tip))
	side := ""
	for _, s := range []struct {
		v        float64
		pos, neg string
	}{{d.Y, "posterior", "anterior"}, {d.X, "left", "right"}, {d.Z, "cranial", "caudal"}} {
		name := s.pos
		if s.v < 0 {
			name = s.neg
		}
		if math.Abs(s.v) > 0.38 { // within 67° of the axis
			if side != "" {
				side += "-"
			}
			side += name
		}
	}
	return fmt.Sprintf("path %d from %s, %.0f mm", n, side, t.LengthMM)
}

// deviceOf is the device of a needle of a plan.
func (c *Case) deviceOf(n planner.Needle) (rules.Device, error) {
	if n.Device == c.device.Ref() {
		return c.device, nil
	}
	all, err := rules.Devices(Name)
	if err != nil {
		return rules.Device{}, err
	}
	d, err := rules.FindDevice(all, n.Device)
	if err != nil {
		return rules.Device{}, err
	}
	return *d, nil
}
