package shell

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// growth is a mesh opened along the lumen surface. Nodes of the surface have a
// copy for each part of the room side around them: the tetrahedra of the room
// side hold the copies, the others keep the old nodes. A copy that stays where
// it was is joined again at the end.
type growth struct {
	ctx    context.Context
	m      *mesh.TetMesh
	sides  *sides
	q, qw  bound // of the tissue, of the wall
	layers int

	next [][4]int32 // neighbours of each tetrahedron
	tets [][4]int32 // as m.Tets, with copies
	pos  []r3.Vec   // old nodes, then copies: where they are now
	orig []r3.Vec   // where they were

	base   []int32    // old node of each copy
	faces  [][3]int32 // lumen surface: copies, counter-clockwise seen from the room side
	behind []int32    // tetrahedron of the room side behind each face
	fan    csr        // faces of each copy
	star   csr        // tetrahedra of the room side at each node or copy
	fixed  []bool     // per old node: held by a tetrahedron that is not room

	wanted []float64 // thickness per copy, mm
	height []float64 // what it has now, mm; 0: joined
	dir    []r3.Vec  // offset per mm of thickness; zero: no direction
	reason []Reason  // why height < wanted
	sheets *sheets
	hold   []hold // per old node and copy
}

// csr lists the items of each key: item[start[k]:start[k+1]].
type csr struct{ start, item []int32 }

func (c *csr) of(k int32) []int32 { return c.item[c.start[k]:c.start[k+1]] }

// newCSR sorts (key, item) pairs given by each, twice called, into a csr.
func newCSR(keys int, each func(put func(key, item int32))) csr {
	c := csr{start: make([]int32, keys+2)}
	each(func(k, _ int32) { c.start[k+2]++ })
	for k := 1; k < len(c.start); k++ {
		c.start[k] += c.start[k-1]
	}
	c.item = make([]int32, c.start[keys+1])
	each(func(k, i int32) {
		c.item[c.start[k+1]] = i
		c.start[k+1]++
	})
	return c
}

// copyAt is the copy of node n (≥ len(m.Nodes)) as an index into base.
func (g *growth) copyAt(n int32) int32 { return n - int32(len(g.m.Nodes)) }

// isRoom tells whether tetrahedron t makes room.
func (g *growth) isRoom(t int32) bool { return g.sides.room[g.m.Region[t]] }

// onPatch tells whether face f of the room tetrahedron t belongs to the lumen
// surface.
func (g *growth) onPatch(t int32, f int, where func(r3.Vec) bool) bool {
	l := imaging.LabelBackground
	if o := g.next[t][f]; o >= 0 {
		l = g.m.Region[o]
	}
	if !g.sides.keep[l] {
		return false
	}
	if where == nil {
		return true
	}
	v, c := &g.m.Tets[t], mesh.TetFaces[f]
	return where(r3.Scale(1.0/3, r3.Add(g.m.Nodes[v[c[0]]], r3.Add(g.m.Nodes[v[c[1]]], g.m.Nodes[v[c[2]]]))))
}

