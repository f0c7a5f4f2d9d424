package series

import (
	"fmt"
	"io"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging/dicomfile"
)

// maxROIs bounds what ReadRTStruct accepts; far above any real object.
const maxROIs = 1 << 12

// ReadRTStruct reads a radiotherapy structure set (PS3.3 A.19). size is its
// length in bytes or -1.
//
// Errors: those of dicomfile.Read, *ObjectError when the object is none or its
// parts contradict each other.
func ReadRTStruct(r io.Reader, size int64, lim dicomfile.Limits) (*RTStruct, error) {
	d, err := dicomfile.Read(r, size, structureLimits(lim))
	if err != nil {
		return nil, fmt.Errorf("series: structure set: %w", err)
	}
	return newRTStruct(d)
}

// ReadRTStructFile is ReadRTStruct for a file. Errors name its base name.
func ReadRTStructFile(path string, lim dicomfile.Limits) (*RTStruct, error) {
	return readObjectFile(path, func(r io.Reader, size int64) (*RTStruct, error) { return ReadRTStruct(r, size, lim) })
}

func newRTStruct(d *dicomfile.Dataset) (*RTStruct, error) {
	if class, _ := d.String(dicomfile.SOPClassUID); class != dicomfile.RTStructureSetStorage {
		return nil, rtError("", "the object is of another kind (SOP class %s)", kindOfClass(class))
	}
	s := &RTStruct{references: newReferences()}
	s.ID.StudyInstanceUID, _ = d.String(dicomfile.StudyInstanceUID)
	s.ID.SeriesInstanceUID, _ = d.String(dicomfile.SeriesInstanceUID)
	s.ID.Modality, _ = d.String(dicomfile.Modality)
	s.readReferences(d)
	if err := s.readROIs(d); err != nil {
		return nil, err
	}
	s.readObservations(d)
	if err := s.readContours(d); err != nil {
		return nil, err
	}
	s.mainFrame(d)
	return s, nil
}

// readReferences follows the sequences from frame to study, series and image.
func (s *RTStruct) readReferences(d *dicomfile.Dataset) {
	for _, frame := range d.Items(dicomfile.ReferencedFrameOfReferenceSequence) {
		for _, study := range frame.Items(dicomfile.RTReferencedStudySequence) {
			for _, ref := range study.Items(dicomfile.RTReferencedSeriesSequence) {
				uid, _ := ref.String(dicomfile.SeriesInstanceUID)
				s.references.addSeries(uid)
				for _, image := range ref.Items(dicomfile.ContourImageSequence) {
					s.references.addInstance(image)
				}
			}
		}
	}
}

func (s *RTStruct) readROIs(d *dicomfile.Dataset) error {
	items := d.Items(dicomfile.StructureSetROISequence)
	if len(items) > maxROIs {
		return rtError("", "%d ROIs; at most %d are possible", len(items), maxROIs)
	}
	seen := map[int]bool{}
	for n, item := range items {
		where := fmt.Sprintf("ROI %d of the list", n+1)
		var r ROI
		var ok bool
		if r.Number, ok = item.Int(dicomfile.ROINumber); !ok {
			return rtError(where, "ROINumber is missing or no number")
		}
		if seen[r.Number] {
			return rtError(where, "number %d stands there twice", r.Number)
		}
		seen[r.Number] = true
		r.Name, _ = item.String(dicomfile.ROIName)
		r.Description, _ = item.String(dicomfile.ROIDescription)
		r.Algorithm, _ = item.String(dicomfile.ROIGenerationAlgorithm)
		r.frame, _ = item.String(dicomfile.ReferencedFrameOfReferenceUID)
		s.ROIs = append(s.ROIs, r)
	}
	return nil
}

// roi finds the ROI that an item refers to.
func (s *RTStruct) roi(item *dicomfile.Dataset) *ROI {
	number, ok := item.Int(dicomfile.ReferencedROINumber)
	for n := range s.ROIs {
		if ok && s.ROIs[n].Number == number {
			return &s.ROIs[n]
		}
	}
	return nil
}

