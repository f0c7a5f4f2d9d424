package vessel

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// visibleRadii is how many of its own radii a branch must stand out of its
// parent to count as a vessel and not as a bulge of the wall.
const visibleRadii = 1.5

// thinVoxels is the radius, in voxels, down to which the branching is promised.
const thinVoxels = 1.5

// Options of Extract; the zero value finds the roots by radius.
type Options struct {
	// System is written to Tree.System and decides where a root is looked for and
	// which names are given.
	System imaging.Label
	// Roots are points in or near the vessels from which they are to grow, LPS mm.
	// Pieces of the lumen without one get the end with the largest radius.
	Roots []r3.Vec
	// Organ is the voxels of the organ that the vessels supply or drain, on the grid
	// of the lumen; nil when it is not known. Roots then lie outside it, and only
	// what leads into it is named. Holes that vessels leave in it do not matter.
	Organ filter.Mask
	// VisibleRadii is the least length of a branch outside its parent in its own
	// radii; 0 means 1.5.
	VisibleRadii float64
}

// Validate reports an option out of range.
func (o *Options) Validate() error {
	for n, p := range o.Roots {
		if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("vessel: Options.Roots[%d] is not finite", n)
		}
	}
	if v := o.VisibleRadii; !(v >= 0 && v <= 100) {
		return fmt.Errorf("vessel: Options.VisibleRadii is %g: give 0 to 100 radii", v)
	}
	return nil
}

// Report says what Extract found on the way and what it left out.
type Report struct {
	LumenMM3 float64   // volume of the mask with its cavities filled
	StrayMM3 float64   // part of it that no branch explains: specks, leaks, bulges
	Pieces   int       // connected parts of the mask
	Dropped  int       // parts among them too short to be a vessel
	Tunnels  int       // holes of a voxel or two in branchings, filled
	Loops    int       // loops, and connections between roots, found and cut
	Contacts []Contact // where they were cut
	Thin     int       // branches thinner than 1.5 voxels in radius: present but not promised
	Murray   []Murray  // every branching
	RootLost []int     // indices in Options.Roots farther than a vessel radius or two from any vessel
}

// Extract turns a lumen mask on a grid, which may be anisotropic, into a tree.
//
// The skeleton is thinned homotopically between the ends of the vessels; tubes
// are fitted to the voxels on both sides of its faces, for a centreline between
// the voxels (see sharpen); the radius is that of the tube with as many voxels
// as the lumen has (see equalCount), and of short and thin branches the mean over
// all tubes that the voxels allow (see average). Loops and connections
// between roots are cut where they are least plausible and reported. The
// centreline of a vessel that ends in the image stops at the middle of the ball
// that ends it, one radius before the last voxel; one that leaves the grid goes
// to its border.
//
// Errors: ErrEmptyLumen, a mask or an option that does not fit, ctx.Err(), or
// ErrNoVessel when the mask holds no part longer than wide.
func Extract(ctx context.Context, g imaging.Grid, mask filter.Mask, o Options) (*Tree, *Report, error) {
	if err := o.Validate(); err != nil {
		return nil, nil, err
	}
	if o.Organ != nil && len(o.Organ) != len(mask) {
		return nil, nil, fmt.Errorf("vessel: an organ of %d voxels for a lumen of %d", len(o.Organ), len(mask))
	}
	h, rep, err := graphOf(ctx, g, mask, o.VisibleRadii)
	if err != nil {
		return nil, nil, err
	}
	roots := h.seeds(o.Roots, o.System, o.near(g, 10), rep)
	rep.Loops = h.loops(roots)
	h.untangle(roots)
	if rep.Loops > 0 {
		if err := h.refit(ctx, 2); err != nil {
			return nil, nil, err
		}
		h.sweep() // joints have found their place
		h.prune(cmp.Or(o.VisibleRadii, visibleRadii))
	}
	if h.zip() {
		if err := h.refit(ctx, 2); err != nil {
			return nil, nil, err
		}
	}
	if rep.StrayMM3, err = h.areas(ctx); err != nil {
		return nil, nil, err
	}
	h.stems()
	at, vox := h.l.rind()
	if err := h.divide(ctx, at, vox); err != nil {
		return nil, nil, err
	}
	if err := h.sharpen(ctx, at, vox); err != nil {
		return nil, nil, err
	}
	rep.Contacts = h.cut
	t := h.tree(roots)
	t.System = o.System
	t.NameBranchesIn(o.near(g, 5))
	rep.Murray = t.Murray()
	for n := range t.Branches {
		if t.Branches[n].MeanRadiusMM() < thinVoxels*h.l.mean {
			rep.Thin++
		}
	}
	return t, rep, nil
}

