package segment

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/internal/par"
)

// Run segments a CT by the recipe. The structures of the result are body, bone,
// liver (the whole organ: parenchyma, tumours and vessels inside), portal vein,
// hepatic vein, vessel (system unknown), and one per tumour; vessels and
// tumours lie inside the liver. Bits are in the voxel order of v.
//
// progress, if not nil, is called with values rising to 1. Run stops within
// 200 ms of ctx being done. It returns *EmptyLabelError when body, liver or a
// seeded tumour is not found.
func Run(ctx context.Context, v *imaging.Volume, r Recipe, progress func(done float64)) (*imaging.Segments, *Report, error) {
	if err := v.Validate(); err != nil {
		return nil, nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	if progress == nil {
		progress = func(float64) {}
	}
	order := v.Grid.Canonical()
	w := &work{r: r.Resolved(), v: reordered(v, order)}
	w.rep = &Report{Recipe: w.r}
	for n, s := range w.r.Seeds {
		i, j, k := v.Grid.Voxel(s.LPS)
		for a, x := range [3]float64{i, j, k} {
			if x < -0.5 || x > float64(v.Grid.Size[a])-0.5 {
				return nil, nil, fmt.Errorf("segment: seed %d (%v) lies outside the volume", n+1, s.Label)
			}
		}
	}
	if v.Kind != imaging.KindHU {
		w.rep.note("the volume is not marked as HU; its values were used as if it were")
	}
	var tumours []tumour
	steps := []struct {
		part float64
		do   func(context.Context) error
	}{
		{0.15, w.prepare},
		{0.30, w.findBody},
		{0.40, w.findBone},
		{0.60, w.findLiver},
		{0.70, func(ctx context.Context) (err error) { tumours, err = w.findTumours(ctx); return err }},
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return nil, nil, err
		}
		progress(s.part)
	}
	of := []imaging.Label{imaging.LabelBody, imaging.LabelBone, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel}
	for _, t := range tumours {
		of = append(of, t.label)
	}
	out := imaging.NewSegments(w.v.Grid, of...)
	if err := w.paintAll(ctx, out, tumours); err != nil {
		return nil, nil, err
	}
	progress(0.8)
	vs, err := w.findVessels(ctx, out)
	if err != nil {
		return nil, nil, err
	}
	if err := vs.paint(ctx, out); err != nil {
		return nil, nil, err
	}
	progress(0.95)
	if err := w.report(ctx, out, tumours, vs); err != nil {
		return nil, nil, err
	}
	if !order.Identity() {
		back, _, _ := out.Grid.Onto(v.Grid, 1e-6)
		at := back.Index(out.Grid)
		moved := make([]uint32, len(out.Bits))
		for n := range moved {
			moved[n] = out.Bits[at(n)]
		}
		out.Bits = moved
	}
	out.Grid = v.Grid
	progress(1)
	return out, w.rep, ctx.Err()
}

// reordered is v with its axes in the order o; v itself when nothing changes.
func reordered(v *imaging.Volume, o imaging.Reorder) *imaging.Volume {
	if o.Identity() {
		return v
	}
	out := *v
	out.Grid = o.Grid(v.Grid)
	out.Data = make([]int16, len(v.Data))
	at := o.Index(v.Grid)
	for n := range out.Data {
		out.Data[n] = v.Data[at(n)]
	}
	return &out
}

// prepare makes the working image.
func (w *work) prepare(ctx context.Context) (err error) {
	if w.c, err = filter.Reduce(ctx, w.v, w.r.WorkMM); err != nil {
		return err
	}
	w.smooth, err = filter.Guided(ctx, w.c.Grid, w.c.HU, filter.Radius(w.c.Grid, w.r.SmoothMM), w.r.SmoothHU)
	return err
}

// bandMM is the half-width of the band around a coarse outline in which the
// full-resolution values decide.
const bandMM = 1.5

// outwardMM is how far the liver may go beyond its coarse outline. That lies
// inside the true one, as voxels that are half fat fall out of the window; a
// wider band would take in the muscle that the liver leans on.
const outwardMM = 1

