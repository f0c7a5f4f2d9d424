package fem

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// metric is C of the prestretched sheet and the deformed tangents at a point.
func (sh *sheet) metric(x []r3.Vec, grad [][2]float64) (c [3]float64, g1, g2 r3.Vec, ok bool) {
	for a, d := range grad {
		g1 = r3.Add(g1, r3.Scale(d[0], x[a]))
		g2 = r3.Add(g2, r3.Scale(d[1], x[a]))
	}
	p := sh.pre * sh.pre
	c = [3]float64{p * r3.Norm2(g1), p * r3.Norm2(g2), p * r3.Dot(g1, g2)}
	return c, g1, g2, c[0] > 0 && c[0]*c[1] > c[2]*c[2] && !math.IsInf(c[0]*c[1], 1)
}

// at lists the places and gradients of face j.
func (t *membranes) at(sh *sheet, j, q int) (grad [][2]float64, w float64) {
	k, points := t.tri.k, len(t.tri.w)
	p := j*points + q
	return sh.grad[p*k : (p+1)*k], sh.w[p]
}

func (t *membranes) force(f, u []float64, now clock) int32 {
	k := t.tri.k
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		t.sys.chunks(len(sh.Faces), elemChunk, func(lo, hi int) {
			sh.bad[lo/elemChunk] = -1
			x := make([]r3.Vec, k)
			s := new([3]float64)
			for j := lo; j < hi; j++ {
				nodes := sh.nodes[j*k : (j+1)*k]
				out := sh.f[3*j*k : 3*(j+1)*k]
				clear(out)
				if !sh.live[j] {
					continue
				}
				t.places(x, nodes, u)
				for q := range t.tri.w {
					grad, w := t.at(sh, j, q)
					c, g1, g2, ok := sh.metric(x, grad)
					if !ok {
						sh.bad[lo/elemChunk] = nodes[0]
						return
					}
					sh.Law.Stress(s, c)
					for a, d := range grad {
						v := r3.Add(r3.Scale(w*(s[0]*d[0]+s[2]*d[1]), g1), r3.Scale(w*(s[1]*d[1]+s[2]*d[0]), g2))
						out[3*a] += v.X
						out[3*a+1] += v.Y
						out[3*a+2] += v.Z
					}
				}
			}
		})
		for _, v := range sh.bad {
			if v >= 0 {
				return v
			}
		}
		for a, v := range sh.nodes {
			for c := range 3 {
				f[3*int(v)+c] += sh.f[3*a+c]
			}
		}
	}
	t.weight.force(f, now)
	return -1
}

func (t *membranes) tangent(m *stiffness, u []float64, _ clock) {
	k := t.tri.k
	x := make([]r3.Vec, k)
	s, d := new([3]float64), new([3][3]float64)
	type rows [3]r3.Vec
	b := make([]rows, k)
	ke := make([][9]float64, k*k)
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		for j := range sh.Faces {
			if !sh.live[j] {
				continue
			}
			nodes := sh.nodes[j*k : (j+1)*k]
			t.places(x, nodes, u)
			clear(ke)
			for q := range t.tri.w {
				grad, w := t.at(sh, j, q)
				c, g1, g2, ok := sh.metric(x, grad)
				if !ok {
					continue // forces have refused such a state
				}
				sh.Law.Stress(s, c)
				sh.Law.Tangent(d, c)
				wd := w * sh.pre * sh.pre // S and E are per natural shape: E = p²·E_ref + const
				for a, n := range grad {
					b[a] = rows{r3.Scale(n[0], g1), r3.Scale(n[1], g2), r3.Add(r3.Scale(n[0], g2), r3.Scale(n[1], g1))}
				}
				for a, na := range grad {
					var db rows // Dᵀ·B_a
					for r := range 3 {
						db[r] = r3.Scale(wd, r3.Add(r3.Scale(d[0][r], b[a][0]), r3.Add(r3.Scale(d[1][r], b[a][1]), r3.Scale(d[2][r], b[a][2]))))
					}
					for e := a; e < k; e++ {
						ne := grad[e]
						h := w * (s[0]*na[0]*ne[0] + s[1]*na[1]*ne[1] + s[2]*(na[0]*ne[1]+na[1]*ne[0]))
						o := &ke[a*k+e]
						for r := range 3 {
							v, y := db[r], b[e][r]
							o[0] += v.X * y.X
							o[1] += v.X * y.Y
							o[2] += v.X * y.Z
							o[3] += v.Y * y.X
							o[4] += v.Y * y.Y
							o[5] += v.Y * y.Z
							o[6] += v.Z * y.X
							o[7] += v.Z * y.Y
							o[8] += v.Z * y.Z
						}
						o[0] += h
						o[4] += h
						o[8] += h
					}
				}
			}
			for a := range k {
				for e := a; e < k; e++ {
					m.add(nodes[a], nodes[e], &ke[a*k+e])
				}
			}
		}
	}
}

func (t *membranes) energy(u []float64, now clock) (w float64, ok bool) {
	k := t.tri.k
	x := make([]r3.Vec, k)
	for i := range t.sheets {
		sh := &t.sheets[i]
		if !sh.on {
			continue
		}
		for j := range sh.Faces {
			if !sh.live[j] {
				continue
			}
			t.places(x, sh.nodes[j*k:(j+1)*k], u)
			for q := range t.tri.w {
				grad, area := t.at(sh, j, q)
				c, _, _, ok := sh.metric(x, grad)
				if !ok {
					return math.Inf(1), true
				}
				w += area / (sh.pre * sh.pre) * sh.Law.Energy(c)
			}
		}
	}
	return w + t.weight.energy(u, now), true
}
