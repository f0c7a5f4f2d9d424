package segment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// kidney is one kidney on the working grid.
type kidney struct {
	doubts
	bright, m filter.Mask // candidates; the kidney
	hu        float64     // commonest value
	cutoff    float64     // HU: brighter is kidney, whatever lies beside it
	ml        float64
	near      float64 // to the place of kidneys, 0 to 1
	cut       bool    // it reaches the first or last slice
	why       string  // why it was not found
}

// kidneySearch is where, between what and by what the kidney of one side is
// looked for, on the working grid.
type kidneySearch struct {
	g                 imaging.Grid
	smooth            []float32   // HU
	body, taken, bone filter.Mask // taken: of other organs, bone included
	spine             *spine
	muscle            float64 // HU
	blood, liver      float64 // HU; NaN when no aorta, no liver was found
	sign              float64 // −1 right, 1 left
	set               kidneySettings
}

// Where kidneys lie, mm: beside the middle of the spine and behind its front,
// and the middle and spread of their own middles there.
const (
	kidneyNearMM, kidneyFarMM     = 15.0, 130.0
	kidneyAheadMM, kidneyBehindMM = 70.0, 60.0
	kidneySideMM, kidneyBackMM    = 65.0, 18.0
	kidneySpreadMM                = 25.0
)

// plainFatHU is fat that holds nothing else (−120 to −80 HU).
const plainFatHU = -100

// place is how far to its side and behind the front of the spine a voxel lies, mm,
// and whether kidneys do.
func (s *kidneySearch) place(i, j, k int) (x, y float64, in bool) {
	h := s.g.SpacingMM()
	x, y = s.sign*(float64(i)-s.spine.I[k])*h[0], (float64(j)-s.spine.Front[k])*h[1]
	return x, y, k >= s.spine.First && k <= s.spine.Last && x > kidneyNearMM && x < kidneyFarMM && y > -kidneyAheadMM && y < kidneyBehindMM
}

// nearness is how near a middle at x, y is to that of most kidneys, 0 to 1.
func (s *kidneySearch) nearness(x, y float64) float64 {
	return bell(x-kidneySideMM, 0, kidneySpreadMM) * bell(y-kidneyBackMM, 0, kidneySpreadMM)
}

// middle is the mean place of m, mm.
func (s *kidneySearch) middle(m filter.Mask) (x, y float64) {
	count := 0.0
	for n, in := range m {
		if in {
			i, j, k := s.g.IJK(n)
			u, v, _ := s.place(i, j, k)
			x, y, count = x+u, y+v, count+1
		}
	}
	return x / max(1, count), y / max(1, count)
}

// brighter is the tissue of no other organ above hu where kidneys lie.
func (s *kidneySearch) brighter(hu float64) filter.Mask {
	return filter.Where(s.g.Len(), func(n int) bool {
		if !s.body[n] || s.taken[n] || float64(s.smooth[n]) < hu {
			return false
		}
		i, j, k := s.g.IJK(n)
		_, _, in := s.place(i, j, k)
		return in
	})
}

// run tries the values that are common there, the brightest first, and keeps the
// piece that looks most like a kidney; where none does, the thick piece in fat.
func (s *kidneySearch) run(ctx context.Context) (*kidney, error) {
	bright := s.brighter(s.muscle + s.set.AboveHU)
	best := &kidney{why: "no value is common among what is brighter than muscle there"}
	for _, hu := range s.peaks(bright) {
		k, err := s.piece(ctx, hu, max((hu+s.muscle)/2, s.muscle+s.set.AboveHU/2))
		if err != nil {
			return nil, err
		}
		if best.confidence == 0 || k.why == "" && (best.why != "" || k.confidence > best.confidence) {
			best = k
		}
		if best.why == "" && best.confidence >= sureKidney {
			break
		}
	}
	if best.why != "" || best.confidence < plainKidney {
		k, err := s.inFat(ctx)
		if err != nil {
			return nil, err
		}
		if k.why == "" && (best.why != "" || k.confidence > best.confidence) {
			best = k
		}
	}
	if ml := s.ml(bright); best.why != "" && ml < s.set.MinML {
		best.why = fmt.Sprintf("only %.1f ml beside the spine are %.0f HU brighter than muscle (%.0f HU): no kidney in the field, or no contrast", ml, s.set.AboveHU, s.muscle)
	}
	if best.why == "" && best.confidence < leastKidney {
		best.why = fmt.Sprintf("the likeliest piece beside the spine (%.0f ml at %.0f HU) does not look like a kidney:", best.ml, best.hu)
		for _, d := range best.doubts.why {
			best.why += " " + d + ";"
		}
		best.why = best.why[:len(best.why)-1]
	}
	best.bright = bright
	return best, ctx.Err()
}

func (s *kidneySearch) ml(m filter.Mask) float64 { return float64(m.Count()) * s.g.VoxelMM3() / 1000 }

// peaks are the common values of bright, the brightest first: between one and the
// next lies as much as half of the smallest kidney.
func (s *kidneySearch) peaks(bright filter.Mask) []float64 {
	const bins, width, most = 150, 2 * binHU, 3
	hist := make([]float64, bins)
	for n, in := range bright {
		if in {
			hist[min(int((float64(s.smooth[n])-s.muscle)/width), bins-1)]++
		}
	}
	hist = triangle(hist, 4)
	total := 0.0
	for _, c := range hist {
		total += c
	}
	if total == 0 {
		return nil
	}
	// smoothing scales the bins: volumes are parts of the whole
	ml := s.ml(bright) / total
	var out []float64
	above := 0.0
	for b := bins - 2; b > 0 && len(out) < most; b-- {
		above += hist[b] * ml
		if above >= s.set.MinML/2 && hist[b] > hist[b+1] && hist[b] >= hist[b-1] {
			out, above = append(out, s.muscle+(float64(b)+0.5)*width), 0
		}
	}
	return out
}

