package deck

import (
	"errors"
	"fmt"
	"strings"
)

// Error says what in a model file cannot be taken as it stands, where, and what
// to do about it.
type Error struct {
	File    string // base name
	Line    int    // from 1; 0 when the whole file is meant
	Keyword string // "*EQUATION", "<Fung>", "stages[1].loads[0]"; may be empty
	What    string
	Remedy  string // may be empty
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("deck: " + e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	if e.Keyword != "" {
		b.WriteString(": " + e.Keyword)
	}
	b.WriteString(": " + e.What)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// UnitsError says that sizes or stiffnesses are far from those of a body: the
// file is most likely in other units than it was read in.
type UnitsError struct {
	What   string // what looks wrong, with its number and unit
	Remedy string
}

func (e *UnitsError) Error() string { return "deck: " + e.What + "; " + e.Remedy }

// quote shows foreign text in a message: printable and short.
func quote[T string | []byte](s T) string {
	if len(s) > 40 {
		return fmt.Sprintf("%q…", s[:40])
	}
	return fmt.Sprintf("%q", s)
}

// place is where something stands in a file.
type place struct {
	file    string
	line    int
	keyword string
}

func (p place) bad(remedy, what string, a ...any) error {
	return &Error{File: p.file, Line: p.line, Keyword: p.keyword, What: fmt.Sprintf(what, a...), Remedy: remedy}
}

// wrap puts the place before an error of another package.
func (p place) wrap(err error) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil {
		return err
	}
	return &placedError{p, err}
}

// placedError is an error of another package at a place in a file.
type placedError struct {
	at  place
	err error
}

func (e *placedError) Error() string {
	s := "deck: " + e.at.file
	if e.at.line > 0 {
		s += fmt.Sprintf(", line %d", e.at.line)
	}
	if e.at.keyword != "" {
		s += ": " + e.at.keyword
	}
	return s + ": " + e.err.Error()
}

func (e *placedError) Unwrap() error { return e.err }
