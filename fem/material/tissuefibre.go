package material

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// FibreLaw is a record with two fibre families ("hgo", "goh") as a law; the
// record's angle is measured from the circumferential direction of the vessel
// towards its axial one. Both are directions in the reference frame (LPS), of
// any length and at right angles to within 1e-6; else the error is a
// *ParameterError. Other models are a *MissingModelError, a record without one
// of its constants a *RecordError.
func (t Tissue) FibreLaw(circumferential, axial r3.Vec) (Law, error) {
	if t.Model != "hgo" && t.Model != "goh" {
		return nil, &MissingModelError{t.ID, t.Model + " with fibres"}
	}
	if why := t.checkModel(); why != "" {
		return nil, &RecordError{t.ID, why}
	}
	u, v := r3.Unit(circumferential), r3.Unit(axial)
	if cos := r3.Dot(u, v); !(math.Abs(cos) <= 1e-6) {
		return nil, fmt.Errorf("material: tissue %q: %w", t.ID, &ParameterError{"cosine between the circumferential and the axial direction", cos, "", "0 to within 1e-6; both directions finite and not zero"})
	}
	nu, ok := t.Param("nu")
	if !ok {
		nu = IncompressibleNu
	}
	angle, _ := t.Param("phi_deg")
	if t.Model == "goh" {
		angle, _ = t.Param("gamma_deg")
	}
	a1, a2 := FibresInPlane(u, v, angle*math.Pi/180)
	c, _ := t.Param("c_Pa")
	k1, _ := t.Param("k1_Pa")
	k2, _ := t.Param("k2")
	if t.Model == "hgo" {
		return NewHolzapfelGasserOgden(c*mpaPerPa, k1*mpaPerPa, k2, nu, a1, a2)
	}
	dispersion, _ := t.Param("kappa")
	return NewGasserOgdenHolzapfel(c*mpaPerPa, k1*mpaPerPa, k2, dispersion, nu, a1, a2)
}
