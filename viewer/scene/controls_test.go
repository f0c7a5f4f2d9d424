package scene

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func driven(t *testing.T) (*Controls, *Scene) {
	sc := twoBodies(t)
	for seq := uint64(1); seq <= 5; seq++ {
		v := make([]float32, 12)
		for i := range v {
			v[i] = float32(seq) * float32(i)
		}
		if err := sc.AppendFrame(&Frame{Epoch: 1, Seq: seq, Pos: restOf(sc), Fields: []Field{{ID: "von_mises", Unit: "kPa", Values: v}, {ID: "displacement", Unit: "mm", Values: v}}}); err != nil {
			t.Fatal(err)
		}
	}
	sc.Show(Anterior, 1.6)
	return &Controls{Scene: sc, Width: 1280, Height: 800}, sc
}

func press(t *testing.T, c *Controls, keys string) {
	t.Helper()
	for _, k := range strings.Fields(keys) {
		if !c.Key(k, false) {
			t.Fatalf("key %q means nothing", k)
		}
	}
}

// A whole session by keys alone.
func TestKeysDriveEverything(t *testing.T) {
	c, sc := driven(t)
	for n, want := range []string{"R", "L", "A", "P", "L", "R"} {
		press(t, c, string(rune('1'+n)))
		if l, _, _, _ := sc.Camera.Letters(); l != want {
			t.Errorf("key %d: left letter %s, want %s", n+1, l, want)
		}
	}
	press(t, c, "1 left")
	if sc.Camera.Eye.X >= sc.Camera.Target.X {
		t.Error("left does not move the eye to the left of the screen")
	}
	press(t, c, "1 up")
	if sc.Camera.Eye.Z <= sc.Camera.Target.Z {
		t.Error("up does not move the eye up")
	}
	before := sc.Camera
	c.Key("right", true)
	if d := r3.Sub(sc.Camera.Eye, before.Eye); r3.Norm(r3.Sub(d, r3.Sub(sc.Camera.Target, before.Target))) > 1e-9 || r3.Norm(d) == 0 {
		t.Error("shift + right does not pan")
	}
	d := sc.Camera.DistanceMM()
	press(t, c, "+ + -")
	if got := sc.Camera.DistanceMM() / d; math.Abs(got-zoomStep) > 1e-9 {
		t.Errorf("distance changed by %g", got)
	}
	press(t, c, "home . .")
	if sc.Timeline.Current().Seq != 3 {
		t.Errorf("frame %d, want 3", sc.Timeline.Current().Seq)
	}
	press(t, c, ", end ,")
	if sc.Timeline.Current().Seq != 4 || sc.Timeline.Follow {
		t.Errorf("frame %d, want 4", sc.Timeline.Current().Seq)
	}
	press(t, c, "c")
	if len(sc.Clips) != 1 || sc.Clips[0].Normal.X != 1 {
		t.Errorf("clip planes %v, want a sagittal one", sc.Clips)
	}
	at := sc.Clips[0].Point.X
	press(t, c, "] ] [")
	if sc.Clips[0].Point.X != at+clipStepMM {
		t.Errorf("clip plane at %g, was at %g", sc.Clips[0].Point.X, at)
	}
	press(t, c, "c c c")
	if len(sc.Clips) != 0 || c.Key("[", false) {
		t.Error("the clip plane does not go away")
	}
	press(t, c, "f")
	if q := sc.Structures[0].Quantity; q != "von_mises" || sc.Structures[0].Opacity != 1 || sc.Structures[1].Quantity != "" {
		t.Errorf("shows %q", q)
	}
	press(t, c, "l")
	if s, _ := sc.Scale("von_mises"); !s.Locked {
		t.Error("the range is not locked")
	}
	press(t, c, "l f f")
	if q := sc.Structures[0].Quantity; q != "" || sc.Structures[0].Opacity == 1 {
		t.Errorf("still shows %q", q)
	}
	press(t, c, "o o")
	if sc.Structures[0].Visible || !sc.Structures[1].Visible {
		t.Error("o o does not hide the organ alone")
	}
	press(t, c, "o h esc")
	if !sc.Structures[0].Visible || !c.Help || !c.Quit {
		t.Error("o, h or esc has no effect")
	}
	if c.Key("F13", false) || c.Key("", false) {
		t.Error("a key without meaning is taken")
	}
}

func TestPlayingRunsToTheEndAndStops(t *testing.T) {
	c, sc := driven(t)
	press(t, c, "space")
	if !c.Playing || sc.Timeline.Index() != 0 {
		t.Fatal("playing from the end does not start anew")
	}
	for range 100 {
		c.Tick(0.04)
	}
	if c.Playing || sc.Timeline.Current().Seq != 5 {
		t.Errorf("playing %v at frame %d", c.Playing, sc.Timeline.Current().Seq)
	}
	c.Slide(0.5)
	if sc.Timeline.Current().Seq != 3 {
		t.Errorf("the middle of the slider is frame %d", sc.Timeline.Current().Seq)
	}
}

func TestClickProbes(t *testing.T) {
	c, sc := driven(t)
	sc.ColourBy("von_mises")
	x, y, _ := sc.Camera.Project(r3.Vec{X: -6, Y: -8, Z: 6}, 1280, 800)
	c.Click(x, y)
	if !strings.HasPrefix(c.Probe, "liver at R 6, A 8, H 6 mm: ") || !strings.HasSuffix(c.Probe, " kPa") {
		t.Errorf("probe %q", c.Probe)
	}
	c.Click(1, 1)
	if c.Probe != "" {
		t.Errorf("probe %q beside the organ", c.Probe)
	}
	e := sc.Camera.Eye
	c.Drag(30, 0, false)
	if sc.Camera.Eye.X >= e.X {
		t.Error("dragging right does not turn the body to the right")
	}
	d := sc.Camera.DistanceMM()
	c.Wheel(1)
	c.Wheel(-1)
	if math.Abs(sc.Camera.DistanceMM()-d) > 1e-9 {
		t.Error("the wheel does not come back")
	}
}
