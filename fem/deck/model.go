package deck

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/fem"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/meshio"
)

// ModelVersion is the version of model files that is written and read.
const ModelVersion = 1

// modelReader reads this module's own model files; docs/solving.md describes
// them.
type modelReader struct {
	*reader
	path, file string
	mesh       *mesh.TetMesh
	next       [][4]int32 // neighbours, when asked for
	names      map[imaging.Label]string
	held       []imaging.Label // labels of the mesh, ascending
	sets       *table          // of an .inp, .feb or .msh mesh
	nodeSets   map[string]*set
	inpFaces   *inpBuild
	febFaces   *feb
	gmsh       *gmshSets
	selections map[string]*selection
	work       int
}

// readJSON reads a model file.
func (r *reader) readJSON(path string, data []byte) (*fem.Model, fem.Settings, error) {
	none := fem.Settings{}
	p := &modelReader{reader: r, path: path, file: filepath.Base(path), names: map[imaging.Label]string{}, selections: map[string]*selection{}}
	o, err := newObject(p.file, "", data)
	if err != nil {
		return nil, none, err
	}
	v, given, err := o.number("halsted_model")
	switch {
	case err != nil:
		return nil, none, err
	case !given:
		return nil, none, o.bad("", `begin with {"halsted_model": 1}`, "is no model file")
	case v != ModelVersion:
		return nil, none, o.bad("halsted_model", "write version 1", "version %g is not known", v)
	}
	if r.rep.Title, err = o.text("title"); err != nil {
		return nil, none, err
	}
	if r.rep.Units == (Units{}) {
		r.rep.Units = UnitsMM
	}
	m := &fem.Model{}
	for _, step := range []func(*object, *fem.Model) error{p.readMesh, p.materials, p.selectionList, p.attachments, p.contacts, p.ties, p.dynamic} {
		if err := step(o, m); err != nil {
			return nil, none, err
		}
	}
	set, err := p.settings(o)
	if err != nil {
		return nil, none, err
	}
	if err := p.stages(o, m, &set); err != nil {
		return nil, none, err
	}
	for _, n := range sortedKeys(p.selections) {
		if !p.selections[n].used {
			r.rep.note(p.selections[n].o.place(""), false, "the selection %s is not used", quote(n))
		}
	}
	return m, set, o.done()
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// readMesh reads the mesh file and its sets.
func (r *modelReader) readMesh(o *object, m *fem.Model) error {
	g, err := o.object("mesh")
	if err != nil {
		return err
	}
	if g == nil {
		return o.bad("", `add "mesh": {"file": …}`, "there is no mesh")
	}
	name, err := g.text("file")
	if err != nil {
		return err
	}
	if name == "" {
		return g.bad("file", "give a .msh, .vtu, .inp or .feb file, counted from the folder of the model file", "names no file")
	}
	unitName, err := g.text("length_unit")
	if err != nil {
		return err
	}
	unit := meshio.Unit(r.opt.Units.LengthMM)
	if unitName != "" {
		if unit, err = meshio.ParseUnit(unitName); err != nil {
			return g.place("length_unit").wrap(err)
		}
	}
	second, err := g.flag("second_order")
	if err != nil {
		return err
	}
	path := beside(r.path, name)
	data, err := r.reader.file(g.place("file"), path)
	if err != nil {
		return err
	}
	f, err := meshio.ReadTetMesh(r.ctx, bytes.NewReader(data), filepath.Base(path), meshio.ReadOptions{Unit: unit, Label: imaging.LabelLiver})
	if err != nil {
		return g.place("file").wrap(err)
	}
	for _, s := range f.Skipped {
		r.rep.note(g.place("file"), false, "left out %d elements of type %s", s.Count, s.Type)
	}
	r.mesh = f.Mesh
	for l, n := range f.Names {
		r.names[l] = n
		r.rep.Names[l] = n
	}
	var used [256]bool
	for _, l := range f.Mesh.Region {
		used[l] = true
	}
	for l, on := range used {
		if on {
			r.held = append(r.held, imaging.Label(l))
		}
	}
	if err := r.readSets(g, path, data, f.Unit); err != nil {
		return err
	}
	if second {
		r.mesh = r.mesh.Quadratic()
		for n := len(r.rep.NodeNumbers); n > 0 && n < len(r.mesh.Nodes); n++ { // new nodes count on
			r.rep.NodeNumbers = append(r.rep.NodeNumbers, r.rep.NodeNumbers[n-1]+1)
		}
	}
	m.Mesh = r.mesh
	return g.done()
}

// label finds the region of a name: the mesh file's, a known structure, or a
// number.
func (r *modelReader) label(name string) (imaging.Label, bool) {
	for _, l := range r.held {
		if r.names[l] == name {
			return l, true
		}
	}
	for _, l := range r.held {
		if strings.EqualFold(l.String(), name) || strconv.Itoa(int(l)) == name {
			return l, true
		}
	}
	return 0, false
}

// regionNames lists what label understands.
func (r *modelReader) regionNames() string {
	var out []string
	for _, l := range r.held {
		n := r.names[l]
		if n == "" {
			n = l.String()
		}
		out = append(out, n)
	}
	return strings.Join(out, ", ")
}

// materials gives every region its law.
func (r *modelReader) materials(o *object, m *fem.Model) error {
	list, err := o.objects("materials")
	if err != nil {
		return err
	}
	for _, g := range list {
		labels, err := r.labelsOf(g, "region")
		if err != nil {
			return err
		}
		if labels == nil && len(r.held) == 1 {
			labels = r.held
		}
		if labels == nil {
			return g.bad("region", "the mesh has "+r.regionNames(), "names no region")
		}
		law, name, density, err := lawOf(g)
		if err != nil {
			return err
		}
		if d, given, err := g.quantity("density", densityUnits); err != nil {
			return err
		} else if given {
			density = d
		}
		active, _, err := g.quantity("active_tension", stressUnits)
		if err != nil {
			return err
		}
		for _, l := range labels {
			if slices.ContainsFunc(m.Regions, func(r fem.Region) bool { return r.Label == l }) {
				return g.bad("region", "keep one of them", "the region %s has a material already", l)
			}
			m.Regions = append(m.Regions, fem.Region{Label: l, Law: law, DensityTPerMM3: density, ActiveMPa: active})
			r.rep.Materials[l] = describe(name, law)
		}
		if err := g.done(); err != nil {
			return err
		}
	}
	for _, l := range r.held {
		if !slices.ContainsFunc(m.Regions, func(r fem.Region) bool { return r.Label == l }) {
			n := r.names[l]
			if n == "" {
				n = l.String()
			}
			return o.bad("materials", "add one", "the region %s has no material", quote(n))
		}
	}
	return nil
}

func (r *modelReader) selectionList(o *object, _ *fem.Model) error {
	g, err := o.object("selections")
	if err != nil || g == nil {
		return err
	}
	for _, name := range g.order {
		s, err := g.object(name)
		if err != nil {
			return err
		}
		if r.selections[name], err = r.selection(s); err != nil {
			return err
		}
	}
	return nil
}
