package dense

import "unsafe"

func cpuid(leaf, sub uint32) (a, b, c, d uint32)
func xgetbv() (a uint32)

//go:noescape
func tile64AVX2(nb, k int, a, b, c *float64, ldc int)

//go:noescape
func tile32AVX2(nb, k int, a, b, c *float32, ldc int)

//go:noescape
func tile64AVX512(nb, k int, a, b, c *float64, ldc int)

//go:noescape
func tile32AVX512(nb, k int, a, b, c *float32, ldc int)

//go:noescape
func solve64AVX2(strips int, t, c *float64, sc int)

//go:noescape
func solve32AVX2(strips int, t, c *float32, sc int)

//go:noescape
func solve64AVX512(strips int, t, c *float64, sc int)

//go:noescape
func solve32AVX512(strips int, t, c *float32, sc int)

//go:noescape
func sub64AVX2(cols, rows int, l, x, y *float64)

//go:noescape
func sub32AVX2(cols, rows int, l, x, y *float32)

//go:noescape
func dot64AVX2(cols, rows int, l, y, out *float64)

//go:noescape
func dot32AVX2(cols, rows int, l, y, out *float32)

//go:noescape
func add64AVX2(cols int, offset *int, rows, mr int, dst, src *float64)

//go:noescape
func add32AVX2(cols int, offset *int, rows, mr int, dst, src *float32)

//go:noescape
func copyRunsAVX(k, bytes int, dst unsafe.Pointer, dd int, src unsafe.Pointer, ds int)

// machineSets asks the processor and, through XCR0, the operating system which
// registers are kept (Intel SDM vol. 1, 14.3, 15.2).
func machineSets() []*set {
	const (
		fma, osxsave, avx = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ECX
		avx2, avx512f     = 1 << 5, 1 << 16           // leaf 7, EBX
		ymm, zmm          = 0x6, 0xe6                 // XCR0
	)
	if leaves, _, _, _ := cpuid(0, 0); leaves < 7 {
		return nil
	}
	_, _, c, _ := cpuid(1, 0)
	if c&fma == 0 || c&osxsave == 0 || c&avx == 0 {
		return nil
	}
	_, b, _, _ := cpuid(7, 0)
	kept := xgetbv()
	if b&avx2 == 0 || kept&ymm != ymm {
		return nil
	}
	s2 := &set{
		id:  "avx2",
		f64: kernel[float64]{mr: 12, nr: 4, tile: tile64AVX2, solve: solve64AVX2, vector: true},
		f32: kernel[float32]{mr: 24, nr: 4, tile: tile32AVX2, solve: solve32AVX2, vector: true},
	}
	if b&avx512f == 0 || kept&zmm != zmm {
		return []*set{s2}
	}
	s5 := &set{
		id:  "avx512",
		f64: kernel[float64]{mr: 24, nr: 8, tile: tile64AVX512, solve: solve64AVX512, vector: true},
		f32: kernel[float32]{mr: 48, nr: 8, tile: tile32AVX512, solve: solve32AVX512, vector: true},
	}
	return []*set{s5, s2}
}

func f64[T Float](p *T) *float64 { return (*float64)(unsafe.Pointer(p)) }
func f32[T Float](p *T) *float32 { return (*float32)(unsafe.Pointer(p)) }

// machineSub and machineDot call by name: through a variable every argument
// would have to live on the heap.
func machineSub[T Float](cols, rows int, l, x, y *T) {
	if unsafe.Sizeof(*x) == 8 {
		sub64AVX2(cols, rows, f64(l), f64(x), f64(y))
		return
	}
	sub32AVX2(cols, rows, f32(l), f32(x), f32(y))
}

func machineDot[T Float](cols, rows int, l, y, out *T) {
	if unsafe.Sizeof(*y) == 8 {
		dot64AVX2(cols, rows, f64(l), f64(y), f64(out))
		return
	}
	dot32AVX2(cols, rows, f32(l), f32(y), f32(out))
}

func machineAdd[T Float](cols int, offset *int, rows, mr int, dst, src *T) {
	if unsafe.Sizeof(*dst) == 8 {
		add64AVX2(cols, offset, rows, mr, f64(dst), f64(src))
		return
	}
	add32AVX2(cols, offset, rows, mr, f32(dst), f32(src))
}

func machineCopy[T Float](k, n int, dst *T, ld int, src *T, ls int) {
	size := int(unsafe.Sizeof(*dst))
	copyRunsAVX(k, n*size, unsafe.Pointer(dst), ld*size, unsafe.Pointer(src), ls*size)
}
