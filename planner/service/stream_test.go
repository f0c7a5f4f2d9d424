package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// sameFrames compares what two watchers got, byte for byte.
func sameFrames(t *testing.T, what string, got, want []*pb.Frame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d frames, want %d", what, len(got), len(want))
	}
	for n := range got {
		if !proto.Equal(got[n], want[n]) {
			t.Fatalf("%s: frame %d (epoch %d, seq %d) differs", what, n, got[n].Epoch, got[n].Seq)
		}
	}
}

// inOrder checks that frames count from first without gap or repeat.
func inOrder(t *testing.T, what string, frames []*pb.Frame, first uint64) {
	t.Helper()
	for n, f := range frames {
		if f.Seq != first+uint64(n) {
			t.Fatalf("%s: frame %d has seq %d, want %d", what, n, f.Seq, first+uint64(n))
		}
	}
}

func openGate() chan struct{} {
	gate := make(chan struct{})
	close(gate)
	return gate
}

// A watcher that joins before the run, one that joins in the middle and one
// that comes after the end receive the same frames; so does one that is cut
// off anywhere and goes on.
func TestResumeGivesTheSameFrames(t *testing.T) {
	const n = 12
	gate := make(chan struct{})
	r := newRig(t, t.TempDir(), bender(20, n, gate))
	run := r.run(t, r.plan(t), "a")
	type result struct {
		s   *seen
		err error
	}
	live := make(chan result, 1)
	ctx := testContext(t)
	go func() {
		s, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run}, nil)
		live <- result{s, err}
	}()
	for range 5 {
		gate <- struct{}{}
	}
	cut, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run}, func(s *seen) bool { return len(s.frames) == 3 })
	must(t, err)
	close(gate)
	rest, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run, Epoch: cut.frames[2].Epoch, AfterSeq: cut.frames[2].Seq}, nil)
	must(t, err)
	first := <-live
	must(t, first.err)
	all := r.watchAll(t, run)
	inOrder(t, "after the end", all.frames, 1)
	if len(all.frames) != n || len(all.headers) != 1 || all.last.State != pb.RunState_RUN_STATE_SUCCEEDED || all.last.LastSeq != n {
		t.Fatalf("%d frames, %d headers, %v", len(all.frames), len(all.headers), all.last)
	}
	sameFrames(t, "live", first.s.frames, all.frames)
	sameFrames(t, "cut and resumed", append(cut.frames, rest.frames...), all.frames)
	if h := rest.headers[0]; h.FirstSeq != 4 || h.TopologyHash != all.last.TopologyHash || h.VertexCount != 400 {
		t.Errorf("header after a resume: %v", h)
	}
	for after := range uint64(n + 1) {
		s, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run, Epoch: 1, AfterSeq: after}, nil)
		must(t, err)
		sameFrames(t, "resumed", s.frames, all.frames[after:])
	}
	other, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run, Epoch: 77, AfterSeq: 5}, nil)
	must(t, err)
	sameFrames(t, "of another epoch", other.frames, all.frames)
	_, err = watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run, Epoch: 1, AfterSeq: n + 1}, nil)
	wantStatus(t, err, codes.InvalidArgument, "after_seq")
}

