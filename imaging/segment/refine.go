package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Refinement asks for a structure to be put right near some points.
type Refinement struct {
	Label   imaging.Label
	Inside  []r3.Vec // points of it, LPS mm: clicks, or a scribble sampled at the voxels it meets
	Outside []r3.Vec // points that are not
	ReachMM float64  // nothing changes farther than this from every point; 0 is DefaultReachMM
}

// DefaultReachMM is the reach of a Refinement that names none.
const DefaultReachMM = 30

// Bounds of a Refinement.
const (
	LeastReachMM = 2
	MostReachMM  = 150
	MostPoints   = 20000
)

// Refined says what a refinement did.
type Refined struct {
	AddedML, RemovedML float64
	WorkMM             float64 // voxel size at which the outline was sought
	Decided            int     // voxels of that size that were free to change
	Agreed             int     // points where the structure already was as asked
}

// PointError is a point that cannot be used, with the numbers that say why.
type PointError struct {
	Inside bool // which list it stands in
	Path   bool // it is one of the path of an edit, not of a Refinement
	Number int  // its place there, from 1
	LPS    r3.Vec
	Value  float64 // of the volume there, HU or arbitrary; NaN outside the volume
	Why    string
}

func (e *PointError) Error() string {
	kind := "outside"
	switch {
	case e.Path:
		kind = "path"
	case e.Inside:
		kind = "inside"
	}
	s := fmt.Sprintf("segment: %s point %d at %.1f,%.1f,%.1f mm", kind, e.Number, e.LPS.X, e.LPS.Y, e.LPS.Z)
	if !math.IsNaN(e.Value) {
		s += fmt.Sprintf(" (value %.0f)", e.Value)
	}
	return s + " " + e.Why
}

// Refine corrects one structure of s around the points of r, and leaves all
// others alone. Where a point contradicts s, connected voxels around it change
// over: those whose value is likelier near the point than elsewhere on its side
// of the outline, and those the outline must pass to put the point in the middle
// of what changes, up to an edge of the image. That is a minimum cut (Boykov,
// Jolly, ICCV 2001, equation 1) of blocks of about 1.5 mm within reach; the
// outline is interpolated between them. A point that agrees with s holds the
// outline. Afterwards every inside point is inside and every outside point
// outside, no voxel beyond the reach has changed, and none outside the body that
// s holds has joined.
//
// v is the volume of s, on the same grid. The result is the same bits for any
// GOMAXPROCS. Refine changes s and returns what changed; on an error s is as it
// was. A point outside the volume or the body, or two that contradict each
// other, is a *PointError.
func Refine(ctx context.Context, v *imaging.Volume, s *imaging.Segments, r Refinement) (*Patch, Refined, error) {
	if err := sameGrid(v, s); err != nil {
		return nil, Refined{}, err
	}
	if r.ReachMM == 0 {
		r.ReachMM = DefaultReachMM
	}
	if !(r.ReachMM >= LeastReachMM && r.ReachMM <= MostReachMM) {
		return nil, Refined{}, fmt.Errorf("segment: a reach of %g mm; it must be from %d to %d", r.ReachMM, LeastReachMM, MostReachMM)
	}
	if n := len(r.Inside) + len(r.Outside); n == 0 || n > MostPoints {
		return nil, Refined{}, fmt.Errorf("segment: a refinement by %d points; it needs 1 to %d", n, MostPoints)
	}
	if s.Bit(r.Label) == 0 {
		return nil, Refined{}, &NotFoundError{r.Label, "there is nothing to refine; paint it with a brush first"}
	}
	want, err := asked(v, s, r)
	if err != nil {
		return nil, Refined{}, err
	}
	c, err := newRefineCut(ctx, v, s, r, want)
	if err != nil {
		return nil, Refined{}, err
	}
	if err := c.solve(ctx); err != nil {
		return nil, Refined{}, err
	}
	p := c.paint()
	ml := s.Grid.VoxelMM3() / 1000
	return p, Refined{float64(p.Added) * ml, float64(p.Removed) * ml, c.stepMM, c.decided, c.agreed}, nil
}

// sameGrid checks that a volume and masks fit together.
func sameGrid(v *imaging.Volume, s *imaging.Segments) error {
	if err := v.Validate(); err != nil {
		return err
	}
	if len(s.Bits) != s.Grid.Len() || len(s.Of) > 32 {
		return fmt.Errorf("segment: masks of %d voxels and %d structures on a grid of %v", len(s.Bits), len(s.Of), s.Grid.Size)
	}
	if !v.Grid.Matches(s.Grid, gridTolMM) {
		return fmt.Errorf("segment: the volume has %v voxels and the masks have %v, or they lie elsewhere; resample one of them", v.Grid.Size, s.Grid.Size)
	}
	return nil
}

// gridTolMM is how far the voxels of a volume and its masks may lie apart.
const gridTolMM = 1e-3

// wanted is a voxel and whether it is to be inside.
type wanted struct {
	n  int
	in bool
}

// asked are the voxels of the points, in their order, each once.
func asked(v *imaging.Volume, s *imaging.Segments, r Refinement) ([]wanted, error) {
	g, body := s.Grid, s.Bit(imaging.LabelBody)
	var out []wanted
	seen := map[int]bool{}
	for _, list := range []struct {
		in  bool
		pts []r3.Vec
	}{{true, r.Inside}, {false, r.Outside}} {
		for m, p := range list.pts {
			fail := func(value float64, why string, args ...any) error {
				return &PointError{Inside: list.in, Number: m + 1, LPS: p, Value: value, Why: fmt.Sprintf(why, args...)}
			}
			n, ok := voxelAt(g, p)
			if !ok {
				return nil, fail(math.NaN(), "%s", beyond(g))
			}
			if body != 0 && r.Label != imaging.LabelBody && s.Bits[n]&body == 0 {
				return nil, fail(v.Value(n), "lies outside the body; move it into the body")
			}
			if was, ok := seen[n]; ok && was != list.in {
				return nil, fail(v.Value(n), sharesVoxel)
			} else if !ok {
				seen[n] = list.in
				out = append(out, wanted{n, list.in})
			}
		}
	}
	return out, nil
}

// beyond says that a point lies outside a grid, and where that lies.
func beyond(g imaging.Grid) string {
	a, b := g.Point(0, 0, 0), g.Point(float64(g.Size[0]-1), float64(g.Size[1]-1), float64(g.Size[2]-1))
	return fmt.Sprintf("lies outside the volume, which runs from %.1f,%.1f,%.1f to %.1f,%.1f,%.1f mm", a.X, a.Y, a.Z, b.X, b.Y, b.Z)
}

// voxelAt is the voxel that holds p.
func voxelAt(g imaging.Grid, p r3.Vec) (int, bool) {
	if d := p.X + p.Y + p.Z; math.IsNaN(d) || math.IsInf(d, 0) {
		return 0, false
	}
	x, y, z := g.Voxel(p)
	for a, u := range [3]float64{x, y, z} {
		if !(u > -0.5 && u < float64(g.Size[a])-0.5) {
			return 0, false
		}
	}
	i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
	return g.Index(min(max(i, 0), g.Size[0]-1), min(max(j, 0), g.Size[1]-1), min(max(k, 0), g.Size[2]-1)), true
}
