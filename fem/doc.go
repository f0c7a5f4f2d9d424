// Package fem solves what tissue goes through under loads: quasi-static,
// large-deformation finite elements on tetrahedra.
//
// House units: mm, N, MPa, s, tonne; patient space LPS. Degrees of freedom are
// numbered 3·node + axis. Stress is Cauchy; strain is Green–Lagrange unless a
// name says otherwise.
//
// A CT shows the organ already hanging in gravity, so a Model carries only the
// *change* of gravity; with no change, no load and no prescribed motion the
// displacement is zero.
package fem
