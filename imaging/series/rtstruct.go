package series

import (
	"context"
	"fmt"
	"io"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// ROI is one structure of a structure set: what is said of it (PS3.3 C.8.8.5
// and C.8.8.8) and how many contours it has (C.8.8.6).
type ROI struct {
	Number      int
	Name        string // may hold anything, also a name
	Description string
	Algorithm   string         // AUTOMATIC, SEMIAUTOMATIC, MANUAL or empty
	Interpreted string         // ORGAN, EXTERNAL, GTV, …
	Code        imaging.Code   // identification code; zero when not given
	Modifiers   []imaging.Code // of the code
	Colour      [3]uint8       // sRGB
	HasColour   bool
	Closed      int // closed planar contours with at least three points
	Open        int // points, lines and open contours, which enclose nothing

	frame    string // FrameOfReferenceUID
	contours []contour
}

// contour is a closed polygon, LPS mm; the last point is not the first again.
type contour []r3.Vec

// Structure is the structure of this module that the ROI is: by its code, then
// by its name (imaging.LabelNamed), then by its interpreted type, where
// EXTERNAL is the body and GTV, the gross volume of a tumour, a tumour. ok is
// false for anything else.
func (r *ROI) Structure() (l imaging.Label, ok bool) {
	if l, ok = imaging.LabelOf(r.Code, r.Modifiers...); ok && l != imaging.LabelBody {
		return l, true
	}
	if l, ok = imaging.LabelNamed(r.Name); ok {
		return l, true
	}
	switch r.Interpreted {
	case "EXTERNAL":
		return imaging.LabelBody, true
	case "GTV":
		return imaging.LabelTumour, true
	}
	return imaging.LabelBackground, false
}

// RTStruct is a radiotherapy structure set: structures as closed contours on
// parallel planes, LPS mm. It may be used concurrently.
type RTStruct struct {
	ID    ID
	ROIs  []ROI
	Notes []string // what was odd but harmless

	frame      string // the frame of reference of most ROIs
	references references
}

// Format keeps names and UIDs out of every fmt verb.
func (s *RTStruct) Format(f fmt.State, _ rune) {
	n := 0
	for _, r := range s.ROIs {
		n += r.Closed
	}
	_, _ = io.WriteString(f, fmt.Sprintf("structure set of %d ROIs with %d closed contours", len(s.ROIs), n))
}

// Refers reports whether the structure set names the series or one of its
// images by UID.
func (s *RTStruct) Refers(src *Series) bool { return s.references.name(src) }

// Onto fills the contours on the grid of src. A voxel belongs to a structure
// when its centre lies inside an odd number of the contours of its plane, so
// that a contour inside another is a hole, as is the loop of a keyhole.
// Contours stand for half the distance to their neighbours; a plane between
// two contours takes the shape between them, provided that the contours are
// no further apart than one and a half times what is usual in the structure.
// What was filled in that way, and where planes within a structure stay empty,
// is in the report. Contours on planes that are not those of the series are
// filled on a finer lattice of their own and resampled.
//
// ROIs that are none of this module's structures, that lie in another frame of
// reference than the series, or whose contours are not planar and parallel
// stand in the report only. AfterML is the volume of the voxels, BeforeML the
// areas of the contours times the distance of their planes.
//
// Errors: *FrameOfReferenceError when no ROI lies in the frame of the series,
// src.Check(), ctx.Err().
func (s *RTStruct) Onto(ctx context.Context, src *Series, opt StructureOptions) (*imaging.Segments, *StructureReport, error) {
	g, err := src.Grid()
	if err != nil {
		return nil, nil, err
	}
	r := &StructureReport{}
	frame := s.frameFor(src)
	if err := src.sameFrame("structure set", frame, s.references, opt, r); err != nil {
		return nil, nil, err
	}
	if opt.AnyFrame {
		frame = ""
	}
	return s.onto(ctx, g, r, frame)
}

// OnGrid is Onto for a grid that is known to lie in the frame of reference of
// the structure set.
func (s *RTStruct) OnGrid(ctx context.Context, g imaging.Grid) (*imaging.Segments, *StructureReport, error) {
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	return s.onto(ctx, g, &StructureReport{}, s.frame)
}

// frameFor is the frame of reference of the series when an ROI lies in it, else
// that of most ROIs.
func (s *RTStruct) frameFor(src *Series) string {
	own := src.frameUID()
	for _, r := range s.ROIs {
		if own != "" && r.frame == own {
			return own
		}
	}
	return s.frame
}

// onto places the ROIs that name the given frame of reference or none; all of
// them when it is empty.
func (s *RTStruct) onto(ctx context.Context, g imaging.Grid, r *StructureReport, frame string) (*imaging.Segments, *StructureReport, error) {
	r.Notes = append(r.Notes, s.Notes...)
	c := newCollector(g, r)
	var scratch []uint32
	for n := range s.ROIs {
		roi := &s.ROIs[n]
		entry := PlacedStructure{Number: roi.Number, Index: n, Name: roi.Name, Code: roi.Code}
		if frame != "" && roi.frame != "" && roi.frame != frame {
			r.note("ROI %d lies in another frame of reference; it is listed, not placed", roi.Number)
			r.Placed = append(r.Placed, entry)
			continue
		}
		if roi.Open > 0 {
			r.note("ROI %d: %d points, lines or open contours enclose nothing; they are left out", roi.Number, roi.Open)
		}
		f, why := newFiller(g, roi)
		if why != "" {
			r.note("ROI %d: %s; it is listed, not placed", roi.Number, why)
		}
		if f == nil {
			r.Placed = append(r.Placed, entry)
			continue
		}
		var dst []uint32
		var bit uint32
		if l, known := roi.Structure(); known {
			if entry.Structure, bit = c.claim(l, roi.Number); bit != 0 {
				dst = c.out.Bits
			}
		}
		if bit == 0 {
			if scratch == nil {
				scratch = make([]uint32, g.Len())
			}
			dst, bit = scratch, 1
		}
		if err := f.fill(ctx, dst, bit); err != nil {
			return nil, nil, err
		}
		f.tell(&entry, r)
		r.Placed = append(r.Placed, entry)
	}
	return c.out, r, nil
}

// MaskOn is ROI n (an index into ROIs) on a grid of the same frame of
// reference, filled as Onto does.
func (s *RTStruct) MaskOn(ctx context.Context, g imaging.Grid, n int) ([]bool, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	f, why := newFiller(g, &s.ROIs[n])
	if why != "" {
		return nil, rtError(fmt.Sprintf("ROI %d", s.ROIs[n].Number), "%s", why)
	}
	bits := make([]uint32, g.Len())
	if f != nil {
		if err := f.fill(ctx, bits, 1); err != nil {
			return nil, err
		}
	}
	return asMask(bits), nil
}

func rtError(where, format string, args ...any) error {
	return &ObjectError{"structure set", where, fmt.Sprintf(format, args...)}
}
