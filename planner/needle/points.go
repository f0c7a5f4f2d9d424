package needle

import (
	"cmp"
	"context"
	"math"
	"slices"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// skinPoints are points on the skin, one for each cell of a cubic lattice of
// the given side that the skin passes near the middle of: about one for each
// spacing² of skin. Only points within reach of the target are kept, in the
// order of the grid.
func (c *Case) skinPoints(ctx context.Context, spacing float64) ([]r3.Vec, error) {
	g, f := &c.Grid, c.body
	h := g.SpacingMM()
	half := spacing / 2
	reach := c.length + c.beyond + c.depthMM
	far := math.Sqrt(3)*max(h[0], h[1], h[2]) + half
	slabs := make([][]r3.Vec, g.Size[2]-1)
	err := par.ChunksCtx(ctx, g.Size[2]-1, 2, func(lo, hi int) error {
		for k := lo; k < hi; k++ {
			var out []r3.Vec
			for j := range g.Size[1] - 1 {
				row := g.Index(0, j, k)
				for i := range g.Size[0] - 1 {
					if v := f.MM[row+i]; float64(v) > far || float64(v) < -far {
						continue
					}
					// lattice points (a+½)·spacing within the cell, per axis
					cell := [3]int{i, j, k}
					var from, to [3]int
					for a, n := range cell {
						from[a] = int(math.Ceil(float64(n)*h[a]/spacing - 0.5))
						to[a] = int(math.Ceil(float64(n+1)*h[a]/spacing - 0.5))
					}
					for z := from[2]; z < to[2]; z++ {
						for y := from[1]; y < to[1]; y++ {
							for x := from[0]; x < to[0]; x++ {
								v := [3]float64{(float64(x) + 0.5) * spacing / h[0], (float64(y) + 0.5) * spacing / h[1], (float64(z) + 0.5) * spacing / h[2]}
								d := f.at(v[0], v[1], v[2])
								if d > half || d <= -half {
									continue
								}
								p := g.Point(v[0], v[1], v[2])
								p = r3.Sub(p, r3.Scale(d, f.gradient(g, p)))
								if r3.Norm(r3.Sub(p, c.centre)) <= reach && inHull(c, p) {
									out = append(out, p)
								}
							}
						}
					}
				}
			}
			slabs[k] = out
		}
		return nil
	})
	return slices.Concat(slabs...), err
}

// inHull reports whether p lies between voxel centres of the case's grid.
func inHull(c *Case, p r3.Vec) bool {
	i, j, k := c.Grid.Voxel(p)
	for a, v := range [3]float64{i, j, k} {
		if !(v >= 0 && v <= float64(c.Grid.Size[a]-1)) {
			return false
		}
	}
	return true
}

// targetPoints fills points with a cubic lattice through the target's core, at
// most n of them, deepest first; the lattice is made coarser until it is so.
func (c *Case) targetPoints(n int) {
	f, h := c.tumour, c.Grid.SpacingMM()
	core := -coreDepth * c.depthMM
	deepest, count := 0, 0
	lo, hi := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}, [3]float64{}
	at := func(m int) [3]float64 {
		return [3]float64{float64(m%f.row) + f.lo[0], float64(m%f.page/f.row) + f.lo[1], float64(m/f.page) + f.lo[2]}
	}
	for m, v := range f.MM {
		if v < f.MM[deepest] {
			deepest = m
		}
		if v < 0 && float64(v) <= core {
			count++
			p := at(m)
			for a := range p {
				lo[a], hi[a] = min(lo[a], p[a]), max(hi[a], p[a])
			}
		}
	}
	mid := at(deepest)
	type deep struct {
		v [3]float64
		d float64
	}
	first := 0.9 * math.Cbrt(float64(count)*c.Grid.VoxelMM3()/float64(n))
	for step := max(1, first); ; step *= 1.05 {
		var from, to [3]int // steps from the deepest voxel; a voxel more than the core's
		for a := range from {
			from[a] = int(math.Floor((lo[a] - 1 - mid[a]) * h[a] / step))
			to[a] = int(math.Ceil((hi[a] + 1 - mid[a]) * h[a] / step))
		}
		var all []deep
		for z := from[2]; z <= to[2]; z++ {
			for y := from[1]; y <= to[1]; y++ {
				for x := from[0]; x <= to[0]; x++ {
					v := [3]float64{mid[0] + float64(x)*step/h[0], mid[1] + float64(y)*step/h[1], mid[2] + float64(z)*step/h[2]}
					if d := f.at(v[0], v[1], v[2]); d <= core && d < 0 {
						all = append(all, deep{v, d})
					}
				}
			}
		}
		if len(all) == 0 { // the only deep voxel may lie at the crop's rim
			all = append(all, deep{mid, float64(f.MM[deepest])})
		}
		if len(all) > n {
			continue
		}
		slices.SortStableFunc(all, func(a, b deep) int { return cmp.Compare(a.d, b.d) })
		c.pointMM = step
		for _, d := range all {
			c.points = append(c.points, c.Grid.Point(d.v[0], d.v[1], d.v[2]))
		}
		return
	}
}
