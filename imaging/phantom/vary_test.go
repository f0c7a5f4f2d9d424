package phantom

import (
	"math"
	"slices"
	"testing"

	"halsted/imaging"
)

// Noise is measured over the parenchyma of a variation, and its mean; the zero
// variation is Volume.
func TestScanVaries(t *testing.T) {
	l := NewLiver(3)
	g := l.GridAt([3]float64{2, 2, 6})
	plain, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := l.Scan(t.Context(), g, Variation{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(plain.Data, same.Data) {
		t.Error("the zero variation is not Volume")
	}
	want := Variation{LiverHU: 90, Contrast: 0.7, NoiseHU: 20}
	v, err := l.Scan(t.Context(), g, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	truth := l.Truth(g)
	liver := truth.Bit(imaging.LabelLiver)
	var n, sum, sq float64
	for i, b := range truth.Bits {
		// parenchyma alone, two voxels off anything else
		x, y, z := g.IJK(i)
		if b&^truth.Bit(imaging.LabelBody) != liver || x < 2 || x >= g.Size[0]-2 || y < 2 || y >= g.Size[1]-2 || z < 1 || z >= g.Size[2]-1 {
			continue
		}
		slice := g.Size[0] * g.Size[1]
		inner := true
		for _, d := range []int{1, 2, g.Size[0], 2 * g.Size[0], slice} {
			inner = inner && truth.Bits[i-d] == b && truth.Bits[i+d] == b
		}
		if inner {
			n++
			sum += v.Value(i)
			sq += v.Value(i) * v.Value(i)
		}
	}
	mean := sum / n
	if sd := math.Sqrt(sq/n - mean*mean); math.Abs(mean-90) > 1 || math.Abs(sd-20) > 1 {
		t.Errorf("parenchyma %.1f ± %.1f HU over %.0f voxels, want 90 ± 20", mean, sd, n)
	}
}

func TestVariationIsChecked(t *testing.T) {
	for _, v := range []Variation{{LiverHU: -1}, {Contrast: 9}, {NoiseHU: math.NaN()}} {
		if v.Validate() == nil {
			t.Errorf("%+v passes", v)
		}
	}
	for seed := range uint64(50) {
		v := NewVariation(seed)
		if v != NewVariation(seed) {
			t.Fatal("not the same twice")
		}
		if v.LiverHU < 85 || v.LiverHU > 130 || v.Contrast < 0.7 || v.Contrast > 1.3 || v.NoiseHU < 8 || v.NoiseHU > 24 {
			t.Errorf("seed %d: %+v", seed, v)
		}
	}
}
