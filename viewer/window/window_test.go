package window

import (
	"context"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/viewer/raster"
	"halsted/viewer/scene"

	g3nwindow "github.com/g3n/engine/window"
	"gonum.org/v1/gonum/spatial/r3"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// Mesa's software driver gives slightly other colours with other CPU features
// and versions: at most 4 of 255 were seen. Beyond the tolerance may lie a few
// samples on edges.
const (
	stepTol  = 6
	outliers = 0.0004
)

// differ counts the channels that differ by more than tol, and gives the mean.
func differ(t *testing.T, got, want *image.RGBA, tol int) (share, mean float64) {
	t.Helper()
	if got.Rect != want.Rect {
		t.Fatalf("picture of %v, want %v", got.Rect, want.Rect)
	}
	n, sum := 0, 0
	for i := range got.Pix {
		d := int(got.Pix[i]) - int(want.Pix[i])
		d = max(d, -d)
		sum += d
		if d > tol {
			n++
		}
	}
	return float64(n) / float64(len(got.Pix)), float64(sum) / float64(len(got.Pix))
}

func golden(t *testing.T, name string, img *image.RGBA) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	if *update {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := raster.EncodePNG(f, img, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v: make it with go test -update and look at it", err)
	}
	defer f.Close()
	dec, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want := image.NewRGBA(dec.Bounds())
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			want.Set(x, y, dec.At(x, y))
		}
	}
	if share, _ := differ(t, img, want, stepTol); share > outliers {
		t.Errorf("%s: %.2f %% of the channels differ by more than %d", name, 100*share, stepTol)
	}
}

// agrees compares a screenshot with what viewer/raster draws of the same
// scene: two drawers that share no drawing code.
func agrees(t *testing.T, w *Window, sc *scene.Scene) *image.RGBA {
	t.Helper()
	const width, height = 640, 480
	img, err := w.Screenshot(sc, width, height)
	if err != nil {
		t.Fatal(err)
	}
	want, err := raster.Render(context.Background(), sc, raster.Options{Width: width, Height: height})
	if err != nil {
		t.Fatal(err)
	}
	share, mean := differ(t, img, want, stepTol)
	if share > 0.003 || mean > 0.5 {
		t.Errorf("%.2f %% of the channels differ by more than %d from the software picture; mean %.3f", 100*share, stepTol, mean)
	}
	return img
}

func nested(t testing.TB) *scene.Scene {
	sc := scene.New()
	for n, r := range []float64{60, 90, 30} {
		v, tr := sphere(r3.Vec{X: 5, Y: -3, Z: 8}, r, 64)
		s := add(t, sc, string(rune('a'+n)), imaging.LabelLiver, v, tr)
		s.Colour = []color.NRGBA{{R: 40, G: 200, B: 90, A: 255}, {R: 220, G: 60, B: 50, A: 255}, {R: 50, G: 90, B: 230, A: 255}}[n]
		s.Opacity = []float64{0.5, 0.3, 0.7}[n]
	}
	return sc
}

