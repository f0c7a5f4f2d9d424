package segment

import (
	"context"

	"halsted/imaging/filter"
)

// prepareName is the operation every recipe begins with.
const prepareName = "prepare"

// prepareSettings are the numbers of the working image.
type prepareSettings struct{ StepMM, SmoothMM, SmoothHU float64 }

func prepareOperation() operation {
	return define(operation{
		name: prepareName, share: 0.15,
		doc: "block means on a coarser grid, and their guided filter that keeps edges",
	}, []parameter[prepareSettings]{
		{Parameter{"StepMM", "mm", 0.5, 5, "voxel size at which shapes are found"}, func(s *prepareSettings) *float64 { return &s.StepMM }},
		{Parameter{"SmoothMM", "mm", 1, 20, "radius of the edge-preserving filter"}, func(s *prepareSettings) *float64 { return &s.SmoothMM }},
		{Parameter{"SmoothHU", "HU", 1, 200, "contrast that the filter keeps"}, func(s *prepareSettings) *float64 { return &s.SmoothHU }},
	}, nil, prepare)
}

// prepare makes the working image.
func prepare(ctx context.Context, w *work, s prepareSettings) (err error) {
	if w.c, err = filter.Reduce(ctx, w.v, s.StepMM); err != nil {
		return err
	}
	if w.smooth, err = filter.Guided(ctx, w.c.Grid, w.c.HU, filter.Radius(w.c.Grid, s.SmoothMM), s.SmoothHU); err != nil {
		return err
	}
	return w.showField("smooth, HU", w.c.Grid, w.smooth)
}
