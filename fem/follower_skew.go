package fem

import (
	"context"
	"math"

	"halsted/internal/sparse"

	"gonum.org/v1/gonum/spatial/r3"
)

// skewed is a term whose tangent leaves a part of ∂force/∂u out: skew adds that
// part times x to y, at the displacement u.
type skewed interface {
	skew(y, x, u []float64, now clock)
	// lopsided says that the part is not zero at the present clock.
	lopsided(now clock) bool
}

func (t *follower) lopsided(clock) bool { return !t.closed }

// skew adds p·∫N_a·(v,r × x,s + x,r × v,s) less the symmetric part for the
// motion v.
func (t *follower) skew(y, v, u []float64, now clock) {
	if t.closed {
		return
	}
	k := t.tri.k
	x, dx, out := make([]r3.Vec, k), make([]r3.Vec, k), make([]r3.Vec, k)
	for i := range t.faces {
		f := &t.faces[i]
		p := f.pressure(now)
		if p == 0 {
			continue
		}
		t.deformed(x, f, u)
		for a, n := range f.nodes[:k] {
			dx[a] = r3.Vec{X: v[3*n], Y: v[3*n+1], Z: v[3*n+2]}
		}
		clear(out)
		for q, w := range t.tri.w {
			n, d := t.tri.n[q], t.tri.d[q]
			xr, xs := tangents(d, x)
			vr, vs := tangents(d, dx)
			var at r3.Vec
			for a, na := range n {
				at = r3.Add(at, r3.Scale(na, dx[a]))
			}
			whole := r3.Add(r3.Cross(vr, xs), r3.Cross(xr, vs))
			for a, na := range n {
				// Σ_b K_ab·v_b is half of N_a·(v,r × x,s + x,r × v,s) less
				// (N_a,s·x,r − N_a,r·x,s) × v; the rest is the other half and that.
				turn := r3.Cross(r3.Sub(r3.Scale(d[a].Y, xr), r3.Scale(d[a].X, xs)), at)
				out[a] = r3.Add(out[a], r3.Scale(w*p/2, r3.Add(r3.Scale(na, whole), turn)))
			}
		}
		for a, n := range f.nodes[:k] {
			y[3*n] += out[a].X
			y[3*n+1] += out[a].Y
			y[3*n+2] += out[a].Z
		}
	}
}

var _ skewed = (*follower)(nil)

// skewEta is the tolerance of the solves that precondition complete.
const skewEta = 0.05

// skewSteps bounds the directions of complete.
const skewSteps = 12

// complete takes x ≈ K⁻¹·b with the symmetric tangent K to a solution with the
// whole one, K + S, by flexible GMRES (Saad, SIAM J. Sci. Comput. 14 (1993)
// 461) with K⁻¹ as its preconditioner, to the residual tol·‖b‖ if it can. It is
// nothing to do where no term is lopsided. b and x are zero at fixed degrees of
// freedom.
func (s *system) complete(ctx context.Context, m *sparse.BSR3, u, x, b []float64, tol float64, solve func(z, v []float64) error) error {
	var terms []skewed
	for _, t := range s.terms {
		if k, ok := t.(skewed); ok && k.lopsided(s.now) {
			terms = append(terms, k)
		}
	}
	beta := math.Sqrt(sparse.Dot(b, b))
	if len(terms) == 0 || !(beta > 0) {
		return nil
	}
	scaled := func(c float64, v []float64) []float64 {
		out := make([]float64, len(v))
		sparse.AXPY(out, c, v)
		return out
	}
	v := [][]float64{scaled(1/beta, b)}
	z := [][]float64{scaled(1/beta, x)}
	var h [skewSteps + 1][skewSteps]float64 // Hessenberg, turned to upper triangular
	var cs, sn [skewSteps]float64
	g := [skewSteps + 1]float64{1}
	used := 0
	for j := range skewSteps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if j > 0 {
			z = append(z, make([]float64, len(b)))
			if err := solve(z[j], v[j]); err != nil {
				return err
			}
		}
		w := make([]float64, len(b))
		for _, t := range terms {
			t.skew(w, z[j], u, s.now)
		}
		for i, f := range s.fixed {
			if f {
				w[i] = 0
			}
		}
		k := make([]float64, len(b))
		m.MulVec(k, z[j])
		sparse.AXPY(w, 1, k)
		for i := range v {
			h[i][j] = sparse.Dot(w, v[i])
			sparse.AXPY(w, -h[i][j], v[i])
		}
		long := math.Sqrt(sparse.Dot(w, w))
		for i := range j { // the rotations so far
			h[i][j], h[i+1][j] = cs[i]*h[i][j]+sn[i]*h[i+1][j], cs[i]*h[i+1][j]-sn[i]*h[i][j]
		}
		r := math.Hypot(h[j][j], long)
		if !(r > 0) || math.IsInf(r, 0) {
			break
		}
		cs[j], sn[j] = h[j][j]/r, long/r
		h[j][j] = r
		g[j], g[j+1] = cs[j]*g[j], -sn[j]*g[j]
		used = j + 1
		if math.Abs(g[j+1]) <= tol || long == 0 {
			break
		}
		v = append(v, scaled(1/long, w))
	}
	if used == 0 {
		return nil
	}
	var y [skewSteps]float64
	for i := used - 1; i >= 0; i-- {
		y[i] = g[i]
		for j := i + 1; j < used; j++ {
			y[i] -= h[i][j] * y[j]
		}
		y[i] /= h[i][i]
	}
	clear(x)
	for i := range used {
		sparse.AXPY(x, beta*y[i], z[i])
	}
	return nil
}
