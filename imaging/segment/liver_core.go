package segment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// findCore takes the piece of even tissue that survives an erosion, and grows
// it back.
func (l *liverShape) findCore(ctx context.Context) error {
	w, s, g := l.work, l.s, l.c.Grid
	window := filter.Where(g.Len(), func(n int) bool { return w.body[n] && !w.bone[n] && l.img[n] >= l.coreLow && !l.thick[n] })
	if err := w.show("window around the liver's value", g, window); err != nil {
		return err
	}
	core, err := filter.Erode(ctx, g, window, s.OpenMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	id, err := l.choose(p)
	if err != nil {
		return err
	}
	if l.core, l.other, err = l.withoutNeighbour(ctx, p.Only(func(c int32) bool { return c == id })); err != nil {
		return err
	}
	if err := l.shareOut(ctx, window); err != nil {
		return err
	}
	return w.show("core", g, l.core)
}

// shareOut grows the core, and what was parted from it, back into the window as
// far as the opening went; where both reach, each has what is nearer to it.
func (l *liverShape) shareOut(ctx context.Context, window filter.Mask) error {
	g, mm := l.c.Grid, l.s.OpenMM+l.stepMM()
	grown, err := filter.Dilate(ctx, g, l.core, mm)
	if err != nil {
		return err
	}
	if l.other.Count() > 0 {
		to, err := distance.Unsigned(ctx, g, func(n int) bool { return l.core[n] })
		if err != nil {
			return err
		}
		away, err := distance.Unsigned(ctx, g, func(n int) bool { return l.other[n] })
		if err != nil {
			return err
		}
		l.other = filter.Where(g.Len(), func(n int) bool {
			return l.other[n] || window[n] && away[n] <= float32(mm) && away[n] < to[n]
		})
	}
	l.liver = filter.Reach(g, l.core, filter.Where(g.Len(), func(n int) bool { return grown[n] && window[n] && !l.other[n] }))
	return nil
}

// hangPart is how much of the opened core may hang on it by necks and be another
// organ: pancreas and duodenum are a tenth of a liver, and little of them
// survives the opening. More are lobes, or noise.
const hangPart = 0.1

// withoutNeighbour parts what hangs on the core by a neck: pancreas, duodenum or
// stomach of the liver's own value. The first result is the core without it and
// without the thin bridge to it, the second what was parted, often nothing. A
// lobe of the liver that a fissure or a thick vessel parts from the rest hangs on
// it by more.
func (l *liverShape) withoutNeighbour(ctx context.Context, core filter.Mask) (filter.Mask, filter.Mask, error) {
	g := l.c.Grid
	p, err := filter.Lobes(ctx, g, core, l.s.NeckPart)
	if err != nil {
		return nil, nil, err
	}
	id, err := l.choose(p)
	if err != nil {
		return nil, nil, err
	}
	if hang := core.Count() - p.Count[id]; hang == 0 || float64(hang) > hangPart*float64(core.Count()) {
		return core, make(filter.Mask, len(core)), nil
	}
	main := p.Only(func(c int32) bool { return c == id })
	other := p.Only(func(c int32) bool { return c != id })
	thick, err := filter.Erode(ctx, g, main, l.s.TailMM)
	if err != nil {
		return nil, nil, err
	}
	if thick, err = filter.Dilate(ctx, g, thick, l.s.TailMM+l.stepMM()/2); err != nil {
		return nil, nil, err
	}
	beside, err := filter.Dilate(ctx, g, other, 1.01*l.stepMM())
	if err != nil {
		return nil, nil, err
	}
	thin := filter.Where(len(main), func(n int) bool { return main[n] && !thick[n] })
	bridge := filter.Reach(g, filter.Where(len(main), func(n int) bool { return thin[n] && beside[n] }), thin)
	for n, is := range bridge {
		main[n], other[n] = main[n] && !is, other[n] || is
	}
	return filter.LargestOf(g, main), other, nil
}

// findThick is bright tissue in thick pieces: vena cava, portal trunk, heart,
// kidney. They bound the search for the core. In the thickest of them, vein,
// no confluence of hepatic or portal branches lies either.
func (l *liverShape) findThick(ctx context.Context) error {
	g := l.c.Grid
	least := float32(l.bright())
	bright := filter.Where(g.Len(), func(n int) bool { return l.body[n] && !l.bone[n] && l.img[n] > least })
	open := func(mm float64) (filter.Mask, error) {
		m, err := filter.Erode(ctx, g, bright, mm)
		if err != nil {
			return nil, err
		}
		if m, err = filter.Dilate(ctx, g, m, mm+l.stepMM()/2); err != nil {
			return nil, err
		}
		return filter.Where(g.Len(), func(n int) bool { return m[n] && bright[n] }), nil
	}
	var err error
	if l.thick, err = open(l.s.ThickMM); err != nil {
		return err
	}
	if l.vein, err = open(l.s.VeinMM); err != nil {
		return err
	}
	return l.show("thick bright tissue", g, l.vein)
}

// bright is the HU above which tissue is vessel: well above the liver's own
// spread, and BloodPart of the way to the blood of the aorta where that is
// known. The lobes of one liver differ by more than the spread within each when
// a tumour or a branch of the portal vein changes their supply.
func (l *liverShape) bright() float64 {
	bright := l.liverHU + l.s.CutHighSD*l.liverSD
	if c := l.marks.aortaLine; c != nil {
		bright = max(bright, l.liverHU+l.s.BloodPart*(c.HU-l.liverHU))
	}
	return bright
}

// findCage closes the gaps between the ribs: what lies there is chest wall.
func (l *liverShape) findCage(ctx context.Context) error {
	g := l.c.Grid
	m, err := filter.Dilate(ctx, g, l.bone, l.s.CageMM)
	if err != nil {
		return err
	}
	if m, err = filter.Erode(ctx, g, m, l.s.CageMM); err != nil {
		return err
	}
	l.cage = filter.Where(g.Len(), func(n int) bool { return m[n] && !l.liver[n] })
	return l.show("chest wall", g, l.cage)
}

// closed closes a mask by mm.
func (l *liverShape) closed(ctx context.Context, m filter.Mask, mm float64) (filter.Mask, error) {
	m, err := filter.Dilate(ctx, l.c.Grid, m, mm)
	if err != nil {
		return nil, err
	}
	return filter.Erode(ctx, l.c.Grid, m, mm)
}

// close takes in thin vessels, small lesions and noise: soft tissue that a
// closing reaches, and what the liver encloses on all sides.
func (l *liverShape) close(ctx context.Context) error {
	g := l.c.Grid
	hull, err := l.closed(ctx, l.liver, l.s.CloseMM)
	if err != nil {
		return err
	}
	l.liver = filter.Fill(g, filter.Where(g.Len(), func(n int) bool {
		return l.liver[n] || hull[n] && l.img[n] > fatHU && l.body[n] && !l.vein[n] && !l.cage[n]
	}))
	return ctx.Err()
}

// choose is the component of the opened core that holds the liver: the nearest
// to the seeds, or without any the one with most voxels to the right of the
// middle of the body.
func (l *liverShape) choose(p *filter.Parts) (int32, error) {
	w, s, g := l.work, l.s, l.c.Grid
	best, bestMM := int32(0), math.Inf(1)
	for _, at := range w.seeds(imaging.LabelLiver) {
		for n, c := range p.Of {
			if c == 0 {
				continue
			}
			i, j, k := g.IJK(n)
			if d := r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), at)); d < bestMM {
				best, bestMM = c, d
			}
		}
	}
	if best > 0 {
		if bestMM > 4*s.OpenMM {
			return 0, &NotFoundError{imaging.LabelLiver, fmt.Sprintf("nothing like the tissue at the seed within %.0f mm; move the seed into plain liver, away from vessels and tumours", 4*s.OpenMM)}
		}
		return best, nil
	}
	mid := l.middle()
	count := make([]int, len(p.Count))
	for n, c := range p.Of {
		if i, _, _ := g.IJK(n); c > 0 && i < mid {
			count[c]++
		}
	}
	for c := 1; c < len(count); c++ {
		if count[c] > 0 && (best == 0 || count[c] > count[best]) {
			best = int32(c)
		}
	}
	if best == 0 {
		return 0, &NotFoundError{imaging.LabelLiver, "no thick piece of even tissue right of the midline; give a seed inside the liver"}
	}
	return best, nil
}

// middle is the column of the spine, or where none is in the field the one
// halfway across the body.
func (l *liverShape) middle() int {
	if s := l.marks.spine; s != nil && s.Bone >= leastSpine {
		return int(median(slices.Clone(s.I)))
	}
	b := filter.Bounds(l.c.Grid, l.body)
	return (b.Lo[0] + b.Hi[0]) / 2
}

// findFlesh measures the HU of muscle beside the spine.
func (l *liverShape) findFlesh(ctx context.Context) error {
	l.flesh = math.NaN()
	if l.bone == nil {
		return nil
	}
	m, err := l.find(ctx, imaging.LabelLiver)
	if _, none := errors.AsType[*NotFoundError](err); none {
		return nil
	}
	if err != nil {
		return err
	}
	l.flesh = m.muscle
	return nil
}
