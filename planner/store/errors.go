package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What callers act on. Errors that wrap these say what and where.
var (
	ErrNotFound  = errors.New("not found")
	ErrInvalid   = errors.New("invalid")                  // a value that cannot be stored
	ErrConflict  = errors.New("conflict")                 // contradicts what is stored
	ErrPageToken = errors.New("invalid page token")       // not made by this store
	ErrFull      = errors.New("no space left on storage") // free space and repeat
	ErrReadOnly  = errors.New("storage is read-only")
	ErrInUse     = errors.New("storage is in use by another process")
)

// CorruptError says that a blob's bytes do not match its name, or cannot be
// what the catalogue says they are.
type CorruptError struct {
	Key    string // of the blob
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("store: blob %s is damaged: %s; restore it from a backup or compute it again", e.Key, e.Reason)
}

// explain names what was being done and turns the many spellings of "full"
// and "read-only" into the two errors callers know.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if s, ok := errors.AsType[*sqlite.Error](err); ok {
		switch s.Code() & 0xff { // primary result code
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("store: %s: %w (%w); free space and repeat", doing, ErrFull, err)
		case sqlite3.SQLITE_READONLY:
			return fmt.Errorf("store: %s: %w (%w); make the directory writable", doing, ErrReadOnly, err)
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("store: %s: %w (%w); free space and repeat", doing, ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("store: %s: %w (%w); make the directory writable", doing, ErrReadOnly, err)
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}
