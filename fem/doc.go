// Package fem solves what tissue goes through under loads: quasi-static,
// large-deformation finite elements on tetrahedra.
//
// # Frame, units, layout
//
// House units: mm, N, MPa, s, tonne; patient space LPS. Degrees of freedom are
// numbered 3·node + axis. Stress is Cauchy; strain is Green–Lagrange unless a
// name says otherwise. (Regions with the law material.Linear report the stress
// and strain of the linear theory, for which these are the same.)
//
// A CT shows the organ already hanging in gravity, so a Model carries only the
// *change* of gravity; with no change, no load and no prescribed motion the
// displacement is zero.
//
// # Method
//
// Total Lagrangian: fint_a = ∫P·∇N_a over the reference volume, with 4 points
// in a Tet10 and 1 in a Tet4. Newton's method per load step with line search,
// cut-back and inexact linear solves (solve.go, newton.go), an arc length for
// limit points (arclength.go). The tangent of laws in I1 and J is summed in
// vector registers from five coefficients (kernel_invariant.go), of others from
// the 9×9 matrix. Linear systems: conjugate gradients, preconditioned for Tet10
// by the Tet4 inside it (internal/sparse.TwoLevel over a Cholesky factor or, for
// large meshes, smoothed aggregation), for Tet4 by smoothed aggregation; small
// systems, and large ones whose iterations are slow, by a factor of the whole
// matrix, kept while it pays.
//
// Near incompressibility: in the displacement form Tet4 locks (keep ν ≤ 0.45)
// and Tet10 is 3 % stiff at ν = 0.49 on a coarse mesh of pure bending. With
// Formulation MeanDilatation a Tet10 sees the mean volume change of itself, a
// Tet4 that of a patch around a vertex (dilatation.go); neither locks at
// ν = 0.4999. Newton's method then runs on displacement and pressure (mixed.go)
// and takes the same iterations at any bulk modulus.
//
// What acts beside the tetrahedra is a term (term.go): pressure that follows,
// membranes, springs, trusses, foundations, contact, ties, inertia. A load
// history has stages (stage.go): at the start of a stage whatever balances the
// body is its load, so what the stage takes away fades in proportion to time.
//
// Nodal stress is recovered by superconvergent patches in each region
// (recover_patch.go), with an estimate of its error on every frame
// (errorestimate.go); at a node between tissues a frame has the mean of theirs,
// weighted by volume. Nodal strain is carried linearly from the quadrature
// points to the nodes and averaged by element volume over all elements of a
// node, across material borders too.
//
// SolveCoarse is a fast, coarse stand-in for Solve, and NewCoarse prepares one
// for many candidates on the same mesh (corotational.go).
//
// # Concurrency, determinism
//
// Solve uses all cores and returns when all its goroutines have; a Model may be
// shared by concurrent solves. The same Model and Settings give the same bits
// for any GOMAXPROCS on one kind of machine; processors that fuse multiply and
// add (arm64) may differ in the last digits.
//
// # What it does not do
//
// Self-contact, wrinkling of membranes, cuts through elements (a stage removes
// whole regions).
//
// Sources: J. Bonet & R. D. Wood, Nonlinear Continuum Mechanics for Finite
// Element Analysis (2008), chapters 7 to 9; J. Simo, R. Taylor & K. Pister,
// Comput. Methods Appl. Mech. Eng. 51 (1985) 177 (mean dilatation); S.
// Eisenstat & H. Walker, SIAM J. Sci. Comput. 17 (1996) 16 (inexact Newton).
// verify_test.go compares with closed forms and published results.
package fem
