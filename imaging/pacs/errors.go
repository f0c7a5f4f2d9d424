package pacs

import (
	"errors"
	"fmt"
)

// RejectError is an association refused by the peer, with the three codes of
// its A-ASSOCIATE-RJ (PS3.8 section 9.3.4).
type RejectError struct{ Result, Source, Reason byte }

// Reject codes this node sends; a peer may send others.
var (
	rejectContext    = RejectError{1, 1, 2}
	rejectCallingAE  = RejectError{1, 1, 3}
	rejectCalledAE   = RejectError{1, 1, 7}
	rejectVersion    = RejectError{1, 2, 2}
	rejectCongestion = RejectError{2, 3, 1}
	rejectLimit      = RejectError{2, 3, 2}
)

func (e *RejectError) Error() string {
	how := "permanently"
	if e.Result == 2 {
		how = "for now; try again later"
	}
	why := "no reason given"
	switch [2]byte{e.Source, e.Reason} {
	case [2]byte{1, 2}:
		why = "application context not supported"
	case [2]byte{1, 3}:
		why = "calling AE title not recognised: add ours, with our address, to the peer's list"
	case [2]byte{1, 7}:
		why = "called AE title not recognised: check the peer's AE title"
	case [2]byte{2, 2}:
		why = "protocol version not supported"
	case [2]byte{3, 1}:
		why = "temporary congestion"
	case [2]byte{3, 2}:
		why = "the peer's limit of associations is reached"
	}
	return fmt.Sprintf("association rejected %s: %s (%d/%d/%d)", how, why, e.Result, e.Source, e.Reason)
}

// AbortError is an association ended by the peer's A-ABORT (PS3.8 section
// 9.3.8). Source 0 is the peer's application, 2 its protocol layer.
type AbortError struct{ Source, Reason byte }

func (e *AbortError) Error() string {
	return fmt.Sprintf("the peer aborted the association (source %d, reason %d)", e.Source, e.Reason)
}

// StatusError is a DIMSE status other than success (PS3.7 Annex C). A Sink
// returns one to choose the status that the sender gets; Store returns one for
// a file that the peer refused.
type StatusError struct {
	Status  uint16
	Comment string // Error Comment (0000,0902); at most 64 characters, no patient data
}

// Statuses of C-STORE (PS3.4 table B.2-1, PS3.7 Annex C).
const (
	StatusSuccess            = 0x0000
	StatusProcessingFailure  = 0x0110
	StatusDuplicateInstance  = 0x0111
	StatusInvalidInstance    = 0x0117
	StatusClassNotSupported  = 0x0122
	StatusUnknownOperation   = 0x0211
	StatusMistypedArgument   = 0x0212
	StatusOutOfResources     = 0xA700
	StatusDataSetMismatch    = 0xA900
	StatusCannotUnderstand   = 0xC000
	statusWarningCoercion    = 0xB000
	statusWarningDiscarded   = 0xB006
	statusWarningSOPMismatch = 0xB007
)

func (e *StatusError) Error() string {
	what := "failure"
	switch s := e.Status; {
	case s == StatusProcessingFailure:
		what = "processing failure"
	case s == StatusDuplicateInstance:
		what = "another object has this SOP Instance UID"
	case s == StatusInvalidInstance:
		what = "invalid SOP Instance UID"
	case s == StatusClassNotSupported:
		what = "SOP class not supported"
	case s == StatusUnknownOperation:
		what = "operation not known"
	case s&0xff00 == 0xA700:
		what = "out of resources"
	case s&0xff00 == 0xA900:
		what = "data set does not match SOP class or instance"
	case s&0xf000 == 0xC000:
		what = "data set not understood"
	}
	if e.Comment != "" {
		return fmt.Sprintf("status %04X, %s: %s", e.Status, what, e.Comment)
	}
	return fmt.Sprintf("status %04X, %s", e.Status, what)
}

// isStored tells success and the warnings, after which the peer holds the
// instance, from failures.
func isStored(status uint16) bool {
	switch status {
	case StatusSuccess, statusWarningCoercion, statusWarningDiscarded, statusWarningSOPMismatch:
		return true
	}
	return false
}

// protocolError is a violation of PS3.8 by the peer; reason is what our
// A-ABORT (source 2) tells it.
type protocolError struct {
	reason byte
	what   string
}

// Reasons of an A-ABORT by the service provider (PS3.8 table 9-26).
const (
	reasonUnspecified  = 0
	reasonUnrecognised = 1
	reasonUnexpected   = 2
	reasonInvalidValue = 6
)

func (e *protocolError) Error() string { return "DICOM protocol error: " + e.what }

func invalid(format string, args ...any) error {
	return &protocolError{reasonInvalidValue, fmt.Sprintf(format, args...)}
}

func unexpected(format string, args ...any) error {
	return &protocolError{reasonUnexpected, fmt.Sprintf(format, args...)}
}

var (
	// ErrSlow ends an association whose sender trickles: it holds a place
	// without getting anywhere.
	ErrSlow = errors.New("peer sends too slowly")
	// ErrIdle ends an association that sent nothing for too long.
	ErrIdle = errors.New("peer was idle for too long")
	// ErrNodeClosed is returned by Serve after Shutdown.
	ErrNodeClosed = errors.New("node is shut down")
	// ErrNotSent marks files that Store did not get to.
	ErrNotSent = errors.New("not sent")

	errReleased = errors.New("association released")
	errVanished = errors.New("peer closed the connection without release")
)
