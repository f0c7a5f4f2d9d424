package uncertainty

import (
	"context"
	"math"

	"halsted/imaging/filter"
)

const (
	aroundMM   = 4.0  // standard deviation of the Gaussian that levels outside are averaged by
	unevenStep = 0.15 // of the step, that levels outside must differ by to be told apart
	unevenOver = 4.0  // and times the variance that noise makes
	seenOver   = 4.0  // times the noise, of a step that is seen
	seenStep   = 0.2  // of the structure's contrast: below, the step is not that of one tissue
	mixedStep  = 0.3  // of the step, that the levels of one place may differ by
	rampMM     = 2.0  // blur that a border without a step is given
)

// surroundings fills gain. An organ lies between lung, fat, muscle and other
// organs: where the levels around it differ by more than noise makes them, each
// place has its own, the mean of the ring around it. Where that leaves no step,
// where two neighbours meet or another structure begins, the mask decides.
func (w *work) surroundings(ctx context.Context, s *Scan, b *Border, ring []int) error {
	sum, square, weight := make([]float32, len(w.phi)), make([]float32, len(w.phi)), make([]float32, len(w.phi))
	for _, n := range ring {
		d := w.hu[n] - float32(b.OutsideHU)
		sum[n], square[n], weight[n] = d, d*d, 1
	}
	var err error
	if sum, err = filter.Gaussian(ctx, w.g, sum, aroundMM); err != nil {
		return err
	}
	if weight, err = filter.Gaussian(ctx, w.g, weight, aroundMM); err != nil {
		return err
	}
	const least = 1e-3
	variance, count := 0.0, 0.0
	for n, d := range w.phi {
		if d > -1 && d < 1 && weight[n] > least {
			x := float64(sum[n] / weight[n])
			variance += x * x
			count++
		}
	}
	variance /= max(count, 1)
	noise := 0.0 // variance of such a mean: over the ring's plane and its thickness
	for _, f := range s.Scales {
		l2 := f.LengthMM * f.LengthMM
		noise += f.SD * f.SD * l2 / (l2 + 2*aroundMM*aroundMM) * f.LengthMM / math.Sqrt(l2+ringMM*ringMM/6.0)
	}
	contrast := b.InsideHU - b.OutsideHU
	uneven := variance > unevenOver*noise && math.Sqrt(variance) > unevenStep*math.Abs(contrast)
	if uneven {
		if square, err = filter.Gaussian(ctx, w.g, square, aroundMM); err != nil {
			return err
		}
	}
	for n, d := range w.phi {
		if d < -levelMM-1 || d > levelMM+1 {
			continue
		}
		gain := 1.0
		switch {
		case w.skip[n] || uneven && weight[n] <= least:
			gain = 0
		case uneven:
			mean := float64(sum[n] / weight[n])
			here := contrast - mean*(1-noise/variance)
			gain = contrast / here
			mixed := math.Sqrt(max(0, float64(square[n]/weight[n])-mean*mean-s.NoiseHU*s.NoiseHU))
			if mixed > mixedStep*math.Abs(here) || math.Abs(here) < seenOver*s.NoiseHU || math.Abs(here) < seenStep*math.Abs(contrast) {
				gain = 0
			}
		}
		if gain != 1 && w.gain == nil {
			w.gain = make([]float32, len(w.phi))
			for m := range w.gain {
				w.gain[m] = 1
			}
		}
		if w.gain != nil {
			w.gain[n] = float32(gain)
		}
	}
	return nil
}

// at is the gain at a voxel.
func (w *work) at(n int) float64 {
	if w.gain == nil {
		return 1
	}
	return float64(w.gain[n])
}

// shares fills share.
func (w *work) shares(b *Border) {
	w.share = make([]float32, len(w.hu))
	for n, v := range w.hu {
		if g := w.at(n); g != 0 {
			w.share[n] = float32(1 + (float64(v)-b.InsideHU)/(b.InsideHU-b.OutsideHU)*g)
		} else {
			w.share[n] = float32(math.Erfc(float64(w.phi[n])/(rampMM*math.Sqrt2)) / 2)
		}
	}
}
