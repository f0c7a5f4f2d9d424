package vessel

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Growth says how GrowSynthetic makes a complete tree.
type Growth uint8

// GrowOptimised adds random terminals one by one, each where it costs the
// least lumen (constrained constructive optimisation, Schreiner & Buxbaum,
// IEEE Trans Biomed Eng 40:482, 1993). GrowSplit cuts the tissue of a branch
// by a plane and sends a branch towards each half (Tawhai, Pullan & Hunter,
// Ann Biomed Eng 28:793, 2000). GrowColony sends every twig towards the tissue
// that it is nearest to, until none is left (space colonisation, Runions et al,
// ACM Trans Graph 24:702, 2005): vessels neither cost nor halve anything.
//
// The completions of Supplies are nearest to GrowOptimised in kind (construct
// has the same cost, but starts from what is visible and obeys its radii) and
// have nothing in common with the other two. No weight was fitted on GrowColony;
// the form of the evidence was chosen with its seeds 1001–1004 in sight.
const (
	GrowOptimised Growth = iota
	GrowSplit
	GrowColony
)

func (h Growth) String() string {
	switch h {
	case GrowOptimised:
		return "optimised growth"
	case GrowSplit:
		return "split growth"
	case GrowColony:
		return "colony growth"
	}
	return fmt.Sprintf("Growth(%d)", uint8(h))
}

// Synthetic is a complete tree whose supply is known: each voxel of the organ
// belongs to one terminal. It is the truth that Territories is measured
// against.
type Synthetic struct {
	Segments  []SyntheticSegment
	Terminals []int32 // indices in Segments
	Of        []int32 // per voxel of the grid: index in Segments of the terminal that supplies it; −1 outside
}

// SyntheticSegment is a straight vessel between two branchings.
type SyntheticSegment struct {
	Parent   int32 // −1 for the trunk; parents stand before children
	From, To r3.Vec
	Flow     float64 // terminals below, or the share of tissue, times their number
	RadiusMM float64
}

// sapling is a tree while it grows.
type sapling struct {
	from, to []r3.Vec
	parent   []int32
	kids     [][]int32
	q        []float64
}

func (s *sapling) add(parent int32, from, to r3.Vec, q float64) int32 {
	s.from, s.to = append(s.from, from), append(s.to, to)
	s.parent, s.kids, s.q = append(s.parent, parent), append(s.kids, nil), append(s.q, q)
	return int32(len(s.q) - 1)
}

// GrowSynthetic grows a complete tree of about the given number of terminals
// (2 to 5000) from the trunk root→hilum (LPS mm) into the organ (one bool per
// voxel of g). Radii keep r^murray ∝ flow with trunkMM at the root. The same
// seed gives the same tree.
//
// 300 terminals take less than a second; the time grows with their square and
// with terminals times voxels. Errors: ErrNoOrgan, a number out of range,
// ctx.Err() within 200 ms.
func GrowSynthetic(ctx context.Context, how Growth, g imaging.Grid, organ []bool, root, hilum r3.Vec, terminals int, trunkMM, murray float64, seed uint64) (*Synthetic, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("vessel: grid of the organ: %w", err)
	}
	switch {
	case len(organ) != g.Len():
		return nil, fmt.Errorf("vessel: the organ's mask has %d voxels, its grid %d", len(organ), g.Len())
	case terminals < 2 || terminals > 5000:
		return nil, fmt.Errorf("vessel: %d terminals; give 2 to 5000", terminals)
	case !(trunkMM > 0 && trunkMM <= mostMM):
		return nil, fmt.Errorf("vessel: a trunk of radius %g mm; give up to %g", trunkMM, mostMM)
	case !(murray >= 1 && murray <= 10):
		return nil, fmt.Errorf("vessel: Murray's exponent is %g; give 1 to 10", murray)
	case !(r3.Norm(r3.Sub(hilum, root)) > 0 && r3.Norm(root) <= maxMM && r3.Norm(hilum) <= maxMM):
		return nil, fmt.Errorf("vessel: a trunk from %v to %v mm has no length or no place in a scanner", root, hilum)
	case how > GrowColony:
		return nil, fmt.Errorf("vessel: %v is not known", how)
	}
	rng := rand.New(rand.NewPCG(seed, 0x7472757468))
	var voxels []int32
	out := &Synthetic{Of: make([]int32, g.Len())}
	for n, in := range organ {
		out.Of[n] = -1
		if in {
			voxels = append(voxels, int32(n))
		}
	}
	if len(voxels) == 0 {
		return nil, ErrNoOrgan
	}
	inside := func(p r3.Vec) bool {
		x, y, z := g.Voxel(p)
		i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
		return g.Contains(i, j, k) && organ[g.Index(i, j, k)]
	}
	s := &sapling{}
	s.add(-1, root, hilum, 0)
	var err error
	switch how {
	case GrowSplit:
		err = growSplit(ctx, s, g, voxels, inside, terminals, out.Of, rng)
	case GrowColony:
		err = growColony(ctx, s, g, voxels, terminals, out.Of, rng)
	default:
		err = growOptimised(ctx, s, g, voxels, inside, terminals, rng)
	}
	if err != nil {
		return nil, err
	}
	out.finish(s, trunkMM, murray)
	if how == GrowOptimised {
		to := make([]r3.Vec, len(out.Terminals))
		for n, t := range out.Terminals {
			to[n] = out.Segments[t].To
		}
		of, err := nearestOf(ctx, g, voxels, to)
		if err != nil {
			return nil, err
		}
		for n, v := range voxels {
			out.Of[v] = out.Terminals[of[n]]
		}
	}
	return out, nil
}

