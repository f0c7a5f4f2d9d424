package window

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"os"
	"runtime"

	"halsted/viewer/raster"
	"halsted/viewer/scene"

	"github.com/g3n/engine/core"
	"github.com/g3n/engine/geometry"
	"github.com/g3n/engine/gls"
	"github.com/g3n/engine/graphic"
	"github.com/g3n/engine/material"
	"github.com/g3n/engine/math32"
	"github.com/g3n/engine/renderer"
	"github.com/g3n/engine/texture"
	g3nwindow "github.com/g3n/engine/window"
	"github.com/go-gl/glfw/v3.3/glfw"
)

// ErrNoDisplay means that there is no X display to draw on.
var ErrNoDisplay = errors.New("window: no X display: set DISPLAY, or run under Xvfb (package xvfb): xvfb-run -a COMMAND")

// ErrNoOpenGL means that the display gives no OpenGL 3.3.
var ErrNoOpenGL = errors.New("window: no OpenGL 3.3: install libgl1-mesa-dri and libgl-dev")

var errOpened = errors.New("window: a process has one window, and it was opened before")

// MaxSize bounds width and height of a picture or window, pixels.
const MaxSize = 4096

// Options of a window.
type Options struct {
	Width, Height int // pixels; 0: 1280 by 800
	Title         string
	Hidden        bool // for pictures only
}

// Window is the one window of the process.
type Window struct {
	win   *g3nwindow.GlfwWindow
	gs    *gls.GLS
	rend  *renderer.Renderer
	root  *core.Node
	parts [2]*batch // opaque, transparent
	over  *graphic.Mesh
	tex   *texture.Texture2D
	w, h  int // of the visible framebuffer
	off   target
}

// target is an off-screen framebuffer.
type target struct {
	fb, colour, depth uint32
	w, h              int
}

var opened bool

// Open makes the window, and locks the calling goroutine to its thread. The
// error wraps ErrNoDisplay or ErrNoOpenGL where one of them is the cause.
func Open(opt Options) (w *Window, err error) {
	if opt.Width == 0 && opt.Height == 0 {
		opt.Width, opt.Height = 1280, 800
	}
	if err := checkSize(opt.Width, opt.Height); err != nil {
		return nil, err
	}
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" {
		return nil, ErrNoDisplay
	}
	if opened {
		return nil, errOpened
	}
	// GLFW panics where a display cannot be reached or a context not be made.
	stage := ErrNoDisplay
	defer func() {
		if r := recover(); r != nil {
			w, err = nil, fmt.Errorf("%w (%v)", stage, r)
		}
	}()
	runtime.LockOSThread()
	if err := glfw.Init(); err != nil {
		return nil, fmt.Errorf("%w (%v)", stage, err)
	}
	if opt.Hidden {
		glfw.WindowHint(glfw.Visible, glfw.False)
	}
	stage = ErrNoOpenGL
	if err := g3nwindow.Init(opt.Width, opt.Height, opt.Title); err != nil {
		return nil, fmt.Errorf("%w (%v)", stage, err)
	}
	opened = true
	w = &Window{win: g3nwindow.Get().(*g3nwindow.GlfwWindow)}
	w.gs = w.win.Gls()
	w.gs.SetCheckErrors(false)
	w.win.SetSwapInterval(1)
	w.rend = renderer.NewRenderer(w.gs)
	w.rend.SetObjectSorting(true)
	addPrograms(w.rend)
	w.root = core.NewNode()
	w.parts = [2]*batch{newBatch(false), newBatch(true)}
	w.over, w.tex = overlayMesh()
	w.w, w.h = w.win.GetFramebufferSize()
	return w, nil
}

func checkSize(w, h int) error {
	if w < 1 || h < 1 || w > MaxSize || h > MaxSize {
		return fmt.Errorf("window: %d by %d pixels, want 1 to %d each", w, h, MaxSize)
	}
	return nil
}

// Driver names the OpenGL version and renderer in use.
func (w *Window) Driver() string {
	return w.gs.GetString(gls.VERSION) + ", " + w.gs.GetString(gls.RENDERER)
}

// Close destroys the window. The process cannot open another one.
func (w *Window) Close() { w.win.Destroy() }

func overlayMesh() (*graphic.Mesh, *texture.Texture2D) {
	g := geometry.NewGeometry()
	corners := math32.NewArrayF32(0, 12)
	corners.Append(-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0)
	g.AddVBO(gls.NewVBO(corners).AddAttrib(gls.VertexPosition))
	idx := math32.NewArrayU32(0, 6)
	idx.Append(0, 1, 2, 0, 2, 3)
	g.SetIndices(idx)
	m := material.NewMaterial()
	m.SetShader(overlayProgram)
	m.SetShaderUnique(true)
	m.SetUseLights(material.UseLightNone)
	m.SetTransparent(true)
	m.SetDepthTest(false)
	t := texture.NewTexture2DFromRGBA(image.NewRGBA(image.Rect(0, 0, 1, 1)))
	t.SetUniformNames("Overlay", "OverlayInfo")
	t.SetMinFilter(gls.NEAREST)
	t.SetMagFilter(gls.NEAREST)
	m.AddTexture(t)
	mesh := graphic.NewMesh(g, m)
	mesh.SetCullable(false)
	mesh.SetRenderOrder(1 << 20) // after every body
	return mesh, t
}

