package segment_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// brightKidneys is a trunk of muscle in voxels of 2 mm with a vertebra and ribs
// of a shell of 600 HU and marrow of 200, and two kidneys in fat, as bright as the
// end of the portal-venous phase makes them: parenchyma of 225 HU with noise of
// 35 HU, and calyces of 380 HU. An arm of stomach as bright as liver lies before
// the left one.
func brightKidneys() (*imaging.Volume, *imaging.Segments) {
	g := imaging.NewGrid([3]int{130, 100, 60}, r3.Vec{X: -130, Y: -100, Z: 0}, [3]float64{2, 2, 2})
	v := imaging.NewVolume(g, imaging.KindHU)
	truth := imaging.NewSegments(g, imaging.LabelBone, imaging.LabelKidneyRight, imaging.LabelKidneyLeft)
	rng := rand.New(rand.NewPCG(17, 1))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(x, y, a, b float64) float64 { return math.Hypot((math.Abs(p.X)-x)/a, (p.Y-y)/b) }
		kidney := math.Hypot(e(58, 18, 26, 30), (p.Z-60)/50)
		hu, noise, bit := 55.0, 12.0, uint32(0)
		switch {
		case e(0, 0, 122, 92) > 1:
			hu = -1000
		case e(0, 25, 18, 14) < 1:
			hu, noise, bit = 200, 40, 1
		case e(0, 25, 22, 18) < 1, e(14, 50, 8, 8) < 1:
			hu, bit = 600, 1
		case e(106, 0, 3, 10) < 1, e(92, 45, 3, 6) < 1:
			hu, noise, bit = 200, 40, 1
		case e(106, 0, 6, 14) < 1, e(92, 45, 6, 9) < 1:
			hu, bit = 600, 1
		case kidney < 1:
			hu, noise, bit = 225, 35, 2
			if p.X > 0 {
				bit = 4
			}
			if math.Hypot(e(58, 18, 1, 1), math.Remainder(p.Z-60, 24)) < 5 {
				hu = 380
			}
		case e(58, 18, 36, 40) < 1:
			hu = -100
		case p.X > 20 && e(60, -45, 30, 20) < 1 && p.Z > 40:
			hu = 110
		}
		v.Data[n] = int16(hu + noise*rng.NormFloat64())
		truth.Bits[n] = bit
	}
	return v, truth
}

// Kidneys that contrast makes as bright as marrow are kidneys, not bone: noise
// and calyces reach the values of cortical bone there, but nowhere as densely.
func TestBrightKidneysAreNoBone(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone", "kidneys")
	if err != nil {
		t.Fatal(err)
	}
	v, truth := brightKidneys()
	got, rep, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(rep.Structures)
	for l, least := range map[imaging.Label]float64{imaging.LabelBone: 0.93, imaging.LabelKidneyRight: 0.93, imaging.LabelKidneyLeft: 0.93} {
		d := dice(got, truth, l)
		t.Logf("%s: Dice %.3f", l, d)
		if d < least {
			t.Errorf("%s: Dice %.3f, at least %.2f", l, d, least)
		}
	}
}
