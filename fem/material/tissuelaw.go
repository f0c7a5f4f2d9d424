package material

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// MissingModelError names a model that a record wants and this module lacks.
type MissingModelError struct{ ID, Model string }

func (e *MissingModelError) Error() string {
	return fmt.Sprintf("material: tissue %q needs the model %q, which is not implemented as what was asked for; solids are neo-hookean, linear, linear-large-strain, ogden1, ogden1-prony, yeoh2, raghavan-vorp, isotropic-I2, strain-dependent-nh, bilinear, elastic-plastic, hgo, goh and (by density) power-law; sheets are linear-membrane and bilinear-membrane", e.ID, e.Model)
}

// constants are the numbers without which a record of the model is no law.
var constants = map[string][]string{
	"neo-hookean":         {"mu_Pa"},
	"linear":              {"E_Pa"},
	"linear-large-strain": {"E_Pa"},
	"ogden1":              {"mu_Pa", "alpha"},
	"ogden1-prony":        {"mu_Pa", "alpha"},
	"yeoh2":               {"C10_Pa", "C20_Pa"},
	"raghavan-vorp":       {"alpha_Pa", "beta_Pa"},
	"isotropic-I2":        {"D1_Pa", "D2_Pa"},
	"strain-dependent-nh": {"G0_Pa", "exponent_Cyy"},
	"bilinear":            {"E_small_Pa", "E_large_Pa"},
	"elastic-plastic":     {"E_Pa", "yield_Pa"},
	"hgo":                 {"c_Pa", "k1_Pa", "k2", "phi_deg"},
	"goh":                 {"c_Pa", "k1_Pa", "k2", "kappa", "gamma_deg"},
	"linear-membrane":     {"E_Pa", "thickness_m"},
	"bilinear-membrane":   {"E_small_Pa", "E_large_Pa", "thickness_m"},
}

// needNu are the models whose records must give Poisson's ratio.
var needNu = []string{"neo-hookean", "linear", "linear-large-strain", "yeoh2", "strain-dependent-nh", "elastic-plastic", "power-law"}

// checkModel refuses a record without a constant of its model, an Ogden record
// without a form, a solid without Poisson's ratio, a Prony series that is none,
// a power law of no density, and a shear modulus that is not positive.
func (t Tissue) checkModel() string {
	for _, name := range constants[t.Model] {
		if _, ok := t.Param(name); !ok {
			return fmt.Sprintf("model %s needs the number %s", t.Model, name)
		}
	}
	if nu, ok := t.Param("nu"); (ok || slices.Contains(needNu, t.Model)) && !(ok && nu > -1 && nu < 0.5) {
		return fmt.Sprintf("nu is missing or out of (-1, 0.5): %g", nu)
	}
	if strings.HasPrefix(t.Model, "ogden") {
		if _, ok := ogdenForms[t.Form]; !ok {
			return fmt.Sprintf("Ogden form %q is not one of \"mu/alpha\", \"2mu/alpha^2\", \"c/m^2\": the same number means another stiffness in each", t.Form)
		}
	}
	if t.Model == "ogden1-prony" {
		if _, err := t.prony(); err != nil {
			return err.Error()
		}
	}
	for _, name := range map[string][]string{"power-law": {"E_MPa"}, "calibration": {"rho_ash", "rho_app"}}[t.Model] {
		if _, err := t.powerLaw(name); err != nil {
			return err.Error()
		}
	}
	if mu, has := t.ShearMPa(); has && !(mu > 0) {
		return fmt.Sprintf("initial shear modulus is %g MPa, must be positive", mu)
	}
	return ""
}

// prony reads the arrays g and tau_s.
func (t Tissue) prony() ([]PronyTerm, error) {
	var g, tau []float64
	if json.Unmarshal(t.Tables["g"], &g) != nil || json.Unmarshal(t.Tables["tau_s"], &tau) != nil || len(g) != len(tau) || len(g) == 0 {
		return nil, fmt.Errorf("model %s needs the lists g and tau_s, of one length", t.Model)
	}
	terms := make([]PronyTerm, len(g))
	for n := range g {
		terms[n] = PronyTerm{g[n], tau[n]}
	}
	return terms, nil
}

// ShearMPa is the initial shear modulus where the model has one.
func (t Tissue) ShearMPa() (mu float64, ok bool) {
	p := func(name string) float64 { v, _ := t.Param(name); return v * mpaPerPa }
	switch t.Model {
	case "neo-hookean":
		return p("mu_Pa"), true
	case "ogden1", "ogden1-prony":
		alpha, _ := t.Param("alpha")
		law, err := NewOgden(ogdenForms[t.Form], 0, OgdenTerm{p("mu_Pa"), alpha})
		if err != nil {
			return math.NaN(), true // not positive: the record is refused
		}
		return law.ShearMPa(), true
	case "linear", "linear-large-strain", "elastic-plastic":
		nu, _ := t.Param("nu")
		return p("E_Pa") / (2 * (1 + nu)), true
	case "hgo", "goh":
		return p("c_Pa"), true
	case "yeoh2":
		return 2 * p("C10_Pa"), true
	case "raghavan-vorp":
		return 2 * p("alpha_Pa"), true
	case "isotropic-I2":
		return 2 * p("D1_Pa"), true
	case "strain-dependent-nh":
		return p("G0_Pa"), true
	}
	return 0, false
}

