package segment

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// The point spread of a scan is read from its skin, whatever lies on part of it;
// where there is no skin, none is.
func TestPointSpreadFromTheSkin(t *testing.T) {
	g := imaging.NewGrid([3]int{160, 140, 12}, r3.Vec{}, [3]float64{0.8, 0.8, 2})
	for _, sd := range []float64{0.7, 1, 1.4} {
		rng := rand.New(rand.NewPCG(3, 4))
		hu := make([]float32, g.Len())
		for n := range hu {
			i, j, k := g.IJK(n)
			p := r3.Sub(g.Point(float64(i), float64(j), float64(k)), r3.Vec{X: 64, Y: 54})
			hu[n] = -1000
			if e := math.Hypot(p.X/52, p.Y/42); e < 1 {
				hu[n] = 40
			} else if p.Y > 20 && e < 1.06 {
				hu[n] = -700 // cloth
			}
		}
		hu, err := filter.Gaussian(t.Context(), g, hu, sd)
		if err != nil {
			t.Fatal(err)
		}
		v := imaging.NewVolume(g, imaging.KindHU)
		for n := range hu {
			v.Data[n] = int16(math.Round(float64(hu[n]) + 15*rng.NormFloat64()))
		}
		if got, ok := (&work{v: v}).pointSpread(); !ok || math.Abs(got/sd-1) > 0.1 {
			t.Errorf("%.2f mm (%v), want %.2f", got, ok, sd)
		}
		for n := range v.Data {
			v.Data[n] = 40
		}
		if got, ok := (&work{v: v}).pointSpread(); ok {
			t.Errorf("%.2f mm in a scan without skin", got)
		}
	}
}
