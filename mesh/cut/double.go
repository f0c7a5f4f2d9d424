package cut

import (
	"cmp"
	"slices"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// seam is the cut through the pieces of a patch.
type seam struct {
	side  []Side     // of each piece; Both when it has nodes on either side
	faces []seamFace // along which pieces part
	mask  []uint8    // of each piece; bit f: face f is one of them
	vert  [][4]int32 // pieces with doubled nodes: copy c is node len(pos)+c
	copy  []int32    // the node that each copy doubles
}

// seamFace is a face of two pieces, in the order of mesh.TetFaces of each.
type seamFace struct {
	minus, plus int32
	face, twin  uint8
}

// zeroFace is a face whose three nodes belong to both sides.
type zeroFace struct {
	n    [3]int32 // ascending
	t    int32
	face uint8
}

// sew finds the faces along which the pieces part, and doubles their nodes.
func (p *patch) sew() (*seam, error) {
	s := &seam{side: make([]Side, len(p.vert)), mask: make([]uint8, len(p.vert))}
	var faces []zeroFace
	held := make([]bool, len(p.vert)) // has a node off the cut, or hangs on such a piece
	loose := 0
	for t, v := range p.vert {
		zeros, lo, hi := 0, int8(0), int8(0)
		for _, n := range v {
			d := p.side[n]
			if d == 0 {
				zeros++
			}
			lo, hi = min(lo, d), max(hi, d)
		}
		s.side[t] = Side(lo + hi)
		if zeros < 3 {
			continue
		}
		if held[t] = zeros < 4; !held[t] {
			s.side[t] = p.leaning(v)
			loose++
		}
		for f, c := range mesh.TetFaces {
			a, b, d := v[c[0]], v[c[1]], v[c[2]]
			if p.side[a] == 0 && p.side[b] == 0 && p.side[d] == 0 {
				k := [3]int32{a, b, d}
				slices.Sort(k[:])
				faces = append(faces, zeroFace{k, int32(t), uint8(f)})
			}
		}
	}
	slices.SortFunc(faces, func(a, b zeroFace) int {
		return cmp.Or(cmp.Compare(a.n[0], b.n[0]), cmp.Compare(a.n[1], b.n[1]), cmp.Compare(a.n[2], b.n[2]), cmp.Compare(a.t, b.t))
	})
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	if loose > 0 {
		s.hold(faces, held)
	}
	for i := 1; i < len(faces); i++ {
		a, b := faces[i-1], faces[i]
		if a.n != b.n || s.side[a.t]*s.side[b.t] >= 0 || p.beyond(a.n) {
			continue
		}
		if s.side[a.t] > 0 {
			a, b = b, a
		}
		s.faces = append(s.faces, seamFace{a.t, b.t, a.face, b.face})
		s.mask[a.t] |= 1 << a.face
		s.mask[b.t] |= 1 << b.face
	}
	if err := p.double(s); err != nil {
		return nil, err
	}
	// a face is open only if one of its nodes is doubled: not in a corner of the front
	s.faces = slices.DeleteFunc(s.faces, func(f seamFace) bool {
		a, b := s.vert[f.minus], s.vert[f.plus]
		for i, n := range p.vert[f.minus] {
			if i != int(f.face) && a[i] != b[corner(&p.vert[f.plus], n)] {
				return false
			}
		}
		return true
	})
	return s, nil
}

// leaning is the side on which a piece with four nodes on the cut lies.
func (p *patch) leaning(v [4]int32) Side {
	if p.f.at(centroid(p.pos[v[0]], p.pos[v[1]], p.pos[v[2]], p.pos[v[3]])).dist > 0 {
		return Plus
	}
	return Minus
}

// beyond tells whether a face lies past the rim of the surface.
func (p *patch) beyond(n [3]int32) bool {
	if _, endless := p.f.(planeField); endless {
		return false
	}
	return p.f.at(r3.Scale(1./3, add(add(p.pos[n[0]], p.pos[n[1]]), p.pos[n[2]]))).beyond
}

// hold looks for pieces with four nodes on the cut that hang on no piece of
// their side, and gives them to the side of a neighbour, so that the cut makes
// no crumbs. A face of two such pieces stands twice in faces, one after the
// other.
func (s *seam) hold(faces []zeroFace, held []bool) {
	for again := true; again; {
		again = false
		for i := 1; i < len(faces); i++ {
			a, b := faces[i-1], faces[i]
			if a.n == b.n && s.side[a.t] == s.side[b.t] && held[a.t] != held[b.t] {
				held[a.t], held[b.t] = true, true
				again = true
			}
		}
		// one piece at a time: it may hold others of its new side
		for i := 1; i < len(faces) && !again; i++ {
			a, b := faces[i-1], faces[i]
			if a.n != b.n || held[a.t] == held[b.t] {
				continue
			}
			if held[a.t] {
				a, b = b, a
			}
			if s.side[b.t] != Both {
				s.side[a.t] = s.side[b.t]
				held[a.t] = true
				again = true
			}
		}
	}
}

// double gives every node of the cut as many copies as the pieces around it
// fall apart into. The pieces on the negative side keep the node itself; of
// several groups, the one with the first such piece.
func (p *patch) double(s *seam) error {
	s.vert = slices.Clone(p.vert)
	onCut := make([]bool, len(p.pos))
	for _, f := range s.faces {
		for _, i := range mesh.TetFaces[f.face] {
			onCut[p.vert[f.minus][i]] = true
		}
	}
	var group, number []int32 // group[j] leads from piece j towards the first of its group
	find := func(j int32) int32 {
		for group[j] != j {
			j = group[j]
		}
		return j
	}
	f := &p.fans
	for node, on := range onCut {
		if !on {
			continue
		}
		if err := p.stopped(); err != nil {
			return err
		}
		n := int32(node)
		around := p.around(n)
		f.reset(len(around))
		group, number = group[:0], number[:0]
		for j, t := range around {
			group, number = append(group, int32(j)), append(number, n)
			v := &p.vert[t]
			for _, c := range through[corner(v, n)] {
				if s.mask[t]&(1<<c[2]) != 0 {
					continue
				}
				e := f.find(v[c[0]], v[c[1]])
				if e.stamp != f.stamp {
					e.stamp, e.first = f.stamp, int32(j)
				} else {
					a, b := find(e.first), find(int32(j))
					group[max(a, b)] = min(a, b)
				}
			}
		}
		keeper := int32(0)
		for j, t := range around {
			if s.side[t] == Minus {
				keeper = find(int32(j))
				break
			}
		}
		for j, t := range around {
			root := find(int32(j))
			if root == keeper {
				continue
			}
			if root == int32(j) {
				number[j] = int32(len(p.pos) + len(s.copy))
				s.copy = append(s.copy, n)
			}
			s.vert[t][corner(&p.vert[t], n)] = number[root]
		}
	}
	return nil
}

// areaMM2 is the area of one side of the cut.
func (p *patch) areaMM2(s *seam) float64 {
	var sum float64
	for _, f := range s.faces {
		v, c := p.vert[f.minus], mesh.TetFaces[f.face]
		sum += r3.Norm(r3.Cross(sub(p.pos[v[c[1]]], p.pos[v[c[0]]]), sub(p.pos[v[c[2]]], p.pos[v[c[0]]])))
	}
	return sum / 2
}
