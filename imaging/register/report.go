package register

import (
	"fmt"

	"gonum.org/v1/gonum/spatial/r3"
)

// Report says how a registration went. It is filled as far as the work got
// also when an error is returned.
type Report struct {
	Metric  Metric
	Value   float64 // of the metric at the result, finest level
	Overlap float64 // shared volume / volume of the smaller image (inside the masks), 0 … 1

	Levels     []LevelReport // coarsest first, forward direction
	Iterations int           // forward, all levels and starts
	Calls      int           // evaluations of the metric, everything included

	Starts    int     // positions from which a search was run at the coarsest level
	Agreed    int     // of these, the ones that ended within one coarse voxel of the result
	CaptureMM float64 // distance (root mean square over the image) of the farthest agreeing start from the result

	// Sharpness is the smallest loss of mutual information when the result is
	// moved three voxels of the finest level in any direction of its parameters,
	// in standard deviations of the mutual information of unrelated images.
	Sharpness float64
	WeakestMM r3.Vec // the shift, in mm, of that weakest direction, which is 1 mm long with its turn and scaling
	Weakest   string // "shift", "turn" or "scale": what the weakest direction mostly is

	// The stated error: how far forward and then backward registration, each
	// from its own start, leave points of the fixed image from where they were,
	// in mm. Checked is false when the backward registration was not run.
	Checked     bool
	MeanErrorMM float64
	MaxErrorMM  float64

	// Confidence, 0 … 1, ranks results; it is no probability. It is the product
	// of 1/(1+(e/h)²) with the mean error e and the finest spacing h (1 when not
	// checked), min(1, Sharpness/50) and min(1, 2·Overlap).
	Confidence float64
}

// LevelReport is one level of the forward search.
type LevelReport struct {
	SpacingMM  float64
	Samples    int
	Iterations int
	Value      float64 // of the metric at the level's end
}

// ConstantError says that an image has one value only (inside its mask), so
// nothing can be compared.
type ConstantError struct{ Image string } // "fixed" or "moving"

func (e *ConstantError) Error() string {
	return fmt.Sprintf("register: the %s image has one value everywhere (inside its mask, if it has one); check that the right series and mask were read", e.Image)
}

// OverlapError says that the images share too little.
type OverlapError struct {
	Fraction float64 // shared volume / volume of the smaller image
	Min      float64 // Options.MinOverlap
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("register: the images share %.1f %% of the smaller one, less than %.1f %%; give a start that brings them together, or another pair", 100*e.Fraction, 100*e.Min)
}

// FlatError says that the metric does not single out a position: noise, too
// little structure, or a symmetric object.
type FlatError struct {
	Sharpness float64 // as in Report
	Min       float64
	Direction string // "shift", "turn" or "scale"
}

func (e *FlatError) Error() string {
	return fmt.Sprintf("register: the metric is flat along a %s: three voxels off lose %.1f standard deviations of chance, at least %.0f are needed; the images have too little in common, or are symmetric", e.Direction, e.Sharpness, e.Min)
}

// InconsistentError says that registering forward and backward disagree.
type InconsistentError struct {
	MeanMM, MaxMM float64
	LimitMM       float64 // for the mean
}

func (e *InconsistentError) Error() string {
	return fmt.Sprintf("register: forward and backward registration disagree by %.2f mm on the mean (%.2f mm at most), more than %.2f mm; give a better start or masks", e.MeanMM, e.MaxMM, e.LimitMM)
}
