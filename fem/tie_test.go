package fem

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/fem/material"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// tiedBlocks are two blocks of 10 × 10 × 5 mm with meshes that do not match,
// tied at z = 5, on rollers, and stretched by pull mm at z = 10.
func tiedBlocks(quadratic bool, tol, pull float64) *Model {
	lower := brickMesh(2, 3, 2, 10, 10, 5)
	upper := brickMesh(3, 4, 2, 10, 10, 5)
	b := stacked(lower, upper, r3.Vec{Z: 5})
	m := &Model{Mesh: b, Regions: both(must(material.NewLinear(0.01, 0.3)))}
	m.Ties = []Tie{{Name: "tie", Against: facesOn(b, true, atZ(5)), Faces: facesOn(b, false, atZ(5)), JumpToleranceMM: tol}}
	if quadratic {
		m.Mesh = b.Quadratic()
	}
	rollers(m, func(p r3.Vec) bool { return p.X == 0 }, func(p r3.Vec) bool { return p.Y == 0 }, atZ(0))
	for i, p := range m.Mesh.Nodes {
		if p.Z == 10 {
			m.Prescribed = append(m.Prescribed, Prescribed{Node: int32(i), Axis: 2, ValueMM: pull})
		}
	}
	return m
}

// A uniform stress crosses tied meshes that do not match exactly: 1e-12 of it.
// The penalty alone leaves a jump of σ/ε; multipliers take it away.
func TestTiePatch(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		for _, tol := range []float64{0, 1e-10} {
			m := tiedBlocks(quadratic, tol, 0.1)
			f, _ := solve(t, m, Settings{Steps: 1, ResidualTol: 1e-13})
			lo, hi := math.Inf(1), 0.0
			for _, s := range f.StressMax {
				lo, hi = min(lo, s), max(hi, s)
			}
			const exact = 0.01 * 0.1 / 10 // E·strain
			if hi-lo > 1e-12*hi {
				t.Errorf("%s, tolerance %g: stress from %.15g to %.15g MPa", isTet10(m.Mesh), tol, lo, hi)
			}
			if e := math.Abs(hi/exact - 1); tol > 0 && e > 1e-9 || e > 0.01 {
				t.Errorf("%s, tolerance %g: stress %.10g MPa, want %.10g", isTet10(m.Mesh), tol, hi, exact)
			}
		}
	}
}

// Tied halves bend like one block: the tip of a cantilever that is cut in the
// middle and tied moves as far as one that is not, within 0.5 %.
func TestTiedBeamBends(t *testing.T) {
	law := must(material.NewLinear(1, 0.3))
	whole := brickMesh(2, 2, 12, 4, 4, 24)
	halves := stacked(brickMesh(2, 2, 6, 4, 4, 12), brickMesh(3, 3, 6, 4, 4, 12), r3.Vec{Z: 12})
	var tip [2]float64
	for i, b := range []*Model{
		{Mesh: whole.Quadratic(), Regions: one(law)},
		{Mesh: halves.Quadratic(), Regions: both(law), Ties: []Tie{{Faces: facesOn(halves, false, atZ(12)), Against: facesOn(halves, true, atZ(12)), JumpToleranceMM: 1e-4}}},
	} {
		b.Prescribed = prescribe(b.Mesh, atZ(0), still)
		for _, f := range facesOf(b.Mesh, atZ(24)) {
			b.Loads = append(b.Loads, FaceLoad{Face: f, TractionMPa: r3.Vec{X: 1e-4}})
		}
		f, _ := solve(t, b, Settings{Steps: 1})
		for v, p := range b.Mesh.Nodes {
			if p == (r3.Vec{X: 4, Y: 4, Z: 24}) {
				tip[i] = f.U[v].X
			}
		}
	}
	if e := math.Abs(tip[1]/tip[0] - 1); e > 0.005 {
		t.Errorf("tip moves %.6g mm in one piece, %.6g mm tied: %.2g apart", tip[0], tip[1], e)
	}
}

