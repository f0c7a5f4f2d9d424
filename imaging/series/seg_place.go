package series

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// StructureOptions say how an object's structures are brought onto a grid.
type StructureOptions struct {
	// AnyFrame accepts an object that lies in another frame of reference, or
	// in one that is not known.
	AnyFrame bool
}

// StructureReport says what became of each structure of an object.
type StructureReport struct {
	Resampled bool    // the object lies on another lattice
	OffMM     float64 // how far its voxels lie from those of the grid at worst
	Placed    []PlacedStructure
	Notes     []string
}

// PlacedStructure is one structure of an object and what arrived of it.
type PlacedStructure struct {
	Number    int           // segment or ROI number
	Index     int           // in the list of the object, for MaskOn
	Name      string        // its label; may hold anything, also a name
	Code      imaging.Code  // its type; zero when not coded
	Structure imaging.Label // LabelBackground: none of ours, so not in the result
	Voxels    int           // on the object's own lattice; 0 for contours
	OnGrid    int           // on the grid
	Cut       int           // of Voxels, outside the grid
	BeforeML  float64       // volume as stored
	AfterML   float64       // volume on the grid
}

// Unknown lists the structures that none of ours stands for. Their masks are
// there for the asking (SEG.MaskOn, RTStruct.MaskOn).
func (r *StructureReport) Unknown() []PlacedStructure {
	var out []PlacedStructure
	for _, p := range r.Placed {
		if p.Structure == imaging.LabelBackground {
			out = append(out, p)
		}
	}
	return out
}

func (r *StructureReport) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// sameFrame decides whether an object lies in the frame of reference of s.
//
// Equal UIDs agree; different ones do not. When the series has none, or another
// one in every file (de-identification), or the object has none, it is enough
// that the object refers to the series or to one of its images by UID.
func (s *Series) sameFrame(object, frame string, refs references, opt StructureOptions, r *StructureReport) error {
	if opt.AnyFrame {
		r.note("the frame of reference was not compared, as asked")
		return nil
	}
	own := s.frameUID()
	if own != "" && frame != "" {
		if own == frame {
			return nil
		}
		return &FrameOfReferenceError{Object: object}
	}
	for _, sl := range s.slices {
		if frame != "" && sl.frame == frame || refs.instances[sl.instance] && sl.instance != "" {
			r.note("no common frame of reference is given; the %s refers to images of the series", object)
			return nil
		}
	}
	if refs.series[s.ID.SeriesInstanceUID] && s.ID.SeriesInstanceUID != "" {
		r.note("no common frame of reference is given; the %s refers to the series", object)
		return nil
	}
	return &FrameOfReferenceError{Object: object, Missing: true}
}

// frameUID is the frame of reference of the series, "" when it has none or
// every file its own.
func (s *Series) frameUID() string {
	if len(s.slices) == 0 || s.framePerFile() {
		return ""
	}
	return s.slices[0].frame
}

// latticeTol is how far voxels of two lattices may lie apart and still be the
// same, as a part of the smallest spacing: positions rounded to 0.01 mm stay
// below it, half a slice does not.
const latticeTol = 0.1

// placement says how masks on one grid become masks on another.
type placement struct {
	from, to imaging.Grid
	exact    bool // the voxels coincide
	offMM    float64
	reorder  imaging.Reorder
	shift    [3]int // voxel 0 of the reordered source, in voxels of to
}

func place(from, to imaging.Grid) placement {
	p := placement{from: from, to: to}
	p.reorder, _, _ = from.Onto(to, 0)
	o := p.reorder.Grid(from)
	h := to.SpacingMM()
	nearest := func(v r3.Vec) (at [3]int, off float64) {
		i, j, k := to.Voxel(v)
		for a, x := range [3]float64{i, j, k} {
			at[a] = int(math.Round(min(max(x, -1e9), 1e9)))
			off += (x - float64(at[a])) * (x - float64(at[a])) * h[a] * h[a]
		}
		return at, math.Sqrt(off)
	}
	p.shift, _ = nearest(o.Origin)
	p.exact = true
	for c := range 8 {
		var at [3]int
		for a := range at {
			at[a] = (c >> a & 1) * (o.Size[a] - 1)
		}
		v := o.Point(float64(at[0]), float64(at[1]), float64(at[2]))
		got, off := nearest(v)
		p.offMM = max(p.offMM, off)
		for a := range at {
			p.exact = p.exact && got[a] == p.shift[a]+at[a]
		}
	}
	// A single plane or row has no corner to tell its spacing by.
	own := o.SpacingMM()
	for a := range own {
		p.exact = p.exact && (o.Size[a] == 1 || math.Abs(own[a]-h[a]) <= latticeTol*h[a])
	}
	p.exact = p.exact && p.offMM <= latticeTol*min(h[0], h[1], h[2]) && parallel(o, to)
	return p
}

// parallel reports axes that point the same way within 1°.
func parallel(a, b imaging.Grid) bool {
	for n := range a.Axes {
		if r3.Dot(a.Axes[n], b.Axes[n]) < math.Cos(math.Pi/180)*r3.Norm(a.Axes[n])*r3.Norm(b.Axes[n]) {
			return false
		}
	}
	return true
}

