package tetra

import (
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// flatTol is the departure from a plane, as a fraction of the edges, that
// counts as none: far above rounding, far below any geometry.
const flatTol = 1e-9

// flipGain looks at the edge between a and b as one where two interface (or
// outer) faces meet, with one region on each side, and returns the least shape
// that is left when the other diagonal of the two faces becomes the edge
// instead; 0 when it does not beat bound and what is there, or when the surface
// would move too far. Both regions around the edge are triangulated anew
// (edge removal with a chord that must be there); where a region has but one
// tetrahedron at the edge, that one is flat between the diagonals and goes.
//
// The surfaces differ by no more than the distance between the diagonals: cut
// both at the feet X, Y of their common perpendicular; the four triangles at X
// become those at Y by moving X to Y.
func (im *improver) flipGain(a, b int32, bound float64) float64 {
	if !im.findRing(a, b) {
		return 0
	}
	r, h := &im.ring, &im.flip
	n := r.n
	cut := n // r.v[0] and r.v[cut] are the far corners of the two faces
	if r.closed {
		if n < 3 {
			return 0
		}
		first, changes := -1, 0
		for i := range n {
			if im.region[r.t[i]] != im.region[r.t[(i+1)%n]] {
				first = i
				changes++
			}
		}
		if changes != 2 {
			return 0
		}
		r.turn(first + 1)
		cut = 1
		for im.region[r.t[cut]] == im.region[r.t[0]] {
			cut++
		}
		r.v[n] = r.v[0]
	} else {
		for i := range n - 1 {
			if im.region[r.t[i]] != im.region[r.t[i+1]] {
				return 0
			}
		}
	}
	h.c, h.d, h.cut = r.v[0], r.v[cut], cut
	if im.flag[h.c]&im.flag[h.d]&nodeNear == 0 {
		return 0
	}
	gap, ok := diagonalGap(im.node[r.a], im.node[r.b], im.node[h.c], im.node[h.d])
	if !ok {
		return 0
	}
	h.drift = im.driftOf(r.a, r.b, h.c, h.d) + float32(gap)
	if float64(h.drift) > im.opt.MaxSurfaceMM && gap > flatTol*im.reachOf(h.c, h.d) {
		return 0
	}
	bound = max(bound, minGain*im.worstOf(r.t[:n]))
	for i := range n + 1 {
		if i < n || !r.closed {
			im.fill.p[i] = im.node[r.v[i]]
		} else {
			im.fill.p[i] = im.fill.p[0]
		}
	}
	gain := math.Inf(1)
	if cut == 1 {
		if !im.buried(h.c, h.d, im.region[r.t[0]]) {
			return 0
		}
	} else {
		if !r.closed && im.joined(h.c, h.d) {
			return 0
		}
		if gain = im.fillRing(0, cut, bound); gain <= bound {
			return 0
		}
	}
	if r.closed {
		if n-cut == 1 {
			if !im.buried(h.c, h.d, im.region[r.t[cut]]) {
				return 0
			}
		} else if gain = min(gain, im.fillRing(cut, n, bound)); gain <= bound {
			return 0
		}
	}
	return gain
}

// surfaceFlip is what flipGain found.
type surfaceFlip struct {
	c, d  int32 // the new edge
	cut   int
	drift float32
}

// turn makes the i-th node of a closed ring its first.
func (r *edgeRing) turn(i int) {
	v, t := r.v, r.t
	for k := range r.n {
		r.v[k], r.t[k] = v[(i+k)%r.n], t[(i+k)%r.n]
	}
}

// diagonalGap is the distance between the segments ab and cd when the feet of
// their common perpendicular lie inside both.
func diagonalGap(a, b, c, d r3.Vec) (gap float64, ok bool) {
	u, v, w := r3.Sub(b, a), r3.Sub(d, c), r3.Sub(a, c)
	uu, uv, vv := r3.Dot(u, u), r3.Dot(u, v), r3.Dot(v, v)
	uw, vw := r3.Dot(u, w), r3.Dot(v, w)
	det := uu*vv - uv*uv
	if !(det > 1e-6*uu*vv) { // nearly parallel: no quadrilateral
		return 0, false
	}
	s, t := (uv*vw-vv*uw)/det, (uu*vw-uv*uw)/det
	if !(s > 0 && s < 1 && t > 0 && t < 1) {
		return 0, false
	}
	return r3.Norm(r3.Sub(r3.Add(w, r3.Scale(s, u)), r3.Scale(t, v))), true
}

// driftOf is the largest drift of the nodes.
func (im *improver) driftOf(v ...int32) (d float32) {
	for _, n := range v {
		d = max(d, im.drift[n])
	}
	return d
}

func (im *improver) reachOf(a, b int32) float64 { return r3.Norm(r3.Sub(im.node[a], im.node[b])) }

// joined tells whether there is an edge between two nodes.
func (im *improver) joined(a, b int32) bool {
	for _, t := range im.starOf(a) {
		if cornerOf(&im.tet[t], b) >= 0 {
			return true
		}
	}
	return false
}

// buried tells whether every face at the edge between a and b lies inside the
// region, so that an edge of the surface may come to lie there without
// touching another.
func (im *improver) buried(a, b int32, region imaging.Label) bool {
	if im.flag[a]&im.flag[b]&nodeSurface == 0 {
		return true
	}
	n, sum := 0, int64(0)
	for _, t := range im.starOf(a) {
		v := &im.tet[t]
		j := cornerOf(v, b)
		if j < 0 {
			continue
		}
		if im.region[t] != region {
			return false
		}
		k := evenRest[cornerOf(v, a)][j]
		n++
		// a closed ring leaves every node as often as it reaches it
		sum += int64(scatter(uint64(v[k[0]]))) - int64(scatter(uint64(v[k[1]])))
	}
	return n > 0 && sum == 0
}

// flipEdge carries out what flipGain found last, a gain of q.
func (im *improver) flipEdge(q float64) bool {
	r, f, h := &im.ring, &im.fill, &im.flip
	f.n = 0
	f.triangles(0, h.cut)
	first := f.n
	if r.closed {
		f.triangles(h.cut, r.n)
	}
	im.made, im.madeR = im.made[:0], im.madeR[:0]
	for i, q := range f.tri[:f.n] {
		x, y, z := r.v[q[0]], r.v[q[1]], r.v[q[2]]
		im.made = append(im.made, [4]int32{r.a, x, y, z}, [4]int32{x, y, z, r.b})
		region := im.region[r.t[0]]
		if i >= first {
			region = im.region[r.t[h.cut]]
		}
		im.madeR = append(im.madeR, region, region)
	}
	im.gone = append(im.gone[:0], r.t[:r.n]...)
	if q < im.good && im.worse(im.gone, im.made) {
		return false
	}
	im.account(im.gone, im.made, im.madeR)
	for _, n := range [4]int32{r.a, r.b, h.c, h.d} {
		im.drift[n] = h.drift
	}
	im.replace(im.gone, im.made, im.madeR, q >= im.good)
	im.rep.SurfaceFlips++
	return true
}

// account notes by how much an operation changes the volumes of regions.
func (im *improver) account(gone []int32, made [][4]int32, regions []imaging.Label) {
	for _, t := range gone {
		v := im.tet[t]
		im.delta[im.region[t]] -= signed6(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]])
	}
	for i, v := range made {
		im.delta[regions[i]] += signed6(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]])
	}
}

// flipSurface makes the best flip of an edge of tetrahedron t that lies on the
// surface, if any helps.
func (im *improver) flipSurface(t int32) bool {
	v := im.tet[t]
	best, edge := 0.0, -1
	for e, c := range mesh.TetEdges {
		a, b := v[c[0]], v[c[1]]
		if im.flag[a]&im.flag[b]&nodeSurface == 0 {
			continue
		}
		g := im.flipGain(a, b, best)
		if g >= im.good {
			return im.flipEdge(g)
		}
		if g > best {
			best, edge = g, e
		}
	}
	if edge < 0 {
		return false
	}
	c := mesh.TetEdges[edge]
	im.flipGain(v[c[0]], v[c[1]], 0)
	return im.flipEdge(best)
}
