package cut

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// assembly puts the pieces of a patch into a copy of the mesh.
type assembly struct {
	*patch
	s      *seam
	r      *Result
	out    *mesh.TetMesh
	id     []int32 // number in the new mesh of patch nodes, then of copies
	single int     // corner nodes without the copies
	moved  []bool  // patch nodes
	row    []int32 // of each piece in the new mesh
	// changed are the rows that differ from their parents in shape or in nodes;
	// home are the tetrahedra of the uncut patch they come from.
	changed, home []int32
	touched       []bool // pieces that differ in shape
}

// assemble makes the result.
func (p *patch) assemble(s *seam, opt Options) (*Result, error) {
	a := &assembly{patch: p, s: s, r: &Result{Map: &Map{old: p.m}}, out: &mesh.TetMesh{}}
	a.nodes()
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	a.rows()
	a.measure()
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	a.faces()
	if err := a.r.connect(p.ctx, a.out, p.f, a.row, s.side); err != nil {
		return nil, err
	}
	if opt.Join {
		a.join()
	}
	a.r.Mesh = a.out
	if p.m.Mid != nil {
		if err := a.addMids(); err != nil {
			return nil, err
		}
	}
	return a.r, nil
}

// nodes numbers the corner nodes: those of the mesh, crossings, copies.
func (a *assembly) nodes() {
	p, s, m := a.patch, a.s, a.r.Map
	a.id = make([]int32, len(p.pos)+len(s.copy))
	copy(a.id, p.node)
	next := int32(p.corners)
	for e, used := range p.used {
		if used {
			a.id[len(p.node)+e] = next
			next++
		}
	}
	a.single = int(next)
	copies := a.id[len(p.pos):]
	for c := range copies {
		copies[c] = next
		next++
	}
	nodes, from := make([]r3.Vec, next), make([]int32, next)
	copy(nodes, p.m.Nodes[:p.corners])
	for n := range p.corners {
		from[n] = int32(n)
	}
	a.moved = make([]bool, len(p.pos))
	for n, at := range p.pos {
		if n >= len(p.node) {
			if !p.used[n-len(p.node)] {
				continue
			}
		} else if a.moved[n] = at != p.m.Nodes[p.node[n]]; !a.moved[n] {
			continue
		}
		from[a.id[n]] = int32(-1 - len(m.Places))
		m.Places = append(m.Places, p.place(int32(n)))
		nodes[a.id[n]] = at
	}
	for c, n := range s.copy {
		nodes[copies[c]], from[copies[c]] = nodes[a.id[n]], from[a.id[n]]
	}
	a.out.Nodes, m.Node = nodes, from
}

// rows writes the tetrahedra: the first piece takes its parent's place, the
// others come last.
func (a *assembly) rows() {
	p, m, out, rep := a.patch, a.m, a.out, &a.r.Report
	count := len(m.Tets) + len(p.vert) - len(p.whole.vert)
	out.Tets = make([][4]int32, count)
	copy(out.Tets, m.Tets)
	parent := make([]int32, count)
	for t := range m.Tets {
		parent[t] = int32(t)
	}
	a.r.Map.Tet = parent
	if m.Region != nil {
		out.Region = make([]imaging.Label, count)
		copy(out.Region, m.Region)
	}
	a.row, a.touched = make([]int32, len(p.vert)), make([]bool, len(p.vert))
	free, home := len(m.Tets), int32(0)
	for i, t := range p.tet {
		for p.whole.tet[home] != t {
			home++
		}
		first := i == 0 || p.tet[i-1] != t
		whole := first && (i+1 == len(p.tet) || p.tet[i+1] != t)
		if a.row[i] = t; !first {
			a.row[i], parent[free] = int32(free), t
			if out.Region != nil {
				out.Region[free] = m.Region[t]
			}
			free++
		}
		v, shifted := a.s.vert[i], false
		for j, n := range v {
			shifted = shifted || a.moved[p.vert[i][j]]
			v[j] = a.id[n]
		}
		out.Tets[a.row[i]] = v
		switch {
		case !whole:
			a.touched[i] = true
			if first {
				rep.Split++
			}
		case shifted:
			a.touched[i] = true
			rep.Moved++
		case v != m.Tets[t]:
			rep.Relinked++
		default:
			continue
		}
		a.changed, a.home = append(a.changed, a.row[i]), append(a.home, home)
	}
}

