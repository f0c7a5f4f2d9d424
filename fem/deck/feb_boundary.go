package deck

import (
	"math"
	"slices"
	"strings"
)

// control reads the number and length of the time steps.
func (b *febBuild) control(s *febStep) (frames int, dt float64, err error) {
	c := s.control
	if c == nil {
		c = b.global.control
	}
	if c == nil {
		return 0, 0, b.at(s.e).bad("add <Control>", "there is no <Control>")
	}
	frames, dt = 10, 0.1 // FEBio's defaults
	for _, k := range c.kids {
		switch k.name {
		case "analysis":
			if t := strings.ToLower(k.text + k.attr("type")); t != "static" && t != "0" {
				return 0, 0, b.at(k).bad("use a static analysis", "the analysis %s is not available", quote(t))
			}
		case "time_steps", "step_size":
			var v [1]float64
			if n, ok := numbers(k.text, v[:]); n != 1 || !ok || !(v[0] > 0) {
				return 0, 0, b.at(k).bad("", "%s is no positive number", quote(k.text))
			}
			if k.name == "step_size" {
				dt = v[0]
			} else if v[0] > maxSteps || v[0] != math.Trunc(v[0]) {
				return 0, 0, b.at(k).bad("", "%s is no number of steps up to %d", quote(k.text), maxSteps)
			} else {
				frames = int(v[0])
			}
		case "solver":
			if t := k.attr("type"); t != "" && t != "solid" {
				return 0, 0, b.typed(k).bad("use the solver solid", "the solver is not available")
			}
		}
	}
	return frames, dt, nil
}

// breaks collects the times between t0 and t1 at which the curves of e bend.
func (b *febBuild) breaks(e *element, t0, t1 float64, cuts *[]float64) error {
	if id := e.attr("lc"); id != "" {
		c := b.curves[id]
		if c == nil {
			return b.at(e).bad("define the load curve", "there is no load curve %s", quote(id))
		}
		if err := c.usable(t1); err != nil {
			return err
		}
		for n, t := range c.x {
			if t > t0*(1+1e-12) && t < t1*(1-1e-12) && (n == 0 || t > c.x[n-1]) {
				*cuts = append(*cuts, t)
			}
		}
	}
	for _, k := range e.kids {
		if err := b.breaks(k, t0, t1, cuts); err != nil {
			return err
		}
	}
	return nil
}

// factor is what the curve of e makes of its value at time t. A value without
// a curve, or one that does not begin at zero, acts at once in FEBio.
func (b *febBuild) factor(e *element, t float64) float64 {
	at, begin := 1.0, 1.0
	if c := b.curves[e.attr("lc")]; c != nil {
		at, begin = c.value(t), c.value(b.begin)
	}
	if b.fresh && begin != 0 {
		b.jump = e
	} else if at != begin {
		b.slope = true
	}
	return at
}

// atOnce notes a value that jumps.
func (b *febBuild) atOnce(e *element) {
	if !b.noted[e] {
		b.noted[e] = true
		b.rep.note(b.at(e), b.slow, "acts at once in FEBio; here it grows through the stage")
	}
}

// values reads numbers of a child, times its curve at t.
func (b *febBuild) values(e *element, t float64, into []float64) error {
	if typ := e.attr("type"); typ != "" && typ != "const" && typ != "vector" {
		return b.typed(e).bad("give numbers", "values that vary in space are not available")
	}
	n, ok := numbers(e.text, into)
	if n != len(into) || !ok {
		return b.at(e).bad("", "%s are no %d finite numbers", quote(e.text), len(into))
	}
	zero := true
	for _, v := range into {
		zero = zero && v == 0
	}
	if zero {
		return nil
	}
	k := b.factor(e, t)
	for i := range into {
		into[i] *= k
	}
	return nil
}

// only refuses children that are not listed.
func (b *febBuild) only(e *element, names ...string) error {
	for _, k := range e.kids {
		if !slices.Contains(names, k.name) {
			return b.typed(e).bad("remove it, or solve the file with FEBio", "<%s> in line %d is not understood", k.name, k.line)
		}
	}
	return nil
}

// absolute refuses a motion or load relative to the state at the start of a
// later step.
func (b *febBuild) absolute(e *element, later bool) error {
	if k := e.kid("relative"); k != nil && k.text != "0" && later {
		return b.at(k).bad("give the whole value", "a value relative to the step before is not available")
	}
	if k := e.kid("shell_bottom"); k != nil && k.text != "0" {
		return b.at(k).bad("write 0", "shells are not available")
	}
	return nil
}

// axesOf turns "x,y" and the like into axes; "u", "v", "w" are rotations of
// shells and "p" pressure, which solids do not have.
func axesOf(s string) (axes []int, ok bool) {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		n := strings.IndexAny("xyz", w)
		if n < 0 || len(w) != 1 {
			return nil, false
		}
		axes = append(axes, n)
	}
	return axes, len(axes) > 0
}

// fix is an entry of <Boundary>.
func (b *febBuild) fix(e *element, t float64, later bool) error {
	p := b.typed(e)
	typ := e.attr("type")
	if e.name != "bc" { // 2.5: <fix bc="x"/>, <prescribe bc="x">
		typ = e.name
	}
	if err := b.absolute(e, later); err != nil {
		return err
	}
	var axes []int
	ok := true
	value := 0.0
	switch typ {
	case "zero displacement":
		if err := b.only(e, "x_dof", "y_dof", "z_dof"); err != nil {
			return err
		}
		for i, n := range []string{"x_dof", "y_dof", "z_dof"} {
			if k := e.kid(n); k != nil && k.text != "0" {
				axes = append(axes, i)
			}
		}
	case "fix":
		dofs := e.attr("bc")
		if k := e.kid("dofs"); k != nil {
			dofs = k.text
		}
		axes, ok = axesOf(dofs)
	case "prescribed displacement", "prescribe":
		if err := b.only(e, "dof", "value", "scale", "relative", "shell_bottom"); err != nil {
			return err
		}
		dof := e.attr("bc")
		if k := e.kid("dof"); k != nil {
			dof = k.text
		}
		axes, ok = axesOf(dof)
		given := false
		for _, n := range []string{"value", "scale"} {
			if k := e.kid(n); k != nil {
				v := [1]float64{}
				if err := b.values(k, t, v[:]); err != nil {
					return err
				}
				if given {
					v[0] *= value
				}
				value, given = v[0], true
			}
		}
		if !given {
			return p.bad("add <value>", "has no value")
		}
	case "zero rotation", "zero shell displacement":
		return nil // nodes of solids have no such freedom
	default:
		return p.bad("use zero displacement or prescribed displacement", "is not available")
	}
	if !ok {
		return p.bad("use x, y and z", "the degrees of freedom are not understood")
	}
	list, err := b.nodesOf(p, e.attr("node_set"))
	if err != nil {
		return err
	}
	if b.work += len(list); b.work > maxWork {
		return p.bad("join boundary conditions", "they name more than %d nodes", maxWork)
	}
	for _, n := range list {
		for _, a := range axes {
			b.h.hold(3*int(n)+a, value*b.u.LengthMM)
		}
	}
	return nil
}
