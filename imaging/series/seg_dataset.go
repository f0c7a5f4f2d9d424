package series

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/dicomfile"
)

// builder sets attributes and keeps the first error.
type builder struct {
	*dicomfile.Dataset
	err error
}

func newItem() *builder { return &builder{Dataset: dicomfile.New()} }

func (b *builder) set(t dicomfile.Tag, values ...any) {
	if err := b.Set(t, values...); err != nil && b.err == nil {
		b.err = err
	}
}

// nest puts an item into a sequence.
func (b *builder) nest(t dicomfile.Tag, items ...*builder) {
	list := make([]*dicomfile.Dataset, len(items))
	for n, item := range items {
		list[n] = item.Dataset
		b.err = errors.Join(b.err, item.err)
	}
	b.set(t, list)
}

func codeItem(c imaging.Code) *builder {
	b := newItem()
	switch {
	case len(c.Value) > 16:
		b.set(dicomfile.LongCodeValue, c.Value)
	default:
		b.set(dicomfile.CodeValue, c.Value)
	}
	b.set(dicomfile.CodingSchemeDesignator, c.Scheme)
	b.set(dicomfile.CodeMeaning, c.Meaning)
	return b
}

func codeItems(list []imaging.Code) []*builder {
	out := make([]*builder, len(list))
	for n, c := range list {
		out[n] = codeItem(c)
	}
	return out
}

// segmentItem is the description of a segment (PS3.3 table C.8.20-4).
func segmentItem(g SEGSegment) *builder {
	b := newItem()
	b.set(dicomfile.SegmentNumber, g.Number)
	b.set(dicomfile.SegmentLabel, g.Label)
	if g.Description != "" {
		b.set(dicomfile.SegmentDescription, g.Description)
	}
	b.set(dicomfile.SegmentAlgorithmType, g.AlgorithmType)
	if g.AlgorithmName != "" {
		b.set(dicomfile.SegmentAlgorithmName, g.AlgorithmName)
	}
	b.nest(dicomfile.SegmentedPropertyCategoryCodeSequence, codeItem(g.Category))
	typ := codeItem(g.Type)
	if len(g.TypeModifiers) > 0 {
		typ.nest(dicomfile.SegmentedPropertyTypeModifierCodeSequence, codeItems(g.TypeModifiers)...)
	}
	b.nest(dicomfile.SegmentedPropertyTypeCodeSequence, typ)
	if g.Region.Value != "" {
		region := codeItem(g.Region)
		if len(g.RegionModifiers) > 0 {
			region.nest(dicomfile.AnatomicRegionModifierSequence, codeItems(g.RegionModifiers)...)
		}
		b.nest(dicomfile.AnatomicRegionSequence, region)
	}
	if g.HasColour {
		b.set(dicomfile.RecommendedDisplayCIELabValue, int(g.CIELab[0]), int(g.CIELab[1]), int(g.CIELab[2]))
	}
	if g.TrackingID != "" && g.TrackingUID != "" {
		b.set(dicomfile.TrackingID, g.TrackingID)
		b.set(dicomfile.TrackingUID, g.TrackingUID)
	}
	return b
}

// copied are the attributes of patient and study that the object shares with
// its series; those of type 2 stand there even when empty.
var copied = []struct {
	tag      dicomfile.Tag
	optional bool
}{
	{dicomfile.PatientName, false}, {dicomfile.PatientID, false}, {dicomfile.PatientBirthDate, false}, {dicomfile.PatientSex, false},
	{dicomfile.PatientAge, true}, {dicomfile.PatientIdentityRemoved, true}, {dicomfile.DeidentificationMethod, true},
	{dicomfile.StudyDate, false}, {dicomfile.StudyTime, false}, {dicomfile.AccessionNumber, false},
	{dicomfile.ReferringPhysicianName, false}, {dicomfile.StudyDescription, true}, {dicomfile.StudyID, false},
	{dicomfile.PositionReferenceIndicator, false},
}

