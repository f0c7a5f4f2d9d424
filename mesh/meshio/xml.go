package meshio

import (
	"bytes"
	"strconv"
)

// xmlReader walks over the tags of an XML file without a copy. It knows what
// VTU and FEBio files need: elements, attributes, text, comments and the five
// named entities; it refuses document types, so that nothing is expanded.
type xmlReader struct {
	cursor
	depth   [][]byte
	attrs   []xmlAttr
	comment func(text []byte)
}

type xmlAttr struct{ name, value []byte }

// xmlTag is one tag; its slices are good until the next call.
type xmlTag struct {
	name  []byte
	attrs []xmlAttr
	close bool // </name>, or the second half of <name/>
	empty bool // <name/>: the close follows by itself
}

// maxDepth bounds the nesting of elements.
const maxDepth = 100

const remedyXML = "check that the file is XML and whole"

// count moves on by n bytes and counts lines.
func (x *xmlReader) count(n int) []byte {
	b := x.data[x.pos : x.pos+n]
	x.ends += bytes.Count(b, []byte{'\n'})
	x.line = x.ends + 1
	x.pos += n
	return b
}

// until takes what stands before end and passes over end.
func (x *xmlReader) until(end string) ([]byte, error) {
	n := bytes.Index(x.data[x.pos:], []byte(end))
	if n < 0 {
		return nil, x.short("before %s", end)
	}
	return x.count(n + len(end))[:n], nil
}

// next returns the text before the next tag and the tag; a tag without a name
// is the end of the file.
func (x *xmlReader) next() (text []byte, t xmlTag, err error) {
	for {
		if err := x.alive(); err != nil {
			return nil, t, err
		}
		n := bytes.IndexByte(x.data[x.pos:], '<')
		if n < 0 {
			if len(x.depth) > 0 {
				return nil, t, x.short("inside <%s>", x.depth[len(x.depth)-1])
			}
			return nil, xmlTag{}, nil
		}
		// comments may part a text; the longer half is the text
		if b := x.count(n); len(bytes.TrimSpace(b)) > len(text) {
			text = bytes.TrimSpace(b)
		}
		rest := x.data[x.pos:]
		switch {
		case bytes.HasPrefix(rest, []byte("<?")):
			_, err = x.until("?>")
		case bytes.HasPrefix(rest, []byte("<!--")):
			var b []byte
			if b, err = x.until("-->"); err == nil && x.comment != nil {
				x.comment(b)
			}
		case bytes.HasPrefix(rest, []byte("<!")):
			err = x.bad("remove it", "%s is not read", quote(rest[:min(len(rest), 10)]))
		default:
			t, err = x.tag()
			return text, t, err
		}
		if err != nil {
			return nil, t, err
		}
	}
}

// tag reads one tag from its < on.
func (x *xmlReader) tag() (t xmlTag, err error) {
	// a > may stand inside quotes
	end, quoted := -1, byte(0)
	for i, c := range x.data[x.pos:] {
		switch {
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '"' || c == '\'':
			quoted = c
		case c == '>':
			end = i
		}
		if end >= 0 || i > 1<<20 {
			break
		}
	}
	if end < 0 {
		return t, x.short("inside a tag")
	}
	b := bytes.TrimSpace(x.count(end + 1)[1:end])
	if len(b) > 0 && b[0] == '/' {
		t.close, t.name = true, bytes.TrimSpace(b[1:])
		if len(x.depth) == 0 || !bytes.Equal(x.depth[len(x.depth)-1], t.name) {
			return t, x.bad(remedyXML, "</%s> closes nothing that is open", quote(t.name))
		}
		x.depth = x.depth[:len(x.depth)-1]
		return t, nil
	}
	if len(b) > 0 && b[len(b)-1] == '/' {
		t.empty, b = true, b[:len(b)-1]
	}
	n := 0
	for n < len(b) && b[n] > ' ' {
		n++
	}
	if t.name, b = b[:n], b[n:]; n == 0 {
		return t, x.bad(remedyXML, "a tag without a name")
	}
	x.attrs = x.attrs[:0]
	for {
		if b = bytes.TrimSpace(b); len(b) == 0 {
			break
		}
		name, rest, ok := bytes.Cut(b, []byte{'='})
		rest = bytes.TrimSpace(rest)
		if !ok || len(rest) < 2 || rest[0] != '"' && rest[0] != '\'' {
			return t, x.bad(remedyXML, "an attribute of <%s> is broken", quote(t.name))
		}
		n := bytes.IndexByte(rest[1:], rest[0])
		if n < 0 {
			return t, x.bad(remedyXML, "an attribute of <%s> is broken", quote(t.name))
		}
		x.attrs = append(x.attrs, xmlAttr{bytes.TrimSpace(name), unescape(rest[1 : 1+n])})
		b = rest[n+2:]
	}
	t.attrs = x.attrs
	if !t.empty {
		if len(x.depth) >= maxDepth {
			return t, x.bad("", "elements nested deeper than %d", maxDepth)
		}
		x.depth = append(x.depth, t.name)
	}
	return t, nil
}

// attr is the value of an attribute, or nil.
func (t *xmlTag) attr(name string) []byte {
	for _, a := range t.attrs {
		if string(a.name) == name {
			return a.value
		}
	}
	return nil
}

func (t *xmlTag) is(name string) bool { return string(t.name) == name }

// skip passes over the rest of the element t, which is open.
func (x *xmlReader) skip(t xmlTag) error {
	if t.empty {
		return nil
	}
	for level := len(x.depth); len(x.depth) >= level; {
		if _, t, err := x.next(); err != nil {
			return err
		} else if len(t.name) == 0 {
			return x.short("inside an element")
		}
	}
	return nil
}

// content takes the text of the element t, which is open, and passes over
// elements inside.
func (x *xmlReader) content(t xmlTag) ([]byte, error) {
	if t.empty {
		return nil, nil
	}
	var all []byte
	for level := len(x.depth); len(x.depth) >= level; {
		text, _, err := x.next()
		if err != nil {
			return nil, err
		}
		if len(text) > len(all) {
			all = text
		}
	}
	return all, nil
}

// unescape replaces entities; those it does not know stay.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '&') < 0 {
		return b
	}
	var out []byte
	for len(b) > 0 {
		n := bytes.IndexByte(b, '&')
		end := bytes.IndexByte(b, ';')
		if n < 0 || end < n {
			return append(out, b...)
		}
		out = append(out, b[:n]...)
		name := string(b[n+1 : end])
		switch name {
		case "lt":
			out = append(out, '<')
		case "gt":
			out = append(out, '>')
		case "amp":
			out = append(out, '&')
		case "quot":
			out = append(out, '"')
		case "apos":
			out = append(out, '\'')
		default:
			code, base := name, 10
			if len(code) > 1 && code[0] == '#' {
				code = code[1:]
				if code[0] == 'x' {
					code, base = code[1:], 16
				}
				if r, err := strconv.ParseUint(code, base, 21); err == nil {
					out = append(out, string(rune(r))...)
					break
				}
			}
			out = append(out, b[n:end+1]...)
		}
		b = b[end+1:]
	}
	return out
}

// xmlEscape makes s safe inside an attribute or text.
func xmlEscape(s string) string {
	var out []byte
	for i := range len(s) {
		switch c := s[i]; {
		case c == '<':
			out = append(out, "&lt;"...)
		case c == '>':
			out = append(out, "&gt;"...)
		case c == '&':
			out = append(out, "&amp;"...)
		case c == '"':
			out = append(out, "&quot;"...)
		case c < ' ':
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
