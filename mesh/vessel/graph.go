package vessel

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// graph is the vessels as joints (ends and branchings) and edges between them;
// unlike a Tree it has no direction and may have loops.
type graph struct {
	l      *lumen
	joints []joint
	edges  []edge
	cut    []Contact // edges and links taken away where vessels only touch
}

// joint is an end of the vessels or a place where edges meet.
type joint struct {
	at    r3.Vec
	rim   bool // at the border of the grid
	loose bool // made by a cut
	root  bool // where a tree starts: stays
}

// edge is a stretch of vessel from joint a to joint b (or back to a).
type edge struct {
	a, b    int
	p       []r3.Vec  // centreline with the joints at both ends
	r       []float64 // radius at each point, mm
	clean   []bool    // the cross-section there is of this edge alone
	sd      float64   // standard error of the mean radius, mm
	dead    bool
	merged  [2]int  // points at either end along which it runs side by side with another branch
	trimmed [2]bool // the end was drawn back from the surface: the lumen goes on as a ball
}

// skeleton makes the graph of the voxels on the skeleton. Voxels with two
// neighbours are along an edge; clumps of others are joints.
func (l *lumen) skeleton(on []bool) *graph {
	g := &graph{l: l}
	degree := func(v int32) (n int) {
		for d := range l.step {
			if o := l.beside(v, d); o >= 0 && on[o] {
				n++
			}
		}
		return n
	}
	jointOf := make([]int32, len(on)) // 0 none, else 1 + joint
	var members [][]int32
	open := func(s int32, all bool) {
		id := int32(len(members) + 1)
		jointOf[s] = id
		list := []int32{s}
		for n := 0; all && n < len(list); n++ {
			for d := range l.step {
				if o := l.beside(list[n], d); o >= 0 && on[o] && jointOf[o] == 0 && degree(o) != 2 {
					jointOf[o] = id
					list = append(list, o)
				}
			}
		}
		members = append(members, list)
	}
	for v, in := range on {
		if in && jointOf[v] == 0 && degree(int32(v)) != 2 {
			open(int32(v), true)
		}
	}
	done := make([]bool, len(on))
	trace := func() {
		for len(g.joints) < len(members) {
			id := len(g.joints)
			var sum r3.Vec
			j := joint{}
			for _, v := range members[id] {
				sum = r3.Add(sum, l.centre(v))
				j.rim = j.rim || l.rim[v]
			}
			j.at = r3.Scale(1/float64(len(members[id])), sum)
			g.joints = append(g.joints, j)
		}
		for id, list := range members {
			for _, v := range list {
				for d := range l.step {
					if o := l.beside(v, d); o >= 0 && on[o] && jointOf[o] == 0 && !done[o] {
						g.follow(on, jointOf, done, id, v, o)
					}
				}
			}
		}
	}
	trace()
	// What is left are rings without any joint: one voxel of each serves as such.
	for v, in := range on {
		if in && jointOf[v] == 0 && !done[v] {
			open(int32(v), false)
			trace()
		}
	}
	return g
}

// follow adds the edge that leaves joint a over voxel v to voxel o.
func (g *graph) follow(on []bool, jointOf []int32, done []bool, a int, v, o int32) {
	l := g.l
	e := edge{a: a, p: []r3.Vec{g.joints[a].at}, r: []float64{float64(l.dt[v])}}
	last := v
	for {
		done[o] = true
		e.p, e.r = append(e.p, l.centre(o)), append(e.r, float64(l.dt[o]))
		next := int32(-1)
		for d := range l.step {
			u := l.beside(o, d)
			if u < 0 || !on[u] || u == last {
				continue
			}
			if jointOf[u] != 0 || !done[u] {
				next = u
				break
			}
		}
		if next < 0 { // a ring of three voxels
			next = v
		}
		if jointOf[next] != 0 {
			e.b = int(jointOf[next]) - 1
			e.p, e.r = append(e.p, g.joints[e.b].at), append(e.r, float64(l.dt[next]))
			break
		}
		last, o = o, next
	}
	for n := range e.r { // the depth falls short of the radius by about this
		e.r[n] += l.mean / 3
	}
	g.edges = append(g.edges, e)
}

// at lists the ends of edges at every joint: 2·edge for its a end, 2·edge+1 for
// its b end.
func (g *graph) ends() [][]int {
	out := make([][]int, len(g.joints))
	for n := range g.edges {
		if e := &g.edges[n]; !e.dead {
			out[e.a] = append(out[e.a], 2*n)
			out[e.b] = append(out[e.b], 2*n+1)
		}
	}
	return out
}

