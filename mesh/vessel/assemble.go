package vessel

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// ErrNoVessel says that a lumen has no part longer than wide.
var ErrNoVessel = errors.New("vessel: no part of the lumen is longer than wide: it holds no vessel, or one end of one")

// seeds is the joints the tree grows from: for each point the end of a vessel
// nearest to it along the vessels (or the point itself where it lies amid a
// vessel without an end as thick near by), and for each piece without any the
// end with the largest radius, more so the farther it lies towards where the
// system comes from, outside the organ where that is known.
func (g *graph) seeds(points []r3.Vec, system imaging.Label, inside func(r3.Vec) bool, rep *Report) []int {
	var roots []int
	for n, p := range points {
		j, ok := g.seed(p)
		if !ok {
			rep.RootLost = append(rep.RootLost, n)
		} else if !slices.Contains(roots, j) {
			roots = append(roots, j)
		}
	}
	parts := newSets(len(g.joints))
	for n := range g.edges {
		if e := &g.edges[n]; !e.dead {
			parts.join(e.a, e.b)
		}
	}
	has := map[int]bool{}
	for _, r := range roots {
		has[parts.find(r)] = true
	}
	ends := g.ends()
	best, most := map[int]int{}, map[int]float64{}
	for j, at := range ends {
		c := parts.find(j)
		if len(at) == 0 || has[c] {
			continue
		}
		// A free end counts with its radius; a ring has none and starts anywhere.
		r := 0.0
		if len(at) == 1 {
			r = g.edges[at[0]/2].typical() * g.toward(j, parts, system)
			if inside != nil && inside(g.joints[j].at) {
				r *= 1e-3 // only where no end lies outside
			}
		}
		if _, ok := best[c]; !ok || r > most[c] {
			best[c], most[c] = j, r
		}
	}
	for j := range g.joints { // in order of the joints, not of the map
		if c := parts.find(j); best[c] == j && len(ends[j]) > 0 && !has[c] {
			roots = append(roots, j)
		}
	}
	return roots
}

// toward weighs a free end by its place in its piece, ½ to 1½: the portal vein
// enters from below and the middle, the hepatic veins leave upwards and back to
// the vena cava.
func (g *graph) toward(j int, parts sets, system imaging.Label) float64 {
	var d r3.Vec
	switch system {
	case imaging.LabelPortalVein:
		d = r3.Unit(r3.Vec{X: 0.5, Z: -1})
	case imaging.LabelHepaticVein:
		d = r3.Unit(r3.Vec{X: 0.3, Y: 0.6, Z: 0.7})
	default:
		return 1
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for n := range g.edges {
		if e := &g.edges[n]; !e.dead && parts.find(e.a) == parts.find(j) {
			for _, p := range e.p {
				x := r3.Dot(p, d)
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if hi <= lo {
		return 1
	}
	return 0.5 + (r3.Dot(g.joints[j].at, d)-lo)/(hi-lo)
}

// seed is the joint at which the vessel at p starts. ok is false when p is
// farther than three radii from every vessel.
func (g *graph) seed(p r3.Vec) (j int, ok bool) {
	bestN, bestM, d := -1, 0, math.Inf(1)
	for n := range g.edges {
		if g.edges[n].dead {
			continue
		}
		for m, q := range g.edges[n].p {
			if x := r3.Norm(r3.Sub(q, p)); x < d {
				bestN, bestM, d = n, m, x
			}
		}
	}
	if bestN < 0 {
		return 0, false
	}
	e := &g.edges[bestN]
	if d > 3*e.r[bestM]+2*g.l.mean {
		return 0, false
	}
	ends := g.ends()
	toA, toB := length(e.p[:bestM+1]), length(e.p[bestM:])
	reach := 4 * e.typical()
	freeA, freeB := len(ends[e.a]) == 1, len(ends[e.b]) == 1
	switch {
	case freeA && toA <= reach && (!freeB || toA <= toB):
		return e.a, true
	case freeB && toB <= reach:
		return e.b, true
	case toA < e.typical():
		return e.a, true
	case toB < e.typical():
		return e.b, true
	}
	return g.split(bestN, bestM), true
}

// tree walks the graph from its roots. Children come in the order of falling
// radius.
func (g *graph) tree(roots []int) *Tree {
	t := &Tree{}
	ends := g.ends()
	used := make([]bool, len(g.edges))
	type arrival struct{ joint, parent int }
	var todo []arrival
	for _, r := range roots {
		todo = append(todo, arrival{r, -1})
	}
	// Vessels that cuts have set apart from every root start at their thickest end.
	rest := func() (int, bool) {
		best, most := -1, 0.0
		for n := range g.edges {
			e := &g.edges[n]
			if e.dead || used[n] {
				continue
			}
			for _, j := range [2]int{e.a, e.b} {
				if r := e.typical(); r > most && (len(ends[j]) == 1 || best < 0) {
					best, most = j, r
				}
			}
		}
		return best, best >= 0
	}
	for {
		for n := 0; n < len(todo); n++ {
			here := todo[n]
			var out []int
			for _, x := range ends[here.joint] {
				if !used[x/2] {
					out = append(out, x)
				}
			}
			slices.SortStableFunc(out, func(a, b int) int {
				return cmp.Compare(g.edges[b/2].typical(), g.edges[a/2].typical())
			})
			for _, x := range out {
				if used[x/2] {
					continue
				}
				used[x/2] = true
				e := &g.edges[x/2]
				b := Branch{Parent: here.parent, Points: slices.Clone(e.p), RadiusMM: slices.Clone(e.r), RadiusSDMM: e.sd, Exists: g.exists(x/2, ends)}
				to := e.b
				if x&1 == 1 {
					slices.Reverse(b.Points)
					slices.Reverse(b.RadiusMM)
					to = e.a
				}
				t.Branches = append(t.Branches, b)
				todo = append(todo, arrival{to, len(t.Branches) - 1})
			}
		}
		j, ok := rest()
		if !ok {
			break
		}
		todo = append(todo[:0], arrival{j, -1})
	}
	t.SetOrders()
	for n := len(t.Branches) - 1; n >= 0; n-- { // what carries a vessel is one
		if b := &t.Branches[n]; b.Parent >= 0 {
			p := &t.Branches[b.Parent]
			p.Exists = max(p.Exists, b.Exists)
		}
	}
	return t
}

// exists is the confidence in an edge from what is seen of it: its visible
// length in diameters and its width in voxels, both saturating. A voxel of noise
// has neither.
func (g *graph) exists(n int, ends [][]int) float64 {
	e := &g.edges[n]
	d := 2 * e.typical()
	seen, _ := g.visible(n, ends)
	seen = max(seen, 0)
	w := d / g.l.mean
	return (1 - math.Exp(-2*seen/d)) * (1 - math.Exp(-w*w/2))
}
