package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// boneSettings are the numbers of the bone step.
type boneSettings struct {
	AboveHU float64 // HU
	LeastHU float64 // HU
	Astray  float64 // 0 to 1
	CoreHU  float64 // HU
	EdgeHU  float64 // HU
	Cortex  float64 // 0 to 1
	ReachMM float64 // mm
	MinML   float64 // ml
	GapMM2  float64 // mm²
}

func boneOperation() operation {
	return define(operation{
		name: "bone", share: 0.1, needs: []imaging.Label{imaging.LabelBody}, gives: []imaging.Label{imaging.LabelBone},
		doc: "bright tissue within reach of cortical bone, marrow filled",
	}, []parameter[boneSettings]{
		{Parameter{"AboveHU", "HU", 80, 500, "bone, trabeculae and marrow together"}, func(s *boneSettings) *float64 { return &s.AboveHU }},
		{Parameter{"LeastHU", "HU", 80, 500, "AboveHU, EdgeHU and CoreHU go down together, AboveHU at most to this, while bone is the brightest tissue of the scan"}, func(s *boneSettings) *float64 { return &s.LeastHU }},
		{Parameter{"Astray", "1", 0, 1, "that is while at most this part of what is brighter lies out of reach of its core"}, func(s *boneSettings) *float64 { return &s.Astray }},
		{Parameter{"EdgeHU", "HU", 80, 500, "outline: half height between soft tissue and thin cortical bone as a scanner shows it"}, func(s *boneSettings) *float64 { return &s.EdgeHU }},
		{Parameter{"CoreHU", "HU", 150, 1500, "cortical bone: brighter than contrast-filled vessels"}, func(s *boneSettings) *float64 { return &s.CoreHU }},
		{Parameter{"Cortex", "1", 0, 1, "at least this part of what is brighter than AboveHU around cortical bone, and half as much again in a whole piece, is brighter than CoreHU; in a kidney full of contrast only what noise and calyces raise is"}, func(s *boneSettings) *float64 { return &s.Cortex }},
		{Parameter{"ReachMM", "mm", 1, 30, "how far bone goes from its core; marrow up to this wide is filled"}, func(s *boneSettings) *float64 { return &s.ReachMM }},
		{Parameter{"MinML", "ml", 0.01, 50, "smaller pieces are calcifications or contrast"}, func(s *boneSettings) *float64 { return &s.MinML }},
		{Parameter{"GapMM2", "mm²", 1, 1000, "holes in a slice as small as this count as bone whatever their density; the spinal canal has 200 to 500"}, func(s *boneSettings) *float64 { return &s.GapMM2 }},
	}, func(s boneSettings) error {
		if s.LeastHU > s.AboveHU || s.AboveHU > s.EdgeHU || s.EdgeHU > s.CoreHU {
			return fmt.Errorf("LeastHU %g, AboveHU %g, EdgeHU %g and CoreHU %g must rise in this order", s.LeastHU, s.AboveHU, s.EdgeHU, s.CoreHU)
		}
		return nil
	}, findBone)
}

// findBone keeps what is brighter than soft tissue within reach of cortical
// bone, so that contrast-filled vessels and kidneys, bright but not as bright or
// only here and there, stay out; then fills the marrow slice by slice.
func findBone(ctx context.Context, w *work, s boneSettings) error {
	g := w.c.Grid
	core, err := s.core(ctx, w)
	if err != nil {
		return err
	}
	near, err := filter.Dilate(ctx, g, core, s.ReachMM)
	if err != nil {
		return err
	}
	if lower := s.lower(w, near); lower > 0 {
		s.AboveHU -= lower
		s.EdgeHU -= lower
		s.CoreHU -= lower
		if core, err = s.core(ctx, w); err != nil {
			return err
		}
		if near, err = filter.Dilate(ctx, g, core, s.ReachMM); err != nil {
			return err
		}
	}
	m := filter.Where(g.Len(), func(n int) bool { return near[n] && w.body[n] && w.c.HU[n] > float32(s.AboveHU) })
	p := filter.Components(g, m)
	cortex := make([]int, len(p.Count))
	for n, c := range p.Of {
		if core[n] {
			cortex[c]++
		}
	}
	least := s.MinML * 1000 / g.VoxelMM3()
	m = p.Only(func(c int32) bool {
		return float64(p.Count[c]) >= least && float64(cortex[c]) >= 1.5*s.Cortex*float64(p.Count[c])
	})
	closed, err := filter.Dilate(ctx, g, m, s.ReachMM/2)
	if err != nil {
		return err
	}
	closed = filter.FillSlices(g, closed)
	if closed, err = filter.Erode(ctx, g, closed, s.ReachMM/2); err != nil {
		return err
	}
	w.bone = filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && w.c.HU[n] > float32(s.AboveHU/2) && w.body[n] })
	if w.bone.Count() == 0 {
		return &NotFoundError{imaging.LabelBone, fmt.Sprintf("no piece of %.2f ml is denser than %.0f HU", s.MinML, s.CoreHU)}
	}
	// the outline is where the median of 3×3 small voxels, which keeps edges and
	// drops noise, crosses EdgeHU; inside, marrow is let go only where it is as thin
	// as soft tissue
	err = w.paint(ctx, w.out, imaging.LabelBone, w.bone, 0, func(phi float32, n int) bool {
		if phi > 2*bandMM {
			return false
		}
		v := w.quiet(n)
		return v > s.EdgeHU || phi < -bandMM && v > s.AboveHU/2
	})
	if err != nil {
		return err
	}
	if err := w.fillMarrow(ctx, s.AboveHU/2, s.GapMM2); err != nil {
		return err
	}
	w.found(imaging.LabelBone, Automatic, 1)
	return w.show("bone", g, w.bone)
}

