package deck

import (
	"cmp"
	"slices"

	"halsted/fem"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// inpFace is a pressure on a face of a tetrahedron.
type inpFace struct {
	elem int32
	face int8
	step int // that set it last
	load fem.FaceLoad
}

// pointForce adds a *CLOAD. Within a step the lines of one node and direction
// add up; the first line of a later step replaces what was there (CalculiX).
func (b *inpBuild) pointForce(step int, e *inpEntry) error {
	if b.force == nil {
		b.force = make([]r3.Vec, len(b.m.Mesh.Nodes))
		b.forceStep = make([]int32, 3*len(b.force))
	}
	one := [1]int32{}
	list := one[:]
	if e.number > 0 {
		if one[0] = b.node.get(e.number); one[0] < 0 {
			return e.place().bad("define the node", "there is no node %d", e.number)
		}
	} else {
		var err error
		if list, err = b.nodesOf(e); err != nil {
			return err
		}
		if err := b.spend(e, len(list)); err != nil {
			return err
		}
	}
	f := e.value * b.u.ForceN
	for _, at := range list {
		n := b.final[at]
		if n < 0 {
			if f != 0 {
				return e.place().bad("load nodes of elements", "node %d belongs to no element", b.node.tags[at])
			}
			continue
		}
		v := &b.force[n]
		x := [3]*float64{&v.X, &v.Y, &v.Z}[e.a-1]
		if d := 3*int(n) + int(e.a-1); b.forceStep[d] != int32(step+1) {
			b.forceStep[d] = int32(step + 1)
			*x = 0
		}
		*x += f
	}
	return nil
}

// abaqusFaces are the faces 1 to 4 of a tetrahedron by their corners.
var abaqusFaces = [4][3]int{{0, 1, 2}, {0, 3, 1}, {1, 3, 2}, {2, 3, 0}}

// press puts a pressure on a face.
func (b *inpBuild) press(step int, e *inpEntry, elem int32, face int) error {
	t := b.tet(elem)
	if t < 0 {
		return e.place().bad("load faces of tetrahedra", "element %d is no tetrahedron", b.elem.tags[elem])
	}
	if b.faceOf == nil {
		b.faceOf = map[int64]int32{}
	}
	key := 4*int64(t) + int64(face)
	at, ok := b.faceOf[key]
	if !ok {
		c := b.mesh.Tets[t]
		q := abaqusFaces[face]
		at = int32(len(b.faces))
		b.faceOf[key] = at
		b.faces = append(b.faces, inpFace{elem: t, face: int8(face), step: step,
			load: fem.FaceLoad{Face: [3]int32{c[q[0]], c[q[1]], c[q[2]]}, Follows: b.follow}})
	}
	f := &b.faces[at]
	if f.step != step {
		f.step, f.load.PressureMPa = step, 0
	}
	f.load.PressureMPa += e.value * b.u.stress()
	return nil
}

// elementLoad is a *DLOAD: P1 to P4, or GRAV.
func (b *inpBuild) elementLoad(step int, e *inpEntry) error {
	if e.face == "GRAV" {
		return b.gravity(step, e)
	}
	if len(e.face) != 2 || e.face[0] != 'P' || e.face[1] < '1' || e.face[1] > '4' {
		return e.place().bad("use P1 to P4 or GRAV", "the load %s is not available", quote(e.face))
	}
	list, err := b.elementsOf(e)
	if err != nil {
		return err
	}
	for _, at := range list {
		if err := b.press(step, e, at, int(e.face[1]-'1')); err != nil {
			return err
		}
	}
	return nil
}

func (b *inpBuild) elementsOf(e *inpEntry) ([]int32, error) {
	if e.number > 0 {
		at := b.elem.get(e.number)
		if at < 0 {
			return nil, e.place().bad("define the element", "there is no element %d", e.number)
		}
		return []int32{at}, nil
	}
	s := findSet(b.elsets, e.set)
	if s == nil {
		return nil, e.place().bad("define the element set", "there is no element set %s", quote(e.set))
	}
	list, ok := s.places(&b.elem)
	if !ok {
		return nil, e.place().bad("write the set in full", "the element set %s is nested too deep", quote(e.set))
	}
	return list, b.spend(e, len(list))
}

// surfaceLoad is a *DSLOAD: P on a surface.
func (b *inpBuild) surfaceLoad(step int, e *inpEntry) error {
	if e.face != "P" {
		return e.place().bad("use P, or *CLOAD", "the load %s is not available", quote(e.face))
	}
	s := b.surfaces[upper(e.set)]
	if s == nil {
		return e.place().bad("define the surface", "there is no surface %s", quote(e.set))
	}
	list, err := b.facesOf(s)
	if err != nil {
		return err
	}
	if err := b.spend(e, len(list)); err != nil {
		return err
	}
	for _, f := range list {
		if err := b.press(step, e, f.elem, int(f.face)); err != nil {
			return err
		}
	}
	return nil
}

// inpFacePlace is a face of an element.
type inpFacePlace struct {
	elem int32
	face int8
}

// facesOf lists the faces of a surface; a set without a face name stands for
// its faces on the outside of the body.
func (b *inpBuild) facesOf(s *inpSurface) (out []inpFacePlace, err error) {
	if s.nodes {
		return nil, s.bad("use TYPE=ELEMENT", "a surface of nodes has no faces")
	}
	for _, part := range s.parts {
		p := place{s.file, part.line, s.keyword}
		var list []int32
		if part.number > 0 {
			at := b.elem.get(part.number)
			if at < 0 {
				return nil, p.bad("define the element", "there is no element %d", part.number)
			}
			list = []int32{at}
		} else {
			es := findSet(b.elsets, part.name)
			if es == nil {
				return nil, p.bad("define the element set", "there is no element set %s", quote(part.name))
			}
			var ok bool
			if list, ok = es.places(&b.elem); !ok {
				return nil, p.bad("write the set in full", "the element set %s is nested too deep", quote(part.name))
			}
		}
		switch {
		case part.face == "":
			if b.outside == nil {
				b.outside = b.mesh.Neighbours()
			}
			for _, at := range list {
				t := b.tet(at)
				if t < 0 {
					continue
				}
				for f, other := range b.outside[t] {
					if other < 0 {
						out = append(out, inpFacePlace{at, abaqusOf(mesh.TetFaces[f])})
					}
				}
			}
		case len(part.face) == 2 && part.face[0] == 'S' && part.face[1] >= '1' && part.face[1] <= '4':
			for _, at := range list {
				out = append(out, inpFacePlace{at, int8(part.face[1] - '1')})
			}
		default:
			return nil, p.bad("use S1 to S4", "the face %s is not understood", quote(part.face))
		}
		if len(out) > maxWork {
			return nil, p.bad("", "too many faces")
		}
	}
	slices.SortFunc(out, func(a, c inpFacePlace) int { return cmp.Or(cmp.Compare(a.elem, c.elem), cmp.Compare(a.face, c.face)) })
	return slices.Compact(out), nil
}

// abaqusOf is the Abaqus number, from 0, of the face with these corners.
func abaqusOf(c [3]int) int8 {
	for n, f := range abaqusFaces {
		if f[0]+f[1]+f[2] == c[0]+c[1]+c[2] {
			return int8(n)
		}
	}
	return 0
}

// loads is what acts at the end of the step.
func (b *inpBuild) loads() (fem.LoadCase, error) {
	var l fem.LoadCase
	if n := len(b.faces); n > 0 {
		l.Faces = make([]fem.FaceLoad, 0, n)
		for _, f := range b.faces {
			if f.load.PressureMPa != 0 {
				l.Faces = append(l.Faces, f.load)
			}
		}
	}
	count := 0
	for _, f := range b.force {
		if f != (r3.Vec{}) {
			count++
		}
	}
	if count > 0 {
		l.Forces = make([]fem.NodalForce, 0, count)
		for n, f := range b.force {
			if f != (r3.Vec{}) {
				l.Forces = append(l.Forces, fem.NodalForce{Node: int32(n), ForceN: f})
			}
		}
	}
	var err error
	l.GravityChange, err = b.gravityChange()
	return l, err
}
