package uncertainty

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// Offset is a smooth random field of border offsets in mm over LPS points: how
// far the true border lies outside the segmented one, along its normal. It is
// Gaussian with mean 0 and the covariance sd²·exp(−|p−q|²/(2·length²)).
//
// With the signed distance d from the segmented border (negative inside), a
// point lies inside the moved one when d(p) < At(p).
//
// It is a sum of random Fourier features, sd·√(2/M)·Σ cos(ω_m·p + φ_m) with
// ω_m normal of variance 1/length² (Rahimi and Recht, Random features for
// large-scale kernel machines, NIPS 2007, algorithm 1). The frequencies are
// scrambled Sobol points through the normal quantile, so that one field has
// nearly the covariance of them all; the phases are independent.
type Offset struct {
	zero      bool
	amplitude [features]float64
	omega     [features]r3.Vec  // turns/mm
	phase     [features]float64 // turns
}

// features is the number M of cosines, in groups of four.
const features = 64

// OffsetError says that an offset field cannot be made.
type OffsetError struct{ Seed, SDMM, LengthMM float64 }

func (e *OffsetError) Error() string {
	return fmt.Sprintf("uncertainty: an offset field with seed %g, standard deviation %g mm and correlation length %g mm: want a seed between 0 and 1, a spread of 0 or more and a positive length", e.Seed, e.SDMM, e.LengthMM)
}

// NewOffset is the field with a seed between 0 and 1 (an input of the
// distribution FieldSeed), a standard deviation and a correlation length in
// mm. The seed ½, the median, gives the field that is 0 everywhere. Fields of
// different seeds are independent, however close the seeds.
func NewOffset(seed, sdMM, lengthMM float64) (*Offset, error) {
	return newMixture(seed, []Scale{{sdMM, lengthMM}})
}

// Scale is one part of a field that has errors of several sizes: its standard
// deviation, and its correlation length in mm.
type Scale struct{ SD, LengthMM float64 }

// newMixture is the sum of independent fields; the cosines are shared out evenly.
func newMixture(seed float64, scales []Scale) (*Offset, error) {
	for _, s := range scales {
		if !(seed > 0 && seed < 1) || !(s.SD >= 0 && finite(s.SD)) || !(s.LengthMM > 0 && finite(s.LengthMM) && finite(1/s.LengthMM)) {
			return nil, &OffsetError{seed, s.SD, s.LengthMM}
		}
	}
	o := &Offset{zero: seed == 0.5}
	key := mix(math.Float64bits(seed))
	rng := rand.New(rand.NewPCG(key, 0))
	for m := range features {
		s := scales[m*len(scales)/features]
		normal := func(d int) float64 {
			return mathext.NormalQuantile(scrambledSobol(d, uint32(m), key)) / (2 * math.Pi * s.LengthMM)
		}
		o.amplitude[m] = s.SD * math.Sqrt(2*float64(len(scales))/features)
		o.omega[m] = r3.Vec{X: normal(0), Y: normal(1), Z: normal(2)}
		o.phase[m] = rng.Float64()
	}
	return o, nil
}

// At is the offset at p, mm; positive where the true border lies further out.
func (o *Offset) At(p r3.Vec) float64 {
	if o.zero {
		return 0
	}
	s := 0.0
	for m := range features {
		w := &o.omega[m]
		s += o.amplitude[m] * cosTurns(w.X*p.X+w.Y*p.Y+w.Z*p.Z+o.phase[m])
	}
	return s
}

// round added and taken away again rounds to a whole number: the last bit of a
// float of this size is 1.
const round = 1.5 * (1 << 52)

// cosTurns is cos 2πt to 1e-9: t is brought to ±½ turn, then to the quarter
// turn y = ¼ − |t|, where cos 2πt = sin 2πy has this Taylor polynomial in
// x = 2πy of degree 13.
func cosTurns(t float64) float64 {
	t -= (t + round) - round
	x := 2 * math.Pi * (0.25 - math.Abs(t))
	z := x * x
	return x * (1 + z*(-1./6+z*(1./120+z*(-1./5040+z*(1./362880+z*(-1./39916800+z*(1./6227020800)))))))
}

// averaged is the field averaged by a Gaussian of standard deviation sdMM: each
// cosine is damped by exp(−(|ω|·sd)²/2).
func (o *Offset) averaged(sdMM float64) *Offset {
	out := *o
	for m, w := range o.omega {
		k := 2 * math.Pi * sdMM
		out.amplitude[m] *= math.Exp(-r3.Norm2(w) * k * k / 2)
	}
	return &out
}

// rows is the number of grid rows that one task fills.
const rows = 16

// OnGrid fills dst, one value per voxel of g in its storage order, with the
// offsets at the voxel centres in mm. Crop the grid to where they are needed:
// Grid.Crop keeps places. It differs from At by rounding only. The cosines run
// along a row by the recurrence cos(θ+2δ) = 2·cos δ·cos(θ+δ) − cos θ.
func (o *Offset) OnGrid(dst []float32, g imaging.Grid) {
	if len(dst) != g.Len() {
		panic("uncertainty: offsets for a grid of another size")
	}
	if o.zero {
		clear(dst)
		return
	}
	n := g.Size[0]
	par.Chunks(g.Size[1]*g.Size[2], rows, func(lo, hi int) {
		sum := make([]float64, n)
		for row := lo; row < hi; row++ {
			clear(sum)
			start := g.Point(0, float64(row%g.Size[1]), float64(row/g.Size[1]))
			for m := 0; m < features; m += 4 {
				var a, b, c [4]float64 // cos at two neighbours, 2·cos of the step
				for k := range 4 {
					step := 2 * math.Pi * r3.Dot(o.omega[m+k], g.Axes[0])
					theta := 2 * math.Pi * (r3.Dot(o.omega[m+k], start) + o.phase[m+k])
					a[k], b[k], c[k] = o.amplitude[m+k]*math.Cos(theta), o.amplitude[m+k]*math.Cos(theta+step), 2*math.Cos(step)
				}
				addCosines(sum, a, b, c)
			}
			out := dst[row*n : (row+1)*n]
			for i, s := range sum {
				out[i] = float32(s)
			}
		}
	})
}

// addCosines adds four cosines that run along a row; a and b are their first
// two values, c twice the cosine of their steps.
func addCosines(sum []float64, a, b, c [4]float64) {
	a0, a1, a2, a3 := a[0], a[1], a[2], a[3]
	b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for i := range sum {
		sum[i] += (a0 + a1) + (a2 + a3)
		a0, b0 = b0, c0*b0-a0
		a1, b1 = b1, c1*b1-a1
		a2, b2 = b2, c2*b2-a2
		a3, b3 = b3, c3*b3-a3
	}
}
