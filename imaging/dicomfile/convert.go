package dicomfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/charset"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// opaque is an element kept as encoded, header included, because the parser
// would misread it. plain says that it is explicit VR little endian, so that
// Write can copy it.
type opaque struct {
	bytes []byte
	plain bool
}

// dataset hands the scanned elements to the parser and takes its result over.
// head holds the file meta information; pixel data and opaque elements stay
// behind. What the parser sees is a file with minimal preamble and one of the
// three base syntaxes, so its guessing and fallbacks never run.
func (s *scanner) dataset(head []byte, meta, spans []span) (*Dataset, error) {
	d := &Dataset{}
	var body []io.Reader
	var size int64
	fed := 0
	feed := func(b []byte) {
		body = append(body, bytes.NewReader(b))
		size += int64(len(b))
	}
	group := make([]byte, 0, 256)
	for _, e := range meta {
		if e.tag != metaGroupLengthTag && e.tag != TransferSyntaxUID {
			group = append(group, head[e.lo:e.hi]...)
			fed++
		}
	}
	group, err := appendElement(group, element{TransferSyntaxUID, "UI", []string{s.enc.syntax()}}, false)
	if err != nil {
		return nil, err
	}
	front := make([]byte, preambleBytes, 512)
	front = append(front, "DICM"...)
	if front, err = appendElement(front, element{metaGroupLengthTag, "UL", []int{len(group)}}, false); err != nil {
		return nil, err
	}
	feed(append(front, group...))
	fed += 2
	for n := 0; n < len(spans); {
		e := spans[n]
		if kept, ok := s.keep(e); ok {
			d.put(kept)
			n++
			continue
		}
		last := n
		for last+1 < len(spans) && !s.keeps(spans[last+1]) {
			last++
		}
		feed(s.b[e.lo:spans[last].hi])
		fed += last + 1 - n
		n = last + 1
	}
	parsed, err := callParser(io.MultiReader(body...), size)
	if err != nil {
		return nil, err
	}
	if len(parsed.Elements) != fed {
		return nil, fmt.Errorf("dicomfile: the parser stopped after %d of %d elements", len(parsed.Elements), fed)
	}
	for _, e := range parsed.Elements {
		if Tag(e.Tag) != metaGroupLengthTag {
			vr, value, err := takeValue(e)
			if err != nil {
				return nil, err
			}
			d.elems = append(d.elems, element{Tag(e.Tag), vr, value})
		}
	}
	if err := d.order(); err != nil {
		return nil, err
	}
	if signed, _ := d.Int(PixelRepresentation); signed == 1 && s.enc.implicit {
		d.makeSigned()
	}
	s.orderPixels(d)
	return d, nil
}

// order sorts the elements and refuses one that stands there twice.
func (d *Dataset) order() error {
	slices.SortStableFunc(d.elems, func(a, b element) int { return a.tag.compare(b.tag) })
	for n := 1; n < len(d.elems); n++ {
		if d.elems[n].tag == d.elems[n-1].tag {
			return &FormatError{d.elems[n].tag, 0, "the element stands there twice"}
		}
	}
	return nil
}

func (e encoding) syntax() string {
	switch {
	case e.implicit:
		return ImplicitVRLittleEndian
	case e.order == binary.BigEndian:
		return ExplicitVRBigEndian
	}
	return ExplicitVRLittleEndian
}

func (s *scanner) keeps(e span) bool { _, ok := s.keep(e); return ok }