// IncompressibleNu is Poisson's ratio that stands for incompressible in the laws
// of records whose source fits an incompressible material (Raghavan–Vorp,
// thrombus, the viscoelastic brain and the artery laws); κ is then about 5000
// times the initial shear modulus. A record's own nu goes first.
const IncompressibleNu = 0.4999

// Supplement is what some sources do not say and a law needs. Zero is not given.
type Supplement struct {
	Nu               float64 // Poisson's ratio, for a record without one
	TransitionStrain float64 // engineering strain of the kink, for bilinear records
}

// Law is the record as a law, as far as the record says; see LawWith.
func (t Tissue) Law() (Law, error) { return t.LawWith(Supplement{}) }

// LawWith is the record as a law. Elastic-plastic and Prony records give a law
// that is Inelastic too. A model without a law is a *MissingModelError. The
// error is a *RecordError when the record and s do not say how compressible the
// tissue is or where a bilinear law bends; when it has fibres, whose directions
// FibreLaw takes; when it is a membrane (MembraneWith) or bone (NewBone).
func (t Tissue) LawWith(s Supplement) (Law, error) {
	nu, hasNu := t.Param("nu")
	if !hasNu {
		nu, hasNu = s.Nu, s.Nu != 0
	}
	incompressible := nu
	if !hasNu {
		incompressible = IncompressibleNu
	}
	value := func(name string) float64 { v, _ := t.Param(name); return v }
	mpa := func(name string) float64 { return value(name) * mpaPerPa }
	term := OgdenTerm{mpa("mu_Pa"), value("alpha")}
	switch t.Model {
	case "neo-hookean":
		return NewNeoHookean(mpa("mu_Pa"), nu)
	case "linear":
		return NewLinear(mpa("E_Pa"), nu)
	case "linear-large-strain":
		return NewStVenantKirchhoff(mpa("E_Pa"), nu)
	case "ogden1":
		if kappa, ok := t.Param("kappa_Pa"); ok {
			return NewOgdenBulk(ogdenForms[t.Form], kappa*mpaPerPa, term)
		}
		if !hasNu {
			return nil, &RecordError{t.ID, "gives neither nu nor kappa_Pa, so its compressibility is not known"}
		}
		return NewOgden(ogdenForms[t.Form], nu, term)
	case "ogden1-prony":
		terms, err := t.prony()
		if err != nil {
			return nil, &RecordError{t.ID, err.Error()}
		}
		fast, err := NewOgden(ogdenForms[t.Form], incompressible, term)
		if err != nil {
			return nil, err
		}
		return NewViscoelastic(fast, terms...)
	case "yeoh2":
		return NewYeoh(mpa("C10_Pa"), mpa("C20_Pa"), 0, nu)
	case "raghavan-vorp":
		return NewRaghavanVorp(mpa("alpha_Pa"), mpa("beta_Pa"), incompressible)
	case "isotropic-I2":
		return NewIsotropicI2(mpa("D1_Pa"), mpa("D2_Pa"), incompressible)
	case "strain-dependent-nh":
		return NewStrainDependentNeoHookean(mpa("G0_Pa"), value("exponent_Cyy"), nu)
	case "bilinear":
		if !hasNu || s.TransitionStrain == 0 {
			return nil, &RecordError{t.ID, "gives two slopes, and not at which strain they meet or how compressible it is: give both in a Supplement"}
		}
		return NewBilinear(mpa("E_small_Pa"), mpa("E_large_Pa"), s.TransitionStrain, nu)
	case "elastic-plastic":
		return NewElasticPlastic(mpa("E_Pa"), nu, mpa("yield_Pa"), 0)
	case "hgo", "goh":
		return nil, &RecordError{t.ID, "has fibres: give their directions, with Tissue.FibreLaw"}
	case "linear-membrane", "bilinear-membrane":
		return nil, &RecordError{t.ID, "is a sheet: take it with Tissue.MembraneWith"}
	case "power-law":
		return nil, &RecordError{t.ID, "has a modulus that depends on density: take it with NewBone"}
	}
	return nil, &MissingModelError{t.ID, t.Model}
}

// metresToMM converts a thickness of the library.
const metresToMM = 1000

// MembraneWith is a record of a sheet ("linear-membrane", "bilinear-membrane",
// or "linear-large-strain" with a thickness) as a membrane; a record without nu
// and a supplement without one give an incompressible sheet, ν = 0.5. Other
// models are a *MissingModelError; a bilinear record without a transition strain
// in s, or any without a thickness, is a *RecordError.
func (t Tissue) MembraneWith(s Supplement) (Membrane, error) {
	nu, ok := t.Param("nu")
	if !ok {
		nu = s.Nu
		if nu == 0 {
			nu = 0.5
		}
	}
	mpa := func(name string) float64 { v, _ := t.Param(name); return v * mpaPerPa }
	thickness, ok := t.Param("thickness_m")
	switch t.Model {
	case "linear-membrane", "linear-large-strain":
		if !ok {
			return nil, &RecordError{t.ID, "gives no thickness_m"}
		}
		return NewLinearMembrane(mpa("E_Pa"), nu, thickness*metresToMM)
	case "bilinear-membrane":
		if s.TransitionStrain == 0 {
			return nil, &RecordError{t.ID, "gives two slopes and not at which strain they meet: give it in a Supplement"}
		}
		return NewBilinearMembrane(mpa("E_small_Pa"), mpa("E_large_Pa"), s.TransitionStrain, nu, thickness*metresToMM)
	}
	return nil, &MissingModelError{t.ID, t.Model + " as a sheet"}
}
