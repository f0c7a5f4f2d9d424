package filter

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/internal/par"
)

// Gaussian smooths in with a Gaussian of standard deviation sigmaMM, sampled to
// three standard deviations. At the border of the grid the weights of what
// there is are scaled to sum to one. Axes with a spacing above 3·sigmaMM stay
// as they are.
func Gaussian(ctx context.Context, g imaging.Grid, in []float32, sigmaMM float64) ([]float32, error) {
	src, spare := in, make([]float32, len(in))
	h := g.SpacingMM()
	stride := 1
	for axis := range 3 {
		n, st := g.Size[axis], stride
		stride *= n
		tap := gaussTaps(sigmaMM / h[axis])
		if len(tap) == 1 || n == 1 {
			continue
		}
		dst := spare
		var err error
		if axis == 0 {
			err = gaussRows(ctx, dst, src, n, tap)
		} else {
			err = gaussAcross(ctx, dst, src, n, st, tap)
		}
		if err != nil {
			return nil, err
		}
		if spare = src; &src[0] == &in[0] { // the caller's slice is not written to
			spare = make([]float32, len(in))
		}
		src = dst
	}
	if &src[0] == &in[0] {
		copy(spare, in)
		src = spare
	}
	return src, ctx.Err()
}

// gaussTaps are the weights at distances 0, 1, … voxels; they sum to one over
// both sides.
func gaussTaps(sigma float64) []float32 {
	r := int(3 * sigma)
	w := make([]float64, r+1)
	sum := 0.0
	for p := range w {
		w[p] = math.Exp(-0.5 * float64(p*p) / (sigma * sigma))
		sum += w[p]
		if p > 0 {
			sum += w[p]
		}
	}
	out := make([]float32, r+1)
	for p := range w {
		out[p] = float32(w[p] / sum)
	}
	if r == 0 {
		out[0] = 1
	}
	return out
}

// gaussRows filters along rows of n voxels.
func gaussRows(ctx context.Context, dst, src []float32, n int, tap []float32) error {
	r := len(tap) - 1
	return par.ChunksCtx(ctx, len(src)/n, 256, func(lo, hi int) error {
		for row := lo; row < hi; row++ {
			s, d := src[row*n:(row+1)*n], dst[row*n:(row+1)*n]
			for i := range d {
				if i < r || i >= n-r {
					d[i] = gaussBorder(s, i, tap)
					continue
				}
				sum := tap[0] * s[i]
				w := s[i-r : i+r+1]
				for p := 1; p <= r; p++ {
					sum += tap[p] * (w[r-p] + w[r+p])
				}
				d[i] = sum
			}
		}
		return nil
	})
}

func gaussBorder(s []float32, i int, tap []float32) float32 {
	var sum, weight float32
	for p := -min(i, len(tap)-1); p < len(tap) && i+p < len(s); p++ {
		t := tap[max(p, -p)]
		sum += t * s[i+p]
		weight += t
	}
	return sum / weight
}

// gaussAcross filters along the axis with the given stride and n voxels; a
// whole stretch of neighbours is summed at a time.
func gaussAcross(ctx context.Context, dst, src []float32, n, stride int, tap []float32) error {
	const stretch = 512
	pieces := (stride + stretch - 1) / stretch
	lines := len(src) / n / stride * n // positions along the axis over all outer blocks
	return par.ChunksCtx(ctx, lines*pieces, 64, func(lo, hi int) error {
		for c := lo; c < hi; c++ {
			line, piece := c/pieces, c%pieces
			p, base := line%n, line/n*n*stride
			from, to := piece*stretch, min((piece+1)*stretch, stride)
			d := dst[base+p*stride+from : base+p*stride+to]
			var weight float32
			clear(d)
			for q := max(0, p-len(tap)+1); q < min(n, p+len(tap)); q++ {
				t := tap[max(p-q, q-p)]
				weight += t
				s := src[base+q*stride+from:][:len(d)]
				for i, v := range s {
					d[i] += t * v
				}
			}
			if p < len(tap)-1 || p > n-len(tap) {
				for i := range d {
					d[i] /= weight
				}
			}
		}
		return nil
	})
}

