package segment_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// aneurysm is a trunk with a spine, a vena cava and an aorta of 10 mm radius
// that widens to bulge mm in the middle, blood of the given HU.
func aneurysm(bulge, blood, noise float64) (*imaging.Volume, *imaging.Segments) {
	g := imaging.NewGrid([3]int{180, 140, 80}, r3.Vec{X: -134, Y: -104, Z: 0}, [3]float64{1.5, 1.5, 2})
	v, truth := imaging.NewVolume(g, imaging.KindHU), imaging.NewSegments(g, imaging.LabelAorta)
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		e := func(x, y, a, b float64) float64 { return math.Hypot((p.X-x)/a, (p.Y-y)/b) }
		u := (p.Z - 80) / 30
		r := 10 + (bulge-10)*math.Exp(-u*u)
		hu := -1000.0
		switch {
		case e(0, 0, 125, 95) > 1:
		case e(8, 20-r, r, r) < 1:
			hu = blood
			truth.Bits[n] = 1
		case e(0, 40, 17, 14) < 1:
			hu = 180
		case e(0, 40, 20, 17) < 1:
			hu = 900
		case e(0, 66, 9, 9) < 1:
			hu = 30
		case e(0, 68, 14, 14) < 1:
			hu = 900
		case e(-28, 18, 11, 9) < 1:
			hu = 90
		case p.Y > 20 && math.Abs(p.X) < 70 && e(0, 0, 115, 85) < 1 || e(0, 0, 115, 85) > 1 && e(0, 0, 120, 90) < 1:
			hu = 55
		default:
			hu = -100
		}
		v.Data[n] = int16(hu + noise*rng.NormFloat64())
	}
	return v, truth
}

// The lumen of a straight aorta and of one with an aneurysm, and its wall.
func TestAortaOfArterialPhase(t *testing.T) {
	bulges := []float64{24}
	if os.Getenv("HALSTED_DATA") != "" {
		bulges = append(bulges, 10)
	}
	for _, bulge := range bulges {
		v, truth := aneurysm(bulge, 330, 20)
		got, rep := run(t, v, builtin(t, segment.AortaCTA))
		s := rep.Of(imaging.LabelAorta)
		if s.Missing != "" {
			t.Fatalf("bulge %g: %s", bulge, s.Missing)
		}
		d := dice(got, truth, imaging.LabelAorta)
		wall := rep.Of(imaging.LabelVesselWall)
		if t.Logf("bulge %g: %.0f ml, Dice %.3f, wall %.1f ml", bulge, s.VolumeML, d, wall.VolumeML); d < 0.97 {
			t.Errorf("bulge %g: Dice %.3f", bulge, d)
		}
		// what the outer surface holds: on voxels as wide as the wall is thick, the
		// volume of the layer alone says little
		want := 0.0
		for z := 0.0; z < 160; z++ {
			u := (z + 0.5 - 80) / 30
			r := 11.5 + (bulge-10)*math.Exp(-u*u)
			want += math.Pi * r * r / 1000
		}
		if ours := s.VolumeML + wall.VolumeML; math.Abs(ours/want-1) > 0.07 {
			t.Errorf("bulge %g: lumen and wall of %.1f ml, want %.1f", bulge, ours, want)
		}
		a, b := got.Bit(imaging.LabelAorta), got.Bit(imaging.LabelVesselWall)
		for _, bits := range got.Bits {
			if bits&a != 0 && bits&b != 0 {
				t.Fatal("a voxel is lumen and wall")
			}
		}
	}
}

// Without contrast there is no lumen to be seen, and no wall around it.
func TestAortaWithoutContrast(t *testing.T) {
	v, _ := aneurysm(20, 45, 15)
	got, rep := run(t, v, builtin(t, segment.AortaCTA))
	for _, l := range []imaging.Label{imaging.LabelAorta, imaging.LabelVesselWall} {
		if s := rep.Of(l); s.Missing == "" || got.Bit(l) != 0 {
			t.Errorf("%+v", s)
		}
	}
	if s := rep.Of(imaging.LabelAorta); !strings.ContainsAny(s.Missing, "0123456789") || rep.Failed() == nil {
		t.Errorf("%+v", s)
	}
}

// A chest with a dissected aorta, a stent and chambers of the heart brighter than the
// aorta is outside what the recipe is for: it may find nothing, but must not
// call something else the aorta and be sure of it.
func TestDissectedAortaIsNotMadeUp(t *testing.T) {
	dir := realCase(t, "cta_aortic_dissection")
	v, err := nifti.ReadVolume(filepath.Join(dir, "ct.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	truth, err := nifti.ReadVolume(filepath.Join(dir, "labels", "aorta.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	got, rep := run(t, v, builtin(t, segment.AortaCTA))
	s := rep.Of(imaging.LabelAorta)
	if s.Missing != "" {
		t.Log(s.Missing)
		return
	}
	bit, ours, both := got.Bit(imaging.LabelAorta), 0, 0
	for n, b := range got.Bits {
		if b&bit != 0 {
			ours++
			if truth.Data[n] > 0 {
				both++
			}
		}
	}
	p := float64(both) / float64(ours)
	if t.Logf("%.0f ml, %.2f of it true: %+v", s.VolumeML, p, s); p < 0.8 && s.Confidence > 0.3 {
		t.Errorf("%.2f of the aorta is true, confidence %.2f", p, s.Confidence)
	}
}
