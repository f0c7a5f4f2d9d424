package verify

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"halsted/fem"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// The curved meshes have the volume of the bodies they stand for.
func TestPublishedMeshes(t *testing.T) {
	volume := func(m *mesh.TetMesh) (v float64) {
		for e, tet := range m.Tets {
			var x [10]r3.Vec
			for a := range 4 {
				x[a] = m.Nodes[tet[a]]
			}
			for a := range 6 {
				x[4+a] = m.Nodes[m.Mid[e][a]]
			}
			v += volume10(&x)
		}
		return v
	}
	plate := volume(ellipticPlate(2, 1, 3.25, 2.75, 0.6, 2, 8, 1))
	if want := math.Pi / 4 * (3.25*2.75 - 2) * 0.6; math.Abs(plate/want-1) > 1e-4 {
		t.Errorf("plate %v, want %v", plate, want)
	}
	cap := func(s, l float64) float64 { // a quarter of the ellipsoid below z = 5
		return math.Pi / 4 * s * s * ((5 - 125/(3*l*l)) + 2*l/3)
	}
	m, depth := ventricle(7, 17, 10, 20, 5, 2, 8)
	if v, want := volume(m), cap(10, 20)-cap(7, 17); math.Abs(v/want-1) > 1e-3 {
		t.Errorf("ventricle %v, want %v", v, want)
	}
	for i, p := range m.Nodes {
		s, l := 7+3*depth[i], 17+3*depth[i]
		if math.Abs(math.Hypot(math.Hypot(p.X/s, p.Y/s), p.Z/l)-1) > 1e-9 || p.Z > 5 || p.X < 0 || p.Y < 0 {
			t.Fatalf("node %d at %v, depth %v", i, p, depth[i])
		}
	}
	u := make([]r3.Vec, len(m.Nodes))
	for i, p := range m.Nodes {
		u[i] = r3.Vec{X: 0.1 * p.X, Y: -0.05 * p.Y, Z: 0.2 * p.Z}
	}
	if r := volumeRatio(m, u); math.Abs(r-1.1*0.95*1.2) > 1e-12 {
		t.Errorf("volume ratio %v", r)
	}
}

// The stretches of the strip's closed form are stationary: its slopes are those
// of an energy, here by the symmetry of their derivatives.
func TestStripClosedForm(t *testing.T) {
	s := strip{0.00764, 0.9966, 524.6, 0.226, 40, 0.41, 0.59}
	l, d := [3]float64{1.05, 0.98, 0.97}, 1e-6
	for a := range 3 {
		for b := range a {
			diff := func(of, by int) float64 {
				hi, lo := l, l
				hi[by] += d
				lo[by] -= d
				return (s.slope(of, hi) - s.slope(of, lo)) / (2 * d)
			}
			if x, y := diff(a, b), diff(b, a); math.Abs(x-y) > 1e-6*math.Abs(x) {
				t.Errorf("∂²W %d%d: %v, %v", a, b, x, y)
			}
		}
	}
	if f := s.forceN(1); math.Abs(f) > 1e-12 {
		t.Errorf("force at rest %v", f)
	}
}

// Peers' files: what is read, what is refused, and what is said when they are
// not there.
func TestPeerFiles(t *testing.T) {
	const nodes = "*NODE,NSET=NALL\n1,0,0,0\n2,1,0,0\n3,0,1,0\n4,0,0,1\n5,.5,0,0\n6,.5,.5,0\n7,0,.5,0\n8,0,0,.5\n9,.5,0,.5\n10,0,.5,.5\n"
	path := filepath.Join(t.TempDir(), "one.inp")
	read := func(text string) (*fem.Model, error) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m := &fem.Model{Mesh: &mesh.TetMesh{}}
		return m, readPeer(path, m)
	}
	m, err := read(nodes + "*ELEMENT,TYPE=C3D10,ELSET=EALL\n1,1,2,3,4,5,6,7,8,9,10\n*BOUNDARY\n1,1,3\n2,2,2\n*CLOAD\n4,3,-2.5e-3\n")
	if err != nil || len(m.Mesh.Tets) != 1 || m.Mesh.Mid[0] != [6]int32{4, 5, 6, 7, 8, 9} || len(m.Prescribed) != 4 || m.Prescribed[3] != (fem.Prescribed{Node: 1, Axis: 1}) || m.Forces[0].ForceN.Z != -2.5e-3 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"*NODE\n2,0,0,0\n", nodes + "*ELEMENT\n1,1,2,3,4,5,6,7,8,9,11\n", nodes + "*BOUNDARY\n0,1,3\n", nodes + "*BOUNDARY\n1,0,3\n", nodes + "*CLOAD\n1,4,1\n", nodes + "*CLOAD\n1.5,1,1\n", "*NODE\n1,x,0,0\n", "1,2\n"} {
		if _, err := read(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	t.Setenv("HALSTED_PEERS", t.TempDir())
	t.Setenv("HALSTED_DATA", t.TempDir())
	var absent notRun
	if _, err := runPeers(context.Background(), Full); !errors.As(err, &absent) {
		t.Errorf("peers: %v", err)
	}
	if _, err := runPhantom(context.Background(), Full); !errors.As(err, &absent) {
		t.Errorf("phantom: %v", err)
	}
}
