package aneurysm

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/inverse"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Shapes are the names that Synthetic knows: a straight tube, and three shapes
// as patients have them.
var Shapes = []string{"tube", "fusiform", "saccular", "thrombus"}

// Synthetic is a synthetic aorta: a tube of 52 mm lumen; a fusiform aneurysm of
// 54 mm on a bent centreline; a one-sided sac on a doubly bent one; a fusiform
// aneurysm that is two thirds filled with thrombus, whose outer border is seen.
// Analytic functions sampled every millimetre and at 64 angles.
func Synthetic(name string) (*Shape, error) {
	bell := func(s, at, width float64) float64 { d := (s - at) / width; return math.Exp(-d * d) }
	switch name {
	case "tube":
		return Along(100, 1, 64, func(s float64) r3.Vec { return r3.Vec{Z: -s} }, func(_, _ float64) float64 { return 26 }, nil)
	case "fusiform":
		return Along(140, 1, 64, func(s float64) r3.Vec { return r3.Vec{Y: 4 * math.Sin(s/140*math.Pi), Z: -s} },
			func(s, _ float64) float64 { return 11 + 16*bell(s, 70, 24) }, nil)
	case "saccular":
		return Along(150, 1, 64, func(s float64) r3.Vec {
			return r3.Vec{X: 8 * math.Sin(s/75*math.Pi), Y: -12 * math.Sin(s/150*math.Pi), Z: -s}
		}, func(s, a float64) float64 {
			c := 0.5 + 0.5*math.Cos(a-1)
			return 11 + (5+9*c*c)*bell(s, 75, 26)
		}, nil)
	case "thrombus":
		return Along(140, 1, 64, func(s float64) r3.Vec { return r3.Vec{Y: 4 * math.Sin(s/140*math.Pi), Z: -s} },
			func(s, _ float64) float64 { return 10 + 6*bell(s, 70, 24) },
			func(s, a float64) float64 { return 11.7 + 16*bell(s, 70, 24)*(1+0.15*math.Cos(a)) })
	}
	return nil, &InputError{"Synthetic", fmt.Sprintf("knows no shape %.20q; it has %v", name, Shapes)}
}

// Reinflation is one zero-pressure problem and how it was solved.
type Reinflation struct {
	Shape         string
	Nodes, Tets   int
	ForwardSolves int     // of unloading; failed ones count
	InverseNewton int     // factorisations of its direct solve
	MaxMM         float64 // largest nodal distance of the imaged shape to the one inflated again from rest
	HasTruth      bool    // the shape without pressure is known
	TruthMM       float64 // largest nodal distance to it
	MovedMM       float64 // how far the pressure moves the wall
}

// Reinflate takes a synthetic shape for an aorta without pressure, inflates it
// to 93 mmHg, hands the result to Unload as the image, and inflates what comes
// back again from rest by a solve of its own. The tube is imaged as it is.
func Reinflate(ctx context.Context, name string, o MeshOptions) (r Reinflation, err error) {
	const mmHg, steps = 93, 4
	r = Reinflation{Shape: name, HasTruth: name != "tube"}
	s, err := Synthetic(name)
	if err != nil {
		return r, err
	}
	w, err := NewWall(s, 1.5, o)
	if err != nil {
		return r, err
	}
	r.Nodes, r.Tets = len(w.Mesh.Nodes), len(w.Mesh.Tets)
	m, err := w.Model(Tissue{}, EndsHeld, mmHg)
	if err != nil {
		return r, err
	}
	truth := m.Mesh
	inflate := func(from *mesh.TetMesh) ([]r3.Vec, error) {
		m := *m
		m.Mesh = from
		var out []r3.Vec
		_, err := fem.Solve(ctx, &m, settings(steps), func(f *fem.Frame) error {
			out = out[:0]
			for n, u := range f.U {
				out = append(out, r3.Add(from.Nodes[n], u))
			}
			return nil
		})
		return out, err
	}
	if r.HasTruth {
		me := *truth
		if me.Nodes, err = inflate(truth); err != nil {
			return r, err
		}
		m.Mesh = &me
	}
	ref, rep, err := inverse.Unload(ctx, m, settings(2), inverse.Options{})
	r.ForwardSolves, r.InverseNewton = rep.ForwardSolves, rep.InverseNewton
	if err != nil {
		return r, err
	}
	again, err := inflate(ref.Mesh)
	if err != nil {
		return r, err
	}
	r.MaxMM, r.MovedMM = farthest(again, m.Mesh.Nodes), farthest(ref.Mesh.Nodes, m.Mesh.Nodes)
	if r.HasTruth {
		r.TruthMM = farthest(ref.Mesh.Nodes, truth.Nodes)
	}
	return r, nil
}

func farthest(a, b []r3.Vec) (d float64) {
	for n := range a {
		d = max(d, r3.Norm(r3.Sub(a[n], b[n])))
	}
	return d
}
