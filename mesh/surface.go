package mesh

import (
	"fmt"
	"math"
	"slices"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// SurfaceError names an edge at which the boundary of a region is not closed.
type SurfaceError struct {
	Label imaging.Label
	Edge  [2]int32 // vertices
	AtMM  r3.Vec   // LPS, middle of the edge
	// Faces counts the region's faces that run along the edge each way; equal
	// numbers mean closed and consistently oriented.
	Faces [2]int
}

func (e *SurfaceError) Error() string {
	return fmt.Sprintf("mesh: the surface of %v is open or turned at edge %v near (%.2f, %.2f, %.2f) mm: %d faces run one way, %d the other",
		e.Label, e.Edge, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.Faces[0], e.Faces[1])
}

// Check reports the first defect of s: a non-finite vertex, an index out of
// range or repeated in a face, a face with the same region on both sides,
// slices of different length, or a region other than background whose boundary
// is not closed and consistently oriented (*SurfaceError).
//
// Two sheets of one region may meet along an edge or at a vertex: that is
// closed but not manifold, see Topology.
func (s *Surface) Check() error {
	if len(s.Region) != len(s.Tris) {
		return fmt.Errorf("mesh: %d regions for %d faces", len(s.Region), len(s.Tris))
	}
	for n, p := range s.Verts {
		if !finite(p) {
			return fmt.Errorf("mesh: vertex %d is at %v", n, p)
		}
	}
	for t, v := range s.Tris {
		for _, n := range v {
			if n < 0 || int(n) >= len(s.Verts) {
				return fmt.Errorf("mesh: face %d names vertex %d of %d", t, n, len(s.Verts))
			}
		}
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			return fmt.Errorf("mesh: face %d repeats a vertex: %v", t, v)
		}
		if s.Region[t].Inside == s.Region[t].Outside {
			return fmt.Errorf("mesh: face %d has %v on both sides", t, s.Region[t].Inside)
		}
	}
	for _, l := range s.Labels() {
		var bad *SurfaceError
		s.eachEdge(l, func(a, b int32, up, down int) {
			if up != down && bad == nil {
				bad = &SurfaceError{Label: l, Edge: [2]int32{a, b}, Faces: [2]int{up, down},
					AtMM: r3.Scale(0.5, r3.Add(s.Verts[a], s.Verts[b]))}
			}
		})
		if bad != nil {
			return bad
		}
	}
	return nil
}

// Labels lists the regions of s in ascending order, background left out.
func (s *Surface) Labels() []imaging.Label {
	var seen [256]bool
	for _, r := range s.Region {
		seen[r.Inside], seen[r.Outside] = true, true
	}
	var out []imaging.Label
	for l := 1; l < 256; l++ {
		if seen[l] {
			out = append(out, imaging.Label(l))
		}
	}
	return out
}

// Topology counts how the boundary of one region hangs together.
type Topology struct {
	Verts, Edges, Faces int
	OpenEdges           int // edges where the two directions do not balance
	NonManifoldEdges    int // closed edges with more than two faces
}

// Closed reports a watertight, consistently oriented boundary.
func (t Topology) Closed() bool { return t.OpenEdges == 0 }

// Manifold reports that every edge has exactly two faces.
func (t Topology) Manifold() bool { return t.OpenEdges == 0 && t.NonManifoldEdges == 0 }

// Euler is V − E + F: 2 for a sphere, 0 for a torus.
func (t Topology) Euler() int { return t.Verts - t.Edges + t.Faces }

// Topology measures the boundary of region l.
func (s *Surface) Topology(l imaging.Label) (t Topology) {
	used := make([]bool, len(s.Verts))
	for n, r := range s.Region {
		if r.Inside != l && r.Outside != l {
			continue
		}
		t.Faces++
		for _, v := range s.Tris[n] {
			if !used[v] {
				used[v] = true
				t.Verts++
			}
		}
	}
	s.eachEdge(l, func(_, _ int32, up, down int) {
		t.Edges++
		switch {
		case up != down:
			t.OpenEdges++
		case up > 1:
			t.NonManifoldEdges++
		}
	})
	return t
}

