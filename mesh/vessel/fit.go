package vessel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Points along an edge stand pointVoxels voxels apart, or pointRadii radii
// where that is more. A fit looks windowRadii radii or windowVoxels voxels each
// way along the edge, whichever is more.
const (
	pointVoxels  = 0.6
	pointRadii   = 0.25
	windowVoxels = 1.6
	windowRadii  = 0.75
)

// rounds of fitting; the fourth moves points by less than a hundredth of a voxel
// on smooth tubes.
const rounds = 5

func (l *lumen) window(r float64) float64 { return max(windowVoxels*l.mean, windowRadii*r) }

// trim draws the free ends of edges back from the surface of the lumen to the
// middle of the ball that ends the vessel. An end at the border of the grid
// stays.
func (g *graph) trim() {
	ends := g.ends()
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead || e.a == e.b {
			continue
		}
		for side, j := range [2]int{e.a, e.b} {
			if len(ends[j]) != 1 || e.trimmed[side] || g.joints[j].rim {
				continue
			}
			if side == 0 {
				e.turn()
			}
			last := len(e.p) - 1
			m, s := last, 0.0
			for m > 1 && s < e.r[m-1] {
				m--
				s += r3.Norm(r3.Sub(e.p[m], e.p[m+1]))
			}
			e.p, e.r = e.p[:m+1], e.r[:m+1]
			e.trimmed[1] = true
			g.joints[j].at = e.p[m]
			if side == 0 {
				e.turn()
			}
		}
	}
}

// resample places points at equal steps along every edge and smooths it, its
// ends fixed, by a Gaussian of about sigma windows.
func (g *graph) resample(sigma float64) {
	for n := range g.edges {
		e := &g.edges[n]
		if e.dead {
			continue
		}
		r := e.typical()
		total := length(e.p)
		step := max(pointVoxels*g.l.mean, pointRadii*r)
		count := max(2, int(math.Round(total/step)))
		e.p, e.r = even(e.p, e.r, count)
		e.clean = nil
		if sigma <= 0 {
			continue
		}
		s := sigma * g.l.window(r) / max(total/float64(count), 1e-9)
		smooth(e.p, int(2*s*s))
	}
}

// even is count+1 points at equal steps along a polyline, with values.
func even(p []r3.Vec, r []float64, count int) ([]r3.Vec, []float64) {
	total := length(p)
	op, or := make([]r3.Vec, 0, count+1), make([]float64, 0, count+1)
	op, or = append(op, p[0]), append(or, r[0])
	at, n := 0.0, 1
	for k := 1; k < count; k++ {
		want := total * float64(k) / float64(count)
		seg := r3.Norm(r3.Sub(p[n], p[n-1]))
		for n < len(p)-1 && at+seg < want {
			at += seg
			n++
			seg = r3.Norm(r3.Sub(p[n], p[n-1]))
		}
		t := 0.0
		if seg > 0 {
			t = min((want-at)/seg, 1)
		}
		op = append(op, r3.Add(p[n-1], r3.Scale(t, r3.Sub(p[n], p[n-1]))))
		or = append(or, r[n-1]+t*(r[n]-r[n-1]))
	}
	return append(op, p[len(p)-1]), append(or, r[len(r)-1])
}

// smooth replaces each inner point by ¼, ½, ¼ of it and its neighbours, passes
// times: a Gaussian of variance passes/2.
func smooth(p []r3.Vec, passes int) {
	for range min(passes, 400) {
		last := p[0]
		for n := 1; n+1 < len(p); n++ {
			here := p[n]
			p[n] = r3.Add(r3.Scale(0.5, here), r3.Scale(0.25, r3.Add(last, p[n+1])))
			last = here
		}
	}
}

// sums are the normal equations of a shift and a change of radius: residual
// |p − c| − r ≈ u·shift + change, u the unit direction from the foot c to the
// surface point p.
type sums struct {
	uu [6]float64 // xx xy xz yy yz zz
	u  r3.Vec
	ue r3.Vec
	e  float64
	w  float64
}

