package meshio

import (
	"bytes"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// readAbaqus reads the mesh of an Abaqus or CalculiX input file: C3D4, C3D10
// and their variants. The region of an element is, in this order: a set whose
// name is known (ReadOptions.Labels, Label.String), the set of a *SOLID
// SECTION, the ELSET of its *ELEMENT, the first *ELSET that lists it.
func readAbaqus(in *input) (*TetFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	a := &abaqusReader{cursor: cursor{in: in, data: data}, b: tetBuilder{in: in}, setOf: map[string]int{}}
	if err := a.walk(); err != nil {
		return nil, err
	}
	if err := a.assign(); err != nil {
		return nil, err
	}
	return a.b.finish()
}

type abaqusReader struct {
	cursor
	b     tetBuilder
	node  numbering
	sets  []abaqusSet
	setOf map[string]int // by name in capitals
	parts int
	// counts that a file of ours states
	wantNodes, wantElements int64
}

// abaqusSet is an element set: numbers, ranges and other sets.
type abaqusSet struct {
	name     string
	section  bool // named by a *SOLID SECTION
	block    bool // named by an *ELEMENT
	ranges   [][3]int64
	children []int
}

// keyword is one keyword line.
type keyword struct {
	name   string // in capitals, one blank between words
	params map[string]string
}

// nextKeyword moves to the next keyword line, past data lines and comments.
func (a *abaqusReader) nextKeyword() (keyword, bool, error) {
	for {
		if err := a.alive(); err != nil {
			return keyword{}, false, err
		}
		if _, ok := a.dataLine(); ok {
			continue
		}
		if a.pos >= len(a.data) {
			return keyword{}, false, nil
		}
		b, _ := a.nextLine()
		line := string(b)
		for strings.HasSuffix(line, ",") && len(line) < 1<<16 {
			more, ok := a.nextLine()
			if !ok {
				break
			}
			line += string(more)
		}
		k := keyword{params: map[string]string{}}
		for i, p := range strings.Split(line[1:], ",") {
			key, value, _ := strings.Cut(p, "=")
			key = strings.ToUpper(strings.Join(strings.Fields(key), " "))
			if i == 0 {
				k.name = key
			} else if key != "" {
				k.params[key] = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
		return k, true, nil
	}
}

// dataLine takes the next line unless it is a keyword; comments and empty
// lines are passed over.
func (a *abaqusReader) dataLine() ([]byte, bool) {
	for a.pos < len(a.data) {
		at, ends := a.pos, a.ends
		b, _ := a.nextLine()
		switch {
		case bytes.HasPrefix(b, []byte("**")):
			a.comment(string(b))
		case len(b) == 0:
		case b[0] == '*':
			a.pos, a.ends = at, ends
			return nil, false
		default:
			return b, true
		}
	}
	return nil, false
}

// comment looks for what a file of ours says.
func (a *abaqusReader) comment(b string) {
	u := markedUnit(b)
	if u == 0 {
		return
	}
	a.b.unit = u
	for w := range strings.FieldsSeq(b) {
		if n, ok := strings.CutPrefix(w, nodesMark); ok {
			a.wantNodes, _ = parseInt([]byte(n))
		}
		if n, ok := strings.CutPrefix(w, elementsMark); ok {
			a.wantElements, _ = parseInt([]byte(n))
		}
	}
}

func (a *abaqusReader) walk() error {
	for {
		k, ok, err := a.nextKeyword()
		if err != nil {
			return err
		}
		if !ok {
			if a.line == 0 {
				return a.short("before the first line")
			}
			if n, e := int64(len(a.b.nodes)), int64(len(a.b.tets)); n < a.wantNodes || e < a.wantElements {
				return a.short("after %d of %d nodes and %d of %d elements", n, a.wantNodes, e, a.wantElements)
			}
			if a.wantElements > 0 && a.data[len(a.data)-1] != '\n' {
				return a.short("inside its last line")
			}
			return nil
		}
		if _, ok := k.params["INPUT"]; ok || k.name == "INCLUDE" {
			return a.bad("write all into one file", "*%s refers to another file", k.name)
		}
		switch k.name {
		case "NODE":
			err = a.nodes(k)
		case "ELEMENT":
			err = a.elements(k)
		case "ELSET":
			err = a.elset(k)
		case "SOLID SECTION":
			if name := k.params["ELSET"]; name != "" {
				a.sets[a.set(name)].section = true
			}
		case "PART":
			if a.parts++; a.parts > 1 {
				err = a.bad("write a flat file (Abaqus: Model attributes, no parts and assemblies)", "more than one *PART")
			}
		case "INSTANCE":
			if _, moved := a.dataLine(); moved {
				err = a.bad("write a flat file (Abaqus: Model attributes, no parts and assemblies)", "the *INSTANCE is moved")
			}
		case "NGEN", "NFILL", "NCOPY", "NMAP", "ELGEN", "ELCOPY", "SYSTEM", "SUBSTRUCTURE GENERATE":
			err = a.bad("write nodes and elements in full", "*%s is not understood", k.name)
		}
		if err != nil {
			return err
		}
	}
}

func (a *abaqusReader) nodes(k keyword) error {
	if s := strings.ToUpper(k.params["SYSTEM"]); s != "" && s != "R" {
		return a.bad("write Cartesian coordinates", "*NODE in the coordinates %s", quote(s))
	}
	for {
		if err := a.alive(); err != nil {
			return err
		}
		b, ok := a.dataLine()
		if !ok {
			return nil
		}
		number, rest := word(b)
		tag, ok := parseInt(number)
		if !ok {
			return a.bad("", "%s is no node number", quote(number))
		}
		var p [3]float64
		for i := range p {
			var w []byte
			if w, rest = field(rest); len(w) == 0 {
				continue // a blank stands for 0
			}
			if p[i], ok = parseFloat(w); !ok {
				return a.bad(remedyNumbers, "node %d: %s is not a finite number", tag, quote(w))
			}
		}
		if err := a.b.node(&a.cursor, &a.node, tag, r3.Vec{X: p[0], Y: p[1], Z: p[2]}); err != nil {
			return err
		}
	}
}

// field cuts off what stands between the comma at the head of b and the next.
func field(b []byte) (w, rest []byte) {
	if n := bytes.IndexByte(b, ','); n >= 0 {
		b = b[n+1:]
	} else {
		return nil, nil
	}
	if n := bytes.IndexByte(b, ','); n >= 0 {
		return bytes.TrimSpace(b[:n]), b[n:]
	}
	return bytes.TrimSpace(b), nil
}

func (a *abaqusReader) elements(k keyword) error {
	kind := strings.ToUpper(k.params["TYPE"])
	want, flat := abaqusKind(kind)
	set := -1
	if name := k.params["ELSET"]; name != "" {
		set = a.set(name)
		a.sets[set].block = true
	}
	var numbers []int64
	for {
		if err := a.alive(); err != nil {
			return err
		}
		b, ok := a.dataLine()
		if !ok {
			if len(numbers) > 0 {
				return a.bad(remedyWhole, "element %d has %d nodes of %d", numbers[0], len(numbers)-1, want)
			}
			return nil
		}
		if want == 0 {
			if !flat && !a.in.opt.SkipUnknown {
				return a.bad(remedyTypes, "elements of type %s", quote(kind))
			}
			w, _ := word(b)
			n, _ := parseInt(w)
			a.b.skipped(kind, n)
			for b[len(b)-1] == ',' {
				if b, ok = a.dataLine(); !ok {
					return nil
				}
			}
			continue
		}
		for w, rest := word(b); len(w) > 0; w, rest = word(rest) {
			n, ok := parseInt(w)
			if !ok {
				return a.bad("", "%s is no whole number", quote(w))
			}
			if numbers = append(numbers, n); len(numbers) > want+1 {
				return a.bad("", "element %d has more than %d nodes", numbers[0], want)
			}
		}
		if len(numbers) <= want {
			continue
		}
		var q [10]int32
		for i, n := range numbers[1:] {
			if q[i], ok = a.node.get(n); !ok {
				return a.bad("", "element %d names node %d, which is not given above", numbers[0], n)
			}
		}
		if !a.b.add(q[:want], int32(set), numbers[0]) {
			return a.bad(remedyMixed, "%s, at element %d", whatMixed, numbers[0])
		}
		numbers = numbers[:0]
	}
}

// abaqusKind tells the nodes of a tetrahedron type; else 0, and whether the
// type has no volume of its own.
func abaqusKind(kind string) (nodes int, flat bool) {
	solid := strings.TrimPrefix(kind, "D") // heat transfer
	if rest, ok := strings.CutPrefix(solid, "C3D10"); ok && strings.Trim(rest, "HIMSTEPR") == "" {
		return 10, false
	}
	if rest, ok := strings.CutPrefix(solid, "C3D4"); ok && strings.Trim(rest, "HTEPR") == "" {
		return 4, false
	}
	if strings.HasPrefix(kind, "SC") { // continuum shells
		return 0, false
	}
	for _, p := range []string{"S", "M3D", "R2D", "R3D", "RB", "T2D", "T3D", "B2", "B3", "CP", "CAX", "MASS", "ROTARY", "CONN", "DASHPOT", "GAP", "DS", "F2D", "F3D"} {
		if strings.HasPrefix(kind, p) {
			return 0, true
		}
	}
	return 0, false
}
