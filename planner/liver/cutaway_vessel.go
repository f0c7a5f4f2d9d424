package liver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// sever finds where centrelines meet the cut, what of the trees is cut off, and
// the tissue that hung on it.
func (c *cutaway) sever() {
	for n, s := range [2]*System{c.t.Portal, c.t.Hepatic} {
		if s == nil {
			continue
		}
		if len(c.dead[n]) != len(s.Tree.Branches) {
			c.dead[n] = make([]int32, len(s.Tree.Branches))
		}
		for m := range s.Tree.Branches {
			c.severBranch(n, m, s)
		}
	}
	b := c.t.blocks
	for v := range b.vox {
		stay := 1 - c.gone[v]
		if stay == 0 {
			continue
		}
		ml := b.ml[v] * float64(stay)
		dry, wet := c.cutOff(0, v), c.cutOff(1, v)
		switch {
		case dry && wet:
			c.bothML += ml
			fallthrough
		case dry:
			c.dryML += ml
			if wet {
				c.congestedML += ml
			}
		case wet:
			c.congestedML += ml
		}
	}
}

// dissectMM is how far a centreline may stray over the cut and still be
// followed by the knife: a vessel that runs along the cut is not cut at every
// turn.
const dissectMM = 1.0

// followMM is how far beyond its radius a vessel may lie in a territory that is
// taken and still be kept: borders of territories are drawn no sharper.
const followMM = 3.0

// over is how deep point m of a vessel of system n lies in what is taken. What
// lies in the doubtful border of a territory is kept.
func (c *cutaway) over(n, m int, q *treePoint) float64 {
	s := c.resected(q.p, len(c.parts))
	if c.reg != nil && !c.reg.doubt[n][m] {
		s = max(s, c.reg.at(q.p)-q.radius-followMM)
	}
	return s
}

// severBranch walks branch m of system n away from the root. It is cut at most
// once on the way into what is taken and once on the way out of it.
func (c *cutaway) severBranch(n, m int, s *System) {
	from, to := s.first[m], s.first[m+1]
	dead := int32(to)
	p := s.Tree.Branches[m].Parent
	if p >= 0 && c.dead[n][p] < int32(s.first[p+1]) {
		dead = int32(from)
	}
	if n == 0 && c.reg != nil && c.reg.in[m] { // tied and cut at its start
		if p < 0 || !c.reg.in[p] {
			c.crossings = append(c.crossings, crossing{n, m, s.points[min(from+1, to-1)].radius, s.points[from].p})
		}
		c.dead[n][m] = int32(from)
		return
	}
	var cut [2]bool // on the way in, on the way out
	is, turn, last := false, from, math.Inf(-1)
	for i := from; i < to; i++ {
		q := &s.points[i]
		over := math.Inf(-1)
		if q.inside {
			over = c.over(n, i, q)
		}
		if i > from && (over > 0) != (last > 0) {
			turn = i
		}
		last = over
		if i == from {
			is = over > 0
		}
		if is == (over > 0) || i > from && math.Abs(over) < dissectMM && i+1 < to {
			if is && i == from && dead > int32(i) {
				dead = int32(i)
			}
			continue
		}
		is = over > 0
		if way := 0; is || !cut[1] {
			if !is {
				way = 1
			}
			prev := &s.points[max(turn-1, from)]
			if r := min(s.points[turn].radius, prev.radius); r >= minVesselMM && !cut[way] {
				cut[way] = true
				c.crossings = append(c.crossings, crossing{n, m, (s.points[turn].radius + prev.radius) / 2, r3.Scale(0.5, r3.Add(s.points[turn].p, prev.p))})
			}
		}
		if is && int32(turn) < dead {
			dead = int32(turn)
		}
	}
	c.dead[n][m] = dead
}

// cutOff reports whether block v lost its branch of system n. What a divided
// branch fed and the knife left is in doubt, not cut off: the surgeon follows
// the line of demarcation.
func (c *cutaway) cutOff(n, v int) bool {
	s := [2]*System{c.t.Portal, c.t.Hepatic}[n]
	if s == nil {
		return false
	}
	of := s.Of[v]
	if of < 0 || n == 0 && c.reg != nil && c.reg.in[of] {
		return false
	}
	return c.dead[n][of] < int32(s.first[of+1]) && s.along[v] >= c.dead[n][of]
}
