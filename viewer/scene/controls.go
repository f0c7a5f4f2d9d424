package scene

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// Controls turns keys and mouse moves into changes of a scene. It holds what
// only the person at the screen decides, so a session can be driven by keys
// alone and tested without a window.
type Controls struct {
	Scene *Scene
	// Width and Height of the picture in pixels.
	Width, Height int
	// Playing advances the timeline with each Tick.
	Playing bool
	// Help shows the list of keys.
	Help bool
	// Quit is set by the key that closes the viewer.
	Quit bool
	// Probe is the line about what was last clicked.
	Probe string

	clip     int     // 0: off, else axis of clipAxes
	clipMM   float64 // shift from the centre of the scene
	progress float64 // seconds since the last step of Playing
}

// Keys lists the keys and what they do, for help texts.
var Keys = [][2]string{
	{"1 … 6", "view from anterior, posterior, left, right, cranial, caudal"},
	{"arrows", "orbit"},
	{"shift + arrows", "pan"},
	{"+ −", "closer, farther"},
	{"space", "play or pause"},
	{", .", "one frame back, forward"},
	{"home end", "first frame, newest frame"},
	{"c", "clip plane: off, sagittal, coronal, axial"},
	{"[ ]", "move the clip plane"},
	{"f", "next quantity, or plain colours"},
	{"l", "lock or unlock the range of the colours"},
	{"o", "organ: transparent, opaque, hidden"},
	{"h", "this list"},
	{"esc", "close"},
	{"mouse", "drag: orbit; right or shift drag: pan; wheel: zoom; click: value"},
}

const (
	orbitStepDeg    = 5
	panStepPx       = 40
	zoomStep        = 0.9
	clipStepMM      = 2
	orbitDegPerPx   = 0.4
	secondsPerFrame = 0.1
)

var clipAxes = [...]r3.Vec{{}, {X: 1}, {Y: -1}, {Z: 1}}

// Key handles one press of a key by its name ("1", "left", "space", "+", …)
// and reports whether it means anything here.
func (c *Controls) Key(name string, shift bool) bool {
	sc, t := c.Scene, &c.Scene.Timeline
	dx, dy := 0.0, 0.0
	switch name {
	case "1", "2", "3", "4", "5", "6":
		sc.Show(View(name[0]-'1'), c.aspect())
	case "left":
		dx = -1
	case "right":
		dx = 1
	case "up":
		dy = -1
	case "down":
		dy = 1
	case "+", "=":
		sc.Camera.Zoom(zoomStep)
	case "-":
		sc.Camera.Zoom(1 / zoomStep)
	case "space":
		c.Playing = !c.Playing
		if c.Playing && t.Index() == t.Len()-1 {
			t.Seek(0)
		}
	case ",":
		c.Playing = false
		t.Seek(t.Index() - 1)
	case ".":
		c.Playing = false
		t.Seek(t.Index() + 1)
	case "home":
		t.Seek(0)
	case "end":
		t.Seek(t.Len() - 1)
	case "c":
		c.clip, c.clipMM = (c.clip+1)%len(clipAxes), 0
		c.setClip()
	case "[", "]":
		if c.clip == 0 {
			return false
		}
		c.clipMM += clipStepMM * float64(int(name[0])-'\\')
		c.setClip()
	case "f":
		c.nextField()
	case "l":
		c.toggleLock()
	case "o":
		c.nextOpacity()
	case "h":
		c.Help = !c.Help
	case "esc":
		c.Quit = true
	default:
		return false
	}
	if dx != 0 || dy != 0 {
		if shift {
			sc.Camera.Pan(dx*panStepPx, dy*panStepPx, c.Height)
		} else {
			sc.Camera.Orbit(dx*orbitStepDeg, -dy*orbitStepDeg)
		}
	}
	return true
}

func (c *Controls) aspect() float64 { return float64(max(1, c.Width)) / float64(max(1, c.Height)) }

