package fem

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// A solve that is broken off in any stage goes on from its checkpoint, through
// gob, to the same end.
func TestResumeReachesTheSameEnd(t *testing.T) {
	m := block(true)
	top := func(p r3.Vec) bool { return p.Z == 20 }
	var release []Hold
	for _, p := range prescribe(m.Mesh, top, still) {
		release = append(release, Hold{p.Node, p.Axis})
	}
	m.Stages = []Stage{
		{Steps: 4, Prescribed: prescribe(m.Mesh, top, func(r3.Vec) r3.Vec { return r3.Vec{X: 6, Z: 4} })},
		{Steps: 3, Release: release, Loads: &LoadCase{GravityChange: r3.Vec{Z: -9810}}},
	}
	want, _ := solve(t, m, Settings{ResidualTol: 1e-9})
	broken := errors.New("broken off")
	for _, at := range []int{2, 4, 6} {
		r, err := Solve(context.Background(), m, Settings{ResidualTol: 1e-9, Checkpoint: true}, func(f *Frame) error {
			if f.Step == at {
				return broken
			}
			return nil
		})
		if !errors.Is(err, broken) || r.Checkpoint == nil {
			t.Fatalf("broken off at %d: %v, checkpoint %v", at, err, r.Checkpoint != nil)
		}
		var b bytes.Buffer
		var c Checkpoint
		if err := errors.Join(gob.NewEncoder(&b).Encode(r.Checkpoint), gob.NewDecoder(&b).Decode(&c)); err != nil {
			t.Fatal(err)
		}
		first := 0
		var last *Frame
		if _, err := Solve(context.Background(), m, Settings{ResidualTol: 1e-9, Resume: &c}, func(f *Frame) error {
			if first == 0 {
				first = f.Step
			}
			last = f
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if first != at+1 || last.Step != want.Step || last.TimeS != want.TimeS {
			t.Errorf("broken off at %d: went on with frame %d to %d, %v s", at, first, last.Step, last.TimeS)
		}
		for v := range want.U {
			if d := r3.Norm(r3.Sub(last.U[v], want.U[v])); d > 1e-6 {
				t.Fatalf("broken off at %d: node %d ends %g mm apart", at, v, d)
			}
		}
		c.U = c.U[:3]
		if _, err := Solve(context.Background(), m, Settings{Resume: &c}, nil); !isType[*InputError](err) {
			t.Errorf("a cut checkpoint: %v", err)
		}
	}
}
