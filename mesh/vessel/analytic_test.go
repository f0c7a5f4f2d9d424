package vessel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// curveTree is one branch along a curve with radii.
func curveTree(count int, at func(s float64) r3.Vec, r func(s float64) float64) *Tree {
	b := Branch{Parent: -1}
	for n := range count + 1 {
		s := float64(n) / float64(count)
		b.Points, b.RadiusMM = append(b.Points, at(s)), append(b.RadiusMM, r(s))
	}
	t := &Tree{Branches: []Branch{b}}
	t.SetOrders()
	return t
}

// TestCurves: a helix and a tapering tube on an anisotropic, turned grid: one
// branch, the centreline within a quarter of a voxel on average (one and a half
// at the ends), the radius within 4 %.
func TestCurves(t *testing.T) {
	helix := curveTree(200, func(s float64) r3.Vec {
		a := 4 * math.Pi * s
		return r3.Vec{X: 14 * math.Cos(a), Y: 14 * math.Sin(a), Z: 40 * s}
	}, func(float64) float64 { return 2 })
	taper := curveTree(60, func(s float64) r3.Vec { return r3.Vec{X: 50 * s, Y: 10 * s * s} }, func(s float64) float64 { return 5 - 3*s })
	for name, truth := range map[string]*Tree{"helix": helix, "taper": taper} {
		for k, spacing := range [][3]float64{{0.7, 0.7, 0.7}, {0.6, 0.6, 1.1}} {
			g := around(spacing, r3.NewRotation(0.5+float64(k), r3.Vec{X: 1, Y: 2, Z: -1}), truth)
			got, _, err := Extract(context.Background(), g, paint(g, nil, truth), Options{Roots: starts(truth)})
			if err != nil {
				t.Fatal(err)
			}
			s := compare(t, got, truth)
			t.Logf("%s %v: %v", name, spacing, s)
			if s.Missing+s.Extra > 0 || s.MeanMM > 0.25*spacing[2] || s.MaxMM > 1.5*spacing[2] || s.RadiusQuantile(1) > 0.04 {
				t.Errorf("%s %v: %v", name, spacing, s)
			}
			// The taper itself: the radius near both ends.
			b, want := &got.Branches[0], &truth.Branches[0]
			for _, f := range []float64{0.15, 0.85} {
				r, w := b.RadiusMM[int(f*float64(len(b.RadiusMM)))], want.RadiusMM[int(f*float64(len(want.RadiusMM)))]
				if math.Abs(r/w-1) > 0.08 {
					t.Errorf("%s %v: radius %.2f at %.0f %%, true %.2f", name, spacing, r, 100*f, w)
				}
			}
		}
	}
}

// TestMotion moves a Y with its grid: the tree moves with it to the last digits.
func TestMotion(t *testing.T) {
	y := &Tree{Branches: []Branch{
		twig(-1, r3.Vec{}, r3.Vec{Z: 20}, 3),
		twig(0, r3.Vec{Z: 20}, r3.Vec{X: 12, Z: 36}, 2.4),
		twig(0, r3.Vec{Z: 20}, r3.Vec{X: -10, Y: 4, Z: 38}, 2.4),
	}}
	y.SetOrders()
	g := around([3]float64{0.8, 0.8, 1}, r3.Rotation{Real: 1}, y)
	mask := paint(g, nil, y)
	a, _, err := Extract(context.Background(), g, mask, Options{Roots: starts(y)})
	if err != nil {
		t.Fatal(err)
	}
	if s := compare(t, a, y); s.Missing+s.Extra > 0 || s.MeanMM > 0.4 || s.RadiusQuantile(1) > 0.04 {
		t.Errorf("Y: %v", s)
	}
	turn, d := r3.NewRotation(1, r3.Vec{X: 1, Y: 1}), r3.Vec{X: 30, Y: -20, Z: 5}
	h := g
	h.Origin = r3.Add(turn.Rotate(g.Origin), d)
	for n := range h.Axes {
		h.Axes[n] = turn.Rotate(g.Axes[n])
	}
	b, _, err := Extract(context.Background(), h, mask, Options{Roots: []r3.Vec{d}})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Branches) != len(b.Branches) {
		t.Fatalf("%d and %d branches", len(a.Branches), len(b.Branches))
	}
	for n := range a.Branches {
		var moved []r3.Vec
		for _, p := range a.Branches[n].Points {
			moved = append(moved, r3.Add(turn.Rotate(p), d))
		}
		there := b.Branches[n].Points
		// Rounding turns a tie between two voxels of equal depth, or the number of
		// points on a line.
		off := max(r3.Norm(r3.Sub(moved[0], there[0])), r3.Norm(r3.Sub(moved[len(moved)-1], there[len(there)-1])))
		for _, p := range moved {
			off = max(off, lineDistance(p, there))
		}
		for _, p := range there {
			off = max(off, lineDistance(p, moved))
		}
		if off > 0.05 {
			t.Fatalf("branch %d moved by %g mm", n, off)
		}
	}
}

