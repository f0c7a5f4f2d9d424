package series

import (
	"context"
	"fmt"
	"io"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// StructureObject is what a segmentation and a structure set have in common.
type StructureObject interface {
	// Refers reports whether the object names the series or one of its images
	// by UID.
	Refers(src *Series) bool
	// Onto brings the structures onto the grid of a series of the same frame
	// of reference, OnGrid onto any grid that is known to lie in it.
	Onto(ctx context.Context, src *Series, opt StructureOptions) (*imaging.Segments, *StructureReport, error)
	OnGrid(ctx context.Context, g imaging.Grid) (*imaging.Segments, *StructureReport, error)
	// MaskOn is the structure with this PlacedStructure.Index on a grid.
	MaskOn(ctx context.Context, g imaging.Grid, n int) ([]bool, error)
}

var (
	_ StructureObject = (*SEG)(nil)
	_ StructureObject = (*RTStruct)(nil)
)

// Refers reports whether the segmentation names the series or one of its
// images by UID.
func (s *SEG) Refers(src *Series) bool { return s.references.name(src) }

// name reports whether the series or one of its images is among r.
func (r *references) name(src *Series) bool {
	if src.ID.SeriesInstanceUID != "" && r.series[src.ID.SeriesInstanceUID] {
		return true
	}
	for _, sl := range src.slices {
		if sl.instance != "" && r.instances[sl.instance] {
			return true
		}
	}
	return false
}

// ReadStructures reads a segmentation (*SEG) or a structure set (*RTStruct),
// whichever it is. size is its length in bytes or -1. Errors are those of
// ReadSEG and ReadRTStruct.
func ReadStructures(r io.Reader, size int64, lim dicomfile.Limits) (StructureObject, error) {
	d, err := dicomfile.Read(r, size, structureLimits(lim))
	if err != nil {
		return nil, fmt.Errorf("series: structures: %w", err)
	}
	if class, _ := d.String(dicomfile.SOPClassUID); class == dicomfile.RTStructureSetStorage {
		s, err := newRTStruct(d)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := newSEG(d)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ReadStructuresFile is ReadStructures for a file. Errors name its base name.
func ReadStructuresFile(path string, lim dicomfile.Limits) (StructureObject, error) {
	s, err := readObjectFile(path, func(r io.Reader, size int64) (*StructureObject, error) {
		s, err := ReadStructures(r, size, lim)
		return &s, err
	})
	if err != nil {
		return nil, err
	}
	return *s, nil
}

// structureLimits are wider than those of an image where structures need it:
// an element count of thirty a frame or ten a contour, and the text of a
// contour.
func structureLimits(lim dicomfile.Limits) dicomfile.Limits {
	if lim.Elements <= 0 {
		lim.Elements = 8_000_000
	}
	if lim.TextBytes <= 0 {
		lim.TextBytes = 16 << 20
	}
	return lim
}

// Resample brings masks onto another grid of the same frame of reference, as
// SEG.Onto does: exactly where the lattices agree in any order of axes, else
// by trilinear interpolation with one half as the limit. The report has an
// entry for each structure, with Number and Index as its place in segs.Of. segs
// itself comes back when nothing changes.
func Resample(ctx context.Context, segs *imaging.Segments, g imaging.Grid) (*imaging.Segments, *StructureReport, error) {
	for _, grid := range []imaging.Grid{segs.Grid, g} {
		if err := grid.Validate(); err != nil {
			return nil, nil, err
		}
	}
	if len(segs.Bits) != segs.Grid.Len() {
		return nil, nil, segError("", "the masks do not fill their grid")
	}
	p := place(segs.Grid, g)
	r := &StructureReport{Resampled: !p.exact, OffMM: p.offMM}
	if r.Resampled {
		r.note("the masks lie on another lattice, up to %.2f mm off: resampled", p.offMM)
	}
	out := segs
	if same := p.exact && p.reorder.Identity() && p.shift == [3]int{} && segs.Grid.Size == g.Size; !same {
		out = imaging.NewSegments(g, segs.Of...)
	}
	var mask []bool
	if out != segs {
		mask = make([]bool, len(segs.Bits))
	}
	for b, l := range segs.Of {
		e := PlacedStructure{Number: b, Index: b, Name: l.String(), Code: l.Code(), Structure: l}
		if out == segs {
			e.Voxels = segs.Count(l)
			e.OnGrid = e.Voxels
		} else {
			for n, v := range segs.Bits {
				mask[n] = v>>b&1 != 0
			}
			var err error
			if e.Voxels, e.OnGrid, e.Cut, err = p.put(ctx, out.Bits, 1<<b, mask); err != nil {
				return nil, nil, err
			}
		}
		if e.Voxels > 0 && e.OnGrid == 0 {
			r.note("%v has %d voxels and none of them arrives on the grid", l, e.Voxels)
		} else if e.Cut > 0 {
			r.note("%v: %d of %d voxels lie outside the grid", l, e.Cut, e.Voxels)
		}
		e.BeforeML = float64(e.Voxels) * segs.Grid.VoxelMM3() / 1000
		e.AfterML = float64(e.OnGrid) * g.VoxelMM3() / 1000
		r.Placed = append(r.Placed, e)
	}
	return out, r, nil
}
