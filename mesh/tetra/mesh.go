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

// smoothPasses is how often the surface net is relaxed. On a scene with known
// surfaces ten passes are best for thin vessels; twenty for large organs, by
// 0.007 voxels.
const smoothPasses = 10

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
	opt.shorten(l.Grid)
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
