package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Sink takes what a run sends. scene.Inbox is one.
type Sink interface {
	Topology(bodies []scene.Body) // before the first frame, and when the bodies change
	Frame(f *scene.Frame)         // in order of (Epoch, Seq)
	Status(line string)           // one line for the person at the screen
}

var _ Sink = (*scene.Inbox)(nil)

// Options of Follow. The zero value is useful.
type Options struct {
	// Fields are the ids of the wanted fields; empty: all.
	Fields []string
	// DropLate skips frames that a newer one has overtaken before they could be
	// decoded. Without it every frame arrives, and a slow sink slows the stream.
	DropLate bool
	// MinBackoff and MaxBackoff bound the pause before the next try after a lost
	// link; it doubles from one to the other. 0: 100 ms and 5 s.
	MinBackoff, MaxBackoff time.Duration
	// GiveUp ends Follow with the last error when the link stays lost that long;
	// 0: never.
	GiveUp time.Duration
}

// Result is how it went.
type Result struct {
	State     string // "succeeded", "failed" or "cancelled"; empty when it did not end
	Message   string // of a failed run
	Epoch     uint64
	LastSeq   uint64 // of the last frame received
	Frames    int    // handed to the sink
	Dropped   int    // overtaken, with DropLate
	Reconnect int    // how often the link was lost and found again
}

// Follow receives a run ("cases/{case}/plans/{plan}/runs/{run}") until it has
// ended and all its frames have arrived, or ctx is done. A run that failed is
// no error; see Result. Errors that trying again cannot mend (no such run, no
// right to see it) are returned at once, as gRPC status errors.
func Follow(ctx context.Context, conn grpc.ClientConnInterface, run string, sink Sink, opt Options) (Result, error) {
	if opt.MinBackoff <= 0 {
		opt.MinBackoff = 100 * time.Millisecond
	}
	opt.MaxBackoff = max(opt.MaxBackoff, opt.MinBackoff)
	if opt.MaxBackoff == opt.MinBackoff {
		opt.MaxBackoff = 50 * opt.MinBackoff
	}
	f := &follower{client: pb.NewFrameServiceClient(conn), run: run, sink: sink, opt: opt}
	pause := opt.MinBackoff
	var lost time.Time
	for {
		before := f.news
		err := f.watch(ctx)
		switch {
		case err == nil:
			return f.res, nil
		case ctx.Err() != nil:
			return f.res, ctx.Err()
		case permanent(err):
			return f.res, err
		}
		if f.news != before { // it worked for a while
			pause, lost = opt.MinBackoff, time.Time{}
		}
		if lost.IsZero() {
			lost = time.Now()
		}
		if opt.GiveUp > 0 && time.Since(lost) >= opt.GiveUp {
			return f.res, fmt.Errorf("feed: no link for %.1f s: %w", time.Since(lost).Seconds(), err)
		}
		f.res.Reconnect++
		sink.Status(fmt.Sprintf("Link lost; trying again (%s)", status.Convert(err).Code()))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return f.res, ctx.Err()
		}
		pause = min(2*pause, opt.MaxBackoff)
	}
}

// permanent reports an error that the same request will meet again.
func permanent(err error) bool {
	if _, ok := errors.AsType[*badReply](err); ok {
		return true
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.FailedPrecondition, codes.OutOfRange:
		return true
	}
	return false
}

// follower is the state of one Follow over all its streams.
type follower struct {
	client pb.FrameServiceClient
	run    string
	sink   Sink
	opt    Options
	res    Result

	surf   *surface
	part   []byte // of a topology whose stream broke
	partOf string
	header *pb.Header
	format frame.Format
	news   int // counts messages, to tell a working link
	broken int // damaged frames in a row
}

// maxBroken is how many damaged frames in a row are asked for again.
const maxBroken = 3

var errEnded = errors.New("feed: run ended")

