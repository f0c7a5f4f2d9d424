// Command halsted is the planning backend in one static binary.
//
//	halsted demo                      the main job on the sample patient
//	halsted demo --dicom DIR          the same on a real series
//	halsted serve --data DIR          DICOM node and gRPC service
//	halsted plan CASE                 search, quantify and rank the plans of a procedure
//	halsted approve PLAN              show a stored plan; a surgeon approves it or takes that back
//	halsted simulate DIR              a few liver resections by planes, with meshes
//	halsted segment DIR               a series to labels
//	halsted convert IN OUT            volumes and labels between DICOM, NIfTI and NRRD
//	halsted mesh LABELS               labels to surfaces and tetrahedra
//	halsted phantom DIR               write the sample patient as DICOM
//	halsted send DIR                  push a series to a DICOM node
//	halsted view                      start the desktop viewer
//
// Every command has --help with an example and --json. Exit codes: 0 done,
// 1 failed, 2 wrong usage, 3 the input is refused, 4 the solve did not
// converge, 130 cancelled.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