// Drag handles a mouse move of (dx, dy) pixels with a button held down.
func (c *Controls) Drag(dx, dy float64, pan bool) {
	if pan {
		c.Scene.Camera.Pan(dx, dy, c.Height)
	} else {
		c.Scene.Camera.Orbit(-dx*orbitDegPerPx, dy*orbitDegPerPx)
	}
}

// Wheel handles a turn of the wheel, positive away from the user.
func (c *Controls) Wheel(steps float64) {
	for ; steps > 0; steps-- {
		c.Scene.Camera.Zoom(zoomStep)
	}
	for ; steps < 0; steps++ {
		c.Scene.Camera.Zoom(1 / zoomStep)
	}
}

// Click reads the value under the pointer into Probe.
func (c *Controls) Click(x, y float64) {
	h, ok := c.Scene.Pick(x, y, c.Width, c.Height)
	if !ok {
		c.Probe = ""
		return
	}
	c.Probe = h.Structure.Name + " at " + place(h.Point)
	if h.HasValue {
		c.Probe += fmt.Sprintf(": %s %s", Number(h.Value), h.Unit)
	}
}

// place names a point by patient directions.
func place(p r3.Vec) string {
	side := func(v float64, pos, neg string) string {
		if v < 0 {
			pos = neg
		}
		return fmt.Sprintf("%s %.0f", pos, math.Abs(v))
	}
	return side(p.X, "L", "R") + ", " + side(p.Y, "P", "A") + ", " + side(p.Z, "H", "F") + " mm"
}

// Slide shows the frame at a share of the timeline, 0 to 1.
func (c *Controls) Slide(share float64) {
	c.Playing = false
	t := &c.Scene.Timeline
	t.Seek(int(share*float64(t.Len()-1) + 0.5))
}

// Tick advances a playing timeline by the time passed and reports whether
// another frame is shown. Playing stops at the end.
func (c *Controls) Tick(seconds float64) bool {
	if !c.Playing {
		return false
	}
	t := &c.Scene.Timeline
	c.progress += min(seconds, 1)
	steps := int(c.progress / secondsPerFrame)
	if steps == 0 {
		return false
	}
	c.progress -= float64(steps) * secondsPerFrame
	t.Seek(t.Index() + steps)
	if t.Index() >= t.Len()-1 {
		c.Playing, c.progress = false, 0
	}
	return true
}

func (c *Controls) setClip() {
	c.Scene.Clips = nil
	if c.clip == 0 {
		return
	}
	b, ok := c.Scene.Bounds()
	if !ok {
		return
	}
	n := clipAxes[c.clip]
	centre := r3.Scale(0.5, r3.Add(b.Min, b.Max))
	c.Scene.Clips = []Plane{{Point: r3.Add(centre, r3.Scale(c.clipMM, n)), Normal: n}}
}

func (c *Controls) nextField() {
	ids := c.Scene.Fields()
	shown := ""
	for _, s := range c.Scene.Structures {
		if s.Quantity != "" {
			shown = s.Quantity
			break
		}
	}
	next := 0
	for n, id := range ids {
		if id == shown {
			next = n + 1
		}
	}
	if next >= len(ids) {
		c.Scene.ColourBy("")
		return
	}
	c.Scene.ColourBy(ids[next])
}

func (c *Controls) toggleLock() {
	for _, s := range c.Scene.Scales() {
		if s.Locked {
			c.Scene.UnlockRange(s.ID)
		} else if err := c.Scene.LockRange(s.ID, s.Min, s.Max); err != nil {
			c.Probe = err.Error()
		}
	}
}

func (c *Controls) nextOpacity() {
	for _, s := range c.Scene.Structures {
		_, usual := Style(s.Label)
		if usual >= 1 {
			continue // vessels and tumours stay
		}
		switch {
		case !s.Visible:
			s.Visible, s.Opacity = true, usual
		case s.Opacity < 1:
			s.Opacity = 1
		default:
			s.Visible = false
		}
	}
}
