// Package atomicfile writes files so that each appears under its name whole
// and synced to disk, or not at all.
//
// Files are written in a hidden folder beside their place, synced, renamed,
// and the folder is synced. After an error nothing new is left behind and
// older files stay as they were. It does not lock: of two writers of one name
// the later rename wins.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is one file to write: its name within the folder and what fills it.
type File struct {
	Name  string
	Write func(io.Writer) error
}

// Write writes one file. Its folder must exist. Errors name the file.
func Write(path string, write func(io.Writer) error) error {
	return WriteAll(filepath.Dir(path), []File{{filepath.Base(path), write}})
}

// WriteAll writes files into the existing folder dir: none appears when one
// fails to be written. The renames at the end are one after another.
func WriteAll(dir string, files []File) error {
	tmp, err := os.MkdirTemp(dir, ".unfinished-")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the hidden name says nothing, the path may say too much
	}
	if err != nil {
		return fmt.Errorf("writing into folder %s: %w", filepath.Base(dir), err)
	}
	defer os.RemoveAll(tmp)
	for _, f := range files {
		if err := writeSynced(filepath.Join(tmp, f.Name), f.Write); err != nil {
			return fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(tmp, f.Name), filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func writeSynced(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Sync()
}
