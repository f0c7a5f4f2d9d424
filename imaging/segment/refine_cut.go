package segment

import (
	"context"
	"errors"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// Numbers of the cut. Prices are relative to what one voxel can gain.
const (
	refineVoxels = 120000 // working voxels aimed at
	refineMostMM = 3.0    // coarsest working voxel
	refineBallMM = 3.0    // the image around a point is taken from this ball
	refineRare   = 0.01   // of the commonest value at a point: a value less common there than this is unlike it
	refineLike   = 0.5    // part of the gain that the image decides; the rest is the way the outline moves
	refineMiddle = 2.0    // an error is so many times as deep as a click into it: people click its middle
	refineAspect = 4.0    // errors are about so many times as wide as deep
	refineWideMM = 25.0   // and at least so wide
	refineEdgeSD = 1.0    // a step of so much noise from block to block is an edge
	refineFairMM = 0.6    // price of a surface where the image has no edge, as a length
)

// refineCut is one refinement under way, on blocks of the voxels around it.
type refineCut struct {
	s       *imaging.Segments
	bit     uint32
	body    uint32
	box     imaging.Box // of the full grid
	c       *filter.Coarse
	stepMM  float64
	share   []float32 // part of each block inside the structure as it was
	was     filter.Mask
	now     filter.Mask
	want    []wanted
	force   map[int]bool // blocks that hold a contradicting point: what it asks for
	keep    filter.Mask  // blocks that hold an agreeing point
	reachMM float64
	decided int
	agreed  int
}

func newRefineCut(ctx context.Context, v *imaging.Volume, s *imaging.Segments, r Refinement, want []wanted) (*refineCut, error) {
	g := s.Grid
	box := imaging.Box{Lo: g.Size}
	for _, w := range want {
		i, j, k := g.IJK(w.n)
		for a, x := range [3]int{i, j, k} {
			box.Lo[a], box.Hi[a] = min(box.Lo[a], x), max(box.Hi[a], x+1)
		}
	}
	c := &refineCut{s: s, bit: s.Bit(r.Label), box: box.Grow(g, r.ReachMM).Clip(g), want: want, reachMM: r.ReachMM, force: map[int]bool{}}
	if r.Label != imaging.LabelBody {
		c.body = s.Bit(imaging.LabelBody)
	}
	size := c.box.Size()
	mm3 := float64(size[0]) * float64(size[1]) * float64(size[2]) * g.VoxelMM3()
	// a block at most as long as a third of the reach: small reaches mean small things
	step := min(math.Cbrt(mm3/refineVoxels), refineMostMM, r.ReachMM/3)
	var err error
	if c.c, err = filter.Reduce(ctx, v.Crop(c.box), step); err != nil {
		return nil, err
	}
	h := c.c.Grid.SpacingMM()
	c.stepMM = max(h[0], h[1], h[2])
	if err := c.shares(ctx); err != nil {
		return nil, err
	}
	c.was = filter.Where(len(c.share), func(n int) bool { return c.share[n] >= 0.5 })
	c.keep = make(filter.Mask, len(c.share))
	for _, w := range want {
		if at := c.block(w.n); (s.Bits[w.n]&c.bit != 0) != w.in {
			c.force[at] = w.in
		}
	}
	for _, w := range want {
		if at := c.block(w.n); (s.Bits[w.n]&c.bit != 0) == w.in {
			c.agreed++
			if in, ok := c.force[at]; !ok || in == w.in {
				c.keep[at] = true
			}
		}
	}
	for at, in := range c.force { // each block on its own: any order
		c.was[at] = !in
	}
	c.now = slices.Clone(c.was)
	return c, nil
}

// block is the block that holds voxel n of the full grid.
func (c *refineCut) block(n int) int {
	i, j, k := c.s.Grid.IJK(n)
	b := c.c.Block
	return c.c.Grid.Index((i-c.box.Lo[0])/b[0], (j-c.box.Lo[1])/b[1], (k-c.box.Lo[2])/b[2])
}

// shares counts the structure in each block.
func (c *refineCut) shares(ctx context.Context) error {
	g, b, size := c.c.Grid, c.c.Block, c.box.Size()
	c.share = make([]float32, g.Len())
	return par.ChunksCtx(ctx, g.Size[1]*g.Size[2], 16, func(lo, hi int) error {
		count := make([]int, g.Size[0])
		for r := lo; r < hi; r++ {
			j0, k0 := r%g.Size[1]*b[1], r/g.Size[1]*b[2]
			j1, k1 := min(j0+b[1], size[1]), min(k0+b[2], size[2])
			clear(count)
			for k := k0; k < k1; k++ {
				for j := j0; j < j1; j++ {
					row := c.s.Bits[c.s.Grid.Index(c.box.Lo[0], c.box.Lo[1]+j, c.box.Lo[2]+k):][:size[0]]
					for i, x := range row {
						if x&c.bit != 0 {
							count[i/b[0]]++
						}
					}
				}
			}
			for i, n := range count {
				all := (min((i+1)*b[0], size[0]) - i*b[0]) * (j1 - j0) * (k1 - k0)
				c.share[r*len(count)+i] = float32(n) / float32(all)
			}
		}
		return nil
	})
}

// solve finds c.now.
func (c *refineCut) solve(ctx context.Context) error {
	if len(c.force) == 0 {
		return ctx.Err()
	}
	g := c.c.Grid
	sd := noiseOf(g, c.c.HU)
	img, err := filter.Guided(ctx, g, c.c.HU, filter.Radius(g, refineBallMM), sd)
	if err != nil {
		return err
	}
	h := g.SpacingMM()
	diag := math.Sqrt(h[0]*h[0] + h[1]*h[1] + h[2]*h[2])
	phi, err := outlineDistance(ctx, g, c.was, c.force)
	if err != nil {
		return err
	}
	moved := map[bool]float64{} // how far the outline must move at the points
	for n, in := range c.force {
		moved[in] = max(moved[in], math.Abs(float64(phi[n])))
	}
	free, gain := make(filter.Mask, g.Len()), make([]float32, g.Len())
	for _, in := range []bool{true, false} { // what joins, then what leaves
		ask := filter.Where(g.Len(), func(n int) bool { w, ok := c.force[n]; return ok && w == in })
		if ask.Count() == 0 {
			continue
		}
		near, err := distance.Unsigned(ctx, g, func(n int) bool { return ask[n] })
		if err != nil {
			return err
		}
		against := func(int) float32 { return math.MaxFloat32 }
		other := filter.Where(g.Len(), func(n int) bool {
			w, ok := c.force[n]
			return ok && w != in || c.keep[n] && c.was[n] != in
		})
		if other.Count() > 0 {
			d, err := distance.Unsigned(ctx, g, func(n int) bool { return other[n] })
			if err != nil {
				return err
			}
			against = func(n int) float32 { return d[n] }
		}
		// the image at the points, and on their side of the outline away from them
		var x, y []float32
		for n, d := range near {
			if c.was[n] != in && d <= refineBallMM {
				x = append(x, img[n])
			} else if c.was[n] != in && d > 2*refineBallMM && math.Abs(float64(phi[n])) > 2*c.stepMM {
				y = append(y, img[n])
			}
		}
		like := newLikeness(x, y, sd)
		most := c.reachMM - 2*diag
		wide := min(c.reachMM, max(refineAspect*moved[in], refineWideMM))
		for n, d := range near {
			if c.was[n] == in || float64(d) > max(most, 0) {
				continue
			}
			free[n] = true
			// the outline is expected to move as far as it must at the point, and
			// less the farther from it
			deep := math.Abs(float64(phi[n]))
			move := refineMiddle * moved[in] * (1 - float64(d)/wide)
			u := refineLike*like.of(img[n]) + (1-refineLike)*max(1-deep/max(move, c.stepMM/4), -1)
			if against(n) < d {
				u = -1
			}
			if w, ok := c.force[n]; ok && w == in {
				u = 1000
			} else if c.keep[n] {
				u = -1000
			}
			gain[n] = float32(u)
		}
	}
	c.decided = free.Count()
	mean := math.Cbrt(g.VoxelMM3())
	in, out := make([]float32, g.Len()), make([]float32, g.Len())
	for n := range free {
		switch { // the gain is that of a change
		case c.was[n]:
			in[n], out[n] = max(gain[n], 0), max(-gain[n], 0)
		default:
			in[n], out[n] = max(-gain[n], 0), max(gain[n], 0)
		}
	}
	cut := filter.CutProblem{
		Grid: g, Free: free, Fixed: c.was, In: in, Out: out, Diagonal: true,
		Edge: func(n, o int, mm float64) float32 {
			d := float64(img[n]-img[o]) / (refineEdgeSD * sd * mm / mean)
			return float32(refineFairMM / mean * mean / mm * math.Exp(-d*d/2))
		},
	}
	now, err := cut.Solve(ctx)
	if err != nil {
		return err
	}
	// only what hangs together with a point changes
	for _, in := range []bool{true, false} {
		p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return now[n] == in && c.was[n] != in }))
		hit := make([]bool, len(p.Count))
		for n, w := range c.force {
			if w == in {
				hit[p.Of[n]] = true
			}
		}
		for n, id := range p.Of {
			if id > 0 && hit[id] {
				c.now[n] = in
			}
		}
	}
	return nil
}

