package cut

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// wall is a face (n, x, y) at a node n on the outer boundary or between two
// regions. It is counter-clockwise seen from the higher label, or from outside.
type wall struct {
	x, y  int32
	flank uint32 // the two labels and which smooth piece between them it belongs to
}

// outside stands for a label beyond all labels.
const outside = 256

// fans pairs the faces through a node, two tetrahedra at a time. It is a hash
// table that is emptied by changing the stamp.
type fans struct {
	slot  []fan
	stamp uint32
	mask  uint32
	walls []wall
}

type fan struct {
	x, y  int32 // the other two nodes of the face, lower first
	stamp uint32
	first int32 // where the face was met first
	other int32 // label on the other side; outside until it is met
}

// reset empties f for a node of so many tetrahedra.
func (f *fans) reset(tets int) {
	if need := 8 * tets; len(f.slot) < need || f.stamp == math.MaxUint32 {
		size := 256
		for size < need {
			size *= 2
		}
		f.slot, f.mask, f.stamp = make([]fan, size), uint32(size-1), 0
	}
	f.stamp++
}

// find gives the slot of the face with x and y; its stamp is not f.stamp when
// the face is new.
func (f *fans) find(x, y int32) *fan {
	if x > y {
		x, y = y, x
	}
	h := (uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca6b) >> 5 & f.mask
	for f.slot[h].stamp == f.stamp && (f.slot[h].x != x || f.slot[h].y != y) {
		h = (h + 1) & f.mask
	}
	if s := &f.slot[h]; s.stamp != f.stamp {
		s.x, s.y = x, y
	}
	return &f.slot[h]
}

// through lists the three faces of a tetrahedron through its corner i: the
// other two corners, and the corner opposite the face.
var through = [4][3][3]int{
	{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}},
	{{2, 3, 0}, {3, 0, 2}, {0, 2, 3}},
	{{3, 0, 1}, {0, 1, 3}, {1, 3, 0}},
	{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}},
}

// walls lists the walls at near node n, in the order of the tetrahedra around
// it. The slice is reused.
func (p *patch) walls(n int32) []wall {
	f := &p.fans
	around := p.around(n)
	f.reset(len(around))
	for _, t := range around {
		v := &p.vert[t]
		for _, c := range through[corner(v, n)] {
			s := f.find(v[c[0]], v[c[1]])
			if s.stamp != f.stamp {
				s.stamp, s.first, s.other = f.stamp, t, outside
			} else {
				s.other = p.region(t)
			}
		}
	}
	f.walls = f.walls[:0]
	for _, t := range around {
		v := &p.vert[t]
		for _, c := range through[corner(v, n)] {
			s := f.find(v[c[0]], v[c[1]])
			if s.first != t {
				continue
			}
			lo, hi := p.region(t), s.other
			if lo == hi {
				continue
			}
			w := wall{x: v[c[0]], y: v[c[1]]}
			a := p.pos[n]
			inward := dot(r3.Cross(sub(p.pos[w.x], a), sub(p.pos[w.y], a)), sub(p.pos[v[c[2]]], a)) > 0
			if inward == (lo < hi) {
				w.x, w.y = w.y, w.x
			}
			w.flank = uint32(min(lo, hi))<<9 | uint32(max(lo, hi))
			f.walls = append(f.walls, w)
		}
	}
	p.partFlanks(n, f.walls)
	return f.walls
}

func (p *patch) region(t int32) int32 {
	if p.m.Region == nil {
		return 0
	}
	return int32(p.m.Region[p.tet[t]])
}

// corner is the place of node n in v.
func corner(v *[4]int32, n int32) int {
	for i := range 3 {
		if v[i] == n {
			return i
		}
	}
	return 3
}

// freedom is what walls leave of the motion of a node: the directions
// orthogonal to normal[:rank].
type freedom struct {
	normal [3]r3.Vec // orthonormal
	rank   int
}

// independent is the sine below which two area vectors count as parallel.
const independent = 1e-6

