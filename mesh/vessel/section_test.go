package vessel

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// TestSectionEllipse cuts a tube with an elliptic lumen, turned against the
// grid: 12 and 8 mm, area 24π mm².
func TestSectionEllipse(t *testing.T) {
	g := imaging.NewGrid([3]int{50, 50, 30}, r3.Vec{X: -18, Y: -18, Z: -18}, [3]float64{0.75, 0.75, 1.2})
	turn := r3.NewRotation(0.6, r3.Vec{X: 1, Y: 0.5, Z: 0.2})
	x, y, z := turn.Rotate(r3.Vec{X: 1}), turn.Rotate(r3.Vec{Y: 1}), turn.Rotate(r3.Vec{Z: 1})
	mask := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		a, b := r3.Dot(p, x)/6, r3.Dot(p, y)/4
		return a*a+b*b < 1
	})
	s, err := SectionAt(g, mask, r3.Vec{}, z, 20)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.AreaMM2/(24*math.Pi)-1) > 0.02 || math.Abs(s.DiameterMM-12) > 0.5 || math.Abs(s.PerpendicularMM-8) > 0.5 || r3.Norm(s.CentroidLPS) > 0.1 {
		t.Errorf("area %.2f (75.40) diameters %.2f (12) %.2f (8), centroid %.2v", s.AreaMM2, s.DiameterMM, s.PerpendicularMM, s.CentroidLPS)
	}
	if d := math.Abs(r3.Dot(r3.Unit(r3.Sub(s.End, s.Start)), x)); d < 0.95 {
		t.Errorf("largest diameter %.3f off its axis", d)
	}
	if _, err := SectionAt(g, mask, r3.Scale(14, x), z, 20); !errors.Is(err, ErrNoSection) {
		t.Errorf("beside the vessel: %v", err)
	}
	if _, err := SectionAt(g, mask, r3.Vec{}, r3.Vec{}, 20); err == nil {
		t.Error("no normal: no error")
	}
}
