package aneurysm

import (
	"context"
	"testing"
)

// coarse keeps tests short.
var coarse = MeshOptions{Angles: 10, ThrombusLayers: 1}

// The row of the published unloading (8 µm in 8 iterations, PMC5013432): at
// most 1 µm in at most 5 forward solves, on a tube and on shapes as patients
// have them.
func TestReinflate(t *testing.T) {
	for _, name := range Shapes {
		r, err := Reinflate(context.Background(), name, coarse)
		if err != nil {
			t.Fatal(name, err)
		}
		t.Logf("%+v", r)
		if !(r.MaxMM <= 1e-3) || r.ForwardSolves > 5 || r.TruthMM > 1e-3 || !(r.MovedMM > 0.5) {
			t.Errorf("%s: %.3g mm after %d forward solves, %.3g mm from the truth", name, r.MaxMM, r.ForwardSolves, r.TruthMM)
		}
	}
}

func BenchmarkReinflate(b *testing.B) {
	for _, name := range Shapes {
		b.Run(name, func(b *testing.B) {
			var r Reinflation
			for b.Loop() {
				var err error
				if r, err = Reinflate(context.Background(), name, MeshOptions{Angles: 20}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1000*r.MaxMM, "µm")
			b.ReportMetric(float64(r.ForwardSolves), "solves")
			b.ReportMetric(float64(r.Nodes), "nodes")
		})
	}
}
