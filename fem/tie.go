package fem

import (
	"fmt"
	"slices"

	"halsted/imaging"
)

// Tie holds two surfaces with meshes that do not match together, or nodes to
// the tissue they lie in, as they are when the tie starts to act. With the jump
// of the displacement since then, J = u − u', its energy is ∫(ε/2·|J|² + λ·J)
// over the overlap of the faces, cut along the edges of both sides, so that a
// uniform stress crosses flat surfaces exactly (patch test); ε is the penalty
// (MPa/mm) and λ the multiplier (MPa, linear between the corners of Faces),
// which is 0 unless JumpToleranceMM asks for rounds.
//
// Distances that are there at the start are kept as vectors that do not turn
// with the body: let surfaces that are tied lie close.
//
// Sources: M. Puso, Int. J. Numer. Meth. Eng. 59 (2004) 315 (segments); P.
// Wriggers, Computational Contact Mechanics (2006), 5.3.
type Tie struct {
	Name    string
	Faces   [][3]int32 // boundary faces by corner nodes
	Against [][3]int32 // of the other side
	// SearchMM is the largest distance between points that are tied; 0 means a
	// quarter of the longest edge of the face. Faces that find nothing are free.
	SearchMM float64
	// Nodes are tied to the elements of the regions Within that they lie in (a
	// vessel in parenchyma); none of Within means all regions that do not have
	// the node. Every node must find one.
	Nodes  []int32
	Within []imaging.Label
	// Penalty multiplies the built-in penalty E·A/V of Contact, the less of both
	// faces; for a node the stiffness E·V^(1/3) of its element. 0 means 10.
	Penalty float64
	// JumpToleranceMM is the jump that is allowed in the mean around a corner of
	// Faces, and at a node; 0 leaves the one that the penalty gives.
	JumpToleranceMM float64
}

func (t *Tie) check(field string, m *Model, n int32) error {
	switch {
	case len(t.Faces)+len(t.Against)+len(t.Nodes) == 0:
		return badInput(field, "ties nothing; give Faces and Against, or Nodes")
	case (len(t.Faces) == 0) != (len(t.Against) == 0):
		return badInput(field, "has faces on one side only (%d and %d)", len(t.Faces), len(t.Against))
	case !(t.SearchMM >= 0) || !finite(t.SearchMM):
		return badInput(field, "searches %g mm; must not be negative", t.SearchMM)
	case !(t.Penalty >= 0) || !finite(t.Penalty):
		return badInput(field, "has penalty factor %g; must not be negative (0 means %g)", t.Penalty, defaultPenalty)
	case !(t.JumpToleranceMM >= 0) || !finite(t.JumpToleranceMM):
		return badInput(field, "has a jump tolerance of %g mm; must not be negative", t.JumpToleranceMM)
	}
	for i, v := range t.Nodes {
		if v < 0 || v >= n {
			return badInput(field, "Nodes[%d] is %d, the mesh has %d", i, v, n)
		}
	}
	for _, l := range t.Within {
		if !slices.ContainsFunc(m.Regions, func(r Region) bool { return r.Label == l }) {
			return badInput(field, "looks within label %v, which has no region", l)
		}
	}
	return disjoint(field, t.Faces, t.Against, n)
}

// checkTies refuses ties whose fields cannot be meant.
func (m *Model) checkTies() error {
	for i := range m.Ties {
		if err := m.Ties[i].check(fmt.Sprintf("Ties[%d]", i), m, int32(len(m.Mesh.Nodes))); err != nil {
			return err
		}
	}
	return nil
}
