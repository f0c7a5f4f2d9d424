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
	// ActiveMPa is the tension along the first material axis f₀ at full
	// Activation: it adds T·(F·f₀)⊗f₀ to P (Guccione, McCulloch & Waldman
	// 1993); energy T/2·(|F·f₀|² − 1).
	ActiveMPa float64
}

// Prescribed fixes one displacement component of a node: ValueMM at the end of
// its stage, approached in proportion to time.
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
	PressureMPa float64 // along the inward normal
	// Follows lets the pressure act on the deformed face along its deformed
	// normal; otherwise it is a dead load on the reference face.
	Follows bool
}

// NodalForce is a dead force on a node, N.
type NodalForce struct {
	Node   int32
	ForceN r3.Vec
}

// LoadCase is a set of loads that act together.
type LoadCase struct {
	Faces  []FaceLoad
	Forces []NodalForce
	// GravityChange is the change of the gravity vector since imaging, mm/s².
	GravityChange r3.Vec
}

// Model is everything a solve needs. Nothing in it is changed by Solve.
type Model struct {
	Mesh       *mesh.TetMesh
	Regions    []Region
	Prescribed []Prescribed
	Loads      []FaceLoad
	Forces     []NodalForce
	// GravityChange is the change of the gravity vector since imaging, mm/s².
	GravityChange r3.Vec

	// Natural maps the stress-free, material-aligned shape to the reference
	// mesh: the law sees F·G, so the first axis of a law with directions is
	// G·e₁. A rotation orients fibres; a stretch is residual stress (opening
	// angle). One per quadrature point (element·points + point; Tet10 has 4
	// points, Tet4 has 1), one per element, or none.
	Natural []material.Mat3
	// Stiffness multiplies the energy of the law, per quadrature point or per
	// element (bone from HU); none means 1.
	Stiffness []float64

	Membranes   []Membrane   // thin sheets on faces of the mesh
	Springs     []Spring     // ligaments, sutures, elastic supports
	Trusses     []Truss      // bars and cables
	Foundations []Foundation // elastic beds under faces
	Dynamic     *Dynamic     // nil: no inertia

	Contacts []Contact // surfaces that do not enter each other
	Ties     []Tie     // surfaces and nodes held together

	// Stages is the load history; none means one stage of 1 s in which the
	// motions and loads above grow from zero. With stages, the motions and
	// loads above belong to the first.
	Stages []Stage
}

// Stage is a part of the load history. At its start the body is in equilibrium
// as it is; what the stage changes comes in proportion to time: loads and
// motions go linearly from their present to their new values, and what held a
// node, element or attachment that the stage takes away fades to nothing.
type Stage struct {
	Name      string
	DurationS float64 // 0 means 1
	Steps     int     // frames; 0 means Settings.Steps
	// Prescribed are new values for the end of the stage. A node and axis that
	// is not named keeps its value.
	Prescribed []Prescribed
	Release    []Hold    // prescribed components that become free
	Loads      *LoadCase // replaces all loads; nil keeps them
	// Remove takes regions out (a resected part), Add puts them in: a region
	// that any stage adds is absent before, and comes free of stress in the
	// shape that the mesh then has.
	Remove, Add []imaging.Label
	// Detach and Attach name springs, foundations, ties and contacts that stop
	// and start acting. One that any stage attaches is absent before.
	Detach, Attach []string
	// Sudden lets loads stand at their new values from the start of the stage
	// (dynamics, creep); prescribed motion still moves in proportion to time.
	Sudden bool
	// Activation is the part of the regions' active tension at the end of the
	// stage, 0 to 1; nil keeps it.
	Activation *float64
}

// Hold is one displacement component of a node.
type Hold struct {
	Node int32
	Axis int8
}

// Formulation is how an element treats volume.
type Formulation uint8

