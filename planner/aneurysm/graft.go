package aneurysm

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/planner"
	"halsted/planner/rules"
)

// Kinds of device in the catalogue.
const (
	KindBody = "body" // of a bifurcated graft, with two legs
	KindTube = "tube" // seals in the aorta at both ends
	KindLimb = "limb" // of a bifurcated graft, from a leg of the body into an iliac artery
)

// partsMark joins the parts of a modular graft in planner.Graft.Device: body,
// left limb, right limb, each id@version.
const partsMark = "+"

// graft is a graft of the catalogue and where it stands.
type graft struct {
	body         *rules.Device
	limb         [2]*rules.Device
	diameter     float64 // upper, mm
	lower        float64 // of a tube
	sheath       float64 // outer diameter of the delivery sheath
	top, bottom  float64 // arc lengths from the lowest renal artery
	limbDiameter [2]float64
	limbSheath   [2]float64
	limbEnd      [2]float64
}

func (c *Case) device(ref string) (*rules.Device, error) {
	for n := range c.devices {
		if c.devices[n].Ref() == ref {
			return &c.devices[n], nil
		}
	}
	return nil, &InputError{"Graft.Device", fmt.Sprintf("names %.60q, which is not in the catalogue", ref)}
}

// graft reads a plan's graft. The limbs reach where their length takes them:
// they start the catalogue's overlap above the end of the body.
func (c *Case) graft(p *planner.Graft) (*graft, error) {
	parts := strings.Split(p.Device, partsMark)
	body, err := c.device(parts[0])
	if err != nil {
		return nil, err
	}
	g := &graft{body: body, top: p.ProximalMM}
	var length float64
	num := func(d *rules.Device, name string, to *float64) {
		if err == nil {
			*to, err = d.Number(name, "mm")
		}
	}
	num(body, "proximal_diameter", &g.diameter)
	num(body, "sheath_diameter", &g.sheath)
	num(body, "length", &length)
	g.bottom = g.top + length
	switch {
	case err != nil:
		return nil, err
	case body.Kind == KindTube && len(parts) == 1:
		num(body, "distal_diameter", &g.lower)
		return g, err
	case body.Kind == KindBody && len(parts) == 3:
	default:
		return nil, &InputError{"Graft.Device", fmt.Sprintf("%.120q is neither a tube nor a body with a left and a right limb", p.Device)}
	}
	for n := range 2 {
		l, err2 := c.device(parts[1+n])
		if err2 != nil {
			return nil, err2
		}
		if l.Kind != KindLimb {
			return nil, &InputError{"Graft.Device", fmt.Sprintf("%.60q is no limb", parts[1+n])}
		}
		var overlap, long float64
		num(l, "distal_diameter", &g.limbDiameter[n])
		num(l, "sheath_diameter", &g.limbSheath[n])
		num(l, "overlap", &overlap)
		num(l, "length", &long)
		g.limb[n], g.limbEnd[n] = l, g.bottom-overlap+long
	}
	return g, err
}

// fit is how a graft sits in a vessel at one end.
type fit struct {
	sealMM, least, most float64 // oversizing, percent
}

const (
	sealRingMM  = 15 // of the neck below the graft's top whose rings are sized
	iliacRingMM = 10 // of the iliac artery above the limb's end
)

// Recommended oversizing of a ring, % of the lumen's diameter (Sher & Tadros
// 2017, doi 10.5772/66369), and its middle.
const (
	leastOversize = 10
	mostOversize  = 20
	midOversize   = (leastOversize + mostOversize) / 2
)

// off is the furthest that a ring lies from the middle of the recommended
// oversizing, percentage points.
func (f fit) off() float64 { return max(math.Abs(f.least-midOversize), math.Abs(f.most-midOversize)) }

func oversize(device, lumen float64) float64 { return 100 * (device/lumen - 1) }

