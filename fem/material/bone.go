package material

import (
	"encoding/json"
	"fmt"
	"math"
)

// powerLaw is offset + coef·density^exponent, as it stands in the library.
type powerLaw struct {
	Offset       float64 `json:"offset"`
	Coef         float64 `json:"coef"`
	Exponent     float64 `json:"exponent"` // 0 stands for 1
	Density      string  `json:"density"`
	DensityUnit  string  `json:"density_unit"`
	RateExponent float64 `json:"rate_exponent"`
}

// boneDensities are the densities a power law may be of.
var boneDensities = map[string]boneDensity{"rho_QCT": densityQCT, "rho_ash": densityAsh, "rho_app": densityApparent}

type boneDensity uint8

const (
	densityQCT boneDensity = iota
	densityAsh
	densityApparent
)

// powerLaw reads a parameter of a bone record.
func (t Tissue) powerLaw(name string) (p powerLaw, err error) {
	if json.Unmarshal(t.Tables[name], &p) != nil {
		return p, fmt.Errorf("model %s needs %s as coefficient, exponent and density", t.Model, name)
	}
	if p.Exponent == 0 {
		p.Exponent = 1
	}
	switch _, ok := boneDensities[p.Density]; {
	case !ok:
		return p, fmt.Errorf("%s is a law of the density %q, not one of rho_QCT, rho_ash, rho_app", name, p.Density)
	case p.DensityUnit != "g/cm3":
		return p, fmt.Errorf("%s takes its density in %q, not g/cm3", name, p.DensityUnit)
	case !above0.Has(p.Coef) || !above0.Has(p.Exponent) || !anyReal.Has(p.Offset) || !from0.Has(p.RateExponent):
		return p, fmt.Errorf("%s has a coefficient or exponent that is not positive and finite", name)
	}
	return p, nil
}

// HUCalibration is ρ_QCT = a + b·HU, from a phantom in or beside the scan.
// Without a phantom the density is uncertain by 10 % or more (Tanck 2010).
type HUCalibration struct {
	InterceptGPerCM3  float64 // a, equivalent density at 0 HU
	SlopeGPerCM3PerHU float64 // b
}

var boneSpec = Spec{
	"bone from HU", "E = c·ρ^n, ρ_QCT = a + b·HU, ρ_ash and ρ_app by the chain of bone.calibration",
	"E. Schileo et al., J. Biomech. 41 (2008) 2483 (densities); each site's record for c and n",
	[]Parameter{{"intercept a", "g/cm3", anyReal}, {"slope b", "g/cm3 per HU", above0}, {"floor", "MPa", above0}, {"ceiling", "MPa", above0}},
}

// Bone maps Hounsfield units to Young's modulus,
//
//	ρ_QCT = a + b·HU,  ρ_ash = 0.0789 + 0.877·ρ_QCT,  ρ_app = ρ_ash/0.60,
//	E = c·ρ^n within [floor, ceiling],
//
// densities in g/cm³, E in MPa; c, n and which ρ are the site's (Tissue records
// "power-law": Morgan 2003, Keller 1994, Carter & Hayes 1977), the chain is the
// record bone.calibration. The field of moduli is computed at each quadrature
// point from the HU there, which integrates E over the element and not HU
// (BoneMat V3); the mean HU of an element at all its points gives V1.
type Bone struct {
	cal            HUCalibration
	ash, app, site powerLaw
	floor, ceiling float64
	nu, rate       float64 // rate is the strain rate, 1/s
}

