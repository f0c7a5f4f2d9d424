package tetra

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// roundBall is a mesh of a ball whose boundary vertices lie on the sphere.
func roundBall(t testing.TB, h float64) (m *mesh.TetMesh, centre r3.Vec, r float64) {
	const n = 64
	r = 27
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{}, [3]float64{1, 1, 1})
	centre = r3.Vec{X: 31.71, Y: 31.37, Z: 31.58}
	phi := make([]float32, g.Len())
	for i := range phi {
		x, y, z := g.IJK(i)
		phi[i] = float32(r3.Norm(r3.Sub(g.Point(float64(x), float64(y), float64(z)), centre)) - r)
	}
	m, _, err := Fill(context.Background(), Domain{Grid: g, Phi: phi}, Options{EdgeMM: h})
	if err != nil {
		t.Fatal(err)
	}
	_, nodes := m.Boundary()
	for _, k := range nodes {
		d := r3.Sub(m.Nodes[k], centre)
		m.Nodes[k] = r3.Add(centre, r3.Scale(r/r3.Norm(d), d))
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	return m, centre, r
}

// onto is the projection onto a sphere.
func onto(centre r3.Vec, r float64) func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) {
	return func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) {
		d := r3.Sub(p, centre)
		return r3.Add(centre, r3.Scale(r/r3.Norm(d), d)), true
	}
}

// curvedVolume integrates det J: the mean of its Bernstein coefficients, over 6.
func curvedVolume(m *mesh.TetMesh) (v float64) {
	var c [20]float64
	for t := range m.Tets {
		x := tenNodes(m, t)
		bernsteinDet(&x, &c)
		for _, b := range c {
			v += b / 120
		}
	}
	return v
}

func tenNodes(m *mesh.TetMesh, t int) (x [10]r3.Vec) {
	for i, n := range m.Tets[t] {
		x[i] = m.Nodes[n]
	}
	for i, n := range m.Mid[t] {
		x[4+i] = m.Nodes[n]
	}
	return x
}

// surfaceError samples the boundary's six-node triangles and returns the
// largest and the root mean square distance to the sphere.
func surfaceError(m *mesh.TetMesh, centre r3.Vec, r float64) (worst, rms float64) {
	next := m.Neighbours()
	n := 0.0
	const grid = 6
	for t := range m.Tets {
		x := tenNodes(m, t)
		for f := range 4 {
			if next[t][f] >= 0 {
				continue
			}
			for i := range grid + 1 {
				for j := range grid + 1 - i {
					var l [4]float64
					k := 0
					for c := range 4 {
						if c != f {
							l[c] = [3]float64{float64(i) / grid, float64(j) / grid, float64(grid-i-j) / grid}[k]
							k++
						}
					}
					var p r3.Vec
					for c := range 4 {
						p = r3.Add(p, r3.Scale(l[c]*(2*l[c]-1), x[c]))
					}
					for e, c := range mesh.TetEdges {
						p = r3.Add(p, r3.Scale(4*l[c[0]]*l[c[1]], x[4+e]))
					}
					d := math.Abs(r3.Norm(r3.Sub(p, centre)) - r)
					worst, rms, n = max(worst, d), rms+d*d, n+1
				}
			}
		}
	}
	return worst, math.Sqrt(rms / n)
}

