package mesh

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// Defects counts what is wrong with a set of triangles, as it may come from a
// foreign file. Unlike Check, which stops at the first fault, it looks at
// everything, so that a person can judge whether a file is worth mending.
type Defects struct {
	Verts, Faces int
	NonFinite    int // vertices with a coordinate that is NaN or infinite
	BadIndex     int // faces that name a vertex which does not exist; not looked at further
	Degenerate   int // faces that repeat a vertex, or whose height is below degenerateRatio of their longest side
	Duplicate    int // faces on the same three vertices as an earlier face, either way round
	OpenEdges    int // edges of one face only
	// TurnedEdges have two faces or more, but the boundary of some region does
	// not run along them as often one way as the other: a face is turned over,
	// or its regions are wrong.
	TurnedEdges int
	// CrowdedEdges have more than two faces of one region other than background.
	// Edges at which three regions meet are not among them.
	CrowdedEdges int
	// FirstFace is the lowest face with any of these faults; −1 when there is
	// none, or when only vertices of no face are at fault.
	FirstFace int
}

// degenerateRatio is where a face counts as flat: twice its area divided by its
// longest side squared. Coordinates rounded to float32 a few hundred mm from
// the origin move by 3e-5 mm; a real face of 0.01 mm stays far above.
const degenerateRatio = 1e-9

// maxSide2 keeps the fourth power of a side, mm⁴, within float64.
const maxSide2 = 1e150

// Sound reports that nothing is wrong.
func (d Defects) Sound() bool {
	return d.NonFinite+d.BadIndex+d.Degenerate+d.Duplicate+d.OpenEdges+d.TurnedEdges+d.CrowdedEdges == 0
}

// String lists the faults found.
func (d Defects) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{d.NonFinite, "vertices not finite"}, {d.BadIndex, "faces with a vertex that does not exist"},
		{d.Degenerate, "faces without area"}, {d.Duplicate, "faces given twice"}, {d.OpenEdges, "open edges"},
		{d.TurnedEdges, "edges with a face turned over"}, {d.CrowdedEdges, "edges with more than two faces"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if parts == nil {
		return fmt.Sprintf("%d faces, no fault", d.Faces)
	}
	s := fmt.Sprintf("%d faces: %s", d.Faces, strings.Join(parts, ", "))
	if d.FirstFace >= 0 {
		s += fmt.Sprintf("; first at face %d", d.FirstFace)
	}
	return s
}

// Defects looks at every vertex, face and edge of s. Faces without an entry in
// Region count as having one region inside and background outside. A closed,
// oriented, manifold surface of any number of regions has none.
func (s *Surface) Defects() Defects {
	d := Defects{Verts: len(s.Verts), Faces: len(s.Tris), FirstFace: len(s.Tris)}
	fault := func(count *int, face int) {
		*count++
		d.FirstFace = min(d.FirstFace, face)
	}
	for _, p := range s.Verts {
		if !finite(p) {
			d.NonFinite++
		}
	}
	// half-edges by their lower vertex: far end, direction and face in one word
	start := make([]int32, len(s.Verts)+2)
	for t := range s.Tris {
		a, b, c := s.Tris[t][0], s.Tris[t][1], s.Tris[t][2]
		if !s.inRange(a, b, c) {
			fault(&d.BadIndex, t)
			continue
		}
		if a == b || b == c || c == a {
			fault(&d.Degenerate, t)
			continue
		}
		start[min(a, b)+2]++
		start[min(b, c)+2]++
		start[min(c, a)+2]++
		ab, ac := r3.Sub(s.Verts[b], s.Verts[a]), r3.Sub(s.Verts[c], s.Verts[a])
		long2 := max(r3.Norm2(ab), r3.Norm2(ac), r3.Norm2(r3.Sub(ac, ab)))
		if !(long2 < maxSide2) { // NaN, infinite, or too far away to measure
			d.FirstFace = min(d.FirstFace, t)
		} else if r3.Norm2(r3.Cross(ab, ac)) <= degenerateRatio*degenerateRatio*long2*long2 {
			fault(&d.Degenerate, t)
		}
	}
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	half := make([]uint64, start[len(start)-1])
	for t, v := range s.Tris {
		if !s.inRange(v[0], v[1], v[2]) || v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			continue
		}
		a := v[2]
		for _, b := range v {
			lo, x := a, uint64(b)<<33
			if a > b {
				lo, x = b, uint64(a)<<33|1<<32
			}
			half[start[lo+1]] = x | uint64(t)
			start[lo+1]++
			a = b
		}
	}
	for a := range int32(len(s.Verts)) {
		run := half[start[a]:start[a+1]]
		sortHalf(run)
		for len(run) > 0 {
			n, far := 1, run[0]>>33
			for n < len(run) && run[n]>>33 == far {
				n++
			}
			s.edgeDefects(a, int32(far), run[:n], &d)
			run = run[n:]
		}
	}
	if d.FirstFace == len(s.Tris) {
		d.FirstFace = -1
	}
	return d
}