// paintAll paints every structure but the vessels into the full grid.
func (w *work) paintAll(ctx context.Context, out *imaging.Segments, tumours []tumour) error {
	r := w.r
	err := w.paint(ctx, out, imaging.LabelBody, w.body, 0, func(phi float32, n int) bool {
		return phi < -2*bandMM || phi < 2*bandMM && w.hu(n) > r.BodyAboveHU
	})
	if err != nil {
		return err
	}
	err = w.paint(ctx, out, imaging.LabelBone, w.bone, 0, func(phi float32, n int) bool {
		return phi < -bandMM || phi < bandMM && w.mean9(n) > r.BoneAboveHU
	})
	if err != nil {
		return err
	}

	edge := (w.liverHU + fatHU) / 2
	err = w.paint(ctx, out, imaging.LabelLiver, w.liver, r.LiverFairMM, func(phi float32, n int) bool {
		return phi < -bandMM || phi < outwardMM && w.mean9(n) > edge
	})
	if err != nil {
		return err
	}
	liver := out.Bit(imaging.LabelLiver)
	for _, t := range tumours {
		err := w.paint(ctx, out, t.label, t.m, r.LiverFairMM/2, func(phi float32, n int) bool {
			return phi < 0 && out.Bits[n]&liver != 0
		})
		if err != nil {
			return err
		}
	}
	bone := out.Bit(imaging.LabelBone)
	return par.ChunksCtx(ctx, len(out.Bits), 1<<18, func(lo, hi int) error {
		for n, b := range out.Bits[lo:hi] {
			if b&liver != 0 {
				out.Bits[lo+n] = b &^ bone // calcified tumour
			}
		}
		return nil
	})
}

// paint puts the vessels into the full grid.
func (v *vessels) paint(ctx context.Context, out *imaging.Segments) error {
	liver, box := out.Bit(imaging.LabelLiver), v.box
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel} {
		part := imaging.NewSegments(v.w.v.Grid, l)
		m := filter.Where(len(v.system), func(n int) bool { return v.system[n] == l })
		if err := v.w.paint(ctx, part, l, m, 0, func(phi float32, n int) bool { return phi < 0 }); err != nil {
			return err
		}
		bit, g := out.Bit(l), part.Grid
		for n, b := range part.Bits {
			if b != 0 {
				i, j, k := g.IJK(n)
				if at := out.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]); out.Bits[at]&liver != 0 {
					out.Bits[at] |= bit
				}
			}
		}
	}
	return ctx.Err()
}

// report fills in volumes, mean values and origins.
func (w *work) report(ctx context.Context, out *imaging.Segments, tumours []tumour, vs *vessels) error {
	w.rep.LiverHU, w.rep.LiverSD = w.liverHU, w.liverSD
	type tally struct {
		count [32]int
		sum   [32]int64 // of stored samples: exact in any order
	}
	const size = 1 << 18
	part := make([]tally, (len(out.Bits)+size-1)/size)
	err := par.ChunksCtx(ctx, len(out.Bits), size, func(lo, hi int) error {
		t := &part[lo/size]
		for n, b := range out.Bits[lo:hi] {
			for ; b != 0; b &= b - 1 {
				s := bits.TrailingZeros32(b)
				t.count[s]++
				t.sum[s] += int64(w.v.Data[lo+n])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for s, l := range out.Of {
		o := Automatic
		switch {
		case l == imaging.LabelLiver && len(w.seeds(l)) > 0:
			o = FromSeed
		case l.IsTumour():
			i := slices.IndexFunc(tumours, func(t tumour) bool { return t.label == l })
			o = tumours[i].origin
		case vs.origin[l] != "":
			o = vs.origin[l]
		}
		count, sum := 0, int64(0)
		for p := range part {
			count += part[p].count[s]
			sum += part[p].sum[s]
		}
		st := Structure{Label: l, VolumeML: float64(count) * out.Grid.VoxelMM3() / 1000, Origin: o}
		if count > 0 {
			st.MeanHU = w.v.Slope*(float64(sum)/float64(count)) + w.v.Intercept
		}
		w.rep.Structures = append(w.rep.Structures, st)
	}
	return nil
}
