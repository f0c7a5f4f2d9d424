package rank

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"halsted/planner"
)

var judging = regexp.MustCompile(`(?i)\b(un)?safe`)

// TestNoStringJudges reads every string that the package can print.
func TestNoStringJudges(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				count++
				if judging.MatchString(l.Value) {
					t.Errorf("%s: %s", e.Name(), l.Value)
				}
			}
			return true
		})
	}
	if count < 50 {
		t.Errorf("found %d strings only", count)
	}
	rng := rand.New(rand.NewPCG(31, 1))
	for range 10 {
		es, o := random(rng, 20, 3, 30, 1)
		o.Scenarios = []Scenario{MarginLost("a", 3), ClampSlips("b", 10)}
		o.Bounds = []Bound{atLeast("a", 9)}
		walk(reflect.ValueOf(mustRank(t, es, o)), func(s string) {
			if judging.MatchString(s) {
				t.Errorf("%q", s)
			}
		})
	}
}

// walk calls f with every string in v.
func walk(v reflect.Value, f func(string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), f)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			walk(v.Field(n), f)
		}
	case reflect.Slice, reflect.Array:
		for n := range v.Len() {
			walk(v.Index(n), f)
		}
	case reflect.String:
		f(v.String())
	}
}

// TestEveryNumberOfAFrontIsAQuantity looks for floats outside the types that
// may hold one.
func TestEveryNumberOfAFrontIsAQuantity(t *testing.T) {
	allowed := map[reflect.Type]bool{}
	for _, v := range []any{planner.Quantity{}, planner.Spread{}, planner.Limit{}, planner.VesselCut{}} { // VesselCut: the position of the section
		allowed[reflect.TypeOf(v)] = true
	}
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type, string)
	look = func(u reflect.Type, path string) {
		if seen[u] || allowed[u] {
			return
		}
		switch u.Kind() {
		case reflect.Float32, reflect.Float64:
			t.Errorf("%s is a bare number", path)
		case reflect.Pointer, reflect.Slice, reflect.Array:
			look(u.Elem(), path)
		case reflect.Map:
			look(u.Key(), path)
			look(u.Elem(), path)
		case reflect.Struct:
			seen[u] = true
			for n := range u.NumField() {
				look(u.Field(n).Type, path+"."+u.Field(n).Name)
			}
		}
	}
	look(reflect.TypeFor[Front](), "Front")
	if len(seen) < 6 {
		t.Errorf("looked at %d types only", len(seen))
	}
}
