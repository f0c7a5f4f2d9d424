// Package bundle records what a run was made of, so that it can go on after a
// stop and be run again to the same bits.
//
// A bundle is a folder of three files:
//
//	manifest.json   what was asked for, of what, by which program
//	samples.jsonl   one finished simulation a line, each with its checksum
//	result.json     what came out; written whole, when the run ends
//
// The manifest names its inputs by SHA-256 and holds no patient identity and
// no clock time. Samples are synced to disk one by one: a run that is killed
// loses the simulations under way and no other; opened again with the same
// manifest it goes on after the last finished one. A torn last line is dropped;
// damage anywhere else is refused with its line.
//
// Two runs with the same manifest, kernel set included, give the same result
// byte for byte. Differences lists where two results part.
//
// Samples and results are numbers as JSON writes them: the shortest decimal
// that reads back to the same float64. A Bundle may be used from several
// goroutines; of two processes that open one folder the second is refused.
package bundle
