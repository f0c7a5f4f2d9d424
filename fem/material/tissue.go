package material

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"
)

//go:embed tissues.json
var shippedTissues []byte

// Param is one number of a record, in the unit of its name.
type Param struct {
	Name  string // as in the library: "mu_Pa", "nu"
	Value float64
	Unit  string // "Pa", "m", "1", …
}

// Spread is the published spread of a parameter; fields that the source does
// not give are zero.
type Spread struct {
	Dist     string     `json:"dist"` // "lognormal" or empty (normal, when SD is given)
	Median   float64    `json:"median"`
	GSD      float64    `json:"gsd"` // geometric standard deviation
	Mean, SD float64    `json:"-"`
	Range    [2]float64 `json:"range"`
}

// Tissue is one record of the library: a material with its origin.
type Tissue struct {
	ID, Name, Model string
	Form            string // which energy an Ogden parameter belongs to
	Params          []Param
	Tables          map[string]json.RawMessage // parameters that are not one number
	DensityTPerMM3  float64                    // 0 when the source gives none
	Spreads         map[string]Spread          // by parameter name
	// FailureStrain is the range of the tensile failure strain, 0 to 0 when the
	// source gives none.
	FailureStrain [2]float64
	Evidence      string   // S, S*, M+ or M
	Sources       []string // citations
	Note          string
}

// RecordError is a record that is refused, and why.
type RecordError struct{ ID, Why string }

func (e *RecordError) Error() string {
	return fmt.Sprintf("material: tissue record %q is refused: %s", e.ID, e.Why)
}

// MissingModelError names a model that a record wants and this module lacks.
type MissingModelError struct{ ID, Model string }

func (e *MissingModelError) Error() string {
	return fmt.Sprintf("material: tissue %q needs the model %q, which is not implemented; there are neo-hookean, linear, ogden1, yeoh2, raghavan-vorp, hgo and goh", e.ID, e.Model)
}

// The library file is in Pa, kg/m³ and m.
const (
	mpaPerPa       = 1e-6
	tPerMM3OfKgPM3 = 1e-12
	maxLibrary     = 4 << 20 // bytes
)

// units of parameter names: a name ends in its unit, or is a pure number.
var (
	unitSuffixes = []string{"Pa_s", "MPa", "Pa", "m", "deg", "s", "N_per_cm2", "strain"}
	pureNumbers  = []string{"nu", "alpha", "k2", "kappa", "g", "exponent_Cyy", "rho_QCT", "rho_ash", "rho_app"}
	evidenceTags = []string{"S", "S*", "M+", "M"}
)

func unitOf(name string) (string, bool) {
	if slices.Contains(pureNumbers, name) {
		return "1", true
	}
	for _, u := range unitSuffixes {
		if name == u || strings.HasSuffix(name, "_"+u) {
			if u == "strain" {
				u = "1"
			}
			return u, true
		}
	}
	return "", false
}

// record is a tissue on paper.
type record struct {
	ID       string                     `json:"id"`
	Tissue   string                     `json:"tissue"`
	Model    string                     `json:"model"`
	Params   map[string]json.RawMessage `json:"params"`
	Density  *float64                   `json:"density_kg_m3"`
	UQ       map[string]json.RawMessage `json:"uq"`
	Failure  map[string]json.RawMessage `json:"failure"`
	Evidence string                     `json:"evidence"`
	Sources  []string                   `json:"sources"`
	Note     string                     `json:"note"`
	Form     string                     `json:"form"`
	Derived  json.RawMessage            `json:"derived"` // for readers; not used
}

