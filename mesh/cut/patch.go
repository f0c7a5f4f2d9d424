package cut

import (
	"context"
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// patch is the neighbourhood of a cut: every tetrahedron that shares a vertex
// with one the surface crosses. Its nodes are numbered for themselves: first
// those of the mesh, then one for each crossing of an edge.
type patch struct {
	m    *mesh.TetMesh
	f    field
	k    bounds
	ctx  context.Context
	tick int

	node []int32   // node of the mesh; only of the first len(node) patch nodes
	pos  []r3.Vec  // of nodes, then of crossings
	dist []float64 // signed distance to the surface, mm; of nodes, then of crossings
	side []int8    // −1, 0 (the node belongs to both sides), +1
	tol  float64   // mm; a node nearer than this is on the surface
	near []bool    // all tetrahedra around the node are in the patch

	tet   []int32    // tetrahedron of the mesh
	vert  [][4]int32 // patch nodes
	keep  []float64  // the shape that its pieces must keep
	mixed []int32    // index in cross, −1 when no edge is crossed
	cross [][6]int32 // crossing of each edge in the order of mesh.TetEdges, or −1

	corners int // corner nodes of the mesh

	edge [][2]int32 // ends of each crossing, lower node of the mesh first
	home []int32    // a tetrahedron with that edge
	t    []float64  // place from the first end to the second; −1: not on the surface proper
	at   []r3.Vec   // the crossings as they were found

	start, star []int32 // tetrahedra around each near node
	fans        fans
	goals       []r3.Vec

	whole whole   // the tetrahedra before split
	used  []bool  // crossings that became nodes
	slid  []int32 // patch nodes that slid along walls that are not flat

	keepBoundary bool
}

// zeroShare is the share of the mesh's largest coordinate below which a
// distance is taken for rounding and the node for one on the surface.
const zeroShare = 1e-13

// onShare is the share of a mean edge within which a node counts as on the surface.
const onShare = 1e-7

const (
	bitMinus = 1 << iota
	bitPlus
	bitZero
)

// newPatch finds the crossed tetrahedra and their surroundings. It returns nil
// when the surface has nothing of the mesh on one of its sides.
func newPatch(ctx context.Context, m *mesh.TetMesh, f field, k bounds, corners int) (*patch, error) {
	dist := make([]float64, corners)
	f.sides(m, dist)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var big float64
	for _, p := range m.Nodes[:corners] {
		big = max(big, math.Abs(p.X), math.Abs(p.Y), math.Abs(p.Z))
	}
	zero := zeroShare * big
	code := make([]uint8, corners)
	for n, d := range dist {
		switch {
		case d < -zero:
			code[n] = bitMinus
		case d > zero:
			code[n] = bitPlus
		case d == d:
			code[n] = bitZero
		}
	}
	near := make([]bool, corners)
	crossed := 0
	for _, v := range m.Tets {
		o := code[v[0]] | code[v[1]] | code[v[2]] | code[v[3]]
		switch {
		case o&(bitMinus|bitPlus) == bitMinus|bitPlus:
			near[v[0]], near[v[1]], near[v[2]], near[v[3]] = true, true, true, true
			crossed++
		case o&bitZero != 0:
			for _, n := range v {
				near[n] = near[n] || code[n] == bitZero
			}
		}
	}
	count := 0
	for _, v := range m.Tets {
		if near[v[0]] || near[v[1]] || near[v[2]] || near[v[3]] {
			count++
		}
	}
	if count == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &patch{m: m, f: f, k: k, ctx: ctx, corners: corners,
		tet: make([]int32, 0, count), vert: make([][4]int32, 0, count), keep: make([]float64, 0, count),
		mixed: make([]int32, 0, count), cross: make([][6]int32, 0, crossed),
	}
	number := make([]int32, corners) // patch node + 1
	guess := count/3 + 64
	p.node, p.pos, p.dist = make([]int32, 0, guess), make([]r3.Vec, 0, 2*guess), make([]float64, 0, 2*guess)
	p.side, p.near = make([]int8, 0, guess), make([]bool, 0, guess)
	for t, v := range m.Tets {
		if !(near[v[0]] || near[v[1]] || near[v[2]] || near[v[3]]) {
			continue
		}
		var w [4]int32
		for i, n := range v {
			if number[n] == 0 {
				d, s := dist[n], int8(0)
				if d != d {
					d = f.at(m.Nodes[n]).dist
				}
				if d < -zero {
					s = -1
				} else if d > zero {
					s = 1
				} else {
					d = 0
				}
				p.node = append(p.node, n)
				p.pos = append(p.pos, m.Nodes[n])
				p.dist = append(p.dist, d)
				p.side = append(p.side, s)
				p.near = append(p.near, near[n])
				number[n] = int32(len(p.node))
			}
			w[i] = number[n] - 1
		}
		s := k.shape(p.pos[w[0]], p.pos[w[1]], p.pos[w[2]], p.pos[w[3]])
		if s == flatShape {
			a, b, c, d := p.pos[w[0]], p.pos[w[1]], p.pos[w[2]], p.pos[w[3]]
			return nil, &mesh.InvertedError{Element: t, DetJ: mesh.Signed6(a, b, c, d), AtMM: centroid(a, b, c, d)}
		}
		p.tet = append(p.tet, int32(t))
		p.vert = append(p.vert, w)
		p.keep = append(p.keep, min(1, s))
	}
	var volume float64
	for _, v := range p.vert {
		volume += mesh.Signed6(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]])
	}
	p.tol = max(zero, onShare*math.Cbrt(volume/float64(len(p.vert))))
	p.index()
	return p, ctx.Err()
}

