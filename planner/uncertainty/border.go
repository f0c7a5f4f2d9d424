package uncertainty

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging/filter"
)

// Border is the border of a segmented structure with what the image says of its
// error. It stands where the image is half way between the structure and what
// lies around it, between voxels; the mask only tells which crossing is meant.
//
// The image near an even border is a step seen through a Gaussian of standard
// deviation BlurMM: with the share f of the way from outside to inside,
// ζ = Φ⁻¹(f) is linear in the distance, with slope 1/BlurMM. Noise of the image
// moves the half-way point by noise·√(2π)·BlurMM/contrast, and moves the two
// levels that half way is taken between; where the border is curved, blur moves
// it towards the hollow side.
//
// Volumes are taken within the border as it stands: its errors average out.
// The least distance is a different thing: the least over a rough border is too
// small, because noise always finds a point that is nearer. It is taken over the
// border smoothed by another SmoothMM, with the error that is left.
type Border struct {
	Fine, Smooth Surface

	VolumeMM3           float64 // within Fine
	BlurMM              float64
	InsideHU, OutsideHU float64
	// SeenShare is the part of the border's area at which the image shows a step.
	// Elsewhere the border is that of the mask, and its error is not measured.
	SeenShare float64

	core, ring zone     // where the levels were read
	fluxMM2    []r3.Vec // of Fine: Σ fluxMM2·F(Points) is the flux of a field F out of the structure
	blocks     []block  // of Fine
	layers     []layer
	index      *pointIndex // of Smooth, those that distances may be taken from
}

// Surface is a border as a quadrature.
type Surface struct {
	Points  []r3.Vec // LPS mm
	Normals []r3.Vec // unit, out of the structure
	AreaMM2 []float64
	// BiasMM is how far the true border is expected outside each point: the
	// structure, blurred once more, shows how far blur moves its border.
	BiasMM []float64
	// Scales are what is not known of the border along its normal, in mm, without
	// the error of the levels.
	Scales []Scale
	// Gain is how many times as far noise moves the border there; 0 where the image
	// shows no step. nil: 1 everywhere.
	Gain []float64
}

// SDMM is the standard deviation of the border at one point, without the error
// of the levels.
func (s *Surface) SDMM() float64 {
	v := 0.0
	for _, f := range s.Scales {
		v += f.SD * f.SD
	}
	return math.Sqrt(v)
}

// block stands for the points in a cube.
type block struct {
	at, normal r3.Vec
	area, bias float64
	gain       float64
	unseen     float64 // share of the area without a step
}

// BiasSD is the relative standard deviation of a bias: what the first-order
// correction leaves on borders whose curvature changes over their own thickness.
// On noise-free scans of the coverage test's patients it is 6 % of the bias for
// tumour volumes, 10 % for margins, 11 % for parts of the organ and 17 % for the
// distance to bent vessels.
const BiasSD = 0.1

// SmoothMM is the standard deviation of the Gaussian that smooths a border
// before least distances are taken.
const SmoothMM = 2.0

const (
	levelMM   = 4.5  // distance from the border at which the levels are read, where there is room
	refineMM  = 3.5  // from the mask's border, within which the image decides
	ringMM    = 5    // thickness of what the outer level is read in
	leastSeen = 0.1  // of a border, for its error to be measured
	agreeMM   = 1.0  // between mask and image in the mean: beyond, the step is not what the mask outlines
	levelMost = 64   // points kept of core and ring
	shareEnd  = 0.01 // ζ is used for shares of the way from 1 to 99 %
)

// Border measures the border of the voxels inside. Voxels of others (structures
// of another density beside or within it) take no part in the levels and the
// blur. blurMM is that measured on a larger structure of the same scan, 0 to
// measure it here. It fails with a *ThinError where there is too little to
// measure, an *ApartError where mask and image do not mean the same border, an *ImageError where the image is not finite, and distance.ErrEmptySet
// without a voxel inside.
func (s *Scan) Border(ctx context.Context, inside, others func(n int) bool, blurMM float64) (*Border, error) {
	return s.border(ctx, inside, others, blurMM, true)
}

// FineBorder is Border without Smooth: for volumes alone.
func (s *Scan) FineBorder(ctx context.Context, inside, others func(n int) bool, blurMM float64) (*Border, error) {
	return s.border(ctx, inside, others, blurMM, false)
}

