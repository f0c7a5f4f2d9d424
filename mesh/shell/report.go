package shell

import (
	"gonum.org/v1/gonum/spatial/r3"
)

// Reason says why the wall got thinner than wanted.
type Reason uint8

const (
	// ReasonEdge: the surface ends here on another region, or is folded so
	// that no direction leaves all its faces.
	ReasonEdge Reason = iota
	// ReasonThin: too thin for the faces around; left without prisms.
	ReasonThin
	// ReasonFold: prisms would run into each other in a concave fold.
	ReasonFold
	// ReasonRoom: the tissue around cannot make room.
	ReasonRoom
)

func (r Reason) String() string {
	switch r {
	case ReasonEdge:
		return "edge of the surface"
	case ReasonThin:
		return "too thin for the faces"
	case ReasonFold:
		return "concave fold"
	}
	return "no room in the tissue"
}

// Place is a node of the lumen surface whose wall got thinner than wanted.
type Place struct {
	Node            int32  // of the input mesh
	AtMM            r3.Vec // LPS
	WantedMM, GotMM float64
	Reason          Reason
}

// Report tells what Grow did and how the new mesh relates to the old one.
type Report struct {
	Faces   int // of the lumen surface
	Full    int // faces that carry the wanted thickness at their three nodes
	Bare    int // faces that carry no prism at all; see Bare membrane
	WallMM3 float64
	// SteinerMM3 is what the wall would have with the wanted thickness t
	// everywhere: the volume between the lumen surface and its parallel
	// surface, see the package comment.
	SteinerMM3 float64
	// Thinner lists the nodes that got less than wanted, ascending.
	Thinner []Place
	// Rest are the faces without prisms as a membrane of the wanted thickness.
	Rest *Shell
	// MinDihedralDeg and MaxDihedralDeg are over the wall and every
	// tetrahedron whose shape changed.
	MinDihedralDeg, MaxDihedralDeg float64

	// Nodes and tetrahedra of the old mesh keep their numbers; the new ones
	// stand behind them.
	OldNodes, OldTets int
	// Moved lists old nodes with other coordinates; Changed old tetrahedra
	// with a moved or another node. All others have the same bits. Ascending.
	Moved, Changed []int32
	// From[i] is the old node from which new node OldNodes+i has grown;
	// Layer[i] counts from 1 next to that node to Options.Layers at the other
	// face of the wall.
	From  []int32
	Layer []uint8
}
