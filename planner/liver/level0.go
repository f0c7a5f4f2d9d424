package liver

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/mesh/vessel"
	"halsted/planner"
	"halsted/planner/uncertainty"
)

// level0 is what a plan does by geometry and flow, ready for any sample of the
// inputs.
type level0 struct {
	takenML, remnantML, isolatedML, skin float64
	areaCM2, parenchymaMM, vesselMM      float64
	embolised                            bool

	regionSD, splitShare float64 // of the divided territory: ml, and how it goes with that of the larger main branch
	dryML, drySD         float64 // remnant without inflow, ml
	congestedML, wetSD   float64 // remnant without outflow
	bothShare            float64 // of what is congested, that is also without inflow

	cuts      []severed
	largestMM float64
	trunk     int
	segments  int
	vessels   []planner.VesselCut
	notes     []string

	// With measured borders:
	layerML  float64   // between mask and border on the remnant
	stay     []float32 // share of each piece of the organ's border that the remnant keeps
	contacts []contact
}

// severed is a vessel that bleeds when it is cut.
type severed struct {
	flow  float64 // ml/min at HepaticFlowMLMin
	major bool
	tied  bool // before it is cut
}

const (
	majorCutMM = 2.5 // radius from which a vessel bleeds as a major one
	z975       = 1.959963984540054
	// trunkShare of the organ hangs on a portal trunk.
	trunkShare = 0.85
)

// newLevel0 computes a plan once for all samples.
// bo may be nil.
func (a *Anatomy) newLevel0(ctx context.Context, t *Trees, bo *borders, p *planner.Plan) (*level0, error) {
	var c cutaway
	if err := a.newCutaway(ctx, t, p, &c); err != nil {
		return nil, err
	}
	l := &level0{takenML: c.takenML, remnantML: c.remnantML, isolatedML: c.isolatedML, skin: c.skin, areaCM2: c.areaMM2 / 100,
		parenchymaMM: c.parenchymaMM, vesselMM: c.vesselMM, embolised: len(p.Embolised) > 0}
	if l.embolised {
		if t.Portal == nil {
			return nil, &SystemError{p.Name, "portal", "the case has no portal tree"}
		}
		if _, err := t.Portal.marked(p, p.Embolised); err != nil {
			return nil, err
		}
	}
	if err := l.supply(t, p, &c); err != nil {
		return nil, err
	}
	l.sever(a, t, p, &c)
	if bo != nil {
		l.measure(a, bo, &c)
	}
	if t.Portal != nil {
		l.segments = t.keptSegments(&c)
	}
	return l, nil
}

// measure prepares what the errors of measured borders do to the plan.
func (l *level0) measure(a *Anatomy, bo *borders, c *cutaway) {
	for v, ml := range bo.layerML {
		l.layerML += ml * float64(1-c.gone[v])
	}
	for _, v := range bo.piece {
		stay := float32(0)
		if v >= 0 {
			stay = 1 - c.gone[v]
		}
		l.stay = append(l.stay, stay)
	}
	area := c.areaMM2
	l.contacts = a.contacts(c, bo)
	c.areaMM2 = area
}

// sd is the standard deviation behind a 95 % interval.
func sd(v vessel.Volume) float64 { return max(v.HighML-v.ML, v.ML-v.LowML) / z975 }

// supply fills the volumes of what is divided, devascularised and congested,
// with their spread over the completions of the trees.
func (l *level0) supply(t *Trees, p *planner.Plan, c *cutaway) error {
	removed := make([]float32, t.blocks.grid.Len())
	for v, n := range t.blocks.vox {
		removed[n] = c.gone[v]
	}
	if s := t.Portal; s != nil {
		v, err := s.lost(removed, s.cutOff(c.dead[0], c.reg))
		if err != nil {
			return err
		}
		l.dryML, l.drySD = max(0, v.ML), sd(v)
		if c.reg != nil {
			if err := l.divided(s, p, c); err != nil {
				return err
			}
		}
	}
	if s := t.Hepatic; s != nil {
		v, err := s.lost(removed, s.cutOff(c.dead[1], nil))
		if err != nil {
			return err
		}
		l.congestedML, l.wetSD = max(0, v.ML), sd(v)
	}
	if c.congestedML > 0 {
		l.bothShare = c.bothML / c.congestedML
	}
	return nil
}

// lost is what of the remnant hung on the branches cuts.
func (s *System) lost(removed []float32, cuts []int) (vessel.Volume, error) {
	if len(cuts) == 0 {
		return vessel.Volume{}, nil
	}
	all, err := s.Supply.Lost(removed, cuts...)
	if err != nil {
		return all, err
	}
	gone, err := s.Supply.Lost(removed)
	return vessel.Volume{ML: all.ML - gone.ML, LowML: all.LowML - gone.ML, HighML: all.HighML - gone.ML}, err
}

