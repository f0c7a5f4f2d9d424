package contour

import (
	"context"
	"errors"
	"fmt"

	"halsted/imaging"
	"halsted/mesh"
)

// Options controls Extract and NewNet; the zero value extracts every label
// unsmoothed.
type Options struct {
	SmoothPasses int // passes of Extract, at most MaxSmoothPasses
	// Keep chooses the labels to extract; the others count as background.
	// nil keeps all.
	Keep func(imaging.Label) bool
	// Manifold gives a cell in which sheets pass each other one vertex per
	// sheet; see the package comment.
	Manifold    bool
	MemoryLimit int64 // bytes for the surface and its work space; 0: DefaultMemoryLimit
}

// Limits of Options.
const (
	MaxSmoothPasses    = 1000
	DefaultMemoryLimit = 4 << 30
)

// ErrEmpty says that no kept label is in the map.
var ErrEmpty = errors.New("contour: no voxel carries a label to extract; check the segmentation or the choice of labels")

// LimitError says that the surface would not fit in memory, as happens with
// label maps of noise.
type LimitError struct {
	Limit int64 // bytes
	Need  int64 // bytes, estimated before anything of that size is made
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("contour: the surface needs about %d MB, the limit is %d MB; clean or crop the labels, or raise Options.MemoryLimit", e.Need>>20, e.Limit>>20)
}

// Extract returns the surface of all kept labels: NewNet, Smooth, Restore and
// Surface in turn.
//
// Errors: ErrEmpty, *LimitError, ctx.Err(), or a plain error naming what is
// wrong with l or opt.
func Extract(ctx context.Context, l *imaging.Labels, opt Options) (*mesh.Surface, error) {
	if err := checkPasses(opt.SmoothPasses); err != nil {
		return nil, err
	}
	n, err := NewNet(ctx, l, opt)
	if err != nil {
		return nil, err
	}
	if err := n.Smooth(ctx, opt.SmoothPasses); err != nil {
		return nil, err
	}
	if err := n.Restore(ctx); err != nil {
		return nil, err
	}
	return n.Surface(), nil
}

func checkPasses(passes int) error {
	if passes < 0 || passes > MaxSmoothPasses {
		return fmt.Errorf("contour: %d smoothing passes; want 0 to %d", passes, MaxSmoothPasses)
	}
	return nil
}
