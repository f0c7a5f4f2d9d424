package vessel

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// fork2 is a trunk along z that divides into two mirrored branches along ±x,
// each of which divides again along ±y; radii keep r³.
func fork2() *Tree {
	r1 := 4 / math.Cbrt(2)
	r2 := r1 / math.Cbrt(2)
	t := &Tree{Branches: []Branch{{Parent: -1, Points: []r3.Vec{{Z: -38}, {Z: -5}}, RadiusMM: []float64{4, 4}}}}
	add := func(parent int, r float64, a, b r3.Vec) {
		t.Branches[parent].Children = append(t.Branches[parent].Children, len(t.Branches))
		t.Branches = append(t.Branches, Branch{Parent: parent, Points: []r3.Vec{a, b}, RadiusMM: []float64{r, r}})
	}
	for _, x := range []float64{-25, 25} {
		add(0, r1, r3.Vec{Z: -5}, r3.Vec{X: x})
	}
	for n, x := range []float64{-25, 25} {
		add(1+n, r2, r3.Vec{X: x}, r3.Vec{X: 1.2 * x, Y: -15})
		add(1+n, r2, r3.Vec{X: x}, r3.Vec{X: 1.2 * x, Y: 15})
	}
	return t
}

// brick is a grid about the origin and an organ that leaves out its outer
// voxels.
func brick(mm float64) (imaging.Grid, []bool) {
	n := [3]int{int(100 / mm), int(60 / mm), int(80 / mm)}
	g := imaging.NewGrid(n, r3.Scale(-mm/2, r3.Vec{X: float64(n[0] - 1), Y: float64(n[1] - 1), Z: float64(n[2] - 1)}), [3]float64{mm, mm, mm})
	organ := make([]bool, g.Len())
	for v := range organ {
		i, j, k := g.IJK(v)
		organ[v] = i > 0 && j > 0 && k > 0 && i < n[0]-1 && j < n[1]-1 && k < n[2]-1
	}
	return g, organ
}

