package tetra

import "context"

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
