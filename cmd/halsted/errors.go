package main

import (
	"context"
	"errors"

	"halsted/fem"
	"halsted/imaging/dicomfile"
	"halsted/imaging/nifti"
	"halsted/imaging/nrrd"
	"halsted/imaging/segment"
	"halsted/imaging/series"
	"halsted/planner/liver"
	"halsted/planner/pipeline"
	"halsted/planner/rules"
)

// refusedError marks input that a command refuses for reasons of its own.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// partialError is a command that has a sound result, which is told, but lacks
// what it was asked for.
type partialError struct {
	error
	result any
}

func (e *partialError) Unwrap() error { return e.error }

// is reports whether err holds an error of type T.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// exitCode maps an error to the process's exit code.
func exitCode(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitCancelled
	case is[*usageError](err):
		return exitUsage
	case is[*fem.NotConvergedError](err):
		return exitDiverged
	case is[refusedError](err), is[*liver.MissingError](err), is[*liver.NothingLeftError](err), is[*rules.Error](err),
		is[*segment.NotFoundError](err), is[*pipeline.StudyError](err), is[*nifti.FormatError](err), is[*nifti.GridMismatchError](err), is[*nrrd.FormatError](err),
		is[*dicomfile.LimitError](err), is[*dicomfile.TruncatedError](err), is[*dicomfile.FormatError](err), refusedSeries(err):
		return exitRefused
	}
	return exitFailed
}

// refusedSeries reports whether a series cannot become a volume.
func refusedSeries(err error) bool {
	return is[*series.NoDICOMError](err) || is[*series.GapError](err) || is[*series.TiltError](err) || is[*series.DuplicateError](err) ||
		is[*series.OrientationError](err) || is[*series.MixedSizeError](err) || is[*series.MixedError](err) || is[*series.AttributeError](err) ||
		is[*series.TruncatedError](err) || is[*series.UnsupportedSyntaxError](err) || is[*series.UnsupportedPixelError](err) ||
		is[*series.MultiFrameError](err) || is[*series.RescaleError](err) || is[*series.TooFewSlicesError](err) || is[*series.ChangedError](err) ||
		is[*series.ObjectError](err) || is[*series.FrameOfReferenceError](err)
}
