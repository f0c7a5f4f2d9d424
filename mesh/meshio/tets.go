package meshio

import (
	"cmp"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// tetBuilder gathers nodes and elements as a reader meets them and makes the
// TetFile of them.
type tetBuilder struct {
	in    *input
	unit  Unit // the file's, when it says one
	nodes []r3.Vec
	// tag of each node in the file; nil: its place
	tag  []int64
	tets [][4]int32
	mid  [][6]int32
	// key of each element, an index into keys
	key    []int32
	keys   []regionKey
	keyOf  map[regionKey]int32
	number []int64 // of each element in the file
	skip   []Skipped

	pointFields, cellFields []Field // over all nodes, over the tetrahedra
}

// node takes one node of a file that numbers them.
func (b *tetBuilder) node(c *cursor, m *numbering, tag int64, p r3.Vec) error {
	if len(b.nodes) >= maxNodes {
		return c.bad("split the mesh", "more than %d nodes", maxNodes)
	}
	if !m.set(tag, int32(len(b.nodes))) {
		return c.bad("number the nodes afresh", "node %d is given twice", tag)
	}
	b.nodes = append(b.nodes, p)
	b.tag = append(b.tag, tag)
	return nil
}

// region is the index of a key.
func (b *tetBuilder) region(k regionKey) int32 {
	if b.keyOf == nil {
		b.keyOf = map[regionKey]int32{}
	}
	i, ok := b.keyOf[k]
	if !ok {
		i = int32(len(b.keys))
		b.keys = append(b.keys, k)
		b.keyOf[k] = i
	}
	return i
}

// skipped counts an element that is left out.
func (b *tetBuilder) skipped(kind string, number int64) {
	for i := range b.skip {
		if b.skip[i].Type == kind {
			b.skip[i].Count++
			return
		}
	}
	b.skip = append(b.skip, Skipped{Type: kind, Count: 1, First: number})
}

// add takes an element of 4 or 10 node indices in the order of package mesh,
// and its number in the file. It fails when linear and quadratic ones are mixed.
func (b *tetBuilder) add(nodes []int32, key int32, number int64) (ok bool) {
	if len(nodes) == 4 {
		if b.mid != nil {
			return false
		}
	} else {
		if b.mid == nil && len(b.tets) > 0 {
			return false
		}
		b.mid = append(b.mid, [6]int32(nodes[4:10]))
	}
	b.tets = append(b.tets, [4]int32(nodes[:4]))
	b.key = append(b.key, key)
	b.number = append(b.number, number)
	return true
}

const (
	whatMixed   = "linear and quadratic tetrahedra are mixed"
	remedyMixed = "export with one order for all elements"
	remedyTypes = "mesh with tetrahedra, or read with SkipUnknown to leave these elements out"
)

// finish checks that there are elements, orders the nodes, scales, and gives
// labels to regions.
func (b *tetBuilder) finish() (*TetFile, error) {
	if len(b.tets) == 0 {
		return nil, fail(b.in.format, "export the volume mesh, not its surface", "the file holds no tetrahedron")
	}
	if err := b.in.ctx.Err(); err != nil {
		return nil, err
	}
	b.sort()
	f := &TetFile{Skipped: b.skip, Mesh: &mesh.TetMesh{Tets: b.tets, Mid: b.mid}}
	f.Unit = b.in.opt.Unit
	if f.Unit == 0 {
		f.Unit = b.unit
	}
	if f.Unit == 0 {
		f.Unit = Millimetre
	}
	b.order(f)
	if u := f.Unit.mm(Millimetre); u != 1 {
		for n, p := range f.Mesh.Nodes {
			f.Mesh.Nodes[n] = r3.Scale(u, p)
		}
	}
	for n, p := range f.Mesh.Nodes {
		if !finite(p) {
			return nil, fail(b.in.format, "check the unit of length", "node %d lies at %v mm", n, p)
		}
	}
	if err := b.in.ctx.Err(); err != nil {
		return nil, err
	}
	for t, v := range f.Mesh.Tets {
		p := f.Mesh.Nodes
		if !(mesh.Signed6(p[v[0]], p[v[1]], p[v[2]], p[v[3]]) > 0) {
			if f.Inverted++; f.Inverted == 1 {
				f.FirstInverted = b.number[t]
			}
		}
	}
	labels, names, err := assignLabels(b.in.format, b.keys, &b.in.opt)
	if err != nil {
		return nil, err
	}
	f.Names = names
	f.Mesh.Region = make([]imaging.Label, len(b.tets))
	for t, k := range b.key {
		f.Mesh.Region[t] = labels[k]
	}
	f.CellFields = b.cellFields
	return f, nil
}

// sort puts elements in the order of their numbers, whatever blocks the file
// keeps them in. Cell fields come only with files that are in order already.
func (b *tetBuilder) sort() {
	if slices.IsSorted(b.number) {
		return
	}
	from := make([]int32, len(b.number))
	for t := range from {
		from[t] = int32(t)
	}
	slices.SortStableFunc(from, func(s, t int32) int { return cmp.Compare(b.number[s], b.number[t]) })
	b.number, b.tets, b.key = pick(b.number, from), pick(b.tets, from), pick(b.key, from)
	if b.mid != nil {
		b.mid = pick(b.mid, from)
	}
}

// order leaves out nodes of no element and puts corner nodes before mid-edge
// nodes, each in the order of their numbers.
func (b *tetBuilder) order(f *TetFile) {
	const corner, middle = 1, 2
	use := make([]uint8, len(b.nodes))
	for _, v := range b.tets {
		for _, n := range v {
			use[n] = corner
		}
	}
	for _, v := range b.mid {
		for _, n := range v {
			if use[n] == 0 {
				use[n] = middle
			}
		}
	}
	number := make([]int32, len(b.nodes))
	from := make([]int32, 0, len(b.nodes))
	for _, want := range [2]uint8{corner, middle} {
		for n, u := range use {
			if u == want {
				number[n] = int32(len(from))
				from = append(from, int32(n))
			}
		}
	}
	if !slices.IsSorted(b.tag) {
		corners := 0
		for corners < len(from) && use[from[corners]] == corner {
			corners++
		}
		for _, part := range [2][]int32{from[:corners], from[corners:]} {
			slices.SortFunc(part, func(m, n int32) int { return cmp.Compare(b.tag[m], b.tag[n]) })
		}
		for i, n := range from {
			number[n] = int32(i)
		}
	}
	f.Unused = len(b.nodes) - len(from)
	f.PointFields = b.pointFields
	if f.Unused == 0 && slices.IsSorted(from) {
		f.Mesh.Nodes = b.nodes
		return
	}
	f.Mesh.Nodes = pick(b.nodes, from)
	for t := range b.tets {
		for i, n := range b.tets[t] {
			b.tets[t][i] = number[n]
		}
	}
	for t := range b.mid {
		for i, n := range b.mid[t] {
			b.mid[t][i] = number[n]
		}
	}
	for i := range f.PointFields {
		p := &f.PointFields[i]
		if p.Vectors != nil {
			p.Vectors = pick(p.Vectors, from)
		} else {
			p.Scalars = pick(p.Scalars, from)
		}
	}
}

func pick[T any](all []T, from []int32) []T {
	out := make([]T, len(from))
	for i, n := range from {
		out[i] = all[n]
	}
	return out
}

// numbering finds nodes by the numbers a file gives them.
type numbering struct {
	dense  []int32 // node of number n, plus one; while numbers are close together
	sparse map[int64]int32
	count  int
}

// set gives node the number n; false when n is taken.
func (m *numbering) set(n int64, node int32) bool {
	m.count++
	if m.sparse == nil && n >= 0 && n < int64(4*m.count+1024) {
		if int64(len(m.dense)) <= n {
			m.dense = append(m.dense, make([]int32, int(n)+1-len(m.dense))...)
		}
		if m.dense[n] != 0 {
			return false
		}
		m.dense[n] = node + 1
		return true
	}
	if m.sparse == nil {
		m.sparse = map[int64]int32{}
		for k, v := range m.dense {
			if v != 0 {
				m.sparse[int64(k)] = v - 1
			}
		}
		m.dense = nil
	}
	if _, taken := m.sparse[n]; taken {
		return false
	}
	m.sparse[n] = node
	return true
}

// get finds the node of number n.
func (m *numbering) get(n int64) (int32, bool) {
	if m.sparse != nil {
		node, ok := m.sparse[n]
		return node, ok
	}
	if n < 0 || n >= int64(len(m.dense)) || m.dense[n] == 0 {
		return 0, false
	}
	return m.dense[n] - 1, true
}

// maxNodes is what int32 can number.
const maxNodes = math.MaxInt32
