package remesh

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// cut is an edge at which some label's boundary is not manifold: its faces fall
// apart into sheets.
type cut struct {
	u, v   int32
	sheets [][]int32 // faces
}

// separate doubles vertices, and where that is not enough adds one in the
// middle of an edge, so that sheets of one label's boundary that touch along an
// edge or at a vertex hang together no longer. It returns the number of
// vertices added.
//
// Around an edge the regions follow each other like the sectors of a clock.
// Where a label comes twice its two sectors are joined across the edge, the
// smallest label first, so that two parts of a structure that touch in
// background fall apart; every part then holds each label once.
func (w *work) separate(keepBorders bool) int {
	var cuts []cut
	var at [][2]int32 // (vertex, cut)
	var r ring
	for u := range int32(len(w.pos)) {
		if w.kind[u] == inner || !w.gather(u, &r) {
			continue
		}
		var seen []int32
		for i := range r.n {
			for _, z := range [2]int32{r.x[i], r.y[i]} {
				if z < u || slices.Contains(seen, z) {
					continue
				}
				seen = append(seen, z)
				if s := w.sheets(u, z, &r); len(s) > 1 {
					at = append(at, [2]int32{u, int32(len(cuts))}, [2]int32{z, int32(len(cuts))})
					cuts = append(cuts, cut{u, z, s})
				}
			}
		}
	}
	slices.SortFunc(at, func(a, b [2]int32) int { return int(a[0] - b[0]) })

	// the faces around each vertex that still hang together share a copy
	type swap struct{ at, to int32 }
	var swaps []swap
	var touched []int32
	n := int32(len(w.pos))
	next := 0
	for u := range n {
		for next < len(at) && at[next][0] < u {
			next++
		}
		mine := at[next:]
		for i := range mine {
			if mine[i][0] != u {
				mine = mine[:i]
				break
			}
		}
		if w.kind[u] == inner || len(mine) == 0 && w.kind[u] == line || !w.gather(u, &r) {
			continue
		}
		var part [maxRing]int32
		parts := w.parts(&r, &part, func(z int32) [][]int32 {
			for _, m := range mine {
				if c := &cuts[m[1]]; c.u+c.v-u == z {
					return c.sheets
				}
			}
			return nil
		})
		if len(mine) > 0 || parts > 1 {
			touched = append(touched, u)
		}
		for p := int32(1); p < parts; p++ {
			id := int32(len(w.pos))
			w.extend(u, w.pos[u])
			touched = append(touched, id)
			for i := range r.n {
				if part[i] == p {
					swaps = append(swaps, swap{r.at[i], id})
				}
			}
		}
	}
	for _, s := range swaps {
		w.tri[s.at>>2][s.at&3] = s.to
	}
	// copies of an edge that still share both ends
	halves := map[int32][]int32{}
	for _, c := range cuts {
		var ends [][2]int32
		for _, sheet := range c.sheets {
			m := int32(-1)
			for i, t := range sheet {
				t, a, b := w.resolve(t, &c, n, halves)
				if t < 0 {
					continue
				}
				if i == 0 {
					if !slices.Contains(ends, [2]int32{a, b}) {
						ends = append(ends, [2]int32{a, b})
						break
					}
					m = int32(len(w.pos))
					w.extend(c.u, r3.Scale(0.5, r3.Add(w.pos[a], w.pos[b])))
					w.owner[m] = -1
					touched = append(touched, m)
				}
				if m >= 0 {
					half := w.tri[t]
					half[slices.Index(half[:], a)] = m
					v := &w.tri[t]
					v[slices.Index(v[:], b)] = m
					halves[t] = append(halves[t], int32(len(w.tri)))
					w.tri = append(w.tri, half)
					w.side, w.ref = append(w.side, w.side[t]), append(w.ref, 0)
				}
			}
		}
	}
	if len(touched) == 0 {
		return 0
	}
	if len(w.tri) > w.alive {
		w.alive = len(w.tri)
		w.start, w.list = make([]int32, len(w.pos)+1), make([]int32, 3*len(w.tri))
		w.index()
	} else {
		w.splice(int(n), touched)
	}
	for _, u := range touched {
		w.kind[u] = corner
		if w.gather(u, &r) {
			w.kind[u] = w.classify(&r, keepBorders)
		}
	}
	return len(w.pos) - int(n)
}

// splice brings the index up to date after vertices from n on have taken over
// faces of touched ones.
func (w *work) splice(n int, touched []int32) {
	slices.Sort(touched)
	start, list := make([]int32, 0, len(w.pos)+1), make([]int32, 0, len(w.list))
	at, shift := 0, int32(0)
	for _, u := range touched {
		if int(u) >= n {
			break
		}
		for _, s := range w.start[at : u+1] {
			start = append(start, s-shift)
		}
		list = append(list, w.list[w.start[at]:w.start[u]]...)
		for _, c := range w.list[w.start[u]:w.start[u+1]] {
			if w.tri[c>>2][c&3] == u {
				list = append(list, c)
			} else {
				shift++
			}
		}
		at = int(u) + 1
	}
	for _, s := range w.start[at : n+1] {
		start = append(start, s-shift)
	}
	list = append(list, w.list[w.start[at]:]...)
	for u := n; u < len(w.pos); u++ {
		o := w.owner[u]
		for _, c := range w.list[w.start[o]:w.start[o+1]] {
			if w.tri[c>>2][c&3] == int32(u) {
				list = append(list, c)
			}
		}
		start = append(start, int32(len(list)))
		w.home[u], w.next[u] = int32(u), -1
	}
	w.start, w.list = start, list
}

