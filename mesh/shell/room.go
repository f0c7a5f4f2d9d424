package shell

import (
	"container/heap"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// reach is how deep the tissue gives way, in wall thicknesses, and
	// reachEdges how many edges more.
	reach      = 6.0
	reachEdges = 2.0
)

// band are the nodes of the tissue that may give way.
type band struct {
	nodes []int32   // in order of their distance from the wall
	place []int32   // old node or copy → place in nodes, −1 elsewhere
	share []float64 // of the source's offset, 1 at the wall, 0 at the far end
	src   []int32   // copy next to each node
	near  csr       // neighbours of each node (node numbers)
}

type front struct {
	key  float64
	node int32
	src  int32
}

type fronts []front

func (f fronts) Len() int { return len(f) }
func (f fronts) Less(i, j int) bool {
	if f[i].key != f[j].key {
		return f[i].key < f[j].key
	}
	return f[i].node < f[j].node
}
func (f fronts) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *fronts) Push(x any)   { *f = append(*f, x.(front)) }
func (f *fronts) Pop() any {
	x := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return x
}

// newBand walks from the wall along edges into the tissue.
func (g *growth) newBand() (*band, error) {
	b := &band{place: make([]int32, len(g.pos))}
	for n := range b.place {
		b.place[n] = -1
	}
	key := make([]float64, len(g.pos)) // way done minus the reach of the source
	depth := make([]float64, len(g.base))
	var open fronts
	for c := range g.base {
		if g.height[c] == 0 {
			continue
		}
		n := g.node(int32(c))
		var sum, count float64
		for _, t := range g.star.of(n) {
			for _, o := range g.tets[t] {
				if o != n {
					sum += r3.Norm(r3.Sub(g.orig[o], g.orig[n]))
					count++
				}
			}
		}
		depth[c] = reach*g.height[c] + reachEdges*sum/count
		key[n] = -depth[c]
		open = append(open, front{-depth[c], n, int32(c)})
	}
	heap.Init(&open)
	for steps := 0; len(open) > 0; steps++ {
		if steps&0xfff == 0 && g.ctx.Err() != nil {
			return nil, g.ctx.Err()
		}
		x := heap.Pop(&open).(front)
		if x.key > key[x.node] {
			continue
		}
		if g.copyAt(x.node) < 0 {
			if b.place[x.node] >= 0 {
				continue
			}
			b.place[x.node] = int32(len(b.nodes))
			b.nodes = append(b.nodes, x.node)
			b.src = append(b.src, x.src)
			b.share = append(b.share, -x.key/depth[x.src])
		}
		for _, t := range g.star.of(x.node) {
			for _, o := range g.tets[t] {
				if o == x.node || g.copyAt(o) >= 0 || g.fixed[o] {
					continue
				}
				k := x.key + r3.Norm(r3.Sub(g.orig[o], g.orig[x.node]))
				if k < key[o] { // key is 0, the end of the reach, where nobody was
					key[o] = k
					heap.Push(&open, front{k, o, x.src})
				}
			}
		}
	}
	for _, n := range b.nodes {
		g.hold[n] = g.holds(n)
	}
	if err := g.keepSheets(b, depth); err != nil {
		return nil, err
	}
	// neighbours, each once
	b.near.start = make([]int32, len(b.nodes)+1)
	mark := make([]int32, len(g.pos))
	for i, n := range b.nodes {
		for _, t := range g.star.of(n) {
			for _, o := range g.tets[t] {
				if o != n && mark[o] != int32(i)+1 {
					mark[o] = int32(i) + 1
					b.near.item = append(b.near.item, o)
				}
			}
		}
		b.near.start[i+1] = int32(len(b.near.item))
	}
	return b, nil
}

// keepSheets holds the nodes of curved sheets in place, but for those from
// which the way along the sheet to a place where the wall ends on it is within
// the reach of the wall there: sliding on a curved sheet costs a little of its
// shape.
func (g *growth) keepSheets(b *band, depth []float64) error {
	s := g.sheets
	key := make([]float64, len(g.m.Nodes))
	var open fronts
	for c := range g.base {
		if g.height[c] > 0 && g.hold[g.node(int32(c))].kind == slides {
			n := g.base[c]
			key[n] = min(key[n], -depth[c])
			open = append(open, front{-depth[c], n, int32(c)})
		}
	}
	heap.Init(&open)
	for steps := 0; len(open) > 0; steps++ {
		if steps&0xfff == 0 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		x := heap.Pop(&open).(front)
		if x.key > key[x.node] {
			continue
		}
		h := &g.hold[x.node]
		if b.place[x.node] < 0 {
			h = &g.hold[g.node(x.src)]
		}
		for _, i := range s.at.of(x.node) {
			if r3.Dot(s.normal[i], h.dir) < foldCos {
				continue // beyond a crease
			}
			for _, o := range s.tris[i] {
				k := x.key + r3.Norm(r3.Sub(g.orig[o], g.orig[x.node]))
				if k < key[o] && b.place[o] >= 0 && g.hold[o].kind == slides {
					key[o] = k
					heap.Push(&open, front{k, o, 0})
				}
			}
		}
	}
	for _, n := range b.nodes {
		if h := &g.hold[n]; h.kind == slides && !h.flat && key[n] == 0 {
			h.kind = stays
		}
	}
	return nil
}

const (
	spreadSweeps = 30
	// overRelax is the factor of successive over-relaxation.
	overRelax = 1.4
)

// spread moves the nodes of the band so that the wall has room: it lowers
// Σ |Δu|²/l⁴ over the edges of length l, where Δu is the difference of the
// offsets of the two ends. Short edges, which are those at the wall and of flat
// tetrahedra, hardly give way; long ones, deeper in the tissue, do. The power
// was chosen by the number of tetrahedra that leave the bounds.
func (g *growth) spread(b *band) error {
	off := make([]r3.Vec, len(g.pos))
	for c := range g.base {
		n := g.node(int32(c))
		off[n] = r3.Sub(g.pos[n], g.orig[n])
	}
	for i, n := range b.nodes {
		u := r3.Scale(b.share[i], off[g.node(b.src[i])])
		off[n] = g.hold[n].allow(u)
	}
	w := make([]float64, len(b.near.item))
	length := make([]float64, len(b.near.item))
	for i, n := range b.nodes {
		for e := b.near.start[i]; e < b.near.start[i+1]; e++ {
			length[e] = r3.Norm(r3.Sub(g.orig[b.near.item[e]], g.orig[n]))
		}
	}
	relax := func(i int) {
		n := b.nodes[i]
		h := &g.hold[n]
		if h.kind == stays {
			return
		}
		var s r3.Vec
		var sum float64
		for e := b.near.start[i]; e < b.near.start[i+1]; e++ {
			u := off[b.near.item[e]]
			s.X += w[e] * u.X
			s.Y += w[e] * u.Y
			s.Z += w[e] * u.Z
			sum += w[e]
		}
		u := off[n]
		d := h.allow(r3.Sub(r3.Scale(1/sum, s), u))
		off[n] = r3.Add(u, r3.Scale(overRelax, d))
	}
	for e, l := range length {
		w[e] = 1 / (l * l * l * l)
	}
	for sweep := range spreadSweeps {
		if g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		for i := range b.nodes {
			if sweep&1 == 1 {
				i = len(b.nodes) - 1 - i
			}
			relax(i)
		}
	}
	for _, n := range b.nodes {
		g.pos[n] = g.sheets.settle(&g.hold[n], r3.Add(g.orig[n], off[n]))
	}
	return nil
}
