package segment

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// A disc keeps its shape, whatever its size, and a vein that tapers away from
// it or joins it with half its width is left out.
func TestRoundSlice(t *testing.T) {
	g := imaging.NewGrid([3]int{100, 100, 1}, r3.Vec{}, [3]float64{1, 1, 1.5})
	for _, r := range []float64{6, 9, 14} {
		disc := func(n int) bool { i, j, _ := g.IJK(n); return math.Hypot(float64(i)-50, float64(j)-50) <= r }
		blood := func(n int) bool {
			i, j, _ := g.IJK(n)
			x, y := float64(i)-50, math.Abs(float64(j)-50)
			taper := x < 0 && x > -2*r && y < r*(1+x/(2*r))
			branch := x > 0 && x < 2*r && y < r/2
			return disc(n) || taper || branch
		}
		was := filter.Where(g.Len(), func(n int) bool { return blood(n) })
		got, err := roundSlice(t.Context(), g, was, blood)
		if err != nil {
			t.Fatal(err)
		}
		both, a, b, before := 0, 0, 0, 0
		for n, in := range got {
			if in {
				a++
			}
			if disc(n) {
				b++
			}
			if in && disc(n) {
				both++
			}
			if was[n] {
				before++
			}
		}
		d := 2 * float64(both) / float64(a+b)
		t.Logf("radius %g: Dice %.3f against the disc, %.3f before", r, d, 2*float64(b)/float64(before+b))
		if d < 0.92 {
			t.Errorf("radius %g mm: Dice %.3f against the disc", r, d)
		}
	}
}

// A vein joins a vena cava that runs along the liver's back and on above it: the
// vein's mouth is liver and vessel up to the wall of the vena cava, the vena
// cava is neither, and nothing is taken above the liver or away from blood.
func TestTakeMouths(t *testing.T) {
	g := imaging.NewGrid([3]int{80, 80, 60}, r3.Vec{}, [3]float64{1, 1, 1.5})
	out := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelVessel, imaging.LabelVenaCava)
	liver, vessel, cava := out.Bit(imaging.LabelLiver), out.Bit(imaging.LabelVessel), out.Bit(imaging.LabelVenaCava)
	v := &imaging.Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1, Kind: imaging.KindHU}
	mouth, above := make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	for n := range out.Bits {
		i, j, k := g.IJK(n)
		x, y, z := float64(i)-40, float64(j)-55, float64(k-30)*1.5
		fromCava, vein := math.Hypot(x, y), math.Hypot(x, z) < 6 && y < 0
		v.Data[n] = -100
		switch {
		case fromCava < 9:
			v.Data[n], out.Bits[n] = 170, cava
			if k < 45 && x > 3 { // the outline of the liver went around it
				out.Bits[n] |= liver | vessel
			}
		case k < 45 && vein && y > -25:
			v.Data[n], mouth[n] = 170, true
		case k < 45 && vein:
			v.Data[n], out.Bits[n] = 170, liver|vessel
		case k < 45 && y < 5:
			v.Data[n], out.Bits[n] = 100, liver
		case k >= 47 && fromCava < 15: // the wider vena cava above the liver
			v.Data[n], above[n] = 170, true
		}
	}
	w := &work{v: v, out: out, liverHU: 100}
	if err := w.takeMouths(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken, all := 0, 0
	for n, b := range out.Bits {
		i, j, k := g.IJK(n)
		switch {
		case b&cava != 0 && b&(liver|vessel) != 0:
			t.Fatalf("voxel %d,%d,%d is vena cava and liver or vessel", i, j, k)
		case b&vessel != 0 && b&liver == 0:
			t.Fatalf("voxel %d,%d,%d is a vessel of the liver outside it", i, j, k)
		case b&cava == 0 && math.Hypot(float64(i)-40, float64(j)-55) < 9:
			t.Fatalf("voxel %d,%d,%d of the vena cava is lost", i, j, k)
		case above[n] && b != 0:
			t.Fatalf("voxel %d,%d,%d above the liver was taken", i, j, k)
		case b&vessel != 0 && v.Data[n] != 170:
			t.Fatalf("voxel %d,%d,%d of %d HU is a vessel", i, j, k, v.Data[n])
		}
		if mouth[n] {
			all++
			if b&liver != 0 && b&vessel != 0 {
				taken++
			}
		}
	}
	if t.Logf("%d of %d voxels of the mouth taken", taken, all); float64(taken) < 0.9*float64(all) {
		t.Errorf("%d of %d voxels of the mouth were taken", taken, all)
	}
}

// Without a vena cava or vessels nothing is taken.
func TestTakeMouthsNeedsBoth(t *testing.T) {
	g := imaging.NewGrid([3]int{8, 8, 8}, r3.Vec{}, [3]float64{1, 1, 1})
	for _, of := range [][]imaging.Label{{imaging.LabelLiver}, {imaging.LabelLiver, imaging.LabelVenaCava}, {imaging.LabelLiver, imaging.LabelVessel, imaging.LabelVenaCava}} {
		out := imaging.NewSegments(g, of...)
		for n := range out.Bits[:100] {
			out.Bits[n] = out.Bit(imaging.LabelLiver)
		}
		before := append([]uint32(nil), out.Bits...)
		w := &work{v: &imaging.Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1}, out: out, liverHU: 100}
		if err := w.takeMouths(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range before {
			if before[n] != out.Bits[n] {
				t.Fatalf("%v: voxel %d changed", of, n)
			}
		}
	}
}
