package scene

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func randomCamera(r *rand.Rand) Camera {
	c := Camera{Target: r3.Vec{X: 200 * r.Float64(), Y: -90, Z: 40}, FovYDeg: 20 + 40*r.Float64(), OffsetX: 0.2 * (r.Float64() - 0.5)}
	c.Look(View(r.IntN(6)))
	c.Orbit(360*r.Float64(), 170*(r.Float64()-0.5))
	c.Zoom(0.3 + r.Float64())
	return c
}

func TestBasisIsOrthonormalAndRightHanded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		c := randomCamera(r)
		x, y, z := c.Basis()
		for _, v := range []float64{r3.Norm(x) - 1, r3.Norm(y) - 1, r3.Norm(z) - 1, r3.Dot(x, y), r3.Dot(y, z), r3.Dot(x, z), r3.Norm(r3.Sub(r3.Cross(x, y), z))} {
			if math.Abs(v) > 1e-12 {
				t.Fatalf("basis %v %v %v is off by %g", x, y, z, v)
			}
		}
	}
}

func TestRayIsTheInverseOfProject(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		c := randomCamera(r)
		x, y := 1280*r.Float64(), 800*r.Float64()
		o, d := c.Ray(x, y, 1280, 800)
		gx, gy, depth := c.Project(r3.Add(o, r3.Scale(300*r.Float64()+10, d)), 1280, 800)
		if depth <= 0 || math.Abs(gx-x) > 1e-8 || math.Abs(gy-y) > 1e-8 {
			t.Fatalf("pixel (%g, %g) comes back as (%g, %g) at depth %g", x, y, gx, gy, depth)
		}
	}
}

// spike is a body that sticks out to the patient's left, forward and up by
// different lengths, so that no mirror image fits it.
var spike = map[string]r3.Vec{"L": {X: 50}, "A": {Y: -35}, "H": {Z: 80}}

// seen reports whether, in a camera's picture, each spike points to the edge
// of the screen that carries its letter.
func seen(c *Camera, body map[string]r3.Vec) bool {
	left, right, top, bottom := c.Letters()
	cx, cy, _ := c.Project(c.Target, 1000, 1000)
	for letter, tip := range body {
		x, y, _ := c.Project(r3.Add(c.Target, tip), 1000, 1000)
		switch letter {
		case right:
			if !(x > cx+5) {
				return false
			}
		case left:
			if !(x < cx-5) {
				return false
			}
		case top:
			if !(y < cy-5) {
				return false
			}
		case bottom:
			if !(y > cy+5) {
				return false
			}
		}
	}
	return true
}

func TestStandardViewsShowTheRightSide(t *testing.T) {
	want := map[View][4]string{ // left, right, top, bottom of the screen
		Anterior:  {"R", "L", "H", "F"},
		Posterior: {"L", "R", "H", "F"},
		Left:      {"A", "P", "H", "F"},
		Right:     {"P", "A", "H", "F"},
		Cranial:   {"L", "R", "A", "P"},
		Caudal:    {"R", "L", "A", "P"},
	}
	for v, w := range want {
		c := Camera{Target: r3.Vec{X: -40, Y: 10, Z: 900}, FovYDeg: DefaultFovYDeg}
		c.Look(v)
		l, r, top, b := c.Letters()
		if got := [4]string{l, r, top, b}; got != w {
			t.Errorf("%v: letters %v, want %v", v, got, w)
		}
		if !seen(&c, spike) {
			t.Errorf("%v: the asymmetric body does not point to its letters", v)
		}
		mirrored := map[string]r3.Vec{}
		for k, p := range spike {
			mirrored[k] = r3.Vec{X: -p.X, Y: p.Y, Z: p.Z}
		}
		if _, _, right := c.Basis(); math.Abs(right.X) < 0.5 && seen(&c, mirrored) {
			t.Errorf("%v: a left-right flip goes unseen", v)
		}
		if back, err := ParseView(v.String()); err != nil || back != v {
			t.Errorf("%v does not parse back: %v, %v", v, back, err)
		}
	}
	if _, err := ParseView("sideways"); err == nil {
		t.Error("an unknown view passes")
	}
}

func TestObliqueViewHasTwoLetters(t *testing.T) {
	c := Camera{FovYDeg: 30}
	c.Look(Anterior)
	c.Orbit(30, 0) // the eye moves to the patient's left
	if c.Eye.X <= 0 {
		t.Fatalf("eye at %v, want it on the patient's left", c.Eye)
	}
	l, r, top, _ := c.Letters()
	if l != "RA" || r != "LP" || top != "H" {
		t.Errorf("letters %q %q %q, want RA LP H", l, r, top)
	}
	c.Look(Anterior)
	c.Orbit(0, 30) // the eye moves to the head
	if _, _, top, _ = c.Letters(); c.Eye.Z <= 0 || top != "HP" {
		t.Errorf("eye at %v, top letter %q, want HP", c.Eye, top)
	}
}

func TestOrbitPanZoom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		c := randomCamera(r)
		d := c.DistanceMM()
		e := c
		for range 12 {
			e.Orbit(30, 0)
		}
		if r3.Norm(r3.Sub(e.Eye, c.Eye)) > 1e-9*d || math.Abs(e.DistanceMM()-d) > 1e-9*d {
			t.Fatalf("a full turn ends at %v, began at %v", e.Eye, c.Eye)
		}
		target := c.Target
		c.Pan(37, -21, 800)
		x, y, _ := c.Project(target, 1280, 800)
		if math.Abs(x-c.CentreX(1280)-37) > 1e-8 || math.Abs(y-400+21) > 1e-8 {
			t.Fatalf("panned by (37, -21) the old target stands at (%g, %g)", x-c.CentreX(1280), y-400)
		}
		c.Zoom(0.5)
		if math.Abs(c.DistanceMM()-d/2) > 1e-9*d {
			t.Fatalf("zoomed to %g mm from %g", c.DistanceMM(), d)
		}
	}
	c := Camera{FovYDeg: 30}
	c.Look(Anterior)
	c.Zoom(1e-9)
	if c.DistanceMM() < minDistanceMM-1e-9 {
		t.Errorf("zoomed through the target: %g mm", c.DistanceMM())
	}
}

func TestFitHoldsTheBoxAndFillsThePicture(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		c := randomCamera(r)
		p := r3.Vec{X: 300 * r.Float64(), Y: 300 * r.Float64(), Z: 300 * r.Float64()}
		b := r3.Box{Min: p, Max: r3.Add(p, r3.Vec{X: 10 + 200*r.Float64(), Y: 10 + 200*r.Float64(), Z: 10 + 200*r.Float64()})}
		const w, h = 1280, 800
		c.Fit(b, float64(w)/h)
		var widest float64
		half := min(c.CentreX(w), w-c.CentreX(w))
		for _, q := range b.Vertices() {
			x, y, depth := c.Project(q, w, h)
			if depth <= 0 {
				t.Fatal("a corner of the box is behind the eye")
			}
			widest = max(widest, math.Abs(x-c.CentreX(w))/half, math.Abs(y-h/2)/(h/2))
		}
		if math.Abs(widest-fitShare) > 1e-9 {
			t.Fatalf("the box fills %.3f of the picture, want %.2f", widest, fitShare)
		}
		near, far := c.NearFar(b)
		if !(near > 0 && near < far && far/near <= 1001) {
			t.Fatalf("depth range %g to %g mm", near, far)
		}
	}
}
