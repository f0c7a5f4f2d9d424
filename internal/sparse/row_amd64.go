package sparse

// rowKernel is rowPortable in assembly, with the same order of roundings. It
// reads one float past the last block, so val needs one more element.
//
//go:noescape
func rowKernel(val *float32, col *int32, n int, x *float32) (y0, y1, y2 float32)

func row32(val []float32, col []int32, x []float32) (y0, y1, y2 float32) {
	_ = val[9*len(col)] // the element past the end
	return rowKernel(&val[0], &col[0], len(col), &x[0])
}
