package deck

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"halsted/fem"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/meshio"

	"gonum.org/v1/gonum/spatial/r3"
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

var formulations = map[string]fem.Formulation{"": fem.Displacement, "displacement": fem.Displacement, "mean-dilatation": fem.MeanDilatation}

func (r *modelReader) settings(o *object) (s fem.Settings, err error) {
	g, err := o.object("settings")
	if err != nil || g == nil {
		return s, err
	}
	if s.Steps, _, err = g.whole("steps", 1, maxSteps); err != nil {
		return s, err
	}
	if s.MaxNewton, _, err = g.whole("max_newton", 1, 10000); err != nil {
		return s, err
	}
	if s.MaxCutbacks, _, err = g.whole("max_cutbacks", 1, 100); err != nil {
		return s, err
	}
	if s.ResidualTol, _, err = g.number("residual_tolerance"); err != nil {
		return s, err
	}
	if s.ArcLength, err = arcLength(g); err != nil {
		return s, err
	}
	name, err := g.text("formulation")
	if err != nil {
		return s, err
	}
	var ok bool
	if s.Formulation, ok = formulations[name]; !ok {
		return s, g.bad("formulation", "want displacement or mean-dilatation", "%s is not known", quote(name))
	}
	return s, g.done()
}

// stages reads supports, loads and the history.
func (r *modelReader) stages(o *object, m *fem.Model, set *fem.Settings) error {
	h := newHistory(m)
	load := fem.LoadCase{}
	if err := r.state(o, h, &load); err != nil {
		return err
	}
	list, err := o.objects("stages")
	if err != nil {
		return err
	}
	if list == nil {
		h.stage(fem.Stage{DurationS: 1, Steps: set.Steps}, load)
		h.finish()
		return nil
	}
	if len(list) > 10000 {
		return o.bad("stages", "", "more than 10000 stages")
	}
	for _, g := range list {
		if err := r.release(g, h); err != nil {
			return err
		}
		if err := r.state(g, h, &load); err != nil {
			return err
		}
		s, err := r.stage(g)
		if err != nil {
			return err
		}
		h.stage(s, load)
		if err := g.done(); err != nil {
			return err
		}
	}
	m.Stages = h.ends
	return nil
}

// stage reads what a stage says of itself.
func (r *modelReader) stage(g *object) (s fem.Stage, err error) {
	if s.Name, err = g.text("name"); err != nil {
		return s, err
	}
	if s.DurationS, _, err = g.quantity("duration", timeUnits); err != nil {
		return s, err
	}
	if s.Steps, _, err = g.whole("steps", 1, maxSteps); err != nil {
		return s, err
	}
	if s.Remove, err = r.labelsOf(g, "remove"); err != nil {
		return s, err
	}
	if s.Add, err = r.labelsOf(g, "add"); err != nil {
		return s, err
	}
	if s.Attach, err = g.texts("attach"); err != nil {
		return s, err
	}
	if s.Detach, err = g.texts("detach"); err != nil {
		return s, err
	}
	if s.Sudden, err = g.flag("sudden"); err != nil {
		return s, err
	}
	if a, given, err := g.number("activation"); err != nil {
		return s, err
	} else if given {
		s.Activation = &a
	}
	return s, nil
}

// axesIn reads "axes": some of x, y and z; all when it is missing.
func axesIn(o *object, key string) ([]int, error) {
	s, err := o.text(key)
	if err != nil {
		return nil, err
	}
	if s == "" {
		s = "xyz"
	}
	var out []int
	for _, c := range s {
		n := strings.IndexRune("xyz", c)
		if n < 0 || slices.Contains(out, n) {
			return nil, o.bad(key, "", "want some of x, y and z, not %s", quote(s))
		}
		out = append(out, n)
	}
	return out, nil
}

func (r *modelReader) release(g *object, h *history) error {
	list, err := g.objects("release")
	if err != nil {
		return err
	}
	for _, e := range list {
		nodes, err := r.someNodes(e, "at")
		if err != nil {
			return err
		}
		axes, err := axesIn(e, "axes")
		if err != nil {
			return err
		}
		for _, n := range nodes {
			for _, a := range axes {
				h.held[3*int(n)+a], h.val[3*int(n)+a] = false, 0
			}
		}
		if err := e.done(); err != nil {
			return err
		}
	}
	return nil
}

