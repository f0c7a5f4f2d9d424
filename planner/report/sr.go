package report

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"halsted/imaging/dicomfile"
	"halsted/planner"
)

// Reference is an image that the plans were made from.
type Reference struct{ SeriesUID, ClassUID, InstanceUID string }

// SRIdentity is the study that the report joins. Strings stand as the images
// have them; one that breaks the rules of its type is left empty.
type SRIdentity struct {
	StudyUID           string // (0020,000D), must be a valid UID
	StudyDate          string // (0008,0020)
	StudyTime          string // (0008,0030)
	StudyID            string // (0020,0010)
	AccessionNumber    string // (0008,0050)
	ReferringPhysician string // (0008,0090)
	// FrameUID is the frame of reference (0020,0052) that the plans' points are
	// in; empty: points appear as text.
	FrameUID   string
	References []Reference
}

// SR writes the dossier as a DICOM Comprehensive 3D SR (PS3.3 A.35.13) that
// follows TID 1500 "Measurement Report" (PS3.16): one TID 1501 measurement
// group for each plan; numbers as NUM with UCUM units, their quantiles,
// probability of violation, residual, mesh error, evidence, basis and flags as
// properties; the centres of cut vessels as SCOORD3D points in LPS mm. Concepts
// that no standard scheme has are from the private scheme 99HALSTED, listed in
// srConcepts.
//
// The object is always UNVERIFIED: an approval is told as text, the legal act
// of verifying a report is not this program's. Dates are those of the study and
// all UIDs follow from study and content: the same input gives the same bytes.
// Errors: what Check finds, an invalid study UID, or what w returned.
func SR(w io.Writer, d Dossier, id SRIdentity) error {
	if err := d.Check(); err != nil {
		return err
	}
	if dicomfile.New().Set(dicomfile.StudyInstanceUID, id.StudyUID) != nil || id.StudyUID == "" {
		return fmt.Errorf("report: SR: the study UID is missing or not valid; take it from (0020,000D) of the images")
	}
	for _, r := range id.References {
		t := dicomfile.New()
		if r.SeriesUID == "" || r.ClassUID == "" || r.InstanceUID == "" || t.Set(dicomfile.SeriesInstanceUID, r.SeriesUID) != nil ||
			t.Set(dicomfile.ReferencedSOPClassUID, r.ClassUID) != nil || t.Set(dicomfile.ReferencedSOPInstanceUID, r.InstanceUID) != nil {
			return fmt.Errorf("report: SR: a referenced image lacks a valid series, class or instance UID")
		}
	}
	if id.FrameUID != "" && dicomfile.New().Set(dicomfile.FrameOfReferenceUID, id.FrameUID) != nil {
		id.FrameUID = ""
	}
	b := &srBuilder{d: &d, id: id}
	root := b.document()
	b.header(root)
	if err := errors.Join(b.errs...); err != nil {
		return fmt.Errorf("report: SR: %w", err)
	}
	return dicomfile.Write(w, root)
}

// srBuilder builds one object and keeps what went wrong.
type srBuilder struct {
	d    *Dossier
	id   SRIdentity
	errs []error
}

func (b *srBuilder) set(to *dicomfile.Dataset, t dicomfile.Tag, values ...any) {
	if err := to.Set(t, values...); err != nil {
		b.errs = append(b.errs, err)
	}
}

// free sets text from outside, or leaves the attribute empty when the text
// breaks the rules of its type.
func (b *srBuilder) free(to *dicomfile.Dataset, t dicomfile.Tag, value string) {
	if value == "" || to.Set(t, value) != nil {
		b.set(to, t)
	}
}

// personName is a name that keeps PS3.5 section 6.2 (three groups of up to 64
// characters and five components each), or nothing.
func personName(pn string) string {
	groups := strings.Split(pn, "=")
	if len(groups) > 3 {
		return ""
	}
	for _, g := range groups {
		if utf8.RuneCountInString(g) > 64 || strings.Count(g, "^") > 4 {
			return ""
		}
	}
	return pn
}

// content is a digest of everything the report says.
func (b *srBuilder) content() string {
	h := sha256.New()
	if err := JSON(h, *b.d); err != nil {
		b.errs = append(b.errs, err)
	}
	_, _ = fmt.Fprintf(h, "%q", []any{b.id})
	return hex.EncodeToString(h.Sum(nil))
}

