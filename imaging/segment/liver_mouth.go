package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// The mouths of the hepatic veins: blood beside the vena cava, joined to it and
// to a vessel of the liver, within mouthReachMM, that a closing of the organ by
// mouthMM reaches: parenchyma lies on both sides of it. Less than mouthThinMM is
// partial volume at a wall. The closing is done on voxels of about mouthStepMM.
const (
	mouthReachMM = 25.0
	mouthMM      = 12.0
	mouthThinMM  = 2.0
	mouthStepMM  = 1.5
)

// takeMouths gives the liver what lies between its parenchyma and the vena cava:
// the mouths of the hepatic veins, which are as bright and as wide as what the
// liver's outline leaves out. The blood of the vena cava is no part of the organ.
func (w *work) takeMouths(ctx context.Context) error {
	out := w.out
	liver, cava, vessel := out.Bit(imaging.LabelLiver), out.Bit(imaging.LabelVenaCava), out.Bit(imaging.LabelVessel)
	if cava == 0 || vessel == 0 {
		return ctx.Err()
	}
	box, organ := boundsOf(out, cava), boundsOf(out, liver)
	box.Lo[2], box.Hi[2] = max(box.Lo[2], organ.Lo[2]), min(box.Hi[2], organ.Hi[2])
	if box.Empty() {
		return ctx.Err()
	}
	box = box.Grow(out.Grid, mouthReachMM).Clip(out.Grid)
	hull, err := w.closedLiver(ctx, box, liver, cava)
	if err != nil {
		return err
	}
	g := out.Grid.Crop(box)
	at := func(n int) int {
		i, j, k := g.IJK(n)
		return out.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
	}
	bits := make([]uint32, g.Len())
	for n := range bits {
		bits[n] = out.Bits[at(n)]
	}
	not := cava | out.Bit(imaging.LabelAorta) | out.Bit(imaging.LabelBone) | out.Bit(imaging.LabelKidneyRight) | out.Bit(imaging.LabelSpleen)
	low := w.mouthHU(g, at, bits, cava)
	m := filter.Where(g.Len(), func(n int) bool {
		b := bits[n]
		if b&vessel != 0 {
			return true
		}
		if b&(not|liver) != 0 {
			return false
		}
		i, j, k := g.IJK(n)
		return hull(i, j, k) && w.mean9(at(n)) > low[k]
	})
	thick, err := filter.Erode(ctx, g, m, mouthThinMM)
	if err != nil {
		return err
	}
	if thick, err = filter.Dilate(ctx, g, thick, 1.5*mouthThinMM); err != nil {
		return err
	}
	p := filter.Components(g, filter.Where(g.Len(), func(n int) bool { return m[n] && thick[n] && bits[n]&vessel == 0 }))
	var joins [2][]bool // the vena cava, a vessel
	for a := range joins {
		joins[a] = make([]bool, len(p.Count))
	}
	for n, c := range p.Of {
		if c > 0 {
			filter.Neighbours(g, n, func(o int) {
				joins[0][c] = joins[0][c] || bits[o]&cava != 0
				joins[1][c] = joins[1][c] || bits[o]&vessel != 0
			})
		}
	}
	m = p.Only(func(c int32) bool { return joins[0][c] && joins[1][c] })
	if err := w.show("mouths of the hepatic veins", g, m); err != nil {
		return err
	}
	for n, in := range m {
		b, o := bits[n], at(n)
		switch {
		case in:
			out.Bits[o] |= liver | vessel
		case b&cava != 0 && b&vessel != 0:
			out.Bits[o] &^= vessel | liver
		case b&cava != 0 && b&liver != 0 && w.mean9(o) > w.liverHU+leastEdgeHU:
			out.Bits[o] &^= liver // blood: what has the liver's value may be caudate lobe
		}
	}
	return ctx.Err()
}

// closedLiver says which voxels of the box a closing of the liver without the
// vena cava reaches.
func (w *work) closedLiver(ctx context.Context, box imaging.Box, liver, cava uint32) (func(i, j, k int) bool, error) {
	full := w.out.Grid
	wide := box.Grow(full, mouthMM).Clip(full)
	g, h, size := full.Crop(wide), full.SpacingMM(), wide.Size()
	var step [3]int
	for a := range step {
		step[a] = max(1, int(mouthStepMM/h[a]+0.5))
		g.Size[a] = (size[a] + step[a] - 1) / step[a]
	}
	for a, s := range step {
		g.Axes[a] = r3.Scale(float64(s), g.Axes[a])
	}
	m := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		b := w.out.Bits[full.Index(wide.Lo[0]+i*step[0], wide.Lo[1]+j*step[1], wide.Lo[2]+k*step[2])]
		return b&liver != 0 && b&cava == 0
	})
	m, err := filter.Dilate(ctx, g, m, mouthMM)
	if err != nil {
		return nil, err
	}
	if m, err = filter.Erode(ctx, g, m, mouthMM); err != nil {
		return nil, err
	}
	return func(i, j, k int) bool {
		return m[g.Index((i+box.Lo[0]-wide.Lo[0])/step[0], (j+box.Lo[1]-wide.Lo[1])/step[1], (k+box.Lo[2]-wide.Lo[2])/step[2])]
	}, nil
}

// mouthHU is halfway between the liver and the blood of the vena cava in each
// slice of the crop; without a vena cava in it, as in the slice below.
func (w *work) mouthHU(g imaging.Grid, at func(n int) int, bits []uint32, cava uint32) []float64 {
	low := make([]float64, g.Size[2])
	area := g.Size[0] * g.Size[1]
	for k := range low {
		sum, count := 0.0, 0.0
		for n := k * area; n < (k+1)*area; n++ {
			if bits[n]&cava != 0 {
				sum, count = sum+w.hu(at(n)), count+1
			}
		}
		low[k] = w.liverHU + 2*leastEdgeHU
		if count > 0 {
			low[k] = w.liverHU + max(leastEdgeHU, (sum/count-w.liverHU)/2)
		} else if k > 0 {
			low[k] = low[k-1]
		}
	}
	return low
}
