package meshio

import (
	"fmt"
	"strings"
)

// FormatError says what is wrong with a file, or with what was to be written
// to one, where, and what to do about it.
type FormatError struct {
	Format string // "STL", "PLY", …
	Line   int    // from 1; 0 when the file is binary or no line is to blame
	Offset int64  // byte from the start of the file, when Line is 0; 0 when the whole is meant
	What   string
	Remedy string // empty when there is none but another file
}

func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("meshio: " + e.Format)
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	} else if e.Offset > 0 {
		fmt.Fprintf(&b, ", byte %d", e.Offset)
	}
	b.WriteString(": " + e.What)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// UnknownFormatError reports a file name whose extension stands for no format
// that can do what was asked.
type UnknownFormatError struct {
	Name  string   // the file name given
	Want  string   // "read a surface", "write tetrahedra", …
	Known []string // extensions that can
}

func (e *UnknownFormatError) Error() string {
	return fmt.Sprintf("meshio: cannot %s: the extension of %q is not one of %s; rename the file or convert it",
		e.Want, e.Name, strings.Join(e.Known, " "))
}

// fail makes a *FormatError about the whole file.
func fail(format, remedy, what string, a ...any) error {
	return &FormatError{Format: format, What: fmt.Sprintf(what, a...), Remedy: remedy}
}

// quote shows foreign text in a message: printable and short.
func quote[T string | []byte](s T) string {
	if len(s) > 40 {
		return fmt.Sprintf("%q…", s[:40])
	}
	return fmt.Sprintf("%q", s)
}
