package pacs

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

func TestValidUID(t *testing.T) {
	for uid, want := range map[string]bool{
		"1.2.840.10008.1.1": true, "1": true, "0.0": true, strings.Repeat("1", 64): true,
		"": false, ".": false, "..": false, "1..2": false, ".1": false, "1.": false, "1.2/3": false,
		"../../etc": false, "1.2\x00": false, "1.a": false, "-1.2": false, strings.Repeat("1", 65): false,
	} {
		if ValidUID(uid) != want {
			t.Errorf("ValidUID(%q) = %v", uid, !want)
		}
	}
}

func TestValidAETitle(t *testing.T) {
	for ae, want := range map[string]bool{
		"HALSTED": true, "A B": true, "SIXTEEN_LETTERS_": true,
		"": false, "   ": false, "SEVENTEEN_LETTERS": false, `A\B`: false, "A\nB": false, "Ä": false,
	} {
		if ValidAETitle(ae) != want {
			t.Errorf("ValidAETitle(%q) = %v", ae, !want)
		}
	}
}

func sampleRQ() *associateRQ {
	return &associateRQ{version: 1, called: "HALSTED", calling: "TESTER", application: applicationContext,
		contexts: []proposal{
			{1, VerificationSOPClass, []string{ImplicitVRLittleEndian}},
			{3, ctClass, []string{ExplicitVRLittleEndian, ImplicitVRLittleEndian}},
		},
		user: userInfo{16384, implementationClass, implementationVersion}}
}

func TestAssociateRoundTrip(t *testing.T) {
	q := sampleRQ()
	b := q.append(nil)
	if n := binary.BigEndian.Uint32(b[2:]); b[0] != pduAssociateRQ || int(n) != len(b)-pduHeaderLen {
		t.Fatalf("header % x for %d bytes", b[:6], len(b))
	}
	got, err := parseAssociateRQ(b[pduHeaderLen:])
	if err != nil || !reflect.DeepEqual(got, q) {
		t.Errorf("got %+v, %v", got, err)
	}
	a := &associateAC{called: "HALSTED", calling: "TESTER", contexts: []answer{{1, 0, ImplicitVRLittleEndian}, {3, 4, ImplicitVRLittleEndian}},
		user: userInfo{131072, "1.2", "V"}}
	back, err := parseAssociateAC(a.append(nil)[pduHeaderLen:])
	if err != nil || !reflect.DeepEqual(back, a) {
		t.Errorf("got %+v, %v", back, err)
	}
}

// TestWireBytes compares an A-ASSOCIATE-RJ, an A-ABORT and a C-ECHO-RQ with
// their tables in PS3.8 9.3.4, 9.3.8 and PS3.7 9.3.5.1.
func TestWireBytes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want []byte
	}{
		{"A-ASSOCIATE-RJ", appendReject(nil, rejectCalledAE), []byte{3, 0, 0, 0, 0, 4, 0, 1, 1, 7}},
		{"A-ABORT", appendAbort(nil, 2, 6), []byte{7, 0, 0, 0, 0, 4, 0, 0, 2, 6}},
		{"A-RELEASE-RQ", appendRelease(nil, pduReleaseRQ), []byte{5, 0, 0, 0, 0, 4, 0, 0, 0, 0}},
		{"C-ECHO-RQ", (&command{field: fieldEchoRQ, messageID: 7, class: VerificationSOPClass}).append(nil), []byte(
			"\x00\x00\x00\x00\x04\x00\x00\x00\x38\x00\x00\x00" + // (0000,0000) group length 56
				"\x00\x00\x02\x00\x12\x00\x00\x001.2.840.10008.1.1\x00" +
				"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x00" +
				"\x00\x00\x10\x01\x02\x00\x00\x00\x07\x00" +
				"\x00\x00\x00\x08\x02\x00\x00\x00\x01\x01")},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s:\n% x, want\n% x", c.name, c.got, c.want)
		}
	}
}

