package tetra

import (
	"context"
	"errors"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/contour"

	"gonum.org/v1/gonum/spatial/r3"
)

// Bounds that every tetrahedron keeps; see the package comment.
const (
	MinDihedralDeg = 10.8
	MaxDihedralDeg = 158.0
)

// DefaultMemoryLimit is used when Options.MemoryLimit is 0.
const DefaultMemoryLimit = 4 << 30

// smoothPasses is how often the surface net is relaxed. On a scene with known
// surfaces ten passes are best for thin vessels; twenty for large organs, by
// 0.007 voxels.
const smoothPasses = 10

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

// Mesh fills every label of l but the background with tetrahedra; neighbouring
// labels share the nodes of their interface. Region of each tetrahedron is its
// label.
//
// Errors: *EmptyError when no voxel carries a label, *LimitError when the mesh
// would not fit the memory limit, ctx.Err(), or a plain error naming what is
// wrong with l or opt.
func Mesh(ctx context.Context, l *imaging.Labels, opt Options) (*mesh.TetMesh, Report, error) {
	var rep Report
	if err := l.Grid.Validate(); err != nil {
		return nil, rep, fmt.Errorf("tetra: Labels.Grid: %w", err)
	}
	if len(l.ID) != l.Grid.Len() {
		return nil, rep, fmt.Errorf("tetra: %d labels for %d voxels", len(l.ID), l.Grid.Len())
	}
	if opt.JunctionLevels == 0 {
		opt.JunctionLevels = 1
	}
	if err := opt.check(); err != nil {
		return nil, rep, err
	}
	p, err := findParts(ctx, l)
	if err != nil {
		return nil, rep, err
	}
	rep.Components = len(p.size)
	if opt.MinComponentMM3 > 0 {
		if l, rep.Dropped = p.drop(l, opt.MinComponentMM3); len(rep.Dropped) > 0 {
			if p, err = findParts(ctx, l); err != nil {
				return nil, rep, err
			}
		}
	}
	net, err := contour.NewNet(ctx, l, contour.Options{MemoryLimit: opt.MemoryLimit})
	if err != nil {
		if errors.Is(err, contour.ErrEmpty) {
			err = &EmptyError{Dropped: len(rep.Dropped)}
		}
		return nil, rep, err
	}
	opt.progress(0.1)
	if err := net.Smooth(ctx, smoothPasses); err != nil {
		return nil, rep, err
	}
	f, normal, err := fieldOfNet(ctx, l, net)
	if err != nil {
		return nil, rep, err
	}
	opt.progress(0.3)
	opt.fit(l.Grid)
	sd, z := seedsOfNet(net, normal, f), newSizing(&opt)
	sd.areaMM2 = 2.0 / 3 * float64(len(net.Quads)) * math.Pow(l.Grid.VoxelMM3(), 2.0/3)
	fine := levels(net, &z)
	net = nil
	var want [256]float64
	for i, n := range p.count {
		want[i] = float64(n) * l.Grid.VoxelMM3()
	}
	m, err := stuff(ctx, f, sd, fine, &z, p, &want, &opt, &rep)
	return m, rep, err
}

// stuff makes the mesh of a field: the steps from the lattice to the tetrahedra.
func stuff(ctx context.Context, f *labelField, sd *seeds, fine []uint8, z *sizing, p *parts, want *[256]float64, opt *Options, rep *Report) (*mesh.TetMesh, error) {
	if err := opt.admit(sd, fine, z, want, rep); err != nil {
		return nil, err
	}
	b, err := newBCC(ctx, sd, fine, z)
	if err != nil {
		return nil, err
	}
	var s *stuffing
	var m *mesh.TetMesh
	for round := 0; ; round++ {
		s = &stuffing{bcc: b, f: f}
		var missing []int32
		if m, missing, err = s.build(ctx, p, want, opt, rep, round == maxRounds); err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			break
		}
		if round == maxRounds {
			rep.Displaced = p.list(missing, f.grid)
			break
		}
		if err := s.refineAt(ctx, p, missing); err != nil {
			return nil, err
		}
	}
	if opt.Quadratic {
		if rep.Curve, err = s.curve(ctx, m); err != nil {
			return nil, err
		}
	}
	vol := regionVolumes(m)
	rep.VolumeErrorRel = map[imaging.Label]float64{}
	for l, v := range want {
		if l > 0 && v > 0 {
			rep.VolumeErrorRel[imaging.Label(l)] = vol[l]/v - 1
		}
	}
	for n, p := range m.Nodes {
		m.Nodes[n] = f.lps(p)
	}
	if !f.grid.RightHanded() {
		for t := range m.Tets {
			m.Tets[t][2], m.Tets[t][3] = m.Tets[t][3], m.Tets[t][2]
		}
		for t := range m.Mid { // edges 01 12 20 03 13 23
			q := &m.Mid[t]
			q[1], q[2], q[3], q[4] = q[4], q[3], q[2], q[1]
		}
	}
	opt.progress(1)
	return m, nil
}