// paint writes c.now into the full grid, near the blocks that changed: the
// outline runs where the interpolated share of the structure is a half.
func (c *refineCut) paint() *Patch {
	g, b, full := c.c.Grid, c.c.Block, c.s.Grid
	const joins, leaves = 1, 2
	do := make([]uint8, g.Len())
	share := slices.Clone(c.share)
	touched := imaging.Box{Lo: g.Size}
	for n := range c.now {
		if c.now[n] == c.was[n] {
			continue
		}
		share[n] = 0
		flag := uint8(leaves)
		if c.now[n] {
			share[n], flag = 1, joins
		}
		i, j, k := g.IJK(n)
		for z := max(k-1, 0); z <= min(k+1, g.Size[2]-1); z++ {
			for y := max(j-1, 0); y <= min(j+1, g.Size[1]-1); y++ {
				for x := max(i-1, 0); x <= min(i+1, g.Size[0]-1); x++ {
					do[g.Index(x, y, z)] |= flag
				}
			}
		}
		for a, x := range [3]int{i, j, k} {
			touched.Lo[a], touched.Hi[a] = min(touched.Lo[a], x-1), max(touched.Hi[a], x+2)
		}
	}
	p := &Patch{}
	touched = touched.Clip(g)
	size := c.box.Size()
	at := func(a, x int) (lo, hi int, f float32) { // where voxel x lies between blocks
		u := (float64(x) - float64(b[a]-1)/2) / float64(b[a])
		u = min(max(u, 0), float64(g.Size[a]-1))
		lo = min(int(u), max(0, g.Size[a]-2))
		return lo, min(lo+1, g.Size[a]-1), float32(u - float64(lo))
	}
	for z := touched.Lo[2] * b[2]; z < min(touched.Hi[2]*b[2], size[2]); z++ {
		k0, k1, fk := at(2, z)
		for y := touched.Lo[1] * b[1]; y < min(touched.Hi[1]*b[1], size[1]); y++ {
			j0, j1, fj := at(1, y)
			row := g.Index(0, y/b[1], z/b[2])
			for x := touched.Lo[0] * b[0]; x < min(touched.Hi[0]*b[0], size[0]); x++ {
				flag := do[row+x/b[0]]
				if flag == 0 {
					continue
				}
				i0, i1, fi := at(0, x)
				line := func(j, k int) float32 {
					l, r := share[g.Index(i0, j, k)], share[g.Index(i1, j, k)]
					return l + fi*(r-l)
				}
				lo, hi := line(j0, k0), line(j0, k1)
				lo, hi = lo+fj*(line(j1, k0)-lo), hi+fj*(line(j1, k1)-hi)
				in := lo+fk*(hi-lo) > 0.5
				n := full.Index(c.box.Lo[0]+x, c.box.Lo[1]+y, c.box.Lo[2]+z)
				if in && flag&joins != 0 && (c.body == 0 || c.s.Bits[n]&c.body != 0) || !in && flag&leaves != 0 {
					p.put(c.s, n, c.bit, in)
				}
			}
		}
	}
	for _, w := range c.want {
		p.put(c.s, w.n, c.bit, w.in)
	}
	return p
}

