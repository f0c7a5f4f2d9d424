package liver

import (
	"slices"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// cutFace is a face between the remnant (tet) and the resected side (other).
type cutFace struct {
	tet, face, other int32
	nodes            [3]int32 // before doubling, outward of the remnant
	at, normal       r3.Vec
	area             float64
	open             bool
}

func (c *cutFace) measure(m *mesh.TetMesh) {
	v, f := m.Tets[c.tet], mesh.TetFaces[c.face]
	c.nodes = [3]int32{v[f[0]], v[f[1]], v[f[2]]}
	p, q, s := m.Nodes[c.nodes[0]], m.Nodes[c.nodes[1]], m.Nodes[c.nodes[2]]
	n := r3.Cross(r3.Sub(q, p), r3.Sub(s, p))
	c.at = r3.Scale(1.0/3, r3.Add(p, r3.Add(q, s)))
	if l := r3.Norm(n); l > 0 {
		c.area, c.normal = l/2, r3.Scale(1/l, n)
	}
}

// openedShare is the part of the area of the cut that is open when its width is
// measured: half way through the transection.
const openedShare = 0.5

// openFirst marks, in every connected piece of the cut, the faces that lie
// furthest to the front and the feet, where a transection starts, until
// openedShare of its area is reached. Faces whose opening would leave elements
// hanging on the rest by less than a face stay closed.
func openFirst(m *mesh.TetMesh, cut []cutFace) []bool {
	piece := cutPieces(cut)
	order := make([]int, len(cut))
	for i := range order {
		order[i] = i
	}
	first := r3.Vec{Y: -1, Z: -1}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := r3.Dot(cut[i].at, first), r3.Dot(cut[j].at, first); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	whole := map[int]float64{}
	for i, c := range cut {
		whole[piece[i]] += c.area
	}
	done := map[int]float64{}
	for _, i := range order {
		if p := piece[i]; done[p]+cut[i].area <= openedShare*whole[p] {
			done[p] += cut[i].area
			cut[i].open = true
		}
	}
	open := make([]bool, len(cut))
	for round := 0; ; round++ {
		loose := looseTets(m, cut)
		again := false
		for i := range cut {
			if cut[i].open && (loose[cut[i].tet] || loose[cut[i].other]) {
				cut[i].open, again = false, true
			}
		}
		if !again {
			break
		}
	}
	for i := range cut {
		open[i] = cut[i].open
	}
	return open
}

// cutPieces numbers the connected pieces of the cut: faces that share an edge.
func cutPieces(cut []cutFace) []int {
	root := make([]int, len(cut))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	at := map[[2]int32]int{} // only looked up
	for i, c := range cut {
		for k := range 3 {
			x, y := c.nodes[k], c.nodes[(k+1)%3]
			e := [2]int32{min(x, y), max(x, y)}
			if j, ok := at[e]; ok {
				p, q := find(i), find(j)
				root[max(p, q)] = min(p, q)
			} else {
				at[e] = i
			}
		}
	}
	out := make([]int, len(cut))
	for i := range out {
		out[i] = find(i)
	}
	return out
}

// looseTets are the elements outside the largest part when the opened faces are
// taken apart.
func looseTets(m *mesh.TetMesh, cut []cutFace) []bool {
	next := m.Neighbours()
	for _, c := range cut {
		if !c.open {
			continue
		}
		next[c.tet][c.face] = -1
		for f, n := range next[c.other] {
			if n == c.tet {
				next[c.other][f] = -1
			}
		}
	}
	part := make([]int32, len(m.Tets))
	var size []int
	var stack []int32
	for t := range m.Tets {
		if part[t] != 0 {
			continue
		}
		id := int32(len(size) + 1)
		part[t] = id
		stack = append(stack[:0], int32(t))
		count := 0
		for len(stack) > 0 {
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			count++
			for _, n := range next[e] {
				if n >= 0 && part[n] == 0 {
					part[n] = id
					stack = append(stack, n)
				}
			}
		}
		size = append(size, count)
	}
	best := 0
	for i, n := range size {
		if n > size[best] {
			best = i
		}
	}
	out := make([]bool, len(m.Tets))
	for t, p := range part {
		out[t] = int(p) != best+1
	}
	return out
}

// double gives the elements around a node of the opened faces that do not hang
// together by closed faces nodes of their own (Molino, Bao & Fedkiw, ACM Trans.
// Graph. 23 (2004) 385, §3). The part with the lowest element on the remnant's
// side keeps the node; twin is the node that each copy doubles, itself for the
// others.
func double(m *mesh.TetMesh, next [][4]int32, cut []cutFace, open []bool) (*mesh.TetMesh, []int32) {
	next = slices.Clone(next)
	touched := make([]bool, len(m.Nodes))
	for i, c := range cut {
		if !open[i] {
			continue
		}
		next[c.tet][c.face] = -1
		for f, n := range next[c.other] {
			if n == c.tet {
				next[c.other][f] = -1
			}
		}
		for _, n := range c.nodes {
			touched[n] = true
		}
	}
	around := make([][]int32, len(m.Nodes))
	for t, v := range m.Tets {
		for _, n := range v {
			if touched[n] {
				around[n] = append(around[n], int32(t))
			}
		}
	}
	out := &mesh.TetMesh{Nodes: slices.Clone(m.Nodes), Tets: slices.Clone(m.Tets), Region: m.Region}
	twin := make([]int32, len(m.Nodes))
	for n := range twin {
		twin[n] = int32(n)
	}
	for n := range int32(len(m.Nodes)) {
		list := around[n]
		if len(list) == 0 {
			continue
		}
		group := make([]int, len(list)) // 0: not seen
		var lead []int                  // first element of each group
		for _, side := range []bool{false, true} {
			for i, t := range list {
				if group[i] != 0 || resectedRegion(m.Region[t]) != side {
					continue
				}
				lead = append(lead, i)
				id := len(lead)
				group[i] = id
				stack := []int32{t}
				for len(stack) > 0 {
					e := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					for f, o := range next[e] {
						if o < 0 || m.Tets[e][f] == n {
							continue
						}
						if j, ok := slices.BinarySearch(list, o); ok && group[j] == 0 {
							group[j] = id
							stack = append(stack, o)
						}
					}
				}
			}
		}
		for id := 2; id <= len(lead); id++ {
			c := int32(len(out.Nodes))
			out.Nodes = append(out.Nodes, m.Nodes[n])
			twin = append(twin, n)
			for i, t := range list {
				if group[i] != id {
					continue
				}
				for k, x := range out.Tets[t] {
					if x == n {
						out.Tets[t][k] = c
					}
				}
			}
		}
	}
	return out, twin
}

// pair lists the doubled nodes of the opened faces, corners and mid-edge nodes,
// and the nodes of those faces that stayed single.
func (o *organMesh) pair(cut []cutFace, twin []int32) {
	normal := map[[2]int32]r3.Vec{} // only looked up
	rim := map[int32]bool{}
	var order [][2]int32
	for _, c := range cut {
		if !c.open {
			continue
		}
		o.openMM2 += c.area
		meet := func(a, b int32) {
			if a == b {
				if !rim[a] {
					rim[a] = true
					o.rim = append(o.rim, a)
				}
				return
			}
			k := [2]int32{a, b}
			if _, ok := normal[k]; !ok {
				order = append(order, k)
			}
			normal[k] = r3.Add(normal[k], r3.Scale(c.area, c.normal))
		}
		corner := func(t, n int32) int { // corner of t that is n or a copy of it
			for k, x := range o.Tets[t] {
				if twin[x] == n {
					return k
				}
			}
			return -1
		}
		for k, n := range c.nodes {
			i, j := corner(c.tet, n), corner(c.other, n)
			meet(o.Tets[c.tet][i], o.Tets[c.other][j])
			n2 := c.nodes[(k+1)%3]
			i2, j2 := corner(c.tet, n2), corner(c.other, n2)
			meet(o.Mid[c.tet][edgeBetween[i][i2]], o.Mid[c.other][edgeBetween[j][j2]])
		}
	}
	for _, k := range order {
		n := normal[k]
		if l := r3.Norm(n); l > 0 {
			n = r3.Scale(1/l, n)
		}
		o.openPairs = append(o.openPairs, k)
		o.openNormal = append(o.openNormal, n)
	}
}

// edgeBetween[i][j] is the position in mesh.TetEdges of the edge between corners.
var edgeBetween = func() (of [4][4]int) {
	for e, c := range mesh.TetEdges {
		of[c[0]][c[1]], of[c[1]][c[0]] = e, e
	}
	return of
}()
