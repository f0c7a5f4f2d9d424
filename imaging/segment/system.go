package segment

import (
	"context"
	"fmt"
	"math"
	"strings"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// systemSettings are the numbers of the systems step.
type systemSettings struct {
	WorkMM  float64 // mm
	ReachMM float64 // mm
	RimMM   float64 // mm
	GapMM   float64 // mm
	CavaMM  float64 // mm
	MinML   float64 // ml
}

// vesselSystems are the two trees of veins in the liver.
var vesselSystems = [2]imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein}

func systemOperation() operation {
	return define(operation{
		name: "systems", share: 0.1, needs: []imaging.Label{imaging.LabelLiver, imaging.LabelVessel}, gives: vesselSystems[:], seeds: vesselSystems[:],
		doc: "the mouths of the hepatic veins, as far as parenchyma lies on both sides, are given to the liver and its vessels; then portal and hepatic veins are told apart by their roots: the hepatic veins join the vena cava, the portal vein goes on outside the liver away from it; each vessel voxel goes to the root that blood reaches against less resistance, and the trunk of the portal vein outside the liver is painted",
	}, []parameter[systemSettings]{
		{Parameter{"WorkMM", "mm", 0.4, 4, "voxel size"}, func(s *systemSettings) *float64 { return &s.WorkMM }},
		{Parameter{"ReachMM", "mm", 5, 80, "how far outside the liver a vessel is followed, and the portal vein painted"}, func(s *systemSettings) *float64 { return &s.ReachMM }},
		{Parameter{"RimMM", "mm", 0, 20, "rim of the liver's outline where a vessel may count as outside: the hilum"}, func(s *systemSettings) *float64 { return &s.RimMM }},
		{Parameter{"GapMM", "mm", 0, 20, "greatest gap between a vessel and where it goes on"}, func(s *systemSettings) *float64 { return &s.GapMM }},
		{Parameter{"CavaMM", "mm", 0, 20, "a vessel this near the vena cava joins it"}, func(s *systemSettings) *float64 { return &s.CavaMM }},
		{Parameter{"MinML", "ml", 0.01, 10, "less blood outside the liver is no root"}, func(s *systemSettings) *float64 { return &s.MinML }},
	}, nil, tellSystems)
}

// systems is the telling apart of vessels on a working grid.
type systems struct {
	w      *work
	s      systemSettings
	box    imaging.Box // of the crop in the full grid
	c      *filter.Coarse
	vessel filter.Mask // of the liver
	liver  filter.Mask
	other  filter.Mask // of other structures, the vena cava among them
	vena   filter.Mask // the vena cava; nil where there is none
	cava   filter.Mask // nearer to it than CavaMM
	touch  filter.Mask // not farther from it than two voxels
	beside filter.Mask // not farther than GapMM from a vessel
	trunk  filter.Mask // blood outside the liver in which the portal vein goes on; nil where it was not looked for
	leaves filter.Mask // where it does so, of vessel
	low    float32     // halfway from liver to blood, HU
	wide   []float32   // of a vessel, distance to what is none, mm; 0 elsewhere
}

// tellSystems gives the vessels painted so far their systems, and reports.
func tellSystems(ctx context.Context, w *work, s systemSettings) error {
	if err := w.takeMouths(ctx); err != nil {
		return err
	}
	y, err := newSystems(ctx, w, s)
	if err != nil {
		return err
	}
	root, seeded, err := y.roots(ctx)
	if err != nil {
		return err
	}
	if err := w.show("roots", y.c.Grid, filter.Where(y.c.Grid.Len(), func(n int) bool { return root[0][n] || root[1][n] })); err != nil {
		return err
	}
	var cost [2][]float32
	for n := range cost {
		cost[n], err = filter.PathCost(ctx, y.c.Grid, y.vessel, root[n], y.resistance)
		if err != nil {
			return err
		}
	}
	share, ml, err := y.paint(ctx, cost)
	if err != nil {
		return err
	}
	if root[0].Count() > 0 {
		if err := y.paintTrunk(ctx); err != nil {
			return err
		}
	}
	for n, l := range vesselSystems {
		if root[n].Count() == 0 {
			w.missing(l, y.rootless(l))
			continue
		}
		d, from := doubts{share[n], doubtful(share[n])}, FromSeed
		if !seeded[n] {
			from = ByRoot
			y.implausible(l, root, ml, &d)
		}
		if zero(d.confidence) { // its vessels are vessels all the same
			if err := w.rename(ctx, l, imaging.LabelVessel); err != nil {
				return err
			}
			w.missing(l, withheld+strings.Join(d.why, "; "))
			continue
		}
		w.found(l, from, d.confidence, d.why...)
	}
	if root[0].Count() > 0 && root[1].Count() > 0 {
		w.found(imaging.LabelVessel, Automatic, unjoined, "it joins neither the portal nor the hepatic veins, as every vessel of the liver does in the end: look whether it is one")
	}
	return ctx.Err()
}