// rateOf is the slope of log y over log x.
func rateOf(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(x))
	for i := range x {
		a, b := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+a, sy+b, sxx+a*a, sxy+a*b
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// Straight sides miss a sphere by h², curved ones by h³ to h⁴; so do volumes.
func TestCurveConverges(t *testing.T) {
	var hs, straight, curved, volume []float64
	for _, h := range []float64{10, 7, 5, 3.5} {
		m, centre, r := roundBall(t, h)
		flat := m.Quadratic()
		_, before := surfaceError(flat, centre, r)
		rep, err := Curve(context.Background(), m, onto(centre, r))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		worst, after := surfaceError(m, centre, r)
		exact := 4. / 3 * math.Pi * r * r * r
		v := math.Abs(curvedVolume(m)/exact - 1)
		t.Logf("h %g: rms %.4f mm straight, %.6f curved (worst %.5f), volume error %.3g (straight %.3g); %+v",
			h, before, after, worst, v, math.Abs(curvedVolume(flat)/exact-1), rep)
		if rep.Moved != rep.Edges || rep.BackedOff != 0 || rep.Refused != 0 || rep.LargestMM > h*h/r {
			t.Fatalf("%+v", rep)
		}
		hs, straight, curved, volume = append(hs, h), append(straight, before), append(curved, after), append(volume, v)
	}
	s, c, v := rateOf(hs, straight), rateOf(hs, curved), rateOf(hs, volume)
	t.Logf("rates: straight %.2f, curved %.2f, volume %.2f", s, c, v)
	if math.Abs(s-2) > 0.3 || c < 2.8 || v < 3.3 {
		t.Fatal("wrong order")
	}
	if curved[len(curved)-1] > 0.02*straight[len(straight)-1] {
		t.Fatal("curved sides hardly help")
	}
}

// The Bernstein coefficients give det J: compared with the derivatives of the
// shape functions at random places of random elements, and with its extremes.
func TestBernsteinDet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	var c [20]float64
	for range 300 {
		var x [10]r3.Vec
		for i := range x {
			x[i] = r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()}
		}
		bernsteinDet(&x, &c)
		least, most := math.Inf(1), math.Inf(-1)
		for _, b := range c {
			least, most = min(least, b), max(most, b)
		}
		for range 50 {
			l := [4]float64{r.ExpFloat64(), r.ExpFloat64(), r.ExpFloat64(), r.ExpFloat64()}
			sum := l[0] + l[1] + l[2] + l[3]
			for i := range l {
				l[i] /= sum
			}
			want := detAt(&x, l)
			got := 0.0
			for i := range 4 {
				for j := range 4 {
					for k := range 4 {
						got += c[cubicTerm[i][j][k]] * l[i] * l[j] * l[k]
					}
				}
			}
			if math.Abs(got-want) > 1e-9*(math.Abs(least)+math.Abs(most)) || want < least-1e-9 || want > most+1e-9 {
				t.Fatalf("det J %g, from the coefficients %g, bounds %g and %g", want, got, least, most)
			}
		}
		for e, v := range mesh.TetEdges { // straight: all alike
			x[4+e] = r3.Scale(0.5, r3.Add(x[v[0]], x[v[1]]))
		}
		bernsteinDet(&x, &c)
		for _, b := range c {
			if d := signed6(x[0], x[1], x[2], x[3]); math.Abs(b-d) > 1e-9*(1+math.Abs(d)) {
				t.Fatalf("straight: %g, want %g", b, d)
			}
		}
	}
}

// detAt is det J at barycentric coordinates l.
func detAt(x *[10]r3.Vec, l [4]float64) float64 {
	var d [4]r3.Vec
	for i := range 4 {
		d[i] = r3.Scale(4*l[i]-1, x[i])
	}
	for e, c := range mesh.TetEdges {
		d[c[0]] = r3.Add(d[c[0]], r3.Scale(4*l[c[1]], x[4+e]))
		d[c[1]] = r3.Add(d[c[1]], r3.Scale(4*l[c[0]], x[4+e]))
	}
	return r3.Dot(r3.Sub(d[1], d[0]), r3.Cross(r3.Sub(d[2], d[0]), r3.Sub(d[3], d[0])))
}