// update brings bodies and clip planes up to date with the scene.
func (w *Window) update(sc *scene.Scene) {
	for _, b := range w.parts {
		old := b.mesh
		if b.fill(sc) {
			if old != nil {
				w.root.Remove(old)
			}
			if m := b.build(); m != nil {
				w.root.Add(m)
			}
		}
		b.mat.setClips(sc.Clips)
	}
}

// paint draws the scene into the bound framebuffer of w by h pixels.
func (w *Window) paint(sc *scene.Scene, width, height int) error {
	bg := sc.Background
	w.gs.Viewport(0, 0, int32(width), int32(height))
	w.gs.ClearColor(float32(bg.R)/255, float32(bg.G)/255, float32(bg.B)/255, 1)
	w.gs.Clear(gls.DEPTH_BUFFER_BIT | gls.STENCIL_BUFFER_BIT | gls.COLOR_BUFFER_BIT)
	cam := camera{c: &sc.Camera, aspect: float64(width) / float64(height), near: 1, far: 1000}
	if box, ok := sc.Bounds(); ok {
		cam.near, cam.far = sc.Camera.NearFar(box)
	}
	for _, b := range w.parts {
		b.sort(&sc.Camera)
	}
	if err := w.rend.Render(w.root, &cam); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	return nil
}

// Draw shows the scene in the window, with hud (of the window's size, may be
// nil) over title, legend and letters.
func (w *Window) Draw(sc *scene.Scene, hud *image.RGBA) error {
	w.w, w.h = w.win.GetFramebufferSize()
	if w.w < 1 || w.h < 1 {
		return nil // minimised
	}
	w.gs.BindFramebuffer(0)
	if err := w.drawWithOverlay(sc, hud, w.w, w.h); err != nil {
		return err
	}
	w.win.SwapBuffers()
	return nil
}

func (w *Window) drawWithOverlay(sc *scene.Scene, hud *image.RGBA, width, height int) error {
	over, err := raster.Overlay(sc, width, height)
	if err != nil {
		return err
	}
	if hud != nil {
		draw.Draw(over, over.Rect, hud, image.Point{}, draw.Over)
	}
	w.tex.SetFromRGBA(over)
	w.update(sc)
	w.root.Add(w.over)
	defer w.root.Remove(w.over)
	return w.paint(sc, width, height)
}

// Frame draws off the screen exactly what Draw shows, and reads it back.
func (w *Window) Frame(sc *scene.Scene, hud *image.RGBA, width, height int) (*image.RGBA, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	if err := w.bindTarget(width, height); err != nil {
		return nil, err
	}
	defer w.gs.BindFramebuffer(0)
	if err := w.drawWithOverlay(sc, hud, width, height); err != nil {
		return nil, err
	}
	return w.read(width, height), nil
}

// Screenshot draws the scene off the screen at four samples a pixel, with
// title, legend, letters, scale bar and notice.
func (w *Window) Screenshot(sc *scene.Scene, width, height int) (*image.RGBA, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	if err := w.bindTarget(2*width, 2*height); err != nil {
		return nil, err
	}
	defer w.gs.BindFramebuffer(0)
	w.update(sc)
	if err := w.paint(sc, 2*width, 2*height); err != nil {
		return nil, err
	}
	img := halve(w.read(2*width, 2*height))
	over, err := raster.Overlay(sc, width, height)
	if err != nil {
		return nil, err
	}
	draw.Draw(img, img.Rect, over, image.Point{}, draw.Over)
	return img, nil
}

// bindTarget binds an off-screen framebuffer of that size, made anew when the
// size changes.
func (w *Window) bindTarget(width, height int) error {
	t, gs := &w.off, w.gs
	if t.fb == 0 {
		t.fb, t.colour, t.depth = gs.GenFramebuffer(), gs.GenRenderbuffer(), gs.GenRenderbuffer()
	}
	gs.BindFramebuffer(t.fb)
	if t.w != width || t.h != height {
		gs.BindRenderbuffer(t.colour)
		gs.RenderbufferStorage(gls.RGBA8, width, height)
		gs.FramebufferRenderbuffer(gls.COLOR_ATTACHMENT0, t.colour)
		gs.BindRenderbuffer(t.depth)
		gs.RenderbufferStorage(gls.DEPTH24_STENCIL8, width, height)
		gs.FramebufferRenderbuffer(gls.DEPTH_STENCIL_ATTACHMENT, t.depth)
		t.w, t.h = width, height
	}
	if s := gs.CheckFramebufferStatus(); s != gls.FRAMEBUFFER_COMPLETE {
		gs.BindFramebuffer(0)
		t.w, t.h = 0, 0
		return fmt.Errorf("window: off-screen framebuffer of %d by %d pixels is not complete (0x%x)", width, height, s)
	}
	return nil
}

// read copies the bound framebuffer; OpenGL's first row is the lowest.
func (w *Window) read(width, height int) *image.RGBA {
	px := w.gs.ReadPixels(0, 0, width, height, gls.RGBA, gls.UNSIGNED_BYTE)
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		copy(img.Pix[y*img.Stride:], px[(height-1-y)*width*4:(height-y)*width*4])
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return img
}

// halve averages 2×2 pixels.
func halve(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx()/2, src.Rect.Dy()/2
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			a, b := src.PixOffset(2*x, 2*y), src.PixOffset(2*x, 2*y+1)
			o := dst.PixOffset(x, y)
			for k := range 4 {
				dst.Pix[o+k] = uint8((int(src.Pix[a+k]) + int(src.Pix[a+4+k]) + int(src.Pix[b+k]) + int(src.Pix[b+4+k]) + 2) / 4)
			}
		}
	}
	return dst
}