// creaseCos is the cosine of the angle, 30°, from which two walls between the
// same labels count as the flanks of a crease.
const creaseCos = 0.866

// partFlanks tells the flanks of creases and corners apart: a wall belongs to
// the first flank between its labels whose first wall stands at less than 30°.
func (p *patch) partFlanks(n int32, walls []wall) {
	at := p.pos[n]
	for i := range walls {
		c := r3.Cross(sub(p.pos[walls[i].x], at), sub(p.pos[walls[i].y], at))
		flanks := uint32(0)
		for j := range i {
			if walls[j].flank&flankLabels != walls[i].flank {
				continue
			}
			k := walls[j].flank >> flankShift
			if k < flanks {
				continue // not the first of its flank
			}
			d := r3.Cross(sub(p.pos[walls[j].x], at), sub(p.pos[walls[j].y], at))
			if x := dot(c, d); x > 0 && x*x > creaseCos*creaseCos*dot(c, c)*dot(d, d) {
				flanks = k
				break
			}
			flanks = k + 1
		}
		walls[i].flank |= flanks << flankShift
	}
}

const (
	flankShift  = 17
	flankLabels = 1<<flankShift - 1
)

// areaVector is twice the sum of the area vectors of walls[i] and the later
// walls of its flank.
func (p *patch) areaVector(n int32, walls []wall, i int) (a r3.Vec) {
	at := p.pos[n]
	for _, w := range walls[i:] {
		if w.flank == walls[i].flank {
			a = add(a, r3.Cross(sub(p.pos[w.x], at), sub(p.pos[w.y], at)))
		}
	}
	return a
}

// firstOfFlank tells whether no wall before i is of its flank.
func firstOfFlank(walls []wall, i int) bool {
	for _, w := range walls[:i] {
		if w.flank == walls[i].flank {
			return false
		}
	}
	return true
}

// freedom of node n. The volume of a region is linear in the position of one
// node: its gradient is a third of the sum of the area vectors of the region's
// walls there. A node that moves at right angles to the area vector of every flank
// changes no volume, however curved the walls are, and stays on its creases.
func (p *patch) freedom(n int32, walls []wall) (f freedom) {
	for i := range walls {
		if !firstOfFlank(walls, i) {
			continue
		}
		sum := p.areaVector(n, walls, i)
		length := r3.Norm(sum)
		rest := f.project(sum)
		if l := r3.Norm(rest); l > independent*length && f.rank < 3 {
			f.normal[f.rank] = r3.Scale(1/l, rest)
			f.rank++
		}
	}
	return f
}

// project takes away from d what the walls forbid.
func (f *freedom) project(d r3.Vec) r3.Vec {
	for _, n := range f.normal[:f.rank] {
		d = sub(d, r3.Scale(dot(d, n), n))
	}
	return d
}

// reach is the smallest free step that goes as far along d as d itself; ok is
// false when the walls stand too much across.
func (f *freedom) reach(d r3.Vec) (step r3.Vec, ok bool) {
	s := f.project(d)
	l2, d2 := dot(s, s), dot(d, d)
	if l2 <= acrossWalls*d2 {
		return r3.Vec{}, false
	}
	return r3.Scale(d2/l2, s), true
}

// acrossWalls is the squared cosine between a step and the walls below which
// sliding there would take more than twice the step.
const acrossWalls = 0.2

// bulge is how far moving node n to q lifts it off the planes of the walls:
// the square of the largest share of a wall's longer edge at n.
func (p *patch) bulge(n int32, q r3.Vec, walls []wall) float64 {
	var worst float64
	at := p.pos[n]
	step := sub(q, at)
	for _, w := range walls {
		a, b := sub(p.pos[w.x], at), sub(p.pos[w.y], at)
		c := r3.Cross(a, b)
		h := dot(c, step)
		worst = max(worst, h*h/(dot(c, c)*max(dot(a, a), dot(b, b))))
	}
	return worst
}
