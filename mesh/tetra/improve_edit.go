package tetra

import (
	"halsted/imaging"
	"halsted/mesh"
)

// unlink removes t from the list of node v.
func (im *improver) unlink(v, t int32) {
	s := &im.span[v]
	if s.room == 0 {
		return
	}
	list := im.pool[s.off : s.off+s.n]
	for i, x := range list {
		if x == t {
			list[i] = list[len(list)-1]
			s.n--
			return
		}
	}
}

// enlist adds t to the list of node v; a full list moves to the end of the pool.
func (im *improver) enlist(v, t int32) {
	s := &im.span[v]
	if im.flag[v]&nodeNear == 0 {
		return
	}
	if s.n == s.room {
		off := int32(len(im.pool))
		room := s.n + s.n/2 + 4
		im.pool = append(im.pool, im.pool[s.off:s.off+s.n]...)
		for range room - s.n {
			im.pool = append(im.pool, -1)
		}
		s.off, s.room = off, room
	}
	im.pool[s.off+s.n] = t
	s.n++
}

// replace takes the tetrahedra gone out of the mesh and puts made in. regions
// gives the region of each, or is nil when all have that of gone[0]. With good,
// none of them needs work. Old and new share numbers in order, so that few
// lists change.
func (im *improver) replace(gone []int32, made [][4]int32, regions []imaging.Label, good bool) {
	im.step++
	region, origin := im.region[gone[0]], im.from[gone[0]]
	if origin >= 0 {
		origin = ^origin
	}
	for i, t := range gone {
		old := im.tet[t]
		for _, n := range old {
			im.last[n] = im.step
		}
		if i >= len(made) {
			for _, n := range old {
				im.unlink(n, t)
			}
			im.tet[t][0] = -1
			im.free = append(im.free, t)
			continue
		}
		for _, n := range old {
			if cornerOf(&made[i], n) < 0 {
				im.unlink(n, t)
			}
		}
		for _, n := range made[i] {
			if cornerOf(&old, n) < 0 {
				im.enlist(n, t)
			}
		}
		im.tet[t] = made[i]
	}
	for i, v := range made {
		var t int32
		if i < len(gone) {
			t = gone[i]
		} else {
			t = im.number()
			im.tet[t] = v
			for _, n := range v {
				im.enlist(n, t)
			}
		}
		if regions != nil {
			region = regions[i]
		}
		im.region[t], im.from[t], im.shape[t] = region, origin, 0
		for _, n := range v {
			im.last[n] = im.step
		}
		if !good {
			im.queue.push(t, im.quality(t))
		}
	}
}

// number is a free number for a tetrahedron.
func (im *improver) number() int32 {
	if k := len(im.free); k > 0 {
		t := im.free[k-1]
		im.free = im.free[:k-1]
		return t
	}
	im.tet = append(im.tet, [4]int32{})
	im.region = append(im.region, 0)
	im.from = append(im.from, 0)
	im.shape = append(im.shape, 0)
	if im.open != nil {
		im.open = append(im.open, true)
	}
	return int32(len(im.tet) - 1)
}

// finish puts the result into m and completes the report.
func (im *improver) finish(m *mesh.TetMesh) {
	rep := im.rep
	rep.MinAfterDeg, rep.MaxAfterDeg = im.opt.BelowDeg, im.opt.AboveDeg
	if im.from == nil {
		im.startFrom()
	}
	used := make([]bool, len(im.node))
	n := 0
	for t := range im.tet {
		v := im.tet[t]
		if v[0] < 0 {
			continue
		}
		for _, k := range v {
			used[k] = true
		}
		if s := im.shape[t]; s != 0 && float64(s) < im.good {
			rep.BadLeft++
			lo, hi := extremeAngles(im.node[v[0]], im.node[v[1]], im.node[v[2]], im.node[v[3]])
			rep.MinAfterDeg, rep.MaxAfterDeg = min(rep.MinAfterDeg, lo), max(rep.MaxAfterDeg, hi)
		}
		im.tet[n], im.region[n], im.from[n] = v, im.region[t], im.from[t]
		n++
	}
	m.Tets, rep.TetFrom = im.tet[:n:n], im.from[:n:n]
	if m.Region != nil {
		m.Region = im.region[:n:n]
	}
	number := make([]int32, len(im.node))
	k := 0
	for i, p := range im.node {
		if used[i] {
			im.node[k], number[i] = p, int32(k)
			k++
		}
	}
	rep.NodeFrom = make([]int32, 0, k)
	for i, u := range used {
		if u && i < im.inputNodes {
			rep.NodeFrom = append(rep.NodeFrom, int32(i))
		} else if u {
			rep.NodeFrom = append(rep.NodeFrom, -1)
		}
	}
	if k < len(used) {
		for t := range m.Tets {
			v := &m.Tets[t]
			v[0], v[1], v[2], v[3] = number[v[0]], number[v[1]], number[v[2]], number[v[3]]
		}
	}
	m.Nodes = im.node[:k:k]
	rep.VolumeChangeMM3 = map[imaging.Label]float64{}
	for l, d := range im.delta {
		if d != 0 {
			rep.VolumeChangeMM3[imaging.Label(l)] = d / 6
		}
	}
	for _, d := range im.drift {
		rep.SurfaceMM = max(rep.SurfaceMM, float64(d))
	}
}
