package contour

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// What the grid cuts off ends flat, half a voxel outside the outermost voxels,
// and its rim stays where it is across the end.
func TestFlatEnds(t *testing.T) {
	// a tube along k, and a slab in a corner of the grid
	l := labelsOf([3]int{40, 40, 12}, func(i, j, k int) imaging.Label {
		switch {
		case math.Hypot(float64(i)-20.3, float64(j)-19.6) < 8:
			return 2
		case i > 32 && j < 6 && k < 5:
			return 1
		}
		return 0
	})
	for _, manifold := range []bool{false, true} {
		n, err := NewNet(context.Background(), l, Options{Manifold: manifold})
		if err == nil {
			err = n.Smooth(context.Background(), 30)
		}
		if err == nil {
			err = n.Restore(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		inCells(t, l, n)
		ends, worst, mean := 0, 0.0, 0.0
		for v := range int32(n.Len()) {
			i, j, k := n.Cell(v)
			for a, c := range [3]int{i, j, k} {
				x := n.Pos[3*v+int32(a)]
				if c == -1 && x != -0.5 || c == l.Grid.Size[a]-1 && x != float32(l.Grid.Size[a])-0.5 {
					t.Fatalf("vertex %d of cell %v is at %v along axis %d", v, [3]int{i, j, k}, x, a)
				}
			}
			if n.pair[v][1] == 2 && n.held[v]&crease != 0 {
				ends++
				d := math.Abs(math.Hypot(float64(n.Pos[3*v])-20.3, float64(n.Pos[3*v+1])-19.6) - 8)
				worst, mean = max(worst, d), mean+d
			}
		}
		mean /= float64(ends)
		t.Logf("%d vertices on the rims of the tube, %.2f voxels off the circle, at most %.2f", ends, mean, worst)
		if ends < 100 || mean > 0.12 || worst > 0.5 {
			t.Fatal("the tube has no round rim")
		}
		s := n.Surface()
		for _, x := range s.Labels() {
			want := float64(l.Count(func(y imaging.Label) bool { return x == y }))
			if v := volume(s, x); math.Abs(v/want-1) > 5e-4 {
				t.Fatalf("label %d has volume %g of %g", x, v, want)
			}
		}
	}
}

// A tube of radius 1.7 voxels in a wall, beside a large ball: smoothing makes
// all three better and keeps the lumen open to its full width.
func TestThinTubesKeepTheirWidth(t *testing.T) {
	a, b := r3.Vec{X: 4.2, Y: 7.7, Z: 6.1}, r3.Vec{X: 53.1, Y: 15.3, Z: 20.6}
	ball := r3.Vec{X: 30.4, Y: 44.2, Z: 40.7}
	along := r3.Unit(r3.Sub(b, a))
	axis := func(p r3.Vec) float64 { // from the axis of the tube, whose ends are round
		u := min(max(r3.Dot(r3.Sub(p, a), along), 0), r3.Norm(r3.Sub(b, a)))
		return r3.Norm(r3.Sub(p, r3.Add(a, r3.Scale(u, along))))
	}
	l := labelsOf([3]int{60, 64, 60}, func(i, j, k int) imaging.Label {
		p := r3.Vec{X: float64(i), Y: float64(j), Z: float64(k)}
		switch d := axis(p); {
		case d < 1.7:
			return 3
		case d < 3.9:
			return 2
		case r3.Norm(r3.Sub(p, ball)) < 17.3:
			return 1
		}
		return 0
	})
	off := func(n *Net) (mean, bias [4]float64) {
		var count [4]float64
		for v := range int32(n.Len()) {
			if n.Meet[v] > 2 {
				continue
			}
			p := r3.Vec{X: float64(n.Pos[3*v]), Y: float64(n.Pos[3*v+1]), Z: float64(n.Pos[3*v+2])}
			top := n.pair[v][1]
			d := [4]float64{0, r3.Norm(r3.Sub(p, ball)) - 17.3, axis(p) - 3.9, axis(p) - 1.7}[top]
			mean[top] += math.Abs(d)
			bias[top] += d
			count[top]++
		}
		for x := 1; x < 4; x++ {
			mean[x] /= count[x]
			bias[x] /= count[x]
		}
		return mean, bias
	}
	var raw, rawBias [4]float64
	for _, passes := range []int{0, 5, 20, 100} {
		n, err := NewNet(context.Background(), l, Options{})
		if err == nil {
			err = n.Smooth(context.Background(), passes)
		}
		if err == nil {
			err = n.Restore(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		mean, bias := off(n)
		t.Logf("%d passes: mean %.3f, bias %+.3f voxels (ball, wall, lumen)", passes, mean[1:], bias[1:])
		if passes == 0 {
			raw, rawBias = mean, bias
			continue
		}
		for x := 1; x < 4; x++ {
			if mean[x] > 0.85*raw[x] || math.Abs(bias[x]-rawBias[x]) > 0.01 {
				t.Fatalf("%d passes: label %d is %.3f voxels off, %+.3f, after %.3f, %+.3f", passes, x, mean[x], bias[x], raw[x], rawBias[x])
			}
		}
	}
}

// Smooth and Restore leave the net as it was when they fail.
func TestFailureLeavesTheNet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	l := noise(r, [3]int{20, 20, 18}, 3, 0.4)
	n, err := NewNet(context.Background(), l, Options{Manifold: true})
	if err != nil {
		t.Fatal(err)
	}
	pos := slices.Clone(n.Pos)
	for _, passes := range []int{-1, MaxSmoothPasses + 1} {
		if n.Smooth(context.Background(), passes) == nil {
			t.Fatalf("%d passes accepted", passes)
		}
	}
	for looks := range 80 {
		for _, f := range []func(ctx context.Context) error{
			func(ctx context.Context) error { return n.Smooth(ctx, 50) },
			n.Restore,
		} {
			// Restore may be through before so many looks at the context
			if err := f(&patient{Context: context.Background(), looks: int64(looks)}); err == nil {
				copy(n.Pos, pos)
			} else if !errors.Is(err, context.Canceled) || !slices.Equal(n.Pos, pos) {
				t.Fatalf("after %d looks: %v, or moved", looks, err)
			}
		}
		if looks < 9 {
			if _, err := NewNet(&patient{Context: context.Background(), looks: int64(looks)}, l, Options{Manifold: true}); !errors.Is(err, context.Canceled) {
				t.Fatalf("net after %d looks: %v", looks, err)
			}
		}
	}
}

// patient is a context that is cancelled when it has been looked at so often.
type patient struct {
	context.Context
	looks int64
}

func (p *patient) Err() error {
	if atomic.AddInt64(&p.looks, -1) < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancel(t *testing.T) {
	l := ballLabels(160, 75)
	for _, wait := range []time.Duration{0, 10 * time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		s, err := Extract(ctx, l, Options{SmoothPasses: MaxSmoothPasses})
		late, _ := ctx.Deadline()
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || s != nil {
			t.Fatalf("after %v: %v", wait, err)
		}
		t.Logf("returned %v after the deadline", time.Since(late))
	}
}
