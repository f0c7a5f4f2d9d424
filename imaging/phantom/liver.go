package phantom

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Liver is one synthetic patient.
type Liver struct {
	seed     uint64
	a        *anatomy
	tumours  []tumour
	branches []Branch
	portal   field
	hepatic  field
	ml       func() map[imaging.Label]float64
}

// NewLiver draws the patient of a seed. It takes about a second.
func NewLiver(seed uint64) *Liver {
	l := &Liver{seed: seed, a: newAnatomy(seed)}
	for round := uint64(0); l.branches == nil; round++ {
		if l.tumours = newTumours(l.a, seed, round); l.tumours != nil {
			l.branches = growTrees(l.a, l.tumours, seed)
		}
	}
	l.portal = tubes(l.capsules(imaging.LabelPortalVein))
	l.hepatic = tubes(l.capsules(imaging.LabelHepaticVein))
	l.ml = sync.OnceValue(l.measure)
	return l
}

// capsules is one vessel system as capsules.
func (l *Liver) capsules(system imaging.Label) []capsule {
	var cs []capsule
	for _, b := range l.branches {
		if b.System == system {
			cs = append(cs, chain(b.Line, b.RadiusMM)...)
		}
	}
	return cs
}

// The field of view of Grid and GridAt in mm.
const viewMM, heightMM = 384.0, 240.0

// Grid is the scan of the sample patient: 512×512×120 voxels of
// 0.75×0.75×2 mm.
func (l *Liver) Grid() imaging.Grid { return l.GridAt([3]float64{0.75, 0.75, 2}) }

// GridAt covers the same 384×384×240 mm as Grid with voxels of about the given
// size in mm: each side is rounded to a whole number of voxels, and the
// spacing adjusted so that the outer faces stay where they are.
func (l *Liver) GridAt(spacingMM [3]float64) imaging.Grid {
	var n [3]int
	var s, o [3]float64
	for a, whole := range [3]float64{viewMM, viewMM, heightMM} {
		n[a] = max(1, int(math.Round(whole/spacingMM[a])))
		s[a] = whole / float64(n[a])
		o[a] = (s[a] - whole) / 2
	}
	return imaging.NewGrid(n, r3.Vec{X: o[0], Y: o[1], Z: o[2]}, s)
}

// Tumours is the number of tumours.
func (l *Liver) Tumours() int { return len(l.tumours) }

// TumourCentre is the centre of tumour n (from 0) in LPS mm.
func (l *Liver) TumourCentre(n int) r3.Vec { return l.tumours[n].centre }

// TumourShape is the spheroid of tumour n: the unit direction of its axis, the
// semi-axis along it and the semi-axis across, in mm.
func (l *Liver) TumourShape(n int) (axis r3.Vec, alongMM, acrossMM float64) {
	t := l.tumours[n]
	return t.axis, t.a, t.b
}

// Branches are both vessel trees, every parent before its children. The slice
// is a copy; the lines are shared and must not be changed.
func (l *Liver) Branches() []Branch { return slices.Clone(l.branches) }

// Seed is a point inside a structure, as a person would click it. It converts
// to the seeds of imaging/segment and planner.
type Seed struct {
	Label imaging.Label `json:"label"`
	LPS   r3.Vec        `json:"lps_mm"` // mm
}

// Seeds are points inside the structures, all inside the liver: parenchyma,
// each tumour's centre, the end of the portal trunk, and the middle of the
// right, middle and left hepatic vein.
func (l *Liver) Seeds() []Seed {
	out := []Seed{{imaging.LabelLiver, l.parenchyma()}}
	for n, t := range l.tumours {
		out = append(out, Seed{imaging.LabelTumour + imaging.Label(n), t.centre})
	}
	for _, b := range l.branches {
		if b.Parent >= 0 {
			continue
		}
		at := b.Line[len(b.Line)-1]
		if b.System == imaging.LabelHepaticVein {
			at = b.Line[2*len(b.Line)/3]
		}
		out = append(out, Seed{b.System, at})
	}
	return out
}

// parenchyma is the point of a coarse lattice farthest from vessels, tumours
// and the surface, up to the reach of the vessel fields.
func (l *Liver) parenchyma() r3.Vec {
	box := liverBox(l.a.scale)
	var best r3.Vec
	most := math.Inf(-1)
	for z := box[0].Z; z < box[1].Z; z += 6 {
		for y := box[0].Y; y < box[1].Y; y += 6 {
			for x := box[0].X; x < box[1].X; x += 6 {
				p := r3.Vec{X: x, Y: y, Z: z}
				d, _ := l.a.liver(p)
				d = -d
				for _, f := range []field{l.portal, l.hepatic, l.tumours[0].f, l.tumours[1].f} {
					e, _ := f(p)
					d = min(d, e)
				}
				if d > most {
					best, most = p, d
				}
			}
		}
	}
	return best
}

// Relative to the converged integral, the volumes of VolumeML are within
// volumeTol; halving the steps moves them by less.
const (
	volumeTol  = 5e-4
	organStep  = 1.5 // mm between the integration lines through the organ
	vesselStep = 0.2 // the same through the vessels
)

// VolumeML is the volume of a structure in millilitres, within 0.05 %: the
// whole liver (tumours and vessels inside included), the whole portal tree with
// its trunk below the liver, the whole hepatic tree up to the vena cava, one
// tumour (exact), or the body within the 240 mm of Grid. It is 0 for any other
// label.
func (l *Liver) VolumeML(label imaging.Label) float64 { return l.ml()[label] }

func (l *Liver) measure() map[imaging.Label]float64 {
	ml := map[imaging.Label]float64{
		imaging.LabelLiver:       integrate(l.a.liver, liverBox(l.a.scale), organStep) / 1000,
		imaging.LabelPortalVein:  tubesMM3(l.capsules(imaging.LabelPortalVein), vesselStep) / 1000,
		imaging.LabelHepaticVein: tubesMM3(l.capsules(imaging.LabelHepaticVein), vesselStep) / 1000,
		imaging.LabelBody: integrate(l.a.body, [2]r3.Vec{{X: -viewMM / 2, Y: -viewMM / 2, Z: -heightMM / 2},
			{X: viewMM / 2, Y: viewMM / 2, Z: heightMM / 2}}, organStep) / 1000,
	}
	for n, t := range l.tumours {
		ml[imaging.LabelTumour+imaging.Label(n)] = t.mm3() / 1000
	}
	return ml
}

// Volume scans the patient on a grid: HU with the scanner's blur and noise,
// slope 1, intercept 0. A voxel reaches half its spacing to each side. Cost:
// about ten CPU seconds for Grid. The error is ctx.Err() or that of an invalid
// grid; progress may be nil, and is called with growing values up to 1.
func (l *Liver) Volume(ctx context.Context, g imaging.Grid, progress func(done float64)) (*imaging.Volume, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("phantom: %w", err)
	}
	return render(ctx, g, l.layers(), noiseHU, l.seed, progress)
}

// layers are all structures in painting order.
func (l *Liver) layers() []layer {
	ls := append(slices.Clone(l.a.before), layer{f: l.a.liver, hu: huParenchyma})
	for _, t := range l.tumours {
		ls = append(ls, layer{f: t.f, hu: huTumour})
	}
	ls = append(ls, layer{f: l.hepatic, hu: huHepatic, thin: true}, layer{f: l.portal, hu: huPortal, thin: true})
	return append(ls, l.a.after...)
}