// state reads supports, motions and loads of the model or of a stage. Loads
// replace those before, all together.
func (r *modelReader) state(o *object, h *history, load *fem.LoadCase) error {
	list, err := o.objects("fixed")
	if err != nil {
		return err
	}
	for _, e := range list {
		nodes, err := r.someNodes(e, "at")
		if err != nil {
			return err
		}
		axes, err := axesIn(e, "axes")
		if err != nil {
			return err
		}
		for _, n := range nodes {
			for _, a := range axes {
				h.hold(3*int(n)+a, 0)
			}
		}
		if err := e.done(); err != nil {
			return err
		}
	}
	if list, err = o.objects("prescribed"); err != nil {
		return err
	}
	for _, e := range list {
		if err := r.prescribe(e, h); err != nil {
			return err
		}
	}
	g, moved, err := o.vector("gravity_change", gravityUnits)
	if err != nil {
		return err
	}
	if !moved && !o.has("loads") {
		_, err := o.objects("loads")
		return err
	}
	if list, err = o.objects("loads"); err != nil {
		return err
	}
	*load = fem.LoadCase{GravityChange: g}
	forces := newCollector(len(r.mesh.Nodes))
	for _, e := range list {
		if err := r.load(e, load, forces); err != nil {
			return err
		}
	}
	load.Forces = forces.forces()
	return nil
}

func (r *modelReader) prescribe(e *object, h *history) error {
	nodes, err := r.someNodes(e, "at")
	if err != nil {
		return err
	}
	key, factor, err := e.find("displacement", lengthUnits)
	if err != nil {
		return err
	}
	if key == "" {
		return e.bad("", "add displacement_mm", "there is no displacement")
	}
	var v [3]float64
	var axes []int
	if e.has("axis") {
		if axes, err = axesIn(e, "axis"); err != nil {
			return err
		}
		x, _, err := e.number(key)
		if err != nil {
			return err
		}
		for _, a := range axes {
			v[a] = x * factor
		}
	} else {
		x, _, err := e.vector(key, nil)
		if err != nil {
			return e.bad(key, `want [x, y, z], or a number beside "axis"`, "is no motion")
		}
		v, axes = [3]float64{x.X * factor, x.Y * factor, x.Z * factor}, []int{0, 1, 2}
	}
	for _, n := range nodes {
		for _, a := range axes {
			h.hold(3*int(n)+a, v[a])
		}
	}
	return e.done()
}

// load reads one entry of "loads".
func (r *modelReader) load(e *object, l *fem.LoadCase, forces *collector) error {
	p, pressed, err := e.quantity("pressure", stressUnits)
	if err != nil {
		return err
	}
	t, drawn, err := e.vector("traction", stressUnits)
	if err != nil {
		return err
	}
	f, pulled, err := e.vector("force", forceUnits)
	if err != nil {
		return err
	}
	each, nodal, err := e.vector("force_per_node", forceUnits)
	if err != nil {
		return err
	}
	count := 0
	for _, on := range []bool{pressed, drawn, pulled, nodal} {
		if on {
			count++
		}
	}
	if count != 1 {
		return e.bad("", "give one of pressure_kPa, traction_kPa, force_N (over the faces) and force_per_node_N", "%d kinds of load in one entry", count)
	}
	if nodal {
		nodes, err := r.someNodes(e, "at")
		if err != nil {
			return err
		}
		for _, n := range nodes {
			forces.add(n, each)
		}
		return e.done()
	}
	follows := pressed
	if e.has("follows") {
		if follows, err = e.flag("follows"); err != nil {
			return err
		}
		if !pressed && follows {
			return e.bad("follows", "remove it", "only pressure follows the faces")
		}
	}
	faces, err := r.someFaces(e, "at")
	if err != nil {
		return err
	}
	if pulled {
		area := 0.0
		for _, q := range faces {
			a, b, c := r.mesh.Nodes[q[0]], r.mesh.Nodes[q[1]], r.mesh.Nodes[q[2]]
			area += r3.Norm(r3.Cross(r3.Sub(b, a), r3.Sub(c, a))) / 2
		}
		if !(area > 0) {
			return e.bad("at", "mend the mesh", "the faces have no area")
		}
		t = r3.Scale(1/area, f)
	}
	for _, q := range faces {
		l.Faces = append(l.Faces, fem.FaceLoad{Face: q, TractionMPa: t, PressureMPa: p, Follows: follows})
	}
	return e.done()
}

