package fem

import (
	"math"

	"halsted/fem/element"
	"halsted/fem/material"
)

// wide is the number of nodes b that are kept side by side: those of a Tet10
// and two that fill the last register.
const wide = 12

// stiffnessBlocks holds K_ab of an element: entry 3i+j of the block of nodes a
// and b is [a][3i+j][b]. Only b ≥ a counts.
type stiffnessBlocks [element.Tet10Nodes][9][wide]float64

// invariantPoint is what the tangent of a law in I1 and J, or of Hooke's law,
// needs of a quadrature point: with n_a = ∇N_a, f_a = F·n_a and g_a = F⁻ᵀ·n_a
//
//	K_ab = s·(n_a·n_b)·I + u_a⊗f_b + v_a⊗g_b + g_b⊗x_a,
//	s = w·S, u_a = w(FF·f_a + FG·g_a), v_a = w(FG·f_a + GG·g_a), x_a = w·X·g_a
//
// (material.InvariantTangent). The layout is that of kernel_amd64.s.
type invariantPoint struct {
	n, f, g [3][wide]float64
	a       [element.Tet10Nodes]struct{ u, v, x, sn [3]float64 }
}

// closed says that the tangent at the points of r has this form.
func (s *system) closed(r *region) bool {
	return (r.inv != nil || r.hooke) && s.natural == nil && r.memory == nil && r.active == 0
}

// closedTangent writes the upper block triangle of ∫∇N_a·A·∇N_b into k.ke, and
// ∫cof F·∇N_a into k.b for mean dilatation.
func (s *system) closedTangent(k *scratch, r *region, e int, pressure float64) {
	n := s.k
	var g material.Mat3
	for q := range s.nq {
		at := e*s.nq + q
		grad := s.grad[at*n : (at+1)*n]
		p := &k.points[q]
		w := s.w[at]
		mult := s.multiplier(at)
		scaled := func(t material.InvariantTangent) material.InvariantTangent {
			return material.InvariantTangent{S: mult * t.S, FF: mult * t.FF, FG: mult * t.FG, GG: mult * t.GG, X: mult * t.X}
		}
		var t material.InvariantTangent
		f := &k.f
		if r.hooke {
			mu := r.law.ShearMPa()
			t = scaled(material.InvariantTangent{S: mu, GG: r.law.BulkMPa() - 2*mu/3, X: mu})
			*f, g = material.Identity, material.Identity
		} else {
			gradient(f, k.u[:n], grad)
			var j float64
			t, j = r.inv.Coefficients(&k.p, &g, f)
			t = scaled(t)
			if r.vol != nil { // the tangent of W − U(J) + p·J at fixed p
				_, du, ddu := r.vol.Dilatation(j)
				du, ddu = mult*du, mult*ddu
				t.GG += (pressure-du)*j - ddu*j*j
				t.X -= (pressure - du) * j
				for a, d := range grad {
					k.b[a].X += w * j * (g[0].X*d.X + g[1].X*d.Y + g[2].X*d.Z)
					k.b[a].Y += w * j * (g[0].Y*d.X + g[1].Y*d.Y + g[2].Y*d.Z)
					k.b[a].Z += w * j * (g[0].Z*d.X + g[1].Z*d.Y + g[2].Z*d.Z)
				}
			}
		}
		c, ff, fg, gg, xx := w*t.S, w*t.FF, w*t.FG, w*t.GG, w*t.X
		for a, d := range grad {
			f0 := f[0].X*d.X + f[1].X*d.Y + f[2].X*d.Z
			f1 := f[0].Y*d.X + f[1].Y*d.Y + f[2].Y*d.Z
			f2 := f[0].Z*d.X + f[1].Z*d.Y + f[2].Z*d.Z
			g0 := g[0].X*d.X + g[1].X*d.Y + g[2].X*d.Z
			g1 := g[0].Y*d.X + g[1].Y*d.Y + g[2].Y*d.Z
			g2 := g[0].Z*d.X + g[1].Z*d.Y + g[2].Z*d.Z
			p.n[0][a], p.n[1][a], p.n[2][a] = d.X, d.Y, d.Z
			p.f[0][a], p.f[1][a], p.f[2][a] = f0, f1, f2
			p.g[0][a], p.g[1][a], p.g[2][a] = g0, g1, g2
			b := &p.a[a]
			b.u = [3]float64{ff*f0 + fg*g0, ff*f1 + fg*g1, ff*f2 + fg*g2}
			b.v = [3]float64{fg*f0 + gg*g0, fg*f1 + gg*g1, fg*f2 + gg*g2}
			b.x = [3]float64{xx * g0, xx * g1, xx * g2}
			b.sn = [3]float64{c * d.X, c * d.Y, c * d.Z}
		}
	}
	blocks(&k.ke, &k.points, s.nq, n)
}

// blocksPortable sums K_ab over nq points for the first n nodes. Products are
// fused with their sums, in the order of the vector code.
func blocksPortable(ke *stiffnessBlocks, pts *[4]invariantPoint, nq, n int) {
	for a := range n {
		for b := a &^ 3; b < (n+3)&^3; b++ {
			var t [9]float64
			for q := range nq {
				p := &pts[q]
				u, v, x, sn := &p.a[a].u, &p.a[a].v, &p.a[a].x, &p.a[a].sn
				d := float64(sn[0] * p.n[0][b])
				d = math.FMA(sn[1], p.n[1][b], d)
				d = math.FMA(sn[2], p.n[2][b], d)
				t[0] += d
				t[4] += d
				t[8] += d
				for i := range 3 {
					for j := range 3 {
						t[3*i+j] = math.FMA(u[i], p.f[j][b], t[3*i+j])
					}
				}
				for i := range 3 {
					for j := range 3 {
						t[3*i+j] = math.FMA(v[i], p.g[j][b], t[3*i+j])
					}
				}
				for i := range 3 {
					for j := range 3 {
						t[3*i+j] = math.FMA(p.g[i][b], x[j], t[3*i+j])
					}
				}
			}
			for c, v := range t {
				ke[a][c][b] = v
			}
		}
	}
}
