package fem

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// InputError says what in a Model or Settings is wrong and what to change.
type InputError struct {
	Field string // which part of the model, e.g. "Prescribed[3]"
	Msg   string
}

func (e *InputError) Error() string { return "fem: " + e.Field + ": " + e.Msg }

func badInput(field, format string, a ...any) error {
	return &InputError{Field: field, Msg: fmt.Sprintf(format, a...)}
}

// BadElement is an element of the given mesh without a positive volume.
type BadElement struct {
	Element int32   // index into Mesh.Tets
	DetJ    float64 // smallest Jacobian determinant at a quadrature point or node, mm³
	AtMM    r3.Vec  // centroid, LPS mm
}

func (b BadElement) String() string {
	return fmt.Sprintf("%d at (%.1f, %.1f, %.1f) mm (det J %.3g mm³)", b.Element, b.AtMM.X, b.AtMM.Y, b.AtMM.Z, b.DetJ)
}

// InvertedError says that elements of the given mesh have no positive volume
// somewhere. Element, DetJ and AtMM are of the first.
type InvertedError struct {
	Element int32
	DetJ    float64
	AtMM    r3.Vec
	Others  []BadElement // the rest, ascending
}

// namedElements is the number of elements that a message lists.
const namedElements = 5

func (e *InvertedError) Error() string {
	first := BadElement{e.Element, e.DetJ, e.AtMM}
	if len(e.Others) == 0 {
		return "fem: element " + first.String() + " is inverted or flat: mesh again or turn its nodes round"
	}
	list := []string{first.String()}
	for _, b := range e.Others[:min(len(e.Others), namedElements-1)] {
		list = append(list, b.String())
	}
	more := ""
	if n := 1 + len(e.Others) - len(list); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("fem: %d elements are inverted or flat: %s%s: mesh again or turn their nodes round", 1+len(e.Others), strings.Join(list, ", "), more)
}

// invertedError is nil for a mesh without bad elements.
func invertedError(bad []BadElement) error {
	if len(bad) == 0 {
		return nil
	}
	return &InvertedError{Element: bad[0].Element, DetJ: bad[0].DetJ, AtMM: bad[0].AtMM, Others: bad[1:]}
}

// NotConvergedError says that the load could not be carried to the end: the
// last increment tried failed after all cut-backs.
type NotConvergedError struct {
	Stage      int     // index into Model.Stages
	LoadFactor float64 // reached in the stage, 0 to 1
	Iter       int     // Newton iterations of the last attempt
	Residual   float64 // relative residual it ended with
	Element    int32   // the worst element: inverted, or next to the largest residual
	AtMM       r3.Vec  // its undeformed centroid, LPS mm
	Reason     string
}

func (e *NotConvergedError) Error() string {
	return fmt.Sprintf("fem: no convergence beyond load factor %.4g: %s (%d iterations, relative residual %.3g; worst at element %d, (%.1f, %.1f, %.1f) mm): use more steps, a smaller load or a better mesh there",
		e.LoadFactor, e.Reason, e.Iter, e.Residual, e.Element, e.AtMM.X, e.AtMM.Y, e.AtMM.Z)
}

// UnconstrainedError says that a connected part of the mesh can move as a
// rigid body.
type UnconstrainedError struct {
	Elements int      // in the part
	Element  int32    // one of them
	AtMM     r3.Vec   // centroid of the part, LPS mm
	Modes    []string // the free motions, e.g. "translation along x"
}

func (e *UnconstrainedError) Error() string {
	return fmt.Sprintf("fem: a part of %d elements around (%.1f, %.1f, %.1f) mm (element %d in it) is not held: free to move by %s; prescribe more nodes of it",
		e.Elements, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.Element, strings.Join(e.Modes, ", "))
}

// MemoryError says that the estimate is above Settings.MemoryLimit.
type MemoryError struct{ NeedBytes, LimitBytes int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("fem: the solve needs about %d MiB, the limit is %d MiB: use a coarser mesh or raise the limit",
		e.NeedBytes>>20, e.LimitBytes>>20)
}

// NotFiniteError says that a state came out with numbers that are none: the
// model holds values beyond what a tissue can be.
type NotFiniteError struct {
	Step int   // of the frame
	Node int32 // the first
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("fem: step %d: the result at node %d is not a finite number: check the materials, natural shapes and loads around it for values that cannot be meant", e.Step, e.Node)
}