// resolve finds, among face t and those split off it, the one at the edge of c,
// and the copies of c.u and c.v there; n is the number of vertices before any
// was copied.
func (w *work) resolve(t int32, c *cut, n int32, halves map[int32][]int32) (face, a, b int32) {
	a, b = w.copyOf(t, c.u, n), w.copyOf(t, c.v, n)
	if a >= 0 && b >= 0 {
		return t, a, b
	}
	for _, h := range halves[t] {
		if face, a, b = w.resolve(h, c, n, halves); face >= 0 {
			return face, a, b
		}
	}
	return -1, -1, -1
}

// copyOf is the vertex of face t that is u or a copy of it, or −1.
func (w *work) copyOf(t, u, n int32) int32 {
	for _, p := range w.tri[t] {
		if p == u || p >= n && w.owner[p] == u {
			return p
		}
	}
	return -1
}

// extend adds a vertex at p, a copy of u.
func (w *work) extend(u int32, p r3.Vec) {
	w.pos = append(w.pos, p)
	w.quad = append(w.quad, quadric{})
	w.kind = append(w.kind, corner)
	w.level = append(w.level, 0)
	w.home = append(w.home, 0)
	w.next = append(w.next, 0)
	w.mark = append(w.mark, 0)
	w.last = append(w.last, 0)
	w.owner = append(w.owner, u)
}

// parts numbers the faces of r by the part they belong to, in part, and counts
// the parts: faces that share an edge hang together, those at a cut edge, for
// which cut returns sheets, only within a sheet.
func (w *work) parts(r *ring, part *[maxRing]int32, cut func(z int32) [][]int32) int32 {
	var up [maxRing]int
	for i := range r.n {
		up[i] = i
	}
	root := func(i int) int {
		for up[i] != i {
			i = up[i]
		}
		return i
	}
	sheet := func(s [][]int32, t int32) int {
		for i, f := range s {
			if slices.Contains(f, t) {
				return i
			}
		}
		return -1
	}
	for i := range r.n {
		for _, z := range [2]int32{r.x[i], r.y[i]} {
			s := cut(z)
			mine := sheet(s, r.at[i]>>2)
			for j := range i {
				if (r.x[j] == z || r.y[j] == z) && sheet(s, r.at[j]>>2) == mine {
					if a, b := root(i), root(j); a != b {
						up[max(a, b)] = min(a, b)
					}
				}
			}
		}
	}
	n := int32(0)
	for i := range r.n {
		if a := root(i); a == i {
			part[i] = n
			n++
		} else {
			part[i] = part[a]
		}
	}
	return n
}

// sector is what lies between two faces that follow each other around an edge.
type sector struct {
	face  int32 // the face before it
	label uint32
}

// sheets parts the faces at edge (u, z), u being the middle of r, so that no
// label but background comes twice around the edge; nil when it need not or
// cannot be parted.
func (w *work) sheets(u, z int32, r *ring) [][]int32 {
	type leaf struct {
		angle         float64
		face          int32
		before, after uint32
	}
	axis := r3.Sub(w.pos[z], w.pos[u])
	var e1, e2 r3.Vec
	var leaves []leaf
	for i := range r.n {
		if r.x[i] != z && r.y[i] != z {
			continue
		}
		d := r3.Sub(w.pos[r.x[i]+r.y[i]-z], w.pos[u])
		if len(leaves) == 0 {
			e2 = r3.Cross(axis, d)
			e1 = r3.Cross(e2, axis)
			e1, e2 = r3.Unit(e1), r3.Unit(e2)
		}
		s := w.side[r.at[i]>>2]
		in, out := s>>8&0xff, s&0xff
		l := leaf{math.Atan2(r3.Dot(d, e2), r3.Dot(d, e1)), r.at[i] >> 2, in, out}
		if r.y[i] == z { // the face runs from z to u: it looks the other way
			l.before, l.after = out, in
		}
		leaves = append(leaves, l)
	}
	if len(leaves) < 4 {
		return nil
	}
	slices.SortFunc(leaves, func(a, b leaf) int {
		switch {
		case a.angle < b.angle:
			return -1
		case a.angle > b.angle:
			return 1
		}
		return int(a.face - b.face)
	})
	// each next face is the first one round the edge that fits; where faces
	// have turned past each other that is not the one that follows
	round := make([]sector, 0, len(leaves))
	used := make([]bool, len(leaves))
	for i := 0; ; {
		used[i] = true
		round = append(round, sector{leaves[i].face, leaves[i].after})
		if len(round) == len(leaves) {
			if leaves[i].after != leaves[0].before {
				return nil
			}
			break
		}
		k := (i + 1) % len(leaves)
		for n := 0; used[k] || leaves[k].before != leaves[i].after; n++ {
			if n == len(leaves) {
				return nil
			}
			k = (k + 1) % len(leaves)
		}
		i = k
	}
	return divide(round, nil)
}

// divide appends to out the parts of the sectors around an edge.
func divide(round []sector, out [][]int32) [][]int32 {
	repeated := false
	bi, bj := -1, -1
	for i := range round {
		for j := i + 1; j < len(round); j++ {
			if round[i].label != round[j].label {
				continue
			}
			repeated = repeated || round[i].label != 0
			if bi < 0 || round[i].label < round[bi].label {
				bi, bj = i, j
			}
		}
	}
	if !repeated {
		faces := make([]int32, len(round))
		for i, s := range round {
			faces[i] = s.face
		}
		return append(out, faces)
	}
	// sectors bi and bj become one: the faces between them, and the others
	inside := slices.Clone(round[bi+1 : bj+1])
	outside := slices.Concat(round[bj+1:], round[:bi+1])
	return divide(outside, divide(inside, out))
}
