package feed

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"halsted/imaging"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

var quick = Options{MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}

// check compares what arrived with what was sent: every frame once, in order.
func check(t *testing.T, r *record, frames int) {
	t.Helper()
	if len(r.bodies) != 1 || len(r.bodies[0]) != 2 || r.bodies[0][0].Name != "remnant" || r.bodies[0][0].Label != imaging.LabelLiver || !r.bodies[0][1].Label.IsTumour() {
		t.Fatalf("bodies %+v", r.bodies)
	}
	if len(r.frames) != frames {
		t.Fatalf("%d frames, want %d", len(r.frames), frames)
	}
	wire := []int{4, 5, 6, 0, 1, 2} // of the scene's vertices
	for n, f := range r.frames {
		if f.Seq != uint64(n+1) || f.TimeS != float64(f.Seq)/10 {
			t.Fatalf("frame %d comes as number %d at %g s", f.Seq, n+1, f.TimeS)
		}
		// The wire rounds to half a step of the longest side, 1003 mm.
		tol := 1003.0 / 65535
		for i, w := range wire {
			want := truth(w, f.Seq)
			if r3.Norm(r3.Sub(f.Pos[i], want)) > tol || math.Abs(float64(f.Fields[0].Values[i])-want.X) > tol {
				t.Fatalf("frame %d vertex %d: %v and %g, want %v", f.Seq, i, f.Pos[i], f.Fields[0].Values[i], want)
			}
		}
		if f.Fields[0].ID != "von_mises" || f.Fields[0].Unit != "kPa" {
			t.Fatalf("field %+v", f.Fields[0])
		}
	}
}

func TestEveryFrameArrivesOnceInOrder(t *testing.T) {
	for name, c := range map[string]func(*fake){
		"sound link":                   func(*fake) {},
		"stream breaks every 3 frames": func(s *fake) { s.breakAt = 3 },
		"surface breaks half-way":      func(s *fake) { s.halve = 2 },
		"both":                         func(s *fake) { s.breakAt, s.halve = 1, 1 },
		"stream ends before the run":   func(s *fake) { s.endsRaw = true },
		"one damaged payload": func(s *fake) {
			s.damage = func(no int, f *pb.Frame) {
				if no == 1 && f.Seq == 5 {
					f.Crc32C++
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFake(t, 11)
			c(s)
			var r record
			res, err := Follow(testContext(t), serve(t, s), runName, &r, quick)
			if err != nil {
				t.Fatal(err)
			}
			check(t, &r, 11)
			if res.State != "succeeded" || res.Frames != 11 || res.LastSeq != 11 || res.Epoch != 1 || res.Reconnect != s.streams-1 {
				t.Errorf("result %+v after %d streams", res, s.streams)
			}
			if name == "surface breaks half-way" && (len(s.offsets) != 3 || s.offsets[1] == 0 || s.offsets[2] <= s.offsets[0]) {
				t.Errorf("the surface was asked for from %v: it does not go on where it stopped", s.offsets)
			}
			for n, a := range s.asked {
				if a.Run != runName || n > 0 && name == "stream breaks every 3 frames" && a.AfterSeq != uint64(3*n) {
					t.Errorf("stream %d asks for frames after %d of %s", n+1, a.AfterSeq, a.Run)
				}
			}
		})
	}
}

func TestNewEpochStartsAnew(t *testing.T) {
	s := newFake(t, 6)
	s.breakAt = 4
	var r record
	r.onFrame = func() {
		if len(r.frames) == 4 {
			s.mu.Lock()
			s.epoch = 2 // the run is solved again while the link is down
			s.mu.Unlock()
		}
	}
	res, err := Follow(testContext(t), serve(t, s), runName, &r, quick)
	if err != nil {
		t.Fatal(err)
	}
	last := r.frames[len(r.frames)-1]
	if res.Epoch != 2 || last.Epoch != 2 || last.Seq != 6 {
		t.Errorf("ended at frame %d of epoch %d", last.Seq, last.Epoch)
	}
	var in scene.Inbox
	in.Topology(r.bodies[0])
	for _, f := range r.frames {
		in.Frame(f)
	}
	sc := scene.New()
	if _, _, err := in.Update(sc); err != nil || sc.Timeline.Len() != 6 || sc.Timeline.Current().Epoch != 2 {
		t.Errorf("the timeline has %d frames: %v", sc.Timeline.Len(), err)
	}
}

func TestErrorsThatStay(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(*fake)
		code  codes.Code
		tries int
	}{
		"no such run":      {func(s *fake) { s.refuse = status.Error(codes.NotFound, "run") }, codes.NotFound, 1},
		"no right":         {func(s *fake) { s.refuse = status.Error(codes.Unauthenticated, "token") }, codes.Unauthenticated, 1},
		"foreign surface":  {func(s *fake) { s.hash = strings.Repeat("ab", 32) }, codes.Unknown, 1},
		"damaged for ever": {func(s *fake) { s.damage = func(_ int, f *pb.Frame) { f.Payload = f.Payload[:3] } }, codes.Unknown, maxBroken},
		"a delta frame":    {func(s *fake) { s.damage = func(_ int, f *pb.Frame) { f.BaseSeq = 1 } }, codes.Unknown, 1},
		"no box":           {func(s *fake) { s.damage = func(_ int, f *pb.Frame) { f.BboxOriginMm = nil } }, codes.Unknown, 1},
		"ranges missing":   {func(s *fake) { s.damage = func(_ int, f *pb.Frame) { f.Fields = nil } }, codes.Unknown, maxBroken},
		"foreign epoch":    {func(s *fake) { s.damage = func(_ int, f *pb.Frame) { f.Epoch = 9 } }, codes.Unknown, 1},
	} {
		s := newFake(t, 3)
		c.fault(s)
		var r record
		_, err := Follow(testContext(t), serve(t, s), runName, &r, quick)
		if err == nil || status.Code(err) != c.code || s.streams != c.tries {
			t.Errorf("%s: %v (%v) after %d streams, want %v after %d", name, err, status.Code(err), s.streams, c.code, c.tries)
		}
		if len(r.frames) != 0 {
			t.Errorf("%s: a frame was shown", name)
		}
	}
}

