package spatial_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/spatial"

	"gonum.org/v1/gonum/spatial/r3"
)

// ramp is the square 0 ≤ x, y ≤ 1 at height z = slope·x, cut in n×n squares of
// unequal width.
func ramp(n int, slope float64) *mesh.Surface {
	s := &mesh.Surface{}
	at := func(i int) float64 { x := float64(i) / float64(n); return x * x }
	for i := range n + 1 {
		for j := range n + 1 {
			s.Verts = append(s.Verts, r3.Vec{X: at(i), Y: at(j), Z: slope * at(i)})
		}
	}
	for i := range n {
		for j := range n {
			a := int32(i*(n+1) + j)
			b := a + int32(n) + 1
			s.Tris = append(s.Tris, [3]int32{a, b, b + 1}, [3]int32{a, b + 1, a + 1})
		}
	}
	return s
}

// Over a plane the distance of a ramp is its height: mean, percentile and
// maximum are known however it is cut.
func TestDistanceOfARamp(t *testing.T) {
	plane := &mesh.Surface{Verts: []r3.Vec{{X: -9, Y: -9}, {X: 30, Y: -9}, {X: -9, Y: 30}}, Tris: [][3]int32{{0, 1, 2}}}
	for _, n := range []int{1, 3, 10} {
		d, err := spatial.Distance(t.Context(), ramp(n, 0.5), plane, spatial.DistanceOptions{StepMM: 0.01})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(d.MeanMM-0.25) > 1e-12 || math.Abs(d.P95MM-0.475) > 0.005 || math.Abs(d.MaxMM-0.5) > 1e-12 || d.MaxAt.X != 1 {
			t.Errorf("%d squares: %+v", n, d)
		}
		if d, err = spatial.Distance(t.Context(), ramp(n, 0.5), plane, spatial.DistanceOptions{}); err != nil || math.Abs(d.MeanMM-0.25) > 1e-12 || d.MaxMM != 0.5 {
			t.Errorf("%d squares, middles: %+v, %v", n, d, err)
		}
		low := func(a, b, c r3.Vec) bool { return max(a.X, b.X, c.X) < 0.5 }
		if d, err = spatial.Distance(t.Context(), ramp(n, 0.5), plane, spatial.DistanceOptions{Skip: low}); err != nil || n > 1 && d.MeanMM < 0.3 {
			t.Errorf("%d squares, upper part: %+v, %v", n, d, err)
		}
	}
}

func TestLabelDistance(t *testing.T) {
	const organ, inner, other = imaging.Label(1), imaging.Label(2), imaging.Label(9)
	label := func(s *mesh.Surface, in, out imaging.Label) *mesh.Surface {
		for range s.Tris {
			s.Region = append(s.Region, mesh.Sides{Inside: in, Outside: out})
		}
		return s
	}
	a := together(label(sphere(r3.Vec{}, 20, 4), organ, 0), label(sphere(r3.Vec{}, 10, 4), inner, organ))
	b := together(label(sphere(r3.Vec{}, 21, 4), organ, 0), label(turned(sphere(r3.Vec{X: 0.5}, 10, 4)), organ, inner), label(sphere(r3.Vec{X: 90}, 3, 2), other, 0))
	var first []mesh.LabelDeviation
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		got, err := spatial.LabelDistance(t.Context(), a, b, spatial.DistanceOptions{StepMM: 0.7})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		for n := range got { // NaN is not equal to itself
			if got[n].Label != other && !reflect.DeepEqual(got[n], first[n]) {
				t.Fatalf("GOMAXPROCS %d: %+v, %+v", procs, got[n], first[n])
			}
		}
	}
	if len(first) != 3 || first[0].Label != organ || first[1].Label != inner || first[2].Label != other {
		t.Fatalf("%+v", first)
	}
	for _, d := range []mesh.Deviation{first[0].There, first[0].Back} {
		if d.MaxMM < 0.95 || d.MaxMM > 1.05 || d.MeanMM > 1 || d.MeanMM < 0.3 { // the inner border is the organ's as well
			t.Errorf("organ: %+v", d)
		}
	}
	// spheres half a millimetre apart: |½cos| is ¼ on average, half at most
	for _, d := range []mesh.Deviation{first[1].There, first[1].Back} {
		if math.Abs(d.MeanMM-0.25) > 0.01 || math.Abs(d.P95MM-0.475) > 0.02 || math.Abs(d.MaxMM-0.5) > 0.02 || math.Abs(math.Abs(d.MaxAt.X)-10) > 0.6 {
			t.Errorf("inner: %+v", d)
		}
	}
	if d := first[2]; !math.IsNaN(d.There.MaxMM) || !math.IsNaN(d.Back.MeanMM) {
		t.Errorf("label of one surface: %+v", d)
	}
}

func TestDistanceBadInput(t *testing.T) {
	s := block([3]int{2, 2, 2})
	for _, step := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := spatial.Distance(t.Context(), s, s, spatial.DistanceOptions{StepMM: step}); err == nil {
			t.Errorf("a step of %g was taken", step)
		}
	}
	var limit *spatial.LimitError
	if _, err := spatial.Distance(t.Context(), s, s, spatial.DistanceOptions{StepMM: 1e-5}); !errors.As(err, &limit) || limit.Samples < 1e9 {
		t.Errorf("a step of 10 nm: %v", err)
	}
	if d, err := spatial.Distance(t.Context(), s, &mesh.Surface{}, spatial.DistanceOptions{}); err != nil || !math.IsNaN(d.MeanMM) {
		t.Errorf("to nothing: %v, %v", d, err)
	}
	if _, err := spatial.LabelDistance(t.Context(), s, s, spatial.DistanceOptions{}); err == nil {
		t.Error("surfaces without regions have labels")
	}
	bad := block([3]int{1, 1, 1})
	bad.Verts[2].Z = math.NaN()
	var point *spatial.PointError
	for _, way := range [][2]*mesh.Surface{{bad, s}, {s, bad}} {
		if _, err := spatial.Distance(t.Context(), way[0], way[1], spatial.DistanceOptions{}); !errors.As(err, &point) || point.Index != 2 {
			t.Errorf("NaN: %v", err)
		}
	}
	bad.Tris[3][1] = -4
	if _, err := spatial.Distance(t.Context(), bad, s, spatial.DistanceOptions{Skip: func(_, _, _ r3.Vec) bool { return false }}); err == nil {
		t.Error("an index out of range was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := spatial.Distance(ctx, s, s, spatial.DistanceOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	flat := &mesh.Surface{Verts: []r3.Vec{{X: 5}, {X: 7}}, Tris: [][3]int32{{0, 1, 1}}}
	if d, err := spatial.Distance(t.Context(), flat, block([3]int{1, 1, 1}), spatial.DistanceOptions{StepMM: 0.5}); err != nil || d.MaxMM != 6 || !(d.MeanMM > 4) {
		t.Errorf("without area: %+v, %v", d, err)
	}
}
