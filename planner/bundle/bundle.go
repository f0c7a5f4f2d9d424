package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"halsted/internal/atomicfile"
	"halsted/planner"
	"halsted/planner/uncertainty"
)

// The files of a bundle.
const (
	manifestFile = "manifest.json"
	samplesFile  = "samples.jsonl"
	resultFile   = "result.json"
)

// OtherRunError is a folder that holds the bundle of another run.
type OtherRunError struct{ What string }

func (e *OtherRunError) Error() string {
	return "bundle: the folder holds another run (" + e.What + "): take another folder, or delete this one"
}

// BusyError is a bundle that another process works on.
type BusyError struct{}

func (*BusyError) Error() string { return "bundle: another process works on this run" }

// DamagedError is a file of a bundle that is not as it was written.
type DamagedError struct {
	File string
	Line int // 0: the whole file
	Why  string
}

func (e *DamagedError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("bundle: %s is damaged: %s", e.File, e.Why)
	}
	return fmt.Sprintf("bundle: %s, line %d is damaged: %s", e.File, e.Line, e.Why)
}

type key struct {
	plan  string
	level planner.Level
	index int
}

// Bundle is an open bundle.
type Bundle struct {
	Manifest Manifest
	dir      string
	mu       sync.Mutex // guards the rest
	samples  map[key]uncertainty.Sample
	journal  *os.File
}

var _ uncertainty.Journal = (*Bundle)(nil)

// Create starts a run in a folder, which it makes, or goes on with the same
// run. It fails with *OtherRunError when the folder holds another one, with
// *BusyError when another process works on it, with *DamagedError.
func Create(dir string, m Manifest) (*Bundle, error) {
	m.Schema = schema
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	old, err := readManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Join(dir, samplesFile)); err == nil {
			return nil, &DamagedError{manifestFile, 0, "it is gone, the samples are there"}
		}
		err = atomicfile.Write(filepath.Join(dir, manifestFile), func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(m)
		})
		if err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
	case err != nil:
		return nil, err
	case old.ID() != m.ID():
		return nil, &OtherRunError{difference(old, m)}
	}
	return open(dir, m)
}

// Open opens the bundle of a folder, to go on with it or to read it.
func Open(dir string) (*Bundle, error) {
	m, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bundle: the folder holds no %s: name the folder of a run", manifestFile)
	} else if err != nil {
		return nil, err
	}
	return open(dir, m)
}

func readManifest(dir string) (m Manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, &DamagedError{manifestFile, 0, err.Error()}
	}
	if m.Schema != schema {
		return m, &DamagedError{manifestFile, 0, fmt.Sprintf("schema %q, this program reads %q", m.Schema, schema)}
	}
	// Indentation is not content.
	var s bytes.Buffer
	if len(m.Settings) > 0 {
		if err := json.Compact(&s, m.Settings); err != nil {
			return m, &DamagedError{manifestFile, 0, err.Error()}
		}
		m.Settings = s.Bytes()
	}
	return m, nil
}

// difference names the first part in which two manifests differ.
func difference(a, b Manifest) string {
	if d := Differences(must(json.Marshal(a)), must(json.Marshal(b)), 1); len(d) > 0 {
		return d[0].Where + " differs"
	}
	return "its manifest differs"
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic("bundle: " + err.Error())
	}
	return b
}

// open reads the journal, cuts a torn last line off and stands ready to add.
func open(dir string, m Manifest) (*Bundle, error) {
	f, err := os.OpenFile(filepath.Join(dir, samplesFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	b := &Bundle{Manifest: m, dir: dir, journal: f, samples: map[key]uncertainty.Sample{}}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, &BusyError{}
	}
	if err := b.load(); err != nil {
		f.Close()
		return nil, err
	}
	return b, nil
}

// Close releases the bundle.
func (b *Bundle) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.journal.Close()
}

// Finish writes the result of the run, whole.
func (b *Bundle) Finish(result any) error {
	j, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return atomicfile.Write(filepath.Join(b.dir, resultFile), func(w io.Writer) error { _, err := w.Write(j); return err })
}

// ErrNotFinished says that a run has no result yet.
var ErrNotFinished = errors.New("bundle: the run has not finished: run it again with the same settings, it goes on where it stopped")

// Result is the result as it was written, or ErrNotFinished.
func (b *Bundle) Result() ([]byte, error) {
	j, err := os.ReadFile(filepath.Join(b.dir, resultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFinished
	}
	return j, err
}
