package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"halsted/planner"
)

// victim makes the test binary a process that writes until it is killed.
const victim = "HALSTED_STORE_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

const victimVertices = 3000

// writeUntilKilled appends frames to run r1 and prints the number of each
// frame that the store said it holds.
func writeUntilKilled(dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	r, err := s.Run(ctx, "r1")
	if err != nil {
		return err
	}
	for seq := r.LastSeq + 1; ; seq++ {
		f := testFrames(1, int(seq), victimVertices)[seq-1]
		if err := s.AppendFrames(ctx, "r1", 1, []planner.DisplayFrame{f}); err != nil {
			return err
		}
		fmt.Println(seq)
	}
}

func opened(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// A process killed while it writes leaves a store with every acknowledged
// frame and nothing half-written. (kill -9 does not test the disk's cache:
// fsync answers for that.)
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	newRun(t, s, "r1")
	must(t, s.Close())
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victim+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		var acked uint64
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acked, err = strconv.ParseUint(lines.Text(), 10, 64)
			must(t, err)
			if n == 7+3*round {
				must(t, cmd.Process.Signal(syscall.SIGKILL))
			}
		}
		if err := cmd.Wait(); err == nil || acked == 0 {
			t.Fatalf("the victim ended by itself after frame %d: %v", acked, err)
		}
		s, err := Open(t.Context(), dir)
		must(t, err)
		r, err := s.Run(t.Context(), "r1")
		must(t, err)
		if r.LastSeq < acked {
			t.Fatalf("frame %d was acknowledged, the store has %d", acked, r.LastSeq)
		}
		if got := collect(t, s.Frames(t.Context(), "r1", 1, 0)); !reflect.DeepEqual(got, testFrames(1, int(r.LastSeq), victimVertices)) {
			t.Fatalf("round %d: frames changed", round)
		}
		if left, err := fs.ReadDir(s.root.FS(), tmpDir); err != nil || len(left) > 0 {
			t.Errorf("%d temporary files are left, %v", len(left), err)
		}
		must(t, s.Close())
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	key, err := s.PutBytes(t.Context(), []byte("kept"))
	must(t, err)
	must(t, s.Close())
	must(t, os.WriteFile(filepath.Join(dir, tmpDir, "HALFWRITTEN"), []byte("half"), 0o600))
	s = opened(t, dir)
	if left, err := fs.ReadDir(s.root.FS(), tmpDir); err != nil || len(left) > 0 {
		t.Errorf("%v left, %v", left, err)
	}
	if b, err := s.ReadBlob(t.Context(), key, 10); err != nil || string(b) != "kept" {
		t.Errorf("blob: %q, %v", b, err)
	}
}

// damage rewrites a blob's file.
func damage(t *testing.T, dir, key string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, blobPath(key))
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Chmod(path, 0o600))
	must(t, os.WriteFile(path, change(b), 0o600))
}

func wantCorrupt(t *testing.T, err error, key string) {
	t.Helper()
	if c, ok := errors.AsType[*CorruptError](err); !ok || c.Key != key || !strings.Contains(err.Error(), key) {
		t.Errorf("error %v, want a CorruptError that names %s", err, key)
	}
}

