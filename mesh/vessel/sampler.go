package vessel

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// sampler draws tubes in the measure in which they explain the voxels: a Markov
// chain (Metropolis) that changes one parameter at a time. A voxel centre is
// inside with the chance 1/(1 + exp(gap/blur)), gap its distance from the surface
// of the union of tubes, which is taken to change linearly with the parameters;
// before the voxels, centrelines are as smooth as in the fit (see sharpen) and
// most tapers small. The same input gives the same draws.
type sampler struct {
	unit   float64 // side of a voxel, mm
	blur   float64 // mm: the one under which the voxels are likeliest
	rng    *rand.Rand
	cells  []cell
	params []param
	base   []r3.Vec // knots
	move   []r3.Vec // and how far they are from there
	bends  []triple
	bent   [][]int   // of each knot: the triples it is part of
	scale  []float64 // of each edge: logarithm of the change of its radius
	taper  []float64 // and of that from its first to its last point
	tight  []float64 // one over the square of the usual taper
	trial  []float64 // costs of the cells in a trial
	draws  int
	moves  []r3.Vec     // sums over the draws
	sums   [][3]float64 // of each edge: of its scale, the square of that, its taper
}

// What a parameter changes.
const (
	moveKnot = iota // mm
	widen           // of the logarithm of a radius
	incline         // of that over a whole edge
)

type param struct {
	kind, of   int // which knot or edge
	dir        r3.Vec
	step, most float64 // width of the steps tried and its bound
	tried, won int
	effects    []effect
}

// triple is three knots in a row and the price of their bend.
type triple struct {
	a, b, c int
	w       float64
}

// Of the blur: sharpest and softest, voxels. Tubes of straight pieces and gaps
// taken as linear are themselves a few hundredths of a voxel off.
const blurLow, blurHigh = 0.025, 0.4

func newSampler(unit float64, edges int) *sampler {
	return &sampler{unit: unit, blur: blurLow * unit, rng: rand.New(rand.NewPCG(1, 2)),
		scale: make([]float64, edges), taper: make([]float64, edges), tight: make([]float64, edges)}
}

func (s *sampler) param(p param) int {
	s.params = append(s.params, p)
	return len(s.params) - 1
}

func (s *sampler) knot(p r3.Vec) int {
	s.base, s.move, s.bent = append(s.base, p), append(s.move, r3.Vec{}), append(s.bent, nil)
	return len(s.base) - 1
}

func (s *sampler) bend(a, b, c int, w float64) {
	for _, k := range [3]int{a, b, c} {
		s.bent[k] = append(s.bent[k], len(s.bends))
	}
	s.bends = append(s.bends, triple{a, b, c, w})
}

// prior is −log of the prior chance, as far as it depends on p. Beside bends and
// tapers it holds what no voxel tells within a voxel or so and radii within a
// fifth of the fit.
func (s *sampler) prior(p *param) float64 {
	switch p.kind {
	case widen:
		return s.scale[p.of] * s.scale[p.of] / (2 * 0.2 * 0.2)
	case incline:
		// Student's t of two degrees of freedom: some vessels do taper.
		return 1.5 * math.Log1p(s.tight[p.of]*s.taper[p.of]*s.taper[p.of]/2)
	}
	sum := r3.Norm2(s.move[p.of]) / (2 * s.unit * s.unit)
	for _, n := range s.bent[p.of] {
		t := &s.bends[n]
		a, b, c := r3.Add(s.base[t.a], s.move[t.a]), r3.Add(s.base[t.b], s.move[t.b]), r3.Add(s.base[t.c], s.move[t.c])
		sum += t.w / 2 * r3.Norm2(r3.Add(r3.Sub(a, b), r3.Sub(c, b)))
	}
	return sum
}

func (s *sampler) change(p *param, d float64) {
	switch p.kind {
	case moveKnot:
		s.move[p.of] = r3.Add(s.move[p.of], r3.Scale(d, p.dir))
	case widen:
		s.scale[p.of] += d
	case incline:
		s.taper[p.of] += d
	}
}

// try changes p by a random step and takes that back unless it is likely enough.
func (s *sampler) try(p *param) {
	d := p.step * s.rng.NormFloat64()
	limit := s.rng.ExpFloat64() // taken while the cost rises by no more
	rise := -s.prior(p)
	s.change(p, d)
	rise += s.prior(p)
	p.tried++
	for i := range p.effects {
		if rise > limit+5 { // cells farther off will hardly make up for it
			break
		}
		e := &p.effects[i]
		c := &s.cells[e.cell]
		gap := c.gap[0] + d*float64(e.k[0])
		for q := 1; q < int(c.tubes); q++ {
			gap = min(gap, c.gap[q]+d*float64(e.k[q]))
		}
		x := 0.0
		if mm := c.wrong * gap; mm > -costFar*s.blur {
			x, c.met = s.cost(mm), true
		}
		s.trial[i] = x
		rise += x - c.cost
	}
	if !(rise <= limit) {
		s.change(p, -d)
		return
	}
	p.won++
	for i := range p.effects {
		e := &p.effects[i]
		c := &s.cells[e.cell]
		for q := range int(c.tubes) {
			c.gap[q] += d * float64(e.k[q])
		}
		c.cost = s.trial[i]
	}
}

// run draws tubes: burn sweeps over all parameters to begin with, then some that
// count.
func (s *sampler) run(ctx context.Context, burn, sweeps int) error {
	s.moves, s.sums = make([]r3.Vec, len(s.base)), make([][3]float64, len(s.scale))
	s.focus()
	for sweep := range burn + sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		for p := range s.params {
			s.try(&s.params[p])
		}
		if sweep < burn {
			s.adapt(sweep, burn)
			continue
		}
		s.draws++
		for k, m := range s.move {
			s.moves[k] = r3.Add(s.moves[k], m)
		}
		for n, x := range s.scale {
			s.sums[n][0] += x
			s.sums[n][1] += x * x
			s.sums[n][2] += s.taper[n]
		}
	}
	return nil
}

// adapt widens steps that are mostly taken and narrows others, sets the blur, and
// at the end of the burn drops the cells that no step of its second half brought
// near the surface.
func (s *sampler) adapt(sweep, burn int) {
	if sweep%10 == 9 {
		s.focus()
		for p := range s.params {
			q := &s.params[p]
			taken := float64(q.won) / float64(q.tried)
			q.step = min(q.step*math.Exp(2*(taken-0.4)), q.most)
			q.tried, q.won = 0, 0
		}
	}
	switch sweep {
	case burn/2 - 1:
		for c := range s.cells {
			s.cells[c].met = s.cells[c].cost > 0
		}
	case burn - 1:
		for p := range s.params {
			q := &s.params[p]
			q.effects = slices.DeleteFunc(q.effects, func(e effect) bool { return !s.cells[e.cell].met })
		}
	}
}

// moved is the mean move of knot k.
func (s *sampler) moved(k int) r3.Vec { return r3.Scale(1/float64(s.draws), s.moves[k]) }

// radius is the mean of the logarithm of the change of the radius of edge n, its
// standard deviation, and the mean taper.
func (s *sampler) radius(n int) (scale, sd, taper float64) {
	w := 1 / float64(s.draws)
	scale = w * s.sums[n][0]
	return scale, math.Sqrt(max(w*s.sums[n][1]-scale*scale, 0)), w * s.sums[n][2]
}
