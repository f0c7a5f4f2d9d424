package dense

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func random[T Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

// withKernels runs f once for every set of kernels.
func withKernels(t *testing.T, f func(t *testing.T)) {
	before := Kernel()
	defer func() {
		if err := Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	for _, id := range Kernels() {
		if err := Use(id); err != nil {
			t.Fatal(err)
		}
		t.Run(id, f)
	}
}

func TestGemmIsItsDefinitionToTheBit(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		gemmContract[float64](t)
		gemmContract[float32](t)
	})
}

func gemmContract[T Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var w Work[T]
	for round := range 60 {
		m, n, k := 1+rng.IntN(70), 1+rng.IntN(70), rng.IntN(40)
		if round%10 == 0 {
			k += 2 * blockWidth
		}
		if round%20 == 1 {
			n += blockWidth
		}
		lda, ldb, ldc := m+rng.IntN(3), n+rng.IntN(3), m+rng.IntN(3)
		a, b, c := random[T](rng, lda*max(k, 1)), random[T](rng, ldb*max(k, 1)), random[T](rng, ldc*n)
		want, low := slices.Clone(c), slices.Clone(c)
		for j := range n {
			for i := range m {
				for k0 := 0; k0 < k; k0 += blockWidth {
					var s T
					for p := k0; p < min(k, k0+blockWidth); p++ {
						s = fma(a[p*lda+i], b[p*ldb+j], s)
					}
					want[j*ldc+i] -= s
				}
			}
		}
		w.Gemm(m, n, k, a, lda, b, ldb, c, ldc)
		if !slices.Equal(c, want) {
			t.Fatalf("%T %d×%d×%d: other bits than the definition", c[0], m, n, k)
		}
		if n > m {
			continue
		}
		// Syrk of the first n rows: the lower triangle alone.
		clear(c)
		w.Gemm(n, n, k, a, lda, a, lda, c, ldc)
		copy(low, make([]T, len(low)))
		for j := range n {
			for i := range j {
				low[j*ldc+i] = 7
			}
		}
		w.Syrk(n, k, a, lda, low, ldc)
		for j := range n {
			for i := range n {
				if i < j && low[j*ldc+i] != 7 {
					t.Fatalf("%T Syrk %d, %d: wrote above the diagonal", c[0], n, k)
				}
				if i >= j && low[j*ldc+i] != c[j*ldc+i] {
					t.Fatalf("%T Syrk %d, %d: other bits than Gemm at %d, %d", c[0], n, k, i, j)
				}
			}
		}
	}
}

func TestVectorKernelsAgreeToTheBit(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		vectorContract[float64](t)
		vectorContract[float32](t)
	})
}

func vectorContract[T Float](t *testing.T) {
	ker, ref := kernelOf[T](), portable[T]()
	rng := rand.New(rand.NewPCG(3, 4))
	for n := 1; n < 70; n++ {
		for cols := 1; cols <= 4; cols++ {
			l := random[T](rng, cols*n)
			x, y := random[T](rng, 4), random[T](rng, n+9)
			z, y0 := slices.Clone(y), slices.Clone(y)
			ker.sub(cols, n, &l[0], &x[0], &y[0])
			ref.sub(cols, n, &l[0], &x[0], &z[0])
			if !slices.Equal(y, z) {
				t.Fatalf("%T sub, %d columns of %d", x[0], cols, n)
			}
			var a, b [4]T
			ker.dot(cols, n, &l[0], &y[0], &a[0])
			ref.dot(cols, n, &l[0], &y[0], &b[0])
			if a != b {
				t.Fatalf("%T dot, %d columns of %d: %v, want %v", x[0], cols, n, a, b)
			}
			for q := range cols {
				var s float64
				for i := range n {
					v := float64(l[inChunks[T](cols, n, q, i)])
					s += v * float64(y[i])
					y0[i] -= T(v * float64(x[q]))
				}
				if math.Abs(float64(a[q])-s) > 1e-4*float64(n+1) {
					t.Fatalf("%T dot, %d columns of %d: %v, want %v", x[0], cols, n, a[q], s)
				}
			}
			for i := range y {
				if math.Abs(float64(y[i]-y0[i])) > 1e-4 {
					t.Fatalf("%T sub, %d columns of %d: entry %d is %v, want %v", x[0], cols, n, i, y[i], y0[i])
				}
			}
		}
	}
	// solve: strip heights differ, the rows are independent.
	const rows = 144
	tri := random[T](rng, 64)
	c := random[T](rng, rows*8)
	got := slices.Clone(c)
	run := func(k *kernel[T], c []T) {
		s := make([]T, rows*8)
		packStrips(k, s, k.mr, rows, 8, c, rows)
		k.solve(rows/k.mr, &tri[0], &s[0], 8*k.mr)
		for i := range rows {
			for j := range 8 {
				c[j*rows+i] = s[i/k.mr*8*k.mr+j*k.mr+i%k.mr]
			}
		}
	}
	run(ker, got)
	run(&ref, c)
	if !slices.Equal(got, c) {
		t.Fatalf("%T solve", tri[0])
	}
}

