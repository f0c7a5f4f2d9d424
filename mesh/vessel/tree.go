package vessel

import (
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Tree is the branches of one vessel system, in an order in which every parent
// stands before its children. A tree may have several roots (pieces that a
// segmentation left apart).
type Tree struct {
	System   imaging.Label // LabelPortalVein, LabelHepaticVein, LabelAorta, …
	Branches []Branch
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
