package series

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// Bounds of what ReadSEG accepts; far above any real object.
const (
	maxFrames   = 1 << 20
	maxSegments = 1 << 16
	maxUnpacked = 2 << 30 // bytes of decompressed frames
)

// ReadSEG reads a segmentation object (PS3.3 A.51, A.92 of Supplement 243):
// binary, fractional or label map, native or with frames compressed by RLE or
// deflate. size is its length in bytes or -1.
//
// Errors: those of dicomfile.Read, *ObjectError when the object is none or its
// parts contradict each other, *UnsupportedSyntaxError for other compressions.
func ReadSEG(r io.Reader, size int64, lim dicomfile.Limits) (*SEG, error) {
	d, err := dicomfile.Read(r, size, structureLimits(lim))
	if err != nil {
		return nil, fmt.Errorf("series: segmentation: %w", err)
	}
	return newSEG(d)
}

// ReadSEGFile is ReadSEG for a file. Errors name its base name.
func ReadSEGFile(path string, lim dicomfile.Limits) (*SEG, error) {
	return readObjectFile(path, func(r io.Reader, size int64) (*SEG, error) { return ReadSEG(r, size, lim) })
}

func readObjectFile[T any](path string, read func(io.Reader, int64) (*T, error)) (*T, error) {
	f, err := os.Open(path)
	if err != nil {
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: the file cannot be read", filepath.Base(path))
	}
	out, err := read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return out, nil
}

