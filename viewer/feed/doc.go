// Package feed follows a run on a server into a scene: it fetches the
// displayed surface, receives the frames as they are solved, decodes them, and
// goes on where it stopped after a lost link.
//
// It is the only package of the viewer that knows the wire. What arrives is
// untrusted: every length is bounded before memory is taken, the surface must
// have the SHA-256 that it was asked for by, frames carry a checksum, indices
// and numbers are checked. Units and frame of reference are those of the wire:
// LPS mm, fields in the UCUM unit that the header names.
//
// # Concurrency
//
// Follow runs until the run has ended; it calls its Sink from one goroutine.
// It returns within 200 ms of its context being done.
//
// # What it does not do
//
// It keeps no frames and starts no run. A link that dies without a word is
// noticed by a ping, within 25 s.
package feed
