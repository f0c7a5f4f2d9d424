package deck

import (
	"fmt"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

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
