package dense

import (
	"math"
	"unsafe"
)

// portable is the kernel in Go, the definition the assembly is tested against.
// math.FMA is one instruction where the processor has it and exact everywhere.
func portable[T Float]() kernel[T] {
	return kernel[T]{mr: 12, nr: 4, tile: portableTile[T], solve: portableSolve[T]}
}

// fma is a·b + c, rounded once.
func fma[T Float](a, b, c T) T {
	if unsafe.Sizeof(a) == 8 {
		return T(math.FMA(float64(a), float64(b), float64(c)))
	}
	return T(fma32(float32(a), float32(b), float32(c)))
}

// fma32 computes in float64: the product of two float32 is exact there, the
// sum is rounded to odd, and rounding that to float32 is then correct (S.
// Boldo & G. Melquiond, IEEE Trans. Comput. 57 (2008) 462).
func fma32(a, b, c float32) float32 {
	p, d := float64(a)*float64(b), float64(c)
	s := p + d
	t := s - p
	e := (p - float64(s-t)) + (d - t) // s + e = p + d exactly (Knuth's TwoSum)
	if e != 0 && !math.IsNaN(e) {
		bits := math.Float64bits(s)
		if bits&1 == 0 {
			if (e > 0) == (s > 0) {
				bits++
			} else {
				bits--
			}
			s = math.Float64frombits(bits)
		}
	}
	return float32(s)
}

func portableTile[T Float](nb, k int, a, b, c *T, ldc int) {
	const mr, nr = 12, 4
	as := unsafe.Slice(a, k*mr)
	bs := unsafe.Slice(b, nb*k*nr)
	for s := range nb {
		bg := bs[s*k*nr : (s+1)*k*nr]
		for j := range nr {
			col := unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(c), uintptr((nr*s+j)*ldc)*unsafe.Sizeof(*c))), mr)
			for i := 0; i < mr; i += 4 {
				var s0, s1, s2, s3 T
				for p := range k {
					x := bg[p*nr+j]
					ap := (*[4]T)(as[p*mr+i:])
					s0 = fma(ap[0], x, s0)
					s1 = fma(ap[1], x, s1)
					s2 = fma(ap[2], x, s2)
					s3 = fma(ap[3], x, s3)
				}
				col[i] -= s0
				col[i+1] -= s1
				col[i+2] -= s2
				col[i+3] -= s3
			}
		}
	}
}

func portableSolve[T Float](strips int, t, c *T, sc int) {
	const mr = 12
	tri := unsafe.Slice(t, 64)
	for s := range strips {
		x := unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(c), uintptr(s*sc)*unsafe.Sizeof(*c))), 8*mr)
		for p := range 8 {
			xp := x[p*mr : (p+1)*mr]
			for i := range xp {
				xp[i] *= tri[9*p]
			}
			for j := p + 1; j < 8; j++ {
				l := tri[8*j+p]
				xj := x[j*mr : (j+1)*mr]
				for i, v := range xp {
					xj[i] = fma(-v, l, xj[i])
				}
			}
		}
	}
}

// inChunks is where entry i of column q lies among cols columns of rows
// numbers in chunks of 64 bytes.
func inChunks[T Float](cols, rows, q, i int) int {
	v := 64 / int(unsafe.Sizeof(*new(T)))
	c := i / v * v
	return c*cols + q*min(v, rows-c) + i - c
}

func portableSub[T Float](cols, rows int, l, x, y *T) {
	ls, xs, ys := unsafe.Slice(l, cols*rows), unsafe.Slice(x, cols), unsafe.Slice(y, rows)
	for q, v := range xs {
		for i := range ys {
			ys[i] = fma(-v, ls[inChunks[T](cols, rows, q, i)], ys[i])
		}
	}
}

func portableDot[T Float](cols, rows int, l, y, out *T) {
	lanes := 64 / int(unsafe.Sizeof(*y))
	ls, ys, o := unsafe.Slice(l, cols*rows), unsafe.Slice(y, rows), unsafe.Slice(out, 4)
	for q := range cols {
		var s [16]T
		for i := 0; i < up(rows, lanes); i++ {
			k := i % lanes
			if i < rows {
				s[k] = fma(ls[inChunks[T](cols, rows, q, i)], ys[i], s[k])
			} else {
				s[k] += 0 // as a masked register does it
			}
		}
		for h := lanes / 2; h > 0; h /= 2 {
			for k := range h {
				s[k] += s[k+h]
			}
		}
		o[q] = s[0]
	}
}

func portableAdd[T Float](cols int, offset *int, rows, mr int, dst, src *T) {
	for b, o := range unsafe.Slice(offset, cols) {
		for c := range 3 {
			d, s := unsafe.Slice(at(dst, o+c*mr), rows), unsafe.Slice(at(src, (3*b+c)*mr), rows)
			for i, v := range s {
				d[i] += v
			}
		}
	}
}

func portableCopy[T Float](k, n int, dst *T, ld int, src *T, ls int) {
	for p := range k {
		copy(unsafe.Slice(at(dst, p*ld), n), unsafe.Slice(at(src, p*ls), n))
	}
}

// at is the address of number i from p on.
func at[T Float](p *T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(p), i*int(unsafe.Sizeof(*p))))
}
