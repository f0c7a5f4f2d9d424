package register

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"halsted/imaging"
)

// Metric is the measure of similarity.
type Metric uint8

// The metrics. With H the entropies of the fixed values, of the moving values
// and of both together, in nats:
const (
	NMI Metric = iota // (H(f)+H(m)) / H(f,m), between 1 and 2 (Studholme, Hill, Hawkes, Pattern Recognition 32 (1999) 71)
	MI                // H(f)+H(m) − H(f,m) (Viola, Wells, IJCV 24 (1997) 137)
)

func (m Metric) String() string {
	if m == MI {
		return "MI"
	}
	return "NMI"
}

// Start says where the search begins.
type Start uint8

// The starts. All but StartGiven are also tried turned by ±15° about each
// patient axis.
const (
	StartAuto     Start = iota // the three below
	StartIdentity              // patient coordinates as they are
	StartCentre                // middle of the grid on middle of the grid
	StartMass                  // centre of mass on centre of mass
	StartGiven                 // Options.Given alone
)

// Options of a registration; the zero value is sensible.
type Options struct {
	Metric Metric
	Start  Start
	Given  Transform // for StartGiven

	// FixedMask and MovingMask, when not nil, hold one entry per voxel of their
	// volume; voxels where it is false count for nothing.
	FixedMask, MovingMask []bool

	SpacingMM  float64 // of the finest level; 0: the coarser of the two images' cube-root voxels, at least 1/160 of the extent
	Levels     int     // at most 8; 0: halving the resolution until 24 voxels span the larger image
	Bins       int     // of the histogram, 8 … 128; 0: 48
	Samples    int     // per level, at least 1000; 0: 60000
	Seed       uint64  // of the sampling; part of the result
	MinOverlap float64 // of the smaller image, 0 … 1; 0: 0.25

	// MaxErrorMM refuses a result whose forward and backward maps disagree by
	// more, on the mean, in mm; 0: twice SpacingMM.
	MaxErrorMM float64

	// ForwardOnly leaves out the backward registration: half the time, but no
	// error estimate.
	ForwardOnly bool

	// Progress, when not nil, is called with growing values up to 1, from one
	// goroutine.
	Progress func(done float64)
}

const (
	defaultBins    = 48
	defaultSamples = 60000
	defaultOverlap = 0.25
	finestShare    = 160 // voxels along the larger extent at the finest level, at most
	coarsestShare  = 24  // the same at the coarsest
	maxLevels      = 8
)

// ErrOptions is wrapped by errors about Options and volumes that cannot be
// registered at all: masks of the wrong length, values out of range, a volume
// with fewer than two voxels along an axis.
var ErrOptions = errors.New("register: bad input")

// complete checks o against the volumes and fills in the defaults.
func (o Options) complete(fixed, moving *imaging.Volume) (Options, error) {
	bad := func(format string, a ...any) (Options, error) {
		return o, fmt.Errorf("%w: %s", ErrOptions, fmt.Sprintf(format, a...))
	}
	for _, v := range []struct {
		name string
		v    *imaging.Volume
		mask []bool
	}{{"fixed", fixed, o.FixedMask}, {"moving", moving, o.MovingMask}} {
		if v.v == nil {
			return bad("no %s volume", v.name)
		}
		if err := v.v.Validate(); err != nil {
			return bad("%s volume: %v", v.name, err)
		}
		if s := v.v.Slope + v.v.Intercept; math.IsNaN(s) || math.IsInf(s, 0) {
			return bad("%s volume: slope %g, intercept %g", v.name, v.v.Slope, v.v.Intercept)
		}
		for a, n := range v.v.Grid.Size {
			if n < 2 {
				return bad("%s volume has one voxel along %c; a position along it cannot be found", v.name, "ijk"[a])
			}
		}
		if v.mask != nil && len(v.mask) != len(v.v.Data) {
			return bad("%s mask has %d entries for %d voxels", v.name, len(v.mask), len(v.v.Data))
		}
	}
	return o.completeGrids(fixed.Grid, moving.Grid)
}

