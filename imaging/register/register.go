package register

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
)

// Rigid finds the rotation and shift that place moving on fixed.
//
// The returned transform maps points of fixed space to moving space, LPS mm;
// Resample takes it. Errors: one that wraps ErrOptions, *ConstantError,
// *OverlapError, *FlatError, *InconsistentError, or ctx.Err(); the transform is
// then the zero one, which no function of this package accepts.
func Rigid(ctx context.Context, fixed, moving *imaging.Volume, o Options) (Transform, Report, error) {
	return run(ctx, fixed, moving, o, false)
}

// Affine is Rigid with scaling and shear as well. The search is rigid at the
// coarsest level first.
func Affine(ctx context.Context, fixed, moving *imaging.Volume, o Options) (Transform, Report, error) {
	return run(ctx, fixed, moving, o, true)
}

// Seeds of the random streams.
const (
	streamForward  = 0x72656731
	streamBackward = 0x72656732
)

func run(ctx context.Context, fixed, moving *imaging.Volume, o Options, affine bool) (Transform, Report, error) {
	rep := Report{Metric: o.Metric}
	o, err := o.complete(fixed, moving)
	if err != nil {
		return Transform{}, rep, err
	}
	report := func(done float64) {
		if o.Progress != nil {
			o.Progress(done)
		}
	}
	bf, ok := newBinning(fixed, o.FixedMask, o.Bins)
	if !ok {
		return Transform{}, rep, &ConstantError{"fixed"}
	}
	bm, ok := newBinning(moving, o.MovingMask, o.Bins)
	if !ok {
		return Transform{}, rep, &ConstantError{"moving"}
	}
	pf, err := newPyramid(ctx, fixed, o.FixedMask, bf, o.steps())
	if err != nil {
		return Transform{}, rep, err
	}
	report(0.1)
	pm, err := newPyramid(ctx, moving, o.MovingMask, bm, o.steps())
	if err != nil {
		return Transform{}, rep, err
	}
	report(0.2)
	share := 0.75
	if !o.ForwardOnly {
		share = 0.35
	}
	fwd := &search{o: o, affine: affine, fixed: pf, moving: pm, stream: streamForward,
		progress: func(d float64) { report(0.2 + share*d) }}
	if o.Start == StartGiven {
		fwd.given = &o.Given
	}
	t, err := fwd.solve(ctx)
	rep.Levels, rep.Iterations, rep.Calls = fwd.levels, fwd.iterations, fwd.calls
	rep.Starts, rep.Agreed, rep.CaptureMM = fwd.starts, fwd.agreed, fwd.capture
	rep.Value, rep.Overlap = fwd.final.s, fwd.shared
	if err != nil {
		return Transform{}, rep, err
	}
	err = fwd.flatness(ctx, t, &rep)
	rep.Calls = fwd.calls
	if err != nil {
		return Transform{}, rep, err
	}
	report(0.2 + share + 0.05)
	if o.ForwardOnly {
		rep.confide(o)
		report(1)
		return t, rep, nil
	}
	back := &search{o: o, affine: affine, fixed: pm, moving: pf, stream: streamBackward,
		progress: func(d float64) { report(0.6 + 0.35*d) }}
	if o.Start == StartGiven {
		inv, err := o.Given.Invert()
		if err != nil {
			return Transform{}, rep, err
		}
		back.given = &inv
	}
	b, err := back.solve(ctx)
	rep.Calls += back.calls
	if err != nil {
		return Transform{}, rep, err
	}
	rep.Checked = true
	rep.MeanErrorMM, rep.MaxErrorMM = disagreement(fixed.Grid, moving.Grid, t, b)
	if !(rep.MeanErrorMM <= o.MaxErrorMM) {
		return Transform{}, rep, &InconsistentError{rep.MeanErrorMM, rep.MaxErrorMM, o.MaxErrorMM}
	}
	rep.confide(o)
	report(1)
	return t, rep, nil
}

func (r *Report) confide(o Options) {
	c := math.Min(1, r.Sharpness/50) * math.Min(1, 2*r.Overlap)
	if r.Checked {
		e := r.MeanErrorMM / o.SpacingMM
		c /= 1 + e*e
	}
	r.Confidence = c
}

// search is one direction of a registration.
type search struct {
	o             Options
	affine        bool
	fixed, moving pyramid
	given         *Transform
	stream        uint64
	progress      func(float64)

	levels     []LevelReport
	iterations int
	calls      int
	starts     int
	agreed     int
	capture    float64
	final      score
	shared     float64
	last       *metric // of the finest level
}

// candidate is a map on its way through the levels.
type candidate struct {
	t    Transform
	s    float64
	from Transform // the start it came from
}

const (
	tried     = 6   // starts that are optimised at the coarsest level
	kept      = 2   // of these, carried to the second level
	turnDeg   = 15  // of the turned starts
	maxIters  = 100 // per level
	longShare = 1.0 // longest step, in voxels of the level
	endShare  = 2e-3
)

