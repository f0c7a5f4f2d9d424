package uncertainty

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"
	"halsted/planner"
)

// smoothMM is the smoothing before thresholding, as in imaging/segment's
// preparation of noisy scans.
const smoothMM = 1.8

var covered = []string{"flr_percent", "remnant_ml", "tumour_ml", "margin_mm", "clearance_mm"}

// threshold is the part of within around a click that lies on the inner side of
// half way between the density at the click and another, holes filled, and the
// signed distance to it.
func threshold(g imaging.Grid, hu []float32, click r3.Vec, within filter.Mask, outer float64) (filter.Mask, []float32, error) {
	x, y, z := g.Voxel(click)
	i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
	inner, count := 0.0, 0.0
	for n := range 45 { // 5 × 3 × 3 voxels
		inner += float64(hu[g.Index(i+n%5-2, j+n/5%3-1, k+n/15-1)])
		count++
	}
	inner /= count
	half := float32((inner + outer) / 2)
	m, at := make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	for n, v := range hu {
		m[n] = (within == nil || within[n]) && (v > half) == (inner > outer)
	}
	at[g.Index(i, j, k)] = true
	m = filter.Fill(g, filter.Reach(g, at, m))
	depth, err := distance.Signed(context.Background(), g, func(n int) bool { return m[n] })
	return m, depth, err
}

// imaged is what is known of a patient from one scan.
type imaged struct {
	organ, tumour, vessel *Border
	cut                   planner.Plane
	entry, tip            r3.Vec
	scan                  *Scan
}

// segmentAndMeasure goes from the image to borders with their errors, and to the plan.
// Of the patient it uses the clicks (a point in each structure) and what the
// surgeon wants (direction and distance of the cut).
func segmentAndMeasure(p *patient, v *imaging.Volume) (*imaged, error) {
	ctx := context.Background()
	g := v.Grid
	raw := make([]float32, g.Len())
	for n := range raw {
		raw[n] = float32(v.Data[n])
	}
	hu, err := filter.Gaussian(ctx, g, raw, smoothMM)
	if err != nil {
		return nil, err
	}
	click := r3.Add(p.organ.centre, r3.Scale(8, r3.Unit(r3.Cross(p.cutNormal, r3.Sub(p.tumour.centre, p.organ.centre)))))
	organ, organMM, err := threshold(g, hu, click, nil, 35)
	if err != nil {
		return nil, err
	}
	deep := make(filter.Mask, len(organ))
	for n, d := range organMM {
		deep[n] = d < -4
	}
	tumour, tumourMM, err := threshold(g, hu, p.tumour.centre, deep, 110)
	if err != nil {
		return nil, err
	}
	vessel, vesselMM, err := threshold(g, hu, p.vessel.line[4], deep, 110)
	if err != nil {
		return nil, err
	}
	wideT, wideV := make(filter.Mask, len(organ)), make(filter.Mask, len(organ))
	for n := range wideT {
		wideT[n], wideV[n] = tumourMM[n] < 4, vesselMM[n] < 4
	}
	im := &imaged{}
	if im.scan, err = MeasureNoise(ctx, g, hu, func(n int) bool { return deep[n] && !wideT[n] && !wideV[n] }); err != nil {
		return nil, err
	}
	if im.organ, err = im.scan.Border(ctx, func(n int) bool { return organ[n] }, func(n int) bool { return wideT[n] || wideV[n] }, 0); err != nil {
		return nil, err
	}
	if im.tumour, err = im.scan.Border(ctx, func(n int) bool { return tumour[n] }, func(n int) bool { return wideV[n] || !deep[n] }, im.organ.BlurMM); err != nil {
		return nil, err
	}
	if im.vessel, err = im.scan.Border(ctx, func(n int) bool { return vessel[n] }, func(n int) bool { return wideT[n] || !deep[n] }, im.organ.BlurMM); err != nil {
		return nil, err
	}
	middle := func(m filter.Mask) (c r3.Vec) {
		count := 0.0
		for n, in := range m {
			if in {
				i, j, k := g.IJK(n)
				c = r3.Add(c, g.Point(float64(i), float64(j), float64(k)))
				count++
			}
		}
		return r3.Scale(1/count, c)
	}
	ct, cv := middle(tumour), middle(vessel)
	radius := math.Cbrt(im.tumour.VolumeMM3 * 3 / (4 * math.Pi))
	im.cut = planner.Plane{Point: r3.Sub(ct, r3.Scale(radius+p.gapMM, p.cutNormal)), Normal: p.cutNormal}
	// a needle into the tumour that comes from beside the vessel
	d := r3.Sub(cv, ct)
	beside := r3.Unit(r3.Cross(d, r3.Sub(p.vessel.line[8], p.vessel.line[0])))
	im.tip = ct
	im.entry = r3.Add(ct, r3.Add(r3.Scale(1.6, d), r3.Scale(1.6*p.needleSide, beside)))
	return im, nil
}

