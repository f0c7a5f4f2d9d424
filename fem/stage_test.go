package fem

import (
	"context"
	"math"
	"runtime"
	"testing"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// frames collects the frames of a solve.
func frames(t *testing.T, m *Model, s Settings) (all []*Frame) {
	t.Helper()
	if _, err := Solve(context.Background(), m, s, func(f *Frame) error { all = append(all, f); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// apart is the largest difference of two displacements at nodes that pass.
func apart(m *mesh.TetMesh, a, b *Frame, keep func(r3.Vec) bool) (d float64) {
	for v, x := range m.Nodes {
		if keep(x) {
			d = max(d, r3.Norm(r3.Sub(a.U[v], b.U[v])))
		}
	}
	return d
}

const tumour = imaging.Label(2)

// twoParts is a block 20×10×10 mm held at x = 0; the elements beyond x = 10
// are the tumour.
func twoParts() *mesh.TetMesh {
	m := brickMesh(4, 2, 2, 20, 10, 10).Quadratic()
	for e, t := range m.Tets {
		var x float64
		for _, v := range t {
			x += m.Nodes[v].X / 4
		}
		if x > 10 {
			m.Region[e] = tumour
		}
	}
	return m
}

func twoLaws(a, b material.Law) []Region {
	return []Region{{Label: liver, Law: a, DensityTPerMM3: 1e-9}, {Label: tumour, Law: b, DensityTPerMM3: 1e-9}}
}

func at(x float64) func(r3.Vec) bool { return func(p r3.Vec) bool { return p.X == x } }

func below(x float64) func(r3.Vec) bool { return func(p r3.Vec) bool { return p.X <= x } }

func release(list []Prescribed) (out []Hold) {
	for _, p := range list {
		out = append(out, Hold{p.Node, p.Axis})
	}
	return out
}

// What held released nodes fades in proportion to time: with a linear law the
// body goes straight back, and at the end nothing is left.
func TestStageReleaseFades(t *testing.T) {
	m := twoParts()
	law := must(material.NewLinear(1e-2, 0.3))
	grip := prescribe(m, at(20), func(p r3.Vec) r3.Vec { return r3.Vec{X: 1, Y: 0.1 * p.Z} })
	mod := &Model{Mesh: m, Regions: twoLaws(law, law), Prescribed: prescribe(m, at(0), still)}
	mod.Stages = []Stage{{Name: "retract", Prescribed: grip, Steps: 1}, {Name: "let go", Release: release(grip), Steps: 4, DurationS: 2}}
	f := frames(t, mod, Settings{ResidualTol: 1e-11})
	var pull r3.Vec
	for v, x := range m.Nodes {
		if x.X == 20 {
			pull = r3.Add(pull, f[1].ReactionN[v])
		}
	}
	for k := 2; k < 6; k++ {
		left := 1 - float64(k-1)/4
		var root r3.Vec
		for v, x := range m.Nodes {
			if e := r3.Norm(r3.Sub(f[k].U[v], r3.Scale(left, f[1].U[v]))); e > 1e-8 {
				t.Fatalf("frame %d: node %d is %g mm off", k, v, e)
			}
			if x.X == 0 {
				root = r3.Add(root, f[k].ReactionN[v])
			} else if f[k].ReactionN[v] != (r3.Vec{}) {
				t.Fatalf("frame %d: reaction %v at the free node %d", k, f[k].ReactionN[v], v)
			}
		}
		if e := r3.Norm(r3.Add(root, r3.Scale(left, pull))); e > 1e-9*r3.Norm(pull)+1e-12 {
			t.Errorf("frame %d: the root carries %v, want %v of %v", k, root, left, pull)
		}
	}
	if f[5].TimeS != 3 || f[5].Stage != 1 || f[5].LoadFactor != 1 {
		t.Errorf("last frame at %v s in stage %d, factor %v", f[5].TimeS, f[5].Stage, f[5].LoadFactor)
	}
}

// Mobilise, retract, cut, relax: in the end the body is where one that was
// never held, never had the tumour and was never pulled is.
func TestStageHistoryForgets(t *testing.T) {
	m := twoParts()
	law, hard := must(material.NewNeoHookean(1e-3, 0.4)), must(material.NewNeoHookean(4e-3, 0.4))
	root := prescribe(m, at(0), still)
	ligament := prescribe(m, func(p r3.Vec) bool { return p.Z == 0 && p.X > 0 && p.X < 10 }, still)
	grip := prescribe(m, func(p r3.Vec) bool { return p.X == 10 && p.Z == 10 }, func(r3.Vec) r3.Vec { return r3.Vec{Y: 1, Z: 2} })
	gravity := r3.Vec{Z: -9810}
	mod := &Model{Mesh: m, Regions: twoLaws(law, hard), Prescribed: append(root, ligament...), GravityChange: gravity}
	mod.Springs = []Spring{{Name: "adhesion", Nodes: [2]int32{nodeAt(m, r3.Vec{X: 20}), -1}, AnchorMM: r3.Vec{X: 30}, StiffnessNPerMM: 1e-3}}
	mod.Stages = []Stage{
		{Name: "gravity", Steps: 2},
		{Name: "mobilise", Release: release(ligament), Detach: []string{"adhesion"}, Steps: 2},
		{Name: "retract", Prescribed: grip, Steps: 2},
		{Name: "cut", Remove: []imaging.Label{tumour}, Steps: 2},
		{Name: "relax", Release: release(grip), Steps: 2},
	}
	f := frames(t, mod, Settings{ResidualTol: 1e-10})
	if len(f) != 11 {
		t.Fatalf("%d frames", len(f))
	}
	fresh := &Model{Mesh: m, Regions: twoLaws(law, hard), Prescribed: root, GravityChange: gravity, Stages: []Stage{{Remove: []imaging.Label{tumour}}}}
	want := frames(t, fresh, Settings{ResidualTol: 1e-10})
	if d := apart(m, f[10], want[len(want)-1], below(10)); d > 1e-5 {
		t.Errorf("%g mm from the body without a history", d)
	}
	if d := apart(m, f[10], f[8], below(10)); d < 0.1 {
		t.Errorf("relaxing moved it by %g mm only", d)
	}
	if d := apart(m, f[2], f[4], below(10)); d < 0.1 {
		t.Errorf("mobilising moved it by %g mm only", d)
	}
	// What is cut off stays where it was, and has no stress.
	far := nodeAt(m, r3.Vec{X: 20, Y: 10, Z: 10})
	if f[10].U[far] != f[6].U[far] || f[8].VonMisesMPa[far] != 0 {
		t.Errorf("removed node: %v, then %v; stress %v MPa", f[6].U[far], f[10].U[far], f[8].VonMisesMPa[far])
	}
}

func nodeAt(m *mesh.TetMesh, p r3.Vec) int32 {
	for v, x := range m.Nodes {
		if r3.Norm(r3.Sub(x, p)) < 1e-9 {
			return int32(v)
		}
	}
	panic("no node there")
}

// A removed region is as if it had never been meshed; loads on its faces go
// with it, and what it pressed on becomes a face that can be loaded.
func TestStageRemoveEqualsAFreshMesh(t *testing.T) {
	m := twoParts()
	law := must(material.NewNeoHookean(1e-3, 0.4))
	cut := facesOf(&mesh.TetMesh{Nodes: m.Nodes, Tets: tetsOf(m, liver)}, at(10))
	load := func(x float64) (l []FaceLoad) {
		faces := cut
		if x == 20 {
			faces = facesOf(m, at(20))
		}
		for _, f := range faces {
			l = append(l, FaceLoad{Face: f, TractionMPa: r3.Vec{Z: -5e-5}, PressureMPa: 1e-4, Follows: true})
		}
		return l
	}
	mod := &Model{Mesh: m, Regions: twoLaws(law, law), Prescribed: prescribe(m, at(0), still), Loads: load(20)}
	mod.Stages = []Stage{{Steps: 1}, {Remove: []imaging.Label{tumour}, Steps: 1}, {Loads: &LoadCase{Faces: load(10)}, Steps: 2}}
	f := frames(t, mod, Settings{ResidualTol: 1e-10})
	for v, x := range m.Nodes {
		if x.X < 10 && r3.Norm(f[2].U[v]) > 1e-6 {
			t.Fatalf("without the load node %d stays at %v", v, f[2].U[v])
		}
	}
	small := &mesh.TetMesh{Nodes: m.Nodes}
	for e, l := range m.Region {
		if l == liver {
			small.Tets, small.Mid, small.Region = append(small.Tets, m.Tets[e]), append(small.Mid, m.Mid[e]), append(small.Region, l)
		}
	}
	want, _ := solve(t, &Model{Mesh: small, Regions: one(law), Prescribed: prescribe(m, at(0), still), Loads: load(10)}, Settings{ResidualTol: 1e-10})
	if d := apart(m, f[4], want, below(10)); d > 1e-6 {
		t.Errorf("%g mm from the mesh without the region", d)
	}
}

func tetsOf(m *mesh.TetMesh, l imaging.Label) (t [][4]int32) {
	for e, r := range m.Region {
		if r == l {
			t = append(t, m.Tets[e])
		}
	}
	return t
}

// A region that is added comes free of stress into the deformed shape, moves
// nothing, and resists from then on.
func TestStageAddComesFreeOfStress(t *testing.T) {
	m := twoParts()
	law := must(material.NewNeoHookean(1e-3, 0.4))
	// The implant lies along the stretched half: labels by height.
	for e, tet := range m.Tets {
		var z float64
		for _, v := range tet {
			z += m.Nodes[v].Z / 4
		}
		m.Region[e] = liver
		if z > 5 {
			m.Region[e] = tumour
		}
	}
	// No bending; the implant's own nodes go along, it is put in where it fits.
	var pull, hold, along []Prescribed
	for i, x := range m.Nodes {
		v := int32(i)
		if x.Z == 0 || x.Z == 10 {
			hold = append(hold, Prescribed{v, 2, 0})
		}
		if x.X == 0 {
			hold = append(hold, Prescribed{v, 0, 0})
		}
		if x.Y == 0 {
			hold = append(hold, Prescribed{v, 1, 0})
		}
		switch {
		case x.Z > 5:
			for axis, u := range []float64{0.15 * x.X, 0, 0} {
				if !(x.X == 0 && axis == 0 || x.Y == 0 && axis == 1 || x.Z == 10 && axis == 2) {
					along = append(along, Prescribed{v, int8(axis), u})
				}
			}
		case x.X == 20:
			pull = append(pull, Prescribed{v, 0, 3})
		}
	}
	mod := &Model{Mesh: m, Regions: twoLaws(law, law)}
	mod.Stages = []Stage{
		{Prescribed: append(append(pull, hold...), along...), Steps: 2},
		{Add: []imaging.Label{tumour}, Release: release(along), Steps: 2},
		{Release: release(pull), Steps: 2},
	}
	f := frames(t, mod, Settings{ResidualTol: 1e-11})
	if d := apart(m, f[2], f[4], everywhere); d > 1e-9 {
		t.Errorf("adding moved the body by %g mm", d)
	}
	top := nodeAt(m, r3.Vec{X: 10, Y: 5, Z: 10})
	if f[4].VonMisesMPa[top] > 1e-12 || f[6].VonMisesMPa[top] < 1e-5 {
		t.Errorf("stress in the implant %g MPa, after letting go %g MPa", f[4].VonMisesMPa[top], f[6].VonMisesMPa[top])
	}
	// A body meshed in the shape that it was put into and moved like it is in
	// equilibrium too.
	alone := &mesh.TetMesh{Nodes: append([]r3.Vec(nil), m.Nodes...)}
	for v, u := range f[4].U {
		alone.Nodes[v] = r3.Add(alone.Nodes[v], u)
	}
	fresh := &Model{Mesh: alone, Regions: []Region{{Label: tumour, Law: law}}}
	seen := map[int32]bool{}
	for e, l := range m.Region {
		if l != tumour {
			continue
		}
		alone.Tets, alone.Mid, alone.Region = append(alone.Tets, m.Tets[e]), append(alone.Mid, m.Mid[e]), append(alone.Region, l)
		for _, v := range append(m.Tets[e][:], m.Mid[e][:]...) {
			if !seen[v] {
				seen[v] = true
				d := r3.Sub(f[6].U[v], f[4].U[v])
				fresh.Prescribed = append(fresh.Prescribed, Prescribed{v, 0, d.X}, Prescribed{v, 1, d.Y}, Prescribed{v, 2, d.Z})
			}
		}
	}
	held := map[int32]bool{}
	for _, p := range hold {
		held[p.Node] = true
	}
	moved, _ := solve(t, fresh, Settings{Steps: 1})
	var free, most float64
	for v, x := range m.Nodes {
		r := r3.Norm(moved.ReactionN[v])
		most = max(most, r)
		if x.Z > 5 && !held[int32(v)] {
			free = max(free, r)
		}
	}
	t.Logf("forces of %.2g N at free nodes of the implant, up to %.2g N at its borders", free, most)
	if free > 1e-9*most {
		t.Errorf("forces of %g N at free nodes of the implant, up to %g N at its borders", free, most)
	}
	// Two layers that want to be 20 and 23 mm long agree on something between.
	if u := f[6].U[nodeAt(m, r3.Vec{X: 10, Y: 5, Z: 5})].X; u < 0.5 || u > 1 {
		t.Errorf("the middle goes back to %v mm of 1.5", u)
	}
}

// Loads that a stage replaces go in proportion; kept ones stay; sudden ones
// are there at once.
func TestStageLoadsAndSudden(t *testing.T) {
	m := twoParts()
	law := must(material.NewLinear(1e-2, 0.3))
	tip := nodeAt(m, r3.Vec{X: 20, Y: 5, Z: 5})
	mod := &Model{Mesh: m, Regions: twoLaws(law, law), Prescribed: prescribe(m, at(0), still)}
	force := func(x float64) *LoadCase { return &LoadCase{Forces: []NodalForce{{tip, r3.Vec{X: x}}}} }
	mod.Stages = []Stage{
		{Loads: force(0.02), Steps: 2},
		{Steps: 1},
		{Loads: force(0.06), Steps: 2},
		{Loads: force(0), Steps: 2, Sudden: true},
	}
	f := frames(t, mod, Settings{ResidualTol: 1e-12})
	unit := f[2].U[tip].X
	for k, want := range []float64{0, 0.5, 1, 1, 2, 3, 0, 0} {
		if e := math.Abs(f[k].U[tip].X - want*unit); e > 1e-9*unit {
			t.Errorf("frame %d: %v mm, want %v", k, f[k].U[tip].X, want*unit)
		}
	}
}

// What acts on a removed part goes with it: capsule, bed and springs.
func TestStageRemoveTakesItsTermsAlong(t *testing.T) {
	m := twoParts()
	law := must(material.NewNeoHookean(1e-3, 0.4))
	remote := func(p r3.Vec) bool { return p.X >= 10 }
	mod := &Model{Mesh: m, Regions: twoLaws(law, law), Prescribed: prescribe(m, at(0), still), GravityChange: r3.Vec{Z: -9810}}
	bare := *mod
	bare.Stages = []Stage{{Remove: []imaging.Label{tumour}}}
	want := frames(t, &bare, Settings{ResidualTol: 1e-10})
	var skin [][3]int32
	for _, f := range boundaryFaces(m) {
		if remote(m.Nodes[f[0]]) && remote(m.Nodes[f[1]]) && remote(m.Nodes[f[2]]) {
			skin = append(skin, f)
		}
	}
	end := nodeAt(m, r3.Vec{X: 20})
	mod.Membranes = []Membrane{{Faces: skin, Law: rubber(1e-2, 0.1)}}
	mod.Foundations = []Foundation{{Faces: skin, NormalMPaPerMM: 1e-4}}
	mod.Springs = []Spring{{Nodes: [2]int32{end, -1}, AnchorMM: r3.Vec{X: 30}, StiffnessNPerMM: 1e-2}, {Nodes: [2]int32{0, end}, StiffnessNPerMM: 1e-2}}
	for _, f := range skin {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, PressureMPa: 1e-4, Follows: true, TractionMPa: r3.Vec{X: 1e-5}})
	}
	mod.Stages = []Stage{{Steps: 1}, {Remove: []imaging.Label{tumour}, Steps: 2}}
	got := frames(t, mod, Settings{ResidualTol: 1e-10})
	if d := apart(m, got[3], want[len(want)-1], below(10)); d > 1e-6 {
		t.Errorf("%g mm from the body without the part", d)
	}
	if d := apart(m, got[1], got[3], below(10)); d < 0.01 {
		t.Errorf("cutting moved it by %g mm only", d)
	}
}

func TestStageNamesMustBeThere(t *testing.T) {
	mod := block(true)
	mod.Stages = []Stage{{Detach: []string{"ligament"}}}
	if _, err := Solve(context.Background(), mod, Settings{}, nil); !isType[*InputError](err) {
		t.Errorf("error %v", err)
	}
}

// Equal bits for any number of cores with terms of every kind, in time and
// along a path.
func TestTermsSameBitsForAnyCoreCount(t *testing.T) {
	m := twoParts()
	law := must(material.NewNeoHookean(1e-3, 0.45))
	mod := &Model{Mesh: m, Regions: twoLaws(law, law), Prescribed: prescribe(m, at(0), still), GravityChange: r3.Vec{Z: -9810}}
	mod.Membranes = []Membrane{{Faces: boundaryFaces(m), Law: rubber(1e-3, 0.1), Prestretch: 1.1, DensityTPerMM3: 1e-9}}
	mod.Foundations = []Foundation{{Faces: facesOf(m, at(20)), NormalMPaPerMM: 1e-5}}
	mod.Springs = []Spring{{Nodes: [2]int32{nodeAt(m, r3.Vec{X: 20}), -1}, AnchorMM: r3.Vec{X: 30}, StiffnessNPerMM: 1e-3}}
	for _, f := range facesOf(m, func(p r3.Vec) bool { return p.Z == 10 }) {
		mod.Loads = append(mod.Loads, FaceLoad{Face: f, PressureMPa: 4e-5, Follows: true})
	}
	moving := *mod
	moving.Dynamic = &Dynamic{SpectralRadius: 0.8, RayleighStiffnessS: 1e-3}
	run := func(procs int) (h uint64) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		h = 14695981039346656037
		for _, f := range append(frames(t, mod, Settings{ArcLength: &ArcLength{MaxSteps: 4}}), frames(t, &moving, Settings{Steps: 3})...) {
			for v := range f.U {
				for _, x := range []float64{f.U[v].X, f.U[v].Y, f.U[v].Z, f.VonMisesMPa[v], f.ReactionN[v].X, f.LoadFactor} {
					h = (h ^ math.Float64bits(x)) * 1099511628211
				}
			}
		}
		return h
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if got := run(procs); got != want {
			t.Errorf("GOMAXPROCS %d: %x, want %x", procs, got, want)
		}
	}
}
