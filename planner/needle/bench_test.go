package needle

import (
	"context"
	"errors"
	"sync"
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/planner"
)

var abdomen = sync.OnceValue(func() *imaging.Segments { return syntheticAbdomen(1, [3]float64{0.75, 0.75, 2}) })

// syntheticAbdomen is a patient of imaging/phantom with all its truth.
func syntheticAbdomen(seed uint64, spacing [3]float64) *imaging.Segments {
	l := phantom.NewLiver(seed)
	g := l.GridAt(spacing)
	s, o := l.Truth(g), l.OrganTruth(g)
	for b, lab := range o.Of {
		bit := uint32(1) << len(s.Of)
		s.Of = append(s.Of, lab)
		for n, v := range o.Bits {
			if v&(1<<b) != 0 {
				s.Bits[n] |= bit
			}
		}
	}
	return s
}

// BenchmarkMaps is what is done once for a case of 512×512×120 voxels: distance
// maps, skin and target points.
func BenchmarkMaps(b *testing.B) {
	segs := abdomen()
	for b.Loop() {
		if _, err := NewCase(context.Background(), segs, Config{Condition: "biopsy", Candidates: million}); err != nil {
			b.Fatal(err)
		}
	}
}

// million leaves more than a million pairs within reach of the device.
const million = 1_250_000

// BenchmarkMillion is the search over a million pairs of skin and target point
// within reach on a scan of 512×512×120; the maps are BenchmarkMaps.
func BenchmarkMillion(b *testing.B) {
	c, err := NewCase(context.Background(), abdomen(), Config{Condition: "biopsy", Candidates: million})
	if err != nil {
		b.Fatal(err)
	}
	var f *Found
	for b.Loop() {
		if f, err = c.Search(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(f.Pairs), "pairs")
	b.ReportMetric(float64(f.InReach), "in_reach")
	b.ReportMetric(float64(f.Feasible), "feasible")
	b.ReportMetric(float64(len(f.Front)), "front")
	b.ReportMetric(float64(f.InReach)*float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

// BenchmarkSimulate is one sample of a plan at L0.
func BenchmarkSimulate(b *testing.B) {
	for _, condition := range []string{"biopsy", "ablation"} {
		b.Run(condition, func(b *testing.B) {
			c, err := NewCase(context.Background(), abdomen(), Config{Condition: condition, Candidates: 200_000})
			if err != nil {
				b.Fatal(err)
			}
			var plan planner.Plan
			enough := errors.New("enough")
			if err := c.Generate(context.Background(), 1, func(k planner.Candidate) error { plan = k.Plan; return enough }); !errors.Is(err, enough) {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := c.Simulate(context.Background(), plan, planner.L0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkShift is one sample of a plan at L2, another one each time.
func BenchmarkShift(b *testing.B) {
	c, err := NewCase(context.Background(), abdomen(), Config{Condition: "biopsy", Candidates: 200_000})
	if err != nil {
		b.Fatal(err)
	}
	var plan planner.Plan
	enough := errors.New("enough")
	if err := c.Generate(context.Background(), 1, func(k planner.Candidate) error { plan = k.Plan; return enough }); !errors.Is(err, enough) {
		b.Fatal(err)
	}
	x := planner.Medians(c.Inputs())
	if _, err := c.Simulate(context.Background(), plan, planner.L2, x); err != nil { // meshes
		b.Fatal(err)
	}
	for b.Loop() {
		x[inRatio] *= 1.0001
		if _, err := c.Simulate(context.Background(), plan, planner.L2, x); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(3*len(c.shift.coarse.m.Nodes)), "DOF")
}
