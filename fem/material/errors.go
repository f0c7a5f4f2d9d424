package material

import (
	"fmt"
	"math"
)

// ParameterError is a constant of a law that is out of its range.
type ParameterError struct {
	Name  string  // "shear modulus", "k2", …
	Value float64 // as given, in Unit
	Unit  string  // "MPa", "rad"; empty for a pure number
	Range string  // the range that is accepted, and what to do
}

func (e *ParameterError) Error() string {
	unit := e.Unit
	if unit != "" {
		unit = " " + unit
	}
	return fmt.Sprintf("%s is %g%s, must be %s", e.Name, e.Value, unit, e.Range)
}

// positive refuses what is not above zero and finite.
func positive(name string, v float64, unit string) error {
	if !(v > 0) || math.IsInf(v, 0) {
		return &ParameterError{name, v, unit, "positive and finite"}
	}
	return nil
}