// What is decoded is what the solver made, within half a step.
func TestFramesAreTheSolvers(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(9, 3, nil))
	run := r.run(t, r.plan(t), "a")
	top := grid(9)
	for _, accept := range [][]*pb.Encoding{
		nil,
		{{Position: pb.PositionFormat_POSITION_FORMAT_FLOAT32, Field: pb.FieldFormat_FIELD_FORMAT_FLOAT32}},
		{{Compression: pb.Compression_COMPRESSION_S2, Fields: []string{"displacement", "no such field"}}},
		{{Compression: 99}, {Position: -1}, {Position: 258}, {Position: pb.PositionFormat_POSITION_FORMAT_FLOAT32, Compression: pb.Compression_COMPRESSION_S2}},
	} {
		s, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run, Accept: accept}, nil)
		must(t, err)
		h := s.headers[0]
		if accept != nil && len(accept[0].Fields) > 0 && (len(h.Fields) != 1 || h.Fields[0].Id != "displacement" || h.Fields[0].Unit != "mm") {
			t.Fatalf("fields %v", h.Fields)
		}
		for k, f := range s.frames {
			pos, values := decode(t, h, f)
			want := bend(top, k+1)
			if f.SimTimeS != want.SimTimeS {
				t.Errorf("frame %d at %g s", f.Seq, f.SimTimeS)
			}
			bound := f.BboxStepMm * math.Sqrt(3) / 2 * (1 + 1e-9) // √3: three axes
			if h.Encoding.Position == pb.PositionFormat_POSITION_FORMAT_FLOAT32 {
				bound = 1000 * 0x1p-24 * 2 // half an ulp of coordinates below 1 m, three axes
			}
			for n := range pos {
				if d := r3.Norm(r3.Sub(pos[n], want.Pos[n])); d > bound {
					t.Fatalf("frame %d vertex %d off by %g mm, bound %g", f.Seq, n, d, bound)
				}
			}
			for c, info := range h.Fields {
				wf := want.Fields[0]
				if info.Id == "displacement" {
					wf = want.Fields[1]
				}
				for n, v := range values[c] {
					half := f.Fields[c].Step/2*(1+1e-9) + f.Fields[c].Max*0x1p-24
					if d := math.Abs(float64(v) - float64(wf.Values[n])); d > half {
						t.Fatalf("field %s vertex %d off by %g, bound %g", info.Id, n, d, half)
					}
				}
			}
		}
	}
	_, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run, Accept: []*pb.Encoding{{Compression: 99}}}, nil)
	wantStatus(t, err, codes.InvalidArgument, "accept")
	_, err = watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run, Accept: make([]*pb.Encoding, 33)}, nil)
	wantStatus(t, err, codes.InvalidArgument, "accept")
}

func decode(t *testing.T, h *pb.Header, f *pb.Frame) ([]r3.Vec, [][]float32) {
	t.Helper()
	p := &frame.Payload{StepMM: f.BboxStepMm, CRC32C: f.Crc32C, Bytes: f.Payload}
	copy(p.OriginMM[:], f.BboxOriginMm)
	for _, r := range f.Fields {
		p.Ranges = append(p.Ranges, frame.Range{Min: r.Min, Max: r.Max, Step: r.Step})
	}
	pos, values := make([]r3.Vec, h.VertexCount), make([][]float32, len(h.Fields))
	for n := range values {
		values[n] = make([]float32, h.VertexCount)
	}
	e := h.Encoding
	must(t, frame.Decode(frame.Format{Position: frame.Position(e.Position), Field: frame.Field(e.Field), Compression: frame.Compression(e.Compression)}, p, pos, values))
	return pos, values
}

// A watcher that does not read holds up neither the solver nor another
// watcher, and in the end has every frame.
func TestSlowWatcher(t *testing.T) {
	const n, side = 30, 100 // 100 KB a frame: more than the windows of HTTP/2 hold
	r := newRig(t, t.TempDir(), bender(side, n, nil))
	plan := r.plan(t)
	slowConn := r.dial(t, r.token)
	run := r.run(t, plan, "a")
	slow, err := pb.NewFrameServiceClient(slowConn).WatchFrames(testContext(t), &pb.WatchFramesRequest{Run: run})
	must(t, err)
	m, err := slow.Recv() // it has begun
	must(t, err)
	fast := r.watchAll(t, run)
	inOrder(t, "fast", fast.frames, 1)
	got := &seen{}
	got.take(m)
	for {
		m, err := slow.Recv()
		if err != nil {
			break
		}
		got.take(m)
	}
	sameFrames(t, "slow", got.frames, fast.frames)
	if len(got.frames) != n || got.last.State != pb.RunState_RUN_STATE_SUCCEEDED {
		t.Errorf("slow watcher: %d frames, %v", len(got.frames), got.last)
	}
}