// completeGrids is what complete does that needs no samples.
func (o Options) completeGrids(fixed, moving imaging.Grid) (Options, error) {
	bad := func(format string, a ...any) (Options, error) {
		return o, fmt.Errorf("%w: %s", ErrOptions, fmt.Sprintf(format, a...))
	}
	if o.Metric > MI {
		return bad("metric %d", o.Metric)
	}
	if o.Start > StartGiven {
		return bad("start %d", o.Start)
	}
	if o.Start == StartGiven {
		if err := o.Given.Validate(); err != nil {
			return o, fmt.Errorf("%w: Given: %w", ErrOptions, err)
		}
	}
	extent := math.Max(longest(fixed), longest(moving))
	if o.SpacingMM == 0 {
		o.SpacingMM = math.Max(math.Cbrt(math.Max(fixed.VoxelMM3(), moving.VoxelMM3())), extent/finestShare)
	}
	if !(o.SpacingMM > 0 && o.SpacingMM <= extent) {
		return bad("SpacingMM %g; want more than 0 and at most the extent, %.4g mm", o.SpacingMM, extent)
	}
	if o.Levels == 0 {
		o.Levels = 1
		for h := 2 * o.SpacingMM; h < 1.5*extent/coarsestShare && o.Levels < maxLevels; h *= 2 {
			o.Levels++
		}
	}
	if o.Bins == 0 {
		o.Bins = defaultBins
	}
	if o.Samples == 0 {
		o.Samples = defaultSamples
	}
	if o.MinOverlap == 0 {
		o.MinOverlap = defaultOverlap
	}
	if o.MaxErrorMM == 0 {
		o.MaxErrorMM = 2 * o.SpacingMM
	}
	switch {
	case o.Levels < 1 || o.Levels > maxLevels:
		return bad("%d levels; want 1 to %d", o.Levels, maxLevels)
	case o.Bins < 8 || o.Bins > 128:
		return bad("%d bins; want 8 to 128", o.Bins)
	case o.Samples < 1000 || o.Samples > math.MaxInt32:
		return bad("%d samples; want at least 1000", o.Samples)
	case !(o.MinOverlap > 0 && o.MinOverlap <= 1):
		return bad("MinOverlap %g; want more than 0, at most 1", o.MinOverlap)
	case !(o.MaxErrorMM > 0) || math.IsInf(o.MaxErrorMM, 1):
		return bad("MaxErrorMM %g; want a positive length", o.MaxErrorMM)
	}
	return o, nil
}

// longest is the longest side of g in mm.
func longest(g imaging.Grid) (mm float64) {
	for a, s := range g.SpacingMM() {
		mm = math.Max(mm, s*float64(g.Size[a]))
	}
	return mm
}

// steps are the spacings of the levels in mm, coarsest first.
func (o Options) steps() []float64 {
	s := make([]float64, o.Levels)
	for l := range s {
		s[l] = o.SpacingMM * float64(int(1)<<(o.Levels-1-l))
	}
	return s
}

// Memory is the most bytes that registering volumes on these grids takes
// beyond the volumes and masks themselves, within a fifth. Errors wrap
// ErrOptions.
func Memory(fixed, moving imaging.Grid, o Options) (int64, error) {
	for _, g := range []imaging.Grid{fixed, moving} {
		if err := g.Validate(); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	o, err := o.completeGrids(fixed, moving)
	if err != nil {
		return 0, err
	}
	var kept, most int64
	for n, g := range []imaging.Grid{fixed, moving} {
		c := factors(g, o.SpacingMM)
		fine, _ := coarse(g, c)
		slice := int64(g.Size[0]) * int64(g.Size[1])
		stack := slice / int64(c[0]*c[1]) * int64(g.Size[2])
		most = max(most, 4*(stack+2*slice*int64(runtime.GOMAXPROCS(0))))
		levels := int64(fine.Len()) * 8 / 7
		if (n == 0 && o.FixedMask != nil) || (n == 1 && o.MovingMask != nil) {
			levels *= 3 // weights, and the list of voxels to draw from
		}
		kept += 4 * levels
	}
	return kept + most + int64(o.Samples)*sampleBytes + fixedBytes, nil
}

const (
	sampleBytes = 24 + 1 + 64 // of one sample and what a metric keeps of it
	fixedBytes  = 4 << 20     // histograms and tables
)