// TestWindow draws everything in one window: a process has only one.
func TestWindow(t *testing.T) {
	display := os.Getenv("DISPLAY")
	os.Unsetenv("DISPLAY")
	if _, err := Open(Options{Hidden: true}); !errors.Is(err, ErrNoDisplay) {
		t.Errorf("without DISPLAY: %v", err)
	}
	os.Setenv("DISPLAY", display)
	if _, err := Open(Options{Width: MaxSize + 1, Height: 10}); err == nil {
		t.Error("a window of any size opens")
	}
	w, err := Open(Options{Hidden: true, Width: 640, Height: 480})
	if err != nil {
		t.Fatalf("%v (packages xvfb, libgl1-mesa-dri and libgl-dev)", err)
	}
	defer w.Close()
	t.Log(w.Driver())
	if _, err := Open(Options{}); !errors.Is(err, errOpened) {
		t.Errorf("a second window: %v", err)
	}
	const aspect = 640.0 / 480
	// Not t.Run: OpenGL belongs to this goroutine's thread.
	part := func(name string, f func()) {
		t.Helper()
		had := t.Failed()
		f()
		if t.Failed() && !had {
			t.Errorf("in: %s", name)
		}
	}

	part("transparent organ", func() {
		sc := organScene(t, 64)
		sc.Show(scene.Anterior, aspect)
		golden(t, "organ_anterior", agrees(t, w, sc))
	})
	part("nested shells blend in order from every side", func() {
		sc := nested(t)
		for v := scene.Anterior; v <= scene.Caudal; v++ {
			sc.Show(v, aspect)
			agrees(t, w, sc)
		}
	})
	part("stress, clip plane and ranges", func() {
		sc := organScene(t, 64)
		sc.ColourBy("von_mises")
		sc.Show(scene.Caudal, aspect)
		golden(t, "stress_caudal", agrees(t, w, sc))
		if err := sc.LockRange("von_mises", 1, 10); err != nil {
			t.Fatal(err)
		}
		sc.Structures[1].Unclipped = true
		sc.Clips = []scene.Plane{{Point: r3.Vec{Y: -20}, Normal: r3.Vec{Y: -1}}, {Point: r3.Vec{X: 70}, Normal: r3.Vec{X: 1}}}
		sc.Show(scene.Anterior, aspect)
		sc.Camera.Orbit(20, 10)
		golden(t, "stress_clipped", agrees(t, w, sc))
	})
	part("new frames stream into the same buffers", func() { streaming(t, w, aspect) })
	part("what the window shows is what is off the screen", func() {
		sc := organScene(t, 48)
		sc.ColourBy("displacement")
		sc.Background = color.NRGBA{R: 30, G: 34, B: 42, A: 255}
		sc.Show(scene.Anterior, aspect)
		c := &scene.Controls{Scene: sc, Width: 640, Height: 480, Probe: "probe"}
		shown := func() *image.RGBA {
			hud, err := HUD(c)
			if err != nil {
				t.Fatal(err)
			}
			img, err := w.Frame(sc, hud, 640, 480)
			if err != nil {
				t.Fatal(err)
			}
			return img
		}
		frame := shown()
		over, err := raster.Overlay(sc, 640, 480)
		if err != nil {
			t.Fatal(err)
		}
		// Legend and letters lie over plain background on the right: there the
		// picture is the overlay, to one step of rounding each way.
		checked := 0
		for y := range 480 {
			for x := 515; x < 640; x++ {
				o := over.RGBAAt(x, y)
				if o.A != 255 {
					continue
				}
				checked++
				if g := frame.RGBAAt(x, y); absDiff(g.R, o.R) > 1 || absDiff(g.G, o.G) > 1 || absDiff(g.B, o.B) > 1 {
					t.Fatalf("legend pixel (%d, %d) is %v, want %v", x, y, g, o)
				}
			}
		}
		if checked < 300 {
			t.Errorf("only %d legend pixels found", checked)
		}
		c.Help = true
		if share, _ := differ(t, shown(), frame, stepTol); share < 0.01 {
			t.Error("the list of keys does not show")
		}
	})
	part("a session", func() { session(t, w) })
	if _, err := w.Frame(scene.New(), nil, 0, 5); err == nil {
		t.Error("a picture without width passes")
	}
	if _, err := w.Screenshot(scene.New(), 64, 64); err != nil {
		t.Errorf("an empty scene: %v", err)
	}
}