// copyStudy takes over patient and study from an image of the series.
func (b *builder) copyStudy(from *dicomfile.Dataset) {
	for _, c := range copied {
		values := from.Strings(c.tag)
		if len(values) == 0 || b.Set(c.tag, values) != nil {
			if c.optional {
				continue
			}
			b.set(c.tag)
		}
	}
	uid, _ := from.String(dicomfile.StudyInstanceUID)
	b.set(dicomfile.StudyInstanceUID, uid)
}

// dateOr is a date or time of the study, or a fixed one: an object made from
// the same input must not carry the hour it was made.
func dateOr(from *dicomfile.Dataset, fallback string, tags ...dicomfile.Tag) string {
	for _, t := range tags {
		if v, ok := from.String(t); ok && dicomfile.New().Set(t, v) == nil {
			return v
		}
	}
	return fallback
}

// dataset is the object (PS3.3 A.51.3; Supplement 243 for a label map).
func (e *segEncoder) dataset() (*dicomfile.Dataset, error) {
	from, err := dicomfile.ReadFS(e.src.fsys, e.src.slices[0].file, e.src.limits)
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	list := e.describe()
	content := e.content(list)
	uid := func(role string) string {
		return dicomfile.HashUID(role, e.src.ID.SeriesInstanceUID, e.src.Digest(), content)
	}
	b := newItem()
	b.copyStudy(from)
	class := dicomfile.SegmentationStorage
	if e.opt.Type == SEGLabelmap {
		class = dicomfile.LabelMapSegmentationStorage
	}
	b.set(dicomfile.SOPClassUID, class)
	b.set(dicomfile.SOPInstanceUID, uid("segmentation"))
	b.set(dicomfile.SeriesInstanceUID, uid("segmentation series"))
	b.set(dicomfile.Modality, "SEG")
	b.set(dicomfile.SeriesNumber, e.opt.SeriesNumber)
	b.set(dicomfile.SeriesDescription, e.opt.SeriesDescription)
	date := dateOr(from, "19700101", dicomfile.StudyDate, dicomfile.SeriesDate, dicomfile.AcquisitionDate)
	clock := dateOr(from, "000000", dicomfile.StudyTime, dicomfile.SeriesTime, dicomfile.AcquisitionTime)
	for _, t := range []dicomfile.Tag{dicomfile.SeriesDate, dicomfile.ContentDate} {
		b.set(t, date)
	}
	for _, t := range []dicomfile.Tag{dicomfile.SeriesTime, dicomfile.ContentTime} {
		b.set(t, clock)
	}
	b.set(dicomfile.FrameOfReferenceUID, e.src.frameOrOwn())
	b.set(dicomfile.Manufacturer, "Halsted")
	b.set(dicomfile.ManufacturerModelName, "Halsted")
	b.set(dicomfile.DeviceSerialNumber, "0")
	b.set(dicomfile.SoftwareVersions, dicomfile.HalstedVersionName)
	b.set(dicomfile.ImageType, "DERIVED", "PRIMARY")
	b.set(dicomfile.InstanceNumber, 1)
	b.set(dicomfile.ContentLabel, "SEGMENTATION")
	b.set(dicomfile.ContentDescription, e.opt.SeriesDescription)
	if b.set(dicomfile.ContentCreatorName); e.opt.CreatorName != "" {
		b.set(dicomfile.ContentCreatorName, e.opt.CreatorName)
	}
	e.pixelModule(b, from)
	e.segmentModule(b, list)
	e.references(b)
	e.dimensions(b, uid("dimensions"))
	e.groups(b)
	if b.err != nil {
		return nil, segError("", "it cannot be written: %v", b.err)
	}
	return b.Dataset, nil
}

// frameOrOwn is the frame of reference of the series; a series without one
// gets a UID that follows from its own.
func (s *Series) frameOrOwn() string {
	if uid := s.frameUID(); uid != "" && dicomfile.New().Set(dicomfile.FrameOfReferenceUID, uid) == nil {
		return uid
	}
	return dicomfile.HashUID("frame of reference", s.ID.SeriesInstanceUID, s.Digest())
}

