package series

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// axisWeights say of how many voxels of the source along an axis the voxels of
// the target are made: target voxel t takes w[t][n] of source voxel from[t]+n.
type axisWeights struct {
	from   []int
	w      [][]float32
	lo, hi int // source voxels whose centres lie within the target
}

// separateTol is how far a lattice may be turned against another, in voxels of
// the source over the whole of the target, and still count as parallel.
const separateTol = 0.02

// separate gives the weights of each axis when the axes of the two lattices are
// parallel: trilinear interpolation, and the mean over sub-points, is then a
// product of weights along the axes. The axes are those of p.reorder.Grid(p.from).
func (p *placement) separate() (out [3]axisWeights, ok bool) {
	o := p.reorder.Grid(p.from)
	at := func(i, j, k float64) [3]float64 {
		x, y, z := o.Voxel(p.to.Point(i, j, k))
		return [3]float64{x, y, z}
	}
	zero, sub := at(0, 0, 0), p.subPoints()
	step := [3][3]float64{at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)}
	for a := range step {
		for b := range step {
			step[a][b] -= zero[b]
			if a != b && !(math.Abs(step[a][b])*float64(p.to.Size[a]) <= separateTol) {
				return out, false
			}
		}
	}
	for a := range out {
		out[a] = weights(zero[a], step[a][a], p.to.Size[a], o.Size[a], sub[a], tie[a])
	}
	return out, true
}

// weights of one axis: target voxel t lies at zero + step·t in source voxels.
func weights(zero, step float64, target, source, sub int, tie float64) axisWeights {
	out := axisWeights{from: make([]int, target), w: make([][]float32, target), lo: source}
	for t := range target {
		first, last := math.MaxInt, math.MinInt
		var points [4]float64
		for f := range sub {
			x := zero + step*(float64(t)+(float64(f)+0.5)/float64(sub)-0.5) + tie
			points[f] = min(max(x, -1e9), 1e9)
			first, last = min(first, int(math.Floor(points[f]))), max(last, int(math.Floor(points[f]))+1)
		}
		first, last = max(first, 0), min(last, source-1)
		if first > last {
			continue
		}
		w := make([]float32, last-first+1)
		for _, x := range points[:sub] {
			n := int(math.Floor(x))
			f := x - float64(n)
			for m, part := range [2]float64{1 - f, f} {
				if n+m >= first && n+m <= last {
					w[n+m-first] += float32(part / float64(sub))
				}
			}
		}
		out.from[t], out.w[t] = first, w
	}
	for v := range source {
		if t := (float64(v) - zero) / step; t >= -0.5 && t < float64(target)-0.5 {
			out.lo, out.hi = min(out.lo, v), max(out.hi, v+1)
		}
	}
	return out
}

// putSeparate is put for lattices with parallel axes: plane by plane of the
// target, first along its k, then j, then i.
func (p *placement) putSeparate(ctx context.Context, dst []uint32, bit uint32, mask []bool, axes [3]axisWeights) (voxels, set, cut int, err error) {
	o := p.reorder.Grid(p.from)
	inO := placement{from: p.from, to: o, reorder: p.reorder}
	from := inO.toSource()
	// What the mask covers, in planes of o.
	bounds, counts, err := p.measure(ctx, mask, &from, o, axes)
	if err != nil {
		return 0, 0, 0, err
	}
	voxels, cut = counts[0], counts[0]-counts[1]
	if bounds.Empty() {
		return voxels, 0, cut, nil
	}
	nx, ny := bounds.Hi[0]-bounds.Lo[0], bounds.Hi[1]-bounds.Lo[1]
	sets := make([]int, p.to.Size[2])
	err = par.ChunksCtx(ctx, p.to.Size[2], 1, func(k, _ int) error {
		var plane []float32
		for n, w := range axes[2].w[k] {
			c := axes[2].from[k] + n
			if w == 0 || c < bounds.Lo[2] || c >= bounds.Hi[2] {
				continue
			}
			if plane == nil {
				plane = make([]float32, nx*ny)
			}
			for b := range ny {
				row := from.row(b+bounds.Lo[1], c)
				at := row.base + bounds.Lo[0]*row.step
				line := plane[b*nx : (b+1)*nx]
				for a := range line {
					if mask[at] {
						line[a] += w
					}
					at += row.step
				}
			}
		}
		if plane == nil {
			return nil
		}
		line := make([]float32, nx)
		for j := range p.to.Size[1] {
			used := false
			clear(line)
			for n, w := range axes[1].w[j] {
				b := axes[1].from[j] + n - bounds.Lo[1]
				if w == 0 || b < 0 || b >= ny {
					continue
				}
				used = true
				for a, v := range plane[b*nx : (b+1)*nx] {
					line[a] += w * v
				}
			}
			if !used {
				continue
			}
			row := p.to.Index(0, j, k)
			for i, ws := range axes[0].w {
				a, sum := axes[0].from[i]-bounds.Lo[0], float32(0)
				for n, w := range ws {
					if uint(a+n) < uint(nx) {
						sum += w * line[a+n]
					}
				}
				if sum >= 0.5 {
					dst[row+i] |= bit
					sets[k]++
				}
			}
		}
		return nil
	})
	for _, n := range sets {
		set += n
	}
	return voxels, set, cut, err
}

// measure counts the voxels of a mask, and those within the target, and finds
// the block that they fill, all in voxels of o.
func (p *placement) measure(ctx context.Context, mask []bool, from *latticeMap, o imaging.Grid, axes [3]axisWeights) (box imaging.Box, counts [2]int, err error) {
	type plane struct {
		box    imaging.Box
		counts [2]int
	}
	planes := make([]plane, o.Size[2])
	err = par.ChunksCtx(ctx, len(planes), 1, func(c, _ int) error {
		q := plane{box: imaging.Box{Lo: o.Size}}
		for b := range o.Size[1] {
			row := from.row(b, c)
			first, last := -1, -1
			at := row.base
			within := b >= axes[1].lo && b < axes[1].hi && c >= axes[2].lo && c < axes[2].hi
			for a := range o.Size[0] {
				if mask[at] {
					if first < 0 {
						first = a
					}
					last = a
					q.counts[0]++
					if within && a >= axes[0].lo && a < axes[0].hi {
						q.counts[1]++
					}
				}
				at += row.step
			}
			if first < 0 {
				continue
			}
			q.box.Lo = [3]int{min(q.box.Lo[0], first), min(q.box.Lo[1], b), c}
			q.box.Hi = [3]int{max(q.box.Hi[0], last+1), b + 1, c + 1}
		}
		planes[c] = q
		return nil
	})
	box.Lo = o.Size
	for _, q := range planes {
		if q.counts[0] == 0 {
			continue
		}
		for a := range box.Lo {
			box.Lo[a], box.Hi[a] = min(box.Lo[a], q.box.Lo[a]), max(box.Hi[a], q.box.Hi[a])
		}
		counts[0], counts[1] = counts[0]+q.counts[0], counts[1]+q.counts[1]
	}
	return box, counts, err
}
