package uncertainty_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
	"halsted/internal/par"
	"halsted/planner"
	"halsted/planner/liver"
	"halsted/planner/needle"
	"halsted/planner/uncertainty"
)

// smoothMM is the smoothing before thresholding, as in imaging/segment's
// preparation of noisy scans.
const smoothMM = 1.8

// covered are the quantities that are judged: those of liver.resection, and the
// clearance of needle.trajectory from vessels, of the planned needle (borders
// alone) and of the one that a hand puts there, with the errors of Errors.
var covered = []string{"flr_percent", "remnant_ml", "tumour_ml", "margin_mm", "clearance_planned_mm", "clearance_mm"}

const clearance = "clearance_vessel_mm"

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

// planned is what is known of a patient from one scan, as the procedures have it.
type planned struct {
	liver, exact, needle planner.Procedure
	cut, way             planner.Plan
	entry, tip           r3.Vec
	plane                planner.Plane
}

// segmentAndPlan goes from the image to structures and on to the procedures. Of
// the patient it uses the clicks (a point in each structure) and what the
// surgeon wants (direction and distance of the cut, side of the needle).
func segmentAndPlan(p *patient, v *imaging.Volume) (*planned, error) {
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
	tumour, _, err := threshold(g, hu, p.tumour.centre, deep, 110)
	if err != nil {
		return nil, err
	}
	vessel, _, err := threshold(g, hu, p.vessel.line[4], deep, 110)
	if err != nil {
		return nil, err
	}
	segs := imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelTumour, imaging.LabelVessel)
	for n := range segs.Bits {
		for _, m := range []struct {
			in    bool
			label imaging.Label
		}{{organ[n], imaging.LabelLiver}, {tumour[n], imaging.LabelTumour}, {vessel[n], imaging.LabelVessel}} {
			if m.in {
				segs.Bits[n] |= segs.Bit(m.label)
			}
		}
		i, j, k := g.IJK(n)
		if i > 0 && j > 0 && k > 0 && i < g.Size[0]-1 && j < g.Size[1]-1 && k < g.Size[2]-1 {
			segs.Bits[n] |= segs.Bit(imaging.LabelBody)
		}
	}
	out := &planned{}
	a, err := liver.NewAnatomy(ctx, segs)
	if err != nil {
		return nil, err
	}
	if out.liver, err = liver.NewProcedure(ctx, a, liver.ProcedureSpec{Image: v}); err != nil {
		return nil, err
	}
	none := needle.Errors{RegistrationMM: 1e-6, AngleDeg: 1e-6, DepthMM: 1e-6, HoldMM: 1e-6}
	for to, e := range map[*planner.Procedure]needle.Errors{&out.needle: {}, &out.exact: none} {
		if *to, err = needle.NewCase(ctx, segs, needle.Config{Image: v, Errors: e, Candidates: 100, SkinMM: 8}); err != nil {
			return nil, err
		}
	}
	middle := func(m filter.Mask) (c r3.Vec, mm3 float64) {
		count := 0.0
		for n, in := range m {
			if in {
				i, j, k := g.IJK(n)
				c = r3.Add(c, g.Point(float64(i), float64(j), float64(k)))
				count++
			}
		}
		return r3.Scale(1/count, c), count * g.VoxelMM3()
	}
	ct, mm3 := middle(tumour)
	cv, _ := middle(vessel)
	radius := math.Cbrt(mm3 * 3 / (4 * math.Pi))
	out.plane = planner.Plane{Point: r3.Sub(ct, r3.Scale(radius+p.gapMM, p.cutNormal)), Normal: p.cutNormal}
	out.cut = planner.Plan{Name: "cut", Procedure: liver.ProcedureName, Cuts: []planner.Plane{out.plane}}.Sealed()
	// a needle into the tumour that comes from beside the vessel
	d := r3.Sub(cv, ct)
	beside := r3.Unit(r3.Cross(d, r3.Sub(p.vessel.line[8], p.vessel.line[0])))
	out.tip = ct
	out.entry = r3.Add(ct, r3.Add(r3.Scale(1.6, d), r3.Scale(1.6*p.needleSide, beside)))
	out.way = planner.Plan{Name: "way", Procedure: needle.Name, Needles: []planner.Needle{{Entry: out.entry, Tip: out.tip, Device: "biopsy.core.18g@2026.1"}}}.Sealed()
	return out, nil
}

const shaftMM = 1.27 / 2 // 18 gauge

// truth are the quantities of the plans on the patient, the last one of a
// needle as one hand put it there: displaced by 1 mm (standard deviation along
// each axis), turned by 1° about two axes, 1 mm too deep or too high, with the
// organ 2.5 mm off along z.
func (p *patient) truth(o *planned, rng *rand.Rand) []float64 {
	below := p.organ.belowMM3(o.plane.Point, o.plane.Normal)
	clear := func(tip, entry r3.Vec) float64 {
		least := math.Inf(1)
		for n := range 401 {
			least = min(least, p.vessel.distance(r3.Add(tip, r3.Scale(float64(n)/400, r3.Sub(entry, tip)))))
		}
		return least - shaftMM
	}
	in := r3.Sub(o.tip, o.entry)
	axis := r3.Unit(in)
	side := r3.Unit(r3.Cross(axis, direction3(rng)))
	up := r3.Cross(axis, side)
	turn := func() float64 { return math.Tan(rng.NormFloat64() * math.Pi / 180) }
	way := r3.Unit(r3.Add(axis, r3.Add(r3.Scale(turn(), side), r3.Scale(turn(), up))))
	entry := r3.Add(o.entry, r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64() - 2.5*rng.NormFloat64()})
	tip := r3.Add(entry, r3.Scale(r3.Norm(in)+rng.NormFloat64(), way))
	return []float64{
		100 * below / (p.organ.volumeMM3() - p.tumour.volumeMM3()), below / 1000, p.tumour.volumeMM3() / 1000,
		o.plane.SignedMM(p.tumour.centre) - p.tumour.reach(o.plane.Normal), clear(o.tip, o.entry), clear(tip, entry),
	}
}

