package segment

import (
	"context"

	"halsted/imaging/filter"
)

// addLesions takes in tumours that reach the surface: pieces of tissue darker
// than liver, inside the wall of the trunk, parted at necks, that touch mostly
// liver or the right lung (with the diaphragm between). Stomach, gall bladder and
// muscle touch mostly fat or ribs, and fluid at the surface is bile. A seeded
// tumour is taken in whatever it touches.
func (l *liverShape) addLesions(ctx context.Context) error {
	w, s, g := l.work, l.s, l.c.Grid
	if err := l.close(ctx); err != nil {
		return err
	}
	if err := l.findWall(ctx); err != nil {
		return err
	}
	near, err := filter.Dilate(ctx, g, l.liver, s.LesionReachMM)
	if err != nil {
		return err
	}
	hull, err := l.closed(ctx, l.liver, s.LesionReachMM)
	if err != nil {
		return err
	}
	w.chalk = l.calcification()
	cand := filter.Where(g.Len(), func(n int) bool {
		return near[n] && !l.liver[n] && l.body[n] && (w.chalk[n] || !l.bone[n] && !l.cage[n] && !l.wall[n] && l.img[n] > fatHU && l.img[n] < l.low)
	})
	core, err := filter.Erode(ctx, g, cand, s.LesionOpenMM)
	if err != nil {
		return err
	}
	p, err := filter.Lobes(ctx, g, core, s.NeckPart)
	if err != nil {
		return err
	}
	least := s.LesionMinML * 1000 / g.VoxelMM3() / 4 // an opened core is smaller than its lesion
	for n, c := range p.Of {
		if c > 0 && float64(p.Count[c]) < least {
			p.Of[n] = 0
		}
	}
	p.Spread(g, cand, s.LesionOpenMM+w.stepMM())
	// calcification, septa and noise in them
	whole, err := l.closed(ctx, filter.Where(g.Len(), func(n int) bool { return p.Of[n] > 0 }), s.LesionOpenMM)
	if err != nil {
		return err
	}
	p.Spread(g, filter.Where(g.Len(), func(n int) bool {
		return whole[n] && !l.liver[n] && !l.cage[n] && !l.wall[n] && (!l.bone[n] || w.chalk[n]) && l.c.HU[n] > airHU
	}), s.LesionOpenMM)
	if err := ctx.Err(); err != nil {
		return err
	}
	keep, inner, err := l.judge(ctx, p, core, hull)
	if err != nil {
		return err
	}
	for _, seed := range w.o.Seeds {
		if n, ok := w.voxel(seed.LPS); ok && seed.Label.IsTumour() && !(inner[p.Of[n]] && hull[n]) {
			keep[p.Of[n]] = true
		}
	}
	keep[0] = false
	l.lesion = filter.Where(g.Len(), func(n int) bool { return keep[p.Of[n]] || inner[p.Of[n]] && hull[n] })
	for n, in := range l.lesion {
		l.liver[n] = l.liver[n] || in || w.chalk[n]
	}
	if err := w.show("lesions at the surface", g, l.lesion); err != nil {
		return err
	}
	// parenchyma that a lesion parts from the rest
	grown, err := filter.Dilate(ctx, g, l.lesion, s.OpenMM+w.stepMM())
	if err != nil {
		return err
	}
	l.liver = filter.Reach(g, l.core, filter.Where(g.Len(), func(n int) bool {
		return l.liver[n] || grown[n] && l.body[n] && !l.bone[n] && !l.cage[n] && l.img[n] >= l.low && l.img[n] <= l.high
	}))
	return l.close(ctx)
}

// rightLung is the piece of air with most voxels right of the middle of the
// body, cut there; the left one may hang together with it.
func (l *liverShape) rightLung() filter.Mask {
	g, mid := l.c.Grid, l.middle()
	p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return l.body[n] && l.c.HU[n] < airHU }))
	count := make([]int, len(p.Count))
	for n, c := range p.Of {
		if c > 0 && n%g.Size[0] < mid {
			count[c]++
		}
	}
	best := 0
	for c := range count {
		if count[c] > count[best] {
			best = c
		}
	}
	return filter.Where(g.Len(), func(n int) bool { return best > 0 && p.Of[n] == int32(best) && n%g.Size[0] < mid })
}

