package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

	"gonum.org/v1/gonum/spatial/r3"
)

// asCommand makes the test binary be the command: a process has one window.
const asCommand = "HALSTED_VIEW_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Setenv("LIBGL_ALWAYS_SOFTWARE", "1")
	stop, err := startXvfb()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cmd/halsted-view:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

func startXvfb() (func(), error) {
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return nil, fmt.Errorf("Xvfb is missing: apt-get install xvfb libgl1-mesa-dri libgl-dev")
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command(path, "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-displayfd", "3")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		cmd.Wait()
		return nil, fmt.Errorf("Xvfb gave no display: %v", err)
	}
	os.Setenv("DISPLAY", ":"+strings.TrimSpace(number))
	return func() { cmd.Process.Kill(); cmd.Wait() }, nil
}

// must panics: the server is made outside any one test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const frames = 8

// egg runs a simulation of an egg that is pulled to the patient's left, with a
// tumour inside.
func egg(ctx context.Context, j jobs.Job, r jobs.Reporter) error {
	t := &planner.Topology{}
	body := func(name string, l imaging.Label, c r3.Vec, rad float64, n int) {
		first := int32(len(t.Rest))
		for j := range n + 1 {
			for i := range 2 * n {
				th, ph := math.Pi*float64(j)/float64(n), math.Pi*float64(i)/float64(n)
				t.Rest = append(t.Rest, r3.Add(c, r3.Scale(rad, r3.Vec{X: 1.5 * math.Sin(th) * math.Cos(ph), Y: math.Sin(th) * math.Sin(ph), Z: math.Cos(th)})))
			}
		}
		s := planner.Structure{Name: name, Label: l, First: first, Count: int32(2 * n * (n + 1))}
		for j := range int32(n) {
			for i := range int32(2 * n) {
				a, b := first+j*int32(2*n)+i, first+j*int32(2*n)+(i+1)%int32(2*n)
				c, d := a+int32(2*n), b+int32(2*n)
				s.Tris = append(s.Tris, [3]int32{a, c, d}, [3]int32{a, d, b})
			}
		}
		t.Structures = append(t.Structures, s)
	}
	body("remnant", imaging.LabelLiver, r3.Vec{}, 60, 40)
	body("tumour_1", imaging.LabelTumour, r3.Vec{X: 20}, 15, 20)
	if _, err := r.Topology(t); err != nil {
		return err
	}
	for k := 1; k <= frames; k++ {
		f := planner.DisplayFrame{SimTimeS: float64(k) / 10}
		vm, u := make([]float32, len(t.Rest)), make([]float32, len(t.Rest))
		for i, p := range t.Rest {
			w := 1 / (1 + math.Exp(-p.X/20)) * float64(k) * 3
			f.Pos = append(f.Pos, r3.Add(p, r3.Vec{X: w}))
			vm[i], u[i] = float32(float64(k)*math.Exp(-p.X*p.X/2000)), float32(w)
		}
		f.Fields = []planner.Field{{ID: "von_mises", Unit: "kPa", Values: vm}, {ID: "displacement", Unit: "mm", Values: u}}
		if err := r.Frame(f); err != nil {
			return err
		}
	}
	return nil
}

// server is the whole service on the loopback interface, with one run.
type server struct{ addr, tokenFile, run string }

