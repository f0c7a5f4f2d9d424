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
// in a Tet10 and 1 in a Tet4; dead loads. Newton's method per load step with
// line search and cut-back (solve.go, newton.go); conjugate gradients on the
// consistent tangent, preconditioned for Tet10 by the Tet4 inside it
// (internal/sparse.TwoLevel), for small systems and Tet4 by a Cholesky factor.
//
// Near incompressibility: Tet4 locks; keep ν ≤ 0.45 with it. Tet10 in the
// displacement form is usable at ν = 0.49 (3 % stiff on a coarse mesh of pure
// bending); with Formulation MeanDilatation it is within 0.5 % there and does
// not lock at 0.4999, where Newton's method needs small steps. The cost is the
// same. Equilibrium iterations grow with κ/μ.
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
