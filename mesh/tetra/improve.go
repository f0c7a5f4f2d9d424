package tetra

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// Angles that Improve works towards by default.
const (
	DefaultBelowDeg = 15
	DefaultAboveDeg = 155
)

// ImproveOptions controls Improve. The zero value is useful.
type ImproveOptions struct {
	// A tetrahedron with a dihedral angle below BelowDeg (0 to 60; 0 is
	// DefaultBelowDeg) or above AboveDeg (90 to 179; 0 is DefaultAboveDeg) is
	// worked on. BelowDeg and AboveDeg count as equally bad.
	BelowDeg, AboveDeg float64
	// MaxSurfaceMM bounds how far an interface between regions or the outer
	// boundary may come to lie from where it was, other than through Project.
	// 0: it changes within its own plane only.
	MaxSurfaceMM float64
	// Project puts a point tried for a node of an interface or of the outer
	// boundary back on it, LPS mm; false keeps the node where it is. It is asked
	// for nodes where several surfaces meet as well. nil: nodes move within
	// MaxSurfaceMM, those at junctions stay. The node is numbered as in the input.
	Project func(p r3.Vec, node int32) (r3.Vec, bool)
	// Frozen nodes neither move nor go; nil: none are.
	Frozen func(node int32) bool
	// Only tetrahedra for which it is true may change or go; nil: all may.
	Only func(tet int32) bool
}

func (o *ImproveOptions) validate() error {
	if o.BelowDeg == 0 {
		o.BelowDeg = DefaultBelowDeg
	}
	if o.AboveDeg == 0 {
		o.AboveDeg = DefaultAboveDeg
	}
	switch {
	case !(o.BelowDeg > 0 && o.BelowDeg <= 60):
		return fmt.Errorf("tetra: ImproveOptions.BelowDeg is %g; it lies between 0 and 60", o.BelowDeg)
	case !(o.AboveDeg >= 90 && o.AboveDeg <= 179):
		return fmt.Errorf("tetra: ImproveOptions.AboveDeg is %g; it lies between 90 and 179", o.AboveDeg)
	case !(o.MaxSurfaceMM >= 0) || math.IsInf(o.MaxSurfaceMM, 0):
		return fmt.Errorf("tetra: ImproveOptions.MaxSurfaceMM is %g", o.MaxSurfaceMM)
	}
	return nil
}

// ImproveReport tells what Improve did.
type ImproveReport struct {
	Bad, BadLeft int // tetrahedra with an angle outside BelowDeg…AboveDeg, before and after
	// Extremes over the tetrahedra that Only lets change; BelowDeg and AboveDeg
	// when no angle is beyond them.
	MinBeforeDeg, MaxBeforeDeg, MinAfterDeg, MaxAfterDeg float64

	Passes       int
	EdgesRemoved int // 3–2, 4–4 and longer rings
	FacesRemoved int // 2–3
	SurfaceFlips int // other diagonal between two faces of a surface
	Collapses    int
	Insertions   int
	NodesMoved   int // moves, not nodes

	// NodeFrom and TetFrom give for each node and tetrahedron of the result its
	// number in the input. A new node has −1; a new tetrahedron has ^t, where t
	// is one of those it replaces.
	NodeFrom, TetFrom []int32
	// VolumeChangeMM3 of each region whose surface changed; others keep theirs.
	VolumeChangeMM3 map[imaging.Label]float64
	// SurfaceMM bounds how far any surface moved other than through Project.
	SurfaceMM float64
}

