package meshio

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

// gmshKinds has the name, the number of nodes and the dimension of the element
// types of gmsh.
var gmshKinds = map[int64]struct {
	name  string
	nodes int
	dim   int
}{
	1: {"line", 2, 1}, 2: {"triangle", 3, 2}, 3: {"quadrangle", 4, 2}, gmshTet4: {"tetrahedron", 4, 3}, 5: {"hexahedron", 8, 3},
	6: {"prism", 6, 3}, 7: {"pyramid", 5, 3}, 8: {"line", 3, 1}, 9: {"triangle", 6, 2}, 10: {"quadrangle", 9, 2},
	gmshTet10: {"tetrahedron", 10, 3}, 12: {"hexahedron", 27, 3}, 13: {"prism", 18, 3}, 14: {"pyramid", 14, 3}, 15: {"point", 1, 0},
	16: {"quadrangle", 8, 2}, 17: {"hexahedron", 20, 3}, 18: {"prism", 15, 3}, 19: {"pyramid", 13, 3}, 20: {"triangle", 9, 2},
	21: {"triangle", 10, 2}, 22: {"triangle", 12, 2}, 23: {"triangle", 15, 2}, 24: {"triangle", 15, 2}, 25: {"triangle", 21, 2},
	26: {"line", 4, 1}, 27: {"line", 5, 1}, 28: {"line", 6, 1}, 29: {"tetrahedron of order 3", 20, 3},
	30: {"tetrahedron of order 4", 35, 3}, 31: {"tetrahedron of order 5", 56, 3}, 92: {"hexahedron", 64, 3}, 93: {"hexahedron", 125, 3},
}

// readGmsh reads MSH 2.2 and 4.1, text and binary of either byte order. The
// region of an element is its physical group, else its entity.
func readGmsh(in *input) (*TetFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	g := &gmshReader{cursor: cursor{in: in, data: data}, b: tetBuilder{in: in}, names: map[int64]string{}, groups: map[int64]int64{}}
	for {
		w, ok := g.section()
		if !ok {
			if !g.hasElements {
				return nil, g.short("before $Elements")
			}
			return g.b.finish()
		}
		if err := g.read(w); err != nil {
			return nil, err
		}
	}
}

type gmshReader struct {
	cursor
	b           tetBuilder
	order       binary.ByteOrder
	version     int              // 2 or 4; 0 before $MeshFormat
	names       map[int64]string // of physical volumes
	groups      map[int64]int64  // physical group of each volume entity
	node        numbering
	hasElements bool
}

// section moves to the next line that begins with $ and returns its name.
func (g *gmshReader) section() (string, bool) {
	for {
		b, ok := g.nextLine()
		if !ok {
			return "", false
		}
		if len(b) > 1 && b[0] == '$' && !bytes.HasPrefix(b, []byte("$End")) {
			return string(b[1:]), true
		}
	}
}

