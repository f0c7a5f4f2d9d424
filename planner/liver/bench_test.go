package liver

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"halsted/imaging/nifti"
	"halsted/imaging/phantom"
	"halsted/planner"
)

func BenchmarkResect(b *testing.B) {
	a := anatomy(b, [3]float64{0.5, 0.5, 1})
	for b.Loop() {
		if _, err := a.Resect(context.Background(), planeAt(10)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	a := anatomy(b, [3]float64{0.5, 0.5, 1})
	for b.Loop() {
		if _, err := a.Generate(context.Background(), "ball", Spec{}); err != nil {
			b.Fatal(err)
		}
	}
}

// scanned is a phantom as a procedure on the grid of the sample scan.
func scanned(b *testing.B, seed uint64) (*phantom.Liver, *Procedure, []planner.Candidate) {
	l := phantom.NewLiver(seed)
	a, err := NewAnatomy(context.Background(), l.Truth(l.Grid()))
	if err != nil {
		b.Fatal(err)
	}
	pr := procedure(b, a, ProcedureSpec{})
	var cs []planner.Candidate
	if err := pr.Generate(context.Background(), 1, func(c planner.Candidate) error {
		cs = append(cs, c)
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return l, pr, cs
}

// BenchmarkScore is the time of one candidate at L0 with territories and
// vessels, over all kinds of candidates; run it with GOMAXPROCS=1.
func BenchmarkScore(b *testing.B) {
	_, pr, cs := scanned(b, 1)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pr.Score(context.Background(), cs[n%len(cs)].Plan); err != nil {
			b.Fatal(err)
		}
		n += 37 // no divisor of their number: every kind in turn
	}
	b.ReportMetric(float64(n/37)/b.Elapsed().Seconds(), "plans/s")
}

// BenchmarkSimulateL0 is the first look at a plan, BenchmarkSampleL0 each
// further sample of it.
func BenchmarkSimulateL0(b *testing.B) {
	_, pr, cs := scanned(b, 1)
	n := 0
	for b.Loop() {
		if _, err := pr.a.newLevel0(context.Background(), pr.trees, pr.borders, &cs[n%len(cs)].Plan); err != nil {
			b.Fatal(err)
		}
		n += 37
	}
}

func BenchmarkSampleL0(b *testing.B) {
	_, pr, cs := scanned(b, 1)
	x := planner.Medians(pr.Inputs())
	for b.Loop() {
		x[inOrganBorder] += 1e-9
		if _, err := pr.Simulate(context.Background(), cs[0].Plan, planner.L0, x); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPhantomFLR reports the largest error of the FLR, points, over
// planes and curved cuts on three phantom livers.
func BenchmarkPhantomFLR(b *testing.B) {
	worst := 0.0
	for b.Loop() {
		for seed := uint64(1); seed <= 3; seed++ {
			l, pr, cs := scanned(b, seed)
			errs, err := flrErrors(pr, l, cs, 20)
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range errs {
				worst = max(worst, math.Abs(e))
			}
		}
	}
	b.ReportMetric(worst, "points")
}

// BenchmarkCalibrateBloodLoss reports what bleedingMedian has to be so that
// the median blood loss of minor resections, those that take less than a quarter
// of the organ, is 700 ml (671 and 735 ml, PMC1357061).
func BenchmarkCalibrateBloodLoss(b *testing.B) {
	var loss []float64
	for b.Loop() {
		loss = loss[:0]
		for seed := uint64(1); seed <= 3; seed++ {
			_, pr, cs := scanned(b, seed)
			for _, c := range cs {
				if c.Scores[0].Value < 0.75 || len(c.Plan.Cuts) > 0 {
					continue
				}
				v, _ := simulate(b, pr, c.Plan, nil).Value("blood_loss_ml")
				loss = append(loss, v.V)
			}
		}
	}
	slices.Sort(loss)
	b.ReportMetric(700/loss[len(loss)/2]*bleedingMedian, "factor")
	b.ReportMetric(float64(len(loss)), "plans")
}

// BenchmarkPatient is level L0 on patient 17 of 3D-IRCADb-01 from its masks:
// trees, candidates and their first look.
func BenchmarkPatient(b *testing.B) {
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		b.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(root, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	v, err := nifti.ReadVolume(path)
	if err != nil {
		b.Fatal(err)
	}
	segs, err := nifti.ReadSegments(path, v.Grid, nifti.IRCADBits())
	if err != nil {
		b.Fatal(err)
	}
	count := 0
	for b.Loop() {
		a, err := NewAnatomy(context.Background(), segs)
		if err != nil {
			b.Fatal(err)
		}
		pr := procedure(b, a, ProcedureSpec{})
		count = 0
		if err := pr.Generate(context.Background(), 1, func(c planner.Candidate) error {
			count++
			_, err := pr.Simulate(context.Background(), c.Plan, planner.L0, nil)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count), "candidates")
}
