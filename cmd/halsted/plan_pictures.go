package main

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/mesh/contour"
	"halsted/planner"
	"halsted/planner/liver"
	"halsted/viewer/scene"
)

// resectionPicture shows what a plan leaves and takes: the remnant with its
// vessels, the resected part with the tumours in it.
func resectionPicture(ctx context.Context, a *liver.Anatomy, p planner.Plan, title string) ([]byte, error) {
	r, err := a.Resect(ctx, p)
	if err != nil {
		return nil, err
	}
	l := &imaging.Labels{Grid: a.Grid, ID: make([]imaging.Label, len(a.Labels.ID))}
	var labels []imaging.Label
	seen := map[imaging.Label]bool{}
	for n, id := range a.Labels.ID {
		if id == imaging.LabelLiver && r.Phi[n] >= 0 {
			id = imaging.LabelResected
		}
		if l.ID[n] = id; !seen[id] && id != 0 {
			seen[id] = true
			labels = append(labels, id)
		}
	}
	s, err := contour.Extract(ctx, l, contour.Options{SmoothPasses: 10})
	if err != nil {
		return nil, err
	}
	sc := scene.New()
	for _, of := range labels {
		if _, err := sc.AddRegion(of.String(), of, s, func(o imaging.Label) bool { return o == of }); err != nil {
			return nil, err
		}
	}
	sc.Title = title
	sc.Caption = []string{"seen from the front; what is taken out is shown apart"}
	sc.Show(scene.Anterior, pictureWidth/float64(pictureHeight))
	return pictureOf(ctx, sc, fmt.Sprintf("case %s plan %s", p.Case, p.ID))
}
