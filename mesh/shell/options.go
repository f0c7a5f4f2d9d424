package shell

import (
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Side says which side of the lumen surface makes room for the wall.
type Side int

const (
	// IntoTissue grows outward: the lumen keeps its shape.
	IntoTissue Side = iota
	// IntoLumen grows inward: the tissue keeps its shape.
	IntoLumen
)

// Bounds that hold unless Options says otherwise.
const (
	DefaultMinDihedralDeg = 10.0
	DefaultMaxDihedralDeg = 160.0
)

// DefaultMemoryLimit is used when Options.MemoryLimit is 0.
const DefaultMemoryLimit = 4 << 30

// MaxLayers bounds Options.Layers.
const MaxLayers = 16

// Options says what grows where.
type Options struct {
	// Lumen lists the regions whose surface carries the wall.
	// LabelBackground stands for what is not meshed: the border of the mesh
	// then counts as lumen surface, be it a vessel left hollow or the outside
	// of an organ that gets a capsule.
	Lumen []imaging.Label
	// Tissue lists the regions on the other side. nil: every region of the
	// mesh but Lumen and Wall. Where the lumen touches another region there is
	// no wall.
	Tissue []imaging.Label
	// Where picks faces by their centroid (LPS mm); nil takes all.
	Where func(centroid r3.Vec) bool
	// Wall is the region of the new tetrahedra.
	Wall imaging.Label
	// ThicknessMM is the wall's thickness, normal to the lumen surface.
	ThicknessMM float64
	// ThicknessAt, when not nil, gives the thickness at a node of the lumen
	// surface instead (LPS mm → mm).
	ThicknessAt func(p r3.Vec) float64
	// Layers of prisms through the thickness; 0 means 1.
	Layers int
	Into   Side
	// Dihedral bounds of every new and every changed tetrahedron; 0 means the
	// defaults. A tetrahedron of the input that is beyond a bound already may
	// stay as bad, not get worse.
	MinDihedralDeg, MaxDihedralDeg float64
	// WallMinDihedralDeg is the lower bound for the wall alone; 0 means
	// MinDihedralDeg. A wall of thickness t on faces of edge e has dihedral
	// angles of about atan(t/e): thinner walls need a lower bound or finer faces.
	WallMinDihedralDeg float64
	MemoryLimit        int64 // bytes; 0: DefaultMemoryLimit
}

// Validate names the first field that is wrong.
func (o Options) Validate() error {
	_, err := o.sides()
	return err
}

// sides are the labels of the two sides of the lumen surface.
type sides struct{ keep, room [256]bool }

// labels reads Lumen, Tissue and Wall.
func (o Options) labels() (*sides, error) {
	s := &sides{}
	if len(o.Lumen) == 0 {
		return nil, fmt.Errorf("shell: Options.Lumen names no region; LabelBackground stands for the border of the mesh")
	}
	for _, l := range o.Lumen {
		s.keep[l] = true
	}
	if o.Tissue == nil {
		for l := 1; l < 256; l++ {
			s.room[l] = !s.keep[l] && imaging.Label(l) != o.Wall
		}
	}
	for _, l := range o.Tissue {
		if s.keep[l] {
			return nil, fmt.Errorf("shell: %v is in Options.Lumen and in Options.Tissue", l)
		}
		s.room[l] = true
	}
	if o.Wall == imaging.LabelBackground || s.keep[o.Wall] || s.room[o.Wall] {
		return nil, fmt.Errorf("shell: Options.Wall is %v: give the wall a label of its own, not background, lumen or tissue", o.Wall)
	}
	return s, nil
}

// constant checks the thickness that is the same everywhere.
func (o Options) constant() error {
	if o.ThicknessAt == nil && !goodThickness(o.ThicknessMM) {
		return &ThicknessError{Node: -1, ThicknessMM: o.ThicknessMM}
	}
	return nil
}

// sides checks everything; keep is the side that stays, room the one that
// gives way.
func (o Options) sides() (*sides, error) {
	s, err := o.labels()
	if err != nil {
		return nil, err
	}
	if o.Into == IntoLumen {
		s.keep, s.room = s.room, s.keep
	} else if o.Into != IntoTissue {
		return nil, fmt.Errorf("shell: Options.Into is %d, not IntoTissue or IntoLumen", o.Into)
	}
	if s.room[imaging.LabelBackground] {
		return nil, fmt.Errorf("shell: the side that makes room is not meshed: LabelBackground must stand on the other side of Options.Into")
	}
	if err := o.constant(); err != nil {
		return nil, err
	}
	if o.Layers < 0 || o.Layers > MaxLayers {
		return nil, fmt.Errorf("shell: Options.Layers is %d, not 0 to %d", o.Layers, MaxLayers)
	}
	lo, hi := o.bounds()
	if !(lo > 0 && lo <= 45) || !(hi >= 110 && hi < 180) {
		return nil, fmt.Errorf("shell: dihedral bounds of %g and %g degrees; 0 to 45 and 110 to 180 can be kept", lo, hi)
	}
	if w := o.WallMinDihedralDeg; w != 0 && !(w > 0 && w <= 45) {
		return nil, fmt.Errorf("shell: a dihedral bound of %g degrees for the wall; 0 to 45 can be kept", w)
	}
	if o.MemoryLimit < 0 {
		return nil, fmt.Errorf("shell: Options.MemoryLimit is %d bytes", o.MemoryLimit)
	}
	return s, nil
}

// room estimates the memory Grow holds at its peak: what it keeps per
// tetrahedron and node of the input, and as if a tenth of the faces were lumen
// surface.
func (o Options) room(m *mesh.TetMesh) error {
	const perTet, perNode, perLayer = 120, 180, 60
	limit := o.MemoryLimit
	if limit == 0 {
		limit = DefaultMemoryLimit
	}
	need := int64(len(m.Tets))*(perTet+perLayer/10*int64(max(1, o.Layers))) + int64(len(m.Nodes))*perNode
	if need > limit {
		return &LimitError{Need: need, Limit: limit}
	}
	return nil
}

func (o Options) bounds() (lo, hi float64) {
	lo, hi = o.MinDihedralDeg, o.MaxDihedralDeg
	if lo == 0 {
		lo = DefaultMinDihedralDeg
	}
	if hi == 0 {
		hi = DefaultMaxDihedralDeg
	}
	return lo, hi
}

func goodThickness(t float64) bool { return t > 0 && !math.IsInf(t, 1) }
