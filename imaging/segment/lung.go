package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// lungSettings are the numbers of the lungs.
type lungSettings struct {
	BelowHU float64 // HU
	GasHU   float64 // HU
	OpenMM  float64 // mm
	CloseMM float64 // mm
	MinML   float64 // ml
	TopMM   float64 // mm
	WholeML float64 // ml
}

func lungOperation() operation {
	return define(operation{
		name: "lung", share: 0.05, needs: []imaging.Label{imaging.LabelBody}, gives: []imaging.Label{imaging.LabelLung},
		doc: "air in the body that holds tissue and reaches the top of the field or is as large as a lung; opened, grown back, closed over its vessels. Bowel gas does none of these",
	}, []parameter[lungSettings]{
		{Parameter{"BelowHU", "HU", -700, -200, "lung against soft tissue"}, func(s *lungSettings) *float64 { return &s.BelowHU }},
		{Parameter{"GasHU", "HU", -1000, -850, "air whose mean is below this holds no tissue"}, func(s *lungSettings) *float64 { return &s.GasHU }},
		{Parameter{"OpenMM", "mm", 1, 10, "bronchi and clefts thinner than twice this are left out"}, func(s *lungSettings) *float64 { return &s.OpenMM }},
		{Parameter{"CloseMM", "mm", 1, 20, "vessels thinner than twice this belong to it"}, func(s *lungSettings) *float64 { return &s.CloseMM }},
		{Parameter{"MinML", "ml", 1, 500, "smaller pieces are not lung"}, func(s *lungSettings) *float64 { return &s.MinML }},
		{Parameter{"TopMM", "mm", 0, 50, "a piece within this distance of the highest slice reaches the top"}, func(s *lungSettings) *float64 { return &s.TopMM }},
		{Parameter{"WholeML", "ml", 200, 3000, "a piece as large as this need not"}, func(s *lungSettings) *float64 { return &s.WholeML }},
	}, nil, findLung)
}

func findLung(ctx context.Context, w *work, s lungSettings) error {
	g, hu := w.c.Grid, w.c.HU
	air := filter.Where(g.Len(), func(n int) bool { return w.body[n] && float64(hu[n]) < s.BelowHU })
	if err := w.show("air", g, air); err != nil {
		return err
	}
	core, err := filter.Erode(ctx, g, air, s.OpenMM)
	if err != nil {
		return err
	}
	p := filter.Components(g, core)
	sum, top := make([]float64, len(p.Count)), make([]bool, len(p.Count))
	area := g.Size[0] * g.Size[1]
	last := g.Size[2] - 1 - int(s.TopMM/g.SpacingMM()[2])
	for n, c := range p.Of {
		if c > 0 {
			sum[c] += float64(hu[n])
			top[c] = top[c] || n/area >= last
		}
	}
	gas := 0.0
	core = p.Only(func(c int32) bool {
		ml := w.ml(p.Count[c])
		yes := ml >= s.MinML && (top[c] || ml >= s.WholeML) && sum[c] > s.GasHU*float64(p.Count[c])
		if !yes {
			gas = max(gas, ml)
		}
		return yes
	})
	if core.Count() == 0 {
		return &NotFoundError{imaging.LabelLung, fmt.Sprintf("no piece of air of at least %.0f ml reaches the top of the field; the largest has %.1f ml: is the chest in the field?", s.MinML, gas)}
	}
	m, err := grownBack(ctx, g, core, air, regrow*s.OpenMM)
	if err != nil {
		return err
	}
	closed, err := closing(ctx, g, m, s.CloseMM)
	if err != nil {
		return err
	}
	bone := w.bone
	m = filter.FillSlices(g, filter.Where(g.Len(), func(n int) bool { return m[n] || closed[n] && w.body[n] && (bone == nil || !bone[n]) }))
	w.marks.lung = m
	err = w.paint(ctx, w.out, imaging.LabelLung, m, 0, func(phi float32, n int) bool {
		return phi < -bandMM || phi < bandMM && w.mean9(n) < s.BelowHU
	})
	if err != nil {
		return err
	}
	d := doubts{confidence: 1}
	if touchesEnd(g, m) {
		d.why = append(d.why, "the field of view cuts it: its volume is that of the part scanned")
	}
	w.found(imaging.LabelLung, Automatic, d.confidence, d.why...)
	return w.show("lung", g, m)
}