func TestCommandRoundTrip(t *testing.T) {
	for _, c := range []command{
		{field: fieldEchoRQ, messageID: 1, class: VerificationSOPClass},
		{field: fieldStoreRQ, messageID: 65535, class: ctClass, instance: "1.2.3", priority: 1, dataSet: true},
		{field: fieldStoreRQ | fieldResponse, respondedTo: 9, class: ctClass, instance: "1.2.3", status: 0xA700, comment: "disk full"},
	} {
		got, err := parseCommand(c.append(nil))
		if err != nil || *got != c {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
	}
}

func FuzzAssociate(f *testing.F) {
	f.Add(sampleRQ().append(nil)[pduHeaderLen:])
	f.Add((&associateAC{contexts: []answer{{1, 0, "1.2"}}}).append(nil)[pduHeaderLen:])
	f.Add(make([]byte, associateFixed+3))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := parseAssociateRQ(b); err == nil && len(b) < 60000 {
			again, err := parseAssociateRQ(q.append(nil)[pduHeaderLen:])
			if err != nil || !reflect.DeepEqual(again, q) {
				t.Fatalf("request %+v became %+v, %v", q, again, err)
			}
		}
		if a, err := parseAssociateAC(b); err == nil && len(b) < 60000 {
			again, err := parseAssociateAC(a.append(nil)[pduHeaderLen:])
			if err != nil || !reflect.DeepEqual(again, a) {
				t.Fatalf("acceptance %+v became %+v, %v", a, again, err)
			}
		}
	})
}

func FuzzCommand(f *testing.F) {
	f.Add((&command{field: fieldStoreRQ, messageID: 3, class: ctClass, instance: "1.2.3", dataSet: true}).append(nil))
	f.Add((&command{field: 0x8030, status: 0x0110, comment: "x"}).append(nil))
	f.Add([]byte{0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCommand(b)
		if err != nil {
			return
		}
		once := c.append(nil)
		again, err := parseCommand(once)
		if err != nil {
			t.Fatalf("%+v written as % x: %v", c, once, err)
		}
		if twice := again.append(nil); !bytes.Equal(once, twice) {
			t.Fatalf("% x became % x", once, twice)
		}
	})
}

func FuzzFileMeta(f *testing.F) {
	in := Instance{SOPClassUID: ctClass, SOPInstanceUID: "1.2.3", TransferSyntax: ImplicitVRLittleEndian, CallingAE: "X"}
	f.Add(in.Header())
	f.Add(append(in.Header(), ctData("1", "2", "1.2.3", 0, 2)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readFileMeta(bytes.NewReader(b))
		if err == nil && (m.offset > int64(len(b)) || !ValidUID(m.instance)) {
			t.Fatalf("%+v of %d bytes", m, len(b))
		}
	})
}

// TestHeader reads back the file meta information that goes in front of a
// stored data set.
func TestHeader(t *testing.T) {
	in := Instance{SOPClassUID: ctClass, SOPInstanceUID: "1.2.34", TransferSyntax: ExplicitVRBigEndian, CallingAE: "SENDER"}
	h := in.Header()
	m, err := readFileMeta(bytes.NewReader(h))
	if err != nil || m != (fileMeta{ctClass, "1.2.34", ExplicitVRBigEndian, int64(len(h))}) {
		t.Errorf("meta %+v, %v for %d bytes", m, err, len(h))
	}
	// (0002,0000) counts the bytes after itself (PS3.10 table 7.1-1).
	if n := binary.LittleEndian.Uint32(h[140:]); int(n) != len(h)-144 || string(h[128:132]) != "DICM" {
		t.Errorf("group length %d in a header of %d bytes", n, len(h))
	}
	if !bytes.Contains(h, []byte("SENDER")) {
		t.Error("no source AE title")
	}
}

