package segment

import (
	"context"
	"errors"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// work is one segmentation under way: the blackboard of the steps. Shapes are
// found at working resolution and painted into the full grid.
type work struct {
	o    Options
	step string          // the operation that runs
	v    *imaging.Volume // axes along left, posterior, head
	out  *imaging.Segments
	rep  *Report

	c      *filter.Coarse
	smooth []float32 // c.HU, edge-preserving
	body   filter.Mask
	bone   filter.Mask
	liver  filter.Mask
	chalk  filter.Mask // calcified tumour

	liverHU, liverSD float64
	tumours          []tumour
	marks            landmarks // spine, muscle and the organs beside the liver
}

// stepMM is the largest spacing of the working grid.
func (w *work) stepMM() float64 {
	h := w.c.Grid.SpacingMM()
	return max(h[0], h[1], h[2])
}

// ml is the volume of a mask on the working grid.
func (w *work) ml(voxels int) float64 { return float64(voxels) * w.c.Grid.VoxelMM3() / 1000 }

// seeds are the points given for a structure.
func (w *work) seeds(l imaging.Label) []r3.Vec {
	var out []r3.Vec
	for _, s := range w.o.Seeds {
		if s.Label == l {
			out = append(out, s.LPS)
		}
	}
	return out
}

// voxel is the working voxel at p.
func (w *work) voxel(p r3.Vec) (int, bool) {
	x, y, z := w.c.Grid.Voxel(p)
	i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
	return w.c.Grid.Index(i, j, k), w.c.Grid.Contains(i, j, k)
}

// bandMM is the half-width of the band around a coarse outline in which the
// full-resolution values decide.
const bandMM = 1.5

// nearBox holds a mask of the working grid and two voxels around it; it is empty
// when the mask is.
func (w *work) nearBox(m filter.Mask) imaging.Box {
	box := filter.Bounds(w.c.Grid, m)
	if box.Empty() {
		return box
	}
	return box.Grow(w.c.Grid, 2*w.stepMM()).Clip(w.c.Grid)
}

// paintBox holds the voxels of the full grid that paint looks at.
func (w *work) paintBox(m filter.Mask) imaging.Box {
	box := w.nearBox(m)
	for a, b := range w.c.Block {
		box.Lo[a], box.Hi[a] = box.Lo[a]*b, min(box.Hi[a]*b, w.v.Grid.Size[a])
	}
	return box
}

// paint sets a bit of the full grid from a mask of the working grid: decide is
// given the signed distance to the outline of m in mm (interpolated, negative
// inside, smoothed over fairMM) and the storage index of the full voxel. It is
// not asked far outside: farther than 2·bandMM and two working voxels.
func (w *work) paint(ctx context.Context, out *imaging.Segments, l imaging.Label, m filter.Mask, fairMM float64, decide func(phi float32, n int) bool) error {
	g, bit := w.c.Grid, bitOf(out, l)
	box := w.nearBox(m)
	if box.Empty() {
		return ctx.Err()
	}
	sub, phi, err := distance.SignedCrop(ctx, g, box, func(n int) bool { return m[n] })
	if errors.Is(err, distance.ErrNoBoundary) { // the structure fills the grid
		phi = make([]float32, sub.Len())
		for n := range phi {
			phi[n] = -float32(fairMM) - 1e6
		}
	} else if err != nil {
		return err
	}
	if phi, err = filter.BoxMean(ctx, sub, phi, filter.Radius(sub, fairMM)); err != nil {
		return err
	}
	full := w.paintBox(m)
	lo, hi := full.Lo, full.Hi
	var tab [3][]lerp
	for a, b := range w.c.Block {
		tab[a] = make([]lerp, hi[a]-lo[a])
		for p := range tab[a] {
			u := (float64(p) - float64(b-1)/2) / float64(b)
			u = min(max(u, 0), float64(sub.Size[a]-1))
			at := min(int(u), max(0, sub.Size[a]-2))
			tab[a][p] = lerp{at, min(at+1, sub.Size[a]-1), float32(u - float64(at))}
		}
	}
	// the voxels between the same two samples of a row
	type cell struct{ a, from, to int }
	var cells []cell
	for i, t := range tab[0] {
		if c := len(cells); c > 0 && cells[c-1].a == t.a {
			cells[c-1].to = i + 1
		} else {
			cells = append(cells, cell{t.a, i, i + 1})
		}
	}
	far := float32(max(2*bandMM, 2*w.stepMM())) + 0.01 // and rounding
	nj := hi[1] - lo[1]
	return par.ChunksCtx(ctx, nj*(hi[2]-lo[2]), 64, func(first, last int) error {
		row := make([]float32, sub.Size[0])
		for r := first; r < last; r++ {
			tj, tk := tab[1][r%nj], tab[2][r/nj]
			mix := func(j, k int, f float32) {
				src := phi[sub.Index(0, j, k):][:len(row)]
				for i, v := range src {
					row[i] += f * v
				}
			}
			clear(row)
			mix(tj.a, tk.a, (1-tj.f)*(1-tk.f))
			mix(tj.b, tk.a, tj.f*(1-tk.f))
			mix(tj.a, tk.b, (1-tj.f)*tk.f)
			mix(tj.b, tk.b, tj.f*tk.f)
			at := w.v.Grid.Index(lo[0], lo[1]+r%nj, lo[2]+r/nj)
			for _, c := range cells {
				a, b := row[c.a], row[tab[0][c.from].b]
				if a > far && b > far {
					continue
				}
				for i := c.from; i < c.to; i++ {
					if decide(a+tab[0][i].f*(b-a), at+i) {
						out.Bits[at+i] |= bit
					}
				}
			}
		}
		return nil
	})
}

// despeckle drops pieces of a painted structure of less than leastML, and fills
// holes as small.
func (w *work) despeckle(ctx context.Context, l imaging.Label, leastML float64) error {
	bit := w.out.Bit(l)
	box := boundsOf(w.out, bit)
	if box.Empty() {
		return ctx.Err()
	}
	for a := range box.Lo { // a border around it: what lies outside is one piece
		box.Lo[a], box.Hi[a] = max(box.Lo[a]-1, 0), min(box.Hi[a]+1, w.out.Grid.Size[a])
	}
	g := w.out.Grid.Crop(box)
	m := make(filter.Mask, g.Len())
	nx, ny := g.Size[0], g.Size[1]
	rows := func(do func(m filter.Mask, bits []uint32)) error {
		return par.ChunksCtx(ctx, ny*g.Size[2], 256, func(lo, hi int) error {
			for r := lo; r < hi; r++ {
				do(m[r*nx:][:nx], w.out.Bits[w.out.Grid.Index(box.Lo[0], box.Lo[1]+r%ny, box.Lo[2]+r/ny):][:nx])
			}
			return nil
		})
	}
	err := rows(func(m filter.Mask, bits []uint32) {
		for i, b := range bits {
			m[i] = b&bit != 0
		}
	})
	if err != nil {
		return err
	}
	filter.Despeckle(g, m, leastML*1000/g.VoxelMM3())
	return rows(func(m filter.Mask, bits []uint32) {
		for i, in := range m {
			if in {
				bits[i] |= bit
			} else {
				bits[i] &^= bit
			}
		}
	})
}

// lerp is a linear interpolation between samples a and b.
type lerp struct {
	a, b int
	f    float32
}

// hu is the value of a voxel of the full grid.
func (w *work) hu(n int) float64 { return w.v.Value(n) }

// mean9 is the mean of the 3×3 voxels around n in its slice.
func (w *work) mean9(n int) float64 {
	g := w.v.Grid
	i, j, _ := g.IJK(n)
	var sum, count int
	for y := max(0, j-1); y <= min(g.Size[1]-1, j+1); y++ {
		for x := max(0, i-1); x <= min(g.Size[0]-1, i+1); x++ {
			sum += int(w.v.Data[n+(x-i)+(y-j)*g.Size[0]])
			count++
		}
	}
	return float64(w.v.Slope*float64(sum))/float64(count) + w.v.Intercept
}
