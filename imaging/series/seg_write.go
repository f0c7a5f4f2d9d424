package series

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// SEGOptions say how WriteSEG stores structures. The zero value is good.
type SEGOptions struct {
	Type SEGType
	// Fraction gives a structure as 0…1 on the grid of the masks, for a
	// fractional segmentation; nil makes masks full voxels.
	Fraction       func(l imaging.Label) []float32
	FractionalType string // PROBABILITY (default) or OCCUPANCY
	// RLE compresses the frames of fractional segmentations and label maps.
	RLE bool
	// Describe overrides what is said of a structure; empty fields and the
	// number keep their defaults.
	Describe          map[imaging.Label]SEGSegment
	AlgorithmType     string // AUTOMATIC (default), SEMIAUTOMATIC or MANUAL
	AlgorithmName     string // default "Halsted"
	SeriesDescription string // default "Segmentation"
	SeriesNumber      int    // default 1000
	CreatorName       string // PN; default empty
}

func (o SEGOptions) withDefaults() (SEGOptions, error) {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&o.FractionalType, "PROBABILITY")
	def(&o.AlgorithmType, "AUTOMATIC")
	def(&o.AlgorithmName, "Halsted")
	def(&o.SeriesDescription, "Segmentation")
	if o.SeriesNumber == 0 {
		o.SeriesNumber = 1000
	}
	switch {
	case o.Type > SEGLabelmap:
		return o, segError("", "option Type is none of binary, fractional and label map")
	case o.FractionalType != "PROBABILITY" && o.FractionalType != "OCCUPANCY":
		return o, segError("", "option FractionalType is neither PROBABILITY nor OCCUPANCY")
	case o.AlgorithmType != "AUTOMATIC" && o.AlgorithmType != "SEMIAUTOMATIC" && o.AlgorithmType != "MANUAL":
		return o, segError("", "option AlgorithmType is none of AUTOMATIC, SEMIAUTOMATIC and MANUAL")
	case o.RLE && o.Type == SEGBinary:
		return o, segError("", "option RLE: RLE does not compress single bits; choose a label map or no compression")
	}
	return o, nil
}

// WriteSEG writes the structures as one segmentation object that belongs to
// the study of src and refers to its images: a frame for each structure and
// plane with content (one for each plane in a label map). The masks must lie
// on voxels of src, in any order of axes; a crop is good. A structure without
// a voxel is listed without a frame.
//
// UIDs follow from the series and the content alone, so the same input gives
// the same bytes. Patient and study attributes are those of src; one of
// these that breaks the rules of its type is left empty. Dates are those of
// the study.
//
// Errors: src.Check(), *LatticeError, *OverlapError (label map),
// *EmptyError, *ObjectError for bad options, or what w returned.
func WriteSEG(ctx context.Context, w io.Writer, segs *imaging.Segments, src *Series, opt SEGOptions) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return err
	}
	g, err := src.Grid()
	if err != nil {
		return err
	}
	if len(segs.Bits) != segs.Grid.Len() || segs.Grid.Validate() != nil {
		return segError("", "the masks do not fill their grid")
	}
	e := &segEncoder{opt: opt, segs: segs, src: src, grid: g, place: place(segs.Grid, g)}
	if !e.place.exact {
		return &LatticeError{e.place.offMM}
	}
	if err := e.collect(ctx); err != nil {
		return err
	}
	if len(e.frames) == 0 {
		return &EmptyError{len(segs.Of)}
	}
	d, err := e.dataset()
	if err != nil {
		return err
	}
	return dicomfile.Write(w, d)
}

// segEncoder builds one object.
type segEncoder struct {
	opt    SEGOptions
	segs   *imaging.Segments
	src    *Series
	grid   imaging.Grid // of src
	place  placement
	frames []outFrame
	planes []int // planes of the grid with a frame, ascending
	packed []byte
	bits   int // in packed, when binary
	over   bool
}

// outFrame is one frame: the segment's index (0 in a label map) and its plane.
type outFrame struct{ segment, plane int }

