package pacs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestConfigValidate(t *testing.T) {
	loop := netip.MustParsePrefix("10.0.0.0/8")
	for name, c := range map[string]struct {
		cfg Config
		bad string // part of the error; "" = fine
	}{
		"zero value":         {Config{}, ""},
		"localhost":          {Config{Address: "localhost:0"}, ""},
		"IPv6 loopback":      {Config{Address: "[::1]:104"}, ""},
		"everywhere":         {Config{Address: ":104"}, "refusing to listen"},
		"other address":      {Config{Address: "192.0.2.1:104"}, "refusing to listen"},
		"TLS":                {Config{Address: ":104", TLS: &tls.Config{}}, "refusing to listen"},
		"TLS, any authority": {Config{Address: ":104", TLS: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}}, "refusing to listen"},
		"TLS, our authority": {Config{Address: ":104",
			TLS: &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}}, ""},
		"plain without callers": {Config{Address: ":104", AllowPlain: true}, "wants Callers"},
		"plain without addresses": {Config{Address: ":104", AllowPlain: true,
			Callers: []Caller{{"CT1", []netip.Prefix{loop}}, {"CT2", nil}}}, "wants Callers"},
		"plain with list": {Config{Address: ":104", AllowPlain: true, Callers: []Caller{{"CT1", []netip.Prefix{loop}}}}, ""},
		"long title":      {Config{AETitle: "SEVENTEEN_LETTERS"}, "AETitle"},
		"caller title":    {Config{Callers: []Caller{{AETitle: `A\B`}}}, "Callers"},
		"small PDU":       {Config{MaxPDU: 100}, "MaxPDU"},
		"no port":         {Config{Address: "127.0.0.1"}, "Address"},
		"negative":        {Config{MaxAssociations: -1}, "MaxAssociations"},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %v, want %q", name, err, c.bad)
		}
	}
}

// TestServeChecksListener hands Serve a listener that Listen would refuse.
func TestServeChecksListener(t *testing.T) {
	n, err := New(Config{}, memorySink{t})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Serve(ln); err == nil || !strings.Contains(err.Error(), "refusing") {
		t.Errorf("Serve on %v: %v", ln.Addr(), err)
	}
}

