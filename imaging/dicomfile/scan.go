package dicomfile

import (
	"encoding/binary"
	"strings"
)

// encoding is how a dataset's elements are laid out.
type encoding struct {
	order    binary.ByteOrder
	implicit bool
}

// span is one top-level element as the pre-scan found it.
type span struct {
	tag        Tag
	vr         string // "" in implicit VR
	lo, value  int    // offsets of the tag and of the value
	hi         int    // end of the element, delimiters included
	undefined  bool   // undefined length
	fragments  [][]byte
	unreadable bool // the parser would misread it: keep the bytes
}

// scanner walks an encoded dataset and checks every length before anything is
// allocated. It follows the parser's own grammar, so that what it accepts the
// parser reads with the same element borders.
type scanner struct {
	b        []byte
	enc      encoding
	lim      Limits
	elements int
}

// scan lists the top-level elements in b[lo:]. With group != 0 it stops in
// front of the first element of another group. On an error it returns the
// elements in front of the bad one.
func (s *scanner) scan(lo int, group uint16) ([]span, error) {
	var out []span
	for at := lo; at < len(s.b); {
		if group != 0 && len(s.b)-at >= 2 && s.enc.order.Uint16(s.b[at:]) != group {
			break
		}
		if len(s.b)-at < 4 || s.tagAt(at).Group == 0 {
			if at > lo && onlyZeros(s.b[at:]) {
				break // padding after the last element
			}
			if len(s.b)-at >= 4 {
				return out, &FormatError{s.tagAt(at), int64(at), "group 0000 has no place in a file"}
			}
		}
		e, err := s.element(at, len(s.b), 0)
		if err != nil {
			return out, err
		}
		out = append(out, e)
		at = e.hi
	}
	return out, nil
}

