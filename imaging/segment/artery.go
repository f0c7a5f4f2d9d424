package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// columnSettings are the numbers of a vessel that runs along the spine.
type columnSettings struct {
	LeastMM  float64 // mm
	MostMM   float64 // mm
	EdgeHU   float64 // HU
	Round    float64 // 1
	AboveHU  float64 // HU
	LengthMM float64 // mm
	Mixed    float64 // 1
}

func columnParameters() []parameter[columnSettings] {
	return []parameter[columnSettings]{
		{Parameter{"LeastMM", "mm", 2, 15, "radius, at least"}, func(s *columnSettings) *float64 { return &s.LeastMM }},
		{Parameter{"MostMM", "mm", 5, 60, "radius, at most"}, func(s *columnSettings) *float64 { return &s.MostMM }},
		{Parameter{"EdgeHU", "HU", 3, 100, "its border is where the value changes by this much"}, func(s *columnSettings) *float64 { return &s.EdgeHU }},
		{Parameter{"Round", "1", 0.05, 0.9, "part of the rays that meet a border at one radius, at least"}, func(s *columnSettings) *float64 { return &s.Round }},
		{Parameter{"AboveHU", "HU", 5, 200, "its blood is brighter than muscle by this much"}, func(s *columnSettings) *float64 { return &s.AboveHU }},
		{Parameter{"LengthMM", "mm", 5, 300, "a shorter column is not taken for it"}, func(s *columnSettings) *float64 { return &s.LengthMM }},
		{Parameter{"Mixed", "1", 0.02, 10, "spread of its blood's value along its course, as a part of its contrast with muscle: that of an artery is well mixed, into a vein flows blood of organs that take up more and less contrast"}, func(s *columnSettings) *float64 { return &s.Mixed }},
	}
}

func checkColumn(s columnSettings) error {
	if s.LeastMM >= s.MostMM {
		return fmt.Errorf("LeastMM %g is not below MostMM %g", s.LeastMM, s.MostMM)
	}
	return nil
}

func aortaOperation() operation {
	return define(operation{
		name: "aorta", share: 0.08, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone}, gives: []imaging.Label{imaging.LabelAorta},
		doc: "the round bright column before the spine, followed slice by slice as the best path; a star-shaped outline in each slice, too stiff to follow branches; calcium in its wall belongs to it, not to bone",
	}, columnParameters(), checkColumn, findAorta)
}

// Where a vessel is looked for, mm from the spine: across the body and in front
// of the vertebrae, with the spread of the weight there. The abdominal aorta
// lies on the vertebrae, left of the midline by a third of their width; an
// elongated one swings by a width.
const (
	aortaLeftMM, aortaAcrossMM = 8.0, 25.0
	aortaGapMM, aortaDeepMM    = 3.0, 12.0
)

// columnBox holds every place from −right to +left of the spine, where there is
// one, from its middle to ahead mm before its front.
func columnBox(g imaging.Grid, s *spine, right, left, ahead float64) imaging.Box {
	h := g.SpacingMM()
	box := imaging.Box{Lo: [3]int{g.Size[0], g.Size[1], s.First}, Hi: [3]int{0, 0, s.Last + 1}}
	for k := s.First; k <= s.Last; k++ {
		box.Lo[0] = min(box.Lo[0], int(s.I[k]-right/h[0]))
		box.Hi[0] = max(box.Hi[0], int(s.I[k]+left/h[0]))
		box.Lo[1] = min(box.Lo[1], int(s.Front[k]-ahead/h[1]))
		box.Hi[1] = max(box.Hi[1], int(s.J[k]))
	}
	return box.Clip(g)
}

// bell is a Gaussian weight of x beyond ±free.
func bell(x, free, spread float64) float64 {
	x = max(0, math.Abs(x)-free) / spread
	return math.Exp(-x * x / 2)
}

// brightness rises from 0 to 1 as blood stands out from muscle by half to the
// whole of the wanted contrast.
func brightness(inside, muscle, above float64) float64 {
	return min(max(2*(inside-muscle)/above-1, 0), 1)
}