func TestRunThatFails(t *testing.T) {
	s := newFake(t, 2)
	s.state = pb.RunState_RUN_STATE_FAILED
	var r record
	res, err := Follow(testContext(t), serve(t, s), runName, &r, quick)
	if err != nil || res.State != "failed" || res.Message == "" || res.Frames != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	if !slices.Contains(r.lines, "Run failed: the solve diverged in step 3") || !slices.Contains(r.lines, "Live: solve, 50 %") {
		t.Errorf("status lines %q", r.lines)
	}
}

func TestLateFramesAreDropped(t *testing.T) {
	s := newFake(t, 400)
	var r record
	wait := make(chan struct{})
	r.onFrame = func() {
		if len(r.frames) == 1 {
			<-wait // the sink is busy while all others arrive
		}
	}
	done := make(chan struct{})
	var res Result
	var err error
	conn := serve(t, s)
	opt := quick
	opt.DropLate = true
	go func() {
		defer close(done)
		res, err = Follow(testContext(t), conn, runName, &r, opt)
	}()
	// Room in the link is far smaller than 400 frames, so the receiver must be
	// reading while the sink waits; give it the time to.
	time.Sleep(100 * time.Millisecond)
	close(wait)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	if res.Frames+res.Dropped != 400 || res.Dropped == 0 || r.frames[len(r.frames)-1].Seq != 400 {
		t.Errorf("%d shown, %d dropped, last %d", res.Frames, res.Dropped, r.frames[len(r.frames)-1].Seq)
	}
}

// Each frame keeps the header that it came under, also where late frames and
// their headers are dropped.
func TestFramesKeepTheirQuality(t *testing.T) {
	for _, late := range []bool{false, true} {
		s := newFake(t, 400)
		s.quality = true
		var r record
		wait := make(chan struct{})
		r.onFrame = func() {
			if len(r.frames) == 1 {
				<-wait
			}
		}
		opt := quick
		opt.DropLate = late
		conn := serve(t, s)
		done := make(chan struct{})
		var res Result
		var err error
		go func() {
			defer close(done)
			res, err = Follow(testContext(t), conn, runName, &r, opt)
		}()
		time.Sleep(100 * time.Millisecond)
		close(wait)
		<-done
		if err != nil || res.Frames+res.Dropped != 400 || (res.Dropped > 0) != late || r.frames[len(r.frames)-1].Seq != 400 {
			t.Fatalf("late %v: %+v, %v", late, res, err)
		}
		for _, f := range r.frames {
			q := f.Fields[0].Quality
			if q.Error == nil || *q.Error != float64(f.Seq) || *q.Residual != 1e-9 || q.Evidence != "M+ (unverified source)" {
				t.Fatalf("late %v: frame %d under %+v", late, f.Seq, q)
			}
		}
	}
}

