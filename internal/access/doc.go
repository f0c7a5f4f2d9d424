// Package access answers who calls, what they may do and what was done.
//
// # Promise
//
// An Identity travels in the context of every request. A caller proves it with
// a bearer token that was made at start and lies in a file only its owner can
// read. Roles have a fixed table of actions. What only people may do asks for an
// account that names its person, too. Every listener is on loopback
// unless it has TLS and authentication. What was done is written to a Trail, a
// file in which each line carries the hash of the line before, so that a
// change, a removal or an insertion is found by Verify.
//
// # What it does not do
//
// No users, passwords or sessions; no protection against someone who can
// rewrite a whole trail: for that, keep Trail.Head elsewhere from time to time.
// Nothing here names a patient, and callers must pass content keys, not
// patient identifiers, as the objects of events. The gRPC interceptors stand
// in planner/service and call Tokens.Authenticate, Require and HostAllowed.
//
// # Concurrency
//
// Tokens, Guard and Trail may be used from many goroutines. A trail file
// belongs to one process at a time, which is enforced on Unix.
//
// Sources: RFC 6750 (bearer tokens), RFC 9110 section 15 (status codes), RFC
// 6454 (origins), FIPS 180-4 (SHA-256).
package access
