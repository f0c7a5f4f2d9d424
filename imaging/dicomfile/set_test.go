package dicomfile

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestSetRefusesWhatTheVRCannotHold(t *testing.T) {
	d := New()
	for name, c := range map[string]struct {
		tag Tag
		v   []any
	}{
		"text for a number":    {Rows, []any{"5"}},
		"beyond 16 bits":       {Rows, []any{65536}},
		"negative unsigned":    {Rows, []any{-1}},
		"lower-case CS":        {Modality, []any{"ct"}},
		"long CS":              {Modality, []any{strings.Repeat("A", 17)}},
		"two values in one":    {ImageType, []any{`A\B`}},
		"UID with letters":     {StudyInstanceUID, []any{"1.2.x"}},
		"UID with a zero":      {StudyInstanceUID, []any{"1.02"}},
		"UID too long":         {StudyInstanceUID, []any{strings.Repeat("1", 65)}},
		"date with dashes":     {StudyDate, []any{"2020-01-01"}},
		"NaN":                  {SliceThickness, []any{math.NaN()}},
		"infinite":             {SliceThickness, []any{math.Inf(1)}},
		"words for a decimal":  {SliceThickness, []any{"thin"}},
		"hexadecimal":          {SliceThickness, []any{"0x1p4"}},
		"fraction for an IS":   {InstanceNumber, []any{1.5}},
		"too big for an IS":    {InstanceNumber, []any{"3000000000"}},
		"control character":    {PatientID, []any{"a\x1bb"}},
		"not UTF-8":            {PatientName, []any{"M\xfcller"}},
		"nil item":             {AnatomicRegionSequence, []any{(*Dataset)(nil)}},
		"text for a sequence":  {AnatomicRegionSequence, []any{"x"}},
		"two long texts":       {ImageComments, []any{"a", "b"}},
		"numbers for bytes":    {PixelData, []any{1, 2}},
		"private without a VR": {Tag{9, 0x1001}, []any{"x"}},
		"an item tag":          {itemTag, []any{}},
	} {
		if err := d.Set(c.tag, c.v...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if d.Len() != 0 {
		t.Fatalf("%d elements after refusals", d.Len())
	}
	err := d.Set(PatientID, strings.Repeat("secret", 20))
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "PatientID") {
		t.Fatalf("got %v", err)
	}
}

func TestSetChoosesVRs(t *testing.T) {
	d := New()
	set(t, d, BitsAllocated, 8)
	set(t, d, PixelData, []byte{1, 2})
	set(t, d, PixelRepresentation, 1)
	set(t, d, PixelPaddingValue, -5)
	if d.VR(PixelData) != "OB" || d.VR(PixelPaddingValue) != "SS" {
		t.Fatalf("VRs %s %s", d.VR(PixelData), d.VR(PixelPaddingValue))
	}
	set(t, d, BitsAllocated, 16)
	set(t, d, PixelData, []byte{1, 2})
	set(t, d, PixelRepresentation, 0)
	if d.VR(PixelData) != "OW" || d.Set(PixelPaddingValue, -5) == nil {
		t.Fatal("16-bit unsigned pixels")
	}
	if err := d.SetVR(Tag{9, 0x10}, "LO", "HALSTED"); err != nil {
		t.Fatal(err)
	}
	set(t, d, Tag{0x6002, 0x3000}, []byte{1, 2}) // second overlay plane
	if d.VR(Tag{0x6002, 0x3000}) != "OB" || Rows.Name() != "Rows" || !(Tag{9, 0x10}).Private() {
		t.Fatal("dictionary")
	}
}

func TestGettersAnswerOnlyForTheirKind(t *testing.T) {
	d := New()
	set(t, d, StudyDate)
	set(t, d, InstanceNumber, 7)
	set(t, d, PixelSpacing, 0.5, 0.25)
	set(t, d, Rows, 9)
	d.elems = append(d.elems, element{WindowCenter, "DS", []string{"NaN"}}, element{WindowWidth, "DS", []string{"1e999"}})
	if _, ok := d.String(StudyDate); ok || !d.Has(StudyDate) {
		t.Fatal("an empty element has a value")
	}
	if n, ok := d.Int(InstanceNumber); !ok || n != 7 {
		t.Fatal("IS")
	}
	if f, ok := d.Float(Rows); !ok || f != 9 {
		t.Fatal("US as a number")
	}
	if _, ok := d.Int(PixelSpacing); ok {
		t.Fatal("0.5 is a whole number")
	}
	for _, tag := range []Tag{WindowCenter, WindowWidth, PatientID, StudyDate} {
		if v, ok := d.Float(tag); ok {
			t.Fatalf("%s is %v", tag.Name(), v)
		}
	}
	d.Delete(Rows)
	if d.Has(Rows) || d.Items(Rows) != nil || d.Strings(Rows) != nil {
		t.Fatal("deleted element")
	}
}

func TestDecimalStringsFitAndLoseLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := math.Ldexp(2*rng.Float64()-1, rng.IntN(120)-60)
		s, ok := FormatDS(v)
		f, err := strconv.ParseFloat(s, 64)
		if !ok || err != nil || len(s) > 16 {
			t.Fatalf("%v becomes %q", v, s)
		}
		// Sign, point, and an exponent of e-NN leave ten digits.
		if math.Abs(f-v) > 1e-9*math.Abs(v) {
			t.Fatalf("%v becomes %q, off by %g", v, s, f-v)
		}
	}
	for v, want := range map[float64]string{0: "0", 1.6: "1.6", -1024: "-1024", 1.0 / 3: "0.33333333333333", 1e300: "1e+300"} {
		if s, _ := FormatDS(v); s != want {
			t.Errorf("%v: %q, want %q", v, s, want)
		}
	}
}