// near tells whether a point has voxels of the organ within about mm; nil
// without an organ.
func (o *Options) near(g imaging.Grid, mm float64) func(p r3.Vec) bool {
	if o.Organ == nil {
		return nil
	}
	return func(p r3.Vec) bool {
		for n := range 27 {
			d := r3.Vec{X: float64(n%3 - 1), Y: float64(n/3%3 - 1), Z: float64(n/9 - 1)}
			l := max(r3.Norm(d), 1)
			for _, s := range [2]float64{0.5, 1} {
				i, j, k := g.Voxel(r3.Add(p, r3.Scale(s*mm/l, d)))
				a, b, c := int(math.Round(i)), int(math.Round(j)), int(math.Round(k))
				if g.Contains(a, b, c) && o.Organ[g.Index(a, b, c)] {
					return true
				}
			}
		}
		return false
	}
}

// graphOf is the vessels of a mask with fitted centrelines.
func graphOf(ctx context.Context, g imaging.Grid, mask filter.Mask, visible float64) (*graph, *Report, error) {
	l, err := newLumen(ctx, g, mask)
	if err != nil {
		return nil, nil, err
	}
	tips, err := l.tips(ctx)
	if err != nil {
		return nil, nil, err
	}
	on, err := l.thin(ctx, tips)
	if err != nil {
		return nil, nil, err
	}
	if visible == 0 {
		visible = visibleRadii
	}
	h := l.skeleton(on)
	holes := h.tunnels()
	h.fuse()
	h.prune(visible / 2) // the radii are rough yet
	h.trim()
	h.resample(0.7)
	if err := h.refit(ctx, 2); err != nil {
		return nil, nil, err
	}
	h.prune(0.75 * visible) // the ends are drawn back too far yet
	for range rounds - 2 {
		if err := h.capEnds(ctx); err != nil {
			return nil, nil, err
		}
		if err := h.refit(ctx, 1); err != nil {
			return nil, nil, err
		}
	}
	if h.prune(visible) {
		if err := h.refit(ctx, 1); err != nil {
			return nil, nil, err
		}
	}
	rep := &Report{Tunnels: holes + h.tunnels(), LumenMM3: float64(len(l.vox)) * l.g.VoxelMM3()}
	_, rep.Pieces = l.pieces()
	parts := newSets(len(h.joints))
	kept := map[int]bool{}
	for n := range h.edges {
		if e := &h.edges[n]; !e.dead {
			parts.join(e.a, e.b)
		}
	}
	for n := range h.edges {
		if e := &h.edges[n]; !e.dead {
			kept[parts.find(e.a)] = true
		}
	}
	rep.Dropped = rep.Pieces - len(kept)
	if len(kept) == 0 {
		return nil, nil, ErrNoVessel
	}
	return h, rep, nil
}

// refit fits the tubes some times and spreads the points evenly again.
func (g *graph) refit(ctx context.Context, times int) error {
	g.resample(0)
	for range times {
		if err := g.fit(ctx); err != nil {
			return err
		}
		g.resample(0)
	}
	return nil
}
