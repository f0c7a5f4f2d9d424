package liver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/planner"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// borders is what the image says of the borders of organ and tumours, and of
// their errors (uncertainty.Border). Without an image, and for what the image
// does not show, borders are known to half a voxel.
type borders struct {
	organ   *uncertainty.Border   // nil: not measured
	tumours []*uncertainty.Border // by tumour; nil: not measured
	layerML []float64             // by block of the organ: volume between mask and border
	layer   float64               // their sum
	piece   []int32               // of the organ's border: the block that each lies in, or −1
	why     []string              // what was not measured
}

// apartMM is how far levels and noise are read from other structures.
const apartMM = 4.0

// measureBorders measures what it can and says what it cannot.
func (a *Anatomy) measureBorders(ctx context.Context, b *blocks, v *imaging.Volume) (*borders, error) {
	out := &borders{tumours: make([]*uncertainty.Border, len(a.Tumours))}
	im, err := uncertainty.PrepareImage(ctx, v, a.Grid)
	if err != nil {
		return out.lacks(ctx, "all of them", err)
	}
	is := func(f func(imaging.Label) bool) filter.Mask {
		return im.Mask(func(n int) bool { return f(a.Labels.ID[n]) })
	}
	organShare := im.Share(func(n int) bool { return a.Labels.ID[n].InOrgan() })
	organ := make(filter.Mask, len(organShare))
	for n, s := range organShare {
		organ[n] = s >= 0.5
	}
	phi, err := distance.Signed(ctx, im.Grid, func(n int) bool { return organ[n] })
	if err != nil {
		return out.lacks(ctx, "the organ", err)
	}
	wide := func(m filter.Mask) (filter.Mask, error) {
		if m.Count() == 0 {
			return m, nil
		}
		return filter.Dilate(ctx, im.Grid, m, apartMM)
	}
	tumours, err := wide(is(imaging.Label.IsTumour))
	if err != nil {
		return nil, err
	}
	vessels, err := wide(is(imaging.Label.IsVessel))
	if err != nil {
		return nil, err
	}
	shallow := func(n int) bool { return phi[n] >= -apartMM }
	scan, err := im.Noise(ctx, func(n int) bool { return !shallow(n) && !tumours[n] && !vessels[n] })
	if err != nil {
		return out.lacks(ctx, "noise", err)
	}
	blur := 0.0
	out.organ, err = scan.FineBorder(ctx, func(n int) bool { return organ[n] }, func(n int) bool { return tumours[n] || vessels[n] }, 0)
	if err != nil {
		if out, err = out.lacks(ctx, "the organ", err); err != nil {
			return nil, err
		}
	} else {
		blur = out.organ.BlurMM
		out.place(b, im, organ, organShare)
	}
	for k := range a.Tumours {
		l := a.Tumours[k].Label
		own := is(func(o imaging.Label) bool { return o == l })
		rest, err := wide(is(func(o imaging.Label) bool { return o.IsTumour() && o != l }))
		if err != nil {
			return nil, err
		}
		out.tumours[k], err = scan.Border(ctx, func(n int) bool { return own[n] }, func(n int) bool { return vessels[n] || rest[n] || shallow(n) }, blur)
		if err != nil {
			if out, err = out.lacks(ctx, l.String(), err); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// lacks notes what was not measured.
func (o *borders) lacks(ctx context.Context, what string, why error) (*borders, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	_, thin := errors.AsType[*uncertainty.ThinError](why)
	_, apart := errors.AsType[*uncertainty.ApartError](why)
	_, image := errors.AsType[*uncertainty.ImageError](why)
	if !thin && !apart && !image && !errors.Is(why, distance.ErrEmptySet) && !errors.Is(why, distance.ErrNoBoundary) {
		return nil, why
	}
	o.why = append(o.why, fmt.Sprintf("%s (%v)", what, why))
	return o, nil
}

// place shares the organ's border out to the blocks.
func (o *borders) place(b *blocks, im *uncertainty.Image, mask filter.Mask, share []float32) {
	o.layerML = make([]float64, len(b.vox))
	add := func(at r3.Vec, mm3 float64) {
		if v := b.nearest(at); v >= 0 {
			o.layerML[v] += mm3 / 1000
			o.layer += mm3 / 1000
		}
	}
	o.organ.Layers(add)
	im.Fraction(mask, share, add)
	for _, p := range o.organ.PieceAt() {
		o.piece = append(o.piece, b.nearest(p))
	}
}

// nearest is the block nearest to p, among those around the place it lies in;
// −1 when there is none.
func (b *blocks) nearest(p r3.Vec) int32 {
	if v := b.find(p); v >= 0 {
		return v
	}
	x, y, z := b.grid.Voxel(p)
	c := [3]int{int(math.Floor(x + 0.5)), int(math.Floor(y + 0.5)), int(math.Floor(z + 0.5))}
	best, at := math.Inf(1), int32(-1)
	for reach := 1; reach <= 2 && at < 0; reach++ {
		for k := c[2] - reach; k <= c[2]+reach; k++ {
			for j := c[1] - reach; j <= c[1]+reach; j++ {
				for i := c[0] - reach; i <= c[0]+reach; i++ {
					if !b.grid.Contains(i, j, k) {
						continue
					}
					if v := b.at[b.grid.Index(i, j, k)]; v >= 0 {
						if d := r3.Norm2(r3.Sub(b.centre[v], p)); d < best {
							best, at = d, v
						}
					}
				}
			}
		}
	}
	return at
}

// measured reports whether the borders of the organ and of all tumours are.
func (o *borders) measured() (organ, tumours bool) {
	if o == nil {
		return false, false
	}
	tumours = true
	for _, t := range o.tumours {
		tumours = tumours && t != nil
	}
	return o.organ != nil, tumours
}

// flags tell what the spread of borders rests on.
func (o *borders) flags(given bool) []planner.Flag {
	touches := []string{"flr_percent", "flr_functional_percent", "flr_standardised_percent", "flr_of_total_percent", "remnant_ml", "remnant_body_weight_percent",
		"resected_ml", "tumour_ml", "margin_mm", "margin_parenchyma_mm", "margin_vessel_mm"}
	switch {
	case !given:
		return []planner.Flag{{ID: "border_not_measured", Text: "No image was given: the errors of borders were not measured and are taken as half a voxel (standard deviation).", Touches: touches}}
	case len(o.why) > 0:
		text := "The error of these borders could not be measured and is taken as half a voxel (standard deviation): "
		for n, w := range o.why {
			if n > 0 {
				text += "; "
			}
			text += w
		}
		return []planner.Flag{{ID: "border_not_measured", Text: text + ".", Touches: touches}}
	case o.organ.SeenShare < 0.5:
		return []planner.Flag{{ID: "border_not_seen", Text: fmt.Sprintf("The image shows a step at %.0f %% of the organ's border; elsewhere its error is taken as half a voxel (standard deviation).", 100*o.organ.SeenShare), Touches: touches}}
	}
	return nil
}

// contact is a place where a margin is measured.
type contact struct {
	mm     float64 // from the tumour's border: as the image shows it, else as the mask does
	tumour int32
	point  int32 // of the border's Smooth; −1: the mask
	vessel bool  // along a major vessel
}

const (
	// contactReachMM is how much further than the least a place may be for an error
	// of the border to make it the least.
	contactReachMM = 4.0
	// strayMM is how far the measured border may lie from the mask's.
	strayMM = 4.0
)

// contacts lists the places of the cut where the margin may be.
func (a *Anatomy) contacts(c *cutaway, bo *borders) []contact {
	var out []contact
	c.visit = func(p r3.Vec) {
		if c.t.near.beyond(p, max(c.vesselMM, c.parenchymaMM)+contactReachMM) {
			return
		}
		beside := c.t.near.beside(p)
		least := c.parenchymaMM
		if beside {
			least = c.vesselMM
		}
		for k := range a.Tumours {
			mm, ok := c.t.near.to(k, p)
			if !ok || mm > least+contactReachMM || mm > nearMM {
				continue
			}
			q := contact{mm, int32(k), -1, beside}
			if b := bo.tumours[k]; b != nil {
				if n, ok := b.Nearest(p, math.Abs(mm)+strayMM); ok {
					if d := b.Smooth.SignedMM(p, n); math.Abs(d-mm) <= strayMM {
						q.mm, q.point = d, int32(n)
					}
				}
			}
			out = append(out, q)
		}
	}
	a.walkCut(c)
	c.visit = nil
	return out
}

// margins are the least distances to tumours under a sample, towards parenchyma
// and along major vessels, mm.
func (l *level0) margins(tumours []*uncertainty.Moved, maskMM float64) (parenchyma, vessel float64) {
	parenchyma, vessel = nearMM, nearMM
	for n := range l.contacts {
		q := &l.contacts[n]
		to := &parenchyma
		if q.vessel {
			to = &vessel
		}
		d := q.mm - maskMM
		if q.point >= 0 {
			if q.mm-errorMM > *to { // no error is as large
				continue
			}
			d = q.mm - tumours[q.tumour].SmoothMM(int(q.point))
		}
		*to = min(*to, d)
	}
	return parenchyma, vessel
}

// errorMM is more than an error moves a border by.
const errorMM = 6.0

// any reports whether a border was measured.
func (o *borders) any() bool {
	organ, _ := o.measured()
	if o != nil {
		for _, t := range o.tumours {
			organ = organ || t != nil
		}
	}
	return organ
}

// seen reports whether the image shows a step all around every tumour.
func (o *borders) seen() bool {
	for _, t := range o.tumours {
		if t == nil || t.SeenShare < 1 {
			return false
		}
	}
	return true
}

// contrasts are those of portal vein and aorta over the parenchyma in an image,
// HU: the medians over the voxels, of the portal vein where it is thick enough to
// hold some that its border does not touch. What cannot be measured is left out.
func (a *Anatomy) contrasts(v *imaging.Volume) []planner.Measured {
	if v == nil || v.Validate() != nil {
		return nil
	}
	median := func(of func(n int) bool) (float64, bool) {
		var all []float64
		for n := range a.Labels.ID {
			if !of(n) {
				continue
			}
			x, y, z := v.Grid.Voxel(a.at(n))
			if i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z)); v.Grid.Contains(i, j, k) {
				all = append(all, v.Value(v.Grid.Index(i, j, k)))
			}
		}
		const least = 20
		if len(all) < least {
			return 0, false
		}
		slices.Sort(all)
		return all[len(all)/2], true
	}
	liver, ok := median(func(n int) bool { return a.Labels.ID[n] == imaging.LabelLiver && a.Phi[n] < -apartMM && n%7 == 0 })
	if !ok {
		return nil
	}
	var out []planner.Measured
	if hu, ok := median(func(n int) bool { return a.Labels.ID[n] == imaging.LabelPortalVein && float64(a.radius[n]) >= a.cellMM }); ok {
		out = append(out, planner.Measured{ID: "portal_contrast", Value: hu - liver, Unit: "HU"})
	}
	inAorta := make([]bool, len(a.Labels.ID))
	for _, n := range a.aorta {
		inAorta[n] = true
	}
	if hu, ok := median(func(n int) bool { return inAorta[n] }); ok {
		out = append(out, planner.Measured{ID: "aorta_contrast", Value: hu - liver, Unit: "HU"})
	}
	return out
}