func TestDamagedBlobIsFoundAndNamed(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	ctx := t.Context()
	run := newRun(t, s, "r1").ID
	must(t, s.AppendFrames(ctx, run, 1, testFrames(1, 4, 30)))
	var key string
	must(t, s.Read().QueryRowContext(ctx, "SELECT blob FROM segments").Scan(&key))
	intact, err := s.ReadBlob(ctx, key, 1<<20)
	must(t, err)
	for name, change := range map[string]func([]byte) []byte{
		"flipped bit": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"cut":         func(b []byte) []byte { return b[:len(b)-1] },
		"longer":      func(b []byte) []byte { return append(b, 0) },
		"empty":       func([]byte) []byte { return nil },
	} {
		damage(t, dir, key, change)
		_, err := s.OpenBlob(ctx, key)
		wantCorrupt(t, err, key)
		n := 0
		for _, err = range s.Frames(ctx, run, 1, 0) {
			n++
		}
		wantCorrupt(t, err, key)
		if n != 1 {
			t.Errorf("%s: %d items, want the error alone", name, n)
		}
		// Storing the true bytes again heals.
		_, err = s.PutBytes(ctx, intact)
		must(t, err)
		if got := collect(t, s.Frames(ctx, run, 1, 0)); len(got) != 4 {
			t.Errorf("%s: %d frames after healing", name, len(got))
		}
	}
	must(t, os.Remove(filepath.Join(dir, blobPath(key))))
	for _, err = range s.Frames(ctx, run, 1, 0) {
		wantErr(t, err, ErrNotFound, key)
	}
	// A whole blob that is not what the catalogue says.
	for _, other := range [][]byte{[]byte("HSF1"), []byte("something else entirely"), wrongFrames(t)} {
		wrong, err := s.PutBytes(ctx, other)
		must(t, err)
		must(t, s.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE segments SET blob = ?", wrong)
			return err
		}))
		for _, err = range s.Frames(ctx, run, 1, 0) {
			wantCorrupt(t, err, wrong)
		}
	}
}

// wrongFrames is a good segment with the right count of the wrong frames.
func wrongFrames(t *testing.T) []byte {
	b, err := encodeSegment(testFrames(3, 4, 5))
	must(t, err)
	return b
}

// failingFile gives real error numbers after some bytes.
type failingFile struct {
	blobFile
	room int
	err  error
}

func (f *failingFile) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, f.err
	}
	f.room -= len(p)
	return f.blobFile.Write(p)
}

func TestFullAndReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	ctx := t.Context()
	run := newRun(t, s, "r1").ID
	create := s.create
	for _, c := range []struct {
		errno syscall.Errno
		want  error
	}{{syscall.ENOSPC, ErrFull}, {syscall.EDQUOT, ErrFull}, {syscall.EROFS, ErrReadOnly}, {syscall.EACCES, ErrReadOnly}} {
		for _, room := range []int{0, 1000} {
			s.create = func(name string) (blobFile, error) {
				f, err := create(name)
				return &failingFile{f, room, &fs.PathError{Op: "write", Path: name, Err: c.errno}}, err
			}
			wantErr(t, s.AppendFrames(ctx, run, 1, testFrames(1, 1, 500)), c.want, "writing a blob")
		}
	}
	s.create = create
	if left, err := fs.ReadDir(s.root.FS(), tmpDir); err != nil || len(left) > 0 {
		t.Errorf("%d files left behind, %v", len(left), err)
	}
	must(t, s.AppendFrames(ctx, run, 1, testFrames(1, 1, 500))) // as if nothing had been

	// The catalogue: SQLite's own full and read-only.
	var pages int
	must(t, s.writer.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages))
	if _, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
	var err error
	p, _ := s.Run(ctx, run)
	for n := 0; n < 1000 && err == nil; n++ {
		err = s.PutPlan(ctx, testPlan(p.Case, float64(1000+n)))
	}
	wantErr(t, err, ErrFull, "free space")
	if _, err := s.Plan(ctx, p.Plan); err != nil {
		t.Errorf("reading from a full store: %v", err)
	}
	if _, err := s.writer.ExecContext(ctx, "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, s.SetCaseResult(ctx, p.Case, "x", "y"), ErrReadOnly, "make the directory writable")
}

func TestOpenRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a ?#%25 dir")
	s := opened(t, dir) // an odd name is no problem
	newPlan(t, s)
	_, err := Open(t.Context(), dir)
	wantErr(t, err, ErrInUse, "another process")
	must(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("PRAGMA user_version = 99")
		return err
	}))
	must(t, s.Close())
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a catalogue of the future: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(t.Context(), file); err == nil {
		t.Error("a file opened as a store")
	}
	broken := t.TempDir()
	must(t, os.WriteFile(filepath.Join(broken, "catalogue.db"), bytes.Repeat([]byte("no database"), 500), 0o600))
	if _, err := Open(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "catalogue") {
		t.Errorf("a broken catalogue: %v", err)
	}
}

