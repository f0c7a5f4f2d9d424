package remesh

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// repairRounds bounds the passes over faces with small angles.
	repairRounds = 6
	// gain is what a repair must at least multiply sin² of the least angle by
	// when it does not lift it over the bound.
	gain = 1.1
	// repairShare is how much more of the mean squared distance a repair may use
	// than a collapse of a pass.
	repairShare = 4
	// repairCheck is the number of faces between looks at the context.
	repairCheck = 1 << 10
)

// repair takes out angles under the bound where the passes have left some, near
// vertices that cannot be removed: by a collapse, by turning an edge or by
// moving a vertex, whichever leaves the largest least angle around.
func (j *job) repair(w *work) error {
	for range repairRounds {
		done := false
		var touched []bool
		for t := range w.tri {
			if t%repairCheck == 0 && j.ctx.Err() != nil {
				return j.ctx.Err()
			}
			v := &w.tri[t]
			if v[0] < 0 || sin2(w.pos[v[0]], w.pos[v[1]], w.pos[v[2]]) >= j.floor2 {
				continue
			}
			if touched == nil {
				touched = make([]bool, len(w.pos))
			}
			if touched[v[0]] || touched[v[1]] || touched[v[2]] {
				continue
			}
			done = j.mend(w, int32(t), touched) || done
		}
		if !done {
			return nil
		}
		w.compact()
		w.index()
	}
	return nil
}

// mend applies the best operation at face t; touched marks vertices whose
// faces are no longer those of the index, and which nothing may be done with.
func (j *job) mend(w *work, t int32, touched []bool) bool {
	var best struct {
		score float32
		kind  int // 0 none, 1 collapse, 2 turn, 3 move
		u, v  int32
		other int32
		p     r3.Vec
	}
	r := &j.r
	face := w.tri[t]
	free := func(r *ring) bool {
		for i := range r.n {
			if touched[r.x[i]] || touched[r.y[i]] {
				return false
			}
		}
		return true
	}
	consider := func(score, before float32, kind int, u, v, other int32, p r3.Vec) {
		if score > best.score && (score >= j.floor2 || score > gain*before) {
			best.score, best.kind, best.u, best.v, best.other, best.p = score, kind, u, v, other, p
		}
	}
	move := func(u int32, before float32) {
		for _, d := range j.moves(w, u, face, r) {
			for _, share := range [3]float64{0.25, 0.5, 0.75} {
				d := r3.Scale(share, d)
				if w.quad[u].misfit(d) <= repairShare*j.atLevel(w.level[u]) {
					p := r3.Add(w.pos[u], d)
					consider(w.after(u, -1, p, r), before, 3, u, -1, -1, p)
				}
			}
		}
	}
	for _, u := range face {
		if w.kind[u] >= corner || !w.gather(u, r) || !free(r) {
			continue
		}
		before := w.worst(u, r)
		if w.kind[u] == inner {
			for _, v := range r.x[:r.n] {
				if x := w.after(u, v, w.pos[v], r); x > best.score && j.tolerated(w, u, v) && w.link(u, v, -1, r) {
					consider(x, before, 1, u, v, -1, r3.Vec{})
				}
			}
		} else if _, c := j.costs(w, u); c < math.MaxFloat32 {
			for i, v := range j.ends {
				if x := w.after(u, v, w.pos[v], r); x > best.score && j.tolerated(w, u, v) && w.link(u, v, j.ends[1-i], r) {
					consider(x, before, 1, u, v, j.ends[1-i], r3.Vec{})
				}
			}
		}
		if !j.opt.KeepVerts {
			move(u, before)
		}
	}
	for k, a := range face {
		b, c := face[(k+1)%3], face[(k+2)%3]
		o := w.across(a, b, t)
		if o < 0 {
			continue
		}
		d := w.tri[o][0] + w.tri[o][1] + w.tri[o][2] - a - b
		if touched[d] || w.joined(c, d) || !w.flat(t, o, a, b, c, d, repairShare*j.atLevel(max(w.level[a], w.level[b], w.level[c], w.level[d]))) {
			continue
		}
		before := min(sin2(w.pos[a], w.pos[b], w.pos[c]), sin2(w.pos[b], w.pos[a], w.pos[d]))
		consider(min(sin2(w.pos[a], w.pos[d], w.pos[c]), sin2(w.pos[d], w.pos[b], w.pos[c])), before, 2, a, b, o, r3.Vec{})
	}
	// ends and meeting points of lines only when nothing else will do
	for _, u := range face {
		if best.score < j.floor2 && !j.opt.KeepVerts && w.kind[u] == corner && w.gather(u, r) && free(r) {
			move(u, w.worst(u, r))
		}
	}
	switch best.kind {
	case 1:
		w.gather(best.u, r)
		for i := range r.n {
			touched[r.x[i]], touched[r.y[i]] = true, true
		}
		touched[best.u] = true
		w.collapse(best.u, best.v, r)
	case 2:
		a, b, o := best.u, best.v, best.other
		c := face[0] + face[1] + face[2] - a - b
		d := w.tri[o][0] + w.tri[o][1] + w.tri[o][2] - a - b
		touched[a], touched[b], touched[c], touched[d] = true, true, true, true
		w.tri[t], w.tri[o] = [3]int32{a, d, c}, [3]int32{d, b, c}
	case 3:
		w.quad[best.u].move(r3.Sub(best.p, w.pos[best.u]))
		w.pos[best.u] = best.p
	}
	return best.kind != 0
}