// marrowMM2 is more than the marrow of a vertebra in one slice; a ring of ribs or
// the pelvis holds more, and no bone.
const marrowMM2 = 2500.0

// fillMarrow closes what bone surrounds within a slice of the full grid, when
// it is as small as a gap between trabeculae or denser than the spinal canal,
// which holds cord and fluid: marrow with its trabeculae is, and is bone; fatty
// marrow lies in gaps.
func (w *work) fillMarrow(ctx context.Context, aboveHU, gapMM2 float64) error {
	g, bit := w.v.Grid, w.out.Bit(imaging.LabelBone)
	h := g.SpacingMM()
	gap, most := int(gapMM2/(h[0]*h[1])), int(marrowMM2/(h[0]*h[1]))
	area := g.Size[0] * g.Size[1]
	slice := g
	slice.Size[2] = 1
	return par.ChunksCtx(ctx, g.Size[2], 1, func(k0, k1 int) error {
		for k := k0; k < k1; k++ {
			bits := w.out.Bits[k*area : (k+1)*area]
			box := boundsOf(&imaging.Segments{Grid: slice, Bits: bits}, bit)
			if box.Empty() {
				continue
			}
			sub := slice.Crop(box)
			nx := sub.Size[0]
			row := func(j int) int { return box.Lo[0] + (j+box.Lo[1])*g.Size[0] }
			open := make(filter.Mask, sub.Len())
			for j := range sub.Size[1] {
				for i, b := range bits[row(j):][:nx] {
					open[j*nx+i] = b&bit == 0
				}
			}
			p := filter.Components(sub, open)
			sum, out := make([]float64, len(p.Count)), make([]bool, len(p.Count))
			for j := range sub.Size[1] {
				for i, c := range p.Of[j*nx:][:nx] {
					if c == 0 {
						continue
					}
					out[c] = out[c] || i == 0 || j == 0 || i == nx-1 || j == sub.Size[1]-1
					if !out[c] {
						sum[c] += w.hu(k*area + row(j) + i)
					}
				}
			}
			for j := range sub.Size[1] {
				for i, c := range p.Of[j*nx:][:nx] {
					if c > 0 && !out[c] && (p.Count[c] <= gap || p.Count[c] <= most && sum[c] > aboveHU*float64(p.Count[c])) {
						bits[row(j)+i] |= bit
					}
				}
			}
		}
		return nil
	})
}

// median9 is the median of the 3×3 voxels around n in its slice, cut off at the
// border.
func (w *work) median9(n int) float64 {
	g := w.v.Grid
	i, j, _ := g.IJK(n)
	var x [9]int16
	c := 0
	for y := max(0, j-1); y <= min(g.Size[1]-1, j+1); y++ {
		for a := max(0, i-1); a <= min(g.Size[0]-1, i+1); a++ {
			v := w.v.Data[n+(a-i)+(y-j)*g.Size[0]]
			at := c
			for ; at > 0 && x[at-1] > v; at-- {
				x[at] = x[at-1]
			}
			x[at] = v
			c++
		}
	}
	return w.v.Slope*float64(x[c/2]) + w.v.Intercept
}
