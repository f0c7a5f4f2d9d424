package vessel

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// A path explains the voxels within coverScale times the depth of its voxels
// plus coverVoxels voxels. The depth of the deepest voxel falls short of the
// radius by up to half a voxel diagonal, and the rest of a tube is explained
// with one voxel to spare.
const (
	coverScale  = 1.15
	coverVoxels = 1.2
)

// tips finds the ends of the vessels: from one end of each piece, the lumen voxel
// farthest along the vessels that no path explains yet is an end;
// its path explains the tube around it; and so on (after Sato et al., TEASAR,
// Pacific Graphics 2000). Ends come in order of falling distance, piece by
// piece.
func (l *lumen) tips(ctx context.Context) ([]int32, error) {
	of, pieces := l.pieces()
	source := make([]int32, pieces)
	for p := range source {
		source[p] = -1
	}
	for v, p := range of {
		if s := source[p]; s < 0 || l.dt[v] > l.dt[s] {
			source[p] = int32(v)
		}
	}
	// The voxel farthest from the deepest is an end; paths start there.
	_, first, err := l.paths(ctx, source)
	if err != nil {
		return nil, err
	}
	for v, p := range of {
		if first[v] > first[source[p]] {
			source[p] = int32(v)
		}
	}
	from, length, err := l.paths(ctx, source)
	if err != nil {
		return nil, err
	}
	order := make([]int32, len(of))
	for v := range order {
		order[v] = int32(v)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := cmp.Compare(of[a], of[b]); c != 0 {
			return c
		}
		if c := cmp.Compare(length[b], length[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	known := make([]bool, len(of)) // explained
	path := make([]bool, len(of))
	for _, s := range source {
		path[s] = true
		l.cover(known, s)
	}
	out := slices.Clone(source)
	for n, v := range order {
		if n&0xfff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if known[v] {
			continue
		}
		out = append(out, v)
		for u := v; !path[u]; u = from[u] {
			path[u] = true
			l.cover(known, u)
		}
	}
	return out, nil
}

// paths is the way from the sources to every voxel: the voxel before and the
// length, mm. A step costs its length over the square of the depth: paths keep
// to the middle.
func (l *lumen) paths(ctx context.Context, source []int32) (from []int32, length []float32, err error) {
	const far = math.MaxFloat32
	cost := make([]float32, len(l.vox))
	from, length = make([]int32, len(l.vox)), make([]float32, len(l.vox))
	for v := range cost {
		cost[v], from[v] = far, -1
	}
	var q queue
	for _, s := range source {
		cost[s] = 0
		q.push(0, s)
	}
	for n := 0; len(q) > 0; n++ {
		if n&0xffff == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		c, v := q.pop()
		if c > cost[v] {
			continue
		}
		for d := range l.step {
			o := l.beside(v, d)
			if o < 0 {
				continue
			}
			depth := (float64(l.dt[v]) + float64(l.dt[o])) / (2 * l.mean)
			if next := c + float32(l.stepMM[d]/(depth*depth)); next < cost[o] {
				cost[o], from[o] = next, v
				length[o] = length[v] + float32(l.stepMM[d])
				q.push(next, o)
			}
		}
	}
	return from, length, nil
}

// cover marks the voxels that voxel v of a path explains.
func (l *lumen) cover(known []bool, v int32) {
	r := coverScale*float64(l.dt[v]) + coverVoxels*l.mean
	h := l.g.SpacingMM()
	i, j, k := l.g.IJK(int(l.vox[v]))
	nj, nk := int(r/h[1]), int(r/h[2])
	for c := max(0, k-nk); c <= min(l.g.Size[2]-1, k+nk); c++ {
		z := float64(c-k) * h[2]
		for b := max(0, j-nj); b <= min(l.g.Size[1]-1, j+nj); b++ {
			y := float64(b-j) * h[1]
			rest := r*r - y*y - z*z
			if rest < 0 {
				continue
			}
			w := int(math.Sqrt(rest) / h[0])
			row := l.g.Index(0, b, c)
			for a := max(0, i-w); a <= min(l.g.Size[0]-1, i+w); a++ {
				if o := l.at[row+a]; o >= 0 {
					known[o] = true
				}
			}
		}
	}
}
