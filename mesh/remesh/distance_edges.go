package remesh

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// sharp measures the edges of face t of the result where its neighbour turns
// away from it or has another pair: there the surfaces need not lie on each
// other.
func (w *work) sharp(in *work, normals [][3]float32, t int32, start, group []int32, enough, limit float64, m *tally) {
	v := &w.tri[t]
	for k, a := range v {
		b := v[(k+1)%3]
		if a > b && (w.kind[a] == inner || w.kind[b] == inner) {
			continue // seen from the other side
		}
		if o := w.beyond(a, b, t); o >= 0 {
			x, y := &normals[t], &normals[o]
			if a > b || x[0]*y[0]+x[1]*y[1]+x[2]*y[2] >= sharpCos {
				continue
			}
		}
		p, q := w.pos[a], w.pos[b]
		steps := int(min(math.Sqrt(r3.Norm2(r3.Sub(q, p)))/limit, maxSharp)) + 2
		d := probe(p, q, 0, 0, steps, limit, func(p r3.Vec) float64 {
			return w.fromGroups(in, p, t, start, group, enough)
		})
		m.max = max(m.max, d)
		if d > limit {
			m.bad = append(m.bad, v[0], v[1], v[2])
		}
	}
}

// fromGroups is the distance of p, on face t of the result, from the input
// around the nearest vertex that went to one of t.
func (w *work) fromGroups(in *work, p r3.Vec, t int32, start, group []int32, enough float64) float64 {
	pair := w.side[t] & pairMask
	closest, close2 := int32(-1), math.Inf(1)
	for _, h := range w.tri[t] {
		for _, u := range group[start[h]:start[h+1]] {
			if d2 := r3.Norm2(r3.Sub(in.pos[u], p)); d2 < close2 && in.bounds(u, pair) {
				closest, close2 = u, d2
			}
		}
	}
	if closest < 0 {
		return 0
	}
	d2, f := in.around(p, closest, in.list[in.start[closest]]>>2, close2, pair)
	if d2 > enough*enough {
		d2, _ = in.walk(p, f, d2, pair)
	}
	return math.Sqrt(d2)
}

// probe is the largest distance found along pq, at whose ends it is x and y: at
// steps−1 places between, and, as no distance changes faster than its place
// moves, at more where it could be over the limit.
func probe(p, q r3.Vec, x, y float64, steps int, limit float64, measure func(r3.Vec) float64) float64 {
	e := r3.Sub(q, p)
	step := 1 / float64(steps)
	l := step * math.Sqrt(r3.Norm2(e))
	worst, last := max(x, y), x
	for i := 1; i <= steps; i++ {
		here := y
		if i < steps {
			here = measure(r3.Add(p, r3.Scale(float64(i)*step, e)))
			worst = max(worst, here)
		}
		// halve towards the farther end of what is left of the step
		from, to := last, here
		at, half := (float64(i)-0.5)*step, 0.25*step
		for n := 0; n < maxHalve && (from+to+math.Ldexp(l, -n))/2 > limit; n++ {
			z := measure(r3.Add(p, r3.Scale(at, e)))
			worst = max(worst, z)
			if from > to {
				to = z
				at -= half
			} else {
				from = z
				at += half
			}
			half /= 2
		}
		last = here
	}
	return worst
}

// beyond is the face of the same pair that runs from b to a, −1 when there is
// none.
func (w *work) beyond(a, b, t int32) int32 {
	for _, c := range w.list[w.start[a]:w.start[a+1]] {
		if o := c >> 2; w.tri[o][back(c)] == b && (w.side[o]^w.side[t])&pairMask == 0 {
			return o
		}
	}
	return -1
}

// bounds reports a face of the pair at u.
func (w *work) bounds(u int32, pair uint32) bool {
	for _, c := range w.list[w.start[u]:w.start[u+1]] {
		if w.side[c>>2]&pairMask == pair {
			return true
		}
	}
	return false
}

// meeting is an edge of the input whose ends lie over different faces of the
// result.
type meeting struct {
	p, q  r3.Vec // its ends
	face  int32  // a face of the input at it
	over  [2]int32
	homes [2]int32 // the vertices its ends went to
	mm    [2]float64
}

// crossing measures where e crosses the edge between the faces of the result
// its ends lie over. When there is none, or it is missed, places along e are
// measured, and those where it crosses other edges of these faces. A distance up
// to enough need not be exact.
func (w *work) crossing(in *work, normals [][3]float32, e *meeting, enough, limit float64, m *tally) {
	floor2 := enough * enough
	pair := in.side[e.face] & pairMask
	f, g := e.over[0], e.over[1]
	x, y := &w.tri[f], &w.tri[g]
	var common [3]int32
	n := 0
	for _, v := range x {
		if v == y[0] || v == y[1] || v == y[2] {
			common[n] = v
			n++
		}
	}
	d2 := math.Inf(1)
	if n == 2 && w.side[f]&pairMask == pair && w.side[g]&pairMask == pair {
		m, o := &normals[f], &normals[g]
		if a, b, ok := over(e.p, e.q, w.pos[common[0]], w.pos[common[1]], m[0]+o[0], m[1]+o[1], m[2]+o[2]); ok {
			if d2 = r3.Norm2(r3.Sub(a, b)); d2 > floor2 {
				d2 = max(w.onto(a, e, pair, floor2), in.under(b, e.face, pair, floor2))
			}
		}
	}
	if math.IsInf(d2, 1) {
		d := probe(e.p, e.q, e.mm[0], e.mm[1], 2, limit, func(p r3.Vec) float64 { return math.Sqrt(w.onto(p, e, pair, floor2)) })
		d2 = d * d
		for _, o := range e.over {
			v, m := &w.tri[o], &normals[o]
			for k := range 3 {
				if _, b, ok := over(e.p, e.q, w.pos[v[k]], w.pos[v[(k+1)%3]], m[0], m[1], m[2]); ok && w.side[o]&pairMask == pair {
					d2 = max(d2, in.under(b, e.face, pair, floor2))
				}
			}
		}
	}
	d := math.Sqrt(d2)
	m.max = max(m.max, d)
	if d > limit {
		m.bad = append(m.bad, x[0], x[1], x[2], y[0], y[1], y[2])
	}
}

// onto is the squared distance of p, on e, from the faces of the pair around
// the places where e ends.
func (w *work) onto(p r3.Vec, e *meeting, pair uint32, floor2 float64) float64 {
	d2, t := math.Inf(1), e.over[0]
	for _, o := range e.over {
		if v := &w.tri[o]; w.side[o]&pairMask == pair && d2 > floor2 {
			if d := toTriangle(p, w.pos[v[0]], w.pos[v[1]], w.pos[v[2]]); d < d2 {
				d2, t = d, o
			}
		}
	}
	for _, h := range e.homes {
		if d2 > floor2 {
			d2, t = w.around(p, h, t, d2, pair)
		}
	}
	if d2 > floor2 {
		d2, _ = w.walk(p, t, d2, pair)
	}
	return d2
}

// under is the squared distance of p from the faces of the pair around face t.
func (w *work) under(p r3.Vec, t int32, pair uint32, floor2 float64) float64 {
	v := &w.tri[t]
	d2 := toTriangle(p, w.pos[v[0]], w.pos[v[1]], w.pos[v[2]])
	if d2 > floor2 {
		d2, _ = w.walk(p, t, d2, pair)
	}
	return d2
}