// onGrid gives a function from a plane of the grid to the indices of its
// voxels in the masks, −1 outside them.
func (e *segEncoder) onGrid() func(k int, dst []int) {
	o := e.place.reorder.Grid(e.segs.Grid)
	index := e.place.reorder.Index(e.segs.Grid)
	shift, nx, ny := e.place.shift, e.grid.Size[0], e.grid.Size[1]
	return func(k int, dst []int) {
		for j := range ny {
			for i := range nx {
				at := -1
				if a, b, c := i-shift[0], j-shift[1], k-shift[2]; o.Contains(a, b, c) {
					at = index(o.Index(a, b, c))
				}
				dst[i+nx*j] = at
			}
		}
	}
}

// collect encodes the frames with content.
func (e *segEncoder) collect(ctx context.Context) error {
	if err := e.inside(); err != nil {
		return err
	}
	area := e.grid.Size[0] * e.grid.Size[1]
	indices, at := e.onGrid(), make([]int, area)
	fractions := make([][]float32, len(e.segs.Of))
	if e.opt.Type == SEGFractional && e.opt.Fraction != nil {
		for n, l := range e.segs.Of {
			f := e.opt.Fraction(l)
			if f != nil && len(f) != len(e.segs.Bits) {
				return segError("", "option Fraction gives %d values for %d voxels", len(f), len(e.segs.Bits))
			}
			fractions[n] = f
		}
	}
	type plane struct {
		k      int
		values [][]byte // of each segment; nil without content
	}
	used := make([]plane, 0, e.grid.Size[2])
	for k := range e.grid.Size[2] {
		if err := ctx.Err(); err != nil {
			return err
		}
		indices(k, at)
		p := plane{k: k, values: make([][]byte, len(e.segs.Of))}
		any := false
		if e.opt.Type == SEGLabelmap {
			b, err := e.labels(at)
			if err != nil {
				return err
			}
			if b != nil {
				p.values, any = [][]byte{b}, true
			}
		} else {
			for n := range e.segs.Of {
				b := e.frame(n, at, fractions[n])
				if b == nil {
					continue
				}
				if any = true; e.opt.Type == SEGBinary {
					b = packed(b)
				}
				p.values[n] = b
			}
		}
		if any {
			used = append(used, p)
			e.planes = append(e.planes, k)
		}
	}
	if e.opt.Type == SEGLabelmap {
		for _, p := range used {
			e.add(outFrame{0, p.k}, p.values[0], area)
		}
		return nil
	}
	for n := range e.segs.Of {
		for _, p := range used {
			if p.values[n] != nil {
				e.add(outFrame{n, p.k}, p.values[n], area)
			}
		}
	}
	return nil
}

// inside refuses masks with voxels beyond the series, and notes overlap.
func (e *segEncoder) inside() error {
	lost := 0
	o := e.place.reorder.Grid(e.segs.Grid)
	index := e.place.reorder.Index(e.segs.Grid)
	all := uint32(1)<<len(e.segs.Of) - 1
	whole := e.place.reorder.Identity() && e.place.shift == [3]int{} && o.Size == e.grid.Size
	for n := range o.Len() {
		b := e.segs.Bits[index(n)] & all
		if b == 0 {
			continue
		}
		e.over = e.over || b&(b-1) != 0
		if whole {
			continue
		}
		i, j, k := o.IJK(n)
		if !e.grid.Contains(i+e.place.shift[0], j+e.place.shift[1], k+e.place.shift[2]) {
			lost++
		}
	}
	if lost > 0 {
		return segError("", "%d voxels of the masks lie outside the series; crop them first", lost)
	}
	return nil
}

// frame is one plane of structure n: a byte a voxel, nil without content.
func (e *segEncoder) frame(n int, at []int, fraction []float32) []byte {
	var out []byte
	put := func(p int, v byte) {
		if out == nil {
			out = make([]byte, len(at))
		}
		out[p] = v
	}
	full := byte(1)
	if e.opt.Type == SEGFractional {
		full = 255
	}
	for p, v := range at {
		switch {
		case v < 0:
		case fraction != nil:
			if x := math.Round(255 * float64(fraction[v])); x >= 1 {
				put(p, byte(min(x, 255)))
			}
		case e.segs.Bits[v]>>n&1 != 0:
			put(p, full)
		}
	}
	return out
}

