package segment

import (
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// liverSettings are the numbers of the liver step.
type liverSettings struct {
	MinHU       float64 // HU
	MaxHU       float64 // HU
	SmoothHU    float64 // HU
	SmoothNoise float64 // 1
	EvenMM      float64 // mm
	EvenNoise   float64 // 1
	WindowSD    float64 // 1
	WindowHU    float64 // HU
	OpenMM      float64 // mm
	NeckPart    float64 // 1
	CloseMM     float64 // mm
	FairMM      float64 // mm
	MinML       float64 // ml
	ThickMM     float64 // mm
	VeinMM      float64 // mm
	CageMM      float64 // mm
	LesionReachMM,
	LesionTouch,
	LesionRound,
	LesionOpenMM,
	LesionMinML float64
	BileHU    float64 // HU
	CutMM     float64 // mm
	CutFair   float64 // 1
	CutHighSD float64 // 1
	BloodPart float64 // 1
	TailMM    float64 // mm
	SideMM    float64 // mm
}

func liverOperation() operation {
	return define(operation{
		name: "liver", share: 0.4, needs: []imaging.Label{imaging.LabelBody}, gives: []imaging.Label{imaging.LabelLiver},
		seeds: []imaging.Label{imaging.LabelLiver},
		doc:   "the whole organ: the commonest value of even tissue in the right front of the body, a window around it, opened, the piece on the right without what hangs on it by a neck, grown back; lesions that reach the surface, which ends as deep below the skin as beside them; then the cheapest surface by a minimum cut, placed halfway between the liver's value and its neighbour's",
	}, []parameter[liverSettings]{
		{Parameter{"MinHU", "HU", 1, 150, "range searched for the liver's own value"}, func(s *liverSettings) *float64 { return &s.MinHU }},
		{Parameter{"MaxHU", "HU", 50, 400, "range searched for the liver's own value"}, func(s *liverSettings) *float64 { return &s.MaxHU }},
		{Parameter{"SmoothHU", "HU", 1, 200, "contrast that the working image has kept"}, func(s *liverSettings) *float64 { return &s.SmoothHU }},
		{Parameter{"SmoothNoise", "1", 0.5, 10, "contrast to keep in standard deviations of the noise; where that is more, the liver is sought in an image smoothed so far"}, func(s *liverSettings) *float64 { return &s.SmoothNoise }},
		{Parameter{"EvenMM", "mm", 2, 30, "radius of the box in which liver looks even"}, func(s *liverSettings) *float64 { return &s.EvenMM }},
		{Parameter{"EvenNoise", "1", 1, 10, "standard deviation in that box at most, relative to the commonest"}, func(s *liverSettings) *float64 { return &s.EvenNoise }},
		{Parameter{"WindowSD", "1", 1, 10, "parenchyma lies within this many standard deviations of the liver's value"}, func(s *liverSettings) *float64 { return &s.WindowSD }},
		{Parameter{"WindowHU", "HU", 5, 100, "but within this, if that is two standard deviations or more"}, func(s *liverSettings) *float64 { return &s.WindowHU }},
		{Parameter{"OpenMM", "mm", 1, 30, "bridges to other organs thinner than twice this are cut"}, func(s *liverSettings) *float64 { return &s.OpenMM }},
		{Parameter{"NeckPart", "1", 0, 1, "what hangs on the opened liver by a neck thinner than this part of its own thickness is another organ"}, func(s *liverSettings) *float64 { return &s.NeckPart }},
		{Parameter{"CloseMM", "mm", 1, 30, "channels and notches narrower than twice this are closed"}, func(s *liverSettings) *float64 { return &s.CloseMM }},
		{Parameter{"FairMM", "mm", 0.1, 10, "radius over which the outline is smoothed"}, func(s *liverSettings) *float64 { return &s.FairMM }},
		{Parameter{"SideMM", "mm", 1, 20, "radius of the boxes in which the values on both sides of the outline are taken"}, func(s *liverSettings) *float64 { return &s.SideMM }},
		{Parameter{"MinML", "ml", 0.1, 1000, "less is not a liver"}, func(s *liverSettings) *float64 { return &s.MinML }},
		{Parameter{"ThickMM", "mm", 2, 20, "bright tissue thicker than twice this is vessel or another organ, no parenchyma"}, func(s *liverSettings) *float64 { return &s.ThickMM }},
		{Parameter{"VeinMM", "mm", 2, 20, "bright tissue thicker than twice this is vena cava, portal trunk, heart or kidney, and not part of the organ"}, func(s *liverSettings) *float64 { return &s.VeinMM }},
		{Parameter{"CageMM", "mm", 1, 30, "gaps between bones narrower than twice this are chest wall"}, func(s *liverSettings) *float64 { return &s.CageMM }},
		{Parameter{"LesionReachMM", "mm", 1, 60, "half-width of the widest notch a surface lesion may leave"}, func(s *liverSettings) *float64 { return &s.LesionReachMM }},
		{Parameter{"LesionTouch", "1", 0.1, 1, "part of a lesion's surface, what lies on the wall of the trunk left out, that must touch liver or right lung"}, func(s *liverSettings) *float64 { return &s.LesionTouch }},
		{Parameter{"LesionRound", "1", 0.05, 1, "sphericity of a lesion outside every notch"}, func(s *liverSettings) *float64 { return &s.LesionRound }},
		{Parameter{"LesionOpenMM", "mm", 1, 20, "what is thinner than twice this is not part of it"}, func(s *liverSettings) *float64 { return &s.LesionOpenMM }},
		{Parameter{"LesionMinML", "ml", 0.05, 100, "smaller ones are left out"}, func(s *liverSettings) *float64 { return &s.LesionMinML }},
		{Parameter{"BileHU", "HU", 0, 60, "darker pieces at the surface are fluid, as bile (0 to 20 HU, more with noise): no lesion when less than 60 % of their surface is on the liver"}, func(s *liverSettings) *float64 { return &s.BileHU }},
		{Parameter{"CutMM", "mm", 2, 40, "how far from the first outline the surface is sought"}, func(s *liverSettings) *float64 { return &s.CutMM }},
		{Parameter{"CutFair", "1", 0, 20, "price of surface where the image shows no edge, against the evidence of one voxel"}, func(s *liverSettings) *float64 { return &s.CutFair }},
		{Parameter{"TailMM", "mm", 0.5, 20, "what the cut leaves thinner than twice this falls off"}, func(s *liverSettings) *float64 { return &s.TailMM }},
		{Parameter{"CutHighSD", "1", 1, 10, "standard deviations above the liver's value at which a voxel is vessel"}, func(s *liverSettings) *float64 { return &s.CutHighSD }},
		{Parameter{"BloodPart", "1", 0.1, 0.9, "and this part of the way from the liver's value to that of the blood in the aorta"}, func(s *liverSettings) *float64 { return &s.BloodPart }},
	}, func(s liverSettings) error {
		if s.MinHU >= s.MaxHU {
			return fmt.Errorf("MinHU %g is not below MaxHU %g", s.MinHU, s.MaxHU)
		}
		return nil
	}, findLiver)
}

// fatHU separates fat from soft tissue and fluid, airHU lung from the rest.
const (
	fatHU = 0
	airHU = -400
)

// liverShape is the liver under way, on the working grid.
type liverShape struct {
	*work
	s       liverSettings
	img     []float32 // smoothed at least as far as the noise asks
	noise   float64   // of the working image, HU
	low     float32   // the window of parenchyma, HU
	high    float32
	coreLow float32     // least value in the search for the core, HU
	core    filter.Mask // surely liver
	other   filter.Mask // organs of the liver's value parted from it
	thick   filter.Mask // thick bright vessels and organs
	vein    filter.Mask // the thickest of it
	cage    filter.Mask // bones and what lies between them
	wall    filter.Mask // of the trunk, around the liver
	lesion  filter.Mask
	clear   float64 // part of the outline that the values place
	flesh   float64 // HU of muscle, NaN where none was found
}

// findLiver is the liver's shape at working resolution, then its outline.
func findLiver(ctx context.Context, w *work, s liverSettings) error {
	l := &liverShape{work: w, s: s}
	for _, do := range []func(context.Context) error{
		l.prepare, l.findFlesh, l.value, l.findThick, l.findCore, l.findCage, l.addLesions, l.cut,
	} {
		if err := do(ctx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if ml := w.ml(w.liver.Count()); ml < s.MinML {
		return &NotFoundError{imaging.LabelLiver, fmt.Sprintf("only %.0f ml of tissue at %.0f HU hangs together; give a seed inside the liver", ml, w.liverHU)}
	}
	if err := w.show("liver", w.c.Grid, w.liver); err != nil {
		return err
	}
	if err := l.plausible(ctx); err != nil {
		return err
	}
	return l.outline(ctx)
}

// encasedMM is how near bone lies to the brain, and encasedPart what part of a
// liver's outline the ribs, with gaps as wide as they are between them, may lie
// so near to: they run along its right half only.
const (
	encasedMM   = 8.0
	encasedPart = 0.5
)

// leastSeen is the least part of an organ's outline that must lie in the scan.
const leastSeen = 0.1

// plausible refuses, unless a seed says otherwise, what a case of bone
// surrounds, as the brain, and what is cut off on nearly all sides.
func (l *liverShape) plausible(ctx context.Context) error {
	if off := l.cutOff(); off > 1-leastSeen {
		return &NotFoundError{imaging.LabelLiver, fmt.Sprintf("%.0f %% of the outline of the tissue at %.0f HU lies on the border of the scan: nothing tells it from another organ; use the whole series", 100*off, l.liverHU)}
	}
	if len(l.seeds(imaging.LabelLiver)) > 0 {
		return nil
	}
	part, err := l.encased(ctx)
	if err != nil {
		return err
	}
	if part <= encasedPart {
		return nil
	}
	l.rep.Checks = append(l.rep.Checks, Check{
		Assumption: "a trunk, not a head", Measured: fmt.Sprintf("%.0f %% of the outline of the tissue at %.0f HU within %g mm of bone", 100*part, l.liverHU, encasedMM),
		Wanted: fmt.Sprintf("at most %.0f %%, as of a liver behind ribs", 100*encasedPart), AtMost: lowConfidence,
		Do: "use the recipe for the head, or give a seed inside the liver",
	})
	return &NotFoundError{imaging.LabelLiver, fmt.Sprintf("the tissue at %.0f HU lies in a case of bone: %.0f %% of its outline is within %g mm of bone; is this a head?", l.liverHU, 100*part, encasedMM)}
}

// encased is the part of the outline within the scan near bone.
func (l *liverShape) encased(ctx context.Context) (float64, error) {
	g := l.c.Grid
	near, err := filter.Dilate(ctx, g, l.bone, encasedMM)
	if err != nil {
		return 0, err
	}
	all, in := 0, 0
	for n, is := range l.liver {
		if is {
			filter.Neighbours(g, n, func(o int) {
				if !l.liver[o] {
					all++
					if near[o] {
						in++
					}
				}
			})
		}
	}
	return float64(in) / float64(max(all, 1)), nil
}

// outline paints the organ into the full grid; calcified tumour in it is no
// bone.
func (l *liverShape) outline(ctx context.Context) error {
	w := l.work
	if err := l.paintEdge(ctx); err != nil {
		return err
	}
	w.rep.LiverHU, w.rep.LiverSD = w.liverHU, w.liverSD
	from := Automatic
	if len(w.seeds(imaging.LabelLiver)) > 0 {
		from = FromSeed
	}
	confidence, doubts := l.confidence()
	w.found(imaging.LabelLiver, from, confidence, doubts...)
	liver, bone := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelBone)
	return amend(ctx, w.out, w.paintBox(w.liver), liver, bone, 0)
}

// blindPart is how much of a healthy liver's outline leans on tissue of its own
// density: heart, muscle and stomach.
const blindPart = 0.25

// alikePart is what is left of the confidence where muscle has the liver's
// values, as without contrast: then shape alone parts them.
const alikePart = 0.6

// confidence is the part of the organ's outline that the image shows: what the
// border of the scan cuts off is missing, and where the neighbour looks like
// liver the outline is a guess. On synthetic patients of imaging/phantom, seeds
// 1 to 6 on voxels of 3 mm (the two last rows partly by an earlier version), it
// parts good outlines from bad ones, but it is not calibrated: faint contrast is
// no worse than drawn, and one patient under the strongest noise has 0.90.
// blindPart and alikePart are chosen by hand.
//
//	                  blind       confidence    Dice
//	drawn contrast    ≤ 0.28      0.97–1.00     0.957–0.972
//	faint contrast    0.36–0.40   0.85–0.90     0.961–0.966
//	no contrast       0.30–0.33   0.55–0.57     0.926–0.958
//	noise of 45 HU    0.76–0.84   0.37–0.47     0.798–0.843
//	noise of 90 HU    1.00        0.23–0.25     0.773–0.901
func (l *liverShape) confidence() (float64, []string) {
	c := 1.0
	var doubts []string
	if off := l.cutOff(); off > 0 {
		c *= 1 - off
		doubts = append(doubts, fmt.Sprintf("%.1f %% of its outline lies on the border of the scan: it is cut off by the field of view; its volume is that of the part scanned", 100*off))
	}
	if blind := 1 - l.clear; blind > blindPart {
		c *= 1 - (blind - blindPart)
		doubts = append(doubts, fmt.Sprintf("%.0f %% of its outline shows no step in HU above %d standard deviations of the noise of %.1f HU: check it there", 100*blind, edgeNoise, l.noise))
	}
	if l.flesh >= float64(l.low) {
		c *= alikePart
		doubts = append(doubts, fmt.Sprintf("muscle has %.0f HU, in the liver's range of %.0f to %.0f HU: look whether the outline holds muscle", l.flesh, l.low, l.high))
	}
	return c, doubts
}
