package segment_test

import (
	"errors"
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// bars is a mask of straight bars of square section: axis, two coordinates of
// the middle, half width, from, to.
func bars(g imaging.Grid, bs ...[6]int) func(n int) bool {
	return func(n int) bool {
		i, j, k := g.IJK(n)
		x := [3]int{i, j, k}
		for _, b := range bs {
			a := b[0]
			p, q := x[(a+1)%3]-b[1], x[(a+2)%3]-b[2]
			if max(p, -p, q, -q) <= b[3] && x[a] >= b[4] && x[a] <= b[5] {
				return true
			}
		}
		return false
	}
}

// Width does not count, length does: a bar twice as thick has clDice 1; a
// missing half of the length gives sensitivity near 1/2 at precision 1; and
// the roles swap with the sides.
func TestClDiceOfBars(t *testing.T) {
	g := imaging.NewGrid([3]int{60, 30, 30}, r3.Vec{}, [3]float64{0.7, 0.7, 1.6})
	thin, thick := bars(g, [6]int{0, 15, 15, 1, 5, 54}), bars(g, [6]int{0, 15, 15, 3, 5, 54})
	c, err := segment.ClDice(t.Context(), g, thin, thick)
	if err != nil {
		t.Fatal(err)
	}
	if c != (segment.CentrelineDice{ClDice: 1, Precision: 1, Sensitivity: 1}) {
		t.Errorf("thick and thin bar: %+v", c)
	}
	half := bars(g, [6]int{0, 15, 15, 1, 5, 29})
	if c, err = segment.ClDice(t.Context(), g, half, thin); err != nil {
		t.Fatal(err)
	}
	if c.Precision != 1 || math.Abs(c.Sensitivity-0.5) > 0.03 || math.Abs(c.ClDice-2.0/3) > 0.03 {
		t.Errorf("half of the bar: %+v", c)
	}
	d, err := segment.ClDice(t.Context(), g, thin, half)
	if err != nil {
		t.Fatal(err)
	}
	if d.Precision != c.Sensitivity || d.Sensitivity != c.Precision || d.ClDice != c.ClDice {
		t.Errorf("sides swapped: %+v, then %+v", c, d)
	}
}

func TestClDiceOfNothing(t *testing.T) {
	g := imaging.NewGrid([3]int{10, 10, 10}, r3.Vec{}, [3]float64{1, 1, 1})
	none, bar := func(int) bool { return false }, bars(g, [6]int{2, 5, 5, 1, 1, 8})
	if c, err := segment.ClDice(t.Context(), g, none, none); err != nil || c.ClDice != 1 {
		t.Errorf("two empty sets: %+v, %v", c, err)
	}
	if c, err := segment.ClDice(t.Context(), g, none, bar); err != nil || c.ClDice != 0 {
		t.Errorf("empty against a bar: %+v, %v", c, err)
	}
	a, b := imaging.NewSegments(g, imaging.LabelPortalVein), imaging.NewSegments(g, imaging.LabelPortalVein)
	_, err := segment.CompareCentrelines(t.Context(), a, b, imaging.LabelPortalVein)
	if _, ok := errors.AsType[*segment.NotFoundError](err); !ok {
		t.Errorf("empty structures: %v, want *NotFoundError", err)
	}
	for n := range b.Bits {
		if bar(n) {
			a.Bits[n], b.Bits[n] = 1, 1
		}
	}
	if c, err := segment.CompareCentrelines(t.Context(), a, b, imaging.LabelPortalVein); err != nil || c.ClDice != 1 {
		t.Errorf("the same bar: %+v, %v", c, err)
	}
}
