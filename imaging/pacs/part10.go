package pacs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// fileMeta is what the file meta information of a Part-10 file says (PS3.10
// table 7.1-1), as far as it is needed to send or compare the file.
type fileMeta struct {
	class, instance, syntax string
	offset                  int64 // where the data set begins, bytes
}

const (
	preambleLen = 128
	// maxFileMeta bounds the file meta information; a private element in it
	// (0002,0102) can be long.
	maxFileMeta = 1 << 20
	metaGroup   = 0x0002
)

// errNotPart10 marks files that are not DICOM files at all.
var errNotPart10 = errors.New("not a DICOM file (no DICM prefix)")

// Header returns the preamble, the DICM prefix and the file meta information
// (PS3.10 section 7.1) that go in front of in's data set to make a file.
func (in Instance) Header() []byte {
	var b []byte
	put := func(el uint16, vr, v string) {
		if v == "" {
			return
		}
		if len(v)%2 == 1 {
			if vr == "UI" {
				v += "\x00"
			} else {
				v += " "
			}
		}
		b = binary.LittleEndian.AppendUint16(b, metaGroup)
		b = binary.LittleEndian.AppendUint16(b, el)
		b = append(b, vr...)
		if vr == "OB" {
			b = append(b, 0, 0)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(v)))
		}
		b = append(b, v...)
	}
	b = append(make([]byte, preambleLen, 512), "DICM"...)
	put(0x0000, "UL", "\x00\x00\x00\x00")
	start := len(b)
	put(0x0001, "OB", "\x00\x01")
	put(0x0002, "UI", in.SOPClassUID)
	put(0x0003, "UI", in.SOPInstanceUID)
	put(0x0010, "UI", in.TransferSyntax)
	put(0x0012, "UI", implementationClass)
	put(0x0013, "SH", implementationVersion)
	put(0x0016, "AE", in.CallingAE)
	binary.LittleEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

// readFileMeta reads preamble, prefix and group 0002 from the start of a
// Part-10 file; offset tells where the data set begins.
func readFileMeta(r io.Reader) (fileMeta, error) {
	var m fileMeta
	br := bufio.NewReaderSize(r, 1024)
	head := make([]byte, preambleLen+4)
	if _, err := io.ReadFull(br, head); err != nil || string(head[preambleLen:]) != "DICM" {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return m, err
		}
		return m, errNotPart10
	}
	m.offset = int64(len(head))
	for {
		tag, err := br.Peek(4)
		if err != nil || binary.LittleEndian.Uint16(tag) != metaGroup {
			break // the data set begins here, or there is none
		}
		el := binary.LittleEndian.Uint16(tag[2:])
		h := make([]byte, 12)
		if _, err := io.ReadFull(br, h[:8]); err != nil {
			return m, errors.New("file meta information is cut short")
		}
		n, size := int64(binary.LittleEndian.Uint16(h[6:])), int64(8)
		if longVR(string(h[4:6])) {
			if _, err := io.ReadFull(br, h[8:]); err != nil {
				return m, errors.New("file meta information is cut short")
			}
			n, size = int64(binary.LittleEndian.Uint32(h[8:])), 12
		}
		m.offset += size + n
		if m.offset > maxFileMeta {
			return m, fmt.Errorf("file meta information: element (0002,%04X) has %d bytes", el, n)
		}
		v := make([]byte, n)
		if _, err := io.ReadFull(br, v); err != nil {
			return m, errors.New("file meta information is cut short")
		}
		switch el {
		case 0x0002:
			m.class = trimUID(v)
		case 0x0003:
			m.instance = trimUID(v)
		case 0x0010:
			m.syntax = trimUID(v)
		}
	}
	if !ValidUID(m.class) || !ValidUID(m.instance) || !ValidUID(m.syntax) {
		return m, errors.New("file meta information lacks a valid SOP class, SOP instance or transfer syntax UID")
	}
	return m, nil
}

// longVR reports whether an explicit VR has a 32-bit length (PS3.5 section
// 7.1.2).
func longVR(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV":
		return true
	}
	return false
}
