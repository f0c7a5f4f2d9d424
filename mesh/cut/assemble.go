package cut

import (
	"context"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// assemble writes the pieces into a copy of the mesh.
func (p *patch) assemble(s *seam, opt Options) (*Result, error) {
	m := p.m
	corners := len(m.Nodes)
	if m.Mid != nil {
		corners = p.corners
	}
	// numbers of the patch nodes in the new mesh
	id := make([]int32, len(p.pos)+len(s.copy))
	copy(id, p.node)
	next := int32(corners)
	for e, used := range p.used {
		if used {
			id[len(p.node)+e] = next
			next++
		}
	}
	single := int(next)
	for c := range s.copy {
		id[len(p.pos)+c] = next
		next++
	}
	nodes := make([]r3.Vec, next)
	from := make([]int32, next)
	copy(nodes, m.Nodes[:corners])
	for n := range corners {
		from[n] = int32(n)
	}
	r := &Result{Map: &Map{old: m}}
	moved := make([]bool, len(p.pos))
	for n, at := range p.pos {
		if n >= len(p.node) {
			if !p.used[n-len(p.node)] {
				continue
			}
		} else if moved[n] = at != m.Nodes[p.node[n]]; !moved[n] {
			continue
		}
		from[id[n]] = int32(-1 - len(r.Map.Places))
		r.Map.Places = append(r.Map.Places, p.place(int32(n)))
		nodes[id[n]] = at
	}
	for c, n := range s.copy {
		nodes[id[len(p.pos)+c]], from[id[len(p.pos)+c]] = nodes[id[n]], from[id[n]]
	}
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}

	// rows of the tetrahedra: the first piece takes its parent's place
	more := len(p.vert) - len(p.whole.vert)
	out := &mesh.TetMesh{Nodes: nodes, Tets: make([][4]int32, len(m.Tets)+more)}
	copy(out.Tets, m.Tets)
	r.Map.Tet = make([]int32, len(out.Tets))
	for t := range m.Tets {
		r.Map.Tet[t] = int32(t)
	}
	if m.Region != nil {
		out.Region = make([]imaging.Label, len(out.Tets))
		copy(out.Region, m.Region)
	}
	row := make([]int32, len(p.vert)) // of each piece in the new mesh
	touched := make([]bool, len(p.vert))
	rep := &r.Report
	free := len(m.Tets)
	var changed, home []int32 // rows other than their parents', and the uncut tetrahedra of the patch they come from
	wholeOf := int32(0)
	for i, t := range p.tet {
		for p.whole.tet[wholeOf] != t {
			wholeOf++
		}
		first := i == 0 || p.tet[i-1] != t
		whole := first && (i+1 == len(p.tet) || p.tet[i+1] != t)
		if row[i] = t; !first {
			row[i] = int32(free)
			r.Map.Tet[free] = t
			if out.Region != nil {
				out.Region[free] = m.Region[t]
			}
			free++
		}
		v := s.vert[i]
		shifted := false
		for j, n := range v {
			shifted = shifted || moved[p.vert[i][j]]
			v[j] = id[n]
		}
		switch {
		case !whole:
			touched[i] = true
			if first {
				rep.Split++
			}
		case shifted:
			touched[i] = true
			rep.Moved++
		case v != m.Tets[t]:
			rep.Relinked++
		}
		out.Tets[row[i]] = v
		if touched[i] || v != m.Tets[t] {
			changed, home = append(changed, row[i]), append(home, wholeOf)
		}
	}
	p.measure(rep, touched)
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}

	rep.Faces, rep.CutMM2 = len(s.faces), p.areaMM2(s)
	r.Faces = make([]Face, len(s.faces))
	for i, f := range s.faces {
		a, b := mesh.TetFaces[f.face], mesh.TetFaces[f.twin]
		g := Face{Tet: [2]int32{row[f.minus], row[f.plus]}}
		for j := range 3 {
			g.Minus[j] = id[s.vert[f.minus][a[j]]]
		}
		for j, c := range a { // the twin's nodes in the same order
			n := p.vert[f.minus][c]
			for _, d := range b {
				if p.vert[f.plus][d] == n {
					g.Plus[j] = id[s.vert[f.plus][d]]
				}
			}
		}
		r.Faces[i] = g
	}
	if err := r.connect(p.ctx, out, p.f, row, s.side); err != nil {
		return nil, err
	}
	if opt.Join {
		for c := range s.copy {
			id[len(p.pos)+c] = id[s.copy[c]]
		}
		for i := range p.vert {
			for j, n := range p.vert[i] {
				out.Tets[row[i]][j] = id[n]
			}
		}
		for i := range r.Faces {
			r.Faces[i].Plus = r.Faces[i].Minus
		}
		out.Nodes, from = out.Nodes[:single:single], from[:single:single]
		rep.Relinked = 0
	}
	r.Mesh, r.Map.Node = out, from
	if m.Mid != nil {
		return r, r.addMids(p, changed, home)
	}
	return r, nil
}