// header sets patient, study, series, equipment and document.
func (b *srBuilder) header(to *dicomfile.Dataset) {
	digest := b.content()
	b.set(to, dicomfile.SOPClassUID, dicomfile.Comprehensive3DSRStorage)
	b.set(to, dicomfile.SOPInstanceUID, dicomfile.HashUID("structured report", b.id.StudyUID, digest))
	b.set(to, dicomfile.StudyInstanceUID, b.id.StudyUID)
	b.set(to, dicomfile.SeriesInstanceUID, dicomfile.HashUID("structured report series", b.id.StudyUID, digest))
	b.free(to, dicomfile.PatientName, personName(b.d.Patient.Name))
	b.free(to, dicomfile.PatientID, b.d.Patient.ID)
	b.free(to, dicomfile.PatientBirthDate, b.d.Patient.BirthDate)
	switch s := b.d.Patient.Sex; s {
	case "M", "F", "O":
		b.set(to, dicomfile.PatientSex, s)
	default:
		b.set(to, dicomfile.PatientSex)
	}
	b.free(to, dicomfile.StudyDate, b.id.StudyDate)
	b.free(to, dicomfile.StudyTime, b.id.StudyTime)
	b.free(to, dicomfile.StudyID, b.id.StudyID)
	b.free(to, dicomfile.AccessionNumber, b.id.AccessionNumber)
	b.free(to, dicomfile.ReferringPhysicianName, personName(b.id.ReferringPhysician))
	if s := b.d.Scan.Description; s != "" && dicomfile.New().Set(dicomfile.StudyDescription, s) == nil {
		b.set(to, dicomfile.StudyDescription, s)
	}
	b.set(to, dicomfile.Modality, "SR")
	b.set(to, dicomfile.SeriesNumber, 1001)
	b.set(to, dicomfile.SeriesDescription, "Planning dossier")
	b.set(to, dicomfile.ReferencedPerformedProcedureStepSequence)
	b.set(to, dicomfile.Manufacturer, "Halsted")
	b.set(to, dicomfile.ManufacturerModelName, "Halsted")
	b.set(to, dicomfile.DeviceSerialNumber, "0")
	b.set(to, dicomfile.SoftwareVersions, dicomfile.HalstedVersionName)
	b.set(to, dicomfile.InstanceNumber, 1)
	b.set(to, dicomfile.CompletionFlag, "COMPLETE")
	b.set(to, dicomfile.VerificationFlag, "UNVERIFIED")
	date, clock := "19700101", "000000"
	if v, ok := to.String(dicomfile.StudyDate); ok && v != "" {
		date = v
	}
	if v, ok := to.String(dicomfile.StudyTime); ok && v != "" {
		clock = v
	}
	b.set(to, dicomfile.ContentDate, date)
	b.set(to, dicomfile.ContentTime, clock)
	b.set(to, dicomfile.PerformedProcedureCodeSequence)
	scheme := dicomfile.New()
	b.set(scheme, dicomfile.CodingSchemeDesignator, privateScheme)
	b.set(scheme, dicomfile.CodingSchemeName, "Concepts of Halsted planning reports")
	b.set(scheme, dicomfile.CodingSchemeResponsibleOrganization, "Halsted")
	b.set(to, dicomfile.CodingSchemeIdentificationSequence, scheme)
	if len(b.id.References) > 0 {
		b.set(to, dicomfile.CurrentRequestedProcedureEvidenceSequence, b.evidence())
	}
}

// evidence lists the images by series (PS3.3 table C.17-3).
func (b *srBuilder) evidence() *dicomfile.Dataset {
	var order []string
	of := map[string][]*dicomfile.Dataset{}
	for _, r := range b.id.References {
		if of[r.SeriesUID] == nil {
			order = append(order, r.SeriesUID)
		}
		of[r.SeriesUID] = append(of[r.SeriesUID], b.instance(r))
	}
	var list []*dicomfile.Dataset
	for _, uid := range order {
		s := dicomfile.New()
		b.set(s, dicomfile.SeriesInstanceUID, uid)
		b.set(s, dicomfile.ReferencedSOPSequence, of[uid])
		list = append(list, s)
	}
	study := dicomfile.New()
	b.set(study, dicomfile.StudyInstanceUID, b.id.StudyUID)
	b.set(study, dicomfile.ReferencedSeriesSequence, list)
	return study
}

