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

// notNegative refuses what is below zero or not finite.
func notNegative(name string, v float64, unit string) error {
	if !(v >= 0) || math.IsInf(v, 0) {
		return &ParameterError{name, v, unit, "zero or positive, and finite"}
	}
	return nil
}

// checkIsotropic refuses a modulus that is not positive and a Poisson's ratio
// out of (−1, 0.5).
func checkIsotropic(name string, v, nu float64) error {
	if err := positive(name, v, "MPa"); err != nil {
		return err
	}
	if !(nu > -1 && nu < 0.5) {
		return &ParameterError{"ratio of Poisson", nu, "", "above -1 and below 0.5 (use 0.49 to 0.4999 for soft tissue)"}
	}
	return nil
}
