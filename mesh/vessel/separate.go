package vessel

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// Seed is a point in or near a vessel of a known system.
type Seed struct {
	System imaging.Label
	LPS    r3.Vec // mm
}

// Separation is a lumen divided between vessel systems.
type Separation struct {
	// Labels has the system of each lumen voxel, LabelVessel where no seed reaches,
	// and background elsewhere.
	Labels *imaging.Labels
	// Confidence of each voxel's system, 0 to 1: 0.5 is even odds; 0 outside the
	// lumen and where no seed reaches.
	Confidence []float32
	Trees      []*Tree   // one for each system, in the order of the first seed of each
	Contacts   []Contact // where systems, or a system with itself, touched and were cut
	SeedLost   []int     // seeds too far from any vessel
}

// Separate divides a lumen in which several systems touch. All systems are
// first one graph of vessels; every edge of it belongs to the root from which it is
// reached with the least implausible worst step (turn, growth of the radius
// downstream, neck; see Contact), and each voxel goes to the system whose tube it
// lies deepest in. Several seeds may
// belong to one system: one for each place where it enters.
//
// The confidence of a voxel falls where the tubes of two systems are within a
// voxel or so of each other, and around a contact in the measure in which the
// connection was plausible.
//
// Errors: those of Extract, and one when no seed lies near a vessel.
func Separate(ctx context.Context, g imaging.Grid, mask filter.Mask, seeds []Seed) (*Separation, error) {
	for n, s := range seeds {
		if x := s.LPS.X + s.LPS.Y + s.LPS.Z; math.IsNaN(x) || math.IsInf(x, 0) || s.System == imaging.LabelBackground {
			return nil, fmt.Errorf("vessel: seed %d (%v at %v) needs a system and a finite point", n, s.System, s.LPS)
		}
	}
	h, _, err := graphOf(ctx, g, mask, 0)
	if err != nil {
		return nil, err
	}
	out := &Separation{Labels: &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}, Confidence: make([]float32, g.Len())}
	var roots []int
	var systems []imaging.Label // of each root
	var order []imaging.Label
	for n, s := range seeds {
		j, ok := h.seed(s.LPS)
		if !ok {
			out.SeedLost = append(out.SeedLost, n)
			continue
		}
		roots, systems = append(roots, j), append(systems, s.System)
		known := false
		for _, o := range order {
			known = known || o == s.System
		}
		if !known {
			order = append(order, s.System)
		}
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("vessel: none of the %d seeds lies near a vessel", len(seeds))
	}
	h.untangle(roots)
	if err := h.refit(ctx, 2); err != nil {
		return nil, err
	}
	h.sweep() // joints have found their place
	h.prune(visibleRadii)
	out.Contacts = h.cut
	if _, err := h.areas(ctx); err != nil {
		return nil, err
	}
	at, vox := h.l.rind()
	if err := h.sharpen(ctx, at, vox); err != nil {
		return nil, err
	}
	parts := newSets(len(h.joints))
	for n := range h.edges {
		if e := &h.edges[n]; !e.dead {
			parts.join(e.a, e.b)
		}
	}
	of := map[int]imaging.Label{} // system of each part
	for n, j := range roots {
		if _, ok := of[parts.find(j)]; !ok {
			of[parts.find(j)] = systems[n]
		}
	}
	dead := make([]bool, len(h.edges))
	only := func(s imaging.Label) {
		for n := range h.edges {
			h.edges[n].dead = dead[n] || of[parts.find(h.edges[n].a)] != s
		}
	}
	for n := range h.edges {
		dead[n] = h.edges[n].dead
	}
	fields := make([]*owners, len(order)+1) // the last: what no seed reaches
	for k, s := range append(order, imaging.LabelBackground) {
		only(s)
		if fields[k], err = h.own(ctx, h.l.at, len(h.l.vox)); err != nil {
			return nil, err
		}
		if k == len(order) {
			break
		}
		var mine []int
		for n, j := range roots {
			if systems[n] == s && of[parts.find(j)] == s {
				mine = append(mine, j)
			}
		}
		t := h.tree(mine)
		t.System = s
		t.NameBranches()
		out.Trees = append(out.Trees, t)
	}
	return out, h.l.divide(ctx, out, g, mask, fields, order)
}

// divide labels the voxels by the deepest tube.
func (l *lumen) divide(ctx context.Context, out *Separation, g imaging.Grid, mask filter.Mask, fields []*owners, order []imaging.Label) error {
	gi, gj, gk := g.Voxel(l.g.Origin)
	di, dj, dk := int(math.Round(gi)), int(math.Round(gj)), int(math.Round(gk))
	for v, n := range l.vox {
		if v&0x3fff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		i, j, k := l.g.IJK(int(n))
		at := g.Index(i+di, j+dj, k+dk)
		if !mask[at] {
			continue // a cavity that was filled
		}
		best, second, sys := float32(math.MaxFloat32), float32(math.MaxFloat32), len(order)
		for s, f := range fields {
			switch gap := f.gap[v]; {
			case gap < best:
				best, second, sys = gap, best, s
			case gap < second:
				second = gap
			}
		}
		if sys == len(order) {
			out.Labels.ID[at] = imaging.LabelVessel
			continue
		}
		conf := 1.0
		if second < math.MaxFloat32 {
			conf = 0.5 + 0.5*math.Tanh(float64(second-best)/l.mean)
		}
		p := l.centre(int32(v))
		for _, c := range out.Contacts {
			d := r3.Norm(r3.Sub(p, c.At)) / (4 * max(c.RadiusMM, l.mean))
			conf = min(conf, 1-0.5*c.Plausibility*math.Exp(-d*d))
		}
		out.Labels.ID[at], out.Confidence[at] = order[sys], float32(conf)
	}
	return nil
}

// MaskOf is the voxels of one structure of segments.
func MaskOf(s *imaging.Segments, l imaging.Label) filter.Mask {
	bit := s.Bit(l)
	return filter.Where(len(s.Bits), func(n int) bool { return bit != 0 && s.Bits[n]&bit != 0 })
}