// maxRounds bounds how often the lattice is refined for parts that the mesh
// missed although a vertex was theirs.
const maxRounds = 4

// build walks from the lattice to the improved mesh, in local mm, and lists the
// parts that are missing in it. It stops when some are missing before the nodes
// are fitted, unless this is the last round.
func (s *stuffing) build(ctx context.Context, p *parts, want *[256]float64, opt *Options, rep *Report, last bool) (m *mesh.TetMesh, missing []int32, err error) {
	keep, err := s.label(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	opt.progress(0.4)
	if err := s.fill(ctx, keep); err != nil {
		return nil, nil, err
	}
	rep.Cells = len(s.leaves)
	finest := int32(rootSize)
	for _, x := range s.size {
		finest = min(finest, x)
	}
	rep.FinestMM = float64(finest) * s.unit
	for _, step := range []func(context.Context) error{s.findEdges, s.crossings, s.snap} {
		if err := step(ctx); err != nil {
			return nil, nil, err
		}
	}
	s.pin(len(p.size))
	if err := s.check(ctx); err != nil {
		return nil, nil, err
	}
	rep.Released, rep.Centred = s.released, s.centred
	opt.progress(0.6)
	m, sides, err := s.emit(ctx)
	if err != nil {
		return nil, nil, err
	}
	if missing = p.missing(m, s.f); len(missing) > 0 && !last {
		return nil, missing, nil
	}
	opt.progress(0.7)
	pair, err := s.fit(ctx, m, sides, want, opt.Quadratic)
	if err != nil {
		return nil, nil, err
	}
	opt.progress(0.85)
	if opt.ImproveBelowDeg >= 0 {
		if rep.Improve, err = s.improve(ctx, m, pair, opt.ImproveBelowDeg); err != nil {
			return nil, nil, err
		}
	}
	opt.progress(0.95)
	return m, p.missing(m, s.f), nil
}

// regionVolumes are the volumes of the regions of a mesh; sides of Tet10 may be curved. det J of a
// Tet10 is cubic: it is integrated exactly by the rule of degree 3 with five
// points (P. Keast, Comput. Methods Appl. Mech. Eng. 55 (1986) 339–348, rule 2).
func regionVolumes(m *mesh.TetMesh) (vol [256]float64) {
	for t, v := range m.Tets {
		p := [4]r3.Vec{m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]}
		straight := mesh.Signed6(p[0], p[1], p[2], p[3]) / 6
		if m.Mid == nil {
			vol[m.Region[t]] += straight
			continue
		}
		sum := -0.8 * det10(m, t, [4]float64{0.25, 0.25, 0.25, 0.25})
		for c := range 4 {
			l := [4]float64{1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6}
			l[c] = 0.5
			sum += 0.45 * det10(m, t, l)
		}
		vol[m.Region[t]] += sum / 6
	}
	return vol
}

// det10 is det J of the map from the unit tetrahedron to element t at the
// barycentric coordinates l.
func det10(m *mesh.TetMesh, t int, l [4]float64) float64 {
	var d [4]r3.Vec // Σ x_n ∂N_n/∂L_i
	for i, n := range m.Tets[t] {
		d[i] = r3.Scale(4*l[i]-1, m.Nodes[n])
	}
	for e, c := range mesh.TetEdges {
		x := m.Nodes[m.Mid[t][e]]
		d[c[0]] = r3.Add(d[c[0]], r3.Scale(4*l[c[1]], x))
		d[c[1]] = r3.Add(d[c[1]], r3.Scale(4*l[c[0]], x))
	}
	return r3.Dot(r3.Sub(d[1], d[0]), r3.Cross(r3.Sub(d[2], d[0]), r3.Sub(d[3], d[0])))
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

// fit shortens edges that are longer than the grid can use: the lattice must be
// able to reach single voxels in maxLevel halvings.
func (opt *Options) fit(g imaging.Grid) {
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