func absDiff(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

func streaming(t *testing.T, w *Window, aspect float64) {
	sc := organScene(t, 48)
	sc.Show(scene.Anterior, aspect)
	agrees(t, w, sc)
	geom := [2]any{w.parts[0].geom, w.parts[1].geom}
	f := *sc.Timeline.Current()
	f.Seq++
	f.Pos = append([]r3.Vec(nil), f.Pos...)
	for i, p := range f.Pos {
		f.Pos[i] = r3.Vec{X: p.X, Y: p.Y, Z: p.Z + 0.1*p.X}
	}
	if err := sc.AppendFrame(&f); err != nil {
		t.Fatal(err)
	}
	agrees(t, w, sc)
	if geom != [2]any{w.parts[0].geom, w.parts[1].geom} {
		t.Error("a new frame of the same bodies makes new buffers")
	}
	// Turning and hiding bodies changes which buffers they are in.
	sc.Structures[0].Opacity = 1
	sc.Structures[3].Visible = false
	agrees(t, w, sc)
	sc.Structures[0].Opacity = 0.2
	agrees(t, w, sc)
}

// session drives Run with frames from another goroutine and with the events
// that GLFW would send.
func session(t *testing.T, w *Window) {
	var in scene.Inbox
	sc := scene.New()
	c := &scene.Controls{Scene: sc, Width: 640, Height: 480}
	v, tr := sphere(r3.Vec{}, 50, 24)
	go func() {
		in.Topology([]scene.Body{{Name: "liver", Label: imaging.LabelLiver, Verts: v, Tris: tr}})
		for seq := uint64(1); seq <= 20; seq++ {
			vals := make([]float32, len(v))
			for i := range vals {
				vals[i] = float32(seq) * float32(v[i].Z+50)
			}
			in.Frame(&scene.Frame{Epoch: 1, Seq: seq, Pos: v, Fields: []scene.Field{{ID: "von_mises", Unit: "kPa", Values: vals}}})
		}
		in.Frame(&scene.Frame{Epoch: 1, Seq: 21, Pos: v[:1]}) // does not fit
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	misfits, rebuilt, first, step := 0, 0, 0, 0
	key := func(k g3nwindow.Key) { w.win.Dispatch(g3nwindow.OnKeyDown, &g3nwindow.KeyEvent{Key: k}) }
	mouse := func(ev string, x, y float32) {
		w.win.Dispatch(ev, &g3nwindow.MouseEvent{Xpos: x, Ypos: y, Button: g3nwindow.MouseButton1})
	}
	cursor := func(x, y float32) {
		w.win.Dispatch(g3nwindow.OnCursor, &g3nwindow.CursorEvent{Xpos: x, Ypos: y})
	}
	// The thread of the window is busy in Run; events are sent from a callback
	// that runs on it, as GLFW's are.
	in.Status("Live")
	drive := func() {
		step++
		key(g3nwindow.KeyF) // colours
		if sc.Structures[0].Quantity != "von_mises" {
			t.Error("the key f shows no quantity")
		}
		eye := sc.Camera.Eye
		mouse(g3nwindow.OnMouseDown, 320, 200)
		cursor(360, 210)
		mouse(g3nwindow.OnMouseUp, 360, 210)
		if sc.Camera.Eye == eye {
			t.Error("dragging does not orbit")
		}
		mouse(g3nwindow.OnMouseDown, 280, 240)
		mouse(g3nwindow.OnMouseUp, 280, 240)
		if c.Probe == "" {
			t.Error("a click reads no value")
		}
		x0, x1, y, _, _ := slider(c)
		mouse(g3nwindow.OnMouseDown, float32(x0), float32(y))
		cursor(float32(x0+x1)/2, float32(y))
		mouse(g3nwindow.OnMouseUp, float32(x0+x1)/2, float32(y))
		if n := sc.Timeline.Current().Seq; n < 9 || n > 12 {
			t.Errorf("the middle of the slider shows frame %d", n)
		}
		d := sc.Camera.DistanceMM()
		w.win.Dispatch(g3nwindow.OnScroll, &g3nwindow.ScrollEvent{Yoffset: 1})
		if sc.Camera.DistanceMM() >= d {
			t.Error("the wheel does not come closer")
		}
		key(g3nwindow.KeyEscape)
	}
	err := w.Run(ctx, Viewer{
		Controls: c, Inbox: &in,
		Rebuilt: func(sc *scene.Scene) { rebuilt++; sc.Show(scene.Anterior, 640.0/480) },
		First:   func(*scene.Scene) { first++ },
		Misfit:  func(error) { misfits++; drive() },
	})
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	if misfits != 1 || rebuilt != 1 || first != 1 || step != 1 || sc.Timeline.Len() != 20 || !c.Quit {
		t.Errorf("misfits %d, rebuilt %d, first %d, frames %d, quit %v", misfits, rebuilt, first, sc.Timeline.Len(), c.Quit)
	}
	done, stop := context.WithCancel(context.Background())
	stop()
	c.Quit = false
	if err := w.Run(done, Viewer{Controls: c}); err != nil {
		t.Errorf("a cancelled session: %v", err)
	}
}