// The formulations.
const (
	// Displacement integrates the whole law at the quadrature points (Tet10:
	// 4, Tet4: 1). A Tet10 does not lock visibly at ν = 0.49; a Tet4 does: keep
	// ν ≤ 0.45 with it.
	Displacement Formulation = iota
	// MeanDilatation lets a Tet10, or a patch of Tet4 around a vertex, see only
	// its mean volume change in the volumetric part of a law that has one
	// (material.Split): the P2–P0 method of Simo, Taylor & Pister (1985) and the
	// F-bar patches of de Souza Neto, Pires & Owen (2005), for ν up to 0.4999.
	MeanDilatation
)

// Settings controls a solve; the zero value means the documented defaults.
type Settings struct {
	Formulation Formulation // 0 means Displacement
	Steps       int         // equal load steps; 0 means 5
	MaxNewton   int         // Newton iterations a step; 0 means 25
	ResidualTol float64     // ‖R‖ ≤ tol·(largest ‖f_int‖ or ‖f_ext‖ of the step); 0 means 1e-6
	MaxCutbacks int         // halvings of a step that does not converge; 0 means 6
	MemoryLimit int64       // bytes; 0 means no limit; the estimate is checked before allocation
	ArcLength   *ArcLength  // nil: the load factor only rises
	// Checkpoint asks for Result.Checkpoint; Resume goes on from one: the first
	// frame is then the next step's.
	Checkpoint bool
	Resume     *Checkpoint
	// Guess is a displacement per node at the end of the first stage, mm, from
	// which the first increment may start; it changes the work, not the answer.
	Guess []r3.Vec
	// Guesses are such displacements for the ends of all stages, [stage][node],
	// the first in place of Guess: the first increment of stage i may start from
	// where stage i−1 ended moved by the difference of their guesses. A run whose
	// materials differ a little from those of an earlier one takes its states.
	Guesses  [][]r3.Vec
	Progress func(done float64) // may be nil; called from the solving goroutine
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
	Step                 int       // from 0 (the unloaded state) up, through all stages
	Stage                int       // index into Model.Stages
	TimeS                float64   // from 0; without stages the load factor, 0 to 1
	LoadFactor           float64   // part of the stage that is reached; with ArcLength it may fall
	U                    []r3.Vec  // displacement per node, mm
	VonMisesMPa          []float64 // per node, Cauchy
	StressMax, StressMin []float64 // extreme principal Cauchy stress per node, MPa
	StrainMax, StrainMin []float64 // extreme principal Green–Lagrange strain per node
	// Stress is the recovered Cauchy stress per node, MPa: xx, yy, zz, xy, yz,
	// xz. At a node between regions it is the mean of the regions' stresses,
	// weighted by the volume of the node's elements in each; the stresses above
	// are taken from it.
	Stress [][6]float64
	// ErrorRel is the estimated relative error of the stress in the energy
	// norm, 0 to 1: η = ‖e‖/√(‖u‖² + ‖e‖²) (Zienkiewicz & Zhu 1987).
	ErrorRel float64
	// ErrorMPa is the estimated error of the elements' stress at each node: the
	// root mean square over the node's elements of √(δσ:δσ), δσ the recovered
	// less the element's stress.
	ErrorMPa  []float64
	ReactionN []r3.Vec // per node: force the constraint exerts on the body; zero at free nodes
	Newton    int      // iterations of this step
	Residual  float64  // relative residual at convergence

	VelocityMMPerS []r3.Vec // per node; nil without Model.Dynamic

	Contacts []ContactState // one per Model.Contacts
}

// Result sums up a solve.
type Result struct {
	Status                          Status
	Settings                        Settings
	Steps, Newton, LinearIterations int
	DOF                             int
	MemoryEstimate                  int64 // bytes
	// Checkpoint is the state at the last frame, if Settings.Checkpoint asks.
	Checkpoint *Checkpoint
}

// Solver is the signature of Solve, for callers that wrap it.
type Solver func(ctx context.Context, m *Model, s Settings, emit func(*Frame) error) (Result, error)
