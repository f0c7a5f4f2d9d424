package fem

import (
	"slices"

	"halsted/fem/element"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/internal/sparse"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// dilatation is the state of the mean-dilatation method (Simo, Taylor & Pister
// 1985): a patch sees only its mean volume ratio θ = ∫J/∫1 in the volumetric
// part U of its law. A patch is one Tet10, or a handful of Tet4 around a vertex
// (the F-bar patches of de Souza Neto, Pires & Owen, Int. J. Numer. Meth. Eng.
// 62 (2005) 353, in their energy form, which keeps the tangent symmetric).
//
// Newton's method runs on the mixed problem in (u, p): the stiffness of a
// pressure acts with p, which moves linearly with the displacement, and not
// with U'(θ), which overshoots by κ times a second-order term.
type dilatation struct {
	of      []int32   // patch of every element; −1: none
	members []int32   // patch → elements, CSR
	ptr     []int32   // by patch
	volume  []float64 // reference, mm³
	theta   []float64 // at the last state looked at
	p       []float64 // the pressure unknown, MPa
	mult    []float64 // mean of the stiffness multipliers
	mixed   bool      // forces take p instead of U'(θ)
	nodes   []int32   // Tet4: patch → nodes, CSR by nodePtr
	nodePtr []int32
}

// dilate makes the patches, if a region wants them.
func (s *system) dilate() {
	if !slices.ContainsFunc(s.reg, func(r region) bool { return r.vol != nil }) {
		return
	}
	d := &dilatation{of: make([]int32, s.elems)}
	count := int32(0)
	for e := range d.of {
		d.of[e] = -1
		if s.k == element.Tet10Nodes && s.reg[s.regOf[e]].vol != nil {
			d.of[e] = count
			count++
		}
	}
	if s.k == element.Tet4Nodes {
		count = s.stars(d.of)
	}
	d.ptr = make([]int32, count+1)
	for _, p := range d.of {
		if p >= 0 {
			d.ptr[p+1]++
		}
	}
	for p := range count {
		d.ptr[p+1] += d.ptr[p]
	}
	d.members = make([]int32, d.ptr[count])
	fill := slices.Clone(d.ptr[:count])
	for e, p := range d.of {
		if p >= 0 {
			d.members[fill[p]] = int32(e)
			fill[p]++
		}
	}
	for _, v := range []*[]float64{&d.volume, &d.theta, &d.p, &d.mult} {
		*v = make([]float64, count)
	}
	for e, p := range d.of {
		if p >= 0 {
			for q := range s.nq {
				at := e*s.nq + q
				d.volume[p] += s.w[at]
				d.mult[p] += s.w[at] * s.multiplier(at)
			}
		}
	}
	for p, v := range d.volume {
		d.mult[p] /= v
	}
	if s.k == element.Tet4Nodes {
		d.nodePtr = make([]int32, 1, count+1)
		for p := range count {
			var list []int32
			for _, e := range d.members[d.ptr[p]:d.ptr[p+1]] {
				list = append(list, s.conn[4*e:4*e+4]...)
			}
			slices.Sort(list)
			d.nodes = append(d.nodes, slices.Compact(list)...)
			d.nodePtr = append(d.nodePtr, int32(len(d.nodes)))
		}
	}
	s.dil = d
}

// stars groups the Tet4 of regions with a volumetric part: all free elements
// around a vertex make a patch, which so has a node of its own; what is left
// joins the smallest patch next to it, or stays alone. Elements of different
// labels are never joined.
func (s *system) stars(of []int32) (count int32) {
	region := s.model.Mesh.Region
	free := func(e int32, l imaging.Label) bool {
		return of[e] < 0 && s.reg[s.regOf[e]].vol != nil && region[e] == l
	}
	visit := make([]bool, s.n)
	for _, first := range s.order {
		for _, v := range s.conn[4*first : 4*first+4] {
			if visit[v] {
				continue
			}
			visit[v] = true
			star := s.adj[s.adjPtr[v]:s.adjPtr[v+1]]
			whole := len(star) > 3
			for _, i := range star {
				whole = whole && free(i/4, region[star[0]/4])
			}
			if whole {
				for _, i := range star {
					of[i/4] = count
				}
				count++
			}
		}
	}
	size := make([]int32, count)
	for _, p := range of {
		if p >= 0 {
			size[p]++
		}
	}
	left := make([]int32, 0)
	for e := range of {
		if free(int32(e), region[e]) {
			left = append(left, int32(e))
		}
	}
	for len(left) > 0 {
		rest := left[:0]
		for _, e := range left {
			if p := s.nextPatch(of, size, e); p >= 0 {
				of[e] = p
				size[p]++
			} else {
				rest = append(rest, e)
			}
		}
		if len(rest) == len(left) { // an island without a vertex of its own
			of[rest[0]] = count
			size = append(size, 1)
			count++
			rest = rest[1:]
		}
		left = rest
	}
	return count
}

// nextPatch is the smallest patch that shares a face and the label with Tet4 e.
func (s *system) nextPatch(of, size []int32, e int32) int32 {
	region := s.model.Mesh.Region
	best := int32(-1)
	for _, f := range mesh.TetFaces {
		a, b, c := s.conn[4*int(e)+f[0]], s.conn[4*int(e)+f[1]], s.conn[4*int(e)+f[2]]
		for _, i := range s.adj[s.adjPtr[a]:s.adjPtr[a+1]] {
			o := i / 4
			n := s.conn[4*o : 4*o+4]
			if o == e || of[o] < 0 || region[o] != region[e] || !slices.Contains(n, b) || !slices.Contains(n, c) {
				continue
			}
			if p := of[o]; best < 0 || size[p] < size[best] || size[p] == size[best] && p < best {
				best = p
			}
		}
	}
	return best
}

// dilatations computes θ of every patch at u.
func (s *system) dilatations(u []float64) inversion {
	d := s.dil
	const chunk = 64
	bad := make([]inversion, (len(d.theta)+chunk-1)/chunk)
	s.chunks(len(d.theta), chunk, func(lo, hi int) {
		k := new(scratch)
		bad[lo/chunk].element = -1
		for p := lo; p < hi; p++ {
			var sum float64
			for _, e := range d.members[d.ptr[p]:d.ptr[p+1]] {
				s.gatherU(k, int(e), u)
				for q := range s.nq {
					at := int(e)*s.nq + q
					gradient(&k.f, k.u[:s.k], s.grad[at*s.k:(at+1)*s.k])
					j := k.f.Det()
					if !(j > 0) && (s.alive == nil || s.alive[e]) {
						bad[lo/chunk] = inversion{e, j}
						return
					}
					sum += s.w[at] * j
				}
			}
			d.theta[p] = sum / d.volume[p]
		}
	})
	for _, b := range bad {
		if b.element >= 0 {
			return b
		}
	}
	return inversion{element: -1}
}

// pressure is the volumetric stress that acts in element e: U'(θ), or the
// unknown p in the mixed form.
func (s *system) pressure(e int) float64 {
	p := s.dil.of[e]
	if s.dil.mixed {
		return s.dil.p[p]
	}
	_, du, _ := s.volumetric(int(p))
	return du
}

// volumetric is U, U' and U” of a patch at its θ: the law is that of its first
// element, times the mean of the multipliers.
func (s *system) volumetric(p int) (u, du, ddu float64) {
	d := s.dil
	u, du, ddu = s.reg[s.regOf[d.members[d.ptr[p]]]].vol.Dilatation(d.theta[p])
	m := d.mult[p]
	return m * u, m * du, m * ddu
}

// resetPressures sets the unknowns to U'(θ) at the last state looked at.
func (s *system) resetPressures() {
	for p := range s.dil.p {
		_, s.dil.p[p], _ = s.volumetric(p)
	}
}

// advance writes into next the pressure that belongs to the Newton step du at
// u, p = U'(θ) + U”(θ)·∂θ/∂u·du; theta must be that of u.
func (s *system) advance(next, u, du []float64) {
	d := s.dil
	s.chunks(len(next), 64, func(lo, hi int) {
		k := new(scratch)
		var v [element.Tet10Nodes]r3.Vec
		for p := lo; p < hi; p++ {
			var sum float64
			for _, e := range d.members[d.ptr[p]:d.ptr[p+1]] {
				s.gatherU(k, int(e), u)
				for a, n := range s.conn[int(e)*s.k : (int(e)+1)*s.k] {
					v[a] = r3.Vec{X: du[3*n], Y: du[3*n+1], Z: du[3*n+2]}
				}
				for q := range s.nq {
					at := int(e)*s.nq + q
					g := s.grad[at*s.k : (at+1)*s.k]
					gradient(&k.f, k.u[:s.k], g)
					k.f.Cofactor(&k.cof)
					var h material.Mat3 // ∇du + I
					gradient(&h, v[:s.k], g)
					sum += s.w[at] * (r3.Dot(k.cof[0], h[0]) - k.cof[0].X + r3.Dot(k.cof[1], h[1]) - k.cof[1].Y + r3.Dot(k.cof[2], h[2]) - k.cof[2].Z)
				}
			}
			_, du1, ddu := s.volumetric(p)
			next[p] = du1 + ddu*sum/d.volume[p]
		}
	})
}

// patchTangent adds U”(θ)/V·B⊗B of the Tet4 patches, B = ∫cof F·∇N.
func (s *system) patchTangent(m *sparse.BSR3, u []float64) {
	d := s.dil
	k := new(scratch)
	add := &stiffness{m}
	var b []r3.Vec
	for p := range d.theta {
		nodes := d.nodes[d.nodePtr[p]:d.nodePtr[p+1]]
		b = append(b[:0], make([]r3.Vec, len(nodes))...)
		for _, e := range d.members[d.ptr[p]:d.ptr[p+1]] {
			if s.alive != nil && !s.alive[e] {
				continue
			}
			s.gatherU(k, int(e), u)
			g := s.grad[4*e : 4*e+4]
			gradient(&k.f, k.u[:4], g)
			k.f.Cofactor(&k.cof)
			for a, n := range s.conn[4*e : 4*e+4] {
				at, _ := slices.BinarySearch(nodes, n)
				h := g[a]
				b[at] = r3.Add(b[at], r3.Scale(s.w[e], r3.Add(r3.Scale(h.X, k.cof[0]), r3.Add(r3.Scale(h.Y, k.cof[1]), r3.Scale(h.Z, k.cof[2])))))
			}
		}
		_, _, ddu := s.volumetric(p)
		for i, n := range nodes {
			f := r3.Scale(ddu/d.volume[p], b[i])
			for j := i; j < len(nodes); j++ {
				v := b[j]
				add.add(n, nodes[j], &[9]float64{f.X * v.X, f.X * v.Y, f.X * v.Z, f.Y * v.X, f.Y * v.Y, f.Y * v.Z, f.Z * v.X, f.Z * v.Y, f.Z * v.Z})
			}
		}
	}
}
