package fem

import (
	"context"
	"math"
	"slices"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// The history holds all that a contact remembers: taken back, the next
// increment starts with the same forces, to the bit.
func TestContactHistory(t *testing.T) {
	for _, friction := range []float64{0, 0.3} {
		b := stacked(brickMesh(2, 2, 1, 4, 4, 2), brickMesh(3, 3, 1, 4, 4, 2), r3.Vec{Z: 1.99})
		m := &Model{Mesh: b, Regions: both(must(laws())), Prescribed: prescribe(b, everywhere, still)}
		m.Contacts = []Contact{{Faces: facesOn(b, false, atZ(1.99)), Against: facesOn(b, true, atZ(2)), Friction: friction, GapToleranceMM: 1e-9}}
		sys, term := contactOf(t, m)
		u := make([]float64, 3*sys.n)
		round := func(x float64) {
			for v, p := range sys.x {
				if b.Region[sys.elementAt(int32(v))] != liver {
					u[3*v], u[3*v+2] = x+0.001*p.Y, -x/10
				}
			}
			term.augment(u, sys.now, false)
			term.augment(u, sys.now, false)
			term.commit(u, sys.now)
			term.search(u, sys.now)
		}
		round(0.002)
		round(0.004)
		f, g := make([]float64, 3*sys.n), make([]float64, 3*sys.n)
		term.force(f, u, sys.now)
		saved, at := slices.Clone(term.history()), slices.Clone(u)
		round(0.01)
		round(-0.02)
		copy(term.history(), saved)
		copy(u, at)
		term.search(u, sys.now)
		term.force(g, u, sys.now)
		if !slices.Equal(f, g) {
			t.Errorf("friction %g: the forces differ after the history was taken back", friction)
		}
		sys2, fresh := contactOf(t, m)
		copy(fresh.history(), saved)
		fresh.search(u, sys2.now)
		clear(g)
		fresh.force(g, u, sys2.now)
		if !slices.Equal(f, g) {
			t.Errorf("friction %g: the forces of a new term differ", friction)
		}
	}
}

// Two bodies that turn together keep pressing and rubbing as they did: the
// forces turn with them.
func TestContactTurnsWithTheBodies(t *testing.T) {
	b := stacked(brickMesh(2, 2, 1, 4, 4, 2), brickMesh(3, 3, 1, 4, 4, 2), r3.Vec{Z: 1.99})
	m := &Model{Mesh: b.Quadratic(), Regions: both(must(laws()))}
	m.Prescribed = prescribe(m.Mesh, everywhere, still)
	m.Contacts = []Contact{{Faces: facesOn(b, false, atZ(1.99)), Against: facesOn(b, true, atZ(2)), Friction: 0.3}}
	sys, term := contactOf(t, m)
	u := make([]float64, 3*sys.n)
	shear := func(x float64) {
		for v := range sys.x {
			if b.Region[sys.elementAt(int32(v))] != liver {
				u[3*v], u[3*v+1] = x, -x/2
			}
		}
	}
	term.augment(u, sys.now, false) // takes the friction limits
	shear(0.002)
	term.commit(u, sys.now)
	term.search(u, sys.now)
	f, g := make([]float64, 3*sys.n), make([]float64, 3*sys.n)
	term.force(f, u, sys.now)
	rot := r3.NewRotation(0.4, r3.Vec{X: 1, Y: -0.5, Z: 0.3})
	var size, off, along float64
	for v, x := range sys.x {
		d := r3.Sub(rot.Rotate(r3.Add(x, r3.Vec{X: u[3*v], Y: u[3*v+1], Z: u[3*v+2]})), x)
		u[3*v], u[3*v+1], u[3*v+2] = d.X, d.Y, d.Z
	}
	if again, _ := term.augment(u, sys.now, false); !again {
		t.Error("no round for the new direction of the friction")
	}
	term.commit(u, sys.now)
	term.search(u, sys.now)
	term.force(g, u, sys.now)
	for v := range sys.x {
		want := rot.Rotate(r3.Vec{X: f[3*v], Y: f[3*v+1], Z: f[3*v+2]})
		got := r3.Vec{X: g[3*v], Y: g[3*v+1], Z: g[3*v+2]}
		size = max(size, r3.Norm(want))
		along = max(along, math.Abs(f[3*v]))
		off = max(off, r3.Norm(r3.Sub(got, want)))
	}
	if !(along > 0.01*size) || off > 1e-9*size {
		t.Errorf("forces off by %.2g of %.2g N (friction up to %.2g N)", off, size, along)
	}
}

// A body that is taken out no longer presses.
func TestContactWithATakenBody(t *testing.T) {
	b := stacked(brickMesh(3, 3, 2, 6, 6, 3), brickMesh(2, 2, 1, 6, 6, 3), r3.Vec{Z: 3})
	m := &Model{Mesh: b, Regions: both(must(laws()))}
	m.Contacts = []Contact{{Faces: facesOn(b, true, func(p r3.Vec) bool { return p.Z == 3 }), Against: facesOn(b, false, func(p r3.Vec) bool { return p.Z == 3 })}}
	m.Stages = []Stage{
		{Steps: 1, Prescribed: append(prescribe(b, atZ(0), still), prescribe(b, atZ(6), func(r3.Vec) r3.Vec { return r3.Vec{Z: -0.2} })...)},
		{Steps: 1, Remove: []imaging.Label{liver + 1}},
	}
	var force, moved []float64
	_, err := Solve(context.Background(), m, Settings{ResidualTol: 1e-9}, func(f *Frame) error {
		force = append(force, f.Contacts[0].ForceN.Z)
		var d float64
		for v, u := range f.U {
			if b.Nodes[v].Z < 3 {
				d = max(d, r3.Norm(u))
			}
		}
		moved = append(moved, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !(force[1] > 1e-3) || force[2] != 0 || !(moved[1] > 0.01) || moved[2] > 1e-9 {
		t.Errorf("forces %v N, moved %v mm", force, moved)
	}
}
