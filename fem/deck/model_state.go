package deck

import (
	"slices"
	"strings"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

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
		if err := r.spend(g, len(h.held)); err != nil {
			return err
		}
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