func (s *Scan) border(ctx context.Context, inside, others func(n int) bool, blurMM float64, smooth bool) (*Border, error) {
	box, g, phi, err := signedAround(ctx, s.Grid, inside, levelMM+ringMM+2)
	if err != nil {
		return nil, err
	}
	w := &work{g: g, phi: phi, hu: make([]float32, g.Len()), skip: make([]bool, g.Len())}
	for n := range phi {
		i, j, k := g.IJK(n)
		m := s.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
		w.hu[n], w.skip[n] = s.HU[m], others != nil && others(m)
		if v := float64(s.HU[m]); !finite(v) {
			return nil, &ImageError{fmt.Sprintf("voxel %d is %g HU", m, v)}
		}
	}
	b := &Border{BlurMM: blurMM}
	core, ring := w.zones()
	if len(core) < leastVoxels/2 || len(ring) < leastVoxels {
		return nil, &ThinError{"the structure's core or the ring around it", min(len(core), len(ring))}
	}
	b.InsideHU, b.OutsideHU = mean(w.hu, core), mean(w.hu, ring)
	if math.Abs(b.InsideHU-b.OutsideHU) < s.NoiseHU {
		return nil, &ThinError{"the step at the border, lower than the noise,", len(core)}
	}
	b.core, b.ring = w.zone(core), w.zone(ring)
	if err := w.surroundings(ctx, s, b, ring); err != nil {
		return nil, err
	}
	w.shares(b)
	noise := s.NoiseHU / math.Abs(b.InsideHU-b.OutsideHU)
	f := &b.Fine
	b.VolumeMM3, b.fluxMM2 = w.cross(f, w.share, 0.5)
	b.layers = w.layers(f)
	b.SeenShare = f.seen()
	area, off := 0.0, 0.0
	for n, a := range f.AreaMM2 {
		if f.gain(n) != 0 {
			area += a
		}
	}
	for _, l := range b.layers {
		off += l.mm3
	}
	if off /= max(area, 1); math.Abs(off) > agreeMM {
		return nil, &ApartError{off}
	}
	if b.SeenShare < leastSeen {
		return nil, &ThinError{"the border that shows a step", int(b.SeenShare * float64(len(f.Points)))}
	}
	if len(f.Points) < leastVoxels {
		return nil, &ThinError{"the border", len(f.Points)}
	}
	// On a curved border the edge is less steep than on an even one with the same
	// blur: own is what noise works on, BlurMM what the bias comes from.
	own := max(w.blur(f, noise), s.SmoothedMM)
	if b.BlurMM == 0 {
		b.BlurMM = own
	}
	perHU := math.Sqrt(2*math.Pi) * max(own, b.BlurMM) / math.Abs(b.InsideHU-b.OutsideHU)
	side := 2.0
	for _, n := range s.Scales {
		f.Scales = append(f.Scales, passed(Scale{n.SD * perHU, n.LengthMM}, func(k float64) float64 { return 1 + (1-wave(k, b.BlurMM))*wave(k, biasMM) }))
		side = max(side, 1.4*n.LengthMM*n.SD*n.SD/(s.NoiseHU*s.NoiseHU))
	}
	near, err := w.settle(ctx, f, w.share, b.BlurMM, core, ring, side)
	if err != nil {
		return nil, err
	}
	b.blocks = near.blocks
	if !smooth {
		return b, nil
	}
	if err := w.smooth(ctx, b, s.Scales, perHU, near); err != nil {
		return nil, err
	}
	b.index = newPointIndex(&b.Smooth)
	return b, nil
}

// smooth makes the border that least distances are taken over.
func (w *work) smooth(ctx context.Context, b *Border, noise []Scale, perHU float64, near *nearby) error {
	solid := w.solid(w.share, b.BlurMM)
	soft, err := filter.Gaussian(ctx, w.g, solid, SmoothMM)
	if err != nil {
		return err
	}
	s := &b.Smooth
	for n, d := range w.phi { // far from the mask there is no border, however thin the structure
		if d > levelMM || d < -levelMM {
			soft[n] = solid[n]
		}
	}
	w.cross(s, soft, 0.5)
	if _, err := w.settle(ctx, s, soft, SmoothMM, nil, nil, near.side); err != nil {
		return err
	}
	for p, q := range s.Points {
		if s.Gain == nil || s.Gain[p] != 0 {
			s.BiasMM[p] += near.bias(q, s.Normals[p])
		}
	}
	for _, n := range noise {
		s.Scales = append(s.Scales, passed(Scale{n.SD * perHU, n.LengthMM}, func(k float64) float64 {
			g := wave(k, SmoothMM)
			return g + (g*(1-g)+1-wave(k, b.BlurMM))*wave(k, biasMM)
		}))
	}
	return nil
}

// wave is what a Gaussian of standard deviation sd leaves of a wave number k.
func wave(k, sd float64) float64 { return math.Exp(-k * k * sd * sd / 2) }

// passed is what a filter over the surface makes of an error: the variance
// ∫S·H²·k·dk / ∫S·k·dk with S = exp(−k²l²/2), and the length that keeps the
// two-dimensional integral of the covariance, since H(0) = 1. Smoothing takes
// from an error, the correction for blur, read from a rough border, adds to it.
func passed(in Scale, h func(k float64) float64) Scale {
	const steps = 100
	num, den := 0.0, 0.0
	for n := range steps {
		k := (float64(n) + 0.5) * 5 / steps / in.LengthMM
		s := k * wave(k, in.LengthMM)
		num += s * h(k) * h(k)
		den += s
	}
	share := math.Sqrt(num / den)
	return Scale{in.SD * share, in.LengthMM / share}
}