func (g *gmshReader) read(section string) error {
	if g.version == 0 && section != "MeshFormat" && section != "Comments" {
		return g.bad("export as MSH 2.2 or 4.1", "$%s before $MeshFormat", section)
	}
	var err error
	switch section {
	case "MeshFormat":
		return g.format()
	case "PhysicalNames":
		return g.physicalNames()
	case "Entities":
		err = g.entities()
	case "Nodes":
		if len(g.b.nodes) > 0 {
			return g.bad("", "a second $Nodes")
		}
		if g.version == 4 {
			err = g.nodes4()
		} else {
			err = g.nodes2()
		}
	case "Elements":
		if g.hasElements {
			return g.bad("", "a second $Elements")
		}
		g.hasElements = true
		if g.version == 4 {
			err = g.elements4()
		} else {
			err = g.elements2()
		}
	default:
		n := bytes.Index(g.data[g.pos:], []byte("$End"+section))
		if n < 0 {
			return g.short("inside $%s", section)
		}
		b, _ := g.take(n)
		g.ends += bytes.Count(b, []byte{'\n'})
		if section == "Comments" {
			if u := markedUnit(string(b)); u != 0 {
				g.b.unit = u
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	end := g.nextWord()
	if string(end) != "$End"+section {
		if len(end) == 0 {
			return g.short("before $End%s", section)
		}
		return g.bad("check the counts of the section", "%s where $End%s should stand", quote(end), section)
	}
	return nil
}

func (g *gmshReader) format() error {
	b, _ := g.nextLine()
	w := strings.Fields(string(b))
	if len(w) != 3 {
		return g.bad("", "cannot understand the format %s", quote(b))
	}
	switch {
	case w[0] == "4.1":
		g.version = 4
	case w[0] == "2" || strings.HasPrefix(w[0], "2."):
		g.version = 2
	default:
		return g.bad("export as MSH 2.2 or 4.1", "version %s is not read", quote(w[0]))
	}
	if w[2] != "8" {
		return g.bad("export with 8-byte numbers", "numbers of %s bytes", quote(w[2]))
	}
	if w[1] == "0" {
		return nil
	}
	g.bin = true
	one, ok := g.take(4)
	switch {
	case !ok:
		return g.short("inside $MeshFormat")
	case binary.LittleEndian.Uint32(one) == 1:
		g.order = binary.LittleEndian
	case binary.BigEndian.Uint32(one) == 1:
		g.order = binary.BigEndian
	default:
		return g.bad("", "the byte order cannot be told")
	}
	return nil
}

func (g *gmshReader) physicalNames() error {
	b, _ := g.nextLine()
	n, ok := parseInt(b)
	if !ok {
		return g.bad("", "%s is no count of names", quote(b))
	}
	for range n {
		b, ok := g.nextLine()
		if !ok {
			return g.short("inside $PhysicalNames")
		}
		dim, rest := word(b)
		tag, _ := word(rest)
		t, ok := parseInt(tag)
		_, name, quoted := strings.Cut(string(b), `"`)
		if !ok || !quoted {
			return g.bad("", "cannot understand the name %s", quote(b))
		}
		name, _, _ = strings.Cut(name, `"`)
		if string(dim) == "3" {
			g.names[t] = name
		}
	}
	return nil
}

// int, size and float read one number, from text or of 4, 8 and 8 bytes.
func (g *gmshReader) int() (int64, error)  { return g.whole(4) }
func (g *gmshReader) size() (int64, error) { return g.whole(8) }

func (g *gmshReader) whole(bytes int) (int64, error) {
	if err := g.alive(); err != nil {
		return 0, err
	}
	if !g.bin {
		w := g.nextWord()
		n, ok := parseInt(w)
		if len(w) == 0 {
			return 0, g.short("inside a section")
		}
		if !ok {
			return 0, g.bad("", "%s is no whole number", quote(w))
		}
		return n, nil
	}
	b, ok := g.take(bytes)
	if !ok {
		return 0, g.short("inside a section")
	}
	if bytes == 4 {
		return int64(int32(g.order.Uint32(b))), nil
	}
	return int64(min(g.order.Uint64(b), math.MaxInt64)), nil
}

func (g *gmshReader) float() (float64, error) {
	if !g.bin {
		w := g.nextWord()
		x, ok := parseFloat(w)
		if len(w) == 0 {
			return 0, g.short("inside a section")
		}
		if !ok {
			return 0, g.bad(remedyNumbers, "%s is not a finite number", quote(w))
		}
		return x, nil
	}
	b, ok := g.take(8)
	if !ok {
		return 0, g.short("inside a section")
	}
	x := math.Float64frombits(g.order.Uint64(b))
	if x*0 != 0 {
		return 0, g.bad(remedyNumbers, "%g is not a finite number", x)
	}
	return x, nil
}

// several reads whole numbers with read.
func several(read func() (int64, error), into ...*int64) error {
	for _, p := range into {
		x, err := read()
		if err != nil {
			return err
		}
		*p = x
	}
	return nil
}
