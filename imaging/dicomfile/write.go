package dicomfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// undefinedLength marks a value that ends with a delimiter (PS3.5 section
// 7.1.1).
const undefinedLength = 0xffffffff

// Write makes a Part 10 file: preamble, file meta information made from the
// dataset (its SOPClassUID and SOPInstanceUID are required), then the elements
// in explicit VR little endian. Group 0002 and the retired group lengths of
// the dataset are not copied. Text that is not ASCII is written as UTF-8 and
// SpecificCharacterSet set to match.
func Write(w io.Writer, d *Dataset) error {
	class, ok1 := d.String(SOPClassUID)
	instance, ok2 := d.String(SOPInstanceUID)
	if !ok1 || !ok2 {
		return fmt.Errorf("dicomfile: write: SOPClassUID and SOPInstanceUID must be set")
	}
	if !validUID(class) || !validUID(instance) {
		return fmt.Errorf("dicomfile: write: SOPClassUID or SOPInstanceUID is not a valid UID")
	}
	syntax := ExplicitVRLittleEndian
	if d.Encapsulated() {
		syntax = d.TransferSyntax()
	}
	meta := []element{
		{metaVersionTag, "OB", []byte{0, 1}},
		{MediaStorageSOPClassUID, "UI", []string{class}},
		{MediaStorageSOPInstanceUID, "UI", []string{instance}},
		{TransferSyntaxUID, "UI", []string{syntax}},
		{ImplementationClassUID, "UI", []string{HalstedClassUID}},
		{ImplementationVersionName, "SH", []string{HalstedVersionName}},
	}
	var group []byte
	for _, e := range meta {
		var err error
		if group, err = appendElement(group, e, false); err != nil {
			return err
		}
	}
	head := make([]byte, 128, 256)
	head = append(head, "DICM"...)
	head, err := appendElement(head, element{metaGroupLengthTag, "UL", []int{len(group)}}, false)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.Write(append(head, group...)) // bufio keeps its first error for Flush
	utf8Text := textForm(d) == textUTF8
	for _, e := range d.prepared(utf8Text) {
		if raw, ok := e.value.(opaque); ok && raw.plain {
			_, _ = out.Write(raw.bytes)
			continue
		}
		value, err := encodeValue(e, utf8Text)
		if err != nil {
			return fmt.Errorf("dicomfile: write: %w", err)
		}
		head, err = appendHeader(head[:0], e, len(value))
		if err != nil {
			return fmt.Errorf("dicomfile: write: %w", err)
		}
		_, _ = out.Write(head)
		_, _ = out.Write(value)
		if len(value)%2 == 1 {
			_ = out.WriteByte(0)
		}
	}
	return out.Flush()
}

type textKind uint8

const (
	textASCII textKind = iota
	textUTF8
	textRaw // bytes of a character set that was not decoded: keep its label
)

// textForm says how the text of a dataset and its items must be labelled.
func textForm(d *Dataset) textKind {
	form := textASCII
	for _, e := range d.elems {
		switch v := e.value.(type) {
		case []string:
			for _, s := range v {
				if !utf8.ValidString(s) {
					return textRaw
				}
				if form == textASCII && strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
					form = textUTF8
				}
			}
		case []*Dataset:
			for _, item := range v {
				switch textForm(item) {
				case textRaw:
					return textRaw
				case textUTF8:
					form = textUTF8
				}
			}
		}
	}
	return form
}

// prepared lists the elements to write.
func (d *Dataset) prepared(utf8Text bool) []element {
	out := make([]element, 0, len(d.elems)+1)
	charset := element{SpecificCharacterSet, "CS", []string{"ISO_IR 192"}}
	labelled := !utf8Text
	for _, e := range d.elems {
		if e.tag.Group <= 2 || e.tag.Element == 0 || e.tag == DataSetTrailingPadding || utf8Text && e.tag == SpecificCharacterSet {
			continue
		}
		if !labelled && SpecificCharacterSet.less(e.tag) {
			out, labelled = append(out, charset), true
		}
		out = append(out, e)
	}
	return out
}

// longForm reports the VRs with a 32-bit length (PS3.5 table 7.1-1).
func longForm(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV":
		return true
	}
	return false
}

// appendHeader writes tag, VR and the even length of a value of size bytes. A
// value too long for a 16-bit length goes out as UN (PS3.5 section 6.2.2).
func appendHeader(dst []byte, e element, size int) ([]byte, error) {
	size += size & 1
	if size >= undefinedLength {
		return nil, fmt.Errorf("%s has %d bytes, DICOM allows %d", e.tag.Name(), size, undefinedLength-1)
	}
	vr := e.vr
	if !longForm(vr) && size > math.MaxUint16-1 {
		vr = "UN"
	}
	if _, encapsulated := e.value.([][]byte); encapsulated {
		size = undefinedLength
	}
	dst = appendTag(dst, e.tag)
	dst = append(dst, vr...)
	if longForm(vr) {
		dst = append(dst, 0, 0)
		return binary.LittleEndian.AppendUint32(dst, uint32(size)), nil
	}
	return binary.LittleEndian.AppendUint16(dst, uint16(size)), nil
}

func appendTag(dst []byte, t Tag) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, t.Group)
	return binary.LittleEndian.AppendUint16(dst, t.Element)
}

func appendElement(dst []byte, e element, utf8Text bool) ([]byte, error) {
	value, err := encodeValue(e, utf8Text)
	if err != nil {
		return nil, err
	}
	if dst, err = appendHeader(dst, e, len(value)); err != nil {
		return nil, err
	}
	dst = append(dst, value...)
	if len(value)%2 == 1 {
		dst = append(dst, 0)
	}
	return dst, nil
}

// encodeValue gives the bytes of a value. Text is padded to even length here
// (PS3.5 section 6.2: UI with NUL, other text with a space); a []byte is
// returned as it is and padded by the caller.
func encodeValue(e element, utf8Text bool) ([]byte, error) {
	var dst []byte
	switch v := e.value.(type) {
	case []byte:
		return v, nil
	case []string:
		dst = []byte(strings.Join(v, "\\"))
		if len(dst)%2 == 1 {
			if e.vr == "UI" {
				return append(dst, 0), nil
			}
			return append(dst, ' '), nil
		}
	case []int:
		for _, i := range v {
			if e.vr == "UL" || e.vr == "SL" {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(i))
			} else {
				dst = binary.LittleEndian.AppendUint16(dst, uint16(i))
			}
		}
	case []float64:
		for _, f := range v {
			if e.vr == "FL" {
				dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f)))
			} else {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
			}
		}
	case []*Dataset:
		for _, item := range v {
			var body []byte
			var err error
			for _, sub := range item.prepared(false) {
				if utf8Text && sub.tag == SpecificCharacterSet {
					continue // the item inherits ISO_IR 192
				}
				if body, err = appendElement(body, sub, utf8Text); err != nil {
					return nil, err
				}
			}
			dst = appendTag(dst, itemTag)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
			dst = append(dst, body...)
		}
	case [][]byte:
		for _, fragment := range v {
			dst = appendTag(dst, itemTag)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(fragment)+len(fragment)&1))
			dst = append(dst, fragment...)
			if len(fragment)%2 == 1 {
				dst = append(dst, 0)
			}
		}
		dst = append(appendTag(dst, sequenceDelimitationTag), 0, 0, 0, 0)
	default:
		return nil, fmt.Errorf("%s was read in a form that cannot be written again; delete it first", e.tag.Name())
	}
	return dst, nil
}