func supplied(t testing.TB, tree *Tree, g imaging.Grid, organ []bool, o SupplyOptions) *Supply {
	t.Helper()
	s, err := Supplies(context.Background(), tree, g, organ, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shared(t testing.TB, s *Supply, roots ...int) *Territories {
	t.Helper()
	out, err := s.Territories(context.Background(), roots)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ExampleSupplies() {
	g, organ := brick(2)
	s, err := Supplies(context.Background(), fork2(), g, organ, SupplyOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := s.Territories(context.Background(), []int{1, 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("organ %.1f ml, nearest branch %.1f and %.1f ml\n", t.OrganML, t.List[0].NearestML, t.List[1].NearestML)
	// A planner asks what is lost with the lower fifth and the first branch.
	mask := make([]bool, g.Len())
	for v := range mask {
		_, _, k := g.IJK(v)
		mask[v] = k < g.Size[2]/5
	}
	part, err := s.Blocks(mask)
	if err != nil {
		fmt.Println(err)
		return
	}
	lost, err := s.Lost(part, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("half and a tenth of the organ: %v\n", lost.LowML < 0.6*t.OrganML && 0.6*t.OrganML < lost.HighML)
	// Output:
	// organ 408.6 ml, nearest branch 204.3 and 204.3 ml
	// half and a tenth of the organ: true
}

func TestVolumesAddUpAndEveryVoxelIsReached(t *testing.T) {
	// Voxels of 1.5 mm in blocks of one or two, the last blocks cut.
	g, organ := brick(1.5)
	for _, step := range []float64{1.5, 3} {
		s := supplied(t, fork2(), g, organ, SupplyOptions{StepMM: step, Runs: 6})
		ter := shared(t, s, 1, 2)
		of, err := ter.Paint(ter.Of, organ)
		if err != nil {
			t.Fatal(err)
		}
		count := make([]int, len(ter.List))
		inside := 0
		for v, in := range organ {
			if in != (of[v] >= 0) {
				t.Fatalf("step %g: voxel %d: organ %v, territory %d", step, v, in, of[v])
			}
			if in {
				inside++
				count[of[v]]++
			}
		}
		var sum, own, near, resist, sure float64
		for i, l := range ter.List {
			ml := float64(count[i]) * g.VoxelMM3() / 1000
			if math.Abs(ml-l.OwnML) > 1e-9*ter.OrganML {
				t.Errorf("step %g: territory %d: %g ml, its voxels %g", step, i, l.OwnML, ml)
			}
			if !(0 <= l.LowML && l.LowML <= l.ML && l.ML <= l.HighML && l.HighML <= ter.OrganML) || l.SureML > l.OwnML+1e-9 {
				t.Errorf("step %g: territory %d: %+v", step, i, l)
			}
			sum, own, near, resist, sure = sum+l.ML, own+l.OwnML, near+l.NearestML, resist+l.ResistanceML, sure+l.SureML
		}
		want := float64(inside) * g.VoxelMM3() / 1000
		for _, x := range []float64{sum, own, near, resist, ter.OrganML, ter.AgreeML + ter.ContestedML} {
			if math.Abs(x-want) > 1e-9*want {
				t.Errorf("step %g: %g ml in all, want %g", step, x, want)
			}
		}
		if math.Abs(sure-ter.SureML) > 1e-9*want {
			t.Errorf("step %g: %g ml sure by territory, %g in all", step, sure, ter.SureML)
		}
	}
}

func TestNearestBranchAgainstDefinition(t *testing.T) {
	g, organ := brick(4)
	tree := fork2()
	s := supplied(t, tree, g, organ, SupplyOptions{StepMM: 4, Runs: 4})
	roots := []int{1, 3, 2, 5}
	ter := shared(t, s, roots...)
	owner := []int{-1, 0, 2, 1, 0, 3, 2}
	nearest, err := ter.Paint(ter.Nearest, organ)
	if err != nil {
		t.Fatal(err)
	}
	for v, in := range organ {
		if !in {
			continue
		}
		p := g.Point(ijk(g, v))
		d := []float64{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
		for b, o := range owner {
			if o >= 0 {
				q := tree.Branches[b].Points
				d[o] = min(d[o], toSegment2(p, q[0], q[1]))
			}
		}
		if x := d[nearest[v]]; x > slices.Min(d)+1e-9 {
			t.Fatalf("voxel %d: %g mm² to the branch given, %v", v, x, d)
		}
	}
}

func TestMirroredTreeSharesEqually(t *testing.T) {
	g, organ := brick(2)
	ter := shared(t, supplied(t, fork2(), g, organ, SupplyOptions{StepMM: 4}), 1, 2)
	a, b := ter.List[0], ter.List[1]
	if a.NearestML != b.NearestML || a.ResistanceML != b.ResistanceML {
		t.Errorf("nearest %g and %g ml, least resistance %g and %g", a.NearestML, b.NearestML, a.ResistanceML, b.ResistanceML)
	}
	if math.Abs(a.ML-b.ML) > 0.02*ter.OrganML {
		t.Errorf("%g and %g ml", a.ML, b.ML)
	}
	for _, l := range []Territory{a, b} {
		if half := ter.OrganML / 2; half < l.LowML || half > l.HighML {
			t.Errorf("half of the organ, %g ml, is outside %g to %g", half, l.LowML, l.HighML)
		}
	}
	// Far from the plane between the two, and not beside the trunk, all agree.
	g2 := ter.Grid
	for v, c := range ter.Confidence {
		if p := g2.Point(ijk(g2, v)); ter.Of[v] >= 0 && math.Abs(p.X) > 35 && p.Z > -10 && (c < SureAt || (ter.Of[v] == 1) != (p.X > 0)) {
			t.Fatalf("at %v: territory %d with confidence %g", p, ter.Of[v], c)
		}
	}
}

func TestTurnedAndMovedBodyHasTheSameTerritories(t *testing.T) {
	g, organ := brick(4)
	tree := fork2()
	rot := r3.NewRotation(0.7, r3.Vec{X: 1, Y: -2, Z: 0.5})
	move := func(p r3.Vec) r3.Vec { return r3.Add(rot.Rotate(p), r3.Vec{X: 11, Y: -7, Z: 200}) }
	g2, tree2 := g, fork2()
	g2.Origin = move(g.Origin)
	for a := range g2.Axes {
		g2.Axes[a] = rot.Rotate(g.Axes[a])
	}
	for n := range tree2.Branches {
		for m, p := range tree2.Branches[n].Points {
			tree2.Branches[n].Points[m] = move(p)
		}
	}
	o := SupplyOptions{StepMM: 4, Runs: 6}
	a, b := shared(t, supplied(t, tree, g, organ, o), 1, 2), shared(t, supplied(t, tree2, g2, organ, o), 1, 2)
	// Only voxels that are equally far from two branches may change by rounding.
	differ := 0
	for v := range a.Of {
		if a.Of[v] != b.Of[v] || math.Abs(float64(a.Confidence[v]-b.Confidence[v])) > 1e-3 {
			differ++
		}
	}
	if differ > a.Grid.Len()/100 {
		t.Errorf("%d of %d voxels differ", differ, a.Grid.Len())
	}
}

func TestCutMovesOnlyTheVolumeOfItsSubtree(t *testing.T) {
	c := ellipsoid(t, GrowOptimised, 5, 3)
	tree, _ := c.Full.Visible(121, 0.05, 3)
	s := supplied(t, tree, c.Grid, c.Organ, SupplyOptions{StepMM: 5, Runs: 8})
	ml := func(cuts ...int) float64 {
		v, err := s.Devascularised(cuts...)
		if err != nil {
			t.Fatal(err)
		}
		if v.LowML > v.ML || v.HighML < v.ML {
			t.Fatalf("%+v", v)
		}
		return v.ML
	}
	if got := ml(0); math.Abs(got-s.OrganML()) > 1e-9*s.OrganML() {
		t.Errorf("cutting the trunk takes %g of %g ml", got, s.OrganML())
	}
	if got := ml(); got != 0 {
		t.Errorf("no cut takes %g ml", got)
	}
	for n := range tree.Branches {
		b := &tree.Branches[n]
		if len(b.Children) == 0 {
			continue
		}
		sum := ml(b.Children...)
		var apart float64
		for _, k := range b.Children {
			apart += ml(k)
		}
		if math.Abs(sum-apart) > 1e-9*s.OrganML() || sum > ml(n)+1e-9 {
			t.Errorf("branch %d: children %g ml together, %g apart, all %g", n, sum, apart, ml(n))
		}
		if again := ml(append([]int{n}, b.Children...)...); again != ml(n) {
			t.Errorf("branch %d: %g ml, with its children named too %g", n, ml(n), again)
		}
	}
	if _, err := s.Devascularised(len(tree.Branches)); err == nil {
		t.Error("a branch that is not there was cut")
	}
}

func TestSubtreesThatFeedATumour(t *testing.T) {
	g, organ := brick(2)
	s := supplied(t, fork2(), g, organ, SupplyOptions{StepMM: 4})
	marked := make([]bool, g.Len())
	for v := range marked {
		marked[v] = r3.Norm(r3.Sub(g.Point(ijk(g, v)), r3.Vec{X: 36, Y: 20, Z: 3})) < 7
	}
	share, err := s.Downstream(marked)
	if err != nil {
		t.Fatal(err)
	}
	if share[0] < 1-1e-9 || share[6] < 0.9 || share[3] > 0.01 {
		t.Errorf("shares %.3f", share)
	}
	cut, err := s.Covering(marked, 0.9)
	if err != nil || !slices.Equal(cut, []int{6}) {
		t.Errorf("covering %v, %v; want branch 6 alone", cut, err)
	}
	// A tumour between both halves needs subtrees of both.
	for v := range marked {
		marked[v] = r3.Norm(r3.Sub(g.Point(ijk(g, v)), r3.Vec{Y: 18, Z: 5})) < 8
	}
	cut, err = s.Covering(marked, 0.99)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := s.below(cut)
	if share, _ = s.Downstream(marked); share[1] == 0 || share[2] == 0 || !(in[4] && in[6]) {
		t.Errorf("covering %v, shares %.3f", cut, share)
	}
	if cut, err = s.Covering(make([]bool, g.Len()), 0.9); cut != nil || err != nil {
		t.Errorf("no marked voxel: %v, %v", cut, err)
	}
}

func TestLostIsWhatIsRemovedAndWhatHungOnTheCuts(t *testing.T) {
	g, organ := brick(2)
	s := supplied(t, fork2(), g, organ, SupplyOptions{Runs: 8})
	lost := func(removed []float32, cuts ...int) Volume {
		t.Helper()
		v, err := s.Lost(removed, cuts...)
		if err != nil {
			t.Fatal(err)
		}
		if !(0 <= v.LowML && v.LowML <= v.ML && v.ML <= v.HighML && v.HighML <= s.OrganML()*(1+1e-12)) {
			t.Fatalf("%+v", v)
		}
		return v
	}
	mask := make([]bool, g.Len())
	half := 0.0
	for v := range mask {
		mask[v] = organ[v] && g.Point(ijk(g, v)).X < 0
		if mask[v] {
			half += g.VoxelMM3() / 1000
		}
	}
	part, err := s.Blocks(mask)
	if err != nil {
		t.Fatal(err)
	}
	if v := lost(part); math.Abs(v.ML-half) > 1e-6*half || v.LowML != v.ML || v.HighML != v.ML {
		t.Errorf("half removed, nothing cut: %+v, want %g", v, half)
	}
	for _, cut := range [][]int{{1}, {3, 4}, {0}} {
		d, err := s.Devascularised(cut...)
		if err != nil {
			t.Fatal(err)
		}
		if v := lost(nil, cut...); math.Abs(v.ML-d.ML) > 1e-9*s.OrganML() || math.Abs(v.LowML-d.LowML) > 1e-9*s.OrganML() {
			t.Errorf("cut %v, nothing removed: %+v, devascularised %+v", cut, v, d)
		}
	}
	// Branch 1 feeds the removed half but for a border: cutting it adds little,
	// cutting branch 2 takes the rest.
	one, two := lost(part, 1), lost(part, 2)
	if one.ML < half || one.ML > 1.05*half || two.ML < 1.9*half {
		t.Errorf("half is %g ml: with branch 1 cut %+v, with branch 2 %+v", half, one, two)
	}
	if all := lost(part, 0); math.Abs(all.ML-s.OrganML()) > 1e-6*s.OrganML() {
		t.Errorf("half removed and the trunk cut: %+v of %g", all, s.OrganML())
	}
	part[s.work.vox[0]] = float32(math.NaN())
	if _, err := s.Lost(part); err == nil {
		t.Error("NaN of a block was removed")
	}
	if _, err := s.Lost(part[1:]); err == nil {
		t.Error("blocks of another grid were removed")
	}
}

func TestEveryBranchItsOwnTerritory(t *testing.T) {
	g, organ := brick(2)
	s := supplied(t, fork2(), g, organ, SupplyOptions{StepMM: 4})
	fine, halves := shared(t, s, s.Branches()...), shared(t, s, 1, 2)
	differ := 0
	for v, b := range fine.Of {
		if b >= 0 && b != 0 && halves.Of[v] != []int32{-1, 0, 1, 0, 0, 1, 1}[b] {
			differ++
		}
	}
	if n := len(s.work.vox); differ > n/50 || fine.SureML > halves.SureML {
		t.Errorf("%d of %d blocks have a branch of the other half; %g ml sure by branch, %g by half", differ, n, fine.SureML, halves.SureML)
	}
}

func TestSubtreesByWhatTheyFeed(t *testing.T) {
	g, organ := brick(4)
	tree := fork2()
	// A vessel outside the organ, as thick as the trunk, is passed over.
	tree.Branches = append(tree.Branches, Branch{Parent: -1, Points: []r3.Vec{{Z: 300}, {Z: 500}}, RadiusMM: []float64{4, 4}})
	s := supplied(t, tree, g, organ, SupplyOptions{StepMM: 4, Runs: 8})
	for _, c := range []struct {
		count int
		want  []int
	}{{0, []int{}}, {1, []int{0}}, {2, []int{1, 2}}, {8, []int{3, 4, 5, 6}}} {
		if got := s.Subtrees(c.count); !slices.Equal(got, c.want) {
			t.Errorf("at most %d: %v, want %v", c.count, got, c.want)
		}
	}
	a, err := MakeTerritories(context.Background(), tree, g, organ, nil, SupplyOptions{StepMM: 4, Runs: 8})
	if err != nil {
		t.Fatal(err)
	}
	if b := shared(t, s, 3, 4, 5, 6); !slices.Equal(a.Of, b.Of) || !slices.Equal(a.List, b.List) {
		t.Error("MakeTerritories differs from its parts")
	}
}