func TestDurabilityIsSetOnEveryConnection(t *testing.T) {
	s := opened(t, t.TempDir())
	for name, db := range map[string]*sql.DB{"writer": s.writer, "reader": s.reader} {
		var mode string
		var sync int
		must(t, db.QueryRow("PRAGMA journal_mode").Scan(&mode))
		must(t, db.QueryRow("PRAGMA synchronous").Scan(&sync))
		if mode != "wal" || sync != 2 { // 2: FULL
			t.Errorf("%s: journal_mode %s, synchronous %d", name, mode, sync)
		}
	}
	if _, err := s.Read().Exec("DELETE FROM studies"); err == nil {
		t.Error("a connection for reading can write")
	}
}

// Writers and readers at once: nobody fails, nothing is lost.
func TestConcurrentUse(t *testing.T) {
	s := opened(t, t.TempDir())
	ctx := t.Context()
	p := newPlan(t, s)
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			id := fmt.Sprint("run", w)
			if _, _, err := s.CreateRun(ctx, planner.Run{ID: id, Case: p.Case, Plan: p.ID}); err != nil {
				t.Error(err)
				return
			}
			if _, err := s.BeginEpoch(ctx, id); err != nil {
				t.Error(err)
			}
			for _, f := range testFrames(1, 8, 100) { // the same blobs from all writers
				if err := s.AppendFrames(ctx, id, 1, []planner.DisplayFrame{f}); err != nil {
					t.Error(err)
				}
				for _, err := range s.Frames(ctx, id, 1, 0) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for w := range 6 {
		if got := collect(t, s.Frames(ctx, fmt.Sprint("run", w), 1, 0)); !reflect.DeepEqual(got, testFrames(1, 8, 100)) {
			t.Errorf("run%d has %d frames, or others", w, len(got))
		}
	}
}

func FuzzSegment(f *testing.F) {
	for _, n := range []int{0, 1, 5} {
		b, err := encodeSegment(testFrames(1, 3, n))
		must(f, err)
		f.Add(b)
	}
	f.Add([]byte("HSF1\xff\xff\xff\x00\xff\xff\xff\xff\x40\x00"))
	f.Add(ofVersion1(testFrames(1, 2, 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := openSegment(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if g.frames > len(b) {
			t.Fatalf("%d frames in %d bytes", g.frames, len(b))
		}
		var frames []planner.DisplayFrame
		for range g.frames {
			fr, err := g.next()
			if err != nil {
				return // the header fits the size: a quality is damaged
			}
			frames = append(frames, *fr)
		}
		if len(frames) == 0 {
			return
		}
		again, err := encodeSegment(frames)
		must(t, err)
		if string(b[:4]) == segmentMagic1 {
			b = ofVersion1(frames)
			again = ofVersion1(readAll(t, again))
		}
		if !bytes.Equal(again, b) {
			t.Fatal("reading and writing changed the bytes")
		}
	})
}

func FuzzTopology(f *testing.F) {
	f.Add(encodeTopology(testTopology()))
	f.Add(encodeTopology(&planner.Topology{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		top, err := decodeTopology(b)
		if err != nil {
			return
		}
		if err := top.Validate(); err == nil && !bytes.Equal(encodeTopology(top), b) {
			t.Fatal("another spelling was accepted")
		}
	})
}

func BenchmarkAppendFrames(b *testing.B) {
	s := opened(b, b.TempDir())
	ctx := context.Background()
	must(b, s.PutStudy(ctx, planner.Study{ID: "s1"}))
	c := testCase("s1")
	must(b, s.PutCase(ctx, c))
	p := testPlan(c.ID, 1)
	must(b, s.PutPlan(ctx, p))
	_, _, err := s.CreateRun(ctx, planner.Run{ID: "r1", Case: c.ID, Plan: p.ID})
	must(b, err)
	_, err = s.BeginEpoch(ctx, "r1")
	must(b, err)
	fr := testFrames(1, 1, 50_000)
	b.SetBytes(frameBytes(50_000, 2, qualityBytes))
	for b.Loop() {
		must(b, s.AppendFrames(ctx, "r1", 1, fr))
		fr[0].Seq++
	}
}