// However wild the projection, every element stays valid everywhere, and nodes
// go as far as they may.
func TestCurveBacksOff(t *testing.T) {
	for seed := range uint64(4) {
		m := shakenBall(t, 5, 0.15, seed)
		was := copyOf(m)
		r := rand.New(rand.NewPCG(seed, 6))
		asked := map[[2]imaging.Label]int{}
		rep, err := Curve(context.Background(), m, func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) {
			if a <= b {
				t.Fatalf("asked for %v and %v", a, b)
			}
			asked[[2]imaging.Label{a, b}]++
			d := r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()}
			switch r.IntN(20) {
			case 0:
				return p, false
			case 1:
				return r3.Vec{X: math.NaN()}, true
			}
			return r3.Add(p, r3.Scale(0.7, d)), true
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v, pairs %v", rep, asked)
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		if rep.BackedOff == 0 || rep.Refused == 0 || rep.Moved == 0 || rep.MinJacobian < MinJacobianRatio || len(asked) != 5 {
			t.Fatalf("%+v, pairs %v", rep, asked)
		}
		if !reflect.DeepEqual(was.Nodes, m.Nodes[:len(was.Nodes)]) || !reflect.DeepEqual(was.Tets, m.Tets) || !reflect.DeepEqual(was.Region, m.Region) {
			t.Fatal("corners changed")
		}
		least, moved, largest := 1.0, 0, 0.0
		flat := was.Quadratic()
		for n := range m.Nodes {
			if d := r3.Norm(r3.Sub(m.Nodes[n], flat.Nodes[n])); d > 0 {
				moved++
				largest = max(largest, d)
			}
		}
		for e := range m.Tets {
			x := tenNodes(m, e)
			d := signed6(x[0], x[1], x[2], x[3])
			for range 40 {
				l := [4]float64{r.ExpFloat64(), r.ExpFloat64(), r.ExpFloat64(), r.ExpFloat64()}
				s := l[0] + l[1] + l[2] + l[3]
				least = min(least, detAt(&x, [4]float64{l[0] / s, l[1] / s, l[2] / s, l[3] / s})/d)
			}
		}
		if least < rep.MinJacobian || moved != rep.Moved || math.Abs(largest-rep.LargestMM) > 1e-9 {
			t.Fatalf("det J %g, %d moved, at most %g mm: %+v", least, moved, largest, rep)
		}
	}
}

// A Tet10 mesh that is curved again ends where a Tet4 mesh does, and a true
// interface is reached by all but what was backed off.
func TestCurveTwiceIsCurveOnce(t *testing.T) {
	m, c, r := roundBall(t, 6)
	m2 := copyOf(m)
	rep, err := Curve(context.Background(), m, onto(c, r))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Curve(context.Background(), m2, func(p r3.Vec, _, _ imaging.Label) (r3.Vec, bool) { return r3.Add(p, r3.Vec{Z: 0.01}), true }); err != nil {
		t.Fatal(err)
	}
	rep2, err := Curve(context.Background(), m2, onto(c, r))
	if err != nil {
		t.Fatal(err)
	}
	if rep != rep2 || !reflect.DeepEqual(m, m2) {
		t.Fatalf("%+v and %+v", rep, rep2)
	}
}

func TestCurveSameBitsForAnyCoreCount(t *testing.T) {
	start := shakenBall(t, 4, 0.2, 2)
	var first *mesh.TetMesh
	for _, p := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(p)
		m := copyOf(start)
		_, err := Curve(context.Background(), m, func(p r3.Vec, a, _ imaging.Label) (r3.Vec, bool) {
			return r3.Add(p, r3.Vec{X: math.Sin(3 * p.Y), Z: 0.3 * float64(a&1)}), true
		})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		} else if !reflect.DeepEqual(first, m) {
			t.Fatalf("GOMAXPROCS %d gives another mesh", p)
		}
	}
}

