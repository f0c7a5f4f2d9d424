package scene

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// DefaultFovYDeg is the vertical field of view of a new camera. 30° keeps
// perspective distortion of an organ small.
const DefaultFovYDeg = 30

// Bounds of the distance between eye and target, mm: from closer than any
// structure of interest to farther than any patient is tall.
const (
	minDistanceMM = 5
	maxDistanceMM = 20000
)

// View is a standard viewing direction, named by where the viewer stands.
type View uint8

// The standard views.
const (
	Anterior  View = iota // from the front; patient's right on the left of the screen
	Posterior             // from the back
	Left                  // from the patient's left
	Right                 // from the patient's right
	Cranial               // from the head, anterior on top
	Caudal                // from the feet, anterior on top, as axial CT is shown
)

var viewNames = [...]string{"anterior", "posterior", "left", "right", "cranial", "caudal"}

func (v View) String() string { return viewNames[v] }

// ParseView reads the name of a standard view.
func ParseView(name string) (View, error) {
	for v, n := range viewNames {
		if n == strings.ToLower(name) {
			return View(v), nil
		}
	}
	return 0, fmt.Errorf("scene: unknown view %q, want one of %s", name, strings.Join(viewNames[:], ", "))
}

// direction from the target to the eye, and up, in LPS.
var viewAxes = [...][2]r3.Vec{
	Anterior:  {{Y: -1}, {Z: 1}},
	Posterior: {{Y: 1}, {Z: 1}},
	Left:      {{X: 1}, {Z: 1}},
	Right:     {{X: -1}, {Z: 1}},
	Cranial:   {{Z: 1}, {Y: -1}},
	Caudal:    {{Z: -1}, {Y: -1}},
}

// Camera is a perspective camera. Up is not parallel to Eye − Target.
type Camera struct {
	Eye, Target, Up r3.Vec  // LPS mm
	FovYDeg         float64 // full vertical field of view
	// OffsetX moves the target from the middle of the picture to the right, as
	// a share of its width, without turning the camera (a shifted lens).
	OffsetX float64
}

// Basis is the orthonormal frame of view space in LPS: right and up on the
// screen, back towards the viewer; right × up = back.
func (c *Camera) Basis() (right, up, back r3.Vec) {
	back = r3.Unit(r3.Sub(c.Eye, c.Target))
	right = r3.Unit(r3.Cross(c.Up, back))
	return right, r3.Cross(back, right), back
}

// DistanceMM is how far the eye is from the target.
func (c *Camera) DistanceMM() float64 { return r3.Norm(r3.Sub(c.Eye, c.Target)) }

// Look turns the camera round its target to a standard view; the distance
// stays.
func (c *Camera) Look(v View) {
	d := c.DistanceMM()
	if d == 0 {
		d = 600
	}
	c.Eye = r3.Add(c.Target, r3.Scale(d, viewAxes[v][0]))
	c.Up = viewAxes[v][1]
}

// fitShare is the share of the picture that Fit fills, so that letters and
// legend keep clear of the organ.
const fitShare = 0.80

// Fit aims at the centre of the box and moves back until its eight corners are
// in the picture, whatever OffsetX; the direction stays.
func (c *Camera) Fit(b r3.Box, aspect float64) {
	right, up, back := c.Basis()
	centre := r3.Scale(0.5, r3.Add(b.Min, b.Max))
	ty := math.Tan(c.FovYDeg*math.Pi/360) * fitShare
	tx := ty * aspect * (1 - 2*math.Abs(c.OffsetX))
	var d float64
	for _, p := range b.Vertices() {
		q := r3.Sub(p, centre)
		z := r3.Dot(q, back)
		d = max(d, z+math.Abs(r3.Dot(q, up))/ty, z+math.Abs(r3.Dot(q, right))/tx)
	}
	c.Target = centre
	c.Eye = r3.Add(centre, r3.Scale(clampDistance(d), back))
}

func clampDistance(d float64) float64 { return max(minDistanceMM, min(d, maxDistanceMM)) }

// Orbit turns the camera round its target: yaw about the up axis of the
// screen (positive moves the eye to the right), pitch about its right axis
// (positive moves the eye up).
func (c *Camera) Orbit(yawDeg, pitchDeg float64) {
	right, up, back := c.Basis()
	yaw := r3.NewRotation(yawDeg*math.Pi/180, up)
	pitch := r3.NewRotation(-pitchDeg*math.Pi/180, right)
	d := c.DistanceMM()
	c.Eye = r3.Add(c.Target, r3.Scale(d, yaw.Rotate(pitch.Rotate(back))))
	c.Up = yaw.Rotate(pitch.Rotate(up))
}

