package tetra

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Bounds every tetrahedron keeps; see the package comment.
const (
	MinDihedralDeg = 10.8
	MaxDihedralDeg = 158.0
)

// VolumeTol is the relative volume error at which the search for
// Domain.TargetMM3 stops.
const VolumeTol = 1e-3

// DefaultMemoryLimit is used when Options.MemoryLimit is 0.
const DefaultMemoryLimit = 4 << 30

// maxLevelEvals bounds the meshes built while searching for the iso-level.
const maxLevelEvals = 24

// Domain is the structure to fill.
type Domain struct {
	Grid imaging.Grid
	Phi  []float32 // signed distance at the voxel centres, mm, negative inside
	// Label names the structure at a point (LPS mm); it is asked at the
	// centroid of every tetrahedron. nil: LabelLiver everywhere.
	Label func(p r3.Vec) imaging.Label
	// TargetMM3 > 0: move the iso-level until the mesh has this volume.
	TargetMM3 float64
}

// Options controls Fill.
type Options struct {
	EdgeMM float64 // long lattice edge, mm; must be positive
	// MinComponentMM3 drops separate parts of the mesh smaller than this.
	MinComponentMM3 float64
	MemoryLimit     int64              // bytes; 0: DefaultMemoryLimit
	Progress        func(done float64) // may be nil
}

// Component is one connected part (26-neighbourhood) of the voxels inside.
type Component struct {
	Voxels    int
	VolumeMM3 float64 // voxel-count volume
	AtMM      r3.Vec  // LPS, the centre of one of its voxels
}

// Report tells what Fill did.
type Report struct {
	EdgeMM         float64
	LevelMM        float64 // iso-level that was meshed; 0 without a target
	VolumeMM3      float64
	VolumeErrorRel float64 // (volume − target)/target; 0 without a target
	Evaluations    int     // meshes built to find the level
	Components     int     // connected parts of the voxels inside
	Dropped        []Component
	Parts          int // face-connected parts of the mesh
	// MemoryEstimate is for lattice and mesh, bytes; naming the components takes
	// another 4 bytes for each voxel of the structure's bounding box.
	MemoryEstimate int64
}

// Fill meshes {Phi < level} with linear tetrahedra.
//
// Errors: *EmptyError when nothing is inside or the lattice is too coarse to
// catch any of it, *LimitError when the mesh would not fit the memory limit,
// ctx.Err(), or a plain error naming the field of d or opt that is wrong.
func Fill(ctx context.Context, d Domain, opt Options) (*mesh.TetMesh, Report, error) {
	rep := Report{EdgeMM: opt.EdgeMM}
	f, err := newField(d, opt)
	if err != nil {
		return nil, rep, err
	}
	l, err := newLattice(ctx, f, opt, d.TargetMM3 > 0)
	if err != nil {
		return nil, rep, err
	}
	rep.MemoryEstimate = l.estimate
	progress := func(done float64) {
		if opt.Progress != nil {
			opt.Progress(done)
		}
	}
	progress(0.05)
	m, err := l.search(ctx, d.TargetMM3, &rep, func(x float64) { progress(0.05 + 0.8*x) })
	if err != nil {
		return nil, rep, err
	}
	comp, err := findComponents(ctx, f, rep.LevelMM, l.voxLo, l.voxHi)
	if err != nil {
		return nil, rep, err
	}
	if len(m.Tets) == 0 {
		return nil, rep, &EmptyError{EdgeMM: opt.EdgeMM, Voxels: comp.total()}
	}
	progress(0.9)
	comp.markKept(l)
	rep.Components, rep.Dropped = len(comp.size), comp.dropped()
	parts, n := m.Parts()
	if opt.MinComponentMM3 > 0 && n > 1 {
		m, n = dropSmall(m, parts, n, opt.MinComponentMM3, &rep)
		if len(m.Tets) == 0 {
			return nil, rep, &EmptyError{EdgeMM: opt.EdgeMM, Voxels: comp.total()}
		}
	}
	rep.Parts = n
	rep.VolumeMM3 = m.VolumeMM3(nil)
	if d.TargetMM3 > 0 {
		rep.VolumeErrorRel = (rep.VolumeMM3 - d.TargetMM3) / d.TargetMM3
	}
	m.Region = make([]imaging.Label, len(m.Tets))
	for t, v := range m.Tets {
		m.Region[t] = imaging.LabelLiver
		if d.Label != nil {
			if t&4095 == 0 && ctx.Err() != nil {
				return nil, rep, ctx.Err()
			}
			m.Region[t] = d.Label(r3.Scale(0.25, r3.Add(r3.Add(m.Nodes[v[0]], m.Nodes[v[1]]), r3.Add(m.Nodes[v[2]], m.Nodes[v[3]]))))
		}
	}
	progress(1)
	return m, rep, nil
}

// search builds the mesh, and with a target moves the level: the volume grows
// with the level, up to small jumps where a lattice point changes from warped
// to cut, so secant steps are kept inside a bracket and halved when they
// leave it. The best mesh seen is returned.
func (l *lattice) search(ctx context.Context, target float64, rep *Report, progress func(float64)) (*mesh.TetMesh, error) {
	build := func(level float64) (*mesh.TetMesh, float64, error) {
		m, err := l.build(ctx, level)
		rep.Evaluations++
		progress(min(1, float64(rep.Evaluations)/6))
		if err != nil {
			return nil, 0, err
		}
		return m, m.VolumeMM3(nil), nil
	}
	best, vol, err := build(0)
	if err != nil || target <= 0 {
		return best, err
	}
	bestErr, bestLevel := vol-target, 0.0
	lo, hi := -l.maxLevel, l.maxLevel // volumes at these are not known
	elo, ehi := math.Inf(-1), math.Inf(1)
	s, e := 0.0, bestErr
	last := s
	for rep.Evaluations < maxLevelEvals && math.Abs(bestErr) > VolumeTol*target {
		if e < 0 {
			lo, elo = s, e
		} else {
			hi, ehi = s, e
		}
		var next float64
		switch {
		case !math.IsInf(elo, 0) && !math.IsInf(ehi, 0):
			next = lo + (hi-lo)*min(0.95, max(0.05, elo/(elo-ehi)))
			if rep.Evaluations > 10 { // jumps fool the secant: halve
				next = (lo + hi) / 2
			}
		case e < 0: // grow towards the far bound
			next = min(hi, s+max(0.03*l.h, 2*(s-last)))
		default:
			next = max(lo, s-max(0.03*l.h, 2*(last-s)))
		}
		if next == s || hi-lo < 1e-9*l.h {
			break
		}
		m, v, err := build(next)
		if err != nil {
			return nil, err
		}
		last, s, e = s, next, v-target
		if math.Abs(e) < math.Abs(bestErr) {
			best, bestErr, bestLevel = m, e, s
		}
	}
	rep.LevelMM = bestLevel
	if s != bestLevel { // the lattice must describe the mesh that is returned
		return l.build(ctx, bestLevel)
	}
	return best, nil
}

// EmptyError says that there is nothing to mesh.
type EmptyError struct {
	EdgeMM float64
	Voxels int // voxels inside; 0 when the field is nowhere negative
}

func (e *EmptyError) Error() string {
	if e.Voxels == 0 {
		return "tetra: nothing is inside: the field is nowhere negative; check the label or the sign of the distance"
	}
	return fmt.Sprintf("tetra: %d voxels are inside but a lattice edge of %g mm catches none of them; use a smaller edge", e.Voxels, e.EdgeMM)
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
