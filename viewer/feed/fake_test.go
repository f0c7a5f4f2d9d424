package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"sync"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
)

const patience = 20 * time.Second // never a measure

const runName = "cases/c/plans/p/runs/r"

// fake is a FrameService with faults.
type fake struct {
	pb.UnimplementedFrameServiceServer
	frames  int
	topo    []byte
	hash    string
	breakAt int // frames sent before a stream breaks; 0: never
	halve   int // topology streams that break half-way
	endsRaw bool
	refuse  error
	damage  func(streamNo int, f *pb.Frame)
	state   pb.RunState
	hold    bool // never end the stream
	quality bool // each frame has a header with its own error

	mu      sync.Mutex // guards the rest
	epoch   uint64
	streams int
	asked   []*pb.WatchFramesRequest
	offsets []uint64
}

// The fake surface: 7 vertices on the wire, the second body before the first,
// one vertex that no body uses.
var wireRest = []r3.Vec{{X: 100, Y: -20, Z: 5}, {X: 110, Y: -20}, {X: 100, Y: -5, Z: 9}, {X: 1e3}, {X: -3, Y: 4, Z: 5}, {X: 8}, {Y: 7, Z: -2}}

func fakeTopology() *pb.Topology {
	t := &pb.Topology{Structures: []*pb.Structure{
		{Name: "remnant", Label: &pb.StructureLabel{Id: imaging.LabelLiver.String()}, FirstVertex: 4, VertexCount: 3, TriangleIndices: []uint32{4, 5, 6}},
		{Name: "tumour_1", Label: &pb.StructureLabel{Id: "tumour_1"}, FirstVertex: 0, VertexCount: 3, TriangleIndices: []uint32{0, 2, 1, 0, 1, 2}},
	}}
	for _, p := range wireRest {
		t.RestXyzMm = append(t.RestXyzMm, p.X, p.Y, p.Z)
	}
	return t
}

func newFake(t testing.TB, frames int) *fake {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(fakeTopology())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return &fake{frames: frames, epoch: 1, topo: b, hash: hex.EncodeToString(sum[:]), state: pb.RunState_RUN_STATE_SUCCEEDED}
}

// truth is the wire position of vertex i in frame seq; its value is its x.
func truth(i int, seq uint64) r3.Vec {
	return r3.Add(wireRest[i], r3.Vec{X: 0.5 * float64(seq), Z: float64(i) * float64(seq)})
}

func (s *fake) frame(epoch, seq uint64) (*pb.Frame, error) {
	pos := make([]r3.Vec, len(wireRest))
	vals := make([]float32, len(wireRest))
	for i := range pos {
		pos[i] = truth(i, seq)
		vals[i] = float32(pos[i].X)
	}
	p, err := frame.Encode(frame.Format{Position: frame.PositionUint16Box, Field: frame.FieldUint16, Compression: frame.CompressionS2}, pos, [][]float32{vals})
	if err != nil {
		return nil, err
	}
	r := p.Ranges[0]
	return &pb.Frame{Epoch: epoch, Seq: seq, SimTimeS: float64(seq) / 10, BboxOriginMm: p.OriginMM[:], BboxStepMm: p.StepMM,
		Fields: []*pb.FieldRange{{Min: r.Min, Max: r.Max, Step: r.Step}}, Crc32C: p.CRC32C, Payload: p.Bytes}, nil
}

// infos are the headers of the fields; with quality, frame seq has an error of
// seq kPa.
func (s *fake) infos(seq uint64) []*pb.FieldInfo {
	m := &pb.FieldInfo{Id: "von_mises", Unit: "kPa"}
	if s.quality {
		m.Residual, m.ErrorEstimate, m.Evidence = proto.Float64(1e-9), proto.Float64(float64(seq)), pb.Evidence_EVIDENCE_CLASSIC
	}
	return []*pb.FieldInfo{m}
}

