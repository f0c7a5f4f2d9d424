package cut

import (
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Cuts of every kind, one after the other, on irregular meshes with scattered
// labels, joined or apart, Tet4 or Tet10.
func TestAnyCutsInAnyOrder(t *testing.T) {
	cuts, off := 0, 0
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 99))
		m := irregular(rnd)
		opt := Options{KeepBoundary: rnd.IntN(2) == 0, Join: rnd.IntN(4) == 0}
		if rnd.IntN(4) == 0 {
			m = m.Quadratic()
		}
		for range 4 {
			r := apply(t, m, anySurface(t, rnd), opt)
			m = r.Mesh
			if off += r.Report.OffNodes; r.Report.Faces > 0 {
				cuts++
			}
		}
	}
	t.Logf("%d cuts of 48, %d nodes off", cuts, off)
	if cuts < 25 {
		t.Errorf("only %d of 48 surfaces cut anything", cuts)
	}
}

// irregular is a cube of 2 to 5 cells with nodes out of place, the boundary's
// too, and labels at random.
func irregular(rnd *rand.Rand) *mesh.TetMesh {
	m := cube(2 + rnd.IntN(4))
	for n, p := range m.Nodes {
		j := .25 * rnd.Float64()
		m.Nodes[n] = r3.Add(p, r3.Vec{X: j * rnd.NormFloat64(), Y: j * rnd.NormFloat64(), Z: j * rnd.NormFloat64()})
		if m.Check() != nil {
			m.Nodes[n] = p
		}
	}
	for k := range m.Region {
		m.Region[k] = imaging.Label(rnd.IntN(3) / 2)
	}
	return m
}

func anySurface(tb testing.TB, rnd *rand.Rand) Surface {
	switch rnd.IntN(4) {
	case 0:
		return sheet(tb, sphere(r3.Vec{X: 4 * rnd.Float64(), Y: 4 * rnd.Float64(), Z: 2}, .3+2*rnd.Float64(), 5))
	case 1:
		net := make([][]r3.Vec, 2+rnd.IntN(3))
		cols := 2 + rnd.IntN(3)
		for i := range net {
			for range cols {
				net[i] = append(net[i], r3.Vec{X: 5 * rnd.Float64(), Y: 5 * rnd.Float64(), Z: 5 * rnd.Float64()})
			}
		}
		return bezier(tb, net)
	}
	p := randomPlane(rnd, 1.5)
	p.Point = r3.Add(p.Point, r3.Vec{X: 2, Y: 2, Z: 2})
	return p
}
