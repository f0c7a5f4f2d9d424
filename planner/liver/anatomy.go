package liver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/mesh/vessel"

	"gonum.org/v1/gonum/spatial/r3"
)

// MissingError names a structure that planning cannot do without.
type MissingError struct{ Structure, Remedy string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("liver: the case has no %s: %s", e.Structure, e.Remedy)
}

// cropMarginMM keeps the boundary of the organ well inside the crop.
const cropMarginMM = 12

// Tumour is one tumour of the case.
type Tumour struct {
	Label  imaging.Label
	Centre r3.Vec // LPS mm
	ML     float64
	// LowML and HighML are the volumes with the border moved in and out by half
	// a voxel.
	LowML, HighML float64
	shell         []r3.Vec // voxel centres on its border, LPS mm
}

// Anatomy is the organ as the planner sees it, on a crop around it.
type Anatomy struct {
	Grid    imaging.Grid
	Labels  *imaging.Labels // liver, vessels and tumours inside the organ
	Phi     []float32       // signed distance to the organ's border, mm, negative inside
	Tumours []Tumour
	OrganML float64
	// OrganLowML and OrganHighML are the volumes with the organ's border moved
	// in and out by half a voxel.
	OrganLowML, OrganHighML float64

	radius  []float32 // distance to the wall inside vessels, mm; 0 elsewhere
	vessels []int     // voxels of vessels inside the organ
	cellMM  float64   // largest voxel edge

	aorta []int // its voxels in the crop

	// What Trees needs: the vessel masks with their parts outside the organ.
	masks  map[imaging.Label]filter.Mask
	treeMu sync.Mutex // guards trees
	trees  *Trees
}

// vesselSystems are the vessel labels planning tells apart.
var vesselSystems = []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel}

// systemName is what a surgeon calls the system of a vessel label.
func systemName(l imaging.Label) string {
	switch l {
	case imaging.LabelPortalVein:
		return "portal"
	case imaging.LabelHepaticVein:
		return "hepatic"
	}
	return "unknown"
}

// NewAnatomy prepares a case. It needs the liver and at least one tumour
// (*MissingError otherwise).
func NewAnatomy(ctx context.Context, segs *imaging.Segments) (*Anatomy, error) {
	organ := segs.Bit(imaging.LabelLiver)
	box := segs.Grid.Bounds(func(n int) bool { return organ != 0 && segs.Bits[n]&organ != 0 })
	if box.Empty() {
		return nil, &MissingError{"liver", "segment it, give a seed inside it, or import a mask"}
	}
	s := segs.Crop(box.Grow(segs.Grid, cropMarginMM))
	order := []imaging.Label{imaging.LabelLiver, imaging.LabelVessel, imaging.LabelHepaticVein, imaging.LabelPortalVein}
	for t := range imaging.MaxTumours {
		if l := imaging.LabelTumour + imaging.Label(t); s.Bit(l) != 0 {
			order = append(order, l)
		}
	}
	a := &Anatomy{Grid: s.Grid, Labels: s.Flatten(imaging.LabelLiver, order...)}
	for _, h := range a.Grid.SpacingMM() {
		a.cellMM = max(a.cellMM, h)
	}
	a.OrganML = float64(a.Labels.Count(imaging.Label.InOrgan)) * a.Grid.VoxelMM3() / 1000
	var err error
	if a.Phi, err = distance.Signed(ctx, a.Grid, func(n int) bool { return a.Labels.ID[n].InOrgan() }); err != nil {
		return nil, fmt.Errorf("liver: organ: %w", err)
	}
	a.OrganLowML, a.OrganHighML = a.boundsML(a.Phi)
	for _, l := range order[4:] {
		t := a.tumour(l)
		if t.ML == 0 {
			continue
		}
		is := func(n int) bool { return a.Labels.ID[n] == l }
		_, phi, err := distance.SignedCrop(ctx, a.Grid, a.Grid.Bounds(is).Grow(a.Grid, a.cellMM), is)
		if err != nil {
			return nil, fmt.Errorf("liver: %v: %w", l, err)
		}
		t.LowML, t.HighML = a.boundsML(phi)
		a.Tumours = append(a.Tumours, t)
	}
	if len(a.Tumours) == 0 {
		return nil, &MissingError{"tumour inside the liver", "give a seed inside each tumour, or import tumour masks that overlap the liver"}
	}
	return a, a.measureVessels(ctx, s)
}

