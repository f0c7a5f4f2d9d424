package vessel

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Tree is the branches of one vessel system, in an order in which every parent
// stands before its children. A tree may have several roots (pieces that a
// segmentation left apart).
type Tree struct {
	System   imaging.Label // LabelPortalVein, LabelHepaticVein, LabelAorta, …
	Branches []Branch

	beyond []bool // while names are given: branches that lead to no tip in the organ
}

// Branch is a stretch of vessel between two branchings, or from a root or to a
// tip. Points run away from the root; the first point of a child is the last
// of its parent.
type Branch struct {
	Parent     int       // index in Tree.Branches; −1 for a root
	Children   []int     // indices in Tree.Branches
	Points     []r3.Vec  // centreline, LPS mm; at least two
	RadiusMM   []float64 // of the lumen at each point: that of the circle of equal area
	Name       string    // "portal trunk", "right anterior", …; empty where topology does not tell
	Confidence float64   // that Name is right, 0 to 1; 0 without a name
	Generation int       // branchings between the root and this branch; 0 for a root
	Strahler   int       // 1 for a tip, one more where two equal orders meet (Strahler, Trans AGU 38:913, 1957)
	Exists     float64   // confidence that the branch is a vessel and not noise of the mask, 0 to 1; 0 where not judged
	RadiusSDMM float64   // standard error of MeanRadiusMM: of counting voxels or, where that is more than 1.2 %, the spread of all tubes that they allow; 0 where not judged
}

// LengthMM is the length along the centreline.
func (b *Branch) LengthMM() float64 {
	sum := 0.0
	for n := 1; n < len(b.Points); n++ {
		sum += r3.Norm(r3.Sub(b.Points[n], b.Points[n-1]))
	}
	return sum
}

// MeanRadiusMM is the radius of the cylinder with the branch's length and mean
// cross-section: the root mean square of RadiusMM along the centreline.
func (b *Branch) MeanRadiusMM() float64 { return rmsAlong(b.Points, b.RadiusMM) }

// VolumeMM3 is the volume of the branch as a row of discs.
func (b *Branch) VolumeMM3() float64 {
	r := b.MeanRadiusMM()
	return math.Pi * r * r * b.LengthMM()
}

// Roots are the branches without a parent, in order.
func (t *Tree) Roots() []int {
	var out []int
	for n := range t.Branches {
		if t.Branches[n].Parent < 0 {
			out = append(out, n)
		}
	}
	return out
}

// Tips are the branches without children, in order.
func (t *Tree) Tips() []int {
	var out []int
	for n := range t.Branches {
		if len(t.Branches[n].Children) == 0 {
			out = append(out, n)
		}
	}
	return out
}

// Subtree is branch n and all that hangs on it, in ascending order.
func (t *Tree) Subtree(n int) []int {
	in := make([]bool, len(t.Branches))
	in[n] = true
	out := []int{n}
	for m := n + 1; m < len(t.Branches); m++ {
		if p := t.Branches[m].Parent; p >= 0 && in[p] {
			in[m] = true
			out = append(out, m)
		}
	}
	return out
}

// Path is the branches from the root to branch n, both included.
func (t *Tree) Path(n int) []int {
	var out []int
	for ; n >= 0; n = t.Branches[n].Parent {
		out = append(out, n)
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// Find is the index of the branch of a name, the most confident first where
// several have it; −1 when there is none.
func (t *Tree) Find(name string) int {
	best := -1
	for n := range t.Branches {
		if b := &t.Branches[n]; b.Name == name && (best < 0 || b.Confidence > t.Branches[best].Confidence) {
			best = n
		}
	}
	return best
}

// SetOrders sets Children, Generation and Strahler of every branch from Parent.
// Parents must stand before their children.
func (t *Tree) SetOrders() {
	for n := range t.Branches {
		t.Branches[n].Children = nil
	}
	for n := range t.Branches {
		b := &t.Branches[n]
		b.Generation = 0
		if b.Parent >= 0 {
			p := &t.Branches[b.Parent]
			p.Children = append(p.Children, n)
			b.Generation = p.Generation + 1
		}
	}
	for n := len(t.Branches) - 1; n >= 0; n-- {
		b := &t.Branches[n]
		b.Strahler = 1
		most, times := 0, 0
		for _, c := range b.Children {
			switch s := t.Branches[c].Strahler; {
			case s > most:
				most, times = s, 1
			case s == most:
				times++
			}
		}
		if most > 0 {
			b.Strahler = most
			if times > 1 {
				b.Strahler++
			}
		}
	}
}

// TreeError says what is wrong with a tree and where.
type TreeError struct {
	Branch int
	Reason string
}

func (e *TreeError) Error() string {
	return fmt.Sprintf("vessel: branch %d: %s", e.Branch, e.Reason)
}

// Validate reports the first branch that breaks the promises of Tree and Branch
// as a *TreeError: order, links both ways, points and radii finite and equal in
// number, radii positive.
func (t *Tree) Validate() error {
	links := 0
	for n := range t.Branches {
		b := &t.Branches[n]
		fail := func(format string, a ...any) error { return &TreeError{n, fmt.Sprintf(format, a...)} }
		switch {
		case b.Parent < -1 || b.Parent >= n:
			return fail("its parent %d does not stand before it", b.Parent)
		case len(b.Points) < 2:
			return fail("it has %d points; two are needed", len(b.Points))
		case len(b.Points) != len(b.RadiusMM):
			return fail("it has %d points and %d radii", len(b.Points), len(b.RadiusMM))
		}
		for m, p := range b.Points {
			if s := p.X + p.Y + p.Z; math.IsNaN(s) || math.IsInf(s, 0) {
				return fail("point %d is not finite", m)
			}
			if r := b.RadiusMM[m]; !(r > 0) || math.IsInf(r, 1) {
				return fail("radius %d is %g mm; it must be positive and finite", m, r)
			}
		}
		if b.LengthMM() == 0 {
			return fail("it has no length")
		}
		for _, c := range b.Children {
			if c <= n || c >= len(t.Branches) || t.Branches[c].Parent != n {
				return fail("child %d does not name it as its parent", c)
			}
			links++
		}
		if b.Parent >= 0 {
			links--
		}
	}
	if links != 0 {
		return &TreeError{0, "some branches are missing among the children of their parent"}
	}
	return nil
}
