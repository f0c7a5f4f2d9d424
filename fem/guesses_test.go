package fem

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// states carries mod through its stages and returns the frames at their ends.
func states(t *testing.T, mod *Model, s Settings) ([]*Frame, Result) {
	t.Helper()
	var out []*Frame
	r, err := Solve(context.Background(), mod, s, func(f *Frame) error {
		if f.Step > 0 {
			out = append(out, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, r
}

// staged is a gripped block that is pulled and then turned in gravity.
func staged(stiff float64) *Model {
	m := gripped(3, 0.45, false)
	m.Regions = slices.Clone(m.Regions)
	for i := range m.Regions {
		m.Regions[i].Law = must(material.NewNeoHookean(stiff*m.Regions[i].Law.ShearMPa(), 0.45))
		m.Regions[i].DensityTPerMM3 = 1.06e-9
	}
	m.Stages = []Stage{{Steps: 1, Prescribed: m.Prescribed}, {Steps: 1, Loads: &LoadCase{GravityChange: r3.Vec{Y: 4000}}}}
	m.Prescribed = nil
	return m
}

// Guesses change the work, not the answer: the states of a body carry one that
// is 30 % stiffer, in both stages.
func TestGuessesOfEveryStage(t *testing.T) {
	before, _ := states(t, staged(1), Settings{ResidualTol: 1e-8})
	plain, cold := states(t, staged(1.3), Settings{ResidualTol: 1e-8})
	guess := [][]r3.Vec{before[0].U, before[1].U}
	got, warm := states(t, staged(1.3), Settings{ResidualTol: 1e-8, Guesses: guess})
	for i := range plain {
		for v, u := range plain[i].U {
			if r3.Norm(r3.Sub(u, got[i].U[v])) > 1e-5 {
				t.Fatalf("stage %d, node %d: %v with guesses, %v without", i, v, got[i].U[v], u)
			}
		}
		if got[i].Newton > plain[i].Newton {
			t.Errorf("stage %d: %d iterations with guesses, %d without", i, got[i].Newton, plain[i].Newton)
		}
	}
	if warm.Newton >= cold.Newton {
		t.Errorf("%d iterations with guesses, %d without", warm.Newton, cold.Newton)
	}
	same, r := states(t, staged(1), Settings{ResidualTol: 1e-8, Guesses: guess})
	if r.Newton > 1 || r3.Norm(r3.Sub(same[1].U[5], before[1].U[5])) > 1e-6 {
		t.Errorf("from its own states a body takes %d iterations", r.Newton)
	}
	if _, r := states(t, staged(1.3), Settings{ResidualTol: 1e-8, Guesses: [][]r3.Vec{guess[0], nil}}); r.Newton < warm.Newton {
		t.Errorf("one guess takes %d iterations, two %d", r.Newton, warm.Newton)
	}
}

// sheathed is staged in a stiff sheet that draws taut at 4 % of strain.
func sheathed(stiff float64) *Model {
	m := staged(stiff)
	law := must(material.NewBilinearMembrane(0.08, 8, 0.04, 0, 0.1))
	m.Membranes = []Membrane{{Faces: facesOf(m.Mesh, func(r3.Vec) bool { return true }), Law: law}}
	m.Stages[1].Loads.GravityChange = r3.Scale(6, m.Stages[1].Loads.GravityChange)
	return m
}

// Guesses save iterations in a stage in which nothing is moved by prescription
// too, where a small error strains a sheet far stiffer than the tissue under it.
func TestGuessOfSoftTissueInAStiffSheet(t *testing.T) {
	before, _ := states(t, sheathed(1), Settings{})
	plain, _ := states(t, sheathed(1.3), Settings{ResidualTol: 1e-8})
	got, _ := states(t, sheathed(1.3), Settings{ResidualTol: 1e-8, Guesses: [][]r3.Vec{before[0].U, before[1].U}})
	for v, u := range plain[1].U {
		if r3.Norm(r3.Sub(u, got[1].U[v])) > 1e-4 {
			t.Fatalf("node %d: %v with guesses, %v without", v, got[1].U[v], u)
		}
	}
	if got[1].Newton >= plain[1].Newton {
		t.Errorf("%d iterations with guesses, %d without", got[1].Newton, plain[1].Newton)
	}
	t.Logf("%d iterations with guesses, %d without", got[1].Newton, plain[1].Newton)
}

func TestGuessesAreChecked(t *testing.T) {
	n := len(staged(1).Mesh.Nodes)
	bad := make([]r3.Vec, n)
	bad[3].X = math.NaN()
	for name, g := range map[string][][]r3.Vec{"stages": {nil}, "nodes": {nil, make([]r3.Vec, 2)}, "NaN": {bad, nil}} {
		if _, err := Solve(context.Background(), staged(1), Settings{Guesses: g}, nil); !isType[*InputError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stiffness of 2 everywhere is the law with twice its moduli, with and
// without mean dilatation: the same iterations and state.
func TestStiffnessIsAFactorOfTheLaw(t *testing.T) {
	for _, form := range []Formulation{Displacement, MeanDilatation} {
		a, b := staged(2), staged(1)
		b.Stiffness = make([]float64, len(b.Mesh.Tets))
		for e := range b.Stiffness {
			b.Stiffness[e] = 2
		}
		want, rw := states(t, a, Settings{Formulation: form})
		got, rg := states(t, b, Settings{Formulation: form})
		if rw.Newton != rg.Newton {
			t.Errorf("formulation %d: %d iterations with the factor, %d with the law", form, rg.Newton, rw.Newton)
		}
		for v, u := range want[1].U {
			if r3.Norm(r3.Sub(u, got[1].U[v])) > 1e-6 {
				t.Fatalf("formulation %d, node %d: %v and %v", form, v, got[1].U[v], u)
			}
		}
	}
}