// moves lists directions in which a vertex u of face may be moved: along its
// feature line; any other to the middle of its ring, away from the far edge of
// the face and away from its two neighbours there.
func (j *job) moves(w *work, u int32, face [3]int32, r *ring) []r3.Vec {
	at := w.pos[u]
	if w.kind[u] == line {
		return []r3.Vec{r3.Sub(w.pos[j.ends[0]], at), r3.Sub(w.pos[j.ends[1]], at)}
	}
	var mean r3.Vec
	for _, v := range r.x[:r.n] {
		mean = r3.Add(mean, w.pos[v])
	}
	k := slices.Index(face[:], u)
	a, b := w.pos[face[(k+1)%3]], w.pos[face[(k+2)%3]]
	e, q := r3.Sub(b, a), r3.Sub(at, a)
	rise := q
	if l := r3.Norm2(e); l > 0 {
		rise = r3.Sub(q, r3.Scale(r3.Dot(q, e)/l, e))
	}
	return []r3.Vec{r3.Sub(r3.Scale(1/float64(r.n), mean), at), rise, q, r3.Sub(at, b)}
}

// tolerated reports whether a repair may move u to v.
func (j *job) tolerated(w *work, u, v int32) bool {
	return w.misfit(u, v) <= repairShare*j.strict(w, u, v)
}

// after is sin² of the least angle around u once u has moved to p, on v or
// anywhere (v = −1); 0 when a face would turn over.
func (w *work) after(u, v int32, p r3.Vec, r *ring) float32 {
	if !w.fair(u, v, p, r, 0) {
		return 0
	}
	least := float32(1)
	for i := range r.n {
		if r.x[i] != v && r.y[i] != v {
			least = min(least, sin2(p, w.pos[r.x[i]], w.pos[r.y[i]]))
		}
	}
	return least
}

// across is the face beyond the edge from a to b of face t, −1 when the edge is
// a feature edge or the faces around a are too many.
func (w *work) across(a, b, t int32) int32 {
	var r ring
	if !w.gather(a, &r) || !w.ordinary(b, &r) {
		return -1
	}
	for i := range r.n {
		if r.y[i] == b && r.at[i]>>2 != t {
			return r.at[i] >> 2
		}
	}
	return -1
}

// joined reports an edge between c and d.
func (w *work) joined(c, d int32) bool {
	for x := c; x >= 0; x = w.next[x] {
		for _, i := range w.list[w.start[x]:w.start[x+1]] {
			if v := &w.tri[i>>2]; v[0] >= 0 && (v[0] == d || v[1] == d || v[2] == d) {
				return true
			}
		}
	}
	return false
}

// flat reports whether edge ab between faces s = (a,b,c) and t = (b,a,d) may be
// turned to cd: the surface moves by no more than √limit and no face turns too
// far.
func (w *work) flat(s, t, a, b, c, d int32, limit float32) bool {
	pa, pb, pc, pd := w.pos[a], w.pos[b], w.pos[c], w.pos[d]
	if float32(betweenSegments(pa, pb, pc, pd)) > limit {
		return false
	}
	for _, n := range [2]r3.Vec{normal(pa, pd, pc), normal(pd, pb, pc)} {
		for _, o := range [2]int32{s, t} {
			x, y, z := unpackNormal(w.ref[o])
			if r := r3.Dot(n, r3.Vec{X: float64(x), Y: float64(y), Z: float64(z)}); r <= 0 || r*r < maxTurnCos*maxTurnCos*r3.Norm2(n) {
				return false
			}
		}
	}
	return true
}

// normal is (b−a)×(c−a).
func normal(a, b, c r3.Vec) r3.Vec { return r3.Cross(r3.Sub(b, a), r3.Sub(c, a)) }