// piece is the likeliest thick piece brighter than cutoff, and how much it looks
// like a kidney of hu.
func (s *kidneySearch) piece(ctx context.Context, hu, cutoff float64) (*kidney, error) {
	out, g := &kidney{doubts: doubts{confidence: 1}, hu: hu, cutoff: cutoff}, s.g
	pieces, why, err := s.thick(ctx, cutoff, s.set.OpenMM, 1)
	if err != nil || why != "" {
		out.why = why
		return out, err
	}
	m := pieces[0]
	closed, err := closing(ctx, g, m, s.set.CloseMM)
	if err != nil {
		return nil, err
	}
	m = withMedulla(g, m, filter.Where(g.Len(), func(n int) bool {
		return closed[n] && !s.taken[n] && s.smooth[n] > fatHU && s.body[n]
	}), s.smooth)
	if part := (hu - s.muscle) / (s.liver - s.muscle); part < aboveLiver { // never when liver is unknown
		out.lower(math.Max(part/aboveLiver, 0.3), "it has %.0f HU where liver has %.0f HU and muscle %.0f HU: kidneys take up more contrast than liver", hu, s.liver, s.muscle)
	}
	return out, s.judge(ctx, out, m)
}

// inFat is the thick piece in fat that looks most like a kidney: fat is all that
// is seen of it without contrast. Where it leans on muscle or bowel, it takes a
// wider opening to part them.
func (s *kidneySearch) inFat(ctx context.Context) (*kidney, error) {
	const most = 4
	best := &kidney{}
	for _, wide := range []float64{1, 1.5, 2, 3} {
		pieces, why, err := s.thick(ctx, (s.muscle+plainFatHU)/2, wide*s.set.OpenMM, most)
		if err != nil {
			return nil, err
		}
		if best.m == nil && best.why == "" {
			best.why = why
		}
		for _, m := range pieces {
			k, err := s.plain(ctx, m)
			if err != nil {
				return nil, err
			}
			if best.m == nil || k.why == "" && (best.why != "" || k.confidence*k.near > best.confidence*best.near) {
				best = k
			}
		}
	}
	return best, nil
}

// plain judges m, which fat outlines, as a kidney without contrast.
func (s *kidneySearch) plain(ctx context.Context, m filter.Mask) (*kidney, error) {
	out := &kidney{doubts: doubts{confidence: 1}, cutoff: math.Inf(1), hu: medianOf(s.smooth, m)}
	if err := s.judge(ctx, out, m); err != nil || out.why != "" {
		return out, err
	}
	around, _ := s.surface(out.m)
	if around < fatAlone {
		out.why = fmt.Sprintf("without contrast it is told by the fat around it, and fat covers %.0f %% of the thickest piece there, less than %.0f %%", 100*around, 100*fatAlone)
	}
	out.lower(plainKidney, "it holds no contrast (%.0f HU, muscle %.0f HU): only the fat around it outlines it", out.hu, s.muscle)
	return out, nil
}

// thick are the pieces brighter than cutoff, thicker than twice openMM, that are
// largest where kidneys lie, as many as most; or why there is none.
func (s *kidneySearch) thick(ctx context.Context, cutoff, openMM float64, most int) (pieces []filter.Mask, why string, err error) {
	g, window := s.g, s.brighter(cutoff)
	core, err := filter.Erode(ctx, g, window, openMM)
	if err != nil {
		return nil, "", err
	}
	p := filter.Components(g, core)
	at := make([]struct{ n, x, y float64 }, len(p.Count))
	for n, c := range p.Of {
		if c > 0 {
			i, j, k := g.IJK(n)
			x, y, _ := s.place(i, j, k)
			at[c].n, at[c].x, at[c].y = at[c].n+1, at[c].x+x, at[c].y+y
		}
	}
	weight := make([]float64, len(at))
	var order []int32
	for c := 1; c < len(at); c++ {
		a := at[c]
		weight[c] = a.n * s.nearness(a.x/a.n, a.y/a.n)
		if weight[c] > 0 {
			order = append(order, int32(c))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(weight[b], weight[a]) })
	for _, best := range order[:min(most, len(order))] {
		m, err := grownBack(ctx, g, p.Only(func(c int32) bool { return c == best }), window, openMM)
		if err != nil {
			return nil, "", err
		}
		pieces = append(pieces, m)
	}
	if len(pieces) == 0 {
		why = fmt.Sprintf("no piece brighter than %.0f HU and thicker than %.0f mm beside the spine", cutoff, 2*openMM)
	}
	return pieces, why, ctx.Err()
}

// withMedulla is the cortex m and those pieces of what its closing takes in that
// it surrounds, as medulla and pelvis: twice as many faces to it as to soft
// tissue outside, which muscle in a dent of the surface has as many of.
func withMedulla(g imaging.Grid, m, closed filter.Mask, smooth []float32) filter.Mask {
	p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return closed[n] && !m[n] }))
	inside, outside := make([]int, len(p.Count)), make([]int, len(p.Count))
	for n, c := range p.Of {
		if c == 0 {
			continue
		}
		filter.Neighbours(g, n, func(o int) {
			switch {
			case m[o]:
				inside[c]++
			case p.Of[o] == 0 && smooth[o] > fatHU:
				outside[c]++
			}
		})
	}
	return filter.Where(g.Len(), func(n int) bool {
		c := p.Of[n]
		return m[n] || c > 0 && inside[c] > 2*outside[c]
	})
}
