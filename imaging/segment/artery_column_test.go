package segment

import (
	"math"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// An artery that ends where it parts, above a vein as wide that crosses under
// it: the column ends with the artery when its blood is of one value, and goes
// on into the vein when blood of every value is taken.
func TestColumnKeepsToItsBlood(t *testing.T) {
	const muscle, artery, vein = 60, 190, 125
	g := imaging.NewGrid([3]int{40, 40, 60}, r3.Vec{}, [3]float64{2, 2, 2})
	hu := make([]float32, g.Len())
	for n := range hu {
		i, j, k := g.IJK(n)
		hu[n] = -80
		if math.Hypot(float64(i)-20, float64(j)-20)*2 < 9 {
			if hu[n] = artery; k < 22 {
				hu[n] = vein
			}
		}
	}
	for _, c := range []struct {
		mixed float64
		first int
	}{{0.25, 22}, {10, 2}} {
		set := columnSettings{LeastMM: 6, MostMM: 20, EdgeHU: 15, Round: 0.3, AboveHU: 40, LengthMM: 40, Mixed: c.mixed}
		got, err := findColumn(t.Context(), g, hu, imaging.Box{Hi: g.Size}, set, muscle, nil, func(i, j, k int, r roundness) float64 {
			return brightness(r.inside, muscle, set.AboveHU)
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := got.First - c.first; d < -4 || d > 4 || got.Last < 55 {
			t.Errorf("Mixed %g: the column runs through slices %d to %d, want %d to 59", c.mixed, got.First, got.Last, c.first)
		}
	}
}
