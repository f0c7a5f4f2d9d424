package dicomfile

import (
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Tag names a DICOM attribute: (group,element), PS3.6.
type Tag struct{ Group, Element uint16 }

// String is the usual form, (0010,0020).
func (t Tag) String() string { return fmt.Sprintf("(%04x,%04x)", t.Group, t.Element) }

// Name is the attribute's keyword in the dictionary (PatientID), or its
// number for private and unknown tags.
func (t Tag) Name() string {
	if e, err := tag.Find(dictionary(t)); err == nil {
		return e.Keyword
	}
	return t.String()
}

// Private reports whether t belongs to a private (odd) group.
func (t Tag) Private() bool { return t.Group%2 == 1 }

func (t Tag) less(o Tag) bool {
	return t.Group < o.Group || t.Group == o.Group && t.Element < o.Element
}

// compare orders tags as PS3.5 section 7.1 wants elements ordered.
func (t Tag) compare(o Tag) int {
	switch {
	case t.less(o):
		return -1
	case o.less(t):
		return 1
	}
	return 0
}

// dictionary maps the repeating groups 50xx and 60xx to their first member
// (PS3.5 section 7.6).
func dictionary(t Tag) tag.Tag {
	if hi := t.Group & 0xff00; (hi == 0x5000 || hi == 0x6000) && t.Group%2 == 0 {
		t.Group = hi
	}
	return tag.Tag(t)
}

// dictionaryVR is the value representation of a standard attribute, the first
// one listed when the dictionary has several; "" when the tag is unknown.
func dictionaryVR(t Tag) string {
	e, err := tag.Find(dictionary(t))
	if err != nil || len(e.VRs) == 0 {
		return ""
	}
	return e.VRs[0]
}

// usOrSS reports an attribute that is unsigned or signed by the
// PixelRepresentation of its dataset.
func usOrSS(t Tag) bool {
	e, err := tag.Find(dictionary(t))
	return err == nil && len(e.VRs) >= 2 && e.VRs[0] == "US" && e.VRs[1] == "SS"
}

// The attributes this module reads or writes, by their PS3.6 keyword.
var (
	MediaStorageSOPClassUID    = Tag{0x0002, 0x0002}
	MediaStorageSOPInstanceUID = Tag{0x0002, 0x0003}
	TransferSyntaxUID          = Tag{0x0002, 0x0010}
	ImplementationClassUID     = Tag{0x0002, 0x0012}
	ImplementationVersionName  = Tag{0x0002, 0x0013}

	SpecificCharacterSet       = Tag{0x0008, 0x0005}
	ImageType                  = Tag{0x0008, 0x0008}
	InstanceCreationDate       = Tag{0x0008, 0x0012}
	InstanceCreationTime       = Tag{0x0008, 0x0013}
	SOPClassUID                = Tag{0x0008, 0x0016}
	SOPInstanceUID             = Tag{0x0008, 0x0018}
	StudyDate                  = Tag{0x0008, 0x0020}
	SeriesDate                 = Tag{0x0008, 0x0021}
	AcquisitionDate            = Tag{0x0008, 0x0022}
	ContentDate                = Tag{0x0008, 0x0023}
	StudyTime                  = Tag{0x0008, 0x0030}
	SeriesTime                 = Tag{0x0008, 0x0031}
	AcquisitionTime            = Tag{0x0008, 0x0032}
	ContentTime                = Tag{0x0008, 0x0033}
	AccessionNumber            = Tag{0x0008, 0x0050}
	Modality                   = Tag{0x0008, 0x0060}
	Manufacturer               = Tag{0x0008, 0x0070}
	InstitutionName            = Tag{0x0008, 0x0080}
	ReferringPhysicianName     = Tag{0x0008, 0x0090}
	CodeValue                  = Tag{0x0008, 0x0100}
	CodingSchemeDesignator     = Tag{0x0008, 0x0102}
	CodeMeaning                = Tag{0x0008, 0x0104}
	StationName                = Tag{0x0008, 0x1010}
	StudyDescription           = Tag{0x0008, 0x1030}
	SeriesDescription          = Tag{0x0008, 0x103e}
	ManufacturerModelName      = Tag{0x0008, 0x1090}
	ReferencedSOPClassUID      = Tag{0x0008, 0x1150}
	ReferencedSOPInstanceUID   = Tag{0x0008, 0x1155}
	DerivationDescription      = Tag{0x0008, 0x2111}
	AnatomicRegionSequence     = Tag{0x0008, 0x2218}
	PatientName                = Tag{0x0010, 0x0010}
	PatientID                  = Tag{0x0010, 0x0020}
	PatientBirthDate           = Tag{0x0010, 0x0030}
	PatientSex                 = Tag{0x0010, 0x0040}
	PatientAge                 = Tag{0x0010, 0x1010}
	PatientIdentityRemoved     = Tag{0x0012, 0x0062}
	DeidentificationMethod     = Tag{0x0012, 0x0063}
	ContrastBolusAgent         = Tag{0x0018, 0x0010}
	BodyPartExamined           = Tag{0x0018, 0x0015}
	SliceThickness             = Tag{0x0018, 0x0050}
	KVP                        = Tag{0x0018, 0x0060}
	SpacingBetweenSlices       = Tag{0x0018, 0x0088}
	DeviceSerialNumber         = Tag{0x0018, 0x1000}
	SoftwareVersions           = Tag{0x0018, 0x1020}
	ProtocolName               = Tag{0x0018, 0x1030}
	ReconstructionDiameter     = Tag{0x0018, 0x1100}
	GantryDetectorTilt         = Tag{0x0018, 0x1120}
	ConvolutionKernel          = Tag{0x0018, 0x1210}
	PatientPosition            = Tag{0x0018, 0x5100}
	StudyInstanceUID           = Tag{0x0020, 0x000d}
	SeriesInstanceUID          = Tag{0x0020, 0x000e}
	StudyID                    = Tag{0x0020, 0x0010}
	SeriesNumber               = Tag{0x0020, 0x0011}
	AcquisitionNumber          = Tag{0x0020, 0x0012}
	InstanceNumber             = Tag{0x0020, 0x0013}
	ImagePositionPatient       = Tag{0x0020, 0x0032}
	ImageOrientationPatient    = Tag{0x0020, 0x0037}
	FrameOfReferenceUID        = Tag{0x0020, 0x0052}
	PositionReferenceIndicator = Tag{0x0020, 0x1040}
	SliceLocation              = Tag{0x0020, 0x1041}
	ImageComments              = Tag{0x0020, 0x4000}
	SamplesPerPixel            = Tag{0x0028, 0x0002}
	PhotometricInterpretation  = Tag{0x0028, 0x0004}
	PlanarConfiguration        = Tag{0x0028, 0x0006}
	NumberOfFrames             = Tag{0x0028, 0x0008}
	Rows                       = Tag{0x0028, 0x0010}
	Columns                    = Tag{0x0028, 0x0011}
	PixelSpacing               = Tag{0x0028, 0x0030}
	BitsAllocated              = Tag{0x0028, 0x0100}
	BitsStored                 = Tag{0x0028, 0x0101}
	HighBit                    = Tag{0x0028, 0x0102}
	PixelRepresentation        = Tag{0x0028, 0x0103}
	SmallestImagePixelValue    = Tag{0x0028, 0x0106}
	LargestImagePixelValue     = Tag{0x0028, 0x0107}
	PixelPaddingValue          = Tag{0x0028, 0x0120}
	PixelPaddingRangeLimit     = Tag{0x0028, 0x0121}
	BurnedInAnnotation         = Tag{0x0028, 0x0301}
	WindowCenter               = Tag{0x0028, 0x1050}
	WindowWidth                = Tag{0x0028, 0x1051}
	RescaleIntercept           = Tag{0x0028, 0x1052}
	RescaleSlope               = Tag{0x0028, 0x1053}
	RescaleType                = Tag{0x0028, 0x1054}
	LossyImageCompression      = Tag{0x0028, 0x2110}
	SharedFunctionalGroups     = Tag{0x5200, 0x9229}
	PixelData                  = Tag{0x7fe0, 0x0010}
	DataSetTrailingPadding     = Tag{0xfffc, 0xfffc}
	itemTag                    = Tag{0xfffe, 0xe000}
	itemDelimitationTag        = Tag{0xfffe, 0xe00d}
	sequenceDelimitationTag    = Tag{0xfffe, 0xe0dd}
	metaGroupLengthTag         = Tag{0x0002, 0x0000}
	metaVersionTag             = Tag{0x0002, 0x0001}
)
