package phantom

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// The scanner: in-plane point spread (Gaussian σ), noise after reconstruction,
// and the range of stored values of a 12-bit scanner.
const (
	psfMM        = 0.72
	noiseHU      = 11.0
	minHU, maxHU = -1024, 3071
)

// A slice is painted in square blocks of about blockMM, within blocks four times
// as wide: a layer that covers or misses a whole block costs one evaluation.
const blockMM = 6.0

// scan paints slices of one grid.
type scan struct {
	g      imaging.Grid
	layers []layer
	i, j   r3.Vec // step along a row and down the rows
	up     r3.Vec // unit, across the slice
	pixel  float64
	thick  float64
	small  int // pixels along the side of a block
	big    int // and of a block of blocks
}

func newScan(g imaging.Grid, layers []layer) *scan {
	sp := g.SpacingMM()
	s := &scan{g: g, layers: layers, i: g.Axes[0], j: g.Axes[1], up: unit(g.Axes[2]), pixel: (sp[0] + sp[1]) / 2, thick: sp[2]}
	s.small = min(max(int(math.Round(blockMM/s.pixel)), 2), 16)
	s.big = 4 * s.small
	return s
}

// span is a square block of pixels.
type span struct{ i0, j0, i1, j1 int }

// centre and radius of the block's voxels, whole voxels included.
func (s *scan) ball(b span, k int) (c r3.Vec, r float64) {
	c = s.g.Point(float64(b.i0+b.i1-1)/2, float64(b.j0+b.j1-1)/2, float64(k))
	x, y := float64(b.i1-b.i0)*norm(s.i), float64(b.j1-b.j0)*norm(s.j)
	return c, 0.5 * math.Sqrt(x*x+y*y+s.thick*s.thick)
}

// sift keeps, of the candidate layers, those whose surface may touch the ball,
// in dst, and moves base to the last one that covers it wholly.
func (s *scan) sift(dst, from []int16, base float64, c r3.Vec, r float64) ([]int16, float64) {
	dst = dst[:0]
	for _, n := range from {
		f, _ := s.layers[n].f(c)
		switch {
		case f > r:
		case f < -r:
			dst, base = dst[:0], s.layers[n].hu
		default:
			dst = append(dst, n)
		}
	}
	return dst, base
}

// paint fills img with the HU of slice k before blur and noise: the mean over
// each voxel, edges taken as planes.
func (s *scan) paint(img []float32, k int) {
	nx, ny := s.g.Size[0], s.g.Size[1]
	all := make([]int16, len(s.layers))
	for n := range all {
		all[n] = int16(n)
	}
	big, small, one := make([]int16, 0, len(all)), make([]int16, 0, len(all)), make([]int16, 0, len(all))
	pixelR := 0.5 * math.Sqrt(2*s.pixel*s.pixel+s.thick*s.thick)
	for j0 := 0; j0 < ny; j0 += s.big {
		for i0 := 0; i0 < nx; i0 += s.big {
			outer := span{i0, j0, min(i0+s.big, nx), min(j0+s.big, ny)}
			c, r := s.ball(outer, k)
			var base float64
			big, base = s.sift(big, all, huAir, c, r)
			for j1 := outer.j0; j1 < outer.j1; j1 += s.small {
				for i1 := outer.i0; i1 < outer.i1; i1 += s.small {
					b := span{i1, j1, min(i1+s.small, outer.i1), min(j1+s.small, outer.j1)}
					inner := base
					small = small[:0]
					if len(big) > 0 {
						c, r := s.ball(b, k)
						small, inner = s.sift(small, big, base, c, r)
					}
					for j := b.j0; j < b.j1; j++ {
						row := img[j*nx : (j+1)*nx]
						if len(small) == 0 {
							for i := b.i0; i < b.i1; i++ {
								row[i] = float32(inner)
							}
							continue
						}
						for i := b.i0; i < b.i1; i++ {
							p := s.g.Point(float64(i), float64(j), float64(k))
							var v float64
							one, v = s.sift(one, small, inner, p, pixelR)
							for _, n := range one {
								l := &s.layers[n]
								v += s.coverage(l, p) * (l.hu - v)
							}
							row[i] = float32(v)
						}
					}
				}
			}
		}
	}
}

// coverage is the part of the voxel at p inside l: across the pixel the edge is
// a ramp one pixel wide; over the slice thickness the ramp is averaged along
// the normal, for thin tubes at four heights instead.
func (s *scan) coverage(l *layer, p r3.Vec) float64 {
	if l.thin {
		const heights = 4
		var c float64
		for n := range heights {
			f, g := l.f(r3.Add(p, r3.Scale(s.thick*((float64(n)+0.5)/heights-0.5), s.up)))
			c += ramp(f, g, s.pixel)
		}
		return c / heights
	}
	f, g := l.f(p)
	n := norm(g)
	if n < flatGradient {
		return ramp(f, g, s.pixel)
	}
	d, h := f/n, math.Abs(r3.Dot(g, s.up))/n*s.thick/2
	if h < s.pixel*1e-3 {
		return ramp(f, g, s.pixel)
	}
	return (rampSum((d+h)/s.pixel) - rampSum((d-h)/s.pixel)) * s.pixel / (2 * h)
}

