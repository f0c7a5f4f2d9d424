//go:build !linux

package sparse

import "halsted/internal/dense"

// allocate makes n zeros.
func allocate[T dense.Float](n int) []T { return make([]T, n) }