// solve walks down the levels.
func (s *search) solve(ctx context.Context) (Transform, error) {
	var cands []candidate
	for l := range s.fixed {
		fl, ml := &s.fixed[l], &s.moving[l]
		smp := draw(fl, s.o.Samples, rand.New(rand.NewPCG(s.o.Seed, s.stream+uint64(l)<<32)))
		if len(smp.at) == 0 {
			return Transform{}, &OverlapError{0, s.o.MinOverlap}
		}
		m := newMetric(s.o.Metric, s.o.Bins, smp, ml)
		s.last = m
		least := s.leastOverlap(fl, ml)
		before := s.iterations
		if l == 0 {
			all, err := s.begin(ctx, m, least)
			if err != nil {
				return Transform{}, err
			}
			cands = all
		}
		models := []bool{s.affine}
		if l == 0 && s.affine {
			models = []bool{false, true}
		}
		for _, affine := range models {
			for n := range cands {
				if err := s.refine(ctx, m, &cands[n], affine, s.o.steps()[l], least); err != nil {
					return Transform{}, err
				}
			}
			slices.SortStableFunc(cands, better)
			if l == 0 && !affine {
				s.count(smp, cands, s.o.steps()[0])
			}
			keep := 1
			if l == 0 && len(s.fixed) > 1 {
				keep = kept
			}
			cands = distinct(smp, cands, keep, s.o.steps()[l])
		}
		s.levels = append(s.levels, LevelReport{SpacingMM: s.o.steps()[l], Samples: len(smp.at),
			Iterations: s.iterations - before, Value: finite(cands[0].s)})
		s.calls += m.calls
		m.calls = 0
		s.progress(float64(l+1) / float64(len(s.fixed)))
	}
	t := cands[0].t
	a, b := t.Matrix, t.Apply(s.last.fixed.centre)
	sc, err := s.last.at(ctx, &a, b)
	if err != nil {
		return Transform{}, err
	}
	end := len(s.fixed) - 1
	s.final, s.shared = sc, sharedOf(sc, &s.fixed[end], &s.moving[end])
	if !(s.shared >= s.o.MinOverlap) {
		return Transform{}, &OverlapError{s.shared, s.o.MinOverlap}
	}
	return t, nil
}

func finite(v float64) float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	return v
}

func better(a, b candidate) int {
	switch {
	case a.s > b.s:
		return -1
	case a.s < b.s:
		return 1
	}
	return 0
}

// sharedOf is the volume shared over that of the smaller image.
func sharedOf(sc score, fixed, moving *level) float64 {
	f, m := fixed.extentMM3(), moving.extentMM3()
	return math.Min(1, sc.overlap*f/math.Min(f, m))
}

// leastOverlap is the share of the fixed samples below which a position is out
// of bounds during the search: four fifths of what the result must have.
func (s *search) leastOverlap(fixed, moving *level) float64 {
	f, m := fixed.extentMM3(), moving.extentMM3()
	return 0.8 * s.o.MinOverlap * math.Min(f, m) / f
}

// begin lists the starts, best metric first, at most tried.
func (s *search) begin(ctx context.Context, m *metric, least float64) ([]candidate, error) {
	if s.given != nil {
		s.starts = 1
		return []candidate{{t: *s.given, from: *s.given}}, nil
	}
	fl, ml := &s.fixed[0], &s.moving[0]
	c := m.fixed.centre
	var shifts []r3.Vec
	add := func(v r3.Vec) {
		for _, u := range shifts {
			if r3.Norm(r3.Sub(u, v)) < s.o.steps()[0]/2 {
				return
			}
		}
		shifts = append(shifts, v)
	}
	if s.o.Start == StartAuto || s.o.Start == StartIdentity {
		add(r3.Vec{})
	}
	if s.o.Start == StartAuto || s.o.Start == StartCentre {
		add(r3.Sub(ml.boxCentre(), fl.boxCentre()))
	}
	if s.o.Start == StartAuto || s.o.Start == StartMass {
		add(r3.Sub(ml.massCentre(), fl.massCentre()))
	}
	turn := turnDeg * math.Pi / 180
	var all []candidate
	for _, v := range shifts {
		for _, w := range []r3.Vec{{}, {X: turn}, {X: -turn}, {Y: turn}, {Y: -turn}, {Z: turn}, {Z: -turn}} {
			t := NewRigid(w, c, v)
			a, b := t.Matrix, t.Apply(c)
			sc, err := m.at(ctx, &a, b)
			if err != nil {
				return nil, err
			}
			k := candidate{t: t, from: t, s: sc.s}
			if sc.overlap < least {
				k.s = math.Inf(-1)
			}
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, better)
	all = all[:min(tried, len(all))]
	for len(all) > 1 && math.IsInf(all[len(all)-1].s, -1) {
		all = all[:len(all)-1]
	}
	s.starts = len(all)
	return all, nil
}

// refine runs the optimiser from a candidate.
func (s *search) refine(ctx context.Context, m *metric, c *candidate, affine bool, h, least float64) error {
	ch := newChart(affine, m.fixed, c.t)
	x := make([]float64, ch.dim())
	f := func(x, g []float64) (float64, error) {
		a, b := ch.at(x)
		sc, err := m.at(ctx, &a, b)
		if err != nil {
			return 0, err
		}
		if !(sc.overlap >= least && det(&a) > 0) {
			return math.Inf(1), nil
		}
		da, db, err := m.gradient(ctx)
		if err != nil {
			return 0, err
		}
		ch.pull(x, &da, db, g)
		for i := range g {
			g[i] = -g[i]
		}
		return -sc.s, nil
	}
	v, iters, err := descend(f, x, longShare*h, endShare*h, maxIters)
	if err != nil {
		return err
	}
	s.iterations += iters
	c.t, c.s = ch.transform(x), -v
	return nil
}

// count says how many starts ended where the best one did.
func (s *search) count(smp *samples, cands []candidate, h float64) {
	s.agreed, s.capture = 0, 0
	for _, c := range cands {
		if apart(smp, c.t, cands[0].t) <= h {
			s.agreed++
			s.capture = math.Max(s.capture, apart(smp, c.from, cands[0].t))
		}
	}
}

// distinct keeps the best candidates that lie at least half of h apart.
func distinct(smp *samples, cands []candidate, most int, h float64) []candidate {
	var out []candidate
	for _, c := range cands {
		same := false
		for _, o := range out {
			same = same || apart(smp, c.t, o.t) < h/2
		}
		if !same && len(out) < most {
			out = append(out, c)
		}
	}
	return out
}
