package vessel

import (
	"context"
	"math/bits"
)

// Neighbourhoods of 3×3×3 voxels as bits: bit n is the n-th of the 27 in
// storage order, bit 13 the voxel itself.
var (
	touch26 [27]uint32 // voxels that share a corner, edge or face with n, n and 13 left out
	touch6  [27]uint32 // voxels that share a face with n, among those of near18
	near18  uint32     // voxels that share a face or an edge with 13
	near6   uint32     // voxels that share a face with 13
)

func init() {
	at := func(n int) [3]int { return [3]int{n % 3, n / 3 % 3, n / 9} }
	for n := range 27 {
		p := at(n)
		sum := 0
		for a := range p {
			sum += (p[a] - 1) * (p[a] - 1)
		}
		if sum == 1 {
			near6 |= 1 << n
		}
		if sum == 1 || sum == 2 {
			near18 |= 1 << n
		}
	}
	for n := range 27 {
		for m := range 27 {
			p, q := at(n), at(m)
			sum, most := 0, 0
			for a := range p {
				d := (p[a] - q[a]) * (p[a] - q[a])
				sum, most = sum+d, max(most, d)
			}
			if n == m || m == 13 || n == 13 {
				continue
			}
			if most == 1 {
				touch26[n] |= 1 << m
			}
			if sum == 1 && near18&(1<<m) != 0 && near18&(1<<n) != 0 {
				touch6[n] |= 1 << m
			}
		}
	}
}

// grow is the part of set connected to seed.
func grow(seed, set uint32, touch *[27]uint32) uint32 {
	part, edge := seed, seed
	for edge != 0 {
		n := bits.TrailingZeros32(edge)
		edge &= edge - 1
		fresh := touch[n] & set &^ part
		part |= fresh
		edge |= fresh
	}
	return part
}

// simple reports whether a voxel with these neighbours can be taken away
// without change of topology: the object around it is one 26-connected part and
// the background beside it one 6-connected part (Bertrand and Malandain,
// Pattern Recognition Letters 15 (1994) 169).
func simple(around uint32) bool {
	object := around &^ (1 << 13)
	if object == 0 || grow(object&-object, object, &touch26) != object {
		return false
	}
	back := ^around & near18
	beside := back & near6
	return beside != 0 && beside&^grow(beside&-beside, back, &touch6) == 0
}

// thin takes away simple voxels, the shallowest first, until none is left but
// the anchors and the curves that join them and run round the tunnels of the
// lumen: a skeleton with the topology of the lumen along the ridge of the
// depth (distance-ordered homotopic thinning, Pudney, CVIU 72 (1998) 404). It
// returns whether each lumen voxel is on the skeleton.
func (l *lumen) thin(ctx context.Context, anchors []int32) ([]bool, error) {
	on := make([]bool, l.g.Len())
	for _, n := range l.vox {
		on[n] = true
	}
	keep, queued := make([]bool, len(l.vox)), make([]bool, len(l.vox))
	for _, v := range anchors {
		keep[v] = true
	}
	around := func(v int32) uint32 {
		n := int(l.vox[v])
		bit, set := 0, uint32(0)
		for d := range l.step {
			if d == 13 {
				bit++
			}
			if on[n+l.step[d]] {
				set |= 1 << bit
			}
			bit++
		}
		return set | 1<<13
	}
	var q queue
	for v := range l.vox {
		if around(int32(v))&near6 != near6 {
			queued[v] = true
			q.push(l.dt[v], int32(v))
		}
	}
	for n := 0; len(q) > 0; n++ {
		if n&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		_, v := q.pop()
		queued[v] = false
		if keep[v] || !on[l.vox[v]] || !simple(around(v)) {
			continue
		}
		on[l.vox[v]] = false
		for d := range l.step {
			if o := l.beside(v, d); o >= 0 && on[l.vox[o]] && !queued[o] {
				queued[o] = true
				q.push(l.dt[o], o)
			}
		}
	}
	out := make([]bool, len(l.vox))
	for v, n := range l.vox {
		out[v] = on[n]
	}
	return out, nil
}
