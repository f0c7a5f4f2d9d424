package aneurysm

import (
	"context"
	"math"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/spatial/r3"
)

const mpaPerMmHg = 133.322387415e-6

// tube is a straight aorta with a lumen of radius a and a wall of 1.5 mm.
func tube(t testing.TB, a, lengthMM float64, o MeshOptions) *Wall {
	t.Helper()
	s, err := Along(lengthMM, 1, 64, func(s float64) r3.Vec { return r3.Vec{Z: -s} }, func(_, _ float64) float64 { return a }, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWall(s, 1.5, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// middle averages a field over the nodes of the middle third on the inner or the
// outer surface; the lumen has the radius a about the z axis.
func middle(w *Wall, a float64, inner bool, v []float64) float64 {
	sum, n := 0.0, 0.0
	for i, s := range w.ArcMM {
		x := w.Mesh.Nodes[i]
		r := math.Hypot(x.X, x.Y)
		if math.Abs(s-w.lengthMM/2) < w.lengthMM/6 && (inner && r < a+1e-9 || !inner && r > a+1.5-1e-9) {
			sum, n = sum+v[i], n+1
		}
	}
	return sum / n
}

// Hoop stress of the imaged tube against Lamé (S. Timoshenko & J. Goodier,
// Theory of Elasticity, §28): p·(a² + b²)/(b² − a²) inside, 2·p·a²/(b² − a²)
// outside; and against Laplace's p·r/t = 16 kPa·27.5 mm/1.5 mm = 293 kPa, which
// takes the outer radius and so is above both.
func TestStiffTubeIsLames(t *testing.T) {
	w := tube(t, 26, 60, MeshOptions{Angles: 32, Rows: 12})
	st, err := w.Stiff(context.Background(), Tissue{}, EndsHeld, 120)
	if err != nil {
		t.Fatal(err)
	}
	const a, b = 26.0, 27.5
	p := 120 * mpaPerMmHg
	for _, c := range []struct {
		inner bool
		want  float64
	}{{true, p * (a*a + b*b) / (b*b - a*a)}, {false, 2 * p * a * a / (b*b - a*a)}} {
		if got := middle(w, a, c.inner, st.PrincipalMPa); math.Abs(got/c.want-1) > 0.01 {
			t.Errorf("hoop stress %.2f kPa, Lamé %.2f (inner %v)", 1000*got, 1000*c.want, c.inner)
		}
	}
	if laplace := 16e-3 * 27.5 / 1.5; math.Abs(laplace-0.293) > 5e-4 || middle(w, a, true, st.PrincipalMPa) > laplace {
		t.Errorf("Laplace %.4f MPa", laplace)
	}
}

// thick is an incompressible tube of an isotropic law in plane strain, wall
// thickness and radii of the state without load; difference is σθ − σr at the
// hoop stretch λ.
type thick struct {
	a0, b0     float64
	difference func(lambda float64) float64
}

// pressure is ∫ (σθ − σr) dr/r over the wall with the inner radius a.
func (k thick) pressure(a float64) float64 {
	b := math.Sqrt(k.b0*k.b0 - k.a0*k.a0 + a*a)
	return quad.Fixed(func(r float64) float64 {
		return k.difference(r/math.Sqrt(k.a0*k.a0+r*r-a*a)) / r
	}, a, b, 20, quad.Legendre{}, 0)
}

// inflated is the inner radius under p, MPa, by bisection.
func (k thick) inflated(p float64) float64 {
	lo, hi := k.a0, 2*k.a0
	for range 80 {
		if m := (lo + hi) / 2; k.pressure(m) < p {
			lo = m
		} else {
			hi = m
		}
	}
	return (lo + hi) / 2
}

// raghavanVorp is σθ − σr = 2Ψ′·(λ² − λ⁻²) with Ψ′ = α + 2β·(I1 − 3).
func raghavanVorp(l float64) float64 {
	i1 := l*l + 1/(l*l) + 1
	return 2 * (material.RaghavanVorpAlphaMPa + 2*material.RaghavanVorpBetaMPa*(i1-3)) * (l*l - 1/(l*l))
}

// The project's own thick-tube calculation (clinical.md §7: D = 55 mm, t = 1.5 mm,
// 120 mmHg): taking the image for free of stress gives an inner hoop stress of
// 40.8 N/cm², unloading it first 32.3, since the tube inflates twice: 26 % too
// much. D is the lumen's, and the image shows it under 120 mmHg; imaged at the
// mean pressure of 93 mmHg it is 33.2, 23 % too much. In closed form, and by the
// model.
func TestImageTakenForStressFree(t *testing.T) {
	const a, b, load = 27.5, 29.0, 120.0
	ctx := context.Background()
	hoop := func(k thick) float64 {
		r := k.inflated(load * mpaPerMmHg)
		return (k.difference(r/k.a0) - load*mpaPerMmHg) * mpaToNPerCM2 // σr = −p inside
	}
	unloaded := func(mmHg float64) thick {
		lo, hi := 0.7*a, a
		for range 80 {
			m := (lo + hi) / 2
			if (thick{m, math.Sqrt(b*b - a*a + m*m), raghavanVorp}).pressure(a) > mmHg*mpaPerMmHg {
				lo = m
			} else {
				hi = m
			}
		}
		return thick{lo, math.Sqrt(b*b - a*a + lo*lo), raghavanVorp}
	}
	wrong, right, mean := hoop(thick{a, b, raghavanVorp}), hoop(unloaded(120)), hoop(unloaded(93))
	if math.Abs(wrong-40.8) > 0.05 || math.Abs(right-32.3) > 0.05 || math.Abs(mean-33.2) > 0.06 {
		t.Errorf("closed form %.2f, %.2f and %.2f N/cm², recorded 40.8 and 32.3", wrong, right, mean)
	}
	w := tube(t, a, 80, MeshOptions{Angles: 16, Rows: 6, WallLayers: 2})
	taken, err := w.Load(ctx, Tissue{}, EndsHeld, nil, load)
	if err != nil {
		t.Fatal(err)
	}
	got := middle(w, a, true, taken.PrincipalMPa) * mpaToNPerCM2
	t.Logf("image free of stress %.2f N/cm², closed form %.2f", got, wrong)
	if math.Abs(got/wrong-1) > 0.03 {
		t.Errorf("%.2f N/cm², closed form %.2f", got, wrong)
	}
	for mmHg, want := range map[float64]float64{120: right, 93: mean} {
		u, err := w.Unload(ctx, Tissue{}, EndsHeld, mmHg)
		if err != nil {
			t.Fatal(err)
		}
		st, err := w.Load(ctx, Tissue{}, EndsHeld, u, load)
		if err != nil {
			t.Fatal(err)
		}
		got := middle(w, a, true, st.PrincipalMPa) * mpaToNPerCM2
		t.Logf("unloaded from %g mmHg first %.2f N/cm², closed form %.2f", mmHg, got, want)
		if math.Abs(got/want-1) > 0.03 {
			t.Errorf("%.2f N/cm², closed form %.2f", got, want)
		}
	}
}

// A wall of two fibre families (record artery.carotid.media, Holzapfel, Gasser
// & Ogden, J. Elasticity 61 (2000) 1) inflates as the integral of its hoop
// stress over the wall says: this holds the directions of the tissue too. A
// longer tube between held ends would buckle sideways.
func TestFibreTubeInflatesInClosedForm(t *testing.T) {
	law, err := GOHWall("artery.carotid.media")
	if err != nil {
		t.Fatal(err)
	}
	difference := func(l float64) float64 { // axes: around, along, outward
		f := material.Mat3{{X: l}, {Y: 1}, {Z: 1 / l}}
		var p material.Mat3
		law.Stress(&p, &f)
		return p[0].X*l - p[2].Z/l // σ = P·Fᵀ at det F = 1
	}
	s, err := Along(24, 1, 64, func(s float64) r3.Vec { return r3.Vec{X: s} }, func(_, _ float64) float64 { return 5 }, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWall(s, 1, MeshOptions{Angles: 16, Rows: 10})
	if err != nil {
		t.Fatal(err)
	}
	const mmHg = 5
	k := thick{5, 6, difference}
	want := k.inflated(mmHg * mpaPerMmHg)
	st, err := w.Load(context.Background(), Tissue{Wall: law}, EndsHeld, nil, mmHg)
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0.0
	for i, x := range w.Mesh.Nodes {
		if math.Abs(x.X-12) < 1.5 && math.Hypot(x.Y, x.Z) < 5+1e-9 {
			sum, n = sum+math.Hypot(st.Places[i].Y, st.Places[i].Z), n+1
		}
	}
	if got := sum / n; math.Abs(got-want) > 0.01*(want-5) || want < 5.2 {
		t.Errorf("inner radius %.4f mm, closed form %.4f", got, want)
	}
}
