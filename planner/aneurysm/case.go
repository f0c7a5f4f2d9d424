package aneurysm

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/mesh/vessel"
	"halsted/planner"
	"halsted/planner/rules"

	"gonum.org/v1/gonum/spatial/r3"
)

// Name is the procedure that this package plans.
const Name = "vessel.aneurysm"

// Config says what is known beside the masks; zero values mean not known.
type Config struct {
	Case        string           // planner.Case.ID, for the plans
	Patient     *planner.Patient // sex, family history, blood pressures
	LowestRenal *r3.Vec          // the origin of the lowest renal artery, LPS mm; nil: from side branches of the lumen
	NoContrast  bool             // the scan was made without contrast in the arteries
	// ThicknessMM is the measured thickness of the wall and ThicknessGSD its
	// geometric standard deviation; both 0: those of the tissue library.
	ThicknessMM, ThicknessGSD float64
	Devices                   []rules.Device // nil: the shipped ones
	Mesh                      MeshOptions
	// WallRecord names a fibre-reinforced wall of the tissue library (model "goh" or
	// "hgo") in place of Raghavan–Vorp; its constants are then not spread.
	WallRecord string
}

// BorderError says that the aneurysm is cut off by the border of the scan.
type BorderError struct {
	Side  string // "left side", "upper end", …
	Area  float64
	Field string
}

func (e *BorderError) Error() string {
	return fmt.Sprintf("aneurysm: the %s touches the %s of the scanned field over %.0f mm²: it is cut off there; give a scan that holds the whole aneurysm", e.Field, e.Side, e.Area)
}

// Case is one prepared aneurysm. It implements planner.Procedure; it is
// immutable but for a cache of results.
type Case struct {
	Config Config
	Shape  *Shape    // from a little above the lowest renal artery (or the top) to a little above the bifurcation
	Side   [2]*Shape // common iliac arteries, left and right, lumen only; nil: not seen
	Neck   *Neck     // nil: the lowest renal artery is not known
	Lost   []Loss    // outputs that are not given, and why
	inputs []planner.Input

	grid      imaging.Grid // of the scan
	voxelMM   [3]float64
	topMM     float64 // arc length of the first station from the lowest renal artery, negative above it
	devices   []rules.Device
	flags     []planner.Flag
	bifurMM   float64 // arc length of the bifurcation from the lowest renal artery
	sideSplit [2]float64
	noWall    bool // the wall cannot be meshed: stresses are lost
	results   cache
}

// Loss is an output that is not given.
type Loss struct{ Output, Why string }

const (
	cropMM   = 8   // margin around the masks
	sideMM2  = 20  // of the lumen's area on a side of the field that is no noise
	angles   = 64  // of a section
	stepMM   = 1   // between stations
	chord    = 6   // stations each way that the direction of flow is taken over
	smoothMM = 12  // over which the centreline is averaged each way
	lowEnd   = 1.2 // radii above the bifurcation where the model ends: sections below it hold both iliac arteries
)

