package sparse

import (
	"syscall"
	"unsafe"

	"halsted/internal/dense"
)

// allocate makes n zeros and asks for large pages under them: a factor is
// touched once, page by page, and read from end to end.
func allocate[T dense.Float](n int) []T {
	s := make([]T, n)
	size := uintptr(n) * unsafe.Sizeof(*new(T))
	const page, least = 4096, 4 << 20
	if size < least {
		return s
	}
	p := unsafe.Pointer(unsafe.SliceData(s))
	skip := -uintptr(p) & (page - 1)
	// Advice that is not taken changes nothing but the time.
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), (size-skip)&^(page-1)), syscall.MADV_HUGEPAGE)
	return s
}
