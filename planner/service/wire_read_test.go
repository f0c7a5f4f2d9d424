package service

import (
	"errors"
	"reflect"
	"testing"

	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// What a client reads is the plan that was sent, to the bit; another content
// under its name is refused.
func TestReadPlan(t *testing.T) {
	n := r3.Unit(r3.Vec{X: 1, Y: 0.3, Z: -0.7})
	n.X = float64(float32(n.X)) // not quite of length 1
	for name, p := range map[string]planner.Plan{
		"planes":     {Cuts: []planner.Plane{{Point: r3.Vec{X: 0.1, Y: 2}, Normal: n}}, RetractionMM: 30, GravityG: r3.Vec{Z: 1}},
		"edited":     {Cuts: []planner.Plane{{Normal: r3.Vec{Z: 1}}}, Parent: "abc"},
		"none":       {Divided: []planner.Branch{{System: "portal", Index: 3, Name: "right"}}, Embolised: []planner.Branch{{System: "portal", Index: 4}}},
		"empty list": {Cuts: []planner.Plane{}, Needles: []planner.Needle{{Tip: r3.Vec{X: 40}, Device: "d@1"}}},
		"a sheet":    {Sheets: []planner.Sheet{{U: r3.Vec{X: 1}, V: r3.Vec{Y: 1}, HeightsMM: [4][4]float64{1: {0.1, 0.2}}}}},
		"a graft":    {Graft: &planner.Graft{Device: "g@1", ProximalMM: 1, DistalMM: 80.1}},
	} {
		p.Case, p.Procedure, p.Name = "c", "x.y", name
		p = p.Sealed()
		got, err := ReadPlan(toPlan(p))
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		m := toPlan(p)
		m.DisplayName += "x"
		if _, err := ReadPlan(m); !isField(err) {
			t.Errorf("%s: another content under the name: %v", name, err)
		}
		m = toPlan(p)
		m.Name = "plans/x"
		if _, err := ReadPlan(m); !isField(err) {
			t.Errorf("%s: without a name: %v", name, err)
		}
	}
	if _, err := ReadPlan(nil); !isField(err) {
		t.Error(err)
	}
}

func isField(err error) bool { _, ok := errors.AsType[*FieldError](err); return ok }
