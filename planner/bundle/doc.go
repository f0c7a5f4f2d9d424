// Package bundle records what a run was made of, so that it can go on after a
// stop and be run again to the same bits.
package bundle
