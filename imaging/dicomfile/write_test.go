package dicomfile

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a small conformant CT slice.
func sample(t testing.TB) *Dataset {
	t.Helper()
	d := New()
	pixels := make([]byte, 4*3*2)
	for n := range 12 {
		binary.LittleEndian.PutUint16(pixels[2*n:], uint16(int16(n*100-1000)))
	}
	code := New()
	set(t, code, CodeValue, "10200004")
	set(t, code, CodingSchemeDesignator, "SCT")
	set(t, code, CodeMeaning, "Liver")
	for _, e := range []struct {
		t Tag
		v []any
	}{
		{ImageType, []any{"ORIGINAL", "PRIMARY", "AXIAL"}},
		{SOPClassUID, []any{CTImageStorage}}, {SOPInstanceUID, []any{HashUID("sample", "1")}},
		{StudyDate, nil}, {StudyTime, nil}, {AccessionNumber, nil}, {ReferringPhysicianName, nil},
		{Modality, []any{"CT"}}, {Manufacturer, []any{"Halsted"}},
		{PatientName, []any{"Phantom^Liver"}}, {PatientID, []any{"PHANTOM"}}, {PatientBirthDate, nil}, {PatientSex, []any{"O"}},
		{AnatomicRegionSequence, []any{code}},
		{SliceThickness, []any{1.6}}, {KVP, []any{120}}, {PatientPosition, []any{"HFS"}},
		{StudyInstanceUID, []any{HashUID("study")}}, {SeriesInstanceUID, []any{HashUID("series")}},
		{StudyID, nil}, {SeriesNumber, []any{1}}, {AcquisitionNumber, []any{1}}, {InstanceNumber, []any{1}},
		{ImagePositionPatient, []any{-10.5, 20.25, 1.0 / 3}}, {ImageOrientationPatient, []any{1, 0, 0, 0, 1, 0}},
		{FrameOfReferenceUID, []any{HashUID("frame")}}, {PositionReferenceIndicator, nil},
		{SamplesPerPixel, []any{1}}, {PhotometricInterpretation, []any{"MONOCHROME2"}},
		{Rows, []any{3}}, {Columns, []any{4}}, {PixelSpacing, []any{0.743, 0.743}},
		{BitsAllocated, []any{16}}, {BitsStored, []any{16}}, {HighBit, []any{15}}, {PixelRepresentation, []any{1}},
		{RescaleIntercept, []any{0}}, {RescaleSlope, []any{1}}, {RescaleType, []any{"HU"}},
		{PixelData, []any{pixels}},
	} {
		set(t, d, e.t, e.v...)
	}
	return d
}

func set(t testing.TB, d *Dataset, tag Tag, v ...any) {
	t.Helper()
	if err := d.Set(tag, v...); err != nil {
		t.Fatal(err)
	}
}

func encode(t testing.TB, d *Dataset) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// run calls an external program that make setup installs.
func run(t *testing.T, pkg, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", name, pkg)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestWrittenFileIsConformant(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.dcm")
	if err := os.WriteFile(file, encode(t, sample(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "dicom3tools", "dciodvfy", file)
	if strings.Contains(out, "Error") || !strings.Contains(out, "CTImage") {
		t.Fatalf("dciodvfy says:\n%s", out)
	}
	out = run(t, "dcmtk", "dcmdump", "-q", file)
	for _, want := range []string{"LittleEndianExplicit", `[-10.5\20.25\0.33333333333333]`, "HALSTED_1", "[10200004]"} {
		if !strings.Contains(out, want) {
			t.Fatalf("no %q in\n%s", want, out)
		}
	}
}
