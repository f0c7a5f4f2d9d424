package segment_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// onCouch is a trunk of fat in skin of 2 mm, its flat back foamMM above a curved
// couch top of 3 mm that is as dense as muscle and wider than it; or with gas in a
// bulge under 3 mm of skin and no couch where foamMM is 0. prone puts the couch in
// front.
func onCouch(foamMM float64, prone bool) (v *imaging.Volume, body, couch []bool) {
	g := imaging.NewGrid([3]int{300, 180, 16}, r3.Vec{X: -150, Y: -90}, [3]float64{1, 1, 5})
	v = imaging.NewVolume(g, imaging.KindHU)
	body, couch = make([]bool, g.Len()), make([]bool, g.Len())
	rng := rand.New(rand.NewPCG(3, 1))
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		if prone {
			p.Y = -p.Y - 1
		}
		const rx, ry, back = 110.0, 75.0, 60.0
		top := back + foamMM + math.Pow(p.X/150, 4)*25 // of the couch
		depth := math.Min((1-math.Hypot(p.X/rx, p.Y/ry))*ry, back-p.Y)
		hu := -1000.0
		switch {
		case depth > 0:
			body[n] = true
			switch {
			case foamMM == 0 && depth > 3 && math.Hypot(p.X, p.Y-back) < 40 && depth < 10:
				hu = -900
			case depth < 2:
				hu = 30
			case depth < 8 || depth > 30:
				hu = -100
			default:
				hu = 50
			}
		case foamMM > 0 && p.Y >= top && p.Y < top+3:
			couch[n] = true
			hu = 60
		case foamMM > 0 && p.Y >= top:
			hu = -950
		case foamMM > 0 && p.Y > back-20 && p.Y < top && math.Abs(p.X) < 120:
			hu = -330
		}
		v.Data[n] = int16(math.Round(hu + 12*rng.NormFloat64()))
	}
	return v, body, couch
}

// A couch top millimetres under the skin is no body, whether it carries the back
// or the front, and the skin stays.
func TestCouchUnderAThinLayerOfFoam(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		foamMM float64
		prone  bool
	}{{1, false}, {2, false}, {1, true}, {4, false}, {0, false}} {
		v, body, couch := onCouch(c.foamMM, c.prone)
		got, _, err := segment.Run(t.Context(), v, r, segment.Options{})
		if err != nil {
			t.Fatal(err)
		}
		bit := got.Bit(imaging.LabelBody)
		taken, top, lost, all := 0, 0, 0, 0
		for n, b := range got.Bits {
			switch {
			case body[n]:
				all++
				if b&bit == 0 {
					lost++
				}
			case couch[n]:
				top++
				if b&bit != 0 {
					taken++
				}
			}
		}
		if t.Logf("%+v: %d of %d voxels of couch in the body, %d of %d of the body lost", c, taken, top, lost, all); 100*taken > top || 1000*lost > all {
			t.Errorf("%+v: %d of %d voxels of couch in the body, %d of %d of the body lost", c, taken, top, lost, all)
		}
	}
}
