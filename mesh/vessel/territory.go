package vessel

import (
	"context"
	"fmt"
	"math"
	"slices"

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
	Volume         // of the voxels that are most probably its
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

// SureAt is the confidence from which a voxel is declared sure. It and the
// other fitted numbers come from the synthetic trees of seeds 1001–1010 (both
// growths, ellipsoids and phantom livers, 38 to 207 visible segments), where
// 2.7 % of what is declared is wrong and 56 % is declared; the bench reports
// other seeds.
const SureAt = 0.93

// Weights of the evidence for a territory in a conditional logit (McFadden, in
// Zarembka, Frontiers in Econometrics, 1974): the logarithms of the votes by
// transport and by construct, how much farther its nearest branch is than the
// nearest of all, in cube roots of the tissue of one tip, and a constant for
// the rest.
var evidence = [4]float64{0.41, 0.98, 4.06, -2.08}

// Subtrees picks at most count roots: it starts with the roots of the tree and
// divides the thickest into its children while less than a sixth of its flow
// (Murray, r³) leaves it on the way. For count 2 that is the right and left
// portal branch of most livers.
func Subtrees(t *Tree, count int) []int {
	var roots []int
	for n := range t.Branches {
		if t.Branches[n].Parent < 0 {
			roots = append(roots, n)
		}
	}
	for len(roots) < count {
		best, at := 0.0, -1
		for n, r := range roots {
			b := &t.Branches[r]
			first, last := b.RadiusMM[0], b.RadiusMM[len(b.RadiusMM)-1]
			if len(b.Children) < 2 || len(roots)-1+len(b.Children) > count {
				continue
			}
			if b.Parent >= 0 && last*last*last < 5.0/6*first*first*first {
				continue
			}
			if first > best {
				best, at = first, n
			}
		}
		if at < 0 {
			break
		}
		kids := t.Branches[roots[at]].Children
		roots = append(slices.Delete(roots, at, at+1), kids...)
	}
	slices.Sort(roots)
	return roots
}

// MakeTerritories is Supplies followed by Supply.Territories.
func MakeTerritories(ctx context.Context, tree *Tree, g imaging.Grid, organ []bool, roots []int, o SupplyOptions) (*Territories, error) {
	s, err := Supplies(ctx, tree, g, organ, o)
	if err != nil {
		return nil, err
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

// Territories shares the organ out among the subtrees of roots (indices of
// branches). Of a root below another the deeper takes its subtree out of the
// other's territory. The last of List is the rest when some branch belongs to
// no root. A territory's volume counts the voxels given to it, so volumes add
// up to the organ's.
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
	doubt, desks := make([][]float64, w.chunks()), make([]*desk, w.chunks())
	err = w.each(ctx, len(s.chords), func(p r3.Vec, i int) float64 { return math.Sqrt(toSegment2(p, s.chords[i].a, s.chords[i].b)) }, group, groups,
		func(chunk, v int, p r3.Vec, near []int32) {
			if doubt[chunk] == nil {
				doubt[chunk], desks[chunk] = make([]float64, groups), newDesk(groups)
			}
			n := w.vox[v]
			t.Of[n], t.Nearest[n], t.Resistance[n] = e.judge(v, p, near, group, desks[chunk])
			post := desks[chunk].post
			t.Confidence[n] = float32(post[t.Of[n]])
			if w.apart[v] {
				t.Confidence[n] = 0
			}
			for i, x := range post {
				if w.apart[v] {
					x = 0.5 // nothing is known
				}
				doubt[chunk][i] += w.ml[v] * x * (1 - x)
			}
		})
	if err != nil {
		return nil, err
	}
	t.measure(of, doubt)
	return t, nil
}

func outside(w *working) []int32 {
	of := make([]int32, w.grid.Len())
	for n := range of {
		of[n] = -1
	}
	return of
}

// judge weighs the evidence for the territories block by block.
type judge struct {
	s      *Supply
	of     []int32
	rest   int // index of the rest; the number of roots
	resist paths
	scale  float64
	half   float64   // votes each territory has for what was not seen
	logs   []float64 // of half + n votes by transport, then by construct
	many   int       // runs of the kind that has more
}

func (s *Supply) newJudge(of []int32, groups, rest int) *judge {
	e := &judge{s: s, of: of, rest: rest, resist: s.resistance(of, rest)}
	e.scale = math.Sqrt(e.resist.scale2)
	// Half a vote each for eight territories; as many in all for more.
	e.half = 0.5 * min(1, 8/float64(groups))
	e.many = max(s.counted, len(s.runs)-s.counted)
	for kind, runs := range [2]int{s.counted, len(s.runs) - s.counted} {
		for n := range e.many + 1 {
			e.logs = append(e.logs, evidence[kind]*math.Log(votesOf[kind]*float64(n)/float64(runs)+e.half))
		}
	}
	return e
}

// votesOf is what the votes by transport and by construct count as.
var votesOf = [2]float64{8, 4}

// desk is what judge works on: per territory the probability, the squared
// distance, how far ahead of its start the place is, and the votes.
type desk struct {
	post, d, ahead []float64
	votes          []int32
}

func newDesk(n int) *desk {
	return &desk{make([]float64, n), make([]float64, n), make([]float64, n), make([]int32, 2*n)}
}

// judge fills post of the desk with the probability of each territory at block v, place p,
// and returns the most probable, the nearest and that of least resistance.
// near are the chords that may be the nearest of their group.
func (e *judge) judge(v int, p r3.Vec, near, group []int32, on *desk) (of, nearest, resist int32) {
	const far = 30 // e-folds below the best at which a probability is 0
	s, post, d, ahead, votes := e.s, on.post, on.d, on.ahead, on.votes
	n := len(post)
	clear(votes)
	for i := range d {
		d[i] = math.Inf(1)
	}
	least := math.Inf(1)
	for _, k := range near {
		c := &s.chords[k]
		q, x := group[k], toSegment2(p, c.a, c.b)
		if x < d[q] {
			d[q], ahead[q] = x, c.ahead(p)
		}
		if int(q) == e.rest {
			continue // the rest has no tissue of its own near its trunks
		}
		if r := e.resist.path[k] + x/e.resist.scale2; r < least || r == least && closer(d[q], ahead[q], d[resist], ahead[resist]) {
			least, resist = r, q
		}
	}
	for i := range d[:min(n, e.rest)] {
		if closer(d[i], ahead[i], d[nearest], ahead[nearest]) {
			nearest = int32(i)
		}
	}
	shortest := math.Sqrt(d[nearest])
	for run, label := range s.runs {
		o := int(e.of[label[v]])
		if s.built[run] {
			o += n
		}
		votes[o]++
	}
	top := math.Inf(-1)
	for i := range post {
		post[i] = e.logs[votes[i]] + e.logs[e.many+1+int(votes[n+i])]
		if i == e.rest {
			post[i] += evidence[3]
		} else {
			post[i] -= evidence[2] * (math.Sqrt(d[i]) - shortest) / e.scale
		}
		if post[i] > top {
			top, of = post[i], int32(i)
		}
	}
	sum := 0.0
	for i, x := range post {
		if post[i] = 0; x > top-far {
			post[i] = math.Exp(x - top)
		}
		sum += post[i]
	}
	for i := range post {
		post[i] /= sum
	}
	return of, nearest, resist
}

// ahead is how far p lies along the direction of c from its start, mm. Of
// branches that start at one place and are equally far from p, that is p's in
// whose direction it lies.
func (c *chord) ahead(p r3.Vec) float64 {
	d := r3.Sub(c.b, c.a)
	if l := r3.Norm(d); l > 0 {
		return r3.Dot(r3.Sub(p, c.a), d) / l
	}
	return 0
}

// closer compares squared distances, and where they are equal but for rounding
// the direction.
func closer(d, ahead, than, thanAhead float64) bool {
	const rounding = 1e-9
	if d == than || math.Abs(d-than) <= rounding*min(d, than) {
		return ahead > thanAhead
	}
	return d < than
}

// paths is the resistance from the root to each chord and the square of the
// distance that counts as much as the mean tip's.
type paths struct {
	path   []float64
	scale2 float64
}

// kappa is what a mean tip's path weighs against the hidden way: their squares
// of distance are compared at 1 : 0.1.
const kappa = 0.1

// resistance is Poiseuille's ∫ dx/r⁴ (Branch.Resistance) from the root to the
// start of each chord, in units of kappa times the mean of the tips.
func (s *Supply) resistance(of []int32, rest int) paths {
	p := paths{path: make([]float64, len(s.chords))}
	end := make([]float64, len(s.chords))
	var sum float64
	tips := 0
	for n := range s.chords {
		c := &s.chords[n]
		if c.parent >= 0 {
			p.path[n] = end[c.parent]
		}
		end[n] = p.path[n] + c.resist
		if c.tip && int(of[c.branch]) != rest {
			sum += end[n]
			tips++
		}
	}
	mean := sum / float64(max(1, tips))
	for n := range p.path {
		if mean > 0 {
			p.path[n] *= kappa / mean
		}
	}
	l := 10 * math.Cbrt(s.work.total/float64(max(1, tips)))
	p.scale2 = l * l
	return p
}

// measure sums volumes in the order of the blocks.
func (t *Territories) measure(of []int32, doubts [][]float64) {
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
	doubt := make([]float64, n)
	for _, part := range doubts {
		for i, x := range part {
			doubt[i] += x
		}
	}
	t.SureML, t.AgreeML = total[kinds*n], total[kinds*n+1]
	t.ContestedML = t.OrganML - t.AgreeML
	for i := range t.List {
		l := &t.List[i]
		l.SureML, l.NearestML, l.ResistanceML = total[sure*n+i], total[near*n+i], total[resist*n+i]
		_, sd := t.supply.moments(func(b int) bool { return int(of[b]) == i })
		l.Volume = interval(total[own*n+i], sd, doubt[i], t.OrganML)
	}
}
