package dicomfile

// SOP classes of objects that hold structures (PS3.4 annex B).
const (
	SegmentationStorage         = "1.2.840.10008.5.1.4.1.1.66.4"
	LabelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7"
	RTStructureSetStorage       = "1.2.840.10008.5.1.4.1.1.481.3"
)

// Transfer syntaxes of compressed frames that need no image codec (PS3.5
// annexes A.4.2 and A.4.13).
const (
	RLELossless        = "1.2.840.10008.1.2.5"
	DeflatedImageFrame = "1.2.840.10008.1.2.8.1"
)

// Attributes of functional groups, segmentations and structure sets, by their
// PS3.6 keyword.
var (
	LongCodeValue              = Tag{0x0008, 0x0119}
	URNCodeValue               = Tag{0x0008, 0x0120}
	ReferencedSeriesSequence   = Tag{0x0008, 0x1115}
	ReferencedInstanceSequence = Tag{0x0008, 0x114a}
	SourceImageSequence        = Tag{0x0008, 0x2112}
	DerivationImageSequence    = Tag{0x0008, 0x9124}
	DerivationCodeSequence     = Tag{0x0008, 0x9215}

	StackID                       = Tag{0x0020, 0x9056}
	InStackPositionNumber         = Tag{0x0020, 0x9057}
	FrameContentSequence          = Tag{0x0020, 0x9111}
	PlanePositionSequence         = Tag{0x0020, 0x9113}
	PlaneOrientationSequence      = Tag{0x0020, 0x9116}
	DimensionIndexValues          = Tag{0x0020, 0x9157}
	ConcatenationUID              = Tag{0x0020, 0x9161}
	DimensionOrganizationUID      = Tag{0x0020, 0x9164}
	DimensionIndexPointer         = Tag{0x0020, 0x9165}
	FunctionalGroupPointer        = Tag{0x0020, 0x9167}
	DimensionOrganizationSequence = Tag{0x0020, 0x9221}
	DimensionIndexSequence        = Tag{0x0020, 0x9222}
	DimensionOrganizationType     = Tag{0x0020, 0x9311}
	DimensionDescriptionLabel     = Tag{0x0020, 0x9421}

	LossyImageCompressionRatio     = Tag{0x0028, 0x2112}
	LossyImageCompressionMethod    = Tag{0x0028, 0x2114}
	SpatialLocationsPreserved      = Tag{0x0028, 0x135a}
	PixelMeasuresSequence          = Tag{0x0028, 0x9110}
	PurposeOfReferenceCodeSequence = Tag{0x0040, 0xa170}

	SegmentationType                          = Tag{0x0062, 0x0001}
	SegmentSequence                           = Tag{0x0062, 0x0002}
	SegmentedPropertyCategoryCodeSequence     = Tag{0x0062, 0x0003}
	SegmentNumber                             = Tag{0x0062, 0x0004}
	SegmentLabel                              = Tag{0x0062, 0x0005}
	SegmentDescription                        = Tag{0x0062, 0x0006}
	SegmentAlgorithmType                      = Tag{0x0062, 0x0008}
	SegmentAlgorithmName                      = Tag{0x0062, 0x0009}
	SegmentIdentificationSequence             = Tag{0x0062, 0x000a}
	ReferencedSegmentNumber                   = Tag{0x0062, 0x000b}
	RecommendedDisplayCIELabValue             = Tag{0x0062, 0x000d}
	MaximumFractionalValue                    = Tag{0x0062, 0x000e}
	SegmentedPropertyTypeCodeSequence         = Tag{0x0062, 0x000f}
	SegmentationFractionalType                = Tag{0x0062, 0x0010}
	SegmentedPropertyTypeModifierCodeSequence = Tag{0x0062, 0x0011}
	SegmentsOverlap                           = Tag{0x0062, 0x0013}
	TrackingID                                = Tag{0x0062, 0x0020}
	TrackingUID                               = Tag{0x0062, 0x0021}
	AnatomicRegionModifierSequence            = Tag{0x0008, 0x2220}

	ContentLabel       = Tag{0x0070, 0x0080}
	ContentDescription = Tag{0x0070, 0x0081}
	ContentCreatorName = Tag{0x0070, 0x0084}

	StructureSetLabel                  = Tag{0x3006, 0x0002}
	ReferencedFrameOfReferenceSequence = Tag{0x3006, 0x0010}
	RTReferencedStudySequence          = Tag{0x3006, 0x0012}
	RTReferencedSeriesSequence         = Tag{0x3006, 0x0014}
	ContourImageSequence               = Tag{0x3006, 0x0016}
	StructureSetROISequence            = Tag{0x3006, 0x0020}
	ROINumber                          = Tag{0x3006, 0x0022}
	ReferencedFrameOfReferenceUID      = Tag{0x3006, 0x0024}
	ROIName                            = Tag{0x3006, 0x0026}
	ROIDescription                     = Tag{0x3006, 0x0028}
	ROIDisplayColor                    = Tag{0x3006, 0x002a}
	ROIGenerationAlgorithm             = Tag{0x3006, 0x0036}
	ROIContourSequence                 = Tag{0x3006, 0x0039}
	ContourSequence                    = Tag{0x3006, 0x0040}
	ContourGeometricType               = Tag{0x3006, 0x0042}
	NumberOfContourPoints              = Tag{0x3006, 0x0046}
	ContourData                        = Tag{0x3006, 0x0050}
	RTROIObservationsSequence          = Tag{0x3006, 0x0080}
	ReferencedROINumber                = Tag{0x3006, 0x0084}
	RTROIIdentificationCodeSequence    = Tag{0x3006, 0x0086}
	RTROIInterpretedType               = Tag{0x3006, 0x00a4}
	PerFrameFunctionalGroups           = Tag{0x5200, 0x9230}
)
