package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// Click is one click of the simulated user, and what came of it.
type Click struct {
	LPS     r3.Vec  // mm
	Inside  bool    // the point belongs to the structure
	DepthMM float64 // of the point in the error it was put into
	ErrorML float64 // volume of that error: the connected voxels
	Dice    float64 // of the structure after the click
	Changed *Patch
	Refined Refined
}

// SimulateClicks corrects one structure of s as a person would who knows the
// truth: each click goes to the deepest point of all that is wrong, missing or
// surplus, and Refine is run with it; until n clicks are made or no voxel is
// wrong. Earlier clicks within reach are asked for again, so that none
// is undone. This is the usual robot user of interactive segmentation: Xu,
// Price, Cohen, Yang, Huang, Deep interactive object selection, CVPR 2016,
// section 4; Sofiiuk, Petrov, Konushin, Reviving iterative training with mask
// guidance (RITM), ICIP 2022, section 3.
//
// Dice before the first click is Dice of s as given. s is left corrected;
// reverting the patches, last first, restores it. reachMM is that of the
// refinements, 0 for DefaultReachMM. After an error the clicks made so far are
// returned with it.
func SimulateClicks(ctx context.Context, v *imaging.Volume, s, truth *imaging.Segments, l imaging.Label, n int, reachMM float64) ([]Click, error) {
	if err := sameGrid(v, s); err != nil {
		return nil, err
	}
	if !s.Grid.Matches(truth.Grid, gridTolMM) || len(truth.Bits) != len(s.Bits) {
		return nil, fmt.Errorf("segment: the truth has %v voxels and the masks %v, or they lie elsewhere", truth.Grid.Size, s.Grid.Size)
	}
	if truth.Bit(l) == 0 {
		return nil, &NotFoundError{l, "the truth does not hold it"}
	}
	reach := reachMM
	if reach == 0 {
		reach = DefaultReachMM
	}
	var out []Click
	for range n {
		c, ok, err := nextClick(ctx, s, truth, l)
		if err != nil || !ok {
			return out, err
		}
		r := Refinement{Label: l, ReachMM: reach}
		for _, o := range append(out[:len(out):len(out)], c) {
			if r3.Norm(r3.Sub(o.LPS, c.LPS)) > reach {
				continue
			}
			if o.Inside {
				r.Inside = append(r.Inside, o.LPS)
			} else {
				r.Outside = append(r.Outside, o.LPS)
			}
		}
		if c.Changed, c.Refined, err = Refine(ctx, v, s, r); err != nil {
			return out, err
		}
		a, b := s.Bit(l), truth.Bit(l)
		c.Dice = Dice(len(s.Bits), func(n int) bool { return s.Bits[n]&a != 0 }, func(n int) bool { return truth.Bits[n]&b != 0 })
		out = append(out, c)
	}
	return out, nil
}

// nextClick is the deepest point of all errors; the first of equals, missing
// before surplus. Errors outside the body are left, for no point may lie there.
func nextClick(ctx context.Context, s, truth *imaging.Segments, l imaging.Label) (c Click, ok bool, err error) {
	g, a, b, body := s.Grid, s.Bit(l), truth.Bit(l), s.Bit(imaging.LabelBody)
	if l == imaging.LabelBody {
		body = 0
	}
	for _, missing := range []bool{true, false} {
		wrong := func(n int) bool {
			in := s.Bits[n]&a != 0
			return in != missing && in != (truth.Bits[n]&b != 0) && (body == 0 || s.Bits[n]&body != 0)
		}
		box := g.Bounds(wrong)
		if box.Empty() {
			continue
		}
		// a border of voxels that are right, so that the depth is right at the edge
		for x := range 3 {
			box.Lo[x]--
			box.Hi[x]++
		}
		sub := g.Crop(box)
		m := filter.Where(sub.Len(), func(n int) bool {
			i, j, k := sub.IJK(n)
			i, j, k = i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]
			return g.Contains(i, j, k) && wrong(g.Index(i, j, k))
		})
		d, err := distance.Unsigned(ctx, sub, func(n int) bool { return !m[n] })
		if err != nil {
			return c, false, err
		}
		at := 0
		for n := range d {
			if d[n] > d[at] {
				at = n
			}
		}
		if float64(d[at]) <= c.DepthMM {
			continue
		}
		i, j, k := sub.IJK(at)
		start := make(filter.Mask, len(m))
		start[at] = true
		c = Click{
			LPS: sub.Point(float64(i), float64(j), float64(k)), Inside: missing, DepthMM: float64(d[at]),
			ErrorML: float64(filter.Reach(sub, start, m).Count()) * g.VoxelMM3() / 1000,
		}
	}
	return c, c.DepthMM > 0, ctx.Err()
}
