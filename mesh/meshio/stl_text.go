package meshio

import (
	"bytes"
	"math"

	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// readSTLText reads the text form: any number of solids, keywords in any case.
// It is our own because the library stops at the first endsolid without a
// word, knows lower case only and gathers complaints without bound.
func readSTLText(in *input) (*SurfaceFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	c := &cursor{in: in, data: data, line: 1}
	unit := in.opt.Unit
	f := in.newSurface(&mesh.Surface{}, 0)
	number := map[[3]float32]int32{}
	inSolid, faces := false, 0
	for {
		if err := c.alive(); err != nil {
			return nil, err
		}
		w := c.nextWord()
		switch {
		case len(w) == 0 && inSolid:
			return nil, c.short("without endsolid")
		case len(w) == 0:
			if faces == 0 {
				return nil, fail("STL", "", "the file holds no face")
			}
			f.Unit = unit
			return finishSoup(in, f, faces)
		case !inSolid && isWord(w, "solid"):
			inSolid = true
			if name := c.restOfLine(); unit == 0 {
				unit = markedUnit(string(name))
			}
		case inSolid && isWord(w, "endsolid"):
			inSolid = false
			c.restOfLine()
		case inSolid && isWord(w, "facet"):
			v, err := c.stlFacet(f.Surface, number)
			if err != nil {
				return nil, err
			}
			if faces++; v[0] != v[1] && v[1] != v[2] && v[2] != v[0] {
				f.Surface.Tris = append(f.Surface.Tris, v)
			}
		default:
			return nil, c.bad("mend the file at this line", "%s where facet, endsolid or solid should stand", quote(w))
		}
	}
}

// stlFacet reads what follows "facet".
func (c *cursor) stlFacet(s *mesh.Surface, number map[[3]float32]int32) (v [3]int32, err error) {
	if err = c.expect("normal"); err != nil {
		return
	}
	for range 3 { // not used, and often not a number
		if len(c.nextWord()) == 0 {
			return v, c.short("inside a facet")
		}
	}
	if err = c.expect("outer", "loop"); err != nil {
		return
	}
	for i := range v {
		if err = c.expect("vertex"); err != nil {
			return
		}
		var p [3]float32
		for a := range p {
			w := c.nextWord()
			x, ok := parseFloat(w)
			if len(w) == 0 {
				return v, c.short("inside a facet")
			}
			if p[a] = float32(x) + 0; !ok || math.IsInf(float64(p[a]), 0) {
				return v, c.bad(remedyNumbers, "%s is not a finite number", quote(w))
			}
		}
		n, ok := number[p]
		if !ok {
			n = int32(len(s.Verts))
			number[p] = n
			s.Verts = append(s.Verts, r3.Vec{X: float64(p[0]), Y: float64(p[1]), Z: float64(p[2])})
		}
		v[i] = n
	}
	return v, c.expect("endloop", "endfacet")
}

func isWord(w []byte, want string) bool { return bytes.EqualFold(w, []byte(want)) }

// expect takes the given words.
func (c *cursor) expect(words ...string) error {
	for _, want := range words {
		w := c.nextWord()
		if len(w) == 0 {
			return c.short("where %s should stand", want)
		}
		if !isWord(w, want) {
			return c.bad("mend the file at this line", "%s where %s should stand", quote(w), want)
		}
	}
	return nil
}

// restOfLine takes what is left of the current line.
func (c *cursor) restOfLine() []byte {
	rest := c.data[c.pos:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	c.pos += len(rest)
	return bytes.TrimSpace(rest)
}
