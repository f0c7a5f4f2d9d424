package dense

import (
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"
)

// Float is a type of number the kernels work in.
type Float interface{ float32 | float64 }

// kernel is one implementation of the inner loops. All of them give the same
// bits: an entry of C has one accumulator, which takes its products in the
// order of k by fused multiply-add and is then subtracted from C.
//
// A strip is mr rows of a matrix, column after column. B comes in groups of nr
// rows, column after column.
type kernel[T Float] struct {
	mr, nr int // nr divides mr and 8, mr divides blockWidth; both are multiples of what they pack
	// tile does C_s −= A·B_sᵀ for nb consecutive groups B_s of nr rows; A is a
	// strip. Column j of C_s begins at c[(nr·s+j)·ldc]. k is the number of
	// columns of A and B.
	tile func(nb, k int, a, b, c *T, ldc int)
	// solve does C ← C·T⁻ᵀ for 8 columns of strips that begin sc apart. t is
	// 8×8, row-major, lower, with inverse diagonal.
	solve  func(strips int, t, c *T, sc int)
	vector bool // sub and dot in assembly
}

// sub does y −= Σ x_q·l_q, one product after the other, for cols ≤ 4 columns
// of rows numbers in chunks (see Columns).
func (k *kernel[T]) sub(cols, rows int, l, x, y *T) {
	if k.vector {
		machineSub(cols, rows, l, x, y)
		return
	}
	portableSub(cols, rows, l, x, y)
}

// dot writes l_q·y for cols ≤ 4 columns: product i goes to lane i mod 64/size,
// lanes are joined by halves. out has four places.
func (k *kernel[T]) dot(cols, rows int, l, y, out *T) {
	if k.vector {
		machineDot(cols, rows, l, y, out)
		return
	}
	portableDot(cols, rows, l, y, out)
}

// add does dst += src for cols blocks of 3 columns and rows rows: block b
// begins at dst[offset[b]] and src[3·mr·b], columns are mr apart.
func (k *kernel[T]) add(cols int, offset *int, rows int, dst, src *T) {
	if k.vector {
		machineAdd(cols, offset, rows, k.mr, dst, src)
		return
	}
	portableAdd(cols, offset, rows, k.mr, dst, src)
}

// copy copies n runs of size numbers that lie ld and ls apart.
func (k *kernel[T]) copy(n, size int, dst *T, ld int, src *T, ls int) {
	if k.vector {
		machineCopy(n, size, dst, ld, src, ls)
		return
	}
	portableCopy(n, size, dst, ld, src, ls)
}

// set is the kernels of one instruction set.
type set struct {
	id  string
	f64 kernel[float64]
	f32 kernel[float32]
}

// sets are the kernels this machine can run, best first; the last is portable.
var sets = append(machineSets(), &set{id: "portable", f64: portable[float64](), f32: portable[float32]()})

var active atomic.Pointer[set]

func init() { active.Store(sets[0]) }

// Kernel is the id of the kernels in use: "avx512", "avx2" or "portable".
func Kernel() string { return active.Load().id }

// Kernels lists the ids of the kernels this machine can run, best first.
func Kernels() []string {
	ids := make([]string, len(sets))
	for i, s := range sets {
		ids[i] = s.id
	}
	return ids
}

// UnknownKernelError says that the machine has no kernels of that name.
type UnknownKernelError struct {
	ID   string
	Have []string
}

func (e *UnknownKernelError) Error() string {
	return fmt.Sprintf("dense: no kernel %q on this machine; choose one of %q", e.ID, e.Have)
}

// Use selects kernels by id, or fails with *UnknownKernelError. A
// factorisation keeps the kernels it began with; the bits of results do not
// depend on the choice.
func Use(id string) error {
	i := slices.IndexFunc(sets, func(s *set) bool { return s.id == id })
	if i < 0 {
		return &UnknownKernelError{ID: id, Have: Kernels()}
	}
	active.Store(sets[i])
	return nil
}

// kernelOf is the kernel in use for T.
func kernelOf[T Float]() *kernel[T] {
	s := active.Load()
	var zero T
	if _, ok := any(zero).(float64); ok {
		return (*kernel[T])(unsafe.Pointer(&s.f64))
	}
	return (*kernel[T])(unsafe.Pointer(&s.f32))
}

// up is n rounded up to a multiple of m.
func up(n, m int) int { return (n + m - 1) / m * m }
