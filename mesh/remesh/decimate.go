package remesh

import (
	"context"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Options controls Decimate. MaxDistMM must be set, and with +Inf a target too.
type Options struct {
	// MaxDistMM bounds the distance between input and result, both ways.
	MaxDistMM float64
	// TargetTris ends decimation at this many faces. 0: see Ratio.
	TargetTris int
	// Ratio is the share of faces to keep, in (0, 1], when TargetTris is 0.
	// 0: as few faces as the other options allow.
	Ratio float64
	// MinAngleDeg is the least angle of a face, up to MaxMinAngleDeg; larger
	// ones leave more faces. 0: DefaultMinAngleDeg.
	MinAngleDeg float64
	// KeepBorders keeps the edges at which the surface ends as they are;
	// otherwise they are thinned like any feature line.
	KeepBorders bool
	// KeepVerts makes the vertices of the result a subset of those of the
	// input: nothing is moved, and volumes are not restored.
	KeepVerts bool
	// SplitSheets makes every label's boundary manifold along edges: where
	// sheets of one boundary touch along an edge or at a vertex, as those of
	// voxels that share an edge, each sheet gets vertices of its own.
	SplitSheets bool
	// MemoryLimit bounds the work space and result, in bytes. 0:
	// DefaultMemoryLimit.
	MemoryLimit int64
}

// Limits and defaults of Options.
const (
	DefaultMinAngleDeg = 10
	MaxMinAngleDeg     = 20
	DefaultMemoryLimit = 4 << 30
)

// Report says what Decimate did.
type Report struct {
	VertsBefore, VertsAfter int // vertices that faces use
	TrisBefore, TrisAfter   int
	// DistMM is the largest distance found between the surfaces, both ways and
	// for each pair of labels apart. Each place is measured against the faces
	// around it only, so it may come out larger than the true distance; between
	// the places that are looked at the true one may be a quarter larger, for
	// which Decimate keeps a fifth of MaxDistMM back.
	DistMM float64
	// MeanDistMM is the mean distance of the input's vertices from the result.
	MeanDistMM float64
	// MinAngleDeg is the least angle of a face of the result, SmallAngles the
	// number of faces with one under Options.MinAngleDeg.
	MinAngleDeg float64
	SmallAngles int
	// FixedVerts counts the vertices that were bound to stay: the ends and
	// meeting points of feature lines.
	FixedVerts int
	// SplitVerts counts the vertices added for Options.SplitSheets.
	SplitVerts int
	// Volumes has an entry for every label but background whose boundary is
	// closed, in ascending order.
	Volumes []LabelVolume
	// Rounds counts how often decimation was begun, the last time with
	// success, and Passes the passes of that last time.
	Rounds, Passes int
}

// LabelVolume is the volume of a label before and after.
type LabelVolume struct {
	Label               imaging.Label
	BeforeMM3, AfterMM3 float64
}

// InputError names what is wrong with a surface.
type InputError struct {
	Face   int // −1: none in particular
	Vertex int // −1: none in particular
	Reason string
}

func (e *InputError) Error() string {
	switch {
	case e.Face >= 0:
		return fmt.Sprintf("remesh: face %d %s; see mesh.Surface.Check", e.Face, e.Reason)
	case e.Vertex >= 0:
		return fmt.Sprintf("remesh: vertex %d %s; see mesh.Surface.Check", e.Vertex, e.Reason)
	}
	return "remesh: " + e.Reason
}

// LimitError says that the surface would not fit in memory.
type LimitError struct{ Need, Limit int64 } // bytes

func (e *LimitError) Error() string {
	return fmt.Sprintf("remesh: the surface needs %d MB of work space and the limit is %d MB; decimate it in parts or raise MemoryLimit", e.Need>>20, e.Limit>>20)
}

// bytes of work space and result per vertex and per face.
const (
	bytesPerVertex = 240
	bytesPerFace   = 150
)

// Decimate returns a coarser copy of s; see the package comment for what holds
// of it. Vertices that no face uses are dropped, the others keep their order, as
// faces do. A target that cannot be met within the options is no error:
// Report.TrisAfter tells.
//
// Errors: *InputError (a vertex that is not finite, an index out of range, a
// face with a vertex or a label twice, slices of different length),
// *LimitError, ctx.Err(), or a plain error naming the option that is wrong.
func Decimate(ctx context.Context, s *mesh.Surface, opt Options) (*mesh.Surface, Report, error) {
	if err := opt.validate(); err != nil {
		return nil, Report{}, err
	}
	if need := int64(len(s.Verts))*bytesPerVertex + int64(len(s.Tris))*bytesPerFace; need > opt.MemoryLimit {
		return nil, Report{}, &LimitError{Need: need, Limit: opt.MemoryLimit}
	}
	if err := check(ctx, s); err != nil {
		return nil, Report{}, err
	}
	j := newJob(ctx, s, opt)
	w, err := j.solve()
	if err != nil {
		return nil, Report{}, err
	}
	return j.finish(w), j.report, nil
}

// validate checks opt and fills in defaults.
func (opt *Options) validate() error {
	switch {
	case !(opt.MaxDistMM > 0):
		return fmt.Errorf("remesh: MaxDistMM is %v; state how far the surface may move, in mm", opt.MaxDistMM)
	case opt.TargetTris < 0:
		return fmt.Errorf("remesh: TargetTris is %d", opt.TargetTris)
	case !(opt.Ratio >= 0 && opt.Ratio <= 1):
		return fmt.Errorf("remesh: Ratio is %v; want the share of faces to keep, 0 to 1", opt.Ratio)
	case math.IsInf(opt.MaxDistMM, 1) && opt.TargetTris == 0 && opt.Ratio == 0:
		return fmt.Errorf("remesh: MaxDistMM is +Inf and there is no TargetTris or Ratio; state one")
	case !(opt.MinAngleDeg >= 0 && opt.MinAngleDeg <= MaxMinAngleDeg):
		return fmt.Errorf("remesh: MinAngleDeg is %v; want 0 to %d", opt.MinAngleDeg, MaxMinAngleDeg)
	case opt.MemoryLimit < 0:
		return fmt.Errorf("remesh: MemoryLimit is %d", opt.MemoryLimit)
	}
	if opt.MinAngleDeg == 0 {
		opt.MinAngleDeg = DefaultMinAngleDeg
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = DefaultMemoryLimit
	}
	return nil
}

// check finds what would break the passes. Open and non-manifold surfaces are
// fine.
func check(ctx context.Context, s *mesh.Surface) error {
	if len(s.Region) != len(s.Tris) {
		return &InputError{Face: -1, Vertex: -1, Reason: fmt.Sprintf("the surface has %d regions for %d faces", len(s.Region), len(s.Tris))}
	}
	if n := max(3*len(s.Tris), len(s.Verts)); n > math.MaxInt32/2 {
		return &InputError{Face: -1, Vertex: -1, Reason: fmt.Sprintf("the surface has %d faces; decimate it in parts", len(s.Tris))}
	}
	for v, p := range s.Verts {
		if x := p.X + p.Y + p.Z; x-x != 0 {
			return &InputError{Face: -1, Vertex: v, Reason: fmt.Sprintf("is at %v mm", p)}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n := uint32(len(s.Verts))
	for t := range s.Tris {
		v := &s.Tris[t]
		if uint32(v[0]) >= n || uint32(v[1]) >= n || uint32(v[2]) >= n {
			return &InputError{Face: t, Vertex: -1, Reason: fmt.Sprintf("names vertices %v of %d", *v, n)}
		}
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			return &InputError{Face: t, Vertex: -1, Reason: fmt.Sprintf("repeats a vertex: %v", *v)}
		}
		if s.Region[t].Inside == s.Region[t].Outside {
			return &InputError{Face: t, Vertex: -1, Reason: fmt.Sprintf("has %v on both sides", s.Region[t].Inside)}
		}
	}
	return ctx.Err()
}

// finish makes the result of w and completes the report.
func (j *job) finish(w *work) *mesh.Surface {
	rep := &j.report
	var have [256]float64
	w.volumes(&have)
	for _, l := range j.closed {
		rep.Volumes = append(rep.Volumes, LabelVolume{imaging.Label(l), j.want[l], have[l]})
	}
	out := &mesh.Surface{Verts: w.pos, Tris: w.tri, Region: make([]mesh.Sides, len(w.tri))}
	sin := math.Sin(j.opt.MinAngleDeg * math.Pi / 180)
	bound, least := float32(sin*sin), float32(1)
	for t, x := range w.side {
		r := mesh.Sides{Inside: imaging.Label(x >> 8), Outside: imaging.Label(x)}
		v := &out.Tris[t]
		s := sin2(w.pos[v[0]], w.pos[v[1]], w.pos[v[2]])
		least = min(least, s)
		if s < bound {
			rep.SmallAngles++
		}
		if x&turnedBit != 0 {
			r.Inside, r.Outside = r.Outside, r.Inside
			v[1], v[2] = v[2], v[1]
		}
		out.Region[t] = r
	}
	// drop vertices without faces
	unused := false
	for u := range w.pos {
		unused = unused || w.start[u] == w.start[u+1]
	}
	if unused {
		to := make([]int32, len(w.pos))
		n := int32(0)
		for u, p := range w.pos {
			if w.start[u] < w.start[u+1] {
				out.Verts[n], to[u] = p, n
				n++
			}
		}
		out.Verts = out.Verts[:n]
		for t := range out.Tris {
			v := &out.Tris[t]
			*v = [3]int32{to[v[0]], to[v[1]], to[v[2]]}
		}
	}
	rep.VertsAfter, rep.TrisAfter = len(out.Verts), len(out.Tris)
	if len(out.Tris) > 0 {
		rep.MinAngleDeg = math.Asin(math.Sqrt(float64(least))) * 180 / math.Pi
	}
	// the arrays were as long as those of the input
	out.Verts, out.Tris = slices.Clone(out.Verts), slices.Clone(out.Tris)
	return out
}

// sin2 is sin² of the least angle of a triangle, which lies between its two
// longer edges; 0 when it has no area.
func sin2(a, b, c r3.Vec) float32 {
	u, v := r3.Sub(b, a), r3.Sub(c, a)
	l := longest2(r3.Norm2(u), r3.Norm2(v), r3.Norm2(r3.Sub(v, u)))
	if l == 0 {
		return 0
	}
	return float32(r3.Norm2(r3.Cross(u, v)) / l)
}

// longest2 is the product of the two largest of three squared lengths.
func longest2[T float32 | float64](a, b, c T) T {
	if a < b {
		a, b = b, a
	}
	if b < c {
		b = c
	}
	return a * b
}
