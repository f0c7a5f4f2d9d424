package cut

import (
	"context"
	"fmt"
	"math"

	"halsted/mesh"
)

// Bounds that hold unless Options says otherwise.
const (
	DefaultMinDihedralDeg = 10.0
	DefaultMaxDihedralDeg = 160.0
	DefaultMemoryLimit    = 4 << 30 // bytes
)

// Options controls Apply; the zero value is useful.
type Options struct {
	// Join keeps the two sides joined: the faces of the cut are there, but their
	// nodes are not doubled. Parts are still those that would come apart.
	Join bool
	// MinDihedralDeg and MaxDihedralDeg bound the dihedral angles of what the
	// cut makes; 0 means the defaults, 10° and 160°. A tetrahedron that was
	// worse before is not made worse still.
	MinDihedralDeg, MaxDihedralDeg float64
	// KeepBoundary lets nodes of the outer boundary and of interfaces between
	// regions slide only where those are flat, so that no volume changes.
	KeepBoundary bool
	MemoryLimit  int64 // bytes; 0: DefaultMemoryLimit
}

// Side of the cut on which something lies.
type Side int8

// The normal of a plane points to the positive side; so do counter-clockwise
// triangles, and ∂S/∂u × ∂S/∂v of a Bézier surface.
const (
	Minus Side = -1
	Both  Side = 0 // reaches round the end of a partial cut
	Plus  Side = 1
)

// Face is a triangle of the cut: Minus are its nodes on the negative side,
// counter-clockwise seen from the positive side, Plus the nodes that stood
// there on the positive side (the same when the sides are joined).
type Face struct {
	Tet         [2]int32 // the tetrahedra on the negative and the positive side
	Minus, Plus [3]int32
}

// Part is a connected part of the mesh after the cut. Tetrahedra that share a
// node are connected.
type Part struct {
	Side      Side
	Tets      int
	VolumeMM3 float64
}

// Angles are the smallest and the largest dihedral angle, in degrees.
type Angles struct{ MinDeg, MaxDeg float64 }

// Report tells what Apply did.
type Report struct {
	Split int // tetrahedra that were cut to pieces
	Moved int // whole tetrahedra with a node that moved
	// Relinked counts whole tetrahedra whose nodes stayed in place but one is
	// now the copy that belongs to their side.
	Relinked int
	Before   Angles // of the tetrahedra that were split or moved
	After    Angles // of what became of them; both are 0 when nothing was cut

	Faces     int        // triangles of the cut
	CutMM2    float64    // their area, one side
	VolumeMM3 [2]float64 // of the parts on the negative and on the positive side
	Parts     []Part
	// OffNodes counts the nodes of the cut that the bound on the angles kept off
	// the surface; MaxOffMM is the farthest.
	OffNodes int
	MaxOffMM float64
	// Slid lists the old nodes that moved along a boundary or interface that is
	// not flat there, and SlideMM3 by how much that changed the total volume.
	Slid     []int32
	SlideMM3 float64
	// Straightened counts curved edges of a Tet10 mesh that were made straight
	// because an element beside the cut would have been inverted.
	Straightened int
}

// Result of Apply.
type Result struct {
	Mesh *mesh.TetMesh // shares the input's memory when nothing was cut
	Map  *Map
	Part []int32 // of each tetrahedron, an index in Report.Parts
	// Faces of the cut. They are empty when the surface misses the mesh.
	Faces  []Face
	Report Report
}

// LimitError says that a cut would not fit in memory.
type LimitError struct{ Estimate, Limit int64 } // bytes

func (e *LimitError) Error() string {
	return fmt.Sprintf("cut: cutting this mesh needs about %d MB, the limit is %d MB; raise Options.MemoryLimit or cut a coarser mesh",
		(e.Estimate+1<<20-1)>>20, e.Limit>>20)
}

