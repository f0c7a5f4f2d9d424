package liver

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// procedure is liver.resection on the ball.
func procedure(t testing.TB, a *Anatomy, spec ProcedureSpec) *Procedure {
	t.Helper()
	pr, err := NewProcedure(context.Background(), a, spec)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

func simulate(t testing.TB, pr *Procedure, p planner.Plan, x []float64) *planner.Outcome {
	t.Helper()
	o, err := pr.Simulate(context.Background(), p, planner.L0, x)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func of(t testing.TB, o *planner.Outcome, id string) float64 {
	t.Helper()
	v, ok := o.Value(id)
	if !ok {
		t.Fatalf("no output %s", id)
	}
	return v.V
}

// flatSheet is the plane at x = at as a sheet, with the normal turned by tilt
// around z.
func flatSheet(at, tilt float64) planner.Plan {
	s, c := math.Sincos(tilt)
	return planner.Plan{Name: "flat sheet", Sheets: []planner.Sheet{{Origin: r3.Vec{X: at * c, Y: at * s}, U: r3.Vec{X: -30 * s, Y: 30 * c}, V: r3.Vec{Z: 30}}}}
}

// paraboloid is the sheet x = at + (y²+z²)·bend: quadratic, so a cubic patch
// holds it exactly, up to |y|, |z| = half.
func paraboloid(at, bend, half float64) planner.Plan {
	s := planner.Sheet{Origin: r3.Vec{X: at}, U: r3.Vec{Y: half}, V: r3.Vec{Z: half}}
	// t² on [−1, 1] has the cubic Bézier ordinates 1, −1/3, −1/3, 1.
	q := [4]float64{1, -1.0 / 3, -1.0 / 3, 1}
	for i := range 4 {
		for j := range 4 {
			s.HeightsMM[i][j] = bend * half * half * (q[i] + q[j])
		}
	}
	return planner.Plan{Name: "paraboloid", Sheets: []planner.Sheet{s}}
}

// overParaboloid is the volume of the ball beyond x = at + bend·ρ², in ml, and
// the area of that surface inside it, cm², by fine sums over rings.
func overParaboloid(at, bend float64) (ml, cm2 float64) {
	const d = 0.001
	for rho := d / 2; rho < organMM; rho += d {
		top, h := math.Sqrt(organMM*organMM-rho*rho), at+bend*rho*rho
		ring := 2 * math.Pi * rho * d
		if h < top {
			ml += ring * (top - max(h, -top)) / 1000
			if h > -top {
				cm2 += ring * math.Sqrt(1+4*bend*bend*rho*rho) / 100
			}
		}
	}
	return ml, cm2
}

func TestCurvedCutsMatchClosedForms(t *testing.T) {
	total := 4.0 / 3 * math.Pi * organMM * organMM * organMM / 1000
	tumour := 4.0 / 3 * math.Pi * tumourMM * tumourMM * tumourMM / 1000
	for _, spacing := range [][3]float64{{0.8, 0.8, 1.6}, {1, 1, 1}} {
		pr := procedure(t, anatomy(t, spacing), ProcedureSpec{})
		check := func(p planner.Plan, gone, area float64) {
			t.Helper()
			o := simulate(t, pr, p, nil)
			want := 100 * (total - gone) / (total - tumour)
			if got := of(t, o, "flr_percent"); math.Abs(got-want) > 0.3 {
				t.Errorf("%v mm, %s: FLR %.3f %%, want %.3f", spacing, p.Name, got, want)
			}
			if got := of(t, o, "resected_ml"); math.Abs(got-gone) > 0.004*total {
				t.Errorf("%v mm, %s: %.2f ml gone, want %.2f", spacing, p.Name, got, gone)
			}
			if got := of(t, o, "cut_area_cm2"); math.Abs(got-area) > 0.03*area {
				t.Errorf("%v mm, %s: area %.2f cm², want %.2f", spacing, p.Name, got, area)
			}
		}
		for _, x := range []float64{-20, 0.3, 10, 17} {
			disc := math.Pi * (organMM*organMM - x*x) / 100
			check(planeAt(x), total*capShare(x), disc)
			check(flatSheet(x, 0), total*capShare(x), disc)
			check(flatSheet(x, 0.7), total*capShare(x), disc)
		}
		for _, c := range [][2]float64{{0, 0.01}, {-10, 0.02}, {15, -0.01}} {
			ml, cm2 := overParaboloid(c[0], c[1])
			check(paraboloid(c[0], c[1], 60), ml, cm2)
		}
	}
}

func TestMarginOfCurvedCuts(t *testing.T) {
	a := anatomy(t, [3]float64{0.8, 0.8, 0.8})
	pr := procedure(t, a, ProcedureSpec{})
	for _, m := range []float64{0.5, 1, 5, 10} {
		for _, p := range []planner.Plan{planeAt(tumourX - tumourMM - m), flatSheet(tumourX-tumourMM-m, 0)} {
			if got := of(t, simulate(t, pr, p, nil), "margin_mm"); math.Abs(got-m) > 0.4 { // half a voxel
				t.Errorf("%s: margin %.2f mm, want %g", p.Name, got, m)
			}
		}
	}
	// The paraboloid x = 30 − 8 − m − 0.02ρ²… bends away: its apex is nearest.
	p := paraboloid(tumourX-tumourMM-3, -0.01, 60)
	if got := of(t, simulate(t, pr, p, nil), "margin_mm"); math.Abs(got-3) > 0.4 {
		t.Errorf("%s: margin %.2f mm, want 3", p.Name, got)
	}
	// Through the tumour's middle, and past it.
	if got := of(t, simulate(t, pr, planeAt(tumourX), nil), "margin_mm"); got > -tumourMM+1 {
		t.Errorf("a cut through the middle has a margin of %.2f mm", got)
	}
	if got := of(t, simulate(t, pr, planeAt(tumourX+tumourMM+4), nil), "margin_mm"); got > -tumourMM+1 {
		t.Errorf("a tumour left behind has a margin of %.2f mm", got)
	}
}

func TestALargerMarginNeverLeavesMore(t *testing.T) {
	pr := procedure(t, anatomy(t, [3]float64{1, 1, 2}), ProcedureSpec{})
	last := math.Inf(1)
	for m := 0.0; m < 20; m += 0.37 {
		o := simulate(t, pr, paraboloid(tumourX-tumourMM-m, 0.01, 40), nil)
		if flr := of(t, o, "flr_percent"); flr > last {
			t.Fatalf("margin %.2f mm leaves %.4f %%, less margin left %.4f", m, flr, last)
		} else {
			last = flr
		}
	}
}

// TestRigidMotion turns grid and plan together.
func TestRigidMotion(t *testing.T) {
	turn := r3.NewRotation(0.9, r3.Vec{X: 1, Y: -2, Z: 0.5})
	shift := r3.Vec{X: 40, Y: -90, Z: 300}
	s := ball([3]float64{1, 1, 2})
	moved := &imaging.Segments{Grid: s.Grid, Of: s.Of, Bits: s.Bits}
	moved.Grid.Origin = r3.Add(turn.Rotate(s.Grid.Origin), shift)
	for n := range moved.Grid.Axes {
		moved.Grid.Axes[n] = turn.Rotate(s.Grid.Axes[n])
	}
	b, err := NewAnatomy(context.Background(), moved)
	if err != nil {
		t.Fatal(err)
	}
	pa, pb := procedure(t, anatomy(t, [3]float64{1, 1, 2}), ProcedureSpec{}), procedure(t, b, ProcedureSpec{})
	for _, p := range []planner.Plan{planeAt(11.3), flatSheet(8.1, 0.4), paraboloid(5, 0.01, 50)} {
		q := p
		q.Cuts, q.Sheets = nil, nil
		for _, c := range p.Cuts {
			q.Cuts = append(q.Cuts, planner.Plane{Point: r3.Add(turn.Rotate(c.Point), shift), Normal: r3.Unit(turn.Rotate(c.Normal))})
		}
		for _, s := range p.Sheets {
			s.Origin, s.U, s.V = r3.Add(turn.Rotate(s.Origin), shift), turn.Rotate(s.U), turn.Rotate(s.V)
			q.Sheets = append(q.Sheets, s)
		}
		oa, ob := simulate(t, pa, p, nil), simulate(t, pb, q, nil)
		for _, id := range []string{"flr_percent", "remnant_ml", "cut_area_cm2", "margin_mm"} {
			x, y := of(t, oa, id), of(t, ob, id)
			tol := 1e-6 * math.Abs(x)
			if id == "cut_area_cm2" || len(p.Cuts) > 0 { // the table's nodes fall elsewhere
				tol = 0.01 * math.Abs(x)
			}
			if math.Abs(x-y) > tol {
				t.Errorf("%s: %s %.6f, turned %.6f", p.Name, id, x, y)
			}
		}
	}
}

func TestSamplesMoveWhatTheyShould(t *testing.T) {
	a := anatomy(t, [3]float64{1, 1, 1})
	pr := procedure(t, a, ProcedureSpec{HeightCM: 175, WeightKG: 75})
	x := planner.Medians(pr.Inputs())
	at := func(in int, v float64) *planner.Outcome {
		y := append([]float64(nil), x...)
		y[in] = v
		return simulate(t, pr, planeAt(15), y)
	}
	base := at(inOrganBorder, 0)
	// The whole border moved out by 1 mm: a ball of 51 mm cut at the same plane.
	vol := func(r float64) float64 { return (4*math.Pi/3*r*r*r - math.Pi/3*(r-15)*(r-15)*(2*r+15)) / 1000 }
	grow := of(t, at(inOrganBorder, 1), "remnant_ml") - of(t, base, "remnant_ml")
	if want := vol(organMM+1) - vol(organMM); math.Abs(grow-want) > 0.1*want {
		t.Errorf("border 1 mm out: remnant grows by %.2f ml, want %.2f", grow, want)
	}
	if d := of(t, at(inTumourBorder, 0.5), "margin_mm") - of(t, base, "margin_mm"); math.Abs(d+0.5) > 1e-12 {
		t.Errorf("tumour border 0.5 mm out: margin changes by %g mm", d)
	}
	if of(t, at(inTumourBorder, 0.5), "flr_percent") <= of(t, base, "flr_percent") {
		t.Error("a larger tumour leaves a smaller denominator, so a larger share")
	}
	k := of(t, at(inBleeding, 2*x[inBleeding]), "blood_loss_ml") / of(t, base, "blood_loss_ml")
	if math.Abs(k-2) > 1e-12 {
		t.Errorf("twice the bleeding gives %g times the loss", k)
	}
	// √(175·75/3600) = 1.9094 m² (Mosteller), 1267.28·1.9094 − 794.41 = 1625.3 ml (Vauthey).
	if std := StandardLiverML(BSA(175, 75)); math.Abs(std-1625.3) > 0.1 {
		t.Errorf("standard volume %.1f ml", std)
	}
	if got, want := of(t, base, "flr_standardised_percent"), 100*of(t, base, "remnant_ml")/1625.3; math.Abs(got-want) > 1e-3 {
		t.Errorf("standardised remnant %.4f %%, want %.4f", got, want)
	}
	none := procedure(t, a, ProcedureSpec{HeightCM: 175})
	for _, o := range none.Outputs() {
		if o.ID == "flr_standardised_percent" || o.ID == "remnant_body_weight_percent" {
			t.Errorf("%s without a weight", o.ID)
		}
	}
}

// TestOutputsNameTheirInputs moves every input: outputs that do not list it
// must not move.
func TestOutputsNameTheirInputs(t *testing.T) {
	pr := fixture(t)
	x := planner.Medians(pr.Inputs())
	for _, p := range []planner.Plan{divide(t, pr, "right portal vein"), embolised(divide(t, pr, "right portal vein")), planeThrough(pr, 0.2)} {
		base := simulate(t, pr, p, x)
		outputs := slices.DeleteFunc(pr.Outputs(), func(o planner.Output) bool { return o.Level > planner.L0 })
		if len(base.Values) != len(outputs) {
			t.Fatalf("%d values for %d outputs", len(base.Values), len(outputs))
		}
		for n, in := range pr.Inputs() {
			y := append([]float64(nil), x...)
			y[n] = in.Spread.Quantile(0.9)
			o := simulate(t, pr, p, y)
			for m, out := range outputs {
				if o.Values[m].ID != out.ID {
					t.Fatalf("value %d is %s, output %s", m, o.Values[m].ID, out.ID)
				}
				listed := out.Inputs == nil
				for _, id := range out.Inputs {
					listed = listed || id == in.ID
				}
				if o.Values[m].V != base.Values[m].V && !listed {
					t.Errorf("%s: %s moves with %s, which it does not list", p.Name, out.ID, in.ID)
				}
			}
		}
	}
}

// TestResectAgreesWithTheBlocks compares the voxels of Resect, which meshes are
// made of, with the blocks of level L0.
func TestResectAgreesWithTheBlocks(t *testing.T) {
	pr := fixture(t)
	cs, err := candidates()
	if err != nil {
		t.Fatal(err)
	}
	plans := []planner.Plan{divide(t, pr, "right portal vein")}
	kinds := map[[2]bool]bool{}
	for _, c := range cs {
		if k := [2]bool{len(c.Plan.Divided) > 0, len(c.Plan.Sheets) > 0}; !kinds[k] && len(c.Plan.Cuts) == 0 {
			kinds[k] = true
			plans = append(plans, c.Plan)
		}
	}
	for _, p := range plans {
		r, err := pr.a.Resect(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		o := simulate(t, pr, p, nil)
		// Voxels count whole here; the border of a territory is drawn from voxels
		// here and from blocks there.
		if got, want := r.RemnantMM3/1000, of(t, o, "remnant_ml"); math.Abs(got-want) > 0.005*pr.trees.blocks.total {
			t.Errorf("%q: %.1f ml by voxels, %.1f ml by blocks", p.Name, got, want)
		}
		q, ok := r.Evaluation.Quantity("margin_mm")
		if want := of(t, o, "margin_mm"); !ok || q.Value != want {
			t.Errorf("%q: margin %v, want %g", p.Name, q, want)
		}
	}
}
