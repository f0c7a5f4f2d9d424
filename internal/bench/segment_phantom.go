package main

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/imaging/segment"
)

// phantomSeeds is how many patients the recipe is tried on.
const phantomSeeds = 20

// segmentPhantoms runs the recipe on patients it was not fitted to: another
// anatomy, liver density, enhancement and noise for each seed.
func segmentPhantoms(ctx context.Context) ([]Row, error) {
	worst, mean, at := 1.0, 0.0, uint64(0)
	for seed := uint64(1); seed <= phantomSeeds; seed++ {
		l := phantom.NewLiver(seed)
		g := l.GridAt([3]float64{1.5, 1.5, 2})
		v, err := l.Scan(ctx, g, phantom.NewVariation(seed), nil)
		if err != nil {
			return nil, err
		}
		got, _, err := auto(ctx, v)
		if err != nil {
			return nil, err
		}
		truth := l.Truth(g)
		d := segment.Dice(g.Len(), in(got, imaging.LabelLiver), in(truth, imaging.LabelLiver))
		mean += d / phantomSeeds
		if d < worst {
			worst, at = d, seed
		}
	}
	return []Row{
		atLeast(fmt.Sprintf("%d random phantoms, noise and contrast varied: worst liver Dice (seed %d)", phantomSeeds, at), worst, "1", 0.95, "–"),
		atLeast(fmt.Sprintf("%d random phantoms: mean liver Dice", phantomSeeds), mean, "1", noFloor, "–"),
	}, nil
}