func TestCallerAddress(t *testing.T) {
	elsewhere := start(t, Config{Callers: []Caller{{"TESTER", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}})
	err := Echo(context.Background(), elsewhere.addr, storeAE)
	if rej, ok := errors.AsType[*RejectError](err); !ok || *rej != rejectCallingAE {
		t.Errorf("caller from another address: %v", err)
	}
	here := start(t, Config{Callers: []Caller{{"TESTER", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}})
	if err := Echo(context.Background(), here.addr, storeAE); err != nil {
		t.Error(err)
	}
}

// TestParallel sends four series at once, and one of them twice at the same
// time: every object is stored once.
func TestParallel(t *testing.T) {
	r := start(t, Config{})
	var all []string
	var wg sync.WaitGroup
	for i := range 4 {
		files := writeSeries(t, t.TempDir(), fmt.Sprintf("1.2.3.4.2%d", i), 12, 64)
		all = append(all, files...)
		senders := 1
		if i == 0 {
			senders = 2
		}
		for range senders {
			wg.Go(func() {
				if _, err := Store(context.Background(), r.addr, storeAE, files, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	sameFiles(t, r, all)
	if got := r.dir.Counts(); got != (Counts{Stored: 48, Duplicates: 12}) {
		t.Errorf("counts %+v", got)
	}
	for range 5 {
		if a := r.wait(t); !a.Released || a.Count() != 12 || len(a.Series) != 1 {
			t.Errorf("arrival of %d instances in %d series", a.Count(), len(a.Series))
		}
	}
}

// failingSink fails in a chosen way for every second instance.
type failingSink struct {
	Sink
	mu   sync.Mutex
	n    int
	fail func(data io.Reader) error
}

func (f *failingSink) Store(ctx context.Context, in Instance, data io.Reader) (Stored, error) {
	f.mu.Lock()
	f.n++
	odd := f.n%2 == 1
	f.mu.Unlock()
	if odd {
		return Stored{}, f.fail(data)
	}
	return f.Sink.Store(ctx, in, data)
}

// TestFailingSink checks the status for each way to fail, that the
// association goes on and that the other files arrive.
func TestFailingSink(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(io.Reader) error
		want uint16
	}{
		"disk full at once": {func(io.Reader) error { return &os.PathError{Op: "write", Err: syscall.ENOSPC} }, StatusOutOfResources},
		"disk full half-way": {func(d io.Reader) error {
			io.CopyN(io.Discard, d, 5000)
			return fmt.Errorf("archive: %w", syscall.ENOSPC)
		}, StatusOutOfResources},
		"own status": {func(io.Reader) error { return &StatusError{0xA701, "later"} }, 0xA701},
		"other":      {func(io.Reader) error { return errors.New("x") }, StatusProcessingFailure},
		"too lazy":   {func(d io.Reader) error { _, err := io.CopyN(io.Discard, d, 10); return err }, StatusProcessingFailure},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{path: filepath.Join(t.TempDir(), "store"), done: make(chan Arrival, 1), log: &syncBuffer{}}
			var err error
			if r.dir, err = OpenDir(r.path, nil); err != nil {
				t.Fatal(err)
			}
			defer r.dir.Close()
			r.serve(t, Config{}, &failingSink{Sink: r.dir, fail: c.fail})
			files := writeSeries(t, t.TempDir(), "1.2.3.4.30", 4, 128)
			results, err := Store(context.Background(), r.addr, storeAE, files, nil)
			if _, ok := errors.AsType[*IncompleteError](err); !ok {
				t.Fatalf("error %v", err)
			}
			for i, res := range results {
				want := uint16(StatusSuccess)
				if i%2 == 0 {
					want = c.want
				}
				if res.Status != want || (res.Err == nil) != (i%2 == 1) {
					t.Errorf("file %d: status %04X, %v, want %04X", i, res.Status, res.Err, want)
				}
			}
			sameFiles(t, r, []string{files[1], files[3]})
		})
	}
}

// TestBlockedFolder lets a Dir run into real file system errors: 0xA700, no
// temporary file, and no path in the error.
func TestBlockedFolder(t *testing.T) {
	r := start(t, Config{})
	if err := os.WriteFile(filepath.Join(r.path, testStudy), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files := writeSeries(t, t.TempDir(), "1.2.3.4.31", 2, 64)
	results, err := Store(context.Background(), r.addr, storeAE, files, nil)
	if err == nil || results[0].Status != StatusOutOfResources || results[1].Status != StatusOutOfResources {
		t.Errorf("results %+v, %v", results, err)
	}
	if got := received(t, r.path); len(got) != 1 {
		t.Errorf("store holds %v", got)
	}
	if strings.Contains(r.log.String(), testStudy+"/") {
		t.Errorf("the log names a path:\n%s", r.log)
	}
	os.Remove(filepath.Join(r.path, testStudy))
	if _, err := Store(context.Background(), r.addr, storeAE, files, nil); err != nil {
		t.Errorf("after the block is gone: %v", err)
	}
}

func TestOpenDirRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, incoming, "X")
	kept := filepath.Join(dir, "1.2", "1.2.3", "1.2.3.4.dcm")
	for _, name := range []string{left, kept} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDir(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := received(t, dir); len(got) != 1 || got[0] != kept {
		t.Errorf("store holds %v", got)
	}
}

type panicSink struct{ Sink }

func (panicSink) Store(context.Context, Instance, io.Reader) (Stored, error) { panic("secret") }

// TestPanickingSink must cost one association, not the node.
func TestPanickingSink(t *testing.T) {
	r := &rig{path: t.TempDir(), log: &syncBuffer{}}
	r.serve(t, Config{MaxAssociations: 1}, panicSink{memorySink{t}})
	files := writeSeries(t, t.TempDir(), "1.2.3.4.32", 1, 64)
	_, err := Store(context.Background(), r.addr, storeAE, files, nil)
	if _, ok := errors.AsType[*AbortError](err); !ok {
		t.Errorf("sender got %v, want an abort", err)
	}
	for range 100 { // the place is given back a moment later
		if err = Echo(context.Background(), r.addr, storeAE); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		t.Error(err)
	}
	if log := r.log.String(); !strings.Contains(log, "panicked") || strings.Contains(log, "secret") {
		t.Errorf("log: %s", log)
	}
}

// TestKilledSender kills storescu while it sends; then a resend completes.
func TestKilledSender(t *testing.T) {
	r := start(t, Config{})
	in := t.TempDir()
	files := writeSeries(t, in, "1.2.3.4.33", 200, 128)
	path, err := exec.LookPath("storescu")
	if err != nil {
		t.Fatal("storescu is missing: install the Debian package dcmtk (make setup does)")
	}
	cmd := exec.Command(path, "-R", "-aec", "HALSTED", "127.0.0.1", r.port, "+sd", in)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for r.dir.Counts().Stored < 5 {
		time.Sleep(time.Millisecond)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if a := r.wait(t); a.Released || a.Count() < 5 {
		t.Errorf("arrival of %d, released %v", a.Count(), a.Released)
	}
	for _, name := range received(t, r.path) {
		if strings.Contains(name, incoming) {
			t.Errorf("%s was left behind", name)
		}
	}
	if _, err := Store(context.Background(), r.addr, storeAE, files, nil); err != nil {
		t.Error(err)
	}
	sameFiles(t, r, files)
}

// TestShutdown lets a running transfer end, and cuts it off when the context
// ends.
func TestShutdown(t *testing.T) {
	for _, patient := range []bool{true, false} {
		t.Run(fmt.Sprintf("patient=%v", patient), func(t *testing.T) {
			before := goroutines()
			r := start(t, Config{})
			data := ctData(testStudy, "1.2.3.4.34", "1.2.3.4.34.1", 0, 200)
			busy, idle := r.associate(t), r.associate(t)
			busy.Write(join(storeRQ(ctClass, "1.2.3.4.34.1"), fragmentPDU(3, 0, data[:50000])))
			for len(received(t, r.path)) == 0 {
				time.Sleep(time.Millisecond)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			down := make(chan error, 1)
			go func() { down <- r.node.Shutdown(ctx) }()
			if patient {
				for !r.node.draining.Load() {
					time.Sleep(time.Millisecond)
				}
				if kind, _ := readPDU(t, idle); kind != pduAbort {
					t.Errorf("idle association: PDU type %02X, want an abort", kind)
				}
				busy.Write(fragmentPDU(3, 2, data[50000:]))
				if kind, _ := readPDU(t, busy); kind != pduData {
					t.Errorf("running transfer: PDU type %02X, want the answer", kind)
				}
				busy.Write(appendRelease(nil, pduReleaseRQ))
				if kind, _ := readPDU(t, busy); kind != pduReleaseRP {
					t.Errorf("running transfer: PDU type %02X, want the release", kind)
				}
				busy.Close()
				idle.Close()
				if err := <-down; err != nil {
					t.Error(err)
				}
				if a := r.wait(t); !a.Released || a.Count() != 1 {
					t.Errorf("arrival %+v", a)
				}
			} else {
				cancel()
				if err := <-down; !errors.Is(err, context.Canceled) {
					t.Errorf("Shutdown: %v", err)
				}
				if got := received(t, r.path); len(got) != 0 {
					t.Errorf("store holds %v", got)
				}
			}
			checkGoroutines(t, before)
			if err := r.node.Serve(newListener(t)); !errors.Is(err, ErrNodeClosed) {
				t.Errorf("Serve after Shutdown: %v", err)
			}
			if err := Echo(context.Background(), r.addr, storeAE); err == nil {
				t.Error("the node still answers")
			}
		})
	}
}

func newListener(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
