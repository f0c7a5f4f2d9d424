package aneurysm

import "fmt"

// InputError says what in the input is wrong and what to give instead.
type InputError struct{ Field, Msg string }

func (e *InputError) Error() string { return "aneurysm: " + e.Field + ": " + e.Msg }

// MissingError names a structure that planning cannot do without.
type MissingError struct{ Structure, Remedy string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("aneurysm: the case has no %s: %s", e.Structure, e.Remedy)
}
