package deck

import (
	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// load is an entry of <Loads>.
func (b *febBuild) load(e *element, t float64, later bool, l *fem.LoadCase, forces *collector) error {
	p := b.typed(e)
	if err := b.absolute(e, later); err != nil {
		return err
	}
	switch e.name + " " + e.attr("type") {
	case "surface_load pressure":
		return b.pressure(e, t, l)
	case "surface_load traction":
		return b.traction(e, t, l)
	case "nodal_load nodal_load", "nodal_load nodal_force", "nodal_load ":
		return b.nodal(e, t, forces)
	case "body_load const", "body_load body force":
		return b.bodyForce(e, t, l)
	}
	return p.bad("use pressure, traction, nodal_load or body force", "this load is not available")
}

// linear says whether a surface load acts on the undeformed face.
func linear(e *element) bool {
	k := e.kid("linear")
	return k != nil && k.text != "0"
}

func (b *febBuild) pressure(e *element, t float64, l *fem.LoadCase) error {
	if err := b.only(e, "pressure", "symmetric_stiffness", "linear", "shell_bottom", "relative"); err != nil {
		return err
	}
	k := e.kid("pressure")
	if k == nil {
		return b.typed(e).bad("add <pressure>", "has no pressure")
	}
	v := [1]float64{}
	if err := b.values(k, t, v[:]); err != nil {
		return err
	}
	tris, err := b.corners(b.typed(e), e.attr("surface"))
	if err != nil || v[0] == 0 {
		return err
	}
	for _, q := range tris {
		l.Faces = append(l.Faces, fem.FaceLoad{Face: q, PressureMPa: v[0] * b.u.stress(), Follows: !linear(e)})
	}
	return nil
}

func (b *febBuild) traction(e *element, t float64, l *fem.LoadCase) error {
	p := b.typed(e)
	if err := b.only(e, "scale", "traction", "linear", "shell_bottom", "relative"); err != nil {
		return err
	}
	k := e.kid("traction")
	if k == nil {
		return p.bad("add <traction>", "has no traction")
	}
	var v [3]float64
	if err := b.values(k, t, v[:]); err != nil {
		return err
	}
	if s := e.kid("scale"); s != nil {
		var by [1]float64
		if err := b.values(s, t, by[:]); err != nil {
			return err
		}
		for i := range v {
			v[i] *= by[0]
		}
	}
	if !linear(e) {
		if !b.opt.Approximate {
			return p.bad("write <linear>1</linear>, or give --approximate to take it per undeformed area", "a traction per deformed area is not available")
		}
		if !b.noted[e] {
			b.noted[e] = true
			b.rep.note(p, true, "the traction is taken per undeformed area, FEBio takes it per deformed area")
		}
	}
	tris, err := b.corners(p, e.attr("surface"))
	if err != nil {
		return err
	}
	f := r3.Scale(b.u.stress(), r3.Vec{X: v[0], Y: v[1], Z: v[2]})
	if f == (r3.Vec{}) {
		return nil
	}
	for _, q := range tris {
		l.Faces = append(l.Faces, fem.FaceLoad{Face: q, TractionMPa: f})
	}
	return nil
}

func (b *febBuild) nodal(e *element, t float64, forces *collector) error {
	p := b.typed(e)
	if err := b.only(e, "dof", "scale", "value", "relative", "shell_bottom"); err != nil {
		return err
	}
	var f [3]float64
	if e.attr("type") == "nodal_force" {
		k := e.kid("value")
		if k == nil {
			return p.bad("add <value>", "has no value")
		}
		if err := b.values(k, t, f[:]); err != nil {
			return err
		}
	} else {
		dof := e.attr("bc")
		if k := e.kid("dof"); k != nil {
			dof = k.text
		}
		axes, ok := axesOf(dof)
		if !ok || len(axes) != 1 {
			return p.bad("use x, y or z", "the degree of freedom %s is not available", quote(dof))
		}
		size, given := 1.0, false
		for _, n := range []string{"scale", "value"} {
			if k := e.kid(n); k != nil {
				v := [1]float64{}
				if err := b.values(k, t, v[:]); err != nil {
					return err
				}
				size *= v[0]
				given = true
			}
		}
		if !given {
			return p.bad("add <scale>", "has no value")
		}
		f[axes[0]] = size
	}
	list, err := b.nodesOf(p, e.attr("node_set"))
	if err != nil {
		return err
	}
	if b.work += len(list); b.work > maxWork {
		return p.bad("join loads", "they name more than %d nodes", maxWork)
	}
	for _, n := range list {
		forces.add(n, r3.Scale(b.u.ForceN, r3.Vec{X: f[0], Y: f[1], Z: f[2]}))
	}
	return nil
}

// bodyForce is a force per mass; FEBio's points against the value given.
func (b *febBuild) bodyForce(e *element, t float64, l *fem.LoadCase) error {
	p := b.typed(e)
	if e.attr("elem_set") != "" || e.attr("part") != "" {
		return p.bad("let it act on all elements", "a body force on some elements is not available")
	}
	var v [3]float64
	if e.attr("type") == "const" {
		if err := b.only(e, "x", "y", "z"); err != nil {
			return err
		}
		for i, n := range []string{"x", "y", "z"} {
			if k := e.kid(n); k != nil {
				if err := b.values(k, t, v[i:i+1]); err != nil {
					return err
				}
			}
		}
	} else {
		if err := b.only(e, "force"); err != nil {
			return err
		}
		k := e.kid("force")
		if k == nil {
			return p.bad("add <force>", "has no force")
		}
		if err := b.values(k, t, v[:]); err != nil {
			return err
		}
	}
	l.GravityChange = r3.Add(l.GravityChange, r3.Scale(-b.u.LengthMM, r3.Vec{X: v[0], Y: v[1], Z: v[2]}))
	return nil
}