func newSEG(d *dicomfile.Dataset) (*SEG, error) {
	class, _ := d.String(dicomfile.SOPClassUID)
	if class != dicomfile.SegmentationStorage && class != dicomfile.LabelMapSegmentationStorage {
		return nil, segError("", "the object is of another kind (SOP class %s)", kindOfClass(class))
	}
	s := &SEG{MaxFraction: 1, references: newReferences(), background: -1}
	s.ID.StudyInstanceUID, _ = d.String(dicomfile.StudyInstanceUID)
	s.ID.SeriesInstanceUID, _ = d.String(dicomfile.SeriesInstanceUID)
	s.ID.Modality, _ = d.String(dicomfile.Modality)
	s.frame, _ = d.String(dicomfile.FrameOfReferenceUID)
	if d.Has(dicomfile.ConcatenationUID) {
		return nil, segError("", "it is one part of a concatenation: join the parts first")
	}
	for _, step := range []func(*dicomfile.Dataset) error{s.readType, s.readSegments, s.readReferences, s.readFrames} {
		if err := step(d); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// kindOfClass gives the UID of a SOP class when it is a standard one.
func kindOfClass(uid string) string {
	if uid == "" {
		return "not given"
	}
	if len(uid) < 64 && len(uid) > 14 && uid[:14] == "1.2.840.10008." {
		return uid
	}
	return "private"
}

// readType reads what the sample values mean.
func (s *SEG) readType(d *dicomfile.Dataset) error {
	name, _ := d.String(dicomfile.SegmentationType)
	bits, ok := d.Int(dicomfile.BitsAllocated)
	if !ok {
		return segError("", "BitsAllocated is missing")
	}
	fits := bits == 8
	switch name {
	case "BINARY":
		s.Type, fits = SEGBinary, bits == 1
	case "FRACTIONAL":
		s.Type = SEGFractional
		s.FractionalType, _ = d.String(dicomfile.SegmentationFractionalType)
		if s.FractionalType != "PROBABILITY" && s.FractionalType != "OCCUPANCY" {
			return segError("", "SegmentationFractionalType is neither PROBABILITY nor OCCUPANCY")
		}
		if s.MaxFraction, ok = d.Int(dicomfile.MaximumFractionalValue); !ok || s.MaxFraction < 1 || s.MaxFraction > 255 {
			return segError("", "MaximumFractionalValue is not in 1…255")
		}
	case "LABELMAP":
		s.Type, fits = SEGLabelmap, bits == 8 || bits == 16
		if v, ok := d.Int(dicomfile.PixelPaddingValue); ok {
			s.background = v & 0xffff
		}
	default:
		return segError("", "SegmentationType is not BINARY, FRACTIONAL or LABELMAP")
	}
	if !fits {
		return segError("", "%d bits allocated do not fit a %v segmentation", bits, s.Type)
	}
	if n, ok := d.Int(dicomfile.SamplesPerPixel); ok && n != 1 {
		return segError("", "%d samples per pixel", n)
	}
	if stored, ok := d.Int(dicomfile.BitsStored); ok && stored != bits {
		return segError("", "BitsStored %d differs from BitsAllocated %d", stored, bits)
	}
	return nil
}

// readCodes are the codes of a code sequence (PS3.3 table 8.8-1).
func readCodes(d *dicomfile.Dataset, t dicomfile.Tag) []imaging.Code {
	var out []imaging.Code
	for _, item := range d.Items(t) {
		var c imaging.Code
		for _, v := range []dicomfile.Tag{dicomfile.CodeValue, dicomfile.LongCodeValue, dicomfile.URNCodeValue} {
			if c.Value == "" {
				c.Value, _ = item.String(v)
			}
		}
		c.Scheme, _ = item.String(dicomfile.CodingSchemeDesignator)
		c.Meaning, _ = item.String(dicomfile.CodeMeaning)
		out = append(out, c)
	}
	return out
}

func firstCode(list []imaging.Code) imaging.Code {
	if len(list) == 0 {
		return imaging.Code{}
	}
	return list[0]
}

// segmentDataset reads and segmentItem writes the same attributes.
func segmentDataset(item *dicomfile.Dataset) SEGSegment {
	var g SEGSegment
	g.Label, _ = item.String(dicomfile.SegmentLabel)
	g.Description, _ = item.String(dicomfile.SegmentDescription)
	g.AlgorithmType, _ = item.String(dicomfile.SegmentAlgorithmType)
	g.AlgorithmName, _ = item.String(dicomfile.SegmentAlgorithmName)
	g.TrackingID, _ = item.String(dicomfile.TrackingID)
	g.TrackingUID, _ = item.String(dicomfile.TrackingUID)
	g.Category = firstCode(readCodes(item, dicomfile.SegmentedPropertyCategoryCodeSequence))
	g.Type = firstCode(readCodes(item, dicomfile.SegmentedPropertyTypeCodeSequence))
	if types := item.Items(dicomfile.SegmentedPropertyTypeCodeSequence); len(types) > 0 {
		g.TypeModifiers = readCodes(types[0], dicomfile.SegmentedPropertyTypeModifierCodeSequence)
	}
	g.Region = firstCode(readCodes(item, dicomfile.AnatomicRegionSequence))
	if regions := item.Items(dicomfile.AnatomicRegionSequence); len(regions) > 0 {
		g.RegionModifiers = readCodes(regions[0], dicomfile.AnatomicRegionModifierSequence)
	}
	if lab, ok := item.Ints(dicomfile.RecommendedDisplayCIELabValue); ok && len(lab) == 3 {
		g.HasColour = true
		for n, v := range lab {
			g.CIELab[n] = uint16(v)
		}
	}
	return g
}

func (s *SEG) readSegments(d *dicomfile.Dataset) error {
	items := d.Items(dicomfile.SegmentSequence)
	if len(items) == 0 || len(items) > maxSegments {
		return segError("", "%d segments; 1 to %d are possible", len(items), maxSegments)
	}
	seen := map[int]bool{}
	for n, item := range items {
		g := segmentDataset(item)
		where := fmt.Sprintf("segment %d of the list", n+1)
		var ok bool
		if g.Number, ok = item.Int(dicomfile.SegmentNumber); !ok || g.Number < 0 || g.Number > 65535 {
			return segError(where, "SegmentNumber is missing or no number")
		}
		if seen[g.Number] {
			return segError(where, "number %d stands there twice", g.Number)
		}
		seen[g.Number] = true
		g.Background = s.Type == SEGLabelmap && (g.Number == s.background || g.Type.Same(backgroundCode))
		s.Segments = append(s.Segments, g)
	}
	if s.Type == SEGLabelmap && s.background < 0 && !seen[0] {
		s.background = 0
	}
	return nil
}

func (s *SEG) readReferences(d *dicomfile.Dataset) error {
	for _, ref := range d.Items(dicomfile.ReferencedSeriesSequence) {
		uid, _ := ref.String(dicomfile.SeriesInstanceUID)
		s.references.addSeries(uid)
		for _, item := range ref.Items(dicomfile.ReferencedInstanceSequence) {
			s.references.addInstance(item)
		}
	}
	return nil
}

// frameBytes cuts the pixel data into frames: the bytes of each, and for
// packed bits the first bit. Packed frames of native pixel data follow each
// other without padding (PS3.5 section 8.1.1, annex D); compressed ones start
// on a byte.
func (s *SEG) frameBytes(d *dicomfile.Dataset, frames, area int) ([]segFrame, error) {
	out := make([]segFrame, 0, min(frames, 1<<16))
	bits, _ := d.Int(dicomfile.BitsAllocated)
	size := (area*bits + 7) / 8
	if native, ok := d.PixelBytes(); ok {
		if have, want := int64(len(native))*8, int64(frames)*int64(area)*int64(bits); have < want {
			return nil, segError("", "%d bits of pixels, %d frames need %d: the file is truncated", have, frames, want)
		}
		for n := range frames {
			if bits == 1 {
				out = append(out, segFrame{bits: n * area, data: native})
			} else {
				out = append(out, segFrame{data: native[n*size : (n+1)*size]})
			}
		}
		return out, nil
	}
	if !d.Encapsulated() {
		return nil, segError("", "PixelData is missing")
	}
	var decode func(src []byte, size int) ([]byte, error)
	switch syntax := d.TransferSyntax(); syntax {
	case dicomfile.RLELossless:
		decode = func(src []byte, size int) ([]byte, error) { return unRLE(src, size, max(1, bits/8)) }
	case dicomfile.DeflatedImageFrame:
		decode = inflateFrame
	default:
		return nil, unsupportedSyntax("the segmentation", syntax)
	}
	fragments := d.Fragments()
	if len(fragments) != frames {
		return nil, segError("", "%d compressed fragments for %d frames; this compression has one for each", len(fragments), frames)
	}
	if int64(frames)*int64(size) > maxUnpacked {
		return nil, segError("", "%d frames of %d bytes are more than %d MiB", frames, size, maxUnpacked>>20)
	}
	for n, src := range fragments {
		b, err := decode(src, size)
		if err != nil {
			return nil, segError(fmt.Sprintf("frame %d", n+1), "%v", err)
		}
		out = append(out, segFrame{data: b})
	}
	return out, nil
}

func inflateFrame(src []byte, size int) ([]byte, error) {
	r := flate.NewReader(bytes.NewReader(src))
	defer r.Close()
	var out bytes.Buffer
	if n, err := io.CopyN(&out, r, int64(size)); err != nil {
		return nil, fmt.Errorf("%d of %d bytes after inflating: the file is damaged", n, size)
	}
	return out.Bytes(), nil
}

// readFrames places the frames on a lattice.
func (s *SEG) readFrames(d *dicomfile.Dataset) error {
	rows, ok1 := d.Int(dicomfile.Rows)
	cols, ok2 := d.Int(dicomfile.Columns)
	if !ok1 || !ok2 || rows < 1 || cols < 1 {
		return segError("", "Rows or Columns is missing or zero")
	}
	groups := d.Items(dicomfile.PerFrameFunctionalGroups)
	frames, ok := d.Int(dicomfile.NumberOfFrames)
	if !ok {
		var err error
		if frames, err = s.framesByPixels(d, rows*cols); err != nil {
			return err
		}
		if len(groups) > frames {
			s.Notes = append(s.Notes, fmt.Sprintf("%d per-frame items for that one frame; the first counts", len(groups)))
			groups = groups[:frames]
		}
	}
	if frames < 1 || frames > maxFrames || frames != len(groups) {
		return segError("", "NumberOfFrames is %d, and %d per-frame items are there", frames, len(groups))
	}
	var shared *dicomfile.Dataset
	if list := d.Items(dicomfile.SharedFunctionalGroups); len(list) > 0 {
		shared = list[0]
	}
	places := make([]framePlace, frames)
	for n, g := range groups {
		if err := places[n].read(g, shared, n); err != nil {
			return err
		}
		s.readSources(g)
	}
	if shared != nil {
		s.readSources(shared)
	}
	var err error
	if s.frames, err = s.frameBytes(d, frames, rows*cols); err != nil {
		return err
	}
	planes, err := s.lattice(places, cols, rows)
	if err != nil {
		return err
	}
	for n := range s.frames {
		s.frames[n].plane = planes[n]
	}
	return s.assign(groups, shared)
}

// framesByPixels is for an object without NumberOfFrames: one frame, when the
// pixels hold exactly one.
func (s *SEG) framesByPixels(d *dicomfile.Dataset, area int) (int, error) {
	bits, _ := d.Int(dicomfile.BitsAllocated)
	size := (area*bits + 7) / 8
	native, ok := d.PixelBytes()
	switch {
	case ok && len(native) != size+size&1 && len(native) != size:
		return 0, segError("", "NumberOfFrames is missing, and %d bytes of pixels are not the %d of one frame", len(native), size)
	case !ok && len(d.Fragments()) != 1:
		return 0, segError("", "NumberOfFrames is missing, and %d compressed fragments are not one frame", len(d.Fragments()))
	}
	s.Notes = append(s.Notes, "NumberOfFrames is missing; the pixels are those of one frame")
	return 1, nil
}

// readSources notes the images that a frame is derived from.
func (s *SEG) readSources(g *dicomfile.Dataset) {
	for _, item := range g.Items(dicomfile.DerivationImageSequence) {
		for _, src := range item.Items(dicomfile.SourceImageSequence) {
			s.references.addInstance(src)
		}
	}
}

// assign gives each frame to its segment.
func (s *SEG) assign(groups []*dicomfile.Dataset, shared *dicomfile.Dataset) error {
	if s.Type == SEGLabelmap {
		all := make([]int32, len(s.frames))
		used := map[int]bool{}
		for n := range all {
			all[n] = int32(n)
			if used[s.frames[n].plane] {
				return segError(fmt.Sprintf("frame %d", n+1), "another frame of the label map lies on the same plane")
			}
			used[s.frames[n].plane] = true
		}
		s.of = [][]int32{all}
		return nil
	}
	index := map[int]int{}
	for n, g := range s.Segments {
		index[g.Number] = n
	}
	s.of = make([][]int32, len(s.Segments))
	twice, taken := 0, map[[2]int]bool{}
	for n, g := range groups {
		number, ok := 0, false
		for _, from := range []*dicomfile.Dataset{g, shared} {
			if from == nil || ok {
				continue
			}
			if id := from.Items(dicomfile.SegmentIdentificationSequence); len(id) > 0 {
				number, ok = id[0].Int(dicomfile.ReferencedSegmentNumber)
			}
		}
		where := fmt.Sprintf("frame %d", n+1)
		if !ok {
			return segError(where, "it names no segment")
		}
		at, ok := index[number]
		if !ok {
			return segError(where, "it belongs to segment %d, which is not listed", number)
		}
		key := [2]int{at, s.frames[n].plane}
		if taken[key] {
			twice++
		}
		taken[key] = true
		s.of[at] = append(s.of[at], int32(n))
	}
	if twice > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d frames lie where the same segment has one already; they are united", twice))
	}
	return nil
}