func (b *srBuilder) instance(r Reference) *dicomfile.Dataset {
	d := dicomfile.New()
	b.set(d, dicomfile.ReferencedSOPClassUID, r.ClassUID)
	b.set(d, dicomfile.ReferencedSOPInstanceUID, r.InstanceUID)
	return d
}

// document is the content tree (TID 1500).
func (b *srBuilder) document() *dicomfile.Dataset {
	d := b.d
	children := []*dicomfile.Dataset{
		b.code("HAS CONCEPT MOD", srCode{"121049", "DCM", "Language of Content Item and Descendants"}, srCode{"en", "RFC5646", "English"}),
		b.code("HAS OBS CONTEXT", srCode{"121005", "DCM", "Observer Type"}, srCode{"121007", "DCM", "Device"}),
		b.uid("HAS OBS CONTEXT", srCode{"121012", "DCM", "Device Observer UID"}, dicomfile.HalstedClassUID),
		b.text("HAS OBS CONTEXT", srCode{"121013", "DCM", "Device Observer Name"}, "Halsted"),
		b.code("HAS CONCEPT MOD", srCode{"121058", "DCM", "Procedure reported"}, procedureOf(d.Study.Modality)),
	}
	if len(b.id.References) > 0 {
		var images []*dicomfile.Dataset
		for _, r := range b.id.References {
			it := b.contentItem("CONTAINS", "IMAGE", srCode{})
			b.set(it, dicomfile.ReferencedSOPSequence, b.instance(r))
			images = append(images, it)
		}
		group := b.container("CONTAINS", srCode{"126200", "DCM", "Image Library Group"}, images)
		children = append(children, b.container("CONTAINS", srCode{"111028", "DCM", "Image Library"}, []*dicomfile.Dataset{group}))
	}
	var groups []*dicomfile.Dataset
	if len(d.Found) > 0 {
		groups = append(groups, b.organ())
	}
	for n := range d.Items {
		groups = append(groups, b.plan(n))
	}
	if len(groups) > 0 {
		children = append(children, b.container("CONTAINS", srCode{"126010", "DCM", "Imaging Measurements"}, groups))
	}
	children = append(children, b.container("CONTAINS", srCode{"C0034375", "UMLS", "Qualitative Evaluations"}, b.evaluations()))
	root := b.container("", srCode{"126000", "DCM", "Imaging Measurement Report"}, children)
	template := dicomfile.New()
	b.set(template, dicomfile.MappingResource, "DCMR")
	b.set(template, dicomfile.TemplateIdentifier, "1500")
	b.set(root, dicomfile.ContentTemplateSequence, template)
	return root
}

// evaluations is what the dossier says in words.
func (b *srBuilder) evaluations() []*dicomfile.Dataset {
	d := b.d
	out := []*dicomfile.Dataset{
		b.text("CONTAINS", srConcepts["notice"], planner.Notice),
		b.text("CONTAINS", srConcepts["proposal"], d.proposal()),
		b.text("CONTAINS", srConcepts["approval"], d.approved()),
	}
	add := func(concept string, list []string) {
		for _, s := range list {
			if sentence(s) != "" {
				out = append(out, b.text("CONTAINS", srConcepts[concept], s))
			}
		}
	}
	add("why", d.KneeWhy)
	for _, f := range d.Flags {
		add("flag", []string{f.Text})
	}
	add("missing", d.Missing)
	add("warning", d.warnings())
	for _, it := range d.Rejected {
		add("rejected", append([]string{it.Plan.Name}, it.WhyNot...))
		for _, v := range it.Evaluation.Vetoes {
			add("veto", []string{veto(v)})
		}
	}
	for _, l := range d.Limits {
		add("rule", []string{limitText(l)})
	}
	add("method", d.Method)
	add("source", d.Sources)
	for _, kv := range d.identity() {
		add("origin", []string{kv[0] + ": " + kv[1]})
	}
	return out
}
