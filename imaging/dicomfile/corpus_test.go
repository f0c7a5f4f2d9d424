package dicomfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// corpus is the folder of foreign files; the tests are skipped only when
// HALSTED_DATA is unset.
func corpus(t *testing.T) string {
	t.Helper()
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	return filepath.Join(root, "corpus")
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

type foreign struct {
	File, TS, Decode, PhotometricInterpretation string
	Shape                                       []int
	SHA                                         string `json:"pixels_sha256"`
	Rows, Columns, BitsAllocated                string
}

// refused are the corpus files that are not read, and why.
var refused = map[string]string{
	"pydicom/palettes/winter.dcm":                        "SOPInstanceUID at byte 0: the element stands there twice",
	"pydicom/test_files/ExplVR_BigEndNoMeta.dcm":         "not a DICOM file",
	"pydicom/test_files/no_meta.dcm":                     "not a DICOM file",
	"pydicom/test_files/MR_truncated.dcm":                "PixelData at byte 1488 needs 8192 bytes, 8130 are there",
	"pydicom/test_files/SC_rgb_jpeg.dcm":                 "ImageType at byte 356: unknown value representation",
	"pydicom/test_files/badVR.dcm":                       "NumberOfFrames is not a positive number",
	"pydicom/test_files/dicomdirtests/DICOMDIR-nooffset": "DirectoryRecordSequence at byte 384 needs 10720 bytes",
	"pydicom/test_files/rtplan_truncated.dcm":            "BeamSequence at byte 1410 needs 976 bytes",
}

// TestForeignFiles reads every file of the manifest. Native grey-scale pixels
// must be those another decoder found, bit for bit; files that parse must
// survive Write and Read.
func TestForeignFiles(t *testing.T) {
	root := corpus(t)
	var list []foreign
	readJSON(t, filepath.Join(root, "MANIFEST.json"), &list)
	exact, rewritten := 0, 0
	for _, e := range list {
		d, err := ReadFile(filepath.Join(root, e.File), Limits{})
		if why, ok := refused[e.File]; ok {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: got %v, want %q", e.File, err, why)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if e.TS != "" && d.TransferSyntax() != e.TS {
			t.Errorf("%s: syntax %s, want %s", e.File, d.TransferSyntax(), e.TS)
		}
		if rows, ok := d.Ints(Rows); ok && e.Rows != "" && len(rows) == 1 {
			if b, _ := json.Marshal(rows[0]); string(b) != e.Rows {
				t.Errorf("%s: Rows %s, want %s", e.File, b, e.Rows)
			}
		}
		samples, _ := d.Int(SamplesPerPixel)
		bits, _ := d.Int(BitsAllocated)
		if p, ok := d.PixelBytes(); ok && e.SHA != "" && samples == 1 && bits >= 8 {
			size := bits / 8
			for _, n := range e.Shape {
				size *= n
			}
			h := sha256.Sum256(p[:size])
			if hex.EncodeToString(h[:]) != e.SHA {
				t.Errorf("%s [%s]: pixels differ", e.File, e.TS)
			}
			exact++
		}
		if sameAfterWrite(t, e.File, d) {
			rewritten++
		}
	}
	t.Logf("%d files: %d pixel arrays exact, %d rewritten without loss", len(list), exact, rewritten)
	if exact < 80 || rewritten < 250 {
		t.Fatalf("only %d pixel arrays and %d rewritten files were compared", exact, rewritten)
	}
}

// sameAfterWrite reports whether d could be written; what comes back must have
// the same elements.
func sameAfterWrite(t *testing.T, name string, d *Dataset) bool {
	t.Helper()
	var b bytes.Buffer
	if Write(&b, d) != nil {
		return false // no SOP instance, or kept in a form that is not written
	}
	e, err := Read(&b, int64(b.Len()), Limits{})
	if err != nil {
		t.Errorf("%s, rewritten: %v", name, err)
		return false
	}
	strip := func(d *Dataset) []element {
		var out []element
		for _, e := range d.elems {
			switch {
			case e.tag.Group == 2 || e.tag.Element == 0 || e.tag == SpecificCharacterSet || e.tag == DataSetTrailingPadding:
			default:
				out = append(out, e)
			}
		}
		return out
	}
	x, y := strip(d), strip(e)
	if len(x) != len(y) {
		t.Errorf("%s: %d elements became %d", name, len(x), len(y))
		return false
	}
	for n := range x {
		if x[n].tag != y[n].tag || !sameValue(x[n], y[n]) {
			t.Errorf("%s: %s changed: %s %T, %s %T", name, x[n].tag.Name(), x[n].vr, x[n].value, y[n].vr, y[n].value)
			return false
		}
	}
	return true
}

// sameValue compares two values; padding to even length is no difference, and
// neither is UN for text that is too long for its own VR.
func sameValue(a, b element) bool {
	switch x := a.value.(type) {
	case []byte:
		y, ok := b.value.([]byte)
		return ok && bytes.Equal(bytes.TrimRight(x, "\x00"), bytes.TrimRight(y, "\x00"))
	case [][]byte:
		y, ok := b.value.([][]byte)
		return ok && len(x) == len(y)
	case []*Dataset:
		y, ok := b.value.([]*Dataset)
		if !ok || len(x) != len(y) {
			return false
		}
		for n := range x {
			if len(x[n].prepared(false)) != len(y[n].prepared(false)) && textForm(x[n]) == textASCII {
				return false
			}
		}
		return true
	case opaque:
		y, ok := b.value.(opaque)
		return ok && bytes.Equal(x.bytes, y.bytes)
	case []string:
		return len(x) == 0 && reflect.ValueOf(b.value).Len() == 0 || reflect.DeepEqual(a.value, b.value) || b.vr == "UN"
	}
	return reflect.ValueOf(a.value).Len() == 0 && reflect.ValueOf(b.value).Len() == 0 || reflect.DeepEqual(a.value, b.value)
}

// TestHostileFiles wants no panic and little memory, whatever the file claims;
// the rule of EXPECT.json allows 1 GiB.
func TestHostileFiles(t *testing.T) {
	dir := filepath.Join(corpus(t), "fuzz")
	var expect struct{ Files map[string]string }
	readJSON(t, filepath.Join(dir, "EXPECT.json"), &expect)
	if len(expect.Files) != 105 {
		t.Fatalf("%d files in EXPECT.json", len(expect.Files))
	}
	for name, what := range expect.Files {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadFile(filepath.Join(dir, name), Limits{})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
			t.Errorf("%s (%s): %d MiB allocated, %v", name, what, used>>20, err)
		}
		if strings.HasPrefix(name, "trunc_") && err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	for name, want := range map[string]string{
		"nest_5000.dcm": "Depth is 25", "seq_never_ends.dcm": "truncated", "len_4gb_ob.dcm": "truncated",
		"pixeldata_4gb.dcm": "truncated", "rows_65535.dcm": "truncated", "frames_huge.dcm": "truncated",
		"frames_negative.dcm": "not a positive", "empty.dcm": "not a DICOM", "not_dicom.dcm": "not a DICOM",
		"random_4k.dcm": "not a DICOM", "preamble_only.dcm": "truncated",
	} {
		if _, err := ReadFile(filepath.Join(dir, name), Limits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	_, err := ReadFile(filepath.Join(dir, "deflate_bomb_64mb.dcm"), Limits{InflatedBytes: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "InflatedBytes") {
		t.Errorf("deflate bomb: %v", err)
	}
}
