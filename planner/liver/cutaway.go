package liver

import (
	"context"
	"math"
	"sync"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// cutaway is the geometry of one plan: what goes, what stays, what is severed.
type cutaway struct {
	t     *Trees
	parts []*raster
	spare []*raster // parts and others whose memory is used again
	reg   *region
	gone  []float32 // per block of the organ, the part that does not stay

	takenML    float64 // by the cuts and the divided branches
	remnantML  float64 // the largest connected part of what stays
	isolatedML float64 // the rest of it
	skin       float64 // area of the organ's border on the remnant, ml per mm
	areaMM2    float64 // of the cut inside the organ
	// Least distance between the tumours and what stays, mm, at most nearMM, where
	// the cut runs through parenchyma and where it runs along a major vessel.
	parenchymaMM, vesselMM float64

	visit func(p r3.Vec) // nil: near

	crossings []crossing
	dead      [2][]int32 // portal, hepatic: first point of each branch that is cut off
	// Of the remnant, by the most probable branch: without inflow, without outflow
	// and both, ml.
	dryML, congestedML, bothML float64
}

// crossing is a place where a cut meets a centreline.
type crossing struct {
	system int // 0 portal, 1 hepatic
	branch int
	radius float64
	at     r3.Vec
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// cutaways are used again by Score.
var cutaways = sync.Pool{New: func() any { return new(cutaway) }}

// desk is the working memory of cutaways.
type desk struct {
	run, parent []int32
	sizes       []float64
}

// newCutaway computes the geometry of p. dst is overwritten; its memory is used
// again.
func (a *Anatomy) newCutaway(ctx context.Context, t *Trees, p *planner.Plan, dst *cutaway) error {
	if err := p.Validate(); err != nil {
		return err
	}
	*dst = cutaway{t: t, gone: dst.gone, crossings: dst.crossings[:0], parts: dst.spare, dead: dst.dead}
	for len(dst.parts) < len(p.Cuts)+len(p.Sheets) {
		dst.parts = append(dst.parts, new(raster))
	}
	spare := dst.parts
	dst.parts = dst.parts[:len(p.Cuts)+len(p.Sheets)]
	defer func() { dst.spare = spare }()
	for n, c := range p.Cuts {
		s := planeSheet(c)
		t.blocks.tabulate(dst.parts[n], &s)
	}
	for n := range p.Sheets {
		t.blocks.tabulate(dst.parts[len(p.Cuts)+n], &p.Sheets[n])
	}
	var err error
	if dst.reg, err = t.newRegion(p); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w := desks.Get().(*desk)
	defer desks.Put(w)
	a.remove(dst)
	dst.setAside(w)
	dst.takenML = t.blocks.total - dst.remnantML - dst.isolatedML
	if dst.remnantML == 0 || dst.takenML <= 0 {
		return &NothingLeftError{p.Name, dst.remnantML == 0}
	}
	a.measureCut(dst)
	dst.sever()
	return ctx.Err()
}

// remove fills gone: whole blocks where the cuts are far, voxel by voxel where
// they are near.
func (a *Anatomy) remove(c *cutaway) {
	b := c.t.blocks
	if len(c.gone) != len(b.vox) {
		c.gone = make([]float32, len(b.vox))
	}
	open, near := make([]*raster, 0, len(c.parts)), make([]*raster, 0, len(c.parts))
	for _, g := range b.groups {
		group := float32(0)
		open = open[:0]
		for _, r := range c.parts {
			if side, ok := r.block(g.centre, g.wide, r.steepFar); ok {
				group = max(group, side)
			} else {
				open = append(open, r)
			}
		}
		for _, v := range g.of {
			gone, parts := group, near[:0]
			if c.reg != nil {
				gone = max(gone, float32(c.reg.share[v]))
			}
			for _, r := range open {
				if gone == 1 {
					break
				}
				if side, ok := r.block(b.centre[v], b.wide, r.steep); ok {
					gone = max(gone, side)
				} else {
					parts = append(parts, r)
				}
			}
			if len(parts) > 0 && gone < 1 {
				gone = a.removeBlock(b, int(v), parts, gone)
			}
			c.gone[v] = gone
		}
	}
}

// removeBlock is the part of block v that is above one of parts; at least base
// of each voxel is gone.
func (a *Anatomy) removeBlock(b *blocks, v int, parts []*raster, base float32) float32 {
	i0, j0, k0 := b.grid.IJK(int(b.vox[v]))
	i0, j0, k0 = b.first[0]+i0*b.factor[0], b.first[1]+j0*b.factor[1], b.first[2]+k0*b.factor[2]
	s := b.fine.Size
	sum, count := 0.0, 0
	i1 := min(i0+b.factor[0], s[0])
	for k := k0; k < min(k0+b.factor[2], s[2]); k++ {
		for j := j0; j < min(j0+b.factor[1], s[1]); j++ {
			row := a.Labels.ID[b.fine.Index(i0, j, k):b.fine.Index(i1, j, k)]
			if len(parts) == 1 {
				n, x := parts[0].row(row, float64(i0), float64(j), float64(k), float64(base))
				count, sum = count+n, sum+x
				continue
			}
			for i, id := range row {
				if !id.InOrgan() {
					continue
				}
				x := float64(base)
				for _, r := range parts {
					if x == 1 {
						break
					}
					x = max(x, r.part(float64(i0+i), float64(j), float64(k)))
				}
				sum += x
				count++
			}
		}
	}
	return float32(sum / float64(max(count, 1)))
}

// setAside finds what is not face-connected to the largest part of the
// remnant, and counts it as gone.
func (c *cutaway) setAside(w *desk) {
	b := c.t.blocks
	if len(w.run) < len(b.vox) {
		w.run, w.parent, w.sizes = make([]int32, len(b.vox)), make([]int32, len(b.vox)), make([]float64, len(b.vox))
	}
	run, parent, runs := w.run[:len(b.vox)], w.parent, int32(0)
	const stays = 0.5
	for v := range run { // runs of blocks along i are one piece each
		switch {
		case c.gone[v] >= stays:
			run[v] = -1
		case v > 0 && run[v-1] >= 0 && b.next[v-1][0] == int32(v):
			run[v] = run[v-1]
		default:
			run[v], parent[runs] = runs, runs
			runs++
		}
	}
	root := func(r int32) int32 {
		for parent[r] != r {
			parent[r] = parent[parent[r]]
			r = parent[r]
		}
		return r
	}
	var last [3][2]int32
	for v, r := range run {
		if r < 0 {
			continue
		}
		for d := 1; d < 3; d++ {
			o := b.next[v][d]
			if o < 0 || run[o] < 0 || last[d] == [2]int32{r + 1, run[o] + 1} {
				continue
			}
			last[d] = [2]int32{r + 1, run[o] + 1}
			if x, y := root(r), root(run[o]); x != y {
				parent[max(x, y)] = min(x, y)
			}
		}
	}
	sizes := w.sizes[:runs]
	clear(sizes)
	for v, r := range run {
		if r >= 0 {
			sizes[r] += b.ml[v]
		}
	}
	for r := runs - 1; r >= 0; r-- { // parents stand before their children
		if q := root(r); q != r {
			sizes[q] += sizes[r]
		}
	}
	best := int32(-1)
	for r := range runs {
		if parent[r] == r && (best < 0 || sizes[r] > sizes[best]) {
			best = r
		}
	}
	for v, r := range run {
		stay := float64(1 - c.gone[v])
		if r >= 0 && root(r) != best {
			c.isolatedML += b.ml[v] * stay
			c.gone[v] = 1
			continue
		}
		c.remnantML += b.ml[v] * stay
		c.skin += b.skin[v] * stay
	}
	if best < 0 {
		c.remnantML = 0
	}
}

// resected is the height of p over the cut parts but one, positive in what is
// taken.
func (c *cutaway) resected(p r3.Vec, but int) float64 {
	s := math.Inf(-1)
	for n, r := range c.parts {
		if n != but {
			s = max(s, r.above(p))
		}
	}
	if c.reg != nil && but != len(c.parts) {
		s = max(s, c.reg.at(p))
	}
	return s
}

// measureCut fills the area of the cut and the margins.
func (a *Anatomy) measureCut(c *cutaway) {
	c.parenchymaMM, c.vesselMM, c.areaMM2 = nearMM, nearMM, 0
	a.walkCut(c)
}

// walkCut adds up the area of the cut and takes its points into the margins, or
// hands them to visit.
func (a *Anatomy) walkCut(c *cutaway) {
	g := a.Grid
	for n, r := range c.parts {
		others := len(c.parts) > 1 || c.reg != nil
		at := r.voxels(g)
		for y := range r.nv {
			for x := range r.nu {
				fx, fy, h := float64(x), float64(y), r.h[x+r.nu*y]
				i := int(at[0].X + fx*at[1].X + fy*at[2].X + h*at[3].X + 0.5)
				j := int(at[0].Y + fx*at[1].Y + fy*at[2].Y + h*at[3].Y + 0.5)
				k := int(at[0].Z + fx*at[1].Z + fy*at[2].Z + h*at[3].Z + 0.5)
				if i <= 0 || j <= 0 || k <= 0 || i >= g.Size[0] || j >= g.Size[1] || k >= g.Size[2] || a.Phi[g.Index(i, j, k)] >= 0 {
					continue // voxels at the border of the crop are not organ
				}
				p, steep := r.node(x, y)
				if others && c.resected(p, n) > 0 {
					continue
				}
				c.areaMM2 += rasterMM * rasterMM * steep
				c.near(p)
			}
		}
	}
	if c.reg != nil {
		c.measureRegion()
	}
	for n := range a.Tumours { // left behind as a whole
		t := &a.Tumours[n]
		if c.resected(t.Centre, -1) <= 0 {
			if c.visit != nil {
				c.visit(t.Centre)
			} else if mm, ok := c.t.near.to(n, t.Centre); ok {
				c.parenchymaMM = min(c.parenchymaMM, mm)
			}
		}
	}
}

// near takes a point of the cut into the margins.
func (c *cutaway) near(p r3.Vec) {
	if c.visit != nil {
		c.visit(p)
		return
	}
	least := max(c.vesselMM, c.parenchymaMM)
	if c.t.near.beyond(p, least) {
		return
	}
	mm, ok := c.t.near.nearest(p, nil)
	switch {
	case !ok || mm >= least:
	case c.t.near.beside(p):
		c.vesselMM = min(c.vesselMM, mm)
	default:
		c.parenchymaMM = min(c.parenchymaMM, mm)
	}
}

// measureRegion adds the border of a territory.
func (c *cutaway) measureRegion() {
	for n := range c.reg.border {
		q := &c.reg.border[n]
		if len(c.parts) > 0 && c.resected(q.foot, len(c.parts)) > 0 {
			continue
		}
		c.areaMM2 += q.mm2
		if q.here {
			c.near(q.foot)
		}
	}
}
