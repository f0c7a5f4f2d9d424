// Package report writes the planning dossier a person reads: one HTML page that
// stands alone (pictures inside), and the plan table as plain text.
//
// Every number is shown with its unit, its 95 % interval or why there is none,
// and the evidence of its inputs. Nothing from a DICOM header is printed, all
// text is escaped, and the page holds no clock time: the same evaluations give
// the same bytes. Pictures are handed in as PNG; nothing here draws.
package report
