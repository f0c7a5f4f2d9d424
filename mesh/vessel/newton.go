package vessel

import (
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// block is the symmetric part of Newton's equations of one point (x, y, z,
// radius) or of two neighbours: weighted sums of q·qᵀ, q = (u, 1).
type block [10]float64

func (b *block) add(u r3.Vec, w float64) {
	b[0] += w * u.X * u.X
	b[1] += w * u.X * u.Y
	b[2] += w * u.X * u.Z
	b[3] += w * u.Y * u.Y
	b[4] += w * u.Y * u.Z
	b[5] += w * u.Z * u.Z
	b[6] += w * u.X
	b[7] += w * u.Y
	b[8] += w * u.Z
	b[9] += w
}

func (b *block) times(x r3.Vec, r float64) (r3.Vec, float64) {
	return r3.Vec{
		X: b[0]*x.X + b[1]*x.Y + b[2]*x.Z + b[6]*r,
		Y: b[1]*x.X + b[3]*x.Y + b[4]*x.Z + b[7]*r,
		Z: b[2]*x.X + b[4]*x.Y + b[5]*x.Z + b[8]*r,
	}, b[6]*x.X + b[7]*x.Y + b[8]*x.Z + b[9]*r
}

// newton is one step of the fit: the unknowns are the moves of all points, those
// at a joint being one, and the changes of the radii.
type newton struct {
	g     *graph
	first []int     // of each edge: its first point in the lists
	node  []int     // of each point: its place among the positions
	nodes int       // positions
	own   []block   // of each point
	next  []block   // of each point and the one after it on its edge
	pull  []r3.Vec  // right side: of each position,
	widen []float64 // and of each point's radius
	fix   []r3.Vec  // of each position: direction it shall not move in
	hold  []float64 // and how strongly
	bend  []float64 // of each edge
	taper []float64 // of each point and the one after it
	slack float64
}

// smooth adds the pull of bending and taper and what holds points along the
// vessel.
func (s *newton) smooth() {
	for n := range s.g.edges {
		e := &s.g.edges[n]
		if e.dead {
			continue
		}
		x := s.first[n]
		for m := 1; m+1 < len(e.p); m++ {
			d := r3.Scale(-s.bend[n], r3.Add(r3.Sub(e.p[m-1], e.p[m]), r3.Sub(e.p[m+1], e.p[m])))
			a, b, c := s.node[x+m-1], s.node[x+m], s.node[x+m+1]
			s.pull[a], s.pull[b], s.pull[c] = r3.Add(s.pull[a], d), r3.Sub(s.pull[b], r3.Scale(2, d)), r3.Add(s.pull[c], d)
		}
		for m := 1; m < len(e.p); m++ {
			d := s.taper[x+m-1] * (e.r[m] - e.r[m-1])
			s.widen[x+m-1], s.widen[x+m] = s.widen[x+m-1]+d, s.widen[x+m]-d
		}
		for m := range e.p {
			b := &s.own[x+m]
			w := b[0] + b[3] + b[5]
			s.slack = max(s.slack, w)
			if k := s.node[x+m]; m > 0 && m+1 < len(e.p) {
				s.fix[k], s.hold[k] = e.tangent(m), 10*s.bend[n]+w
			}
		}
	}
	s.slack *= 0.01
	for j, at := range s.g.ends() {
		if len(at) != 1 {
			continue
		}
		e := &s.g.edges[at[0]/2]
		m := 0
		if at[0]&1 == 1 {
			m = len(e.p) - 1
		}
		s.fix[j], s.hold[j] = e.tangent(m), 1000*s.bend[at[0]/2]
	}
}

// apply is the matrix times (x, r).
func (s *newton) apply(x []r3.Vec, r []float64, ox []r3.Vec, or []float64) {
	for k := range x {
		ox[k] = r3.Add(r3.Scale(s.slack, x[k]), r3.Scale(s.hold[k]*r3.Dot(s.fix[k], x[k]), s.fix[k]))
	}
	for n := range s.g.edges {
		e := &s.g.edges[n]
		if e.dead {
			continue
		}
		at := s.first[n]
		for m := range e.p {
			k := s.node[at+m]
			v, w := s.own[at+m].times(x[k], r[at+m])
			if m > 0 {
				a, b := s.next[at+m-1].times(x[s.node[at+m-1]], r[at+m-1])
				v, w = r3.Add(v, a), w+b+s.taper[at+m-1]*(r[at+m]-r[at+m-1])
			}
			if m+1 < len(e.p) {
				a, b := s.next[at+m].times(x[s.node[at+m+1]], r[at+m+1])
				v, w = r3.Add(v, a), w+b+s.taper[at+m]*(r[at+m]-r[at+m+1])
			}
			ox[k] = r3.Add(ox[k], v)
			or[at+m] = w + s.slack*1e-3*r[at+m]
		}
		for m := 1; m+1 < len(e.p); m++ {
			a, b, c := s.node[at+m-1], s.node[at+m], s.node[at+m+1]
			d := r3.Scale(s.bend[n], r3.Add(r3.Sub(x[a], x[b]), r3.Sub(x[c], x[b])))
			ox[a], ox[b], ox[c] = r3.Add(ox[a], d), r3.Sub(ox[b], r3.Scale(2, d)), r3.Add(ox[c], d)
		}
	}
}

// solve is conjugate gradients with the diagonal as preconditioner, down to a share
// rest of the squared residual.
func (s *newton) solve(rest float64) ([]r3.Vec, []float64) {
	nx, nr := s.nodes, len(s.node)
	dx, dr := make([]r3.Vec, nx), make([]float64, nr)
	for k := range dx {
		f := s.fix[k]
		dx[k] = r3.Vec{X: s.slack + s.hold[k]*f.X*f.X, Y: s.slack + s.hold[k]*f.Y*f.Y, Z: s.slack + s.hold[k]*f.Z*f.Z}
	}
	for n := range s.g.edges {
		e := &s.g.edges[n]
		if e.dead {
			continue
		}
		for m := range e.p {
			q, k := s.first[n]+m, s.node[s.first[n]+m]
			b, t := &s.own[q], s.taper[q]
			if m > 0 {
				t += s.taper[q-1]
			}
			w := 6 * s.bend[n]
			dx[k] = r3.Add(dx[k], r3.Vec{X: b[0] + w, Y: b[3] + w, Z: b[5] + w})
			dr[q] = b[9] + t + 1e-3*s.slack
		}
	}
	x, r := make([]r3.Vec, nx), make([]float64, nr)
	gx, gr := slices.Clone(s.pull), slices.Clone(s.widen)
	zx, zr := make([]r3.Vec, nx), make([]float64, nr)
	px, pr := make([]r3.Vec, nx), make([]float64, nr)
	qx, qr := make([]r3.Vec, nx), make([]float64, nr)
	last, start := 0.0, 0.0
	for it := range 200 {
		dot := 0.0
		for k := range gx {
			zx[k] = r3.Vec{X: gx[k].X / dx[k].X, Y: gx[k].Y / dx[k].Y, Z: gx[k].Z / dx[k].Z}
			dot += r3.Dot(zx[k], gx[k])
		}
		for k := range gr {
			zr[k] = gr[k] / dr[k]
			dot += zr[k] * gr[k]
		}
		if it == 0 {
			start = dot
		}
		if !(dot > rest*start) {
			break
		}
		beta := 0.0
		if it > 0 {
			beta = dot / last
		}
		last = dot
		for k := range px {
			px[k] = r3.Add(zx[k], r3.Scale(beta, px[k]))
		}
		for k := range pr {
			pr[k] = zr[k] + beta*pr[k]
		}
		s.apply(px, pr, qx, qr)
		den := 0.0
		for k := range px {
			den += r3.Dot(px[k], qx[k])
		}
		for k := range pr {
			den += pr[k] * qr[k]
		}
		if !(den > 0) {
			break
		}
		a := dot / den
		for k := range px {
			x[k], gx[k] = r3.Add(x[k], r3.Scale(a, px[k])), r3.Sub(gx[k], r3.Scale(a, qx[k]))
		}
		for k := range pr {
			r[k], gr[k] = r[k]+a*pr[k], gr[k]-a*qr[k]
		}
	}
	return x, r
}