// keep takes over the elements the parser shall not see.
func (s *scanner) keep(e span) (element, bool) {
	value := s.b[e.value:e.hi:e.hi]
	switch {
	case e.tag == PixelData && e.undefined:
		return element{e.tag, "OB", e.fragments}, true
	case e.tag == PixelData:
		vr := e.vr
		if vr != "OB" {
			vr = "OW"
		}
		return element{e.tag, vr, value}, true
	case e.tag == SpecificCharacterSet && !knownCharset(value):
		return element{e.tag, "CS", strings.Split(strings.TrimRight(string(value), " \x00"), `\`)}, true
	case !e.unreadable:
		return element{}, false
	}
	vr := e.vr
	if s.enc.implicit {
		vr = dictionaryVR(e.tag)
	}
	unit := map[string]int{"OF": 4, "OL": 4, "OD": 8, "OV": 8, "SV": 8, "UV": 8}[vr]
	if unit > 0 && len(value)%unit == 0 {
		if s.enc.order == binary.BigEndian {
			value = swapped(value, unit)
		}
		return element{e.tag, vr, value}, true
	}
	return element{e.tag, vr, opaque{s.b[e.lo:e.hi:e.hi], s.enc.syntax() == ExplicitVRLittleEndian}}, true
}

// knownCharset reports whether the parser can decode a SpecificCharacterSet;
// it panics on some defined terms.
func knownCharset(value []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	names := strings.Split(strings.Trim(string(value), " \x00"), `\`)
	_, err := charset.ParseSpecificCharacterSet(names)
	return err == nil
}

// callParser runs the parser in raw pixel mode and turns its panics into
// errors.
func callParser(r io.Reader, size int64) (d dicom.Dataset, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("dicomfile: the parser gave up on this file: it is damaged or not conformant; rewrite it with dcmconv (dcmtk)")
		}
	}()
	d, err = dicom.Parse(r, size, nil, dicom.SkipProcessingPixelDataValue(), dicom.AllowUnknownSpecificCharacterSet())
	if err != nil {
		err = fmt.Errorf("dicomfile: the parser refused this file: %w", err)
	}
	return d, err
}

// takeValue converts a parsed element.
func takeValue(e *dicom.Element) (string, any, error) {
	vr := e.RawValueRepresentation
	switch v := e.Value.GetValue().(type) {
	case []string:
		if kindOf(vr) != kindText {
			return "", nil, fmt.Errorf("dicomfile: %v of VR %s was parsed as text", e.Tag, vr)
		}
		if singleText(vr) && len(v) > 1 {
			v = []string{strings.Join(v, `\`)}
		} else if vr == "DA" && len(v) == 1 {
			v = strings.Split(v[0], `\`)
		}
		for n := range v {
			v[n] = strings.Trim(v[n], " \x00")
		}
		if len(v) == 1 && v[0] == "" {
			v = nil
		}
		return vr, v, nil
	case []int, []float64, []byte:
		return vr, v, nil
	case []*dicom.SequenceItemValue:
		items := make([]*Dataset, len(v))
		for n, item := range v {
			sub, _ := item.GetValue().([]*dicom.Element)
			items[n] = &Dataset{elems: make([]element, 0, len(sub))}
			for _, e := range sub {
				vr, value, err := takeValue(e)
				if err != nil {
					return "", nil, err
				}
				items[n].elems = append(items[n].elems, element{Tag(e.Tag), vr, value})
			}
			if err := items[n].order(); err != nil {
				return "", nil, err
			}
		}
		return "SQ", items, nil
	case dicom.PixelDataInfo:
		if !v.IsEncapsulated {
			return "OW", v.UnprocessedValueData, nil
		}
		fragments := [][]byte{nil}
		for _, f := range v.Frames {
			fragments = append(fragments, f.EncapsulatedData.Data)
		}
		return "OB", fragments, nil
	}
	return "", nil, fmt.Errorf("dicomfile: %v has a value of an unknown kind", tag.Tag(e.Tag))
}

// makeSigned reads the attributes that are US or SS as signed.
func (d *Dataset) makeSigned() {
	for n, e := range d.elems {
		switch v := e.value.(type) {
		case []int:
			if e.vr == "US" && usOrSS(e.tag) {
				d.elems[n].vr = "SS"
				for m, i := range v {
					v[m] = int(int16(i))
				}
			}
		case []*Dataset:
			for _, item := range v {
				item.makeSigned()
			}
		}
	}
}

// orderPixels brings big-endian pixel words into little-endian order.
func (s *scanner) orderPixels(d *Dataset) {
	n, ok := d.find(PixelData)
	if !ok || s.enc.order != binary.BigEndian || d.elems[n].vr != "OW" {
		return
	}
	if b, ok := d.elems[n].value.([]byte); ok {
		d.elems[n].value = swapped(b, max(2, d.bitsAllocated()/8))
	}
}

// swapped returns b with the byte order of each unit reversed; a rest shorter
// than a unit stays.
func swapped(b []byte, unit int) []byte {
	out := slices.Clone(b)
	for at := 0; at+unit <= len(out); at += unit {
		slices.Reverse(out[at : at+unit])
	}
	return out
}