// contact is what the surface of a piece touches, in voxel faces.
type contact struct {
	all, in                         int // voxels; those in a notch of the liver
	liver, lung, chest, wall, other int
	notch, notchTouch               int // faces of the part in the notch; those on liver or lung
}

// diaphragmMM is how thick the diaphragm and the blurred edge of the lung are
// together, at most.
const diaphragmMM = 5

// bedTouch is the part of the surface of a lesion in its notch, together with a
// neighbour outside it, that lies on liver or lung.
const bedTouch = 0.7

// judge tells lesions from neighbours by what they touch; core is their inner
// part. Of those of the second result only what lies in a notch is lesion: the
// rest is a neighbour of the same value.
func (l *liverShape) judge(ctx context.Context, p *filter.Parts, core, hull filter.Mask) (keep, inner []bool, err error) {
	g := l.c.Grid
	lung, err := filter.Dilate(ctx, g, l.rightLung(), diaphragmMM)
	if err != nil {
		return nil, nil, err
	}
	liver, err := filter.Dilate(ctx, g, l.liver, 1.01*l.stepMM())
	if err != nil {
		return nil, nil, err
	}
	at := make([]contact, len(p.Count))
	for n, c := range p.Of {
		if c == 0 {
			continue
		}
		t := &at[c]
		t.all++
		if hull[n] {
			t.in++
		}
		filter.Neighbours(g, n, func(o int) {
			if p.Of[o] != c {
				switch {
				case liver[o]:
					t.liver++
				case lung[o]:
					t.lung++
				case l.wall[o]:
					t.wall++
				case l.cage[o] || l.bone[o]:
					t.chest++
				default:
					t.other++
				}
			}
			if hull[n] && (p.Of[o] != c || !hull[o]) {
				t.notch++
				if liver[o] || lung[o] {
					t.notchTouch++
				}
			}
		})
	}
	fluid := l.fluid(p, core)
	round := l.sphericity(p)
	keep, inner = make([]bool, len(p.Count)), make([]bool, len(p.Count))
	for c := 1; c < len(keep); c++ {
		t := at[c]
		if t.all == 0 {
			continue
		}
		faces := float64(t.liver + t.lung + t.chest + t.other)
		touch := float64(t.liver+t.lung) / faces
		notch := 3*t.in >= t.all && float64(t.notchTouch) >= l.s.LesionTouch*float64(t.notch) && t.in > 0
		dome := touch >= l.s.LesionTouch && float64(t.liver) >= 0.15*faces && round[c] >= l.s.LesionRound
		keep[c] = (notch || dome) && (!fluid[c] || touch > bileTouch)
		inner[c] = !keep[c] && !fluid[c] && l.ml(t.in) >= l.s.LesionMinML && float64(t.notchTouch) >= bedTouch*float64(t.notch)
	}
	return keep, inner, nil
}

// bileTouch is the part of a gall bladder's surface that lies on the liver, at
// most: its bed is one side of it.
const bileTouch = 0.6

// fluid tells the pieces that hold fluid, as gall bladder and bowel do and
// cysts: the median of their inner part is below BileHU.
func (l *liverShape) fluid(p *filter.Parts, core filter.Mask) []bool {
	hu := make([][]float32, len(p.Count))
	for n, c := range p.Of {
		if c > 0 && core[n] {
			hu[c] = append(hu[c], l.c.HU[n])
		}
	}
	is := make([]bool, len(p.Count))
	for c, x := range hu {
		is[c] = len(x) > 0 && float64(filter.Ranked(x, len(x)/2)) < l.s.BileHU
	}
	return is
}

// calcification is the bone-bright tissue in pieces that touch liver for a good
// part of their surface, as no rib does.
func (l *liverShape) calcification() filter.Mask {
	g := l.c.Grid
	p := filter.Components(g, l.bone)
	touch, faces := make([]int, len(p.Count)), make([]int, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			filter.Neighbours(g, n, func(o int) {
				if p.Of[o] != c {
					faces[c]++
					if l.liver[o] {
						touch[c]++
					}
				}
			})
		}
	}
	return p.Only(func(c int32) bool { return 4*touch[c] >= faces[c] && float64(p.Count[c])*g.VoxelMM3() < 20e3 })
}
