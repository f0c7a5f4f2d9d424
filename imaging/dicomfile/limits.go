package dicomfile

import (
	"errors"
	"fmt"
)

// Limits bound what Read accepts from foreign bytes. A zero field takes its
// default.
type Limits struct {
	FileBytes     int64 // whole object as stored; default 1 GiB
	InflatedBytes int64 // deflated object once inflated; default 256 MiB
	ValueBytes    int64 // one value other than pixel data; default 64 MiB
	TextBytes     int64 // one text value; default 1 MiB
	Elements      int   // elements, items and fragments in all; default 500 000
	Depth         int   // sequences within sequences; default 24
}

func (l Limits) withDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.FileBytes, 1<<30)
	def(&l.InflatedBytes, 256<<20)
	def(&l.ValueBytes, 64<<20)
	def(&l.TextBytes, 1<<20)
	if l.Elements <= 0 {
		l.Elements = 500_000
	}
	if l.Depth <= 0 {
		l.Depth = 24
	}
	return l
}

// ErrNotDICOM says that the bytes are no DICOM object at all.
var ErrNotDICOM = errors.New("dicomfile: not a DICOM file")

// LimitError says that an object exceeds a bound of Limits.
type LimitError struct {
	Field  string // name of the field of Limits
	Value  int64  // what the object wants; the true need may be larger
	Limit  int64
	Offset int64 // byte offset in the (inflated) object
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("dicomfile: at byte %d: %s is %d, the limit is %d; if the file is trusted, raise Limits.%s",
		e.Offset, e.Field, e.Value, e.Limit, e.Field)
}

// TruncatedError says that bytes are missing: an element runs past the end of
// its container, a delimiter is missing, or PixelData is shorter than the
// image it should hold.
type TruncatedError struct {
	Tag    Tag
	Offset int64 // byte offset of the element in the (inflated) object
	Want   int64 // bytes the value needs
	Have   int64 // bytes that are there
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("dicomfile: %s at byte %d needs %d bytes, %d are there: the file is truncated; fetch it again",
		e.Tag.Name(), e.Offset, e.Want, e.Have)
}

// FormatError says that the bytes break the encoding rules of PS3.5.
type FormatError struct {
	Tag    Tag
	Offset int64 // byte offset in the (inflated) object
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("dicomfile: %s at byte %d: %s: the file is damaged or not conformant; fetch it again or rewrite it with dcmconv (dcmtk)",
		e.Tag.Name(), e.Offset, e.Reason)
}
