package vessel

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

func TestSameTerritoriesForAnyCoreCount(t *testing.T) {
	c := ellipsoid(t, GrowSplit, 5, 2)
	tree, _ := c.Full.Visible(70, 0.05, 2)
	var first *Territories
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		s := supplied(t, tree, c.Grid, c.Organ, SupplyOptions{StepMM: 5, Runs: 6})
		got := shared(t, s, s.Subtrees(8)...)
		runtime.GOMAXPROCS(old)
		if first == nil {
			first = got
		}
		if !slices.Equal(got.Of, first.Of) || !slices.Equal(got.Confidence, first.Confidence) || !slices.Equal(got.List, first.List) ||
			!slices.Equal(got.Resistance, first.Resistance) || got.SureML != first.SureML {
			t.Fatalf("GOMAXPROCS %d: other bits", procs)
		}
	}
}

func TestSuppliesStopWhenCancelled(t *testing.T) {
	g, organ := brick(2)
	ctx, cancel := context.WithCancel(context.Background())
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	runs := 0
	_, err := Supplies(ctx, fork2(), g, organ, SupplyOptions{Progress: func(float64) { runs++; cancel() }})
	if !errors.Is(err, context.Canceled) || runs != 1 {
		t.Errorf("%v after %d runs", err, runs)
	}
	s := supplied(t, fork2(), g, organ, SupplyOptions{Runs: 4})
	if _, err := s.Territories(ctx, []int{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("Territories: %v", err)
	}
}

func TestTerritoriesRefuseBadInput(t *testing.T) {
	g, organ := brick(5)
	far := fork2()
	for n := range far.Branches {
		for m := range far.Branches[n].Points {
			far.Branches[n].Points[m].X += 1000
		}
	}
	bare := fork2()
	bare.Branches[1].RadiusMM = nil
	lost := fork2()
	lost.Branches[0].Points[0].X = 1e200
	many := &Tree{Branches: make([]Branch, maxBranches+1)}
	bent := fork2()
	bent.Branches[2].RadiusMM[1] = math.NaN()
	for _, c := range []struct {
		tree  *Tree
		organ []bool
		o     SupplyOptions
		want  string
	}{
		{nil, organ, SupplyOptions{}, "no branches"},
		{&Tree{}, organ, SupplyOptions{}, "no branches"},
		{bent, organ, SupplyOptions{}, "branch 2"},
		{bare, organ, SupplyOptions{}, "2 points and 0 radii"},
		{lost, organ, SupplyOptions{}, "no place in a scanner"},
		{many, organ, SupplyOptions{}, "branches of the tree"},
		{far, organ, SupplyOptions{}, ErrTreeOutside.Error()},
		{fork2(), make([]bool, g.Len()), SupplyOptions{}, ErrNoOrgan.Error()},
		{fork2(), organ[1:], SupplyOptions{}, "voxels"},
		{fork2(), organ, SupplyOptions{Runs: 1}, "Runs"},
		{fork2(), organ, SupplyOptions{StepMM: math.NaN()}, "StepMM"},
		{fork2(), organ, SupplyOptions{RadiusSD: -1}, "RadiusSD"},
		{fork2(), organ, SupplyOptions{Terminals: 1e6}, "Terminals"},
	} {
		if _, err := Supplies(context.Background(), c.tree, g, c.organ, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want one with %q", err, c.want)
		}
	}
	s := supplied(t, fork2(), g, organ, SupplyOptions{StepMM: 5, Runs: 4})
	for _, roots := range [][]int{nil, {-1}, {7}, {1, 1}} {
		if _, err := s.Territories(context.Background(), roots); err == nil {
			t.Errorf("roots %v were taken", roots)
		}
	}
	if _, err := s.Downstream(organ[1:]); err == nil {
		t.Error("a mask of another grid was taken")
	}
	if _, err := s.Covering(organ, 2); err == nil {
		t.Error("a share of 2 was taken")
	}
}

func TestOneVoxelAndOneBranch(t *testing.T) {
	g := imaging.NewGrid([3]int{1, 1, 1}, r3.Vec{}, [3]float64{1, 1, 1})
	tree := &Tree{Branches: []Branch{{Parent: -1, Points: []r3.Vec{{X: -3}, {}}, RadiusMM: []float64{1, 1}}}}
	ter := shared(t, supplied(t, tree, g, []bool{true}, SupplyOptions{Runs: 4}), 0)
	if ter.Of[0] != 0 || ter.Confidence[0] != 1 || ter.OrganML != 1e-3 {
		t.Errorf("%+v", ter)
	}
}

func TestPiecesWithoutABranch(t *testing.T) {
	// A slab of air cuts the brick at x = 30 mm: what lies beyond it and no branch
	// touches is shared out with confidence 0; if it is most, that is an error.
	g, organ := brick(2)
	tree := fork2()
	for n := range tree.Branches {
		for m := range tree.Branches[n].Points {
			tree.Branches[n].Points[m] = r3.Scale(0.5, tree.Branches[n].Points[m])
		}
	}
	beyond := 0.0
	for v := range organ {
		switch x := g.Point(ijk(g, v)).X; {
		case x > 26 && x < 30:
			organ[v] = false
		case x > 30 && organ[v]:
			beyond += g.VoxelMM3() / 1000
		}
	}
	s := supplied(t, tree, g, organ, SupplyOptions{Runs: 6})
	if s.Pieces != 2 || math.Abs(s.UnreachedML-beyond) > 1e-9*beyond {
		t.Errorf("%d pieces, %g ml unreached, want 2 and %g", s.Pieces, s.UnreachedML, beyond)
	}
	ter := shared(t, s, 1, 2)
	for v, o := range ter.Of {
		if o >= 0 && (ter.Grid.Point(ijk(ter.Grid, v)).X > 30) != (ter.Confidence[v] == 0) {
			t.Fatalf("block %d: territory %d with confidence %g", v, o, ter.Confidence[v])
		}
	}
	if l := ter.List[1]; l.HighML-l.LowML < 0.25*beyond {
		t.Errorf("%+v, with %g ml unreached", l, beyond)
	}
	for v := range organ {
		organ[v] = organ[v] && g.Point(ijk(g, v)).X > 14
	}
	var e *DisconnectedError
	if _, err := Supplies(context.Background(), tree, g, organ, SupplyOptions{}); !errors.As(err, &e) || e.Pieces != 2 {
		t.Errorf("%v", err)
	}
}

func TestExtremeNumbersGiveFiniteTerritories(t *testing.T) {
	g, organ := brick(5)
	for name, spoil := range map[string]func(tree *Tree){
		"radii of nothing":   func(tree *Tree) { tree.Branches[3].RadiusMM = []float64{1e-300, 1e-320} },
		"endless radii":      func(tree *Tree) { tree.Branches[0].RadiusMM = []float64{1e300, 1e308} },
		"all radii equal":    func(tree *Tree) { tree.Branches[1].RadiusMM = []float64{4, 4} },
		"radii that widen":   func(tree *Tree) { tree.Branches[1].RadiusMM = []float64{1, 9} },
		"a tip far away":     func(tree *Tree) { tree.Branches[3].Points[1] = r3.Vec{X: -1e5, Y: 1e5, Z: 3} },
		"a branch of no use": func(tree *Tree) { tree.Branches[3].Points[1] = r3.Add(tree.Branches[3].Points[0], r3.Vec{X: 1e-9}) },
	} {
		tree := fork2()
		spoil(tree)
		s, err := Supplies(context.Background(), tree, g, organ, SupplyOptions{StepMM: 5, Runs: 4})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ter := shared(t, s, 1, 2)
		for v, c := range ter.Confidence {
			if !(c >= 0 && c <= 1) || c == 0 && ter.Of[v] >= 0 {
				t.Fatalf("%s: block %d: territory %d, confidence %g", name, v, ter.Of[v], c)
			}
		}
		for i, l := range ter.List {
			if !(0 <= l.LowML && l.LowML <= l.ML && l.ML <= l.HighML && l.HighML <= ter.OrganML) {
				t.Errorf("%s: territory %d: %+v", name, i, l.Volume)
			}
		}
	}
}

// TestRealTerritories shares a liver out by the portal tree of its manual
// segmentation: nothing is said about the truth, but the volumes must add up
// and the declared part be of the size the synthetic trees have.
func TestRealTerritories(t *testing.T) {
	seg := manual(t)
	tree, _, err := Extract(context.Background(), seg.Grid, MaskOf(seg, imaging.LabelPortalVein), Options{System: imaging.LabelPortalVein, Organ: MaskOf(seg, imaging.LabelLiver)})
	if err != nil {
		t.Fatal(err)
	}
	s := supplied(t, tree, seg.Grid, MaskOf(seg, imaging.LabelLiver), SupplyOptions{StepMM: 3, Runs: 20})
	ter := shared(t, s, s.Subtrees(8)...)
	t.Logf("%d branches, side share %.2f; %.0f ml in %d pieces, %.1f unreached; %.0f %% sure, %.0f %% contested", len(tree.Branches), sideShare(s.chords, s.work),
		ter.OrganML, s.Pieces, s.UnreachedML, 100*ter.SureML/ter.OrganML, 100*ter.ContestedML/ter.OrganML)
	sum := 0.0
	for _, l := range ter.List {
		t.Logf("branch %d %q: %.0f ml (%.0f–%.0f), %.0f sure, nearest %.0f", l.Root, l.Name, l.ML, l.LowML, l.HighML, l.SureML, l.NearestML)
		sum += l.ML
	}
	if math.Abs(sum-ter.OrganML) > 1e-6*ter.OrganML || ter.SureML < 0.2*ter.OrganML {
		t.Errorf("%g of %g ml, %g sure", sum, ter.OrganML, ter.SureML)
	}
}
