package segment

import (
	"context"
	"errors"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// cartilageSettings are the numbers of the costal cartilage.
type cartilageSettings struct {
	AboveHU float64 // HU
	BelowHU float64 // HU
	OpenMM  float64 // mm
	ReachMM float64 // mm
	DeepMM  float64 // mm
	MinML   float64 // ml
	MaxML   float64 // ml
}

func cartilageOperation() operation {
	return define(operation{
		name: "costal cartilage", share: 0.04, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone},
		doc: "adds to bone the cartilage that carries ribs on to the sternum: even tissue brighter than muscle, as near to the skin as the ribs, beside bone, and no other organ",
	}, []parameter[cartilageSettings]{
		{Parameter{"AboveHU", "HU", 5, 100, "brighter than muscle by this much"}, func(s *cartilageSettings) *float64 { return &s.AboveHU }},
		{Parameter{"BelowHU", "HU", 100, 600, "and below this"}, func(s *cartilageSettings) *float64 { return &s.BelowHU }},
		{Parameter{"OpenMM", "mm", 0.5, 5, "thinner than twice this is a vessel"}, func(s *cartilageSettings) *float64 { return &s.OpenMM }},
		{Parameter{"ReachMM", "mm", 1, 50, "it begins within this distance of bone"}, func(s *cartilageSettings) *float64 { return &s.ReachMM }},
		{Parameter{"DeepMM", "mm", 0, 40, "its middle lies at most this much deeper under the skin than that of the ribs"}, func(s *cartilageSettings) *float64 { return &s.DeepMM }},
		{Parameter{"MinML", "ml", 0.1, 10, "smaller pieces are left out"}, func(s *cartilageSettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 10, 300, "larger ones are an organ"}, func(s *cartilageSettings) *float64 { return &s.MaxML }},
	}, nil, findCartilage)
}

// awayFromSpineMM is the distance to the side of the spine beyond which bone is
// rib.
const awayFromSpineMM = 60.0

func findCartilage(ctx context.Context, w *work, s cartilageSettings) error {
	m, muscle, err := w.cartilage(ctx, s)
	if err != nil {
		return err
	}
	if err := w.show("cartilage", w.c.Grid, m); err != nil || m.Count() == 0 {
		return err
	}
	var values []float64
	for n, in := range m {
		if in {
			values = append(values, float64(w.c.HU[n]))
		}
	}
	// half height against muscle; where noise is high, beyond two standard
	// deviations of it, but never above the cartilage itself
	value := median(values)
	edge := max((muscle+value)/2, min(muscle+2*w.muscleNoise(muscle), (muscle+3*value)/4))
	others := uint32(0)
	for b, o := range w.out.Of {
		if o != imaging.LabelBody && o != imaging.LabelBone {
			others |= 1 << b
		}
	}
	// what bone took beside it is its calcification, and ends where it ends
	with, err := filter.Dilate(ctx, w.c.Grid, m, chalkyMM)
	if err != nil {
		return err
	}
	for n, in := range with {
		with[n] = in && (m[n] || w.bone[n])
	}
	err = w.paint(ctx, w.out, imaging.LabelBone, with, 0, func(phi float32, n int) bool {
		return w.out.Bits[n]&others == 0 && phi < bandMM && w.quiet(n) > edge
	})
	if err != nil {
		return err
	}
	if err := w.fillMarrow(ctx, edge, cartilageGapMM2); err != nil {
		return err
	}
	w.rep.note("%.0f ml of costal cartilage at %.0f HU, outlined at %.0f HU, count as bone", w.ml(m.Count()), value, edge)
	for n, in := range m {
		w.bone[n] = w.bone[n] || in
	}
	return nil
}

