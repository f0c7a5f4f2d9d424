package segment

import (
	"context"

	"halsted/imaging/filter"
)

// core is the cortical bone on the working grid: brighter than CoreHU, and not as
// noise, calyces or a calcification make a few voxels of a bright organ, but as
// at least the part Cortex of all that is brighter than AboveHU within ReachMM
// around.
func (s boneSettings) core(ctx context.Context, w *work) (filter.Mask, error) {
	g := w.c.Grid
	above := func(hu float64) (filter.Mask, []float32, error) {
		m := filter.Where(g.Len(), func(n int) bool { return w.body[n] && w.c.HU[n] > float32(hu) })
		part := make([]float32, g.Len())
		for n, in := range m {
			if in {
				part[n] = 1
			}
		}
		part, err := filter.BoxMean(ctx, g, part, filter.Radius(g, s.ReachMM))
		return m, part, err
	}
	core, dense, err := above(s.CoreHU)
	if err != nil {
		return nil, err
	}
	_, bright, err := above(s.AboveHU)
	if err != nil {
		return nil, err
	}
	return filter.Where(g.Len(), func(n int) bool { return core[n] && float64(dense[n]) >= s.Cortex*float64(bright[n]) }), nil
}

// lower is by how many HU the levels of bone may go down in this scan: as far,
// though not below LeastHU, as at most the part Astray of what is brighter lies
// out of reach of cortical bone (near). Without contrast little else than bone
// is bright, and poor bone or coarse voxels show less than the values of dense
// bone; with contrast, vessels and kidneys soon are as bright.
func (s boneSettings) lower(w *work, near filter.Mask) float64 {
	bins := int((s.AboveHU - s.LeastHU) / binHU)
	if bins < 1 {
		return 0
	}
	var count [2][]int // out of reach, within reach; the last bin is what AboveHU takes
	for q := range count {
		count[q] = make([]int, bins+1)
	}
	for n, in := range w.body {
		if v := float64(w.c.HU[n]); in && v > s.LeastHU {
			q := 0
			if near[n] {
				q = 1
			}
			count[q][min(int((v-s.LeastHU)/binHU), bins)]++
		}
	}
	out, within, b := count[0][bins], count[1][bins], bins
	for ; b > 0; b-- {
		out, within = out+count[0][b-1], within+count[1][b-1]
		if float64(out) > s.Astray*float64(out+within) {
			break
		}
	}
	return float64(bins-b) * binHU
}

// medianMM is the largest spacing of voxels whose median is taken: 3×3 of larger
// ones are wider than many a rib.
const medianMM = 2

// quiet is the value of voxel n of the full grid with less noise where voxels are
// small, and as it is where they are not.
func (w *work) quiet(n int) float64 {
	if h := w.v.Grid.SpacingMM(); max(h[0], h[1]) > medianMM {
		return w.hu(n)
	}
	return w.median9(n)
}