// What is not recorded, or no number, is not made up.
func TestAFieldWithoutQualityClaimsNone(t *testing.T) {
	nan := math.NaN()
	for _, info := range []*pb.FieldInfo{{Id: "x"}, {Id: "x", Residual: &nan, ErrorEstimate: proto.Float64(-1), Evidence: 77}} {
		if q := quality(info); q.Error != nil || q.Residual != nil || q.Evidence != "" {
			t.Errorf("%v gives %+v", info, q)
		}
	}
}

func TestFollowStopsWhenToldTo(t *testing.T) {
	for _, hold := range []bool{true, false} {
		s := newFake(t, 3)
		s.hold = hold
		if !hold {
			s.refuse = status.Error(codes.Unavailable, "down")
		}
		ctx, cancel := context.WithCancel(testContext(t))
		var r record
		r.onFrame = func() {
			if len(r.frames) == 3 {
				cancel()
			}
		}
		if !hold {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
		_, err := Follow(ctx, serve(t, s), runName, &r, Options{MinBackoff: time.Hour})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("hold %v: %v", hold, err)
		}
		cancel()
	}
}

func TestFollowGivesUp(t *testing.T) {
	s := newFake(t, 1)
	s.refuse = status.Error(codes.Unavailable, "down")
	opt := quick
	opt.GiveUp = 30 * time.Millisecond
	_, err := Follow(testContext(t), serve(t, s), runName, &record{}, opt)
	if status.Code(err) != codes.Unavailable || s.streams < 2 {
		t.Errorf("%v after %d tries", err, s.streams)
	}
}

func TestTopologyIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*pb.Topology){
		"index outside":   func(m *pb.Topology) { m.Structures[0].TriangleIndices[1] = 3 },
		"index too large": func(m *pb.Topology) { m.Structures[0].TriangleIndices[1] = math.MaxUint32 },
		"range outside":   func(m *pb.Topology) { m.Structures[1].VertexCount = 8 },
		"range wraps":     func(m *pb.Topology) { m.Structures[1].FirstVertex, m.Structures[1].VertexCount = 3, math.MaxUint32 },
		"half a point":    func(m *pb.Topology) { m.RestXyzMm = m.RestXyzMm[:20] },
		"not finite":      func(m *pb.Topology) { m.RestXyzMm[4] = math.NaN() },
		"half a triangle": func(m *pb.Topology) { m.Structures[0].TriangleIndices = []uint32{4, 5} },
		"many bodies":     func(m *pb.Topology) { m.Structures = make([]*pb.Structure, maxStructures+1) },
	} {
		m := fakeTopology()
		spoil(m)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseTopology("h", b); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, err := parseTopology("h", []byte{0xff, 1, 2}); err == nil {
		t.Error("garbage passes")
	}
}

func TestDial(t *testing.T) {
	for _, c := range []struct {
		server, token string
		tls, ok       bool
	}{
		{"127.0.0.1:7400", "t", false, true},
		{"[::1]:7400", "t", false, true},
		{"localhost:7400", "t", false, true},
		{"planner.example:443", "t", true, true}, // TLS is chosen, not asked for
		{"127.0.0.1", "t", false, false},
		{"127.0.0.1:7400", "", false, false},
	} {
		conn, err := Dial(c.server, c.token, nil)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.server, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	if !(bearer{"t", true}).RequireTransportSecurity() {
		t.Error("a token may travel in the clear")
	}
	if conn, err := Dial("127.0.0.1:1", "t", &tls.Config{MinVersion: tls.VersionTLS13}); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
}

func FuzzParseTopology(f *testing.F) {
	b, err := proto.Marshal(fakeTopology())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseTopology("h", b)
		if err != nil {
			return
		}
		sc := scene.New()
		total := 0
		for _, body := range s.bodies {
			total += len(body.Verts)
			if _, err := sc.AddStructure(body.Name, body.Label, body.Verts, body.Tris); err != nil && !strings.Contains(err.Error(), "empty or taken") {
				t.Fatalf("a body that does not fit passes: %v", err)
			}
		}
		if s.gather != nil && len(s.gather) != total || s.gather == nil && s.verts != total {
			t.Fatalf("%d vertices gathered for %d", len(s.gather), total)
		}
	})
}
