package pacs

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// incoming is the folder of unfinished files inside a Dir's folder.
const incoming = ".incoming"

var errDisk = errors.New("disk")

// Dir is a Sink that keeps instances as Part-10 files
// <root>/<study UID>/<series UID>/<SOP instance UID>.dcm, so that a series is
// one folder. A file appears under its name complete and synced to disk, or
// not at all.
//
// An object that arrives again is not written twice: it is counted and
// acknowledged. A different object under a UID that is taken is refused with
// status 0x0111, since what was acknowledged before must not change.
type Dir struct {
	root   *os.Root
	path   string
	onDone func(context.Context, Arrival)

	stored, duplicates, conflicts, failed atomic.Int64

	buffers sync.Pool
	mu      sync.Mutex      // guards known, and that a name is given only once
	known   map[string]bool // series folders that exist and are synced
}

var _ Sink = (*Dir)(nil)

// maxKnown bounds the memory of Dir.known.
const maxKnown = 4096

// copyBuffer is how much of a data set is in memory at a time.
const copyBuffer = 128 << 10

// OpenDir opens the folder path, made with mode 0700 if need be, and removes
// unfinished files that an earlier process left. onDone, which may be nil, is
// called at the end of each association (see Sink.Done).
func OpenDir(path string, onDone func(context.Context, Arrival)) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, err
	}
	if err := syncFolder(os.Open(filepath.Dir(abs))); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root, path: abs, onDone: onDone, known: map[string]bool{}}
	d.buffers.New = func() any { b := make([]byte, copyBuffer); return &b }
	err = root.RemoveAll(incoming)
	if err == nil {
		err = root.Mkdir(incoming, 0o700)
	}
	if err == nil {
		err = d.sync(".")
	}
	if err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("store folder: %w", err)
	}
	return d, nil
}

// Close releases the folder. No Store may be running.
func (d *Dir) Close() error { return d.root.Close() }

// Counts tells what became of all data sets since OpenDir.
type Counts struct {
	Stored     int64 // new files
	Duplicates int64 // acknowledged again, not written again
	Conflicts  int64 // refused: another object under the same UID
	Failed     int64 // not written: disk errors and broken associations
}

// Counts returns a snapshot.
func (d *Dir) Counts() Counts {
	return Counts{d.stored.Load(), d.duplicates.Load(), d.conflicts.Load(), d.failed.Load()}
}

// Done calls the function given to OpenDir.
func (d *Dir) Done(ctx context.Context, a Arrival) {
	if d.onDone != nil {
		d.onDone(ctx, a)
	}
}

// Store implements Sink.
func (d *Dir) Store(ctx context.Context, in Instance, data io.Reader) (Stored, error) {
	for _, uid := range []string{in.StudyUID, in.SeriesUID, in.SOPInstanceUID} {
		if !ValidUID(uid) {
			return Stored{}, &StatusError{StatusInvalidInstance, "not a UID"}
		}
	}
	temp := filepath.Join(incoming, rand.Text())
	st, err := d.store(ctx, temp, in, data)
	if err != nil {
		_ = d.root.Remove(temp) // it may not exist yet, or be at its place already
		if s, ok := errors.AsType[*StatusError](err); ok && s.Status == StatusDuplicateInstance {
			d.conflicts.Add(1)
		} else {
			d.failed.Add(1)
		}
		return Stored{}, err
	}
	if st.Duplicate {
		d.duplicates.Add(1)
	} else {
		d.stored.Add(1)
	}
	return st, nil
}

