package shell

import (
	"fmt"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// LimitError says that the mesh is too large for the memory limit.
type LimitError struct{ Need, Limit int64 } // bytes; Need is an estimate

func (e *LimitError) Error() string {
	return fmt.Sprintf("shell: growing a wall on this mesh needs about %d MB, the limit is %d MB; raise Options.MemoryLimit or mesh coarser", e.Need>>20, e.Limit>>20)
}

// ThicknessError names a thickness that is not a positive number.
type ThicknessError struct {
	Node        int32  // of the mesh; −1: the constant of Options
	AtMM        r3.Vec // LPS
	ThicknessMM float64
}

func (e *ThicknessError) Error() string {
	if e.Node < 0 {
		return fmt.Sprintf("shell: a wall of %g mm: the thickness must be positive and finite", e.ThicknessMM)
	}
	return fmt.Sprintf("shell: a wall of %g mm at node %d, (%.2f, %.2f, %.2f) mm: the thickness must be positive and finite; leave places without a wall out with Options.Where",
		e.ThicknessMM, e.Node, e.AtMM.X, e.AtMM.Y, e.AtMM.Z)
}

// NoLumenError says that no face of the mesh separates lumen from tissue.
type NoLumenError struct {
	Lumen []imaging.Label
	Found []imaging.Label // regions of the mesh, ascending
}

func (e *NoLumenError) Error() string {
	return fmt.Sprintf("shell: no face of the mesh separates %v from tissue; its regions are %v", e.Lumen, e.Found)
}

// NoRoomError says that the wall fits nowhere.
type NoRoomError struct {
	Faces    int     // of the lumen surface
	WantedMM float64 // mean over the nodes
	EdgeMM   float64 // mean edge of the lumen surface
	Thin     bool    // too thin for such large faces, else no room in the tissue
}

func (e *NoRoomError) Error() string {
	if e.Thin {
		return fmt.Sprintf("shell: a wall of %.3g mm is too thin for the %d faces of the lumen surface (mean edge %.3g mm): no prism meets the dihedral bounds; mesh the lumen finer or use Membrane",
			e.WantedMM, e.Faces, e.EdgeMM)
	}
	return fmt.Sprintf("shell: a wall of %.3g mm finds no room at any of the %d faces of the lumen surface (mean edge %.3g mm); make it thinner, mesh the tissue around deeper or use Membrane",
		e.WantedMM, e.Faces, e.EdgeMM)
}
