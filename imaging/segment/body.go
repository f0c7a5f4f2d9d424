package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// body is the patient at working resolution, lungs and bowel gas included:
// what is denser than air, opened to drop the couch and clothes, the largest
// piece, each slice filled.
func (w *work) findBody(ctx context.Context) error {
	r, g := w.r, w.c.Grid
	dense := filter.Where(g.Len(), func(n int) bool { return w.c.HU[n] > float32(r.BodyAboveHU) })
	dense = filter.FillSlices(g, dense)
	core, err := filter.Erode(ctx, g, dense, r.BodyOpenMM)
	if err != nil {
		return err
	}
	core = filter.LargestOf(g, core)
	grown, err := filter.Dilate(ctx, g, core, r.BodyOpenMM+w.stepMM())
	if err != nil {
		return err
	}
	m := filter.Where(g.Len(), func(n int) bool { return grown[n] && dense[n] })
	w.body = filter.FillSlices(g, filter.LargestOf(g, m))
	if w.body.Count() == 0 {
		return &EmptyLabelError{imaging.LabelBody, "no voxel is denser than air: is this a CT in HU?"}
	}
	return nil
}

// findBone keeps what is brighter than soft tissue within reach of cortical
// bone, so that contrast-filled vessels, bright but nowhere as bright, stay
// out; then fills the marrow slice by slice.
func (w *work) findBone(ctx context.Context) error {
	r, g := w.r, w.c.Grid
	core := filter.Where(g.Len(), func(n int) bool { return w.body[n] && w.c.HU[n] > float32(r.BoneCoreHU) })
	near, err := filter.Dilate(ctx, g, core, r.BoneReachMM)
	if err != nil {
		return err
	}
	m := filter.Where(g.Len(), func(n int) bool { return near[n] && w.body[n] && w.c.HU[n] > float32(r.BoneAboveHU) })
	p := filter.Components(g, m)
	least := r.BoneMinML * 1000 / g.VoxelMM3()
	m = p.Only(func(c int32) bool { return float64(p.Count[c]) >= least })
	closed, err := filter.Dilate(ctx, g, m, r.BoneReachMM/2)
	if err != nil {
		return err
	}
	closed = filter.FillSlices(g, closed)
	if closed, err = filter.Erode(ctx, g, closed, r.BoneReachMM/2); err != nil {
		return err
	}
	w.bone = filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && w.c.HU[n] > float32(r.BoneAboveHU/2) && w.body[n] })
	return nil
}
