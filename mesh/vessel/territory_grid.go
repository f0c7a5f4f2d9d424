package vessel

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// working is the organ on blocks of whole voxels of the caller's grid, cropped
// to the organ. A block counts for as many millilitres as it holds organ
// voxels, so volumes add up to those of the caller's mask.
type working struct {
	fine   imaging.Grid
	factor [3]int // voxels of fine along i, j, k in one block
	first  [3]int // voxel of fine where the first block starts
	grid   imaging.Grid
	vox    []int32   // storage index in grid of each block with organ, ascending
	at     []int32   // per voxel of grid: its place in vox, or −1
	ml     []float64 // organ volume of each of vox
	most   float64   // the largest of ml
	total  float64
	apart  []bool // of vox: in a piece of the organ that no branch touches
}

// newWorking joins voxels to blocks of about stepMM.
func newWorking(ctx context.Context, g imaging.Grid, organ []bool, stepMM float64) (*working, error) {
	w := &working{fine: g}
	h := g.SpacingMM()
	box, err := boundsOf(ctx, g, organ)
	if err != nil {
		return nil, err
	}
	w.first = box.Lo
	lo := g.Point(float64(box.Lo[0]), float64(box.Lo[1]), float64(box.Lo[2]))
	for a, size := range box.Size() {
		w.factor[a] = max(1, int(min(math.Round(stepMM/h[a]), float64(size))))
		w.grid.Size[a] = (size + w.factor[a] - 1) / w.factor[a]
		w.grid.Axes[a] = r3.Scale(float64(w.factor[a]), g.Axes[a])
		lo = r3.Add(lo, r3.Scale(float64(w.factor[a]-1)/2, g.Axes[a]))
	}
	w.grid.Origin = lo
	count := make([]int32, w.grid.Len())
	for k := box.Lo[2]; k < box.Hi[2]; k++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for j := box.Lo[1]; j < box.Hi[1]; j++ {
			row, to := g.Index(0, j, k), w.grid.Index(0, (j-w.first[1])/w.factor[1], (k-w.first[2])/w.factor[2])
			for i := box.Lo[0]; i < box.Hi[0]; i++ {
				if organ[row+i] {
					count[to+(i-w.first[0])/w.factor[0]]++
				}
			}
		}
	}
	w.at = make([]int32, len(count))
	voxel := g.VoxelMM3() / 1000
	for n, c := range count {
		w.at[n] = -1
		if c > 0 {
			w.at[n] = int32(len(w.vox))
			w.vox = append(w.vox, int32(n))
			w.ml = append(w.ml, float64(c)*voxel)
			w.most = max(w.most, float64(c)*voxel)
			w.total += float64(c) * voxel
		}
	}
	return w, nil
}

// boundsOf is the smallest box around the organ, empty where there is none.
func boundsOf(ctx context.Context, g imaging.Grid, organ []bool) (imaging.Box, error) {
	b := imaging.Box{Lo: g.Size}
	for k := range g.Size[2] {
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
		for j := range g.Size[1] {
			row := organ[g.Index(0, j, k):][:g.Size[0]]
			i := slices.Index(row, true)
			if i < 0 {
				continue
			}
			last := len(row) - 1
			for !row[last] {
				last--
			}
			for a, x := range [3][2]int{{i, last}, {j, j}, {k, k}} {
				b.Lo[a], b.Hi[a] = min(b.Lo[a], x[0]), max(b.Hi[a], x[1]+1)
			}
		}
	}
	return b, nil
}

// blockOf is the block of voxel i, j, k of fine, or −1 if it holds no organ.
func (w *working) blockOf(i, j, k int) int32 {
	i, j, k = i-w.first[0], j-w.first[1], k-w.first[2]
	if i < 0 || j < 0 || k < 0 {
		return -1
	}
	i, j, k = i/w.factor[0], j/w.factor[1], k/w.factor[2]
	if !w.grid.Contains(i, j, k) {
		return -1
	}
	return w.at[w.grid.Index(i, j, k)]
}

// setApart marks the pieces of the organ (blocks that share a face) that no
// chord touches, and returns their volume and the number of all pieces.
func (w *working) setApart(ctx context.Context, chords []chord) (ml float64, pieces int, err error) {
	piece := make([]int32, len(w.vox))
	step := [3]int{1, w.grid.Size[0], w.grid.Size[0] * w.grid.Size[1]}
	var stack []int32
	looked := 0
	for v := range piece {
		if piece[v] != 0 {
			continue
		}
		pieces++
		piece[v] = int32(pieces)
		stack = append(stack, int32(v))
		for len(stack) > 0 {
			if looked++; looked%4096 == 0 && ctx.Err() != nil {
				return 0, 0, ctx.Err()
			}
			n := int(w.vox[stack[len(stack)-1]])
			stack = stack[:len(stack)-1]
			i, j, k := w.grid.IJK(n)
			for a, x := range [3]int{i, j, k} {
				for _, d := range [2]int{-1, 1} {
					if x+d < 0 || x+d >= w.grid.Size[a] {
						continue
					}
					if o := w.at[n+d*step[a]]; o >= 0 && piece[o] == 0 {
						piece[o] = int32(pieces)
						stack = append(stack, o)
					}
				}
			}
		}
	}
	fed := make([]bool, pieces+1)
	const most = 2000 // places looked at along a chord
	for _, c := range chords {
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		n := min(int(r3.Norm(r3.Sub(c.b, c.a)))+1, most)
		for m := 0; m <= n; m++ {
			p := r3.Add(c.a, r3.Scale(float64(m)/float64(n), r3.Sub(c.b, c.a)))
			w.around(p, besideMM, func(v int32) { fed[piece[v]] = true })
		}
	}
	w.apart = make([]bool, len(w.vox))
	for v, p := range piece {
		if !fed[p] {
			w.apart[v] = true
			ml += w.ml[v]
		}
	}
	return ml, pieces, nil
}

