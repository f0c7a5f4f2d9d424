package remesh

import (
	"context"
	"math"

	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// fanChunk and faceChunk are how many vertices of the result and faces of
	// the input a worker takes at a time.
	fanChunk, faceChunk = 512, 4096
	// coarseShare: distances under this share of the limit need not be exact.
	coarseShare = 0.25
	// bendShare: a chord of length l across an edge at which the surface turns
	// by θ is nowhere farther than l·sin θ/4 from the faces; 3 for safety.
	bendShare = 3
	// sharpCos: edges of the result at which the surface turns by more than 45°
	// are measured along their length, at up to maxSharp + 1 places.
	sharpCos = 0.7
	maxSharp = 16
	// maxHalve bounds the places measured between two.
	maxHalve = 5
)

// distances says how far the surface in w is from its input.
type distances struct {
	maxMM, meanMM float64
	far           bool   // maxMM is over the limit
	bad           []bool // vertices of the result near places over the limit
}

// near is the place of a vertex of the input on the result.
type near struct {
	mm   float32
	face int32
}

// tally is what a chunk finds.
type tally struct {
	max, sum float64
	count    int
	bad      []int32
}

// distances measures how far w is from in, its input, both ways. The difference
// of two piecewise linear surfaces that lie on each other is largest at a vertex
// of one of them or where an edge of one crosses an edge of the other. So it
// looks at every vertex of the input against the faces around the vertex it went
// to, at every vertex of the result against the faces of the input around the
// nearest vertex that went to it, and at every edge of the input whose ends lie
// over different faces of the result against the edge between these. Where the
// result has a sharp edge they need not lie on each other, and places along it
// are measured too. Only faces between the same pair of labels are compared. A
// local distance is never less than the true one.
func (w *work) distances(ctx context.Context, in *work, limit float64) (*distances, error) {
	n := len(w.pos)
	d := &distances{bad: make([]bool, n)}
	floor2 := coarseShare * limit
	if math.IsInf(limit, 1) {
		floor2 = 0
	}
	floor2 *= floor2
	start, group := groups(w.owner, n)
	at := make([]near, len(w.owner))
	parts := make([]tally, (n+fanChunk-1)/fanChunk)
	err := par.ChunksCtx(ctx, n, fanChunk, func(lo, hi int) error {
		m := &parts[lo/fanChunk]
		var f fan
		for h := int32(lo); h < int32(hi); h++ {
			mine := group[start[h]:start[h+1]]
			if f.build(w, h); len(f.m) == 0 {
				continue
			}
			worst := w.fromInput(in, h, &f, mine, at, floor2, m)
			worst = max(worst, math.Sqrt(w.toInput(in, h, &f, mine, floor2)))
			m.max = max(m.max, worst)
			if worst > limit {
				m.bad = append(m.bad, h)
				for i := range f.m {
					v := &w.tri[f.m[i].face]
					m.bad = append(m.bad, v[0], v[1], v[2])
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum, count := d.take(parts, limit)
	d.meanMM = sum / float64(max(1, count))

	normals := make([][3]float32, len(w.tri))
	for t, v := range w.tri {
		n := normal(w.pos[v[0]], w.pos[v[1]], w.pos[v[2]])
		f := 1 / max(math.Sqrt(r3.Norm2(n)), math.SmallestNonzeroFloat64)
		normals[t] = [3]float32{float32(f * n.X), float32(f * n.Y), float32(f * n.Z)}
	}
	turns := w.turns(normals)
	known := min(d.maxMM, limit)
	// bent reports whether the edge pq of the input may be farther than known
	// between its ends
	bent := func(p, q int32) bool {
		a, b := at[p], at[q]
		if a.face == b.face {
			return false
		}
		x, y := &in.pos[p], &in.pos[q]
		dx, dy, dz := float32(x.X-y.X), float32(x.Y-y.Y), float32(x.Z-y.Z)
		room := bendShare * (float32(known) - max(a.mm, b.mm))
		if room < 0 {
			return true
		}
		m, n := &normals[a.face], &normals[b.face]
		c := m[0]*n[0] + m[1]*n[1] + m[2]*n[2]
		l2 := dx*dx + dy*dy + dz*dz
		room *= room
		if c <= 0 || l2*(1-c*c) > room {
			return true
		}
		if w.share(a.face, b.face) {
			return false
		}
		c = min(turns[w.owner[p]], turns[w.owner[q]])
		return c <= 0 || l2*(1-c*c) > room
	}
	parts = make([]tally, (len(in.tri)+faceChunk-1)/faceChunk)
	err = par.ChunksCtx(ctx, len(in.tri), faceChunk, func(lo, hi int) error {
		m := &parts[lo/faceChunk]
		m.max = known
		for t := lo; t < hi; t++ {
			v := &in.tri[t]
			if f := at[v[0]].face; in.kind[v[0]]|in.kind[v[1]]|in.kind[v[2]] == inner && f == at[v[1]].face && f == at[v[2]].face {
				continue
			}
			for k := range 3 {
				o := (k + 1) % 3
				p, q := v[k], v[o]
				// an edge between inner vertices is met once each way
				if p > q && in.kind[p] == inner {
					continue
				}
				if in.kind[p] != inner && in.kind[q] != inner || bent(p, q) {
					a, b := at[p], at[q]
					w.crossing(in, normals, &meeting{in.pos[p], in.pos[q], int32(t), [2]int32{a.face, b.face}, [2]int32{w.owner[p], w.owner[q]}, [2]float64{float64(a.mm), float64(b.mm)}}, known, limit, m)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.take(parts, limit)
	known = min(d.maxMM, limit)
	parts = make([]tally, (len(w.tri)+faceChunk-1)/faceChunk)
	err = par.ChunksCtx(ctx, len(w.tri), faceChunk, func(lo, hi int) error {
		m := &parts[lo/faceChunk]
		m.max = known
		for t := lo; t < hi; t++ {
			w.sharp(in, normals, int32(t), start, group, known, limit, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.take(parts, limit)
	return d, nil
}

// take adds what chunks have found, in their order.
func (d *distances) take(parts []tally, limit float64) (sum float64, count int) {
	for i := range parts {
		d.maxMM = max(d.maxMM, parts[i].max)
		sum += parts[i].sum
		count += parts[i].count
		for _, h := range parts[i].bad {
			d.bad[h] = true
		}
	}
	d.far = d.maxMM > limit
	return sum, count
}

// turns is, for each vertex, the least cosine between faces around it, or less.
func (w *work) turns(normals [][3]float32) []float32 {
	out := make([]float32, len(w.pos))
	for u := range out {
		mine := w.list[w.start[u]:w.start[u+1]]
		var x, y, z float32
		for _, c := range mine {
			n := &normals[c>>2]
			x, y, z = x+n[0], y+n[1], z+n[2]
		}
		f := 1 / max(float32(math.Sqrt(float64(x*x+y*y+z*z))), math.SmallestNonzeroFloat32)
		least := float32(1)
		for _, c := range mine {
			n := &normals[c>>2]
			least = min(least, f*(x*n[0]+y*n[1]+z*n[2]))
		}
		out[u] = -1
		if least > 0 { // each is within α of the mean, so two are within 2α
			out[u] = 2*least*least - 1
		}
	}
	return out
}

// share reports whether two faces have two vertices in common.
func (w *work) share(f, g int32) bool {
	x, y := &w.tri[f], &w.tri[g]
	n := 0
	for _, v := range x {
		if v == y[0] || v == y[1] || v == y[2] {
			n++
		}
	}
	return n == 2
}

// groups lists the vertices that went to each of n owners, in ascending order.
func groups(owner []int32, n int) (start, group []int32) {
	start = make([]int32, n+1)
	for _, o := range owner {
		start[o]++
	}
	sum := int32(0)
	for i, c := range start {
		sum += c
		start[i] = sum
	}
	group = make([]int32, sum)
	for a := len(owner) - 1; a >= 0; a-- {
		o := owner[a]
		start[o]--
		group[start[o]] = int32(a)
	}
	return start, group
}

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

// fan holds the faces around a vertex as vectors from it.
type fan struct {
	m    []fanFace
	open bool // faces of several pairs, or spokes with one face only
}

// fanFace is the face (0, a, b) with the products that place a point in it.
type fanFace struct {
	ax, ay, az, bx, by, bz float64
	aa, ab, bb             float64 // a·a, a·b, b·b
	inv                    float64 // 1/(aa·bb − ab²), 0 for a face without area
	face                   int32
	pair                   uint32
}

// build takes the faces around h.
func (f *fan) build(w *work, h int32) {
	f.m = f.m[:0]
	f.open = w.kind[h] != inner
	p := w.pos[h]
	for _, c := range w.list[w.start[h]:w.start[h+1]] {
		t := c >> 2
		x, y := w.tri[t][ahead(c)], w.tri[t][back(c)]
		a, b := r3.Sub(w.pos[x], p), r3.Sub(w.pos[y], p)
		aa, ab, bb := r3.Norm2(a), r3.Dot(a, b), r3.Norm2(b)
		g := fanFace{a.X, a.Y, a.Z, b.X, b.Y, b.Z, aa, ab, bb, 0, t, w.side[t] & pairMask}
		if det := aa*bb - ab*ab; det > 0 {
			g.inv = 1 / det
		}
		f.m = append(f.m, g)
	}
}

// nearest is the squared distance of q, from the middle vertex, to the faces of
// the pair in the fan, and where in m it is found. The first face that q lies
// straight above is taken, beginning at guess. It is +Inf when the fan has no
// face of the pair.
func (f *fan) nearest(q r3.Vec, guess int, pair uint32) (d2 float64, at int) {
	q2 := q.X*q.X + q.Y*q.Y + q.Z*q.Z
	if guess >= len(f.m) {
		guess = 0
	}
	for k := range f.m {
		i := guess + k
		if i >= len(f.m) {
			i -= len(f.m)
		}
		if f.open && f.m[i].pair != pair {
			continue
		}
		if d, ok := f.m[i].above(q, q2); ok {
			return d, i
		}
	}
	d2 = math.Inf(1)
	for i := range f.m {
		g := &f.m[i]
		if f.open && g.pair != pair {
			continue
		}
		if q2 < d2 {
			d2, at = q2, i
		}
		qa := g.ax*q.X + g.ay*q.Y + g.az*q.Z
		qb := g.bx*q.X + g.by*q.Y + g.bz*q.Z
		if qa > 0 {
			t := min(1, qa/g.aa)
			if d := q2 - t*(2*qa-t*g.aa); d < d2 {
				d2, at = d, i
			}
		}
		if qb > 0 && f.open {
			t := min(1, qb/g.bb)
			if d := q2 - t*(2*qb-t*g.bb); d < d2 {
				d2, at = d, i
			}
		}
		ee := g.aa + g.bb - 2*g.ab  // |b−a|²
		er := qb - qa + g.aa - g.ab // (b−a)·(q−a)
		if er > 0 && er < ee {
			if d := q2 - 2*qa + g.aa - er*er/ee; d < d2 {
				d2, at = d, i
			}
		}
	}
	return max(d2, 0), at
}

// above reports whether q lies straight above or below the face, and its
// squared distance then.
func (g *fanFace) above(q r3.Vec, q2 float64) (float64, bool) {
	qa := g.ax*q.X + g.ay*q.Y + g.az*q.Z
	qb := g.bx*q.X + g.by*q.Y + g.bz*q.Z
	u, v := (g.bb*qa-g.ab*qb)*g.inv, (g.aa*qb-g.ab*qa)*g.inv
	if u < 0 || v < 0 || u+v > 1 || g.inv == 0 {
		return 0, false
	}
	return max(q2-u*qa-v*qb, 0), true
}

// toTriangle is the squared distance of p from triangle abc.
func toTriangle(p, a, b, c r3.Vec) float64 {
	ab, ac, ap := r3.Sub(b, a), r3.Sub(c, a), r3.Sub(p, a)
	aa, bb, m := r3.Norm2(ab), r3.Norm2(ac), r3.Dot(ab, ac)
	qa, qb := r3.Dot(ab, ap), r3.Dot(ac, ap)
	if det := aa*bb - m*m; det > 0 {
		u, v := (bb*qa-m*qb)/det, (aa*qb-m*qa)/det
		if u >= 0 && v >= 0 && u+v <= 1 {
			return r3.Norm2(r3.Sub(ap, r3.Add(r3.Scale(u, ab), r3.Scale(v, ac))))
		}
	}
	return min(toSegment(p, a, b), toSegment(p, b, c), toSegment(p, c, a))
}

func toSegment(p, a, b r3.Vec) float64 {
	e, q := r3.Sub(b, a), r3.Sub(p, a)
	t := 0.0
	if x := r3.Dot(e, q); x > 0 {
		t = min(1, x/r3.Norm2(e))
	}
	return r3.Norm2(r3.Sub(q, r3.Scale(t, e)))
}

// over finds the places of segments ab and cd of which one lies over the other,
// seen along (x, y, z).
func over(a, b, c, d r3.Vec, x, y, z float32) (p, q r3.Vec, ok bool) {
	up := r3.Vec{X: float64(x), Y: float64(y), Z: float64(z)}
	u, v, w := r3.Sub(b, a), r3.Sub(d, c), r3.Sub(a, c)
	vn, un := r3.Cross(v, up), r3.Cross(u, up)
	s, t := -r3.Dot(w, vn)/r3.Dot(u, vn), r3.Dot(w, un)/r3.Dot(v, un)
	if !(s >= 0 && s <= 1 && t >= 0 && t <= 1) {
		return p, q, false
	}
	return r3.Add(a, r3.Scale(s, u)), r3.Add(c, r3.Scale(t, v)), true
}

// betweenSegments is the squared distance of segments ab and cd (Ericson,
// Real-Time Collision Detection, 2005, section 5.1.9).
func betweenSegments(a, b, c, d r3.Vec) float64 {
	u, v, w := r3.Sub(b, a), r3.Sub(d, c), r3.Sub(a, c)
	uu, vv, uv := r3.Norm2(u), r3.Norm2(v), r3.Dot(u, v)
	uw, vw := r3.Dot(u, w), r3.Dot(v, w)
	s, t := 0.0, 0.0
	if det := uu*vv - uv*uv; det > 0 {
		s = min(1, max(0, (uv*vw-uw*vv)/det))
	}
	if vv > 0 {
		t = (uv*s + vw) / vv
	}
	if t < 0 || t > 1 {
		t = min(1, max(0, t))
		if uu > 0 {
			s = min(1, max(0, (uv*t-uw)/uu))
		}
	}
	return r3.Norm2(r3.Add(w, r3.Sub(r3.Scale(s, u), r3.Scale(t, v))))
}
