package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
)

// blobFile is a file being written.
type blobFile interface {
	io.Writer
	Sync() error
	Close() error
}

const (
	tmpDir  = "tmp"
	blobDir = "blobs"
)

// prepareBlobs makes the folders and removes leftover temporary files.
func (s *Store) prepareBlobs() error {
	for _, d := range []string{tmpDir, blobDir} {
		if err := s.root.MkdirAll(d, 0o700); err != nil {
			return explain("making "+d, err)
		}
	}
	left, err := fs.ReadDir(s.root.FS(), tmpDir)
	if err != nil {
		return explain("reading "+tmpDir, err)
	}
	for _, e := range left {
		if err := s.root.RemoveAll(tmpDir + "/" + e.Name()); err != nil {
			return explain("removing leftover "+e.Name(), err)
		}
	}
	return s.syncDir(".")
}

func (s *Store) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return explain("opening "+name, err)
	}
	defer d.Close()
	return explain("syncing "+name, d.Sync())
}

// CheckKey reports a string that cannot be the key of a blob: 64 lower-case
// hex digits.
func CheckKey(key string) error {
	if len(key) != 2*sha256.Size {
		return fmt.Errorf("store: %w blob key %.80q: want 64 hex digits", ErrInvalid, key)
	}
	for _, c := range []byte(key) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("store: %w blob key %q: want lower-case hex digits", ErrInvalid, key)
		}
	}
	return nil
}

func blobPath(key string) string { return blobDir + "/" + key[:2] + "/" + key }

// PutBlob stores what r holds, until its end, and returns its key (SHA-256,
// hex) and size. Storing the same bytes twice keeps one copy, and heals it if
// it was damaged. When it fails nothing is left behind.
func (s *Store) PutBlob(ctx context.Context, r io.Reader) (key string, size int64, err error) {
	tmp := tmpDir + "/" + rand.Text()
	f, err := s.create(tmp)
	if err != nil {
		return "", 0, explain("making a temporary file", err)
	}
	defer func() {
		if err != nil {
			s.root.Remove(tmp)
		}
	}()
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, h), &ctxReader{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", 0, explain("writing a blob", err)
	}
	key = hex.EncodeToString(h.Sum(nil))
	dir := blobDir + "/" + key[:2]
	if err := s.root.Mkdir(dir, 0o700); err == nil {
		if err := s.syncDir(blobDir); err != nil {
			return "", 0, err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return "", 0, explain("making "+dir, err)
	}
	if err := s.root.Rename(tmp, blobPath(key)); err != nil {
		return "", 0, explain("naming blob "+key, err)
	}
	return key, size, s.syncDir(dir)
}

// PutBytes is PutBlob for bytes in memory.
func (s *Store) PutBytes(ctx context.Context, b []byte) (key string, err error) {
	key, _, err = s.PutBlob(ctx, bytes.NewReader(b))
	return key, err
}

// HasBlob reports whether a blob is there; it does not read it.
func (s *Store) HasBlob(key string) (bool, error) {
	if err := CheckKey(key); err != nil {
		return false, err
	}
	_, err := s.root.Stat(blobPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, explain("looking for blob "+key, err)
}

// Blob is an open, verified blob; Close it.
type Blob struct {
	*io.SectionReader
	f *os.File
}

// Close ends the reading.
func (b *Blob) Close() error { return b.f.Close() }

// OpenBlob opens a blob for reading after checking all of it against its key,
// so that no damaged byte is ever handed out: ErrNotFound or a *CorruptError.
func (s *Store) OpenBlob(ctx context.Context, key string) (*Blob, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	f, err := s.root.Open(blobPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("store: blob %s: %w", key, ErrNotFound)
	} else if err != nil {
		return nil, explain("opening blob "+key, err)
	}
	size, err := verify(ctx, f, key, sha256.New())
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Blob{io.NewSectionReader(f, 0, size), f}, nil
}

func verify(ctx context.Context, f *os.File, key string, h hash.Hash) (int64, error) {
	size, err := io.Copy(h, &ctxReader{ctx, f})
	if err != nil {
		return 0, explain("reading blob "+key, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != key {
		return 0, &CorruptError{key, fmt.Sprintf("its %d bytes hash to %s", size, got)}
	}
	return size, nil
}

// ReadBlob reads a blob of at most limit bytes into memory and checks it.
func (s *Store) ReadBlob(ctx context.Context, key string, limit int64) ([]byte, error) {
	b, err := s.OpenBlob(ctx, key)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if b.Size() > limit {
		return nil, fmt.Errorf("store: blob %s has %d bytes, at most %d are read into memory", key, b.Size(), limit)
	}
	out := make([]byte, b.Size())
	if _, err := io.ReadFull(b, out); err != nil {
		return nil, explain("reading blob "+key, err)
	}
	return out, nil
}

// ctxReader stops reading once ctx is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
