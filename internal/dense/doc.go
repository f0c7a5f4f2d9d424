// Package dense holds the dense kernels below internal/sparse: products,
// triangular solves and symmetric factorisations in float64 and float32, with
// inner loops in AVX-512, AVX2 or portable Go.
//
// # Same bits from every kernel
//
// An entry of C in C −= A·Bᵀ has one accumulator. It takes blockWidth products
// in the order of k, each by fused multiply-add, and is then subtracted from
// the entry. Vector registers only hold different entries, never partial sums
// of one, so the width of the registers and the shape of the tiles do not show
// in the result. Scalar products (backward substitution) have lanes of fixed
// number, joined in a fixed order. Concurrent tiles own their entries. So
// results are equal to the bit for any kernel and any GOMAXPROCS.
//
// # Layout
//
// Plain matrices are column-major with a leading dimension. A Front keeps
// strips; see there.
//
// # Concurrency and aliasing
//
// Work and Front own scratch memory: one goroutine at a time. Operands must
// not overlap unless a method says so. Wrong lengths panic.
//
// # What it does not do
//
// Pivoting beyond the order of elimination given, unsymmetric factorisations,
// complex numbers.
//
// Sources: K. Goto & R. van de Geijn, ACM Trans. Math. Softw. 34 (2008) 12
// (packing and tiles); J. Liu, SIAM Review 34 (1992) 82 (fronts).
package dense