// New prepares a case from segments: imaging.LabelAorta is the lumen (with what
// branches it has), imaging.LabelVesselWall the wall and the thrombus, if they
// were seen.
//
// Errors: *MissingError, *BorderError, *InputError, those of vessel.Extract and
// of the input distributions (a thickness without spread is
// *uncertainty.NoSpreadError), ctx.Err().
func New(ctx context.Context, segs *imaging.Segments, cfg Config) (*Case, error) {
	if p := cfg.Patient; p != nil {
		if err := p.Validate(); err != nil {
			return nil, &InputError{"Patient", err.Error()}
		}
	}
	if id := cfg.WallRecord; id != "" {
		if _, err := GOHWall(id); err != nil {
			return nil, &InputError{"WallRecord", err.Error()}
		}
	}
	lumen, wall := segs.Bit(imaging.LabelAorta), segs.Bit(imaging.LabelVesselWall)
	box := segs.Grid.Bounds(func(n int) bool { return lumen != 0 && segs.Bits[n]&lumen != 0 })
	if box.Empty() {
		return nil, &MissingError{"lumen of the aorta", "segment it with contrast, or import a mask"}
	}
	if err := cutOff(segs, lumen|wall); err != nil {
		return nil, err
	}
	c := &Case{Config: cfg, grid: segs.Grid, voxelMM: segs.Grid.SpacingMM()}
	both := segs.Grid.Bounds(func(n int) bool { return segs.Bits[n]&(lumen|wall) != 0 })
	s := segs.Crop(both.Grow(segs.Grid, cropMM))
	mask := filter.LargestOf(s.Grid, vessel.MaskOf(s, imaging.LabelAorta))
	tree, rep, err := vessel.Extract(ctx, s.Grid, mask, vessel.Options{System: imaging.LabelAorta, Roots: []r3.Vec{top(s.Grid, mask)}})
	if err != nil {
		return nil, fmt.Errorf("aneurysm: %w", err)
	}
	a, err := findAorta(tree)
	if err != nil {
		return nil, err
	}
	in, err := smoothed(ctx, s.Grid, mask)
	if err != nil {
		return nil, err
	}
	var out *field
	if wall != 0 && s.Count(imaging.LabelVesselWall) > 0 {
		whole := filter.Where(len(s.Bits), func(n int) bool { return mask[n] || s.Bits[n]&wall != 0 })
		if out, err = smoothed(ctx, s.Grid, whole); err != nil {
			return nil, err
		}
	}
	if err := c.measure(a, in, out); err != nil {
		return nil, err
	}
	if err := c.ends(segs.Grid); err != nil {
		return nil, err
	}
	if err := c.flag(rep); err != nil {
		return nil, err
	}
	if err := c.makeInputs(); err != nil {
		return nil, err
	}
	median := planner.Medians(c.inputs)
	if _, err := NewWall(c.Shape, median[inThickness], c.meshOptions(planner.L2)); err != nil {
		c.noWall = true
		for _, id := range stressOutputs {
			c.Lost = append(c.Lost, Loss{id, err.Error()})
		}
	}
	if c.devices = cfg.Devices; c.devices == nil {
		if c.devices, err = rules.Devices(Name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// cutOff refuses masks that lie on a side of the field across the body axis.
func cutOff(s *imaging.Segments, bits uint32) error {
	g, h := s.Grid, s.Grid.SpacingMM()
	for axis := range 3 {
		if math.Abs(g.Axes[axis].Z) > 0.7*h[axis] {
			continue // along the body: the aorta goes on there
		}
		face := h[(axis+1)%3] * h[(axis+2)%3]
		var area [2]float64
		for n, b := range s.Bits {
			if b&bits == 0 {
				continue
			}
			i, j, k := g.IJK(n)
			at := [3]int{i, j, k}[axis]
			if at == 0 {
				area[0] += face
			}
			if at == g.Size[axis]-1 {
				area[1] += face
			}
		}
		for e, v := range area {
			if v <= sideMM2 {
				continue
			}
			d := r3.Scale(float64(2*e-1), g.Axes[axis])
			side := [2]string{"right side", "left side"}[b2i(d.X > 0)]
			if math.Abs(d.Y) > math.Abs(d.X) {
				side = [2]string{"front", "back"}[b2i(d.Y > 0)]
			}
			return &BorderError{Side: side, Area: v, Field: "aorta"}
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// top is the middle of the highest voxels of the mask, as far into it as its
// outline is wide, LPS mm.
func top(g imaging.Grid, m filter.Mask) r3.Vec {
	high := math.Inf(-1)
	for n, in := range m {
		if in {
			i, j, k := g.IJK(n)
			high = max(high, g.Point(float64(i), float64(j), float64(k)).Z)
		}
	}
	var sum r3.Vec
	count := 0.0
	h := g.SpacingMM()
	for n, in := range m {
		if in {
			i, j, k := g.IJK(n)
			if p := g.Point(float64(i), float64(j), float64(k)); p.Z > high-max(h[0], h[1], h[2]) {
				sum, count = r3.Add(sum, p), count+1
			}
		}
	}
	return r3.Scale(1/count, sum)
}

// smoothed is a mask averaged over about a voxel.
func smoothed(ctx context.Context, g imaging.Grid, m filter.Mask) (*field, error) {
	v := make([]float32, len(m))
	for n, in := range m {
		if in {
			v[n] = 1
		}
	}
	h := g.SpacingMM()
	out, err := filter.Gaussian(ctx, g, v, 0.7*max(h[0], h[1], h[2]))
	if err != nil {
		return nil, fmt.Errorf("aneurysm: %w", err)
	}
	return &field{g, out}, nil
}

// trace makes a shape along a curve from s0 to s1.
func trace(l polyline, s0, s1 float64, in, out *field, what string) (*Shape, error) {
	if s1-s0 < minStations {
		return nil, &InputError{what, fmt.Sprintf("is %.0f mm long: want at least %d mm", s1-s0, minStations)}
	}
	n := int(math.Round((s1-s0)/stepMM)) + 1
	s := &Shape{StepMM: (s1 - s0) / float64(n-1)}
	for i := range n {
		s.Centre = append(s.Centre, l.at(s0+s.StepMM*float64(i)))
	}
	s.U, s.V = frames(s.Centre, chord)
	rows := func(f *field) ([][]float64, error) {
		out := make([][]float64, n)
		for i := range n {
			for j := range angles {
				sin, cos := math.Sincos(2 * math.Pi * float64(j) / angles)
				d := r3.Add(r3.Scale(cos, s.U[i]), r3.Scale(sin, s.V[i]))
				r := f.reach(s.Centre[i], d, maxRadiusMM)
				if r <= 0 || r >= maxRadiusMM {
					return nil, &InputError{what, fmt.Sprintf("has its centreline outside the mask %.0f mm down; check the mask for holes and for thrombus taken for blood", s0+s.StepMM*float64(i))}
				}
				out[i] = append(out[i], r)
			}
		}
		return blurred(out), nil
	}
	var err error
	if s.Lumen, err = rows(in); err != nil {
		return nil, err
	}
	if out != nil {
		if s.Outer, err = rows(out); err != nil {
			return nil, err
		}
		const thinnest = 0.3 // mm between lumen and outer border where they meet in the masks
		for i, row := range s.Outer {
			for j := range row {
				row[j] = max(row[j], s.Lumen[i][j]+thinnest)
			}
		}
	}
	return s, s.Validate()
}

// blurred takes the steps of voxels out of a border: four passes of ¼, ½, ¼
// along and around.
func blurred(r [][]float64) [][]float64 {
	n, m := len(r), len(r[0])
	for range 4 {
		next := make([][]float64, n)
		for i := range n {
			a, b := r[max(i-1, 0)], r[min(i+1, n-1)]
			row := make([]float64, m)
			for j := range m {
				row[j] = a[j]/4 + r[i][j]/2 + b[j]/4
			}
			next[i] = make([]float64, m)
			for j := range m {
				next[i][j] = row[(j+m-1)%m]/4 + row[j]/2 + row[(j+1)%m]/4
			}
		}
		r = next
	}
	return r
}
