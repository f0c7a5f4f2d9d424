package segment

import (
	"context"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// spleenSettings are the numbers of the spleen.
type spleenSettings struct {
	AboveHU float64 // HU
	EvenMM  float64 // mm
	EvenHU  float64 // HU
	BelowHU float64 // HU
	RiseHU  float64 // HU
	OpenMM  float64 // mm
	CloseMM float64 // mm
	MinML   float64 // ml
	MaxML   float64 // ml
}

func spleenOperation() operation {
	return define(operation{
		name: "spleen", share: 0.06, needs: []imaging.Label{imaging.LabelBody, imaging.LabelBone}, gives: []imaging.Label{imaging.LabelSpleen},
		doc: "the commonest value of even tissue in the left back of the body, a window around it, opened, the largest piece there, grown back, closed; other organs left out. Without contrast the even piece there that fat and lung outline",
	}, []parameter[spleenSettings]{
		{Parameter{"AboveHU", "HU", 3, 100, "brighter than muscle by this much"}, func(s *spleenSettings) *float64 { return &s.AboveHU }},
		{Parameter{"EvenMM", "mm", 2, 20, "radius of the box in which it looks even"}, func(s *spleenSettings) *float64 { return &s.EvenMM }},
		{Parameter{"EvenHU", "HU", 1, 60, "standard deviation in that box, at most"}, func(s *spleenSettings) *float64 { return &s.EvenHU }},
		{Parameter{"BelowHU", "HU", 5, 100, "it reaches this far below its value, not below the middle of it and muscle"}, func(s *spleenSettings) *float64 { return &s.BelowHU }},
		{Parameter{"RiseHU", "HU", 5, 150, "and this far above"}, func(s *spleenSettings) *float64 { return &s.RiseHU }},
		{Parameter{"OpenMM", "mm", 1, 15, "bridges to other organs thinner than twice this are cut"}, func(s *spleenSettings) *float64 { return &s.OpenMM }},
		{Parameter{"CloseMM", "mm", 1, 20, "notches narrower than twice this are closed"}, func(s *spleenSettings) *float64 { return &s.CloseMM }},
		{Parameter{"MinML", "ml", 1, 100, "less is not a spleen"}, func(s *spleenSettings) *float64 { return &s.MinML }},
		{Parameter{"MaxML", "ml", 200, 3000, "more has leaked into a neighbour or is splenomegaly"}, func(s *spleenSettings) *float64 { return &s.MaxML }},
	}, nil, findSpleen)
}

// Where the spleen lies, mm from the spine: left of the vertebrae; and the flank,
// the part of that which kidney, heart and stomach hardly reach: beyond this
// part of half the body's width, and not far before the spine.
const (
	spleenLeftMM, spleenAheadMM = 25.0, 110.0
	flankPart, flankAheadMM     = 0.55, 40.0
)

// wholeSpleenML is the least volume of a whole spleen of an adult: 107 to 315 ml
// were measured in 140 (Prassopoulos et al., European Radiology 7 (1997) 246).
const wholeSpleenML = 60.0

// spleenPiece is a spleen on the working grid.
type spleenPiece struct {
	doubts
	m    filter.Mask
	hu   float64 // commonest value
	edge float64 // HU: brighter is spleen, whatever lies beside it
	ml   float64
	why  string // why it was not found
}

// findSpleen looks for the spleen by its contrast with muscle, and where that is
// missing or little by the fat and lung around it.
func findSpleen(ctx context.Context, w *work, set spleenSettings) error {
	l, err := w.find(ctx, imaging.LabelSpleen)
	if err != nil {
		return err
	}
	s, err := newSpleenSearch(ctx, w, l, set)
	if err != nil {
		return err
	}
	found, err := s.bright(ctx)
	if err != nil {
		return err
	}
	if found.why != "" || found.confidence < surePlain {
		plain, err := s.plain(ctx)
		if err != nil {
			return err
		}
		if plain.why == "" && (found.why != "" || plain.confidence > found.confidence) {
			found = plain
		} else if found.why != "" && plain.why != "" {
			found.why += "; nor is it seen by the fat around it: " + plain.why
		}
	}
	if found.why != "" {
		return &NotFoundError{imaging.LabelSpleen, found.why}
	}
	l.spleen = found.m
	if err := w.show("spleen", w.c.Grid, found.m); err != nil {
		return err
	}
	toFat := (found.hu + plainFatHU) / 2
	err = w.paint(ctx, w.out, imaging.LabelSpleen, found.m, 1, func(phi float32, n int) bool {
		if phi < -bandMM || phi >= bandMM {
			return phi < 0
		}
		v := w.mean9(n)
		return v < found.hu+set.RiseHU && (v > found.edge || phi < bandMM/2 && v > toFat)
	})
	if err != nil {
		return err
	}
	w.found(imaging.LabelSpleen, Automatic, found.confidence, found.doubts.why...)
	return ctx.Err()
}

// judge lowers the confidence in a piece for what spleens are not.
func (s *spleenSearch) judge(out *spleenPiece) {
	cut, ml := touchesEnd(s.w.c.Grid, out.m), s.outlinedML(out.m)
	switch {
	case ml > s.set.MaxML:
		out.lower(0.5, "about %.0f ml: it has leaked into a neighbour, or is enlarged", ml)
	case ml < wholeSpleenML && !cut:
		out.lower(0.5, "about %.0f ml: a whole spleen of an adult has at least %.0f ml", ml, wholeSpleenML)
	}
	if cut {
		out.lower(0.8, "it reaches the first or last slice: the field of view may cut it, and its volume is that of the part scanned")
	}
}

// outlinedML is about the volume that an outline of m will hold, ml: the voxels
// beside it, which hold some of what lies around, count half.
func (s *spleenSearch) outlinedML(m filter.Mask) float64 {
	g := s.w.c.Grid
	whole, beside := 0, 0
	for n, in := range m {
		if in {
			whole++
			continue
		}
		touches := false
		filter.Neighbours(g, n, func(o int) { touches = touches || m[o] })
		if touches {
			beside++
		}
	}
	return s.w.ml(whole) + s.w.ml(beside)/2
}