func TestCurveRefusals(t *testing.T) {
	ctx := context.Background()
	stay := func(p r3.Vec, _, _ imaging.Label) (r3.Vec, bool) { return p, true }
	tet := func() *mesh.TetMesh {
		return &mesh.TetMesh{Nodes: []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}}, Tets: [][4]int32{{0, 1, 2, 3}}}
	}
	m := tet()
	if rep, err := Curve(ctx, m, stay); err != nil || rep != (CurveReport{Edges: 6, MinJacobian: 1}) || len(m.Nodes) != 10 {
		t.Fatalf("%v %+v", err, rep)
	}
	var inv *mesh.InvertedError
	m = tet()
	m.Nodes[3].Z = -1
	if _, err := Curve(ctx, m, stay); !errors.As(err, &inv) || m.Mid != nil {
		t.Fatalf("inverted: %v", err)
	}
	// an inner edge at the surface, bent so far that no straight side helps
	m, _, _ = roundBall(t, 10)
	m = m.Quadratic()
	_, nodes := m.Boundary()
	on := make([]bool, len(m.Nodes))
	for _, n := range nodes {
		on[n] = true
	}
	bend := func() {
		for e, mid := range m.Mid {
			for i, n := range mid {
				if on[mid[0]] && i > 0 && !on[n] {
					p := m.Nodes[m.Tets[e][mesh.TetEdges[i][0]]]
					m.Nodes[n] = r3.Add(m.Nodes[n], r3.Scale(3, r3.Sub(m.Nodes[n], p)))
					return
				}
			}
		}
	}
	bend()
	was := append([]r3.Vec(nil), m.Nodes...)
	if _, err := Curve(ctx, m, stay); !errors.As(err, &inv) || !reflect.DeepEqual(was, m.Nodes) {
		t.Fatalf("bent inside: %v", err)
	}
	for name, change := range map[string]func(m *mesh.TetMesh){
		"index":   func(m *mesh.TetMesh) { m.Tets[0][1] = 4 },
		"mid":     func(m *mesh.TetMesh) { m.Mid = [][6]int32{{0, 0, 0, 0, 0, 99}} },
		"mids":    func(m *mesh.TetMesh) { m.Mid = [][6]int32{} },
		"regions": func(m *mesh.TetMesh) { m.Region = []imaging.Label{1, 1} },
		"nan":     func(m *mesh.TetMesh) { m.Nodes[1].X = math.NaN() },
	} {
		m := tet()
		change(m)
		if _, err := Curve(ctx, m, stay); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCurveCancel(t *testing.T) {
	start, c, r := roundBall(t, 2)
	for _, wait := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		m := copyOf(start)
		_, err := Curve(ctx, m, onto(c, r))
		late, _ := ctx.Deadline()
		cancel()
		if err == nil && wait > 0 {
			t.Logf("done within %v", wait) // a fast machine
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) || !reflect.DeepEqual(m, start) {
			t.Fatalf("after %v: %v", wait, err)
		}
		t.Logf("returned %v after the deadline", time.Since(late))
	}
}

func ExampleCurve() {
	// one octant of a ball of 1 mm
	m := &mesh.TetMesh{Nodes: []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}}, Tets: [][4]int32{{0, 1, 2, 3}}}
	rep, err := Curve(context.Background(), m, func(p r3.Vec, a, b imaging.Label) (r3.Vec, bool) {
		if p.X*p.Y+p.Y*p.Z+p.Z*p.X == 0 {
			return p, false // on an axis
		}
		return r3.Unit(p), true
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d of %d edges moved, by %.3f mm; volume %.3f of %.3f mm³\n", rep.Moved, rep.Edges, rep.LargestMM, curvedVolume(m), math.Pi/6)
	// Output: 3 of 6 edges moved, by 0.293 mm; volume 0.446 of 0.524 mm³
}

func BenchmarkCurve(b *testing.B) {
	start, c, r := roundBall(b, 1.6)
	for b.Loop() {
		b.StopTimer()
		m := copyOf(start)
		b.StartTimer()
		if _, err := Curve(context.Background(), m, onto(c, r)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(start.Tets))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mtets/s")
}