// fitRings judges rings one StepMM apart, the first at the graft's edge.
// Oversizing counts over the first sized mm; the seal is as long as the graft
// is wider than the lumen without a break.
func fitRings(device float64, lumen []float64, stepMM, sizedMM float64) fit {
	f := fit{least: math.Inf(1), most: math.Inf(-1)}
	sealed := true
	for n, d := range lumen {
		o := oversize(device, d)
		if s := float64(n) * stepMM; s <= sizedMM {
			f.least, f.most = min(f.least, o), max(f.most, o)
		}
		if sealed = sealed && o >= 0; sealed {
			f.sealMM = float64(n) * stepMM
		}
	}
	return f
}

// neckFit is how the upper end sits; offset moves the border of the lumen
// outward, mm.
func (c *Case) neckFit(g *graft, offset float64) fit {
	last := c.station(max(c.Neck.LengthMM, g.top+1))
	var lumen []float64
	for i := c.station(g.top); i <= last; i++ {
		lumen = append(lumen, ringDiameter(c.Shape.Lumen[i])+2*offset)
	}
	return fitRings(g.diameter, lumen, c.Shape.StepMM, sealRingMM)
}

// rings are the places below the graft's upper end whose oversizing is told, mm.
var rings = [...]float64{0, 5, 10, 15}

// ring is the oversizing mm below the graft's upper end, percent.
func (c *Case) ring(g *graft, mm, offset float64) float64 {
	return oversize(g.diameter, ringDiameter(c.Shape.Lumen[c.station(g.top+mm)])+2*offset)
}

func ringOutput(mm float64) string { return fmt.Sprintf("oversizing_ring_%.0f_percent", mm) }

// lowerFit is how a tube's lower end sits in the aorta.
func (c *Case) lowerFit(g *graft, offset float64) fit {
	var lumen []float64
	for i := c.station(g.bottom); i > c.station(g.top); i-- {
		lumen = append(lumen, ringDiameter(c.Shape.Lumen[i])+2*offset)
	}
	return fitRings(g.lower, lumen, c.Shape.StepMM, iliacRingMM)
}

// limbFit is how a limb's end sits in its iliac artery, and how far above the
// first branching (or the end of what was seen) it stays.
func (c *Case) limbFit(g *graft, side int, offset float64) (f fit, clear float64) {
	s := c.Side[side]
	at := g.limbEnd[side] - c.bifurMM // down the iliac artery
	clear = c.sideSplit[side] - at
	last := int(math.Round((at - skipIliacMM) / s.StepMM))
	if last < 1 { // ends above the artery's own sections
		f = fitRings(g.limbDiameter[side], []float64{ringDiameter(s.Lumen[0]) + 2*offset}, s.StepMM, iliacRingMM)
		return f, clear
	}
	var lumen []float64
	for i := min(last, len(s.Lumen)-1); i >= 0; i-- {
		lumen = append(lumen, ringDiameter(s.Lumen[i])+2*offset)
	}
	f = fitRings(g.limbDiameter[side], lumen, s.StepMM, iliacRingMM)
	if last >= len(s.Lumen) { // reaches beyond what was seen: only that counts
		f.sealMM = max(0, f.sealMM-float64(last-len(s.Lumen)+1)*s.StepMM)
	}
	return f, clear
}

// access is the narrowest lumen of an iliac artery as far as it was seen, mm.
func (c *Case) access(side int, offset float64) float64 {
	d := math.Inf(1)
	for _, r := range c.Side[side].Lumen {
		d = min(d, ringDiameter(r)+2*offset)
	}
	return d
}

// accessMargin is what is left around the sheaths, mm, with the body through
// the side that leaves more.
func (c *Case) accessMargin(g *graft, offset float64) float64 {
	l, r := c.access(0, offset), c.access(1, offset)
	if g.body.Kind == KindTube {
		return max(l, r) - g.sheath
	}
	return max(min(l-g.sheath, r-g.limbSheath[1]), min(r-g.sheath, l-g.limbSheath[0]))
}

// Search ranges of Generate.
const (
	offsetsMM = 5 // between upper ends that are tried
	lowest    = 10
	keepLimbs = 3 // best of each side
)

// lack is how far a fit misses what the shipped rules ask for, in rough units
// of their limits: for the search alone.
func lack(f fit, sealMM float64) float64 {
	v := max(0, sealMM-f.sealMM) / sealMM
	v += max(0, leastOversize-f.least)/10 + max(0, f.most-mostOversize)/10
	return v
}

