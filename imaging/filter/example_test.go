package filter_test

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// A ball of 10 mm radius loses a rind of 2 mm, counted between voxel centres.
func ExampleErode() {
	g := imaging.NewGrid([3]int{50, 50, 25}, r3.Vec{}, [3]float64{0.5, 0.5, 1})
	c := g.Point(25, 25, 12)
	ball := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		return r3.Norm(r3.Sub(g.Point(float64(i), float64(j), float64(k)), c)) < 10
	})
	core, err := filter.Erode(context.Background(), g, ball, 2)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.1f ml of %.1f ml\n", float64(core.Count())*g.VoxelMM3()/1000, float64(ball.Count())*g.VoxelMM3()/1000)
	// Output: 2.3 ml of 4.2 ml
}
