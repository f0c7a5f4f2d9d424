package deck

import (
	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

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
