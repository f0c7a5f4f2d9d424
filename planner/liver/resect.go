package liver

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/internal/par"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Resection is the geometry of one plan on an Anatomy.
type Resection struct {
	Plan planner.Plan
	// Phi is the signed distance (a bound near the cut's edge) to the border of
	// the remnant on Anatomy.Grid, mm, negative inside.
	Phi []float32
	// RemnantMM3 is the volume of the remnant's voxels, the largest connected
	// part only; IsolatedMM3 is the rest.
	RemnantMM3, IsolatedMM3 float64
	// Evaluation holds the geometric quantities; the mechanical ones are added
	// by Judge.
	Evaluation planner.Evaluation

	taken func(n int) float64 // height of voxel n over the cut, positive in what is taken
}

// minVesselMM is the smallest radius of a cut vessel that is counted; the
// sample patient's trees and the usual CT resolve no smaller ones.
const minVesselMM = 1.0

// NothingLeftError is a plan that takes the whole organ or nothing of it.
type NothingLeftError struct {
	Plan string
	All  bool
}

func (e *NothingLeftError) Error() string {
	if e.All {
		return fmt.Sprintf("liver: plan %q takes the whole liver: move its cut away from the remnant", e.Plan)
	}
	return fmt.Sprintf("liver: plan %q does not cut the liver: move its cut into the organ", e.Plan)
}

// farMM is how far outside the organ Phi is that of the organ alone.
const farMM = 15.0

