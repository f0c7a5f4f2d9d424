package segment

import (
	"context"

	"halsted/imaging"
)

// body is the patient at working resolution, lungs and bowel gas included:
// what is denser than air, opened to drop the couch and clothes, the largest
// piece, each slice filled.
func (w *work) findBody(ctx context.Context) error {
	r, g := w.r, w.c.g
	dense := where(g.Len(), func(n int) bool { return w.c.hu[n] > float32(r.BodyAboveHU) })
	dense = fillSlices(g, dense)
	core, err := erode(ctx, g, dense, r.BodyOpenMM)
	if err != nil {
		return err
	}
	core = largestOf(g, core)
	grown, err := dilate(ctx, g, core, r.BodyOpenMM+w.stepMM())
	if err != nil {
		return err
	}
	m := where(g.Len(), func(n int) bool { return grown[n] && dense[n] })
	w.body = fillSlices(g, largestOf(g, m))
	if w.body.count() == 0 {
		return &EmptyLabelError{imaging.LabelBody, "no voxel is denser than air: is this a CT in HU?"}
	}
	return nil
}

// findBone keeps what is brighter than soft tissue within reach of cortical
// bone, so that contrast-filled vessels, bright but nowhere as bright, stay
// out; then fills the marrow slice by slice.
func (w *work) findBone(ctx context.Context) error {
	r, g := w.r, w.c.g
	core := where(g.Len(), func(n int) bool { return w.body[n] && w.c.hu[n] > float32(r.BoneCoreHU) })
	near, err := dilate(ctx, g, core, r.BoneReachMM)
	if err != nil {
		return err
	}
	m := where(g.Len(), func(n int) bool { return near[n] && w.body[n] && w.c.hu[n] > float32(r.BoneAboveHU) })
	p := components(g, m)
	least := r.BoneMinML * 1000 / g.VoxelMM3()
	m = p.only(func(c int32) bool { return float64(p.count[c]) >= least })
	closed, err := dilate(ctx, g, m, r.BoneReachMM/2)
	if err != nil {
		return err
	}
	closed = fillSlices(g, closed)
	if closed, err = erode(ctx, g, closed, r.BoneReachMM/2); err != nil {
		return err
	}
	w.bone = where(g.Len(), func(n int) bool { return m[n] || closed[n] && w.c.hu[n] > float32(r.BoneAboveHU/2) && w.body[n] })
	return nil
}
