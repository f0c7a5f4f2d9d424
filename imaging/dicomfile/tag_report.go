package dicomfile

// SOP classes of structured reports (PS3.4 annex B).
const (
	EnhancedSRStorage        = "1.2.840.10008.5.1.4.1.1.88.22"
	ComprehensiveSRStorage   = "1.2.840.10008.5.1.4.1.1.88.33"
	Comprehensive3DSRStorage = "1.2.840.10008.5.1.4.1.1.88.34"
)

// Attributes of structured reports (PS3.3 C.17, C.18), by their PS3.6 keyword.
var (
	CodingSchemeVersion                 = Tag{0x0008, 0x0103}
	MappingResource                     = Tag{0x0008, 0x0105}
	CodingSchemeIdentificationSequence  = Tag{0x0008, 0x0110}
	CodingSchemeName                    = Tag{0x0008, 0x0115}
	CodingSchemeResponsibleOrganization = Tag{0x0008, 0x0116}

	ReferencedPerformedProcedureStepSequence = Tag{0x0008, 0x1111}
	ReferencedSOPSequence                    = Tag{0x0008, 0x1199}

	MeasurementUnitsCodeSequence              = Tag{0x0040, 0x08ea}
	RelationshipType                          = Tag{0x0040, 0xa010}
	ValueType                                 = Tag{0x0040, 0xa040}
	ConceptNameCodeSequence                   = Tag{0x0040, 0xa043}
	ContinuityOfContent                       = Tag{0x0040, 0xa050}
	ContentUID                                = Tag{0x0040, 0xa124}
	TextValue                                 = Tag{0x0040, 0xa160}
	FloatingPointValue                        = Tag{0x0040, 0xa161}
	ConceptCodeSequence                       = Tag{0x0040, 0xa168}
	MeasuredValueSequence                     = Tag{0x0040, 0xa300}
	NumericValue                              = Tag{0x0040, 0xa30a}
	PerformedProcedureCodeSequence            = Tag{0x0040, 0xa372}
	CurrentRequestedProcedureEvidenceSequence = Tag{0x0040, 0xa375}
	CompletionFlag                            = Tag{0x0040, 0xa491}
	VerificationFlag                          = Tag{0x0040, 0xa493}
	ContentTemplateSequence                   = Tag{0x0040, 0xa504}
	ContentSequence                           = Tag{0x0040, 0xa730}
	TemplateIdentifier                        = Tag{0x0040, 0xdb00}

	GraphicData = Tag{0x0070, 0x0022}
	GraphicType = Tag{0x0070, 0x0023}
)
