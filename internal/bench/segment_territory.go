package main

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/mesh/vessel"
)

// territoryLevels are how many segments of a complete tree of about 600 a
// trial shows.
var territoryLevels = []int{207, 121, 70, 38}

// territoryFigures tries Territories on synthetic complete trees of both
// growths in ellipsoids and phantom livers, seeds first … first+seeds−1 each,
// at every level: four trials a seed and level. The fitted numbers of
// mesh/vessel come from seeds 1001–1010.
func territoryFigures(ctx context.Context, first uint64, seeds int) (map[int][]*vessel.Trial, error) {
	const stepMM = 2.5
	out := map[int][]*vessel.Trial{}
	for seed := first; seed < first+uint64(seeds); seed++ {
		for _, how := range []vessel.Growth{vessel.GrowOptimised, vessel.GrowSplit} {
			for _, c := range []*vessel.Case{vessel.EllipsoidCase(how, stepMM, seed), liverCase(how, stepMM, seed)} {
				for _, count := range territoryLevels {
					t, err := c.Try(ctx, count, vessel.SupplyOptions{StepMM: stepMM})
					if err != nil {
						return nil, fmt.Errorf("territories, growth %d, seed %d, %d segments: %w", how, seed, count, err)
					}
					out[count] = append(out[count], t)
				}
			}
		}
	}
	return out, nil
}

// liverCase grows a complete tree from the portal trunk of a phantom liver.
func liverCase(how vessel.Growth, stepMM float64, seed uint64) *vessel.Case {
	l := phantom.NewLiver(seed)
	g := l.GridAt([3]float64{stepMM, stepMM, stepMM})
	seg := l.Truth(g)
	bit := seg.Bit(imaging.LabelLiver)
	box := g.Bounds(func(n int) bool { return seg.Bits[n]&bit != 0 })
	crop := g.Crop(box)
	organ := make([]bool, crop.Len())
	for n := range organ {
		i, j, k := crop.IJK(n)
		organ[n] = seg.Bits[g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])]&bit != 0
	}
	trunk := l.Branches()[0].Line
	return vessel.NewCase(how, crop, organ, trunk[0], trunk[len(trunk)-1], seed)
}

// segmentTerritories are the rows of territories: ten seeds that no fitted
// number has seen.
func segmentTerritories(ctx context.Context) ([]Row, error) {
	const first, seeds = 1, 10
	got, err := territoryFigures(ctx, first, seeds)
	if err != nil {
		return nil, err
	}
	var rows []Row
	add := func(name string, trials []*vessel.Trial, limit, least float64) {
		var near, resist, own, sure, wrong, worst, width, covered, counted, cut, cuts, branches float64
		for _, t := range trials {
			n := float64(len(trials))
			near, resist, own = near+100*t.Nearest/n, resist+100*t.Resistance/n, own+100*t.Own/n
			sure, wrong, width = sure+100*t.Sure/n, wrong+100*t.Sure*t.SureWrong/n, width+100*t.Width/n
			branches += float64(t.Branches) / n
			worst = max(worst, 100*t.WorstOwn)
			covered, counted = covered+float64(t.Covered), counted+float64(t.Counted)
			cut, cuts = cut+float64(t.CutCovered), cuts+float64(t.CutCounted)
		}
		note := fmt.Sprintf("%.0f branches; whole organ %.1f %% wrong, nearest branch %.1f, least resistance %.1f; worst segment %.1f points", branches, own, near, resist, worst)
		rows = append(rows, atMost("territory error where declared sure, "+name, 100*wrong/max(sure, 1e-9), "%", limit, note),
			atLeast("territory declared sure, "+name, sure, "%", least, "known: 49–61 %"),
			atMost("true volume outside its 95 % interval, "+name, 100*(1-covered/counted), "%", noLimit, fmt.Sprintf("mean width %.1f points; quick interval of a cut misses %.1f %%", width, 100*(1-cut/cuts))))
	}
	var all []*vessel.Trial
	for _, count := range territoryLevels {
		add(fmt.Sprintf("%d segments seen", count), got[count], noLimit, -noLimit)
		all = append(all, got[count]...)
	}
	add("all", all, 3, 55)
	for n, name := range []string{"optimised growth", "split growth"} {
		var some []*vessel.Trial
		for _, count := range territoryLevels {
			for m, t := range got[count] {
				if m/2%2 == n {
					some = append(some, t)
				}
			}
		}
		add(name, some, noLimit, -noLimit)
	}
	return rows, nil
}
