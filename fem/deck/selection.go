package deck

import (
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// selection is a named part of the mesh: what meets all of its conditions.
type selection struct {
	o      *object
	nodes  []bool // of a node set of the mesh file; nil: no condition
	faces  [][3]int32
	listed bool // faces come from the mesh file
	border [][2]imaging.Label
	region []imaging.Label
	inside []func(r3.Vec) bool
	facing r3.Vec
	cosine float64
	used   bool
}

// selection reads one entry of "selections".
func (r *modelReader) selection(o *object) (*selection, error) {
	s := &selection{o: o}
	var err error
	var name string
	if name, err = o.text("nodes"); err != nil {
		return nil, err
	} else if name != "" {
		list, ok := r.nodeSet(name)
		if !ok {
			return nil, o.bad("nodes", "node sets are read from .inp, .feb and text .msh meshes; else select by place or border", "the mesh file has no node set %s", quote(name))
		}
		s.nodes = make([]bool, len(r.mesh.Nodes))
		for _, n := range list {
			s.nodes[n] = true
		}
	}
	if name, err = o.text("faces"); err != nil {
		return nil, err
	} else if name != "" {
		if s.faces, s.listed, err = r.faceSet(o, name); err != nil {
			return nil, err
		}
	}
	if names, err := o.texts("border"); err != nil {
		return nil, err
	} else if names != nil {
		if len(names) != 2 {
			return nil, o.bad("border", "", "want two regions, as in [\"liver\", \"background\"]")
		}
		var pair [2]imaging.Label
		for i, n := range names {
			l, ok := r.label(n)
			if n == "background" {
				l, ok = imaging.LabelBackground, true
			}
			if !ok {
				return nil, o.bad("border", "the mesh has "+r.regionNames(), "there is no region %s", quote(n))
			}
			pair[i] = l
		}
		s.border = append(s.border, pair)
	}
	if s.region, err = r.labelsOf(o, "region"); err != nil {
		return nil, err
	}
	if err := s.geometry(o); err != nil {
		return nil, err
	}
	return s, o.done()
}

// part takes an object whose vectors and lengths are in mm.
func (s *selection) part(o *object, key string, read func(*object) error) error {
	g, err := o.object(key)
	if err != nil || g == nil {
		return err
	}
	if err := read(g); err != nil {
		return err
	}
	return g.done()
}

// want takes a vector that must be there.
func want(o *object, key string) (r3.Vec, error) {
	v, given, err := o.vector(key, nil)
	if err == nil && !given {
		err = o.bad("", "add "+key+": [x, y, z]", "there is no %s", key)
	}
	return v, err
}

func (s *selection) geometry(o *object) error {
	add := func(f func(r3.Vec) bool) { s.inside = append(s.inside, f) }
	for _, err := range []error{
		s.part(o, "box_mm", func(g *object) error {
			lo, err := want(g, "min")
			if err != nil {
				return err
			}
			hi, err := want(g, "max")
			add(func(x r3.Vec) bool {
				return x.X >= lo.X && x.X <= hi.X && x.Y >= lo.Y && x.Y <= hi.Y && x.Z >= lo.Z && x.Z <= hi.Z
			})
			return err
		}),
		s.part(o, "sphere_mm", func(g *object) error {
			c, err := want(g, "centre")
			if err != nil {
				return err
			}
			r, _, err := g.number("radius")
			add(func(x r3.Vec) bool { return r3.Norm(r3.Sub(x, c)) <= r })
			return err
		}),
		s.part(o, "cylinder_mm", func(g *object) error {
			c, err := want(g, "point")
			if err != nil {
				return err
			}
			axis, given, err := g.direction("axis")
			if err == nil && !given {
				err = g.bad("", "add axis: [x, y, z]", "there is no axis")
			}
			if err != nil {
				return err
			}
			r, _, err := g.number("radius")
			if err != nil {
				return err
			}
			w, thin, err := g.number("within")
			add(func(x r3.Vec) bool {
				d := r3.Sub(x, c)
				d = r3.Sub(d, r3.Scale(r3.Dot(d, axis), axis))
				if thin {
					return math.Abs(r3.Norm(d)-r) <= w
				}
				return r3.Norm(d) <= r
			})
			return err
		}),
		s.part(o, "plane_mm", func(g *object) error {
			c, err := want(g, "point")
			if err != nil {
				return err
			}
			n, given, err := g.direction("normal")
			if err == nil && !given {
				err = g.bad("", "add normal: [x, y, z]", "there is no normal")
			}
			if err != nil {
				return err
			}
			w, thin, err := g.number("within")
			add(func(x r3.Vec) bool {
				d := r3.Dot(r3.Sub(x, c), n)
				return d >= 0 && !thin || math.Abs(d) <= w && thin
			})
			return err
		}),
		s.part(o, "facing", func(g *object) error {
			n, given, err := g.direction("direction")
			if err == nil && !given {
				err = g.bad("", "add direction: [x, y, z]", "there is no direction")
			}
			if err != nil {
				return err
			}
			a, err := g.need("within", angleUnits)
			s.facing, s.cosine = n, math.Cos(a)
			return err
		}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *selection) holds(x r3.Vec) bool {
	for _, in := range s.inside {
		if !in(x) {
			return false
		}
	}
	return true
}

// byFaces says that the selection speaks of faces.
func (s *selection) byFaces() bool { return s.listed || s.border != nil || s.facing != (r3.Vec{}) }