func (s *sums) add(o *sums, w float64) {
	for n := range s.uu {
		s.uu[n] += w * o.uu[n]
	}
	s.u = r3.Add(s.u, r3.Scale(w, o.u))
	s.ue = r3.Add(s.ue, r3.Scale(w, o.ue))
	s.e += w * o.e
	s.w += w * o.w
}

// fit moves all edges so that tubes around them fit the surface of the lumen.
// The surface is the faces between voxels inside and outside: seen along one
// axis, the true surface lies anywhere between the two centres with the same
// chance, so face centres weighted by their share of the surface show a tube
// without bias.
func (g *graph) fit(ctx context.Context) error {
	l := g.l
	o, err := g.own(ctx, l.at, len(l.vox))
	if err != nil {
		return err
	}
	acc := make([][]sums, len(g.edges))
	for n := range g.edges {
		if !g.edges[n].dead {
			acc[n] = make([]sums, len(g.edges[n].p))
		}
	}
	h := l.g.SpacingMM()
	strides := [3]int{1, l.g.Size[0], l.g.Size[0] * l.g.Size[1]}
	for v, n := range o.edge {
		if v&0x3fff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if n < 0 {
			continue
		}
		e := &g.edges[n]
		for a := range 3 {
			for _, sign := range [2]int{-1, 1} {
				if l.at[int(l.vox[v])+sign*strides[a]] >= 0 {
					continue
				}
				axis := r3.Scale(1/h[a], l.g.Axes[a])
				p := r3.Add(l.centre(int32(v)), r3.Scale(float64(sign)*h[a]/2, axis))
				place, foot, beyond := e.near(p, float64(o.at[v]))
				d := r3.Sub(p, foot)
				norm := r3.Norm(d)
				if norm == 0 || beyond {
					continue
				}
				u := r3.Scale(1/norm, d)
				m := int(place + 0.5)
				res := norm - e.r[m]
				// Tukey's weight: bulges and leaks beyond a third of the radius and a
				// voxel and a half do not pull.
				x := res / (e.r[m]/3 + 1.5*max(l.mean, h[a]))
				if x = 1 - x*x; x <= 0 {
					continue
				}
				w := x * x * math.Abs(r3.Dot(u, axis)) / h[a]
				s := &acc[n][m]
				s.uu[0] += w * u.X * u.X
				s.uu[1] += w * u.X * u.Y
				s.uu[2] += w * u.X * u.Z
				s.uu[3] += w * u.Y * u.Y
				s.uu[4] += w * u.Y * u.Z
				s.uu[5] += w * u.Z * u.Z
				s.u = r3.Add(s.u, r3.Scale(w, u))
				s.ue = r3.Add(s.ue, r3.Scale(w*res, u))
				s.e += w * res
				s.w += w
			}
		}
	}
	for n := range g.edges {
		if !g.edges[n].dead {
			g.shift(&g.edges[n], acc[n])
		}
	}
	g.meet()
	return nil
}

