package pacs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	ctClass   = "1.2.840.10008.5.1.4.1.1.2"
	testStudy = "1.2.3.4"
)

// elementBytes writes one explicit VR little endian element.
func elementBytes(tag uint32, vr string, v []byte) []byte {
	if len(v)%2 == 1 {
		pad := byte(' ')
		if vr == "UI" {
			pad = 0
		}
		v = append(bytes.Clone(v), pad)
	}
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	b = append(b, vr...)
	if longVR(vr) {
		b = append(b, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
	} else {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(v)))
	}
	return append(b, v...)
}

// ctData returns the data set of a CT slice of side×side signed 16-bit
// samples, explicit VR little endian.
func ctData(study, series, instance string, number, side int) []byte {
	var b []byte
	text := func(tag uint32, vr, s string) { b = append(b, elementBytes(tag, vr, []byte(s))...) }
	us := func(tag uint32, n int) {
		b = append(b, elementBytes(tag, "US", binary.LittleEndian.AppendUint16(nil, uint16(n)))...)
	}
	text(0x00080008, "CS", `ORIGINAL\PRIMARY\AXIAL`)
	text(tagClass, "UI", ctClass)
	text(tagInstance, "UI", instance)
	text(0x00080060, "CS", "CT")
	text(0x00100010, "PN", "TEST^SYNTHETIC")
	text(0x00100020, "LO", "SYNTH")
	text(tagStudy, "UI", study)
	text(tagSeries, "UI", series)
	text(0x00200013, "IS", fmt.Sprint(number))
	text(0x00200032, "DS", fmt.Sprintf(`0\0\%d`, number))
	text(0x00200037, "DS", `1\0\0\0\1\0`)
	us(0x00280002, 1)
	text(0x00280004, "CS", "MONOCHROME2")
	us(0x00280010, side)
	us(0x00280011, side)
	text(0x00280030, "DS", `1\1`)
	us(0x00280100, 16)
	us(0x00280101, 16)
	us(0x00280102, 15)
	us(0x00280103, 1)
	text(0x00281052, "DS", "0")
	text(0x00281053, "DS", "1")
	pixels := make([]byte, 0, 2*side*side)
	for i := range side * side {
		pixels = binary.LittleEndian.AppendUint16(pixels, uint16(int16(i*7%2000-1000+number)))
	}
	return append(b, elementBytes(0x7FE00010, "OW", pixels)...)
}

// writeSeries writes n slices as Part-10 files and returns their names.
func writeSeries(t testing.TB, dir, series string, n, side int) []string {
	t.Helper()
	var files []string
	for i := range n {
		uid := fmt.Sprintf("%s.%d", series, i+1)
		in := Instance{SOPClassUID: ctClass, SOPInstanceUID: uid, TransferSyntax: ExplicitVRLittleEndian}
		name := filepath.Join(dir, fmt.Sprintf("slice%04d.dcm", i))
		data := append(in.Header(), ctData(testStudy, series, uid, i, side)...)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	return files
}

// body returns the data set of a Part-10 file and its meta information.
func body(t testing.TB, name string) ([]byte, fileMeta) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := readFileMeta(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b[m.offset:], m
}

// received returns all files below a store folder, temporaries included.
func received(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// rig is a running node with a folder.
type rig struct {
	node *Node
	dir  *Dir
	path string
	addr string
	port string
	done chan Arrival
	log  *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
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

// start runs a node on a free port for the length of the test and checks that
// no goroutine is left behind.
func start(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := &rig{path: filepath.Join(t.TempDir(), "store"), done: make(chan Arrival, 100), log: &syncBuffer{}}
	var err error
	r.dir, err = OpenDir(r.path, func(_ context.Context, a Arrival) { r.done <- a })
	if err != nil {
		t.Fatal(err)
	}
	r.serve(t, cfg, r.dir)
	t.Cleanup(func() { r.dir.Close() })
	return r
}

func (r *rig) serve(t testing.TB, cfg Config, sink Sink) {
	t.Helper()
	before := goroutines()
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	cfg.Log = slog.New(slog.NewTextHandler(r.log, nil))
	var err error
	r.node, err = New(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := r.node.Listen()
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	_, r.port, _ = net.SplitHostPort(r.addr)
	served := make(chan error, 1)
	go func() { served <- r.node.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.node.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, ErrNodeClosed) {
			t.Errorf("Serve returned %v", err)
		}
		checkGoroutines(t, before)
	})
}

// goroutines returns the stacks of goroutines that run code of this package.
func goroutines() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(g, "created by halsted/imaging/pacs.(*") {
			n++
		}
	}
	return n
}

// checkGoroutines fails if more goroutines of the node run than before; they
// get a moment to come off the stack.
func checkGoroutines(t testing.TB, before int) {
	t.Helper()
	for range 100 {
		if goroutines() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines of the node left, %d before:\n%s", goroutines(), before, buf[:runtime.Stack(buf, true)])
}

// wait returns the next Arrival.
func (r *rig) wait(t testing.TB) Arrival {
	t.Helper()
	select {
	case a := <-r.done:
		return a
	case <-time.After(10 * time.Second):
		t.Fatal("no arrival was announced")
		return Arrival{}
	}
}

// tool runs a dcmtk program and returns its output.
func tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the Debian package dcmtk (make setup does)", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	return string(out), err
}

// mustTool is tool that has to succeed.
func mustTool(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// storeAE is how tests call a rig.
var storeAE = AE{Called: DefaultAETitle, Calling: "TESTER", Timeout: 10 * time.Second}
