package cut

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestBadInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	good := cube(2)
	with := func(change func(m *mesh.TetMesh)) *mesh.TetMesh {
		m := cube(2)
		change(m)
		return m
	}
	mid := Plane{r3.Vec{X: 1.2}, r3.Vec{X: 1}}
	for _, c := range []struct {
		name string
		m    *mesh.TetMesh
		s    Surface
		opt  Options
		want string // part of the message
	}{
		{"zero normal", good, Plane{}, Options{}, "normal is zero"},
		{"NaN normal", good, Plane{Normal: r3.Vec{X: nan}}, Options{}, "normal"},
		{"infinite normal", good, Plane{Normal: r3.Vec{X: inf}}, Options{}, "normal"},
		{"NaN point", good, Plane{r3.Vec{Y: nan}, r3.Vec{X: 1}}, Options{}, "point"},
		{"no surface", good, nil, Options{}, "surface"},
		{"empty sheet", good, &Sheet{}, Options{}, "NewSheet"},
		{"no sheet", good, (*Sheet)(nil), Options{}, "NewSheet"},
		{"empty Bézier", good, &Bezier{}, Options{}, "NewBezier"},
		{"no mesh", nil, mid, Options{}, "no element"},
		{"empty mesh", &mesh.TetMesh{}, mid, Options{}, "no element"},
		{"node out of range", with(func(m *mesh.TetMesh) { m.Tets[3][1] = 1 << 20 }), mid, Options{}, "element 3"},
		{"negative node", with(func(m *mesh.TetMesh) { m.Tets[4][1] = -1 }), mid, Options{}, "element 4"},
		{"NaN node", with(func(m *mesh.TetMesh) { m.Nodes[5].Z = nan }), mid, Options{}, "node 5"},
		{"regions", with(func(m *mesh.TetMesh) { m.Region = m.Region[:3] }), mid, Options{}, "3 regions"},
		{"mid-edge rows", with(func(m *mesh.TetMesh) { m.Mid = make([][6]int32, 2) }), mid, Options{}, "2 rows"},
		{"mid-edge node before corners", with(func(m *mesh.TetMesh) { m.Mid = make([][6]int32, len(m.Tets)) }), mid, Options{}, "mid-edge node 0"},
		{"bound", good, mid, Options{MinDihedralDeg: 60}, "MinDihedralDeg"},
		{"NaN bound", good, mid, Options{MinDihedralDeg: nan}, "MinDihedralDeg"},
		{"upper bound", good, mid, Options{MaxDihedralDeg: 90}, "MaxDihedralDeg"},
		{"memory", good, mid, Options{MemoryLimit: -1}, "MemoryLimit"},
	} {
		r, err := Apply(context.Background(), c.m, c.s, c.opt)
		if err == nil || r != nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "cut: ") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	flat := with(func(m *mesh.TetMesh) { v := &m.Tets[7]; v[0], v[1] = v[1], v[0] })
	_, err := Apply(context.Background(), flat, mid, Options{})
	if e, ok := errors.AsType[*mesh.InvertedError](err); !ok || e.Element != 7 {
		t.Errorf("inverted element: %v", err)
	}
	if _, err := Apply(context.Background(), good, Plane{r3.Vec{X: 1.2}, r3.Vec{X: 1e-300}}, Options{}); err != nil {
		t.Errorf("a tiny normal is a normal: %v", err)
	}
	if _, err := Apply(context.Background(), good, Plane{r3.Vec{X: 1.2}, r3.Vec{X: 1e300, Y: 1e300}}, Options{}); err != nil {
		t.Errorf("a huge normal is a normal: %v", err)
	}
}

