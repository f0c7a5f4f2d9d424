package needle

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/rules"

	"gonum.org/v1/gonum/spatial/r3"
)

// without is the closed case less some structures.
func without(drop ...imaging.Label) *imaging.Segments {
	s := closedSegments()
	out := imaging.NewSegments(s.Grid)
	for _, l := range s.Of {
		if slices.Contains(drop, l) {
			continue
		}
		out.Of = append(out.Of, l)
		bit := uint32(1) << (len(out.Of) - 1)
		for n, b := range s.Bits {
			if b&s.Bit(l) != 0 {
				out.Bits[n] |= bit
			}
		}
	}
	return out
}

func TestMissingStructuresAreNamedWithWhatIsLost(t *testing.T) {
	for _, l := range []imaging.Label{imaging.LabelBody, imaging.LabelTumour} {
		_, err := NewCase(context.Background(), without(l), Config{})
		if m, ok := errors.AsType[*MissingError](err); !ok || m.Remedy == "" || !strings.Contains(err.Error(), "no trajectory can be found") {
			t.Errorf("without %v: %v", l, err)
		}
	}
	c := newCase(t, without(imaging.LabelLung, imaging.LabelLiver), Config{Candidates: 5000, SkinMM: 3})
	lost := func(id string) bool {
		return slices.ContainsFunc(c.Lost, func(l Loss) bool { return l.Output == id && l.Why != "" })
	}
	for _, id := range []string{"clearance_lung_mm", "p_hit_lung_percent", "clearance_bowel_mm", "capsule_angle_deg", "organ_track_mm", "target_shift_mm"} {
		if !lost(id) {
			t.Errorf("%s is lost and not listed", id)
		}
		if c.gives(id) {
			t.Errorf("%s is lost and given", id)
		}
	}
	told := false
	for _, f := range c.Flags() {
		told = told || strings.Contains(f.Text, "Not given: clearance of the shaft from lung (20 mm at most) in mm, probability of hitting lung in %; the case has no mask of the lung.") && slices.Contains(f.Touches, "min_clearance_mm")
	}
	if !told {
		t.Error("no flag tells of the lung")
	}
	o := simulateFirst(t, c)
	for _, out := range c.Outputs() {
		if _, ok := o.Value(out.ID); !ok && out.Level == planner.L0 {
			t.Errorf("no value of %s", out.ID)
		}
	}
	for _, obj := range c.Objectives(planner.L0) {
		if _, ok := o.Value(obj.ID); !ok {
			t.Errorf("objective %s has no value", obj.ID)
		}
	}
}

