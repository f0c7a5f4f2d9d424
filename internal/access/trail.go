package access

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Event is one line of a Trail: who did what to what, and how it ended.
// Objects are named by content keys or ids of this system, never by patient
// identifiers.
type Event struct {
	Action  Action `json:"action"`
	Object  string `json:"object,omitempty"`
	Outcome string `json:"outcome"` // "ok", "denied", "failed"
	Detail  string `json:"detail,omitempty"`
}

// Entry is an Event as it stands in the file.
type Entry struct {
	Seq     int64     `json:"seq"` // 1, 2, 3, …
	Time    time.Time `json:"time"`
	Subject string    `json:"subject"`
	Role    Role      `json:"role,omitempty"`
	Event
	Prev string `json:"prev"` // SHA-256 of the line before, without its newline; 64 zeros for the first
}

// Trail is an append-only audit log: a file of JSON lines in which each line
// carries the hash of the line before.
type Trail struct {
	mu   sync.Mutex // guards all below
	f    *os.File
	seq  int64
	head string
	size int64
	now  func() time.Time
	err  error // of a failed write: the trail is closed for good
}

// maxLine bounds one entry.
const maxLine = 64 << 10

// repair by system is the entry that notes a torn last line.
const (
	repair = Action("repair trail")
	system = "system"
)

// Errors of a trail.
var (
	ErrTrailInUse = errors.New("audit trail is in use by another process")
	errNoNewline  = errors.New("last line is cut short")
)

// ChainError says where a trail stopped being what was written.
type ChainError struct {
	Line int64 // counted from 1
	Why  string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("audit trail: line %d %s: the file was changed after it was written", e.Line, e.Why)
}

var genesis = hex.EncodeToString(make([]byte, sha256.Size))

// OpenTrail opens or makes the trail file path (mode 0600, folder 0700) and
// verifies it from the start. A last line that a crash cut short was never
// acknowledged: it is taken off, and an entry says so. A trail that was
// changed is not opened; the error is a *ChainError.
func OpenTrail(path string) (*Trail, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	t := &Trail{f: f, now: time.Now}
	if err := t.open(filepath.Dir(path)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return t, nil
}

func (t *Trail) open(dir string) error {
	if err := lock(t.f); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	var err error
	t.seq, t.head, t.size, err = verify(t.f, nil)
	if !errors.Is(err, errNoNewline) {
		return err
	}
	info, err := t.f.Stat()
	if err != nil {
		return err
	}
	torn := info.Size() - t.size
	if err := t.f.Truncate(t.size); err != nil {
		return err
	}
	ctx := WithIdentity(context.Background(), Identity{Subject: system})
	return t.Append(ctx, Event{Action: repair, Outcome: "ok", Detail: fmt.Sprintf("%d bytes of an unfinished line removed", torn)})
}

// Append writes e with the identity in ctx and returns once it is on disk.
// Without an identity it fails with ErrUnauthenticated. After a failed write
// the trail takes no more entries.
func (t *Trail) Append(ctx context.Context, e Event) error {
	id, ok := From(ctx)
	if !ok {
		return fmt.Errorf("audit trail: %w", ErrUnauthenticated)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	// Bytes that are not UTF-8 have two spellings in JSON; a line must have one.
	clean := func(s string) string { return strings.ToValidUTF8(s, "?") }
	line, err := json.Marshal(Entry{Seq: t.seq + 1, Time: t.now().UTC().Round(0), Subject: clean(id.Subject), Role: Role(clean(string(id.Role))),
		Event: Event{Action(clean(string(e.Action))), clean(e.Object), clean(e.Outcome), clean(e.Detail)}, Prev: t.head})
	if err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	if len(line) >= maxLine {
		return fmt.Errorf("audit trail: entry of %d bytes, limit %d", len(line), maxLine)
	}
	_, err = t.f.WriteAt(append(line, '\n'), t.size)
	if err == nil {
		err = t.f.Sync()
	}
	if err != nil {
		t.err = fmt.Errorf("audit trail: %w", err)
		return t.err
	}
	t.seq, t.head, t.size = t.seq+1, hashOf(line), t.size+int64(len(line))+1
	return nil
}

// Head returns the number of entries and the hash of the last. Kept somewhere
// else, it proves later that the trail up to here was not rewritten.
func (t *Trail) Head() (entries int64, hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seq, t.head
}

// Close closes the file.
func (t *Trail) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = os.ErrClosed
	}
	return t.f.Close()
}

// Verify checks a trail from its first line, calls each (if not nil) for every
// entry and returns their number and the hash of the last. A changed trail
// gives a *ChainError with its first wrong line.
func Verify(r io.Reader, each func(Entry) error) (entries int64, head string, err error) {
	entries, head, _, err = verify(r, each)
	if errors.Is(err, errNoNewline) {
		err = &ChainError{entries + 1, "is cut short"}
	}
	return entries, head, err
}

// verify also returns the length of the good part in bytes.
func verify(r io.Reader, each func(Entry) error) (seq int64, head string, size int64, err error) {
	br := bufio.NewReaderSize(r, maxLine)
	head = genesis
	for {
		line, err := br.ReadSlice('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return seq, head, size, nil
		case err == io.EOF:
			return seq, head, size, errNoNewline
		case errors.Is(err, bufio.ErrBufferFull):
			return seq, head, size, &ChainError{seq + 1, "is too long"}
		case err != nil:
			return seq, head, size, err
		}
		n := int64(len(line))
		line = line[:n-1]
		var e Entry
		err = json.Unmarshal(line, &e)
		if again, e := json.Marshal(e); err != nil || e != nil || !bytes.Equal(again, line) {
			return seq, head, size, &ChainError{seq + 1, "is not an entry as Append writes it"}
		}
		if e.Seq != seq+1 {
			return seq, head, size, &ChainError{seq + 1, fmt.Sprintf("is numbered %d", e.Seq)}
		}
		if e.Prev != head {
			return seq, head, size, &ChainError{seq + 1, "does not carry the hash of the line before"}
		}
		if each != nil {
			if err := each(e); err != nil {
				return seq, head, size, err
			}
		}
		seq, head, size = seq+1, hashOf(line), size+n
	}
}

func hashOf(line []byte) string {
	h := sha256.Sum256(line)
	return hex.EncodeToString(h[:])
}
