package shell

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// vessel are the options for a wall around the lumen of the test meshes.
func vessel(mm float64) Options {
	return Options{Lumen: []imaging.Label{lumen}, Wall: wall, ThicknessMM: mm}
}

// hollow are the options for a lumen that is not meshed: the border of m next
// to the capsules.
func hollow(c capsules, mm float64) Options {
	return Options{Lumen: []imaging.Label{imaging.LabelBackground}, Wall: wall, ThicknessMM: mm,
		Where: func(p r3.Vec) bool { return c.dist(p) < 2 }}
}

// grow grows a wall and checks everything that must hold for any input.
func grow(t testing.TB, m *mesh.TetMesh, opt Options) (*mesh.TetMesh, Report) {
	t.Helper()
	out, rep, err := Grow(t.Context(), m, opt)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, m, out, rep, opt)
	return out, rep
}

// sound checks what Grow promises: conformity, orientation, the bounds, the
// maps, the region of every tetrahedron, and the books of the report.
func sound(t testing.TB, m, out *mesh.TetMesh, rep Report, opt Options) {
	t.Helper()
	if err := out.Check(); err != nil {
		t.Fatal(err)
	}
	layers := max(1, opt.Layers)
	if rep.OldNodes != len(m.Nodes) || rep.OldTets != len(m.Tets) ||
		len(out.Nodes) != len(m.Nodes)+len(rep.From) || len(rep.Layer) != len(rep.From) || len(out.Region) != len(out.Tets) {
		t.Fatalf("counts: %d of %d nodes, %d of %d tets", rep.OldNodes, len(out.Nodes), rep.OldTets, len(out.Tets))
	}
	moved := map[int32]bool{}
	for _, n := range rep.Moved {
		moved[n] = true
	}
	for n, p := range m.Nodes {
		if (out.Nodes[n] != p) != moved[int32(n)] {
			t.Fatalf("node %d moved from %v to %v; the report says %v", n, p, out.Nodes[n], moved[int32(n)])
		}
	}
	for i, b := range rep.From {
		if moved[b] {
			t.Fatalf("node %d of the lumen moved", b)
		}
		if want := i%layers + 1; int(rep.Layer[i]) != want {
			t.Fatalf("new node %d is in layer %d, not %d", i, rep.Layer[i], want)
		}
	}
	lo, hi := opt.bounds()
	changed := map[int32]bool{}
	for _, c := range rep.Changed {
		changed[c] = true
	}
	least, most := 180.0, 0.0
	volume := 0.0
	for n, v := range out.Tets {
		a, b := dihedral(out, v)
		if n >= len(m.Tets) {
			if out.Region[n] != opt.Wall {
				t.Fatalf("new tetrahedron %d is of %v", n, out.Region[n])
			}
			low := lo
			if opt.WallMinDihedralDeg > 0 {
				low = opt.WallMinDihedralDeg
			}
			if a < low-1e-9 || b > hi+1e-9 {
				t.Fatalf("wall tetrahedron %d has dihedral angles %.3f to %.3f", n, a, b)
			}
			least, most = min(least, a), max(most, b)
			volume += mesh.Signed6(out.Nodes[v[0]], out.Nodes[v[1]], out.Nodes[v[2]], out.Nodes[v[3]]) / 6
			continue
		}
		if out.Region[n] != m.Region[n] {
			t.Fatalf("tetrahedron %d changed region", n)
		}
		same := v == m.Tets[n]
		for _, x := range v {
			same = same && !moved[x]
		}
		if same == changed[int32(n)] {
			t.Fatalf("tetrahedron %d: untouched %v, reported as changed %v", n, same, changed[int32(n)])
		}
		if same {
			continue
		}
		least, most = min(least, a), max(most, b)
		oa, ob := dihedral(m, m.Tets[n])
		if a < min(lo, oa)-1e-9 || b > max(hi, ob)+1e-9 {
			t.Fatalf("tetrahedron %d went from %.3f–%.3f to %.3f–%.3f degrees", n, oa, ob, a, b)
		}
	}
	if math.Abs(least-rep.MinDihedralDeg) > 1e-6 || math.Abs(most-rep.MaxDihedralDeg) > 1e-6 {
		t.Fatalf("dihedral %.4f–%.4f, the report says %.4f–%.4f", least, most, rep.MinDihedralDeg, rep.MaxDihedralDeg)
	}
	if math.Abs(volume-rep.WallMM3) > 1e-9*(1+volume) {
		t.Fatalf("wall of %g mm³, the report says %g", volume, rep.WallMM3)
	}
	for i, p := range rep.Thinner {
		if p.GotMM >= p.WantedMM || p.GotMM < 0 || p.AtMM != m.Nodes[p.Node] || i > 0 && p.Node < rep.Thinner[i-1].Node {
			t.Fatalf("place %+v", p)
		}
	}
	if rep.Full+rep.Bare > rep.Faces || len(rep.Rest.Nodes) != rep.Bare || rep.Full == rep.Faces && len(rep.Thinner) > 0 {
		t.Fatalf("%d full and %d bare of %d faces, %d places", rep.Full, rep.Bare, rep.Faces, len(rep.Thinner))
	}
}

