package tetra

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// MinJacobianRatio is the part of the straight element's Jacobian determinant
// that Curve leaves at least, everywhere in every element.
const MinJacobianRatio = 0.1

const (
	// maxReach is how far a mid-edge node may go, in lengths of its edge; what
	// projects further belongs to another sheet.
	maxReach = 0.5
	// backOffs is how often a move is halved before the edge stays straight, and
	// how often the halved one is refined after that.
	backOffs = 5
	refines  = 3
	// junctionRounds is how often the projections onto the interfaces that meet
	// at an edge are repeated in turn.
	junctionRounds = 4
)

// CurveReport tells what Curve did.
type CurveReport struct {
	Edges     int // on interfaces and the outer boundary
	Moved     int // with their mid-edge node off the straight edge
	BackedOff int // moved less far than the interface, or not at all, for the Jacobian
	Refused   int // project said no, or went further than half the edge
	LargestMM float64
	// MinJacobian is a lower bound of det J in any element, as a part of that of
	// the element with straight sides; 1 when nothing moved.
	MinJacobian float64
}

// Curve moves the mid-edge nodes of a Tet10 mesh that lie on an interface onto
// the true one; a Tet4 mesh becomes Tet10 first. project puts p (LPS, mm) on the
// interface between the regions a > b; b is LabelBackground at the outside.
// false leaves the edge straight. It is called from one goroutine, in order of
// the mid-edge nodes; where more than two regions meet at an edge it is asked
// for each pair in turn, repeatedly.
//
// The mid-edge nodes of interface edges start from the middle of the edge,
// wherever they were. An element whose Jacobian determinant would not stay
// above MinJacobianRatio of the straight element's is guarded by moving its
// nodes less far.
//
// Errors: *mesh.InvertedError when an element has no positive volume or is
// invalid with straight interface edges, a plain error when m is not consistent,
// ctx.Err(); m is then as it was. Corner nodes, Tets and Region are not touched.
func Curve(ctx context.Context, m *mesh.TetMesh, project func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool)) (CurveReport, error) {
	rep := CurveReport{MinJacobian: 1}
	if err := checkCurve(m); err != nil {
		return rep, err
	}
	c := &curver{m: m.Quadratic()}
	if c.m == m { // edit a copy
		c.m = &mesh.TetMesh{Nodes: append([]r3.Vec(nil), m.Nodes...), Tets: m.Tets, Mid: m.Mid, Region: m.Region}
	}
	if err := ctx.Err(); err != nil {
		return rep, err
	}
	c.findEdges()
	rep.Edges = len(c.node)
	if err := c.aim(ctx, project, &rep); err != nil {
		return rep, err
	}
	if err := c.guard(ctx); err != nil {
		return rep, err
	}
	c.tally(&rep)
	*m = *c.m
	return rep, nil
}

func checkCurve(m *mesh.TetMesh) error {
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return fmt.Errorf("tetra: %d regions for %d elements", len(m.Region), len(m.Tets))
	}
	if m.Mid != nil && len(m.Mid) != len(m.Tets) {
		return fmt.Errorf("tetra: %d rows of mid-edge nodes for %d elements", len(m.Mid), len(m.Tets))
	}
	n := uint32(len(m.Nodes))
	for t, v := range m.Tets {
		if uint32(v[0]) >= n || uint32(v[1]) >= n || uint32(v[2]) >= n || uint32(v[3]) >= n {
			return fmt.Errorf("tetra: element %d names nodes %v of %d", t, v, n)
		}
		if m.Mid != nil {
			for _, k := range m.Mid[t] {
				if uint32(k) >= n {
					return fmt.Errorf("tetra: element %d names mid-edge node %d of %d", t, k, n)
				}
			}
		}
		a, b, c, d := m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]
		if det := signed6(a, b, c, d); !(det > 0) || math.IsInf(det, 0) {
			return &mesh.InvertedError{Element: t, DetJ: det, AtMM: r3.Scale(0.25, r3.Add(r3.Add(a, b), r3.Add(c, d)))}
		}
	}
	return nil
}

// curver holds the interface edges while they are bent.
type curver struct {
	m    *mesh.TetMesh
	edge []int32 // per node: interface edge, or −1
	// per interface edge, in order of the mid-edge node
	node   []int32
	ends   [][2]int32
	pairs  [][]sidePair
	middle []r3.Vec // of the straight edge
	move   []r3.Vec // from there to the interface
	part   []float64
	first  []int32 // elements of an edge: tets[first[e]:first[e+1]]
	tets   []int32
	bent   []int32 // elements with an interface edge, in order
}

