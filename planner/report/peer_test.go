package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"halsted/imaging/dicomfile"
)

// peer finds a program that reads what we write; without it the test skips,
// under HALSTED_REQUIRE_PEERS it fails.
func peer(t *testing.T, name, pkg string) bool {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return true
	}
	if os.Getenv("HALSTED_REQUIRE_PEERS") != "" {
		t.Fatalf("%s is not installed (package %s)", name, pkg)
	}
	t.Logf("%s is not installed (package %s): not compared", name, pkg)
	return false
}

func pdfText(t *testing.T, b []byte) string {
	if !peer(t, "pdftotext", "poppler-utils") {
		return ""
	}
	cmd := exec.Command("pdftotext", "-", "-")
	cmd.Stdin = bytes.NewReader(b)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("pdftotext: %v: %s", err, errs.String())
	}
	return string(out)
}

func save(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func srText(t *testing.T, b []byte) string {
	if !peer(t, "dsrdump", "dcmtk") {
		return ""
	}
	out, err := exec.Command("dsrdump", "+U8", "+Pl", save(t, "sr.dcm", b)).CombinedOutput()
	if err != nil {
		t.Fatalf("dsrdump: %v: %s", err, out)
	}
	return string(out)
}

// TestPeersReadTheReport has dcmtk and dicom3tools read the structured report.
// The one thing that dciodvfy may say is that it does not know a private coding
// scheme, and that it cannot check text in UTF-8.
func TestPeersReadTheReport(t *testing.T) {
	d := sampleDossier()
	d.Items[0].Evaluation.Quantities[3].Label = strings.Repeat("Rémanent fonctionnel ", 5)
	id := SRIdentity{StudyUID: "1.2.3.4", StudyDate: "20260914", StudyTime: "101500", StudyID: "7", AccessionNumber: "A-77812", ReferringPhysician: "Doe^Jane", FrameUID: "1.2.3.5",
		References: []Reference{{"1.2.3.6", dicomfile.CTImageStorage, "1.2.3.7"}, {"1.2.3.6", dicomfile.CTImageStorage, "1.2.3.8"}}}
	var b bytes.Buffer
	if err := SR(&b, d, id); err != nil {
		t.Fatal(err)
	}
	path := save(t, "sr.dcm", b.Bytes())
	if peer(t, "dsrdump", "dcmtk") {
		out, err := exec.Command("dsrdump", "+U8", "+Pl", "+Pu", path).CombinedOutput()
		if s := string(out); err != nil || complains(s) {
			t.Errorf("dsrdump: %v: %s", err, firstLines(s))
		} else if !strings.Contains(s, `<inferred from SCOORD3D:(,,"Centre of the cut")=(POINT,`) || !strings.Contains(s, "山田^太郎") {
			t.Error("dsrdump shows no point or no ideographic name")
		}
	}
	if peer(t, "dcm2xml", "dcmtk") {
		if out, err := exec.Command("dsr2xml", path).CombinedOutput(); err != nil || complains(string(out)) {
			t.Errorf("dsr2xml: %v: %s", err, firstLines(string(out)))
		}
		if out, err := exec.Command("dcm2xml", path).CombinedOutput(); err != nil || complains(string(out)) {
			t.Errorf("dcm2xml: %v: %s", err, firstLines(string(out)))
		}
	}
	if peer(t, "dciodvfy", "dicom3tools") {
		out, err := exec.Command("dciodvfy", "-new", path).CombinedOutput()
		if err != nil {
			t.Errorf("dciodvfy: %v", err)
		}
		known := regexp.MustCompile(`Unrecognized defined term = <99HALSTED>|does not support this Specific Character Set|^Comprehensive3DSR$`)
		for l := range strings.Lines(string(out)) {
			if l = strings.TrimSpace(l); l != "" && !known.MatchString(l) {
				t.Errorf("dciodvfy: %s", l)
			}
		}
	}
}

// complains reports a warning or an error of dcmtk, other than that it cannot
// check the characters of UTF-8 text.
func complains(s string) bool {
	for l := range strings.Lines(s) {
		if (strings.HasPrefix(l, "W: ") || strings.HasPrefix(l, "E: ")) && !strings.Contains(l, "does not support this Specific Character Set") {
			return true
		}
	}
	return false
}

func firstLines(s string) string { return s[:min(len(s), 800)] }

// TestReportReadsBack walks the tree and finds every number of every plan with
// its unit, exactly.
func TestReportReadsBack(t *testing.T) {
	d := sampleDossier()
	got, err := dicomfile.Read(bytes.NewReader(render(t, "SR", d)), -1, dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := got.String(dicomfile.VerificationFlag); s != "UNVERIFIED" {
		t.Errorf("verification flag %q", s)
	}
	found := map[string][]float64{}
	var walk func(*dicomfile.Dataset)
	walk = func(x *dicomfile.Dataset) {
		if m := x.Items(dicomfile.MeasuredValueSequence); len(m) == 1 {
			v, _ := m[0].Floats(dicomfile.FloatingPointValue)
			unit, _ := m[0].Items(dicomfile.MeasurementUnitsCodeSequence)[0].String(dicomfile.CodeValue)
			name := x.Items(dicomfile.ConceptNameCodeSequence)[0]
			id, ok := name.String(dicomfile.CodeValue)
			if !ok {
				id, _ = name.String(dicomfile.LongCodeValue)
			}
			found[id+" "+unit] = append(found[id+" "+unit], v...)
		}
		for _, c := range x.Items(dicomfile.ContentSequence) {
			walk(c)
		}
	}
	walk(got)
	for n, it := range d.Items {
		for _, q := range it.Evaluation.Quantities {
			if vs := found[q.ID+" "+q.Unit]; len(vs) != len(d.Items) || vs[n] != q.Value {
				t.Fatalf("%s of plan %d: found %v", q.ID, n, vs)
			}
		}
	}
	if n := len(found["p2_5 mm"]); n == 0 {
		t.Error("no quantiles")
	}
}

func TestStudyMustBeKnown(t *testing.T) {
	for _, uid := range []string{"", "not a uid", "1..2"} {
		if err := SR(&bytes.Buffer{}, sampleDossier(), SRIdentity{StudyUID: uid}); err == nil {
			t.Errorf("study UID %q is accepted", uid)
		}
	}
	if err := SR(&bytes.Buffer{}, sampleDossier(), SRIdentity{StudyUID: "1.2", References: []Reference{{}}}); err == nil {
		t.Error("a reference without UIDs is accepted")
	}
}

func TestIdentify(t *testing.T) {
	image := dicomfile.New()
	for tg, v := range map[dicomfile.Tag]string{dicomfile.PatientName: "Hong^Gildong=洪^吉洞=홍^길동", dicomfile.PatientID: "7", dicomfile.PatientBirthDate: "19610327", dicomfile.PatientSex: "F",
		dicomfile.StudyInstanceUID: "1.2.3", dicomfile.StudyDate: "20260914", dicomfile.FrameOfReferenceUID: "1.2.4", dicomfile.StudyDescription: "CT"} {
		if err := image.Set(tg, v); err != nil {
			t.Fatal(err)
		}
	}
	d := sampleDossier()
	var id SRIdentity
	d.Patient, d.Scan, id = Identify(image)
	var b bytes.Buffer
	if err := SR(&b, d, id); err != nil {
		t.Fatal(err)
	}
	got, err := dicomfile.Read(&b, -1, dicomfile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tg := range []dicomfile.Tag{dicomfile.PatientName, dicomfile.PatientID, dicomfile.PatientBirthDate, dicomfile.PatientSex, dicomfile.StudyInstanceUID, dicomfile.StudyDate, dicomfile.StudyDescription} {
		want, _ := image.String(tg)
		if have, _ := got.String(tg); have != want {
			t.Errorf("%s is %q, want %q", tg.Name(), have, want)
		}
	}
	if text := pdfText(t, render(t, "PDF", d)); text != "" && !strings.Contains(text, "홍 길동") {
		t.Error("the PDF lacks the phonetic group")
	}
}