func (s *Surface) inRange(a, b, c int32) bool {
	n := uint32(len(s.Verts))
	return uint32(a) < n && uint32(b) < n && uint32(c) < n
}

// sortHalf sorts the few half-edges of one vertex.
func sortHalf(run []uint64) {
	if len(run) > 24 {
		slices.Sort(run)
		return
	}
	for i := 1; i < len(run); i++ {
		x, j := run[i], i
		for ; j > 0 && run[j-1] > x; j-- {
			run[j] = run[j-1]
		}
		run[j] = x
	}
}

// edgeDefects judges one edge a < b by its half-edges.
func (s *Surface) edgeDefects(a, b int32, half []uint64, d *Defects) {
	first := int(uint32(half[0]))
	if len(half) == 1 {
		d.OpenEdges++
		d.FirstFace = min(d.FirstFace, first)
		return
	}
	second := int(uint32(half[1]))
	third := func(h uint64) int32 {
		v := &s.Tris[uint32(h)]
		return v[0] ^ v[1] ^ v[2] ^ a ^ b
	}
	if len(half) == 2 && third(half[0]) != third(half[1]) {
		p, q := s.sides(first), s.sides(second)
		if (half[0]^half[1])>>32&1 == 0 {
			q.Inside, q.Outside = q.Outside, q.Inside
		}
		if p != q {
			d.TurnedEdges++
			d.FirstFace = min(d.FirstFace, first, second)
		}
		return
	}
	// twins are found once, at the edge between their two lowest vertices
	var few [8]uint64
	twins := few[:0]
	for _, h := range half {
		if c := third(h); c > b {
			twins = append(twins, uint64(c)<<32|uint64(uint32(h)))
		}
	}
	slices.Sort(twins)
	for i := 1; i < len(twins); i++ {
		if twins[i]>>32 == twins[i-1]>>32 {
			d.Duplicate++
			d.FirstFace = min(d.FirstFace, int(uint32(twins[i])))
		}
	}
	var balance, count [256]int32
	lowest := len(s.Tris)
	for _, h := range half {
		t := int(uint32(h))
		lowest = min(lowest, t)
		r := s.sides(t)
		up := int32(1) - int32(h>>32&1)*2
		balance[r.Inside] += up
		balance[r.Outside] -= up
		count[r.Inside]++
		count[r.Outside]++
	}
	turned, crowded := false, false
	for l := range balance {
		turned = turned || balance[l] != 0
		crowded = crowded || l > 0 && count[l] > 2
	}
	if turned {
		d.TurnedEdges++
	}
	if crowded {
		d.CrowdedEdges++
	}
	if turned || crowded {
		d.FirstFace = min(d.FirstFace, lowest)
	}
}

func (s *Surface) sides(t int) Sides {
	if t < len(s.Region) {
		return s.Region[t]
	}
	return Sides{Inside: 1}
}
