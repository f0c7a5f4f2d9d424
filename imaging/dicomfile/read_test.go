package dicomfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func read(b []byte, lim Limits) (*Dataset, error) {
	return Read(bytes.NewReader(b), int64(len(b)), lim)
}

// same compares two datasets without file meta information.
func same(t *testing.T, got, want *Dataset) {
	t.Helper()
	body := func(d *Dataset) []element {
		return slices.DeleteFunc(slices.Clone(d.elems), func(e element) bool { return e.tag.Group == 2 || e.tag.Element == 0 })
	}
	a, b := body(got), body(want)
	if len(a) != len(b) {
		t.Fatalf("%d elements, want %d", len(a), len(b))
	}
	for n := range a {
		if a[n].tag != b[n].tag || a[n].vr != b[n].vr || !sameValue(a[n], b[n]) {
			t.Fatalf("%s: %s %v, want %s %v", a[n].tag.Name(), a[n].vr, a[n].value, b[n].vr, b[n].value)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	want := sample(t)
	b := encode(t, want)
	got, err := read(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
	if !bytes.Equal(encode(t, got), b) || !bytes.Equal(encode(t, want.Clone()), b) {
		t.Fatal("the same dataset gives other bytes")
	}
	if p, ok := got.Floats(ImagePositionPatient); !ok || p[1] != 20.25 {
		t.Fatalf("position %v", p)
	}
	if s, ok := got.String(ImplementationClassUID); !ok || s != HalstedClassUID {
		t.Fatalf("implementation %q", s)
	}
	if items := got.Items(AnatomicRegionSequence); len(items) != 1 || items[0].Len() != 3 {
		t.Fatalf("items %v", items)
	}
	for _, r := range []struct {
		size int64
		b    []byte
	}{{-1, b}, {int64(len(b)), append(slices.Clone(b), "next object"...)}} {
		d, err := Read(iotest.HalfReader(bytes.NewReader(r.b)), r.size, Limits{})
		if err != nil {
			t.Fatalf("size %d: %v", r.size, err)
		}
		same(t, d, want)
	}
}

// TestEverySyntaxGivesTheSameObject lets dcmtk convert our file.
func TestEverySyntaxGivesTheSameObject(t *testing.T) {
	dir := t.TempDir()
	d := sample(t)
	set(t, d, SmallestImagePixelValue, -1000)
	set(t, d, Tag{0x0018, 0x9318}, 1.5, -2.25)   // FD
	set(t, d, Tag{0x0018, 0x6020}, -7)           // SL
	set(t, d, Tag{0x0028, 0x0009}, 0x18, 0x63)   // AT, two halves
	set(t, d, ImageComments, `a \ in long text`) // LT
	in := filepath.Join(dir, "in.dcm")
	if err := os.WriteFile(in, encode(t, d), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, syntax := range map[string]string{
		"+te": ExplicitVRLittleEndian, "+ti": ImplicitVRLittleEndian, "+tb": ExplicitVRBigEndian, "+td": DeflatedExplicitVR,
	} {
		for _, length := range []string{"+e", "-e"} { // defined and undefined lengths
			out := filepath.Join(dir, "out.dcm")
			run(t, "dcmtk", "dcmconv", flag, length, in, out)
			got, err := ReadFile(out, Limits{})
			if err != nil {
				t.Fatalf("%s %s: %v", flag, length, err)
			}
			if got.TransferSyntax() != syntax {
				t.Fatalf("%s: syntax %s", flag, got.TransferSyntax())
			}
			same(t, got, d)
		}
	}
}

func TestFilesWithoutPreamble(t *testing.T) {
	want := sample(t)
	b := encode(t, want)
	_, err := read(b[:131], Limits{})
	if !errors.Is(err, ErrNotDICOM) {
		t.Fatalf("131 bytes: %v", err)
	}
	d, err := read(b[132:], Limits{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, d, want)
	at := bytes.Index(b, []byte{8, 0, 8, 0, 'C', 'S'})
	if d, err = read(b[at:], Limits{}); err != nil {
		t.Fatal(err)
	}
	same(t, d, want)
	if d.TransferSyntax() != ExplicitVRLittleEndian {
		t.Fatalf("guessed %s", d.TransferSyntax())
	}
	if d, err = read(append(slices.Clone(b), make([]byte, 513)...), Limits{}); err != nil {
		t.Fatalf("zeros after the last element: %v", err)
	}
	same(t, d, want)
	if _, err = read(append(slices.Clone(b), "tail"...), Limits{}); err == nil {
		t.Fatal("text after the last element is accepted")
	}
	if _, err = read(append(slices.Clone(b[at:at+200]), "\xff\xff garbage"...), Limits{}); !errors.Is(err, ErrNotDICOM) {
		t.Fatalf("garbage after a plausible start: %v", err)
	}
}

// file puts explicit little-endian elements behind a preamble and meta group.
func file(syntax string, elements ...[]byte) []byte {
	b := append(make([]byte, 128), "DICM"...)
	meta, err := appendElement(nil, element{TransferSyntaxUID, "UI", []string{syntax}}, false)
	if err != nil {
		panic(err)
	}
	return append(append(b, meta...), bytes.Join(elements, nil)...)
}

func long(t Tag, vr string, length uint32, value ...byte) []byte {
	b := append(appendTag(nil, t), vr[0], vr[1], 0, 0)
	return append(binary.LittleEndian.AppendUint32(b, length), value...)
}

func short(t Tag, vr string, value string) []byte {
	b := append(appendTag(nil, t), vr[0], vr[1])
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value))), value...)
}

var (
	item     = append(appendTag(nil, itemTag), 0xff, 0xff, 0xff, 0xff)
	itemEnd  = append(appendTag(nil, itemDelimitationTag), 0, 0, 0, 0)
	seqEnd   = append(appendTag(nil, sequenceDelimitationTag), 0, 0, 0, 0)
	classOf  = short(SOPClassUID, "UI", CTImageStorage+"\x00")
	anySeq   = Tag{0x0008, 0x1140}
	anyBlock = Tag{0x0009, 0x1001}
)

func TestLimitsHold(t *testing.T) {
	nested := func(depth int) []byte {
		var b []byte
		for range depth {
			b = append(append(b, long(anySeq, "SQ", undefinedLength)...), item...)
		}
		for range depth {
			b = append(append(b, itemEnd...), seqEnd...)
		}
		return file(ExplicitVRLittleEndian, b)
	}
	if _, err := read(nested(24), Limits{}); err != nil {
		t.Fatalf("depth 24: %v", err)
	}
	many := bytes.Repeat(item[:4:4], 1)
	many = append(many, 0, 0, 0, 0) // an empty item
	sequence := append(long(anySeq, "SQ", 8*1000), bytes.Repeat(many, 1000)...)
	for name, c := range map[string]struct {
		b     []byte
		lim   Limits
		field string
	}{
		"depth":    {nested(25), Limits{}, "Depth"},
		"deeper":   {nested(5000), Limits{}, "Depth"},
		"elements": {file(ExplicitVRLittleEndian, classOf, sequence), Limits{Elements: 900}, "Elements"},
		"value":    {file(ExplicitVRLittleEndian, long(anyBlock, "OB", 1000, make([]byte, 1000)...)), Limits{ValueBytes: 999}, "ValueBytes"},
		"text":     {file(ExplicitVRLittleEndian, short(PatientName, "PN", strings.Repeat("x", 200))), Limits{TextBytes: 199}, "TextBytes"},
		"file":     {encode(t, sample(t)), Limits{FileBytes: 700}, "FileBytes"},
	} {
		_, err := read(c.b, c.lim)
		if e, ok := errors.AsType[*LimitError](err); !ok || e.Field != c.field {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := Read(bytes.NewReader(c.b), -1, c.lim); err == nil {
			t.Errorf("%s: passes when the size is unknown", name)
		}
	}
}

func TestBrokenEncodingIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"length beyond the end":      {long(anyBlock, "OB", 100, 1, 2), "truncated"},
		"four gigabytes":             {long(anyBlock, "UT", 0xfffffffe), "truncated"},
		"undefined text":             {long(anyBlock, "UT", undefinedLength), "undefined length"},
		"unknown VR":                 {short(anyBlock, "XX", "ab"), "unknown value representation"},
		"odd number of bytes":        {short(Rows, "US", "abc"), "does not fit VR US"},
		"sequence of no items":       {append(long(anySeq, "SQ", 8), short(Rows, "US", "")...), "something other than an item"},
		"item outside a sequence":    {slices.Clone(item), "outside a sequence"},
		"sequence without end":       {append(long(anySeq, "SQ", undefinedLength), bytes.Join([][]byte{item, itemEnd}, nil)...), "truncated"},
		"item longer than its place": {append(long(anySeq, "SQ", 8), append(item[:4:4], 9, 0, 0, 0)...), "truncated"},
		"element longer than item":   {append(long(anySeq, "SQ", 16), append(append(item[:4:4], 8, 0, 0, 0), short(Rows, "US", "ab")[:8]...)...), "truncated"},
		"delimiter with a length":    {append(long(anySeq, "SQ", undefinedLength), append(seqEnd[:4:4], 1, 0, 0, 0)...), "delimiter with a length"},
		"fragments without a table":  {append(long(PixelData, "OB", undefinedLength), seqEnd...), "without an offset table"},
		"fragment of no length":      {append(long(PixelData, "OB", undefinedLength), item...), "other than fragments"},
		"twice":                      {append(short(Rows, "US", "ab"), short(Rows, "US", "ab")...), "twice"},
	} {
		_, err := read(file(ExplicitVRLittleEndian, classOf, c.b), Limits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	b := encode(t, sample(t))
	whole, err := read(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for n := range b {
		d, err := read(b[:n], Limits{})
		if err != nil {
			continue
		}
		// A cut between two elements leaves a shorter object that is valid in
		// itself; it must lack the pixel data.
		accepted++
		if d.Len() >= whole.Len() || d.Has(PixelData) {
			t.Fatalf("cut at %d: %d elements", n, d.Len())
		}
	}
	if accepted > whole.Len() {
		t.Fatalf("%d cuts pass, there are only %d elements", accepted, whole.Len())
	}
}

func TestShortPixelsComeWithTheHeader(t *testing.T) {
	b := encode(t, sample(t))
	d, err := read(b[:len(b)-2], Limits{})
	e, ok := errors.AsType[*TruncatedError](err)
	if !ok || e.Tag != PixelData || e.Want != 24 || e.Have != 22 || d == nil {
		t.Fatalf("got %v", err)
	}
	if s, _ := d.String(Modality); s != "CT" {
		t.Fatal("the header is lost")
	}
	s := sample(t)
	set(t, s, Rows, 65535)
	set(t, s, Columns, 65535)
	set(t, s, NumberOfFrames, 2147483647)
	d, err = read(encode(t, s), Limits{})
	if e, ok := errors.AsType[*TruncatedError](err); !ok || e.Have != 24 || d == nil {
		t.Fatalf("got %v", err)
	}
}

// TestMemoryFollowsTheFile bounds what small hostile files may cost.
func TestMemoryFollowsTheFile(t *testing.T) {
	var nested []byte
	for range 400 { // 400 sequences, 20 deep each
		for range 20 {
			nested = append(append(nested, long(anySeq, "SQ", undefinedLength)...), item...)
		}
		for range 20 {
			nested = append(append(nested, itemEnd...), seqEnd...)
		}
		nested = append(nested, short(Rows, "US", "")...)
	}
	inItem := append(append(long(anySeq, "SQ", undefinedLength), item...), short(Rows, "US", "")...)
	inItem = append(append(inItem, itemEnd...), seqEnd...)
	for name, b := range map[string][]byte{
		"nested":     file(ExplicitVRLittleEndian, nested[:len(nested)/400]),
		"items":      file(ExplicitVRLittleEndian, append(long(anySeq, "SQ", undefinedLength), append(bytes.Repeat(append(slices.Clone(item), itemEnd...), 50_000), seqEnd...)...)),
		"back slash": file(ExplicitVRLittleEndian, short(ImageType, "CS", strings.Repeat(`\`, 65000))),
		"one item":   file(ExplicitVRLittleEndian, inItem),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(b, Limits{})
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		if most := uint64(1<<20 + 100*len(b)); used > most {
			t.Errorf("%s: %d bytes of file cost %d bytes of memory (%v)", name, len(b), used, err)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrivateSequenceOfUnknownVRSurvives(t *testing.T) {
	// UN of undefined length holds implicit VR items (PS3.5 section 6.2.2).
	inner := append(appendTag(nil, Rows), 2, 0, 0, 0, 5, 0)
	value := bytes.Join([][]byte{item, inner, itemEnd, seqEnd}, nil)
	un := append(long(anyBlock, "UN", undefinedLength), value...)
	b := file(ExplicitVRLittleEndian, classOf, short(SOPInstanceUID, "UI", "1.2"+"\x00"), un, short(Rows, "US", "\x05\x00"))
	d, err := read(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := d.Int(Rows); !ok || n != 5 {
		t.Fatalf("Rows %d", n)
	}
	if !bytes.Contains(encode(t, d), un) {
		t.Fatal("the private sequence is not written back")
	}
	if err := Write(&bytes.Buffer{}, &Dataset{elems: []element{{SOPClassUID, "UI", []string{"1.2"}}, {SOPInstanceUID, "UI", []string{"1.3"}},
		{anyBlock, "UN", opaque{un, false}}}}); err == nil {
		t.Fatal("an element of another byte order is written as it is")
	}
}

func TestCharacterSets(t *testing.T) {
	name := func(charset, raw string) string {
		pad := func(s string) string { return s + strings.Repeat(" ", len(s)%2) }
		d, err := read(file(ExplicitVRLittleEndian, short(SpecificCharacterSet, "CS", pad(charset)), classOf,
			short(SOPInstanceUID, "UI", "1.2\x00"), short(PatientName, "PN", pad(raw))), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", charset, err)
		}
		s, _ := d.String(PatientName)
		back, err := read(encode(t, d), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := back.String(PatientName); again != s {
			t.Fatalf("%s: %q became %q", charset, s, again)
		}
		return s
	}
	for charset, c := range map[string][2]string{
		"ISO_IR 100": {"B\xfcc^J\xe9r\xf4me", "Büc^Jérôme"},
		"ISO_IR 144": {"\xbb\xee\xda\x63\x65\xdc\x64\xe0\x79", "Люкceмdрy"},
		"ISO_IR 192": {"Wang^XiaoDong=王^小东", "Wang^XiaoDong=王^小东"},
		"GB18030":    {"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"},
		"ISO_IR 166": {"\xb9\xd2\xc2", "\xb9\xd2\xc2"}, // Thai is kept as it came
		"NONSENSE":   {"Plain", "Plain"},
	} {
		if got := name(charset, c[0]); got != c[1] {
			t.Errorf("%s: %q, want %q", charset, got, c[1])
		}
	}
}

func TestEncapsulatedPixelsStayCompressed(t *testing.T) {
	d := sample(t)
	d.SetFragments("1.2.840.10008.1.2.4.70", []byte{1, 2, 3, 4}, []byte{5, 6})
	got, err := read(encode(t, d), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.PixelBytes(); ok || !got.Encapsulated() || got.TransferSyntax() != "1.2.840.10008.1.2.4.70" ||
		!reflect.DeepEqual(got.Fragments(), [][]byte{{1, 2, 3, 4}, {5, 6}}) {
		t.Fatalf("fragments %v in %s", got.Fragments(), got.TransferSyntax())
	}
}

func TestErrorsNameFileAndKeepValuesOut(t *testing.T) {
	b := encode(t, sample(t))
	dir := t.TempDir()
	for n := 300; n < len(b); n += 7 {
		broken := slices.Clone(b)
		broken[n] ^= 0xff
		if err := os.WriteFile(filepath.Join(dir, "slice.dcm"), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFile(filepath.Join(dir, "slice.dcm"), Limits{})
		if err != nil && (!strings.HasPrefix(err.Error(), "slice.dcm: ") || strings.Contains(err.Error(), "Phantom")) {
			t.Fatalf("byte %d: %q", n, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	d := sample(f)
	f.Add(encode(f, d))
	f.Add(encode(f, d)[132:])
	d.SetFragments("1.2.840.10008.1.2.5", []byte{1, 2})
	f.Add(encode(f, d))
	f.Add(file(ImplicitVRLittleEndian, append(appendTag(nil, SOPClassUID), 4, 0, 0, 0, '1', '.', '2', 0)))
	f.Add(file(ExplicitVRBigEndian, []byte{0, 8, 0, 0x16, 'U', 'I', 0, 4, '1', '.', '2', 0}))
	f.Add(file(ExplicitVRLittleEndian, classOf, long(anySeq, "SQ", undefinedLength), item, short(Rows, "US", "ab"), itemEnd, seqEnd))
	f.Add(file(ExplicitVRLittleEndian, classOf, long(anyBlock, "UN", undefinedLength), seqEnd))
	f.Add(file(DeflatedExplicitVR, []byte{3, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := read(b, Limits{InflatedBytes: 1 << 20})
		if err != nil {
			return
		}
		var first bytes.Buffer
		if Write(&first, d) != nil {
			return
		}
		again, err := read(first.Bytes(), Limits{})
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		var second bytes.Buffer
		if err := Write(&second, again); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("writing twice gives other bytes (%v)", err)
		}
	})
}