// shift moves one edge by the normal equations of its points, those of a window
// each time, and smooths the moves (not the points: that would shrink curves).
func (g *graph) shift(e *edge, acc []sums) {
	n := len(e.p)
	step := length(e.p) / float64(n-1)
	if step == 0 {
		return
	}
	span := max(1, int(math.Round(g.l.window(e.typical())/step)))
	move, grow, weight := make([]r3.Vec, n), make([]float64, n), make([]float64, n)
	for m := range e.p {
		var s sums
		for o := max(0, m-span); o <= min(n-1, m+span); o++ {
			s.add(&acc[o], 1-math.Abs(float64(o-m))/float64(span+1))
		}
		if s.w <= 0 {
			continue
		}
		move[m], grow[m] = s.solve(e.tangent(m))
		weight[m] = s.w
		if d, most := r3.Norm(move[m]), 0.5*e.r[m]+0.5*g.l.mean; d > most {
			move[m] = r3.Scale(most/d, move[m])
		}
	}
	for m := range e.p {
		var d r3.Vec
		dr, w := 0.0, 0.0
		for o := max(0, m-2*span); o <= min(n-1, m+2*span); o++ {
			x := float64(o-m) / float64(span)
			f := weight[o] * math.Exp(-x*x)
			d, dr, w = r3.Add(d, r3.Scale(f, move[o])), dr+f*grow[o], w+f
		}
		if w > 0 {
			e.p[m] = r3.Add(e.p[m], r3.Scale(1/w, d))
			e.r[m] = max(e.r[m]+dr/w, 0.4*g.l.mean)
		}
	}
}

// solve is the shift across the tangent and the change of radius. A ridge of 2 %
// holds what a short arc of surface cannot tell.
func (s *sums) solve(t r3.Vec) (r3.Vec, float64) {
	ridge := 0.02 * s.w
	m := [4][5]float64{
		{s.uu[0] + ridge + s.w*t.X*t.X, s.uu[1] + s.w*t.X*t.Y, s.uu[2] + s.w*t.X*t.Z, s.u.X, s.ue.X},
		{0, s.uu[3] + ridge + s.w*t.Y*t.Y, s.uu[4] + s.w*t.Y*t.Z, s.u.Y, s.ue.Y},
		{0, 0, s.uu[5] + ridge + s.w*t.Z*t.Z, s.u.Z, s.ue.Z},
		{0, 0, 0, s.w + ridge, s.e},
	}
	for i := range 4 {
		for j := range i {
			m[i][j] = m[j][i]
		}
	}
	for i := range 4 { // positive definite: no pivoting
		for k := i + 1; k < 4; k++ {
			f := m[k][i] / m[i][i]
			for j := i; j < 5; j++ {
				m[k][j] -= f * m[i][j]
			}
		}
	}
	var x [4]float64
	for i := 3; i >= 0; i-- {
		x[i] = m[i][4]
		for j := i + 1; j < 4; j++ {
			x[i] -= m[i][j] * x[j]
		}
		x[i] /= m[i][i]
	}
	d := r3.Vec{X: x[0], Y: x[1], Z: x[2]}
	return r3.Sub(d, r3.Scale(r3.Dot(d, t), t)), x[3]
}

// meet brings the edges of each joint together at the mean of their ends,
// weighted by their length, and bends each over a radius or so to get there.
func (g *graph) meet() {
	for j, at := range g.ends() {
		if len(at) == 0 {
			continue
		}
		var sum r3.Vec
		w := 0.0
		for _, x := range at {
			e := &g.edges[x/2]
			p := e.p[0]
			if x&1 == 1 {
				p = e.p[len(e.p)-1]
			}
			f := min(length(e.p), 4*e.typical()) * e.typical()
			sum, w = r3.Add(sum, r3.Scale(f, p)), w+f
		}
		if w == 0 {
			continue
		}
		g.joints[j].at = r3.Scale(1/w, sum)
		for _, x := range at {
			e := &g.edges[x/2]
			if x&1 == 1 {
				e.turn()
			}
			d := r3.Sub(g.joints[j].at, e.p[0])
			reach := min(2*e.typical(), length(e.p)/2)
			s := 0.0
			for m := range e.p {
				if m > 0 {
					s += r3.Norm(r3.Sub(e.p[m], e.p[m-1]))
				}
				f := 0.0
				if s < reach {
					f = 1 - s/reach
				} else if m > 0 {
					break
				} else {
					f = 1
				}
				e.p[m] = r3.Add(e.p[m], r3.Scale(f, d))
			}
			e.p[0] = g.joints[j].at
			if x&1 == 1 {
				e.turn()
			}
		}
	}
}