// noiseOf is the deviation of the noise: from the median difference of
// neighbours along the first axis. It is at least a hundredth of the range
// between the 5th and 95th percentile, and positive.
func noiseOf(g imaging.Grid, img []float32) float64 {
	d := make([]float32, 0, len(img))
	for n := 1; n < len(img); n++ {
		if n%g.Size[0] != 0 {
			d = append(d, max(img[n]-img[n-1], img[n-1]-img[n]))
		}
	}
	sd := 0.0
	if len(d) > 0 {
		slices.Sort(d)
		sd = float64(d[len(d)/2]) / math.Sqrt2 / 0.6745
	}
	all := slices.Clone(img)
	slices.Sort(all)
	return max(sd, float64(all[len(all)*19/20]-all[len(all)/20])/100, 1e-3)
}

// likeness tells the image at the points from the image away from them.
type likeness struct {
	mid, sd float64   // at the points: normal
	there   []float64 // away from them: density per bin
	lo, bin float64
}

// newLikeness takes the values at the points and those away from them; sd is the
// noise.
func newLikeness(here, there []float32, sd float64) likeness {
	l := likeness{sd: sd / 2, bin: sd / 2}
	if len(here) > 0 {
		slices.Sort(here)
		mid := here[len(here)/2]
		l.mid = float64(mid)
		for n := range here {
			here[n] = max(here[n]-mid, mid-here[n])
		}
		slices.Sort(here)
		l.sd = max(l.sd, 1.4826*float64(here[len(here)/2]))
	}
	// bins as far as the values at the points have a density worth the name
	const reach = 6
	l.lo = l.mid - reach*l.sd
	bins := int(math.Ceil(2 * reach * l.sd / l.bin))
	count := make([]float64, bins+2)
	for _, x := range there {
		if b := (float64(x) - l.lo) / l.bin; b >= 0 && b < float64(bins) {
			count[int(b)+1]++
		}
	}
	l.there = make([]float64, bins)
	for b := range l.there {
		l.there[b] = (count[b] + 2*count[b+1] + count[b+2]) / 4 / max(float64(len(there)), 1) / l.bin
	}
	return l
}

