package tetra

import "halsted/imaging"

// collapse takes a node of tetrahedron t out by moving it into another: the
// tetrahedra around it that hold the other go, the rest hold the other instead.
// All new tetrahedra being positive they fill the star of the node exactly,
// seen from the other. A node on a surface moves into a neighbour on that
// surface, as far as the surface may move.
func (im *improver) collapse(t int32) bool {
	v := im.tet[t]
	best := 0.0
	var from, to int32
	for _, a := range v {
		flag := im.flag[a]
		if flag&^nodeSurface != nodeNear || !im.loose(a) {
			continue
		}
		fan := false
		bound := max(best, minGain*im.worstOf(im.starOf(a)))
		for _, b := range v {
			if b == a {
				continue
			}
			q := im.collapseGain(a, b, bound)
			if q <= bound {
				continue
			}
			if flag&nodeSurface != 0 {
				if !fan && !im.findFan(a) {
					break
				}
				if fan = true; !im.mayFold(a, b) {
					continue
				}
			}
			bound, best, from, to = q, q, a, b
			if q >= im.good {
				return im.merge(from, to, q)
			}
		}
	}
	return best > 0 && im.merge(from, to, best)
}

// loose tells whether all tetrahedra around a node may change.
func (im *improver) loose(v int32) bool {
	list := im.starOf(v)
	if len(list) > maxStar {
		return false
	}
	for _, t := range list {
		if !im.mayChange(t) {
			return false
		}
	}
	return true
}

// collapseGain is the least shape around node a once it is moved into b, or 0
// when that is at most bound.
func (im *improver) collapseGain(a, b int32, bound float64) float64 {
	least := 1.0
	p := im.node[b]
	var had, has [4]uint64 // regions around a, by bit
	for _, t := range im.starOf(a) {
		v := &im.tet[t]
		r := im.region[t]
		had[r>>6] |= 1 << (r & 63)
		if cornerOf(v, b) >= 0 {
			continue
		}
		has[r>>6] |= 1 << (r & 63)
		e := &evenFirst[cornerOf(v, a)]
		q := tetShape(p, im.node[v[e[1]]], im.node[v[e[2]]], im.node[v[e[3]]], im.obtuse)
		if q <= bound {
			return 0
		}
		least = min(least, q)
	}
	if had != has { // the last tetrahedron of a part must not go
		return 0
	}
	return least
}

// mayFold tells whether node a, whose fan is in im.fan, may move into b as far
// as the surface is concerned: b is on the fan, no other sheet of a surface
// would be touched, and the surface stays where it may be.
func (im *improver) mayFold(a, b int32) bool {
	f := &im.fan
	at := -1
	for i, u := range f.u[:f.n] {
		if u == b {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	for i, u := range f.u[:f.n] {
		if d := (i - at + f.n) % f.n; d > 1 && d < f.n-1 && (im.flag[u]&nodeNear == 0 || !im.clear(u, b)) {
			return false
		}
	}
	im.mover = a
	gap, ok := im.deviation(im.node[a], im.node[b])
	im.gap = float32(gap)
	return ok && im.mayDrift(float64(im.fanDrift())+gap, gap, im.reachOf(a, b))
}

// clear tells whether an edge between two nodes either does not exist or lies
// inside a region.
func (im *improver) clear(a, b int32) bool {
	for _, t := range im.starOf(a) {
		if cornerOf(&im.tet[t], b) >= 0 {
			return im.buried(a, b, im.region[t])
		}
	}
	return true
}

// merge moves node a into b, a gain of q.
func (im *improver) merge(a, b int32, q float64) bool {
	onSurface := im.flag[a]&nodeSurface != 0
	if onSurface && !(im.findFan(a) && im.mayFold(a, b)) {
		return false
	}
	im.gone, im.made, im.madeR = append(im.gone[:0], im.starOf(a)...), im.made[:0], im.madeR[:0]
	for _, t := range im.gone {
		v := im.tet[t]
		if cornerOf(&v, b) < 0 {
			v[cornerOf(&v, a)] = b
			im.made, im.madeR = append(im.made, v), append(im.madeR, im.region[t])
		}
	}
	if q < im.good && im.worse(im.gone, im.made) {
		return false
	}
	regions := []imaging.Label(nil)
	if onSurface {
		regions = im.madeR
		im.account(im.gone, im.made, regions)
		im.spread(im.fanDrift() + im.gap)
	}
	im.replace(im.gone, im.made, regions, q >= im.good)
	im.rep.Collapses++
	return true
}
