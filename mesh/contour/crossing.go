package contour

// The twelve edges of a cell are numbered 4a + s: along axis a from the corner
// with offset s&1 along the next axis b and s>>1 along the one after, c.

// cellEdge are the corners at the two ends of each edge.
var cellEdge = func() (e [12][2]uint8) {
	for n := range e {
		a, s := n>>2, n&3
		from := s&1<<((a+1)%3) | s>>1<<((a+2)%3)
		e[n] = [2]uint8{uint8(from), uint8(from | 1<<a)}
	}
	return e
}()

// cellFace are the corners of each face of a cell in turn, and the edges
// between each corner and the next; face 2a+s is at offset s along axis a.
var cellFace = func() (f [6]struct{ corner, edge [4]uint8 }) {
	for n := range f {
		a, b, c := n>>1, (n>>1+1)%3, (n>>1+2)%3
		o := uint8(n & 1 << a)
		f[n].corner = [4]uint8{o, o | 1<<b, o | 1<<b | 1<<c, o | 1<<c}
		for i := range 4 {
			p, q := f[n].corner[i], f[n].corner[(i+1)&3]
			for e, x := range cellEdge {
				if x == [2]uint8{min(p, q), max(p, q)} {
					f[n].edge[i] = uint8(e)
				}
			}
		}
	}
	return f
}()

// crossing is a cell at which a label may touch itself.
type crossing struct {
	v     int32
	label [8]uint8  // of the corners
	group [12]uint8 // of the crossed edges that share a vertex, 0xff: not crossed
	count uint8     // groups
	other uint8     // faces joined the other way round
}

const noGroup = 0xff

// around is the corner of face f from which the pairs of edges are counted
// when all four edges are crossed and fall into two pairs: pair 0 is the edges
// before and after corner 1 or 2. joined is false for the other faces.
func (x *crossing) around(f int) (corner int, paired bool) {
	c := &cellFace[f].corner
	a, b, d, e := x.label[c[0]], x.label[c[1]], x.label[c[2]], x.label[c[3]]
	if a == b || b == d || d == e || e == a || a != d && b != e {
		return 0, false
	}
	switch {
	case a == d && b == e:
		// both labels meet themselves: those of the larger one stay apart
		corner = 1
		if a > b {
			corner = 0
		}
		if x.other>>f&1 == 1 {
			corner ^= 1
		}
	case a == d:
		corner = 1 // b and e are different labels and cannot join
	}
	return corner, true
}

// join finds the groups: the edges of a face belong together, but for faces
// whose four edges fall into two pairs.
func (x *crossing) join() {
	var parent [12]uint8
	for e, c := range cellEdge {
		parent[e] = noGroup
		if x.label[c[0]] != x.label[c[1]] {
			parent[e] = uint8(e)
		}
	}
	find := func(e uint8) uint8 {
		for parent[e] != e {
			e = parent[e]
		}
		return e
	}
	unite := func(a, b uint8) {
		a, b = find(a), find(b)
		parent[max(a, b)] = min(a, b)
	}
	for f := range cellFace {
		edge := &cellFace[f].edge
		if corner, paired := x.around(f); paired {
			unite(edge[(corner+3)&3], edge[corner])
			unite(edge[corner+1], edge[(corner+2)&3])
			continue
		}
		last := uint8(noGroup)
		for _, e := range edge {
			if parent[e] == noGroup {
				continue
			}
			if last != noGroup {
				unite(last, e)
			}
			last = e
		}
	}
	x.count = 0
	for e := range x.group {
		x.group[e] = noGroup
		if parent[e] == noGroup {
			continue
		}
		if r := find(uint8(e)); int(r) < e {
			x.group[e] = x.group[r]
		} else {
			x.group[e] = x.count
			x.count++
		}
	}
}

// doubled reports whether the two pairs of edges of face f end at one vertex.
func (x *crossing) doubled(f int) bool {
	edge := &cellFace[f].edge
	corner, paired := x.around(f)
	return paired && x.group[edge[corner]] == x.group[edge[(corner+2)&3]]
}

// simple reports, for each pattern of a cell with two labels, that its edges
// make one group and no face has all four edges crossed.
var simple = func() (ok [256]bool) {
	for m := range ok {
		x := crossing{}
		for c := range x.label {
			x.label[c] = uint8(m >> c & 1)
		}
		x.join()
		ok[m] = x.count < 2
		for f := range cellFace {
			if _, paired := x.around(f); paired {
				ok[m] = false
			}
		}
	}
	return ok
}()
