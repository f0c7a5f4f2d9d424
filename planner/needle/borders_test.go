package needle

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/uncertainty"

	"gonum.org/v1/gonum/spatial/r3"
)

// With the image the clearance from a vessel in the organ is that of its border
// between voxels, and its interval without insertion errors comes from what the
// image says; without it the flag tells what was assumed.
func TestBordersAreMeasuredInTheImage(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 60, 40}, r3.Vec{}, [3]float64{1.5, 1.5, 2})
	const vesselR, targetR = 5.0, 8.0
	target, vessel := r3.Vec{X: 60, Y: 45, Z: 40}, r3.Vec{X: 36.3, Y: 45.4}
	s := imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelTumour, imaging.LabelVessel)
	v := imaging.NewVolume(g, imaging.KindHU)
	rng := rand.New(rand.NewPCG(2, 2))
	for n := range s.Bits {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		hu := 110.0
		for _, b := range []struct {
			mm, hu float64
			label  imaging.Label
		}{{r3.Norm(r3.Sub(p, r3.Vec{X: 44, Y: 44, Z: 40})) - 38, 110, imaging.LabelLiver}, {r3.Norm(r3.Sub(p, target)) - targetR, 60, imaging.LabelTumour},
			{math.Hypot(p.X-vessel.X, p.Y-vessel.Y) - vesselR, 170, imaging.LabelVessel}} {
			in := max(0, min(1, 0.5-b.mm/1.5))
			if b.label == imaging.LabelLiver {
				hu = 30
			}
			hu += (b.hu - hu) * in
			if b.mm < 0 {
				s.Bits[n] |= s.Bit(b.label)
			}
		}
		if i > 1 && i < 58 && j > 1 && j < 58 {
			s.Bits[n] |= s.Bit(imaging.LabelBody)
		}
		v.Data[n] = int16(math.Round(hu + 8*rng.NormFloat64()))
	}
	const away = 9.0 // of the needle from the vessel's axis
	plan := planner.Plan{Name: "beside the vessel", Needles: []planner.Needle{{Entry: r3.Vec{X: vessel.X + away, Y: 10, Z: 40}, Tip: r3.Vec{X: vessel.X + away, Y: 70, Z: 40}, Device: "biopsy.core.18g@2026.1"}}}
	none := Errors{RegistrationMM: 1e-6, AngleDeg: 1e-6, DepthMM: 1e-6, HoldMM: 1e-6}
	for _, im := range []*imaging.Volume{v, nil} {
		c, err := NewCase(context.Background(), s, Config{Image: im, Errors: none, Candidates: 100, SkinMM: 8})
		if err != nil {
			t.Fatal(err)
		}
		flag := ""
		for _, f := range c.Flags() {
			if f.ID == "border_not_measured" {
				flag = f.Text
			}
		}
		if (flag == "") != (im != nil) || im == nil && !strings.Contains(flag, "0.5 mm") {
			t.Errorf("image %v: flag %q", im != nil, flag)
		}
		r, err := uncertainty.Quantify(t.Context(), c, plan, uncertainty.Options{Method: uncertainty.Method{Kind: uncertainty.SobolPoints, Seed: 1}})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range r.Quantities {
			if q.ID != "clearance_vessel_mm" {
				continue
			}
			width := q.Spread.P97_5 - q.Spread.P2_5
			if im == nil && math.Abs(width-2*1.96*0.5) > 0.2 {
				t.Errorf("without an image %v, want an interval of 4 × 0.5 mm", q)
			}
			if im != nil && (math.Abs(q.Value-(away-vesselR-1.27/2)) > 0.35 || width < 0.1 || width > 1.2) {
				t.Errorf("with the image %v, want %.2f", q, away-vesselR-1.27/2)
			}
		}
	}
}
