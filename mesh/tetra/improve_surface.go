package tetra

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// maxFan bounds the surface faces around a node that is moved along the surface.
const maxFan = 32

// surfaceFan is what the surface looks like around a node: the faces (node,
// u[i], u[i+1]) in a cycle, all between the same two regions. At a node that
// has no such fan (junctions, rims, touching sheets) n is 0.
type surfaceFan struct {
	n      int
	u      [maxFan + 1]int32 // u[n] = u[0]
	normal r3.Vec            // unit

	// faces of the star, by link edge: open addressing
	key  [1024]uint64
	slot [1024]int32
	tag  [1024]uint32
	turn uint32
	// the faces as they are met, from lo[i] to hi[i]
	lo, hi [maxFan]int32
}

// findFan fills im.fan for node v and tells whether v has a fan.
func (im *improver) findFan(v int32) bool {
	f := &im.fan
	f.n = 0
	f.turn++
	list := im.starOf(v)
	if len(list) > maxStar {
		return false
	}
	first := im.region[list[0]]
	two, second := false, first
	// every link edge is met once per tetrahedron at its face; the surface
	// faces are those met once, or from two regions
	for n, t := range list {
		w := &im.tet[t]
		if r := im.region[t]; r != first {
			if two && r != second {
				return false
			}
			two, second = true, r
		}
		e := &evenFirst[cornerOf(w, v)]
		l := [3]int32{w[e[1]], w[e[2]], w[e[3]]}
		for i, a := range l {
			f.meet(a, l[(i+1)%3], int32(n))
		}
	}
	// collect the faces of the first region, in order of the star
	m := 0
	for _, t := range list {
		if im.region[t] != first {
			continue
		}
		w := &im.tet[t]
		e := &evenFirst[cornerOf(w, v)]
		l := [3]int32{w[e[1]], w[e[2]], w[e[3]]}
		for i, a := range l {
			b := l[(i+1)%3]
			o := f.beyond(a, b)
			if o >= 0 && im.region[list[o]] == first {
				continue
			}
			if o < 0 && two {
				return false // two regions and the outside
			}
			if m == maxFan {
				return false
			}
			f.lo[m], f.hi[m] = a, b
			m++
		}
	}
	if m < 3 {
		return false
	}
	// chain
	f.u[0] = f.lo[0]
	at := 0
	for i := 1; i <= m; i++ {
		end := f.hi[at]
		f.u[i] = end
		if i == m {
			break
		}
		at = -1
		for j := 1; j < m; j++ {
			if f.lo[j] == end {
				if at >= 0 {
					return false
				}
				at = j
			}
		}
		if at < 0 {
			return false
		}
	}
	if f.u[m] != f.u[0] {
		return false
	}
	f.n = m
	var sum r3.Vec
	p := im.node[v]
	for i := range m {
		sum = r3.Add(sum, r3.Cross(r3.Sub(im.node[f.u[i]], p), r3.Sub(im.node[f.u[i+1]], p)))
	}
	l := r3.Norm(sum)
	if !(l > 0) {
		return false
	}
	f.normal = r3.Scale(1/l, sum)
	return true
}

// meet notes that tetrahedron n of the star has the link edge from a to b.
func (f *surfaceFan) meet(a, b, n int32) {
	k := uint64(uint32(a))<<32 | uint64(uint32(b))
	i := scatter(k) & 1023
	for f.tag[i] == f.turn {
		i = (i + 1) & 1023
	}
	f.tag[i], f.key[i], f.slot[i] = f.turn, k, n
}

// beyond is the tetrahedron of the star on the other side of the link edge from
// a to b, where it runs from b to a; −1: none.
func (f *surfaceFan) beyond(a, b int32) int32 {
	k := uint64(uint32(b))<<32 | uint64(uint32(a))
	for i := scatter(k) & 1023; f.tag[i] == f.turn; i = (i + 1) & 1023 {
		if f.key[i] == k {
			return f.slot[i]
		}
	}
	return -1
}

// deviation is how far the surface moves along its normal when its node goes
// from p to to, that is, when the faces (p, u, u') become (to, u, u'), or, with
// to at one of the u, the fan from there. Both are graphs over the plane across
// the normal, so the difference is largest at p, at to, or where an edge at p
// crosses an edge at to. ok is false when the new faces fold over.
func (im *improver) deviation(p, to r3.Vec) (gap float64, ok bool) {
	f := &im.fan
	n := f.normal
	// coordinates across the normal
	e := r3.Vec{X: 1}
	if math.Abs(n.X) > 0.6 {
		e = r3.Vec{Y: 1}
	}
	e = r3.Unit(r3.Cross(n, e))
	g := r3.Cross(n, e)
	flat := func(q r3.Vec) r3.Vec {
		q = r3.Sub(q, p)
		return r3.Vec{X: r3.Dot(q, e), Y: r3.Dot(q, g), Z: r3.Dot(q, n)}
	}
	var u [maxFan + 1]r3.Vec
	for i := range f.n {
		u[i] = flat(im.node[f.u[i]])
	}
	u[f.n] = u[0]
	var a r3.Vec // p
	b := flat(to)
	if gap, ok = fanHeight(u[:f.n+1], a, b); !ok {
		return 0, false
	}
	h, ok := fanHeight(u[:f.n+1], b, a)
	if !ok {
		return 0, false
	}
	gap = max(gap, h)
	for i := range f.n {
		for j := range f.n {
			if i == j {
				continue
			}
			// a + s (u_i − a) = b + t (u_j − b)
			dx, dy := u[i].X-a.X, u[i].Y-a.Y
			ex, ey := u[j].X-b.X, u[j].Y-b.Y
			det := dx*ey - dy*ex
			if det == 0 {
				continue
			}
			wx, wy := b.X-a.X, b.Y-a.Y
			s, t := (wx*ey-wy*ex)/det, (wx*dy-wy*dx)/det
			if s > 0 && s < 1 && t > 0 && t < 1 {
				gap = max(gap, math.Abs(a.Z+s*(u[i].Z-a.Z)-b.Z-t*(u[j].Z-b.Z)))
			}
		}
	}
	return gap, true
}

