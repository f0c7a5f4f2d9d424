package phantom

import (
	"math"
	"testing"

	"halsted/imaging"
)

// The organs lie where they are painted: away from their borders the scan has
// their value, and right and left are not swapped.
func TestOrganTruthMatchesTheScan(t *testing.T) {
	l := NewLiver(3)
	g := l.GridAt([3]float64{3, 3, 3})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	truth := l.OrganTruth(g)
	// the lung holds its vessels
	want := map[imaging.Label][2]float64{
		imaging.LabelLung: {huLung, 100}, imaging.LabelSpleen: {huSpleen, 15}, imaging.LabelKidneyLeft: {huCortex, 25},
		imaging.LabelKidneyRight: {huCortex, 25}, imaging.LabelAorta: {huAorta, 25}, imaging.LabelVenaCava: {huCava, 25},
	}
	for _, o := range truth.Of {
		bit := truth.Bit(o)
		sum, count, deep, x := 0.0, 0, 0, 0.0
		for n, b := range truth.Bits {
			i, j, k := g.IJK(n)
			if b&bit == 0 || i < 1 || j < 1 || k < 1 || i > g.Size[0]-2 || j > g.Size[1]-2 || k > g.Size[2]-2 {
				continue
			}
			area := g.Size[0] * g.Size[1]
			x += g.Point(float64(i), float64(j), float64(k)).X
			count++
			inner := true
			for _, d := range []int{1, -1, g.Size[0], -g.Size[0], area, -area} {
				inner = inner && truth.Bits[n+d]&bit != 0
			}
			if inner {
				sum += v.Value(n)
				deep++
			}
		}
		mean := sum / float64(max(1, deep))
		if w := want[o]; count == 0 || math.Abs(mean-w[0]) > w[1] {
			t.Errorf("%v: %d voxels, mean %.0f HU, want %.0f", o, count, mean, w[0])
		}
		if x /= float64(count); o == imaging.LabelKidneyRight && x > 0 || o == imaging.LabelKidneyLeft && x < 0 {
			t.Errorf("%v lies at x = %.0f mm", o, x)
		}
	}
}
