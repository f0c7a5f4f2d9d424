package segment

import (
	"fmt"
	"math"

	"halsted/imaging"
)

// CheckEdits finds what is wrong with a list of edits before the masks are there
// on which they are to be made: g is the grid of the volume, r the recipe that
// will make the masks. Beside what Validate checks, every edit but the first must
// have the one before it as its parent, points must lie in the volume, no voxel
// may be asked to be inside and outside at once, and the structure must be one
// that the recipe looks for or an earlier edit makes. The first parent, what lies
// in the body and what a step did not find are known only with the masks
// (ApplyEdits). Errors are *EditError with the number of the edit.
func CheckEdits(g imaging.Grid, r Recipe, edits []Edit) error {
	steps, err := r.bind()
	if err != nil {
		return err
	}
	known := map[imaging.Label]bool{}
	for _, s := range steps {
		for _, l := range s.op.gives {
			known[l] = true
		}
	}
	have := ""
	for n, e := range edits {
		if err := e.Validate(); err != nil {
			return numbered(n+1, err)
		}
		if n > 0 && e.Parent != have {
			return numbered(n+1, &ParentError{e.Parent, have})
		}
		have = e.Hash()
		if err := e.checkOn(g, known); err != nil {
			return numbered(n+1, &EditError{Why: e.title(), Err: err})
		}
	}
	return nil
}

// title is what an edit is called in errors.
func (e Edit) title() string { return fmt.Sprintf("%s %s", e.Do, e.Label) }

// checkOn checks an edit that Validate has passed against a grid and the
// structures that can be there, and adds those that it makes.
func (e Edit) checkOn(g imaging.Grid, known map[imaging.Label]bool) error {
	l, err := imaging.ParseLabel(e.Label)
	if err != nil {
		return err
	}
	if e.Do != EditPaint && !known[l] && !known[base(l)] {
		return &NotFoundError{l, "the recipe does not look for it and no edit before makes it; paint it with a brush first"}
	}
	known[l] = true
	if to, err := imaging.ParseLabel(e.To); e.Do == EditRelabel && err == nil {
		known[to] = true
	}
	inside := map[int]bool{}
	for _, list := range []struct {
		in, path bool
		pts      [][3]float64
	}{{true, false, e.Inside}, {false, false, e.Outside}, {false, true, e.Path}} {
		for m, p := range vectors(list.pts) {
			fail := func(why string) error {
				return &PointError{Inside: list.in, Path: list.path, Number: m + 1, LPS: p, Value: math.NaN(), Why: why}
			}
			n, ok := voxelAt(g, p)
			switch {
			case !ok:
				return fail(beyond(g))
			case list.in:
				inside[n] = true
			case !list.path && inside[n]:
				return fail(sharesVoxel)
			}
		}
	}
	return nil
}

// sharesVoxel is why an outside point is refused.
const sharesVoxel = "shares its voxel with an inside point; remove one of them"