func startServer(t *testing.T) server {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	dir := t.TempDir()
	st := must(store.Open(ctx, dir))
	queue := must(jobs.Open(context.Background(), st, jobs.RunnerFunc(egg), jobs.Config{}))
	s := server{tokenFile: filepath.Join(dir, "client", "token")}
	tokens := &access.Tokens{}
	if err := tokens.Issue(s.tokenFile, access.Identity{Subject: "s", Role: access.Surgeon}); err != nil {
		t.Fatal(err)
	}
	srv := must(service.New(service.Config{Store: st, Queue: queue, Tokens: tokens, Build: "test"}))
	hs := must(srv.HTTPServer())
	l := must(access.Listen("127.0.0.1:0", access.Policy{Authenticated: true}))
	s.addr = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := hs.Serve(l); err != http.ErrServerClosed {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { srv.Close(); hs.Close(); <-done; queue.Close(); st.Close() })
	if err := st.PutStudy(ctx, planner.Study{ID: "s1", Modality: "CT", Kind: "HU", Size: [3]int{8, 8, 8}, Spacing: [3]float64{1, 1, 1}, Files: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	conn := must(feed.Dial(s.addr, must(access.ReadToken(s.tokenFile)), nil))
	defer conn.Close()
	c := must(pb.NewCaseServiceClient(conn).CreateCase(ctx, &pb.CreateCaseRequest{Case: &pb.Case{Study: "studies/s1", Procedure: "liver.resection", Condition: "normal"}}))
	p := must(pb.NewPlanServiceClient(conn).CreatePlan(ctx, &pb.CreatePlanRequest{Parent: c.Case.Name, Plan: &pb.Plan{DisplayName: "Left lateral sectionectomy",
		Cuts: []*pb.Plane{{Point: &pb.Point{}, Normal: &pb.Direction{X: 1}}}, RetractionMm: 30}}))
	s.run = must(pb.NewRunServiceClient(conn).CreateRun(ctx, &pb.CreateRunRequest{Parent: p.Plan.Name, RequestId: "one"})).Run.Name
	return s
}

func (s server) args(more ...string) []string {
	return append([]string{"--server", s.addr, "--token-file", s.tokenFile, "--run", s.run}, more...)
}

// call runs the command in this process.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func readPNG(t *testing.T, path string) (image.Image, []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img, b
}

func TestUsage(t *testing.T) {
	code, out, _ := call(t, "--help")
	for _, want := range []string{"Example:", "--server", "Exit codes:", "-screenshot", "5  the run ended"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("--help ends with %d and lacks %q", code, want)
		}
	}
	good := []string{"--server", "127.0.0.1:1", "--token-file", "t", "--run", "cases/c/plans/p/runs/r"}
	for _, bad := range [][]string{
		nil, good[:4], append(good[:4:4], "--run", "r"), append(good, "--frame", "0"), append(good, "--frame", "first"), append(good, "--view", "top"),
		append(good, "--size", "12x"), append(good, "--size", "99999x800"), append(good, "--software"), append(good, "rest"), append(good, "--nonsense"), append(good, "--timeout", "0s"),
	} {
		if code, _, msg := call(t, bad...); code != exitUsage || !strings.Contains(msg, "--help") {
			t.Errorf("%v: exit code %d, %q", bad, code, msg)
		}
	}
}

