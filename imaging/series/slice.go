package series

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// slice is what is kept of one image file: everything but the pixels.
type slice struct {
	file     string               // path in the file system
	instance string               // SOPInstanceUID
	class    string               // SOPClassUID
	patient  [2][sha256.Size]byte // digests of PatientID and PatientName, to compare
	frame    string               // FrameOfReferenceUID
	local    bool                 // a localiser

	size     [2]int // columns, rows
	position r3.Vec
	row, col r3.Vec     // unit vectors
	spacing  [2]float64 // between columns, between rows; mm
	kind     imaging.Kind
	pixels   pixels
	digest   [sha256.Size]byte // of the pixel bytes

	along float64 // projection of position on the stack's normal, mm
	err   error   // why this file cannot be part of a volume
}

// pixels says how stored values are packed and what they mean.
type pixels struct {
	bytes            int // per pixel, 1 or 2
	shift, stored    uint
	signed           bool
	slope, intercept float64
	padded           bool
	padLo, padHi     int // stored values that are padding, when padded
	padFill          int // stored value they are read as
}

func (s *slice) base() string { return path.Base(s.file) }

// Tolerances on what a header may say. Scanners write direction cosines with
// six decimals or more.
const (
	unitTol       = 1e-3  // length of a direction cosine triple
	orthogonalTol = 1e-3  // cosine between row and column
	minSpacingMM  = 1e-4  // between pixels
	maxSpacingMM  = 100.0 // between pixels
	maxPositionMM = 1e6
)

// newSlice takes over the header of an image. A header that cannot place a
// slice is kept as s.err, so that the series it belongs to is refused.
func newSlice(file string, d *dicomfile.Dataset, readErr error) *slice {
	s := &slice{file: file}
	s.instance, _ = d.String(dicomfile.SOPInstanceUID)
	s.class, _ = d.String(dicomfile.SOPClassUID)
	for n, t := range []dicomfile.Tag{dicomfile.PatientID, dicomfile.PatientName} {
		v, _ := d.String(t)
		s.patient[n] = sha256.Sum256([]byte(v))
	}
	s.frame, _ = d.String(dicomfile.FrameOfReferenceUID)
	for n, v := range d.Strings(dicomfile.ImageType) {
		s.local = s.local || n >= 2 && strings.EqualFold(v, "LOCALIZER")
	}
	if short, ok := errors.AsType[*dicomfile.TruncatedError](readErr); ok {
		s.err = &TruncatedError{s.base(), short.Want, short.Have}
		return s
	}
	for _, step := range []func(*dicomfile.Dataset) error{s.readFrames, s.readPixelForm, s.readGeometry, s.readRescale} {
		if s.err = step(d); s.err != nil {
			return s
		}
	}
	b, _ := d.PixelBytes()
	s.digest = sha256.Sum256(b)
	return s
}

func (s *slice) attribute(t dicomfile.Tag, format string, args ...any) error {
	return &AttributeError{t.Name(), s.base(), fmt.Sprintf(format, args...)}
}

func (s *slice) readFrames(d *dicomfile.Dataset) error {
	frames := 1
	if n, ok := d.Int(dicomfile.NumberOfFrames); ok {
		frames = n
	}
	enhanced := d.Has(dicomfile.SharedFunctionalGroups)
	switch class, _ := d.String(dicomfile.SOPClassUID); class {
	case dicomfile.EnhancedCTStorage, dicomfile.LegacyEnhancedCT, dicomfile.EnhancedMRStorage,
		dicomfile.LegacyEnhancedMR, dicomfile.EnhancedPETStorage, dicomfile.LegacyEnhancedPET:
		enhanced = true
	}
	if frames != 1 || enhanced {
		return &MultiFrameError{s.base(), frames}
	}
	if d.Encapsulated() {
		return unsupportedSyntax(s.base(), d.TransferSyntax())
	}
	return nil
}