// index lists the tetrahedra around each near node.
func (p *patch) index() {
	p.start = make([]int32, len(p.near)+2)
	for _, v := range p.vert {
		for _, n := range v {
			if p.near[n] {
				p.start[n+2]++
			}
		}
	}
	for n := 2; n < len(p.start); n++ {
		p.start[n] += p.start[n-1]
	}
	p.star = make([]int32, p.start[len(p.start)-1])
	for t, v := range p.vert {
		for _, n := range v {
			if p.near[n] {
				p.star[p.start[n+1]] = int32(t)
				p.start[n+1]++
			}
		}
	}
}

// around are the tetrahedra that hold near node n.
func (p *patch) around(n int32) []int32 { return p.star[p.start[n]:p.start[n+1]] }

// stopped looks at the context once in a few hundred calls.
func (p *patch) stopped() error {
	if p.tick++; p.tick&255 == 0 {
		return p.ctx.Err()
	}
	return nil
}

// findCrossings makes a node for every edge between opposite sides, where the
// surface itself and not its prolongation crosses it.
func (p *patch) findCrossings() error {
	for range p.vert {
		p.mixed = append(p.mixed, -1)
	}
	size := 64
	for size < 4*cap(p.cross) {
		size *= 2
	}
	slot := make([]int32, size) // crossing + 1
	for t, v := range p.vert {
		row := [6]int32{-1, -1, -1, -1, -1, -1}
		any := false
		for e, c := range mesh.TetEdges {
			a, b := v[c[0]], v[c[1]]
			if int(p.side[a])*int(p.side[b]) >= 0 {
				continue
			}
			if p.node[a] > p.node[b] {
				a, b = b, a
			}
			h := (uint32(a)*0x9e3779b1 ^ uint32(b)*0x85ebca6b) >> 3 & uint32(size-1)
			for slot[h] != 0 && p.edge[slot[h]-1] != [2]int32{a, b} {
				h = (h + 1) & uint32(size-1)
			}
			if slot[h] == 0 {
				if 2*len(p.edge) >= size {
					slot = p.rehash(&size)
					h = (uint32(a)*0x9e3779b1 ^ uint32(b)*0x85ebca6b) >> 3 & uint32(size-1)
					for slot[h] != 0 {
						h = (h + 1) & uint32(size-1)
					}
				}
				if err := p.stopped(); err != nil {
					return err
				}
				p.edge = append(p.edge, [2]int32{a, b})
				p.home = append(p.home, int32(t))
				p.t = append(p.t, p.crossing(a, b))
				slot[h] = int32(len(p.edge))
			}
			if id := slot[h] - 1; p.t[id] >= 0 {
				row[e] = id
				any = true
			}
		}
		if any {
			p.mixed[t] = int32(len(p.cross))
			p.cross = append(p.cross, row)
		}
	}
	for e, ab := range p.edge {
		p.pos = append(p.pos, mix(p.pos[ab[0]], p.pos[ab[1]], p.t[e]))
		p.dist = append(p.dist, 0)
	}
	return nil
}

func (p *patch) rehash(size *int) []int32 {
	*size *= 2
	slot := make([]int32, *size)
	for i, ab := range p.edge {
		h := (uint32(ab[0])*0x9e3779b1 ^ uint32(ab[1])*0x85ebca6b) >> 3 & uint32(*size-1)
		for slot[h] != 0 {
			h = (h + 1) & uint32(*size-1)
		}
		slot[h] = int32(i + 1)
	}
	return slot
}

// rootShare is the accuracy of a crossing as a share of its edge.
const rootShare = 1e-9

// crossing is where the surface crosses the edge from a to b, which lie on
// opposite sides; −1 when only the prolongation of the surface does.
func (p *patch) crossing(a, b int32) float64 {
	da, db := p.dist[a], p.dist[b]
	if _, flat := p.f.(planeField); flat {
		return da / (da - db)
	}
	from, to := p.pos[a], p.pos[b]
	length := r3.Norm(sub(to, from))
	lo, hi, side := 0.0, 1.0, 0
	t := da / (da - db)
	// the Illinois variant of false position cannot leave the bracket; every
	// fourth step halves it, for kinks
	for i := range 60 {
		f := p.f.at(mix(from, to, t))
		if math.Abs(f.dist) <= rootShare*length {
			if f.beyond {
				return -1
			}
			return t
		}
		if (f.dist < 0) == (da < 0) {
			lo, da = t, f.dist
			if side == 1 {
				db /= 2
			}
			side = 1
		} else {
			hi, db = t, f.dist
			if side == 2 {
				da /= 2
			}
			side = 2
		}
		if hi-lo < rootShare {
			break // the sign jumps without a zero: two sheets, or beyond the rim
		}
		t = lo + (hi-lo)*da/(da-db)
		if i%4 == 3 || !(t > lo && t < hi) {
			t = (lo + hi) / 2
		}
	}
	return -1
}