// Pan moves eye and target so that what lies at the target moves by (dx, dy)
// pixels in a picture of the given height.
func (c *Camera) Pan(dx, dy float64, height int) {
	right, up, _ := c.Basis()
	mm := c.PixelMM(c.DistanceMM(), height)
	d := r3.Add(r3.Scale(-dx*mm, right), r3.Scale(dy*mm, up))
	c.Eye, c.Target = r3.Add(c.Eye, d), r3.Add(c.Target, d)
}

// Zoom multiplies the distance to the target; below 1 comes closer.
func (c *Camera) Zoom(factor float64) {
	_, _, back := c.Basis()
	c.Eye = r3.Add(c.Target, r3.Scale(clampDistance(c.DistanceMM()*factor), back))
}

// PixelMM is the size of a pixel at a depth in front of the eye, mm.
func (c *Camera) PixelMM(depthMM float64, height int) float64 {
	return 2 * depthMM * math.Tan(c.FovYDeg*math.Pi/360) / float64(height)
}

// CentreX is where the target stands in a picture of w pixels, from the left.
func (c *Camera) CentreX(w int) float64 { return float64(w) * (0.5 + c.OffsetX) }

// Project maps a point to a picture of w by h pixels. depth is its distance in
// front of the eye along the viewing direction, mm; when it is not positive
// the point is behind the eye and x, y mean nothing.
func (c *Camera) Project(p r3.Vec, w, h int) (x, y, depth float64) {
	right, up, back := c.Basis()
	q := r3.Sub(p, c.Eye)
	depth = -r3.Dot(q, back)
	f := float64(h) / (2 * math.Tan(c.FovYDeg*math.Pi/360))
	return c.CentreX(w) + f*r3.Dot(q, right)/depth, float64(h)/2 - f*r3.Dot(q, up)/depth, depth
}

// Ray is the ray from the eye through the pixel coordinate (x, y), the inverse
// of Project; dir is a unit vector.
func (c *Camera) Ray(x, y float64, w, h int) (origin, dir r3.Vec) {
	right, up, back := c.Basis()
	t := 2 * math.Tan(c.FovYDeg*math.Pi/360) / float64(h)
	d := r3.Add(r3.Scale((x-c.CentreX(w))*t, right), r3.Scale((float64(h)/2-y)*t, up))
	return c.Eye, r3.Unit(r3.Sub(d, back))
}

// NearFar bounds the depth of everything in the box, mm, with near at least a
// thousandth of far.
func (c *Camera) NearFar(b r3.Box) (near, far float64) {
	_, _, back := c.Basis()
	near, far = math.Inf(1), 0
	for _, p := range b.Vertices() {
		d := -r3.Dot(r3.Sub(p, c.Eye), back)
		near, far = min(near, d), max(far, d)
	}
	far = max(far*1.01, 1)
	return max(near*0.99, far/1000), far
}

// letterShare is how much of a screen direction must lie along a patient axis
// for its letter to be shown: about 17°.
const letterShare = 0.3

// Letters names the patient directions at the edges of the screen with one
// letter, or two where the view is oblique, the stronger first: R right,
// L left, A anterior, P posterior, H head, F foot (PS3.3 C.7.6.1.1.1).
func (c *Camera) Letters() (left, right, top, bottom string) {
	r, u, _ := c.Basis()
	return letters(r3.Scale(-1, r)), letters(r), letters(u), letters(r3.Scale(-1, u))
}

func letters(d r3.Vec) string {
	axes := []struct {
		v        float64
		pos, neg string
	}{{d.X, "L", "R"}, {d.Y, "P", "A"}, {d.Z, "H", "F"}}
	var out string
	for range 2 {
		best := -1
		for n, a := range axes {
			if math.Abs(a.v) > letterShare && (best < 0 || math.Abs(a.v) > math.Abs(axes[best].v)) {
				best = n
			}
		}
		if best < 0 {
			break
		}
		if axes[best].v > 0 {
			out += axes[best].pos
		} else {
			out += axes[best].neg
		}
		axes[best].v = 0
	}
	return out
}