// NewBone takes a record of the model "power-law", the calibration of the scan
// and the limits of E in MPa: a floor keeps marrow and air from being soft
// without bound. It fails with a *RecordError when the record is no power law,
// and with a *ParameterError unless b > 0 and 0 < floor ≤ ceiling, all finite.
func NewBone(site Tissue, cal HUCalibration, floorMPa, ceilingMPa float64) (Bone, error) {
	if site.Model != "power-law" {
		return Bone{}, &RecordError{site.ID, "is no power law of bone density"}
	}
	b := Bone{cal: cal, floor: floorMPa, ceiling: ceilingMPa, rate: 1}
	chain, err := Lookup("bone.calibration")
	if err != nil {
		return Bone{}, err
	}
	for _, p := range []struct {
		to   *powerLaw
		of   Tissue
		name string
	}{{&b.ash, chain, "rho_ash"}, {&b.app, chain, "rho_app"}, {&b.site, site, "E_MPa"}} {
		if *p.to, err = p.of.powerLaw(p.name); err != nil {
			return Bone{}, &RecordError{p.of.ID, err.Error()}
		}
	}
	var ok bool
	if b.nu, ok = site.Param("nu"); !ok {
		return Bone{}, &RecordError{site.ID, "gives no nu"}
	}
	if err := boneSpec.check(cal.InterceptGPerCM3, cal.SlopeGPerCM3PerHU, floorMPa, ceilingMPa); err != nil {
		return Bone{}, err
	}
	if ceilingMPa < floorMPa {
		return Bone{}, boneSpec.refuse(&ParameterError{"ceiling", ceilingMPa, "MPa", "the floor or above"})
	}
	return b, nil
}

// WithStrainRate is the bone at a strain rate in 1/s, which matters for a record
// with a rate exponent (Carter & Hayes: E ∝ rate^0.06); until it is called the
// rate is 1/s. It fails with a *ParameterError unless the rate is positive.
func (b Bone) WithStrainRate(perS float64) (Bone, error) {
	if err := positive("strain rate", perS, "1/s"); err != nil {
		return Bone{}, boneSpec.refuse(err)
	}
	b.rate = perS
	return b, nil
}

// of is offset + coef·ρ^exponent, 0 for a density that is not positive.
func (p *powerLaw) of(rho float64) float64 {
	if rho <= 0 && p.Exponent != 1 {
		return 0
	}
	return p.Offset + p.Coef*math.Pow(rho, p.Exponent)
}

// Densities are the densities at a HU value in g/cm³; negative ones (fat, air)
// are returned as they come out.
func (b Bone) Densities(hu float64) (qct, ash, apparent float64) {
	qct = b.cal.InterceptGPerCM3 + b.cal.SlopeGPerCM3PerHU*hu
	ash = b.ash.of(qct)
	return qct, ash, b.app.of(ash)
}

// ModulusMPa is Young's modulus at a HU value; the floor where the density is
// not positive.
func (b Bone) ModulusMPa(hu float64) float64 {
	qct, ash, app := b.Densities(hu)
	rho := [...]float64{densityQCT: qct, densityAsh: ash, densityApparent: app}[boneDensities[b.site.Density]]
	e := b.site.of(rho)
	if b.site.RateExponent != 0 {
		e *= math.Pow(b.rate, b.site.RateExponent)
	}
	return math.Min(math.Max(e, b.floor), b.ceiling)
}

// BoneField counts what a field of moduli was cut to.
type BoneField struct {
	AtFloor, AtCeiling int
}

// Field writes the modulus in MPa at each HU value into dst, which must be of
// the same length: the stiffness multiplier of UnitLaw at the quadrature points.
// A HU value that is not finite is a *ParameterError that names its index.
func (b Bone) Field(dst []float64, hu []float64) (BoneField, error) {
	if len(dst) != len(hu) {
		panic("material: Bone.Field: dst and hu differ in length")
	}
	var n BoneField
	for i, v := range hu {
		if !anyReal.Has(v) {
			return n, boneSpec.refuse(&ParameterError{fmt.Sprintf("HU at point %d", i), v, "HU", "finite"})
		}
		e := b.ModulusMPa(v)
		switch {
		case e == b.floor:
			n.AtFloor++
		case e == b.ceiling:
			n.AtCeiling++
		}
		dst[i] = e
	}
	return n, nil
}

// UnitLaw is Hooke's law with E = 1 MPa and the Poisson's ratio of the record,
// which the field multiplies.
func (b Bone) UnitLaw() (Linear, error) { return NewLinear(1, b.nu) }