// of is half the logarithm of how much likelier x is at the points than away
// from them, from -1 to 1; what is seldom at either is unlike.
func (l likeness) of(x float32) float64 {
	z := (float64(x) - l.mid) / l.sd
	peak := 1 / (l.sd * math.Sqrt(2*math.Pi))
	there := 0.0
	if b := (float64(x) - l.lo) / l.bin; b >= 0 && b < float64(len(l.there)) {
		there = l.there[int(b)]
	}
	return min(max(math.Log((peak*math.Exp(-z*z/2)+1e-9*peak)/(there+refineRare*peak))/2, -1), 1)
}

// outlineDistance is the distance of each block to the outline of m, negative
// inside, in mm; blocks of force do not count as outline. Without an outline in
// reach it is as if there were one at every point.
func outlineDistance(ctx context.Context, g imaging.Grid, m filter.Mask, force map[int]bool) ([]float32, error) {
	phi, err := distance.Signed(ctx, g, func(n int) bool {
		if in, ok := force[n]; ok && in != m[n] && surrounded(g, m, n, in) {
			return in
		}
		return m[n]
	})
	if errors.Is(err, distance.ErrNoBoundary) {
		return make([]float32, g.Len()), nil
	}
	return phi, err
}

// surrounded reports whether every face neighbour of n is as want.
func surrounded(g imaging.Grid, m filter.Mask, n int, want bool) bool {
	all := true
	filter.Neighbours(g, n, func(o int) { all = all && m[o] == want })
	return all
}
