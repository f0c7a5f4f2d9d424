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

// Param finds a number by its name.
func (t Tissue) Param(name string) (float64, bool) {
	for _, p := range t.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return 0, false
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
