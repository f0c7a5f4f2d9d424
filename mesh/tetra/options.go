package tetra

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Bounds that every tetrahedron keeps; see the package comment.
const (
	MinDihedralDeg = 10.8
	MaxDihedralDeg = 158.0
)

// DefaultMemoryLimit is used when Options.MemoryLimit is 0.
const DefaultMemoryLimit = 4 << 30

// Options controls Mesh and Fill.
type Options struct {
	// EdgeMM is the side of the lattice's cubic cells at interfaces, mm; must be
	// positive; at most a quarter of the grid's longest side is used. Sides are
	// halved or doubled from here.
	EdgeMM float64
	// LabelEdgeMM asks for other sides at the interfaces of a label; the finer
	// of the two labels counts, and the side used is the next one of the
	// series MaxEdgeMM/2ⁿ below.
	LabelEdgeMM map[imaging.Label]float64
	// MaxEdgeMM is the side of cells away from interfaces, rounded to EdgeMM
	// times a power of two. 0: twice EdgeMM.
	MaxEdgeMM float64
	// JunctionLevels is how often cells that more than one interface passes, or
	// a strongly bent one, are halved. 0: once for Mesh, never for Fill;
	// negative: never.
	JunctionLevels int
	// MinComponentMM3 lets connected parts of a label smaller than this go to
	// the label around them. 0: every part is meshed.
	MinComponentMM3 float64
	// ImproveBelowDeg is the dihedral angle below which tetrahedra are worked on
	// by Improve. 0: DefaultBelowDeg; negative: none are.
	ImproveBelowDeg float64
	// Quadratic asks for Tet10 elements whose mid-edge nodes lie on the true
	// interfaces (Curve). The corners then lie on the interfaces as well, instead
	// of making good the volume that straight sides cut off.
	Quadratic   bool
	MemoryLimit int64              // bytes; 0: DefaultMemoryLimit
	Progress    func(done float64) // may be nil
}

// Component is one connected part of the voxels of a label: voxels that share
// faces.
type Component struct {
	Label     imaging.Label
	Voxels    int
	VolumeMM3 float64 // voxel-count volume
	AtMM      r3.Vec  // LPS, the centre of one of its voxels
}

// Report tells what Mesh or Fill did.
type Report struct {
	Cells      int         // leaves of the octree
	FinestMM   float64     // side of the smallest cell
	Components int         // connected parts of all labels, background aside
	Dropped    []Component // parts left out, see Options.MinComponentMM3
	Displaced  []Component // parts whose tetrahedra stand more than a voxel away from their voxels
	Released   int         // lattice vertices that could not stay on an interface
	Centred    int         // lattice edges cut in the middle instead of at the interface
	Improve    ImproveReport
	Curve      CurveReport // when Options.Quadratic is set
	// VolumeErrorRel is (tetrahedra − target)/target per label. The target is
	// the volume of its voxels, or Domain.TargetMM3.
	VolumeErrorRel map[imaging.Label]float64
	MemoryEstimate int64 // bytes, made before the lattice
}

func (opt *Options) progress(done float64) {
	if opt.Progress != nil {
		opt.Progress(done)
	}
}

