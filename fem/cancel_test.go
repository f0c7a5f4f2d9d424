package fem

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"halsted/fem/material"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// squeezed is a block of n³ cells of six Tet10 that is pressed and sheared in two
// steps: plain, with mean dilatation, cut in two halves that touch or are tied,
// with a region taken out in a second stage, in dynamics, or along its path.
func squeezed(kind string, n int) (*Model, Settings) {
	b := brickMesh(n, n, n, 50, 50, 50)
	m := &Model{Regions: one(must(material.NewNeoHookean(1e-3, 0.45)))}
	s := Settings{Steps: 2}
	top := 50.0
	if kind == "contact" || kind == "tie" {
		b = brickMesh(n, n, (n+1)/2, 50, 50, 25)
		k := int32(len(b.Nodes))
		for _, p := range b.Nodes[:k] {
			b.Nodes = append(b.Nodes, r3.Add(p, r3.Vec{Z: 25}))
		}
		for _, v := range b.Tets {
			b.Tets = append(b.Tets, [4]int32{v[0] + k, v[1] + k, v[2] + k, v[3] + k})
			b.Region = append(b.Region, liver)
		}
		var own, other [][3]int32
		for _, f := range facesOf(b, func(p r3.Vec) bool { return p.Z == 25 }) {
			if f[0] < k {
				own = append(own, f)
			} else {
				other = append(other, f)
			}
		}
		if kind == "tie" {
			m.Ties = []Tie{{Faces: own, Against: other}}
		} else {
			m.Contacts = []Contact{{Faces: own, Against: other}}
		}
	}
	b = b.Quadratic()
	m.Mesh = b
	m.Prescribed = prescribe(b, func(p r3.Vec) bool { return p.Z == 0 }, still)
	down := prescribe(b, func(p r3.Vec) bool { return p.Z == top }, func(r3.Vec) r3.Vec { return r3.Vec{X: 1, Z: -4} })
	m.Membranes = []Membrane{{Faces: facesOf(b, func(p r3.Vec) bool { return p.X == 50 }), Law: must(material.NewNeoHookeanMembrane(1e-2, 0.1))}}
	switch kind {
	case "stages":
		for e, t := range b.Tets {
			if b.Nodes[t[0]].X+b.Nodes[t[1]].X+b.Nodes[t[2]].X+b.Nodes[t[3]].X > 100 {
				b.Region[e] = 2
			}
		}
		m.Regions = append(m.Regions, Region{Label: 2, Law: must(material.NewNeoHookean(2e-3, 0.45))})
		m.Stages = []Stage{{Steps: 1, Prescribed: down}, {Steps: 1, Remove: []imaging.Label{2}}}
		return m, s
	case "dilatation":
		s.Formulation = MeanDilatation
	case "dynamics":
		m.Dynamic = &Dynamic{RayleighStiffnessS: 0.01}
	case "path":
		s.ArcLength = &ArcLength{}
	}
	m.Prescribed = append(m.Prescribed, down...)
	return m, s
}

// countdown is a context that is done from its n-th look on.
type countdown struct {
	context.Context
	left atomic.Int64
	done chan struct{}
}

func newCountdown(n int64) *countdown {
	c := &countdown{Context: context.Background(), done: make(chan struct{})}
	c.left.Store(n)
	return c
}

func (c *countdown) Done() <-chan struct{} { return c.done }

func (c *countdown) Err() error {
	switch left := c.left.Add(-1); {
	case left == 0:
		close(c.done)
		fallthrough
	case left < 0:
		return context.Canceled
	}
	return nil
}

// Wherever the context ends, the solve ends with its error, and every frame
// that came out before is that of the whole solve.
func TestCancelAnywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, kind := range []string{"plain", "dilatation", "contact", "tie", "stages", "dynamics", "path"} {
		m, s := squeezed(kind, 2)
		s.Checkpoint = kind != "path"
		var whole []*Frame
		const many = 1 << 60
		all := newCountdown(many)
		if _, err := Solve(all, m, s, func(f *Frame) error { whole = append(whole, f); return nil }); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		looks := many - all.left.Load()
		for i := range 24 {
			at := 1 + rng.Int64N(looks)
			if i < 4 {
				at = int64(1 + i)
			}
			n := 0
			r, err := Solve(newCountdown(at), m, s, func(f *Frame) error {
				for v, u := range f.U {
					if u != whole[n].U[v] || f.Stress[v] != whole[n].Stress[v] {
						t.Fatalf("%s, look %d of %d: frame %d differs at node %d", kind, at, looks, n, v)
					}
				}
				n++
				return nil
			})
			if !errors.Is(err, context.Canceled) || r.Status != StatusCancelled {
				t.Errorf("%s, look %d of %d: %v, status %v", kind, at, looks, err, r.Status)
			}
			if c := r.Checkpoint; c != nil && (c.Steps > len(whole) || !finite(c.U...)) {
				t.Errorf("%s, look %d of %d: checkpoint of step %d", kind, at, looks, c.Steps)
			}
		}
	}
}

// The time from cancel to return is logged; the bound is wide, for machines
// that are busy with other things.
func TestCancelIsPrompt(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	before := runtime.NumGoroutine()
	var took []time.Duration
	for _, c := range []struct {
		kind string
		n    int
	}{{"plain", 10}, {"dilatation", 6}, {"contact", 5}, {"stages", 7}} {
		m, s := squeezed(c.kind, c.n)
		began := time.Now()
		if _, err := Solve(context.Background(), m, s, nil); err != nil {
			t.Fatalf("%s: %v", c.kind, err)
		}
		whole := time.Since(began)
		for range 5 {
			ctx, cancel := context.WithCancel(context.Background())
			var at atomic.Int64
			began := time.Now()
			timer := time.AfterFunc(time.Duration(rng.Int64N(int64(whole))), func() {
				at.Store(int64(time.Since(began)))
				cancel()
			})
			r, err := Solve(ctx, m, s, nil)
			end := time.Since(began)
			if timer.Stop() || err == nil {
				cancel()
				continue // it was through before
			}
			cancel()
			if !errors.Is(err, context.Canceled) || r.Status != StatusCancelled {
				t.Errorf("%s: %v, status %v", c.kind, err, r.Status)
			}
			took = append(took, end-time.Duration(at.Load()))
		}
	}
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("every solve was through before it could be cancelled: the problems are too small")
	}
	t.Logf("from cancel to return: median %v, longest %v of %d", took[len(took)/2], took[len(took)-1], len(took))
	if last := took[len(took)-1]; last > 2*time.Second {
		t.Errorf("a solve returned %v after its context was done", last)
	}
	for range 100 { // the runtime may still be taking the last ones down
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
