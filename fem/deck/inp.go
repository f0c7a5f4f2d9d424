package deck

import (
	"bytes"
	"path/filepath"
	"strings"

	"halsted/fem"
)

// inpSource is one file of an Abaqus model, with a cursor.
type inpSource struct {
	path, name string
	data       []byte
	pos, line  int // of the next byte; line from 1
}

// inpKey is one keyword line.
type inpKey struct {
	place
	name   string            // in capitals without blanks: "SOLIDSECTION"
	params map[string]string // by name in capitals without blanks
}

func (k *inpKey) has(p string) bool { _, ok := k.params[p]; return ok }

// is reports that parameter p has the value v, in any case.
func (k *inpKey) is(p, v string) bool { return strings.EqualFold(k.params[p], v) }

// maxDepth bounds files that include files.
const maxDepth = 20

// more moves to the next data line of the keyword under way: past comments,
// empty lines, ends of included files and into includes. It is false before the
// next keyword and at the end.
func (r *inp) more() (bool, error) {
	for {
		s := r.src
		d := s.data
		for s.pos < len(d) && (d[s.pos] == ' ' || d[s.pos] == '\t' || d[s.pos] == '\r') {
			s.pos++
		}
		switch {
		case s.pos >= len(d):
			if len(r.stack) == 0 {
				return false, nil
			}
			r.src = r.stack[len(r.stack)-1]
			r.stack = r.stack[:len(r.stack)-1]
		case d[s.pos] == '\n':
			s.pos++
			s.line++
		case d[s.pos] != '*':
			return true, nil
		case s.pos+1 < len(d) && d[s.pos+1] == '*':
			s.skipLine()
		case len(d)-s.pos >= 8 && bytes.EqualFold(d[s.pos:s.pos+8], []byte("*INCLUDE")):
			if err := r.include(); err != nil {
				return false, err
			}
		default:
			return false, nil
		}
	}
}

// skipLine moves behind the end of the line.
func (s *inpSource) skipLine() {
	if n := bytes.IndexByte(s.data[s.pos:], '\n'); n >= 0 {
		s.pos += n + 1
		s.line++
	} else {
		s.pos = len(s.data)
	}
}

// include reads the file that an *INCLUDE line names.
func (r *inp) include() error {
	k, err := r.keyword()
	if err != nil {
		return err
	}
	name := k.params["INPUT"]
	switch {
	case k.name != "INCLUDE" || name == "":
		return k.bad("write *INCLUDE, INPUT=file", "names no file")
	case len(r.stack) >= maxDepth:
		return k.bad("check that no file includes itself", "files include each other more than %d deep", maxDepth)
	}
	path := beside(r.src.path, name)
	data, err := r.file(k.place, path)
	if err != nil {
		return err
	}
	r.stack = append(r.stack, r.src)
	r.src = &inpSource{path: path, name: filepath.Base(path), data: data, line: 1}
	return nil
}

// here is the place of the cursor under the keyword k.
func (r *inp) here(k *inpKey) place { return place{r.src.name, r.src.line, k.keyword} }

