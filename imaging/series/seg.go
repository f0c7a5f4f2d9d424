package series

import (
	"fmt"
	"io"
	"math"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// SEGType is how the frames of a segmentation hold its segments (PS3.3
// C.8.20.2.3, C.8.20.5).
type SEGType uint8

// The types of segmentation.
const (
	SEGBinary     SEGType = iota // one bit a voxel, one segment a frame
	SEGFractional                // 0…MaxFraction, one segment a frame
	SEGLabelmap                  // the segment number of each voxel
)

func (t SEGType) String() string {
	return [...]string{"BINARY", "FRACTIONAL", "LABELMAP"}[t]
}

// SEGSegment describes one structure of a segmentation (PS3.3 table
// C.8.20-4).
type SEGSegment struct {
	Number          int
	Label           string
	Description     string
	Category, Type  imaging.Code
	TypeModifiers   []imaging.Code
	Region          imaging.Code // zero when not given
	RegionModifiers []imaging.Code
	AlgorithmType   string // AUTOMATIC, SEMIAUTOMATIC or MANUAL
	AlgorithmName   string
	TrackingID      string
	TrackingUID     string
	CIELab          [3]uint16 // recommended display colour, PCS values of PS3.3 C.10.7.1.1
	HasColour       bool
	Background      bool // a label map's padding value or code for background: no structure
}

// backgroundCode marks a segment of a label map that is no structure (DCM
// 125040).
var backgroundCode = imaging.Code{Value: "125040", Scheme: "DCM", Meaning: "Background"}

// Structure is the structure of this module that the segment is, by its code
// and modifiers. Where the code only says "tissue" or "anatomical structure",
// or names a kidney without its side, the segment's label counts. ok is false
// for anything else.
func (s *SEGSegment) Structure() (l imaging.Label, ok bool) {
	if l, ok = imaging.LabelOf(s.Type, s.TypeModifiers...); ok && l != imaging.LabelBody {
		return l, true
	}
	switch s.Type.SCT().Value {
	case tissueCode, bodyStructureCode, kidneyCode, alteredCode:
		if named, found := imaging.LabelNamed(s.Label); found {
			return named, true
		}
		return l, ok && s.Label == ""
	}
	return l, ok
}

// Concepts of SNOMED CT that leave open which structure is meant.
const (
	tissueCode        = "85756007"
	bodyStructureCode = "123037004"
	kidneyCode        = "64033007"
	alteredCode       = "49755003"
)

// SEG is a DICOM segmentation: its segments and the frames that hold them,
// which stay packed until Mask or Fraction asks for them.
//
// Grid is the lattice the frames lie on, right-handed and in LPS mm, with
// planes that have no frame included: what is not there is background.
// A SEG may be used concurrently.
type SEG struct {
	ID             ID
	Type           SEGType
	FractionalType string // PROBABILITY or OCCUPANCY; "" unless fractional
	MaxFraction    int    // stored value of a full voxel; 1 unless fractional
	Grid           imaging.Grid
	Segments       []SEGSegment // as listed in the object
	Notes          []string     // what was odd but harmless

	frame      string // FrameOfReferenceUID
	references references
	background int // value of a label map that is no segment
	frames     []segFrame
	of         [][]int32 // frames of each segment; nil for a label map
}

// segFrame is one frame: row by row along i, plane k of the grid.
type segFrame struct {
	plane int
	bits  int // first bit in data when packed
	data  []byte
}

// references are the series and instances that an object points to.
type references struct {
	series    map[string]bool
	instances map[string]bool
}

func (r *references) addSeries(uid string) {
	if uid != "" {
		r.series[uid] = true
	}
}

func (r *references) addInstance(d *dicomfile.Dataset) {
	if uid, ok := d.String(dicomfile.ReferencedSOPInstanceUID); ok {
		r.instances[uid] = true
	}
}

func newReferences() references { return references{map[string]bool{}, map[string]bool{}} }

// Format keeps names, labels and UIDs out of every fmt verb.
func (s *SEG) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("%v segmentation of %d segments in %d frames", s.Type, len(s.Segments), len(s.frames)))
}

// Frames is the number of frames of the object.
func (s *SEG) Frames() int { return len(s.frames) }

// Planes are the indices k of Grid that hold content of segment n, lowest and
// highest plus one; 0, 0 when it has no frame.
func (s *SEG) Planes(n int) (lo, hi int) {
	lo, hi = math.MaxInt, 0
	for _, f := range s.framesOf(n) {
		lo, hi = min(lo, s.frames[f].plane), max(hi, s.frames[f].plane+1)
	}
	if hi == 0 {
		return 0, 0
	}
	return lo, hi
}

func (s *SEG) framesOf(n int) []int32 {
	if s.Type == SEGLabelmap {
		n = 0
	}
	return s.of[n]
}

// values calls put for every voxel of planes lo to hi that segment n covers,
// with the stored value (1…MaxFraction) and the index counted from plane lo.
func (s *SEG) values(n, lo, hi int, put func(at int, v int)) {
	area := s.Grid.Size[0] * s.Grid.Size[1]
	number := s.Segments[n].Number
	for _, f := range s.framesOf(n) {
		frame := &s.frames[f]
		if frame.plane < lo || frame.plane >= hi {
			continue
		}
		base := (frame.plane - lo) * area
		switch {
		case s.Type == SEGBinary:
			for p := range area {
				at := frame.bits + p
				if frame.data[at>>3]>>(at&7)&1 != 0 {
					put(base+p, 1)
				}
			}
		case s.Type == SEGFractional:
			for p, v := range frame.data[:area] {
				if v != 0 {
					put(base+p, int(v))
				}
			}
		case len(frame.data) >= 2*area:
			for p := range area {
				if v := int(frame.data[2*p]) | int(frame.data[2*p+1])<<8; v == number && v != s.background {
					put(base+p, 1)
				}
			}
		default:
			for p, v := range frame.data[:area] {
				if int(v) == number && number != s.background {
					put(base+p, 1)
				}
			}
		}
	}
}

// Mask is segment n (an index into Segments) on Grid. A voxel of a fractional
// segmentation counts when it holds at least half of MaxFraction.
func (s *SEG) Mask(n int) []bool {
	out := make([]bool, s.Grid.Len())
	s.maskInto(out, n, 0, s.Grid.Size[2])
	return out
}

func (s *SEG) maskInto(dst []bool, n, lo, hi int) {
	s.values(n, lo, hi, func(at, v int) {
		if 2*v >= s.MaxFraction {
			dst[at] = true
		}
	})
}

// Fraction is segment n on Grid, 0…1; 0 or 1 unless s is fractional. Where two
// frames of the segment lie on one plane the larger value counts.
func (s *SEG) Fraction(n int) []float32 {
	out := make([]float32, s.Grid.Len())
	s.values(n, 0, s.Grid.Size[2], func(at, v int) {
		out[at] = max(out[at], float32(v)/float32(s.MaxFraction))
	})
	return out
}
