//go:build unix && !solaris && !illumos && !aix

package access

import (
	"errors"
	"os"
	"syscall"
)

// lock takes f for this process; the system lets go of it when f is closed.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrTrailInUse
	}
	return err
}
