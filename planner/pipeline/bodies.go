package pipeline

import (
	"context"
	"errors"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/planner/liver"
)

// body is one displayed surface beside the remnant.
type body struct {
	name    string
	label   imaging.Label
	surface *mesh.Surface
	moves   bool // with the remnant
}

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
	for _, v := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel} {
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
