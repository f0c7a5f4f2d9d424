package main

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/mesh/contour"
	"halsted/planner"
	"halsted/planner/liver"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
)

// pictureMM is as fine as the labels of a picture need to be.
const pictureMM = 1.6

// resectionPicture shows what a plan leaves and takes: the remnant with its
// vessels, the resected part with the tumours in it.
func resectionPicture(ctx context.Context, a *liver.Anatomy, p planner.Plan, title string) ([]byte, error) {
	r, err := a.Resect(ctx, p)
	if err != nil {
		return nil, err
	}
	l := &imaging.Labels{Grid: a.Grid}
	var step [3]int
	for n, h := range a.Grid.SpacingMM() {
		step[n] = max(1, int(pictureMM/h))
		l.Grid.Size[n] = (a.Grid.Size[n]-1)/step[n] + 1
		l.Grid.Axes[n] = r3.Scale(float64(step[n]), a.Grid.Axes[n])
	}
	l.ID = make([]imaging.Label, l.Grid.Len())
	var labels []imaging.Label
	seen := map[imaging.Label]bool{}
	for m := range l.ID {
		i, j, k := l.Grid.IJK(m)
		n := a.Grid.Index(i*step[0], j*step[1], k*step[2])
		id := a.Labels.ID[n]
		if id == imaging.LabelLiver && r.Phi[n] >= 0 {
			id = imaging.LabelResected
		}
		if l.ID[m] = id; !seen[id] && id != imaging.LabelBackground {
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
	sc.Caption = []string{"seen from the front; what is taken out is shown faint"}
	sc.Show(scene.Anterior, pictureWidth/float64(pictureHeight))
	return pictureOf(ctx, sc, fmt.Sprintf("case %s plan %s", p.Case, p.ID))
}