// nearestOf is the nearest of some places to each voxel; of equally near ones
// the first.
func nearestOf(ctx context.Context, g imaging.Grid, voxels []int32, at []r3.Vec) ([]int32, error) {
	of := make([]int32, len(voxels))
	for n, v := range voxels {
		if n%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p, best := g.Point(ijk(g, int(v))), math.Inf(1)
		for m, q := range at {
			if d := r3.Norm2(r3.Sub(p, q)); d < best {
				best, of[n] = d, int32(m)
			}
		}
	}
	return of, nil
}

func ijk(g imaging.Grid, n int) (i, j, k float64) {
	a, b, c := g.IJK(n)
	return float64(a), float64(b), float64(c)
}

// finish orders the segments, parents first, and gives the radii.
func (t *Synthetic) finish(s *sapling, trunkMM, murray float64) {
	at := make([]int32, len(s.q))
	stack := []int32{0}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		p := s.parent[n]
		if p >= 0 {
			p = at[p]
		}
		at[n] = int32(len(t.Segments))
		t.Segments = append(t.Segments, SyntheticSegment{Parent: p, From: s.from[n], To: s.to[n], Flow: s.q[n],
			RadiusMM: trunkMM * math.Pow(s.q[n]/s.q[0], 1/murray)})
		stack = append(stack, s.kids[n]...)
		if len(s.kids[n]) == 0 {
			t.Terminals = append(t.Terminals, at[n])
		}
	}
	for n, o := range t.Of {
		if o >= 0 {
			t.Of[n] = at[o]
		}
	}
}

// Visible is the tree of the count thickest segments, as a scan would show it:
// chains between visible branchings are one branch. of[s] is the branch of the
// nearest visible segment at or above segment s. The radii of a branch are
// multiplied by exp(noise·N(0,1)), one draw each.
func (t *Synthetic) Visible(count int, noise float64, seed uint64) (tree *Tree, of []int32) {
	rng := rand.New(rand.NewPCG(seed, 0x76697369))
	// Thickest first; of equal ones any. A parent is thicker than its children.
	order, tie := make([]int, len(t.Segments)), make([]uint64, len(t.Segments))
	for n := range order {
		order[n], tie[n] = n, rng.Uint64()
	}
	tie[0] = 0 // the trunk, which may have one child as thick as itself
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.Segments[b].RadiusMM, t.Segments[a].RadiusMM), cmp.Compare(tie[a], tie[b]))
	})
	seen, kids := make([]bool, len(t.Segments)), make([]int, len(t.Segments))
	for _, n := range order[:min(count, len(order))] {
		p := t.Segments[n].Parent
		seen[n] = p < 0 || seen[p]
		if seen[n] && p >= 0 {
			kids[p]++
		}
	}
	tree = &Tree{System: imaging.LabelPortalVein}
	of = make([]int32, len(t.Segments))
	for n, s := range t.Segments {
		switch {
		case !seen[n]:
			of[n] = -1
			if s.Parent >= 0 {
				of[n] = of[s.Parent]
			}
		case s.Parent >= 0 && kids[s.Parent] == 1:
			of[n] = of[s.Parent]
			b := &tree.Branches[of[n]]
			b.Points, b.RadiusMM = append(b.Points, s.To), append(b.RadiusMM, s.RadiusMM)
		default:
			b := Branch{Parent: -1, Points: []r3.Vec{s.From, s.To}, RadiusMM: []float64{s.RadiusMM, s.RadiusMM}}
			if s.Parent >= 0 {
				b.Parent = int(of[s.Parent])
				up := &tree.Branches[b.Parent]
				up.Children = append(up.Children, len(tree.Branches))
			}
			of[n] = int32(len(tree.Branches))
			tree.Branches = append(tree.Branches, b)
		}
	}
	for n := range tree.Branches {
		f := math.Exp(noise * rng.NormFloat64())
		for m := range tree.Branches[n].RadiusMM {
			tree.Branches[n].RadiusMM[m] *= f
		}
	}
	return tree, of
}
