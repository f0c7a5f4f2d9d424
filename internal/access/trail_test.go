package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fill makes a trail with n entries and returns its file.
func fill(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log", "audit.jsonl")
	tr, err := OpenTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) }
	ctx := WithIdentity(context.Background(), Identity{Subject: "anna", Role: Planner})
	for i := range n {
		if err := tr.Append(ctx, Event{Action: Run, Object: fmt.Sprintf("plan-%d", i), Outcome: "ok"}); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestTrail(t *testing.T) {
	path := fill(t, 5)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var objects []string
	n, head, err := Verify(bytes.NewReader(b), func(e Entry) error {
		objects = append(objects, e.Object)
		if e.Subject != "anna" || e.Role != Planner {
			t.Errorf("entry %+v", e)
		}
		return nil
	})
	if err != nil || n != 5 || strings.Join(objects, " ") != "plan-0 plan-1 plan-2 plan-3 plan-4" {
		t.Fatalf("%d entries %v, %v", n, objects, err)
	}
	// Opened again, the trail goes on where it was.
	tr, err := OpenTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if k, h := tr.Head(); k != 5 || h != head {
		t.Errorf("head %d %s, want 5 %s", k, h, head)
	}
	if err := tr.Append(context.Background(), Event{Action: Run, Outcome: "ok"}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("nobody's entry: %v", err)
	}
	if _, err := OpenTrail(path); !errors.Is(err, ErrTrailInUse) {
		t.Errorf("opened twice: %v", err)
	}
}

// TestTrailTampering changes a trail in every byte, and in whole lines: each
// change is found.
func TestTrailTampering(t *testing.T) {
	good, err := os.ReadFile(fill(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	_, head, err := Verify(bytes.NewReader(good), nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))[:4]
	last := len(good) - len(lines[3])
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		_, h, err := Verify(bytes.NewReader(bad), nil)
		if i < last && err == nil {
			t.Fatalf("byte %d changed and not found", i)
		}
		if err == nil && h == head { // the last line is covered by the head
			t.Fatalf("byte %d of the last line changed and the head stays", i)
		}
	}
	join := func(order ...int) []byte {
		var b []byte
		for _, i := range order {
			b = append(b, lines[i]...)
		}
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		line int64
	}{
		"first removed":  {join(1, 2, 3), 1},
		"middle removed": {join(0, 2, 3), 2},
		"swapped":        {join(0, 2, 1, 3), 2},
		"repeated":       {join(0, 1, 1, 2, 3), 3},
		"cut":            {good[:len(good)-5], 4},
		"text":           {append(bytes.Clone(good), "hello\n"...), 5},
		"long":           {append(bytes.Clone(good), bytes.Repeat([]byte("x"), 2*maxLine)...), 5},
	} {
		_, _, err := Verify(bytes.NewReader(c.b), nil)
		chain, ok := errors.AsType[*ChainError](err)
		if !ok || chain.Line != c.line {
			t.Errorf("%s: %v, want line %d", name, err, c.line)
		}
	}
	// The end cut off at a line passes Verify alone, but not against the head.
	if n, h, err := Verify(bytes.NewReader(join(0, 1, 2)), nil); err != nil || n != 3 || h == head {
		t.Errorf("shortened trail: %d, %v", n, err)
	}
	path := filepath.Join(t.TempDir(), "bad.jsonl")
	if err := os.WriteFile(path, join(0, 2, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTrail(path); err == nil {
		t.Error("a changed trail was opened")
	}
}

// TestTrailCrash cuts the file at every byte of its last line, as a crash
// would: the trail opens, says so and goes on.
func TestTrailCrash(t *testing.T) {
	path := fill(t, 2)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(good, '\n') + 1
	for cut := first + 1; cut < len(good); cut += 7 {
		if err := os.WriteFile(path, good[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		tr, err := OpenTrail(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		tr.Close()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var last Entry
		n, _, err := Verify(bytes.NewReader(b), func(e Entry) error { last = e; return nil })
		if err != nil || n != 2 || last.Action != repair || last.Subject != system {
			t.Fatalf("cut at %d: %d entries, %v, last %+v", cut, n, err, last)
		}
		if !strings.HasPrefix(last.Detail, fmt.Sprint(cut-first)) {
			t.Errorf("cut at %d: %q", cut, last.Detail)
		}
	}
}

// TestTrailOddText writes text that JSON escapes or cannot hold.
func TestTrailOddText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	tr, err := OpenTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	odd := []string{"", "a\nb", "\xff\xfe", "<&>\u2028", "Ä\x00\"\\", "\ufffd"}
	for _, s := range odd {
		ctx := WithIdentity(context.Background(), Identity{Subject: s, Role: Role(s)})
		if err := tr.Append(ctx, Event{Action(s), s, s, s}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Append(WithIdentity(context.Background(), Identity{}), Event{Detail: strings.Repeat("x", maxLine)}); err == nil {
		t.Error("an entry too long to be read back was written")
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	tr, err = OpenTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if n, _ := tr.Head(); n != int64(len(odd)) {
		t.Errorf("%d entries, wrote %d", n, len(odd))
	}
}

// TestTrailParallel appends from many goroutines.
func TestTrailParallel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	tr, err := OpenTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		ctx := WithIdentity(context.Background(), Identity{Subject: fmt.Sprint(i), Role: Viewer})
		wg.Go(func() {
			for range 5 {
				if err := tr.Append(ctx, Event{Action: Read, Outcome: "denied"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	_, head := tr.Head()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tr.Append(WithIdentity(context.Background(), Identity{Subject: "x", Role: Viewer}), Event{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, h, err := Verify(f, nil); err != nil || n != 40 || h != head {
		t.Errorf("%d entries, %v", n, err)
	}
}

func FuzzVerify(f *testing.F) {
	good, err := os.ReadFile(fill(f, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var entries []Entry
		n, _, err := Verify(bytes.NewReader(b), func(e Entry) error { entries = append(entries, e); return nil })
		if int(n) != len(entries) {
			t.Fatalf("%d entries counted, %d seen", n, len(entries))
		}
		if err == nil && n != int64(bytes.Count(b, []byte("\n"))) {
			t.Fatalf("%d entries in %d lines", n, bytes.Count(b, []byte("\n")))
		}
		for i, e := range entries {
			if e.Seq != int64(i+1) {
				t.Fatalf("entry %d is numbered %d", i+1, e.Seq)
			}
		}
	})
}

// BenchmarkAppend measures one durable entry.
func BenchmarkAppend(b *testing.B) {
	tr, err := OpenTrail(filepath.Join(b.TempDir(), "audit.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	ctx := WithIdentity(context.Background(), Identity{Subject: "x", Role: Viewer})
	for b.Loop() {
		if err := tr.Append(ctx, Event{Action: Read, Object: "study", Outcome: "ok"}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEntryForm pins the form of a line, which other programs read.
func TestEntryForm(t *testing.T) {
	b, err := os.ReadFile(fill(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"seq":1,"time":"2026-01-02T03:04:05.000000006Z","subject":"anna","role":"planner","action":"run",` +
		`"object":"plan-0","outcome":"ok","prev":"` + strings.Repeat("0", 64) + `"}` + "\n"
	if string(b) != want {
		t.Errorf("line\n%s, want\n%s", b, want)
	}
	var any map[string]any
	if err := json.Unmarshal(b, &any); err != nil {
		t.Error(err)
	}
}
