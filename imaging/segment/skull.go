package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// HeadCT is the name of the recipe for bone, skin and brain cavity in CT of the
// head.
const HeadCT = "ct.head"

// cavitySettings are the numbers of the brain cavity step.
type cavitySettings struct {
	AboveHU  float64 // HU
	BelowHU  float64 // HU
	NeckMM   float64 // mm
	CornerMM float64 // mm
	ShellPct float64 // %
	MinML    float64 // ml
	MaxML    float64 // ml
}

func cavityOperation() operation {
	return define(operation{
		name: "brain cavity", share: 0.2, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone}, gives: []imaging.Label{imaging.LabelBrain},
		doc: "the largest space of soft tissue and fluid that bone surrounds, brain, vessels and fluid together; a ball that does not pass the foramen magnum closes it and every smaller opening",
	}, []parameter[cavitySettings]{
		{Parameter{"AboveHU", "HU", -100, 50, "fluid and brain are brighter: fat and air are not"}, func(s *cavitySettings) *float64 { return &s.AboveHU }},
		{Parameter{"BelowHU", "HU", 60, 400, "and darker than bone; fresh blood has up to 90"}, func(s *cavitySettings) *float64 { return &s.BelowHU }},
		{Parameter{"NeckMM", "mm", 5, 30, "radius of the ball: openings narrower than twice this are closed; the foramen magnum is about 30 × 35 mm"}, func(s *cavitySettings) *float64 { return &s.NeckMM }},
		{Parameter{"CornerMM", "mm", 0, 20, "how far it goes on from where the ball ends, into corners and into openings"}, func(s *cavitySettings) *float64 { return &s.CornerMM }},
		{Parameter{"ShellPct", "%", 30, 100, "part of the directions from its middle in which bone lies"}, func(s *cavitySettings) *float64 { return &s.ShellPct }},
		{Parameter{"MinML", "ml", 50, 1500, "a smaller cavity is not believed"}, func(s *cavitySettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 500, 5000, "nor a larger one"}, func(s *cavitySettings) *float64 { return &s.MaxML }},
	}, func(s cavitySettings) error {
		if s.AboveHU >= s.BelowHU || s.MinML >= s.MaxML {
			return fmt.Errorf("AboveHU %g must be below BelowHU %g, MinML %g below MaxML %g", s.AboveHU, s.BelowHU, s.MinML, s.MaxML)
		}
		return nil
	}, findCavity)
}

