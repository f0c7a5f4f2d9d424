package liver

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"halsted/fem"
	"halsted/imaging/phantom"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// phantomCase is the synthetic patient of seed 1 with a cut 25 mm from the
// middle of its first tumour.
var phantomCase = sync.OnceValues(func() (*Anatomy, planner.Plan) {
	l := phantom.NewLiver(1)
	a, err := NewAnatomy(context.Background(), l.Truth(l.GridAt([3]float64{1.5, 1.5, 2})))
	if err != nil {
		panic(err)
	}
	p := planner.Plan{Name: "right", Cuts: []planner.Plane{{Point: r3.Add(a.Tumours[0].Centre, r3.Vec{X: 30}), Normal: r3.Vec{X: -1}}}, RetractionMM: 30}
	return a, p.Sealed()
})

// randomSamples are independent draws of the mechanical inputs.
func randomSamples(n int, seed uint64) []MechanicalSample {
	r := rand.New(rand.NewPCG(seed, 0))
	in := MechanicalInputs()
	out := make([]MechanicalSample, n)
	for i := range out {
		v := make([]float64, len(in))
		for k, p := range in {
			v[k] = p.Spread.Quantile(r.Float64())
		}
		x, err := NewMechanicalSample(v)
		if err != nil {
			panic(err)
		}
		out[i] = x
	}
	return out
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + 1e-6*float64(u.Utime.Usec+u.Stime.Usec)
}

// runSamples runs n samples of plan p, two at a time, and reports CPU seconds.
func runSamples(b *testing.B, a *Anatomy, p planner.Plan, level planner.Level, size MeshSize, n int) {
	for b.Loop() {
		start := cpuSeconds()
		m, err := a.PrepareMechanics(context.Background(), p, level, size)
		if err != nil {
			b.Fatal(err)
		}
		b.Log(m.Notes[0])
		prepared := cpuSeconds()
		samples := randomSamples(n, 1)
		var next, failed atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= n {
						return
					}
					if _, err := m.Sample(context.Background(), samples[i]); err != nil {
						if _, ok := errors.AsType[*fem.NotConvergedError](err); !ok {
							b.Error(err)
						}
						b.Log(samples[i], err)
						failed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		end := cpuSeconds()
		b.ReportMetric(float64(m.DOF), "DOF")
		b.ReportMetric(prepared-start, "CPU-s/prepare")
		b.ReportMetric((end-prepared)/float64(n), "CPU-s/sample")
		b.ReportMetric(end-start, "CPU-s")
		b.ReportMetric(float64(failed.Load()), "failed")
	}
}

// BenchmarkMechanics59 is the bound of one chosen plan by 59 samples on 30 000
// degrees of freedom and more.
func BenchmarkMechanics59(b *testing.B) {
	a, p := phantomCase()
	runSamples(b, a, p, planner.L2, MeshChosen, 59)
}

// BenchmarkMechanicsChaos is one plan of the front at degree-2 chaos on the mesh
// for ranking.
func BenchmarkMechanicsChaos(b *testing.B) {
	a, p := phantomCase()
	runSamples(b, a, p, planner.L2, MeshRanking, 56)
}

// BenchmarkMechanicsL1 is one plan at L1.
func BenchmarkMechanicsL1(b *testing.B) {
	a, p := phantomCase()
	runSamples(b, a, p, planner.L1, MeshRanking, 4)
}
