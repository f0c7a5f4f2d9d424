package needle_test

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/needle"

	"gonum.org/v1/gonum/spatial/r3"
)

// A box of tissue with a target 20 mm under its front, and a bone plate over
// its left half.
func ExampleCase_Search() {
	g := imaging.NewGrid([3]int{60, 60, 40}, r3.Vec{}, [3]float64{1, 1, 1})
	s := imaging.NewSegments(g, imaging.LabelBody, imaging.LabelLiver, imaging.LabelTumour, imaging.LabelBone)
	for n := range s.Bits {
		i, j, _ := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(n/3600))
		if j >= 10 {
			s.Bits[n] |= s.Bit(imaging.LabelBody)
		}
		if j >= 14 {
			s.Bits[n] |= s.Bit(imaging.LabelLiver)
		}
		if r3.Norm(r3.Sub(p, r3.Vec{X: 30, Y: 34, Z: 20})) < 4 {
			s.Bits[n] |= s.Bit(imaging.LabelTumour)
		}
		if j >= 11 && j < 14 && i > 24 {
			s.Bits[n] |= s.Bit(imaging.LabelBone)
		}
	}
	c, err := needle.NewCase(context.Background(), s, needle.Config{Condition: "biopsy", Candidates: 20000})
	if err != nil {
		panic(err)
	}
	f, err := c.Search(context.Background())
	if err != nil {
		panic(err)
	}
	best := needle.Thin(f.Front, 1)[0]
	fmt.Printf("enters at x = %.0f mm, right of the plate: %v\n", best.Entry.X, best.Entry.X < 25)
	o, err := c.Simulate(context.Background(), planner.Plan{Name: "through the plate", Needles: []planner.Needle{
		{Entry: r3.Vec{X: 35, Y: 9.5, Z: 20}, Tip: r3.Vec{X: 30, Y: 34, Z: 20}, Device: "biopsy.core.18g@2026.1"}}}, planner.L0, nil)
	if err != nil {
		panic(err)
	}
	v, _ := o.Value("clearance_bone_mm")
	p, _ := o.Value("p_hit_bone_percent")
	fmt.Printf("through the plate: clearance %.1f mm, hits with %.0f %%\n", v.V, p.V)
	// Output:
	// enters at x = 14 mm, right of the plate: true
	// through the plate: clearance -2.1 mm, hits with 98 %
}
