package fem

import (
	"fmt"

	"gonum.org/v1/gonum/spatial/r3"
)

// Contact keeps a surface of the mesh from entering another one, or a rigid
// obstacle. Pressure acts at points of Faces along the normal of the nearest
// point of the other surface:
//
//	t = max(0, λ − ε·g),
//
// with g the gap (mm, positive when open), ε the penalty (MPa/mm) and λ the
// multiplier (MPa, linear between the corners of the faces), which is 0 unless
// GapToleranceMM asks for rounds. t counts per reference area of Faces, so
// without friction the forces have an energy.
//
// Friction is Coulomb's, with an elastic stick of stiffness ε_T = ε/10 and
// radial return. Within a round of an increment the friction limit is that of the
// round before, μ·t, which keeps tangents symmetric and gives the round an
// energy; rounds go on until the limit stands (frictionTol). A point that
// comes into contact in an increment slides freely until the first round ends.
//
// A surface does not touch itself: Faces and Against may share no node. Where a
// body is held by nothing but contacts, soft springs hold its contact faces to
// where they were a round ago, and rounds go on until the springs carry less
// than driftTol of the contact force, so that nothing of them is left in the
// result. Such a body must touch where it starts.
//
// Between two meshes without friction the points lie on the pieces that the
// edges of both sides cut out of each other at the start of an increment, three
// on each, so that a uniform pressure crosses flat surfaces exactly. With
// friction, whose history stays at its points, and against obstacles they are
// those of the quadrature rule of each face (6 on a Tri6, 3 on a Tri3): a
// uniform pressure then crosses meshes that do not match with errors of a few
// per cent. Let Faces be the finer or the softer side, or set TwoPass.
//
// Sources: P. Wriggers, Computational Contact Mechanics (2006), chapters 4, 5
// and 9; J. Simo & T. Laursen, Comput. Struct. 42 (1992) 97 (augmented
// Lagrangian with friction); M. Puso, Int. J. Numer. Meth. Eng. 59 (2004) 315
// (segments).
type Contact struct {
	Name     string
	Faces    [][3]int32 // boundary faces by corner nodes, in any order of nodes
	Against  [][3]int32 // boundary faces of the other body; none with an Obstacle
	Obstacle *Obstacle  // rigid
	// Friction is Coulomb's coefficient; 0 slides freely.
	Friction float64
	// Penalty multiplies the built-in penalty E·A/V, with Young's modulus E at
	// rest, area A of the face and volume V of the element under it, or the mean
	// of it over Against where that is less; 0 means 10.
	Penalty float64
	// GapToleranceMM is the penetration that is allowed in the mean around a
	// corner of Faces (over its faces, weighted with its linear shape function).
	// Multipliers are moved, and where that is slow the penalty is raised, until
	// all corners keep it. 0 leaves the penetration that the penalty gives.
	GapToleranceMM float64
	// TwoPass also integrates over Against, with half the weight on each.
	TwoPass bool
}

// ContactState is what a contact does in a frame.
type ContactState struct {
	Name           string
	ForceN         r3.Vec  // resultant on Against or the obstacle, N
	MaxPressureMPa float64 // largest at a quadrature point, per deformed area
	AreaMM2        float64 // deformed area of Faces under pressure
	MaxGapMM       float64 // largest penetration, mm
	Slipping       float64 // part of AreaMM2 that slips, 0 to 1
	// Nodes of Faces and the pressure at them, MPa: averages over the faces of
	// a corner; a mid-edge node has the mean of its corners.
	Nodes       []int32
	PressureMPa []float64
}

// ContactError says that two bodies overlap where a contact starts to act.
type ContactError struct {
	Name    string
	Face    [3]int32 // of Faces, by corner nodes
	AtMM    r3.Vec   // quadrature point, LPS mm
	DepthMM float64  // penetration
	LimitMM float64  // what can be pushed back: the face's longest edge
}

func (e *ContactError) Error() string {
	return fmt.Sprintf("fem: contact %q: the surfaces overlap by %.3g mm at (%.1f, %.1f, %.1f) mm (face %d %d %d) where it starts, more than the %.3g mm of the face: move the bodies apart first",
		e.Name, e.DepthMM, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.Face[0], e.Face[1], e.Face[2], e.LimitMM)
}

// checkContacts refuses contacts whose fields cannot be meant.
func (m *Model) checkContacts() error {
	n := int32(len(m.Mesh.Nodes))
	for i := range m.Contacts {
		c := &m.Contacts[i]
		field := fmt.Sprintf("Contacts[%d]", i)
		switch {
		case len(c.Faces) == 0:
			return badInput(field, "has no faces; name the boundary faces that may touch")
		case c.Obstacle == nil && len(c.Against) == 0:
			return badInput(field, "has nothing to touch; give Against or Obstacle")
		case c.Obstacle != nil && len(c.Against) > 0:
			return badInput(field, "has both Against and Obstacle; make two contacts of it")
		case c.Obstacle != nil && c.TwoPass:
			return badInput(field, "is TwoPass with an obstacle, which has no mesh")
		case !(c.Friction >= 0) || !finite(c.Friction):
			return badInput(field, "has friction %g; must not be negative", c.Friction)
		case !(c.Penalty >= 0) || !finite(c.Penalty):
			return badInput(field, "has penalty factor %g; must not be negative (0 means %g)", c.Penalty, defaultPenalty)
		case !(c.GapToleranceMM >= 0) || !finite(c.GapToleranceMM):
			return badInput(field, "has a gap tolerance of %g mm; must not be negative", c.GapToleranceMM)
		}
		if err := disjoint(field, c.Faces, c.Against, n); err != nil {
			return err
		}
		if c.Obstacle != nil {
			if err := c.Obstacle.check(field+".Obstacle", len(m.history())); err != nil {
				return err
			}
		}
	}
	return nil
}

// disjoint refuses faces that name no node and surfaces that share one.
func disjoint(field string, a, b [][3]int32, n int32) error {
	own := map[int32]bool{}
	for side, list := range [][][3]int32{a, b} {
		for i, f := range list {
			for _, v := range f {
				if v < 0 || v >= n {
					return badInput(field, "%s[%d] names node %d, the mesh has %d", [2]string{"Faces", "Against"}[side], i, v, n)
				}
				if side == 0 {
					own[v] = true
				} else if own[v] {
					return badInput(field, "Faces and Against share node %d; a surface does not touch itself", v)
				}
			}
		}
	}
	return nil
}
