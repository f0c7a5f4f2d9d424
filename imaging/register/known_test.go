package register

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/imaging/phantom"
)

var patient = sync.OnceValue(func() *phantom.Liver { return phantom.NewLiver(3) })

// scan is the phantom patient, moved rigidly by t, on a grid: the tissue at x
// is found at t(x). The move is exact; nothing is interpolated.
func scan(tb testing.TB, g imaging.Grid, t Transform) *imaging.Volume {
	tb.Helper()
	inv, err := t.Invert()
	if err != nil {
		tb.Fatal(err)
	}
	at := g
	at.Origin = inv.Apply(g.Origin)
	for a := range at.Axes {
		at.Axes[a] = mulVec(&inv.Matrix, g.Axes[a])
	}
	v, err := patient().Volume(context.Background(), at, nil)
	if err != nil {
		tb.Fatal(err)
	}
	v.Grid = g
	return v
}

// fixedGrid covers the phantom with voxels of about mm.
func fixedGrid(mm ...float64) imaging.Grid {
	s := [3]float64{mm[0], mm[0], mm[0]}
	if len(mm) == 3 {
		copy(s[:], mm)
	}
	return patient().GridAt(s)
}

// movingGrid is another scan of the same place: one slice more at the foot end
// and one column less, so that the noise of phantom, which depends on slice
// number and matrix, is not that of the fixed image.
func movingGrid(g imaging.Grid) imaging.Grid {
	return g.Crop(imaging.Box{Lo: [3]int{0, 0, -1}, Hi: [3]int{g.Size[0] - 1, g.Size[1], g.Size[2]}})
}

// fixedScans keeps one scan for each grid.
var fixedScans sync.Map

func fixedScan(tb testing.TB, g imaging.Grid) *imaging.Volume {
	if v, ok := fixedScans.Load(g); ok {
		return v.(*imaging.Volume)
	}
	v := scan(tb, g, Identity())
	fixedScans.Store(g, v)
	return v
}

// randomRigid turns by up to deg about a random axis through the middle of the
// trunk and shifts by up to mm in a random direction.
func randomRigid(seed uint64, deg, mm float64) Transform {
	rng := rand.New(rand.NewPCG(seed, 77))
	dir := func() r3.Vec {
		return r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()})
	}
	return NewRigid(r3.Scale((2*rng.Float64()-1)*deg*math.Pi/180, dir()), r3.Vec{X: 5, Y: -10, Z: 20}, r3.Scale(rng.Float64()*mm, dir()))
}

// targetError is the target registration error in mm over the body of the
// fixed image: the distance between where found and truth put a point.
func targetError(fixed *imaging.Volume, inside func(value float64) bool, found, truth Transform) (mean, most float64) {
	n := 0
	for i := 0; i < len(fixed.Data); i += 37 {
		if !inside(fixed.Value(i)) {
			continue
		}
		x, y, z := fixed.Grid.IJK(i)
		p := fixed.Grid.Point(float64(x), float64(y), float64(z))
		d := r3.Norm(r3.Sub(found.Apply(p), truth.Apply(p)))
		mean += d
		most = math.Max(most, d)
		n++
	}
	return mean / float64(n), most
}

func tissue(hu float64) bool { return hu > -500 }