// eachEdge calls f for every edge a < b of the faces that bound l, with how
// many of them, turned so that l is inside, run from a to b and back.
func (s *Surface) eachEdge(l imaging.Label, f func(a, b int32, up, down int)) {
	start := make([]int32, len(s.Verts)+2)
	each := func(visit func(a, b int32)) {
		for n, r := range s.Region {
			if r.Inside != l && r.Outside != l {
				continue
			}
			v := s.Tris[n]
			if r.Outside == l {
				v[1], v[2] = v[2], v[1]
			}
			visit(v[0], v[1])
			visit(v[1], v[2])
			visit(v[2], v[0])
		}
	}
	each(func(a, b int32) { start[min(a, b)+2]++ })
	for n := 1; n < len(start); n++ {
		start[n] += start[n-1]
	}
	far := make([]int32, start[len(start)-1]) // 2b, plus 1 when run backwards
	each(func(a, b int32) {
		x := b << 1
		if a > b {
			x, a = a<<1|1, b
		}
		far[start[a+1]] = x
		start[a+1]++
	})
	for a := range len(s.Verts) {
		run := far[start[a]:start[a+1]]
		slices.Sort(run)
		for n := 0; n < len(run); {
			var count [2]int
			b := run[n] >> 1
			for ; n < len(run) && run[n]>>1 == b; n++ {
				count[run[n]&1]++
			}
			f(int32(a), b, count[0], count[1])
		}
	}
}

// Bounding returns the faces that separate the regions for which inside is
// true from the rest, all turned outward, in their order, and the vertex of s
// behind each of its vertices. Each face keeps the pair of labels, the inner
// one as Inside.
func (s *Surface) Bounding(inside func(imaging.Label) bool) (*Surface, []int32) {
	out := &Surface{}
	var from []int32
	number := make([]int32, len(s.Verts))
	for n, v := range s.Tris {
		r := s.Region[n]
		in := inside(r.Inside)
		if in == inside(r.Outside) {
			continue
		}
		if !in {
			r.Inside, r.Outside = r.Outside, r.Inside
			v[1], v[2] = v[2], v[1]
		}
		for i, p := range v {
			if number[p] == 0 {
				from = append(from, p)
				out.Verts = append(out.Verts, s.Verts[p])
				number[p] = int32(len(from))
			}
			v[i] = number[p] - 1
		}
		out.Tris = append(out.Tris, v)
		out.Region = append(out.Region, r)
	}
	return out, from
}

// AreaMM2 is the area of the faces whose sides pass keep; nil keeps all.
func (s *Surface) AreaMM2(keep func(Sides) bool) float64 {
	var sum float64
	for t, v := range s.Tris {
		if keep == nil || keep(s.Region[t]) {
			sum += r3.Norm(r3.Cross(r3.Sub(s.Verts[v[1]], s.Verts[v[0]]), r3.Sub(s.Verts[v[2]], s.Verts[v[0]])))
		}
	}
	return sum / 2
}

// Normals are the unit outward normals at the vertices: the mean of the faces
// around, weighted by area. A vertex of no face, or of faces that cancel, has
// the zero normal.
func (s *Surface) Normals() []r3.Vec {
	out := make([]r3.Vec, len(s.Verts))
	for _, v := range s.Tris {
		n := r3.Cross(r3.Sub(s.Verts[v[1]], s.Verts[v[0]]), r3.Sub(s.Verts[v[2]], s.Verts[v[0]]))
		for _, p := range v {
			out[p] = r3.Add(out[p], n)
		}
	}
	for p, n := range out {
		if l := r3.Norm(n); l > 0 {
			out[p] = r3.Scale(1/l, n)
		}
	}
	return out
}

// Bounds are the corners of the box around the points, LPS mm; both are zero
// when there are none.
func Bounds(p []r3.Vec) (lo, hi r3.Vec) {
	if len(p) == 0 {
		return
	}
	lo, hi = p[0], p[0]
	for _, q := range p {
		lo = r3.Vec{X: math.Min(lo.X, q.X), Y: math.Min(lo.Y, q.Y), Z: math.Min(lo.Z, q.Z)}
		hi = r3.Vec{X: math.Max(hi.X, q.X), Y: math.Max(hi.Y, q.Y), Z: math.Max(hi.Z, q.Z)}
	}
	return lo, hi
}
