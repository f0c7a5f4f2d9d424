package register_test

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/imaging/register"
)

// Two images of one object with unlike values; the second is 5 mm further to
// the left and turned by 6°.
func ExampleRigid() {
	g := imaging.NewGrid([3]int{48, 48, 48}, r3.Vec{X: -47, Y: -47, Z: -47}, [3]float64{2, 2, 2})
	move := register.NewRigid(r3.Vec{Z: 6 * math.Pi / 180}, r3.Vec{}, r3.Vec{X: 5})
	back, err := move.Invert()
	if err != nil {
		panic(err)
	}
	fixed, moving := imaging.NewVolume(g, imaging.KindHU), imaging.NewVolume(g, imaging.KindMR)
	for n := range fixed.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		inside := func(p r3.Vec, a, b, c float64) float64 { // 1 in an ellipsoid, 0 outside, smooth
			return 1 / (1 + math.Exp(20*(math.Sqrt(p.X*p.X/(a*a)+p.Y*p.Y/(b*b)+p.Z*p.Z/(c*c))-1)))
		}
		body := func(p r3.Vec) float64 { return inside(p, 35, 25, 30) }
		organ := func(p r3.Vec) float64 { return inside(r3.Sub(p, r3.Vec{X: 10, Y: 5, Z: 8}), 12, 9, 10) }
		fixed.Data[n] = int16(-1000 + 1000*body(p) + 100*organ(p))
		q := back.Apply(p)
		moving.Data[n] = int16(600*body(q) - 400*organ(q))
	}
	found, report, err := register.Rigid(context.Background(), fixed, moving, register.Options{})
	if err != nil {
		panic(err)
	}
	turn, shift, _ := found.RigidAbout(r3.Vec{})
	fmt.Printf("turned by %.1f°, shifted by %.1f mm; stated error below 0.1 mm: %t\n",
		turn.Z*180/math.Pi, shift.X, report.MeanErrorMM < 0.1)
	// Output: turned by 6.0°, shifted by 5.0 mm; stated error below 0.1 mm: true
}