// TestTouch: two parallel vessels from two roots that a bridge joins, and a tree
// whose branches touch to a ring: the loop is found and cut at the bridge.
func TestTouch(t *testing.T) {
	ladder := &Tree{Branches: []Branch{
		twig(-1, r3.Vec{}, r3.Vec{Z: 60}, 2.5),
		twig(-1, r3.Vec{X: 6}, r3.Vec{X: 6, Z: 60}, 2.5),
	}}
	ladder.SetOrders()
	bridge := &Tree{Branches: []Branch{twig(-1, r3.Vec{Z: 30}, r3.Vec{X: 6, Z: 30}, 1.2)}}
	g := around([3]float64{0.7, 0.7, 0.7}, r3.Rotation{Real: 1}, ladder)
	mask := paint(g, paint(g, nil, ladder), bridge)
	got, rep, err := Extract(context.Background(), g, mask, Options{Roots: starts(ladder)})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Roots()) != 2 || len(got.Branches) != 2 || rep.Loops != 1 || len(rep.Contacts) == 0 {
		t.Fatalf("%d roots, %d branches, %d loops, %d contacts", len(got.Roots()), len(got.Branches), rep.Loops, len(rep.Contacts))
	}
	if d := r3.Norm(r3.Sub(rep.Contacts[0].At, r3.Vec{X: 3, Z: 30})); d > 4 {
		t.Errorf("contact %.1f mm from the bridge", d)
	}
	if s := compare(t, got, ladder); s.MeanMM > 0.2 {
		t.Errorf("ladder: %v", s)
	}
	ring := curveTree(80, func(s float64) r3.Vec {
		return r3.Vec{X: 15 * math.Cos(2*math.Pi*s), Y: 15 * math.Sin(2*math.Pi*s)}
	}, func(float64) float64 { return 2 })
	g = around([3]float64{0.8, 0.8, 0.8}, r3.Rotation{Real: 1}, ring)
	got, rep, err = Extract(context.Background(), g, paint(g, nil, ring), Options{})
	if err != nil || rep.Loops != 1 {
		t.Fatalf("ring: %v, %+v", err, rep)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// TestNoise flips voxels on the wall and adds specks: no false branch.
func TestNoise(t *testing.T) {
	y := &Tree{Branches: []Branch{
		twig(-1, r3.Vec{}, r3.Vec{Z: 30}, 5),
		twig(0, r3.Vec{Z: 30}, r3.Vec{X: 22, Z: 48}, 3.5),
		twig(0, r3.Vec{Z: 30}, r3.Vec{X: -18, Y: 6, Z: 50}, 4),
	}}
	y.SetOrders()
	g := around([3]float64{0.8, 0.8, 1.2}, r3.Rotation{Real: 1}, y)
	clean := paint(g, nil, y)
	rng := rand.New(rand.NewPCG(7, 1))
	mask := make(filter.Mask, len(clean))
	for n := range mask {
		side := 0
		filter.Neighbours(g, n, func(o int) {
			if clean[o] != clean[n] {
				side++
			}
		})
		mask[n] = clean[n] != (side > 0 && rng.Float64() < 0.03 || rng.Float64() < 0.0005)
	}
	got, rep, err := Extract(context.Background(), g, mask, Options{Roots: starts(y)})
	if err != nil {
		t.Fatal(err)
	}
	s := compare(t, got, y)
	t.Logf("noise: %v; pieces %d dropped %d stray %.0f mm³ loops %d", s, rep.Pieces, rep.Dropped, rep.StrayMM3, rep.Loops)
	if s.Missing+s.Extra > 0 || s.MeanMM > 0.5 || s.RadiusQuantile(1) > 0.05 {
		t.Errorf("noise: %v", s)
	}
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	g := imaging.NewGrid([3]int{12, 12, 12}, r3.Vec{}, [3]float64{1, 1, 1})
	if _, _, err := Extract(ctx, g, make(filter.Mask, g.Len()), Options{}); !errors.Is(err, ErrEmptyLumen) {
		t.Errorf("empty mask: %v", err)
	}
	ball := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), r3.Vec{X: 5.5, Y: 5.5, Z: 5.5})) < 4
	})
	if _, _, err := Extract(ctx, g, ball, Options{Organ: ball[1:]}); err == nil {
		t.Error("an organ of another size: no error")
	}
	if _, _, err := Extract(ctx, g, ball, Options{}); !errors.Is(err, ErrNoVessel) {
		t.Errorf("ball: %v", err)
	}
	if _, _, err := Extract(ctx, g, ball[:5], Options{}); err == nil {
		t.Error("short mask: no error")
	}
	if _, _, err := Extract(ctx, g, ball, Options{Roots: []r3.Vec{{X: math.NaN()}}}); err == nil {
		t.Error("NaN root: no error")
	}
	full := filter.Where(g.Len(), func(int) bool { return true })
	if _, _, err := Extract(ctx, g, full, Options{}); err != nil && !errors.Is(err, ErrNoVessel) {
		t.Errorf("full grid: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Extract(done, g, ball, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// FuzzExtract: any mask gives a valid tree or a known error.
func FuzzExtract(f *testing.F) {
	f.Add([]byte{0xff, 0x0f, 3}, uint8(5), uint8(4), uint8(6))
	f.Add([]byte{1, 2, 4, 8, 16}, uint8(9), uint8(9), uint8(9))
	f.Fuzz(func(t *testing.T, bits []byte, x, y, z uint8) {
		g := imaging.NewGrid([3]int{1 + int(x)%14, 1 + int(y)%14, 1 + int(z)%14}, r3.Vec{X: 3}, [3]float64{1, 0.7, 1.9})
		mask := filter.Where(g.Len(), func(n int) bool { return len(bits) > 0 && bits[n/8%len(bits)]>>(n%8)&1 == 1 })
		tr, _, err := Extract(context.Background(), g, mask, Options{System: imaging.LabelPortalVein})
		if err != nil {
			if errors.Is(err, ErrEmptyLumen) || errors.Is(err, ErrNoVessel) {
				return
			}
			t.Fatal(err)
		}
		if err := tr.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

// A straight vessel of radius 3 mm and 40 mm between the middles of its round
// ends, oblique to the grid.
func ExampleExtract() {
	g := imaging.NewGrid([3]int{40, 40, 60}, r3.Vec{X: -9.1, Y: -9.2, Z: -6}, [3]float64{0.8, 0.8, 0.9})
	axis := r3.Unit(r3.Vec{X: 1, Y: 0.8, Z: 3})
	mask := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		s := min(max(r3.Dot(p, axis), 0), 40)
		return r3.Norm(r3.Sub(p, r3.Scale(s, axis))) < 3
	})
	t, _, err := Extract(context.Background(), g, mask, Options{Roots: []r3.Vec{{}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := t.Branches[0]
	fmt.Printf("%d branch, %.0f mm long, radius %.1f mm\n", len(t.Branches), b.LengthMM(), b.MeanRadiusMM())
	// Output: 1 branch, 40 mm long, radius 3.0 mm
}
