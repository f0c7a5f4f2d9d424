package segment_test

import (
	"math"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// A fissure is a sheet of fat in the liver and no part of it; a cyst holds
// water and is.
func TestFissureIsNotLiverCystIs(t *testing.T) {
	v, truth := trunk(1).make()
	cyst := r3.Vec{X: -70, Y: 30, Z: 520}
	var fissure, water []int
	for n := range v.Data {
		i, j, k := v.Grid.IJK(n)
		p := v.Grid.Point(float64(i), float64(j), float64(k))
		switch {
		case i == 36 && math.Abs(p.Y+10) < 25 && math.Abs(p.Z-490) < 25: // x = −58.5 mm, one voxel wide
			v.Data[n] += -95 - 110
			fissure = append(fissure, n)
		case r3.Norm(r3.Sub(p, cyst)) < 9:
			v.Data[n] += 5 - 110
			water = append(water, n)
		}
	}
	got, rep := run(t, v, coarse())
	liver := got.Bit(imaging.LabelLiver)
	part := func(of []int) float64 {
		in := 0
		for _, n := range of {
			if got.Bits[n]&liver != 0 {
				in++
			}
		}
		return float64(in) / float64(len(of))
	}
	if p := part(fissure); p > 0.1 {
		t.Errorf("%.2f of the fissure is liver", p)
	}
	if p := part(water); p < 0.98 {
		t.Errorf("only %.2f of the cyst is liver", p)
	}
	if d := dice(got, truth, imaging.LabelLiver); d < 0.95 {
		t.Errorf("liver Dice %.3f, %+v", d, rep.Of(imaging.LabelLiver))
	}
}

// The surface stays smooth where a neighbour differs from the liver by little
// more than the noise: no tongue of it is taken in, voxel by voxel.
func TestOutlineBesideANeighbourOfNearlyTheSameValue(t *testing.T) {
	v, truth := trunk(1).make()
	side := truth.Bit(imaging.LabelLiver)
	for n := range v.Data { // stomach wall, 25 HU darker than liver, medial of it
		i, j, k := v.Grid.IJK(n)
		p := v.Grid.Point(float64(i), float64(j), float64(k))
		if truth.Bits[n]&side == 0 && ellipsoid(p, r3.Vec{X: 10, Y: -20, Z: 490}, r3.Vec{X: 45, Y: 40, Z: 40}) && v.Data[n] < 0 {
			v.Data[n] += 85 + 100
		}
	}
	got, _ := run(t, v, coarse())
	if d := dice(got, truth, imaging.LabelLiver); d < 0.95 {
		t.Errorf("liver Dice %.3f", d)
	}
	bit, lonely := got.Bit(imaging.LabelLiver), 0
	for n, b := range got.Bits {
		if b&bit == 0 {
			continue
		}
		i, j, k := v.Grid.IJK(n)
		near := 0
		for _, d := range [][3]int{{1}, {-1}, {0, 1}, {0, -1}, {0, 0, 1}, {0, 0, -1}} {
			if x, y, z := i+d[0], j+d[1], k+d[2]; v.Grid.Contains(x, y, z) && got.Bits[v.Grid.Index(x, y, z)]&bit != 0 {
				near++
			}
		}
		if near < 2 {
			lonely++
		}
	}
	if lonely > 20 {
		t.Errorf("%d voxels of the liver stick out", lonely)
	}
}
