package series

import (
	"context"
	"encoding/binary"
	"math/bits"

	"halsted/imaging"
	"halsted/internal/par"
)

// maxStructures is how many structures imaging.Segments holds.
const maxStructures = 32

// collector gathers structures of an object into imaging.Segments.
type collector struct {
	out     *imaging.Segments
	report  *StructureReport
	tumours int
	shared  map[imaging.Label]int // structures that several entries stand for
}

func newCollector(g imaging.Grid, r *StructureReport) *collector {
	return &collector{out: imaging.NewSegments(g), report: r, shared: map[imaging.Label]int{}}
}

// claim gives the bit of a structure, a new one when need be; tumours without
// a number are numbered in order. It is 0 for a structure that does not fit.
func (c *collector) claim(l imaging.Label, number int) (imaging.Label, uint32) {
	if l.IsTumour() && l == imaging.LabelTumour {
		if c.tumours == imaging.MaxTumours {
			c.report.note("entry %d is a tumour beyond the first %d; it is listed, not placed", number, imaging.MaxTumours)
			return imaging.LabelBackground, 0
		}
		l += imaging.Label(c.tumours)
		c.tumours++
	}
	if bit := c.out.Bit(l); bit != 0 {
		c.shared[l]++
		c.report.note("entry %d is a further part of %v; the parts are united", number, l)
		return l, bit
	}
	if len(c.out.Of) == maxStructures {
		c.report.note("entry %d is beyond the first %d structures; it is listed, not placed", number, maxStructures)
		return imaging.LabelBackground, 0
	}
	c.out.Of = append(c.out.Of, l)
	return l, c.out.Bit(l)
}

// Onto brings the segments onto the grid of src: exactly where the lattices
// agree (in any order of axes, planes without a frame left empty), else
// resampled, which the report says with the change of each volume. Segments
// that are none of this module's structures stand in the report only; use
// MaskOn for their voxels. Neoplasms become tumours in the order of the list.
//
// Errors: *FrameOfReferenceError, src.Check(), ctx.Err().
func (s *SEG) Onto(ctx context.Context, src *Series, opt StructureOptions) (*imaging.Segments, *StructureReport, error) {
	g, err := src.Grid()
	if err != nil {
		return nil, nil, err
	}
	r := &StructureReport{}
	if err := src.sameFrame("segmentation", s.frame, s.references, opt, r); err != nil {
		return nil, nil, err
	}
	return s.onto(ctx, g, r)
}

// OnGrid is Onto for a grid that is known to lie in the same frame of
// reference.
func (s *SEG) OnGrid(ctx context.Context, g imaging.Grid) (*imaging.Segments, *StructureReport, error) {
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	return s.onto(ctx, g, &StructureReport{})
}

func (s *SEG) onto(ctx context.Context, g imaging.Grid, r *StructureReport) (*imaging.Segments, *StructureReport, error) {
	p := place(s.Grid, g)
	r.Resampled, r.OffMM = !p.exact, p.offMM
	r.Notes = append(r.Notes, s.Notes...)
	if s.Type == SEGFractional {
		r.note("fractional (%s): a voxel counts from one half upwards", s.FractionalType)
	}
	if r.Resampled {
		r.note("the segmentation lies on another lattice, up to %.2f mm off: resampled", p.offMM)
	}
	c := newCollector(g, r)
	var scratch []uint32
	for n := range s.Segments {
		seg := &s.Segments[n]
		if seg.Background {
			continue
		}
		entry := PlacedStructure{Number: seg.Number, Index: n, Name: seg.Label, Code: seg.Type}
		l, known := seg.Structure()
		bit := uint32(1)
		dst := scratch
		if known {
			if entry.Structure, bit = c.claim(l, seg.Number); bit != 0 {
				dst = c.out.Bits
			}
		}
		if !known || bit == 0 {
			if scratch == nil {
				scratch = make([]uint32, g.Len())
			}
			dst, bit = scratch, 1
		}
		if err := s.putSegment(ctx, &p, n, dst, bit, &entry); err != nil {
			return nil, nil, err
		}
		if entry.Voxels > 0 && entry.OnGrid == 0 {
			r.note("segment %d has %d voxels and none of them arrives on the grid", seg.Number, entry.Voxels)
		} else if entry.Cut > 0 {
			r.note("segment %d: %d of %d voxels lie outside the grid", seg.Number, entry.Cut, entry.Voxels)
		}
		r.Placed = append(r.Placed, entry)
	}
	return c.out, r, nil
}

