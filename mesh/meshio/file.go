package meshio

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile makes path with what write produces, whole or not at all: a
// temporary file in the same folder is written, synced and renamed over path,
// and the folder is synced. On any error the temporary file is removed and an
// older path stays as it was.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	fail := func(err error) error { return fmt.Errorf("meshio: writing %s: %w", filepath.Base(path), err) }
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fail(err)
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