func TestBadSheets(t *testing.T) {
	v := []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}, {X: 1, Y: 1}}
	for name, c := range map[string]struct {
		s    *mesh.Surface
		want string
	}{
		"none":           {nil, "no triangle"},
		"empty":          {&mesh.Surface{}, "no triangle"},
		"out of range":   {&mesh.Surface{Verts: v, Tris: [][3]int32{{0, 1, 9}}}, "vertex 9"},
		"NaN":            {&mesh.Surface{Verts: []r3.Vec{{}, {X: math.NaN()}, {Y: 1}}, Tris: [][3]int32{{0, 1, 2}}}, "vertex 1"},
		"no area":        {&mesh.Surface{Verts: []r3.Vec{{}, {X: 1}, {X: 2}}, Tris: [][3]int32{{0, 1, 2}}}, "no area"},
		"repeats vertex": {&mesh.Surface{Verts: v, Tris: [][3]int32{{0, 1, 1}}}, "no area"},
		"three at edge":  {&mesh.Surface{Verts: v, Tris: [][3]int32{{0, 1, 2}, {1, 0, 3}, {0, 1, 4}}}, "three triangles"},
		"turned":         {&mesh.Surface{Verts: v, Tris: [][3]int32{{0, 1, 2}, {0, 1, 3}}}, "turned against"},
	} {
		_, err := NewSheet(context.Background(), c.s)
		if e, ok := errors.AsType[*SurfaceError](err); !ok || !strings.Contains(e.Why, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewSheet(ctx, &mesh.Surface{Verts: v, Tris: [][3]int32{{0, 1, 2}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBadNets(t *testing.T) {
	row := []r3.Vec{{}, {X: 1}}
	for name, net := range map[string][][]r3.Vec{
		"none":     nil,
		"one row":  {row},
		"ragged":   {row, {{}, {X: 1}, {X: 2}}},
		"one wide": {{{}}, {{}}},
		"NaN":      {row, {{}, {Y: math.NaN()}}},
		"degree":   make([][]r3.Vec, MaxDegree+2),
	} {
		if _, err := NewBezier(net); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, net := range map[string][][]r3.Vec{
		"a point": {{{X: 1}, {X: 1}}, {{X: 1}, {X: 1}}},
		"a line":  {{{X: 1}, {X: 2}}, {{X: 3}, {X: 4}}},
	} {
		b, err := NewBezier(net)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Apply(context.Background(), cube(2), b, Options{})
		if _, ok := errors.AsType[*SurfaceError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An element worse than the bound is not made worse, and does not spoil the
// others.
func TestWorseInputIsNotMadeWorse(t *testing.T) {
	m := cube(4)
	for n, p := range m.Nodes { // flattened: dihedral angles down to a few degrees
		m.Nodes[n].Z = p.Z * .08
	}
	before := mesh.Quality(m)
	for _, p := range []Plane{
		{r3.Vec{X: 1.7, Y: 2, Z: .1}, r3.Vec{X: 1, Y: .3, Z: .2}},
		{r3.Vec{X: 1.7, Y: 2, Z: .1}, r3.Vec{Z: 1}},
	} {
		r := apply(t, m, p, Options{})
		t.Logf("before %.2f–%.2f, after %.2f–%.2f, %d off by %.3f mm, %d faces", before.MinDihedralDeg, before.MaxDihedralDeg, r.Report.After.MinDeg, r.Report.After.MaxDeg, r.Report.OffNodes, r.Report.MaxOffMM, r.Report.Faces)
	}
}

// FuzzPlane drives one mesh through all planes and all shifts of a node.
func FuzzPlane(f *testing.F) {
	f.Add(1.2, 1., 1., 1., 0., 0., 0., uint16(3))
	f.Add(1., 1., 1., 1., 1., 1., .3, uint16(30))
	f.Add(1e-9, 0., 0., 1., 1e-9, 0., .4, uint16(40))
	f.Fuzz(func(t *testing.T, px, py, pz, nx, ny, nz, shift float64, node uint16) {
		m := cube(3)
		n := int(node) % len(m.Nodes)
		was := m.Nodes[n]
		m.Nodes[n].X += math.Mod(shift, .4)
		if m.Check() != nil {
			m.Nodes[n] = was
		}
		m.Region = append([]imaging.Label(nil), m.Region...)
		r, err := Apply(context.Background(), m, Plane{r3.Vec{X: px, Y: py, Z: pz}, r3.Vec{X: nx, Y: ny, Z: nz}}, Options{})
		if err != nil {
			if _, ok := errors.AsType[*SurfaceError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		sound(t, m, r, Options{})
	})
}
