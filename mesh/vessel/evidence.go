package vessel

import (
	"cmp"
	"math"
	"slices"
)

// cellTubes is how many tubes may hold a voxel.
const cellTubes = 3

// cell is a voxel near the surface.
type cell struct {
	wrong float64            // 1 inside the lumen, −1 outside: times a gap, mm on the wrong side
	gap   [cellTubes]float64 // mm to the surface of each tube, negative inside
	cost  float64
	tubes int32
	met   bool // lately near enough to the surface to count
}

// effect is how fast the gaps of a cell change with a parameter.
type effect struct {
	cell int32
	k    [cellTubes]float32
}

func (s *sampler) cell(inside bool) {
	c := cell{wrong: -1}
	if inside {
		c.wrong = 1
	}
	s.cells = append(s.cells, c)
}

// offer is the slot of a tube in cell c, −1 when there are three already.
func (s *sampler) offer(c int32, gap float64) int {
	x := &s.cells[c]
	if x.tubes == cellTubes {
		return -1
	}
	x.gap[x.tubes] = gap
	x.tubes++
	return int(x.tubes) - 1
}

// effect lets parameter p change the gap of a slot of cell c by k times its own
// change.
func (s *sampler) effect(p int, c int32, slot int, k float64) {
	e := effect{cell: c}
	e.k[slot] = float32(k)
	s.params[p].effects = append(s.params[p].effects, e)
}

// settle ends the building: the effects of a parameter on one cell become one,
// and those on cells at the surface come first, which tell soonest that a trial
// is lost.
func (s *sampler) settle() {
	at := make([]int, len(s.cells))
	most := 0
	for p := range s.params {
		q := &s.params[p]
		out := q.effects[:0]
		for _, e := range q.effects {
			if n := at[e.cell] - 1; n >= 0 && n < len(out) && out[n].cell == e.cell {
				for k := range e.k {
					out[n].k[k] += e.k[k]
				}
				continue
			}
			out = append(out, e)
			at[e.cell] = len(out)
		}
		q.effects = out
		slices.SortStableFunc(out, func(a, b effect) int {
			return cmp.Compare(math.Abs(s.cells[a.cell].least()), math.Abs(s.cells[b.cell].least()))
		})
		most = max(most, len(out))
	}
	s.trial = make([]float64, most)
}

// least is the gap of the union of the tubes.
func (c *cell) least() float64 {
	a := math.Inf(1)
	for _, x := range c.gap[:c.tubes] {
		a = min(a, x)
	}
	return a
}

// Beyond costFar blurs a cell costs nothing on the right side and the distance in
// blurs on the wrong one.
const costFar, costSteps = 6.0, 64.0

var costs = func() []float64 {
	out := make([]float64, int(2*costFar*costSteps)+2)
	for n := range out {
		out[n] = math.Log1p(math.Exp(float64(n)/costSteps - costFar))
	}
	return out
}()

// cost is −log of the chance of a voxel with its centre mm on the wrong side.
func (s *sampler) cost(mm float64) float64 {
	x := mm / s.blur
	if x > costFar {
		return x
	}
	if x < -costFar {
		return 0
	}
	y := (x + costFar) * costSteps
	n := int(y)
	return costs[n] + (y-float64(n))*(costs[n+1]-costs[n])
}

// focus sets the blur to the one under which the voxels are likeliest.
func (s *sampler) focus() {
	best, least := blurLow*s.unit, math.Inf(1)
	for s.blur = best; s.blur < blurHigh*s.unit; s.blur *= 1.2 {
		sum := 0.0
		for c := range s.cells {
			sum += s.cost(s.cells[c].wrong * s.cells[c].least())
		}
		if sum < least {
			best, least = s.blur, sum
		}
	}
	s.blur = best
	for c := range s.cells {
		s.cells[c].cost = s.cost(s.cells[c].wrong * s.cells[c].least())
	}
}
