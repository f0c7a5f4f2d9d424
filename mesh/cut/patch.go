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
	m            *mesh.TetMesh
	corners      int // corner nodes of m
	f            field
	keepBoundary bool
	ctx          context.Context
	tick         int

	// nodes
	node        []int32   // node of the mesh; crossings have none
	pos         []r3.Vec  // of nodes, then of crossings, and so on
	dist        []float64 // signed distance to the surface, mm; 0 within tol
	side        []int8    // −1, 0 (belongs to both sides), +1
	near        []bool    // all tetrahedra around the node are in the patch
	start, star []int32   // those tetrahedra; see around
	tol         float64   // mm

	// tetrahedra; after split, pieces
	tet   []int32    // of the mesh
	vert  [][4]int32 // patch nodes
	bound []bounds   // that pieces must keep: those asked for, or of the tetrahedron before
	mixed []int32    // place in cross, or −1 when no edge is crossed
	cross [][6]int32 // crossing of each edge in the order of mesh.TetEdges, or −1
	whole whole      // the tetrahedra before split

	// crossings; edge.ends has the lower node of the mesh first
	edge edgeTable
	t    []float64 // place from the first end to the second; −1: beyond the rim
	turn []int8    // of the edges that are cut before (1) or after (−1) their turn
	home []int32   // a tetrahedron with that edge
	at   []r3.Vec  // the crossings before any smoothing
	used []bool    // became a node

	slid  []int32 // nodes that slid along walls that are not flat
	fans  fans
	goals []r3.Vec
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
	if err := f.sides(ctx, m, dist); err != nil {
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
	for t, v := range m.Tets {
		if t&0xfffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
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
	p := &patch{m: m, f: f, ctx: ctx, corners: corners,
		tet: make([]int32, 0, count), vert: make([][4]int32, 0, count), bound: make([]bounds, 0, count),
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
		lo, hi := dihedralCosines(p.pos[w[0]], p.pos[w[1]], p.pos[w[2]], p.pos[w[3]])
		if lo > hi {
			a, b, c, d := p.pos[w[0]], p.pos[w[1]], p.pos[w[2]], p.pos[w[3]]
			return nil, &mesh.InvertedError{Element: t, DetJ: mesh.Signed6(a, b, c, d), AtMM: centroid(a, b, c, d)}
		}
		p.tet = append(p.tet, int32(t))
		p.vert = append(p.vert, w)
		p.bound = append(p.bound, k.loosened(lo, hi))
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