func (d *Dir) store(ctx context.Context, temp string, in Instance, data io.Reader) (Stored, error) {
	folder := filepath.Join(in.StudyUID, in.SeriesUID)
	name := filepath.Join(folder, in.SOPInstanceUID+".dcm")
	st := Stored{SOPInstanceUID: in.SOPInstanceUID, Path: filepath.Join(d.path, name)}

	f, err := d.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return st, disk("create", err)
	}
	defer f.Close()
	header := in.Header()
	if _, err := f.Write(header); err != nil {
		return st, disk("write", err)
	}
	if st.Bytes, err = d.copy(f, data); err != nil {
		return st, err
	}
	if err := ctx.Err(); err != nil {
		return st, err
	}
	st.Duplicate, err = d.same(name, f, int64(len(header)), in.TransferSyntax)
	if err != nil {
		return st, err
	}
	if st.Duplicate {
		_ = d.root.Remove(temp)
		return st, d.sync(folder) // the other copy may be a moment old
	}
	if err := f.Sync(); err != nil {
		return st, disk("sync", err)
	}
	if err := d.folder(in.StudyUID, folder); err != nil {
		return st, err
	}
	// Two senders may bring the same object at once: only one gets the name.
	d.mu.Lock()
	st.Duplicate, err = d.same(name, f, int64(len(header)), in.TransferSyntax)
	if err == nil && !st.Duplicate {
		if err = d.root.Rename(temp, name); err != nil {
			delete(d.known, folder)
			err = disk("rename", err)
		}
	}
	d.mu.Unlock()
	if err != nil {
		return st, err
	}
	if st.Duplicate {
		_ = d.root.Remove(temp)
	}
	return st, d.sync(folder)
}

// copy streams data into f. Errors of f are disk errors; those of data are
// returned as they are.
func (d *Dir) copy(f *os.File, data io.Reader) (int64, error) {
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	var total int64
	for {
		n, err := data.Read(*buf)
		if n > 0 {
			if _, err := f.Write((*buf)[:n]); err != nil {
				return total, disk("write", err)
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// folder makes the folder of a series, durably.
func (d *Dir) folder(study, series string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known[series] {
		return nil
	}
	for _, step := range [2][2]string{{".", study}, {study, series}} {
		if err := d.root.Mkdir(step[1], 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return disk("make folder", err)
		}
		if err := d.sync(step[0]); err != nil {
			return err
		}
	}
	if len(d.known) == maxKnown {
		clear(d.known)
	}
	d.known[series] = true
	return nil
}

// sync makes the entries of a folder durable.
func (d *Dir) sync(folder string) error {
	if err := syncFolder(d.root.Open(folder)); err != nil {
		return disk("sync folder", err)
	}
	return nil
}

func syncFolder(f *os.File, err error) error {
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// same reports whether the file name exists already with the data set that f
// has from offset on; a different one is a conflict.
func (d *Dir) same(name string, f *os.File, offset int64, syntax string) (bool, error) {
	old, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, disk("open", err)
	}
	defer old.Close()
	conflict := &StatusError{StatusDuplicateInstance, "another object with this UID is stored"}
	m, err := readFileMeta(old)
	if err != nil || m.syntax != syntax {
		return false, conflict
	}
	a, err := f.Stat()
	if err != nil {
		return false, disk("stat", err)
	}
	b, err := old.Stat()
	if err != nil {
		return false, disk("stat", err)
	}
	length := a.Size() - offset
	if length != b.Size()-m.offset {
		return false, conflict
	}
	equal, err := equalBytes(io.NewSectionReader(f, offset, length), io.NewSectionReader(old, m.offset, length))
	if err != nil {
		return false, disk("compare", err)
	}
	if !equal {
		return false, conflict
	}
	return true, nil
}

// equalBytes compares two streams of the same length.
func equalBytes(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		if n == 0 {
			return true, nil
		}
		if _, err := io.ReadFull(b, y[:n]); err != nil {
			return false, err
		}
		if !bytes.Equal(x[:n], y[:n]) {
			return false, nil
		}
	}
}

// disk says what failed without the path, whose UIDs lead to a patient.
func disk(what string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		err = l.Err
	}
	return fmt.Errorf("%w: %s: %w", errDisk, what, err)
}
