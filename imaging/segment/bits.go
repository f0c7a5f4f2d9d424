package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// bitChunk is how many voxels of the full grid are looked at at a time.
const bitChunk = 1 << 18

// amend takes the bits of drop from each voxel of box, which lies inside the
// grid, that has all those of has, and gives it those of add.
func amend(ctx context.Context, s *imaging.Segments, box imaging.Box, has, drop, add uint32) error {
	size := box.Size()
	return par.ChunksCtx(ctx, size[1]*size[2], 256, func(lo, hi int) error {
		for r := lo; r < hi; r++ {
			row := s.Bits[s.Grid.Index(box.Lo[0], box.Lo[1]+r%size[1], box.Lo[2]+r/size[1]):][:size[0]]
			for n, b := range row {
				if b&has == has {
					row[n] = b&^drop | add
				}
			}
		}
		return nil
	})
}

// boundsOf is the smallest box that holds the voxels with a bit of any; empty
// when there is none.
func boundsOf(s *imaging.Segments, any uint32) imaging.Box {
	g := s.Grid
	nx, ny := g.Size[0], g.Size[1]
	part := make([]imaging.Box, g.Size[2])
	par.Chunks(g.Size[2], 1, func(k, _ int) {
		b := imaging.Box{Lo: g.Size}
		for j := range ny {
			row := s.Bits[nx*(j+ny*k):][:nx]
			first := 0
			for first < nx && row[first]&any == 0 {
				first++
			}
			if first == nx {
				continue
			}
			last := nx - 1
			for row[last]&any == 0 {
				last--
			}
			b.Lo = [3]int{min(b.Lo[0], first), min(b.Lo[1], j), k}
			b.Hi = [3]int{max(b.Hi[0], last+1), j + 1, k + 1}
		}
		part[k] = b
	})
	b := imaging.Box{Lo: g.Size}
	for _, p := range part {
		for a := range b.Lo {
			b.Lo[a], b.Hi[a] = min(b.Lo[a], p.Lo[a]), max(b.Hi[a], p.Hi[a])
		}
	}
	if b.Empty() {
		return imaging.Box{}
	}
	return b
}

// sampled is, for each voxel of a coarser grid over box, the bits of the voxel
// in its middle. block is the size of its voxels in those of s.
func sampled(s *imaging.Segments, box imaging.Box, coarse imaging.Grid, block [3]int) []uint32 {
	out := make([]uint32, coarse.Len())
	at := func(a, p int) int { return min(box.Lo[a]+p*block[a]+block[a]/2, box.Hi[a]-1) }
	nx, ny := coarse.Size[0], coarse.Size[1]
	par.Chunks(ny*coarse.Size[2], 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			from := s.Bits[s.Grid.Index(0, at(1, r%ny), at(2, r/ny)):][:s.Grid.Size[0]]
			for i := range nx {
				out[r*nx+i] = from[at(0, i)]
			}
		}
	})
	return out
}

// eachIn calls f for every voxel n of box in the full grid with the voxel o of c,
// made of a crop to box, that holds it. Slices run concurrently.
func eachIn(ctx context.Context, full imaging.Grid, box imaging.Box, c *filter.Coarse, f func(n, o int)) error {
	return par.ChunksCtx(ctx, box.Hi[2]-box.Lo[2], 1, func(slice, _ int) error {
		for j := range box.Hi[1] - box.Lo[1] {
			n := full.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+slice)
			row := c.Grid.Index(0, j/c.Block[1], slice/c.Block[2])
			for i := range box.Hi[0] - box.Lo[0] {
				f(n+i, row+i/c.Block[0])
			}
		}
		return nil
	})
}