// Improve raises the worst dihedral angles of a Tet4 mesh in place: m.Tets,
// m.Region and m.Nodes are edited and may be replaced; nodes without a
// tetrahedron are dropped. Tetrahedra outside the angles of opt are worked on
// worst first: by swaps, smoothing, collapse, and at last by new nodes. Every
// operation makes the worst angle of what it replaces better, and lets neither
// the least angle there fall below 0.8 BelowDeg nor the greatest rise above
// 180° − 0.8 (180° − AboveDeg), 12° and 160° by default, or further than they
// are. Regions keep their volumes but for what the report names. The result
// depends on m and opt alone.
//
// Errors: *mesh.InvertedError when a tetrahedron of m has no positive volume, a
// plain error when m is Tet10, is not consistent or not finite, or an option is
// out of range; m is then as it was. On ctx.Err() m is sound and partly
// improved, and the report says how far.
func Improve(ctx context.Context, m *mesh.TetMesh, opt ImproveOptions) (ImproveReport, error) {
	var rep ImproveReport
	if err := opt.validate(); err != nil {
		return rep, err
	}
	im := newImprover(m, opt, &rep)
	if err := im.scan(ctx, m); err != nil {
		return rep, err
	}
	if rep.Bad > 0 {
		if err := im.link(ctx); err != nil {
			return ImproveReport{}, err
		}
		im.findSurface()
	}
	err := im.work(ctx)
	im.finish(m)
	return rep, err
}

// fairShare of the way to BelowDeg and AboveDeg, from 0 and 180, an angle counts
// as fair: it may fall to that while worse ones in the same place are mended.
const fairShare = 0.8

func newImprover(m *mesh.TetMesh, opt ImproveOptions, rep *ImproveReport) *improver {
	im := &improver{opt: opt, rep: rep, node: m.Nodes, tet: m.Tets, region: m.Region}
	im.good = shapeOf(opt.BelowDeg)
	im.obtuse = im.good / shapeOf(180-opt.AboveDeg)
	im.fairAcute, im.fairObtuse = shapeOf(fairShare*opt.BelowDeg), shapeOf(fairShare*(180-opt.AboveDeg))
	im.queue.good = im.good
	im.inputNodes = len(m.Nodes)
	return im
}

// scanSlice is how many tetrahedra are scanned between looks at the context.
const scanSlice = 1 << 15

// scan checks the input, measures what may change and queues what is bad.
func (im *improver) scan(ctx context.Context, m *mesh.TetMesh) error {
	if m.Mid != nil {
		return fmt.Errorf("tetra: Improve works on Tet4 meshes; make mid-edge nodes afterwards")
	}
	if m.Region != nil && len(m.Region) != len(m.Tets) {
		return fmt.Errorf("tetra: %d regions for %d elements", len(m.Region), len(m.Tets))
	}
	for n, p := range m.Nodes {
		if s := p.X + p.Y + p.Z; s-s != 0 {
			return fmt.Errorf("tetra: node %d is at %v", n, p)
		}
	}
	if im.region == nil {
		im.region = make([]imaging.Label, len(im.tet))
	}
	im.shape = make([]float32, len(im.tet))
	if im.opt.Only != nil {
		im.open = make([]bool, len(im.tet))
	}
	im.rep.MinBeforeDeg, im.rep.MaxBeforeDeg = im.opt.BelowDeg, im.opt.AboveDeg
	// D six times the volume, ℓ the root mean square edge: D/ℓ³ ≤ sin θ / H(θ),
	// H(θ) = (3−cos θ)/2, for every dihedral angle θ, with equality for two equal
	// isosceles faces at that angle. Where D/ℓ³ is large no θ is extreme; most
	// tetrahedra pass by that.
	above := im.opt.AboveDeg * math.Pi / 180
	h := (3 - math.Cos(above)) / 2
	pass := max(im.good, shapeOf(180-im.opt.AboveDeg)/(h*h)) / 216
	for t := range im.tet {
		if t&(scanSlice-1) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if im.open != nil {
			if im.open[t] = im.opt.Only(int32(t)); !im.open[t] {
				continue
			}
		}
		v := &im.tet[t]
		if n := uint32(len(im.node)); uint32(v[0]) >= n || uint32(v[1]) >= n || uint32(v[2]) >= n || uint32(v[3]) >= n {
			return fmt.Errorf("tetra: element %d names nodes %v of %d", t, *v, len(im.node))
		}
		a, b, c, d := &im.node[v[0]], &im.node[v[1]], &im.node[v[2]], &im.node[v[3]]
		ux, uy, uz := b.X-a.X, b.Y-a.Y, b.Z-a.Z
		vx, vy, vz := c.X-a.X, c.Y-a.Y, c.Z-a.Z
		wx, wy, wz := d.X-a.X, d.Y-a.Y, d.Z-a.Z
		uu, vv, ww := ux*ux+uy*uy+uz*uz, vx*vx+vy*vy+vz*vz, wx*wx+wy*wy+wz*wz
		sx, sy, sz := ux+vx+wx, uy+vy+wy, uz+vz+wz
		// Σ l² over the six edges = 4 (u²+v²+w²) − |u+v+w|²
		l := 4*(uu+vv+ww) - (sx*sx + sy*sy + sz*sz)
		det := ux*(vy*wz-vz*wy) + uy*(vz*wx-vx*wz) + uz*(vx*wy-vy*wx)
		if det > 0 && det*det >= pass*(l*l*l) {
			continue
		}
		if !(det > 0) {
			at := r3.Scale(0.25, r3.Add(r3.Add(*a, *b), r3.Add(*c, *d)))
			return &mesh.InvertedError{Element: t, DetJ: det, AtMM: at}
		}
		s := tetShape(*a, *b, *c, *d, im.obtuse)
		im.shape[t] = float32(s)
		if s < im.good {
			im.queue.push(int32(t), s)
			im.rep.Bad++
			lo, hi := extremeAngles(*a, *b, *c, *d)
			im.rep.MinBeforeDeg, im.rep.MaxBeforeDeg = min(im.rep.MinBeforeDeg, lo), max(im.rep.MaxBeforeDeg, hi)
		}
	}
	return nil
}

