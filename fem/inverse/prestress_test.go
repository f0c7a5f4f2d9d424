package inverse

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// A homogeneous map has the same gradient everywhere, for both elements.
func TestGradients(t *testing.T) {
	f := material.Mat3{{X: 1.1, Y: 0.2, Z: -0.1}, {X: -0.3, Y: 0.9, Z: 0.1}, {X: 0.05, Y: 0.1, Z: 1.2}}
	rng := rand.New(rand.NewPCG(4, 0))
	for _, m := range []struct {
		name string
		quad bool
	}{{"Tet4", false}, {"Tet10", true}} {
		me := brick(2, 2, 2, 10, 12, 9)
		if m.quad {
			me = me.Quadratic()
		}
		x := make([]r3.Vec, len(me.Nodes))
		for i, p := range me.Nodes {
			p = r3.Add(p, r3.Vec{X: 0.3 * rng.Float64(), Y: 0.3 * rng.Float64(), Z: 0.3 * rng.Float64()})
			me.Nodes[i] = p
			x[i] = r3.Add(r3.Vec{X: 7}, r3.Add(r3.Scale(p.X, f[0]), r3.Add(r3.Scale(p.Y, f[1]), r3.Scale(p.Z, f[2]))))
		}
		got, err := Gradients(me, x)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(me.Tets); m.quad && len(got) != 4*want || !m.quad && len(got) != want {
			t.Fatalf("%s: %d gradients for %d elements", m.name, len(got), want)
		}
		for i := range got {
			for j := range f {
				if d := r3.Norm(r3.Sub(got[i][j], f[j])); d > 1e-12 {
					t.Fatalf("%s: point %d column %d off by %g", m.name, i, j, d)
				}
			}
		}
		if _, err := Gradients(me, x[1:]); err == nil {
			t.Error("a short x passed")
		}
		for i := range me.Nodes {
			me.Nodes[i].Z *= -1
		}
		if _, err := Gradients(me, x); err == nil {
			t.Error("inverted elements passed")
		}
	}
}

// The imaged mesh with the prestress does not move under the forces it was
// imaged with.
func TestPrestress(t *testing.T) {
	m := brick(1, 1, 4, 10, 10, 40).Quadratic()
	mo := &fem.Model{Mesh: m, Regions: []fem.Region{neoHookean(t, 0.01, 0.45)}}
	for axis := range int8(3) {
		mo.Prescribed = append(mo.Prescribed, hold(len(m.Nodes), axis, func(i int) bool { return m.Nodes[i].Z == 0 })...)
	}
	for i, p := range m.Nodes {
		if p.Z == 40 {
			mo.Forces = append(mo.Forces, fem.NodalForce{Node: int32(i), ForceN: r3.Vec{X: 0.004, Z: 0.02}})
		}
	}
	ref, _, err := Unload(context.Background(), mo, fem.Settings{Steps: 2}, Options{TolMM: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	g, err := ref.Natural(nil)
	if err != nil {
		t.Fatal(err)
	}
	pre := *mo
	pre.Natural = g
	var last *fem.Frame
	if _, err := fem.Solve(context.Background(), &pre, fem.Settings{Steps: 2, ResidualTol: 1e-9}, func(f *fem.Frame) error { last = f; return nil }); err != nil {
		t.Fatal(err)
	}
	var moved, way float64
	for i, u := range last.U {
		moved, way = max(moved, r3.Norm(u)), max(way, r3.Norm(ref.U[i]))
	}
	if moved > 1e-4 || way < 5 {
		t.Errorf("loading moves %g mm, with prestress %g mm", way, moved)
	}
}

// A body carried into its imaged shape by a homogeneous map has the same stress
// as the imaged body with that prestress.
func TestPrestressStress(t *testing.T) {
	f := material.Mat3{{X: 1.1, Y: 0.2, Z: -0.1}, {X: -0.3, Y: 0.9, Z: 0.1}, {X: 0.05, Y: 0.1, Z: 1.2}}
	mo := &fem.Model{Mesh: brick(1, 1, 2, 10, 10, 20).Quadratic(), Regions: []fem.Region{neoHookean(t, 0.01, 0.45)}}
	imaged := *mo.Mesh
	imaged.Nodes = nil
	held := *mo
	for i, p := range mo.Mesh.Nodes {
		x := r3.Add(r3.Scale(p.X, f[0]), r3.Add(r3.Scale(p.Y, f[1]), r3.Scale(p.Z, f[2])))
		imaged.Nodes = append(imaged.Nodes, x)
		for axis := range int8(3) {
			mo.Prescribed = append(mo.Prescribed, fem.Prescribed{Node: int32(i), Axis: axis, ValueMM: component(r3.Sub(x, p), axis)})
			held.Prescribed = append(held.Prescribed, fem.Prescribed{Node: int32(i), Axis: axis})
		}
	}
	var err error
	held.Mesh = &imaged
	if held.Natural, err = (&Reference{Mesh: mo.Mesh, Imaged: imaged.Nodes}).Natural(nil); err != nil {
		t.Fatal(err)
	}
	var frames [2]*fem.Frame
	for i, m := range []*fem.Model{mo, &held} {
		if _, err := fem.Solve(context.Background(), m, fem.Settings{Steps: 2}, func(f *fem.Frame) error { frames[i] = f; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for v, want := range frames[0].VonMisesMPa {
		if got := frames[1].VonMisesMPa[v]; want < 1e-3 || math.Abs(got-want) > 1e-9*want {
			t.Fatalf("node %d: von Mises stress %g MPa with prestress, %g when carried there", v, got, want)
		}
	}
}
