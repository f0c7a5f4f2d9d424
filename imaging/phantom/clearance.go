package phantom

import (
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// leaves reports whether b ends far enough from another branch of its node for
// its own children, all thinner, to keep ownClearMM from it.
func (g *grower) leaves(b *Branch, other []r3.Vec) bool {
	r := g.branches[b.Parent].RadiusMM // no branch of the node is thicker
	end := b.Line[len(b.Line)-1]
	for _, c := range chain(other, r) {
		if d, _ := c.distance(end); d < 0.95*b.RadiusMM+ownClearMM+2*slackMM {
			return false
		}
	}
	return true
}

// related reports whether branches of one system share a node with b.
func (g *grower) related(b *Branch, other int32) bool {
	o := &g.branches[other]
	return o.System == b.System && (int(other) == b.Parent || o.Parent == b.Parent)
}

// relax moves the points of a line, but for the first, out of what it must
// keep clear of and smooths it.
func (g *grower) relax(b *Branch, line []r3.Vec) []r3.Vec {
	const rounds, most = 10, 1.5 // most mm a round
	need := b.RadiusMM + insideMM + 2*slackMM
	// A point that was deep inside needs no look until it moved that far.
	known, depth := slices.Clone(line), make([]float64, len(line))
	for range rounds {
		moved := false
		for n := 1; n < len(line); n++ {
			var push r3.Vec
			p := line[n]
			if (b.Parent >= 0 || n == len(line)-1) && depth[n]-norm(r3.Sub(p, known[n])) <= need {
				f, grad := g.liver(p)
				known[n], depth[n] = p, -f
				if f > -need {
					push = r3.Sub(push, r3.Scale((f+need+slackMM)/max(r3.Norm2(grad), 0.1), grad))
				}
			}
			for _, t := range g.tumours {
				if f, grad := t.f(p); f < b.RadiusMM+marginMM+2*slackMM {
					push = r3.Add(push, r3.Scale(b.RadiusMM+marginMM+3*slackMM-f, unit(grad)))
				}
			}
			for _, id := range g.near.near(p) {
				if g.related(b, g.owner[id]) {
					continue
				}
				need := g.gap(b, id) + b.RadiusMM + 2*slackMM
				if g.caps[id].beyond(p, need) {
					continue
				}
				if d, away := g.caps[id].distance(p); d < need {
					push = r3.Add(push, r3.Scale(0.6*(need+slackMM-d), away))
				}
			}
			if l := norm(push); l > 0 {
				moved = true
				line[n] = r3.Add(p, r3.Scale(min(1, most/l), push))
			}
		}
		for n := 1; n+1 < len(line); n++ {
			line[n] = r3.Add(r3.Scale(0.6, line[n]), r3.Scale(0.2, r3.Add(line[n-1], line[n+1])))
		}
		if !moved {
			break
		}
	}
	return even(line)
}

// gap is what b must leave to a capsule. A tip that is to grow on gets extra
// room from the other system, or it would soon be walled in.
func (g *grower) gap(b *Branch, id int32) float64 {
	if o := g.owner[id]; g.branches[o].System != b.System {
		if g.open[o] && g.tail[id] {
			return clearMM + min(tipMM, 1.2*g.branches[o].RadiusMM)
		}
		return clearMM
	}
	return ownClearMM
}

// valid reports whether b keeps every clearance and bends gently.
func (g *grower) valid(b *Branch) bool {
	line := b.Line
	inside := b.Parent >= 0
	for n := range line {
		if n > 0 && n+1 < len(line) && r3.Dot(unit(r3.Sub(line[n], line[n-1])), unit(r3.Sub(line[n+1], line[n]))) < 0.6 {
			return false
		}
		if !g.clear(b, line[n], &inside) || n+1 < len(line) && !g.clear(b, r3.Scale(0.5, r3.Add(line[n], line[n+1])), &inside) {
			return false
		}
	}
	if b.Parent >= 0 {
		if p := g.branches[b.Parent].Line; r3.Dot(tangent(p), unit(r3.Sub(line[1], line[0]))) < -0.1 {
			return false
		}
	}
	return inside
}

// clear checks one point. A trunk may start outside the liver: inside turns
// true at its first point within, and from there on it must stay.
func (g *grower) clear(b *Branch, p r3.Vec, inside *bool) bool {
	if f, _ := g.liver(p); f > -(b.RadiusMM + insideMM + slackMM) {
		if *inside {
			return false
		}
	} else {
		*inside = true
	}
	for _, t := range g.tumours {
		if f, _ := t.f(p); f < b.RadiusMM+marginMM+slackMM {
			return false
		}
	}
	for _, id := range g.near.near(p) {
		if g.related(b, g.owner[id]) {
			continue
		}
		need := g.gap(b, id) + b.RadiusMM + slackMM
		if c := &g.caps[id]; !c.beyond(p, need) {
			if d, _ := c.distance(p); d < need {
				return false
			}
		}
	}
	return true
}