// Generate proposes every body and tube of the catalogue at upper ends from the
// lowest renal artery down, each body with the best three limbs per side.
func (c *Case) Generate(ctx context.Context, _ uint64, emit func(planner.Candidate) error) error {
	if c.Neck == nil {
		return &MissingError{"lowest renal artery", "grafts are sized from it: mark its origin (a seed renal_artery), or give a lumen mask with the renal arteries"}
	}
	found := false
	for n := range c.devices {
		b := &c.devices[n]
		if b.Kind != KindBody && b.Kind != KindTube || b.Kind == KindBody && (c.Side[0] == nil || c.Side[1] == nil) {
			continue
		}
		for at := 0.0; at <= lowest; at += offsetsMM {
			if err := ctx.Err(); err != nil {
				return err
			}
			if at > 0 && at > c.Neck.LengthMM {
				break
			}
			refs := [][]string{{b.Ref()}}
			if b.Kind == KindBody {
				var err error
				if refs, err = c.withLimbs(b, at); err != nil {
					return err
				}
			}
			for _, parts := range refs {
				p := planner.Graft{Device: strings.Join(parts, partsMark), ProximalMM: at, DistalMM: at + 1}
				g, err := c.graft(&p)
				if err != nil {
					return err
				}
				p.DistalMM = g.bottom
				if g.limb[0] != nil {
					p.DistalMM = max(g.limbEnd[0], g.limbEnd[1])
				}
				found = true
				if err := emit(c.candidate(g, p)); err != nil {
					return err
				}
			}
		}
	}
	if !found {
		return &MissingError{"graft that could be sized", "the catalogue has no tube, and no body for which both iliac arteries were seen"}
	}
	return nil
}

// withLimbs lists a body with the best limbs of each side.
func (c *Case) withLimbs(b *rules.Device, at float64) ([][]string, error) {
	var best [2][]string
	for side := range 2 {
		type scored struct {
			ref  string
			lack float64
		}
		var all []scored
		for n := range c.devices {
			l := &c.devices[n]
			if l.Kind != KindLimb {
				continue
			}
			g, err := c.graft(&planner.Graft{Device: b.Ref() + partsMark + l.Ref() + partsMark + l.Ref(), ProximalMM: at})
			if err != nil {
				return nil, err
			}
			f, clear := c.limbFit(g, side, 0)
			all = append(all, scored{l.Ref(), lack(f, iliacRingMM) + max(0, -clear)/10})
		}
		slices.SortStableFunc(all, func(x, y scored) int {
			switch {
			case x.lack < y.lack:
				return -1
			case x.lack > y.lack:
				return 1
			}
			return 0
		})
		for _, s := range all[:min(keepLimbs, len(all))] {
			best[side] = append(best[side], s.ref)
		}
	}
	var out [][]string
	for _, l := range best[0] {
		for _, r := range best[1] {
			out = append(out, []string{b.Ref(), l, r})
		}
	}
	return out, nil
}

// candidate is the plan with its search scores.
func (c *Case) candidate(g *graft, p planner.Graft) planner.Candidate {
	f := c.neckFit(g, 0)
	worst := lack(f, sealRingMM)
	name := g.body.Name + ", at the renal artery"
	if g.top != 0 {
		name = fmt.Sprintf("%s, %.0f mm below the renal artery", g.body.Name, g.top)
	}
	if g.limb[0] != nil {
		if g.limb[0] == g.limb[1] {
			name += "; " + g.limb[0].Name + " on both sides"
		} else {
			name += "; " + g.limb[0].Name + " left, " + g.limb[1].Name + " right"
		}
		for side := range 2 {
			l, clear := c.limbFit(g, side, 0)
			worst += lack(l, iliacRingMM) + max(0, -clear)/10
		}
	} else {
		worst += lack(c.lowerFit(g, 0), iliacRingMM)
	}
	plan := planner.Plan{Case: c.Config.Case, Procedure: Name, Name: name, Graft: &p}.Sealed()
	return planner.Candidate{Plan: plan, Scores: []planner.Score{{ID: "misfit", Value: worst, Less: true}}}
}