// Resect computes what plan p leaves, takes and severs, voxel by voxel. It
// fails with *NothingLeftError when the cut misses or takes the whole organ.
// Plans with curved cuts or divided branches need the case's Trees, which takes
// some seconds on first use; their quantities beside the volumes are those of
// Procedure at level L0, without their spread.
func (a *Anatomy) Resect(ctx context.Context, p planner.Plan) (*Resection, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	r := &Resection{Plan: p, Phi: make([]float32, a.Grid.Len())}
	r.taken = func(n int) float64 { return p.SignedMM(a.at(n)) }
	var t *Trees
	if curved := len(p.Sheets)+len(p.Divided) > 0; curved {
		var err error
		if t, err = a.Trees(ctx); err != nil {
			return nil, err
		}
		reg, err := t.newRegion(&p)
		if err != nil {
			return nil, err
		}
		if reg != nil {
			r.taken = func(n int) float64 {
				q := a.at(n)
				return max(p.SignedMM(q), reg.at(q))
			}
		}
	}
	nx := a.Grid.Size[0]
	err := par.ChunksCtx(ctx, a.Grid.Size[1]*a.Grid.Size[2], 64, func(lo, hi int) error {
		for n := lo * nx; n < hi*nx; n++ {
			r.Phi[n] = a.Phi[n]
			if a.Phi[n] < farMM {
				r.Phi[n] = max(a.Phi[n], float32(r.taken(n)))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	vox := a.Grid.VoxelMM3()
	remnant, isolated := a.keepLargest(r.Phi)
	r.RemnantMM3, r.IsolatedMM3 = float64(remnant)*vox, float64(isolated)*vox
	resectedMM3 := a.OrganML*1000 - r.RemnantMM3 - r.IsolatedMM3
	if remnant == 0 || resectedMM3 <= 0 {
		return nil, &NothingLeftError{p.Name, remnant == 0}
	}
	r.Evaluation = planner.Evaluation{Plan: p.ID}
	if t != nil {
		return r, a.resectCurved(ctx, t, r)
	}
	r.Evaluation.Vessels = a.vesselCuts(p)
	margin := a.marginQuantity(p)
	r.Evaluation.Quantities = append(a.volumes(r), margin, towardsParenchyma(margin), a.cutArea(p))
	r.Evaluation.Quantities = append(r.Evaluation.Quantities, vesselQuantities(r.Evaluation.Vessels, a.cellMM)...)
	return r, nil
}

// resectCurved fills the evaluation of a plan that is more than planes.
func (a *Anatomy) resectCurved(ctx context.Context, t *Trees, r *Resection) error {
	l, err := a.newLevel0(ctx, t, nil, &r.Plan)
	if err != nil {
		return err
	}
	half := a.cellMM / 2
	margin := func(mm float64) planner.Quantity {
		return planner.Quantity{ID: "margin_mm", Label: "Resection margin", Unit: "mm", Value: mm, Spread: planner.Around(mm-half, mm, mm+half),
			Basis: "tumour border known to half a voxel; segmentation error not included"}
	}
	r.Evaluation.Vessels = l.vessels
	r.Evaluation.Quantities = append(a.volumes(r), margin(min(l.parenchymaMM, l.vesselMM)), towardsParenchyma(margin(l.parenchymaMM)),
		planner.Quantity{ID: "cut_area_cm2", Label: "Area of the cut", Unit: "cm2", Value: l.areaCM2, Basis: "area inside the organ; segmentation error not included"})
	qs := vesselQuantities(l.vessels, a.cellMM)
	if t.Portal != nil { // the tree tells which vessel is the trunk
		qs[1] = planner.Quantity{ID: "trunk_cut", Label: "Main portal trunk cut", Unit: "1", Value: float64(l.trunk), Basis: "topology of the portal tree"}
	}
	r.Evaluation.Quantities = append(r.Evaluation.Quantities, qs...)
	return nil
}

// towardsParenchyma is a margin as that towards parenchyma: without the vessels
// beside the cut it may be either.
func towardsParenchyma(q planner.Quantity) planner.Quantity {
	q.ID, q.Label = "margin_parenchyma_mm", "Margin towards parenchyma"
	return q
}

// keepLargest counts the voxels of the largest face-connected part of phi < 0
// and of the rest, and turns the rest into outside.
func (a *Anatomy) keepLargest(phi []float32) (largest, rest int) {
	part := make([]int32, len(phi))
	g := a.Grid
	var sizes []int
	var queue []int
	for n := range phi {
		if phi[n] >= 0 || part[n] != 0 {
			continue
		}
		id := int32(len(sizes) + 1)
		part[n] = id
		queue = append(queue[:0], n)
		for h := 0; h < len(queue); h++ {
			i, j, k := g.IJK(queue[h])
			for _, d := range faceNeighbours {
				u, v, w := i+d[0], j+d[1], k+d[2]
				if !g.Contains(u, v, w) {
					continue
				}
				if m := g.Index(u, v, w); phi[m] < 0 && part[m] == 0 {
					part[m] = id
					queue = append(queue, m)
				}
			}
		}
		sizes = append(sizes, len(queue))
	}
	best := int32(0)
	for n, s := range sizes {
		if best == 0 || s > sizes[best-1] {
			best = int32(n + 1)
		}
	}
	if best == 0 {
		return 0, 0
	}
	for n, id := range part {
		if id != 0 && id != best {
			phi[n] = -phi[n]
			rest++
		}
	}
	return sizes[best-1], rest
}

// volumes gives FLR and its parts. The intervals move the organ's border by
// half a voxel in and out (the limit of the voxel grid, not of the
// segmentation).
func (a *Anatomy) volumes(r *Resection) []planner.Quantity {
	vox := a.Grid.VoxelMM3() / 1000
	half := float32(a.cellMM / 2)
	t := float64(a.Labels.Count(imaging.Label.IsTumour)) * vox
	count := func(which func(b int, n int) bool) (v [3]float64) { // border moved by −half, 0, +half
		for b := range v {
			v[b] = vox * par.Sum(len(a.Phi), 1<<18, func(lo, hi int) float64 {
				c := 0
				for n := lo; n < hi; n++ {
					if which(b, n) {
						c++
					}
				}
				return float64(c)
			})
		}
		return v
	}
	shift := [3]float32{-half, 0, half}
	organ := count(func(b, n int) bool { return a.Phi[n] < shift[b] })
	// The remnant's own border: the organ's part of Phi moves, the cut stays
	// where the plan puts it.
	remnant := count(func(b, n int) bool {
		return a.Phi[n] < shift[b] && (r.Phi[n] < 0 || b == 2 && r.Phi[n] < half && r.taken(n) <= 0)
	})
	var flr [3]float64
	for b := range flr {
		flr[b] = 100 * remnant[b] / (organ[b] - t)
	}
	const basis = "organ border moved by half a voxel; segmentation error not included"
	spread := func(id, label, unit string, v [3]float64) planner.Quantity {
		return planner.Quantity{ID: id, Label: label, Unit: unit, Value: v[1], Spread: planner.Around(min(v[0], v[1], v[2]), v[1], max(v[0], v[1], v[2])), Basis: basis}
	}
	var taken [3]float64
	for b := range taken {
		taken[b] = max(0, organ[b]-remnant[b]-r.IsolatedMM3/1000)
	}
	return []planner.Quantity{
		spread("flr_percent", "Future liver remnant (of CT volume minus tumours)", "%", flr),
		spread("remnant_ml", "Remnant volume", "mL", remnant),
		spread("resected_ml", "Resected volume", "mL", taken),
		{ID: "isolated_percent", Label: "Remnant cut off from the rest", Unit: "%", Value: 100 * r.IsolatedMM3 / (r.RemnantMM3 + r.IsolatedMM3),
			Basis: "count of voxels that are not face-connected to the remnant"},
	}
}

// marginQuantity is the distance from the tumours to the cut. For one plane it
// is exact for the voxel boxes; for several it is a lower bound, since the
// distance to the union's border is at least the largest plane distance.
func (a *Anatomy) marginQuantity(p planner.Plan) planner.Quantity {
	margin, spread := math.Inf(1), 0.0
	for _, t := range a.Tumours {
		for _, v := range t.shell {
			best, half := math.Inf(-1), 0.0
			for _, c := range p.Cuts {
				h := a.halfVoxelMM(c.Normal)
				if d := c.SignedMM(v) - h; d > best {
					best, half = d, h
				}
			}
			if best < margin {
				margin, spread = best, half
			}
		}
	}
	margin = math.Round(margin*1e6) / 1e6 // nanometres: equal plans compare equal
	return planner.Quantity{ID: "margin_mm", Label: "Resection margin", Unit: "mm", Value: margin, Spread: planner.Around(margin-spread, margin, margin+spread),
		Basis: "tumour border known to half a voxel; segmentation error not included"}
}

// cutArea is the area of the cut through the organ: the organ's voxels weighted
// with a hat function of their distance to the cut, two voxels wide on each
// side, over the hat's integral. The hat's translates add up to a constant, so
// the sum does not depend on where the cut falls between voxel layers.
func (a *Anatomy) cutArea(p planner.Plan) planner.Quantity {
	w := 2 * a.cellMM
	sum := par.Sum(len(a.Phi), 1<<16, func(lo, hi int) float64 {
		s := 0.0
		for m := lo; m < hi; m++ {
			if a.Phi[m] < 0 {
				s += max(0, 1-math.Abs(p.SignedMM(a.at(m)))/w)
			}
		}
		return s
	})
	area := sum * a.Grid.VoxelMM3() / w / 100
	return planner.Quantity{ID: "cut_area_cm2", Label: "Area of the cut", Unit: "cm2", Value: area,
		Basis: "voxels within two voxel widths of the cut; segmentation error not included"}
}

// vesselCuts finds the vessels the cut severs: connected groups of vessel
// voxels that the cut surface passes through, one vessel each. The radius is
// the largest distance to the vessel's wall in the group (inscribed sphere).
func (a *Anatomy) vesselCuts(p planner.Plan) []planner.VesselCut {
	hit := map[int]bool{}
	var order []int
	for _, n := range a.vessels {
		q := a.at(n)
		s, half := p.SignedMM(q), 0.0
		for _, c := range p.Cuts {
			if c.SignedMM(q) == s {
				half = a.halfVoxelMM(c.Normal)
			}
		}
		if half == 0 { // a sheet
			half = a.cellMM / 2
		}
		if math.Abs(s) <= half {
			hit[n] = true
			order = append(order, n)
		}
	}
	var cuts []planner.VesselCut
	var queue []int
	for _, n := range order {
		if !hit[n] {
			continue
		}
		system := a.Labels.ID[n]
		hit[n] = false
		queue = append(queue[:0], n)
		radius, sum := 0.0, r3.Vec{}
		for h := 0; h < len(queue); h++ {
			m := queue[h]
			radius = max(radius, float64(a.radius[m]))
			sum = r3.Add(sum, a.at(m))
			i, j, k := a.Grid.IJK(m)
			for dk := -1; dk <= 1; dk++ {
				for dj := -1; dj <= 1; dj++ {
					for di := -1; di <= 1; di++ {
						if u, v, w := i+di, j+dj, k+dk; a.Grid.Contains(u, v, w) {
							if o := a.Grid.Index(u, v, w); hit[o] && a.Labels.ID[o] == system {
								hit[o] = false
								queue = append(queue, o)
							}
						}
					}
				}
			}
		}
		if radius >= minVesselMM {
			c := r3.Scale(1/float64(len(queue)), sum)
			cuts = append(cuts, planner.VesselCut{System: systemName(system), Radius: radiusQuantity("radius_mm", "Radius", radius, a.cellMM), At: [3]float64{c.X, c.Y, c.Z}})
		}
	}
	slices.SortStableFunc(cuts, func(x, y planner.VesselCut) int {
		if x.Radius.Value != y.Radius.Value {
			if x.Radius.Value > y.Radius.Value {
				return -1
			}
			return 1
		}
		return 0
	})
	return cuts
}

// vesselQuantities sums up the vessels cut.
func vesselQuantities(cuts []planner.VesselCut, cellMM float64) []planner.Quantity {
	largest := 0.0
	per := map[string]float64{}
	for _, c := range cuts {
		largest = max(largest, c.Radius.Value)
		per[c.System]++
	}
	basis := fmt.Sprintf("vessels of radius %g mm and more in the segmentation; missed vessels not included", minVesselMM)
	qs := []planner.Quantity{
		{ID: "vessels_cut", Label: "Vessels cut", Unit: "1", Value: float64(len(cuts)), Basis: basis},
		radiusQuantity("largest_vessel_cut_mm", "Radius of the largest vessel cut", largest, cellMM),
	}
	for _, s := range []string{"portal", "hepatic", "unknown"} {
		qs = append(qs, planner.Quantity{ID: "vessels_cut_" + s, Label: "Vessels cut, " + s, Unit: "1", Value: per[s], Basis: basis})
	}
	return qs
}

// radiusQuantity is a radius measured on voxels: known to half of one.
func radiusQuantity(id, label string, r, cellMM float64) planner.Quantity {
	return planner.Quantity{ID: id, Label: label, Unit: "mm", Value: r, Spread: planner.Around(max(0, r-cellMM/2), r, r+cellMM/2), Basis: "half a voxel"}
}
