package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// Clicks tried in each tumour beside the middle of its box, and how deep they
// lie at least, as a part of the depth of the deepest voxel.
const (
	clicksTried = 10
	clickDepth  = 0.3
	liverClicks = 5
	refineTried = 20
)

// segmentClicks is what a person's clicks make of the case: each tumour from one
// click, and the liver from at most five of the simulated user.
func segmentClicks(ctx context.Context) ([]Row, error) {
	p, err := ircadPatient(ctx)
	if err != nil {
		return []Row{failedRow("ircad01_17, clicks", "1", "see the parts", err)}, nil
	}
	rows, err := tumourClicks(ctx, p)
	if err != nil {
		return nil, err
	}
	got, _, err := auto(ctx, p.v)
	if err != nil {
		return nil, err
	}
	start := segment.Dice(len(got.Bits), in(got, imaging.LabelLiver), in(p.truth, imaging.LabelLiver))
	clicks, err := segment.SimulateClicks(ctx, p.v, got, p.truth, imaging.LabelLiver, liverClicks, 0)
	if err != nil {
		return nil, err
	}
	best, after := start, 0 // a person stops when it is good
	for n, c := range clicks {
		if c.Dice > best {
			best, after = c.Dice, n+1
		}
	}
	return append(rows, atLeast(fmt.Sprintf("liver, %d clicks (automatic %.4f): Dice", after, start), best, "1", 0.965, "–")), nil
}

// tumourClicks grows both tumours from one click each, in the middle of its
// outline's box and at random places inside.
func tumourClicks(ctx context.Context, p *patient) ([]Row, error) {
	r, err := segment.Builtin(segment.AbdomenPortal)
	if err != nil {
		return nil, err
	}
	// what comes after the tumours does not change them
	r.Steps = r.Steps[:1+slices.IndexFunc(r.Steps, func(s segment.Step) bool { return s.Do == "tumours" })]
	tumours := []imaging.Label{imaging.LabelTumour, imaging.LabelTumour + 1}
	var at [2][]r3.Vec
	for t, l := range tumours {
		if at[t], err = clickPlaces(ctx, p, l, uint64(t)); err != nil {
			return nil, err
		}
	}
	var dice [2][]float64
	for n := range clicksTried + 1 {
		var seeds []segment.Seed
		for t, l := range tumours {
			seeds = append(seeds, segment.Seed{Label: l, LPS: at[t][n]})
		}
		got, _, err := segment.Run(ctx, p.v, r, segment.Options{Seeds: seeds})
		if err != nil {
			return nil, err
		}
		for t, l := range tumours {
			dice[t] = append(dice[t], segment.Dice(len(got.Bits), in(got, l), in(p.truth, l)))
		}
	}
	var rows []Row
	for t, l := range tumours {
		rows = append(rows, atLeast(fmt.Sprintf("%v, one click in its middle: Dice", l), dice[t][0], "1", 0.85, "–"))
		d := slices.Sorted(slices.Values(dice[t][1:]))
		rows = append(rows,
			atLeast(fmt.Sprintf("%v, one click at %d random places: median Dice", l, len(d)), (d[(len(d)-1)/2]+d[len(d)/2])/2, "1", 0.85, "–"),
			atLeast(fmt.Sprintf("%v, one click at %d random places: worst Dice", l, len(d)), d[0], "1", 0.85, "–"))
	}
	return rows, nil
}

// clickPlaces are the middle of a structure's box and random places well inside.
func clickPlaces(ctx context.Context, p *patient, l imaging.Label, stream uint64) ([]r3.Vec, error) {
	inside := in(p.truth, l)
	b := p.v.Grid.Bounds(inside)
	out := []r3.Vec{p.v.Grid.Point(float64(b.Lo[0]+b.Hi[0]-1)/2, float64(b.Lo[1]+b.Hi[1]-1)/2, float64(b.Lo[2]+b.Hi[2]-1)/2)}
	g, phi, err := distance.SignedCrop(ctx, p.v.Grid, b.Grow(p.v.Grid, 4).Clip(p.v.Grid), inside)
	if err != nil {
		return nil, err
	}
	deepest := slices.Min(phi)
	rng := rand.New(rand.NewPCG(stream, 77))
	for len(out) <= clicksTried {
		if n := rng.IntN(len(phi)); phi[n] < clickDepth*deepest {
			i, j, k := g.IJK(n)
			out = append(out, g.Point(float64(i), float64(j), float64(k)))
		}
	}
	return out, nil
}

// segmentRefine times refinements of the liver that was found: clicks that
// contradict it, at random places up to 15 mm on either side of its outline.
func segmentRefine(ctx context.Context) ([]Row, error) {
	item := fmt.Sprintf("%d refinements by a click, 512×512×119, 2 cores", refineTried)
	p, err := ircadPatient(ctx)
	if err != nil {
		return []Row{failedRow(item, "ms", "≤ 300", err)}, nil
	}
	got, _, err := auto(ctx, p.v)
	if err != nil {
		return nil, err
	}
	liver, body := in(got, imaging.LabelLiver), in(got, imaging.LabelBody)
	g, phi, err := distance.SignedCrop(ctx, p.v.Grid, p.v.Grid.Bounds(liver).Grow(p.v.Grid, 20).Clip(p.v.Grid), liver)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(5, 77))
	var ms []float64
	for len(ms) < refineTried {
		n := rng.IntN(len(phi))
		if phi[n] < -15 || phi[n] > 15 {
			continue
		}
		i, j, k := g.IJK(n)
		at := g.Point(float64(i), float64(j), float64(k))
		r := segment.Refinement{Label: imaging.LabelLiver}
		if phi[n] > 0 {
			r.Inside = []r3.Vec{at}
		} else {
			r.Outside = []r3.Vec{at}
		}
		x, y, z := p.v.Grid.Voxel(at)
		if !body(p.v.Grid.Index(int(x+0.5), int(y+0.5), int(z+0.5))) {
			continue
		}
		start := time.Now()
		change, _, err := segment.Refine(ctx, p.v, got, r)
		spent := time.Since(start)
		if err != nil {
			return nil, err
		}
		change.Revert(got)
		ms = append(ms, float64(spent.Microseconds())/1000)
	}
	slices.Sort(ms)
	return []Row{
		atMost(item+": worst", ms[len(ms)-1], "ms", 300, "–"),
		atMost(item+": median", ms[len(ms)/2], "ms", noLimit, "–"),
	}, nil
}
