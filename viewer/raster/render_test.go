package raster

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"runtime"
	"testing"

	"halsted/imaging"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

func render(t testing.TB, sc *scene.Scene, opt Options) *image.RGBA {
	t.Helper()
	img, err := Render(context.Background(), sc, opt)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// apart is the largest difference of a pixel from a colour with components
// 0..1, in steps of 8 bits.
func apart(c color.RGBA, want [3]float64) float64 {
	return max(math.Abs(float64(c.R)-255*want[0]), math.Abs(float64(c.G)-255*want[1]), math.Abs(float64(c.B)-255*want[2]))
}

func components(c color.NRGBA) [3]float64 {
	return [3]float64{float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255}
}

// facing is the colour of a surface that squarely faces the viewer in the
// middle of the picture.
func facing(c color.NRGBA, back bool) [3]float64 {
	d, s := scene.Shade(r3.Vec{Z: 1}, r3.Vec{Z: 1})
	r, g, b := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
	if back {
		r, g, b = scene.BackColour(r, g, b)
		s = 0
	}
	return [3]float64{d*r + s, d*g + s, d*b + s}
}

// nested is three transparent spheres round one centre, added in an order that
// is not the order of blending.
func nested(t testing.TB) *scene.Scene {
	sc := scene.New()
	for n, r := range []float64{60, 90, 30} {
		v, tr := sphere(r3.Vec{X: 5, Y: -3, Z: 8}, r, 96)
		s := add(t, sc, string(rune('a'+n)), imaging.LabelLiver, v, tr)
		s.Colour = []color.NRGBA{{R: 40, G: 200, B: 90, A: 255}, {R: 220, G: 60, B: 50, A: 255}, {R: 50, G: 90, B: 230, A: 255}}[n]
		s.Opacity = []float64{0.5, 0.3, 0.7}[n]
	}
	return sc
}

func TestNestedTransparencyIsTheAnalyticBlend(t *testing.T) {
	sc := nested(t)
	for v := scene.Anterior; v <= scene.Right; v++ { // the poles of the spheres lie along z
		sc.Show(v, 1)
		img := render(t, sc, Options{Width: 201, Height: 201, Plain: true})
		want := components(sc.Background)
		outer, middle, inner := sc.Structures[1], sc.Structures[0], sc.Structures[2]
		for n, s := range []*scene.Structure{outer, middle, inner, inner, middle, outer} {
			c := facing(s.Colour, n < 3) // the far halves show their inner sides
			for k := range 3 {
				want[k] += s.Opacity * (c[k] - want[k])
			}
		}
		if d := apart(img.RGBAAt(100, 100), want); d > 1 {
			t.Errorf("%v: centre is %v, want %.1f %.1f %.1f", v, img.RGBAAt(100, 100), 255*want[0], 255*want[1], 255*want[2])
		}
		if d := apart(img.RGBAAt(2, 2), components(sc.Background)); d > 0.5 {
			t.Errorf("%v: the background is off by %g", v, d)
		}
	}
}

func TestInsideOutSurfacesAreSeen(t *testing.T) {
	v, tr := sphere(r3.Vec{}, 40, 64)
	for _, flip := range []bool{false, true} {
		sc := scene.New()
		faces := append([][3]int32(nil), tr...)
		if flip {
			for i := range faces {
				faces[i][1], faces[i][2] = faces[i][2], faces[i][1]
			}
		}
		s := add(t, sc, "bone", imaging.LabelBone, v, faces)
		sc.Show(scene.Anterior, 1)
		c := render(t, sc, Options{Width: 101, Height: 101, Plain: true}).RGBAAt(50, 50)
		if d := apart(c, facing(s.Colour, flip)); d > 1 {
			t.Errorf("flipped %v: centre is %v, want %v", flip, c, facing(s.Colour, flip))
		}
		if d := apart(c, facing(s.Colour, !flip)); d < 30 {
			t.Errorf("flipped %v: front and back look alike (%g)", flip, d)
		}
	}
}

// A sphere of radius r at distance D covers a disc of radius f·r/√(D²−r²).
func TestSilhouetteHasTheRightSize(t *testing.T) {
	sc := scene.New()
	v, tr := sphere(r3.Vec{X: 30, Y: 20, Z: 900}, 40, 128)
	add(t, sc, "bone", imaging.LabelBone, v, tr)
	sc.Show(scene.Left, 1)
	const h = 400
	img := render(t, sc, Options{Width: h, Height: h, Plain: true})
	bg := color.RGBA(sc.Background)
	area := 0.0
	for y := range h {
		for x := range h {
			if img.RGBAAt(x, y) != bg {
				area++
			}
		}
	}
	d := sc.Camera.DistanceMM()
	radius := float64(h) / 2 / math.Tan(sc.Camera.FovYDeg*math.Pi/360) * 40 / math.Sqrt(d*d-40*40)
	// Pixels on the rim count whole: half a pixel of radius.
	if got := math.Sqrt(area / math.Pi); math.Abs(got-radius) > 0.7 {
		t.Errorf("radius %.2f px, want %.2f", got, radius)
	}
}

// A transparent plane of many crooked triangles must look like one of two:
// no sample of a shared edge is covered twice or not at all.
func TestSharedEdgesCoverEachSampleOnce(t *testing.T) {
	picture := func(n int) *image.RGBA {
		var v []r3.Vec
		var tr [][3]int32
		for j := range n + 1 {
			for i := range n + 1 {
				x, z := 100*float64(i)/float64(n)-50, 100*float64(j)/float64(n)-50
				if i > 0 && i < n && j > 0 && j < n { // stay in the plane
					x += 30 / float64(n) * math.Sin(float64(7*i+3*j))
					z += 30 / float64(n) * math.Cos(float64(5*i-2*j))
				}
				v = append(v, r3.Vec{X: x, Y: 0.2 * x, Z: z})
			}
		}
		for j := range n {
			for i := range n {
				a := int32(j*(n+1) + i)
				b, c, d := a+1, a+int32(n)+1, a+int32(n)+2
				tr = append(tr, [3]int32{a, b, d}, [3]int32{a, d, c})
			}
		}
		sc := scene.New()
		add(t, sc, "s", imaging.LabelLiver, v, tr).Opacity = 0.5
		sc.Camera.Eye, sc.Camera.FovYDeg = r3.Vec{X: 12, Y: -300, Z: 7}, 20
		return render(t, sc, Options{Width: 333, Height: 217, Plain: true})
	}
	few, many := picture(1), picture(23)
	for i := range few.Pix {
		if d := int(few.Pix[i]) - int(many.Pix[i]); d < -1 || d > 1 {
			t.Fatalf("pixel (%d, %d) is %d in one and %d in the other", i/4%333, i/4/333, few.Pix[i], many.Pix[i])
		}
	}
}

func TestClipPlaneOpensTheBody(t *testing.T) {
	sc := scene.New()
	v, tr := sphere(r3.Vec{}, 40, 64)
	shell := add(t, sc, "bone", imaging.LabelBone, v, tr)
	v, tr = sphere(r3.Vec{}, 10, 32)
	core := add(t, sc, "tumour_1", imaging.LabelTumour, v, tr)
	core.Unclipped = true
	sc.Show(scene.Anterior, 1)
	sc.Clips = []scene.Plane{{Point: r3.Vec{Y: -5}, Normal: r3.Vec{Y: -1}}}
	img := render(t, sc, Options{Width: 201, Height: 201, Plain: true})
	if d := apart(img.RGBAAt(100, 100), facing(core.Colour, false)); d > 1 {
		t.Errorf("the core behind the cut is not seen: %v", img.RGBAAt(100, 100))
	}
	mm := sc.Camera.PixelMM(sc.Camera.DistanceMM(), 201)
	beside := img.RGBAAt(100+int(20/mm), 100)
	if w := facing(shell.Colour, true); float64(beside.R) > 255*w[0]+2 || beside.R < 60 {
		t.Errorf("beside the core the inner side is %v, at most %v", beside, w)
	}
	sc.Clips[0].Point.Y = -41 // beyond the sphere: nothing is cut
	if d := apart(render(t, sc, Options{Width: 201, Height: 201, Plain: true}).RGBAAt(100, 100), facing(shell.Colour, false)); d > 1 {
		t.Error("a plane beside the sphere cuts it")
	}
	sc.Clips = make([]scene.Plane, scene.MaxClips+1)
	if _, err := Render(context.Background(), sc, Options{}); err == nil {
		t.Error("too many clip planes pass")
	}
}

func TestQuantityColoursMatchTheScale(t *testing.T) {
	sc := scene.New()
	v, tr := sphere(r3.Vec{}, 40, 64)
	add(t, sc, "liver", imaging.LabelLiver, v, tr)
	vals := make([]float32, len(v))
	for i, p := range v {
		vals[i] = float32(20 + p.X/4) // 10 to 30 from right to left
	}
	if err := sc.AppendFrame(&scene.Frame{Epoch: 1, Seq: 1, Pos: v, Fields: []scene.Field{{ID: "von_mises", Unit: "kPa", Values: vals}}}); err != nil {
		t.Fatal(err)
	}
	sc.ColourBy("von_mises")
	sc.Show(scene.Anterior, 1)
	sc.Camera.OffsetX = 0
	check := func(lo, hi float64, want func(v float64) [3]float64) {
		t.Helper()
		if err := sc.LockRange("von_mises", lo, hi); err != nil {
			t.Fatal(err)
		}
		img := render(t, sc, Options{Width: 301, Height: 301, Plain: true})
		d, s := scene.Shade(r3.Vec{Z: 1}, r3.Vec{Z: 1})
		w := want(20)
		for k := range w {
			w[k] = w[k]*scene.Flatten(d) + s*scene.QuantityShade
		}
		if got := img.RGBAAt(150, 150); apart(got, w) > 1.5 {
			t.Errorf("range %g to %g: centre is %v, want %.1f %.1f %.1f", lo, hi, got, 255*w[0], 255*w[1], 255*w[2])
		}
	}
	check(10, 30, func(float64) [3]float64 { r, g, b := scene.Viridis(0.5); return [3]float64{r, g, b} })
	check(16, 36, func(float64) [3]float64 { r, g, b := scene.Viridis(0.2); return [3]float64{r, g, b} })
	check(25, 30, func(float64) [3]float64 { return components(scene.BelowRange) })
	check(0, 15, func(float64) [3]float64 { return components(scene.AboveRange) })
}

func TestCameraInsideABodySeesItsInnerSide(t *testing.T) {
	sc := scene.New()
	v, tr := sphere(r3.Vec{}, 40, 24)
	add(t, sc, "bone", imaging.LabelBone, v, tr)
	sc.Camera.Eye = r3.Vec{Y: -3, X: 1}
	img := render(t, sc, Options{Width: 120, Height: 80, Plain: true})
	bg := color.RGBA(sc.Background)
	for y := range 80 {
		for x := range 120 {
			if c := img.RGBAAt(x, y); c == bg || int(c.R) > 200 {
				t.Fatalf("pixel (%d, %d) is %v", x, y, c)
			}
		}
	}
}

func TestSameBytesForAnyNumberOfCores(t *testing.T) {
	sc := organScene(t, 40)
	sc.Show(scene.Anterior, 1.5)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for _, n := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(n)
		img := render(t, sc, Options{Width: 300, Height: 200})
		if first == nil {
			first = img.Pix
		} else if !bytes.Equal(first, img.Pix) {
			t.Fatalf("GOMAXPROCS %d gives other bytes", n)
		}
	}
}

