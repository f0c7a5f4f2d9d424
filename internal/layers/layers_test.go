package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "halsted"

// use is one import: where it stands and what it names.
type use struct {
	pkg, file, target string
	test              bool
}

// violations applies the tables to the imports of a module.
func violations(uses []use) []string {
	var bad []string
	for _, u := range uses {
		if target, ours := strings.CutPrefix(u.target, module+"/"); ours {
			allowed := mayImport[u.pkg]
			if u.test {
				allowed = slices.Concat(allowed, testMayImport[u.pkg])
			}
			switch {
			case target == u.pkg && u.test:
			case slices.Contains(allowed, anything) && target != "viewer/window":
			case !slices.Contains(allowed, target):
				bad = append(bad, u.file+": "+u.pkg+" may not import "+target)
			}
			continue
		}
		if !strings.Contains(strings.SplitN(u.target, "/", 2)[0], ".") {
			continue // standard library
		}
		owner := ""
		for m := range owners {
			if u.target == m || strings.HasPrefix(u.target, m+"/") {
				owner = m
			}
		}
		switch {
		case owner == "":
			bad = append(bad, u.file+": module of "+u.target+" has no owner")
		case u.test || slices.Contains(owners[owner], anything):
		case !slices.Contains(owners[owner], u.pkg):
			bad = append(bad, u.file+": "+u.pkg+" may not use "+owner)
		}
	}
	return bad
}

// imports parses every Go file below root.
func imports(t *testing.T, root string) (uses []use, packages map[string]bool) {
	packages = map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if d.IsDir() {
			name := d.Name()
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if rel != "." && (strings.HasPrefix(name, ".") || name == "testdata" || nested == nil || rel == "build" || rel == "out" || rel == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		packages[pkg] = true
		for _, im := range f.Imports {
			target, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			uses = append(uses, use{pkg, filepath.ToSlash(rel), target, strings.HasSuffix(p, "_test.go")})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return uses, packages
}

func TestImportsFollowTheTable(t *testing.T) {
	uses, packages := imports(t, filepath.Join("..", ".."))
	for _, v := range violations(uses) {
		t.Error(v)
	}
	for p := range packages {
		if _, ok := mayImport[p]; !ok {
			t.Errorf("package %s is missing from the table in internal/layers/table.go", p)
		}
	}
	if len(uses) < 50 {
		t.Errorf("only %d imports found: the walk is broken", len(uses))
	}
}

func TestTableHasNoRoomThatIsGone(t *testing.T) {
	_, packages := imports(t, filepath.Join("..", ".."))
	for p := range mayImport {
		if !packages[p] {
			t.Errorf("the table names %s, which has no Go file", p)
		}
	}
}

func TestTableIsAcyclic(t *testing.T) {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(p string)
	visit = func(p string) {
		switch state[p] {
		case visiting:
			t.Fatalf("the table allows a cycle through %s", p)
		case done:
			return
		}
		state[p] = visiting
		for _, q := range mayImport[p] {
			if q != anything {
				visit(q)
			}
		}
		state[p] = done
	}
	for p := range mayImport {
		visit(p)
	}
}

func TestViolationsAreSeen(t *testing.T) {
	for _, u := range []use{
		{"imaging", "imaging/x.go", "halsted/mesh", false},
		{"mesh", "mesh/x.go", "github.com/g3n/engine/core", false},
		{"fem", "fem/x.go", "example.org/unknown", false},
		{"cmd/halsted", "cmd/halsted/x.go", "halsted/viewer/window", false},
	} {
		if len(violations([]use{u})) != 1 {
			t.Errorf("%+v passes", u)
		}
	}
	for _, u := range []use{
		{"mesh", "mesh/x.go", "halsted/imaging", false},
		{"viewer/window", "viewer/window/x.go", "github.com/g3n/engine/core", false},
		{"fem", "fem/x.go", "gonum.org/v1/gonum/spatial/r3", false},
	} {
		if v := violations([]use{u}); len(v) != 0 {
			t.Errorf("%+v is refused: %v", u, v)
		}
	}
}