// cutOff are the topmost branches that lost their root: those cut off from
// their start, and those cut before their middle. Divided ones do not count.
func (s *System) cutOff(dead []int32, reg *region) []int {
	var out []int
	lost := make([]bool, len(dead))
	for n, at := range dead {
		if reg != nil && reg.in[n] {
			continue
		}
		middle := int32(s.first[n]+s.first[n+1]) / 2
		lost[n] = at < int32(s.first[n+1]) && at <= middle
		if p := s.Tree.Branches[n].Parent; lost[n] && (p < 0 || !lost[p]) {
			out = append(out, n)
		}
	}
	return out
}

// divided fills the spread of the divided territory. The interval also reaches
// from what is drawn to what the completions expect. How the territory goes
// with that of the larger main branch follows from the variances of unions of
// subtrees that lie apart: cov(A, B) = (var(A∪B) − var(A) − var(B))/2, and what
// the smaller one gains the larger loses.
func (l *level0) divided(s *System, p *planner.Plan, c *cutaway) error {
	var roots []int
	for _, d := range p.Divided {
		roots = append(roots, d.Index)
	}
	v, err := s.Supply.Devascularised(roots...)
	if err != nil {
		return err
	}
	drawn := 0.0
	for n, of := range s.Of {
		if of >= 0 && c.reg.in[of] {
			drawn += c.t.blocks.ml[n]
		}
	}
	l.regionSD = sd(v) + math.Abs(v.ML-drawn)/z975
	main := s.main(c.t.blocks.total)
	if main == nil || len(roots) == 0 {
		return nil
	}
	var in [2][]int // roots below each of the two, the larger first
	for _, r := range roots {
		for n := r; n >= 0; n = s.Tree.Branches[n].Parent {
			if k := slices.Index(main, n); k >= 0 {
				in[k] = append(in[k], r)
				break
			}
		}
	}
	variance := func(b ...int) float64 {
		v, _ := s.Supply.Devascularised(b...) // branches of this tree
		return sd(v) * sd(v)
	}
	withSmall := 0.0
	for k, part := range in {
		if len(part) == 0 {
			continue
		}
		other := main[1-k]
		cov := (variance(append(slices.Clone(part), other)...) - variance(part...) - variance(other)) / 2
		if k == 1 {
			cov = -cov
		}
		withSmall += cov
	}
	if s1, s2 := sd(v), math.Sqrt(variance(main[1])); s1 > 0 && s2 > 0 {
		l.splitShare = max(-1, min(1, -withSmall/(s1*s2)))
	}
	return nil
}

// sever lists the vessels cut and what they bleed.
func (l *level0) sever(a *Anatomy, t *Trees, p *planner.Plan, c *cutaway) {
	systems := [2]*System{t.Portal, t.Hepatic}
	flowSpread := uncertainty.LogNormal{Median: HepaticFlowMLMin, SDLog: 0.2}
	for _, x := range c.crossings {
		s := systems[x.system]
		tied := x.system == 0 && c.reg != nil && c.reg.in[x.branch]
		flow := math.Abs(s.FlowMLMin[x.branch])
		l.cuts = append(l.cuts, severed{flow, x.radius >= majorCutMM, tied})
		q := planner.Quantity{ID: "flow_ml_min", Label: "Flow", Unit: "mL/min", Value: flow, Evidence: planner.EvidenceClassic,
			Spread: planner.Around(flow*flowSpread.Quantile(0.025)/HepaticFlowMLMin, flow, flow*flowSpread.Quantile(0.975)/HepaticFlowMLMin),
			Basis:  "Poiseuille flow in the visible tree; spread of the liver's flow only"}
		l.vessels = append(l.vessels, planner.VesselCut{System: s.Name, Name: s.name(x.branch), Radius: radiusQuantity("radius_mm", "Radius", x.radius, a.cellMM), Flow: &q,
			At: [3]float64{x.at.X, x.at.Y, x.at.Z}})
	}
	for _, m := range t.Missing { // without a tree vessels are found voxel by voxel
		if len(p.Divided) > 0 {
			break
		}
		for _, v := range a.vesselCuts(*p) {
			if v.System == m.System {
				l.vessels = append(l.vessels, v)
				l.cuts = append(l.cuts, severed{math.Inf(1), v.Radius.Value >= majorCutMM, false})
			}
		}
	}
	slices.SortStableFunc(l.vessels, func(x, y planner.VesselCut) int {
		switch {
		case x.Radius.Value > y.Radius.Value:
			return -1
		case x.Radius.Value < y.Radius.Value:
			return 1
		}
		return 0
	})
	for _, v := range l.vessels {
		l.largestMM = max(l.largestMM, v.Radius.Value)
	}
	if s := t.Portal; s != nil {
		for n, ml := range s.feedsML {
			if ml >= trunkShare*t.blocks.total && c.dead[0][n] < int32(s.first[n+1]) {
				l.trunk = 1
			}
		}
	}
	if l.isolatedML > 0.005*t.blocks.total {
		l.notes = append(l.notes, fmt.Sprintf("%.0f ml of the remnant hang on no other part of it and are not counted", l.isolatedML))
	}
}
