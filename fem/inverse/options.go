package inverse

import (
	"math"

	"halsted/fem"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Options controls Unload; the zero value means the documented defaults.
type Options struct {
	// TolMM is the largest nodal distance between the imaged shape and the
	// reloaded one that is accepted; 0 means 1e-3 mm. The forward solves must be
	// exact to less: a fem.Settings.ResidualTol of 0 means 1e-9 here, as a thin
	// wall or a slender part moves far for a small residual.
	TolMM float64
	// MaxForward bounds the forward solves, failed ones too; 0 means 60.
	MaxForward int
	// Window is the number of past differences that Anderson acceleration
	// keeps; 0 means 5, −1 means none.
	Window int
	// FixedPoint leaves the direct solve out and starts the fixed point from the
	// image. So do NoRotation and a Window of −1, which ask for the original
	// iteration.
	FixedPoint bool
	// NoRotation leaves the correction in the frame of the image, as Sellier has
	// it; otherwise it is turned back by the rotation of the tissue.
	NoRotation bool
	// Solve replaces fem.Solve, for wrapped solvers; nil means fem.Solve.
	Solve fem.Solver
	// Progress is called after every forward solve; may be nil.
	Progress func(Iteration)
}

func (o Options) withDefaults() (Options, error) {
	if o.TolMM == 0 {
		o.TolMM = 1e-3
	}
	if !(o.TolMM > 0) || math.IsInf(o.TolMM, 0) {
		return o, badInput("Options.TolMM", "is %g mm; must be positive", o.TolMM)
	}
	if o.MaxForward == 0 {
		o.MaxForward = 60
	}
	if o.MaxForward < 0 {
		return o, badInput("Options.MaxForward", "is %d; must not be negative", o.MaxForward)
	}
	switch {
	case o.Window == 0:
		o.Window = 5
	case o.Window < -1 || o.Window > 50:
		return o, badInput("Options.Window", "is %d; −1 (none) or up to 50", o.Window)
	}
	if o.Solve == nil {
		o.Solve = fem.Solve
	}
	return o, nil
}

// Iteration is one forward solve of Unload, or two where the first, from the
// last displacement, did not converge.
type Iteration struct {
	LoadFactor float64 // of the known loads, 0 to 1
	MaxMM      float64 // largest nodal distance to the imaged shape; NaN when the solve failed
	RMSMM      float64 // root mean square over the nodes
	Node       int32   // where the largest distance is
	Newton     int     // iterations of the forward solve
	Columns    int     // differences that the step to this shape was mixed from
	Damping    float64 // part of that step that was taken
	Kept       bool    // the shape became the current one; false: solve failed or distance grew
	Failure    string  // of the forward solve
}

// Report is the course of an Unload.
type Report struct {
	History       []Iteration
	ForwardSolves int
	Newton        int     // iterations of all forward solves
	InverseNewton int     // iterations of the direct solve: one factorisation each; 0 where there was none
	LoadFactor    float64 // part of the loads for which a shape was found
	MaxMM, RMSMM  float64 // of the shape returned
	Node          int32   // where MaxMM is
}

// Reference is a stress-free shape.
type Reference struct {
	Mesh   *mesh.TetMesh // Nodes stand at the stress-free places X, LPS mm; the rest is shared with the model's mesh
	Imaged []r3.Vec      // nodes of the model's mesh, LPS mm
	// U is the displacement of the last forward solve, mm: X + U is the imaged
	// shape to within Report.MaxMM.
	U []r3.Vec
}
