package tetra

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
)

// The lattice is driven without a field: any signs, and crossings anywhere on
// the edges, with many at the thresholds, where the worst shapes are.
func TestStencilsOnArbitrarySignsAndCrossings(t *testing.T) {
	d := ballDomain(8, 3)
	ctx := context.Background()
	edge := []float64{1e-9, alphaLong - 1e-9, alphaLong + 1e-9, alphaShort - 1e-9, alphaShort + 1e-9, 0.5}
	lo, hi, tets := 180., 0., 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 99))
		f, err := newField(d, Options{EdgeMM: 1.1})
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLattice(ctx, f, Options{EdgeMM: 1.1}, false)
		if err != nil {
			t.Fatal(err)
		}
		full := 0.2 + 0.6*r.Float64() // share of points inside
		for p := range l.val {
			x := l.place(int32(p))
			l.val[p] = 1
			// two cells of the rim stay outside, as in a lattice over a field
			if min(x.X-l.lo.X, x.Y-l.lo.Y, x.Z-l.lo.Z) > 1.9*l.h &&
				max(x.X-l.lo.X-float64(l.n[0])*l.h, x.Y-l.lo.Y-float64(l.n[1])*l.h, x.Z-l.lo.Z-float64(l.n[2])*l.h) < -1.9*l.h &&
				r.Float64() < full {
				l.val[p] = -1
			}
			if r.IntN(20) == 0 && l.val[p] < 0 {
				l.val[p] = 0 // the surface passes exactly through the point
			}
		}
		if err := l.findCuts(ctx); err != nil {
			t.Fatal(err)
		}
		for e := range l.t {
			l.t[e] = r.Float64()
			if r.IntN(2) == 0 {
				l.t[e] = edge[r.IntN(len(edge))]
				if r.IntN(2) == 0 {
					l.t[e] = 1 - l.t[e]
				}
			}
		}
		l.warpPoints()
		m, err := l.stuff(ctx)
		if err != nil {
			t.Fatal(err)
		}
		m.Region = make([]imaging.Label, len(m.Tets))
		for n := range m.Region {
			m.Region[n] = imaging.LabelLiver
		}
		q := sound(t, m)
		lo, hi, tets = min(lo, q.MinDihedralDeg), max(hi, q.MaxDihedralDeg), tets+q.Tets
	}
	t.Logf("%d tets, dihedral %.2f to %.2f", tets, lo, hi)
}

// False position must find the crossing of a kinked field as well as of a
// smooth one.
func TestRootIsOnTheSurface(t *testing.T) {
	for _, kink := range []bool{false, true} {
		d := ballDomain(30, 9)
		if kink {
			for n, v := range d.Phi {
				if v < 0 {
					d.Phi[n] = 100 * v // slope 1 outside, 100 inside
				}
			}
		}
		f, err := newField(d, Options{EdgeMM: 3})
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLattice(context.Background(), f, Options{EdgeMM: 3}, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.prepare(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if len(l.t) < 500 {
			t.Fatalf("%d cuts", len(l.t))
		}
		for e := range l.t {
			if v := f.at(l.cutAt(int32(e)), 0); math.Abs(v) > 500*rootTol*l.h {
				t.Fatalf("kink %v: the field is %g mm at cut %d", kink, v, e)
			}
		}
	}
}

// Random voxel boxes of every shape, also one voxel thick and at the border.
func TestSmallMapsAreSoundOrSaidEmpty(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	made := 0
	for range 150 {
		g := imaging.NewGrid([3]int{1 + r.IntN(5), 1 + r.IntN(5), 1 + r.IntN(5)}, imaging.Grid{}.Origin, [3]float64{0.3 + r.Float64(), 1, 0.3 + 2*r.Float64()})
		d := Domain{Grid: g, Phi: make([]float32, g.Len())}
		for n := range d.Phi {
			d.Phi[n] = float32(r.NormFloat64())
		}
		if r.IntN(3) == 0 {
			d.TargetMM3 = float64(g.Len()) * g.VoxelMM3() * r.Float64()
		}
		m, rep, err := Fill(context.Background(), d, Options{EdgeMM: 0.2 + 2*r.Float64()})
		var empty *EmptyError
		if errors.As(err, &empty) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		made++
		sound(t, m)
		if _, parts := m.Parts(); parts != rep.Parts || math.Abs(rep.VolumeMM3-m.VolumeMM3(nil)) > 1e-12*rep.VolumeMM3 {
			t.Fatalf("report %+v", rep)
		}
	}
	if made < 80 {
		t.Fatalf("only %d meshes were made", made)
	}
}
