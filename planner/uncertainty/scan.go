package uncertainty

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/imaging/distance"
)

// Scan is an image as segmentation sees it (smoothed, if it smooths), with what
// the image itself says of its noise. It is what the errors of borders are
// computed from; nothing in it needs the truth.
type Scan struct {
	Grid imaging.Grid
	HU   []float32 // one per voxel, in storage order
	// NoiseHU is the standard deviation of HU around the mean of a tissue.
	NoiseHU float64
	// Scales are the noise in two parts: the covariance at a distance r is
	// Σ SD²·exp(−r²/(2·LengthMM²)). The short part is what the scanner's grain
	// became by smoothing, the long one texture and streaks.
	Scales []Scale
	// SmoothedMM is the standard deviation of the Gaussian that HU went through, 0
	// for none: no edge is sharper.
	SmoothedMM float64
}

// ThinError says that a structure is too thin or too small to measure.
type ThinError struct {
	What   string
	Voxels int
}

func (e *ThinError) Error() string {
	return fmt.Sprintf("uncertainty: %s has %d voxels to measure, want at least %d: use a structure that is thicker than the scan's blur", e.What, e.Voxels, leastVoxels)
}

// ApartError says that a mask does not outline the step that the image shows: a
// tumour with a rim, a hand that draws elsewhere, a neighbour of the same density.
type ApartError struct{ OffMM float64 }

func (e *ApartError) Error() string {
	side := "outside"
	if e.OffMM < 0 {
		side = "inside"
	}
	return fmt.Sprintf("uncertainty: the step in the image lies %.1f mm %s the mask in the mean, more than %g mm", math.Abs(e.OffMM), side, agreeMM)
}

// ImageError says that an image does not hold what can be measured.
type ImageError struct{ Why string }

func (e *ImageError) Error() string {
	return "uncertainty: nothing can be measured in the image: " + e.Why
}

// leastVoxels makes a mean or a variance worth having.
const leastVoxels = 20

// lagMM is how far correlations are followed: beyond, they are taken as 0.
const lagMM = 16

// MeasureNoise measures noise and its correlation in even tissue, such as the
// parenchyma away from tumours, vessels and the border: the voxels for which
// tissue is true. hu has one value per voxel of g in its storage order. It fails
// with a *ThinError when there are fewer than 20 voxels, with an *ImageError when
// they are all the same or not finite.
func MeasureNoise(ctx context.Context, g imaging.Grid, hu []float32, tissue func(n int) bool) (*Scan, error) {
	if len(hu) != g.Len() {
		return nil, &ImageError{fmt.Sprintf("%d values for %d voxels", len(hu), g.Len())}
	}
	s := &Scan{Grid: g, HU: hu}
	in := make([]bool, g.Len())
	sum, sq, count := 0.0, 0.0, 0
	for n := range in {
		if tissue(n) {
			in[n] = true
			count++
			sum += float64(hu[n])
		}
	}
	if count < leastVoxels {
		return nil, &ThinError{"even tissue", count}
	}
	mean := sum / float64(count)
	for n, ok := range in {
		if ok {
			d := float64(hu[n]) - mean
			sq += d * d
		}
	}
	variance := sq / float64(count-1)
	if !(variance > 0) || !finite(variance) {
		return nil, &ImageError{fmt.Sprintf("the variance of even tissue is %g HU²", variance)}
	}
	cov, err := covariances(ctx, g, hu, in, mean)
	if err != nil {
		return nil, err
	}
	// The mean of the tissue takes its own variance out of all of them: it is
	// Σ SD²·(2π)^1.5·LengthMM³ over the volume, put back until it stays.
	lost := 0.0
	for range 6 {
		s.NoiseHU = math.Sqrt(variance + lost)
		moved := slices.Clone(cov)
		for n := range moved {
			moved[n].c += lost
		}
		s.Scales = fitScales(variance+lost, moved)
		next := 0.0
		for _, f := range s.Scales {
			next += f.SD * f.SD * math.Pow(2*math.Pi, 1.5) * f.LengthMM * f.LengthMM * f.LengthMM / (float64(count) * g.VoxelMM3())
		}
		lost = min(next, variance/2)
	}
	return s, nil
}

// lagged is a covariance at a distance.
type lagged struct{ mm, c, weight float64 }

// covariances are those along the three axes up to lagMM.
func covariances(ctx context.Context, g imaging.Grid, hu []float32, in []bool, mean float64) (all []lagged, err error) {
	h := g.SpacingMM()
	stride := [3]int{1, g.Size[0], g.Size[0] * g.Size[1]}
	var tissue []int32
	for n, ok := range in {
		if ok {
			tissue = append(tissue, int32(n))
		}
	}
	for axis := range 3 {
		for lag := 1; float64(lag)*h[axis] <= lagMM; lag++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c, pairs, step := 0.0, 0, lag*stride[axis]
			for _, n := range tissue {
				m := int(n) + step
				if m >= len(in) || !in[m] || m/stride[axis]/g.Size[axis] != int(n)/stride[axis]/g.Size[axis] {
					continue // the last: beyond the end of the line
				}
				c += (float64(hu[n]) - mean) * (float64(hu[m]) - mean)
				pairs++
			}
			if pairs >= leastVoxels {
				r := float64(lag) * h[axis]
				all = append(all, lagged{r, c / float64(pairs), r * float64(pairs)})
			}
		}
	}
	return all, nil
}

// longMM is the correlation length of what is slow: texture, streaks and the
// error that it makes of a border. It is not fitted, because an organ holds too
// few of its wavelengths; 5 to 10 mm are known of borders, this is their
// geometric mean.
const longMM = 7.0

// fitScales finds the short scale and the shares that fit best, by least squares
// weighted with the pairs and the distance (a ring of the surface), over a grid
// of lengths; the shares are linear and follow in closed form, held to 0 to 1.
func fitScales(variance float64, cov []lagged) []Scale {
	best, out := math.Inf(1), []Scale{{math.Sqrt(variance), 1}, {0, longMM}}
	for short := 0.7; short < 0.6*longMM; short *= 1.1 {
		// c(r)/variance = B + a·(A − B) with A, B the two Gaussians
		num, den, fixed := 0.0, 0.0, 0.0
		for _, l := range cov {
			a, b := math.Exp(-l.mm*l.mm/(2*short*short)), math.Exp(-l.mm*l.mm/(2*longMM*longMM))
			y := l.c/variance - b
			num += l.weight * y * (a - b)
			den += l.weight * (a - b) * (a - b)
			fixed += l.weight * y * y
		}
		if den == 0 {
			continue
		}
		share := max(0, min(1, num/den))
		if miss := fixed - 2*share*num + share*share*den; miss < best {
			best = miss
			out = []Scale{{math.Sqrt(variance * share), short}, {math.Sqrt(variance * (1 - share)), longMM}}
		}
	}
	return out
}

// signedAround is the signed distance to a mask within reach mm of it, on a
// crop of the grid.
func signedAround(ctx context.Context, g imaging.Grid, inside func(n int) bool, reachMM float64) (imaging.Box, imaging.Grid, []float32, error) {
	box := g.Bounds(inside)
	if box.Empty() {
		return box, imaging.Grid{}, nil, distance.ErrEmptySet
	}
	box = box.Grow(g, reachMM).Clip(g)
	crop := g.Crop(box)
	phi, err := distance.Signed(ctx, crop, func(n int) bool {
		i, j, k := crop.IJK(n)
		return inside(g.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2]))
	})
	return box, crop, phi, err
}