// putSegment places one segment, of which only the planes with frames are
// unpacked.
func (s *SEG) putSegment(ctx context.Context, p *placement, n int, dst []uint32, bit uint32, entry *PlacedStructure) error {
	lo, hi := s.Planes(n)
	if hi == 0 {
		return nil
	}
	entry.BeforeML, entry.AfterML = s.Grid.VoxelMM3()/1000, p.to.VoxelMM3()/1000
	var err error
	if p.exact && s.alone(n) {
		entry.Voxels, entry.OnGrid, err = s.putFrames(ctx, p, n, dst, bit)
		entry.Cut = entry.Voxels - entry.OnGrid
	} else {
		box := s.Grid.Box()
		box.Lo[2], box.Hi[2] = lo, hi
		part := s.Grid.Crop(box)
		mask := make([]bool, part.Len())
		s.maskInto(mask, n, lo, hi)
		q := placement{from: part, to: p.to, exact: p.exact, reorder: p.reorder}
		if p.exact {
			o := place(part, p.to)
			q.reorder, q.shift = o.reorder, o.shift
		}
		entry.Voxels, entry.OnGrid, entry.Cut, err = q.put(ctx, dst, bit, mask)
	}
	entry.BeforeML *= float64(entry.Voxels)
	entry.AfterML *= float64(entry.OnGrid)
	return err
}

// alone reports whether no two frames of segment n lie on one plane.
func (s *SEG) alone(n int) bool {
	used := map[int]bool{}
	for _, f := range s.framesOf(n) {
		if used[s.frames[f].plane] {
			return false
		}
		used[s.frames[f].plane] = true
	}
	return true
}

// putFrames places segment n frame by frame where the lattices agree and no
// plane has two of its frames. Frames end in different voxels, so they are
// placed at the same time.
func (s *SEG) putFrames(ctx context.Context, p *placement, n int, dst []uint32, bit uint32) (voxels, set int, err error) {
	to, frames, number := p.toTarget(), s.framesOf(n), s.Segments[n].Number
	nx, ny := s.Grid.Size[0], s.Grid.Size[1]
	counts := make([][2]int, len(frames))
	err = par.ChunksCtx(ctx, len(frames), 1, func(at, _ int) error {
		f := &s.frames[frames[at]]
		all, in := 0, 0
		for j := range ny {
			row := to.row(j, f.plane)
			put := func(i int) {
				all++
				if v := row.at(i); v >= 0 {
					dst[v] |= bit
					in++
				}
			}
			switch {
			case s.Type == SEGBinary:
				eachBit(f.data, f.bits+j*nx, nx, put)
			case s.Type == SEGFractional:
				for i, v := range f.data[j*nx : (j+1)*nx] {
					if v != 0 && 2*int(v) >= s.MaxFraction {
						put(i)
					}
				}
			case number == s.background:
			case len(f.data) >= 2*nx*ny:
				lo, hi := byte(number), byte(number>>8)
				for i := range nx {
					if m := 2 * (i + j*nx); f.data[m] == lo && f.data[m+1] == hi {
						put(i)
					}
				}
			case number < 256:
				v := byte(number)
				for i, b := range f.data[j*nx : (j+1)*nx] {
					if b == v {
						put(i)
					}
				}
			}
		}
		counts[at] = [2]int{all, in}
		return nil
	})
	for _, c := range counts {
		voxels, set = voxels+c[0], set+c[1]
	}
	return voxels, set, err
}

// eachBit calls put for the bits that are set among n from the given one on,
// the lowest bit of a byte first.
func eachBit(data []byte, from, n int, put func(i int)) {
	for i := 0; i < n; {
		at := from + i
		if at&7 == 0 && n-i >= 64 && binary.LittleEndian.Uint64(data[at>>3:]) == 0 {
			i += 64
			continue
		}
		have := min(8-at&7, n-i)
		for b := data[at>>3] >> (at & 7) & (1<<have - 1); b != 0; b &= b - 1 {
			put(i + bits.TrailingZeros8(b))
		}
		i += have
	}
}

// MaskOn is segment n (an index into Segments) on another grid of the same
// frame of reference, placed as Onto does.
func (s *SEG) MaskOn(ctx context.Context, g imaging.Grid, n int) ([]bool, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	p := place(s.Grid, g)
	set := make([]uint32, g.Len())
	var entry PlacedStructure
	if err := s.putSegment(ctx, &p, n, set, 1, &entry); err != nil {
		return nil, err
	}
	return asMask(set), nil
}

func asMask(set []uint32) []bool {
	out := make([]bool, len(set))
	for n, b := range set {
		out[n] = b != 0
	}
	return out
}