// put sets bit in dst (on p.to) wherever mask (on p.from) is true, and returns
// the voxels of the mask, those set, and those outside p.to. On another lattice
// a voxel is set where the trilinear interpolation of the mask at its centre,
// averaged over a few points when the source is finer, reaches one half.
func (p *placement) put(ctx context.Context, dst []uint32, bit uint32, mask []bool) (voxels, set, cut int, err error) {
	if p.exact {
		to := p.toTarget()
		n := 0
		for k := range p.from.Size[2] {
			if err := ctx.Err(); err != nil {
				return 0, 0, 0, err
			}
			for j := range p.from.Size[1] {
				row := to.row(j, k)
				for i := range p.from.Size[0] {
					if mask[n] {
						voxels++
						if at := row.at(i); at >= 0 {
							dst[at] |= bit
							set++
						}
					}
					n++
				}
			}
		}
		return voxels, set, voxels - set, nil
	}
	if axes, ok := p.separate(); ok {
		return p.putSeparate(ctx, dst, bit, mask, axes)
	}
	for n, m := range mask {
		if !m {
			continue
		}
		voxels++
		i, j, k := p.from.IJK(n)
		a, b, c := p.to.Voxel(p.from.Point(float64(i), float64(j), float64(k)))
		if !(a >= -0.5 && b >= -0.5 && c >= -0.5 && a < float64(p.to.Size[0])-0.5 && b < float64(p.to.Size[1])-0.5 && c < float64(p.to.Size[2])-0.5) {
			cut++
		}
	}
	set, err = p.resample(ctx, dst, bit, mask)
	return voxels, set, cut, err
}

// tie moves sample points off the middle between voxels, in source voxels. Were
// one half to count there on both sides of a structure, it would grow.
var tie = [3]float64{1.1e-4, 1.3e-4, 1.7e-4}

// resample is the inexact case of put for lattices that are turned against each
// other.
func (p *placement) resample(ctx context.Context, dst []uint32, bit uint32, mask []bool) (int, error) {
	box := p.from.Bounds(func(n int) bool { return mask[n] })
	if box.Empty() {
		return 0, nil
	}
	target := p.reach(box)
	if target.Empty() {
		return 0, nil
	}
	sub := p.subPoints()
	var points [][3]float64
	for c := range sub[0] * sub[1] * sub[2] {
		var f [3]float64
		for a, m := 0, c; a < 3; a++ {
			f[a] = (float64(m%sub[a])+0.5)/float64(sub[a]) - 0.5
			m /= sub[a]
		}
		points = append(points, f)
	}
	counts := make([]int, target.Hi[2]-target.Lo[2])
	err := par.ChunksCtx(ctx, len(counts), 1, func(at, _ int) error {
		k := target.Lo[2] + at
		for j := target.Lo[1]; j < target.Hi[1]; j++ {
			for i := target.Lo[0]; i < target.Hi[0]; i++ {
				sum := 0.0
				for _, f := range points {
					x, y, z := p.from.Voxel(p.to.Point(float64(i)+f[0], float64(j)+f[1], float64(k)+f[2]))
					sum += trilinear(p.from, mask, x+tie[0], y+tie[1], z+tie[2])
				}
				if sum >= float64(len(points))/2 {
					dst[p.to.Index(i, j, k)] |= bit
					counts[at]++
				}
			}
		}
		return nil
	})
	set := 0
	for _, c := range counts {
		set += c
	}
	return set, err
}

// subPoints is the number of points along each axis of the target that are
// averaged: more than one where the source is finer.
func (p *placement) subPoints() (sub [3]int) {
	o, h := p.reorder.Grid(p.from).SpacingMM(), p.to.SpacingMM()
	for a := range sub {
		sub[a] = int(min(max(math.Ceil(h[a]/o[a]-0.01), 1), 4))
	}
	return sub
}

// reach is the block of p.to that voxels of box (on p.from) can touch.
func (p *placement) reach(box imaging.Box) imaging.Box {
	lo, hi := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}, [3]float64{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for c := range 8 {
		var at [3]float64
		for a := range at {
			at[a] = float64(box.Lo[a]) - 1
			if c>>a&1 == 1 {
				at[a] = float64(box.Hi[a])
			}
		}
		i, j, k := p.to.Voxel(p.from.Point(at[0], at[1], at[2]))
		for a, x := range [3]float64{i, j, k} {
			lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
		}
	}
	var out imaging.Box
	for a := range lo {
		out.Lo[a] = int(min(max(math.Floor(lo[a]), 0), float64(p.to.Size[a])))
		out.Hi[a] = int(min(max(math.Ceil(hi[a])+1, 0), float64(p.to.Size[a])))
	}
	return out
}

// trilinear interpolates a mask (0 or 1, 0 outside) at a fractional voxel.
func trilinear(g imaging.Grid, mask []bool, x, y, z float64) float64 {
	i, j, k := int(math.Floor(x)), int(math.Floor(y)), int(math.Floor(z))
	f := [3]float64{x - float64(i), y - float64(j), z - float64(k)}
	sum := 0.0
	for c := range 8 {
		a, b, d := i+c&1, j+c>>1&1, k+c>>2
		if !g.Contains(a, b, d) || !mask[g.Index(a, b, d)] {
			continue
		}
		w := 1.0
		for n, at := range [3]int{c & 1, c >> 1 & 1, c >> 2} {
			if at == 1 {
				w *= f[n]
			} else {
				w *= 1 - f[n]
			}
		}
		sum += w
	}
	return sum
}
