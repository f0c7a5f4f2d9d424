package material

import (
	"fmt"
	"math"
)

// Limit is the open or closed range a constant must lie in.
type Limit struct {
	Low, High         float64
	OpenLow, OpenHigh bool // the bound itself is refused
}

// The ranges that recur.
var (
	above0  = Limit{Low: 0, High: math.Inf(1), OpenLow: true, OpenHigh: true}
	from0   = Limit{Low: 0, High: math.Inf(1), OpenHigh: true}
	anyReal = Limit{Low: math.Inf(-1), High: math.Inf(1), OpenLow: true, OpenHigh: true}
	poisson = Limit{Low: -1, High: 0.5, OpenLow: true, OpenHigh: true}
)

// Has says whether v, which must not be NaN, is within the range.
func (l Limit) Has(v float64) bool {
	return (v > l.Low || v == l.Low && !l.OpenLow) && (v < l.High || v == l.High && !l.OpenHigh)
}

// String is the range in words.
func (l Limit) String() string {
	switch {
	case l == above0:
		return "positive and finite"
	case l == from0:
		return "zero or positive, and finite"
	case l == anyReal:
		return "finite"
	case l == poisson:
		return "above -1 and below 0.5 (use 0.49 to 0.4999 for soft tissue)"
	}
	low, high := "from", "to"
	if l.OpenLow {
		low = "above"
	}
	if l.OpenHigh {
		high = "below"
	}
	return fmt.Sprintf("%s %g, %s %g", low, l.Low, high, l.High)
}

// Parameter is one constant of a law: what it is called, its unit and range.
type Parameter struct {
	Name, Unit string // Unit is empty for a pure number
	Limit      Limit
}

// Spec states a law once: its energy, source and the constants its constructor
// takes, in order. The constructors check against it.
type Spec struct {
	Law, Formula, Source string
	Parameters           []Parameter
}

// check refuses the first value out of its range.
func (s *Spec) check(values ...float64) error {
	if len(values) != len(s.Parameters) {
		panic("material: " + s.Law + ": as many values as parameters are needed")
	}
	for n, p := range s.Parameters {
		if !p.Limit.Has(values[n]) {
			return s.refuse(&ParameterError{p.Name, values[n], p.Unit, p.Limit.String()})
		}
	}
	return nil
}

// refuse names the law in front of err.
func (s *Spec) refuse(err error) error { return fmt.Errorf("material: %s: %w", s.Law, err) }

// Catalogue lists the laws, solids first, then laws with a history, sheets and
// bone; the values are copies.
func Catalogue() []Spec {
	return []Spec{
		linearSpec, stVenantKirchhoffSpec, henckySpec, compressibleSpec, neoHookeanSpec, mooneyRivlinSpec, yeohSpec, raghavanVorpSpec,
		isotropicI2Spec, strainDependentSpec, bilinearSpec, ogdenSpec, hgoSpec, gohSpec, guccioneSpec,
		viscoelasticSpec, elasticPlasticSpec, damageSpec,
		linearMembraneSpec, bilinearMembraneSpec, neoHookeanMembraneSpec, exponentialMembraneSpec,
		boneSpec,
	}
}
