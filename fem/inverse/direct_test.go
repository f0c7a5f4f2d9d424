package inverse

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// The direct solve finds the zero of the fixed point: inflated again from rest,
// the body stands where the image shows it, to rounding.
func TestDirectZeroPressureTube(t *testing.T) {
	for _, c := range []struct {
		form fem.Formulation
		nu   float64
	}{{fem.MeanDilatation, 0.4999}, {fem.Displacement, 0.4}} {
		m, _ := tubeModel(1, 12, aneurysmInner, aneurysmOuter, 2, aneurysmPressure, raghavanVorp(t, c.nu))
		ref, rep, err := Unload(context.Background(), m, fem.Settings{Formulation: c.form, Steps: 2}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := reload(t, m, fem.Settings{Formulation: c.form, Steps: 3, ResidualTol: 1e-11}, ref)
		t.Logf("%v: %d iterations, %d forward solves, %.2g mm", c.form, rep.InverseNewton, rep.ForwardSolves, d)
		if rep.ForwardSolves != 1 || rep.InverseNewton == 0 || !(d < 1e-6) {
			t.Errorf("%d forward solves, %d iterations, %g mm", rep.ForwardSolves, rep.InverseNewton, d)
		}
	}
}

// The matrix of Newton's method against central differences of the residual,
// with fibres turned by natural maps, gravity and pressure.
func TestDirectTangent(t *testing.T) {
	law, err := material.NewGasserOgdenHolzapfel(0.05, 0.3, 2, 0.2, 0.49, r3.Vec{X: math.Cos(0.6), Y: math.Sin(0.6)}, r3.Vec{X: math.Cos(0.6), Y: -math.Sin(0.6)})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []fem.Formulation{fem.Displacement, fem.MeanDilatation} {
		m, par := tubeModel(1, 2, 20, 22, 3, 0.01, fem.Region{Label: tissue, Law: law, DensityTPerMM3: 1e-9})
		m.GravityChange = r3.Vec{X: 3000, Z: -9806}
		for _, v := range m.Mesh.Tets {
			a := 0.0
			for _, n := range v {
				a += par[n].Y / 4
			}
			c, s := math.Cos(a), math.Sin(a)
			m.Natural = append(m.Natural, material.Mat3{{X: -s, Y: c}, {Z: 1}, {X: c, Y: s}})
		}
		d, err := newDirect(context.Background(), m, fem.Settings{Formulation: form})
		if err != nil {
			t.Fatal(err)
		}
		clear(d.fixed)
		n := 3 * len(d.img)
		if _, err := d.run(nil); err == nil && d.mat == nil {
			t.Fatal("nothing was solved")
		}
		state := func() {
			d.x = flat(d.img)
			for i := range d.x {
				d.x[i] += 0.05*math.Sin(float64(7*i)) - 0.05*d.x[i]
			}
			for e := range d.p {
				d.p[e] = 0.01 * math.Cos(float64(e))
				if d.vol[e] == nil {
					d.p[e] = 0
				}
			}
		}
		state()
		if _, _, ok := d.residual(1); !ok {
			t.Fatal("inverted")
		}
		_ = d.tangent(1) // the preconditioner of a free body may have a zero pivot
		v, y := make([]float64, n+len(d.law)), make([]float64, n+len(d.law))
		for i := range v {
			v[i] = math.Sin(float64(3*i + 1))
			if i >= n && d.vol[i-n] == nil {
				v[i] = 0
			}
		}
		d.apply(y, v)
		const h = 1e-6
		var got, want, off float64
		sides := [2][]float64{}
		for k, sign := range [2]float64{-1, 1} {
			state()
			for i := range d.x {
				d.x[i] += sign * h * v[i]
			}
			for e := range d.p {
				d.p[e] += sign * h * v[n+e]
			}
			d.residual(1)
			sides[k] = append([]float64(nil), d.r...)
		}
		for i := range n {
			fd := (sides[1][i] - sides[0][i]) / (2 * h) // dr = −K·δX − h·δp = S·δX − h·δp
			got, want, off = got+y[i]*y[i], want+fd*fd, off+(y[i]-fd)*(y[i]-fd)
		}
		if math.Sqrt(off/want) > 1e-6 || want == 0 {
			t.Errorf("%v: the tangent is off by %g", form, math.Sqrt(off/want))
		}
	}
}

func TestDirectSameBits(t *testing.T) {
	var first []float64
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		m, _ := tubeModel(1, 12, aneurysmInner, aneurysmOuter, 2, aneurysmPressure, raghavanVorp(t, 0.4999))
		d, err := newDirect(context.Background(), m, fem.Settings{Formulation: fem.MeanDilatation})
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.run(m.Prescribed)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		for i := range first {
			if first[i] != x[i] {
				t.Fatalf("GOMAXPROCS %d gives other bits", procs)
			}
		}
		first = x
	}
}

// Where the memory does not reach the direct solve leaves it to the fixed point,
// before it has taken any.
func TestDirectKeepsToTheMemory(t *testing.T) {
	m, _ := tubeModel(1, 12, aneurysmInner, aneurysmOuter, 2, aneurysmPressure, raghavanVorp(t, 0.4999))
	for limit, want := range map[int64]error{1 << 20: errNoDirect, 1 << 30: nil} {
		d, err := newDirect(context.Background(), m, fem.Settings{Formulation: fem.MeanDilatation, MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.run(m.Prescribed); !errors.Is(err, want) {
			t.Errorf("in %d bytes: %v", limit, err)
		}
	}
}

// What forward solves alone know is left to them.
func TestDirectDeclines(t *testing.T) {
	m, _ := tubeModel(1, 4, 20, 22, 2, 0.001, raghavanVorp(t, 0.4))
	dead := *m
	dead.Loads = append([]fem.FaceLoad(nil), m.Loads...)
	dead.Loads[0].Follows = false
	sprung := *m
	sprung.Springs = []fem.Spring{{Nodes: [2]int32{0, -1}, StiffnessNPerMM: 1}}
	for name, c := range map[string]*fem.Model{"a dead pressure": &dead, "a spring": &sprung} {
		if _, err := newDirect(context.Background(), c, fem.Settings{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
