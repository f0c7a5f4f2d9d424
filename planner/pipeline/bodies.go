package pipeline

import (
	"context"
	"errors"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/planner"
	"halsted/planner/liver"
)

// body is one displayed surface beside the remnant.
type body struct {
	name    string
	label   imaging.Label
	surface *mesh.Surface
	moves   bool // with the remnant
}

// Topology is the prepared organ as it is displayed before any plan: vessels
// and tumours inside, and the organ's surface around them, all at rest.
func (c *Prepared) Topology() (*planner.Topology, error) {
	s := &shown{topology: &planner.Topology{}}
	take := func(name string, of imaging.Label, inside func(imaging.Label) bool) {
		if part, _ := c.Surface.Bounding(inside); len(part.Tris) > 0 {
			s.add(name, of, part)
		}
	}
	for _, v := range vesselLabels {
		take(v.String(), v, func(o imaging.Label) bool { return o == v })
	}
	for _, t := range c.Anatomy.Tumours {
		take(t.Label.String(), t.Label, func(o imaging.Label) bool { return o == t.Label })
	}
	take("liver", imaging.LabelLiver, imaging.Label.InOrgan)
	return s.topology, s.topology.Validate()
}

var vesselLabels = []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel}

// bodies cuts the labels along the plan and extracts each part: vessels inside
// the remnant, the resected part, and the tumours.
func (c *Prepared) bodies(ctx context.Context, r *liver.Resection) ([]body, error) {
	a := c.Anatomy
	l := &imaging.Labels{Grid: a.Grid, ID: make([]imaging.Label, len(a.Labels.ID))}
	for n, id := range a.Labels.ID {
		switch remains := r.Phi[n] < 0; {
		case !id.InOrgan() || remains && id == imaging.LabelLiver:
		case remains || id.IsTumour():
			l.ID[n] = id
		default:
			l.ID[n] = imaging.LabelLiver // the resected part
		}
	}
	s, err := contour.Extract(ctx, l, contour.Options{SmoothPasses: c.Settings.Smoothing})
	if err != nil {
		return nil, err
	}
	var out []body
	take := func(name string, of imaging.Label, moves bool, inside func(imaging.Label) bool) {
		if part, _ := s.Bounding(inside); len(part.Tris) > 0 {
			out = append(out, body{name, of, part, moves})
		}
	}
	for _, v := range vesselLabels {
		take(v.String(), v, true, func(o imaging.Label) bool { return o == v })
	}
	take("resected", imaging.LabelResected, false, func(o imaging.Label) bool { return o == imaging.LabelLiver || o.IsTumour() })
	for _, t := range a.Tumours {
		take(t.Label.String(), t.Label, false, func(o imaging.Label) bool { return o == t.Label })
	}
	if len(out) == 0 {
		return nil, errors.New("pipeline: nothing but the remnant to show")
	}
	return out, nil
}