// sidePair are the two regions of an interface, the larger label first.
type sidePair struct{ a, b imaging.Label }

// findEdges lists the edges on interfaces and what meets there.
func (c *curver) findEdges() {
	m := c.m
	next := m.Neighbours()
	c.edge = make([]int32, len(m.Nodes))
	pair := make([]sidePair, len(m.Nodes)) // first pair at a mid-edge node
	type more struct {
		node int32
		p    sidePair
	}
	var extra []more
	for n := range c.edge {
		c.edge[n] = -1
	}
	count := 0
	for t, near := range next {
		for f, o := range near {
			if o >= 0 && (int(o) < t || m.Region == nil || m.Region[o] == m.Region[t]) {
				continue
			}
			var p sidePair
			if m.Region != nil {
				p.a = m.Region[t]
				if o >= 0 {
					p.b = m.Region[o]
				}
			}
			if p.a < p.b {
				p.a, p.b = p.b, p.a
			}
			for _, e := range faceEdges[f] {
				n := m.Mid[t][e]
				switch {
				case c.edge[n] < 0:
					c.edge[n], pair[n] = 0, p
					count++
				case pair[n] != p:
					extra = append(extra, more{n, p})
				}
			}
		}
	}
	c.node = make([]int32, 0, count)
	one := make([]sidePair, count)
	c.pairs = make([][]sidePair, count)
	for n, e := range c.edge {
		if e < 0 {
			continue
		}
		k := len(c.node)
		c.edge[n] = int32(k)
		one[k] = pair[n]
		c.pairs[k] = one[k : k+1 : k+1]
		c.node = append(c.node, int32(n))
	}
	for _, x := range extra {
		k := c.edge[x.node]
		known := false
		for _, p := range c.pairs[k] {
			known = known || p == x.p
		}
		if !known {
			c.pairs[k] = append(c.pairs[k], x.p)
		}
	}
	c.ends = make([][2]int32, count)
	c.first = make([]int32, count+2)
	for t, mid := range m.Mid {
		for i, n := range mid {
			if e := c.edge[n]; e >= 0 {
				v := &m.Tets[t]
				c.ends[e] = [2]int32{v[mesh.TetEdges[i][0]], v[mesh.TetEdges[i][1]]}
				c.first[e+2]++
			}
		}
	}
	for e := range c.first[1:] {
		c.first[e+1] += c.first[e]
	}
	c.tets = make([]int32, c.first[count+1])
	for t, mid := range m.Mid {
		for _, n := range mid {
			if e := c.edge[n]; e >= 0 {
				c.tets[c.first[e+1]] = int32(t)
				c.first[e+1]++
			}
		}
	}
}

// faceEdges are the edges of each face of mesh.TetFaces, as in mesh.TetEdges.
var faceEdges = func() (of [4][3]int) {
	for f := range of {
		k := 0
		for e, c := range mesh.TetEdges {
			if c[0] != f && c[1] != f {
				of[f][k] = e
				k++
			}
		}
	}
	return of
}()

// aim finds where the mid-edge nodes should go.
func (c *curver) aim(ctx context.Context, project func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool), rep *CurveReport) error {
	c.middle = make([]r3.Vec, len(c.node))
	c.move = make([]r3.Vec, len(c.node))
	c.part = make([]float64, len(c.node))
	for e, v := range c.ends {
		if e&63 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		a, b := c.m.Nodes[v[0]], c.m.Nodes[v[1]]
		c.middle[e] = r3.Scale(0.5, r3.Add(a, b))
		c.m.Nodes[c.node[e]] = c.middle[e]
		p, ok := c.middle[e], true
		rounds := 1
		if len(c.pairs[e]) > 1 {
			rounds = junctionRounds
		}
		for r := 0; r < rounds && ok; r++ {
			for _, q := range c.pairs[e] {
				if p, ok = project(p, q.a, q.b); !ok {
					break
				}
			}
		}
		d, l := r3.Sub(p, c.middle[e]), r3.Sub(b, a)
		far := r3.Dot(d, d)
		if !ok || !(far <= maxReach*maxReach*r3.Dot(l, l)) { // not a number, too
			rep.Refused++
			continue
		}
		if far > 0 {
			c.move[e], c.part[e] = d, 1
		}
	}
	return nil
}