// implicitOf turns flat explicit VR little endian elements into implicit VR.
func implicitOf(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n, h := int(binary.LittleEndian.Uint16(b[6:])), 8
		if longVR(string(b[4:6])) {
			n, h = int(binary.LittleEndian.Uint32(b[8:])), 12
		}
		out = append(out, b[:4]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
		out = append(out, b[h:h+n]...)
		b = b[h+n:]
	}
	return out
}

// sequenceBefore puts a sequence of undefined length, with an item of
// undefined and one of defined length and a nested sequence, before the UIDs.
func sequenceBefore(data []byte) []byte {
	inner := elementBytes(0x00081150, "UI", []byte(ctClass))
	item := func(v []byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte{0xfe, 0xff, 0x00, 0xe0}, uint32(len(v)))
		return append(b, v...)
	}
	open := []byte{0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff}
	shut := []byte{0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0}
	end := []byte{0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0}
	sq := func(head string, v ...[]byte) []byte {
		b := append([]byte(head), 0xff, 0xff, 0xff, 0xff)
		return append(append(b, bytes.Join(v, nil)...), end...)
	}
	nested := sq("\x08\x00\x40\x11SQ\x00\x00", item(inner))
	unknown := sq("\x09\x00\x01\x10UN\x00\x00", item(implicitOf(inner)), open, implicitOf(inner), shut)
	first := sq("\x08\x00\x10\x11SQ\x00\x00", open, inner, nested, shut, item(inner))
	at := bytes.Index(data, []byte("\x08\x00\x60\x00CS")) // Modality
	after := at + 8 + 2
	out := append(bytes.Clone(data[:after]), first...)
	out = append(out, unknown...)
	return append(out, data[after:]...)
}

func TestReadKeys(t *testing.T) {
	data := ctData("1.2", "1.2.3", "1.2.3.4", 1, 8)
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, 6)
	w.Write(data)
	w.Close()
	for _, c := range []struct {
		name, syntax string
		data         []byte
	}{
		{"explicit", ExplicitVRLittleEndian, data},
		{"implicit", ImplicitVRLittleEndian, implicitOf(data)},
		{"deflated", DeflatedExplicitVRLittleEndian, deflated.Bytes()},
		{"compressed", "1.2.840.10008.1.2.4.70", data},
		{"sequences", ExplicitVRLittleEndian, sequenceBefore(data)},
	} {
		k, err := readKeys(bytes.NewReader(c.data), c.syntax)
		if err != nil || k != (keys{ctClass, "1.2.3.4", "1.2", "1.2.3"}) {
			t.Errorf("%s: %+v, %v", c.name, k, err)
		}
	}
	for name, b := range map[string][]byte{
		"implicit read as explicit": implicitOf(data),
		"file meta in data set":     append(elementBytes(0x00020010, "UI", []byte("1.2")), data...),
		"cut in a value":            data[:25],
		"wrong order":               append(bytes.Clone(data[30:64]), data...),
		"deep nesting":              bytes.Repeat([]byte("\x08\x00\x10\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"), 100),
		"huge element":              []byte("\x08\x00\x10\x11OB\x00\x00\x00\x00\x00\x80"),
	} {
		if k, err := readKeys(bytes.NewReader(b), ExplicitVRLittleEndian); err == nil {
			t.Errorf("%s: accepted with %+v", name, k)
		}
	}
}

func FuzzReadKeys(f *testing.F) {
	data := ctData("1.2", "1.2.3", "1.2.3.4", 1, 2)
	for i := range byte(4) {
		f.Add(i, data)
		f.Add(i, sequenceBefore(data))
	}
	f.Add(byte(1), implicitOf(data))
	syntaxes := []string{ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		k, err := readKeys(bytes.NewReader(b), syntaxes[int(which)%len(syntaxes)])
		if err == nil && len(k.series) > 66 {
			t.Fatalf("series UID of %d bytes", len(k.series))
		}
	})
}
