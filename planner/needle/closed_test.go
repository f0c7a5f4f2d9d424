package needle

import (
	"context"
	"sync"
	"testing"

	"halsted/imaging"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// The closed case: a round trunk, a round liver with a round tumour in the
// middle, a tube beside the way from the front, and a ball on the other side.
var (
	tubeAt = tube(r3.Vec{X: 12, Y: -20, Z: -40}, r3.Vec{X: 12, Y: -20, Z: 40}, 3)
	ballAt = ball(r3.Vec{X: -22, Y: -25}, 6)
)

const tumourRadius = 8.0

var closedSegments = sync.OnceValue(func() *imaging.Segments {
	g := imaging.NewGrid([3]int{100, 100, 60}, r3.Vec{X: -49.5, Y: -49.5, Z: -44.25}, [3]float64{1, 1, 1.5})
	return paint(g,
		part{imaging.LabelBody, tube(r3.Vec{Z: -200}, r3.Vec{Z: 200}, 45)},
		part{imaging.LabelLiver, ball(r3.Vec{}, 30)},
		part{imaging.LabelTumour, ball(r3.Vec{}, tumourRadius)},
		part{imaging.LabelPortalVein, tubeAt},
		part{imaging.LabelLung, ballAt},
		part{imaging.LabelVenaCava, tube(r3.Vec{Y: 33, Z: -60}, r3.Vec{Y: 33, Z: 60}, 3)},
	)
})

func newCase(t testing.TB, s *imaging.Segments, cfg Config) *Case {
	t.Helper()
	c, err := NewCase(context.Background(), s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closedCase(t testing.TB) *Case {
	return newCase(t, closedSegments(), Config{Candidates: 20000, SkinMM: 2})
}

func planOf(c *Case, entry, tip r3.Vec) planner.Plan {
	return planner.Plan{Procedure: Name, Name: "test", Needles: []planner.Needle{{Entry: entry, Tip: tip, Device: c.device.Ref()}}}
}