// flatGradient is where f/|g| stops being a distance: deep inside a shape.
const flatGradient = 1e-3

func ramp(f float64, g r3.Vec, width float64) float64 {
	n := norm(g)
	if n < flatGradient {
		if f < 0 {
			return 1
		}
		return 0
	}
	return min(max(0.5-f/(n*width), 0), 1)
}

// rampSum is the integral of the ramp clamp(½ − x) from 0 to x.
func rampSum(x float64) float64 {
	switch {
	case x < -0.5:
		return x + 0.125
	case x > 0.5:
		return 0.125
	}
	return 0.5*x - 0.5*x*x
}

// kernel is the sampled Gaussian of σ mm on pixels of size mm, and its sum of
// squares, by which it shrinks the variance of white noise.
func kernel(sigma, pixel float64) (w []float32, square float64) {
	n := int(math.Ceil(3.2 * sigma / pixel))
	f := make([]float64, 2*n+1)
	var sum float64
	for m := range f {
		// The pixel average is part of the ideal image already, so the kernel is
		// sampled, not integrated.
		x := float64(m-n) * pixel / sigma
		f[m] = math.Exp(-x * x / 2)
		sum += f[m]
	}
	w = make([]float32, len(f))
	for m := range f {
		f[m] /= sum
		w[m] = float32(f[m])
		square += f[m] * f[m]
	}
	return w, square
}

// blur convolves img with w along rows and columns; the edge is repeated.
func blur(img, tmp []float32, nx, ny int, wx, wy []float32) {
	rx, ry := len(wx)/2, len(wy)/2
	line := make([]float32, nx+2*rx)
	for j := range ny {
		row := img[j*nx : (j+1)*nx]
		copy(line[rx:], row)
		for m := range rx {
			line[m], line[rx+nx+m] = row[0], row[nx-1]
		}
		out := tmp[j*nx : (j+1)*nx]
		clear(out)
		for m, w := range wx {
			for i, v := range line[m : m+nx] {
				out[i] += w * v
			}
		}
	}
	for j := range ny {
		out := img[j*nx : (j+1)*nx]
		clear(out)
		for m, w := range wy {
			from := min(max(j+m-ry, 0), ny-1)
			for i, v := range tmp[from*nx : (from+1)*nx] {
				out[i] += w * v
			}
		}
	}
}

// addNoise adds white noise of the given σ: the sum of four uniform numbers of
// 16 bits, which the blur afterwards brings close to a Gaussian.
func addNoise(img []float32, sigma float64, rng *rand.PCG) {
	// Each uniform number has variance (65536²−1)/12.
	scale := float32(sigma / math.Sqrt(4*(65536.0*65536.0-1)/12))
	const mean = 2 * 65535
	for n := range img {
		u := rng.Uint64()
		s := int32(u&0xffff) + int32(u>>16&0xffff) + int32(u>>32&0xffff) + int32(u>>48)
		img[n] += scale * float32(s-mean)
	}
}

// render paints, blurs and adds noise slice by slice.
func render(ctx context.Context, g imaging.Grid, layers []layer, noise float64, seed uint64, progress func(float64)) (*imaging.Volume, error) {
	v := imaging.NewVolume(g, imaging.KindHU)
	s := newScan(g, layers)
	sp := g.SpacingMM()
	wx, sx := kernel(psfMM, sp[0])
	wy, sy := kernel(psfMM, sp[1])
	white := noise / math.Sqrt(sx*sy)
	nx, ny, nz := g.Size[0], g.Size[1], g.Size[2]
	step := counter(nz, progress)
	err := par.ChunksCtx(ctx, nz, 1, func(k0, k1 int) error {
		img, tmp := make([]float32, nx*ny), make([]float32, nx*ny)
		for k := k0; k < k1; k++ {
			s.paint(img, k)
			addNoise(img, white, rand.NewPCG(seed, streamNoise+uint64(k)))
			blur(img, tmp, nx, ny, wx, wy)
			out := v.Data[k*nx*ny : (k+1)*nx*ny]
			for n, x := range img {
				out[n] = int16(min(max(math.Round(float64(x)), minHU), maxHU))
			}
			step()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// counter returns a function to call once for each of n parts done; it calls
// progress, never twice at once and always with a larger value.
func counter(n int, progress func(done float64)) func() {
	if progress == nil {
		return func() {}
	}
	var mu sync.Mutex // guards done and the call
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(float64(done) / float64(n))
	}
}
