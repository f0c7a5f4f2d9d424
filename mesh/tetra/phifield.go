package tetra

import (
	"context"
	"math"

	"halsted/imaging"
)

// fieldOfPhi turns a signed distance into a labelField with the label inside
// where phi is negative, and lists the crossings of the voxel edges as seeds.
func fieldOfPhi(ctx context.Context, g imaging.Grid, phi []float32, inside uint8) (*labelField, *seeds, error) {
	const open = math.MinInt32
	f := newLabelFieldOn(g)
	n := f.n
	sp := [3]float32{float32(f.sp.X), float32(f.sp.Y), float32(f.sp.Z)}
	// at is the field cut off at the outer faces of the voxels, with one voxel
	// around the grid that is outside
	at := func(p [3]int) float32 {
		border := float32(math.Inf(1)) // distance to the nearest outer face
		for a := range 3 {
			if p[a] < 0 || p[a] >= n[a] {
				return sp[a] / 2
			}
			border = min(border, (float32(min(p[a], n[a]-1-p[a]))+0.5)*sp[a])
		}
		return max(phi[p[0]+n[0]*(p[1]+n[1]*p[2])], -border)
	}
	s := &seeds{}
	face := [3]float64{f.sp.Y * f.sp.Z, f.sp.Z * f.sp.X, f.sp.X * f.sp.Y}
	stride := [3]int{1, n[0], n[0] * n[1]}
	for k := -1; k < n[2]; k++ {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		for j := -1; j < n[1]; j++ {
			for i := -1; i < n[0]; i++ {
				p := [3]int{i, j, k}
				inner := i > 0 && j > 0 && k > 0 && i < n[0]-2 && j < n[1]-2 && k < n[2]-2
				var v float32
				if inner {
					o := i + n[0]*(j+n[1]*k)
					v = phi[o]
					in := v < 0
					if (phi[o+1] < 0) == in && (phi[o+stride[1]] < 0) == in && (phi[o+stride[2]] < 0) == in {
						continue
					}
				} else {
					v = at(p)
				}
				for a := range 3 {
					q := p
					q[a]++
					w := at(q)
					if (v < 0) == (w < 0) {
						continue
					}
					t := v / (v - w)
					var x, m [3]float32
					for b := range 3 {
						x[b] = float32(p[b]) * sp[b]
						u, d := p, p
						u[b]++
						d[b]--
						m[b] = (at(d) - at(u)) / sp[b] // towards the inside: the higher label
					}
					x[a] += t * sp[a]
					s.at = append(s.at, x[0], x[1], x[2])
					s.normal = append(s.normal, m[0], m[1], m[2])
					s.pair = append(s.pair, uint16(inside))
					s.areaMM2 += face[a] * 2 / 3
					for c := range 8 {
						var b [3]int
						for d := range 3 {
							b[d] = min(max(p[d]+3*(c>>d&1), 0), n[d]+1) >> 3 // padded, one voxel around the edge
						}
						f.block[b[0]+f.nb[0]*(b[1]+f.nb[1]*b[2])] = open
					}
				}
			}
		}
	}
	count := int32(0)
	for b := range f.block {
		i, j, k := b%f.nb[0]*8-1, b/f.nb[0]%f.nb[1]*8-1, b/f.nb[0]/f.nb[1]*8-1
		if f.block[b] == open {
			f.block[b] = count
			count += blockSide * blockSide * blockSide
			continue
		}
		i, j, k = max(i, 0), max(j, 0), max(k, 0)
		f.block[b] = -1
		if i < n[0] && j < n[1] && k < n[2] && phi[i+n[0]*(j+n[1]*k)] < 0 {
			f.block[b] = -1 - int32(inside)
		}
	}
	f.value = make([]uint32, count)
	for b, o := range f.block {
		if o < 0 {
			continue
		}
		i, j, k := b%f.nb[0]*8-1, b/f.nb[0]%f.nb[1]*8-1, b/f.nb[0]/f.nb[1]*8-1
		for m := range blockSide * blockSide * blockSide {
			v := at([3]int{i + m&7, j + m>>3&7, k + m>>6})
			l := uint8(0)
			if v < 0 {
				l, v = inside, -v
			}
			f.value[int(o)+m] = packValue(l, v)
		}
	}
	return f, s, nil
}
