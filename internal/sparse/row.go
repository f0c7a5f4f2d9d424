package sparse

// row64Portable is one block row times x: blocks are row-major, col their block
// columns. The three products of a row are summed apart and joined at the end;
// conversions keep the compiler from fusing.
func row64Portable(val []float64, col []int32, x []float64) (y0, y1, y2 float64) {
	var a0, a1, a2, b0, b1, b2, c0, c1, c2 float64
	for _, j := range col {
		v := (*[9]float64)(val)
		val = val[9:]
		u := (*[3]float64)(x[3*int(j):])
		p, q, r := u[0], u[1], u[2]
		a0 += float64(v[0] * p)
		a1 += float64(v[1] * q)
		a2 += float64(v[2] * r)
		b0 += float64(v[3] * p)
		b1 += float64(v[4] * q)
		b2 += float64(v[5] * r)
		c0 += float64(v[6] * p)
		c1 += float64(v[7] * q)
		c2 += float64(v[8] * r)
	}
	return (a0 + a1) + a2, (b0 + b1) + b2, (c0 + c1) + c2
}

// rowPortable is one block row times x: blocks are column-major, col their
// block columns. The three columns are summed apart and joined at the end;
// conversions keep the compiler from fusing, so that all machines agree to the
// bit.
func rowPortable(val []float32, col []int32, x []float32) (y0, y1, y2 float32) {
	var a0, a1, a2, b0, b1, b2, c0, c1, c2 float32
	for _, j := range col {
		v := (*[9]float32)(val)
		val = val[9:]
		u := (*[3]float32)(x[3*int(j):])
		p, q, r := u[0], u[1], u[2]
		a0 += float32(v[0] * p)
		a1 += float32(v[1] * p)
		a2 += float32(v[2] * p)
		b0 += float32(v[3] * q)
		b1 += float32(v[4] * q)
		b2 += float32(v[5] * q)
		c0 += float32(v[6] * r)
		c1 += float32(v[7] * r)
		c2 += float32(v[8] * r)
	}
	return (a0 + b0) + c0, (a1 + b1) + c1, (a2 + b2) + c2
}