// quantify are the quantities with their intervals as a decision shows them: 128
// scrambled Sobol points at L0.
func (o *planned) quantify(seed uint64) ([]planner.Quantity, error) {
	var out []planner.Quantity
	for _, one := range []struct {
		p    planner.Procedure
		plan planner.Plan
		of   []string
	}{{o.liver, o.cut, covered[:4]}, {o.exact, o.way, []string{clearance}}, {o.needle, o.way, []string{clearance}}} {
		r, err := uncertainty.Quantify(context.Background(), one.p, one.plan, uncertainty.Options{Method: uncertainty.Method{Kind: uncertainty.SobolPoints, Seed: seed}, Workers: 1})
		if err != nil {
			return nil, err
		}
		for _, id := range one.of {
			for _, q := range r.Quantities {
				if q.ID == id {
					out = append(out, q)
				}
			}
		}
	}
	if len(out) != len(covered) {
		return nil, fmt.Errorf("%d quantities, want %d", len(out), len(covered))
	}
	return out, nil
}

// coverage is what a run over cases found of one quantity.
type coverage struct {
	hits            int
	width, bias, sd float64
}

// judged is the seed of the patients that the intervals are judged on. What the
// procedures do was chosen on others.
const judged = 20261121

// cover runs cases of the generator from the image to the interval.
func cover(seed uint64, cases int) ([]coverage, error) {
	type one struct{ hit, width, err []float64 }
	all := make([]one, cases)
	err := par.ChunksCtx(context.Background(), cases, 1, func(c, _ int) error {
		rng := rand.New(rand.NewPCG(seed, uint64(c)))
		p := newPatient(rng)
		plan, truth, err := p.image(rng)
		if err != nil {
			return fmt.Errorf("case %d: %w", c, err)
		}
		qs, err := plan.quantify(uint64(c))
		if err != nil {
			return fmt.Errorf("case %d: %w", c, err)
		}
		o := &all[c]
		for k, q := range qs {
			hit := 0.0
			if truth[k] >= q.Spread.P2_5 && truth[k] <= q.Spread.P97_5 {
				hit = 1
			}
			o.hit, o.width, o.err = append(o.hit, hit), append(o.width, q.Spread.P97_5-q.Spread.P2_5), append(o.err, q.Value-truth[k])
		}
		return nil
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
		}
		f.sd = math.Sqrt(f.sd - f.bias*f.bias)
	}
	return out, nil
}

// reference is the width of the interval in which 95 % of the errors of the
// estimates lie over the patients and their scans. Of 400 its own standard error
// is 4 %.
func (f coverage) reference() float64 { return 2 * 1.96 * f.sd }

// image scans the patient and goes on to the plans and what they truly do.
func (p *patient) image(rng *rand.Rand) (*planned, []float64, error) {
	v, err := p.scan(rng)
	if err != nil {
		return nil, nil, err
	}
	o, err := segmentAndPlan(p, v)
	if err != nil {
		return nil, nil, err
	}
	return o, p.truth(o, rng), nil
}

// Patients of a generator of their own go through imaging, thresholding, the
// procedures and the sampling of their inputs. For each quantity the exact 99 %
// interval of the share of intervals that hold the truth contains 95 %.
// BenchmarkCoverage does the same with 400 patients and looks at the widths,
// which a few patients say too little of. HALSTED_COVERAGE=cases,seed does it
// with others.
func TestIntervalsCoverTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of one core")
	}
	cases, seed := 24, uint64(judged)
	if s := os.Getenv("HALSTED_COVERAGE"); s != "" {
		if _, err := fmt.Sscanf(s, "%d,%d", &cases, &seed); err != nil {
			t.Fatal("HALSTED_COVERAGE=" + strconv.Quote(s) + ": want cases,seed")
		}
	}
	found, err := cover(seed, cases)
	if err != nil {
		t.Fatal(err)
	}
	for k, f := range found {
		low, high, err := uncertainty.ClopperPearson(f.hits, cases, 0.99)
		if err != nil {
			t.Fatal(err)
		}
		ratio := f.width / f.reference()
		t.Logf("%-20s %d of %d (99 %%: %.1f to %.1f %%), mean width %.3f, %.2f of the reference %.3f; bias %+.3f, sd %.3f",
			covered[k], f.hits, cases, 100*low, 100*high, f.width, ratio, f.reference(), f.bias, f.sd)
		if low > 0.95 || high < 0.95 {
			t.Errorf("%s: %.1f to %.1f %% of intervals hold the truth, 95 %% is not among them", covered[k], 100*low, 100*high)
		}
		if cases >= 400 && ratio > 1.2 {
			t.Errorf("%s: the mean width is %.2f times that of the errors", covered[k], ratio)
		}
	}
}

// BenchmarkCoverage is the test's run over 400 patients with its figures as
// metrics.
func BenchmarkCoverage(b *testing.B) {
	for b.Loop() {
		const cases = 400
		found, err := cover(judged, cases)
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