// keyword takes the keyword line at the cursor; a comma at its end continues
// it on the next line.
func (r *inp) keyword() (inpKey, error) {
	s := r.src
	k := inpKey{place: place{file: s.name, line: s.line}, params: map[string]string{}}
	var text []byte
	for {
		from := s.pos
		s.skipLine()
		line := bytes.TrimSpace(s.data[from:s.pos])
		text = append(text, line...)
		if len(line) == 0 || line[len(line)-1] != ',' || s.pos >= len(s.data) || s.data[s.pos] == '*' {
			break
		}
		if len(text) > 1<<16 {
			return k, k.bad("", "a keyword line of more than %d characters", len(text))
		}
	}
	for i, p := range strings.Split(string(text), ",") {
		key, value, _ := strings.Cut(p, "=")
		key = strings.ToUpper(strings.Join(strings.Fields(key), ""))
		if i == 0 {
			k.keyword = strings.ToUpper(strings.Join(strings.Fields(p), " "))
			k.name = strings.TrimPrefix(key, "*")
		} else if key != "" {
			k.params[key] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return k, nil
}

// number takes a whole number and the comma behind it, if there is one.
func (s *inpSource) number() (int64, bool) {
	d, i := s.data, s.pos
	for i < len(d) && (d[i] == ' ' || d[i] == '\t') {
		i++
	}
	from := i
	var n int64
	for i < len(d) && d[i]-'0' <= 9 {
		n = 10*n + int64(d[i]-'0')
		i++
	}
	if i == from || i-from > 10 {
		return 0, false
	}
	for i < len(d) && (d[i] == ' ' || d[i] == '\t' || d[i] == '\r') {
		i++
	}
	if i < len(d) {
		if d[i] == ',' {
			i++
		} else if d[i] != '\n' {
			return 0, false
		}
	}
	s.pos = i
	return n, n <= maxNumber
}

// field takes what stands before the next comma or line end, and the comma.
func (s *inpSource) field() []byte {
	d, i := s.data, s.pos
	for i < len(d) && (d[i] == ' ' || d[i] == '\t') {
		i++
	}
	from := i
	for i < len(d) && d[i] != ',' && d[i] != '\n' {
		i++
	}
	to := i
	for to > from && (d[to-1] == ' ' || d[to-1] == '\t' || d[to-1] == '\r') {
		to--
	}
	if i < len(d) && d[i] == ',' {
		i++
	}
	s.pos = i
	return d[from:to]
}

// atEnd moves over blanks and tells whether the line is used up.
func (s *inpSource) atEnd() bool {
	d := s.data
	for s.pos < len(d) && (d[s.pos] == ' ' || d[s.pos] == '\t' || d[s.pos] == '\r') {
		s.pos++
	}
	return s.pos >= len(d) || d[s.pos] == '\n'
}

// fields takes the rest of the line as fields.
func (s *inpSource) fields() (out [][]byte) {
	for !s.atEnd() && len(out) < 64 {
		out = append(out, s.field())
	}
	s.skipLine()
	return out
}

// inp reads an Abaqus input file.
type inp struct {
	*reader
	table
	src   *inpSource
	stack []*inpSource

	nsets, elsets map[string]*set
	surfaces      map[string]*inpSurface
	materials     map[string]*inpMaterial
	material      *inpMaterial
	main          string // name of the main file
	sections      []inpSection
	springs       []inpSpring
	pairs         []inpPair
	ties          []inpTie
	interactions  map[string]*inpInteraction
	behaviour     *inpInteraction
	flatSections  []inpSection
	steps         []*inpStep
	step          *inpStep // nil before the first *STEP
	base          *inpStep // what stands before it
	ignored       map[string]bool
	meshOnly      bool
	mixed         bool // hybrid elements: the mean dilatation
	instances     int
}

// readInp reads an Abaqus model.
func (r *reader) readInp(path string, data []byte) (*fem.Model, fem.Settings, error) {
	p := newInp(r, path, data)
	if err := p.walk(); err != nil {
		return nil, fem.Settings{}, err
	}
	return p.build()
}

func newInp(r *reader, path string, data []byte) *inp {
	return &inp{reader: r, main: filepath.Base(path), interactions: map[string]*inpInteraction{}, src: &inpSource{path: path, name: filepath.Base(path), data: data, line: 1},
		nsets: map[string]*set{}, elsets: map[string]*set{}, surfaces: map[string]*inpSurface{},
		materials: map[string]*inpMaterial{}, base: &inpStep{}, ignored: map[string]bool{}}
}

// walk goes through all keywords.
func (r *inp) walk() error {
	for {
		data, err := r.more()
		if err != nil {
			return err
		}
		if data {
			p := place{file: r.src.name, line: r.src.line}
			return p.bad("a model begins with a keyword such as *NODE", "%s stands under no keyword", quote(r.src.field()))
		}
		if r.src.pos >= len(r.src.data) && len(r.stack) == 0 {
			return nil
		}
		k, err := r.keyword()
		if err != nil {
			return err
		}
		if err := r.do(&k); err != nil {
			return err
		}
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// skipData passes over the data lines of a keyword.
func (r *inp) skipData() error {
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		r.src.skipLine()
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// end checks that the line is used up and passes its end.
func (r *inp) end(k *inpKey) error {
	if !r.src.atEnd() {
		return r.here(k).bad("", "%s is too much on this line", quote(r.src.field()))
	}
	r.src.skipLine()
	return nil
}

func upper(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