const shaftMM = 0.9

// truth are the quantities of the plan on the patient.
func (p *patient) truth(im *imaged) []float64 {
	below := p.organ.belowMM3(im.cut.Point, im.cut.Normal)
	clear := math.Inf(1)
	for n := range 401 {
		q := r3.Add(im.tip, r3.Scale(float64(n)/400, r3.Sub(im.entry, im.tip)))
		clear = min(clear, p.vessel.distance(q))
	}
	return []float64{
		100 * below / (p.organ.volumeMM3() - p.tumour.volumeMM3()), below / 1000, p.tumour.volumeMM3() / 1000,
		im.cut.SignedMM(p.tumour.centre) - p.tumour.reach(im.cut.Normal), clear - shaftMM,
	}
}

// under are the same quantities of the borders under a seed of their error.
func (im *imaged) under(seed, bias float64) ([]float64, error) {
	organ, err := im.organ.Move(seed, bias)
	if err != nil {
		return nil, err
	}
	tumour, err := im.tumour.Move(seed, bias)
	if err != nil {
		return nil, err
	}
	vessel, err := im.vessel.Move(seed, bias)
	if err != nil {
		return nil, err
	}
	below, t := organ.BelowMM3(im.cut.Point, im.cut.Normal), tumour.VolumeMM3()
	return []float64{
		100 * below / (organ.VolumeMM3() - t), below / 1000, t / 1000,
		tumour.Least(im.cut.SignedMM), vessel.Least(func(q r3.Vec) float64 { return toSegment(q, im.tip, im.entry) }) - shaftMM,
	}, nil
}

// procedure is the case as a planner.Procedure.
type procedure struct {
	toy
	im *imaged
}

func (p *procedure) Inputs() []planner.Input {
	return []planner.Input{{ID: "scan_noise", Label: "Noise of the scan at the borders", Unit: "1", Spread: FieldSeed{}},
		{ID: "blur_correction", Label: "Correction for blur", Unit: "1", Spread: Normal{1, BiasSD}}}
}
func (p *procedure) Outputs() (out []planner.Output) {
	for _, id := range covered {
		out = append(out, planner.Output{ID: id, Label: id, Unit: "1"})
	}
	return out
}
func (p *procedure) Objectives(planner.Level) []planner.Objective { return nil }
func (p *procedure) Flags() []planner.Flag                        { return nil }
func (p *procedure) Simulate(_ context.Context, _ planner.Plan, _ planner.Level, x []float64) (*planner.Outcome, error) {
	v, err := p.im.under(x[0], x[1])
	if err != nil {
		return nil, err
	}
	var o planner.Outcome
	for n, id := range covered {
		o.Values = append(o.Values, planner.Value{ID: id, V: v[n]})
	}
	return &o, nil
}

// coverage is what a run over cases found of one quantity.
type coverage struct {
	hits                      int
	width, bias, sd, between2 float64
	pairs                     int
}