// check validates the options and fills in defaults.
func (opt *Options) check() error {
	if opt.MaxEdgeMM == 0 {
		opt.MaxEdgeMM = 2 * opt.EdgeMM
	}
	for _, q := range []struct {
		name string
		v    float64
		ok   bool
	}{
		{"Options.EdgeMM", opt.EdgeMM, opt.EdgeMM > 0},
		{"Options.MaxEdgeMM", opt.MaxEdgeMM, opt.MaxEdgeMM >= opt.EdgeMM},
		{"Options.MinComponentMM3", opt.MinComponentMM3, opt.MinComponentMM3 >= 0},
	} {
		if !q.ok || math.IsInf(q.v, 0) {
			return fmt.Errorf("tetra: %s is %g", q.name, q.v)
		}
	}
	for l := range 256 {
		if e, ok := opt.LabelEdgeMM[imaging.Label(l)]; ok && (!(e > 0) || math.IsInf(e, 0)) {
			return fmt.Errorf("tetra: Options.LabelEdgeMM[%v] is %g", imaging.Label(l), e)
		}
	}
	if opt.MaxEdgeMM/opt.EdgeMM > 1<<maxLevel {
		return fmt.Errorf("tetra: Options.MaxEdgeMM is %g times EdgeMM; at most %d times is possible", opt.MaxEdgeMM/opt.EdgeMM, 1<<maxLevel)
	}
	if opt.ImproveBelowDeg != opt.ImproveBelowDeg || opt.ImproveBelowDeg > 60 {
		return fmt.Errorf("tetra: Options.ImproveBelowDeg is %g; at most 60 is possible", opt.ImproveBelowDeg)
	}
	if opt.MemoryLimit < 0 {
		return fmt.Errorf("tetra: Options.MemoryLimit is %d", opt.MemoryLimit)
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = DefaultMemoryLimit
	}
	return nil
}

// shorten cuts edges that are longer than the grid can use: the lattice must be
// able to reach single voxels in maxLevel halvings.
func (opt *Options) shorten(g imaging.Grid) {
	var side float64
	for a, s := range g.SpacingMM() {
		side = max(side, float64(g.Size[a])*s)
	}
	opt.EdgeMM, opt.MaxEdgeMM = min(opt.EdgeMM, side/4), min(opt.MaxEdgeMM, side/2)
}

// Measured on meshes of 10⁵ to 10⁶ tetrahedra: tetrahedra per square of the
// cell's side on interfaces, and bytes of lattice, work space and mesh for
// each of them.
const (
	tetsPerSquare = 40
	bytesPerTet   = 220
)

// admit estimates the memory and refuses what would not fit.
func (opt *Options) admit(sd *seeds, fine []uint8, z *sizing, want *[256]float64, rep *Report) error {
	var volume float64
	for _, v := range want {
		volume += v
	}
	var count [maxLevel + 1]float64
	for _, l := range fine {
		count[l]++
	}
	estimate := func(scale float64) float64 {
		tets := 12 * volume / math.Pow(scale*z.root, 3)
		for l, n := range count {
			h := scale * z.root / float64(int(1)<<l)
			tets += tetsPerSquare * sd.areaMM2 * n / float64(len(fine)) / (h * h)
		}
		return tets * bytesPerTet
	}
	e := estimate(1)
	rep.MemoryEstimate = int64(min(e, 1<<62))
	if e <= float64(opt.MemoryLimit) && e/bytesPerTet < math.MaxInt32/8 {
		return nil
	}
	scale := 1.0
	for x := e; scale < 1e12 && (x > float64(opt.MemoryLimit) || x/bytesPerTet >= math.MaxInt32/8); x = estimate(scale) {
		scale *= 1.1
	}
	return &LimitError{EdgeMM: opt.EdgeMM, Estimate: rep.MemoryEstimate, Limit: opt.MemoryLimit, SuggestEdgeMM: scale * opt.EdgeMM}
}

// EmptyError says that there is nothing to mesh.
type EmptyError struct {
	Dropped int // parts that were below Options.MinComponentMM3
}

func (e *EmptyError) Error() string {
	if e.Dropped > 0 {
		return fmt.Sprintf("tetra: nothing is left: all %d parts are smaller than the least volume asked for; lower it", e.Dropped)
	}
	return "tetra: nothing is inside: no voxel carries a label, or the distance is nowhere negative; check the label or the sign"
}

// LimitError says that a mesh this fine would not fit in memory.
type LimitError struct {
	EdgeMM          float64
	Estimate, Limit int64 // bytes
	SuggestEdgeMM   float64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("tetra: a lattice edge of %g mm needs about %d MB, the limit is %d MB; use an edge of %.3g mm or more",
		e.EdgeMM, e.Estimate>>20, e.Limit>>20, e.SuggestEdgeMM)
}
