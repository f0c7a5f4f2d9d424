package tetra

import (
	"context"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// starSpan is the place of a node's list of tetrahedra in improver.pool.
type starSpan struct{ off, n, room int32 }

// Flags of a node.
const (
	nodeNear    = 1 << iota // its list of tetrahedra is kept
	nodeFrozen              // must not move or go
	nodeSurface             // on an interface between regions or on the outer boundary
)

// improver is a mesh under improvement. Tetrahedra that are gone have
// tet[t][0] < 0; their numbers are used again. Around nodes that are not near
// anything bad no lists are kept and nothing changes.
type improver struct {
	opt        ImproveOptions
	rep        *ImproveReport
	inputNodes int
	node       []r3.Vec
	tet        [][4]int32
	region     []imaging.Label
	shape      []float32 // tetShape of each tetrahedron; 0: not measured yet
	from       []int32   // see ImproveReport.TetFrom
	open       []bool    // may be changed; nil: all
	obtuse     float64   // weight of obtuse angles in the shape
	good       float64   // shape from which a tetrahedron needs no work
	fair       float64   // shape from which an angle may get worse while others get better

	flag  []uint8
	span  []starSpan
	pool  []int32
	free  []int32   // numbers of tetrahedra that are gone
	drift []float32 // how far the surface near a node may have left the input's, mm
	last  []int32   // step at which something around the node last changed
	step  int32
	delta [256]float64 // change of each region's volume × 6, mm³

	queue bucketQueue
	// work space
	ring  edgeRing
	fill  ringFill
	pair  facePair
	flip  surfaceFlip
	star  starWork
	fan   surfaceFan
	hole  hole
	mode  int   // where the node being moved may go
	mover int32 // the node being moved along the surface
	gap   float32
	gone  []int32
	made  [][4]int32
	madeR []imaging.Label
}

// evenRest[i][j] are the other two corners k, l such that (i,j,k,l) is an even
// permutation: around the edge from i to j the face k leads to the face l
// counter-clockwise.
var evenRest = func() (rest [4][4][2]int) {
	for i := range 4 {
		for j := range 4 {
			for k := range 4 {
				l := 6 - i - j - k
				if i == j || j == k || i == k || l == i || l == j || l == k {
					continue
				}
				p, odd := [4]int{i, j, k, l}, false
				for x := range 3 {
					for y := x + 1; y < 4; y++ {
						odd = odd != (p[x] > p[y])
					}
				}
				if !odd {
					rest[i][j] = [2]int{k, l}
				}
			}
		}
	}
	return rest
}()

// evenFirst[i] is an even permutation that begins with i.
var evenFirst = [4][4]int{{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}}

// starOf lists the tetrahedra around a node.
func (im *improver) starOf(v int32) []int32 {
	s := &im.span[v]
	return im.pool[s.off : s.off+s.n]
}

// quality is the shape of a tetrahedron.
func (im *improver) quality(t int32) float64 {
	if s := im.shape[t]; s != 0 {
		return float64(s)
	}
	v := &im.tet[t]
	s := float32(tetShape(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]], im.obtuse))
	im.shape[t] = s
	return float64(s)
}

// nearRings is how many rings of tetrahedra around the bad ones belong to the
// neighbourhood in which things may change.
const nearRings = 2

// markNear flags the nodes near bad tetrahedra.
func (im *improver) markNear() {
	im.flag = make([]uint8, len(im.node))
	for _, l := range im.queue.list {
		for _, t := range l {
			for _, n := range im.tet[t] {
				im.flag[n] = nodeNear
			}
		}
	}
	const fresh = 1 << 7
	for range nearRings - 1 {
		for t := range im.tet {
			v := &im.tet[t]
			a, b, c, d := im.flag[v[0]], im.flag[v[1]], im.flag[v[2]], im.flag[v[3]]
			if (a|b|c|d)&nodeNear == 0 || a&b&c&d != 0 {
				continue
			}
			for _, n := range v {
				if im.flag[n] == 0 {
					im.flag[n] = fresh
				}
			}
		}
		for n, f := range im.flag {
			if f != 0 {
				im.flag[n] = nodeNear
			}
		}
	}
	if im.opt.Frozen != nil {
		for n, f := range im.flag {
			if f != 0 && im.opt.Frozen(int32(n)) {
				im.flag[n] |= nodeFrozen
			}
		}
	}
}

// listSlack is how many tetrahedra a node may gain before its list moves.
const listSlack = 4

