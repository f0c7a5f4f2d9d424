package planner

import (
	"fmt"
	"math"
)

// Patient is what planning asks of a patient, without identity. Zero values
// mean not known: what depends on them is then not computed, never guessed.
type Patient struct {
	HeightCM      float64 `json:"height_cm,omitempty"`
	WeightKG      float64 `json:"weight_kg,omitempty"`
	Sex           string  `json:"sex,omitempty"`            // "F", "M"
	MeanMmHg      float64 `json:"mean_mmhg,omitempty"`      // mean arterial pressure at imaging
	SystolicMmHg  float64 `json:"systolic_mmhg,omitempty"`  // usual systolic pressure
	FamilyHistory *bool   `json:"family_history,omitempty"` // of the disease that is planned for
}

// Validate names a fact that no patient has.
func (p *Patient) Validate() error {
	for _, c := range []struct {
		name, unit   string
		v, low, high float64
	}{
		{"height", "cm", p.HeightCM, 30, 260},
		{"weight", "kg", p.WeightKG, 1, 500},
		{"mean pressure", "mmHg", p.MeanMmHg, 30, 200},
		{"systolic pressure", "mmHg", p.SystolicMmHg, 50, 300},
	} {
		if math.IsNaN(c.v) || c.v != 0 && !(c.v >= c.low && c.v <= c.high) {
			return fmt.Errorf("planner: a %s of %g %s is outside %g to %g %s", c.name, c.v, c.unit, c.low, c.high, c.unit)
		}
	}
	if p.MeanMmHg != 0 && p.SystolicMmHg != 0 && p.MeanMmHg >= p.SystolicMmHg {
		return fmt.Errorf("planner: a mean pressure of %g mmHg is not below the systolic %g mmHg", p.MeanMmHg, p.SystolicMmHg)
	}
	if p.Sex != "" && p.Sex != "F" && p.Sex != "M" {
		return fmt.Errorf("planner: sex %.10q is not F or M, nor empty", p.Sex)
	}
	return nil
}
