package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

	"halsted/planner/store"
)

// blobFS shows blobs of the store as a flat folder of files named by key.
type blobFS struct {
	ctx  context.Context
	st   *store.Store
	keys []string
}

// Open opens the folder "." or one blob.
func (b *blobFS) Open(name string) (fs.File, error) {
	if name == "." {
		return &blobDir{b: b}, nil
	}
	if !slices.Contains(b.keys, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := b.st.OpenBlob(b.ctx, name)
	if err != nil {
		return nil, err
	}
	return &blobFile{Blob: f, name: name}, nil
}

// blobFile is an open blob; reading it checks its hash at the end.
type blobFile struct {
	*store.Blob
	name string
}

func (f *blobFile) Stat() (fs.FileInfo, error) { return blobInfo{f.name, f.Size()}, nil }

// blobInfo describes a blob, or the folder when size is negative.
type blobInfo struct {
	name string
	size int64
}

func (i blobInfo) Name() string       { return i.name }
func (i blobInfo) Size() int64        { return max(0, i.size) }
func (i blobInfo) ModTime() time.Time { return time.Time{} }
func (i blobInfo) IsDir() bool        { return i.size < 0 }
func (i blobInfo) Sys() any           { return nil }
func (i blobInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o500
	}
	return 0o400
}

// blobDir is the open folder.
type blobDir struct {
	b    *blobFS
	next int
}

func (d *blobDir) Stat() (fs.FileInfo, error) { return blobInfo{".", -1}, nil }
func (d *blobDir) Close() error               { return nil }
func (d *blobDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: errors.New("is a folder")}
}

// ReadDir lists the blobs in the order of the study.
func (d *blobDir) ReadDir(n int) ([]fs.DirEntry, error) {
	left := d.b.keys[d.next:]
	if n > 0 {
		if len(left) == 0 {
			return nil, io.EOF
		}
		left = left[:min(n, len(left))]
	}
	d.next += len(left)
	out := make([]fs.DirEntry, len(left))
	for k, key := range left {
		out[k] = blobEntry{d.b, key}
	}
	return out, nil
}

// blobEntry is a blob in the list of its folder.
type blobEntry struct {
	b   *blobFS
	key string
}

func (e blobEntry) Name() string      { return e.key }
func (e blobEntry) IsDir() bool       { return false }
func (e blobEntry) Type() fs.FileMode { return 0 }
func (e blobEntry) Info() (fs.FileInfo, error) {
	f, err := e.b.Open(e.key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}