// link builds the lists of tetrahedra of the near nodes, in order of number,
// and the other tables.
func (im *improver) link(ctx context.Context) error {
	im.markNear()
	im.span = make([]starSpan, len(im.node))
	im.drift = make([]float32, len(im.node))
	im.last = make([]int32, len(im.node))
	im.startFrom()
	if err := ctx.Err(); err != nil {
		return err
	}
	for t := range im.tet {
		v := &im.tet[t]
		im.span[v[0]].n++
		im.span[v[1]].n++
		im.span[v[2]].n++
		im.span[v[3]].n++
	}
	total := int32(0)
	for n := range im.span {
		s := &im.span[n]
		if im.flag[n] == 0 {
			s.n = 0
			continue
		}
		s.off, s.room = total, s.n+listSlack
		total += s.room
		s.n = 0
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	im.pool = make([]int32, total, total+total/16)
	for t := range im.tet {
		for _, n := range im.tet[t] {
			if s := &im.span[n]; s.room != 0 {
				im.pool[s.off+s.n] = int32(t)
				s.n++
			}
		}
	}
	return ctx.Err()
}

// startFrom sets every tetrahedron to be its own origin.
func (im *improver) startFrom() {
	im.from = make([]int32, len(im.tet))
	for t := range im.from {
		im.from[t] = int32(t)
	}
}

// scatter is the finaliser of SplitMix64, a bijection that spreads its input
// over all bits (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
func scatter(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// findSurface flags the near nodes on an interface or on the boundary. Every
// face is hashed together with its region and added (exclusive or) to its
// nodes: a face between two tetrahedra of one region cancels. That a sum of
// 64-bit hashes cancels by accident is not to be expected in the age of the
// universe; the hashes are fixed, so results do not vary.
func (im *improver) findSurface() {
	sum := make([]uint64, len(im.node))
	name := make([]uint64, len(im.node))
	for n := range name {
		name[n] = scatter(uint64(n+1) * 0x9e3779b97f4a7c15)
	}
	for t, v := range im.tet {
		if im.flag[v[0]]|im.flag[v[1]]|im.flag[v[2]]|im.flag[v[3]] == 0 {
			continue
		}
		r := uint64(im.region[t]) * 0xd6e8feb86659fd93
		h := [4]uint64{name[v[0]], name[v[1]], name[v[2]], name[v[3]]}
		all := h[0] + h[1] + h[2] + h[3] + r
		for f := range h {
			x := all - h[f]
			x = (x ^ x>>32) * 0x94d049bb133111eb
			h[f] = x ^ x>>29
		}
		x := h[0] ^ h[1] ^ h[2] ^ h[3]
		for f, n := range v {
			sum[n] ^= x ^ h[f]
		}
	}
	for n, x := range sum {
		if x != 0 && im.flag[n]&nodeNear != 0 {
			im.flag[n] |= nodeSurface
		}
	}
}

// mayChange tells whether a tetrahedron may be replaced.
func (im *improver) mayChange(t int32) bool { return im.open == nil || im.open[t] }

// unlink removes t from the list of node v.
func (im *improver) unlink(v, t int32) {
	s := &im.span[v]
	if s.room == 0 {
		return
	}
	list := im.pool[s.off : s.off+s.n]
	for i, x := range list {
		if x == t {
			list[i] = list[len(list)-1]
			s.n--
			return
		}
	}
}

// enlist adds t to the list of node v; a full list moves to the end of the pool.
func (im *improver) enlist(v, t int32) {
	s := &im.span[v]
	if im.flag[v]&nodeNear == 0 {
		return
	}
	if s.n == s.room {
		off := int32(len(im.pool))
		room := s.n + s.n/2 + 4
		im.pool = append(im.pool, im.pool[s.off:s.off+s.n]...)
		for range room - s.n {
			im.pool = append(im.pool, -1)
		}
		s.off, s.room = off, room
	}
	im.pool[s.off+s.n] = t
	s.n++
}

// replace takes the tetrahedra gone out of the mesh and puts made in. regions
// gives the region of each, or is nil when all have that of gone[0]. With good,
// none of them needs work. Old and new share numbers in order, so that few
// lists change.
func (im *improver) replace(gone []int32, made [][4]int32, regions []imaging.Label, good bool) {
	im.step++
	region, origin := im.region[gone[0]], im.from[gone[0]]
	if origin >= 0 {
		origin = ^origin
	}
	for i, t := range gone {
		old := im.tet[t]
		for _, n := range old {
			im.last[n] = im.step
		}
		if i >= len(made) {
			for _, n := range old {
				im.unlink(n, t)
			}
			im.tet[t][0] = -1
			im.free = append(im.free, t)
			continue
		}
		for _, n := range old {
			if cornerOf(&made[i], n) < 0 {
				im.unlink(n, t)
			}
		}
		for _, n := range made[i] {
			if cornerOf(&old, n) < 0 {
				im.enlist(n, t)
			}
		}
		im.tet[t] = made[i]
	}
	for i, v := range made {
		var t int32
		if i < len(gone) {
			t = gone[i]
		} else {
			t = im.number()
			im.tet[t] = v
			for _, n := range v {
				im.enlist(n, t)
			}
		}
		if regions != nil {
			region = regions[i]
		}
		im.region[t], im.from[t], im.shape[t] = region, origin, 0
		for _, n := range v {
			im.last[n] = im.step
		}
		if !good {
			im.queue.push(t, im.quality(t))
		}
	}
}

// number is a free number for a tetrahedron.
func (im *improver) number() int32 {
	if k := len(im.free); k > 0 {
		t := im.free[k-1]
		im.free = im.free[:k-1]
		return t
	}
	im.tet = append(im.tet, [4]int32{})
	im.region = append(im.region, 0)
	im.from = append(im.from, 0)
	im.shape = append(im.shape, 0)
	if im.open != nil {
		im.open = append(im.open, true)
	}
	return int32(len(im.tet) - 1)
}

// cornerOf is the place of node n in the tetrahedron, or −1.
func cornerOf(v *[4]int32, n int32) int {
	switch n {
	case v[0]:
		return 0
	case v[1]:
		return 1
	case v[2]:
		return 2
	case v[3]:
		return 3
	}
	return -1
}

// handier tells whether node b has a list, and a shorter one than node a.
func (im *improver) handier(b, a int32) bool {
	return im.span[b].n > 0 && (im.span[b].n < im.span[a].n || im.span[a].n == 0)
}

// across is the tetrahedron on the other side of the face of t opposite its
// corner f, or −1.
func (im *improver) across(t int32, f int) int32 {
	v := &im.tet[t]
	c := mesh.TetFaces[f]
	a, b, d := v[c[0]], v[c[1]], v[c[2]]
	if im.handier(b, a) {
		a, b = b, a
	}
	if im.handier(d, a) {
		a, d = d, a
	}
	for _, o := range im.starOf(a) {
		if w := &im.tet[o]; o != t && cornerOf(w, b) >= 0 && cornerOf(w, d) >= 0 {
			return o
		}
	}
	return -1
}

// maxRing is the number of tetrahedra around an edge up to which it may be
// removed; longer rings seldom pay (Shewchuk 2002).
const maxRing = 7

// edgeRing is what stands around the edge from a to b: t[i] holds a, b, v[i]
// and v[i+1], counter-clockwise seen from b. A closed ring has n nodes, an open
// one n+1.
type edgeRing struct {
	a, b   int32
	n      int
	closed bool
	v      [maxRing + 1]int32
	t      [maxRing]int32
}

// findRing fills im.ring with what stands around the edge between a and b; it
// is false when the ring is too long, not simple, or not free to change.
func (im *improver) findRing(a, b int32) bool {
	if im.handier(b, a) {
		a, b = b, a
	}
	r := &im.ring
	r.a, r.b, r.n = a, b, 0
	var lo, hi [maxRing]int32
	for _, t := range im.starOf(a) {
		v := &im.tet[t]
		j := cornerOf(v, b)
		if j < 0 {
			continue
		}
		if r.n == maxRing || !im.mayChange(t) {
			return false
		}
		k := evenRest[cornerOf(v, a)][j]
		r.t[r.n], lo[r.n], hi[r.n] = t, v[k[0]], v[k[1]]
		r.n++
	}
	if r.n == 0 {
		return false
	}
	// the first arc: the one nothing leads to, if there is one
	first, starts := 0, 0
	for i := range r.n {
		led := false
		for j := range r.n {
			led = led || hi[j] == lo[i]
		}
		if !led {
			first = i
			starts++
		}
	}
	if starts > 1 {
		return false
	}
	r.closed = starts == 0
	t := r.t
	at := first
	for i := range r.n {
		r.t[i], r.v[i] = t[at], lo[at]
		end := hi[at]
		if i == r.n-1 {
			if r.closed {
				return end == r.v[0]
			}
			r.v[r.n] = end
			return true
		}
		at = -1
		for j := range r.n {
			if lo[j] == end {
				at = j
				break
			}
		}
		if at < 0 || at == first {
			return false
		}
	}
	return false
}
