package fem

import (
	"math"

	"halsted/fem/material"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// corotated is the internal force of the coarse mode on linear tetrahedra. The
// deformation gradients of the elements around an edge are averaged, F̄, and
// turned back by the rotation R of F̄ = R·S (polar decomposition); in
//
//	W = Σ_edges V·μ·|F̄ − R|² + Σ_nodes V·λ/2·θ²,  θ = mean of J − 1 at the node,
//
// the first part is Hooke's shear energy of the strain S − I (corotated, as
// Müller & Gross, Proc. Graphics Interface 2004, 239, in the energy form), on
// the edge domains of edge-based smoothing (ES-FEM: G. R. Liu, T. Nguyen-Thoi &
// K. Y. Lam, J. Sound Vib. 320 (2009) 1100), which is not as stiff as a Tet4,
// and the second the dilatation averaged at nodes (J. Bonet & A. J. Burton,
// Commun. Numer. Meth. Eng. 14 (1998) 437), which does not lock. For small
// strain it is Hooke's law; it stays finite and smooth through inversion.
type corotated struct {
	s      *system
	d      *domains
	f      []material.Mat3 // F per element
	jac    []float64       // det F
	edgeP  []material.Mat3 // 2μ·(F̄ − R) per edge
	rot    []quaternion    // R per edge, kept as the next start
	press  []float64       // λ·θ per node domain, MPa
	energy float64         // of the last forces, mJ; with terms NaN if they have none
}

func newCorotated(s *system, d *domains) *corotated {
	k := &corotated{s: s, d: d}
	k.f, k.jac = make([]material.Mat3, s.elems), make([]float64, s.elems)
	k.edgeP, k.rot = make([]material.Mat3, len(d.edgeVol)), make([]quaternion, len(d.edgeVol))
	k.press = make([]float64, len(d.nodeVol))
	for i := range k.rot {
		k.rot[i] = quaternion{1}
	}
	return k
}

// corotatedChunk domains are one unit of parallel work.
const corotatedChunk = 256

// forces writes the internal force at u into f, 3 per node, with the forces of
// the terms, and sets k.energy. bad is a node next to a term that cannot take u,
// or −1.
func (k *corotated) forces(f, u []float64) (bad int32) {
	k.gradients(u)
	k.energy = k.edges() + k.dilate()
	k.gather(f)
	for _, t := range k.s.terms {
		if bad = t.force(f, u, k.s.now); bad >= 0 {
			return bad
		}
		w, ok := t.energy(u, k.s.now)
		if !ok {
			w = math.NaN()
		}
		k.energy += w
	}
	return -1
}

func (k *corotated) gradients(u []float64) {
	s := k.s
	par.Chunks(s.elems, corotatedChunk, func(lo, hi int) {
		c := new(scratch)
		for e := lo; e < hi; e++ {
			if s.present(e) {
				s.gatherU(c, e, u)
				gradient(&k.f[e], c.u[:4], s.grad[4*e:4*e+4])
				k.jac[e] = k.f[e].Det()
			}
		}
	})
}

// edges computes the stress of the edge domains and returns their energy.
func (k *corotated) edges() float64 {
	return par.Sum(len(k.rot), corotatedChunk, func(lo, hi int) (w float64) {
		var f, r material.Mat3
		for i := lo; i < hi; i++ {
			k.mean(&f, i)
			k.rot[i].polar(&r, &f)
			mu := k.d.edgeMu[i]
			for j := range f {
				c := r3.Sub(f[j], r[j])
				w += k.d.edgeVol[i] * mu * r3.Norm2(c)
				k.edgeP[i][j] = r3.Scale(2*mu, c)
			}
		}
		return w
	})
}

// mean writes F̄ of an edge domain.
func (k *corotated) mean(f *material.Mat3, i int) {
	var f0, f1, f2 r3.Vec
	part := 1. / 6 / k.d.edgeVol[i]
	for _, e := range k.d.edgeElems[k.d.edgePtr[i]:k.d.edgePtr[i+1]] {
		g, w := &k.f[e], part*k.s.w[e]
		f0 = r3.Vec{X: f0.X + w*g[0].X, Y: f0.Y + w*g[0].Y, Z: f0.Z + w*g[0].Z}
		f1 = r3.Vec{X: f1.X + w*g[1].X, Y: f1.Y + w*g[1].Y, Z: f1.Z + w*g[1].Z}
		f2 = r3.Vec{X: f2.X + w*g[2].X, Y: f2.Y + w*g[2].Y, Z: f2.Z + w*g[2].Z}
	}
	f[0], f[1], f[2] = f0, f1, f2
}

// dilate computes the pressures of the node domains and returns their energy.
func (k *corotated) dilate() float64 {
	d := k.d
	return par.Sum(len(d.nodeVol), corotatedChunk, func(lo, hi int) (w float64) {
		for i := lo; i < hi; i++ {
			var t float64
			for _, e := range d.nodeElems[d.nodePtr[i]:d.nodePtr[i+1]] {
				t += k.s.w[e] * (k.jac[e] - 1)
			}
			t /= 4 * d.nodeVol[i]
			k.press[i] = d.nodeLambda[i] * t
			w += d.nodeVol[i] * d.nodeLambda[i] / 2 * t * t
		}
		return w
	})
}

// pressure is the mean of the pressures of the element's nodes, MPa.
func (k *corotated) pressure(e int) float64 {
	n := k.d.ofNode[4*e : 4*e+4]
	return (k.press[n[0]] + k.press[n[1]] + k.press[n[2]] + k.press[n[3]]) / 4
}

// gather turns the stresses into nodal forces: in an element P is the mean of
// its edges' plus the pressure times cof F.
func (k *corotated) gather(f []float64) {
	s := k.s
	par.Chunks(s.elems, corotatedChunk, func(lo, hi int) {
		var cof material.Mat3
		for e := lo; e < hi; e++ {
			out := (*[12]float64)(s.elemF[12*e:])
			if !s.present(e) {
				*out = [12]float64{}
				continue
			}
			k.f[e].Cofactor(&cof)
			w, p := s.w[e]/6, s.w[e]*k.pressure(e)
			p0, p1, p2 := r3.Scale(p, cof[0]), r3.Scale(p, cof[1]), r3.Scale(p, cof[2])
			for _, i := range k.d.ofEdge[6*e : 6*e+6] {
				t := &k.edgeP[i]
				p0 = r3.Vec{X: p0.X + w*t[0].X, Y: p0.Y + w*t[0].Y, Z: p0.Z + w*t[0].Z}
				p1 = r3.Vec{X: p1.X + w*t[1].X, Y: p1.Y + w*t[1].Y, Z: p1.Z + w*t[1].Z}
				p2 = r3.Vec{X: p2.X + w*t[2].X, Y: p2.Y + w*t[2].Y, Z: p2.Z + w*t[2].Z}
			}
			for a, g := range s.grad[4*e : 4*e+4] {
				out[3*a] = p0.X*g.X + p1.X*g.Y + p2.X*g.Z
				out[3*a+1] = p0.Y*g.X + p1.Y*g.Y + p2.Y*g.Z
				out[3*a+2] = p0.Z*g.X + p1.Z*g.Y + p2.Z*g.Z
			}
		}
	})
	par.Chunks(s.n, 512, func(lo, hi int) {
		for v := lo; v < hi; v++ {
			var f0, f1, f2 float64
			for _, i := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
				t := s.elemF[3*i : 3*i+3]
				f0 += t[0]
				f1 += t[1]
				f2 += t[2]
			}
			f[3*v], f[3*v+1], f[3*v+2] = f0, f1, f2
		}
	})
}

