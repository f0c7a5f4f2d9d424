package liver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// ball is a round liver of radius 50 mm around the origin, with a tumour of
// radius 8 mm at x = 30 and a portal vein of radius 4 mm along x.
const (
	organMM, tumourMM, tumourX, vesselMM = 50.0, 8.0, 30.0, 4.0
)

func ball(spacing [3]float64) *imaging.Segments {
	var size [3]int
	for a, h := range spacing {
		size[a] = 2*int(math.Ceil(60/h)) + 1
	}
	origin := r3.Vec{X: -spacing[0] * float64(size[0]/2), Y: -spacing[1] * float64(size[1]/2), Z: -spacing[2] * float64(size[2]/2)}
	g := imaging.NewGrid(size, origin, spacing)
	s := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelTumour)
	for n := range s.Bits {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		if r3.Norm(p) < organMM {
			s.Bits[n] |= 1
		}
		if math.Hypot(p.Y-20, p.Z) < vesselMM {
			s.Bits[n] |= 2
		}
		if r3.Norm(r3.Sub(p, r3.Vec{X: tumourX})) < tumourMM {
			s.Bits[n] |= 4
		}
	}
	return s
}

func anatomy(t testing.TB, spacing [3]float64) *Anatomy {
	a, err := NewAnatomy(context.Background(), ball(spacing))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// capShare is the share of a ball of radius R beyond a plane at distance x
// from its centre: (R−x)²(2R+x)/(4R³).
func capShare(x float64) float64 {
	return (organMM - x) * (organMM - x) * (2*organMM + x) / (4 * organMM * organMM * organMM)
}

func planeAt(x float64) planner.Plan {
	return planner.Plan{Case: "ball", Name: "x", Cuts: []planner.Plane{{Point: r3.Vec{X: x}, Normal: r3.Vec{X: 1}}}, RetractionMM: 30}.Sealed()
}

func value(t testing.TB, e planner.Evaluation, id string) planner.Quantity {
	q, ok := e.Quantity(id)
	if !ok {
		t.Fatalf("no %s", id)
	}
	return q
}

func Example() {
	a, err := NewAnatomy(context.Background(), ball([3]float64{1, 1, 2}))
	if err != nil {
		panic(err)
	}
	r, err := a.Resect(context.Background(), planeAt(16.5))
	if err != nil {
		panic(err)
	}
	margin, _ := r.Evaluation.Quantity("margin_mm")
	fmt.Printf("margin %.1f mm, %d vessel cut, %s\n", margin.Value, len(r.Evaluation.Vessels), r.Evaluation.Vessels[0].System)
	// Output: margin 6.0 mm, 1 vessel cut, portal
}

func TestVolumesMatchTheSphericalCap(t *testing.T) {
	a := anatomy(t, [3]float64{0.8, 0.8, 1.6})
	total := 4.0 / 3 * math.Pi * organMM * organMM * organMM / 1000
	tumour := 4.0 / 3 * math.Pi * tumourMM * tumourMM * tumourMM / 1000
	if math.Abs(a.OrganML-total) > 0.003*total {
		t.Errorf("organ %.2f ml, want %.2f", a.OrganML, total)
	}
	for _, x := range []float64{-20, 0, 10, 17} {
		r, err := a.Resect(context.Background(), planeAt(x))
		if err != nil {
			t.Fatal(err)
		}
		stay := total * (1 - capShare(x))
		flr := value(t, r.Evaluation, "flr_percent")
		want := 100 * stay / (total - tumour)
		// The plane falls between voxel layers: half a layer of the cut disc.
		tol := 100 * math.Pi * (organMM*organMM - x*x) * 0.4 / 1000 / total
		if math.Abs(flr.Value-want) > tol+0.3 {
			t.Errorf("plane at %g mm: FLR %.2f %%, want %.2f ± %.2f", x, flr.Value, want, tol)
		}
		if flr.Spread.P2_5 > flr.Value || flr.Spread.P97_5 < flr.Value {
			t.Errorf("FLR %v outside its interval", flr)
		}
		area := value(t, r.Evaluation, "cut_area_cm2").Value
		if wantArea := math.Pi * (organMM*organMM - x*x) / 100; math.Abs(area-wantArea) > 0.03*wantArea {
			t.Errorf("plane at %g mm: cut area %.2f cm², want %.2f", x, area, wantArea)
		}
	}
}

func TestMarginIsTheDistanceToTheTumour(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 1})
	for _, m := range []float64{0.5, 1, 5, 10} {
		r, err := a.Resect(context.Background(), planeAt(tumourX-tumourMM-m))
		if err != nil {
			t.Fatal(err)
		}
		if q := value(t, r.Evaluation, "margin_mm"); math.Abs(q.Value-m) > 1 || q.Spread.P2_5 > m || q.Spread.P97_5 < m {
			t.Errorf("margin %v, want %g mm within the interval", q, m)
		}
	}
}

