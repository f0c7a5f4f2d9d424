package segment_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"
)

// Every built-in recipe is read, names its use and sources, and comes back from
// its JSON the same.
func TestBuiltinRecipes(t *testing.T) {
	all := segment.Recipes()
	if len(all) == 0 {
		t.Fatal("no recipes")
	}
	for n, r := range all {
		if n > 0 && all[n-1].Name >= r.Name {
			t.Errorf("%s: name not unique", r.Name)
		}
		if r.Use == "" || len(r.Sources) == 0 {
			t.Errorf("%s: use %q, sources %q", r.Name, r.Use, r.Sources)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := segment.ReadRecipe(bytes.NewReader(b))
		if err != nil || back.Hash() != r.Hash() {
			t.Errorf("%s: %v, hash %s, want %s", r.Name, err, back.Hash(), r.Hash())
		}
	}
	if _, err := segment.Builtin("ct.abdomen"); err == nil || !strings.Contains(err.Error(), segment.AbdomenPortal) {
		t.Errorf("unknown recipe: %v", err)
	}
}

func TestOperationsAreStated(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range segment.Operations() {
		if seen[o.Name] || o.Doc == "" {
			t.Errorf("operation %q: %q", o.Name, o.Doc)
		}
		seen[o.Name] = true
		names := map[string]bool{}
		for _, p := range o.Parameters {
			if names[p.Name] || p.Name == "" || p.Unit == "" || p.Meaning == "" || p.Least >= p.Most {
				t.Errorf("%s: parameter %+v", o.Name, p)
			}
			names[p.Name] = true
		}
	}
}

func TestChangedRecipe(t *testing.T) {
	r := abdomen()
	c, err := r.With("liver", "OpenMM", 7)
	if err != nil || c.Hash() == r.Hash() || c.Version == r.Version {
		t.Errorf("%v, version %q", err, c.Version)
	}
	if r.Hash() != abdomen().Hash() {
		t.Error("With changed the recipe it was given")
	}
	for name, c := range map[string]struct {
		do, set string
		v       float64
		says    string
	}{
		"range":     {"liver", "OpenMM", 500, "OpenMM is 500"},
		"NaN":       {"liver", "OpenMM", math.NaN(), "NaN"},
		"window":    {"liver", "MinHU", 150, ""},
		"step":      {"lever", "OpenMM", 5, "no number lever.OpenMM"},
		"parameter": {"liver", "Open", 5, "no number liver.Open"},
	} {
		if _, err := r.With(c.do, c.set, c.v); c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadRecipes(t *testing.T) {
	good, err := json.Marshal(abdomen())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, says string }{
		"operation": {`"do":"liver"`, `"do":"lever"`, "lever"},
		"twice":     {`"do":"body"`, `"do":"prepare"`, "StepMM is not stated"},
		"first":     {`{"do":"prepare"`, `{"do":"body"`, "first step"},
		"parameter": {`"OpenMM":6`, `"OpenNM":6`, "OpenMM is not stated"},
		"extra":     {`"OpenMM":6`, `"OpenMM":6,"X":1`, `"X"`},
		"field":     {`"version"`, `"revision"`, "revision"},
		"must":      {`"must":["liver"]`, `"must":["heart"]`, "heart"},
		"no must":   {`"must":["liver"]`, `"must":[]`, "must be found"},
		"modality":  {`"CT"`, `"US"`, "US"},
	} {
		b := strings.Replace(string(good), c.from, c.to, 1)
		if b == string(good) {
			t.Fatalf("%s: nothing to replace", name)
		}
		if _, err := segment.ReadRecipe(strings.NewReader(b)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	headless := abdomen()
	headless.Steps = append(headless.Steps[:1:1], headless.Steps[2:]...)
	if err := headless.Validate(); err == nil || !strings.Contains(err.Error(), "needs body, which no earlier step gives") {
		t.Errorf("without the body: %v", err)
	}
	for _, text := range []string{"", "{}", "[]", string(good) + "{}", strings.Repeat(" ", 2<<20)} {
		if _, err := segment.ReadRecipe(strings.NewReader(text)); err == nil {
			t.Errorf("%.20q was taken", text)
		}
	}
}

func FuzzReadRecipe(f *testing.F) {
	for _, r := range segment.Recipes() {
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := segment.ReadRecipe(bytes.NewReader(b))
		if err == nil && (r.Validate() != nil || len(r.Hash()) != 64) {
			t.Errorf("a recipe was read that is not valid: %v", r.Validate())
		}
	})
}

// Steps show what they make; a step that misses all it looks for may show
// nothing.
func TestStepsCanBeInspected(t *testing.T) {
	v, _ := trunk(1).make()
	seen := map[string]bool{}
	_, rep, err := segment.Run(t.Context(), v, coarse(), segment.Options{Inspect: func(s segment.Stage) error {
		seen[s.Step] = true
		if n := len(s.Mask) + len(s.Field); n != s.Grid.Len() || s.Name == "" {
			t.Errorf("%s, %q: %d values for %d voxels", s.Step, s.Name, n, s.Grid.Len())
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	gives := map[string][]imaging.Label{}
	for _, o := range segment.Operations() {
		gives[o.Name] = o.Gives
	}
	for _, s := range abdomen().Steps {
		made := slices.ContainsFunc(gives[s.Do], func(l imaging.Label) bool { return rep.Of(l).Missing == "" })
		if !seen[s.Do] && made {
			t.Errorf("step %q shows nothing", s.Do)
		}
	}
	if got, _ := run(t, v, coarse()); got.Bit(imaging.LabelBody) == 0 {
		t.Error("no body")
	}
}
