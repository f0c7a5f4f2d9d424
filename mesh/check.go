package mesh

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// InvertedError names an element that is inside out or has no volume.
type InvertedError struct {
	Element int     // index in Tets
	DetJ    float64 // of the map from the unit tetrahedron, mm³; six times the volume of a straight element
	AtMM    r3.Vec  // LPS, where DetJ was taken
}

func (e *InvertedError) Error() string {
	return fmt.Sprintf("mesh: element %d is inverted or flat: det J = %.3g mm³ at (%.2f, %.2f, %.2f) mm; mesh again or remove it",
		e.Element, e.DetJ, e.AtMM.X, e.AtMM.Y, e.AtMM.Z)
}

// ConformityError names a face that is not shared as it should be.
type ConformityError struct {
	Face     [3]int32
	Elements []int32 // the tetrahedra that hold it
	Reason   string
}

func (e *ConformityError) Error() string {
	return fmt.Sprintf("mesh: face %v of elements %v %s", e.Face, e.Elements, e.Reason)
}

// Check reports the first defect that would make a solver fail: a non-finite
// node, an index out of range, slices of different length, an element whose
// Jacobian determinant is not positive (*InvertedError; at the corners and at
// four inner points for Tet10), or a face held by more than two elements, by two
// on the same side, or with other mid-edge nodes on either side
// (*ConformityError).
func (m *TetMesh) Check() error {
	for n, p := range m.Nodes {
		if !finite(p) {
			return fmt.Errorf("mesh: node %d is at %v", n, p)
		}
	}
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return fmt.Errorf("mesh: %d regions for %d elements", len(m.Region), len(m.Tets))
	}
	if m.Mid != nil && len(m.Mid) != len(m.Tets) {
		return fmt.Errorf("mesh: %d rows of mid-edge nodes for %d elements", len(m.Mid), len(m.Tets))
	}
	for t, v := range m.Tets {
		for _, n := range v {
			if n < 0 || int(n) >= len(m.Nodes) {
				return fmt.Errorf("mesh: element %d names node %d of %d", t, n, len(m.Nodes))
			}
		}
		if m.Mid != nil {
			for _, n := range m.Mid[t] {
				if n < 0 || int(n) >= len(m.Nodes) {
					return fmt.Errorf("mesh: element %d names mid-edge node %d of %d", t, n, len(m.Nodes))
				}
			}
			if err := m.checkQuadratic(t); err != nil {
				return err
			}
			continue
		}
		p := [4]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]}
		if d := Signed6(p[0], p[1], p[2], p[3]); !(d > 0) {
			return &InvertedError{Element: t, DetJ: d, AtMM: centroid(p)}
		}
	}
	var err error
	m.eachFace(func(faces []tetFace) {
		for n := 0; n < len(faces) && err == nil; {
			e := n + 1
			for e < len(faces) && faces[e].mid == faces[n].mid && faces[e].top == faces[n].top {
				e++
			}
			if e-n > 2 {
				err = m.badFace(faces[n:e], "is shared by more than two")
			} else if e-n == 2 && m.windsUp(faces[n]) == m.windsUp(faces[n+1]) {
				err = m.badFace(faces[n:e], "has both on the same side: they overlap")
			} else if e-n == 2 && m.Mid != nil && m.midNodes(faces[n]) != m.midNodes(faces[n+1]) {
				err = m.badFace(faces[n:e], "has different mid-edge nodes on its two sides")
			}
			n = e
		}
	})
	return err
}

// windsUp tells whether the outward face is an even permutation of its sorted
// vertices.
func (m *TetMesh) windsUp(f tetFace) bool {
	v, c := m.Tets[f.tet], TetFaces[f.face]
	a, b, d := v[c[0]], v[c[1]], v[c[2]]
	return a < b == (b < d) == (a < d)
}

// midNodes are the mid-edge nodes of a face on its edges lowest–middle,
// middle–highest and lowest–highest vertex.
func (m *TetMesh) midNodes(f tetFace) [3]int32 {
	c, v := TetFaces[f.face], &m.Tets[f.tet]
	at := func(node int32) int { // corner of the face that is node
		for _, i := range c {
			if v[i] == node {
				return i
			}
		}
		return c[0]
	}
	lo := at(min(v[c[0]], v[c[1]], v[c[2]]))
	mid, top := at(f.mid), at(f.top)
	q := &m.Mid[f.tet]
	return [3]int32{q[edgeOf[lo][mid]], q[edgeOf[mid][top]], q[edgeOf[lo][top]]}
}

func (m *TetMesh) badFace(faces []tetFace, why string) error {
	v, c := m.Tets[faces[0].tet], TetFaces[faces[0].face]
	e := &ConformityError{Face: [3]int32{v[c[0]], v[c[1]], v[c[2]]}, Reason: why}
	for _, f := range faces {
		e.Elements = append(e.Elements, f.tet)
	}
	return e
}

// gaussTet4 is the abscissa of the four-point rule of degree 2 on the
// tetrahedron: (5+3√5)/20 (A. H. Stroud, Approximate Calculation of Multiple
// Integrals, 1971, T3:2-1).
const gaussTet4 = 0.58541019662496845446

// checkQuadratic takes det J of a Tet10 at its corners and at the four Gauss
// points.
func (m *TetMesh) checkQuadratic(t int) error {
	x := m.nodes10(t)
	for s := range 8 {
		l := [4]float64{}
		if s < 4 {
			l[s] = 1
		} else {
			for i := range l {
				l[i] = (1 - gaussTet4) / 3
			}
			l[s-4] = gaussTet4
		}
		d := gradient10(&x, &l)
		det := r3.Dot(r3.Sub(d[1], d[0]), r3.Cross(r3.Sub(d[2], d[0]), r3.Sub(d[3], d[0])))
		if !(det > 0) {
			var at r3.Vec
			w := shape10(l)
			for n := range x {
				at = r3.Add(at, r3.Scale(w[n], x[n]))
			}
			return &InvertedError{Element: t, DetJ: det, AtMM: at}
		}
	}
	return nil
}

// shape10 are the Tet10 shape functions at barycentric coordinates l: corners
// l(2l−1), then 4·l_i·l_j in the order of TetEdges.
func shape10(l [4]float64) (n [10]float64) {
	for i, x := range l {
		n[i] = x * (2*x - 1)
	}
	for e, c := range TetEdges {
		n[4+e] = 4 * l[c[0]] * l[c[1]]
	}
	return n
}

func centroid(p [4]r3.Vec) r3.Vec {
	return r3.Scale(0.25, r3.Add(r3.Add(p[0], p[1]), r3.Add(p[2], p[3])))
}

func finite(p r3.Vec) bool {
	s := p.X + p.Y + p.Z
	return !math.IsNaN(s) && !math.IsInf(s, 0)
}