func onlyZeros(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func (s *scanner) count(at int) error {
	if s.elements++; s.elements > s.lim.Elements {
		return &LimitError{"Elements", int64(s.elements), int64(s.lim.Elements), int64(at)}
	}
	return nil
}

// tagAt reads the four bytes of a tag; the caller has checked the length.
func (s *scanner) tagAt(at int) Tag {
	return Tag{s.enc.order.Uint16(s.b[at:]), s.enc.order.Uint16(s.b[at+2:])}
}

// element checks the element at offset at, which must end by end.
func (s *scanner) element(at, end, depth int) (span, error) {
	if err := s.count(at); err != nil {
		return span{}, err
	}
	if end-at < 8 {
		return span{}, &TruncatedError{Tag{}, int64(at), 8, int64(end - at)}
	}
	e := span{tag: s.tagAt(at), lo: at}
	if e.tag.Group == 0xfffe {
		return span{}, &FormatError{e.tag, int64(at), "item or delimiter outside a sequence"}
	}
	var length uint32
	if s.enc.implicit {
		length, e.value = s.enc.order.Uint32(s.b[at+4:]), at+8
	} else {
		e.vr = string(s.b[at+4 : at+6])
		switch {
		case kindOf(e.vr) == kindUnknown:
			return span{}, &FormatError{e.tag, int64(at), "unknown value representation"}
		case longForm(e.vr):
			if end-at < 12 {
				return span{}, &TruncatedError{e.tag, int64(at), 12, int64(end - at)}
			}
			length, e.value = s.enc.order.Uint32(s.b[at+8:]), at+12
		default:
			length, e.value = uint32(s.enc.order.Uint16(s.b[at+6:])), at+8
			if length == 0xffff {
				return span{}, &FormatError{e.tag, int64(at), "value length 65535 is odd"}
			}
		}
	}
	err := s.body(&e, length, end, depth)
	return e, err
}

// body checks the value of e and sets e.hi.
func (s *scanner) body(e *span, length uint32, end, depth int) error {
	vr := e.vr
	if s.enc.implicit {
		if vr = dictionaryVR(e.tag); vr == "" {
			vr = "UN"
		}
	}
	if length == undefinedLength {
		e.undefined = true
		var err error
		switch {
		case e.tag == PixelData || vr == "OB" || vr == "OW":
			e.hi, err = s.fragmentList(e, end)
		case vr == "SQ":
			e.hi, err = s.items(e, end, true, depth)
		case vr == "UN" && !s.enc.implicit:
			// PS3.5 section 6.2.2: the value is a sequence in implicit VR
			// little endian, which the parser would read as explicit.
			e.unreadable = true
			sub := &scanner{s.b, encoding{binary.LittleEndian, true}, s.lim, s.elements}
			e.hi, err = sub.items(e, end, true, depth)
			s.elements = sub.elements
		case vr == "UN":
			e.hi, err = s.items(e, end, true, depth)
		default:
			err = &FormatError{e.tag, int64(e.lo), "undefined length is not allowed for VR " + vr}
		}
		return err
	}
	if int64(length) > int64(end-e.value) {
		return &TruncatedError{e.tag, int64(e.lo), int64(length), int64(end - e.value)}
	}
	e.hi = e.value + int(length)
	if e.tag == PixelData {
		return nil
	}
	if int64(length) > s.lim.ValueBytes && vr != "SQ" {
		return &LimitError{"ValueBytes", int64(length), s.lim.ValueBytes, int64(e.lo)}
	}
	switch kindOf(vr) {
	case kindText:
		if int64(length) > s.lim.TextBytes {
			return &LimitError{"TextBytes", int64(length), s.lim.TextBytes, int64(e.lo)}
		}
	case kindInt:
		if int(length)%intSize(vr) != 0 || vr == "AT" && length%4 != 0 {
			return &FormatError{e.tag, int64(e.lo), "value length does not fit VR " + vr}
		}
	case kindFloat:
		if int(length)%floatSize(vr) != 0 {
			return &FormatError{e.tag, int64(e.lo), "value length does not fit VR " + vr}
		}
	case kindSequence:
		_, err := s.items(e, e.hi, false, depth)
		return err
	case kindBytes:
		if vr == "OW" && length%2 != 0 {
			return &FormatError{e.tag, int64(e.lo), "OW value of odd length"}
		}
		// The parser reads these with a wrong header length or as text.
		if strings.Contains("OV SV UV OD OF OL", vr) {
			e.unreadable = true
		}
	default:
		return &FormatError{e.tag, int64(e.lo), "no value representation"}
	}
	return nil
}

// items checks the items of a sequence whose value starts at e.value and ends
// at end or, when delimited, at a sequence delimiter. It returns the end.
func (s *scanner) items(e *span, end int, delimited bool, depth int) (int, error) {
	if depth >= s.lim.Depth {
		return 0, &LimitError{"Depth", int64(depth + 1), int64(s.lim.Depth), int64(e.lo)}
	}
	at := e.value
	for at < end || delimited {
		if end-at < 8 {
			return 0, &TruncatedError{e.tag, int64(e.lo), int64(at + 8 - e.value), int64(end - e.value)}
		}
		tag, length := s.tagAt(at), s.enc.order.Uint32(s.b[at+4:])
		if tag == sequenceDelimitationTag && delimited {
			if length != 0 {
				return 0, &FormatError{e.tag, int64(at), "sequence delimiter with a length"}
			}
			return at + 8, nil
		}
		if tag != itemTag {
			return 0, &FormatError{e.tag, int64(at), "sequence holds something other than an item"}
		}
		if err := s.count(at); err != nil {
			return 0, err
		}
		at += 8
		if length != undefinedLength && int64(length) > int64(end-at) {
			return 0, &TruncatedError{e.tag, int64(e.lo), int64(at-e.value) + int64(length), int64(end - e.value)}
		}
		var err error
		if at, err = s.item(e, at, end, length, depth); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// item checks the elements of one item and returns its end.
func (s *scanner) item(e *span, at, end int, length uint32, depth int) (int, error) {
	delimited := length == undefinedLength
	if !delimited {
		end = at + int(length)
	}
	for at < end || delimited {
		if end-at < 8 {
			return 0, &TruncatedError{e.tag, int64(e.lo), int64(at + 8 - e.value), int64(end - e.value)}
		}
		if delimited && s.tagAt(at) == itemDelimitationTag {
			if s.enc.order.Uint32(s.b[at+4:]) != 0 {
				return 0, &FormatError{e.tag, int64(at), "item delimiter with a length"}
			}
			return at + 8, nil
		}
		sub, err := s.element(at, end, depth+1)
		if err != nil {
			return 0, err
		}
		e.unreadable = e.unreadable || sub.unreadable
		at = sub.hi
	}
	return at, nil
}

// fragmentList checks the fragments of encapsulated data (PS3.5 annex A.4) and
// returns the end. Those of PixelData are kept.
func (s *scanner) fragmentList(e *span, end int) (int, error) {
	at := e.value
	for {
		if end-at < 8 {
			return 0, &TruncatedError{e.tag, int64(e.lo), int64(at + 8 - e.value), int64(end - e.value)}
		}
		tag, length := s.tagAt(at), s.enc.order.Uint32(s.b[at+4:])
		at += 8
		switch {
		case tag == sequenceDelimitationTag && length == 0:
			if len(e.fragments) == 0 {
				return 0, &FormatError{e.tag, int64(e.lo), "encapsulated data without an offset table"}
			}
			return at, nil
		case tag != itemTag || length == undefinedLength:
			return 0, &FormatError{e.tag, int64(at - 8), "encapsulated data holds something other than fragments"}
		case int64(length) > int64(end-at):
			return 0, &TruncatedError{e.tag, int64(e.lo), int64(at-e.value) + int64(length), int64(end - e.value)}
		}
		if err := s.count(at); err != nil {
			return 0, err
		}
		e.fragments = append(e.fragments, s.b[at:at+int(length):at+int(length)])
		at += int(length)
	}
}