// Bend is the second derivative of a field at one voxel, per mm², by central
// differences; the border of the grid repeats outward.
type Bend struct{ XX, YY, ZZ, XY, XZ, YZ float64 }

// differ takes second differences on one grid.
type differ struct {
	f          []float32
	nx, ny, nz int
	hx, hy, hz float64
}

func newDiffer(g imaging.Grid, f []float32) *differ {
	h := g.SpacingMM()
	return &differ{f, g.Size[0], g.Size[1], g.Size[2], h[0], h[1], h[2]}
}

// at is the Hessian matrix of the field at voxel i, j, k, along the grid's axes.
func (d *differ) at(i, j, k int) Bend {
	nxy := d.nx * d.ny
	n := i + d.nx*j + nxy*k
	l, r := step(i, d.nx, 1)
	b, t := step(j, d.ny, d.nx)
	u, o := step(k, d.nz, nxy)
	f := func(m int) float64 { return float64(d.f[n+m]) }
	c := 2 * f(0)
	return Bend{
		XX: (f(l) + f(r) - c) / (d.hx * d.hx),
		YY: (f(b) + f(t) - c) / (d.hy * d.hy),
		ZZ: (f(u) + f(o) - c) / (d.hz * d.hz),
		XY: (f(l+b) + f(r+t) - f(l+t) - f(r+b)) / (4 * d.hx * d.hy),
		XZ: (f(l+u) + f(r+o) - f(l+o) - f(r+u)) / (4 * d.hx * d.hz),
		YZ: (f(b+u) + f(t+o) - f(b+o) - f(t+u)) / (4 * d.hy * d.hz),
	}
}

func step(i, n, stride int) (back, on int) {
	if i > 0 {
		back = -stride
	}
	if i < n-1 {
		on = stride
	}
	return back, on
}

// Eigen are the eigenvalues of b, falling.
func (b Bend) Eigen() (e1, e2, e3 float64) {
	// Trigonometric solution of the characteristic cubic (Smith, Commun. ACM 4
	// (1961) 168).
	q := (b.XX + b.YY + b.ZZ) / 3
	x, y, z := b.XX-q, b.YY-q, b.ZZ-q
	off := b.XY*b.XY + b.XZ*b.XZ + b.YZ*b.YZ
	p2 := (x*x + y*y + z*z + 2*off) / 6
	if p2 == 0 {
		return q, q, q
	}
	p := math.Sqrt(p2)
	det := x*(y*z-b.YZ*b.YZ) - b.XY*(b.XY*z-b.YZ*b.XZ) + b.XZ*(b.XY*b.YZ-y*b.XZ)
	phi := math.Acos(min(max(det/(2*p2*p), -1), 1)) / 3
	e1 = q + 2*p*math.Cos(phi)
	e3 = q + 2*p*math.Cos(phi+2*math.Pi/3)
	return e1, 3*q - e1 - e3, e3
}

// Axis is the unit eigenvector of the eigenvalue e, along the grid's axes; any
// one of them where it is not unique.
func (b Bend) Axis(e float64) (v [3]float64) {
	r := [3][3]float64{{b.XX - e, b.XY, b.XZ}, {b.XY, b.YY - e, b.YZ}, {b.XZ, b.YZ, b.ZZ - e}}
	best := 0.0
	for m := range 3 {
		a, c := r[m], r[(m+1)%3]
		x := [3]float64{a[1]*c[2] - a[2]*c[1], a[2]*c[0] - a[0]*c[2], a[0]*c[1] - a[1]*c[0]}
		if s := x[0]*x[0] + x[1]*x[1] + x[2]*x[2]; s > best {
			best, v = s, x
		}
	}
	if best == 0 {
		return [3]float64{1, 0, 0}
	}
	s := 1 / math.Sqrt(best)
	return [3]float64{v[0] * s, v[1] * s, v[2] * s}
}