// A client that goes away ends its handler, also while the run is silent and
// while a frame waits for room.
func TestVanishingClient(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := newRig(t, t.TempDir(), bender(150, 40, gate))
	run := r.run(t, r.plan(t), "a")
	watched := func() bool { return r.queue.Bus().Watched(runID(run)) }
	for name, leave := range map[string]func(cancel context.CancelFunc, conn *grpc.ClientConn){
		"cancels":      func(cancel context.CancelFunc, _ *grpc.ClientConn) { cancel() },
		"hangs up":     func(_ context.CancelFunc, conn *grpc.ClientConn) { conn.Close() },
		"never reads":  func(_ context.CancelFunc, conn *grpc.ClientConn) { fill(t, gate); conn.Close() },
		"stops midway": func(cancel context.CancelFunc, _ *grpc.ClientConn) { fill(t, gate); cancel() },
	} {
		conn := r.dial(t, r.token)
		ctx, cancel := context.WithCancel(testContext(t))
		stream, err := pb.NewFrameServiceClient(conn).WatchFrames(ctx, &pb.WatchFramesRequest{Run: run})
		must(t, err)
		_, err = stream.Recv()
		must(t, err)
		eventually(t, "watching", watched)
		leave(cancel, conn)
		eventually(t, "the handler's end after the client "+name, func() bool { return !watched() })
		cancel()
	}
	if got, err := pb.NewRunServiceClient(r.conn).GetRun(testContext(t), &pb.GetRunRequest{Name: run}); err != nil || got.Run.State != pb.RunState_RUN_STATE_RUNNING {
		t.Errorf("the run does not go on: %v, %v", got, err)
	}
}

// fill lets frames pass until the watcher's windows are full.
func fill(t *testing.T, gate chan<- struct{}) {
	for range 8 {
		select {
		case gate <- struct{}{}:
		case <-time.After(patience):
			t.Fatal("the solver is held up")
		}
	}
}

func TestCancelRun(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := newRig(t, t.TempDir(), bender(5, 10, gate))
	run := r.run(t, r.plan(t), "a")
	gate <- struct{}{}
	s, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run}, func(s *seen) bool {
		if len(s.frames) == 1 && s.last.State == pb.RunState_RUN_STATE_RUNNING {
			_, err := pb.NewRunServiceClient(r.conn).CancelRun(testContext(t), &pb.CancelRunRequest{Name: run})
			must(t, err)
		}
		return false
	})
	must(t, err)
	if s.last.State != pb.RunState_RUN_STATE_CANCELLED || len(s.frames) != 1 {
		t.Errorf("ended as %v with %d frames", s.last, len(s.frames))
	}
}

func TestFailedRunSaysWhy(t *testing.T) {
	r := newRig(t, t.TempDir(), func(ctx context.Context, j jobs.Job, rep jobs.Reporter) error {
		panic("no such element")
	})
	run := r.run(t, r.plan(t), "a")
	s := r.watchAll(t, run)
	if s.last.State != pb.RunState_RUN_STATE_FAILED || !strings.Contains(s.last.ErrorMessage, "internal error") || len(s.frames)+len(s.headers) != 0 {
		t.Errorf("ended as %v", s.last)
	}
}

// The service goes away in the middle of a run and comes back on the same
// store: the stream says so, the run starts a new epoch, and a client that
// goes on with its last (epoch, seq) sees the whole of it.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	gate := make(chan struct{}, 10)
	r := newRig(t, dir, bender(10, 8, gate))
	plan := r.plan(t)
	done := r.run(t, plan, "done")
	for range 8 {
		gate <- struct{}{}
	}
	before := r.watchAll(t, done)
	run := r.run(t, plan, "cut")
	for range 3 {
		gate <- struct{}{}
	}
	half, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run}, func(s *seen) bool {
		if len(s.frames) == 3 {
			r.server.Close()
		}
		return false
	})
	wantStatus(t, err, codes.Unavailable, "call again")
	r.close()

	r = newRig(t, dir, bender(10, 8, openGate()))
	last := half.frames[2]
	whole, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run, Epoch: last.Epoch, AfterSeq: last.Seq}, nil)
	must(t, err)
	inOrder(t, "after the restart", whole.frames, 1)
	if len(whole.frames) != 8 || whole.last.Epoch != 2 || whole.last.State != pb.RunState_RUN_STATE_SUCCEEDED {
		t.Errorf("after the restart: %d frames, %v", len(whole.frames), whole.last)
	}
	for _, h := range whole.headers[len(whole.headers)-1:] {
		if h.Epoch != 2 || h.FirstSeq != 1 || h.TopologyHash != half.headers[0].TopologyHash {
			t.Errorf("header after the restart: %v", h)
		}
	}
	sameFrames(t, "a run that had ended", r.watchAll(t, done).frames, before.frames)
	if again := r.run(t, plan, "cut"); again != run {
		t.Errorf("the same request gave %s, then %s", run, again)
	}
}