// unsupportedSyntax names the tool for a compressed transfer syntax (PS3.5
// annex A.4, PS3.6 annex A).
func unsupportedSyntax(file, uid string) error {
	e := &UnsupportedSyntaxError{file, uid, "unknown compression", "gdcmconv --raw IN OUT (libgdcm-tools)"}
	switch rest, _ := strings.CutPrefix(uid, "1.2.840.10008.1.2."); rest {
	case "5":
		e.Name, e.Remedy = "RLE lossless", "dcmdrle IN OUT (dcmtk)"
	case "4.50", "4.51", "4.53", "4.55", "4.57", "4.70":
		e.Name, e.Remedy = "JPEG", "dcmdjpeg IN OUT (dcmtk)"
	case "4.80", "4.81":
		e.Name, e.Remedy = "JPEG-LS", "dcmdjpls IN OUT (dcmtk)"
	case "4.90", "4.91", "4.92", "4.93":
		e.Name = "JPEG 2000"
	case "4.201", "4.202", "4.203":
		e.Name, e.Remedy = "High-Throughput JPEG 2000", "ask the sender for explicit VR little endian"
	case "4.100", "4.101", "4.102", "4.103", "4.104", "4.105", "4.106", "4.107", "4.108":
		e.Name, e.Remedy = "video", "ask the sender for single images"
	}
	return e
}

func (s *slice) readPixelForm(d *dicomfile.Dataset) error {
	b, ok := d.PixelBytes()
	if !ok {
		return s.attribute(dicomfile.PixelData, "is missing")
	}
	want := func(t dicomfile.Tag) (int, error) {
		n, ok := d.Int(t)
		if !ok {
			return 0, s.attribute(t, "is missing")
		}
		return n, nil
	}
	var v [6]int
	for n, t := range []dicomfile.Tag{dicomfile.Columns, dicomfile.Rows, dicomfile.BitsAllocated,
		dicomfile.BitsStored, dicomfile.HighBit, dicomfile.PixelRepresentation} {
		var err error
		if v[n], err = want(t); err != nil {
			return err
		}
	}
	cols, rows, allocated, stored, high, rep := v[0], v[1], v[2], v[3], v[4], v[5]
	samples := 1
	if n, ok := d.Int(dicomfile.SamplesPerPixel); ok {
		samples = n
	}
	photometric, _ := d.String(dicomfile.PhotometricInterpretation)
	refuse := func(format string, args ...any) error {
		return &UnsupportedPixelError{s.base(), fmt.Sprintf(format, args...)}
	}
	switch {
	case cols < 1 || rows < 1:
		return refuse("image of %d×%d pixels; fetch the file again", cols, rows)
	case photometric == "MONOCHROME1":
		return refuse("MONOCHROME1 (inverted grey) is not read; invert it to MONOCHROME2 first")
	case samples != 1 || photometric != "MONOCHROME2":
		return refuse("%d samples per pixel, not MONOCHROME2: a screenshot or colour image is no slice; leave it out", samples)
	case allocated != 8 && allocated != 16:
		return refuse("%d bits allocated, 8 or 16 are read; convert it first", allocated)
	case stored < 1 || stored > allocated || high < stored-1 || high >= allocated:
		return refuse("BitsStored %d and HighBit %d do not fit %d bits; fetch the file again", stored, high, allocated)
	case rep != 0 && rep != 1:
		return refuse("PixelRepresentation %d, 0 or 1 are defined; fetch the file again", rep)
	}
	s.size = [2]int{cols, rows}
	s.pixels = pixels{bytes: allocated / 8, shift: uint(high + 1 - stored), stored: uint(stored), signed: rep == 1}
	if need := cols * rows * s.pixels.bytes; len(b) < need {
		return &TruncatedError{s.base(), int64(need), int64(len(b))}
	}
	return nil
}

