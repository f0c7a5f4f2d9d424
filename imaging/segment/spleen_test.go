package segment

import (
	"math"
	"testing"

	"halsted/imaging"
)

// The splenic vein and the wall of the stomach, that touch the spleen and have
// nearly its value, and a kidney, that touches it and is brighter, are no spleen.
func TestNeighboursOfTheSpleen(t *testing.T) {
	v, spleen := muscleScene(1.5, 50, 50, 112)
	vein, kidney := make([]bool, len(spleen)), make([]bool, len(spleen))
	for n, in := range spleen {
		i, j, k := v.Grid.IJK(n)
		p := v.Grid.Point(float64(i), float64(j), float64(k))
		if in || v.Data[n] > -60 {
			continue
		}
		switch {
		case math.Hypot(p.Y-25, p.Z-60) < 4 && p.X > 40 || math.Abs(p.Y-5) < 3.5 && math.Abs(p.Z-60) < 25 && p.X > 45 && p.X < 90:
			v.Data[n], vein[n] = v.Data[n]+205, true
		case math.Hypot(math.Hypot(p.X-65, p.Y-52)/18, (p.Z-60)/40) < 1:
			v.Data[n], kidney[n] = v.Data[n]+300, true
		}
	}
	out, rep := abdomenUntil(t, v, "prepare", "body", "bone", "spleen")
	bit := out.Bit(imaging.LabelSpleen)
	if bit == 0 {
		t.Fatal(rep.Of(imaging.LabelSpleen))
	}
	at := func(m []bool) float64 {
		n := 0
		for o, b := range out.Bits {
			if m[o] && b&bit != 0 {
				n++
			}
		}
		return float64(n) * v.Grid.VoxelMM3() / 1000
	}
	d := Dice(len(spleen), func(n int) bool { return out.Bits[n]&bit != 0 }, func(n int) bool { return spleen[n] })
	if t.Logf("Dice %.3f, %.1f ml of vein and stomach, %.1f ml of kidney", d, at(vein), at(kidney)); d < 0.95 || at(vein) > 2.5 || at(kidney) > 0.6 {
		t.Errorf("Dice %.3f, %.1f ml of vein and stomach, %.1f ml of kidney", d, at(vein), at(kidney))
	}
}
