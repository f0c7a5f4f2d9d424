package remesh

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// fromInput measures the vertices mine of the input, which went to h, against
// the faces around it, and returns the largest distance.
func (w *work) fromInput(in *work, h int32, f *fan, mine []int32, at []near, floor2 float64, m *tally) float64 {
	worst, guess := 0.0, 0
	if !f.open { // all of one pair
		pair := f.m[0].pair
		for _, a := range mine {
			d2, k := f.nearest(r3.Sub(in.pos[a], w.pos[h]), guess, pair)
			guess = k
			face := f.m[k].face
			if d2 > floor2 {
				d2, face = w.walk(in.pos[a], face, d2, pair)
			}
			x := math.Sqrt(d2)
			at[a] = near{float32(x), face}
			worst = max(worst, x)
			m.sum += x
		}
		m.count += len(mine)
		return worst
	}
	for _, a := range mine {
		around := in.list[in.start[a]:in.start[a+1]]
		if in.kind[a] == inner { // all of one pair
			around = around[:1]
		}
		q := r3.Sub(in.pos[a], w.pos[h])
		far2 := 0.0
		last := uint32(0)
		for i, c := range around {
			pair := in.side[c>>2] & pairMask
			if i > 0 && pair == last {
				continue
			}
			last = pair
			d2, k := f.nearest(q, guess, pair)
			guess = k
			face := f.m[k].face
			if d2 > floor2 {
				d2, face = w.walk(in.pos[a], face, d2, pair)
			}
			if i == 0 || d2 > far2 {
				far2 = d2
				at[a].face = face
			}
		}
		x := math.Sqrt(far2)
		at[a].mm = float32(x)
		worst = max(worst, x)
		m.sum += x
		m.count++
	}
	return worst
}

// toInput is the squared distance of vertex h of the result from the faces of
// the input around the nearest vertex that went to it; for a vertex on a feature
// line, the largest over the pairs of labels around it.
func (w *work) toInput(in *work, h int32, f *fan, mine []int32, floor2 float64) float64 {
	closest, close2 := int32(-1), math.Inf(1)
	for _, a := range mine {
		if w.kind[h] != inner && in.kind[a] == inner {
			continue
		}
		if d2 := r3.Norm2(r3.Sub(in.pos[a], w.pos[h])); d2 < close2 {
			closest, close2 = a, d2
		}
	}
	if close2 <= floor2 || closest < 0 {
		return close2
	}
	far2 := 0.0
	for i := range f.m {
		if i > 0 && f.m[i].pair == f.m[i-1].pair {
			continue
		}
		d2 := close2
		for _, c := range in.list[in.start[closest]:in.start[closest+1]] {
			if t := c >> 2; in.side[t]&pairMask == f.m[i].pair {
				v := &in.tri[t]
				d2 = min(d2, toTriangle(w.pos[h], in.pos[v[0]], in.pos[v[1]], in.pos[v[2]]))
			}
		}
		far2 = max(far2, d2)
	}
	return far2
}

// walk looks for a face of the pair nearer to p than face t, at squared
// distance d2, going to the best of the faces around until none is nearer.
func (w *work) walk(p r3.Vec, t int32, d2 float64, pair uint32) (float64, int32) {
	for {
		from := t
		for _, c := range w.tri[from] {
			d2, t = w.around(p, c, t, d2, pair)
		}
		if t == from {
			return d2, t
		}
	}
}

// around is walk among the faces at vertex c alone.
func (w *work) around(p r3.Vec, c, t int32, d2 float64, pair uint32) (float64, int32) {
	for _, i := range w.list[w.start[c]:w.start[c+1]] {
		o := i >> 2
		if w.side[o]&pairMask != pair {
			continue
		}
		v := &w.tri[o]
		if d := toTriangle(p, w.pos[v[0]], w.pos[v[1]], w.pos[v[2]]); d < d2 {
			d2, t = d, o
		}
	}
	return d2, t
}
