package service

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

// patience is how long a test waits for what must happen; never a measure.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	if fuzz := flag.Lookup("test.fuzz"); fuzz.Value.String() != "" {
		os.Exit(m.Run()) // the fuzzing engine keeps goroutines of its own
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	// Every goroutine of every test must have ended.
	for limit := time.Now().Add(patience); code == 0 && runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			buf := make([]byte, 1<<20)
			fmt.Printf("%d goroutines are left, %d before the tests:\n%s\n", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			code = 1
		}
	}
	os.Exit(code)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rig is a whole service on the loopback interface.
type rig struct {
	st     *store.Store
	queue  *jobs.Queue
	server *Server
	http   *http.Server
	addr   string
	token  string // of a machine with the role of a surgeon
	person string // token of a surgeon
	admin  string // token of the machine's own account
	viewer string // token of one who may only look
	trail  string // file
	conn   *grpc.ClientConn
	log    *syncBuffer
	done   chan struct{}
	once   sync.Once
}

type syncBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// bearer adds a token to every call.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}
func (bearer) RequireTransportSecurity() bool { return false }

func newRig(t testing.TB, dir string, runner jobs.RunnerFunc) *rig {
	t.Helper()
	r := &rig{log: &syncBuffer{}, done: make(chan struct{})}
	var err error
	r.st, err = store.Open(context.Background(), dir)
	must(t, err)
	log := slog.New(slog.NewTextHandler(r.log, nil))
	r.queue, err = jobs.Open(context.Background(), r.st, runner, jobs.Config{ProgressEvery: 5 * time.Millisecond, Log: log})
	must(t, err)
	tokens := &access.Tokens{}
	r.token = issue(t, tokens, access.Identity{Subject: "s", Role: access.Surgeon})
	r.person = issue(t, tokens, access.Identity{Subject: "aw", Role: access.Surgeon, Person: "Dr. Ada Weiss"})
	r.admin = issue(t, tokens, access.Identity{Subject: "local", Role: access.Admin})
	r.viewer = issue(t, tokens, access.Identity{Subject: "v", Role: access.Viewer})
	r.trail = filepath.Join(t.TempDir(), "trail")
	trail, err := access.OpenTrail(r.trail)
	must(t, err)
	t.Cleanup(func() { trail.Close() })
	r.server, err = New(Config{Store: r.st, Queue: r.queue, Tokens: tokens, Trail: trail, Build: "test", Log: log})
	must(t, err)
	r.http, err = r.server.HTTPServer()
	must(t, err)
	l, err := access.Listen("127.0.0.1:0", access.Policy{Authenticated: true})
	must(t, err)
	r.addr = l.Addr().String()
	go func() { defer close(r.done); r.http.Serve(l) }()
	r.conn = r.dial(t, r.token)
	t.Cleanup(r.close)
	return r
}

func issue(t testing.TB, tokens *access.Tokens, id access.Identity) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	must(t, tokens.Issue(path, id))
	token, err := access.ReadToken(path)
	must(t, err)
	return token
}

func (r *rig) dial(t testing.TB, token string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+r.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(bearer(token)))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// close stops everything in the order in which a binary does.
func (r *rig) close() {
	r.once.Do(func() {
		r.server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r.conn.Close()
		r.http.Shutdown(ctx)
		r.http.Close()
		<-r.done
		r.server.GRPC().Stop()
		r.queue.Close()
		r.st.Close()
	})
}

// overBufconn serves the same server as plain gRPC, without a port.
func (r *rig) overBufconn(t testing.TB, token string) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	served := make(chan struct{})
	go func() { defer close(served); r.server.GRPC().Serve(l) }()
	t.Cleanup(func() { r.server.GRPC().Stop(); <-served })
	conn, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
		grpc.WithAuthority("localhost"),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(bearer(token)))
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (r *rig) study(t testing.TB) {
	t.Helper()
	must(t, r.st.PutStudy(context.Background(), planner.Study{ID: "s1", Modality: "CT", Kind: "HU", Size: [3]int{512, 512, 120}, Spacing: [3]float64{0.7, 0.7, 2.5}, Files: []string{"a", "b"}}))
}

func wireCase() *pb.Case {
	return &pb.Case{
		Study: "studies/s1", Procedure: "liver.resection", Condition: "normal",
		Seeds: []*pb.Seed{{Label: &pb.StructureLabel{Id: "tumour_2"}, Point: &pb.Point{XMm: 1, YMm: -2.5, ZMm: 3}}},
	}
}

