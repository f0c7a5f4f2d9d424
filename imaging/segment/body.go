package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// bodySettings are the numbers of the body step.
type bodySettings struct {
	AboveHU float64 // HU
	OpenMM  float64 // mm
}

func bodyOperation() operation {
	return define(operation{
		name: "body", share: 0.15, gives: []imaging.Label{imaging.LabelBody},
		doc: "the patient, lungs and bowel gas included: denser than air, opened, the largest piece, slices filled, without thin sheets over a layer of air that go on beside it; its surface is the skin",
	}, []parameter[bodySettings]{
		{Parameter{"AboveHU", "HU", -700, -100, "body against air"}, func(s *bodySettings) *float64 { return &s.AboveHU }},
		{Parameter{"OpenMM", "mm", 1, 20, "couch and clothes thinner than twice this fall off"}, func(s *bodySettings) *float64 { return &s.OpenMM }},
	}, nil, findBody)
}

// findBody takes the patient at working resolution, lungs and bowel gas included:
// what is denser than air, opened to drop the couch and clothes, the largest
// piece, each slice filled.
func findBody(ctx context.Context, w *work, s bodySettings) error {
	g := w.c.Grid
	dense := filter.Where(g.Len(), func(n int) bool { return w.c.HU[n] > float32(s.AboveHU) })
	dense = filter.FillSlices(g, dense)
	core, err := filter.Erode(ctx, g, dense, s.OpenMM)
	if err != nil {
		return err
	}
	core = filter.LargestOf(g, core)
	grown, err := filter.Dilate(ctx, g, core, s.OpenMM+w.stepMM())
	if err != nil {
		return err
	}
	m := filter.Where(g.Len(), func(n int) bool { return grown[n] && dense[n] })
	w.body = filter.FillSlices(g, filter.LargestOf(g, m))
	if w.body.Count() == 0 {
		return &NotFoundError{imaging.LabelBody, "no voxel is denser than air: is this a CT in HU?"}
	}
	err = w.paint(ctx, w.out, imaging.LabelBody, w.body, 0, func(phi float32, n int) bool {
		return phi < -2*bandMM || phi < 2*bandMM && w.hu(n) > s.AboveHU
	})
	if err != nil {
		return err
	}
	if err := w.cutCouch(ctx, s.AboveHU); err != nil {
		return err
	}
	w.found(imaging.LabelBody, Automatic, 1)
	w.checkSeedsInBody()
	return w.show("body", g, w.body)
}

// checkSeedsInBody names the seeds that lie beside the patient.
func (w *work) checkSeedsInBody() {
	for n, seed := range w.o.Seeds {
		if at, ok := w.voxel(seed.LPS); ok && !w.body[at] {
			w.rep.Checks = append(w.rep.Checks, Check{
				Assumption: "seeds inside the body", Measured: fmt.Sprintf("seed %d (%s) at %.0f,%.0f,%.0f mm on %.0f HU outside it", n+1, seed.Label.Words(), seed.LPS.X, seed.LPS.Y, seed.LPS.Z, w.c.HU[at]),
				Wanted: "every seed in its structure", AtMost: 1, Do: "move it; positions are LPS mm of this scan",
			})
		}
	}
}