// Load reads a library. Every record must name its unit (in each parameter's
// name), its sources and its evidence, an Ogden record its form, and the
// initial shear modulus must be positive where the model has one; else the
// error is a *RecordError.
func Load(r io.Reader) (map[string]Tissue, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxLibrary+1))
	if err != nil {
		return nil, fmt.Errorf("material: %w", err)
	}
	if len(b) > maxLibrary {
		return nil, fmt.Errorf("material: the library is over %d bytes", maxLibrary)
	}
	var file struct {
		Schema    string            `json:"schema"`
		Units     string            `json:"units"`
		Evidence  map[string]string `json:"evidence"`
		Sources   map[string]string `json:"sources"`
		Materials []record          `json:"materials"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("material: library: %w", err)
	}
	if file.Units != "Pa,kg/m3,m" {
		return nil, fmt.Errorf("material: library: units are %q, want \"Pa,kg/m3,m\"", file.Units)
	}
	out := map[string]Tissue{}
	for _, rec := range file.Materials {
		t, why := rec.tissue(file.Sources)
		if _, twice := out[rec.ID]; twice {
			why = "stands twice"
		}
		if why != "" {
			return nil, &RecordError{rec.ID, why}
		}
		out[t.ID] = t
	}
	return out, nil
}

// tissue checks a record; why is empty when it is good.
func (r record) tissue(sources map[string]string) (t Tissue, why string) {
	t = Tissue{ID: r.ID, Name: r.Tissue, Model: r.Model, Form: r.Form, Evidence: r.Evidence, Note: r.Note, Tables: map[string]json.RawMessage{}, Spreads: map[string]Spread{}}
	switch {
	case r.ID == "" || r.Model == "":
		return t, "has no id or no model"
	case len(r.Params) == 0:
		return t, "has no parameter"
	case !slices.Contains(evidenceTags, r.Evidence):
		return t, fmt.Sprintf("evidence %q is none of %v", r.Evidence, evidenceTags)
	case len(r.Sources) == 0:
		return t, "has no source"
	}
	for _, s := range r.Sources {
		if sources[s] == "" {
			return t, fmt.Sprintf("source %q is not in the list of sources", s)
		}
		t.Sources = append(t.Sources, sources[s])
	}
	if r.Density != nil {
		if !(*r.Density > 0) {
			return t, fmt.Sprintf("density is %g kg/m³, must be positive", *r.Density)
		}
		t.DensityTPerMM3 = *r.Density * tPerMM3OfKgPM3
	}
	for _, name := range sortedKeys(r.Params) {
		unit, ok := unitOf(name)
		if !ok {
			return t, fmt.Sprintf("parameter %q names no unit", name)
		}
		var v float64
		if json.Unmarshal(r.Params[name], &v) != nil {
			t.Tables[name] = r.Params[name]
			continue
		}
		t.Params = append(t.Params, Param{name, v, unit})
	}
	if why = r.spreads(&t); why != "" {
		return t, why
	}
	return t, t.checkModel()
}

// spreads reads what the sources say of spread and failure.
func (r record) spreads(t *Tissue) (why string) {
	for name, raw := range r.UQ {
		var s struct {
			Spread
			Mean float64 `json:"mean"`
			SD   float64 `json:"sd"`
		}
		if json.Unmarshal(raw, &s) != nil {
			t.Tables["uq."+name] = raw // a relative figure
			continue
		}
		s.Spread.Mean, s.Spread.SD = s.Mean, s.SD
		if s.Dist == "lognormal" && !(s.GSD > 1) {
			return fmt.Sprintf("lognormal spread of %s has gsd %g, must be above 1", name, s.GSD)
		}
		t.Spreads[name] = s.Spread
	}
	if raw, ok := r.Failure["tensile_strain"]; ok {
		var f struct{ Range [2]float64 }
		if err := json.Unmarshal(raw, &f); err != nil {
			return "tensile failure strain: " + err.Error()
		}
		t.FailureStrain = f.Range
	}
	return ""
}

// constants are the numbers without which a record of the model is no law.
var constants = map[string][]string{
	"yeoh2":         {"C10_Pa", "C20_Pa"},
	"raghavan-vorp": {"alpha_Pa", "beta_Pa"},
	"hgo":           {"c_Pa", "k1_Pa", "k2", "phi_deg"},
	"goh":           {"c_Pa", "k1_Pa", "k2", "kappa", "gamma_deg"},
}

// checkModel refuses a record without a constant of its model, an Ogden record
// without a form, a solid without Poisson's ratio, and a shear modulus that is
// not positive.
func (t Tissue) checkModel() string {
	for _, name := range constants[t.Model] {
		if _, ok := t.Param(name); !ok {
			return fmt.Sprintf("model %s needs the number %s", t.Model, name)
		}
	}
	if t.Model == "neo-hookean" || t.Model == "linear" || t.Model == "yeoh2" {
		if nu, ok := t.Param("nu"); !ok || !(nu > -1 && nu < 0.5) {
			return fmt.Sprintf("nu is missing or out of (-1, 0.5): %g", nu)
		}
	}
	if strings.HasPrefix(t.Model, "ogden") {
		if _, ok := ogdenForms[t.Form]; !ok {
			return fmt.Sprintf("Ogden form %q is not one of \"mu/alpha\", \"2mu/alpha^2\", \"c/m^2\": the same number means another stiffness in each", t.Form)
		}
	}
	if mu, has := t.ShearMPa(); has && !(mu > 0) {
		return fmt.Sprintf("initial shear modulus is %g MPa, must be positive", mu)
	}
	return ""
}

// Param finds a number by its name.
func (t Tissue) Param(name string) (float64, bool) {
	for _, p := range t.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return 0, false
}

// ShearMPa is the initial shear modulus where the model has one.
func (t Tissue) ShearMPa() (mu float64, ok bool) {
	p := func(name string) float64 { v, _ := t.Param(name); return v * mpaPerPa }
	switch {
	case t.Model == "neo-hookean":
		return p("mu_Pa"), true
	case strings.HasPrefix(t.Model, "ogden"):
		alpha, _ := t.Param("alpha")
		law, err := NewOgden(ogdenForms[t.Form], 0, OgdenTerm{p("mu_Pa"), alpha})
		if err != nil {
			return math.NaN(), true // not positive: the record is refused
		}
		return law.ShearMPa(), true
	case t.Model == "linear":
		nu, _ := t.Param("nu")
		return p("E_Pa") / (2 * (1 + nu)), true
	case t.Model == "hgo" || t.Model == "goh":
		return p("c_Pa"), true
	case t.Model == "yeoh2":
		return 2 * p("C10_Pa"), true
	case t.Model == "raghavan-vorp":
		return 2 * p("alpha_Pa"), true
	}
	return 0, false
}

// IncompressibleNu is Poisson's ratio that stands for incompressible in the laws
// of records whose source fits an incompressible material (Raghavan–Vorp and
// the artery laws); κ is then about 5000 times the initial shear modulus. A
// record's own nu goes first.
const IncompressibleNu = 0.4999

// Law is the record as a law; a *MissingModelError, or a *RecordError when the
// record does not say how compressible the tissue is, or has fibres, whose
// directions FibreLaw takes.
func (t Tissue) Law() (Law, error) {
	nu, _ := t.Param("nu")
	switch t.Model {
	case "neo-hookean":
		mu, _ := t.ShearMPa()
		return NewNeoHookean(mu, nu)
	case "linear":
		e, _ := t.Param("E_Pa")
		return NewLinear(e*mpaPerPa, nu)
	case "ogden1":
		value, _ := t.Param("mu_Pa")
		alpha, _ := t.Param("alpha")
		term := OgdenTerm{value * mpaPerPa, alpha}
		if kappa, ok := t.Param("kappa_Pa"); ok {
			return NewOgdenBulk(ogdenForms[t.Form], kappa*mpaPerPa, term)
		}
		if _, ok := t.Param("nu"); !ok {
			return nil, &RecordError{t.ID, "gives neither nu nor kappa_Pa, so its compressibility is not known"}
		}
		return NewOgden(ogdenForms[t.Form], nu, term)
	case "yeoh2":
		c10, _ := t.Param("C10_Pa")
		c20, _ := t.Param("C20_Pa")
		return NewYeoh(c10*mpaPerPa, c20*mpaPerPa, 0, nu)
	case "raghavan-vorp":
		if _, ok := t.Param("nu"); !ok {
			nu = IncompressibleNu
		}
		alpha, _ := t.Param("alpha_Pa")
		beta, _ := t.Param("beta_Pa")
		return NewRaghavanVorp(alpha*mpaPerPa, beta*mpaPerPa, nu)
	case "hgo", "goh":
		return nil, &RecordError{t.ID, "has fibres: give their directions, with Tissue.FibreLaw"}
	}
	return nil, &MissingModelError{t.ID, t.Model}
}

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

// z975 is the 97.5 % quantile of the standard normal distribution.
const z975 = 1.959963984540054

// ShearSpread is the 97.5 % quantile of the shear modulus over its median: the
// published lognormal spread, or 1 when the source gives none.
func (t Tissue) ShearSpread() float64 {
	if s, ok := t.Spreads["mu_Pa"]; ok && s.Dist == "lognormal" {
		return math.Exp(z975 * math.Log(s.GSD))
	}
	return 1
}

var library = sync.OnceValues(func() (map[string]Tissue, error) { return Load(bytes.NewReader(shippedTissues)) })

// Library is the shipped library by id. The map is shared: do not change it.
func Library() (map[string]Tissue, error) { return library() }

// Lookup finds a tissue of the shipped library.
func Lookup(id string) (Tissue, error) {
	all, err := library()
	if err != nil {
		return Tissue{}, err
	}
	t, ok := all[id]
	if !ok {
		return Tissue{}, &RecordError{id, "is not in the library"}
	}
	return t, nil
}

func sortedKeys(m map[string]json.RawMessage) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