// attachments reads membranes, springs, trusses and foundations.
func (r *modelReader) attachments(o *object, m *fem.Model) error {
	for _, kind := range []struct {
		key  string
		read func(*object, *fem.Model) error
	}{{"membranes", r.membrane}, {"springs", r.spring}, {"foundations", r.foundation}} {
		list, err := o.objects(kind.key)
		if err != nil {
			return err
		}
		for _, e := range list {
			if err := kind.read(e, m); err != nil {
				return err
			}
			if err := e.done(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *modelReader) membrane(e *object, m *fem.Model) (err error) {
	var s fem.Membrane
	if s.Name, err = e.text("name"); err != nil {
		return err
	}
	if s.Faces, err = r.someFaces(e, "at"); err != nil {
		return err
	}
	if s.Law, err = membraneLaw(e); err != nil {
		return err
	}
	if s.Prestretch, _, err = e.number("prestretch"); err != nil {
		return err
	}
	if s.DensityTPerMM3, _, err = e.quantity("density", densityUnits); err != nil {
		return err
	}
	m.Membranes = append(m.Membranes, s)
	return nil
}

// spring reads an entry of "springs": from every node of a selection to a fixed
// place, or to the nearest node of another selection.
func (r *modelReader) spring(e *object, m *fem.Model) (err error) {
	var s fem.Spring
	if s.Name, err = e.text("name"); err != nil {
		return err
	}
	nodes, err := r.someNodes(e, "at")
	if err != nil {
		return err
	}
	if s.StiffnessNPerMM, err = e.need("stiffness", springUnits); err != nil {
		return err
	}
	if s.RestMM, _, err = e.quantity("rest_length", lengthUnits); err != nil {
		return err
	}
	if s.TensionOnly, err = e.flag("tension_only"); err != nil {
		return err
	}
	to, anchored, err := e.vector("anchor", lengthUnits)
	if err != nil {
		return err
	}
	var ends []int32
	if e.has("to") {
		if ends, err = r.someNodes(e, "to"); err != nil {
			return err
		}
	}
	switch {
	case anchored == (ends != nil):
		return e.bad("", "give one of them", "want anchor_mm or to")
	case len(nodes)*max(1, len(ends)) > 1<<24:
		return e.bad("at", "choose fewer nodes", "too many pairs of nodes")
	}
	for _, n := range nodes {
		q := s
		q.Nodes, q.AnchorMM = [2]int32{n, -1}, to
		best := 0.0
		for _, k := range ends {
			if d := r3.Norm2(r3.Sub(r.mesh.Nodes[k], r.mesh.Nodes[n])); k != n && (q.Nodes[1] < 0 || d < best) {
				q.Nodes[1], best = k, d
			}
		}
		if ends != nil && q.Nodes[1] < 0 {
			return e.bad("to", "choose other nodes", "node %d would be tied to itself", n)
		}
		m.Springs = append(m.Springs, q)
	}
	return nil
}

func (r *modelReader) foundation(e *object, m *fem.Model) (err error) {
	var s fem.Foundation
	if s.Name, err = e.text("name"); err != nil {
		return err
	}
	if s.Faces, err = r.someFaces(e, "at"); err != nil {
		return err
	}
	if s.NormalMPaPerMM, _, err = e.quantity("normal", beddingUnits); err != nil {
		return err
	}
	if s.TangentMPaPerMM, _, err = e.quantity("tangent", beddingUnits); err != nil {
		return err
	}
	if s.NormalMPaPerMM == 0 && s.TangentMPaPerMM == 0 {
		return e.bad("", "add normal_kPa_per_mm or tangent_kPa_per_mm", "a foundation without stiffness")
	}
	m.Foundations = append(m.Foundations, s)
	return nil
}

// obstacle reads a rigid body: a ball, a half-space or a cylinder, and how far it
// has moved at the end of each stage.
func (r *modelReader) obstacle(e *object) (*fem.Obstacle, error) {
	g, err := e.object("obstacle")
	if err != nil || g == nil {
		return nil, err
	}
	if e.has("against") {
		return nil, e.bad("obstacle", "keep one of them", "stands beside against")
	}
	out := &fem.Obstacle{}
	shapes := 0
	s := &selection{}
	for _, err := range []error{
		s.part(g, "sphere_mm", func(q *object) (err error) {
			shapes++
			var f fem.Sphere
			if f.CentreMM, err = want(q, "centre"); err != nil {
				return err
			}
			if f.RadiusMM, _, err = q.number("radius"); err != nil {
				return err
			}
			f.Hollow, err = q.flag("hollow")
			out.Shape = f
			return err
		}),
		s.part(g, "plane_mm", func(q *object) (err error) {
			shapes++
			var f fem.Plane
			if f.AtMM, err = want(q, "point"); err != nil {
				return err
			}
			f.Normal, err = want(q, "normal")
			out.Shape = f
			return err
		}),
		s.part(g, "cylinder_mm", func(q *object) (err error) {
			shapes++
			var f fem.Cylinder
			if f.AtMM, err = want(q, "point"); err != nil {
				return err
			}
			if f.Axis, err = want(q, "axis"); err != nil {
				return err
			}
			f.RadiusMM, _, err = q.number("radius")
			out.Shape = f
			return err
		}),
	} {
		if err != nil {
			return nil, err
		}
	}
	if shapes != 1 {
		return nil, g.bad("", "give one of sphere_mm, plane_mm and cylinder_mm", "%d shapes", shapes)
	}
	var moves [][]float64
	if _, err := g.take("move_mm", &moves, "a list of [x, y, z], one a stage"); err != nil {
		return nil, err
	}
	for _, v := range moves {
		if len(v) != 3 {
			return nil, g.bad("move_mm", "", "want a list of [x, y, z], one a stage")
		}
		out.MoveMM = append(out.MoveMM, r3.Vec{X: v[0], Y: v[1], Z: v[2]})
	}
	return out, g.done()
}

// contacts reads "contacts": faces of one selection against those of another.
func (r *modelReader) contacts(o *object, m *fem.Model) error {
	list, err := o.objects("contacts")
	if err != nil {
		return err
	}
	for n, e := range list {
		c := fem.Contact{}
		if c.Name, err = e.text("name"); err != nil {
			return err
		}
		if c.Name == "" {
			c.Name = fmt.Sprintf("contact %d", n+1)
		}
		if c.Faces, err = r.someFaces(e, "at"); err != nil {
			return err
		}
		if c.Obstacle, err = r.obstacle(e); err != nil {
			return err
		}
		if c.Obstacle == nil {
			if c.Against, err = r.someFaces(e, "against"); err != nil {
				return err
			}
		}
		if c.Friction, _, err = e.number("friction"); err != nil {
			return err
		}
		if c.Penalty, _, err = e.number("penalty"); err != nil {
			return err
		}
		if c.GapToleranceMM, _, err = e.quantity("gap_tolerance", lengthUnits); err != nil {
			return err
		}
		if c.TwoPass, err = e.flag("two_pass"); err != nil {
			return err
		}
		if err := e.done(); err != nil {
			return err
		}
		m.Contacts = append(m.Contacts, c)
	}
	return nil
}

// ties reads "ties": faces of one selection held to those of another, or nodes
// to the elements that they lie in.
func (r *modelReader) ties(o *object, m *fem.Model) error {
	list, err := o.objects("ties")
	if err != nil {
		return err
	}
	for _, e := range list {
		t := fem.Tie{}
		if t.Name, err = e.text("name"); err != nil {
			return err
		}
		if e.has("to") {
			if t.Faces, err = r.someFaces(e, "at"); err != nil {
				return err
			}
			if t.Against, err = r.someFaces(e, "to"); err != nil {
				return err
			}
		} else {
			if t.Nodes, err = r.someNodes(e, "at"); err != nil {
				return err
			}
			if t.Within, err = r.labelsOf(e, "within"); err != nil {
				return err
			}
		}
		if t.SearchMM, _, err = e.quantity("search", lengthUnits); err != nil {
			return err
		}
		if t.Penalty, _, err = e.number("penalty"); err != nil {
			return err
		}
		if t.JumpToleranceMM, _, err = e.quantity("jump_tolerance", lengthUnits); err != nil {
			return err
		}
		if err := e.done(); err != nil {
			return err
		}
		m.Ties = append(m.Ties, t)
	}
	return nil
}

// dynamic reads "dynamic": inertia and damping.
func (r *modelReader) dynamic(o *object, m *fem.Model) error {
	g, err := o.object("dynamic")
	if err != nil || g == nil {
		return err
	}
	d := &fem.Dynamic{}
	name, err := g.text("method")
	if err != nil {
		return err
	}
	switch name {
	case "", "generalised-alpha":
		d.Method = fem.GeneralisedAlpha
	case "newmark":
		d.Method = fem.Newmark
	default:
		return g.bad("method", "want generalised-alpha or newmark", "%s is not known", quote(name))
	}
	if d.SpectralRadius, _, err = g.number("spectral_radius"); err != nil {
		return err
	}
	if d.RayleighMassPerS, _, err = g.number("rayleigh_mass_per_s"); err != nil {
		return err
	}
	if d.RayleighStiffnessS, _, err = g.quantity("rayleigh_stiffness", timeUnits); err != nil {
		return err
	}
	m.Dynamic = d
	return g.done()
}

// arcLength reads the part of settings that lets the load factor fall.
func arcLength(o *object) (*fem.ArcLength, error) {
	g, err := o.object("arc_length")
	if err != nil || g == nil {
		return nil, err
	}
	a := &fem.ArcLength{}
	if a.MaxSteps, _, err = g.whole("max_steps", 1, maxSteps); err != nil {
		return nil, err
	}
	if a.MaxMM, _, err = g.quantity("max_displacement", lengthUnits); err != nil {
		return nil, err
	}
	if a.StepMM, _, err = g.quantity("max_step", lengthUnits); err != nil {
		return nil, err
	}
	return a, g.done()
}