// turned is the edge seen from its b end.
func (e *edge) turn() {
	e.a, e.b = e.b, e.a
	e.trimmed[0], e.trimmed[1] = e.trimmed[1], e.trimmed[0]
	e.merged[0], e.merged[1] = e.merged[1], e.merged[0]
	for x, y := 0, len(e.p)-1; x < y; x, y = x+1, y-1 {
		e.p[x], e.p[y] = e.p[y], e.p[x]
		e.r[x], e.r[y] = e.r[y], e.r[x]
		if e.clean != nil {
			e.clean[x], e.clean[y] = e.clean[y], e.clean[x]
		}
	}
}

// fuse joins the two edges of every joint that has just two and is no root.
func (g *graph) fuse() {
	ends := g.ends()
	for j := range ends {
		at := ends[j]
		if len(at) != 2 || at[0]/2 == at[1]/2 || g.joints[j].root {
			continue
		}
		x, y := at[0]/2, at[1]/2
		e, f := &g.edges[x], &g.edges[y]
		if e.b != j {
			e.turn()
		}
		if f.a != j {
			f.turn()
		}
		e.p, e.r = append(e.p, f.p[1:]...), append(e.r, f.r[1:]...)
		e.clean, e.b, e.trimmed[1] = nil, f.b, f.trimmed[1]
		f.dead = true
		ends = g.ends() // both far ends may have changed their side
	}
}

// tunnels takes away edges that come back to the joint they left within the
// width of the vessel: holes of a voxel or two in the crotch of a branching.
func (g *graph) tunnels() (count int) {
	for n := range g.edges {
		e := &g.edges[n]
		if !e.dead && e.a == e.b && length(e.p) < 4*(e.typical()+g.l.mean) {
			e.dead = true
			count++
		}
	}
	return count
}

func length(p []r3.Vec) float64 {
	sum := 0.0
	for n := 1; n < len(p); n++ {
		sum += r3.Norm(r3.Sub(p[n], p[n-1]))
	}
	return sum
}

// median radius of an edge over its middle half.
func (e *edge) typical() float64 {
	n := len(e.r)
	lo, hi := n/4, n-n/4
	sum, count := 0.0, 0
	for m := lo; m < hi; m++ {
		if e.clean == nil || e.clean[m] {
			sum, count = sum+e.r[m], count+1
		}
	}
	if count == 0 {
		for m := lo; m < hi; m++ {
			sum, count = sum+e.r[m], count+1
		}
	}
	return sum / float64(count)
}

// prune takes away edges to an end that do not stand out of the vessel they
// leave, and parts without any extent. What counts is the length seen beyond the
// surface of the thickest other edge at the joint against the edge's own radius:
// the same at any scale. It reports whether anything went.
func (g *graph) prune(visible float64) bool {
	some := false
	for {
		ends := g.ends()
		worst, by := -1, math.Inf(1)
		for n := range g.edges {
			e := &g.edges[n]
			if e.dead || e.a == e.b {
				continue
			}
			da, db := len(ends[e.a]), len(ends[e.b])
			if da > 1 && db > 1 || da == 1 && g.joints[e.a].root || db == 1 && g.joints[e.b].root {
				continue
			}
			seen, hidden := g.visible(n, ends)
			width := e.typical()
			if hidden > 0 && width > hidden {
				width = hidden / 2 // a trunk thicker than its branches is hardly a bulge of them
			}
			if r := seen / width; r < visible && r < by {
				worst, by = n, r
			}
		}
		if worst < 0 {
			return some
		}
		g.edges[worst].dead = true
		some = true
		g.fuse()
	}
}

// visible is how far edge n, which has a free end, stands out of the vessel it
// leaves, mm, its own round end included, and the radius of that vessel; 0 for a
// vessel of its own.
func (g *graph) visible(n int, ends [][]int) (seen, hidden float64) {
	e := &g.edges[n]
	l := length(e.p)
	if len(ends[e.a]) == 1 && len(ends[e.b]) == 1 {
		return l, 0 // a vessel of its own must be longer than its ends are round
	}
	if e.trimmed[0] {
		l += e.r[0]
	}
	if e.trimmed[1] {
		l += e.r[len(e.r)-1]
	}
	for _, j := range [2]int{e.a, e.b} {
		for _, x := range ends[j] {
			if o := &g.edges[x/2]; x/2 != n && len(ends[j]) > 1 {
				hidden = max(hidden, o.typical())
			}
		}
	}
	return l - hidden, hidden
}
