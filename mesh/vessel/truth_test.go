package vessel

import (
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/phantom"
)

var livers sync.Map

// liverOf is the phantom of a seed, made once.
func liverOf(seed uint64) *phantom.Liver {
	f, _ := livers.LoadOrStore(seed, sync.OnceValue(func() *phantom.Liver { return phantom.NewLiver(seed) }))
	return f.(func() *phantom.Liver)()
}

// truthOf is one system of a phantom without the branches thinner than minMM.
// Where that leaves a branch with one child the two become one.
func truthOf(l *phantom.Liver, system imaging.Label, minMM float64) *Tree {
	bs := l.Branches()
	t := &Tree{System: system}
	at := make([]int, len(bs))
	for n, b := range bs {
		if b.System != system {
			continue
		}
		q := Branch{Parent: -1, Points: b.Line, RadiusMM: slices.Repeat([]float64{b.RadiusMM}, len(b.Line))}
		if b.Parent >= 0 {
			q.Parent = at[b.Parent]
		}
		at[n] = len(t.Branches)
		t.Branches = append(t.Branches, q)
	}
	return t.Thick(minMM)
}

// around is a grid with the given spacings, turned by the rotation, that holds
// the trees and a margin.
func around(spacing [3]float64, turn r3.Rotation, trees ...*Tree) imaging.Grid {
	ax := [3]r3.Vec{turn.Rotate(r3.Vec{X: 1}), turn.Rotate(r3.Vec{Y: 1}), turn.Rotate(r3.Vec{Z: 1})}
	lo, hi := [3]float64{1e9, 1e9, 1e9}, [3]float64{-1e9, -1e9, -1e9}
	for _, t := range trees {
		for _, b := range t.Branches {
			for m, p := range b.Points {
				for a := range ax {
					x := r3.Dot(p, ax[a])
					lo[a], hi[a] = min(lo[a], x-b.RadiusMM[m]-3), max(hi[a], x+b.RadiusMM[m]+3)
				}
			}
		}
	}
	var g imaging.Grid
	for a := range ax {
		g.Axes[a] = r3.Scale(spacing[a], ax[a])
		g.Size[a] = int((hi[a]-lo[a])/spacing[a]) + 1
		g.Origin = r3.Add(g.Origin, r3.Scale(lo[a]+0.37*spacing[a], ax[a]))
	}
	return g
}

// paint adds the lumen of a tree to a mask.
func paint(g imaging.Grid, mask filter.Mask, t *Tree) filter.Mask {
	out := t.Lumen(g)
	for n, in := range mask {
		out[n] = out[n] || in
	}
	return out
}

func compare(t *testing.T, got, truth *Tree) Agreement {
	t.Helper()
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	return Compare(got, truth)
}

// starts is the first point of every root.
func starts(t *Tree) []r3.Vec {
	var out []r3.Vec
	for _, n := range t.Roots() {
		out = append(out, t.Branches[n].Points[0])
	}
	return out
}