// dihedral are the least and the greatest angle of a tetrahedron, degrees, from
// the angles between its faces.
func dihedral(m *mesh.TetMesh, v [4]int32) (lo, hi float64) {
	lo = 180
	var n [4]r3.Vec
	for f, c := range mesh.TetFaces {
		a := m.Nodes[v[c[0]]]
		n[f] = r3.Unit(r3.Cross(r3.Sub(m.Nodes[v[c[1]]], a), r3.Sub(m.Nodes[v[c[2]]], a)))
	}
	for i := range 3 {
		for j := i + 1; j < 4; j++ {
			x := 180 - math.Atan2(r3.Norm(r3.Cross(n[i], n[j])), r3.Dot(n[i], n[j]))*180/math.Pi
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return lo, hi
}

// regionMM3 is the volume of a region.
func regionMM3(m *mesh.TetMesh, l imaging.Label) float64 {
	return m.VolumeMM3(func(x imaging.Label) bool { return x == l })
}

// thickness measures from points of the wall's outer face, its nodes and the
// middles of its triangles, to the lumen surface.
func thickness(t testing.TB, out *mesh.TetMesh) (least, most float64) {
	t.Helper()
	surface := func(inside imaging.Label, outside imaging.Label) *mesh.Surface {
		s := &mesh.Surface{Verts: out.Nodes}
		for n, next := range out.Neighbours() {
			for f, o := range next {
				if o >= 0 && out.Region[n] == inside && out.Region[o] == outside {
					v, c := out.Tets[n], mesh.TetFaces[f]
					s.Tris = append(s.Tris, [3]int32{v[c[0]], v[c[1]], v[c[2]]})
				}
			}
		}
		return s
	}
	inner, outer := surface(lumen, wall), surface(wall, tissue)
	least = math.Inf(1)
	for _, v := range outer.Tris {
		p := [3]r3.Vec{out.Nodes[v[0]], out.Nodes[v[1]], out.Nodes[v[2]]}
		for _, x := range append(p[:], r3.Scale(1.0/3, r3.Add(p[0], r3.Add(p[1], p[2])))) {
			d := math.Inf(1)
			for _, w := range inner.Tris {
				d = min(d, r3.Norm(r3.Sub(x, closestOnTriangle(x, out.Nodes[w[0]], out.Nodes[w[1]], out.Nodes[w[2]]))))
			}
			least, most = min(least, d), max(most, d)
		}
	}
	return least, most
}

// A round tube: the lumen is a prism over a regular polygon of n corners, whose
// parallel offset by t has the ring area n·tan(π/n)·((a+t)²−a²) with the
// apothem a.
func TestTubeWall(t *testing.T) {
	const r, length, h = 4.0, 12.0, 1.0
	m := tube(r, 12, length, h)
	corners := 6 * math.Round(r/h)
	apothem := r * math.Cos(math.Pi/corners)
	for _, mm := range []float64{0.3, 0.6, 1, 1.5} {
		out, rep := grow(t, m, vessel(mm))
		if rep.Full != rep.Faces {
			t.Errorf("%g mm: %d of %d faces are full: %v", mm, rep.Full, rep.Faces, rep.Thinner)
		}
		exact := length * corners * math.Tan(math.Pi/corners) * ((apothem+mm)*(apothem+mm) - apothem*apothem)
		if e := rep.WallMM3/exact - 1; math.Abs(e) > 0.005 {
			t.Errorf("%g mm: wall volume off by %.3f %%", mm, 100*e)
		}
		if e := rep.SteinerMM3/exact - 1; math.Abs(e) > 0.005 {
			t.Errorf("%g mm: Steiner's volume off by %.3f %%", mm, 100*e)
		}
		if lo, hi := thickness(t, out); lo < 0.98*mm || hi > 1.02*mm {
			t.Errorf("%g mm: thickness from %.4f to %.4f", mm, lo, hi)
		}
		if a, b := regionMM3(m, lumen), regionMM3(out, lumen); a != b {
			t.Errorf("%g mm: the lumen went from %g to %g mm³", mm, a, b)
		}
		if a, b := m.VolumeMM3(nil), out.VolumeMM3(nil); math.Abs(a-b) > 1e-9*a {
			t.Errorf("%g mm: the whole went from %g to %g mm³", mm, a, b)
		}
		if a, b := regionMM3(m, tissue)-regionMM3(out, tissue), rep.WallMM3; math.Abs(a-b) > 1e-9*a {
			t.Errorf("%g mm: the tissue gave %g mm³ for a wall of %g", mm, a, b)
		}
	}
}

// A ball: its polyhedron's parallel offset has Steiner's volume, and that of
// the sphere within the discretisation.
func TestBallWall(t *testing.T) {
	const r = 6.0
	m := ball(r, 13, 3)
	for _, mm := range []float64{0.3, 0.6, 1, 1.5} {
		out, rep := grow(t, m, vessel(mm))
		if rep.Full != rep.Faces {
			t.Errorf("%g mm: %d of %d faces are full", mm, rep.Full, rep.Faces)
		}
		sphere := 4 * math.Pi / 3 * (math.Pow(r+mm, 3) - r*r*r)
		if e := rep.WallMM3/rep.SteinerMM3 - 1; math.Abs(e) > 0.005 {
			t.Errorf("%g mm: wall volume off by %.3f %%", mm, 100*e)
		}
		if e := rep.WallMM3/sphere - 1; math.Abs(e) > 0.01 {
			t.Errorf("%g mm: off the sphere's by %.3f %%", mm, 100*e)
		}
		if mm == 0.6 {
			if lo, hi := thickness(t, out); lo < 0.98*mm || hi > 1.02*mm {
				t.Errorf("%g mm: thickness from %.4f to %.4f", mm, lo, hi)
			}
		}
	}
}

// Into the lumen the tissue keeps its shape.
func TestIntoLumen(t *testing.T) {
	m := tube(4, 7, 10, 1)
	opt := vessel(0.8)
	opt.Into = IntoLumen
	out, rep := grow(t, m, opt)
	if a, b := regionMM3(m, tissue), regionMM3(out, tissue); a != b || rep.Full != rep.Faces {
		t.Errorf("the tissue went from %g to %g mm³, %d of %d faces full", a, b, rep.Full, rep.Faces)
	}
	if e := rep.WallMM3/rep.SteinerMM3 - 1; math.Abs(e) > 0.01 {
		t.Errorf("wall volume off by %.3f %%", 100*e)
	}
}

func TestLayers(t *testing.T) {
	m := tube(4, 9, 8, 1)
	var first float64
	for _, n := range []int{1, 2, 3} {
		opt := vessel(1.2)
		opt.Layers = n
		out, rep := grow(t, m, opt)
		if rep.Full != rep.Faces || len(out.Tets)-len(m.Tets) != 3*n*rep.Faces {
			t.Fatalf("%d layers: %d tetrahedra on %d faces", n, len(out.Tets)-len(m.Tets), rep.Faces)
		}
		if n == 1 {
			first = rep.WallMM3
		} else if math.Abs(rep.WallMM3-first) > 1e-9*first {
			t.Errorf("%d layers hold %g mm³, one holds %g", n, rep.WallMM3, first)
		}
	}
}

// Branching tubes: full nearly everywhere, thinner in the crotch, never out of
// bounds.
func TestFork(t *testing.T) {
	f := fork()
	m := f.around(t, 19, 1.8)
	for _, c := range []struct{ mm, loss, full float64 }{{0.6, 0.003, 0.99}, {1.5, 0.01, 0.95}} {
		_, rep := grow(t, m, hollow(f, c.mm))
		if e := rep.WallMM3/rep.SteinerMM3 - 1; math.Abs(e) > c.loss {
			t.Errorf("%g mm: wall volume off by %.2f %%", c.mm, 100*e)
		}
		if got := float64(rep.Full) / float64(rep.Faces); got < c.full {
			t.Errorf("%g mm: %.1f %% of the faces are full", c.mm, 100*got)
		}
	}
}

// Random trees and thicknesses, also much too thin and much too thick.
func TestRandomTrees(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var c capsules
		at := r3.Vec{}
		for range 2 + rng.IntN(3) {
			to := r3.Vec{X: 12*rng.Float64() - 6, Y: 12*rng.Float64() - 6, Z: 12*rng.Float64() - 6}
			c = append(c, struct {
				a, b r3.Vec
				r    float64
			}{at, to, 1.2 + 1.5*rng.Float64()})
			if rng.IntN(2) == 0 {
				at = to
			}
		}
		m := c.around(t, 11, 1.6)
		opt := hollow(c, 0)
		base := math.Exp(rng.Float64()*4 - 2) // 0.14 to 7.4 mm
		opt.ThicknessAt = func(p r3.Vec) float64 { return base * (1 + 0.5*math.Sin(p.X)) }
		opt.Layers = rng.IntN(3)
		out, rep, err := Grow(t.Context(), m, opt)
		if _, none := err.(*NoRoomError); none {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sound(t, m, out, rep, opt)
	}
}

// A block of cubes with random regions: interfaces that are not manifold touch
// at edges and corners everywhere.
func TestRandomRegions(t *testing.T) {
	grown := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		n := [3]int{1 + rng.IntN(4), 1 + rng.IntN(4), 1 + rng.IntN(5)}
		share := rng.Float64()
		perTet := rng.IntN(3) == 0
		m := cubes(n, func() imaging.Label {
			switch {
			case rng.Float64() < share:
				return lumen
			case rng.IntN(3) == 0:
				return imaging.LabelTumour
			}
			return tissue
		}, perTet)
		opt := vessel(0.1 + 0.8*rng.Float64())
		opt.Layers = rng.IntN(3)
		if rng.IntN(2) == 0 {
			opt.Into = IntoLumen
		}
		switch rng.IntN(4) {
		case 0:
			opt.Tissue = []imaging.Label{tissue}
		case 1:
			opt.Lumen = append(opt.Lumen, imaging.LabelBackground)
			opt.Into = IntoTissue
		}
		out, rep, err := Grow(t.Context(), m, opt)
		switch err.(type) {
		case nil:
			sound(t, m, out, rep, opt)
			grown++
		case *NoRoomError, *NoLumenError:
		default:
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if grown < 50 {
		t.Errorf("only %d of the blocks got a wall", grown)
	}
}

// cubes is a block of unit cubes, each cut in six (H. Freudenthal, Ann. Math.
// 43 (1942) 580, also called Kuhn's subdivision).
func cubes(n [3]int, region func() imaging.Label, perTet bool) *mesh.TetMesh {
	m := &mesh.TetMesh{}
	id := func(i, j, k int) int32 { return int32(i + (n[0]+1)*(j+(n[1]+1)*k)) }
	for k := range n[2] + 1 {
		for j := range n[1] + 1 {
			for i := range n[0] + 1 {
				m.Nodes = append(m.Nodes, r3.Vec{X: float64(i), Y: float64(j), Z: float64(k)})
			}
		}
	}
	for k := range n[2] {
		for j := range n[1] {
			for i := range n[0] {
				l := region()
				for _, p := range [6][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}} {
					at := [3]int{i, j, k}
					v := [4]int32{id(i, j, k)}
					for s, a := range p {
						at[a]++
						v[s+1] = id(at[0], at[1], at[2])
					}
					if mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
						v[2], v[3] = v[3], v[2]
					}
					if perTet {
						l = region()
					}
					m.Tets, m.Region = append(m.Tets, v), append(m.Region, l)
				}
			}
		}
	}
	return m
}

// A hollow lumen gets the same wall as a meshed one.
func TestHollowLumen(t *testing.T) {
	m := tube(4, 9, 8, 1)
	_, a := grow(t, m, vessel(0.7))
	h := m.Keep(func(n int) bool { return m.Region[n] == tissue })
	_, b := grow(t, h, Options{Lumen: []imaging.Label{imaging.LabelBackground}, Wall: wall, ThicknessMM: 0.7,
		Where: func(p r3.Vec) bool { return math.Hypot(p.X, p.Y) < 4.2 && p.Z > 0.01 && p.Z < 7.99 }})
	if a.Full != b.Full || math.Abs(a.WallMM3-b.WallMM3) > 1e-9*a.WallMM3 {
		t.Errorf("%d and %d faces, %g and %g mm³", a.Full, b.Full, a.WallMM3, b.WallMM3)
	}
}

// Where the tube ends at a curved border, and where an interface of the tissue
// meets it, the wall ends flush and the shapes stay.
func TestEndsFlushWithCurvedBorderAndInterface(t *testing.T) {
	m := tube(4, 12, 16, 1)
	bulge := func(p r3.Vec) float64 { return p.Z + (p.Z-8)/8*(4-0.05*(p.X*p.X+p.Y*p.Y)) }
	for n, p := range m.Nodes {
		m.Nodes[n].Z = bulge(p)
	}
	for n, v := range m.Tets { // an interface across the tube, level with layer 8
		z := 0.0
		for _, x := range v {
			z += m.Nodes[x].Z / 4
		}
		if m.Region[n] == tissue && z > 8 {
			m.Region[n] = imaging.LabelTumour
		}
	}
	out, rep := grow(t, m, vessel(1))
	if rep.Full != rep.Faces {
		t.Errorf("%d of %d faces are full: %v", rep.Full, rep.Faces, rep.Thinner)
	}
	before, _ := m.Boundary()
	after, _ := out.Boundary()
	if d := after.DistanceTo(before); d.MaxMM > 1e-9 {
		t.Errorf("the border strays %g mm", d.MaxMM)
	}
	if a, b := m.VolumeMM3(nil), out.VolumeMM3(nil); math.Abs(a-b) > 2e-3*a {
		t.Errorf("the whole went from %g to %g mm³", a, b)
	}
	for n, next := range out.Neighbours() {
		for f, o := range next {
			if o < 0 || out.Region[n] != tissue || out.Region[o] != imaging.LabelTumour {
				continue
			}
			for _, c := range mesh.TetFaces[f] {
				if z := out.Nodes[out.Tets[n][c]].Z; math.Abs(z-8) > 1e-9 {
					t.Fatalf("the interface moved to %g mm", z)
				}
			}
		}
	}
}

// Next to a region that makes no room the wall thins out to nothing.
func TestEndsAtOtherRegion(t *testing.T) {
	m := tube(4, 12, 16, 1)
	for n, v := range m.Tets {
		if m.Region[n] == tissue && m.Nodes[v[0]].Z+m.Nodes[v[1]].Z+m.Nodes[v[2]].Z+m.Nodes[v[3]].Z > 4*8 {
			m.Region[n] = imaging.LabelBone
		}
	}
	opt := vessel(0.8)
	opt.Tissue = []imaging.Label{tissue}
	out, rep := grow(t, m, opt)
	for _, p := range rep.Thinner {
		if p.GotMM != 0 || p.Reason != ReasonEdge || p.AtMM.Z != 8 {
			t.Fatalf("%+v", p)
		}
	}
	if len(rep.Thinner) != 24 {
		t.Errorf("%d nodes without wall, want the 24 of the rim", len(rep.Thinner))
	}
	if a, b := regionMM3(m, imaging.LabelBone), regionMM3(out, imaging.LabelBone); a != b {
		t.Errorf("the bone went from %g to %g mm³", a, b)
	}
}

// A capsule grown into an organ from its border.
func TestCapsule(t *testing.T) {
	m := tube(4, 8, 10, 1)
	opt := Options{Lumen: []imaging.Label{imaging.LabelBackground}, Wall: wall, ThicknessMM: 0.5,
		Where: func(p r3.Vec) bool { return p.Z > 0.01 && p.Z < 9.99 }}
	out, rep := grow(t, m, opt)
	if rep.Full != rep.Faces || math.Abs(rep.WallMM3/rep.SteinerMM3-1) > 0.01 {
		t.Errorf("%d of %d faces, %g of %g mm³", rep.Full, rep.Faces, rep.WallMM3, rep.SteinerMM3)
	}
	if a, b := m.VolumeMM3(nil), out.VolumeMM3(nil); math.Abs(a-b) > 1e-9*a {
		t.Errorf("the organ went from %g to %g mm³", a, b)
	}
}

// Tissue of 1.5 mm cannot hold a wall of 1.4 mm: it gets thinner, and says so.
func TestBackOff(t *testing.T) {
	m := tube(4, 5.5, 8, 0.5)
	_, rep := grow(t, m, vessel(1.4))
	if len(rep.Thinner) == 0 || rep.WallMM3 <= 0 {
		t.Fatalf("%d places, %g mm³", len(rep.Thinner), rep.WallMM3)
	}
	for _, p := range rep.Thinner {
		if p.WantedMM != 1.4 {
			t.Fatalf("%+v", p)
		}
	}
}

func TestSameBitsForAnyCoreCount(t *testing.T) {
	f := fork()
	m := f.around(t, 19, 2.4)
	var first *mesh.TetMesh
	var report Report
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		out, rep, err := Grow(t.Context(), m, hollow(f, 1.2))
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, report = out, rep
		} else if !reflect.DeepEqual(first, out) || !reflect.DeepEqual(report, rep) {
			t.Fatalf("GOMAXPROCS %d grows otherwise", p)
		}
	}
}

