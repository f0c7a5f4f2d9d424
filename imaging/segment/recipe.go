package segment

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Recipe is all that decides an automatic segmentation: steps in order, each
// with all its numbers. It is data: the recipes of this package are JSON files
// built into it, and a hospital may hand in its own. The same volume, recipe
// and seeds give the same bits.
type Recipe struct {
	Name     string   `json:"name"`     // "ct.abdomen.portal-venous"
	Version  string   `json:"version"`  // changes with any number
	Modality string   `json:"modality"` // "CT" or "MR"
	Use      string   `json:"use"`      // what it is for, and what not
	Sources  []string `json:"sources"`  // papers its steps follow
	Must     []string `json:"must"`     // structures without which a run has failed
	Steps    []Step   `json:"steps"`
}

// Step is one operation with its numbers. Every parameter of the operation is
// stated; Operations lists them with unit, range and meaning.
type Step struct {
	Do  string             `json:"do"`
	Set map[string]float64 `json:"set,omitempty"`
	Why string             `json:"why,omitempty"` // where the numbers come from
}

// Parameter describes one number of an operation.
type Parameter struct {
	Name, Unit  string
	Least, Most float64
	Meaning     string
}

//go:embed recipes/*.json
var files embed.FS

// AbdomenPortal is the name of the recipe for contrast CT of the abdomen in the
// portal-venous phase.
const AbdomenPortal = "ct.abdomen.portal-venous"

// Recipes are the built-in recipes, by name.
func Recipes() []Recipe {
	list, err := files.ReadDir("recipes")
	if err != nil {
		panic("segment: " + err.Error()) // built in
	}
	var out []Recipe
	for _, f := range list {
		b, err := files.ReadFile(path.Join("recipes", f.Name()))
		if err != nil {
			panic("segment: " + err.Error())
		}
		r, err := ReadRecipe(bytes.NewReader(b))
		if err != nil {
			panic(fmt.Sprintf("segment: %s: %v", f.Name(), err)) // held by a test
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Recipe) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Builtin is the built-in recipe of a name.
func Builtin(name string) (Recipe, error) {
	var names []string
	for _, r := range Recipes() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Recipe{}, fmt.Errorf("segment: there is no recipe %q; there are %s", name, strings.Join(names, ", "))
}

// maxRecipeBytes bounds a recipe file; the built-in ones have a few kB.
const maxRecipeBytes = 1 << 20

// ReadRecipe reads a recipe file and checks it. Unknown fields are refused: a
// mistyped name must not leave a number at something else.
func ReadRecipe(r io.Reader) (Recipe, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxRecipeBytes+1))
	if err != nil {
		return Recipe{}, fmt.Errorf("segment: recipe: %w", err)
	}
	if len(b) > maxRecipeBytes {
		return Recipe{}, fmt.Errorf("segment: recipe: longer than %d bytes", maxRecipeBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var out Recipe
	if err := d.Decode(&out); err != nil {
		return Recipe{}, fmt.Errorf("segment: recipe: %w", err)
	}
	if d.More() {
		return Recipe{}, fmt.Errorf("segment: recipe: something follows after it")
	}
	return out, out.Validate()
}

// Validate names the first step or parameter that cannot be used.
func (r Recipe) Validate() error {
	switch {
	case r.Name == "" || r.Version == "":
		return fmt.Errorf("segment: a recipe needs a name and a version")
	case r.Modality != "CT" && r.Modality != "MR":
		return fmt.Errorf("segment: recipe %s: modality is %q; it must be CT or MR", r.Name, r.Modality)
	case len(r.Steps) == 0:
		return fmt.Errorf("segment: recipe %s has no steps", r.Name)
	}
	steps, err := r.bind()
	if err != nil {
		return err
	}
	if len(r.Must) == 0 {
		return fmt.Errorf("segment: recipe %s names no structure that must be found", r.Name)
	}
	for _, name := range r.Must {
		l, err := imaging.ParseLabel(name)
		if err != nil {
			return fmt.Errorf("segment: recipe %s: must: %w", r.Name, err)
		}
		if !slices.ContainsFunc(steps, func(s boundStep) bool { return slices.Contains(s.op.gives, base(l)) }) {
			return fmt.Errorf("segment: recipe %s: no step gives the %s that must be found", r.Name, name)
		}
	}
	return nil
}

// Hash is the SHA-256 of the recipe's content, in hexadecimal.
func (r Recipe) Hash() string {
	b, err := json.Marshal(r) // map keys are sorted
	if err != nil {
		panic("segment: " + err.Error()) // NaN and ±Inf do not pass Validate
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// With is r with one number changed, under a version that says so.
func (r Recipe) With(do, name string, value float64) (Recipe, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return r, fmt.Errorf("segment: %s.%s cannot be %g", do, name, value)
	}
	r.Steps = slices.Clone(r.Steps)
	for n, s := range r.Steps {
		if _, ok := s.Set[name]; s.Do != do || !ok {
			continue
		}
		set := make(map[string]float64, len(s.Set))
		for k, v := range s.Set {
			set[k] = v
		}
		set[name] = value
		r.Steps[n].Set = set
		r.Version += fmt.Sprintf("+%s.%s=%g", do, name, value)
		return r, r.Validate()
	}
	return r, fmt.Errorf("segment: recipe %s has no number %s.%s", r.Name, do, name)
}

// Seed is a point a person put into a structure.
type Seed struct {
	Label imaging.Label
	LPS   r3.Vec // mm
}

// checkSeeds refuses seeds that no step takes, that have no place, or that lie
// outside the volume.
func checkSeeds(seeds []Seed, steps []boundStep, g imaging.Grid) error {
	for n, s := range seeds {
		if p := s.LPS.X + s.LPS.Y + s.LPS.Z; math.IsNaN(p) || math.IsInf(p, 0) {
			return fmt.Errorf("segment: seed %d has no finite position", n+1)
		}
		var takes []string
		ok := false
		for _, b := range steps {
			for _, l := range b.op.seeds {
				name := l.String()
				if l == imaging.LabelTumour {
					name = "tumours"
				}
				takes = append(takes, name)
				ok = ok || s.Label == l || l == imaging.LabelTumour && s.Label.IsTumour()
			}
		}
		if !ok {
			return fmt.Errorf("segment: seed %d is for %v; this recipe takes seeds for %s", n+1, s.Label, strings.Join(takes, ", "))
		}
		i, j, k := g.Voxel(s.LPS)
		for a, x := range [3]float64{i, j, k} {
			if x < -0.5 || x > float64(g.Size[a])-0.5 {
				return fmt.Errorf("segment: seed %d (%v) at %.0f,%.0f,%.0f mm lies outside the volume", n+1, s.Label, s.LPS.X, s.LPS.Y, s.LPS.Z)
			}
		}
	}
	return nil
}