func TestVesselsAreCountedWithSystemAndRadius(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 1})
	r, err := a.Resect(context.Background(), planeAt(10))
	if err != nil {
		t.Fatal(err)
	}
	v := r.Evaluation.Vessels
	if len(v) != 1 || v[0].System != "portal" || math.Abs(v[0].Radius.Value-vesselMM) > 0.75 {
		t.Fatalf("vessels cut: %+v", v)
	}
	if d := math.Hypot(v[0].At[1]-20, v[0].At[2]); d > 1 || math.Abs(v[0].At[0]-10) > 1 {
		t.Errorf("section at %v", v[0].At)
	}
	along := planner.Plan{Name: "below the vessel", Cuts: []planner.Plane{{Point: r3.Vec{Y: 12}, Normal: r3.Vec{Y: -1}}}}.Sealed()
	r, err = a.Resect(context.Background(), along)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Evaluation.Vessels) != 0 {
		t.Errorf("a cut 8 mm from the vessel's axis severs %+v", r.Evaluation.Vessels)
	}
}

func TestRemnantFieldIsTheRemnant(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 1})
	p := planeAt(10)
	r, err := a.Resect(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	in := 0
	for n, phi := range r.Phi {
		inside := a.Labels.ID[n].InOrgan() && p.SignedMM(a.at(n)) < 0
		if inside != (phi < 0) {
			t.Fatalf("voxel at %v: phi %g, in the remnant %v", a.at(n), phi, inside)
		}
		if inside {
			in++
		}
	}
	if float64(in)*a.Grid.VoxelMM3() != r.RemnantMM3 || r.IsolatedMM3 != 0 {
		t.Errorf("remnant %g mm³ of %d voxels, isolated %g", r.RemnantMM3, in, r.IsolatedMM3)
	}
}

func TestAFragmentIsReportedAsIsolated(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 1})
	// Two half-spaces that leave a large part at low x and a strip beyond.
	p := planner.Plan{Name: "slab", Cuts: []planner.Plane{{Point: r3.Vec{X: 10}, Normal: r3.Vec{X: 1}}}}
	r, err := a.Resect(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	phi := r.Phi
	for n := range phi { // bring back a strip on the far side
		if q := a.at(n); a.Phi[n] < 0 && q.X > 40 {
			phi[n] = a.Phi[n]
		}
	}
	large, rest := a.keepLargest(phi)
	if rest == 0 || large < rest {
		t.Errorf("largest %d, rest %d", large, rest)
	}
	for n := range phi {
		if a.at(n).X > 40 && phi[n] < 0 {
			t.Fatal("the fragment is still inside")
		}
	}
}

func TestCandidatesTakeTheTumourWithTheirMargin(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 2})
	cs, err := a.Generate(context.Background(), "ball", Spec{MarginsMM: []float64{5}, Directions: 40})
	if err != nil {
		t.Fatal(err)
	}
	if len(cs) != 40 {
		t.Fatalf("%d candidates", len(cs))
	}
	best, bestX := 0.0, 0.0
	for _, c := range cs {
		if err := c.Plan.Validate(); err != nil {
			t.Fatal(err)
		}
		if q := a.marginQuantity(c.Plan); q.Value < 5 || q.Value > 5.00001 {
			t.Fatalf("plan %v has margin %v", c.Plan.Cuts, q)
		}
		if s := c.Scores[0].Value; s > best {
			best, bestX = s, c.Plan.Cuts[0].Normal.X
		}
	}
	if bestX < 0.9 { // the tumour lies at +x: taking that side leaves the most
		t.Errorf("the plane that leaves most has normal x %.2f", bestX)
	}
}

func TestCandidatesHaveTheSameBitsForAnyCoreCount(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 2})
	var want string
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		cs, err := a.Generate(context.Background(), "ball", Spec{Directions: 30})
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Resect(context.Background(), cs[3].Plan)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		got := planner.ContentID("t", []any{cs, r.Evaluation})
		if want == "" {
			want = got
		} else if got != want {
			t.Fatalf("GOMAXPROCS %d gives other bits", procs)
		}
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	s := ball([3]float64{2, 2, 2})
	for _, c := range []struct {
		drop uint32
		want string
	}{{1, "liver"}, {4, "tumour inside the liver"}} {
		bad := &imaging.Segments{Grid: s.Grid, Of: s.Of, Bits: make([]uint32, len(s.Bits))}
		for n, b := range s.Bits {
			bad.Bits[n] = b &^ c.drop
		}
		_, err := NewAnatomy(context.Background(), bad)
		if m, ok := errors.AsType[*MissingError](err); !ok || m.Structure != c.want {
			t.Errorf("got %v, want a missing %s", err, c.want)
		}
	}
	a := anatomy(t, [3]float64{2, 2, 2})
	for x, all := range map[float64]bool{200: false, -200: true} {
		_, err := a.Resect(context.Background(), planeAt(x))
		if e, ok := errors.AsType[*NothingLeftError](err); !ok || e.All != all {
			t.Errorf("plane at %g: %v", x, err)
		}
	}
}
