package scene

import (
	"errors"
	"math"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// octa is an octahedron, counter-clockwise seen from outside.
func octa(centre r3.Vec, r float64) ([]r3.Vec, [][3]int32) {
	v := []r3.Vec{{X: r}, {X: -r}, {Y: r}, {Y: -r}, {Z: r}, {Z: -r}}
	for i := range v {
		v[i] = r3.Add(v[i], centre)
	}
	return v, [][3]int32{{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}}
}

func twoBodies(t testing.TB) *Scene {
	t.Helper()
	sc := New()
	for n, name := range []string{"liver", "tumour_1"} {
		v, tr := octa(r3.Vec{X: float64(60 * n)}, 20)
		l := []imaging.Label{imaging.LabelLiver, imaging.LabelTumour}[n]
		if _, err := sc.AddStructure(name, l, v, tr); err != nil {
			t.Fatal(err)
		}
	}
	return sc
}

func restOf(sc *Scene) []r3.Vec {
	var p []r3.Vec
	for _, s := range sc.Structures {
		p = append(p, s.Rest...)
	}
	return p
}

func TestAddStructureRefusesWhatDoesNotFit(t *testing.T) {
	v, tr := octa(r3.Vec{}, 1)
	bad := append([]r3.Vec(nil), v...)
	bad[3].Y = math.NaN()
	sc := twoBodies(t)
	for what, err := range map[string]error{
		"taken name":       second(sc.AddStructure("liver", 0, v, tr)),
		"no name":          second(sc.AddStructure("", 0, v, tr)),
		"index too large":  second(sc.AddStructure("a", 0, v[:5], tr)),
		"negative index":   second(sc.AddStructure("b", 0, v, [][3]int32{{0, -1, 2}})),
		"NaN":              second(sc.AddStructure("c", 0, bad, tr)),
		"region not there": second(sc.AddRegion("d", 0, &mesh.Surface{}, imaging.Label.InOrgan)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if sc.VertexCount() != 12 || len(sc.Structures) != 2 {
		t.Errorf("%d vertices, %d structures after refusals", sc.VertexCount(), len(sc.Structures))
	}
	if err := sc.AppendFrame(&Frame{Epoch: 1, Seq: 1, Pos: restOf(sc)}); err != nil {
		t.Fatal(err)
	}
	if second(sc.AddStructure("late", 0, v, tr)) == nil {
		t.Error("a structure after the first frame passes")
	}
}

func second(_ *Structure, err error) error { return err }

// A surface shared by two regions, seen from each of them, must be closed and
// point outwards: its volume is positive.
func TestAddRegionPointsOutwards(t *testing.T) {
	v, tr := octa(r3.Vec{X: 7, Y: 5, Z: -3}, 10)
	m := &mesh.Surface{Verts: v}
	for n, f := range tr {
		sides := mesh.Sides{Inside: imaging.LabelLiver, Outside: imaging.LabelBackground}
		if n%2 == 0 { // half of the faces are stored the other way round
			f[1], f[2] = f[2], f[1]
			sides.Inside, sides.Outside = sides.Outside, sides.Inside
		}
		m.Tris, m.Region = append(m.Tris, f), append(m.Region, sides)
	}
	sc := New()
	s, err := sc.AddRegion("liver", imaging.LabelLiver, m, imaging.Label.InOrgan)
	if err != nil {
		t.Fatal(err)
	}
	var vol float64
	for _, f := range s.Tris {
		vol += r3.Dot(s.Rest[f[0]], r3.Cross(s.Rest[f[1]], s.Rest[f[2]])) / 6
	}
	if want := 4.0 / 3 * 1000; math.Abs(vol-want) > 1e-9 {
		t.Errorf("volume %g mm³, want %g", vol, want)
	}
	n := make([]r3.Vec, len(s.Rest))
	Normals(n, s.Rest, s.Tris)
	for i := range n {
		if out := r3.Unit(r3.Sub(s.Rest[i], r3.Vec{X: 7, Y: 5, Z: -3})); r3.Norm(r3.Sub(out, n[i])) > 1e-12 {
			t.Errorf("normal %v at %v does not point outwards", n[i], s.Rest[i])
		}
	}
}

func TestTimelineScrubsWithoutLoss(t *testing.T) {
	sc := twoBodies(t)
	frame := func(epoch, seq uint64) *Frame {
		p := restOf(sc)
		v := make([]float32, len(p))
		for i := range p {
			p[i].Z += float64(seq)
			v[i] = float32(seq)
		}
		return &Frame{Epoch: epoch, Seq: seq, Pos: p, Fields: []Field{{ID: "displacement", Unit: "mm", Values: v}}}
	}
	sc.Structures[1].Quantity = "displacement"
	for seq := uint64(1); seq <= 10; seq++ {
		if err := sc.AppendFrame(frame(1, seq)); err != nil {
			t.Fatal(err)
		}
		if sc.Timeline.Current().Seq != seq {
			t.Fatalf("the newest frame %d is not shown", seq)
		}
	}
	for _, seq := range []uint64{3, 10, 1, 7} {
		if !sc.Timeline.SeekSeq(seq) {
			t.Fatalf("frame %d is gone", seq)
		}
		s := sc.Structures[1]
		if z := sc.Positions(s)[0].Z - s.Rest[0].Z; z != float64(seq) || sc.Values(s)[0] != float32(seq) {
			t.Errorf("frame %d shows %g and %g", seq, z, sc.Values(s)[0])
		}
		if sc.Timeline.Follow != (seq == 10) {
			t.Errorf("at frame %d following is %v", seq, sc.Timeline.Follow)
		}
	}
	if sc.Timeline.SeekSeq(99) {
		t.Error("frame 99 is kept")
	}
	if err := sc.AppendFrame(frame(1, 11)); err != nil || sc.Timeline.Current().Seq != 7 {
		t.Errorf("a new frame moved the view away from frame 7: %v", err)
	}
	late := sc.AppendFrame(frame(1, 11))
	if e, ok := errors.AsType[*OrderError](late); !ok || e.Seq != 11 {
		t.Errorf("a late frame gives %v", late)
	}
	if err := sc.AppendFrame(frame(2, 1)); err != nil || sc.Timeline.Len() != 1 || sc.Timeline.Current().Epoch != 2 {
		t.Errorf("a new epoch keeps %d frames, error %v", sc.Timeline.Len(), err)
	}
	if sc.AppendFrame(frame(1, 50)) == nil {
		t.Error("a frame of an earlier epoch passes")
	}
	sc.Timeline.MaxFrames = 4
	for seq := uint64(2); seq <= 9; seq++ {
		if err := sc.AppendFrame(frame(2, seq)); err != nil {
			t.Fatal(err)
		}
	}
	if sc.Timeline.Len() != 4 || sc.Timeline.SeekSeq(5) || !sc.Timeline.SeekSeq(6) || sc.Timeline.Index() != 0 {
		t.Errorf("%d frames kept, index %d", sc.Timeline.Len(), sc.Timeline.Index())
	}
}

func TestFramesThatDoNotFitAreRefused(t *testing.T) {
	sc := twoBodies(t)
	nan := restOf(sc)
	nan[5].X = math.Inf(1)
	v := make([]float32, 12)
	v[11] = float32(math.NaN())
	for what, f := range map[string]*Frame{
		"few vertices":   {Seq: 1, Pos: restOf(sc)[:11]},
		"infinite":       {Seq: 1, Pos: nan},
		"few values":     {Seq: 1, Pos: restOf(sc), Fields: []Field{{ID: "a", Unit: "mm", Values: v[:3]}}},
		"value not real": {Seq: 1, Pos: restOf(sc), Fields: []Field{{ID: "a", Unit: "mm", Values: v}}},
	} {
		if sc.AppendFrame(f) == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if sc.Timeline.Len() != 0 {
		t.Error("a refused frame is kept")
	}
}

func TestRenderOrderPutsTheEnclosingBodyLast(t *testing.T) {
	sc := New()
	for _, r := range []float64{90, 30, 60} {
		v, tr := octa(r3.Vec{X: 4, Y: -9, Z: 2}, r)
		s, err := sc.AddStructure(string(rune('a'+int(r)/30)), imaging.LabelLiver, v, tr)
		if err != nil {
			t.Fatal(err)
		}
		s.Opacity = 0.5
	}
	v, tr := octa(r3.Vec{}, 5)
	if _, err := sc.AddStructure("core", imaging.LabelTumour, v, tr); err != nil {
		t.Fatal(err)
	}
	for view := Anterior; view <= Caudal; view++ {
		sc.Show(view, 1)
		got := sc.RenderOrder()
		if want := [4]int{3, 1, 2, 0}; len(got) != 4 || [4]int(got) != want {
			t.Errorf("%v: order %v, want %v", view, got, want)
		}
	}
	sc.Structures[0].Visible = false
	if got := sc.RenderOrder(); len(got) != 3 {
		t.Errorf("a hidden body is drawn: %v", got)
	}
}

func TestPickReadsTheValueUnderThePointer(t *testing.T) {
	sc := twoBodies(t)
	liver := sc.Structures[0]
	liver.Quantity = "q"
	v := make([]float32, 12)
	for i, p := range restOf(sc) {
		v[i] = float32(3*p.X - 2*p.Z + 100) // linear: interpolation is exact
	}
	if err := sc.AppendFrame(&Frame{Epoch: 1, Seq: 1, Pos: restOf(sc), Fields: []Field{{ID: "q", Unit: "kPa", Values: v}}}); err != nil {
		t.Fatal(err)
	}
	sc.Show(Anterior, 1.6)
	at := r3.Vec{X: 4, Y: -10, Z: 6} // on a front face: |x|+|y|+|z| = 20
	x, y, _ := sc.Camera.Project(at, 1280, 800)
	h, ok := sc.Pick(x, y, 1280, 800)
	if !ok || h.Structure != liver || r3.Norm(r3.Sub(h.Point, at)) > 1e-9 {
		t.Fatalf("hit %+v", h)
	}
	if want := 3*at.X - 2*at.Z + 100; math.Abs(h.Value-want) > 1e-5 || h.Unit != "kPa" || !h.HasValue {
		t.Errorf("value %g %s, want %g kPa", h.Value, h.Unit, want)
	}
	sc.Clips = []Plane{{Normal: r3.Vec{Y: -1}}} // cut the front half away
	if h, ok = sc.Pick(x, y, 1280, 800); !ok || h.Point.Y < 0 {
		t.Errorf("picked %v through the clip plane", h.Point)
	}
	liver.Unclipped = true
	if h, _ = sc.Pick(x, y, 1280, 800); math.Abs(h.Point.Y+10) > 1e-9 {
		t.Errorf("an unclipped body is cut: %v", h.Point)
	}
	if _, ok = sc.Pick(2, 2, 1280, 800); ok {
		t.Error("the corner of the picture is not empty")
	}
}

func TestInboxCarriesFramesAcross(t *testing.T) {
	var in Inbox
	sc := New()
	if changed, _, err := in.Update(sc); changed || err != nil {
		t.Fatal("an empty inbox changes the scene")
	}
	v, tr := octa(r3.Vec{}, 20)
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.Topology([]Body{{"liver", imaging.LabelLiver, v, tr}})
		for seq := uint64(1); seq <= 50; seq++ {
			in.Frame(&Frame{Epoch: 1, Seq: seq, Pos: v})
			in.Status("Live")
		}
		in.Frame(&Frame{Epoch: 1, Seq: 7, Pos: v}) // late: passed over
	}()
	rebuilds := 0
	for stop := false; !stop; {
		select {
		case <-done:
			stop = true
		default:
		}
		_, rebuilt, err := in.Update(sc)
		if err != nil {
			t.Fatal(err)
		}
		if rebuilt {
			rebuilds++
		}
	}
	if rebuilds != 1 || sc.Timeline.Len() != 50 || sc.Status != "Live" {
		t.Errorf("%d rebuilds, %d frames, status %q", rebuilds, sc.Timeline.Len(), sc.Status)
	}
	in.Frame(&Frame{Epoch: 1, Seq: 51, Pos: v[:2]})
	if _, _, err := in.Update(sc); err == nil {
		t.Error("a frame of the wrong size goes unnoticed")
	}
}

func TestRimOpacityIsBounded(t *testing.T) {
	for a := 0.0; a <= 1; a += 0.125 {
		if RimOpacity(a, 1) != a {
			t.Errorf("opacity %g changes where it faces the viewer", a)
		}
		for c := 0.0; c <= 1; c += 0.1 {
			if o := RimOpacity(a, c); o < a || o > 1 {
				t.Errorf("opacity %g becomes %g", a, o)
			}
		}
	}
}

// The lights must not push a colour beyond white by more than the highlight.
func TestShadeStaysInRange(t *testing.T) {
	for i := range 40 {
		for j := range 20 {
			th, ph := math.Pi*float64(j)/40, math.Pi*float64(i)/20
			d, s := Shade(r3.Vec{X: math.Sin(th) * math.Cos(ph), Y: math.Sin(th) * math.Sin(ph), Z: math.Cos(th)}, r3.Vec{Z: 1})
			if d < Ambient || d > 1.005 || s < 0 || s > Specular+1e-12 {
				t.Fatalf("factor %g and highlight %g", d, s)
			}
			if f := Flatten(d); f < 0.67 || f > 1.005 {
				t.Fatalf("a quantity's colour is scaled by %g", f)
			}
		}
	}
}