// faces lists the cut, and says how far it is off the surface.
func (a *assembly) faces() {
	p, rep := a.patch, &a.r.Report
	rep.Faces, rep.CutMM2 = len(a.s.faces), p.areaMM2(a.s)
	a.r.Faces = make([]Face, len(a.s.faces))
	seen := make([]bool, len(p.pos))
	for i, f := range a.s.faces {
		g := &a.r.Faces[i]
		g.Tet = [2]int32{a.row[f.minus], a.row[f.plus]}
		for j, c := range mesh.TetFaces[f.face] {
			n := p.vert[f.minus][c]
			g.Minus[j] = a.id[a.s.vert[f.minus][c]]
			g.Plus[j] = a.id[a.s.vert[f.plus][corner(&p.vert[f.plus], n)]]
			if !seen[n] && p.dist[n] != 0 {
				rep.OffNodes++
				rep.MaxOffMM = max(rep.MaxOffMM, math.Abs(p.dist[n]))
			}
			seen[n] = true
		}
	}
}

// join takes the copies of nodes back.
func (a *assembly) join() {
	for i, v := range a.patch.vert {
		for j, n := range v {
			a.out.Tets[a.row[i]][j] = a.id[n]
		}
	}
	for i, f := range a.s.faces {
		g := &a.r.Faces[i]
		for j, c := range mesh.TetFaces[f.face] {
			g.Minus[j] = a.id[a.patch.vert[f.minus][c]]
		}
		g.Plus = g.Minus
	}
	a.out.Nodes, a.r.Map.Node = a.out.Nodes[:a.single:a.single], a.r.Map.Node[:a.single:a.single]
	a.r.Report.Relinked = 0
}

// measure compares angles and volumes with those before.
func (a *assembly) measure() {
	p, rep := a.patch, &a.r.Report
	before, after := [2]float64{1, -1}, [2]float64{1, -1} // smallest and largest cosine
	w := 0
	var change sum
	for i, v := range p.vert {
		for p.whole.tet[w] != p.tet[i] {
			w++
		}
		if !a.touched[i] {
			continue
		}
		lo, hi := dihedralCosines(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]])
		after[0], after[1] = min(after[0], lo), max(after[1], hi)
		change.add(mesh.Signed6(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]]))
		if i > 0 && p.tet[i-1] == p.tet[i] {
			continue
		}
		var x [4]r3.Vec
		for j, n := range p.whole.vert[w] {
			x[j] = p.m.Nodes[p.node[n]]
		}
		lo, hi = dihedralCosines(x[0], x[1], x[2], x[3])
		before[0], before[1] = min(before[0], lo), max(before[1], hi)
		change.add(-mesh.Signed6(x[0], x[1], x[2], x[3]))
	}
	if before[0] <= before[1] {
		deg := func(c float64) float64 { return math.Acos(max(-1, min(1, c))) * 180 / math.Pi }
		rep.Before = Angles{deg(before[1]), deg(before[0])}
		rep.After = Angles{deg(after[1]), deg(after[0])}
	}
	for _, n := range p.slid {
		rep.Slid = append(rep.Slid, p.node[n])
	}
	slices.Sort(rep.Slid)
	rep.Slid = slices.Compact(rep.Slid)
	if len(rep.Slid) > 0 {
		rep.SlideMM3 = change.value() / 6
	}
}

// uncut is the result when nothing is cut.
func uncut(ctx context.Context, m *mesh.TetMesh, f field) (*Result, error) {
	r := &Result{Mesh: m, Map: &Map{old: m, Tet: make([]int32, len(m.Tets)), Node: make([]int32, len(m.Nodes))}}
	for t := range r.Map.Tet {
		r.Map.Tet[t] = int32(t)
	}
	for n := range r.Map.Node {
		r.Map.Node[n] = int32(n)
	}
	if err := r.connect(ctx, m, f, nil, nil); err != nil {
		return nil, err
	}
	return r, nil
}