func (s *slice) readGeometry(d *dicomfile.Dataset) error {
	if s.local {
		return nil // left out of the stack, wherever it lies
	}
	numbers := func(t dicomfile.Tag, want int) ([]float64, error) {
		if len(d.Strings(t)) == 0 {
			return nil, s.attribute(t, "is missing")
		}
		v, ok := d.Floats(t)
		if !ok {
			return nil, s.attribute(t, "is not a list of numbers")
		}
		if len(v) != want {
			return nil, s.attribute(t, "has %d values, %d are needed", len(v), want)
		}
		return v, nil
	}
	p, err := numbers(dicomfile.ImagePositionPatient, 3)
	if err != nil {
		return err
	}
	s.position = r3.Vec{X: p[0], Y: p[1], Z: p[2]}
	if r3.Norm(s.position) > maxPositionMM {
		return s.attribute(dicomfile.ImagePositionPatient, "is more than a kilometre away")
	}
	o, err := numbers(dicomfile.ImageOrientationPatient, 6)
	if err != nil {
		return err
	}
	row, col := r3.Vec{X: o[0], Y: o[1], Z: o[2]}, r3.Vec{X: o[3], Y: o[4], Z: o[5]}
	if math.Abs(r3.Norm(row)-1) > unitTol || math.Abs(r3.Norm(col)-1) > unitTol {
		return s.attribute(dicomfile.ImageOrientationPatient, "is not made of unit vectors")
	}
	if math.Abs(r3.Dot(row, col)) > orthogonalTol {
		return s.attribute(dicomfile.ImageOrientationPatient, "is not orthogonal")
	}
	s.row = r3.Unit(row)
	s.col = r3.Unit(r3.Sub(col, r3.Scale(r3.Dot(col, s.row), s.row)))
	// PixelSpacing is row spacing first (PS3.3 10.7.1.3).
	sp, err := numbers(dicomfile.PixelSpacing, 2)
	if err != nil {
		return err
	}
	s.spacing = [2]float64{sp[1], sp[0]}
	for _, v := range sp {
		if !(v >= minSpacingMM && v <= maxSpacingMM) {
			return s.attribute(dicomfile.PixelSpacing, "is %g mm", v)
		}
	}
	return nil
}

// airHU is what pixel padding below it is read as.
const airHU = -1024

func (s *slice) readRescale(d *dicomfile.Dataset) error {
	modality, _ := d.String(dicomfile.Modality)
	class, _ := d.String(dicomfile.SOPClassUID)
	unit, hasUnit := d.String(dicomfile.RescaleType)
	switch {
	case modality == "CT" || class == dicomfile.CTImageStorage:
		if s.kind = imaging.KindHU; hasUnit && unit != "HU" {
			s.kind = imaging.KindUnknown
		}
	case modality == "MR":
		s.kind = imaging.KindMR
	}
	p := &s.pixels
	p.slope, p.intercept = 1, 0
	for _, a := range []struct {
		tag dicomfile.Tag
		dst *float64
	}{{dicomfile.RescaleSlope, &p.slope}, {dicomfile.RescaleIntercept, &p.intercept}} {
		if len(d.Strings(a.tag)) == 0 {
			if s.kind == imaging.KindHU {
				return &RescaleError{s.base(), a.tag.Name() + " is missing, so its values are not known to be HU"}
			}
			continue
		}
		v, ok := d.Float(a.tag)
		if !ok || math.Abs(v) > 1e9 {
			return &RescaleError{s.base(), a.tag.Name() + " is not a usable number"}
		}
		*a.dst = v
	}
	if p.slope == 0 {
		return &RescaleError{s.base(), "RescaleSlope is 0, all values would be the same"}
	}
	p.readPadding(d, s.kind)
	return nil
}

// readPadding notes stored values that stand for "no measurement" (PS3.3
// C.7.5.1.1.2) where they would pass for something thinner than air.
func (p *pixels) readPadding(d *dicomfile.Dataset, kind imaging.Kind) {
	lo, ok := d.Int(dicomfile.PixelPaddingValue)
	if !ok || kind != imaging.KindHU || p.slope <= 0 {
		return
	}
	hi := lo
	if n, ok := d.Int(dicomfile.PixelPaddingRangeLimit); ok {
		hi = n
	}
	if p.signed {
		lo, hi = int(int16(lo)), int(int16(hi))
	}
	lo, hi = min(lo, hi), max(lo, hi)
	fill := math.Ceil((airHU - p.intercept) / p.slope)
	top := float64(math.MaxUint16)
	if p.signed {
		top = math.MaxInt16
	}
	if p.slope*float64(hi)+p.intercept >= airHU || fill > top {
		return
	}
	p.padded, p.padLo, p.padHi, p.padFill = true, lo, hi, int(fill)
}
