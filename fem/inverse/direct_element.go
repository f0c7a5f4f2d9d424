package inverse

import (
	"math"
	"slices"

	"halsted/fem/material"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// scratch of one element.
type directScratch struct {
	ref, img [10]r3.Vec
	g        [10]r3.Vec
	f, p     material.Mat3
	a        [9][9]float64
	ke       [30][30]float64
	det      float64
}

// at computes ∇_X N, F and det J_X at quadrature point q of element e.
func (d *direct) at(k *directScratch, e, q int) bool {
	var jx material.Mat3
	for a := range d.k {
		v, dn := k.ref[a], d.dn[q][a]
		jx[0] = r3.Add(jx[0], r3.Scale(dn.X, v))
		jx[1] = r3.Add(jx[1], r3.Scale(dn.Y, v))
		jx[2] = r3.Add(jx[2], r3.Scale(dn.Z, v))
	}
	k.det = jx.Det()
	if !(k.det > 0) {
		return false
	}
	// ∇_X N = J⁻ᵀ·∂N: the rows of J⁻¹ are the cross products of its columns over det
	i0, i1, i2 := r3.Scale(1/k.det, r3.Cross(jx[1], jx[2])), r3.Scale(1/k.det, r3.Cross(jx[2], jx[0])), r3.Scale(1/k.det, r3.Cross(jx[0], jx[1]))
	k.f = material.Mat3{}
	for a := range d.k {
		dn := d.dn[q][a]
		g := r3.Add(r3.Scale(dn.X, i0), r3.Add(r3.Scale(dn.Y, i1), r3.Scale(dn.Z, i2)))
		k.g[a] = g
		k.f[0] = r3.Add(k.f[0], r3.Scale(g.X, k.img[a]))
		k.f[1] = r3.Add(k.f[1], r3.Scale(g.Y, k.img[a]))
		k.f[2] = r3.Add(k.f[2], r3.Scale(g.Z, k.img[a]))
	}
	return k.f.Det() > 0
}

func (d *direct) gather(k *directScratch, e int) {
	for a, v := range d.conn[e*d.k : (e+1)*d.k] {
		k.ref[a] = r3.Vec{X: d.x[3*v], Y: d.x[3*v+1], Z: d.x[3*v+2]}
		k.img[a] = d.img[v]
	}
}

// stress writes P, with the element's pressure in place of the law's; and the
// tangent if asked.
func (d *direct) stress(k *directScratch, e, q int, tangent bool) {
	f := k.f
	if d.nat != nil {
		g := &d.nat[e*d.nq+q]
		f = product(&k.f, g)
		d.law[e].Stress(&k.p, &f)
		gt := material.Mat3{{X: g[0].X, Y: g[1].X, Z: g[2].X}, {X: g[0].Y, Y: g[1].Y, Z: g[2].Y}, {X: g[0].Z, Y: g[1].Z, Z: g[2].Z}}
		k.p = product(&k.p, &gt)
		if tangent {
			var b [9][9]float64
			d.law[e].Tangent(&b, &f)
			// A_iJkL = B_iMkN·G_JM·G_LN
			m := [3][3]float64{{g[0].X, g[1].X, g[2].X}, {g[0].Y, g[1].Y, g[2].Y}, {g[0].Z, g[1].Z, g[2].Z}}
			k.a = [9][9]float64{}
			for i := range 3 {
				for kk := range 3 {
					var half [3][3]float64 // B_iMkN·G_LN
					for mm := range 3 {
						for l := range 3 {
							half[mm][l] = b[3*i+mm][3*kk]*m[l][0] + b[3*i+mm][3*kk+1]*m[l][1] + b[3*i+mm][3*kk+2]*m[l][2]
						}
					}
					for j := range 3 {
						for l := range 3 {
							k.a[3*i+j][3*kk+l] = m[j][0]*half[0][l] + m[j][1]*half[1][l] + m[j][2]*half[2][l]
						}
					}
				}
			}
		}
	} else {
		d.law[e].Stress(&k.p, &f)
		if tangent {
			d.law[e].Tangent(&k.a, &f)
		}
	}
	if d.vol[e] == nil {
		return
	}
	var cof material.Mat3
	j := k.f.Cofactor(&cof)
	_, du, ddu := d.vol[e].Dilatation(j)
	for c := range k.p {
		k.p[c] = r3.Add(k.p[c], r3.Scale(d.p[e]-du, cof[c]))
	}
	if !tangent {
		return
	}
	m := (d.p[e] - du) / j
	c := [9]float64{cof[0].X, cof[1].X, cof[2].X, cof[0].Y, cof[1].Y, cof[2].Y, cof[0].Z, cof[1].Z, cof[2].Z}
	for p := range 9 {
		for t := range 9 {
			k.a[p][t] += (m-ddu)*c[p]*c[t] - m*c[3*(p/3)+t%3]*c[3*(t/3)+p%3]
		}
	}
}

// residual fills r and s at the present unknowns; merit is their norm and
// scale that of the loads, N. ok is false where an element is inverted.
func (d *direct) residual(factor float64) (merit, scale float64, ok bool) {
	bad := make([]bool, (len(d.law)+directChunk-1)/directChunk)
	par.Chunks(len(d.law), directChunk, func(lo, hi int) {
		k := new(directScratch)
		for e := lo; e < hi; e++ {
			d.gather(k, e)
			fe, h, hx := d.elemF[e*d.k:(e+1)*d.k], d.h[e*d.k:(e+1)*d.k], d.hx[e*d.k:(e+1)*d.k]
			clear(fe)
			clear(h)
			clear(hx)
			v, vol := 0.0, 0.0
			for q := range d.nq {
				if !d.at(k, e, q) {
					bad[lo/directChunk] = true
					return
				}
				d.stress(k, e, q, false)
				w := d.wq[q] * k.det
				vol += w
				v += w * k.f.Det()
				var cof material.Mat3
				k.f.Cofactor(&cof)
				for a := range fe {
					g := k.g[a]
					f := r3.Add(r3.Scale(g.X, k.p[0]), r3.Add(r3.Scale(g.Y, k.p[1]), r3.Scale(g.Z, k.p[2])))
					fe[a] = r3.Add(fe[a], r3.Scale(w, f))
					if d.body != nil {
						fe[a] = r3.Sub(fe[a], r3.Scale(w*factor*d.shape[q][a], d.body[e]))
					}
					h[a] = r3.Add(h[a], r3.Scale(w, r3.Add(r3.Scale(g.X, cof[0]), r3.Add(r3.Scale(g.Y, cof[1]), r3.Scale(g.Z, cof[2])))))
					hx[a] = r3.Add(hx[a], r3.Scale(w, g))
				}
			}
			if d.vol[e] != nil {
				theta := v / vol
				_, du, ddu := d.vol[e].Dilatation(theta)
				d.cc[e] = vol / (ddu * theta)
				d.s[e] = d.cc[e] * (du - d.p[e])
			}
		}
	})
	if slices.Contains(bad, true) {
		return 0, 0, false
	}
	for i := range d.r {
		d.r[i] = factor * d.fext[i]
	}
	var load float64
	for i, v := range d.r {
		if !d.fixed[i] {
			load += v * v
		}
	}
	inner := make([]float64, len(d.r))
	for i, v := range d.conn {
		inner[3*v] += d.elemF[i].X
		inner[3*v+1] += d.elemF[i].Y
		inner[3*v+2] += d.elemF[i].Z
	}
	if d.body != nil { // what acts, without what answers
		for e, b := range d.body {
			vol := 0.0
			for _, g := range d.hx[e*d.k : (e+1)*d.k] {
				vol += r3.Norm(g)
			}
			load += factor * factor * r3.Norm2(b) * vol * vol
		}
	}
	sum := 0.0
	for i := range d.r {
		d.r[i] -= inner[i]
		if d.fixed[i] {
			d.r[i] = 0
		}
		sum += d.r[i] * d.r[i]
	}
	for _, s := range d.s {
		sum += d.weight * d.weight * s * s
	}
	return math.Sqrt(sum), math.Sqrt(load), !math.IsNaN(sum)
}

// tangent fills mat with −∂r… of the first equation for X at fixed pressures
// (it is not symmetric) and factors the symmetric matrix that preconditions it.
func (d *direct) tangent(factor float64) error {
	d.mat.Zero()
	d.pre.Zero()
	ke := make([]directScratch, directChunk)
	for first := 0; first < len(d.law); first += directChunk {
		last := min(first+directChunk, len(d.law))
		par.Chunks(last-first, 8, func(lo, hi int) {
			for e := first + lo; e < first+hi; e++ {
				d.elementTangent(&ke[e-first], e, factor)
			}
		})
		if err := d.ctx.Err(); err != nil {
			return err
		}
		for e := first; e < last; e++ {
			d.scatter(&ke[e-first], e)
		}
	}
	d.pre.Constrain(d.fixed)
	up, down := 0.0, 0.0
	for _, i := range d.mat.Diag {
		v := d.mat.Val[9*i : 9*i+9]
		up += math.Abs(v[0]+v[4]+v[8]) / 3
	}
	for _, g := range d.hx {
		down += r3.Norm(g)
	}
	if d.weight == 0 {
		d.weight = up / float64(len(d.img)) / (down / float64(len(d.hx)))
	}
	return d.factor.Factor(d.ctx, d.pre)
}

// elementTangent writes S = −∂f/∂X at fixed pressure,
//
//	S_ai,bk = Σ w·(A_iJmL·F_mk·g_b,L·g_a,J + (P·g_b)_i·g_a,k − (P·g_a)_i·g_b,k).
func (d *direct) elementTangent(k *directScratch, e int, factor float64) {
	d.gather(k, e)
	k.ke = [30][30]float64{}
	for q := range d.nq {
		d.at(k, e, q)
		d.stress(k, e, q, true)
		w := d.wq[q] * k.det
		// C[3i+J][3k+L] = Σ_m A[3i+J][3m+L]·F_mk
		f := [3][3]float64{{k.f[0].X, k.f[1].X, k.f[2].X}, {k.f[0].Y, k.f[1].Y, k.f[2].Y}, {k.f[0].Z, k.f[1].Z, k.f[2].Z}}
		var c [9][9]float64
		for p := range 9 {
			for kk := range 3 {
				for l := range 3 {
					c[p][3*kk+l] = k.a[p][l]*f[0][kk] + k.a[p][3+l]*f[1][kk] + k.a[p][6+l]*f[2][kk]
				}
			}
		}
		var pg [10]r3.Vec
		for a := range d.k {
			g := k.g[a]
			pg[a] = r3.Add(r3.Scale(g.X, k.p[0]), r3.Add(r3.Scale(g.Y, k.p[1]), r3.Scale(g.Z, k.p[2])))
		}
		for a := range d.k {
			g := k.g[a]
			ga := [3]float64{g.X, g.Y, g.Z}
			var half [3][9]float64
			for i := range 3 {
				for t := range 9 {
					half[i][t] = w * (g.X*c[3*i][t] + g.Y*c[3*i+1][t] + g.Z*c[3*i+2][t])
				}
			}
			pa := [3]float64{pg[a].X, pg[a].Y, pg[a].Z}
			for b := range d.k {
				h := k.g[b]
				gb := [3]float64{h.X, h.Y, h.Z}
				pb := [3]float64{pg[b].X, pg[b].Y, pg[b].Z}
				for i := range 3 {
					row := &k.ke[3*a+i]
					for kk := range 3 {
						row[3*b+kk] += half[i][3*kk]*h.X + half[i][3*kk+1]*h.Y + half[i][3*kk+2]*h.Z + w*(pb[i]*ga[kk]-pa[i]*gb[kk])
					}
				}
				if d.body != nil {
					at := w * factor * d.shape[q][a]
					for kk := range 3 {
						k.ke[3*a][3*b+kk] += at * d.body[e].X * gb[kk]
						k.ke[3*a+1][3*b+kk] += at * d.body[e].Y * gb[kk]
						k.ke[3*a+2][3*b+kk] += at * d.body[e].Z * gb[kk]
					}
				}
			}
		}
	}
}

// scatter adds the element to both matrices.
func (d *direct) scatter(k *directScratch, e int) {
	nodes, hx := d.conn[e*d.k:(e+1)*d.k], d.hx[e*d.k:(e+1)*d.k]
	for a, v := range nodes {
		ha := [3]float64{hx[a].X, hx[a].Y, hx[a].Z}
		for b, u := range nodes {
			hb := [3]float64{hx[b].X, hx[b].Y, hx[b].Z}
			at := 9 * int(d.mat.Index(v, u))
			for i := range 3 {
				for j := range 3 {
					d.mat.Val[at+3*i+j] += k.ke[3*a+i][3*b+j]
					y := (k.ke[3*a+i][3*b+j] + k.ke[3*b+j][3*a+i]) / 2
					if d.vol[e] != nil {
						y += ha[i] * hb[j] / d.cc[e]
					}
					d.pre.Val[at+3*i+j] += y
				}
			}
		}
	}
}
