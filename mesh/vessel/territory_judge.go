package vessel

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Weights of the evidence for a territory in a conditional logit (McFadden, in
// Zarembka, Frontiers in Econometrics, 1974): the logarithms of the votes by
// transport and by construct, how much farther its nearest branch is than the
// nearest of all, in cube roots of the tissue of one tip, and a constant for
// the rest. Distance tells less the more flow leaves along branches, not at
// tips: sideWeight is added to its weight for each unit of that share, which is
// taken as 0.2 to 0.6, what the fitted trees have.
var (
	evidence   = [4]float64{0.43, 1.03, 5.76, -2.04}
	sideWeight = -4.99
	sideRange  = [2]float64{0.2, 0.6}
)

// judge weighs the evidence for the territories block by block.
type judge struct {
	s      *Supply
	of     []int32
	rest   int // index of the rest; the number of roots
	resist paths
	scale  float64
	far    float64   // weight of the distance
	logs   []float64 // of half + n votes by transport, then by construct
	many   int       // runs of the kind that has more
}

func (s *Supply) newJudge(of []int32, groups, rest int) *judge {
	e := &judge{s: s, of: of, rest: rest, resist: s.resistance(of, rest)}
	e.scale = math.Sqrt(e.resist.scale2)
	e.far = evidence[2] + sideWeight*min(max(sideShare(s.chords, s.work), sideRange[0]), sideRange[1])
	const half = 0.5 // a vote for what was not seen
	e.many = max(s.counted, len(s.runs)-s.counted)
	for kind, runs := range [2]int{s.counted, len(s.runs) - s.counted} {
		for n := range e.many + 1 {
			e.logs = append(e.logs, evidence[kind]*math.Log(votesOf[kind]*float64(n)/float64(runs)+half))
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
	clear(ahead)
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
			post[i] -= e.far * (math.Sqrt(d[i]) - shortest) / e.scale
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
func (c *chord) ahead(p r3.Vec) float64 { return r3.Dot(r3.Sub(p, c.a), c.dir) }

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
