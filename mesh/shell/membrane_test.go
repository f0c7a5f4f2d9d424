package shell

import (
	"math"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// The membrane of a tube has the area of the prism, points outward, and its
// rim lies at the ends.
func TestMembraneOfTube(t *testing.T) {
	const r, length, mm = 4.0, 10.0, 0.3
	m := tube(r, 7, length, 1)
	s, err := Membrane(t.Context(), m, vessel(mm))
	if err != nil {
		t.Fatal(err)
	}
	want := 24 * 2 * r * math.Sin(math.Pi/24) * length
	if got := s.VolumeMM3(m) / mm; math.Abs(got-want) > 1e-9*want {
		t.Errorf("area %g, want %g", got, want)
	}
	if s.Label != wall || len(s.ThicknessMM) != len(s.Nodes) {
		t.Errorf("%v, %d of %d", s.Label, len(s.ThicknessMM), len(s.Nodes))
	}
	edges := map[[2]int32]int{}
	for _, v := range s.Nodes {
		a, b, c := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]]
		if n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a)); n.X*a.X+n.Y*a.Y <= 0 {
			t.Fatalf("face %v points inward", v)
		}
		for i := range v {
			edges[[2]int32{v[i], v[(i+1)%3]}]++
		}
	}
	for e, n := range edges {
		back := edges[[2]int32{e[1], e[0]}]
		rim := m.Nodes[e[0]].Z == m.Nodes[e[1]].Z && (m.Nodes[e[0]].Z == 0 || m.Nodes[e[0]].Z == length)
		if n != 1 || (back == 0) != rim {
			t.Fatalf("edge %v is run along %d times, back %d", e, n, back)
		}
	}
	// seen from the other side
	o := vessel(mm)
	o.Lumen, o.Tissue = []imaging.Label{tissue}, []imaging.Label{lumen}
	in, err := Membrane(t.Context(), m, o)
	if err != nil || len(in.Nodes) != len(s.Nodes) {
		t.Fatal(err)
	}
	v := in.Nodes[0]
	a, b, c := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]]
	if n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a)); n.X*a.X+n.Y*a.Y >= 0 {
		t.Error("the turned membrane points outward")
	}
}

// The capsule of an organ bounds all its regions and no more; the thickness is
// read at the nodes.
func TestMembraneCapsule(t *testing.T) {
	m := ball(4, 9, 2)
	s, err := Membrane(t.Context(), m, Options{Lumen: []imaging.Label{lumen, tissue}, Tissue: []imaging.Label{imaging.LabelBackground}, Wall: wall,
		Where: func(p r3.Vec) bool { return r3.Norm(p) > 7 }, ThicknessAt: func(p r3.Vec) float64 { return 0.1 + (p.Z+9)/90 }})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Nodes) != 320 {
		t.Errorf("%d faces, want 320", len(s.Nodes))
	}
	area := 0.0
	for i, v := range s.Nodes {
		a, b, c := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]]
		n := r3.Cross(r3.Sub(b, a), r3.Sub(c, a))
		area += r3.Norm(n) / 2
		if r3.Dot(n, a) <= 0 {
			t.Fatalf("face %v points inward", v)
		}
		if want := 0.1 + ((a.Z+b.Z+c.Z)/3+9)/90; math.Abs(s.ThicknessMM[i]-want) > 1e-12 {
			t.Fatalf("thickness %g, want %g", s.ThicknessMM[i], want)
		}
	}
	// the thickness is odd in z but for its mean of 0.2 mm
	if v := s.VolumeMM3(m); math.Abs(v-0.2*area) > 1e-9*v {
		t.Errorf("%g mm³ on %g mm²", v, area)
	}
}

// What Grow leaves bare and what it covers make up the membrane.
func TestRestIsPartOfTheMembrane(t *testing.T) {
	f := fork()
	m := f.around(t, 19, 2.4)
	opt := hollow(f, 0.35)
	_, rep := grow(t, m, opt)
	s, err := Membrane(t.Context(), m, opt)
	if err != nil {
		t.Fatal(err)
	}
	all := map[[3]int32]bool{}
	key := func(v [3]int32) [3]int32 {
		for v[0] > min(v[1], v[2]) {
			v = [3]int32{v[1], v[2], v[0]}
		}
		return v
	}
	for _, v := range s.Nodes {
		all[key(v)] = true
	}
	if len(all) != rep.Faces || rep.Bare == 0 {
		t.Fatalf("%d faces, membrane of %d, %d bare", rep.Faces, len(all), rep.Bare)
	}
	for _, v := range rep.Rest.Nodes {
		if !all[key(v)] {
			t.Fatalf("face %v is not of the membrane, or turned", v)
		}
	}
	// a lower bound for the wall lets it be thin
	opt.WallMinDihedralDeg = 3
	_, rep = grow(t, m, opt)
	if rep.Full != rep.Faces {
		t.Errorf("%d of %d faces full at 3 degrees", rep.Full, rep.Faces)
	}
}
