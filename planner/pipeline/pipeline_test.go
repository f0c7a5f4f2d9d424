package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"halsted/fem"
	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// truth is the sample patient on a coarse grid.
var truth = sync.OnceValue(func() *imaging.Segments {
	l := phantom.NewLiver(1)
	return l.Truth(l.GridAt([3]float64{3, 3, 3}))
})

// prepared is the sample patient, meshed coarsely.
func prepared(t testing.TB) *Prepared {
	c := planner.Case{Study: "phantom", Procedure: "liver.resection", Condition: "normal"}.Sealed()
	p, err := Prepare(context.Background(), c, truth(), Settings{EdgeMM: 16, Steps: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func Example() {
	c := planner.Case{Study: "phantom", Procedure: "liver.resection", Condition: "normal"}.Sealed()
	p, err := Prepare(context.Background(), c, truth(), Settings{EdgeMM: 16}, nil)
	if err != nil {
		panic(err)
	}
	off := func(ml float64) float64 { return 100 * math.Abs(ml-p.Anatomy.OrganML) / p.Anatomy.OrganML }
	fmt.Printf("surface off by less than 0.3 %%: %t, tetrahedra by less than 1 %%: %t\n",
		off(p.Surface.VolumeMM3(imaging.Label.InOrgan)/1000) < 0.3, off(p.Organ.VolumeMM3(nil)/1000) < 1)
	// Output: surface off by less than 0.3 %: true, tetrahedra by less than 1 %: true
}

func TestTheWalkEndsInRankedPlans(t *testing.T) {
	p := prepared(t)
	stages := map[string]bool{}
	plans, es, err := p.Propose(t.Context(), 2, func(s string, done float64) {
		if done < 0 || done > 1 {
			t.Errorf("stage %s is %g done", s, done)
		}
	})
	if err != nil || len(plans) != 2 || len(es) != 2 {
		t.Fatalf("%d plans: %v", len(plans), err)
	}
	var all []planner.Evaluation
	for _, plan := range plans {
		var top *planner.Topology
		frames := 0
		sim, err := p.Simulate(t.Context(), plan, Sink{
			Topology: func(x *planner.Topology) error { top = x; return x.Validate() },
			Frame: func(f *planner.DisplayFrame) error {
				frames++
				if f.Seq != uint64(frames) {
					t.Errorf("frame %d has seq %d", frames, f.Seq)
				}
				return f.Validate(top)
			},
		}, func(s string, _ float64) { stages[s] = true })
		if err != nil {
			t.Fatal(err)
		}
		if frames != 4 || sim.Result.Status != fem.StatusConverged {
			t.Errorf("%d frames, status %v", frames, sim.Result.Status)
		}
		if q, _ := sim.Evaluation.Quantity("displacement_mm"); math.Abs(q.Value-30) > 15 {
			t.Errorf("a pull of 30 mm moves at most %v", q)
		}
		for _, q := range sim.Evaluation.Quantities {
			if err := q.Validate(); err != nil {
				t.Error(err)
			}
		}
		all = append(all, sim.Evaluation)
	}
	p.Notes = []string{"tumour_1 is a guess"}
	if err := p.Rank(all); err != nil {
		t.Fatal(err)
	}
	if len(all[0].Vetoes) == 0 && all[0].Rank != 1 {
		t.Errorf("first plan has rank %d", all[0].Rank)
	}
	for _, e := range all {
		if len(e.Warnings) == 0 || e.Warnings[0] != p.Notes[0] {
			t.Errorf("plan %s does not warn of the guess: %v", e.Plan, e.Warnings)
		}
		if len(e.Reasons) == 0 {
			t.Errorf("plan %s has no reason", e.Plan)
		}
	}
	if !stages["mesh remnant"] || !stages["simulate"] {
		t.Errorf("stages reported: %v", stages)
	}
}

func TestThePreparedOrganIsShownWithWhatIsInside(t *testing.T) {
	top, err := prepared(t).Topology()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range top.Structures {
		names = append(names, s.Name)
	}
	if want := []string{"portal_vein", "hepatic_vein", "tumour_1", "tumour_2", "liver"}; !slices.Equal(names, want) {
		t.Errorf("structures %v, want %v", names, want)
	}
}

func TestNoPullAndNoChangeOfGravityMoveNothing(t *testing.T) {
	p := prepared(t)
	plans, _, err := p.Propose(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan := plans[0]
	plan.RetractionMM = 0
	sim, err := p.Simulate(t.Context(), plan.Sealed(), Sink{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, u := range sim.State.U {
		if r3.Norm(u) >= 1e-6 {
			t.Fatalf("node %d moves %g mm", n, r3.Norm(u))
		}
	}
	plan.GravityG = r3.Vec{X: 0.2} // tilted to the left by about 12 degrees
	sim, err = p.Simulate(t.Context(), plan.Sealed(), Sink{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if q, _ := sim.Evaluation.Quantity("displacement_mm"); q.Value < 0.1 {
		t.Errorf("tilting the patient moves the remnant %v", q)
	}
}

func TestTheSameBitsForAnyCoreCount(t *testing.T) {
	var want string
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		p := prepared(t)
		plans, _, err := p.Propose(t.Context(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		sim, err := p.Simulate(t.Context(), plans[0], Sink{}, nil)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		got := planner.ContentID("walk", []any{sim.Evaluation, sim.Last.Pos, sim.Last.Fields, sim.Topology, p.Surface.Verts})
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("GOMAXPROCS %d gives other bits", procs)
		}
	}
}

func TestCancelEndsTheWalk(t *testing.T) {
	p := prepared(t)
	plans, _, err := p.Propose(t.Context(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = p.Simulate(ctx, plans[0], Sink{Frame: func(f *planner.DisplayFrame) error {
		if f.Seq == 2 {
			cancel()
		}
		return nil
	}}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, _, err := p.Propose(ctx, 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoStudyIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(filepath.Dir(file), "gone")} {
		if _, _, err := Open(t.Context(), dir, nil); err == nil {
			t.Errorf("%s was opened", dir)
		} else if _, ok := errors.AsType[*StudyError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
}