// maxPasses bounds how often what could not be mended is tried again after
// something near it has changed.
const maxPasses = 8

// work mends tetrahedra, worst first, until nothing helps any more.
func (im *improver) work(ctx context.Context) error {
	tried := make([]int32, len(im.tet)) // step at which the tetrahedron was given up
	var stuck []int32
	// every operation raises the worst shape where it is by minGain, so this
	// ends; the bound is for peace of mind
	left := 64*im.rep.Bad + 1024
	for im.rep.Passes = 1; ; im.rep.Passes++ {
		for ; left > 0; left-- {
			if left&31 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			t := im.queue.pop()
			if t < 0 {
				break
			}
			for len(tried) < len(im.tet) {
				tried = append(tried, 0)
			}
			if im.tet[t][0] < 0 || im.quality(t) >= im.good || !im.changed(t, tried[t]) {
				continue
			}
			if im.mend(t) {
				continue
			}
			im.step++
			if tried[t] == 0 {
				stuck = append(stuck, t)
			}
			tried[t] = im.step
		}
		again, k := 0, 0
		for _, t := range stuck {
			if im.tet[t][0] < 0 || im.quality(t) >= im.good {
				tried[t] = 0
				continue
			}
			stuck[k] = t
			k++
			if im.changed(t, tried[t]) {
				im.queue.push(t, im.quality(t))
				again++
			}
		}
		stuck = stuck[:k]
		if again == 0 || left <= 0 || im.rep.Passes == maxPasses {
			return nil
		}
	}
}

// changed tells whether anything around t has changed since the step.
func (im *improver) changed(t, since int32) bool {
	v := &im.tet[t]
	return since == 0 || since < max(im.last[v[0]], im.last[v[1]], im.last[v[2]], im.last[v[3]])
}

// mend tries what may make tetrahedron t better: first what keeps all nodes
// where they are, then what moves or takes out one inside a region, then a new
// node; the surface moves only when all else fails.
func (im *improver) mend(t int32) bool {
	return im.swap(t) || im.flipSurface(t) || im.smooth(t, 0) || im.collapse(t) || im.insert(t) || im.smooth(t, nodeSurface)
}
