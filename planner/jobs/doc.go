// Package jobs runs simulations in the background: a durable queue in the
// catalogue of planner/store, a pool of workers in this process, and a bus
// that hurries live frames to whoever watches.
//
// # Promise
//
// A job that Submit accepted is run, also after a crash: what was running when
// the process died is queued again (or failed, by policy) when the queue is
// opened next, in a new epoch. The order is first in, first out. A runner that
// fails or panics makes a failed run with one sentence; the process lives on.
//
// SQL is the truth, blobs are content, the bus only hurries: a frame is sealed
// in the store before it is published, and a watcher that is too slow for the
// bus finds in the store what it missed. Nothing here waits for a watcher.
//
// # Units
//
// Progress runs from 0 to 1. Frames are planner.DisplayFrame: LPS mm, seconds.
//
// # Concurrency
//
// A Queue and a Bus are safe for concurrent use. Workers belong to the Queue;
// Close waits for them. Lock order: reporter.frameMu, then the store's single
// writer or Bus.mu; Queue.mu, Bus.mu and reporter.mu are leaves.
//
// # What it does not do
//
// It knows nothing of what a job computes (Runner is wired by the binary) and
// does not spread over processes: one Queue per store.
package jobs
