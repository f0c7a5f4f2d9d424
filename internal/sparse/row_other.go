//go:build !amd64

package sparse

func row32(val []float32, col []int32, x []float32) (y0, y1, y2 float32) {
	return rowPortable(val, col, x)
}

func row64() func(val []float64, col []int32, x []float64) (y0, y1, y2 float64) { return row64Portable }

// vector says that there is a vector kernel in float32; here there is none.
var vector = false
