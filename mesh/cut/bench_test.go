package cut

import (
	"context"
	"syscall"
	"testing"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// cpuMS is the CPU time of this process so far, collector included.
func cpuMS() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec)*1e3 + float64(u.Utime.Usec+u.Stime.Usec)/1e3
}

// run reports CPU milliseconds per cut; use -cpu 1 for the figure of one core.
func run(b *testing.B, m *mesh.TetMesh, s Surface) {
	var r *Result
	var err error
	best := 1e9
	for b.Loop() {
		start := cpuMS()
		if r, err = Apply(context.Background(), m, s, Options{}); err != nil {
			b.Fatal(err)
		}
		best = min(best, cpuMS()-start)
	}
	b.ReportMetric(float64(len(m.Tets)), "tets")
	b.ReportMetric(float64(r.Report.Split+r.Report.Moved), "touched")
	b.ReportMetric(r.Report.After.MinDeg, "min-deg")
	b.ReportMetric(best, "best-CPU-ms")
}

// The target is 150 ms of CPU time for 300k tetrahedra. In the cube they are
// all of one size, so that the plane meets as many as it can; the ball is coarser
// inside, as organs are.
func BenchmarkPlane(b *testing.B)      { run(b, cube(29), slanted(14)) }
func BenchmarkPlaneTet10(b *testing.B) { run(b, cube(29).Quadratic(), slanted(14)) }
func BenchmarkPlaneBall(b *testing.B)  { run(b, ball(b, 50, 1.7), slanted(0)) }
func BenchmarkBezier(b *testing.B)     { run(b, ball(b, 50, 1.7), wavy(b, 50)) }
func BenchmarkSheet(b *testing.B) {
	run(b, ball(b, 50, 1.7), sheet(b, sphere(r3.Vec{X: 20}, 35, 40)))
}

// slanted is a plane near the point (x,x,x).
func slanted(x float64) Plane {
	return Plane{r3.Vec{X: x + .7, Y: x, Z: x}, r3.Vec{X: 1, Y: .4, Z: -.2}}
}