// unjoined is the confidence, at most, in pieces of vessel that join none of the
// two trees where both have a root: of those of two patients 29 % and 4 % lay in
// outlined vessels, of what joins a tree about two thirds.
const unjoined = 0.1

// rename gives the voxels of from to another structure.
func (w *work) rename(ctx context.Context, from, to imaging.Label) error {
	if w.out.Bit(from) == 0 {
		return ctx.Err()
	}
	return amend(ctx, w.out, w.out.Grid.Box(), w.out.Bit(from), w.out.Bit(from), bitOf(w.out, to))
}

func doubtful(share float64) []string {
	if share > 0.95 {
		return nil
	}
	return []string{fmt.Sprintf("%.0f %% of it could as well belong to the other system: the paths to both roots cost within a factor of 2", 100*(1-share))}
}

// newSystems samples what is painted on a grid of WorkMM around the liver.
func newSystems(ctx context.Context, w *work, s systemSettings) (*systems, error) {
	out := w.out
	liver := out.Bit(imaging.LabelLiver)
	box := boundsOf(out, liver).Grow(out.Grid, s.ReachMM).Clip(out.Grid)
	c, err := filter.Reduce(ctx, w.v.Crop(box), s.WorkMM)
	if err != nil {
		return nil, err
	}
	y := &systems{w: w, s: s, box: box, c: c}
	at := sampled(out, box, c.Grid, c.Block)
	sample := func(ls ...imaging.Label) filter.Mask {
		bits := uint32(0)
		for _, l := range ls {
			bits |= out.Bit(l)
		}
		return filter.Where(c.Grid.Len(), func(n int) bool { return at[n]&bits != 0 })
	}
	y.liver = sample(imaging.LabelLiver)
	y.vessel = sample(imaging.LabelVessel, imaging.LabelPortalVein, imaging.LabelHepaticVein)
	y.other = sample(imaging.LabelVenaCava, imaging.LabelAorta, imaging.LabelBone, imaging.LabelKidneyLeft, imaging.LabelKidneyRight, imaging.LabelSpleen)
	if w.out.Bit(imaging.LabelVenaCava) != 0 {
		y.vena = sample(imaging.LabelVenaCava)
		if y.cava, err = filter.Dilate(ctx, c.Grid, y.vena, below(s.CavaMM)); err != nil {
			return nil, err
		}
		if y.touch, err = filter.Dilate(ctx, c.Grid, y.vena, 2*s.WorkMM); err != nil {
			return nil, err
		}
	}
	if y.beside, err = filter.Dilate(ctx, c.Grid, y.vessel, s.GapMM); err != nil {
		return nil, err
	}
	y.wide, err = widths(ctx, c.Grid, y.vessel)
	return y, err
}

// below is the radius of the ball of all distances less than mm, as float32.
func below(mm float64) float64 {
	r := float32(mm)
	if float64(r) >= mm {
		r = math.Nextafter32(r, float32(math.Inf(-1)))
	}
	return float64(r)
}

// widths are the distances of the voxels of m to the nearest not of it, in mm; 0
// outside m.
func widths(ctx context.Context, g imaging.Grid, m filter.Mask) ([]float32, error) {
	out := make([]float32, g.Len())
	box := filter.Bounds(g, m)
	for a := range box.Lo { // what lies beyond is farther than what lies around
		box.Lo[a], box.Hi[a] = max(box.Lo[a]-1, 0), min(box.Hi[a]+1, g.Size[a])
	}
	sub, in := g.Crop(box), filter.Cut(g, m, box)
	d, err := distance.Unsigned(ctx, sub, func(n int) bool { return !in[n] })
	if err != nil {
		return nil, err
	}
	nx := sub.Size[0]
	for k := range sub.Size[2] {
		for j := range sub.Size[1] {
			copy(out[g.Index(box.Lo[0], box.Lo[1]+j, box.Lo[2]+k):][:nx], d[sub.Index(0, j, k):])
		}
	}
	return out, nil
}

// rootless says why a system has no root.
func (y *systems) rootless(l imaging.Label) string {
	const seed = "give a seed inside it"
	switch {
	case y.vena == nil:
		return "without the vena cava no vessel could be told to belong to it; " + seed
	case l == imaging.LabelHepaticVein:
		return fmt.Sprintf("no vessel comes within %g mm of the vena cava; %s", y.s.CavaMM, seed)
	}
	return fmt.Sprintf("no vessel goes on outside the liver away from the vena cava for %g ml or more; %s", y.s.MinML, seed)
}

// seedToVesselMM is how far a vessel seed may miss its vessel.
const seedToVesselMM = 15

// nearest is the voxel of m nearest to p, and how far it is; -1 when m is empty.
func nearest(g imaging.Grid, m filter.Mask, p r3.Vec) (n int, mm float64) {
	n, mm = -1, math.Inf(1)
	for o, in := range m {
		if in {
			i, j, k := g.IJK(o)
			if d := r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), p)); d < mm {
				n, mm = o, d
			}
		}
	}
	return n, mm
}