// cover runs cases of the generator from the image to the interval; every
// fourth patient is scanned twice, for how much the estimate itself scatters.
func cover(cases int) ([]coverage, error) {
	type one struct{ hit, width, err, again []float64 }
	all := make([]one, cases)
	err := par.ChunksCtx(context.Background(), cases, 1, func(c, _ int) error {
		rng := rand.New(rand.NewPCG(20240917, uint64(c)))
		p := newPatient(rng)
		im, truth, err := p.image(rng)
		if err != nil {
			return fmt.Errorf("case %d: %w", c, err)
		}
		r, err := Quantify(context.Background(), &procedure{im: im}, planner.Plan{Name: "p"},
			Options{Method: Method{Kind: LatinHypercube, Runs: 80, Seed: uint64(c)}, Workers: 1})
		if err != nil {
			return fmt.Errorf("case %d: %w", c, err)
		}
		o := &all[c]
		for k, q := range r.Quantities {
			hit := 0.0
			if truth[k] >= q.Spread.P2_5 && truth[k] <= q.Spread.P97_5 {
				hit = 1
			}
			o.hit, o.width, o.err = append(o.hit, hit), append(o.width, q.Spread.P97_5-q.Spread.P2_5), append(o.err, q.Value-truth[k])
		}
		if c%4 != 0 {
			return nil
		}
		if im, truth, err = p.image(rng); err != nil {
			return fmt.Errorf("case %d, second scan: %w", c, err)
		}
		o.again, err = im.under(0.5, 1)
		for k := range o.again {
			o.again[k] -= truth[k]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]coverage, len(covered))
	for k := range out {
		f := &out[k]
		for _, o := range all {
			f.hits += int(o.hit[k])
			f.width += o.width[k] / float64(cases)
			f.bias += o.err[k] / float64(cases)
			f.sd += o.err[k] * o.err[k] / float64(cases)
			if o.again != nil {
				f.between2 += (o.err[k] - o.again[k]) * (o.err[k] - o.again[k])
				f.pairs++
			}
		}
		f.sd = math.Sqrt(f.sd - f.bias*f.bias)
	}
	return out, nil
}

// reference is the width of the interval in which 95 % of the estimates from
// scans of the same patient lie: the difference of two of them has twice their
// variance.
func (f coverage) reference() float64 {
	return 2 * z975 * math.Sqrt(f.between2/float64(2*f.pairs))
}

// image scans the patient and goes on to borders and plan.
func (p *patient) image(rng *rand.Rand) (*imaged, []float64, error) {
	v, err := p.scan(rng)
	if err != nil {
		return nil, nil, err
	}
	im, err := segmentAndMeasure(p, v)
	if err != nil {
		return nil, nil, err
	}
	return im, p.truth(im), nil
}

// 400 patients of a generator of their own go through imaging, thresholding and
// the sampling of what the image says of its own errors. For each quantity the
// exact 99 % interval of the share of intervals that hold the truth contains
// 95 %, and the intervals are hardly wider than repeated scans of the same
// patient scatter.
func TestIntervalsCoverTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of one core")
	}
	const cases = 400
	found, err := cover(cases)
	if err != nil {
		t.Fatal(err)
	}
	for k, f := range found {
		low, high, err := ClopperPearson(f.hits, cases, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		ratio := f.width / f.reference()
		t.Logf("%-13s %d of %d (99 %%: %.1f to %.1f %%), mean width %.3f, %.2f of the reference %.3f; bias %+.3f, sd %.3f",
			covered[k], f.hits, cases, 100*low, 100*high, f.width, ratio, f.reference(), f.bias, f.sd)
		if low > 0.95 || high < 0.95 {
			t.Errorf("%s: %.1f to %.1f %% of intervals hold the truth, 95 %% is not among them", covered[k], 100*low, 100*high)
		}
		if ratio > 1.2 {
			t.Errorf("%s: the mean width is %.2f times that of repeated scans", covered[k], ratio)
		}
	}
}

// BenchmarkCoverage is the test's run with its figures as metrics.
func BenchmarkCoverage(b *testing.B) {
	for b.Loop() {
		const cases = 400
		found, err := cover(cases)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(cases, "cases")
		for k, f := range found {
			b.ReportMetric(float64(f.hits), covered[k]+":hits")
			b.ReportMetric(f.width/f.reference(), covered[k]+":width")
		}
	}
}
