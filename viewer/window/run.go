package window

import (
	"context"
	"image"
	"time"

	"halsted/viewer/scene"

	g3nwindow "github.com/g3n/engine/window"
)

// idle is how long the loop rests when nothing changed: input and new frames
// are noticed within it.
const idle = 8 * time.Millisecond

// Viewer is what Run works on.
type Viewer struct {
	Controls *scene.Controls
	// Inbox may be nil.
	Inbox *scene.Inbox
	// Rebuilt, when not nil, is called after new bodies arrived, to set styles
	// and camera; First after the first frame, when scales are known.
	Rebuilt, First func(*scene.Scene)
	// Misfit, when not nil, hears of frames that do not fit the bodies.
	Misfit func(error)
}

// Run shows the scene until the window is closed, the person quits or ctx is
// done, and follows the inbox. It returns nil in all three cases.
func (w *Window) Run(ctx context.Context, v Viewer) error {
	in := w.listen(v.Controls)
	c := v.Controls
	had := c.Scene.Timeline.Len() > 0
	last := time.Now()
	for {
		w.win.PollEvents()
		if ctx.Err() != nil || w.win.ShouldClose() || c.Quit {
			return nil
		}
		if v.Inbox != nil {
			changed, rebuilt, err := v.Inbox.Update(c.Scene)
			if err != nil && v.Misfit != nil {
				v.Misfit(err)
			}
			if rebuilt {
				had = false
				if v.Rebuilt != nil {
					v.Rebuilt(c.Scene)
				}
			}
			if !had && c.Scene.Timeline.Len() > 0 {
				had = true
				if v.First != nil {
					v.First(c.Scene)
				}
			}
			in.dirty = in.dirty || changed
		}
		now := time.Now()
		in.dirty = c.Tick(now.Sub(last).Seconds()) || in.dirty
		last = now
		if width, height := w.win.GetFramebufferSize(); width != c.Width || height != c.Height {
			c.Width, c.Height, in.dirty = width, height, true
		}
		if !in.dirty {
			time.Sleep(idle)
			continue
		}
		in.dirty = false
		var hud *image.RGBA
		if c.Width > 0 && c.Height > 0 {
			var err error
			if hud, err = HUD(c); err != nil {
				return err
			}
		}
		if err := w.Draw(c.Scene, hud); err != nil {
			return err
		}
	}
}

// input remembers what the mouse is doing.
type input struct {
	dirty      bool
	x, y       float64
	moved      float64 // since the button went down
	orbit, pan bool
	slide      bool
}

// listen routes the window's events into the controls.
func (w *Window) listen(c *scene.Controls) *input {
	in := &input{dirty: true}
	key := func(_ string, ev any) {
		e := ev.(*g3nwindow.KeyEvent)
		if c.Key(keyName(e), e.Mods&g3nwindow.ModShift != 0) {
			in.dirty = true
		}
	}
	w.win.Subscribe(g3nwindow.OnKeyDown, key)
	w.win.Subscribe(g3nwindow.OnKeyRepeat, key)
	w.win.Subscribe(g3nwindow.OnWindowSize, func(string, any) { in.dirty = true })
	w.win.Subscribe(g3nwindow.OnScroll, func(_ string, ev any) {
		c.Wheel(float64(ev.(*g3nwindow.ScrollEvent).Yoffset))
		in.dirty = true
	})
	// Event coordinates are in window units, which differ from pixels on
	// high-density screens.
	place := func(x, y float32) (float64, float64) {
		sx, sy := w.win.GetScale()
		return float64(x) * sx, float64(y) * sy
	}
	w.win.Subscribe(g3nwindow.OnMouseDown, func(_ string, ev any) {
		e := ev.(*g3nwindow.MouseEvent)
		in.x, in.y = place(e.Xpos, e.Ypos)
		in.moved = 0
		if share, hit := onSlider(c, in.x, in.y); hit {
			in.slide, in.dirty = true, true
			c.Slide(share)
			return
		}
		in.pan = e.Button != g3nwindow.MouseButton1 || e.Mods&g3nwindow.ModShift != 0
		in.orbit = !in.pan
	})
	w.win.Subscribe(g3nwindow.OnMouseUp, func(_ string, ev any) {
		const still = 3 // pixels: less is a click
		if in.orbit && in.moved < still {
			c.Click(in.x, in.y)
			in.dirty = true
		}
		in.orbit, in.pan, in.slide = false, false, false
	})
	w.win.Subscribe(g3nwindow.OnCursor, func(_ string, ev any) {
		e := ev.(*g3nwindow.CursorEvent)
		x, y := place(e.Xpos, e.Ypos)
		dx, dy := x-in.x, y-in.y
		in.x, in.y = x, y
		switch {
		case in.slide:
			c.Slide(sliderShare(c, x))
		case in.orbit || in.pan:
			in.moved += max(dx, -dx) + max(dy, -dy)
			c.Drag(dx, dy, in.pan)
		default:
			return
		}
		in.dirty = true
	})
	return in
}

var keyNames = map[g3nwindow.Key]string{
	g3nwindow.KeyLeft: "left", g3nwindow.KeyRight: "right", g3nwindow.KeyUp: "up", g3nwindow.KeyDown: "down",
	g3nwindow.KeySpace: "space", g3nwindow.KeyHome: "home", g3nwindow.KeyEnd: "end", g3nwindow.KeyEscape: "esc",
	g3nwindow.KeyComma: ",", g3nwindow.KeyPeriod: ".", g3nwindow.KeyLeftBracket: "[", g3nwindow.KeyRightBracket: "]",
	g3nwindow.KeyEqual: "+", g3nwindow.KeyKPAdd: "+", g3nwindow.KeyMinus: "-", g3nwindow.KeyKPSubtract: "-",
	g3nwindow.Key1: "1", g3nwindow.Key2: "2", g3nwindow.Key3: "3", g3nwindow.Key4: "4", g3nwindow.Key5: "5", g3nwindow.Key6: "6",
	g3nwindow.KeyC: "c", g3nwindow.KeyF: "f", g3nwindow.KeyH: "h", g3nwindow.KeyL: "l", g3nwindow.KeyO: "o",
}

func keyName(e *g3nwindow.KeyEvent) string { return keyNames[e.Key] }