func TestTopology(t *testing.T) {
	// 3 × 10⁵ doubles: several chunks.
	r := newRig(t, t.TempDir(), bender(320, 1, nil))
	run := r.run(t, r.plan(t), "a")
	h := r.watchAll(t, run).headers[0]
	b := r.topology(t, run, h.TopologyHash, 0)
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != h.TopologyHash || len(b) < 2*chunkBytes {
		t.Errorf("%d bytes with hash %x, want %s", len(b), sum, h.TopologyHash)
	}
	for _, off := range []uint64{1, chunkBytes, uint64(len(b)) - 1, uint64(len(b))} {
		if part := r.topology(t, run, h.TopologyHash, off); string(part) != string(b[off:]) {
			t.Errorf("from byte %d: %d bytes, want %d", off, len(part), uint64(len(b))-off)
		}
	}
	var m pb.Topology
	must(t, proto.Unmarshal(b, &m))
	want := grid(320)
	if len(m.Structures) != 1 || m.Structures[0].Name != "remnant" || m.Structures[0].Label.Id != "liver" || m.Structures[0].Label.CodeValue != "10200004" ||
		int(m.Structures[0].VertexCount) != len(want.Rest) || len(m.Structures[0].TriangleIndices) != 3*len(want.Structures[0].Tris) {
		t.Errorf("structure %v…", m.Structures[0].Name)
	}
	for n, p := range want.Rest {
		if c := m.RestXyzMm[3*n:]; c[0] != p.X || c[1] != p.Y || c[2] != p.Z {
			t.Fatalf("vertex %d at %v, want %v", n, c[:3], p)
		}
	}
	// The store writes by hand what protobuf writes.
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
	must(t, err)
	if string(again) != string(b) {
		t.Error("protobuf writes the same topology differently")
	}
	ctx := testContext(t)
	c := run[:strings.Index(run, "/plans/")]
	for _, q := range []struct {
		req   *pb.GetTopologyRequest
		code  codes.Code
		words string
	}{
		{&pb.GetTopologyRequest{Parent: run, TopologyHash: "x"}, codes.InvalidArgument, "topology_hash"},
		{&pb.GetTopologyRequest{Parent: run, TopologyHash: strings.Repeat("0", 64)}, codes.NotFound, "000"},
		{&pb.GetTopologyRequest{Parent: c, TopologyHash: h.TopologyHash}, codes.NotFound, "cases/"}, // the case does not name it
		{&pb.GetTopologyRequest{Parent: "nobody", TopologyHash: h.TopologyHash}, codes.InvalidArgument, "parent"},
		{&pb.GetTopologyRequest{Parent: run, TopologyHash: h.TopologyHash, OffsetBytes: uint64(len(b)) + 1}, codes.InvalidArgument, "offset_bytes"},
	} {
		stream, err := pb.NewFrameServiceClient(r.conn).GetTopology(ctx, q.req)
		must(t, err)
		_, err = stream.Recv()
		wantStatus(t, err, q.code, q.words)
	}
	must(t, r.st.SetCaseResult(ctx, c[len("cases/"):], "", h.TopologyHash))
	if byCase := r.topology(t, c, h.TopologyHash, 0); string(byCase) != string(b) {
		t.Error("the case's topology differs")
	}
}

