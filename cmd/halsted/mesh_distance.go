package main

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/spatial"
)

// distanceResult is between two surfaces, both ways: the larger mean and the
// largest distance, with the point it was taken from, LPS mm.
type distanceResult struct {
	MeanMM  float64    `json:"mean_mm"`
	MaxMM   float64    `json:"max_mm"`
	MaxAtMM [3]float64 `json:"max_at_mm"`
}

// labelDistances compares the borders of each label in two surfaces at points
// at most about stepMM apart. Labels in one of them only are left out.
func labelDistances(ctx context.Context, a, b *mesh.Surface, stepMM float64) (map[imaging.Label]*distanceResult, error) {
	list, err := spatial.LabelDistance(ctx, a, b, spatial.DistanceOptions{StepMM: stepMM})
	if err != nil {
		return nil, err
	}
	out := map[imaging.Label]*distanceResult{}
	for _, d := range list {
		if math.IsNaN(d.There.MaxMM) || math.IsNaN(d.Back.MaxMM) {
			continue
		}
		far := d.There
		if d.Back.MaxMM > far.MaxMM {
			far = d.Back
		}
		out[d.Label] = &distanceResult{max(d.There.MeanMM, d.Back.MeanMM), far.MaxMM, point(far.MaxAt)}
	}
	return out, nil
}