func TestScreenshots(t *testing.T) {
	s := startServer(t)
	dir := t.TempDir()
	soft := filepath.Join(dir, "soft.png")
	code, out, msg := call(t, s.args("--screenshot", soft, "--software", "--size", "640x480", "--json")...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, msg)
	}
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r.Run != s.run || r.State != "succeeded" || r.Frame != frames || r.Frames != frames || r.Field != "von_mises" || r.Unit != "kPa" || math.Abs(r.Max-frames) > 0.1 || r.Renderer != "software" || r.Notice == "" {
		t.Errorf("report %+v", r)
	}
	img, raw := readPNG(t, soft)
	if img.Bounds() != image.Rect(0, 0, 640, 480) || !bytes.Contains(raw, []byte(s.run)) {
		t.Errorf("picture of %v without its source", img.Bounds())
	}
	again := filepath.Join(dir, "again.png")
	if code, _, msg = call(t, s.args("--screenshot", again, "--software", "--size", "640x480")...); code != exitOK {
		t.Fatal(msg)
	}
	if _, b := readPNG(t, again); !bytes.Equal(raw, b) {
		t.Error("the same run gives another picture")
	}
	third := filepath.Join(dir, "third.png")
	if code, out, msg = call(t, s.args("--screenshot", third, "--software", "--frame", "3", "--view", "left", "--field", "displacement", "--json")...); code != exitOK {
		t.Fatal(msg)
	}
	r = report{}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Frame != 3 || r.View != "left" || r.Field != "displacement" || r.Width != 1280 {
		t.Errorf("report %+v, %v", r, err)
	}

	// With OpenGL, and against the software picture: nearly the same. (Last:
	// it takes this process's only window.)
	gl := filepath.Join(dir, "gl.png")
	if code, out, msg = call(t, s.args("--screenshot", gl, "--size", "640x480")...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, msg)
	}
	if !strings.Contains(out, "frame 8 of "+s.run) {
		t.Errorf("says %q", out)
	}
	other, _ := readPNG(t, gl)
	sum := 0.0
	for y := range 480 {
		for x := range 640 {
			a, b, c, _ := img.At(x, y).RGBA()
			d, e, f, _ := other.At(x, y).RGBA()
			sum += math.Abs(float64(a)-float64(d)) + math.Abs(float64(b)-float64(e)) + math.Abs(float64(c)-float64(f))
		}
	}
	if mean := sum / (640 * 480 * 3 * 257); mean > 0.5 {
		t.Errorf("OpenGL and software pictures differ by %.2f of 255 on average", mean)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestClearErrors(t *testing.T) {
	s := startServer(t)
	dir := t.TempDir()
	shot := filepath.Join(dir, "x.png")
	open := filepath.Join(dir, "open-token")
	if err := os.WriteFile(open, []byte(must(os.ReadFile(s.tokenFile))[:]), 0o644); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(dir, "wrong-token")
	if err := (&access.Tokens{}).Issue(wrong, access.Identity{Subject: "x", Role: access.Viewer}); err != nil {
		t.Fatal(err)
	}
	soft := []string{"--screenshot", shot, "--software", "--timeout", "200ms"}
	with := func(server, token, run string) []string {
		return append([]string{"--server", server, "--token-file", token, "--run", run}, soft...)
	}
	for _, c := range []struct {
		what string
		args []string
		code int
		says string
	}{
		{"no server", with("127.0.0.1:1", s.tokenFile, s.run), exitServer, "no server answers at 127.0.0.1:1"},
		{"no token file", with(s.addr, filepath.Join(dir, "none"), s.run), exitServer, "none"},
		{"a token others can read", with(s.addr, open, s.run), exitServer, "others can read it"},
		{"a wrong token", with(s.addr, wrong, s.run), exitServer, "refuses the token"},
		{"no such run", with(s.addr, s.tokenFile, s.run[:len(s.run)-4]+"0000"), exitServer, "knows no run"},
		{"no such frame", append(s.args(soft...), "--frame", "99"), exitFrame, "frame 99"},
		{"no such folder", append(s.args(soft...), "--screenshot", filepath.Join(dir, "no", "x.png")), exitFailed, "no such file"},
	} {
		code, out, msg := call(t, c.args...)
		if code != c.code || !strings.Contains(msg, c.says) || strings.Count(strings.TrimSpace(msg), "halsted-view:") != 1 || out != "" {
			t.Errorf("%s: exit code %d, says %q", c.what, code, msg)
		}
	}
	t.Setenv("DISPLAY", "")
	code, _, msg := call(t, s.args("--screenshot", shot)...)
	if code != exitDisplay || !strings.Contains(msg, "xvfb") || !strings.Contains(msg, "DISPLAY") || !strings.Contains(msg, "--software") {
		t.Errorf("no display: exit code %d, says %q", code, msg)
	}
	if _, err := os.Stat(shot); err == nil {
		t.Error("a failed call leaves a picture")
	}
}

// A display that does not answer is an error, not a crash.
func TestDeadDisplay(t *testing.T) {
	cmd := exec.Command(os.Args[0], "--server", "127.0.0.1:1", "--token-file", tokenFile(t), "--run", "cases/c/plans/p/runs/r", "--screenshot", filepath.Join(t.TempDir(), "x.png"))
	cmd.Env = append(os.Environ(), asCommand+"=1", "DISPLAY=:64999")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitDisplay || !strings.Contains(string(out), "xvfb") {
		t.Errorf("%v: %s", err, out)
	}
}

func tokenFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "token")
	if err := (&access.Tokens{}).Issue(path, access.Identity{Subject: "x", Role: access.Viewer}); err != nil {
		t.Fatal(err)
	}
	return path
}

// The window follows the run and closes on an interrupt.
func TestWindowFollowsARun(t *testing.T) {
	s := startServer(t)
	for _, wait := range []time.Duration{1, 4, 20} {
		cmd := exec.Command(os.Args[0], s.args("--json", "--size", "640x480")...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(wait * time.Second)
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, errs.String())
		}
		var r report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		if r.Frames == frames && r.Frame == frames && r.State == "succeeded" && r.Field == "von_mises" {
			return
		}
		t.Logf("after %d s: %+v", wait, r) // a slow machine: wait longer
	}
	t.Error("the window has not followed the run")
}
