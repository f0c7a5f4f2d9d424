package remesh

import (
	"context"
	"slices"

	"halsted/internal/par"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Kinds of vertices.
const (
	inner  = uint8(iota) // one closed fan of faces with one pair of labels
	line                 // on a feature line: exactly two feature edges, every fan runs from one to the other
	corner               // any other; never removed, moved for the sake of an angle only
	kept                 // on a border that is to stay as it is
)

// maxRing bounds the faces around a vertex that is looked at; a vertex with
// more keeps its place.
const maxRing = 64

// pairMask keeps the two labels of a face in work.side; turnedBit says that the
// face was turned over so that Inside is the larger label.
const (
	pairMask  = 1<<16 - 1
	turnedBit = 1 << 16
)

// work is a surface while it is being decimated. Removed vertices and faces
// stay in the arrays until compact.
type work struct {
	pos   []r3.Vec // LPS mm
	quad  []quadric
	kind  []uint8
	level []uint8   // how much stricter than the common limit this vertex is held
	last  []float32 // least cost of removing the vertex when it was last looked at
	home  []int32   // the vertex a removed vertex went to; itself while alive
	next  []int32   // chain of removed vertices whose faces a vertex has inherited, −1 ends it
	mark  []int32   // scratch of link
	token int32

	tri    [][3]int32 // first index −1: removed
	side   []uint32   // label pair of each face, see pairMask
	ref    []uint32   // normal of each face in the input, see packNormal
	start  []int32    // corners at each vertex when the pass began: list[start[v]:start[v+1]]
	list   []int32    // 4·face + which of its vertices
	alive  int        // faces
	turned bool       // some faces carry turnedBit
	rough  bool       // so many faces have small angles that removals among them are worth a look

	owner []int32 // for each vertex of the input the vertex it ended at
}

// newWork copies s, indexes it and classifies its vertices.
func newWork(ctx context.Context, s *mesh.Surface, keepBorders bool) (*work, error) {
	n, m := len(s.Verts), len(s.Tris)
	w := &work{
		pos: slices.Clone(s.Verts), quad: make([]quadric, n), kind: make([]uint8, n), level: make([]uint8, n), last: make([]float32, n),
		home: make([]int32, n), next: make([]int32, n), mark: make([]int32, n), owner: make([]int32, n),
		tri: slices.Clone(s.Tris), side: make([]uint32, m), ref: make([]uint32, m), start: make([]int32, n+1), list: make([]int32, 3*m), alive: m,
	}
	for t, r := range s.Region {
		if r.Inside > r.Outside {
			w.side[t] = uint32(r.Inside)<<8 | uint32(r.Outside)
		} else {
			w.side[t] = uint32(r.Outside)<<8 | uint32(r.Inside) | turnedBit
			v := &w.tri[t]
			v[1], v[2] = v[2], v[1]
			w.turned = true
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.index()
	return w, par.ChunksCtx(ctx, n, checkEvery, func(lo, hi int) error {
		var r ring
		for u := lo; u < hi; u++ {
			w.kind[u] = corner
			if w.gather(int32(u), &r) {
				w.kind[u] = w.classify(&r, keepBorders)
			}
		}
		return nil
	})
}

// index builds start and list.
func (w *work) index() {
	n := len(w.pos)
	w.start, w.list = csr(w.start[:n+1], w.list, w.tri)
	for u := range w.home {
		w.home[u], w.next[u] = int32(u), -1
	}
}

// csr lists the corners at each vertex, faces in ascending order: start must
// have one entry more than there are vertices.
func csr(start, list []int32, tri [][3]int32) ([]int32, []int32) {
	clear(start)
	for t := range tri {
		v := &tri[t]
		start[v[0]]++
		start[v[1]]++
		start[v[2]]++
	}
	sum := int32(0)
	for i, c := range start {
		sum += c
		start[i] = sum
	}
	list = list[:sum]
	for t := len(tri) - 1; t >= 0; t-- {
		for k, p := range &tri[t] {
			start[p]--
			list[start[p]] = int32(t<<2 | k)
		}
	}
	return start, list
}

// ahead and back are the other two corners of a face after corner k = c&3: a
// table of three numbers of two bits each, which a branch would often miss.
func ahead(c int32) int32 { return 0b001001 >> (c & 3 << 1) & 3 }
func back(c int32) int32  { return 0b010010 >> (c & 3 << 1) & 3 }

// ring lists the faces around a vertex u: at[i] is its corner in face at[i]>>2,
// whose other vertices, in turn, are x[i] and y[i].
type ring struct {
	n    int
	at   [maxRing]int32
	x, y [maxRing]int32
	cost [maxRing]float32
}

// gather collects the faces around u; false when there are too many.
func (w *work) gather(u int32, r *ring) bool {
	n := 0
	for h := u; h >= 0; h = w.next[h] {
		for _, c := range w.list[w.start[h]:w.start[h+1]] {
			v := &w.tri[c>>2]
			if v[0] < 0 {
				continue
			}
			if n == maxRing {
				return false
			}
			r.at[n], r.x[n], r.y[n] = c, v[ahead(c)], v[back(c)]
			n++
		}
	}
	r.n = n
	return true
}

// closedFan reports that the faces of r form one closed fan, all turned the
// same way, in which no neighbour comes twice.
func (r *ring) closedFan() bool {
	if r.n < 3 {
		return false
	}
	x := r.x[:r.n]
	first, at := x[0], r.y[0]
	for range r.n - 1 {
		next := -1
		for j, v := range x {
			if v == at {
				if next >= 0 {
					return false
				}
				next = j
			}
		}
		if next <= 0 { // there is none, or the fan closes early
			return false
		}
		at = r.y[next]
	}
	return at == first
}

// classify finds the kind of the vertex whose faces are in r.
func (w *work) classify(r *ring, keepBorders bool) uint8 {
	if r.n == 0 {
		return corner
	}
	pair := w.side[r.at[0]>>2] & pairMask
	same := true
	for _, c := range r.at[1:r.n] {
		same = same && w.side[c>>2]&pairMask == pair
	}
	if same && r.closedFan() {
		return inner
	}
	if keepBorders && r.border() {
		return kept
	}
	var f [3]int32
	if w.features(r, &f) != 2 {
		return corner
	}
	// every fan must run from f[0] to f[1]: walk from each face at f[0] across
	// ordinary edges
	seen := 0
	for i := range r.n {
		var at int32
		switch f[0] {
		case r.x[i]:
			at = r.y[i]
		case r.y[i]:
			at = r.x[i]
		default:
			continue
		}
		seen++
		for prev := i; at != f[1]; seen++ {
			j := 0
			for j < r.n && (j == prev || r.x[j] != at && r.y[j] != at) {
				j++
			}
			if j == r.n || at == f[0] || seen > r.n {
				return corner
			}
			at, prev = r.x[j]+r.y[j]-at, j
		}
	}
	if seen != r.n {
		return corner
	}
	return line
}

// border reports a neighbour at an edge with one face.
func (r *ring) border() bool {
	for i := range r.n {
		for _, z := range [2]int32{r.x[i], r.y[i]} {
			n := 0
			for k := range r.n {
				if r.x[k] == z || r.y[k] == z {
					n++
				}
			}
			if n == 1 {
				return true
			}
		}
	}
	return false
}

// features finds the neighbours joined by feature edges: edges that are not
// shared by exactly two faces of one pair of labels, turned alike. It returns
// their number and the first three.
func (w *work) features(r *ring, f *[3]int32) int {
	n := 0
	visit := func(z int32) {
		for _, o := range f[:min(n, 3)] {
			if o == z {
				return
			}
		}
		if !w.ordinary(z, r) {
			if n < 3 {
				f[n] = z
			}
			n++
		}
	}
	for i := 0; i < r.n && n < 3; i++ {
		visit(r.x[i])
		visit(r.y[i])
	}
	return n
}

// ordinary reports whether the edge from the vertex of r to z is shared by
// exactly two faces of one pair of labels, turned alike.
func (w *work) ordinary(z int32, r *ring) bool {
	in, out := -1, -1
	for i := range r.n {
		if r.x[i] == z {
			if out >= 0 {
				return false
			}
			out = i
		}
		if r.y[i] == z {
			if in >= 0 {
				return false
			}
			in = i
		}
	}
	return in >= 0 && out >= 0 && (w.side[r.at[in]>>2]^w.side[r.at[out]>>2])&pairMask == 0
}

// link reports whether moving u onto v along their edge keeps the surface as
// it is topologically: the vertices joined to both are exactly those of the
// faces at the edge, no two faces fall together (Dey, Edelsbrunner, Guha and
// Nekhayev 1999), and, when u lies on a feature line whose other neighbour is
// other, the line does not close on itself (Vivodtzev, Bonneau and Le Texier
// 2005). other is −1 for inner vertices.
func (w *work) link(u, v, other int32, r *ring) bool {
	w.token += 2
	k := w.token // joined to u; k+1: joined to both, and counted
	faces := 0
	for i := range r.n {
		w.mark[r.x[i]] = k
		if other >= 0 {
			w.mark[r.y[i]] = k
		}
		if r.x[i] == v || r.y[i] == v {
			faces++
		}
	}
	plain := w.kind[v] == inner && other < 0
	common := 0
	for h := v; h >= 0; h = w.next[h] {
		for _, c := range w.list[w.start[h]:w.start[h+1]] {
			q := &w.tri[c>>2]
			if q[0] < 0 {
				continue
			}
			b, d := q[ahead(c)], q[back(c)]
			if plain { // each neighbour comes once as b
				if w.mark[b] == k {
					common++
					if w.mark[d] == k && r.n == 3 {
						return false
					}
				}
				continue
			}
			if b != u && d != u && w.mark[b] >= k && w.mark[d] >= k && r.has(b, d) {
				return false
			}
			if w.mark[b] == k {
				w.mark[b]++
				common++
			}
			if w.mark[d] == k {
				w.mark[d]++
				common++
			}
		}
	}
	if common != faces {
		return false
	}
	return other < 0 || w.mark[other] != k+1 || w.ordinaryAt(v, other)
}

// has reports a face (u, a, b) or (u, b, a) in r.
func (r *ring) has(a, b int32) bool {
	for i := range r.n {
		if r.x[i] == a && r.y[i] == b || r.x[i] == b && r.y[i] == a {
			return true
		}
	}
	return false
}

// ordinaryAt is ordinary for any edge (v, z).
func (w *work) ordinaryAt(v, z int32) bool {
	var r ring
	return w.gather(v, &r) && w.ordinary(z, &r)
}

// collapse moves u, whose faces are in r, onto v.
func (w *work) collapse(u, v int32, r *ring) {
	for i := range r.n {
		t := &w.tri[r.at[i]>>2]
		if r.x[i] == v || r.y[i] == v {
			t[0] = -1
			w.alive--
			continue
		}
		t[r.at[i]&3] = v
	}
	tail := u
	for w.next[tail] >= 0 {
		tail = w.next[tail]
	}
	w.next[tail] = w.next[v]
	w.next[v] = u
	w.home[u] = v
	w.level[v] = max(w.level[v], w.level[u])
	w.quad[v].add(&w.quad[u], r3.Sub(w.pos[v], w.pos[u]))
}

// compact drops removed vertices and faces, keeping their order.
func (w *work) compact() {
	n := int32(0)
	to := w.mark[:len(w.pos)]
	for u := range w.pos {
		if w.home[u] == int32(u) {
			to[u] = n
			w.pos[n], w.quad[n], w.kind[n], w.level[n], w.last[n] = w.pos[u], w.quad[u], w.kind[u], w.level[u], w.last[u]
			n++
		}
	}
	for u, h := range w.home {
		if h != int32(u) {
			for w.home[h] != h {
				h = w.home[h]
			}
			to[u] = to[h]
		}
	}
	m := 0
	for t := range w.tri {
		if v := &w.tri[t]; v[0] >= 0 {
			a, b, c := to[v[0]], to[v[1]], to[v[2]]
			w.tri[m] = [3]int32{a, b, c}
			w.side[m], w.ref[m] = w.side[t], w.ref[t]
			m++
		}
	}
	for a, o := range w.owner {
		w.owner[a] = to[o]
	}
	clear(to)
	w.token = 0
	w.tri, w.side, w.ref = w.tri[:m], w.side[:m], w.ref[:m]
	w.pos, w.quad, w.kind, w.level = w.pos[:n], w.quad[:n], w.kind[:n], w.level[:n]
	w.home, w.next, w.mark, w.last = w.home[:n], w.next[:n], w.mark[:n], w.last[:n]
}

// closed lists the labels, background left out, at every edge of whose boundary
// as many faces run one way as the other.
func (w *work) closed() []int {
	var seen, open [256]bool
	for _, s := range w.side {
		seen[s>>8&0xff], seen[s&0xff] = true, true
	}
	// an edge between inner vertices is closed
	for u := range w.kind {
		if w.kind[u] == inner {
			continue
		}
		mine := w.list[w.start[u]:w.start[u+1]]
		for i, c := range mine {
			v := &w.tri[c>>2]
			for _, z := range [2]int32{v[ahead(c)], v[back(c)]} {
				// the first face at the edge looks at all of them
				if w.kind[z] == inner || slices.ContainsFunc(mine[:i], func(o int32) bool { return slices.Contains(w.tri[o>>2][:], z) }) {
					continue
				}
				var sum [256]int32
				for _, o := range mine[i:] {
					q, s := &w.tri[o>>2], w.side[o>>2]
					way := int32(0)
					if q[ahead(o)] == z {
						way = 1
					} else if q[back(o)] == z {
						way = -1
					}
					sum[s>>8&0xff] += way
					sum[s&0xff] -= way
				}
				for l, x := range sum {
					open[l] = open[l] || x != 0
				}
			}
		}
	}
	var out []int
	for l := 1; l < 256; l++ {
		if seen[l] && !open[l] {
			out = append(out, l)
		}
	}
	return out
}
