package segment

import (
	"context"
	"fmt"
	"math"

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
		doc: "the mouths of the hepatic veins, as far as parenchyma lies on both sides, are given to the liver and its vessels; then portal and hepatic veins are told apart by their roots: the hepatic veins join the vena cava, the portal vein goes on outside the liver away from it; each vessel voxel goes to the root that a path reaches through the wider vessels",
	}, []parameter[systemSettings]{
		{Parameter{"WorkMM", "mm", 0.4, 4, "voxel size"}, func(s *systemSettings) *float64 { return &s.WorkMM }},
		{Parameter{"ReachMM", "mm", 5, 80, "how far outside the liver a vessel is followed"}, func(s *systemSettings) *float64 { return &s.ReachMM }},
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
	cava   filter.Mask // nearer to the vena cava than CavaMM; nil where there is none
	round  filter.Mask // nearer to it than twice that
	beside filter.Mask // not farther than GapMM from a vessel
	wide   []float32   // of a vessel, distance to what is none, mm; 0 elsewhere
	hilum  float64     // ml of blood where the portal root goes on
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
		cost[n], err = filter.PathCost(ctx, y.c.Grid, y.vessel, root[n], func(n int) float32 { return 1 / (y.wide[n] * y.wide[n]) })
		if err != nil {
			return err
		}
	}
	share := y.paint(cost)
	for n, l := range vesselSystems {
		switch {
		case root[n].Count() == 0:
			w.missing(l, y.rootless(l))
		case seeded[n]:
			w.found(l, FromSeed, share[n], doubtful(share[n])...)
		default:
			w.found(l, ByRoot, share[n], doubtful(share[n])...)
		}
	}
	return ctx.Err()
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
		cava := sample(imaging.LabelVenaCava)
		if y.cava, err = filter.Dilate(ctx, c.Grid, cava, below(s.CavaMM)); err != nil {
			return nil, err
		}
		if y.round, err = filter.Dilate(ctx, c.Grid, cava, below(2*s.CavaMM)); err != nil {
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

// roots are the vessel voxels where each system begins: at its seeds, or where
// it leaves the liver.
func (y *systems) roots(ctx context.Context) (root [2]filter.Mask, seeded [2]bool, err error) {
	g := y.c.Grid
	for n, l := range vesselSystems {
		root[n] = make(filter.Mask, g.Len())
		for _, at := range y.w.seeds(l) {
			v, mm := nearest(g, y.vessel, at)
			if v < 0 || mm > seedToVesselMM {
				y.w.rep.note("the %s seed at %.0f,%.0f,%.0f mm has no vessel within %d mm and was not used", l.Words(), at.X, at.Y, at.Z, seedToVesselMM)
				continue
			}
			root[n][v], seeded[n] = true, true
		}
	}
	if seeded[0] && seeded[1] || y.cava == nil {
		return root, seeded, ctx.Err()
	}
	joins := filter.Where(g.Len(), func(n int) bool { return y.vessel[n] && y.cava[n] })
	portal, err := y.exits(ctx, joins)
	if err != nil {
		return root, seeded, err
	}
	for n, found := range []filter.Mask{portal, joins} {
		if !seeded[n] {
			// a seed says more than a place
			for v := range found {
				root[n][v] = found[v] && !root[1-n][v]
			}
		}
	}
	return root, seeded, ctx.Err()
}

// exits looks for blood outside the liver that goes on from its vessels: what is
// nearer the vessels' value than the liver's. Where it is beside the vena cava
// it adds to joins; of the others the one that touches the most vessel is the
// portal vein at the hilum.
func (y *systems) exits(ctx context.Context, joins filter.Mask) (portal filter.Mask, err error) {
	g, h := y.c.Grid, y.c.Grid.SpacingMM()
	portal = make(filter.Mask, g.Len())
	blood, liver := y.values()
	if !(blood > liver) {
		return portal, ctx.Err()
	}
	soft, err := filter.BoxMean(ctx, g, y.c.HU, [3]int{1, 1, 1})
	if err != nil {
		return nil, err
	}
	rim, err := filter.Dilate(ctx, g, filter.Where(g.Len(), func(n int) bool { return !y.liver[n] }), below(y.s.RimMM))
	if err != nil {
		return nil, err
	}
	near, err := filter.Dilate(ctx, g, y.liver, below(y.s.ReachMM))
	if err != nil {
		return nil, err
	}
	low, high := float32((liver+blood)/2), float32(2*blood-liver)
	outside := filter.Where(g.Len(), func(n int) bool {
		return soft[n] > low && soft[n] < high && !y.vessel[n] && !y.other[n] && near[n] && rim[n]
	})
	one := max(h[0], h[1], h[2])
	if outside, err = filter.Erode(ctx, g, outside, one); err != nil {
		return nil, err
	}
	if outside, err = filter.Dilate(ctx, g, outside, one); err != nil {
		return nil, err
	}
	if err := y.w.show("blood outside", g, outside); err != nil {
		return nil, err
	}
	p := filter.Components(g, outside)
	meets, cava := make([]bool, len(p.Count)), make([]bool, len(p.Count))
	for n, c := range p.Of {
		meets[c] = meets[c] || y.beside[n]
		cava[c] = cava[c] || y.cava[n]
	}
	most := 0
	for c := 1; c < len(p.Count); c++ {
		if ml := float64(p.Count[c]) * g.VoxelMM3() / 1000; !meets[c] || ml < y.s.MinML {
			continue
		}
		touch, err := filter.Dilate(ctx, g, filter.Where(g.Len(), func(n int) bool { return p.Of[n] == int32(c) }), y.s.GapMM)
		if err != nil {
			return nil, err
		}
		for n := range touch {
			touch[n] = touch[n] && y.vessel[n]
		}
		if cava[c] {
			for n, in := range touch {
				joins[n] = joins[n] || in && y.round[n]
			}
		} else if count := touch.Count(); count > most {
			most, portal, y.hilum = count, touch, float64(p.Count[c])*g.VoxelMM3()/1000
		}
	}
	for n := range portal {
		portal[n] = portal[n] && !joins[n]
	}
	return portal, nil
}

// values are the mean of the vessels where they are widest, in HU, and of the
// liver away from them.
func (y *systems) values() (blood, liver float64) {
	widest := float32(0)
	for n, in := range y.vessel {
		if in {
			widest = max(widest, y.wide[n])
		}
	}
	var sum, count [2]float64
	for n, hu := range y.c.HU {
		switch {
		case y.vessel[n] && y.wide[n] >= 0.6*widest:
			sum[0], count[0] = sum[0]+float64(hu), count[0]+1
		case y.liver[n] && !y.vessel[n] && !y.beside[n]:
			sum[1], count[1] = sum[1]+float64(hu), count[1]+1
		}
	}
	return sum[0] / count[0], sum[1] / count[1]
}

// rootless says why a system has no root.
func (y *systems) rootless(l imaging.Label) string {
	const seed = "give a seed inside it"
	switch {
	case y.cava == nil:
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
