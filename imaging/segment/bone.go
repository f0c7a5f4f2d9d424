package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// boneSettings are the numbers of the bone step.
type boneSettings struct {
	AboveHU float64 // HU
	CoreHU  float64 // HU
	ReachMM float64 // mm
	MinML   float64 // ml
}

func boneOperation() operation {
	return define(operation{
		name: "bone", share: 0.1, needs: []imaging.Label{imaging.LabelBody}, gives: []imaging.Label{imaging.LabelBone},
		doc: "bright tissue within reach of cortical bone, marrow filled",
	}, []parameter[boneSettings]{
		{Parameter{"AboveHU", "HU", 80, 500, "bone"}, func(s *boneSettings) *float64 { return &s.AboveHU }},
		{Parameter{"CoreHU", "HU", 150, 1500, "cortical bone: brighter than contrast-filled vessels"}, func(s *boneSettings) *float64 { return &s.CoreHU }},
		{Parameter{"ReachMM", "mm", 1, 30, "how far bone goes from its core; marrow up to this wide is filled"}, func(s *boneSettings) *float64 { return &s.ReachMM }},
		{Parameter{"MinML", "ml", 0.01, 50, "smaller pieces are calcifications or contrast"}, func(s *boneSettings) *float64 { return &s.MinML }},
	}, func(s boneSettings) error {
		if s.AboveHU > s.CoreHU {
			return fmt.Errorf("AboveHU %g is above CoreHU %g", s.AboveHU, s.CoreHU)
		}
		return nil
	}, findBone)
}

// findBone keeps what is brighter than soft tissue within reach of cortical
// bone, so that contrast-filled vessels, bright but nowhere as bright, stay
// out; then fills the marrow slice by slice.
func findBone(ctx context.Context, w *work, s boneSettings) error {
	g := w.c.Grid
	core := filter.Where(g.Len(), func(n int) bool { return w.body[n] && w.c.HU[n] > float32(s.CoreHU) })
	near, err := filter.Dilate(ctx, g, core, s.ReachMM)
	if err != nil {
		return err
	}
	m := filter.Where(g.Len(), func(n int) bool { return near[n] && w.body[n] && w.c.HU[n] > float32(s.AboveHU) })
	p := filter.Components(g, m)
	least := s.MinML * 1000 / g.VoxelMM3()
	m = p.Only(func(c int32) bool { return float64(p.Count[c]) >= least })
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
	err = w.paint(ctx, w.out, imaging.LabelBone, w.bone, 0, func(phi float32, n int) bool {
		return phi < -bandMM || phi < bandMM && w.mean9(n) > s.AboveHU
	})
	if err != nil {
		return err
	}
	w.found(imaging.LabelBone, Automatic, 1)
	return w.show("bone", g, w.bone)
}
