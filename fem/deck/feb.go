package deck

import (
	"fmt"
	"path/filepath"
	"strings"

	"halsted/fem"
)

// feb reads a FEBio file of version 2.5, 3 or 4.
type feb struct {
	*reader
	table
	name     string
	parts    []febPart
	nodeSets map[string]*set
	elemSets map[string]*set
	surfaces map[string]*febSurface
	domains  map[string]*element // by part: SolidDomain
	curves   map[string]*curve
	mats     map[string]*element // by name and id
	pairs    map[string]*element // SurfacePair
	discrete map[string]*element // DiscreteSet
	springs  []*element          // <Discrete>
	mixed    bool                // the mean dilatation
	steps    []*febStep
	global   *febStep
}

// febStep is what acts during one step, or during all.
type febStep struct {
	e        *element
	name     string
	control  *element
	boundary []*element
	loads    []*element
	contact  []*element
}

func (f *feb) at(e *element) place {
	return place{file: f.name, line: e.line, keyword: "<" + e.name + ">"}
}

// typed is the place of an element with its type.
func (f *feb) typed(e *element) place {
	p := f.at(e)
	if t := e.attr("type"); t != "" {
		p.keyword = fmt.Sprintf("<%s type=%q>", e.name, t)
	}
	return p
}

// readFeb reads a FEBio model.
func (r *reader) readFeb(path string, data []byte) (*fem.Model, fem.Settings, error) {
	none := fem.Settings{}
	f := newFeb(r, path)
	x := &xmlParser{r: r, file: f.name, data: data}
	root, err := x.parse()
	if err != nil {
		return nil, none, err
	}
	v := root.attr("version")
	switch {
	case root.name != "febio_spec":
		return nil, none, f.at(root).bad("", "the file begins with <%s>, not <febio_spec>", quote(root.name))
	case v != "2.5" && !strings.HasPrefix(v, "3.") && !strings.HasPrefix(v, "4."):
		return nil, none, f.at(root).bad("export as FEBio 2.5, 3.0 or 4.0", "version %s is not read", quote(v))
	}
	if err := f.sections(root); err != nil {
		return nil, none, err
	}
	return f.build()
}

func newFeb(r *reader, path string) *feb {
	return &feb{reader: r, name: filepath.Base(path), nodeSets: map[string]*set{}, elemSets: map[string]*set{}, surfaces: map[string]*febSurface{},
		domains: map[string]*element{}, curves: map[string]*curve{}, mats: map[string]*element{}, pairs: map[string]*element{}, discrete: map[string]*element{}, global: &febStep{}}
}

// sections sorts the sections of the file.
func (f *feb) sections(root *element) error {
	for _, s := range root.kids {
		if s.attr("from") != "" {
			return f.at(s).bad("write all into one file", "the section is kept in another file")
		}
		var err error
		switch s.name {
		case "Module":
			err = f.module(s)
		case "Control":
			f.global.control = s
		case "Globals", "Output":
		case "Material":
			for _, m := range s.kids {
				f.mats[m.attr("id")] = m
				if n := m.attr("name"); n != "" {
					f.mats[n] = m
				}
			}
		case "Mesh", "Geometry":
			err = f.meshSection(s)
		case "MeshDomains":
			for _, d := range s.kids {
				f.domains[d.attr("name")] = d
			}
		case "LoadData":
			err = f.loadData(s)
		case "Discrete":
			f.springs = append(f.springs, s.kids...)
		case "Step":
			if len(s.kids) > 0 && s.kids[0].name == "step" {
				for _, k := range s.kids {
					if err == nil {
						err = f.step(k)
					}
				}
			} else {
				err = f.step(s)
			}
		default:
			err = f.part(f.global, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *feb) module(s *element) error {
	if t := s.attr("type"); t != "solid" && t != "" {
		return f.typed(s).bad("use the module solid", "the module is not available")
	}
	u := s.kid("units")
	if u == nil || f.opt.Units != (Units{}) {
		return nil
	}
	units, ok := namedUnits[strings.ToLower(u.text)]
	if !ok {
		return f.at(u).bad("use SI, mm-N-s, mm-kg-s or CGS, or give the length unit", "the units %s are not known", quote(u.text))
	}
	f.rep.Units = units
	return nil
}

// step files a <step>.
func (f *feb) step(s *element) error {
	if len(f.steps) >= 1000 {
		return f.at(s).bad("", "more than 1000 steps")
	}
	st := &febStep{e: s, name: s.attr("name")}
	f.steps = append(f.steps, st)
	for _, k := range s.kids {
		if err := f.part(st, k); err != nil {
			return err
		}
	}
	return nil
}

// part files a section that may stand in the file or in a step.
func (f *feb) part(st *febStep, s *element) error {
	switch s.name {
	case "Control":
		st.control = s
	case "Boundary":
		st.boundary = append(st.boundary, s.kids...)
	case "Loads":
		st.loads = append(st.loads, s.kids...)
	case "Contact":
		st.contact = append(st.contact, s.kids...)
	case "Module", "Globals", "Output":
	default:
		if len(s.kids) > 0 {
			k := s.kids[0]
			p := f.typed(k)
			return p.bad("remove it, or solve the file with FEBio", "the section <%s> is not available", s.name)
		}
	}
	return nil
}
