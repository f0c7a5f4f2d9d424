package dicomfile

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// Dataset is one DICOM object, or one item of a sequence: elements in tag
// order. The zero value is empty and ready for use. File meta information
// (group 0002) of a read object stands among the elements.
type Dataset struct {
	elems  []element // ascending by tag
	syntax string    // transfer syntax the object came in; "" for a new one
}

// element is one attribute. value is []string, []int, []float64, []byte,
// []*Dataset or [][]byte (fragments of encapsulated pixel data).
type element struct {
	tag   Tag
	vr    string
	value any
}

// New returns an empty dataset.
func New() *Dataset { return &Dataset{} }

func (d *Dataset) find(t Tag) (int, bool) {
	return slices.BinarySearchFunc(d.elems, t, func(e element, t Tag) int { return e.tag.compare(t) })
}

func (d *Dataset) get(t Tag) any {
	if n, ok := d.find(t); ok {
		return d.elems[n].value
	}
	return nil
}

func (d *Dataset) put(e element) {
	n, ok := d.find(e.tag)
	if ok {
		d.elems[n] = e
		return
	}
	d.elems = slices.Insert(d.elems, n, e)
}

// Has reports whether the element is present, even if empty.
func (d *Dataset) Has(t Tag) bool { _, ok := d.find(t); return ok }

// Delete removes an element; a missing one is no error.
func (d *Dataset) Delete(t Tag) {
	if n, ok := d.find(t); ok {
		d.elems = slices.Delete(d.elems, n, n+1)
	}
}

// Clone copies the list of elements; the values are shared.
func (d *Dataset) Clone() *Dataset {
	return &Dataset{elems: slices.Clone(d.elems), syntax: d.syntax}
}

// Len is the number of elements at this level.
func (d *Dataset) Len() int { return len(d.elems) }

// Tags lists the elements at this level in ascending order.
func (d *Dataset) Tags() []Tag {
	out := make([]Tag, len(d.elems))
	for n, e := range d.elems {
		out[n] = e.tag
	}
	return out
}

// VR is the value representation of an element, "" when absent.
func (d *Dataset) VR(t Tag) string {
	if n, ok := d.find(t); ok {
		return d.elems[n].vr
	}
	return ""
}

// TransferSyntax is the syntax the object was read in, or the one Write uses
// for a new dataset (explicit VR little endian).
func (d *Dataset) TransferSyntax() string {
	if d.syntax == "" {
		return ExplicitVRLittleEndian
	}
	return d.syntax
}

// String is the first value of a text element; ok is false when the element is
// absent, empty or not text.
func (d *Dataset) String(t Tag) (string, bool) {
	if s := d.Strings(t); len(s) > 0 && s[0] != "" {
		return s[0], true
	}
	return "", false
}

// Strings are all values of a text element, nil when absent or not text.
func (d *Dataset) Strings(t Tag) []string {
	s, _ := d.get(t).([]string)
	return s
}

// Int is the first value of a whole-number element (US, SS, UL, SL, IS).
func (d *Dataset) Int(t Tag) (int, bool) {
	if v, ok := d.Ints(t); ok {
		return v[0], true
	}
	return 0, false
}

// Ints are all values of a whole-number element; ok is false when there is no
// value or one of them is not a whole number.
func (d *Dataset) Ints(t Tag) ([]int, bool) {
	switch v := d.get(t).(type) {
	case []int:
		return v, len(v) > 0
	case []string:
		out := make([]int, len(v))
		for n, s := range v {
			i, err := strconv.ParseInt(strings.Trim(s, " \x00"), 10, 64)
			if err != nil {
				return nil, false
			}
			out[n] = int(i)
		}
		return out, len(out) > 0
	}
	return nil, false
}

// Float is the first value of a number element (DS, IS, FL, FD, US, …).
func (d *Dataset) Float(t Tag) (float64, bool) {
	if v, ok := d.Floats(t); ok {
		return v[0], true
	}
	return 0, false
}

// Floats are all values of a number element; ok is false when there is no
// value or one of them is no number. Text values are finite by construction;
// binary ones (FL, FD) may be NaN.
func (d *Dataset) Floats(t Tag) ([]float64, bool) {
	switch v := d.get(t).(type) {
	case []float64:
		return v, len(v) > 0
	case []int:
		out := make([]float64, len(v))
		for n, i := range v {
			out[n] = float64(i)
		}
		return out, len(out) > 0
	case []string:
		out := make([]float64, len(v))
		for n, s := range v {
			f, ok := parseDecimal(s)
			if !ok {
				return nil, false
			}
			out[n] = f
		}
		return out, len(out) > 0
	}
	return nil, false
}

// parseDecimal reads a decimal string (PS3.5 section 6.2, DS): digits, sign,
// point and exponent only, so no NaN, Inf or hexadecimal.
func parseDecimal(s string) (float64, bool) {
	s = strings.Trim(s, " \x00")
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// Bytes is the value of a binary element (OB, OW, UN, …), little endian.
func (d *Dataset) Bytes(t Tag) ([]byte, bool) {
	b, ok := d.get(t).([]byte)
	return b, ok
}

// Items are the items of a sequence, nil when absent or no sequence.
func (d *Dataset) Items(t Tag) []*Dataset {
	s, _ := d.get(t).([]*Dataset)
	return s
}

// PixelBytes is native (uncompressed) pixel data in little-endian order; ok is
// false when there is none or it is encapsulated.
func (d *Dataset) PixelBytes() ([]byte, bool) { return d.Bytes(PixelData) }

// Fragments are the fragments of encapsulated (compressed) pixel data without
// the basic offset table; nil for native pixel data.
func (d *Dataset) Fragments() [][]byte {
	f, _ := d.get(PixelData).([][]byte)
	if len(f) == 0 {
		return nil
	}
	return f[1:]
}

// Encapsulated reports compressed pixel data.
func (d *Dataset) Encapsulated() bool { _, ok := d.get(PixelData).([][]byte); return ok }

// LogValue keeps attribute values out of logs.
func (d *Dataset) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("elements", d.Len()), slog.String("transfer_syntax", d.TransferSyntax()))
}

// Format keeps attribute values out of every fmt verb.
func (d *Dataset) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "dicom dataset of "+strconv.Itoa(d.Len())+" elements")
}
