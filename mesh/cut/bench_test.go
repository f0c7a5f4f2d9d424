package cut

import (
	"context"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// BenchmarkPlane cuts a ball of 300k tetrahedra; the target is 150 ms of CPU time.
func BenchmarkPlane(b *testing.B) {
	m := ball(b, 50, 2.76)
	p := Plane{r3.Vec{X: .7}, r3.Vec{X: 1, Y: .4, Z: -.2}}
	var r *Result
	var err error
	for b.Loop() {
		if r, err = Apply(context.Background(), m, p, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(m.Tets)), "tets")
	b.ReportMetric(float64(r.Report.Split+r.Report.Moved), "touched")
	b.ReportMetric(r.Report.After.MinDeg, "min°")
}

func BenchmarkBezier(b *testing.B) {
	m := ball(b, 50, 2.76)
	s := wavy(b, 50)
	for b.Loop() {
		if _, err := Apply(context.Background(), m, s, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTet10Plane(b *testing.B) {
	m := ball(b, 50, 2.76).Quadratic()
	for b.Loop() {
		if _, err := Apply(context.Background(), m, Plane{r3.Vec{X: .7}, r3.Vec{X: 1, Y: .4, Z: -.2}}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