func findAorta(ctx context.Context, w *work, s columnSettings) error {
	l, err := w.find(ctx, imaging.LabelAorta)
	if err != nil {
		return err
	}
	g, h := w.c.Grid, w.c.Grid.SpacingMM()
	c, err := findColumn(ctx, g, w.smooth, columnBox(g, l.spine, 45, 60, 50), s, l.muscle, w.showRoundness(), func(i, j, k int, r roundness) float64 {
		if !w.body[g.Index(i, j, k)] {
			return 0
		}
		x := (float64(i) - l.spine.I[k]) * h[0]
		gap := (l.spine.Front[k]-float64(j))*h[1] - r.radius
		return brightness(r.inside, l.muscle, s.AboveHU) * bell(x-aortaLeftMM, 0, aortaAcrossMM) * bell(gap-aortaGapMM, 6, aortaDeepMM)
	})
	if err != nil {
		return err
	}
	if why := c.poor(g, s, l.muscle, "before the spine"); why != "" {
		return &NotFoundError{imaging.LabelAorta, why}
	}
	cutoff := func(k int) float64 { return (c.V[k] + l.muscle) / 2 }
	away := c.beside(g, w.bone, 4)
	l.aorta = c.outline(g, w.c.HU, func(k int) (float64, float64) { return cutoff(k), math.Inf(1) }, away, 1.6*s.MostMM)
	l.aortaLine = c
	if err := w.show("column", g, l.aorta); err != nil {
		return err
	}
	// calcium in the wall is no bone
	bone := w.out.Bit(imaging.LabelBone)
	for n, in := range l.aorta {
		w.bone[n] = w.bone[n] && !in
	}
	mid := (c.HU + l.muscle) / 2
	aorta := bitOf(w.out, imaging.LabelAorta)
	err = w.paint(ctx, w.out, imaging.LabelAorta, l.aorta, 0, func(phi float32, n int) bool {
		return phi < -bandMM || phi < bandMM && w.median9(n) > mid
	})
	if err != nil {
		return err
	}
	if err := amend(ctx, w.out, w.paintBox(l.aorta), aorta, bone, 0); err != nil {
		return err
	}
	w.foundColumn(imaging.LabelAorta, c, s, l.muscle)
	return nil
}

// poor says why a column is not taken for the vessel, with numbers.
func (c *column) poor(g imaging.Grid, s columnSettings, muscle float64, where string) string {
	switch {
	case c.Last < c.First:
		return fmt.Sprintf("nothing round %s is %.0f HU brighter than muscle (%.0f HU): a scan without contrast?", where, s.AboveHU/2, muscle)
	case c.lengthMM(g) < s.LengthMM:
		return fmt.Sprintf("the longest round bright column %s is %.0f mm at %.0f HU, less than %.0f mm: a scan without contrast, or the vessel is out of the field", where, c.lengthMM(g), c.HU, s.LengthMM)
	case c.Score < leastRound:
		return fmt.Sprintf("the best column %s, at %.0f HU, is round to %.2f on average, less than %.2f: nothing there looks like a vessel all along", where, c.HU, c.Score, leastRound)
	case c.HU < muscle+s.AboveHU/2:
		return fmt.Sprintf("the column %s has %.0f HU, muscle %.0f HU, less than %.0f HU apart: a scan without contrast?", where, c.HU, muscle, s.AboveHU/2)
	}
	return ""
}

// The mean roundness of a vessel seen clearly all along, and of a path through
// tissue that happens to have borders.
const (
	roundEnough = 0.6
	leastRound  = 0.4
)

// foundColumn reports a column: sure when it is round all along and its blood
// well above muscle.
func (w *work) foundColumn(l imaging.Label, c *column, s columnSettings, muscle float64) {
	d := doubts{confidence: 1}
	if c.Score < roundEnough {
		d.lower(c.Score/roundEnough, "its cross-section is round to %.2f on average, %.2f when seen clearly", c.Score, roundEnough)
	}
	if b := (c.HU - muscle) / s.AboveHU; b < 1 {
		d.lower(max(b, 0), "its blood has %.0f HU, muscle %.0f HU: less than %.0f HU apart", c.HU, muscle, s.AboveHU)
	}
	w.found(l, Automatic, d.confidence, d.why...)
}

// beside marks the voxels of m farther from the axis of c than its radius and
// mm.
func (c *column) beside(g imaging.Grid, m filter.Mask, mm float64) filter.Mask {
	h := g.SpacingMM()
	return filter.Where(g.Len(), func(n int) bool {
		if !m[n] {
			return false
		}
		i, j, k := g.IJK(n)
		return k < c.First || k > c.Last || math.Hypot((float64(i)-c.I[k])*h[0], (float64(j)-c.J[k])*h[1]) > c.R[k]+mm
	})
}

// showRoundness hands the roundness of every place to the inspector, if there
// is one.
func (w *work) showRoundness() func(imaging.Grid, []float32) error {
	if w.o.Inspect == nil {
		return nil
	}
	return func(g imaging.Grid, f []float32) error { return w.showField("roundness, 0 to 1", g, f) }
}