// open finds the lumen surface, makes the copies and hands them to the
// tetrahedra of the room side.
func (g *growth) open(opt Options) error {
	m := g.m
	g.fixed = make([]bool, len(m.Nodes))
	type place struct{ tet, face int32 }
	var patch []place
	onSurface := make([]bool, len(m.Nodes))
	for t, v := range m.Tets {
		if t&0xffff == 0 && g.ctx.Err() != nil {
			return g.ctx.Err()
		}
		if !g.isRoom(int32(t)) {
			for _, n := range v {
				g.fixed[n] = true
			}
			continue
		}
		for f, c := range mesh.TetFaces {
			if g.onPatch(int32(t), f, opt.Where) {
				patch = append(patch, place{int32(t), int32(f)})
				for _, i := range c {
					onSurface[v[i]] = true
				}
			}
		}
	}
	if len(patch) == 0 {
		return &NoLumenError{Lumen: opt.Lumen, Found: regions(m)}
	}
	// room tetrahedra around each surface node, and their parts
	around := newCSR(len(m.Nodes), func(put func(k, i int32)) {
		for t, v := range m.Tets {
			if g.isRoom(int32(t)) {
				for _, n := range v {
					if onSurface[n] {
						put(n, int32(t))
					}
				}
			}
		}
	})
	g.tets = append([][4]int32(nil), m.Tets...)
	root := make([]int32, 0, 64)
	find := func(i int32) int32 {
		for root[i] != i {
			i = root[i]
		}
		return i
	}
	local := make([]int32, len(m.Tets)) // tetrahedron → 1 + place in the list of the node at hand
	// corners of tetrahedra on the patch: a part gets a copy only when it has
	// a face of the patch at this node
	patchFaces := make([]uint8, len(m.Tets))
	for _, p := range patch {
		patchFaces[p.tet] |= 1 << p.face
	}
	for n := range int32(len(m.Nodes)) {
		list := around.of(n)
		if len(list) == 0 {
			continue
		}
		root = root[:0]
		for i, t := range list {
			root = append(root, int32(i))
			local[t] = int32(i) + 1
		}
		for i, t := range list {
			for f, o := range g.next[t] {
				if o < 0 || m.Tets[t][f] == n || local[o] == 0 {
					continue
				}
				if a, b := find(int32(i)), find(local[o]-1); a != b {
					root[max(a, b)] = min(a, b)
				}
			}
		}
		for _, t := range list {
			local[t] = 0
		}
		for i := range list {
			if find(int32(i)) != int32(i) {
				continue
			}
			has := false
			for j, o := range list {
				if find(int32(j)) == int32(i) {
					for f := range 4 {
						has = has || patchFaces[o]>>f&1 == 1 && m.Tets[o][f] != n
					}
				}
			}
			if !has {
				continue
			}
			id := int32(len(m.Nodes) + len(g.base))
			g.base = append(g.base, n)
			for j, o := range list {
				if find(int32(j)) == int32(i) {
					for c, x := range m.Tets[o] {
						if x == n {
							g.tets[o][c] = id
						}
					}
				}
			}
		}
	}
	if len(m.Nodes) > 1<<31-1-(MaxLayers+1)*len(g.base) {
		return fmt.Errorf("shell: %d nodes and %d of the lumen surface in %d layers are too many to number", len(m.Nodes), len(g.base), g.layers)
	}
	g.orig = append([]r3.Vec(nil), m.Nodes...)
	for _, b := range g.base {
		g.orig = append(g.orig, m.Nodes[b])
		g.fixed[b] = true
	}
	g.pos = append([]r3.Vec(nil), g.orig...)
	for _, p := range patch {
		v, c := &g.tets[p.tet], mesh.TetFaces[p.face]
		g.faces = append(g.faces, [3]int32{g.copyAt(v[c[0]]), g.copyAt(v[c[2]]), g.copyAt(v[c[1]])})
		g.behind = append(g.behind, p.tet)
	}
	g.fan = newCSR(len(g.base), func(put func(k, i int32)) {
		for f, v := range g.faces {
			for _, c := range v {
				put(c, int32(f))
			}
		}
	})
	g.star = newCSR(len(g.pos), func(put func(k, i int32)) {
		for t, v := range g.tets {
			if g.isRoom(int32(t)) {
				for _, n := range v {
					put(n, int32(t))
				}
			}
		}
	})
	g.height = make([]float64, len(g.base))
	g.wanted = make([]float64, len(g.base))
	g.reason = make([]Reason, len(g.base))
	for c, b := range g.base {
		t := opt.ThicknessMM
		if opt.ThicknessAt != nil {
			t = opt.ThicknessAt(m.Nodes[b])
			if !goodThickness(t) {
				return &ThicknessError{Node: b, AtMM: m.Nodes[b], ThicknessMM: t}
			}
		}
		g.wanted[c], g.height[c] = t, t
	}
	g.sheets = g.newSheets(patchFaces)
	g.closeEdges(patchFaces)
	return g.ctx.Err()
}

// closeEdges joins the copies at which the wall cannot end in the open: at a
// face shared with a meshed region that does not make room, and at an edge
// where more than two faces of the surface meet on the same copies.
func (g *growth) closeEdges(patchFaces []uint8) {
	for c := range g.base {
		n := int32(len(g.m.Nodes) + c)
		for _, t := range g.star.of(n) {
			for f, o := range g.next[t] {
				if o >= 0 && !g.isRoom(o) && g.tets[t][f] != n && patchFaces[t]>>f&1 == 0 {
					g.height[c] = 0
				}
			}
		}
		// edges of the fan: far ends, each at most twice
		fan := g.fan.of(int32(c))
		for _, f := range fan {
			for _, b := range g.faces[f] {
				count := 0
				for _, o := range fan {
					v := &g.faces[o]
					if b != int32(c) && (v[0] == b || v[1] == b || v[2] == b) {
						count++
					}
				}
				if count > 2 {
					g.height[c] = 0
				}
			}
		}
	}
}

// regions lists the labels of m, ascending.
func regions(m *mesh.TetMesh) []imaging.Label {
	var seen [256]bool
	for _, l := range m.Region {
		seen[l] = true
	}
	var out []imaging.Label
	for l, s := range seen {
		if s {
			out = append(out, imaging.Label(l))
		}
	}
	return out
}
