package remesh

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// spring holds a vertex back where its quadric does not: along a flat
	// surface, along a straight line.
	spring = 0.05
	// volumeRounds bounds the volume correction, volumeTol ends it: every
	// label is this close to its volume.
	volumeRounds = 4
	volumeTol    = 1e-4
)

// place moves every vertex that may move to where its quadric is least.
func (j *job) place(w *work) error {
	r := &j.r
	for u := range int32(len(w.pos)) {
		if u%checkEvery == 0 && j.ctx.Err() != nil {
			return j.ctx.Err()
		}
		if q := &w.quad[u]; j.movable(w, u) && q.c > 0 {
			j.shift(w, u, q.best(spring), r)
		}
	}
	return nil
}

// movable reports whether a vertex may be moved freely.
func (j *job) movable(w *work, u int32) bool {
	return w.kind[u] < corner && w.level[u] < maxLevel
}

// shift moves u by d, or half of it, or not at all, as fair allows.
func (j *job) shift(w *work, u int32, d r3.Vec, r *ring) {
	if d == (r3.Vec{}) || !w.gather(u, r) {
		return
	}
	for range 2 {
		if p := r3.Add(w.pos[u], d); w.fair(u, -1, p, r, j.sin2) {
			w.quad[u].move(d)
			w.pos[u] = p
			return
		}
		d = r3.Scale(0.5, d)
	}
}

// volumes are the signed volumes enclosed by each label's faces, mm³.
func (w *work) volumes(v *[256]float64) {
	*v = [256]float64{}
	if len(w.pos) == 0 {
		return
	}
	o := w.pos[0]
	for t, f := range w.tri {
		x := r3.Dot(r3.Sub(w.pos[f[0]], o), r3.Cross(r3.Sub(w.pos[f[1]], o), r3.Sub(w.pos[f[2]], o))) / 6
		v[w.side[t]>>8&0xff] += x
		v[w.side[t]&0xff] -= x
	}
}

// restore moves vertices along their normals until every label has its volume
// want again: vertex v by (p_L − p_O)·e_v, e_v being its root mean squared
// misfit, so that what is exact stays, and p one number per label, which solves
// Σ_O S_LO (p_L − p_O) = want_L − volume_L with S_LO the integral of e over the
// faces between L and O.
func (j *job) restore(w *work) error {
	want, labels := &j.want, j.closed
	if len(labels) == 0 {
		return nil
	}
	var row [256]int
	for l := range row {
		row[l] = -1
	}
	for i, l := range labels {
		row[l] = i
	}
	m := len(labels)
	e := make([]float64, len(w.pos))
	push, area := make([]r3.Vec, len(w.pos)), make([]float64, len(w.pos))
	for range volumeRounds {
		if err := j.ctx.Err(); err != nil {
			return err
		}
		var have [256]float64
		w.volumes(&have)
		missing := mat.NewVecDense(m, nil)
		worst := 0.0
		for i, l := range labels {
			missing.SetVec(i, want[l]-have[l])
			worst = max(worst, math.Abs(1-have[l]/want[l]))
		}
		if worst <= volumeTol {
			return nil
		}
		for u := range w.pos {
			e[u] = 0
			if q := &w.quad[u]; j.movable(w, int32(u)) && q.c > 0 {
				e[u] = math.Sqrt(float64(q.c / q.w))
			}
		}
		s := mat.NewSymDense(m, nil)
		for t, f := range w.tri {
			n := r3.Cross(r3.Sub(w.pos[f[1]], w.pos[f[0]]), r3.Sub(w.pos[f[2]], w.pos[f[0]]))
			x := math.Sqrt(r3.Norm2(n)) * (e[f[0]] + e[f[1]] + e[f[2]]) / 6
			in, out := row[w.side[t]>>8&0xff], row[w.side[t]&0xff]
			if in >= 0 {
				s.SetSym(in, in, s.At(in, in)+x)
			}
			if out >= 0 {
				s.SetSym(out, out, s.At(out, out)+x)
			}
			if in >= 0 && out >= 0 {
				s.SetSym(in, out, s.At(in, out)-x)
			}
		}
		for i := range m {
			if s.At(i, i) == 0 {
				s.SetSym(i, i, 1)
			}
		}
		var chol mat.Cholesky
		var p mat.VecDense
		if !chol.Factorize(s) || chol.SolveVecTo(&p, missing) != nil {
			return nil
		}
		at := func(i int) float64 {
			if i < 0 {
				return 0
			}
			return p.AtVec(i)
		}
		clear(push)
		clear(area)
		for t, f := range w.tri {
			n := r3.Cross(r3.Sub(w.pos[f[1]], w.pos[f[0]]), r3.Sub(w.pos[f[2]], w.pos[f[0]]))
			x := math.Sqrt(r3.Norm2(n))
			n = r3.Scale(at(row[w.side[t]>>8&0xff])-at(row[w.side[t]&0xff]), n)
			for _, v := range f {
				push[v] = r3.Add(push[v], n)
				area[v] += x
			}
		}
		for u, d := range push {
			if e[u] > 0 && area[u] > 0 {
				j.shift(w, int32(u), r3.Scale(e[u]/area[u], d), &j.r)
			}
		}
	}
	return nil
}
