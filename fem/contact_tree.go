package fem

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// boxTree finds the nearest of a list of things that have a box: halves at the
// median of the longest side, as an implicit binary tree.
type boxTree struct {
	lo, hi []r3.Vec // per tree node
	item   []int32  // per leaf, in tree order
	from   []int32  // per tree node: items from, to; children of i are 2i+1, 2i+2
	to     []int32
}

// boxLeaf is the largest leaf.
const boxLeaf = 4

func newBoxTree(lo, hi []r3.Vec, items []int32) *boxTree {
	t := &boxTree{item: items}
	size := 1
	for n := len(items); n > boxLeaf; n = (n + 1) / 2 {
		size = 2*size + 1
	}
	t.lo, t.hi = make([]r3.Vec, size), make([]r3.Vec, size)
	t.from, t.to = make([]int32, size), make([]int32, size)
	for i := range t.from {
		t.from[i] = -1
	}
	t.split(0, 0, int32(len(items)), lo, hi)
	return t
}

func (t *boxTree) split(i, from, to int32, lo, hi []r3.Vec) {
	inf := math.Inf(1)
	a, b := r3.Vec{X: inf, Y: inf, Z: inf}, r3.Vec{X: -inf, Y: -inf, Z: -inf}
	for _, f := range t.item[from:to] {
		a = r3.Vec{X: min(a.X, lo[f].X), Y: min(a.Y, lo[f].Y), Z: min(a.Z, lo[f].Z)}
		b = r3.Vec{X: max(b.X, hi[f].X), Y: max(b.Y, hi[f].Y), Z: max(b.Z, hi[f].Z)}
	}
	t.lo[i], t.hi[i], t.from[i], t.to[i] = a, b, from, to
	if to-from <= boxLeaf || int(2*i+2) >= len(t.lo) {
		return
	}
	d := r3.Sub(b, a)
	key := func(f int32) float64 { return lo[f].X + hi[f].X }
	if d.Y >= d.X && d.Y >= d.Z {
		key = func(f int32) float64 { return lo[f].Y + hi[f].Y }
	} else if d.Z >= d.X {
		key = func(f int32) float64 { return lo[f].Z + hi[f].Z }
	}
	slices.SortFunc(t.item[from:to], func(p, q int32) int {
		kp, kq := key(p), key(q)
		switch {
		case kp < kq:
			return -1
		case kp > kq:
			return 1
		}
		return int(p) - int(q)
	})
	mid := (from + to + 1) / 2
	t.split(2*i+1, from, mid, lo, hi)
	t.split(2*i+2, mid, to, lo, hi)
}

// nearest calls try for items whose box may be nearer than the best distance
// so far, which try returns; best is where it starts.
func (t *boxTree) nearest(x r3.Vec, best float64, try func(item int32) float64) {
	if len(t.item) > 0 {
		t.visit(0, x, &best, try)
	}
}

func (t *boxTree) visit(i int32, x r3.Vec, best *float64, try func(int32) float64) {
	if !(t.away(i, x) < *best) {
		return
	}
	l := 2*i + 1
	if int(l) >= len(t.lo) || t.from[l] < 0 {
		for _, f := range t.item[t.from[i]:t.to[i]] {
			*best = min(*best, try(f))
		}
		return
	}
	a, b := l, l+1
	if t.away(b, x) < t.away(a, x) {
		a, b = b, a
	}
	t.visit(a, x, best, try)
	t.visit(b, x, best, try)
}

// away is the distance of x from box i.
func (t *boxTree) away(i int32, x r3.Vec) float64 {
	lo, hi := t.lo[i], t.hi[i]
	d := r3.Vec{
		X: max(0, lo.X-x.X, x.X-hi.X),
		Y: max(0, lo.Y-x.Y, x.Y-hi.Y),
		Z: max(0, lo.Z-x.Z, x.Z-hi.Z),
	}
	return r3.Norm(d)
}

// tree is a boxTree of the deformed faces; the box of a quadratic face is that
// of its Bézier points.
func (k *skin) tree(u []float64) *boxTree {
	lo, hi := make([]r3.Vec, k.faces()), make([]r3.Vec, k.faces())
	var items []int32
	var p [6]r3.Vec
	for f := range int32(k.faces()) {
		if k.alone[f] {
			continue
		}
		k.place(&p, f, u)
		a, b := p[0], p[0]
		for c := 1; c < 6; c++ {
			q := p[c]
			if c >= 3 {
				q = r3.Sub(r3.Scale(2, q), r3.Scale(0.5, r3.Add(p[c-3], p[(c-2)%3])))
			}
			a = r3.Vec{X: min(a.X, q.X), Y: min(a.Y, q.Y), Z: min(a.Z, q.Z)}
			b = r3.Vec{X: max(b.X, q.X), Y: max(b.Y, q.Y), Z: max(b.Z, q.Z)}
		}
		lo[f], hi[f] = a, b
		items = append(items, f)
	}
	return newBoxTree(lo, hi, items)
}

// closest is the nearest foot on the whole skin; guess is a face that may be
// near, or −1. ok is false when no face is alive.
func (k *skin) closest(t *boxTree, guess int32, x r3.Vec, u []float64) (best foot, ok bool) {
	best.dist = math.Inf(1)
	var p [6]r3.Vec
	try := func(f int32) float64 {
		k.place(&p, f, u)
		if c := onFace(&p, x); c.dist < best.dist || c.dist == best.dist && f < best.face {
			best = c
			best.face = f
		}
		return best.dist
	}
	if guess >= 0 && !k.alone[guess] {
		try(guess)
	}
	// A little beyond: of faces that share the foot, the lowest is taken.
	t.nearest(x, best.dist*(1+1e-12), func(f int32) float64 { return try(f) * (1 + 1e-12) })
	return best, !math.IsInf(best.dist, 1)
}
