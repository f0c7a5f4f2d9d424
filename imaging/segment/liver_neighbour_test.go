package segment_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"

	"gonum.org/v1/gonum/spatial/r3"
)

// What other patients have and a healthy one has not, drawn into synthetic
// patients: each scene takes the plain patient's Dice down by no more than it
// says.

// painted is patient 2 on voxels of about 2.4×2.4×3 mm, with what draw makes of
// the HU of each voxel, given its place and labels.
func painted(t *testing.T, draw func(p r3.Vec, in func(imaging.Label) bool, hu float64) float64) (*imaging.Volume, *imaging.Segments) {
	t.Helper()
	plain, truth := patient2()
	v := *plain
	v.Data = slices.Clone(plain.Data)
	for n := range v.Data {
		i, j, k := v.Grid.IJK(n)
		in := func(l imaging.Label) bool { return truth.Bits[n]&truth.Bit(l) != 0 }
		v.Data[n] = int16(math.Round(draw(v.Grid.Point(float64(i), float64(j), float64(k)), in, float64(v.Data[n]))))
	}
	return &v, truth
}

var patient2 = sync.OnceValues(func() (*imaging.Volume, *imaging.Segments) {
	l := phantom.NewLiver(2)
	v, err := l.Volume(context.Background(), l.GridAt([3]float64{2.4, 2.4, 3}), nil)
	if err != nil {
		panic(err)
	}
	return v, l.Truth(v.Grid)
})

// surface is where the ray from the middle of the liver along d leaves it.
func surface(truth *imaging.Segments, d r3.Vec) r3.Vec {
	bit := truth.Bit(imaging.LabelLiver)
	b := boundsOf(truth, imaging.LabelLiver)
	g := truth.Grid
	lo, hi := g.Point(float64(b.Lo[0]), float64(b.Lo[1]), float64(b.Lo[2])), g.Point(float64(b.Hi[0]), float64(b.Hi[1]), float64(b.Hi[2]))
	p := r3.Vec{X: lo.X + (hi.X-lo.X)/3, Y: (lo.Y + hi.Y) / 2, Z: (lo.Z + hi.Z) / 2}
	d = r3.Unit(d)
	last := p
	for range 200 {
		if n, ok := voxel(g, p); ok && truth.Bits[n]&bit != 0 {
			last = p
		}
		p = r3.Add(p, d)
	}
	return last
}

// part is how much of the voxels in the ball the result calls liver.
func part(s *imaging.Segments, c r3.Vec, r float64, of func(n int) bool) float64 {
	in, all := 0, 0
	for n, b := range s.Bits {
		i, j, k := s.Grid.IJK(n)
		if r3.Norm(r3.Sub(s.Grid.Point(float64(i), float64(j), float64(k)), c)) < r && of(n) {
			all++
			if b&s.Bit(imaging.LabelLiver) != 0 {
				in++
			}
		}
	}
	return float64(in) / float64(max(all, 1))
}

// The left lobe takes up more contrast than the right one, by far more than the
// values in either spread.
func TestLobesOfDifferentBrightness(t *testing.T) {
	v, truth := painted(t, func(p r3.Vec, in func(imaging.Label) bool, hu float64) float64 {
		if in(imaging.LabelLiver) && !in(imaging.LabelPortalVein) && !in(imaging.LabelHepaticVein) && p.X > 10 {
			return hu + 15
		}
		return hu
	})
	got, _ := run(t, v, abdomen())
	if d := dice(got, truth, imaging.LabelLiver); d < 0.95 {
		t.Errorf("liver Dice %.3f", d)
	}
}

// A large tumour lies against the wall of the trunk and has the value of its
// muscle: the wall is as thick there as beside it.
func TestTumourAgainstTheWall(t *testing.T) {
	_, truth := patient2()
	at := r3.Sub(surface(truth, r3.Vec{X: -1, Y: -0.4}), r3.Scale(12, r3.Unit(r3.Vec{X: -1, Y: -0.4})))
	v, _ := painted(t, func(p r3.Vec, in func(imaging.Label) bool, hu float64) float64 {
		if in(imaging.LabelLiver) && r3.Norm(r3.Sub(p, at)) < 30 {
			return hu - 48
		}
		return hu
	})
	got, _ := run(t, v, abdomen())
	bit := truth.Bit(imaging.LabelLiver)
	if in := part(got, at, 30, func(n int) bool { return truth.Bits[n]&bit != 0 }); in < 0.9 {
		t.Errorf("%.2f of the tumour is liver", in)
	}
	if out := part(got, at, 45, func(n int) bool { return truth.Bits[n]&bit == 0 }); out > 0.12 {
		t.Errorf("%.2f of what lies around it is liver", out)
	}
}

// An organ of the liver's own value hangs on it by a neck of 14 mm radius, as
// pancreas and duodenum do.
func TestNeighbourOnANeck(t *testing.T) {
	v, truth := trunk(1).make()
	bit := truth.Bit(imaging.LabelLiver)
	at := r3.Vec{X: 32, Y: -35, Z: 490}
	for n := range v.Data {
		i, j, k := v.Grid.IJK(n)
		p := v.Grid.Point(float64(i), float64(j), float64(k))
		neck := p.X > -40 && p.X < at.X && math.Hypot(p.Y-at.Y, p.Z-at.Z) < 14
		if truth.Bits[n]&bit == 0 && v.Data[n] < 0 && (neck || r3.Norm(r3.Sub(p, at)) < 26) {
			v.Data[n] += 110 + 100
		}
	}
	got, _ := run(t, v, coarse())
	if in := part(got, at, 26, func(n int) bool { return truth.Bits[n]&bit == 0 }); in > 0.1 {
		t.Errorf("%.2f of the neighbour is liver", in)
	}
	if d := dice(got, truth, imaging.LabelLiver); d < 0.95 {
		t.Errorf("liver Dice %.3f", d)
	}
}

// A gall bladder deep in its bed holds bile and is no tumour of the liver.
func TestGallBladderInItsBed(t *testing.T) {
	_, truth := patient2()
	down := r3.Unit(r3.Vec{X: 0.3, Y: -0.2, Z: -1})
	at := r3.Sub(surface(truth, down), r3.Scale(9, down))
	v, _ := painted(t, func(p r3.Vec, _ func(imaging.Label) bool, hu float64) float64 {
		if r3.Norm(r3.Sub(p, at)) < 17 {
			return 15 + math.Mod(hu, 11)
		}
		return hu
	})
	got, _ := run(t, v, abdomen())
	if in := part(got, at, 17, func(int) bool { return true }); in > 0.2 {
		t.Errorf("%.2f of the gall bladder is liver", in)
	}
}
