package sparse

import "halsted/internal/dense"

// rowKernel is rowPortable in assembly, with the same order of roundings. It
// reads one float past the last block, so val needs one more element.
//
//go:noescape
func rowKernel(val *float32, col *int32, n int, x *float32) (y0, y1, y2 float32)

// rowKernelAVX2 is rowKernel in AVX2: nine sums, column by column, at y.
//
//go:noescape
func rowKernelAVX2(val *float32, col *int32, n int, x, y *float32)

// vector says that the machine has AVX2, whatever kernels are in use: all give
// the same bits.
var vector = dense.Kernels()[0] != "portable"

func row32(val []float32, col []int32, x []float32) (y0, y1, y2 float32) {
	_ = val[9*len(col)] // the element past the end
	if vector {
		var y [9]float32
		rowKernelAVX2(&val[0], &col[0], len(col), &x[0], &y[0])
		return (y[0] + y[3]) + y[6], (y[1] + y[4]) + y[7], (y[2] + y[5]) + y[8]
	}
	return rowKernel(&val[0], &col[0], len(col), &x[0])
}

// rowKernel64 is row64Portable in AVX, with the same order of roundings: rows
// of 4 sums, of which the first three count, at y. It reads one number past the
// last block.
//
//go:noescape
func rowKernel64(val *float64, col *int32, n int, x, y *float64)

// row64 is the block row times x of the kernels in use.
func row64() func(val []float64, col []int32, x []float64) (y0, y1, y2 float64) {
	if dense.Kernel() == "portable" {
		return row64Portable
	}
	return row64AVX
}

func row64AVX(val []float64, col []int32, x []float64) (y0, y1, y2 float64) {
	if len(col) == 0 {
		return 0, 0, 0
	}
	_ = val[: 9*len(col)+1 : 9*len(col)+1] // the number past the end
	var y [12]float64
	rowKernel64(&val[0], &col[0], len(col), &x[0], &y[0])
	return (y[0] + y[1]) + y[2], (y[4] + y[5]) + y[6], (y[8] + y[9]) + y[10]
}
