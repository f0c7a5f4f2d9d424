package aneurysm

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/planner"
	"halsted/planner/rules"
)

// The verified ranges of planner/rules are what this test covers: synthetic
// patients at their ends, widths right within half a voxel, lengths within two,
// the angle within 6°; and one outside of each is flagged on the numbers that
// it touches.
func TestVerifiedRanges(t *testing.T) {
	ranges, err := rules.Ranges(Name, rules.OfImage)
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string][2]float64{}
	cover := func(id string, v float64) {
		c, ok := covered[id]
		if !ok {
			c = [2]float64{v, v}
		}
		covered[id] = [2]float64{min(c[0], v), max(c[1], v)}
	}
	for name, change := range map[string]func(*patient){
		"narrow":      func(p *patient) { p.sacR, p.bendDeg = 16, 0 },
		"wide":        func(p *patient) { p.sacR, p.sacMM = 45, 120 },
		"narrow neck": func(p *patient) { p.neckR, p.iliacR = 8, 4 },
		"wide neck":   func(p *patient) { p.neckR, p.sacR, p.iliacR = 16, 30, 10 },
	} {
		p := usual
		p.spacingMM = 1.5
		change(&p)
		c := prepared(t, p, Config{Patient: known(false)})
		x, _ := best(t, c)
		o, err := c.Simulate(context.Background(), x.Plan, planner.L0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []struct {
			id             string
			want, got, tol float64
		}{
			{"aorta_width", 2 * p.sacR, c.diameter(0, 0), p.spacingMM / 2},
			{"neck_lumen", 2 * p.neckR, number(t, o, "neck_diameter_mm"), p.spacingMM / 2},
			{"neck_angle", p.bendDeg, number(t, o, "neck_angle_deg"), 6},
			{"iliac_lumen", 2 * p.iliacR, number(t, o, "access_diameter_mm"), p.spacingMM / 2},
		} {
			if math.Abs(w.got-w.want) > w.tol {
				t.Errorf("%s: %s = %.2f, made with %.2f", name, w.id, w.got, w.want)
			}
			cover(w.id, w.want)
		}
		cover("slice_thickness", p.spacingMM)
	}
	margin := map[string]float64{"neck_lumen": 0.5, "iliac_lumen": 1, "neck_angle": 10} // beyond what was made: reading error
	for _, r := range ranges {
		c, ok := covered[r.ID]
		if !ok {
			continue // loops and slope: what New refuses or the wall model states
		}
		if !math.IsInf(r.Low, -1) && r.Low < c[0]-margin[r.ID] || r.High > c[1]+margin[r.ID] {
			t.Errorf("%s is verified from %g to %g %s, the file says %g to %g", r.ID, c[0], c[1], r.Unit, r.Low, r.High)
		}
	}
	for _, outside := range []struct {
		ids    []string
		change func(*patient)
	}{
		{[]string{"slice_thickness", "neck_lumen", "iliac_lumen"}, func(p *patient) { p.spacingMM, p.neckR, p.iliacR = 2, 7, 12 }},
		{[]string{"neck_angle"}, func(p *patient) { p.bendDeg = 60 }},
		{[]string{"border_slope"}, func(p *patient) { p.sacR = 45 }},
		{[]string{"aorta_width"}, func(p *patient) { p.sacR = 14 }},
	} {
		p := usual
		p.spacingMM = 1.5
		outside.change(&p)
		c := prepared(t, p, Config{})
		for _, id := range outside.ids {
			n := slices.IndexFunc(c.Flags(), func(f planner.Flag) bool { return f.ID == id })
			if n < 0 || !slices.ContainsFunc(ranges, func(r planner.Range) bool { return r.ID == id }) {
				t.Errorf("%s is outside and not flagged: %v", id, c.Flags())
				continue
			}
			for _, touched := range c.Flags()[n].Touches {
				if !slices.ContainsFunc(c.allOutputs(), func(o planner.Output) bool { return o.ID == touched }) {
					t.Errorf("%s touches %s, which is no output", id, touched)
				}
			}
		}
	}
	// A tube alone: what is not seen is lost, and no flag says "not measured".
	p := usual
	p.spacingMM, p.iliacMM = 1.5, -1
	c := prepared(t, p, Config{})
	if slices.ContainsFunc(c.Flags(), func(f planner.Flag) bool { return f.ID == "iliac_lumen" }) {
		t.Errorf("flags %v", c.Flags())
	}
}

// The objectives put the graft whose rings all lie in the recommended range at
// the top of the neck first, and its neighbours are one step away.
func TestTheSizeThatIsChosenAndItsNeighbours(t *testing.T) {
	p := usual
	p.spacingMM = 1.25
	c := prepared(t, p, Config{Patient: known(false)})
	var all []planner.Plan
	var first planner.Plan
	least := math.Inf(1)
	if err := c.Generate(context.Background(), 1, func(x planner.Candidate) error {
		all = append(all, x.Plan)
		o, err := c.Simulate(context.Background(), x.Plan, planner.L0, nil)
		if err != nil {
			return err
		}
		if v := number(t, o, "oversizing_neck_off_percent") + number(t, o, "oversizing_lower_off_percent") + x.Plan.Graft.ProximalMM; number(t, o, "components") == 3 && v < least {
			least, first = v, x.Plan
		}
		if off, lo, hi := number(t, o, "oversizing_neck_off_percent"), number(t, o, "oversizing_neck_min_percent"), number(t, o, "oversizing_neck_max_percent"); math.Abs(off-max(math.Abs(lo-15), math.Abs(hi-15))) > 1e-12 {
			t.Errorf("%s: %g from %g and %g", x.Plan.Name, off, lo, hi)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	g, err := c.graft(first.Graft)
	if err != nil || g.diameter != 26 || g.top != 0 { // 22 mm of lumen and 15 % are 25.3 mm
		t.Fatalf("%s: %v", first.Name, err)
	}
	got := c.Neighbours(first, all)
	var sizes []float64
	for _, q := range got {
		n, err := c.graft(q.Graft)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n.diameter)
		if q.ID == first.ID {
			t.Error("it is its own neighbour")
		}
	}
	if len(got) < 3 || sizes[0] != 24 || sizes[1] != 28 || sizes[2] != 26 {
		t.Errorf("neighbours of sizes %v", sizes)
	}
	if c.Neighbours(planner.Plan{}, all) != nil || c.Neighbours(planner.Plan{Graft: &planner.Graft{Device: "x"}}, all) != nil {
		t.Error("no graft has neighbours")
	}
}