func (s *fake) WatchFrames(in *pb.WatchFramesRequest, out grpc.ServerStreamingServer[pb.WatchFramesResponse]) error {
	s.mu.Lock()
	s.streams++
	no, epoch := s.streams, s.epoch
	s.asked = append(s.asked, in)
	s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	first := in.AfterSeq + 1
	if in.Epoch != epoch {
		first = 1
	}
	send := func(m *pb.WatchFramesResponse) error { return out.Send(m) }
	enc := &pb.Encoding{Position: pb.PositionFormat_POSITION_FORMAT_UINT16_BBOX, Field: pb.FieldFormat_FIELD_FORMAT_UINT16, Compression: pb.Compression_COMPRESSION_S2}
	if err := send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Status{Status: &pb.Run{State: pb.RunState_RUN_STATE_RUNNING, Stage: "solve", Progress: 0.5}}}); err != nil {
		return err
	}
	if first <= uint64(s.frames) {
		if err := send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Header{Header: &pb.Header{Run: runName, Epoch: epoch, TopologyHash: s.hash,
			VertexCount: uint32(len(wireRest)), Encoding: enc, Fields: s.infos(first), FirstSeq: first}}}); err != nil {
			return err
		}
	}
	for seq, n := first, 0; seq <= uint64(s.frames); seq, n = seq+1, n+1 {
		if s.breakAt > 0 && n == s.breakAt {
			return status.Error(codes.Unavailable, "the link broke")
		}
		f, err := s.frame(epoch, seq)
		if err != nil {
			return err
		}
		if s.damage != nil {
			s.damage(no, f)
		}
		if s.quality && seq > first {
			if err := send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Header{Header: &pb.Header{Run: runName, Epoch: epoch, TopologyHash: s.hash,
				VertexCount: uint32(len(wireRest)), Encoding: enc, Fields: s.infos(seq), FirstSeq: seq}}}); err != nil {
				return err
			}
		}
		if err := send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Frame{Frame: f}}); err != nil {
			return err
		}
	}
	if s.hold {
		<-out.Context().Done()
		return out.Context().Err()
	}
	if s.endsRaw && no == 1 {
		return nil
	}
	return send(&pb.WatchFramesResponse{Event: &pb.WatchFramesResponse_Status{Status: &pb.Run{State: s.state, Epoch: epoch, LastSeq: uint64(s.frames), ErrorMessage: "the solve diverged in step 3"}}})
}

func (s *fake) GetTopology(in *pb.GetTopologyRequest, out grpc.ServerStreamingServer[pb.GetTopologyResponse]) error {
	s.mu.Lock()
	s.offsets = append(s.offsets, in.OffsetBytes)
	cut := len(s.offsets) <= s.halve
	s.mu.Unlock()
	const piece = 40
	for off := in.OffsetBytes; off < uint64(len(s.topo)); off += piece {
		if cut && off >= uint64(len(s.topo)/2) {
			return status.Error(codes.Unavailable, "the link broke")
		}
		end := min(off+piece, uint64(len(s.topo)))
		if err := out.Send(&pb.GetTopologyResponse{TotalBytes: uint64(len(s.topo)), OffsetBytes: off, Chunk: s.topo[off:end]}); err != nil {
			return err
		}
	}
	return nil
}

// serve offers s over an in-memory link.
func serve(t testing.TB, s pb.FrameServiceServer) grpc.ClientConnInterface {
	t.Helper()
	l := bufconn.Listen(1 << 16)
	srv := grpc.NewServer()
	pb.RegisterFrameServiceServer(srv, s)
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); srv.Stop(); <-done })
	return conn
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// record is a Sink that keeps everything.
type record struct {
	bodies  [][]scene.Body
	frames  []*scene.Frame
	lines   []string
	onFrame func()
}

func (r *record) Topology(b []scene.Body) { r.bodies = append(r.bodies, b) }
func (r *record) Status(line string)      { r.lines = append(r.lines, line) }
func (r *record) Frame(f *scene.Frame) {
	r.frames = append(r.frames, f)
	if r.onFrame != nil {
		r.onFrame()
	}
}
