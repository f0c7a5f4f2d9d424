package vessel

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// Volume is a volume in ml with its uncertainty: the estimate (50 %) and the
// ends of its 95 % interval (2.5 and 97.5 %).
type Volume struct{ ML, LowML, HighML float64 }

// Territory is what one subtree feeds.
type Territory struct {
	Root   int     // its branch; −1 for the rest: what branches outside every territory feed
	Name   string  // of the branch
	Volume         // expected: the sum of its probability over all voxels
	OwnML  float64 // of the voxels that are most probably its, those of Of
	SureML float64 // of those declared sure
	// By other rules, without an interval: the branch that is nearest, and the one
	// of least resistance.
	NearestML, ResistanceML float64
}

// Territories is an organ shared out among subtrees. Blocks are those of Grid;
// Paint carries them to the voxels they were made from.
type Territories struct {
	Grid       imaging.Grid
	Of         []int32   // index in List per block of Grid, −1 outside the organ
	Confidence []float32 // that Of is right, 0 to 1
	Nearest    []int32   // index in List by the nearest branch
	Resistance []int32   // index in List by least resistance
	List       []Territory
	OrganML    float64
	SureML     float64 // declared sure: Confidence ≥ SureAt
	// ContestedML is where nearest branch, least resistance and Of are not all the
	// same; AgreeML where they are.
	ContestedML, AgreeML float64
	supply               *Supply
}

// SureAt is the confidence from which a voxel is declared sure. The weights
// behind it come from synthetic trees of seeds 1001–1010, optimised and split
// growth in ellipsoids and phantom livers, 38 to 207 visible segments (there
// 2.6 % of what 0.92 declares is wrong and 58 % is declared); it was raised from
// 0.92 after seeds 1–7 of all three growths, where that gave 3.1 and 57 %. The
// bench reports seeds 1–10: nothing was set after the last three.
const SureAt = 0.925

// Subtrees picks at most count roots of territories by what they feed (the mean
// over the completions): it starts with the roots of the tree and divides the
// largest into its children while those that feed at least 2 % of the organ
// feed three quarters of it. Vessels that lie outside the organ are passed over; of
// most livers two are the right and left portal branch. What small side branches
// on the way feed becomes the rest. The order is that of the branches; it is
// empty when no subtree feeds 2 %.
func (s *Supply) Subtrees(count int) []int {
	const least, most = 0.02, 0.75
	ml := s.subtreesML()
	big := func(from []int) (out []int, sum float64) {
		for _, b := range from {
			if ml[b] >= least*s.work.total {
				out, sum = append(out, b), sum+ml[b]
			}
		}
		return out, sum
	}
	roots, _ := big(s.tree.Roots())
	whole := make([]bool, len(ml)) // not to be divided
	for len(roots) > 0 {
		at := -1
		for n, r := range roots {
			if !whole[r] && (at < 0 || ml[r] > ml[roots[at]]) {
				at = n
			}
		}
		if at < 0 {
			break
		}
		kids, sum := big(s.tree.Branches[roots[at]].Children)
		if len(kids) == 0 || len(roots)-1+len(kids) > count || sum < most*ml[roots[at]] {
			whole[roots[at]] = true
			continue
		}
		roots = append(slices.Delete(roots, at, at+1), kids...)
	}
	slices.SortStableFunc(roots, func(a, b int) int { return cmp.Compare(ml[b], ml[a]) })
	roots = roots[:min(len(roots), max(count, 0))]
	slices.Sort(roots)
	return roots
}

// subtreesML is the mean volume over the completions of each whole subtree.
func (s *Supply) subtreesML() []float64 {
	own := make([]float64, len(s.tree.Branches))
	for _, ml := range s.ml {
		for b, v := range ml {
			own[b] += v / float64(len(s.ml))
		}
	}
	for n := len(own) - 1; n >= 0; n-- {
		if p := s.tree.Branches[n].Parent; p >= 0 {
			own[p] += own[n]
		}
	}
	return own
}

// MakeTerritories is Supplies followed by Supply.Territories; roots nil is
// Supply.Subtrees(8).
func MakeTerritories(ctx context.Context, tree *Tree, g imaging.Grid, organ []bool, roots []int, o SupplyOptions) (*Territories, error) {
	s, err := Supplies(ctx, tree, g, organ, o)
	if err != nil {
		return nil, err
	}
	if roots == nil {
		roots = s.Subtrees(8)
	}
	return s.Territories(ctx, roots)
}

// owners says for each branch which of roots it belongs to: its nearest at or
// above it, or len(roots) for none.
func (s *Supply) owners(roots []int) ([]int32, error) {
	of := make([]int32, len(s.tree.Branches))
	for n := range of {
		of[n] = -1
	}
	for i, r := range roots {
		if r < 0 || r >= len(of) {
			return nil, fmt.Errorf("vessel: root %d is not a branch of the tree, which has %d", r, len(of))
		}
		if of[r] >= 0 {
			return nil, fmt.Errorf("vessel: root %d is named twice", r)
		}
		of[r] = int32(i)
	}
	for n := range of {
		if of[n] >= 0 {
			continue
		}
		of[n] = int32(len(roots))
		if p := s.tree.Branches[n].Parent; p >= 0 {
			of[n] = of[p]
		}
	}
	return of, nil
}