// findCavity opens the soft tissue with a ball, takes the largest piece with
// bone around it, and grows it back into its corners.
func findCavity(ctx context.Context, w *work, s cavitySettings) error {
	g := w.c.Grid
	none := func(format string, a ...any) error {
		return &NotFoundError{imaging.LabelBrain, fmt.Sprintf(format, a...)}
	}
	soft := filter.Where(g.Len(), func(n int) bool {
		v := float64(w.smooth[n])
		return w.body[n] && !w.bone[n] && v > s.AboveHU && v < s.BelowHU
	})
	// calcium and vessels inside are no wall
	solid := filter.Fill(g, soft)
	soft = filter.Where(g.Len(), func(n int) bool { return soft[n] || solid[n] && !w.bone[n] })
	core, err := filter.Erode(ctx, g, soft, s.NeckMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	best, shell, part := int32(0), 0.0, 0.0
	for c := int32(1); c < int32(len(p.Count)); c++ {
		if q := w.surrounded(p, c); q > part {
			part = q
		}
		if best > 0 && p.Count[c] <= p.Count[best] {
			continue
		}
		if q := w.surrounded(p, c); 100*q >= s.ShellPct {
			best, shell = c, q
		}
	}
	if best == 0 {
		return none("no space wider than %g mm has bone in at least %g %% of the directions around it; the best has %.0f %%: is the skull in the field?", 2*s.NeckMM, s.ShellPct, 100*part)
	}
	core = p.Only(func(c int32) bool { return c == best })
	if err := w.show("core", g, core); err != nil {
		return err
	}
	m, err := grownBack(ctx, g, core, soft, s.NeckMM+s.CornerMM)
	if err != nil {
		return err
	}
	m = filter.Fill(g, m)
	if err := w.show("cavity", g, m); err != nil {
		return err
	}
	ml := w.ml(m.Count())
	if !(ml >= s.MinML && ml <= s.MaxML) {
		return none("the largest space that bone surrounds, in %.0f %% of the directions, holds %.0f ml, not %g to %g ml: is the whole skull in the field, and closed?", 100*shell, ml, s.MinML, s.MaxML)
	}
	open, err := w.openShell(ctx, m)
	if err != nil {
		return err
	}
	d := doubts{confidence: 1}
	if open > openShellMost {
		d.lower(max(0.2, 1-open), "%.0f %% of its surface has no bone within %g mm: an opening of the skull, thin bone at its base or the end of the scan", 100*open, shellMM)
	}
	if touchesEnd(g, m) {
		d.lower(0.6, "it reaches the first or last slice: the field of view may cut it, and its volume is that of the part scanned")
	}
	bone := w.out.Bit(imaging.LabelBone)
	err = w.paint(ctx, w.out, imaging.LabelBrain, m, 0, func(phi float32, n int) bool {
		if phi > bandMM || phi > -2*bandMM && w.out.Bits[n]&bone != 0 {
			return false // deeper inside, what is dense is calcium
		}
		v := w.median9(n)
		return phi < -bandMM || v > s.AboveHU && v < s.BelowHU
	})
	if err != nil {
		return err
	}
	w.found(imaging.LabelBrain, Automatic, d.confidence, d.why...)
	return nil
}

// shellMM is how near bone lies to the surface of the cavity, fluid, dura and
// the outline's own error between them; openShellMost is the part of the surface
// that has none at the foramen magnum and the openings of the base.
const (
	shellMM       = 6.0
	openShellMost = 0.12
)

// openShell is the part of the surface of m without bone within shellMM.
func (w *work) openShell(ctx context.Context, m filter.Mask) (float64, error) {
	g := w.c.Grid
	d, err := distance.Unsigned(ctx, g, func(n int) bool { return w.bone[n] })
	if err != nil {
		return 0, err
	}
	surface, open := 0, 0
	for n, in := range m {
		if !in {
			continue
		}
		edge := false
		filter.Neighbours(g, n, func(o int) { edge = edge || !m[o] })
		if edge {
			surface++
			if d[n] > shellMM {
				open++
			}
		}
	}
	return float64(open) / float64(max(surface, 1)), nil
}

// surrounded is the part of the directions from the middle of a component in
// which bone lies within reach of a skull.
func (w *work) surrounded(p *filter.Parts, c int32) float64 {
	g, h := w.c.Grid, w.c.Grid.SpacingMM()
	var at [3]float64
	for n, o := range p.Of {
		if o == c {
			i, j, k := g.IJK(n)
			at[0] += float64(i)
			at[1] += float64(j)
			at[2] += float64(k)
		}
	}
	for a := range at {
		at[a] /= float64(p.Count[c])
	}
	const directions, reachMM = 200, 140.0
	hit := 0
	for q := range directions { // points of equal area on the sphere
		z := 1 - (2*float64(q)+1)/directions
		s, co := math.Sincos(float64(q) * math.Pi * (3 - math.Sqrt(5)))
		r := math.Sqrt(1 - z*z)
		for d := 0.0; d < reachMM; d++ {
			i, j, k := int(math.Round(at[0]+d*r*co/h[0])), int(math.Round(at[1]+d*r*s/h[1])), int(math.Round(at[2]+d*z/h[2]))
			if !g.Contains(i, j, k) {
				break
			}
			if w.bone[g.Index(i, j, k)] {
				hit++
				break
			}
		}
	}
	return float64(hit) / directions
}