// readObservations takes what an ROI was found to be.
func (s *RTStruct) readObservations(d *dicomfile.Dataset) {
	for _, item := range d.Items(dicomfile.RTROIObservationsSequence) {
		r := s.roi(item)
		if r == nil {
			continue
		}
		if r.Interpreted == "" {
			r.Interpreted, _ = item.String(dicomfile.RTROIInterpretedType)
		}
		if r.Code.Value != "" {
			continue
		}
		r.Code = firstCode(readCodes(item, dicomfile.RTROIIdentificationCodeSequence))
		if codes := item.Items(dicomfile.RTROIIdentificationCodeSequence); len(codes) > 0 {
			r.Modifiers = readCodes(codes[0], dicomfile.SegmentedPropertyTypeModifierCodeSequence)
		}
	}
}

// readContours reads the points of all contours.
func (s *RTStruct) readContours(d *dicomfile.Dataset) error {
	unlisted := 0
	for _, item := range d.Items(dicomfile.ROIContourSequence) {
		r := s.roi(item)
		if r == nil {
			unlisted++
			continue
		}
		if rgb, ok := item.Ints(dicomfile.ROIDisplayColor); ok && len(rgb) == 3 {
			r.HasColour = true
			for n, v := range rgb {
				r.Colour[n] = uint8(min(max(v, 0), 255))
			}
		}
		for n, c := range item.Items(dicomfile.ContourSequence) {
			for _, image := range c.Items(dicomfile.ContourImageSequence) {
				s.references.addInstance(image)
			}
			points, closed, err := readContour(c)
			switch {
			case err != "":
				return rtError(fmt.Sprintf("ROI %d, contour %d", r.Number, n+1), "%s", err)
			case !closed:
				r.Open++
			default:
				r.Closed++
				r.contours = append(r.contours, points)
			}
		}
	}
	if unlisted > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("contours of %d ROIs that are not listed; they are left out", unlisted))
	}
	return nil
}

// readContour reads one contour. A closed one with fewer than three points is
// a point or a line.
func readContour(c *dicomfile.Dataset) (points contour, closed bool, why string) {
	kind, _ := c.String(dicomfile.ContourGeometricType)
	switch kind {
	case "CLOSED_PLANAR", "CLOSEDPLANAR_XOR":
	case "POINT", "OPEN_PLANAR", "OPEN_NONPLANAR":
		return nil, false, ""
	default:
		return nil, false, "ContourGeometricType is missing or unknown"
	}
	if !c.Has(dicomfile.ContourData) || len(c.Strings(dicomfile.ContourData)) == 0 {
		return nil, false, ""
	}
	v, ok := c.Floats(dicomfile.ContourData)
	if !ok || len(v)%3 != 0 {
		return nil, false, fmt.Sprintf("ContourData holds %d values, which are no list of points", len(c.Strings(dicomfile.ContourData)))
	}
	if n, ok := c.Int(dicomfile.NumberOfContourPoints); ok && n != len(v)/3 {
		return nil, false, fmt.Sprintf("NumberOfContourPoints is %d, and %d points are there: the file is damaged", n, len(v)/3)
	}
	for n := 0; n < len(v); n += 3 {
		p := r3.Vec{X: v[n], Y: v[n+1], Z: v[n+2]}
		if !(r3.Norm(p) <= maxPositionMM) {
			return nil, false, fmt.Sprintf("point %d is more than a kilometre away", n/3+1)
		}
		if len(points) > 0 && points[len(points)-1] == p {
			continue
		}
		points = append(points, p)
	}
	for len(points) > 1 && points[0] == points[len(points)-1] {
		points = points[:len(points)-1]
	}
	return points, len(points) >= 3, ""
}

// mainFrame is the frame of reference that most ROIs name, else the first one
// that the set refers to.
func (s *RTStruct) mainFrame(d *dicomfile.Dataset) {
	count, best := map[string]int{}, 0
	for _, r := range s.ROIs {
		if r.frame == "" {
			continue
		}
		if count[r.frame]++; count[r.frame] > best {
			best, s.frame = count[r.frame], r.frame
		}
	}
	if s.frame != "" {
		return
	}
	for _, item := range d.Items(dicomfile.ReferencedFrameOfReferenceSequence) {
		if s.frame == "" {
			s.frame, _ = item.String(dicomfile.FrameOfReferenceUID)
		}
	}
	if s.frame == "" {
		s.frame, _ = d.String(dicomfile.FrameOfReferenceUID)
	}
}
