package vessel

import (
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// twig is a branch along a straight line with one radius.
func twig(parent int, a, b r3.Vec, r float64) Branch {
	return Branch{Parent: parent, Points: []r3.Vec{a, r3.Scale(0.5, r3.Add(a, b)), b}, RadiusMM: []float64{r, r, r}}
}

func smallTree() *Tree {
	o, a, b := r3.Vec{}, r3.Vec{Z: 10}, r3.Vec{X: 5, Z: 15}
	t := &Tree{Branches: []Branch{
		twig(-1, o, a, 3),
		twig(0, a, b, 2.5),
		twig(0, a, r3.Vec{X: -8, Z: 20}, 2),
		twig(1, b, r3.Vec{X: 9, Z: 15}, 2),
		twig(1, b, r3.Vec{X: 5, Z: 22}, 1.8),
	}}
	t.SetOrders()
	return t
}

func TestTreeOrders(t *testing.T) {
	tr := smallTree()
	if err := tr.Validate(); err != nil {
		t.Fatal(err)
	}
	for n, want := range [][2]int{{0, 2}, {1, 2}, {1, 1}, {2, 1}, {2, 1}} {
		if b := tr.Branches[n]; b.Generation != want[0] || b.Strahler != want[1] {
			t.Errorf("branch %d: generation %d Strahler %d, want %v", n, b.Generation, b.Strahler, want)
		}
	}
	if got := tr.Subtree(1); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("subtree %v", got)
	}
	if got := tr.Path(4); !slices.Equal(got, []int{0, 1, 4}) {
		t.Errorf("path %v", got)
	}
	if got := tr.Tips(); !slices.Equal(got, []int{2, 3, 4}) {
		t.Errorf("tips %v", got)
	}
	if v, want := tr.Branches[0].VolumeMM3(), math.Pi*9*10; math.Abs(v-want) > 1e-9 {
		t.Errorf("volume %g, want %g", v, want)
	}
}

func TestTreeValidate(t *testing.T) {
	for name, spoil := range map[string]func(*Tree){
		"late parent": func(t *Tree) { t.Branches[1].Parent = 3 },
		"one point":   func(t *Tree) { t.Branches[2].Points = t.Branches[2].Points[:1] },
		"radii":       func(t *Tree) { t.Branches[2].RadiusMM = t.Branches[2].RadiusMM[:1] },
		"NaN":         func(t *Tree) { t.Branches[2].Points[1].Y = math.NaN() },
		"zero radius": func(t *Tree) { t.Branches[2].RadiusMM[1] = 0 },
		"lost child":  func(t *Tree) { t.Branches[1].Children = t.Branches[1].Children[:1] },
		"wrong child": func(t *Tree) { t.Branches[1].Children[0] = 2 },
		"no length":   func(t *Tree) { p := t.Branches[4].Points; p[1], p[2] = p[0], p[0] },
	} {
		tr := smallTree()
		spoil(tr)
		err := tr.Validate()
		if _, ok := errors.AsType[*TreeError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