// measure fills in what the report says of shapes and places.
func (p *patch) measure(rep *Report, touched []bool) {
	before, after := [2]float64{1, -1}, [2]float64{1, -1} // smallest and largest cosine
	w := 0
	var change sum
	for i, v := range p.vert {
		for p.whole.tet[w] != p.tet[i] {
			w++
		}
		if !touched[i] {
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
	for n, s := range p.side {
		if s == 0 && p.near[n] && p.dist[n] != 0 {
			rep.OffNodes++
			rep.MaxOffMM = max(rep.MaxOffMM, math.Abs(p.dist[n]))
		}
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

// place finds a patch node in the old mesh.
func (p *patch) place(n int32) Place {
	x := p.pos[n]
	if int(n) < len(p.node) {
		return p.locate(x, p.whole.star[p.whole.start[n]:p.whole.start[n+1]], nil)
	}
	e := int(n) - len(p.node)
	ab := p.edge.ends[e]
	a, b := ab[0], ab[1]
	if x == p.at[e] {
		h := p.home[e]
		v := p.whole.vert[h]
		out := Place{Tet: p.whole.tet[h]}
		out.L[corner(&v, a)], out.L[corner(&v, b)] = 1-p.t[e], p.t[e]
		return out
	}
	return p.locate(x, p.whole.star[p.whole.start[a]:p.whole.start[a+1]], p.whole.star[p.whole.start[b]:p.whole.start[b+1]])
}

// placeIn finds x, which should lie in tetrahedron w of the uncut patch or near it.
func (p *patch) placeIn(x r3.Vec, w int32) Place {
	out := p.locate(x, []int32{w})
	if min(out.L[0], out.L[1], out.L[2], out.L[3]) >= 0 {
		return out
	}
	lists := [][]int32{{w}}
	for _, n := range p.whole.vert[w] {
		if p.near[n] {
			lists = append(lists, p.whole.star[p.whole.start[n]:p.whole.start[n+1]])
		}
	}
	return p.locate(x, lists...)
}

// weightShare is the barycentric coordinate below which it is rounding.
const weightShare = 1e-14

// locate finds the tetrahedron of the uncut mesh, among those given, that
// holds x, or the one that x is least outside of.
func (p *patch) locate(x r3.Vec, lists ...[]int32) Place {
	best, out := math.Inf(-1), Place{}
	for _, list := range lists {
		for _, t := range list {
			v := p.m.Tets[p.whole.tet[t]]
			l := barycentric(p.m.Nodes[v[0]], p.m.Nodes[v[1]], p.m.Nodes[v[2]], p.m.Nodes[v[3]], x)
			if w := min(l[0], l[1], l[2], l[3]); w > best {
				best, out = w, Place{p.whole.tet[t], l}
			}
		}
	}
	return out
}

func barycentric(a, b, c, d, x r3.Vec) (l [4]float64) {
	f := 1 / mesh.Signed6(a, b, c, d)
	l[1] = mesh.Signed6(a, x, c, d) * f
	l[2] = mesh.Signed6(a, b, x, d) * f
	l[3] = mesh.Signed6(a, b, c, x) * f
	for i := 1; i < 4; i++ {
		if math.Abs(l[i]) < weightShare {
			l[i] = 0
		}
	}
	if l[0] = 1 - l[1] - l[2] - l[3]; math.Abs(l[0]) < weightShare {
		l[0] = 0
	}
	return l
}

// whole is the result when nothing is cut.
func uncut(ctx context.Context, m *mesh.TetMesh, f field) (*Result, error) {
	r := &Result{Mesh: m, Map: &Map{old: m, Tet: make([]int32, len(m.Tets)), Node: make([]int32, len(m.Nodes))}}
	for t := range r.Map.Tet {
		r.Map.Tet[t] = int32(t)
	}
	for n := range r.Map.Node {
		r.Map.Node[n] = int32(n)
	}
	return r, r.connect(ctx, m, f, nil, nil)
}

// connect numbers the parts of m in order of their first tetrahedron. side is
// known of the tetrahedra in row; a part without one is on the side of its
// first node.
func (r *Result) connect(ctx context.Context, m *mesh.TetMesh, f field, row []int32, side []Side) error {
	root := make([]int32, len(m.Nodes))
	for n := range root {
		root[n] = int32(n)
	}
	find := func(n int32) int32 {
		for root[n] != n {
			root[n] = root[root[n]]
			n = root[n]
		}
		return n
	}
	for _, v := range m.Tets {
		a := find(v[0])
		for _, n := range v[1:] {
			if b := find(n); a < b {
				root[b] = a
			} else {
				root[a] = b
				a = b
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	part := make([]int32, len(m.Nodes)) // of roots, + 1
	r.Part = make([]int32, len(m.Tets))
	var first []int32
	var volume []sum
	var total [2]sum
	rep := &r.Report
	for t, v := range m.Tets {
		a := find(v[0])
		if part[a] == 0 {
			rep.Parts = append(rep.Parts, Part{})
			first = append(first, v[0])
			volume = append(volume, sum{})
			part[a] = int32(len(rep.Parts))
		}
		i := part[a] - 1
		r.Part[t] = i
		q := &rep.Parts[i]
		q.Tets++
		volume[i].add(mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]))
	}
	seen := make([]uint8, len(rep.Parts))
	for i, t := range row {
		switch side[i] {
		case Minus:
			seen[r.Part[t]] |= 1
		case Plus:
			seen[r.Part[t]] |= 2
		}
	}
	for i := range rep.Parts {
		q := &rep.Parts[i]
		q.VolumeMM3 = volume[i].value() / 6
		switch seen[i] {
		case 1:
			q.Side = Minus
		case 2:
			q.Side = Plus
		case 3:
			q.Side = Both
		default:
			if q.Side = Minus; f.at(m.Nodes[first[i]]).dist > 0 {
				q.Side = Plus
			}
		}
		switch q.Side {
		case Minus:
			total[0].add(q.VolumeMM3)
		case Plus:
			total[1].add(q.VolumeMM3)
		}
	}
	rep.VolumeMM3 = [2]float64{total[0].value(), total[1].value()}
	return ctx.Err()
}

// sum adds with the rounding errors carried along, so that the volumes of two
// sides add up to that of the whole (A. Neumaier, ZAMM 54 (1974) 39–51).
type sum struct{ s, c float64 }

func (a *sum) add(x float64) {
	t := a.s + x
	if math.Abs(a.s) >= math.Abs(x) {
		a.c += (a.s - t) + x
	} else {
		a.c += (x - t) + a.s
	}
	a.s = t
}

func (a *sum) value() float64 { return a.s + a.c }
