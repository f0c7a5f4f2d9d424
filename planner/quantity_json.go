package planner

import (
	"encoding/json"
	"math"
)

// MarshalText writes the bare evidence tag.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.Tag()), nil }

// UnmarshalText reads a bare evidence tag.
func (e *Evidence) UnmarshalText(b []byte) (err error) {
	*e, err = ParseEvidence(string(b))
	return err
}

// quantityJSON is Quantity on paper: a spread that is not quantified is null,
// since JSON has no NaN.
type quantityJSON struct {
	ID       string   `json:"id"`
	Label    string   `json:"label"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Low      *float64 `json:"low95"`
	High     *float64 `json:"high95"`
	Basis    string   `json:"basis"`
	Evidence Evidence `json:"evidence"`
}

// MarshalJSON writes the quantity with null for a spread that is not known.
func (q Quantity) MarshalJSON() ([]byte, error) {
	j := quantityJSON{ID: q.ID, Label: q.Label, Value: q.Value, Unit: q.Unit, Basis: q.Basis, Evidence: q.Evidence}
	if q.HasInterval() {
		j.Low, j.High = &q.Low, &q.High
	}
	return json.Marshal(j)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	var j quantityJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*q = Quantity{ID: j.ID, Label: j.Label, Value: j.Value, Unit: j.Unit, Low: math.NaN(), High: math.NaN(), Basis: j.Basis, Evidence: j.Evidence}
	if j.Low != nil && j.High != nil {
		q.Low, q.High = *j.Low, *j.High
	}
	return nil
}
