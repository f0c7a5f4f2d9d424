package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// AortaCTA is the name of the recipe for the lumen and wall of the aorta in
// arterial-phase CT.
const AortaCTA = "cta.aorta"

// wallSettings are the numbers of the vessel wall step.
type wallSettings struct {
	WallMM  float64 // mm
	BloodHU float64 // HU
}

func wallOperation() operation {
	return define(operation{
		name: "vessel wall", share: 0.1, needs: []imaging.Label{imaging.LabelAorta}, gives: []imaging.Label{imaging.LabelVesselWall},
		doc: "a layer of even thickness around the lumen of the aorta: CT does not show the wall, so its thickness is an assumption and thrombus is not told from it; open where the lumen ends above and below",
	}, []parameter[wallSettings]{
		{Parameter{"WallMM", "mm", 0.3, 6, "thickness of the wall"}, func(s *wallSettings) *float64 { return &s.WallMM }},
		{Parameter{"BloodHU", "HU", 80, 500, "blood in the arterial phase is at least this bright"}, func(s *wallSettings) *float64 { return &s.BloodHU }},
	}, nil, findWall)
}

// findWall marks what lies outside the lumen within the thickness of the wall,
// in the slices the lumen runs through.
func findWall(ctx context.Context, w *work, s wallSettings) error {
	g, lumen := w.v.Grid, w.out.Bit(imaging.LabelAorta)
	blood, err := w.medianHU(ctx, imaging.LabelAorta)
	if err != nil {
		return err
	}
	h := g.SpacingMM()
	widest := max(h[0], h[1], h[2])
	w.rep.Checks = append(w.rep.Checks, Check{
		Assumption: "arterial contrast", Measured: fmt.Sprintf("aorta %.0f HU", blood),
		Wanted: fmt.Sprintf("at least %g HU", s.BloodHU), Holds: blood >= s.BloodHU, AtMost: 0.6,
		Affects: []imaging.Label{imaging.LabelAorta, imaging.LabelVesselWall},
		Do:      "the lumen is outlined against thrombus, muscle and veins of nearly its own density: look at every slice, or use the arterial phase",
	}, Check{
		Assumption: "voxels finer than the wall", Measured: fmt.Sprintf("voxels of up to %.2f mm", widest),
		Wanted: fmt.Sprintf("at most %g mm", s.WallMM), Holds: widest <= s.WallMM, AtMost: 0.6,
		Affects: []imaging.Label{imaging.LabelVesselWall},
		Do:      "a wall this thin has gaps on these voxels: offset the surface of the lumen instead",
	})
	box := g.Bounds(func(n int) bool { return w.out.Bits[n]&lumen != 0 })
	if box.Empty() || lumen == 0 {
		return &NotFoundError{imaging.LabelVesselWall, "the lumen has no voxel"}
	}
	lo, hi := box.Lo[2], box.Hi[2]
	box = box.Grow(g, s.WallMM+2*widest).Clip(g)
	sub, phi, err := distance.SignedCrop(ctx, g, box, func(n int) bool { return w.out.Bits[n]&lumen != 0 })
	if err != nil {
		return err
	}
	// the mean of the neighbours takes the steps of the voxels out of the distance
	if phi, err = filter.BoxMean(ctx, sub, phi, [3]int{1, 1, 1}); err != nil {
		return err
	}
	wall := bitOf(w.out, imaging.LabelVesselWall)
	count := 0
	m := make([]bool, g.Len())
	for n, d := range phi {
		i, j, k := sub.IJK(n)
		if k += box.Lo[2]; float64(d) > s.WallMM || k < lo || k >= hi {
			continue
		}
		at := g.Index(i+box.Lo[0], j+box.Lo[1], k)
		if w.out.Bits[at]&lumen != 0 {
			continue
		}
		w.out.Bits[at] |= wall
		m[at] = true
		count++
	}
	if count == 0 {
		return &NotFoundError{imaging.LabelVesselWall, fmt.Sprintf("no voxel centre lies within %g mm of the lumen, voxels have %.2f mm", s.WallMM, widest)}
	}
	w.found(imaging.LabelVesselWall, Automatic, 0.6, fmt.Sprintf("its thickness of %g mm is assumed, not seen", s.WallMM))
	return w.show("wall", g, m)
}
