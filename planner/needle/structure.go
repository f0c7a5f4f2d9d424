package needle

import (
	"context"
	"errors"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/distance"
)

// Structure is something that a needle should keep clear of.
type Structure struct {
	ID     string          // its clearance is the output "clearance_ID_mm"
	Name   string          // what a surgeon reads
	Labels []imaging.Label // the union of these
	// Mask, when not nil, says which voxels of the case's segments belong to it,
	// for structures without a label; it may be called concurrently.
	Mask func(n int) bool
	// Moves says that it goes with the diaphragm; bone and skin stay.
	Moves bool
}

// known are the structures that the rules name. Those without labels need a
// mask from the case.
var known = []Structure{
	{ID: "vessel", Name: "vessels of 3 mm and more", Moves: true, Labels: []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel, imaging.LabelArtery, imaging.LabelAorta, imaging.LabelVenaCava, imaging.LabelVesselWall}},
	{ID: "bone", Name: "bone", Labels: []imaging.Label{imaging.LabelBone}},
	{ID: "lung", Name: "lung", Moves: true, Labels: []imaging.Label{imaging.LabelLung}},
	{ID: "gallbladder", Name: "gallbladder", Moves: true, Labels: []imaging.Label{imaging.LabelGallbladder}},
	{ID: "stomach", Name: "stomach", Moves: true, Labels: []imaging.Label{imaging.LabelStomach}},
	{ID: "heart", Name: "heart", Moves: true, Labels: []imaging.Label{imaging.LabelHeart}},
	{ID: "organ", Name: "other solid organs", Moves: true, Labels: []imaging.Label{imaging.LabelSpleen, imaging.LabelKidneyLeft, imaging.LabelKidneyRight, imaging.LabelLiver}},
	{ID: "bowel", Name: "bowel", Moves: true},
	{ID: "bile_duct", Name: "bile ducts", Moves: true},
	{ID: "pleura", Name: "pleura", Moves: true},
}

// obstacle is a structure of the case with what the hard rules ask of it.
type obstacle struct {
	Structure
	hard  bool
	limit float64 // least clearance, mm
	in    func(n int) bool
}

// wideMM is the diameter from which a vessel must be kept clear of.
const wideMM = 3

// obstacles lists the structures of the case, and those that it lacks.
func (c *Case) obstacles(ctx context.Context, cfg *Config, off [3]int, whole imaging.Grid) (have []obstacle, lack []Structure, err error) {
	list := append([]Structure(nil), known...)
	for _, x := range cfg.Extra {
		if x.ID == "" || x.Mask == nil {
			return nil, nil, fmt.Errorf("needle: extra structure %q needs an id and a mask", x.ID)
		}
		at := -1
		for n := range list {
			if list[n].ID == x.ID {
				at = n
			}
		}
		if at < 0 {
			list = append(list, x)
		} else {
			list[at] = x
		}
	}
	g := c.Grid
	for _, s := range list {
		if s.Mask == nil && len(s.Labels) == 1 && s.Labels[0] == c.organ {
			continue // the way leads through it
		}
		o := obstacle{Structure: s}
		var bits uint32
		for _, l := range s.Labels {
			if l != c.organ {
				bits |= c.segs.Bit(l)
			}
		}
		// the target, and what it displaces, is where the needle goes
		not := c.segs.Bit(c.target)
		switch {
		case s.Mask != nil:
			mask := s.Mask
			o.in = func(n int) bool {
				i, j, k := g.IJK(n)
				return mask(whole.Index(i+off[0], j+off[1], k+off[2]))
			}
		case bits != 0:
			b := c.segs.Bits
			o.in = func(n int) bool { return b[n]&bits != 0 && b[n]&not == 0 }
		}
		if o.in != nil && g.Bounds(o.in).Empty() {
			o.in = nil
		}
		if o.in == nil {
			if s.ID != "organ" { // there may be no other organ near
				lack = append(lack, s)
			}
			continue
		}
		if s.ID == "vessel" && s.Mask == nil {
			if o.in, err = wide(ctx, g, o.in); err != nil {
				return nil, nil, err
			}
			if o.in == nil { // vessels are there, none is wide
				o.in = func(int) bool { return false }
			}
		}
		o.limit, o.hard = c.limits[s.ID]
		have = append(have, o)
	}
	return have, lack, nil
}

// wide keeps the parts of a vessel mask that hold a ball of wideMM, allowing
// half a voxel, so that a thinner vessel may pass for a wide one but not the
// reverse. It returns nil when there are none.
func wide(ctx context.Context, g imaging.Grid, in func(n int) bool) (func(n int) bool, error) {
	h := g.SpacingMM()
	most := max(h[0], h[1], h[2])
	box := g.Bounds(in).Grow(g, most)
	sub, d, err := distance.SignedCrop(ctx, g, box, in)
	if errors.Is(err, distance.ErrNoBoundary) {
		return in, nil
	} else if err != nil {
		return nil, fmt.Errorf("needle: vessels: %w", err)
	}
	deep := float32(-max(wideMM/2-most/2, 0))
	u, err := distance.Unsigned(ctx, sub, func(n int) bool { return d[n] < 0 && d[n] <= deep })
	if errors.Is(err, distance.ErrEmptySet) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("needle: vessels: %w", err)
	}
	reach := float32(wideMM/2 + most)
	return func(n int) bool {
		if !in(n) {
			return false
		}
		i, j, k := g.IJK(n)
		i, j, k = i-box.Lo[0], j-box.Lo[1], k-box.Lo[2]
		if !sub.Contains(i, j, k) {
			return false
		}
		m := sub.Index(i, j, k)
		return d[m] < 0 && u[m] <= reach
	}, nil
}

// bandMM bounds the distances of the search field: beyond it, only the march
// could gain.
const bandMM = 30

// clearField is the least over hard structures of the distance less what is
// asked, less the shaft's radius, mm; nil without hard structures.
func (c *Case) clearField(ctx context.Context) (*Field, error) {
	var out []float32
	done := make([]bool, len(c.obst))
	for n := range c.obst {
		if done[n] || !c.obst[n].hard {
			continue
		}
		var group []func(int) bool
		limit := c.obst[n].limit
		for m := n; m < len(c.obst); m++ {
			if c.obst[m].hard && c.obst[m].limit == limit {
				group, done[m] = append(group, c.obst[m].in), true
			}
		}
		d, err := signedBand(ctx, c.Grid, func(v int) bool {
			for _, in := range group {
				if in(v) {
					return true
				}
			}
			return false
		}, bandMM)
		if err != nil {
			return nil, err
		}
		less := float32(limit + c.radius)
		for v := range d {
			d[v] -= less
		}
		if out == nil {
			out = d
			continue
		}
		for v := range d {
			out[v] = min(out[v], d[v])
		}
	}
	if out == nil {
		return nil, nil
	}
	return newField(c.Grid, [3]int{}, out)
}

// signedBand is distance.SignedBand, and ±maxMM everywhere for a set without a
// boundary.
func signedBand(ctx context.Context, g imaging.Grid, in func(n int) bool, maxMM float64) ([]float32, error) {
	d, err := distance.SignedBand(ctx, g, in, maxMM)
	if !errors.Is(err, distance.ErrNoBoundary) {
		return d, err
	}
	d = make([]float32, g.Len())
	for n := range d {
		d[n] = float32(maxMM)
		if in(n) {
			d[n] = -d[n]
		}
	}
	return d, nil
}
