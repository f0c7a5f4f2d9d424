package segment_test

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// poorBone is a trunk of muscle in voxels of 3 mm with a vertebra and four ribs
// of the density of old age: a shell of 190 and marrow of 150 HU, dense only in
// the end plates, the facets and the middle of the ribs. With contrast the kidneys have 190 HU, and so has a vessel that
// lies on the vertebra.
func poorBone(contrast bool) (*imaging.Volume, *imaging.Segments, func(n int) bool) {
	g := imaging.NewGrid([3]int{80, 64, 20}, r3.Vec{X: -120, Y: -96, Z: 0}, [3]float64{3, 3, 3})
	v := imaging.NewVolume(g, imaging.KindHU)
	truth := imaging.NewSegments(g, imaging.LabelBone)
	vessel := func(n int) bool {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		return math.Hypot(p.X+4, p.Y+8) < 9
	}
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(x, y, a, b float64) float64 { return math.Hypot((math.Abs(p.X)-x)/a, (p.Y-y)/b) }
		hu, bone := 50.0, true
		switch {
		case e(0, 0, 112, 88) > 1:
			hu, bone = -1000, false
		case e(0, 20, 22, 18) < 1 && k%6 == 2: // an end plate
			hu = 350
		case e(0, 20, 18, 14) < 1:
			hu = 150
		case e(0, 20, 22, 18) < 1:
			hu = 190
		case e(14, 44, 7, 7) < 1: // facets
			hu = 450
		case e(98, 0, 2, 6) < 1, e(84, 40, 2, 4) < 1: // ribs
			hu = 350
		case e(98, 0, 5, 12) < 1, e(84, 40, 5, 8) < 1:
			hu = 250
		case contrast && (vessel(n) || e(55, 20, 22, 30) < 1):
			hu, bone = 190, false
		default:
			bone = false
		}
		v.Data[n] = int16(hu)
		if bone {
			truth.Bits[n] = 1
		}
	}
	return v, truth, vessel
}

// Without contrast nothing but bone is bright, and poor bone in coarse voxels is
// found whole.
func TestBoneOfLowDensity(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone")
	if err != nil {
		t.Fatal(err)
	}
	v, truth, _ := poorBone(false)
	got, _, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := dice(got, truth, imaging.LabelBone)
	t.Logf("Dice %.3f", d)
	if d < 0.9 {
		t.Errorf("Dice %.3f", d)
	}
}

// Where kidneys and vessels are as bright as poor bone, the level stays: a vessel
// on the vertebra is not bone.
func TestBoneLevelStaysWithContrast(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone")
	if err != nil {
		t.Fatal(err)
	}
	v, _, vessel := poorBone(true)
	got, _, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bit, in, all := got.Bit(imaging.LabelBone), 0, 0
	for n, b := range got.Bits {
		if vessel(n) {
			all++
			if b&bit != 0 {
				in++
			}
		}
	}
	t.Logf("%d of %d voxels of the vessel are bone", in, all)
	if in > all/20 {
		t.Errorf("%d of %d voxels of the vessel are bone", in, all)
	}
}
