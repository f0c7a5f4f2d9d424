// Package sparse solves the large symmetric systems of fem: 3×3 block CSR
// matrices, conjugate gradients, a sparse Cholesky factor and a two-level
// preconditioner that joins them.
//
// # Layout
//
// A vector over n nodes is a flat []float64 of length 3n, entry 3·node + axis.
// A BSR3 keeps, for each block row, ascending block columns; block b is
// Val[9b:9b+9], row-major. Both halves of a symmetric matrix are stored, so a
// product is a row gather. Numbers have the unit of the caller's problem.
//
// # Same bits for any core count
//
// Every loop is split in chunks of fixed size (internal/par), every sum is
// taken in a fixed order. Results do not depend on GOMAXPROCS.
//
// # Concurrency and aliasing
//
// Reading methods may run concurrently. Preconditioners own scratch space:
// one goroutine at a time. dst must not overlap the operand unless a method
// says so.
//
// # What it does not do
//
// Unsymmetric and complex matrices, eigenvalues, matrices on disk.
//
// Sources: Y. Saad, Iterative Methods for Sparse Linear Systems (2003),
// algorithms 9.1 (CG) and 12.1 (Chebyshev); P. Amestoy, T. Davis & I. Duff,
// SIAM J. Matrix Anal. Appl. 17 (1996) 886 (minimum degree); G. Karypis &
// V. Kumar, SIAM J. Sci. Comput. 20 (1998) 359 (multilevel separators); J. Gilbert,
// E. Ng & B. Peyton, SIAM J. Matrix Anal. Appl. 15 (1994) 1075 (column counts);
// J. Liu, SIAM Review 34 (1992) 82 (multifrontal method); P. Vaněk, J. Mandel &
// M. Brezina, Computing 56 (1996) 179 (smoothed aggregation).
package sparse