// boundsML is the volume within a signed distance field with the border moved
// in and out by half a voxel.
func (a *Anatomy) boundsML(phi []float32) (low, high float64) {
	half := float32(a.cellMM / 2)
	for _, d := range phi {
		if d < -half {
			low++
		}
		if d < half {
			high++
		}
	}
	vox := a.Grid.VoxelMM3() / 1000
	return low * vox, high * vox
}

// measureVessels fills radius and vessels. The masks are taken with their
// parts outside the organ, so that a vessel is not thinned where it enters.
func (a *Anatomy) measureVessels(ctx context.Context, s *imaging.Segments) error {
	a.radius = make([]float32, a.Grid.Len())
	a.masks = map[imaging.Label]filter.Mask{}
	for _, l := range vesselSystems {
		bit := s.Bit(l)
		if bit == 0 {
			continue
		}
		box := s.Grid.Bounds(func(n int) bool { return s.Bits[n]&bit != 0 })
		if box.Empty() {
			continue
		}
		if l != imaging.LabelVessel {
			a.masks[l] = vessel.MaskOf(s, l)
		}
		box = box.Grow(s.Grid, a.cellMM)
		sub, d, err := distance.SignedCrop(ctx, s.Grid, box, func(n int) bool { return s.Bits[n]&bit != 0 })
		if errors.Is(err, distance.ErrNoBoundary) {
			continue
		} else if err != nil {
			return fmt.Errorf("liver: %v: %w", l, err)
		}
		for m, v := range d {
			i, j, k := sub.IJK(m)
			i, j, k = i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]
			if v < 0 && a.Grid.Contains(i, j, k) {
				n := a.Grid.Index(i, j, k)
				a.radius[n] = max(a.radius[n], -v)
			}
		}
	}
	if bit := s.Bit(imaging.LabelAorta); bit != 0 {
		for n, b := range s.Bits {
			if b&bit != 0 {
				a.aorta = append(a.aorta, n)
			}
		}
	}
	for n, l := range a.Labels.ID {
		if l.IsVessel() {
			a.vessels = append(a.vessels, n)
		}
	}
	return ctx.Err()
}

// tumour measures one tumour; its shell is every voxel with a face neighbour
// outside it.
func (a *Anatomy) tumour(l imaging.Label) Tumour {
	t := Tumour{Label: l}
	count := 0
	var sum r3.Vec
	g := a.Grid
	for n, id := range a.Labels.ID {
		if id != l {
			continue
		}
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		count++
		sum = r3.Add(sum, p)
		for _, d := range faceNeighbours {
			u, v, w := i+d[0], j+d[1], k+d[2]
			if !g.Contains(u, v, w) || a.Labels.ID[g.Index(u, v, w)] != l {
				t.shell = append(t.shell, p)
				break
			}
		}
	}
	if count > 0 {
		t.Centre = r3.Scale(1/float64(count), sum)
		t.ML = float64(count) * g.VoxelMM3() / 1000
	}
	return t
}

var faceNeighbours = [6][3]int{{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}}

// halfVoxelMM is how far a voxel reaches from its centre along the unit vector
// n: the support function of the voxel box.
func (a *Anatomy) halfVoxelMM(n r3.Vec) float64 {
	return (math.Abs(r3.Dot(n, a.Grid.Axes[0])) + math.Abs(r3.Dot(n, a.Grid.Axes[1])) + math.Abs(r3.Dot(n, a.Grid.Axes[2]))) / 2
}

// at is the place of voxel n, LPS mm.
func (a *Anatomy) at(n int) r3.Vec {
	i, j, k := a.Grid.IJK(n)
	return a.Grid.Point(float64(i), float64(j), float64(k))
}