// around calls f for the block of p and those about mm from it along the axes.
func (w *working) around(p r3.Vec, mm float64, f func(v int32)) {
	if v := w.find(p); v >= 0 {
		f(v)
	}
	for _, a := range w.grid.Axes {
		d := r3.Scale(mm/r3.Norm(a), a)
		for _, q := range [2]r3.Vec{r3.Add(p, d), r3.Sub(p, d)} {
			if v := w.find(q); v >= 0 {
				f(v)
			}
		}
	}
}

// find is the block that holds p, or −1 where there is no organ.
func (w *working) find(p r3.Vec) int32 {
	x, y, z := w.grid.Voxel(p)
	i, j, k := int(math.Floor(x+0.5)), int(math.Floor(y+0.5)), int(math.Floor(z+0.5))
	if !w.grid.Contains(i, j, k) {
		return -1
	}
	return w.at[w.grid.Index(i, j, k)]
}

func (w *working) point(v int32) r3.Vec {
	i, j, k := w.grid.IJK(int(v))
	return w.grid.Point(float64(i), float64(j), float64(k))
}

// inside says whether p lies in a block with organ.
func (w *working) inside(p r3.Vec) bool { return w.find(p) >= 0 }

// beside says whether p lies in the organ or within about mm of it.
func (w *working) beside(p r3.Vec, mm float64) bool {
	found := false
	w.around(p, mm, func(int32) { found = true })
	return found
}

// clear says whether the straight way from a to b stays in the organ.
func (w *working) clear(a, b r3.Vec) bool {
	const stepMM = 4
	n := int(norm3(r3.Sub(b, a))/stepMM) + 1
	for m := 1; m <= n; m++ {
		if !w.inside(r3.Add(a, r3.Scale(float64(m)/float64(n), r3.Sub(b, a)))) {
			return false
		}
	}
	return true
}

// each works on eachSide³ blocks at a time and on eachChunk such bricks in a
// chunk.
const eachSide, eachChunk = 4, 16

func (w *working) bricks() (nb [3]int) {
	for a, n := range w.grid.Size {
		nb[a] = (n + eachSide - 1) / eachSide
	}
	return nb
}

// chunks is how many chunks each has.
func (w *working) chunks() int {
	nb := w.bricks()
	return (nb[0]*nb[1]*nb[2] + eachChunk - 1) / eachChunk
}

// each calls visit for every block of organ with the sites that may be the
// nearest of their group to it, in ascending order: of 4×4×4 blocks at a time
// those no farther from the middle than the nearest of the group plus twice
// the half diagonal. group[i] < groups is the group of site i, negative for a
// site that does not count. visit is called concurrently, each v once, with the
// number of the chunk it belongs to: what is summed by chunk has the same bits
// for any core count.
func (w *working) each(ctx context.Context, sites int, distance func(p r3.Vec, i int) float64, group []int32, groups int, visit func(chunk, v int, p r3.Vec, near []int32)) error {
	const side = eachSide
	size, nb := w.grid.Size, w.bricks()
	var half float64
	for _, a := range w.grid.Axes {
		half += r3.Norm2(a) * (side - 1) * (side - 1) / 4
	}
	reach := 2*math.Sqrt(half) + 1e-6
	return par.ChunksCtx(ctx, nb[0]*nb[1]*nb[2], eachChunk, func(lo, hi int) error {
		d, least := make([]float64, sites), make([]float64, groups)
		near := make([]int32, 0, sites)
		var here []int32
		for b := lo; b < hi; b++ {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			i0, j0, k0 := b%nb[0]*side, b/nb[0]%nb[1]*side, b/(nb[0]*nb[1])*side
			here = here[:0]
			for k := k0; k < min(k0+side, size[2]); k++ {
				for j := j0; j < min(j0+side, size[1]); j++ {
					for i := i0; i < min(i0+side, size[0]); i++ {
						if v := w.at[w.grid.Index(i, j, k)]; v >= 0 {
							here = append(here, v)
						}
					}
				}
			}
			if len(here) == 0 {
				continue
			}
			mid := w.grid.Point(float64(i0)+(side-1)/2.0, float64(j0)+(side-1)/2.0, float64(k0)+(side-1)/2.0)
			for g := range least {
				least[g] = math.Inf(1)
			}
			for i := range d {
				if g := group[i]; g >= 0 {
					d[i] = distance(mid, i)
					least[g] = min(least[g], d[i])
				}
			}
			near = near[:0]
			for i := range d {
				if g := group[i]; g >= 0 && d[i] <= least[g]+reach {
					near = append(near, int32(i))
				}
			}
			for _, v := range here {
				visit(lo/eachChunk, int(v), w.point(w.vox[v]), near)
			}
		}
		return nil
	})
}

// nearestPoint labels every block of organ with the label of its nearest
// point; of equally near ones the first.
func (w *working) nearestPoint(ctx context.Context, points []r3.Vec, label []int32) ([]int16, error) {
	out := make([]int16, len(w.vox))
	err := w.each(ctx, len(points), func(p r3.Vec, i int) float64 { return norm3(r3.Sub(p, points[i])) }, make([]int32, len(points)), 1,
		func(_, v int, p r3.Vec, near []int32) {
			best, at := math.Inf(1), int32(0)
			for _, i := range near {
				if d := r3.Norm2(r3.Sub(p, points[i])); d < best {
					best, at = d, i
				}
			}
			out[v] = int16(label[at])
		})
	return out, err
}