// muscleNoise is the standard deviation of what outlines are drawn from in muscle:
// even tissue of its value on the working grid.
func (w *work) muscleNoise(muscle float64) float64 {
	const nearHU, mostSamples = 8.0, 20000
	var at []int
	for n, v := range w.smooth {
		if math.Abs(float64(v)-muscle) < nearHU && w.body[n] && !w.bone[n] {
			at = append(at, n)
		}
	}
	sum, squares, count := 0.0, 0.0, 0.0
	for q := 0; q < len(at); q += 1 + len(at)/mostSamples {
		i, j, k := w.c.Grid.IJK(at[q])
		b := w.c.Block
		d := w.quiet(w.v.Grid.Index(i*b[0], j*b[1], k*b[2])) - muscle
		sum += d
		squares += d * d
		count++
	}
	if count < 2 {
		return 0
	}
	return math.Sqrt(max(0, squares/count-sum*sum/count/count))
}

// cartilage is the costal cartilage on the working grid and the value of muscle;
// empty when the spine, the skin or the ribs it is measured from are not in the
// field.
func (w *work) cartilage(ctx context.Context, s cartilageSettings) (filter.Mask, float64, error) {
	g, h := w.c.Grid, w.c.Grid.SpacingMM()
	none := make(filter.Mask, g.Len())
	l, err := w.find(ctx, imaging.LabelBone)
	if err != nil {
		var absent *NotFoundError
		if errors.As(err, &absent) {
			err = nil
		}
		return none, 0, err
	}
	// depth under the skin, in the slices: the first and last are no skin
	outside := 0
	for _, in := range w.body {
		if !in {
			outside++
		}
	}
	if outside == 0 {
		return none, 0, nil
	}
	depth, err := distance.Unsigned(ctx, g, func(n int) bool { return !w.body[n] })
	if err != nil {
		return none, 0, err
	}
	var ribs []float64
	for n, in := range w.bone {
		if !in {
			continue
		}
		i, j, k := g.IJK(n)
		if x := (float64(i) - l.spine.I[k]) * h[0]; (x > awayFromSpineMM || x < -awayFromSpineMM) && float64(j) < l.spine.J[k] {
			ribs = append(ribs, float64(depth[n]))
		}
	}
	if w.ml(len(ribs)) < s.MinML {
		return none, 0, nil
	}
	deepest := median(ribs) + s.DeepMM
	taken := w.others()
	near, err := filter.Dilate(ctx, g, w.bone, s.ReachMM)
	if err != nil {
		return none, 0, err
	}
	window := filter.Where(g.Len(), func(n int) bool {
		return w.body[n] && !taken[n] && float64(depth[n]) < 2*deepest && float64(w.smooth[n]) > l.muscle+s.AboveHU && float64(w.smooth[n]) < s.BelowHU
	})
	if w.marks.lung != nil {
		for n, in := range w.marks.lung {
			window[n] = window[n] && !in
		}
	}
	core, err := filter.Erode(ctx, g, window, s.OpenMM)
	if err != nil {
		return none, 0, err
	}
	p := filter.Components(g, core)
	sum, count, touch := make([]float64, len(p.Count)), make([]int, len(p.Count)), make([]bool, len(p.Count))
	for n, c := range p.Of {
		if c == 0 {
			continue
		}
		_, j, k := g.IJK(n)
		if float64(j) < l.spine.Front[k] { // before the spine
			count[c]++
		}
		sum[c] += float64(depth[n])
		touch[c] = touch[c] || near[n]
	}
	core = p.Only(func(c int32) bool {
		ml := w.ml(p.Count[c])
		return touch[c] && 2*count[c] > p.Count[c] && sum[c] < deepest*float64(p.Count[c]) && ml >= s.MinML && ml <= s.MaxML
	})
	m, err := grownBack(ctx, g, core, window, s.OpenMM)
	if err != nil {
		return none, 0, err
	}
	return m, l.muscle, nil
}

// chalkyMM is how far from plain cartilage bone-bright tissue still is
// cartilage with calcification in it.
const chalkyMM = 10.0

// cartilageGapMM2 is the largest hole that noise and fat make in a cross-section
// of cartilage.
const cartilageGapMM2 = 30.0