// fanHeight is the distance along z between q and the fan of triangles from
// apex over the closed polygon u. ok is false when the fan folds over, seen
// along z, or does not hold q. Triangles without extent at the apex are passed
// over.
func fanHeight(u []r3.Vec, apex, q r3.Vec) (gap float64, ok bool) {
	best := math.Inf(-1)
	for i := range len(u) - 1 {
		ax, ay := u[i].X-apex.X, u[i].Y-apex.Y
		bx, by := u[i+1].X-apex.X, u[i+1].Y-apex.Y
		area := ax*by - ay*bx
		if u[i] == apex || u[i+1] == apex {
			continue
		}
		if !(area > 0) {
			return 0, false
		}
		x, y := q.X-apex.X, q.Y-apex.Y
		s, t := (x*by-y*bx)/area, (ax*y-ay*x)/area
		if in := min(s, t, 1-s-t); in > best {
			best = in
			gap = math.Abs(apex.Z + s*(u[i].Z-apex.Z) + t*(u[i+1].Z-apex.Z) - q.Z)
		}
	}
	return gap, best > -1e-6
}

// Where the node being smoothed may go.
const (
	goFree    = iota // anywhere
	goTangent        // in the plane across im.fan.normal, then through limit
	goProject        // through limit
)

// along takes a direction to the ones the node may go.
func (im *improver) along(d r3.Vec) r3.Vec {
	if im.mode != goTangent {
		return d
	}
	n := im.fan.normal
	return r3.Sub(d, r3.Scale(r3.Dot(d, n), n))
}

// limit puts a place tried for node im.mover on the surface; false when the
// node may not go there.
func (im *improver) limit(to r3.Vec) (r3.Vec, bool) {
	if im.mode == goFree {
		return to, true
	}
	if im.opt.Project != nil {
		return im.opt.Project(to, im.mover)
	}
	gap, ok := im.deviation(im.node[im.mover], to)
	return to, ok && im.mayDrift(float64(im.fanDrift())+gap, gap, im.star.reach)
}

// mayDrift tells whether the surface may be moved by gap, when it is then at
// most total from where it was at first; size is the size of the edges there.
func (im *improver) mayDrift(total, gap, size float64) bool {
	return total <= im.opt.MaxSurfaceMM || gap <= flatTol*size
}

// fanDrift is the largest drift of the fan and its node.
func (im *improver) fanDrift() float32 {
	d := im.drift[im.mover]
	for _, n := range im.fan.u[:im.fan.n] {
		d = max(d, im.drift[n])
	}
	return d
}

// spread notes that the surface at the fan and its node may be off by d.
func (im *improver) spread(d float32) {
	im.drift[im.mover] = d
	for _, n := range im.fan.u[:im.fan.n] {
		im.drift[n] = d
	}
}

// smoothSurface moves a node on the surface along it.
func (im *improver) smoothSurface(v int32) bool {
	im.mover = v
	fan := im.findFan(v)
	switch {
	case fan:
		im.mode = goTangent
	case im.opt.Project != nil:
		im.mode = goProject
	default:
		return false
	}
	defer func() { im.mode = goFree }()
	if !im.gather(v) {
		return false
	}
	from := im.node[v]
	p, ok := im.climb(v)
	if !ok {
		return false
	}
	if im.opt.Project == nil {
		gap, ok := im.deviation(from, p) // over all steps
		d := im.fanDrift() + float32(gap)
		if !ok || !im.mayDrift(float64(d), gap, im.star.reach) {
			return false
		}
		im.spread(d)
	}
	im.weigh(v, -1)
	im.settle(v, p)
	im.weigh(v, 1)
	return true
}

// weigh adds the volumes around node v, times sign, to the regions' changes.
func (im *improver) weigh(v int32, sign float64) {
	for _, t := range im.starOf(v) {
		w := im.tet[t]
		im.delta[im.region[t]] += sign * signed6(im.node[w[0]], im.node[w[1]], im.node[w[2]], im.node[w[3]])
	}
}
