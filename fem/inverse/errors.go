package inverse

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// InputError says what in the arguments is wrong and what to change.
type InputError struct {
	Field string // e.g. "Options.TolMM", "Observations.Displacements[3]"
	Msg   string
}

func (e *InputError) Error() string { return "inverse: " + e.Field + ": " + e.Msg }

func badInput(field, format string, a ...any) error {
	return &InputError{Field: field, Msg: fmt.Sprintf(format, a...)}
}

// NotConvergedError says that no stress-free shape was found within the
// tolerance.
type NotConvergedError struct {
	LoadFactor    float64 // part of the loads for which a shape was found, 0 to 1
	ForwardSolves int
	DistanceMM    float64 // largest nodal distance of the best shape at the load tried; NaN when no solve came through
	Node          int32   // where it is; -1 when no solve came through
	AtMM          r3.Vec  // imaged place of that node, LPS mm
	Reason        string
	Err           error // of the last failed forward solve, if that was the reason
}

func (e *NotConvergedError) Error() string {
	var where strings.Builder
	if e.Node >= 0 {
		fmt.Fprintf(&where, "; worst at node %d, (%.1f, %.1f, %.1f) mm, still %.3g mm off", e.Node, e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.DistanceMM)
	}
	var cause string
	if e.Err != nil {
		cause = ": " + e.Err.Error()
	}
	return fmt.Sprintf("inverse: no stress-free shape beyond load factor %.4g after %d forward solves: %s%s%s",
		e.LoadFactor, e.ForwardSolves, e.Reason, where.String(), cause)
}

// Unwrap gives the error of the failed forward solve.
func (e *NotConvergedError) Unwrap() error { return e.Err }

// UnidentifiableError names parameters that the observations do not determine.
type UnidentifiableError struct {
	Parameters []string
	// Direction is how their logarithms change together without moving the
	// observations, in the order of Parameters; the largest entry is ±1.
	Direction []float64
	// MovesSigma is how far a common change by a factor e moves the
	// observations, in units of their standard deviation.
	MovesSigma float64
	Reason     string
}

func (e *UnidentifiableError) Error() string {
	return fmt.Sprintf("inverse: the observations do not determine %s: %s", strings.Join(e.Parameters, ", "), e.Reason)
}

// FitError says that the fit did not end in the allowed iterations.
type FitError struct {
	Iterations int
	Parameters string // where it stands
	ChiSquare  float64
}

func (e *FitError) Error() string {
	return fmt.Sprintf("inverse: no best fit within %d iterations; it stands at %s, χ² = %.4g: start nearer, or give bounds or priors", e.Iterations, e.Parameters, e.ChiSquare)
}
