// Package verify compares the solver with closed forms, with exact solutions
// made for the purpose, and with the figures of other codes, and writes the
// table that docs/verification.md holds.
//
// A Case is one problem of the acceptance list: it builds its mesh, solves it
// through the public interface of fem, and gives a Row per figure. Full uses
// the meshes that the tolerances are stated for and shows convergence over at
// least four meshes where the tolerance names the finest one; Quick uses
// smaller meshes with tolerances of their own and is what `go test` runs. A
// row that does not hold stays in the table with its number.
//
// # Units, frame
//
// mm, N, MPa, s, tonne; the frame is of no matter here (DICOM LPS). Errors are
// relative unless the row says otherwise.
//
// # Determinism
//
// The same bits for any GOMAXPROCS, as fem. Text and plots hold no date and no
// machine, and print fewer digits than processors agree on.
//
// # What it does not do
//
// Time anything: internal/bench does. Read model files: fem/deck does.
//
// Sources: every Case names its own, with a tag: [C] computed here from a
// closed form or quadrature, [R] read in a published repository or table, [M]
// recalled, and to be checked against the paper before a gate rests on it.
package verify