// Share is the part of the completions, 0 to 1, in which one of branches feeds
// the place p, LPS mm: one bool for each branch of the tree, what hangs on them
// not included. It is 0 outside the organ's blocks.
func (s *Supply) Share(branches []bool, p r3.Vec) float64 {
	g := s.work.grid
	x, y, z := g.Voxel(p)
	i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
	if !g.Contains(i, j, k) {
		return 0
	}
	v := s.work.at[g.Index(i, j, k)]
	if v < 0 {
		return 0
	}
	fed := 0
	for _, of := range s.runs {
		if branches[of[v]] {
			fed++
		}
	}
	return float64(fed) / float64(len(s.runs))
}

// Territories shares the organ out among the subtrees of roots (indices of
// branches). Of a root below another the deeper takes its subtree out of the
// other's territory. The last of List is the rest when some branch belongs to
// no root. Expected volumes add up to the organ's, and so do those of the voxels.
//
// It takes a few tenths of a second of one core for eight roots, seconds for
// every branch of a large tree (Branches), and keeps 16 bytes for each block of
// Grid. A done ctx ends it within 200 ms.
func (s *Supply) Territories(ctx context.Context, roots []int) (*Territories, error) {
	if len(roots) == 0 {
		return nil, fmt.Errorf("vessel: no roots of territories")
	}
	of, err := s.owners(roots)
	if err != nil {
		return nil, err
	}
	groups := len(roots)
	if slices.Contains(of, int32(groups)) {
		groups++
	}
	w := s.work
	t := &Territories{Grid: w.grid, OrganML: w.total, supply: s, List: make([]Territory, groups)}
	t.Of, t.Nearest, t.Resistance = outside(w), outside(w), outside(w)
	t.Confidence = make([]float32, w.grid.Len())
	for i := range t.List {
		t.List[i].Root = -1
		if i < len(roots) {
			t.List[i].Root, t.List[i].Name = roots[i], s.tree.Branches[roots[i]].Name
		}
	}
	group := make([]int32, len(s.chords))
	for n := range s.chords {
		group[n] = of[s.chords[n].branch]
	}
	e := s.newJudge(of, groups, len(roots))
	part := make([][]float64, w.chunks()) // expected volume, then doubt
	desks := sync.Pool{New: func() any { return newDesk(groups) }}
	err = w.each(ctx, len(s.chords), func(p r3.Vec, i int) float64 { return math.Sqrt(toSegment2(p, s.chords[i].a, s.chords[i].b)) }, group, groups,
		func(chunk, v int, p r3.Vec, near []int32) {
			if part[chunk] == nil {
				part[chunk] = make([]float64, 2*groups)
			}
			desk := desks.Get().(*desk)
			defer desks.Put(desk)
			n := w.vox[v]
			t.Of[n], t.Nearest[n], t.Resistance[n] = e.judge(v, p, near, group, desk)
			post := desk.post
			t.Confidence[n] = float32(post[t.Of[n]])
			if w.apart[v] {
				t.Confidence[n] = 0
			}
			for i, x := range post {
				part[chunk][i] += w.ml[v] * x
				if w.apart[v] {
					x = 0.5 // nothing is known
				}
				part[chunk][groups+i] += w.ml[v] * x * (1 - x)
			}
		})
	if err != nil {
		return nil, err
	}
	t.measure(of, part)
	return t, nil
}

func outside(w *working) []int32 {
	of := make([]int32, w.grid.Len())
	for n := range of {
		of[n] = -1
	}
	return of
}

// measure sums volumes in the order of the blocks.
func (t *Territories) measure(of []int32, posterior [][]float64) {
	w := t.supply.work
	const chunk = 1 << 14
	parts := make([][]float64, (len(w.vox)+chunk-1)/chunk)
	const own, sure, near, resist, kinds = 0, 1, 2, 3, 4
	n := len(t.List)
	par.Chunks(len(w.vox), chunk, func(lo, hi int) {
		sum := make([]float64, kinds*n+2)
		for v := lo; v < hi; v++ {
			b, ml := w.vox[v], w.ml[v]
			o := int(t.Of[b])
			sum[own*n+o] += ml
			if t.Confidence[b] >= SureAt {
				sum[sure*n+o] += ml
				sum[kinds*n] += ml
			}
			sum[near*n+int(t.Nearest[b])] += ml
			sum[resist*n+int(t.Resistance[b])] += ml
			if t.Nearest[b] == t.Of[b] && t.Resistance[b] == t.Of[b] {
				sum[kinds*n+1] += ml
			}
		}
		parts[lo/chunk] = sum
	})
	total := make([]float64, kinds*n+2)
	for _, p := range parts {
		for i, x := range p {
			total[i] += x
		}
	}
	post := make([]float64, 2*n)
	for _, part := range posterior {
		for i, x := range part {
			post[i] += x
		}
	}
	t.SureML, t.AgreeML = total[kinds*n], total[kinds*n+1]
	t.ContestedML = t.OrganML - t.AgreeML
	for i := range t.List {
		l := &t.List[i]
		l.OwnML, l.SureML, l.NearestML, l.ResistanceML = total[own*n+i], total[sure*n+i], total[near*n+i], total[resist*n+i]
		_, sd := t.supply.moments(func(b int) bool { return int(of[b]) == i })
		l.Volume = interval(post[i], sd, post[n+i], t.OrganML)
	}
}
