package fem

import "halsted/internal/par"

// chunks is par.Chunks that starts no new range once the context of the solve
// is done. What it leaves is then not to be used: Solve looks at the context
// before it gives anything out.
func (s *system) chunks(n, size int, f func(lo, hi int)) {
	_ = par.ChunksCtx(s.ctx, n, size, func(lo, hi int) error { f(lo, hi); return nil })
}

// gone says that the solve is cancelled.
func (s *system) gone() bool { return s.ctx.Err() != nil }