func TestRenderStopsAndRefuses(t *testing.T) {
	sc := organScene(t, 20)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Render(ctx, sc, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, o := range []Options{{Width: 10}, {Width: -1, Height: 5}, {Width: MaxSize + 1, Height: 10}} {
		if _, err := Render(context.Background(), sc, o); err == nil {
			t.Errorf("size %d by %d passes", o.Width, o.Height)
		}
	}
	if img := render(t, scene.New(), Options{Width: 50, Height: 40, Plain: true}); img.RGBAAt(20, 20) != color.RGBA(scene.New().Background) {
		t.Error("an empty scene is not background")
	}
}

func BenchmarkRender200kTriangles(b *testing.B) {
	sc := organScene(b, 220)
	sc.Show(scene.Anterior, 1280.0/960)
	for b.Loop() {
		render(b, sc, Options{Width: 1280, Height: 960})
	}
}

// A transparent skin that coincides with an opaque body is drawn all over it,
// whatever corner its triangles start at.
func TestCoincidentSkinIsDrawn(t *testing.T) {
	sc := scene.New()
	v, tr := sphere(r3.Vec{X: 3, Y: 1, Z: -7}, 40, 40)
	body := add(t, sc, "tumour_1", imaging.LabelTumour, v, tr)
	turned := append([][3]int32(nil), tr...)
	for i, f := range turned {
		turned[i] = [3]int32{f[(1+i)%3], f[(2+i)%3], f[i%3]}
	}
	skin := add(t, sc, "liver", imaging.LabelLiver, v, turned)
	skin.Opacity = 0.5
	sc.Show(scene.Left, 1)
	img := render(t, sc, Options{Width: 201, Height: 201, Plain: true})
	a, b := facing(body.Colour, false), facing(skin.Colour, false)
	want := [3]float64{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2}
	if got := img.RGBAAt(100, 100); apart(got, want) > 1 {
		t.Errorf("centre is %v, want %v", got, want)
	}
	smooth(t, img)
	skin.Opacity = 1 // two opaque bodies: the first one is seen, all over
	img = render(t, sc, Options{Width: 201, Height: 201, Plain: true})
	if got := img.RGBAAt(100, 100); apart(got, a) > 1 {
		t.Errorf("centre is %v, want %v", got, a)
	}
	smooth(t, img)
}

// smooth looks for speckles, which show where rounding decides.
func smooth(t *testing.T, img *image.RGBA) {
	t.Helper()
	for y := 60; y < 140; y++ {
		for x := 60; x < 140; x++ {
			p, q := img.RGBAAt(x, y), img.RGBAAt(x+1, y)
			if d := int(p.B) - int(q.B); d > 4 || d < -4 {
				t.Fatalf("speckle at (%d, %d): %v beside %v", x, y, p, q)
			}
		}
	}
}