func (o *Options) fill() error {
	if o.MinDihedralDeg == 0 {
		o.MinDihedralDeg = DefaultMinDihedralDeg
	}
	if o.MaxDihedralDeg == 0 {
		o.MaxDihedralDeg = DefaultMaxDihedralDeg
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = DefaultMemoryLimit
	}
	// a regular tetrahedron has 70.5° throughout; much nearer to it nothing could be cut
	if !(o.MinDihedralDeg > 0 && o.MinDihedralDeg <= 30) {
		return fmt.Errorf("cut: Options.MinDihedralDeg is %g; give more than 0 and at most 30", o.MinDihedralDeg)
	}
	if !(o.MaxDihedralDeg >= 120 && o.MaxDihedralDeg < 180) {
		return fmt.Errorf("cut: Options.MaxDihedralDeg is %g; give at least 120 and less than 180", o.MaxDihedralDeg)
	}
	if o.MemoryLimit < 0 {
		return fmt.Errorf("cut: Options.MemoryLimit is %d", o.MemoryLimit)
	}
	return nil
}

// Apply cuts m by s; see the package comment for what is kept. m is not
// changed.
//
// A surface that misses the mesh, or only touches it, is not an error: Faces is
// empty and Mesh is m.
//
// Errors: *SurfaceError when s cannot cut, *mesh.InvertedError for an element
// near the cut without positive volume, *LimitError, ctx.Err(), or a plain error
// that names what is wrong with m or opt.
func Apply(ctx context.Context, m *mesh.TetMesh, s Surface, opt Options) (*Result, error) {
	if err := opt.fill(); err != nil {
		return nil, err
	}
	corners, err := validate(m)
	if err != nil {
		return nil, err
	}
	if need := estimate(m); need > opt.MemoryLimit {
		return nil, &LimitError{need, opt.MemoryLimit}
	}
	if s == nil {
		return nil, &SurfaceError{What: "surface", Why: "there is none"}
	}
	f, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := newPatch(ctx, m, f, newBounds(opt.MinDihedralDeg+angleSlack, opt.MaxDihedralDeg-angleSlack), corners)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return uncut(ctx, m, f)
	}
	p.keepBoundary = opt.KeepBoundary
	for _, step := range []func() error{p.findCrossings, p.snap, p.mend, p.split, p.improve} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	w, err := p.sew()
	if err != nil {
		return nil, err
	}
	if len(w.faces) == 0 {
		return uncut(ctx, m, f)
	}
	return p.assemble(w, opt)
}

// angleSlack, in degrees, keeps results on the right side of a bound that is
// measured with other rounding.
const angleSlack = 1e-6

// validate checks what Apply relies on and returns the number of corner nodes.
func validate(m *mesh.TetMesh) (int, error) {
	if m == nil || len(m.Tets) == 0 {
		return 0, fmt.Errorf("cut: the mesh has no element")
	}
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return 0, fmt.Errorf("cut: %d regions for %d elements", len(m.Region), len(m.Tets))
	}
	if m.Mid != nil && len(m.Mid) != len(m.Tets) {
		return 0, fmt.Errorf("cut: %d rows of mid-edge nodes for %d elements", len(m.Mid), len(m.Tets))
	}
	for n, p := range m.Nodes {
		if !finite(p) {
			return 0, fmt.Errorf("cut: node %d is at %v", n, p)
		}
	}
	nodes, top := uint32(len(m.Nodes)), int32(0)
	for t, v := range m.Tets {
		for _, n := range v {
			if uint32(n) >= nodes {
				return 0, fmt.Errorf("cut: element %d names node %d of %d", t, n, nodes)
			}
		}
		top = max(top, v[0], v[1], v[2], v[3])
	}
	if m.Mid == nil {
		return len(m.Nodes), nil
	}
	for t, v := range m.Mid {
		for _, n := range v {
			if uint32(n) >= nodes || n <= top {
				return 0, fmt.Errorf("cut: element %d has mid-edge node %d; those come after the %d corner nodes and before %d", t, n, top+1, nodes)
			}
		}
	}
	return int(top) + 1, nil
}

// estimate is the memory a cut takes, bytes: the new mesh, its maps and parts,
// and a patch that may be all of a small mesh.
func estimate(m *mesh.TetMesh) int64 {
	tets, nodes := float64(len(m.Tets)), float64(len(m.Nodes))
	patch := min(tets, 400+20*math.Pow(tets, 2./3))
	b := 26*tets + 50*nodes + 500*patch
	if m.Mid != nil {
		b += 48 * tets
	}
	return int64(b)
}