// nodeRotations writes the rotation of the mean F around the listed nodes; a
// node that is held in any direction keeps the identity. rot is the start.
func (k *corotated) nodeRotations(out []material.Mat3, rot []quaternion, nodes []int32) {
	s := k.s
	par.Chunks(len(nodes), corotatedChunk, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			v := nodes[i]
			out[i] = material.Identity
			if s.fixed[3*v] || s.fixed[3*v+1] || s.fixed[3*v+2] {
				continue
			}
			var f material.Mat3
			var sum float64
			for _, j := range s.adj[s.adjPtr[v]:s.adjPtr[v+1]] {
				e := int(j / 4)
				if !s.present(e) {
					continue
				}
				w := s.w[e]
				sum += w
				for c := range f {
					f[c] = r3.Add(f[c], r3.Scale(w, k.f[e][c]))
				}
			}
			if !(sum > 0) {
				continue
			}
			for c := range f {
				f[c] = r3.Scale(1/sum, f[c])
			}
			rot[i].polar(&out[i], &f)
		}
	})
}

// smallestDet bounds J from below where a Cauchy stress is written: elements of
// the coarse mode may be inverted.
const smallestDet = 0.1

// points writes the Cauchy stress, the mean of the edges' plus the pressure, and
// the strain of every element at the last state into rc.
func (k *corotated) points(rc *recovery) {
	s := k.s
	edge := make([]sym6, len(k.rot))
	par.Chunks(len(edge), corotatedChunk, func(lo, hi int) {
		var f material.Mat3
		for i := lo; i < hi; i++ {
			k.mean(&f, i)
			p, t := &k.edgeP[i], &edge[i]
			c := 1 / max(f.Det(), smallestDet)
			*t = sym6{
				c * (p[0].X*f[0].X + p[1].X*f[1].X + p[2].X*f[2].X),
				c * (p[0].Y*f[0].Y + p[1].Y*f[1].Y + p[2].Y*f[2].Y),
				c * (p[0].Z*f[0].Z + p[1].Z*f[1].Z + p[2].Z*f[2].Z),
				c * (p[0].X*f[0].Y + p[1].X*f[1].Y + p[2].X*f[2].Y),
				c * (p[0].Y*f[0].Z + p[1].Y*f[1].Z + p[2].Y*f[2].Z),
				c * (p[0].X*f[0].Z + p[1].X*f[1].Z + p[2].X*f[2].Z),
			}
		}
	})
	par.Chunks(s.elems, corotatedChunk, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			if !s.present(e) {
				continue
			}
			f, p := &k.f[e], k.pressure(e)
			t := sym6{p, p, p}
			for _, i := range k.d.ofEdge[6*e : 6*e+6] {
				t.add(1./6, &edge[i])
			}
			rc.stress[e] = t
			rc.strain[e] = sym6{
				(r3.Norm2(f[0]) - 1) / 2, (r3.Norm2(f[1]) - 1) / 2, (r3.Norm2(f[2]) - 1) / 2,
				r3.Dot(f[0], f[1]) / 2, r3.Dot(f[1], f[2]) / 2, r3.Dot(f[0], f[2]) / 2,
			}
		}
	})
}