// watch follows one stream. nil means the run has ended.
func (f *follower) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s2 := pb.Compression_COMPRESSION_S2
	stream, err := f.client.WatchFrames(ctx, &pb.WatchFramesRequest{
		Run: f.run, Epoch: f.res.Epoch, AfterSeq: f.res.LastSeq,
		Accept: []*pb.Encoding{
			{Position: pb.PositionFormat_POSITION_FORMAT_UINT16_BBOX, Field: pb.FieldFormat_FIELD_FORMAT_UINT16, Compression: s2, Fields: f.opt.Fields},
			{Fields: f.opt.Fields},
		},
	}, grpc.MaxCallRecvMsgSize(maxMessageBytes))
	if err != nil {
		return err
	}
	box := newMailbox(f.opt.DropLate)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := stream.Recv()
			box.put(m, err)
			if err != nil || box.closed() {
				return
			}
		}
	}()
	// The receiver ends when the stream's context does; wait for it.
	defer func() { box.close(); cancel(); <-done }()
	for {
		m, dropped, err := box.take()
		f.res.Dropped += dropped
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Unavailable, "the stream ended before the run did")
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil { // do not decode what nobody waits for
			return ctx.Err()
		}
		f.news++
		if err := f.handle(ctx, m); errors.Is(err, errEnded) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (f *follower) handle(ctx context.Context, m *pb.WatchFramesResponse) error {
	switch e := m.Event.(type) {
	case *pb.WatchFramesResponse_Header:
		return f.setHeader(ctx, e.Header)
	case *pb.WatchFramesResponse_Frame:
		err := f.frame(e.Frame)
		if errors.Is(err, frame.ErrCorrupt) {
			if f.broken++; f.broken >= maxBroken {
				return bad("%d damaged frames in a row: %v", f.broken, err)
			}
			return status.Error(codes.DataLoss, err.Error())
		}
		return err
	case *pb.WatchFramesResponse_Status:
		return f.status(e.Status)
	}
	return nil // an event of a later version
}

func (f *follower) setHeader(ctx context.Context, h *pb.Header) error {
	f.format = frame.Format{Position: frame.Position(h.Encoding.GetPosition()), Field: frame.Field(h.Encoding.GetField()), Compression: frame.Compression(h.Encoding.GetCompression())}
	if err := f.format.Validate(); err != nil {
		return bad("encoding %v", h.Encoding)
	}
	if h.VertexCount > frame.MaxVertices || len(h.Fields) > frame.MaxFields {
		return bad("header with %d vertices and %d fields", h.VertexCount, len(h.Fields))
	}
	if f.surf == nil || f.surf.hash != h.TopologyHash {
		if f.partOf != h.TopologyHash {
			f.part, f.partOf = nil, h.TopologyHash
		}
		var err error
		if f.part, err = fetch(ctx, f.client, f.run, h.TopologyHash, f.part); err != nil {
			return err
		}
		s, err := parseTopology(h.TopologyHash, f.part)
		if err != nil {
			return err
		}
		f.surf, f.part, f.partOf = s, nil, ""
		f.sink.Topology(s.bodies)
	}
	if int(h.VertexCount) != f.surf.verts {
		return bad("header with %d vertices for a surface of %d", h.VertexCount, f.surf.verts)
	}
	f.header = h
	return nil
}

