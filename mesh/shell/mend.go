package shell

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// rel is the score of tetrahedron t of the room side against the bounds, or
// against what it was where the input broke them: 1 and more is good.
func (g *growth) rel(t int32) float64 {
	v := &g.tets[t]
	qa, qb := g.q.rate(g.pos[v[0]], g.pos[v[1]], g.pos[v[2]], g.pos[v[3]])
	if qa >= 1 && qb >= 1 {
		return min(qa, qb)
	}
	oa, ob := g.q.rate(g.orig[v[0]], g.orig[v[1]], g.orig[v[2]], g.orig[v[3]])
	if oa < 1 {
		qa /= oa
	}
	if ob < 1 {
		qb /= ob
	}
	return min(qa, qb)
}

// good is the score at which a tetrahedron needs no more help.
const good = 1.05

// lack is what tetrahedron t lacks to be good, squared.
func (g *growth) lack(t int32) float64 {
	x := good - g.rel(t)
	if x <= 0 {
		return 0
	}
	return x * x
}

// lacking is the sum of lack around node n; it stops above limit.
func (g *growth) lacking(n int32, limit float64) float64 {
	var sum float64
	for _, t := range g.star.of(n) {
		if sum += g.lack(t); sum > limit {
			break
		}
	}
	return sum
}

const (
	improveSteps = 6
	// improveReach is the longest step, as a share of the mean edge.
	improveReach = 0.3
)

// improve moves node n downhill in the sum of lack around it, and reports
// whether it moved. The sum over the whole mesh never grows.
func (g *growth) improve(n int32) bool {
	h := &g.hold[n]
	if h.kind == stays {
		return false
	}
	star := g.star.of(n)
	var size float64
	for _, t := range star {
		for _, o := range g.tets[t] {
			size += r3.Norm2(r3.Sub(g.pos[o], g.pos[n]))
		}
	}
	size = math.Sqrt(size / float64(3*len(star)))
	low := g.lacking(n, math.Inf(1))
	moved := false
	step := improveReach * size
	for k := 0; k < improveSteps && low > 0; k++ {
		at := g.pos[n]
		d := h.allow(g.downhill(n, 1e-4*size))
		l := r3.Norm(d)
		if !(l > 0) {
			break
		}
		done := false
		for ; step > 0.003*size && !done; step *= 0.5 {
			g.pos[n] = g.sheets.settle(h, r3.Add(at, r3.Scale(step/l, d)))
			if x := g.lacking(n, low); x < low {
				low, done = x, true
			}
		}
		if !done {
			g.pos[n] = at
			break
		}
		moved = true
		step *= 4
	}
	return moved
}

// downhill is minus the gradient of the sum of lack by node n, by central
// differences of step e mm.
func (g *growth) downhill(n int32, e float64) (d r3.Vec) {
	p := g.pos[n]
	for _, t := range g.star.of(n) {
		if g.lack(t) == 0 {
			continue
		}
		at := func(x, y, z float64) float64 {
			g.pos[n] = r3.Vec{X: p.X + x, Y: p.Y + y, Z: p.Z + z}
			return g.lack(t)
		}
		d.X -= at(e, 0, 0) - at(-e, 0, 0)
		d.Y -= at(0, e, 0) - at(0, -e, 0)
		d.Z -= at(0, 0, e) - at(0, 0, -e)
		g.pos[n] = p
	}
	return d
}

// scored is a tetrahedron, or a face of the lumen surface, and its score.
type scored struct {
	score float64
	item  int32
}

// below lists the tetrahedra of the list with a score under limit, worst
// first.
func (g *growth) below(list []int32, limit float64) []scored {
	var out []scored
	for _, t := range list {
		if x := g.rel(t); x < limit {
			out = append(out, scored{x, t})
		}
	}
	worstFirst(out)
	return out
}

// worstFirst sorts by score; equals by number.
func worstFirst(s []scored) {
	slices.SortFunc(s, func(a, b scored) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return int(a.item - b.item)
	})
}

const (
	mendPasses = 12
	// mendGain is the share of bad tetrahedra a pass must cure to be followed
	// by another.
	mendGain = 0.1
	// patient and hasty are the rounds after which heights are taken back
	// faster, and all at once.
	patient, hasty = 8, 40
	inverted       = 0.6 // step for inverted tetrahedra and after the patient rounds
)

// mend improves the nodes of bad tetrahedra, worst first.
func (g *growth) mend(b *band, list []int32) ([]scored, error) {
	bad := g.below(list, 1)
	done := make([]uint8, len(b.nodes)) // pass in which the node was last done
	for pass := 1; pass <= mendPasses && len(bad) > 0; pass++ {
		for i, x := range bad {
			if i&0x1f == 0 && g.ctx.Err() != nil {
				return nil, g.ctx.Err()
			}
			for _, n := range g.tets[x.item] {
				i := b.place[n]
				if i < 0 || done[i] == uint8(pass) || g.height[b.src[i]] == 0 {
					continue
				}
				done[i] = uint8(pass)
				g.improve(n)
			}
		}
		next := g.below(list, 1)

		slow := float64(len(next)) > (1-mendGain)*float64(len(bad))
		bad = next
		if slow && pass > 1 {
			break
		}
	}

	return bad, nil
}

// makeRoom moves the tissue out of the way of the wall. Where it cannot, the
// wall gets thinner and the tissue goes back in proportion, in the end to where
// it was: then its tetrahedra are those of the input.
func (g *growth) makeRoom() error {
	b, err := g.newBand()
	if err != nil {
		return err
	}
	g.setTops()
	if err := g.spread(b); err != nil {
		return err
	}
	touched := make([]bool, len(g.tets))
	touch := func(n int32) {
		for _, t := range g.star.of(n) {
			touched[t] = true
		}
	}
	for _, n := range b.nodes {
		touch(n)
	}
	for c := range g.base {
		touch(g.node(int32(c)))
	}
	var list []int32
	for t, is := range touched {
		if is {
			list = append(list, int32(t))
		}
	}
	before := make([]float64, len(g.base))
	for round := 0; ; round++ {
		bad, err := g.mend(b, list)
		if err != nil || len(bad) == 0 {
			return err
		}
		copy(before, g.height)
		for _, x := range bad {
			f := shrink
			switch {
			case round >= hasty:
				f = 0
			case round >= patient || x.score < 0:
				f = inverted
			}
			for _, n := range g.tets[x.item] {
				c := g.copyAt(n)
				if c < 0 && b.place[n] >= 0 {
					c = b.src[b.place[n]]
				}
				if c >= 0 {
					g.lower(c, f*before[c], ReasonRoom)
				}
			}
		}
		if err := g.fit(); err != nil {
			return err
		}
		g.setTops()
		for i, n := range b.nodes {
			if c := b.src[i]; g.height[c] < before[c] {
				off := r3.Scale(g.height[c]/before[c], r3.Sub(g.pos[n], g.orig[n]))
				g.pos[n] = g.orig[n]
				if g.height[c] > 0 {
					g.pos[n] = g.sheets.settle(&g.hold[n], r3.Add(g.orig[n], off))
				}
			}
		}
	}
}

// setTops puts every copy on top of its wall.
func (g *growth) setTops() {
	for c := range g.base {
		g.pos[g.node(int32(c))] = g.top(int32(c), g.height[c])
	}
}