func wirePlan() *pb.Plan {
	return &pb.Plan{
		DisplayName: "right hemihepatectomy", RetractionMm: 30,
		Cuts: []*pb.Plane{{Point: &pb.Point{XMm: 10}, Normal: &pb.Direction{X: 1}}},
	}
}

// plan makes a case with one plan and returns the plan's name.
func (r *rig) plan(t testing.TB) string {
	t.Helper()
	r.study(t)
	ctx := testContext(t)
	c, err := pb.NewCaseServiceClient(r.conn).CreateCase(ctx, &pb.CreateCaseRequest{Case: wireCase()})
	must(t, err)
	p, err := pb.NewPlanServiceClient(r.conn).CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c.Case.Name, Plan: wirePlan()})
	must(t, err)
	return p.Plan.Name
}

func (r *rig) run(t testing.TB, plan, request string) string {
	t.Helper()
	resp, err := pb.NewRunServiceClient(r.conn).CreateRun(testContext(t), &pb.CreateRunRequest{Parent: plan, RequestId: request})
	must(t, err)
	return resp.Run.Name
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "x-test", t.Name())
}

func runID(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// grid is a square of n×n vertices.
func grid(n int) *planner.Topology {
	s := planner.Structure{Name: "remnant", Label: imaging.LabelLiver, Count: int32(n * n)}
	t := &planner.Topology{}
	for i := range n {
		for j := range n {
			t.Rest = append(t.Rest, r3.Vec{X: float64(i), Y: float64(j)})
			if a := int32(i*n + j); i+1 < n && j+1 < n {
				s.Tris = append(s.Tris, [3]int32{a, a + int32(n), a + 1}, [3]int32{a + 1, a + int32(n), a + int32(n) + 1})
			}
		}
	}
	t.Structures = []planner.Structure{s}
	return t
}

// bend is the k-th frame of a square that is being bent.
func bend(t *planner.Topology, k int) planner.DisplayFrame {
	f := planner.DisplayFrame{SimTimeS: float64(k) / 10}
	mises, u := make([]float32, len(t.Rest)), make([]float32, len(t.Rest))
	for n, p := range t.Rest {
		z := float64(k) * (p.X*p.X + p.Y/3)
		f.Pos = append(f.Pos, r3.Vec{X: p.X, Y: p.Y, Z: z})
		mises[n], u[n] = float32(z*z), float32(z)
	}
	e := 0.25
	f.Fields = []planner.Field{
		{ID: "von_mises", Unit: "kPa", Values: mises, Quality: &planner.FieldQuality{Residual: 1e-9, Error: &e, Evidence: planner.EvidenceUnverified}},
		{ID: "displacement", Unit: "mm", Values: u},
	}
	return f
}

// bender emits n frames of a side×side grid. With a gate it waits for one
// token before each frame; a closed gate lets all pass.
func bender(side, n int, gate <-chan struct{}) jobs.RunnerFunc {
	return func(ctx context.Context, j jobs.Job, r jobs.Reporter) error {
		t := grid(side)
		if _, err := r.Topology(t); err != nil {
			return err
		}
		for k := range n {
			if gate != nil {
				select {
				case <-gate:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if err := r.Frame(bend(t, k+1)); err != nil {
				return err
			}
			r.Progress("solve", float64(k+1)/float64(n))
		}
		return nil
	}
}

// seen is what one watcher received.
type seen struct {
	headers []*pb.Header
	frames  []*pb.Frame
	states  []pb.RunState
	last    *pb.Run
}

func (s *seen) take(m *pb.WatchFramesResponse) {
	switch e := m.Event.(type) {
	case *pb.WatchFramesResponse_Header:
		s.headers = append(s.headers, e.Header)
	case *pb.WatchFramesResponse_Frame:
		s.frames = append(s.frames, e.Frame)
	case *pb.WatchFramesResponse_Status:
		s.states = append(s.states, e.Status.State)
		s.last = e.Status
	}
}

// watch receives until the stream ends, or until enough says so.
func watch(ctx context.Context, conn grpc.ClientConnInterface, req *pb.WatchFramesRequest, enough func(*seen) bool) (*seen, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &seen{}
	stream, err := pb.NewFrameServiceClient(conn).WatchFrames(ctx, req)
	if err != nil {
		return s, err
	}
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return s, nil
		} else if err != nil {
			return s, err
		}
		if s.take(m); enough != nil && enough(s) {
			return s, nil
		}
	}
}

func (r *rig) watchAll(t testing.TB, run string) *seen {
	t.Helper()
	s, err := watch(testContext(t), r.conn, &pb.WatchFramesRequest{Run: run}, nil)
	must(t, err)
	return s
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s did not happen", what)
		}
	}
}
