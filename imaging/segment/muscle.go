package segment

import (
	"context"
	"errors"
	"math"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/filter"
)

// Muscle has values between muscleLowHU and muscleHighHU, with and without
// contrast.
const muscleLowHU, muscleHighHU = 10, 110

// fattyHU is how much darker than the psoas back muscle is when fat has grown
// into it: 15 HU are a tenth of fat; muscles of one person differ by less.
const fattyHU = 10.0

// Where the psoas is looked for, mm: this far from the bone of the vertebrae,
// beside them, and between their front and the middle of the column.
const (
	psoasNearMM, psoasFarMM = 4.0, 15.0
	psoasInMM, psoasOutMM   = 12.0, 55.0
	psoasBehindMM           = 5.0 // the front: the great vessels lie there
)

// muscleHU is the value of muscle, what other soft tissue is compared with: it
// takes up little contrast. It is the commonest one beside and behind the spine,
// where the back muscles are; but where these hold fat that no voxel resolves, so
// that the psoas beside the vertebrae is more than fattyHU brighter, that of the
// psoas, which is spared longest. NaN when nothing is there.
func muscleHU(ctx context.Context, g imaging.Grid, smooth []float32, body, bone filter.Mask, s *spine) (float64, error) {
	h := g.SpacingMM()
	back := commonestMuscle(g, smooth, body, bone, s, func(i, j, k int) bool {
		x, y := math.Abs(float64(i)-s.I[k])*h[0], (float64(j)-s.J[k])*h[1]
		return x > 15 && x < 70 && y > 0 && y < 60
	})
	box := columnBox(g, s, psoasOutMM+psoasFarMM, psoasOutMM+psoasFarMM, psoasFarMM)
	if box.Empty() {
		return back, ctx.Err()
	}
	sub, dense := g.Crop(box), filter.Cut(g, bone, box)
	away, err := distance.Unsigned(ctx, sub, func(n int) bool { return dense[n] })
	if errors.Is(err, distance.ErrEmptySet) {
		return back, nil
	}
	if err != nil {
		return 0, err
	}
	psoas := commonestMuscle(g, smooth, body, bone, s, func(i, j, k int) bool {
		x := math.Abs(float64(i)-s.I[k]) * h[0]
		i, j, k = i-box.Lo[0], j-box.Lo[1], k-box.Lo[2]
		if x < psoasInMM || x > psoasOutMM || !sub.Contains(i, j, k) {
			return false
		}
		front := (float64(j+box.Lo[1]) - s.Front[k+box.Lo[2]]) * h[1]
		d := away[sub.Index(i, j, k)]
		return front > psoasBehindMM && float64(j+box.Lo[1]) < s.J[k+box.Lo[2]] && d > psoasNearMM && d < psoasFarMM
	})
	if psoas > back+fattyHU || math.IsNaN(back) {
		return psoas, nil
	}
	return back, nil
}

// commonestMuscle is the commonest value of muscle where at says; NaN when
// nothing is there.
func commonestMuscle(g imaging.Grid, smooth []float32, body, bone filter.Mask, s *spine, at func(i, j, k int) bool) float64 {
	hist := make([]float64, (muscleHighHU-muscleLowHU)/binHU)
	for n, v := range smooth {
		if v < muscleLowHU || v >= muscleHighHU || !body[n] || bone[n] {
			continue
		}
		if i, j, k := g.IJK(n); k >= s.First && k <= s.Last && at(i, j, k) {
			hist[int(v-muscleLowHU)/binHU]++
		}
	}
	hist = triangle(hist, 3)
	top := 0
	for b := range hist {
		if hist[b] > hist[top] {
			top = b
		}
	}
	if hist[top] == 0 {
		return math.NaN()
	}
	return muscleLowHU + (float64(top)+0.5)*binHU
}