func TestFMA32IsRoundedOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var exact, p, q big.Float
	exact.SetPrec(600)
	p.SetPrec(600)
	q.SetPrec(600)
	pick := func() float32 {
		for {
			b := rng.Uint32()
			if rng.IntN(2) == 0 { // few bits set: ties are likely
				b &= 0xff800007 << rng.UintN(20)
			}
			if e := int(b>>23&255) - 127; e > -80 && e < 60 {
				return math.Float32frombits(b)
			}
		}
	}
	for range 200000 {
		a, b, c := pick(), pick(), pick()
		if rng.IntN(2) == 0 { // bring c near the product
			c = float32(math.Ldexp(float64(a)*float64(b), rng.IntN(60)-30))
		}
		exact.SetFloat64(float64(a))
		exact.Mul(&exact, p.SetFloat64(float64(b)))
		exact.Add(&exact, q.SetFloat64(float64(c)))
		want, _ := exact.Float32()
		if got := fma32(a, b, c); got != want {
			t.Fatalf("%x·%x + %x = %x, want %x", a, b, c, got, want)
		}
	}
}

func benchGemm[T Float](b *testing.B, n int) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y, z := random[T](rng, n*n), random[T](rng, n*n), random[T](rng, n*n)
	var w Work[T]
	for b.Loop() {
		w.Gemm(n, n, n, x, n, y, n, z, n)
	}
	b.ReportMetric(2*float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
}

func BenchmarkGemm64_240(b *testing.B)  { benchGemm[float64](b, 240) }
func BenchmarkGemm64_512(b *testing.B)  { benchGemm[float64](b, 512) }
func BenchmarkGemm64_1024(b *testing.B) { benchGemm[float64](b, 1024) }
func BenchmarkGemm32_240(b *testing.B)  { benchGemm[float32](b, 240) }
func BenchmarkGemm32_512(b *testing.B)  { benchGemm[float32](b, 512) }
func BenchmarkGemm32_1024(b *testing.B) { benchGemm[float32](b, 1024) }

// BenchmarkTile is the inner loop alone, its operands in the first cache.
func BenchmarkTile64(b *testing.B) { benchTile[float64](b) }
func BenchmarkTile32(b *testing.B) { benchTile[float32](b) }

func benchTile[T Float](b *testing.B) {
	ker := kernelOf[T]()
	a, y, c := make([]T, ker.mr*blockWidth), make([]T, 8*ker.nr*blockWidth), make([]T, 8*ker.mr*ker.nr)
	for b.Loop() {
		ker.tile(8, blockWidth, &a[0], &y[0], &c[0], ker.mr)
	}
	b.ReportMetric(2*float64(8*ker.mr*ker.nr*blockWidth)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
}