func simulateFirst(t *testing.T, c *Case) *planner.Outcome {
	t.Helper()
	stop := errors.New("enough")
	var o *planner.Outcome
	err := c.Generate(context.Background(), 1, func(k planner.Candidate) (err error) {
		if err := k.Plan.Validate(); err != nil {
			return err
		}
		if o, err = c.Simulate(context.Background(), k.Plan, planner.L0, nil); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	return o
}

func TestMaskWithoutALabelTakesPart(t *testing.T) {
	g := closedSegments().Grid
	bowel := ball(r3.Vec{X: 30, Z: 0}, 8)
	c := newCase(t, closedSegments(), Config{Candidates: 5000, SkinMM: 3, Extra: []Structure{{ID: "bowel", Name: "bowel", Moves: true, Mask: func(n int) bool {
		i, j, k := g.IJK(n)
		return bowel(g.Point(float64(i), float64(j), float64(k))) < 0
	}}}})
	o, err := c.Simulate(context.Background(), planOf(c, r3.Vec{X: 44}, r3.Vec{X: 1}), planner.L0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := o.Value("clearance_bowel_mm"); !ok || v.V > -8-c.radius+2*halfDiagonal(c.Grid) || v.V < -8-c.radius {
		t.Errorf("a needle through the middle of the bowel has a clearance of %.1f mm", v.V)
	}
	if v, _ := o.Value("p_hit_bowel_percent"); v.V < 99 {
		t.Errorf("and hits it with %.1f %%", v.V)
	}
}

func TestTargetOutsideTheBodyOrTheOrgan(t *testing.T) {
	g := closedSegments().Grid
	body, liver := part{imaging.LabelBody, tube(r3.Vec{Z: -200}, r3.Vec{Z: 200}, 35)}, part{imaging.LabelLiver, ball(r3.Vec{}, 20)}
	for _, at := range []r3.Vec{{X: 42}, {X: 28}} {
		_, err := NewCase(context.Background(), paint(g, body, liver, part{imaging.LabelTumour, ball(at, 4)}), Config{})
		o, ok := errors.AsType[*OutsideError](err)
		if !ok || o.Share < 0.5 || dist(o.AtMM, at) > 1 {
			t.Errorf("target at %v: %v", at, err)
		}
	}
}

func TestTargetAtTheEdgeAndCutSkinAreFlagged(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 60, 40}, r3.Vec{X: -30, Y: -30, Z: -30}, [3]float64{1, 1, 1.5})
	c := newCase(t, paint(g, part{imaging.LabelBody, tube(r3.Vec{X: 8, Z: -200}, r3.Vec{X: 8, Z: 200}, 28)},
		part{imaging.LabelLiver, ball(r3.Vec{Z: 22}, 18)}, part{imaging.LabelTumour, ball(r3.Vec{Z: 25}, 6)}), Config{Candidates: 5000, SkinMM: 2})
	for _, id := range []string{"target_at_edge", "skin_cut"} {
		if !slices.ContainsFunc(c.Flags(), func(f planner.Flag) bool { return f.ID == id && f.Text != "" }) {
			t.Errorf("no flag %s in %v", id, c.Flags())
		}
	}
	// nothing to keep clear of
	if _, ok := simulateFirst(t, c).Value("min_clearance_mm"); ok {
		t.Error("a clearance from nothing")
	}
	// a target of one voxel
	one := newCase(t, paint(g, part{imaging.LabelBody, tube(r3.Vec{Z: -200}, r3.Vec{Z: 200}, 28)}, part{imaging.LabelTumour, ball(r3.Vec{}, 0.9)}), Config{Candidates: 500, SkinMM: 4})
	if len(one.points) != 1 || !slices.ContainsFunc(one.Flags(), func(f planner.Flag) bool { return f.ID == "target_diameter" }) {
		t.Errorf("%d target points in one voxel, flags %v", len(one.points), one.Flags())
	}
	simulateFirst(t, one)
	// a field inside the body has no skin at all
	_, err := NewCase(context.Background(), paint(g, part{imaging.LabelBody, ball(r3.Vec{}, 500)}, part{imaging.LabelTumour, ball(r3.Vec{}, 6)}), Config{})
	if m, ok := errors.AsType[*MissingError](err); !ok || !strings.Contains(m.Structure, "skin") {
		t.Errorf("no skin in view: %v", err)
	}
}

// A cage of bone around the target: no way in, and what that takes.
func TestNoPathSaysWhatWouldHaveToChange(t *testing.T) {
	s := closedSegments()
	shell := func(p r3.Vec) float64 { return math.Abs(r3.Norm(p)-35) - 3 }
	caged := paint(s.Grid, part{imaging.LabelBody, tube(r3.Vec{Z: -200}, r3.Vec{Z: 200}, 45)}, part{imaging.LabelLiver, ball(r3.Vec{}, 30)},
		part{imaging.LabelTumour, ball(r3.Vec{}, 8)}, part{imaging.LabelBone, shell})
	c := newCase(t, caged, Config{Candidates: 8000, SkinMM: 3})
	f, err := c.Search(context.Background())
	if err != nil || f.Feasible != 0 || len(f.Front) != 0 || len(f.Least) == 0 || len(f.Least) > 7 {
		t.Fatalf("%+v, %v", f, err)
	}
	for n, l := range f.Least {
		if !(l.OverMM > 2 && l.OverMM < 5) || n > 0 && l.OverMM < f.Least[n-1].OverMM {
			t.Errorf("trajectory %d is over by %.2f mm", n, l.OverMM)
		}
	}
	pack, err := rules.Shipped(Name)
	if err != nil {
		t.Fatal(err)
	}
	plans := 0
	err = c.Generate(context.Background(), 1, func(k planner.Candidate) error {
		plans++
		o, err := c.Simulate(context.Background(), k.Plan, planner.L0, nil)
		if err != nil {
			return err
		}
		e := evaluation(c, k.Plan, o)
		if _, err := pack.Check(&e, "biopsy"); err != nil {
			return err
		}
		if len(e.Vetoes) != 1 || e.Vetoes[0].Rule != "needle.bone" || !(e.Vetoes[0].Have.Value < -2) {
			t.Errorf("%s: vetoes %v", k.Plan.Name, e.Vetoes)
		}
		return nil
	})
	if err != nil || plans == 0 {
		t.Errorf("%d plans, %v", plans, err)
	}
	// too short a needle
	short := probe(20, 20)
	short.Numbers["length"] = rules.Number{Value: 40, Unit: "mm"}
	c = newCase(t, closedSegments(), Config{Condition: "drain", Device: short, Candidates: 8000, SkinMM: 3})
	f, err = c.Search(context.Background())
	if err != nil || f.Feasible > 0 || f.InReach >= f.Pairs {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, l := range f.Least {
		if math.Abs(l.OverMM-max(0, l.LengthMM-40)) > 3 {
			t.Errorf("a way of %.1f mm is over by %.1f mm", l.LengthMM, l.OverMM)
		}
	}
}

func TestBadInput(t *testing.T) {
	s := closedSegments()
	short := *s
	short.Bits = s.Bits[:10]
	nan := Errors{RegistrationMM: math.NaN()}
	bent := probe(20, 20)
	delete(bent.Numbers, "length")
	for name, f := range map[string]func() error{
		"bits":      func() error { _, err := NewCase(context.Background(), &short, Config{}); return err },
		"condition": func() error { _, err := NewCase(context.Background(), s, Config{Condition: "surgery"}); return err },
		"errors":    func() error { _, err := NewCase(context.Background(), s, Config{Errors: nan}); return err },
		"device":    func() error { _, err := NewCase(context.Background(), s, Config{Device: bent}); return err },
		"skin":      func() error { _, err := NewCase(context.Background(), s, Config{SkinMM: -1}); return err },
		"many":      func() error { _, err := NewCase(context.Background(), s, Config{Candidates: -1}); return err },
		"extra": func() error {
			_, err := NewCase(context.Background(), s, Config{Extra: []Structure{{ID: "x"}}})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), ":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := closedCase(t)
	good := planOf(c, r3.Vec{Y: -44}, r3.Vec{})
	for name, p := range map[string]planner.Plan{
		"empty": {Name: "x"}, "far": planOf(c, r3.Vec{Y: -440}, r3.Vec{Y: -200}), "nan": planOf(c, r3.Vec{Y: math.NaN()}, r3.Vec{}),
		"point": planOf(c, r3.Vec{}, r3.Vec{}), "device": {Needles: []planner.Needle{{Entry: r3.Vec{Y: -44}, Device: "none@1"}}},
	} {
		if _, err := c.Simulate(context.Background(), p, planner.L0, nil); err == nil {
			t.Errorf("plan %s passes", name)
		}
	}
	for _, x := range [][]float64{{1}, slices.Repeat([]float64{math.NaN()}, int(inputs))} {
		if _, err := c.Simulate(context.Background(), good, planner.L0, x); err == nil {
			t.Error("a bad sample passes")
		}
	}
}

// A turned and moved patient: the same trajectories, turned and moved.
func TestRigidMotionMovesTheFrontAlong(t *testing.T) {
	s := randomPhantom(4)
	rot := r3.NewRotation(0.7, r3.Vec{X: 0.3, Y: -1, Z: 0.4})
	move := func(p r3.Vec) r3.Vec { return r3.Add(rot.Rotate(p), r3.Vec{X: 100, Y: -30, Z: 900}) }
	moved := *s
	moved.Grid.Origin = move(s.Grid.Origin)
	for a := range moved.Grid.Axes {
		moved.Grid.Axes[a] = rot.Rotate(s.Grid.Axes[a])
	}
	cfg := Config{Candidates: 8000, SkinMM: 3}
	a, b := newCase(t, s, cfg), newCase(t, &moved, cfg)
	fa, err := a.Search(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	fb, err := b.Search(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(fa.Front) == 0 || fa.Pairs != fb.Pairs || math.Abs(float64(fa.Feasible-fb.Feasible)) > 3 {
		t.Fatalf("%d of %d feasible, moved %d of %d", fa.Feasible, fa.Pairs, fb.Feasible, fb.Pairs)
	}
	matched := 0
	for _, x := range fa.Front {
		for _, y := range fb.Front {
			if dist(move(x.Entry), y.Entry) < 1e-6 && dist(move(x.Tip), y.Tip) < 1e-6 && math.Abs(x.ReserveMM-y.ReserveMM) < 1e-4 && math.Abs(x.LengthMM-y.LengthMM) < 1e-6 {
				matched++
				break
			}
		}
	}
	if matched < len(fa.Front)-1 { // one may be rounded to the other side of a step
		t.Errorf("%d of %d trajectories found again", matched, len(fa.Front))
	}
}

func TestSameBitsForAnyNumberOfCores(t *testing.T) {
	var want *Found
	for _, n := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(n)
		c := newCase(t, randomPhantom(2), Config{Candidates: 8000, SkinMM: 3})
		f, err := c.Search(context.Background())
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = f
		} else if !reflect.DeepEqual(f, want) {
			t.Errorf("GOMAXPROCS %d: another front", n)
		}
	}
}

// A lung as the organ is no obstacle; a kidney is not one of the other organs.
func TestTheOrganItselfIsNoObstacle(t *testing.T) {
	g := closedSegments().Grid
	s := paint(g, part{imaging.LabelBody, tube(r3.Vec{Z: -200}, r3.Vec{Z: 200}, 45)}, part{imaging.LabelLung, ball(r3.Vec{}, 30)},
		part{imaging.LabelKidneyLeft, ball(r3.Vec{X: 36}, 5)}, part{imaging.LabelTumour, ball(r3.Vec{}, 8)})
	c := newCase(t, s, Config{Organ: imaging.LabelLung, Candidates: 2000, SkinMM: 4})
	if c.has("lung") || !c.has("organ") || slices.ContainsFunc(c.Lost, func(l Loss) bool { return l.Output == "clearance_lung_mm" }) {
		t.Errorf("obstacles %v, lost %v", c.obst, c.Lost)
	}
	simulateFirst(t, c)
}

// Simulate is a pure function: from many goroutines, in any order, at any
// level, the same values.
func TestSimulateIsPure(t *testing.T) {
	c := closedCase(t)
	in := c.Inputs()
	plans := []planner.Plan{planOf(c, r3.Vec{X: -14, Y: -42}, r3.Vec{}), planOf(c, r3.Vec{X: -42, Y: -10}, r3.Vec{X: 2}), planOf(c, r3.Vec{X: 20, Y: 39}, r3.Vec{Y: 3})}
	run := func(n int) *planner.Outcome {
		x := planner.Medians(in)
		for i := range x {
			x[i] = in[i].Spread.Quantile(0.1 + 0.8*float64((n*7+i*3)%11)/10)
		}
		o, err := c.Simulate(context.Background(), plans[n%3], planner.Level(2*(n%2)), x)
		if err != nil {
			t.Error(err)
		}
		return o
	}
	const runs = 12
	var alone, together [runs]*planner.Outcome
	for n := range runs {
		alone[n] = run(n)
	}
	c = closedCase(t)
	var wg sync.WaitGroup
	for n := range runs {
		wg.Go(func() { together[runs-1-n] = run(runs - 1 - n) })
	}
	wg.Wait()
	if !reflect.DeepEqual(alone, together) {
		t.Error("the order of the runs changes what they give")
	}
}

func TestCancel(t *testing.T) {
	c := closedCase(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Search(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.Simulate(ctx, planOf(c, r3.Vec{Y: -44}, r3.Vec{}), planner.L2, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := NewCase(ctx, closedSegments(), Config{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, err := BruteForce(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
