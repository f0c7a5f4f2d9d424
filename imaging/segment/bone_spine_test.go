package segment

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// A column of vertebrae over a pelvis: the wings of the ilium are thicker than
// the sacrum, the hips stand where there is no spine any more.
func TestSpineEndsAtTheSacrum(t *testing.T) {
	const mm = 3.0
	g := imaging.NewGrid([3]int{120, 90, 120}, r3.Vec{}, [3]float64{mm, mm, mm})
	body, bone := make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	const hips, sacrum, lumbar = 20, 40, 60 // slices: hips below, then nothing, then the sacrum with the wings, then vertebrae
	for n := range bone {
		i, j, k := g.IJK(n)
		x, y := (float64(i)-60)*mm, (float64(j)-45)*mm
		body[n] = x*x/(170*170)+y*y/(120*120) < 1
		disc := func(cx, cy, r float64) bool { return math.Hypot(x-cx, y-cy) < r }
		wings := disc(-56, 20, 26) || disc(56, 20, 26)
		switch {
		case k < hips:
			bone[n] = disc(-50, 10, 24) || disc(50, 10, 24)
		case k >= sacrum && k < lumbar:
			bone[n] = wings || disc(0, 60, 12)
		case k >= lumbar:
			bone[n] = disc(0, 60, 20) || k < lumbar+20 && wings
		}
	}
	s, err := findSpine(t.Context(), g, body, bone)
	if err != nil {
		t.Fatal(err)
	}
	if s.First < hips || s.First > sacrum || s.Last != g.Size[2]-1 {
		t.Errorf("a spine from slice %d to %d, want from %d–%d to %d", s.First, s.Last, hips, sacrum, g.Size[2]-1)
	}
	for k := sacrum; k < g.Size[2]; k++ {
		if off := math.Abs(s.I[k]-60) * mm; off > 12 {
			t.Errorf("slice %d: the spine is %.0f mm from the midline", k, off)
		}
	}
}