func TestHashUID(t *testing.T) {
	seen := map[string]bool{}
	for n := range 2000 {
		u := HashUID("part", strconv.Itoa(n))
		if !validUID(u) || !strings.HasPrefix(u, "2.25.") || seen[u] {
			t.Fatalf("UID %s", u)
		}
		seen[u] = true
	}
	if HashUID("ab", "c") == HashUID("a", "bc") || !seen[HashUID("part", "7")] {
		t.Fatal("part borders")
	}
}

type failing struct{ after int }

func (f *failing) Write(b []byte) (int, error) {
	if f.after -= len(b); f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteReportsWhatIsWrong(t *testing.T) {
	d := sample(t)
	if err := Write(&failing{100}, d); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v", err)
	}
	d.Delete(SOPInstanceUID)
	if err := Write(&bytes.Buffer{}, d); err == nil || !strings.Contains(err.Error(), "SOPInstanceUID") {
		t.Fatalf("got %v", err)
	}
}

func TestWrittenTextIsLabelledUTF8(t *testing.T) {
	d := sample(t)
	if d.Has(SpecificCharacterSet) {
		t.Fatal("the sample is plain ASCII")
	}
	item := New()
	set(t, item, CodeMeaning, "Leber, groß")
	set(t, d, AnatomicRegionSequence, item)
	got, err := read(encode(t, d), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := got.String(SpecificCharacterSet); s != "ISO_IR 192" {
		t.Fatalf("character set %q", s)
	}
	if s, _ := got.Items(AnatomicRegionSequence)[0].String(CodeMeaning); s != "Leber, groß" {
		t.Fatalf("text %q", s)
	}
}

func TestTextTooLongForItsVRGoesOutAsUN(t *testing.T) {
	d := sample(t)
	d.put(element{ImageType, "CS", []string{strings.Repeat("A", 70000)}}) // implicit VR allows this
	got, err := read(encode(t, d), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := got.Bytes(ImageType); !ok || len(b) != 70000 || got.VR(ImageType) != "UN" {
		t.Fatalf("VR %s", got.VR(ImageType))
	}
}
