// Package inverse asks the solver backwards: from the shape an image shows
// under known loads to the shape without loads (Unload), and from measured
// displacements and forces to the constants of the tissue (Calibrate). Both
// repeat forward solves of fem and use nothing but its public API.
//
// # Frame, units, layout
//
// House units: mm, N, MPa, s, tonne; patient space LPS. Deformation gradients
// are columns F·e_j, one per quadrature point (element·points + point; Tet10
// has 4 points, Tet4 has 1), as fem.Model.Natural wants them.
//
// # Unloading
//
// The stress-free shape solves the equilibrium of the imaged one with its own
// places as the unknowns (inverse elastostatics: R. Shield, Z. Angew. Math.
// Phys. 18 (1967) 490; S. Govindjee & P. Mihalic, Comput. Methods Appl. Mech.
// Eng. 136 (1996) 47): Newton's method, five to ten factorisations, and one
// forward solve to measure the distance, zero to rounding. Models that this does
// not take, or where it fails, go by the fixed point.
//
// The fixed point X ← X − (x(X) − x_img) (M. Sellier, J. Fluids Struct. 27
// (2011) 1461–1470; J. Bols et al., J. Comput. Appl. Math. 246 (2013) 10–17)
// contracts by about the strain per iteration, diverges where the body turns far
// and can gain growing modes in thin or nearly incompressible walls. Here the
// correction is turned back by the rotation of the tissue, and Anderson
// acceleration (H. Walker & P. Ni, SIAM J. Numer. Anal. 49 (2011) 1715–1735)
// takes care of the rest: a tube wants 4 forward solves for 1 µm in place of 6,
// a hanging block 6 in place of 16, a cantilever that sags by its length 14
// where the original iteration fails.
//
// The stress-free shape is one shape for the whole body. A body with residual
// stress has none; what is found then is the shape in which fem.Model.Natural
// (none: no residual stress) is all the stress there is.
//
// A stress-free shape need not exist on a given mesh: where the strain is
// singular, as at the edge of a clamp, a soft body under a large load would
// need an element turned inside out. Unload then ends with a
// *NotConvergedError that says how much of the load came off, and where.
//
// Reference.Natural is the prestress for those who want to go on with the
// imaged mesh.
//
// # Calibration
//
// Least squares on the logarithms of the parameters, weighted by the standard
// deviations of the measurements. Displacements alone tell ratios of stiffness
// to load: where the model is driven by prescribed motion alone, or where load
// and stiffness are both sought, the answer is an *UnidentifiableError that
// names the parameters, not a number. Intervals assume independent normal
// errors of the measurements; they do not hold what the model itself gets wrong
// (geometry, supports, law).
//
// # Concurrency, determinism
//
// Forward solves run one after another; each uses all cores. The same input
// gives the same bits for any GOMAXPROCS. Model values handed in are not changed.
//
// # What it does not do
//
// Adjoint gradients: a Jacobian costs two forward solves per parameter, so
// Calibrate is for a handful of parameters, not for fields. Unloading needs a
// forward problem with one answer: a body that has buckled under its loads, or
// a history that depends on its path (contact with friction, plasticity), is
// unloaded along one of several paths.
package inverse
