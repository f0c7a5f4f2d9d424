package phantom

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"halsted/imaging"
)

// Variation is how one scan of a patient differs from another: the phase of the
// contrast agent, the liver's own density and the dose. A zero field means what
// Volume does.
type Variation struct {
	LiverHU  float64 // mean of the parenchyma, HU; 0 is 105
	Contrast float64 // enhancement of the other organs, and of vessels and tumours against the parenchyma, relative to Volume; 0 is 1
	NoiseHU  float64 // standard deviation of the noise, HU; 0 is 11
}

// streamVary is the stream of the drawn variations.
const streamVary = 100

// NewVariation draws a variation as routine portal-venous scans show them: a
// parenchyma of 85–130 HU (fatty to strongly enhanced), enhancement of 0.7–1.3
// and noise of 8–24 HU.
func NewVariation(seed uint64) Variation {
	r := rand.New(rand.NewPCG(seed, streamVary))
	return Variation{LiverHU: 85 + 45*r.Float64(), Contrast: 0.7 + 0.6*r.Float64(), NoiseHU: 8 + 16*r.Float64()}
}

// Validate names a value that no scan has.
func (v Variation) Validate() error {
	for _, p := range []struct {
		name        string
		x, lo, most float64
	}{{"LiverHU", v.LiverHU, 0, 300}, {"Contrast", v.Contrast, 0, 3}, {"NoiseHU", v.NoiseHU, 0, 200}} {
		if !(p.x >= p.lo && p.x <= p.most) {
			return fmt.Errorf("phantom: %s is %g; it must be from %g to %g", p.name, p.x, p.lo, p.most)
		}
	}
	return nil
}

// filled is v with every zero replaced.
func (v Variation) filled() Variation {
	if v.LiverHU == 0 {
		v.LiverHU = huParenchyma
	}
	if v.Contrast == 0 {
		v.Contrast = 1
	}
	if v.NoiseHU == 0 {
		v.NoiseHU = noiseHU
	}
	return v
}

// hu is the mean of a tissue in the variation. Muscle, fat, fluid, bone and
// gas take up no contrast that matters; the liver's tumours and vessels keep
// their difference to the parenchyma, scaled.
func (v Variation) hu(x float64) float64 {
	switch x {
	case huParenchyma, huTumour, huHepatic, huPortal:
		return v.LiverHU + v.Contrast*(x-huParenchyma)
	case huWall, huWall + 5, huPancreas, huSpleen, huCortex, huMedulla, huHeart, huCava: // the aorta has the value of the medulla
		return huMuscle + v.Contrast*(x-huMuscle)
	}
	return x
}

// Scan is Volume with a variation: the same patient, so Truth, VolumeML and all
// shapes hold for it. The zero Variation gives the bits of Volume.
func (l *Liver) Scan(ctx context.Context, g imaging.Grid, v Variation, progress func(done float64)) (*imaging.Volume, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("phantom: %w", err)
	}
	if err := v.Validate(); err != nil {
		return nil, err
	}
	v = v.filled()
	ls := l.layers()
	for n := range ls {
		ls[n].hu = math.Round(100*v.hu(ls[n].hu)) / 100
	}
	return render(ctx, g, ls, v.NoiseHU, l.seed, progress)
}