// Nodes tied to the tissue they lie in go along with it, whatever the meshes.
func TestTiedNodesFollow(t *testing.T) {
	for _, quadratic := range []bool{false, true} {
		b := stacked(brickMesh(3, 3, 3, 12, 12, 12), brickMesh(1, 1, 4, 1, 1, 8), r3.Vec{X: 5.3, Y: 4.9, Z: 2.1})
		m := &Model{Mesh: b, Regions: both(must(material.NewLinear(1, 0.3)))}
		m.Regions[1].Law = must(material.NewLinear(1e-3, 0.3))
		if quadratic {
			m.Mesh = b.Quadratic()
		}
		tie := Tie{Within: []imaging.Label{liver}}
		seen := map[int32]bool{}
		for e, c := range b.Tets {
			for _, v := range c {
				if b.Region[e] != liver && !seen[v] {
					seen[v] = true
					tie.Nodes = append(tie.Nodes, v)
				}
			}
		}
		m.Ties = []Tie{tie}
		strain := func(p r3.Vec) r3.Vec { return r3.Vec{X: 0.01 * p.Y, Y: -0.003 * p.Y, Z: 0.01 * p.Z} }
		m.Prescribed = prescribe(m.Mesh, onBox(12), strain)
		f, _ := solve(t, m, Settings{Steps: 1, ResidualTol: 1e-12})
		for _, v := range tie.Nodes {
			if d := r3.Norm(r3.Sub(f.U[v], strain(b.Nodes[v]))); d > 1e-4 {
				t.Errorf("%s: node %d is %.2g mm off the tissue around it", isTet10(m.Mesh), v, d)
			}
		}
		m.Ties[0].Nodes = append(m.Ties[0].Nodes, 0)
		_, err := Solve(context.Background(), m, Settings{Steps: 1}, nil)
		if in, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(in.Msg, "node 0 at (0.00, 0.00, 0.00)") {
			t.Errorf("a node that lies nowhere: %v", err)
		}
	}
}

// A tie that is detached lets go; attached later, it keeps the shape that it
// finds, without stress.
func TestTieThroughStages(t *testing.T) {
	m := tiedBlocks(false, 0, 0)
	pull := func(mm float64) (p []Prescribed) {
		for i, x := range m.Mesh.Nodes {
			if x.Z == 10 {
				p = append(p, Prescribed{Node: int32(i), Axis: 2, ValueMM: mm})
			}
		}
		return p
	}
	lower := prescribe(m.Mesh, func(p r3.Vec) bool { return p.Z == 0 }, still)
	m.Prescribed = append(lower, prescribe(m.Mesh, func(p r3.Vec) bool { return p.Z == 10 }, still)...)
	top := map[int32]bool{}
	for _, p := range pull(0) {
		top[p.Node] = true
	}
	m.Stages = []Stage{
		{Steps: 1, Prescribed: pull(0.1)},
		{Steps: 1, Detach: []string{"tie"}},
		{Steps: 1, Prescribed: pull(0.5)},
		{Steps: 1, Attach: []string{"again"}},
		{Steps: 1, Prescribed: pull(0.6)},
	}
	again := m.Ties[0]
	again.Name, again.SearchMM = "again", 1
	m.Ties = append(m.Ties, again)
	var force []float64
	_, err := Solve(context.Background(), m, Settings{ResidualTol: 1e-9}, func(f *Frame) error {
		var z float64
		for v, r := range f.ReactionN {
			if top[int32(v)] {
				z += r.Z
			}
		}
		force = append(force, z)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(force) != 6 {
		t.Fatalf("%d frames", len(force))
	}
	for i, want := range []float64{0, force[1], 0, 0, 0, force[1]} {
		if math.Abs(force[i]-want) > 0.02*force[1] || force[1] < 0.005 {
			t.Errorf("frame %d: %.4g N on the top, want %.4g N", i, force[i], want)
		}
	}
}

func TestTieRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(m *Model, tie *Tie)
		want   string
	}{
		{func(_ *Model, tie *Tie) { tie.Faces = nil }, "one side only"},
		{func(_ *Model, tie *Tie) { tie.Faces, tie.Against = nil, nil }, "ties nothing"},
		{func(_ *Model, tie *Tie) { tie.SearchMM = -1 }, "searches -1 mm"},
		{func(_ *Model, tie *Tie) { tie.Penalty = math.NaN() }, "penalty"},
		{func(_ *Model, tie *Tie) { tie.Against = tie.Faces }, "share node"},
		{func(_ *Model, tie *Tie) { tie.Nodes = []int32{-1} }, "Nodes[0] is -1"},
		{func(_ *Model, tie *Tie) { tie.Within = []imaging.Label{99} }, "no region"},
		{func(m *Model, tie *Tie) { tie.Faces = facesOn(m.Mesh, false, atZ(10)) }, "finds no face"},
		{func(m *Model, tie *Tie) { tie.Faces = [][3]int32{{0, 1, 50}} }, "no element has a face"},
	} {
		m := tiedBlocks(false, 0, 0.1)
		c.change(m, &m.Ties[0])
		_, err := Solve(context.Background(), m, Settings{Steps: 1}, nil)
		if in, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(in.Field, "Ties[0]") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
