package planner

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// deCasteljau is the point of a cubic Bézier curve at t.
func deCasteljau(p []r3.Vec, t float64) r3.Vec {
	q := append([]r3.Vec(nil), p...)
	for n := len(q) - 1; n > 0; n-- {
		for i := range n {
			q[i] = r3.Add(r3.Scale(1-t, q[i]), r3.Scale(t, q[i+1]))
		}
	}
	return q[0]
}

func randomSheet(rng *rand.Rand) Sheet {
	s := Sheet{Origin: r3.Vec{X: 10, Y: -5, Z: 3}, U: r3.Scale(40, r3.Unit(r3.Vec{X: 1, Y: 2, Z: -1}))}
	s.V = r3.Scale(60, r3.Unit(r3.Cross(s.U, r3.Vec{Z: 1})))
	for i := range 4 {
		for j := range 4 {
			s.HeightsMM[i][j] = 30 * (rng.Float64() - 0.5)
		}
	}
	return s
}

// Points of the Bézier patch of the net have distance 0, and moving along the
// normal by a little moves the distance by no more than that.
func TestSheetIsTheGraphOfItsNet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		s := randomSheet(rng)
		if err := s.validate(); err != nil {
			t.Fatal(err)
		}
		net := s.Net()
		u, v := rng.Float64(), rng.Float64()
		rows := make([]r3.Vec, 4)
		for i := range rows {
			rows[i] = deCasteljau(net[i], v)
		}
		q := deCasteljau(rows, u)
		if d := s.SignedMM(q); math.Abs(d) > 1e-12*100 {
			t.Fatalf("a point of the patch lies at %g mm", d)
		}
		up := s.SignedMM(r3.Add(q, r3.Scale(0.5, s.Normal())))
		down := s.SignedMM(r3.Sub(q, r3.Scale(0.5, s.Normal())))
		if !(up > 0 && up <= 0.5 && math.Abs(up+down) < 1e-12) {
			t.Fatalf("half a millimetre above and below: %g and %g mm", up, down)
		}
	}
}

// A flat sheet is a plane, everywhere.
func TestFlatSheetIsAPlane(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := randomSheet(rng)
	s.HeightsMM = [4][4]float64{}
	p := Plane{Point: s.Origin, Normal: s.Normal()}
	plan := Plan{Sheets: []Sheet{s}}
	for range 100 {
		q := r3.Vec{X: 400 * (rng.Float64() - 0.5), Y: 400 * (rng.Float64() - 0.5), Z: 400 * (rng.Float64() - 0.5)}
		if a, b := plan.SignedMM(q), p.SignedMM(q); math.Abs(a-b) > 1e-11 {
			t.Fatalf("sheet %g, plane %g", a, b)
		}
	}
}

func TestPlansOfAllKindsAreChecked(t *testing.T) {
	sheet := randomSheet(rand.New(rand.NewPCG(5, 6)))
	skew := sheet
	skew.V = r3.Add(skew.V, skew.U)
	for _, c := range []struct {
		name string
		plan Plan
		ok   bool
	}{
		{"sheet", Plan{Sheets: []Sheet{sheet}}, true},
		{"skew sheet", Plan{Sheets: []Sheet{skew}}, false},
		{"flat sheet", Plan{Sheets: []Sheet{{}}}, false},
		{"divided", Plan{Divided: []Branch{{System: "portal", Index: 3}}}, true},
		{"branch of nothing", Plan{Divided: []Branch{{Index: 3}}}, false},
		{"embolised alone", Plan{Embolised: []Branch{{System: "portal"}}}, false},
		{"needle", Plan{Needles: []Needle{{Tip: r3.Vec{X: 100}}}}, true},
		{"needle without length", Plan{Needles: []Needle{{}}}, false},
		{"long needle", Plan{Needles: []Needle{{Tip: r3.Vec{X: 1000}}}}, false},
		{"graft", Plan{Graft: &Graft{Device: "g@1", DistalMM: 120}}, true},
		{"graft turned over", Plan{Graft: &Graft{Device: "g@1", ProximalMM: 3, DistalMM: 1}}, false},
	} {
		if err := c.plan.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
