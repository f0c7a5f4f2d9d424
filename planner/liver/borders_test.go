package liver

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// scan is a CT of the ball: 40 HU around it, 110 in it, 60 in the tumour and 160
// in the vein, with steps as wide as a voxel and noise of 8 HU.
func scan(spacing [3]float64) (*imaging.Segments, *imaging.Volume) {
	s := ball(spacing)
	v := imaging.NewVolume(s.Grid, imaging.KindHU)
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range v.Data {
		i, j, k := s.Grid.IJK(n)
		p := s.Grid.Point(float64(i), float64(j), float64(k))
		in := func(mm float64) float64 { return max(0, min(1, 0.5-mm/spacing[0])) }
		hu := 40 + 70*in(r3.Norm(p)-organMM)
		for _, b := range []struct{ mm, hu float64 }{{r3.Norm(r3.Sub(p, r3.Vec{X: tumourX})) - tumourMM, 60}, {math.Hypot(p.Y-20, p.Z) - vesselMM, 160}} {
			hu += (b.hu - hu) * in(b.mm)
		}
		v.Data[n] = int16(math.Round(hu + 8*rng.NormFloat64()))
	}
	return s, v
}

// With the image, volumes and margins are those of the ball, and their
// intervals come from what the image says; without it half a voxel stands, and
// a flag says so.
func TestBordersAreMeasuredInTheImage(t *testing.T) {
	spacing := [3]float64{1.5, 1.5, 1.5}
	_, v := scan(spacing)
	a := anatomy(t, spacing)
	with, without := procedure(t, a, ProcedureSpec{Image: v}), procedure(t, a, ProcedureSpec{})
	flagged := func(pr *Procedure) string {
		for _, f := range pr.Flags() {
			if strings.HasPrefix(f.ID, "border_") {
				return f.Text
			}
		}
		return ""
	}
	if f := flagged(with); f != "" {
		t.Errorf("with the image: %s", f)
	}
	for _, f := range with.Flags() {
		if f.ID == "portal_contrast" { // 50 HU, by the image
			t.Error(f.Text)
		}
	}
	if f := flagged(without); !strings.Contains(f, "half a voxel") {
		t.Errorf("without an image the flag is %q", f)
	}
	if s := with.Inputs()[inNoise].Spread; s != (uncertainty.FieldSeed{}) {
		t.Errorf("with the image the noise is %v", s)
	}
	if s := with.Inputs()[inTumourBorder].Spread; s != (uncertainty.Fixed{}) {
		t.Errorf("with the image the tumours' border is %v", s)
	}
	if s := with.Inputs()[inOrganBorder].Source; !strings.Contains(s, "at the 2 %") { // where the vein leaves
		t.Errorf("with the image the organ's border is known by %q", s)
	}
	const at = 17
	ml := func(r float64) float64 { return 4 * math.Pi / 3 * r * r * r / 1000 }
	flr := 100 * ml(organMM) * (1 - capShare(at)) / (ml(organMM) - ml(tumourMM))
	want := map[string]float64{"flr_percent": flr, "remnant_ml": ml(organMM) * (1 - capShare(at)), "tumour_ml": ml(tumourMM), "margin_mm": tumourX - tumourMM - at}
	widths := [2]map[string]float64{{}, {}}
	for n, pr := range []*Procedure{with, without} {
		r, err := uncertainty.Quantify(t.Context(), pr, planeAt(at), uncertainty.Options{Method: uncertainty.Method{Kind: uncertainty.SobolPoints, Seed: 1}})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range r.Quantities {
			w, judged := want[q.ID]
			if !judged {
				continue
			}
			widths[n][q.ID] = q.Spread.P97_5 - q.Spread.P2_5
			if n == 0 && math.Abs(q.Value-w) > 0.75*widths[n][q.ID] {
				t.Errorf("%s is %v, want %.3f", q.ID, q, w)
			}
		}
	}
	for id := range want {
		if widths[0][id] <= 0 || widths[0][id] >= 0.8*widths[1][id] {
			t.Errorf("%s: interval of %.3f with the image, %.3f without", id, widths[0][id], widths[1][id])
		}
	}
}

// The same noise moves every plan, and the same sample gives the same bits.
func TestPlansShareTheNoise(t *testing.T) {
	spacing := [3]float64{2, 2, 2}
	_, v := scan(spacing)
	pr := procedure(t, anatomy(t, spacing), ProcedureSpec{Image: v})
	x := planner.Medians(pr.Inputs())
	x[inNoise] = 0.3
	a, b := simulate(t, pr, planeAt(16), x), simulate(t, pr, planeAt(10), x)
	if of(t, a, "tumour_ml") != of(t, b, "tumour_ml") || of(t, a, "tumour_ml") == of(t, simulate(t, pr, planeAt(16), nil), "tumour_ml") {
		t.Error("two plans see different tumours, or the noise moves none")
	}
	if again := simulate(t, pr, planeAt(16), x); of(t, again, "margin_mm") != of(t, a, "margin_mm") || of(t, again, "remnant_ml") != of(t, a, "remnant_ml") {
		t.Error("the same sample gives other numbers")
	}
	x[inNoise] = 1.5
	if _, err := pr.Simulate(t.Context(), planeAt(16), planner.L0, x); err == nil {
		t.Error("a seed of 1.5 is taken")
	}
}

// An image on another grid measures nothing, and a mask that the image does not
// bear out stands as it is.
func TestImagesThatDoNotFit(t *testing.T) {
	spacing := [3]float64{2, 2, 2}
	_, v := scan(spacing)
	a := anatomy(t, spacing)
	base := of(t, simulate(t, procedure(t, a, ProcedureSpec{}), planeAt(16), nil), "remnant_ml")
	other := *v
	other.Grid.Origin.X += 0.7
	blank := *v
	blank.Data = make([]int16, len(v.Data))
	for name, im := range map[string]*imaging.Volume{"another grid": &other, "blank": &blank} {
		pr := procedure(t, a, ProcedureSpec{Image: im})
		found := false
		for _, f := range pr.Flags() {
			found = found || f.ID == "border_not_measured" && strings.Contains(f.Text, "half a voxel")
		}
		if !found {
			t.Errorf("%s: flags %+v", name, pr.Flags())
		}
		if got := of(t, simulate(t, pr, planeAt(16), nil), "remnant_ml"); got != base {
			t.Errorf("%s: remnant %.3f ml, without image %.3f", name, got, base)
		}
	}
}
