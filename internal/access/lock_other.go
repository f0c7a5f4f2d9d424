//go:build !unix || solaris || illumos || aix

package access

import "os"

// lock does nothing where the system has no flock.
func lock(*os.File) error { return nil }
