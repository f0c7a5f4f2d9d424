package needle

import (
	"context"
	"sync"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/imaging/phantom"
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

// BenchmarkMillion is the search over a million pairs of skin and target point
// on a scan of 512×512×120; the distance maps are timed apart.
func BenchmarkMillion(b *testing.B) {
	segs := abdomen()
	start := time.Now()
	c, err := NewCase(context.Background(), segs, Config{Condition: "biopsy"})
	if err != nil {
		b.Fatal(err)
	}
	maps := time.Since(start)
	for b.Loop() {
		f, err := c.Search(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(f.Pairs), "pairs")
		b.ReportMetric(float64(f.InReach), "in_reach")
		b.ReportMetric(float64(f.Feasible), "feasible")
		b.ReportMetric(float64(len(f.Front)), "front")
	}
	b.ReportMetric(maps.Seconds(), "maps_s")
}