func (r *rig) topology(t *testing.T, parent, hash string, off uint64) []byte {
	t.Helper()
	stream, err := pb.NewFrameServiceClient(r.conn).GetTopology(testContext(t), &pb.GetTopologyRequest{Parent: parent, TopologyHash: hash, OffsetBytes: off})
	must(t, err)
	var out []byte
	for {
		m, err := stream.Recv()
		if err != nil {
			if status.Code(err) != codes.Unknown || err.Error() != "EOF" {
				t.Fatal(err)
			}
			return out
		}
		if m.OffsetBytes != off+uint64(len(out)) {
			t.Fatalf("chunk at %d, want %d", m.OffsetBytes, off+uint64(len(out)))
		}
		out = append(out, m.Chunk...)
		if len(m.Chunk) > chunkBytes || off+uint64(len(out)) > m.TotalBytes {
			t.Fatalf("chunk of %d bytes, %d of %d", len(m.Chunk), len(out), m.TotalBytes)
		}
	}
}

// Frames of one epoch that do not have the header's fields end the stream.
func TestFramesOfAnotherShape(t *testing.T) {
	r := newRig(t, t.TempDir(), func(ctx context.Context, j jobs.Job, rep jobs.Reporter) error {
		top := grid(4)
		if _, err := rep.Topology(top); err != nil {
			return err
		}
		one, two := bend(top, 1), bend(top, 2)
		two.Fields = two.Fields[:1]
		if err := rep.Frame(one); err != nil {
			return err
		}
		return rep.Frame(two)
	})
	run := r.run(t, r.plan(t), "a")
	s, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run}, nil)
	wantStatus(t, err, codes.Internal, "log")
	if len(s.frames) != 1 || !strings.Contains(r.log.String(), "lacks the field displacement") {
		t.Errorf("%d frames; the log does not say why", len(s.frames))
	}
	// Without the field that is missing all is well.
	s, err = watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run, Accept: []*pb.Encoding{{Fields: []string{"von_mises"}}}}, nil)
	if err != nil || len(s.frames) != 2 {
		t.Errorf("%d frames of von_mises, %v", len(s.frames), err)
	}
}

// The header of the fields says how each state was solved: it comes again
// where that changes, and only there, live and from the store alike.
func TestFieldsCarryTheirQuality(t *testing.T) {
	const n = 6
	gate := make(chan struct{})
	r := newRig(t, t.TempDir(), func(ctx context.Context, j jobs.Job, rep jobs.Reporter) error {
		top := grid(5)
		if _, err := rep.Topology(top); err != nil {
			return err
		}
		for k := range n {
			<-gate
			f := bend(top, k+1)
			e := float64(k / 2) // changes at every second frame
			f.Fields[0].Quality = &planner.FieldQuality{Residual: 1e-9, Error: &e, Evidence: planner.EvidenceUnverified}
			if err := rep.Frame(f); err != nil {
				return err
			}
		}
		return nil
	})
	run := r.run(t, r.plan(t), "a")
	live := make(chan *seen, 1)
	ctx := testContext(t)
	go func() {
		s, _ := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run}, nil)
		live <- s
	}()
	close(gate)
	for what, s := range map[string]*seen{"live": <-live, "stored": r.watchAll(t, run)} {
		if len(s.frames) != n || len(s.headers) != n/2 {
			t.Fatalf("%s: %d frames, %d headers", what, len(s.frames), len(s.headers))
		}
		for k, h := range s.headers {
			stress, u := h.Fields[0], h.Fields[1]
			if h.FirstSeq != uint64(2*k+1) || h.VertexCount != 25 || h.TopologyHash != s.headers[0].TopologyHash || len(h.Encoding.Fields) != 2 ||
				stress.GetResidual() != 1e-9 || stress.ErrorEstimate == nil || *stress.ErrorEstimate != float64(k) || stress.Evidence != pb.Evidence_EVIDENCE_UNVERIFIED {
				t.Errorf("%s: header %d: %v", what, k, h)
			}
			if u.Residual != nil || u.ErrorEstimate != nil || u.Evidence != pb.Evidence_EVIDENCE_UNSPECIFIED {
				t.Errorf("%s: a field of which nobody said anything claims %v", what, u)
			}
		}
	}
	// Who does not ask for the field is not told of its changes.
	s, err := watch(ctx, r.conn, &pb.WatchFramesRequest{Run: run, Accept: []*pb.Encoding{{Fields: []string{"displacement"}}}}, nil)
	if err != nil || len(s.headers) != 1 || len(s.frames) != n {
		t.Errorf("%d headers, %d frames, %v", len(s.headers), len(s.frames), err)
	}
}
