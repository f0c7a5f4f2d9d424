package series

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	mathbits "math/bits"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
	"halsted/internal/par"
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

// collect encodes the frames with content, plane by plane.
func (e *segEncoder) collect(ctx context.Context) error {
	fractions, err := e.fractions()
	if err != nil {
		return err
	}
	from := e.place.toSource()
	nz := e.grid.Size[2]
	planes := make([]outPlane, nz)
	err = par.ChunksCtx(ctx, nz, 1, func(k, _ int) error {
		p := &planes[k]
		bits := p.gather(e, &from, k)
		switch e.opt.Type {
		case SEGBinary:
			p.pack(bits, len(e.segs.Of))
		case SEGLabelmap:
			return p.label(e, bits, &from, k)
		default:
			p.weigh(e, bits, fractions, &from, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	inside := 0
	for k := range planes {
		e.over = e.over || planes[k].over
		inside += planes[k].voxels
		if planes[k].any {
			e.planes = append(e.planes, k)
		}
	}
	if err := e.lost(inside); err != nil {
		return err
	}
	segments := len(e.segs.Of)
	if e.opt.Type == SEGLabelmap {
		segments = 1
	}
	area := e.grid.Size[0] * e.grid.Size[1]
	for n := range segments {
		for _, k := range e.planes {
			if v := planes[k].values[n]; v != nil {
				e.add(outFrame{n, k}, v, area)
			}
		}
	}
	return nil
}

// fractions are the fields of option Fraction; nil where a mask stands for it.
func (e *segEncoder) fractions() ([][]float32, error) {
	out := make([][]float32, len(e.segs.Of))
	if e.opt.Type != SEGFractional || e.opt.Fraction == nil {
		return out, nil
	}
	for n, l := range e.segs.Of {
		f := e.opt.Fraction(l)
		if f != nil && len(f) != len(e.segs.Bits) {
			return nil, segError("", "option Fraction gives %d values for %d voxels", len(f), len(e.segs.Bits))
		}
		out[n] = f
	}
	return out, nil
}

// lost refuses masks with voxels beyond the series.
func (e *segEncoder) lost(inside int) error {
	if p := e.place; p.reorder.Identity() && p.shift == [3]int{} && e.segs.Grid.Size == e.grid.Size {
		return nil
	}
	all, total := e.used(), 0
	for _, b := range e.segs.Bits {
		if b&all != 0 {
			total++
		}
	}
	if total > inside {
		return segError("", "%d voxels of the masks lie outside the series; crop them first", total-inside)
	}
	return nil
}

// used are the bits that stand for a structure.
func (e *segEncoder) used() uint32 { return uint32(1)<<len(e.segs.Of) - 1 }

// outPlane is one plane of the series: its voxels for each segment, nil without
// content; one for all in a label map.
type outPlane struct {
	values [][]byte
	voxels int // in any structure
	any    bool
	over   bool // structures share voxels
}

// gather takes the mask bits of plane k.
func (p *outPlane) gather(e *segEncoder, from *latticeMap, k int) []uint32 {
	nx, ny, all := e.grid.Size[0], e.grid.Size[1], e.used()
	out := make([]uint32, nx*ny)
	for j := range ny {
		row := from.row(j, k)
		at := row.base + row.lo*row.step
		for i := row.lo; i < row.hi; i++ {
			b := e.segs.Bits[at] & all
			at += row.step
			if b == 0 {
				continue
			}
			out[j*nx+i] = b
			p.voxels++
			p.over = p.over || b&(b-1) != 0
		}
	}
	p.values = make([][]byte, max(1, len(e.segs.Of)))
	return out
}

// pack makes frames of bits: eight voxels a byte, the first in the lowest bit
// (PS3.5 annex D).
func (p *outPlane) pack(bits []uint32, segments int) {
	var eight [8]uint32
	for at := 0; at < len(bits); at += 8 {
		eight = [8]uint32{}
		copy(eight[:], bits[at:])
		or, and := uint32(0), ^uint32(0)
		for _, b := range eight {
			or, and = or|b, and&b
		}
		for ; or != 0; or &= or - 1 {
			n := mathbits.TrailingZeros32(or)
			if p.values[n] == nil {
				p.values[n], p.any = make([]byte, (len(bits)+7)/8), true
			}
			if and>>n&1 != 0 {
				p.values[n][at>>3] = 0xff
				continue
			}
			var v uint32
			for q, b := range eight {
				v |= b >> n & 1 << q
			}
			p.values[n][at>>3] = byte(v)
		}
	}
}

// label makes the plane of a label map; the segment numbers start at 1.
func (p *outPlane) label(e *segEncoder, bits []uint32, from *latticeMap, k int) error {
	for at, b := range bits {
		if b == 0 {
			continue
		}
		if p.values[0] == nil {
			p.values[0], p.any = make([]byte, len(bits)), true
		}
		n := mathbits.TrailingZeros32(b)
		if rest := b & (b - 1); rest != 0 {
			nx := e.grid.Size[0]
			row := from.row(at/nx, k)
			x, y, z := e.segs.Grid.IJK(row.at(at % nx))
			return &OverlapError{e.segs.Of[n], e.segs.Of[mathbits.TrailingZeros32(rest)], [3]int{x, y, z}}
		}
		p.values[0][at] = byte(n + 1)
	}
	return nil
}

// weigh makes frames of fractions, a byte a voxel.
func (p *outPlane) weigh(e *segEncoder, bits []uint32, fractions [][]float32, from *latticeMap, k int) {
	put := func(n, at int, v byte) {
		if p.values[n] == nil {
			p.values[n], p.any = make([]byte, len(bits)), true
		}
		p.values[n][at] = v
	}
	masks := uint32(0)
	for n, f := range fractions {
		if f == nil {
			masks |= 1 << n
			continue
		}
		nx := e.grid.Size[0]
		for j := range e.grid.Size[1] {
			row := from.row(j, k)
			for i := row.lo; i < row.hi; i++ {
				if x := math.Round(255 * float64(f[row.at(i)])); x >= 1 {
					put(n, j*nx+i, byte(min(x, 255)))
				}
			}
		}
	}
	for at, b := range bits {
		for b &= masks; b != 0; b &= b - 1 {
			put(mathbits.TrailingZeros32(b), at, 255)
		}
	}
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
