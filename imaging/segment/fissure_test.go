package segment

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// A vein in the fat of a fissure leaves the liver and stays a vein; one in
// parenchyma stays, also where that is darker than the rest of the liver, beside a
// tumour, and near the surface. Noise has no say in it.
func TestLeaveFissures(t *testing.T) {
	g := imaging.NewGrid([3]int{110, 100, 40}, r3.Vec{}, [3]float64{0.8, 0.8, 1.5})
	veins := []struct {
		name   string
		x, y   float64 // axis, along z, mm
		radius float64
		leaves bool
	}{
		{"in a fissure", 20, 20, 4, true},
		{"in parenchyma", 20, 55, 3, false},
		{"in darker parenchyma", 68, 58, 3, false},
		{"beside a tumour", 66, 20, 3, false},
		{"near the surface", 44, 68, 2, false},
	}
	for _, noise := range []float64{0, 30} {
		out := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelVessel, imaging.LabelPortalVein, imaging.LabelTumour)
		liver, portal, tumour := out.Bit(imaging.LabelLiver), out.Bit(imaging.LabelPortalVein), out.Bit(imaging.LabelTumour)
		rng := rand.New(rand.NewPCG(1, 2))
		v := &imaging.Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1, Kind: imaging.KindHU}
		of := make([]int, g.Len())
		for n := range out.Bits {
			i, j, k := g.IJK(n)
			p := g.Point(float64(i), float64(j), float64(k))
			hu := -100.0
			if p.Y < 74 {
				hu, out.Bits[n] = 105, liver
				if p.X > 50 && p.Y > 40 {
					hu = 90
				}
				if math.Abs(p.X-20) < 5.5 && p.Y < 32 {
					hu, out.Bits[n] = -90, 0
				}
				if math.Hypot(p.X-77, p.Y-20) < 7 {
					hu, out.Bits[n] = 50, liver|tumour
				}
			}
			of[n] = -1
			for m, q := range veins {
				if math.Hypot(p.X-q.x, p.Y-q.y) < q.radius {
					hu, out.Bits[n], of[n] = 175, liver|portal, m
				}
			}
			v.Data[n] = int16(math.Round(hu + noise*rng.NormFloat64()))
		}
		c, err := filter.Reduce(t.Context(), v, 2)
		if err != nil {
			t.Fatal(err)
		}
		w := &work{v: v, c: c, out: out, liverHU: 105, rep: &Report{}}
		err = leaveFissures(t.Context(), w, fissureSettings{WorkMM: 0.7, WallMM: 0.7, BedMM: 3, AlongMM: 8, LocalMM: 20, FatPart: 0.06})
		if err != nil {
			t.Fatal(err)
		}
		in, all := make([]int, len(veins)), make([]int, len(veins))
		for n, b := range out.Bits {
			m := of[n]
			if m < 0 {
				continue
			}
			if b&portal == 0 {
				t.Fatalf("noise %.0f HU: the vein %s is no vein any more", noise, veins[m].name)
			}
			if all[m]++; b&liver != 0 {
				in[m]++
			}
		}
		for m, q := range veins {
			part := float64(in[m]) / float64(all[m])
			t.Logf("noise %.0f HU: %.0f %% of the vein %s are liver", noise, 100*part, q.name)
			if q.leaves && part > 0.02 || !q.leaves && part < 0.98 {
				t.Errorf("noise %.0f HU: %.0f %% of the vein %s are liver", noise, 100*part, q.name)
			}
		}
	}
}
