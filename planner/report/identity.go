package report

import (
	"strings"

	"halsted/imaging/dicomfile"
)

// Identify takes from one image of the study what a dossier shows of patient
// and scan, and what SR needs to join the study. Strings stay as the image has
// them; several values of one attribute are joined by a backslash. References
// are the caller's to add.
func Identify(image *dicomfile.Dataset) (Patient, Scan, SRIdentity) {
	s := func(t dicomfile.Tag) string { return strings.Join(image.Strings(t), `\`) }
	return Patient{Name: s(dicomfile.PatientName), ID: s(dicomfile.PatientID), BirthDate: s(dicomfile.PatientBirthDate), Sex: s(dicomfile.PatientSex)},
		Scan{Description: s(dicomfile.StudyDescription), Date: s(dicomfile.StudyDate), Accession: s(dicomfile.AccessionNumber), Institution: s(dicomfile.InstitutionName)},
		SRIdentity{StudyUID: s(dicomfile.StudyInstanceUID), StudyDate: s(dicomfile.StudyDate), StudyTime: s(dicomfile.StudyTime), StudyID: s(dicomfile.StudyID),
			AccessionNumber: s(dicomfile.AccessionNumber), ReferringPhysician: s(dicomfile.ReferringPhysicianName), FrameUID: s(dicomfile.FrameOfReferenceUID)}
}
