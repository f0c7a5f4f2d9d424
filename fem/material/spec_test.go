package material

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

func ExampleCatalogue() {
	for _, law := range Catalogue() {
		if law.Law == "Guccione" {
			fmt.Println(law.Source)
			for _, p := range law.Parameters {
				fmt.Printf("%s [%s]: %v\n", p.Name, p.Unit, p.Limit)
			}
		}
	}
	// Output:
	// J. M. Guccione, A. D. McCulloch & L. K. Waldman, J. Biomech. Eng. 113 (1991) 42–55
	// C [MPa]: positive and finite
	// bf []: positive and finite
	// bt []: positive and finite
	// bfs []: positive and finite
	// bulk modulus [MPa]: positive and finite
}

func TestCatalogueIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Catalogue() {
		if seen[s.Law] || s.Law == "" || s.Formula == "" || s.Source == "" || len(s.Parameters) == 0 {
			t.Errorf("%q stands twice or lacks a formula, source or parameter", s.Law)
		}
		seen[s.Law] = true
		names := map[string]bool{}
		for _, p := range s.Parameters {
			if names[p.Name] || p.Name == "" || p.Limit.Low > p.Limit.High {
				t.Errorf("%s: parameter %q", s.Law, p.Name)
			}
			names[p.Name] = true
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				if p.Limit.Has(bad) {
					t.Errorf("%s: %s may be %g", s.Law, p.Name, bad)
				}
			}
		}
	}
}

func TestLimits(t *testing.T) {
	half := Limit{Low: -1, High: 0.5, OpenLow: true}
	for v, want := range map[float64]bool{-1: false, -0.5: true, 0.5: true, 0.6: false} {
		if half.Has(v) != want {
			t.Errorf("%v has %g: %v", half, v, !want)
		}
	}
	if s := half.String(); s != "above -1, to 0.5" {
		t.Errorf("%q", s)
	}
	err := guccioneSpec.check(1, 2, -3, 4, 5)
	if e, ok := errors.AsType[*ParameterError](err); !ok || e.Name != "bt" || err.Error() != "material: Guccione: bt is -3, must be positive and finite" {
		t.Errorf("%v", err)
	}
}