// labels is one plane of a label map; the segment numbers start at 1.
func (e *segEncoder) labels(at []int) ([]byte, error) {
	var out []byte
	for p, v := range at {
		if v < 0 || e.segs.Bits[v] == 0 {
			continue
		}
		for n := range e.segs.Of {
			if e.segs.Bits[v]>>n&1 == 0 {
				continue
			}
			if out == nil {
				out = make([]byte, len(at))
			}
			if out[p] != 0 {
				i, j, k := e.segs.Grid.IJK(v)
				return nil, &OverlapError{e.segs.Of[out[p]-1], e.segs.Of[n], [3]int{i, j, k}}
			}
			out[p] = byte(n + 1)
		}
	}
	return out, nil
}

// packed puts eight voxels into a byte, the first in the lowest bit (PS3.5
// annex D).
func packed(values []byte) []byte {
	out := make([]byte, (len(values)+7)/8)
	for p, v := range values {
		out[p>>3] |= v << (p & 7)
	}
	return out
}

// add appends a frame; those of bits follow each other without padding (PS3.5
// section 8.1.1).
func (e *segEncoder) add(f outFrame, values []byte, area int) {
	e.frames = append(e.frames, f)
	shift := e.bits & 7
	if e.opt.Type != SEGBinary || shift == 0 {
		e.packed = append(e.packed, values...)
	} else {
		for _, v := range values {
			e.packed[len(e.packed)-1] |= v << shift
			e.packed = append(e.packed, v>>(8-shift))
		}
	}
	if e.opt.Type == SEGBinary {
		e.bits += area
		e.packed = e.packed[:(e.bits+7)/8]
	}
}

// describe is what is said of each structure, in the order of Of; their
// numbers start at 1.
func (e *segEncoder) describe() []SEGSegment {
	out := make([]SEGSegment, len(e.segs.Of))
	for n, l := range e.segs.Of {
		g := e.opt.Describe[l]
		category, typ, modifiers := l.Property()
		if g.Type.Value == "" {
			g.Type, g.TypeModifiers = typ, modifiers
		}
		if g.Category.Value == "" {
			g.Category = category
		}
		if g.Label == "" {
			g.Label = l.String()
		}
		if g.AlgorithmType == "" {
			g.AlgorithmType = e.opt.AlgorithmType
		}
		if g.AlgorithmName == "" && g.AlgorithmType != "MANUAL" {
			g.AlgorithmName = e.opt.AlgorithmName
		}
		if g.TrackingUID == "" || g.TrackingID == "" {
			g.TrackingID = l.String()
			g.TrackingUID = dicomfile.HashUID("tracked structure", e.src.ID.SeriesInstanceUID, e.src.Digest(), l.String())
		}
		if !g.HasColour {
			g.CIELab, g.HasColour = labOf(l.Colour()), true
		}
		g.Number = n + 1
		out[n] = g
	}
	return out
}

// content is a digest of everything the object holds beside the study.
func (e *segEncoder) content(list []SEGSegment) string {
	h := sha256.New()
	fmt.Fprintln(h, e.opt.Type, e.opt.FractionalType, e.opt.RLE, e.opt.SeriesDescription, e.opt.SeriesNumber, e.opt.CreatorName)
	for _, g := range list {
		fmt.Fprintf(h, "%q\n", []any{g.Number, g.Label, g.Description, g.Category, g.Type, g.TypeModifiers, g.Region, g.RegionModifiers,
			g.AlgorithmType, g.AlgorithmName, g.TrackingID, g.TrackingUID, g.CIELab})
	}
	fmt.Fprintln(h, e.frames)
	h.Write(e.packed)
	return hex.EncodeToString(h.Sum(nil))
}
