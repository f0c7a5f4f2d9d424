package planner

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// bareNumbers lists every floating-point field of the exported types of this
// package, with why it may be one. A number that people see is a Quantity;
// only its parts, places, what a plan prescribes, what a person typed and what
// never leaves the program stand alone. A new field fails the test until it is
// a Quantity or has a reason here.
var bareNumbers = map[string]string{
	"Quantity.Value":     partOfQuantity,
	"Spread.P2_5":        partOfQuantity,
	"Spread.P5":          partOfQuantity,
	"Spread.P50":         partOfQuantity,
	"Spread.P95":         partOfQuantity,
	"Spread.P97_5":       partOfQuantity,
	"Violation.P":        partOfQuantity,
	"Solution.Residual":  partOfQuantity,
	"Solution.MeshError": partOfQuantity,
	"Limit.Value":        "limit of a rule, with its source and evidence",

	"VesselCut.At":          place,
	"Seed.LPS":              place,
	"Plane.Point":           place,
	"Plane.Normal":          place,
	"Sheet.Origin":          place,
	"Sheet.U":               place,
	"Sheet.V":               place,
	"Sheet.HeightsMM":       prescribed,
	"Needle.Entry":          place,
	"Needle.Tip":            place,
	"Graft.ProximalMM":      prescribed,
	"Graft.DistalMM":        prescribed,
	"Plan.RetractionMM":     prescribed,
	"Plan.GravityG":         prescribed,
	"Study.Spacing":         "grid of the image",
	"Topology.Rest":         place,
	"DisplayFrame.Pos":      place,
	"DisplayFrame.SimTimeS": "time",
	"Run.Progress":          "progress",

	"Patient.HeightCM":     typed,
	"Patient.WeightKG":     typed,
	"Patient.MeanMmHg":     typed,
	"Patient.SystolicMmHg": typed,

	"Value.V":       inside,
	"Score.Value":   inside,
	"Objective.Cap": inside,
	"Field.Values":  "samples of a displayed field",

	"FieldQuality.Residual": "header of a displayed field, with its evidence",
	"FieldQuality.Error":    "header of a displayed field, with its evidence",

	"Range.Low":      "verified range, with its source and evidence",
	"Range.High":     "verified range, with its source and evidence",
	"Measured.Value": inside,
}

const (
	partOfQuantity = "part of a quantity"
	place          = "place"
	prescribed     = "what a plan prescribes"
	typed          = "typed by a person"
	inside         = "stays in the program: becomes a quantity or a sentence"
)

// shown are the types that people get to see, whole.
var shown = []reflect.Type{reflect.TypeFor[Evaluation](), reflect.TypeFor[Veto](), reflect.TypeFor[VesselCut](), reflect.TypeFor[Decision](),
	reflect.TypeFor[Plan](), reflect.TypeFor[Run](), reflect.TypeFor[Flag](), reflect.TypeFor[Approval]()}

// TestNoBareNumberIsShown follows every type that people get to see to its
// numbers.
func TestNoBareNumberIsShown(t *testing.T) {
	seen := map[reflect.Type]bool{}
	numbers := 0
	var look func(u reflect.Type, owner string)
	look = func(u reflect.Type, owner string) {
		switch u.Kind() {
		case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
			numbers++
			switch why := bareNumbers[owner]; why {
			case "":
				t.Errorf("%s is a bare number: make it a Quantity", owner)
			case inside:
				t.Errorf("%s can be seen", owner)
			}
		case reflect.Pointer, reflect.Slice, reflect.Array:
			look(u.Elem(), owner)
		case reflect.Map:
			look(u.Key(), owner)
			look(u.Elem(), owner)
		case reflect.Interface:
			t.Errorf("%s is an interface: it cannot be told what is shown", owner)
		case reflect.Struct:
			if u.PkgPath() == "time" {
				return
			}
			own := strings.HasSuffix(u.PkgPath(), "/planner")
			if own {
				if seen[u] {
					return
				}
				seen[u] = true
			}
			for n := range u.NumField() {
				f := u.Field(n)
				if own { // a vector of another package belongs to the field that holds it
					owner = u.Name() + "." + f.Name
				}
				look(f.Type, owner)
			}
		}
	}
	for _, u := range shown {
		look(u, u.Name())
	}
	if !seen[reflect.TypeFor[Quantity]()] || numbers < 15 {
		t.Errorf("looked at %d numbers only", numbers)
	}
}

// TestEveryNumberOfThePackageHasAReason reads the source, so that a type that
// nobody has listed above is found as well.
func TestEveryNumberOfThePackageHasAReason(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				ts, ok := s.(*ast.TypeSpec)
				if !ok || !ts.Name.IsExported() {
					continue
				}
				st, ok := ts.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range st.Fields.List {
					for _, name := range field.Names {
						if name.IsExported() && holdsFloat(field.Type) {
							id := ts.Name.Name + "." + name.Name
							found[id] = true
							if bareNumbers[id] == "" {
								t.Errorf("%s: %s is a bare number: make it a Quantity, or say why not", e.Name(), id)
							}
						}
					}
				}
			}
		}
	}
	for id := range bareNumbers {
		if !found[id] {
			t.Errorf("%s has a reason and does not exist", id)
		}
	}
}

// holdsFloat reports whether a type is made of floats or vectors directly.
func holdsFloat(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return strings.HasPrefix(e.Name, "float") || strings.HasPrefix(e.Name, "complex")
	case *ast.SelectorExpr:
		return e.Sel.Name == "Vec"
	case *ast.ArrayType:
		return holdsFloat(e.Elt)
	case *ast.StarExpr:
		return holdsFloat(e.X)
	case *ast.MapType:
		return holdsFloat(e.Key) || holdsFloat(e.Value)
	case *ast.StructType:
		for _, f := range e.Fields.List {
			if holdsFloat(f.Type) {
				return true
			}
		}
	}
	return false
}