// Turning and shifting the mesh turns and shifts the wall.
func TestRigidMotion(t *testing.T) {
	m := tube(4, 9, 8, 1)
	_, a := grow(t, m, vessel(0.9))
	turn := r3.NewRotation(0.7, r3.Vec{X: 1, Y: 2, Z: -0.5})
	for n, p := range m.Nodes {
		m.Nodes[n] = r3.Add(turn.Rotate(p), r3.Vec{X: 31, Y: -120, Z: 847})
	}
	_, b := grow(t, m, vessel(0.9))
	if math.Abs(a.WallMM3-b.WallMM3) > 1e-6*a.WallMM3 || a.Full != b.Full {
		t.Errorf("%g and %g mm³, %d and %d faces", a.WallMM3, b.WallMM3, a.Full, b.Full)
	}
}

func BenchmarkGrow(b *testing.B) {
	f := fork()
	m := f.around(b, 19, 1.8)
	for _, mm := range []float64{0.5, 1.5} {
		b.Run(fmt.Sprintf("%gmm", mm), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Grow(b.Context(), m, hollow(f, mm)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(m.Tets))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mtet/s")
		})
	}
}

func BenchmarkChoose(b *testing.B) {
	l := vesselLabels(trunk(), [3]int{120, 100, 60}, [3]float64{0.4, 0.4, 0.4})
	for b.Loop() {
		if _, err := Choose(b.Context(), l, lumen, 2, 1.5, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func Example() {
	m := tube(4, 9, 8, 1) // lumen of 4 mm in tissue
	out, rep, err := Grow(context.Background(), m, Options{
		Lumen: []imaging.Label{lumen}, Wall: wall, ThicknessMM: 0.5,
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d faces, %d new tetrahedra, wall %.1f mm³, parallel surface %.1f mm³\n",
		rep.Faces, len(out.Tets)-rep.OldTets, rep.WallMM3, rep.SteinerMM3)
	// Output: 384 faces, 1152 new tetrahedra, wall 106.5 mm³, parallel surface 106.5 mm³
}
