// Package store keeps what must not be lost: the catalogue (SQLite) and the
// blobs (DICOM files, volumes, meshes, sealed frames), named by their SHA-256.
//
// # Promise
//
// When a method that writes returns nil, what it wrote survives a power cut:
// the catalogue runs with WAL and synchronous=FULL, a blob is written to a
// temporary file, fsynced, renamed, and its directory fsynced. A blob is
// checked against its name each time it is read; damage is a *CorruptError.
// There are never half files: Open removes what a crash left behind.
//
// # Layout
//
//	<dir>/lock            held (flock) while open: one process at a time
//	<dir>/catalogue.db    SQLite: studies, cases, plans, runs, evaluations, approvals, frame segments, jobs
//	<dir>/blobs/ab/ab12…  content-addressed, read-only
//	<dir>/tmp/            files being written
//
// All paths go through os.Root: no name, however made, leaves the directory.
//
// # Units
//
// Values are stored as the planner's types hold them (mm, N, MPa, LPS).
// Frames are kept without loss (codec.go); a topology is kept as the bytes of
// its wire message, because their SHA-256 is its public name (topology.go).
//
// # Identity and order
//
// Ids derive from content and are set by the caller (planner.Plan.Sealed).
// Putting the same thing twice is harmless; plans and cases never change, and
// approvals are neither changed nor removed: taking one back is a new line.
// Lists come in the order of ids (evaluations: by rank), a page at a time.
//
// # Concurrency
//
// A Store is safe for concurrent use. Writes to the catalogue go through one
// connection, one transaction at a time; reads run beside them. Values handed
// out are copies.
//
// # What it does not do
//
// It runs no jobs (planner/jobs keeps its queue in the same database through
// Write and Read), holds no patient identity outside the DICOM blobs, and
// deletes nothing but its own temporary files.
//
// Sources: SQLite "Atomic Commit" and PRAGMA synchronous; fsync of directories
// after rename, POSIX.1-2017.
package store
