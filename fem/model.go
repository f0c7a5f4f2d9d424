package fem

import (
	"context"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Region gives a structure its law and density.
type Region struct {
	Label          imaging.Label
	Law            material.Law
	DensityTPerMM3 float64 // t/mm³ (water: 1e-9)
}

// Prescribed fixes one displacement component of a node at the end of the
// load history; it is applied in proportion to the load factor.
type Prescribed struct {
	Node    int32
	Axis    int8 // 0, 1, 2: x, y, z in LPS
	ValueMM float64
}

// FaceLoad acts on a boundary face given by its three corner nodes (the
// mid-edge nodes of a Tet10 mesh are found from them).
type FaceLoad struct {
	Face        [3]int32
	TractionMPa r3.Vec  // dead load per reference area
	PressureMPa float64 // along the inward normal, reference configuration
}

// Model is everything a solve needs. Nothing in it is changed by Solve.
type Model struct {
	Mesh       *mesh.TetMesh
	Regions    []Region
	Prescribed []Prescribed
	Loads      []FaceLoad
	// GravityChange is the change of the gravity vector since imaging, mm/s².
	GravityChange r3.Vec
}

// Formulation is how an element treats volume.
type Formulation uint8

// The formulations. A Tet4 has only the first; there it locks near
// incompressibility: keep ν ≤ 0.45, or use Tet10.
const (
	// Displacement integrates the whole law at the quadrature points (Tet10:
	// 4, Tet4: 1). A Tet10 does not lock visibly at ν = 0.49.
	Displacement Formulation = iota
	// MeanDilatation lets a Tet10 see only its mean volume change in the
	// volumetric part of a law that has one (NeoHookean): the P2–P0 method of
	// Simo, Taylor & Pister (1985), for ν up to 0.4999.
	MeanDilatation
)

// Settings controls a solve; the zero value means the documented defaults.
type Settings struct {
	Formulation Formulation        // 0 means Displacement
	Steps       int                // equal load steps; 0 means 5
	MaxNewton   int                // Newton iterations a step; 0 means 25
	ResidualTol float64            // ‖R‖ ≤ tol·(largest ‖f_int‖ or ‖f_ext‖ of the step); 0 means 1e-6
	MaxCutbacks int                // halvings of a step that does not converge; 0 means 6
	MemoryLimit int64              // bytes; 0 means no limit; the estimate is checked before allocation
	Progress    func(done float64) // may be nil; called from the solving goroutine
}

// Status is why a solve ended.
type Status uint8

// The ways a solve can end.
const (
	StatusUnknown Status = iota
	StatusConverged
	StatusNotConverged
	StatusCancelled
)

// Frame is one converged state. Slices belong to the receiver.
type Frame struct {
	Step                 int       // from 0 (the unloaded state) up
	TimeS                float64   // load factor, 0 to 1
	U                    []r3.Vec  // displacement per node, mm
	VonMisesMPa          []float64 // per node, Cauchy
	StressMax, StressMin []float64 // extreme principal Cauchy stress per node, MPa
	StrainMax, StrainMin []float64 // extreme principal Green–Lagrange strain per node
	ReactionN            []r3.Vec  // per node: force the constraint exerts on the body; zero at free nodes
	Newton               int       // iterations of this step
	Residual             float64   // relative residual at convergence
}

// Result sums up a solve.
type Result struct {
	Status                          Status
	Settings                        Settings
	Steps, Newton, LinearIterations int
	DOF                             int
	MemoryEstimate                  int64 // bytes
}

// Solver is the signature of Solve, for callers that wrap it.
type Solver func(ctx context.Context, m *Model, s Settings, emit func(*Frame) error) (Result, error)
