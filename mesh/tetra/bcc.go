package tetra

import (
	"context"

	"gonum.org/v1/gonum/spatial/r3"
)

// bcc is the body-centred cubic lattice on the leaves of an octree, after
// Labelle and Shewchuk 2007, section 3. Four shapes of tetrahedra fill space:
//
//	kindBCC     two centres and an edge of the face between their equal cells
//	kindHalved  the same, when a finer neighbour has put a vertex on that edge
//	kindFine    a centre over half of the face to a cell twice as large
//	kindCoarse  the centre of the large cell over the same half face
type bcc struct {
	tree   *octree
	leaves []octant
	lo     r3.Vec  // local mm of the corner of the first root
	unit   float64 // mm per unit
	at     [][3]int32
	corner *table
	centre []int32 // vertex number of the leaf in node order, by node
	size   []int32 // per vertex: side of the smallest cell around it, units
	tets   [][4]int32
	kinds  []uint8
}

const (
	kindBCC = iota
	kindHalved
	kindFine
	kindCoarse
)

func pack(p [3]int32) uint64 {
	return 1<<63 | uint64(p[0])<<42 | uint64(p[1])<<21 | uint64(p[2])
}

// place is the undisturbed position of a vertex, local mm.
func (b *bcc) place(p [3]int32) r3.Vec {
	return r3.Vec{
		X: b.lo.X + b.unit*float64(p[0]),
		Y: b.lo.Y + b.unit*float64(p[1]),
		Z: b.lo.Z + b.unit*float64(p[2]),
	}
}

// vertices numbers the corners and centres of the leaves.
func (b *bcc) vertices(ctx context.Context) error {
	b.leaves = b.tree.leaves()
	b.tets, b.kinds = b.tets[:0], b.kinds[:0]
	b.corner = newTable(len(b.leaves) * 5 / 4)
	b.centre = make([]int32, len(b.tree.child))
	for n := range b.centre {
		b.centre[n] = -1
	}
	b.at = make([][3]int32, 0, len(b.leaves)*9/4)
	b.size = make([]int32, 0, len(b.leaves)*9/4)
	for l, c := range b.leaves {
		if l&0xffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s := c.size()
		for n := range int32(8) {
			p := [3]int32{c.at[0] + s*(n&1), c.at[1] + s*(n>>1&1), c.at[2] + s*(n>>2)}
			v, fresh := b.corner.add(pack(p), int32(len(b.at)))
			if fresh {
				b.at, b.size = append(b.at, p), append(b.size, s)
			}
			b.size[v] = min(b.size[v], s)
		}
		b.centre[c.node] = int32(len(b.at))
		h := s / 2
		b.at, b.size = append(b.at, [3]int32{c.at[0] + h, c.at[1] + h, c.at[2] + h}), append(b.size, s)
	}
	return nil
}

// fill lists the tetrahedra that have at least one vertex worth keeping.
func (b *bcc) fill(ctx context.Context, keep []bool) error {
	add := func(kind uint8, p, q, r, s int32) {
		if keep[p] || keep[q] || keep[r] || keep[s] {
			b.tets = append(b.tets, [4]int32{p, q, r, s})
			b.kinds = append(b.kinds, kind)
		}
	}
	for l, c := range b.leaves {
		if l&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s := c.size()
		mine := b.centre[c.node]
		for f := range 6 {
			axis, up := f>>1, f&1 == 1
			to := [3]int32{c.at[0] + s/2, c.at[1] + s/2, c.at[2] + s/2}
			if up {
				to[axis] += s
			} else {
				to[axis] -= s
			}
			d, ok := b.tree.find(to, c.level)
			if !ok || b.tree.child[d.node] != 0 || d.level == c.level && !up {
				continue // the border, or the other cell's work
			}
			other := b.centre[d.node]
			// the face, counter-clockwise seen from above
			u, w := (axis+1)%3, (axis+2)%3
			base := c.at
			if up {
				base[axis] += s
			}
			var at [4][3]int32
			var q [4]int32
			for n := range at {
				at[n] = base
				if n == 1 || n == 2 {
					at[n][u] += s
				}
				if n >= 2 {
					at[n][w] += s
				}
				q[n] = b.corner.get(pack(at[n]))
			}
			if d.level == c.level {
				if !keep[mine] && !keep[other] && !keep[q[0]] && !keep[q[1]] && !keep[q[2]] && !keep[q[3]] {
					continue
				}
				for n := range 4 {
					m := (n + 1) & 3
					mid := int32(-1)
					if s > 2 {
						e := [3]int32{(at[n][0] + at[m][0]) / 2, (at[n][1] + at[m][1]) / 2, (at[n][2] + at[m][2]) / 2}
						mid = b.corner.get(pack(e))
					}
					if mid < 0 {
						add(kindBCC, mine, other, q[n], q[m])
					} else {
						add(kindHalved, mine, other, q[n], mid)
						add(kindHalved, mine, other, mid, q[m])
					}
				}
				continue
			}
			// d is twice as large: the diagonal of this quarter of its face runs
			// through the middle of that face
			first := 0
			for n := range at {
				if at[n][u] == d.at[u]+s && at[n][w] == d.at[w]+s {
					first = n
				}
			}
			lower, upper, kl, ku := mine, other, uint8(kindFine), uint8(kindCoarse)
			if !up {
				lower, upper, kl, ku = other, mine, kindCoarse, kindFine
			}
			for n := 1; n <= 2; n++ {
				i, j, k := q[first], q[(first+n)&3], q[(first+n+1)&3]
				add(kl, lower, i, j, k)
				add(ku, upper, i, k, j)
			}
		}
	}
	return nil
}
