package feed_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/service"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/feed"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
)

// stretch emits n frames of a tetrahedron that is drawn out along z.
func stretch(n int) jobs.RunnerFunc {
	return func(ctx context.Context, j jobs.Job, r jobs.Reporter) error {
		t := &planner.Topology{
			Rest:       []r3.Vec{{X: -20}, {X: 20}, {Y: 30}, {Z: 40}},
			Structures: []planner.Structure{{Name: "remnant", Label: imaging.LabelLiver, Count: 4, Tris: [][3]int32{{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {2, 0, 3}}}},
		}
		if _, err := r.Topology(t); err != nil {
			return err
		}
		for k := 1; k <= n; k++ {
			f := planner.DisplayFrame{SimTimeS: float64(k) / 10, Pos: append([]r3.Vec(nil), t.Rest...)}
			f.Pos[3].Z += float64(k)
			f.Fields = []planner.Field{{ID: "von_mises", Unit: "kPa", Values: []float32{0, 0, 0, float32(k)}}}
			if err := r.Frame(f); err != nil {
				return err
			}
			r.Progress("solve", float64(k)/float64(n))
		}
		return nil
	}
}

// start runs the whole service on the loopback interface and returns its
// address, a token and the name of a run that has been queued.
func start(dir string, runner jobs.Runner) (addr, token, run string, stop func(), err error) {
	ctx := context.Background()
	st, err := store.Open(ctx, dir)
	if err != nil {
		return "", "", "", nil, err
	}
	queue, err := jobs.Open(ctx, st, runner, jobs.Config{})
	if err != nil {
		return "", "", "", nil, err
	}
	tokens := &access.Tokens{}
	path := filepath.Join(dir, "client", "token")
	if err = tokens.Issue(path, access.Identity{Subject: "s", Role: access.Surgeon}); err != nil {
		return "", "", "", nil, err
	}
	if token, err = access.ReadToken(path); err != nil {
		return "", "", "", nil, err
	}
	srv, err := service.New(service.Config{Store: st, Queue: queue, Tokens: tokens, Build: "test"})
	if err != nil {
		return "", "", "", nil, err
	}
	hs, err := srv.HTTPServer()
	if err != nil {
		return "", "", "", nil, err
	}
	l, err := access.Listen("127.0.0.1:0", access.Policy{Authenticated: true})
	if err != nil {
		return "", "", "", nil, err
	}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }()
	stop = func() {
		srv.Close()
		hs.Close()
		if err := <-done; err != http.ErrServerClosed {
			fmt.Println("server:", err)
		}
		queue.Close()
		st.Close()
	}
	addr = l.Addr().String()
	run, err = submit(st, addr, token)
	return addr, token, run, stop, err
}

func submit(st *store.Store, addr, token string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := st.PutStudy(ctx, planner.Study{ID: "s1", Modality: "CT", Kind: "HU", Size: [3]int{8, 8, 8}, Spacing: [3]float64{1, 1, 1}, Files: []string{"a"}}); err != nil {
		return "", err
	}
	conn, err := feed.Dial(addr, token, nil)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	c, err := pb.NewCaseServiceClient(conn).CreateCase(ctx, &pb.CreateCaseRequest{Case: &pb.Case{Study: "studies/s1", Procedure: "liver.resection", Condition: "normal"}})
	if err != nil {
		return "", err
	}
	p, err := pb.NewPlanServiceClient(conn).CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c.Case.Name, Plan: &pb.Plan{DisplayName: "Left lateral sectionectomy",
		Cuts: []*pb.Plane{{Point: &pb.Point{}, Normal: &pb.Direction{X: 1}}}, RetractionMm: 30}})
	if err != nil {
		return "", err
	}
	r, err := pb.NewRunServiceClient(conn).CreateRun(ctx, &pb.CreateRunRequest{Parent: p.Plan.Name, RequestId: "one"})
	if err != nil {
		return "", err
	}
	return r.Run.Name, nil
}

func TestFollowARunOfTheRealService(t *testing.T) {
	addr, token, run, stop, err := start(t.TempDir(), stretch(25))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	conn, err := feed.Dial(addr, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	sc := scene.New()
	res, err := feed.Load(ctx, conn, run, sc, feed.Options{})
	if err != nil || res.State != "succeeded" || sc.Timeline.Len() != 25 {
		t.Fatalf("%+v, %d frames, %v", res, sc.Timeline.Len(), err)
	}
	sc.Structures[0].Quantity = "von_mises"
	for _, seq := range []uint64{25, 1, 13} {
		sc.Timeline.SeekSeq(seq)
		z := sc.Positions(sc.Structures[0])[3].Z
		v := sc.Values(sc.Structures[0])[3]
		if math.Abs(z-40-float64(seq)) > 0.002 || math.Abs(float64(v)-float64(seq)) > 0.001 {
			t.Errorf("frame %d: tip at %g mm with %g kPa", seq, z, v)
		}
	}
	if title, err := feed.PlanTitle(ctx, conn, run); err != nil || title != "Left lateral sectionectomy" {
		t.Errorf("plan %q, %v", title, err)
	}
	wrong, err := feed.Dial(addr, "not-the-token", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, err := feed.Follow(ctx, wrong, run, &scene.Inbox{}, feed.Options{}); err == nil {
		t.Error("a wrong token passes")
	}
}

// Follow a run of a server into a scene, over any connection.
func ExampleFollow() {
	follow := func(ctx context.Context, conn grpc.ClientConnInterface, run string) (feed.Result, error) {
		var in scene.Inbox // give it to the goroutine that draws
		return feed.Follow(ctx, conn, run, &in, feed.Options{DropLate: true})
	}
	conn, err := feed.Dial("127.0.0.1:1", "a-token", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // nobody waits
	res, err := follow(ctx, conn, "cases/c/plans/p/runs/r")
	fmt.Println(res.Frames, err)
	// Output: 0 context canceled
}
