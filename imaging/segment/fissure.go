package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// fissureSettings are the numbers of the fissures step.
type fissureSettings struct {
	WorkMM  float64 // mm
	WallMM  float64 // mm
	BedMM   float64 // mm
	AlongMM float64 // mm
	LocalMM float64 // mm
	FatPart float64 // 0 to 1
}

func fissureOperation() operation {
	return define(operation{
		name: "fissures", share: 0.05, needs: []imaging.Label{imaging.LabelLiver, imaging.LabelVessel},
		doc: "vessels of the liver that lie in the fat of the hilum or of a fissure, and not in parenchyma, leave the liver and stay what they are",
	}, []parameter[fissureSettings]{
		{Parameter{"WorkMM", "mm", 0.4, 4, "voxel size"}, func(s *fissureSettings) *float64 { return &s.WorkMM }},
		{Parameter{"WallMM", "mm", 0, 4, "so far from a vessel lie its wall and partial volume, which tell nothing"}, func(s *fissureSettings) *float64 { return &s.WallMM }},
		{Parameter{"BedMM", "mm", 1, 10, "and so far what it is bedded in"}, func(s *fissureSettings) *float64 { return &s.BedMM }},
		{Parameter{"AlongMM", "mm", 2, 30, "radius of the box whose bed counts for a place of a vessel: about the width of a portal trunk"}, func(s *fissureSettings) *float64 { return &s.AlongMM }},
		{Parameter{"LocalMM", "mm", 5, 60, "radius of the box whose parenchyma the bed is compared with; it is taken twice"}, func(s *fissureSettings) *float64 { return &s.LocalMM }},
		{Parameter{"FatPart", "1", 0, 1, "a vessel whose bed has more than this part of fat, by its mean between parenchyma and fat, lies in a fissure"}, func(s *fissureSettings) *float64 { return &s.FatPart }},
	}, nil, leaveFissures)
}

// leaveFissures takes the vessels in fissures out of the liver: the trunk of the
// portal vein and its umbilical portion run in the fat of the hilum and of the
// fissure of the round ligament, outside the parenchyma. How much fat a bed holds is read from its mean value, on which
// noise has no effect; a bed of parenchyma alone has about none.
func leaveFissures(ctx context.Context, w *work, s fissureSettings) error {
	out := w.out
	liver, vessel := out.Bit(imaging.LabelLiver), uint32(0)
	for _, l := range [...]imaging.Label{imaging.LabelVessel, imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		vessel |= out.Bit(l)
	}
	not := vessel | out.Bit(imaging.LabelVenaCava) // no bed
	for _, l := range out.Of {
		if l.IsTumour() {
			not |= out.Bit(l)
		}
	}
	box := boundsOf(out, vessel)
	if box.Empty() {
		return ctx.Err()
	}
	box = box.Grow(out.Grid, s.AlongMM+s.BedMM).Clip(out.Grid)
	c, err := filter.Reduce(ctx, w.v.Crop(box), s.WorkMM)
	if err != nil {
		return err
	}
	g := c.Grid
	bits := sampled(out, box, g, c.Block)
	away, err := distance.Unsigned(ctx, g, func(n int) bool { return bits[n]&vessel != 0 })
	if err != nil {
		return err
	}
	around, err := w.parenchymaAround(ctx, not, s.LocalMM)
	if err != nil {
		return err
	}
	fat, bed := make([]float32, g.Len()), make([]float32, g.Len())
	span := float32(w.liverHU - besideHU)
	for n := range bed {
		if bits[n]&not != 0 || away[n] <= float32(s.WallMM) || away[n] > float32(s.BedMM) {
			continue
		}
		i, j, k := g.IJK(n)
		o, ok := w.voxel(g.Point(float64(i), float64(j), float64(k)))
		if !ok {
			continue
		}
		bed[n] = 1
		fat[n] = min(max((around[o]-c.HU[n])/span, -1), 1)
	}
	r := filter.Radius(g, s.AlongMM)
	if fat, err = filter.BoxMean(ctx, g, fat, r); err != nil {
		return err
	}
	if bed, err = filter.BoxMean(ctx, g, bed, r); err != nil {
		return err
	}
	in := filter.Where(g.Len(), func(n int) bool { return fat[n] > float32(s.FatPart)*bed[n] })
	if err := w.show("vessels in fissures", g, filter.Where(g.Len(), func(n int) bool { return in[n] && bits[n]&vessel != 0 })); err != nil {
		return err
	}
	before := out.VolumeMM3(imaging.LabelLiver)
	err = eachIn(ctx, out.Grid, box, c, func(n, o int) {
		if in[o] && out.Bits[n]&vessel != 0 {
			out.Bits[n] &^= liver
		}
	})
	if err != nil {
		return err
	}
	if left := before - out.VolumeMM3(imaging.LabelLiver); left > 0 {
		w.rep.note("%.1f ml of vessels lie in the fat of the hilum and of fissures and are no part of the liver", left/1000)
	}
	return ctx.Err()
}

// parenchymaAround is the value of the liver around each voxel of the working
// grid: the mean over two boxes of mm around it of what lies in the liver, has no
// bit of not and is not far from the liver's value.
func (w *work) parenchymaAround(ctx context.Context, not uint32, mm float64) ([]float32, error) {
	g := w.c.Grid
	bits := sampled(w.out, w.out.Grid.Box(), g, w.c.Block)
	liver := w.out.Bit(imaging.LabelLiver)
	far := float32(w.liverHU-besideHU) / 3
	even := filter.Where(g.Len(), func(n int) bool {
		x := w.c.HU[n] - float32(w.liverHU)
		return bits[n]&liver != 0 && bits[n]&not == 0 && x < far && x > -far
	})
	return meanOver(ctx, g, w.c.HU, even, filter.Radius(g, mm), w.liverHU)
}
