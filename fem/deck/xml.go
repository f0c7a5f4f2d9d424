package deck

import (
	"bytes"
	"strings"
	"unsafe"
)

// element is one XML element. Its strings are views of the file.
type element struct {
	name  string
	attrs []xmlAttr
	text  string // trimmed; of several pieces the longest
	kids  []*element
	line  int
}

type xmlAttr struct{ name, value string }

// attr is the value of an attribute; empty when it is not there.
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// kid is the first child of a name, or nil.
func (e *element) kid(name string) *element {
	for _, k := range e.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// The bounds of an XML file.
const (
	maxXMLDepth    = 64
	maxXMLElements = 1 << 23
)

// xmlParser knows elements, attributes, text, comments, processing
// instructions and the five named entities; document types are refused, so that
// nothing is expanded.
type xmlParser struct {
	r    *reader
	file string
	data []byte
	pos  int
	line int
	made int
	pool []element
}

func (x *xmlParser) bad(remedy, what string, a ...any) error {
	return place{file: x.file, line: x.line}.bad(remedy, what, a...)
}

const remedyXML = "check that the file is XML and whole"

// skip moves on by n bytes and counts lines.
func (x *xmlParser) skip(n int) []byte {
	b := x.data[x.pos : x.pos+n]
	x.line += bytes.Count(b, []byte{'\n'})
	x.pos += n
	return b
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parse reads the whole file and returns its root.
func (x *xmlParser) parse() (*element, error) {
	x.line = 1
	var stack []*element
	var root *element
	for {
		if err := x.r.alive(); err != nil {
			return nil, err
		}
		n := bytes.IndexByte(x.data[x.pos:], '<')
		if n < 0 {
			if len(stack) > 0 {
				return nil, x.bad(remedyXML, "the file ends inside <%s>", stack[len(stack)-1].name)
			}
			if root == nil {
				return nil, x.bad(remedyXML, "there is no element")
			}
			return root, nil
		}
		text := bytes.TrimSpace(x.skip(n))
		if len(stack) > 0 {
			if top := stack[len(stack)-1]; len(text) > len(top.text) {
				top.text = unescape(text)
			}
		}
		rest := x.data[x.pos:]
		end := ""
		switch {
		case bytes.HasPrefix(rest, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(rest, []byte("<!")):
			return nil, x.bad("remove it", "%s is not read", quote(rest[:min(len(rest), 10)]))
		}
		if end != "" {
			n := bytes.Index(rest, []byte(end))
			if n < 0 {
				return nil, x.bad(remedyXML, "the file ends before %s", end)
			}
			x.skip(n + len(end))
			continue
		}
		e, closes, empty, err := x.tag()
		switch {
		case err != nil:
			return nil, err
		case closes:
			if len(stack) == 0 || stack[len(stack)-1].name != e.name {
				return nil, x.bad(remedyXML, "</%s> closes nothing that is open", quote(e.name))
			}
			stack = stack[:len(stack)-1]
			continue
		case len(stack) > 0:
			top := stack[len(stack)-1]
			top.kids = append(top.kids, e)
		case root != nil:
			return nil, x.bad(remedyXML, "a second element <%s> after the first", quote(e.name))
		default:
			root = e
		}
		if !empty {
			if stack = append(stack, e); len(stack) > maxXMLDepth {
				return nil, x.bad("", "elements nested deeper than %d", maxXMLDepth)
			}
		}
	}
}

// tag reads one tag from its < on.
func (x *xmlParser) tag() (e *element, closes, empty bool, err error) {
	line := x.line
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
		return nil, false, false, x.bad(remedyXML, "the file ends inside a tag")
	}
	b := bytes.TrimSpace(x.skip(end + 1)[1:end])
	if len(b) > 0 && b[0] == '/' {
		return &element{name: view(bytes.TrimSpace(b[1:]))}, true, false, nil
	}
	if len(b) > 0 && b[len(b)-1] == '/' {
		empty, b = true, b[:len(b)-1]
	}
	n := 0
	for n < len(b) && b[n] > ' ' {
		n++
	}
	if n == 0 {
		return nil, false, false, x.bad(remedyXML, "a tag without a name")
	}
	if x.made++; x.made > maxXMLElements {
		return nil, false, false, x.bad("split the model", "more than %d elements", maxXMLElements)
	}
	if len(x.pool) == 0 {
		x.pool = make([]element, min(4096, x.made))
	}
	e, x.pool = &x.pool[0], x.pool[1:]
	e.name, e.line = view(b[:n]), line
	for b = bytes.TrimSpace(b[n:]); len(b) > 0; b = bytes.TrimSpace(b) {
		name, rest, ok := bytes.Cut(b, []byte{'='})
		rest = bytes.TrimSpace(rest)
		if !ok || len(rest) < 2 || rest[0] != '"' && rest[0] != '\'' {
			return nil, false, false, x.bad(remedyXML, "an attribute of <%s> is broken", quote(e.name))
		}
		n := bytes.IndexByte(rest[1:], rest[0])
		if n < 0 {
			return nil, false, false, x.bad(remedyXML, "an attribute of <%s> is broken", quote(e.name))
		}
		if len(e.attrs) > 100 {
			return nil, false, false, x.bad("", "<%s> has more than 100 attributes", quote(e.name))
		}
		e.attrs = append(e.attrs, xmlAttr{view(bytes.TrimSpace(name)), unescape(rest[1 : 1+n])})
		b = rest[n+2:]
	}
	return e, false, empty, nil
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

// unescape replaces the named entities; others stay.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '&') < 0 {
		return view(b)
	}
	return entities.Replace(string(b))
}

// numbers reads up to len(into) numbers between blanks and commas; more or
// none that is no number is false.
func numbers(s string, into []float64) (n int, ok bool) {
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == ',' || s[i] <= ' ') {
			i++
		}
		from := i
		for i < len(s) && s[i] != ',' && s[i] > ' ' {
			i++
		}
		if from == i {
			break
		}
		if n == len(into) {
			return n, false
		}
		if into[n], ok = parseFloat([]byte(s[from:i])); !ok {
			return n, false
		}
		n++
	}
	return n, true
}

// wholes calls do for every whole number in s, and ranges for every range
// first:last or first:last:step; false when something is neither, or when
// ranges is nil and there is one.
func wholes(s string, do func(int64), ranges func(span)) bool {
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == ',' || s[i] <= ' ') {
			i++
		}
		from := i
		for i < len(s) && s[i] != ',' && s[i] > ' ' {
			i++
		}
		if from == i {
			break
		}
		part := strings.Split(s[from:i], ":")
		v := [3]int64{0, 0, 1}
		if len(part) > 3 || len(part) > 1 && ranges == nil {
			return false
		}
		for k, w := range part {
			n, ok := parseInt([]byte(w))
			if !ok || n < 0 || n > maxNumber {
				return false
			}
			v[k] = n
		}
		switch {
		case len(part) == 1:
			do(v[0])
		case v[1] < v[0] || v[2] < 1:
			return false
		default:
			ranges(span{v[0], v[1], v[2]})
		}
	}
	return true
}
