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

// InvertedError says that an element of the given mesh has no positive volume
// somewhere.
type InvertedError struct {
	Element int32   // index into Mesh.Tets
	DetJ    float64 // smallest Jacobian determinant at a quadrature point or node, mm³
	AtMM    r3.Vec  // centroid, LPS mm
}

func (e *InvertedError) Error() string {
	return fmt.Sprintf("fem: element %d at (%.1f, %.1f, %.1f) mm is inverted or flat (det J %.3g mm³): mesh again or turn its nodes round",
		e.Element, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.DetJ)
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