func (f *follower) frame(m *pb.Frame) error {
	switch {
	case f.header == nil || m.Epoch != f.header.Epoch:
		return bad("frame %d of epoch %d without its header", m.Seq, m.Epoch)
	case m.BaseSeq != 0:
		return bad("frame %d builds on frame %d, which this version cannot", m.Seq, m.BaseSeq)
	case m.Epoch == f.res.Epoch && m.Seq <= f.res.LastSeq:
		return nil // sent again
	}
	p := frame.Payload{StepMM: m.BboxStepMm, CRC32C: m.Crc32C, Bytes: m.Payload}
	if f.format.Position == frame.PositionUint16Box {
		if len(m.BboxOriginMm) != 3 {
			return bad("frame %d: box origin of %d numbers", m.Seq, len(m.BboxOriginMm))
		}
		p.OriginMM = [3]float64(m.BboxOriginMm)
	}
	for _, r := range m.Fields {
		p.Ranges = append(p.Ranges, frame.Range{Min: r.GetMin(), Max: r.GetMax(), Step: r.GetStep()})
	}
	pos := make([]r3.Vec, f.surf.verts)
	values := make([][]float32, len(f.header.Fields))
	for n := range values {
		values[n] = make([]float32, len(pos))
	}
	if err := frame.Decode(f.format, &p, pos, values); err != nil {
		return fmt.Errorf("feed: frame %d: %w", m.Seq, err)
	}
	out := &scene.Frame{Epoch: m.Epoch, Seq: m.Seq, TimeS: m.SimTimeS, Pos: gather(pos, f.surf.gather)}
	for n, info := range f.header.Fields {
		out.Fields = append(out.Fields, scene.Field{ID: info.GetId(), Unit: info.GetUnit(), Values: gather(values[n], f.surf.gather), Quality: quality(info)})
	}
	f.broken = 0
	f.res.Epoch, f.res.LastSeq = m.Epoch, m.Seq
	f.res.Frames++
	f.sink.Frame(out)
	return nil
}

// quality is what the header says of a field; one of which nobody recorded
// anything says that.
func quality(info *pb.FieldInfo) *scene.Quality {
	sound := func(v *float64) *float64 {
		if v == nil || !(*v >= 0) || math.IsInf(*v, 0) {
			return nil
		}
		return v
	}
	return &scene.Quality{Residual: sound(info.Residual), Error: sound(info.ErrorEstimate), Evidence: evidenceTexts[info.Evidence]}
}

// evidenceTexts are the tags as people read them.
var evidenceTexts = map[pb.Evidence]string{
	pb.Evidence_EVIDENCE_COMPUTED:   "computed",
	pb.Evidence_EVIDENCE_SOURCE:     "S",
	pb.Evidence_EVIDENCE_PARTLY:     "S*",
	pb.Evidence_EVIDENCE_CLASSIC:    "M+ (unverified source)",
	pb.Evidence_EVIDENCE_UNVERIFIED: "M (unverified source)",
}

// gather picks the values of the scene's vertices; nil from means all.
func gather[T any](v []T, from []int32) []T {
	if from == nil {
		return v
	}
	out := make([]T, len(from))
	for i, j := range from {
		out[i] = v[j]
	}
	return out
}

func (f *follower) status(r *pb.Run) error {
	switch r.State {
	case pb.RunState_RUN_STATE_SUCCEEDED:
		f.res.State = "succeeded"
		f.sink.Status("")
	case pb.RunState_RUN_STATE_FAILED:
		f.res.State, f.res.Message = "failed", r.ErrorMessage
		f.sink.Status("Run failed: " + r.ErrorMessage)
	case pb.RunState_RUN_STATE_CANCELLED:
		f.res.State = "cancelled"
		f.sink.Status("Run cancelled")
	case pb.RunState_RUN_STATE_RUNNING:
		f.sink.Status(fmt.Sprintf("Live: %s, %.0f %%", r.Stage, 100*r.Progress))
		return nil
	case pb.RunState_RUN_STATE_QUEUED:
		f.sink.Status("Waiting in the queue")
		return nil
	default:
		return nil
	}
	return errEnded
}

// Load follows a run to its end into an empty scene.
func Load(ctx context.Context, conn grpc.ClientConnInterface, run string, sc *scene.Scene, opt Options) (Result, error) {
	var in scene.Inbox
	res, err := Follow(ctx, conn, run, &in, opt)
	if err != nil {
		return res, err
	}
	_, _, err = in.Update(sc)
	return res, err
}