// pixelModule sets image pixel and segmentation image attributes.
func (e *segEncoder) pixelModule(b *builder, from *dicomfile.Dataset) {
	bits := 8
	if e.opt.Type == SEGBinary {
		bits = 1
	}
	b.set(dicomfile.SamplesPerPixel, 1)
	b.set(dicomfile.PhotometricInterpretation, "MONOCHROME2")
	b.set(dicomfile.NumberOfFrames, len(e.frames))
	b.set(dicomfile.Rows, e.grid.Size[1])
	b.set(dicomfile.Columns, e.grid.Size[0])
	b.set(dicomfile.BitsAllocated, bits)
	b.set(dicomfile.BitsStored, bits)
	b.set(dicomfile.HighBit, bits-1)
	b.set(dicomfile.PixelRepresentation, 0)
	lossy := "00"
	if v, ok := from.String(dicomfile.LossyImageCompression); ok && v == "01" {
		lossy = v
		for _, t := range []dicomfile.Tag{dicomfile.LossyImageCompressionRatio, dicomfile.LossyImageCompressionMethod} {
			if v := from.Strings(t); len(v) > 0 {
				b.set(t, v)
			}
		}
	}
	b.set(dicomfile.LossyImageCompression, lossy)
	b.set(dicomfile.SegmentationType, e.opt.Type.String())
	switch e.opt.Type {
	case SEGFractional:
		b.set(dicomfile.SegmentationFractionalType, e.opt.FractionalType)
		b.set(dicomfile.MaximumFractionalValue, 255)
	case SEGLabelmap:
		b.set(dicomfile.PixelPaddingValue, 0)
	}
	if !e.opt.RLE {
		b.set(dicomfile.PixelData, e.packed)
		return
	}
	area := e.grid.Size[0] * e.grid.Size[1]
	fragments := make([][]byte, len(e.frames))
	for n := range fragments {
		fragments[n] = packRLE(e.packed[n*area:(n+1)*area], 1, e.grid.Size[0])
	}
	b.SetFragments(dicomfile.RLELossless, fragments...)
}

// segmentModule lists the segments; a label map has its background first.
func (e *segEncoder) segmentModule(b *builder, list []SEGSegment) {
	var items []*builder
	overlap := "NO"
	if e.opt.Type == SEGLabelmap {
		items = append(items, segmentItem(SEGSegment{Label: "Background", AlgorithmType: e.opt.AlgorithmType, AlgorithmName: e.opt.AlgorithmName,
			Category: imaging.Code{Value: "309825002", Scheme: "SCT", Meaning: "Spatial and Relational Concept"}, Type: backgroundCode}))
	} else if e.over {
		overlap = "YES"
	}
	for _, g := range list {
		items = append(items, segmentItem(g))
	}
	b.set(dicomfile.SegmentsOverlap, overlap)
	b.nest(dicomfile.SegmentSequence, items...)
}

// instanceItem points to the image of a plane.
func (e *segEncoder) instanceItem(plane int) *builder {
	b := newItem()
	b.set(dicomfile.ReferencedSOPClassUID, e.src.slices[plane].class)
	b.set(dicomfile.ReferencedSOPInstanceUID, e.src.slices[plane].instance)
	return b
}

// refersTo reports whether the image of a plane can be named.
func (e *segEncoder) refersTo(plane int) bool {
	sl := e.src.slices[plane]
	return sl.instance != "" && sl.class != "" && e.instanceItem(plane).err == nil
}

// references is the Common Instance Reference module (PS3.3 C.12.2).
func (e *segEncoder) references(b *builder) {
	var items []*builder
	for _, k := range e.planes {
		if e.refersTo(k) {
			items = append(items, e.instanceItem(k))
		}
	}
	if len(items) == 0 {
		return
	}
	ref := newItem()
	ref.set(dicomfile.SeriesInstanceUID, e.src.ID.SeriesInstanceUID)
	ref.nest(dicomfile.ReferencedInstanceSequence, items...)
	b.nest(dicomfile.ReferencedSeriesSequence, ref)
}

