package fem

import (
	"context"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// A prepared model gives what Solve gives, load after load.
func TestPreparedAgreesWithSolve(t *testing.T) {
	m := brickMesh(4, 3, 3, 40, 30, 30).Quadratic()
	mod := &Model{Mesh: m, Regions: one(must(material.NewLinear(0.01, 0.45))), Prescribed: prescribe(m, func(p r3.Vec) bool { return p.X == 0 }, still)}
	p, err := Prepare(context.Background(), mod, 0)
	if err != nil {
		t.Fatal(err)
	}
	u := make([]r3.Vec, len(m.Nodes))
	for _, g := range []r3.Vec{{Z: -9810}, {Y: 1e4, X: 300}} {
		mod.GravityChange = g
		f, _ := solve(t, mod, Settings{Steps: 1, ResidualTol: 1e-10})
		rel, err := p.Solve(context.Background(), u, &LoadCase{GravityChange: g}, 1e-9)
		if err != nil || rel > 1e-9 {
			t.Fatal(rel, err)
		}
		for v := range u {
			if d := r3.Norm(r3.Sub(u[v], f.U[v])); d > 1e-6 {
				t.Fatalf("gravity %v: node %d is %g mm off", g, v, d)
			}
		}
	}
	if _, err := Prepare(context.Background(), mod, 1000); !isType[*MemoryError](err) {
		t.Errorf("limit of 1000 bytes: %v", err)
	}
}