// dimensions is the Multi-frame Dimension module (PS3.3 C.7.6.17): segment,
// then position; position alone in a label map.
func (e *segEncoder) dimensions(b *builder, organization string) {
	org := newItem()
	org.set(dicomfile.DimensionOrganizationUID, organization)
	b.nest(dicomfile.DimensionOrganizationSequence, org)
	index := func(pointer, group dicomfile.Tag, label string) *builder {
		item := newItem()
		item.set(dicomfile.DimensionOrganizationUID, organization)
		item.set(dicomfile.DimensionIndexPointer, int(pointer.Group), int(pointer.Element))
		item.set(dicomfile.FunctionalGroupPointer, int(group.Group), int(group.Element))
		item.set(dicomfile.DimensionDescriptionLabel, label)
		return item
	}
	items := []*builder{index(dicomfile.ImagePositionPatient, dicomfile.PlanePositionSequence, "Image Position (Patient)")}
	if e.opt.Type != SEGLabelmap {
		items = append([]*builder{index(dicomfile.ReferencedSegmentNumber, dicomfile.SegmentIdentificationSequence, "Segment Number")}, items...)
	}
	b.nest(dicomfile.DimensionIndexSequence, items...)
}

// groups are the shared and per-frame functional groups (PS3.3 A.51.5).
func (e *segEncoder) groups(b *builder) {
	sp := e.grid.SpacingMM()
	row, col := r3.Unit(e.grid.Axes[0]), r3.Unit(e.grid.Axes[1])
	measures, orientation, shared := newItem(), newItem(), newItem()
	measures.set(dicomfile.SliceThickness, sp[2])
	measures.set(dicomfile.SpacingBetweenSlices, sp[2])
	measures.set(dicomfile.PixelSpacing, sp[1], sp[0])
	orientation.set(dicomfile.ImageOrientationPatient, row.X, row.Y, row.Z, col.X, col.Y, col.Z)
	shared.nest(dicomfile.PlaneOrientationSequence, orientation)
	shared.nest(dicomfile.PixelMeasuresSequence, measures)
	b.nest(dicomfile.SharedFunctionalGroups, shared)
	ordinal := map[int]int{}
	for n, k := range e.planes {
		ordinal[k] = n + 1
	}
	items := make([]*builder, len(e.frames))
	for n, f := range e.frames {
		items[n] = e.frameGroups(f, ordinal[f.plane])
	}
	b.nest(dicomfile.PerFrameFunctionalGroups, items...)
}

func (e *segEncoder) frameGroups(f outFrame, ordinal int) *builder {
	content, position, out := newItem(), newItem(), newItem()
	at := e.grid.Point(0, 0, float64(f.plane))
	position.set(dicomfile.ImagePositionPatient, at.X, at.Y, at.Z)
	out.nest(dicomfile.PlanePositionSequence, position)
	if e.opt.Type == SEGLabelmap {
		content.set(dicomfile.DimensionIndexValues, ordinal)
	} else {
		content.set(dicomfile.DimensionIndexValues, f.segment+1, ordinal)
		segment := newItem()
		segment.set(dicomfile.ReferencedSegmentNumber, f.segment+1)
		out.nest(dicomfile.SegmentIdentificationSequence, segment)
	}
	out.nest(dicomfile.FrameContentSequence, content)
	if e.refersTo(f.plane) {
		source, derivation := e.instanceItem(f.plane), newItem()
		source.nest(dicomfile.PurposeOfReferenceCodeSequence, codeItem(imaging.Code{Value: "121322", Scheme: "DCM", Meaning: "Source image for image processing operation"}))
		source.set(dicomfile.SpatialLocationsPreserved, "YES")
		derivation.nest(dicomfile.SourceImageSequence, source)
		derivation.nest(dicomfile.DerivationCodeSequence, codeItem(imaging.Code{Value: "113076", Scheme: "DCM", Meaning: "Segmentation"}))
		out.nest(dicomfile.DerivationImageSequence, derivation)
	}
	return out
}
