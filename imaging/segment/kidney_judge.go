package segment

import (
	"context"
	"fmt"
	"math"

	"halsted/imaging/filter"
)

// What a kidney looks like. Fat covers at least fatAround of its surface when it
// is outlined well: all but the hilum and where it leans on liver, spleen or
// muscle; without contrast, when fat is all that it ends at, fatAlone. It does
// not touch bone: onBone is what the working grid blurs. In the portal-venous
// phase it stands out from muscle by half as much as blood or more, and clearly
// more than liver. Its middle lies where the nearness to the place of kidneys is
// at least outOfPlace. A whole one of an adult has wholeML. From sureKidney of
// confidence on no other is looked for; of less than leastKidney it is none.
const (
	fatAround, fatAlone = 0.35, 0.5
	onBone              = 0.03
	likeBlood           = 0.5
	aboveLiver          = 1.3
	outOfPlace          = 0.5
	wholeML             = 60.0
	sureKidney          = 0.75
	leastKidney         = 0.35
	plainKidney         = 0.5 // confidence without contrast, at most
)

// judge takes m, its holes filled, as the kidney, and lowers its confidence for
// what kidneys are not.
func (s *kidneySearch) judge(ctx context.Context, out *kidney, m filter.Mask) error {
	m = filter.LargestOf(s.g, filter.FillSlices(s.g, m))
	out.m = filter.Where(s.g.Len(), func(n int) bool { return m[n] && !s.taken[n] })
	out.ml, out.cut = s.ml(out.m), touchesEnd(s.g, out.m)
	if out.ml < s.set.MinML {
		out.why = fmt.Sprintf("the piece beside the spine has %.1f ml at %.0f HU, less than %.0f ml", out.ml, out.hu, s.set.MinML)
		return ctx.Err()
	}
	around, bone := s.surface(out.m)
	x, y := s.middle(out.m)
	if out.near = s.nearness(x, y); out.near < outOfPlace {
		out.lower(out.near, "its middle lies %.0f mm beside the spine and %.0f mm behind its front, where kidneys lie about %.0f and %.0f mm", x, y, kidneySideMM, kidneyBackMM)
	}
	if around < fatAround {
		out.lower(math.Max(around/fatAround, 0.3), "fat covers %.0f %% of its surface, at least %.0f %% when it is free", 100*around, 100*fatAround)
	}
	if bone > onBone {
		out.lower(onBone/bone, "bone covers %.0f %% of its surface: kidneys lie off the bone, muscle on it", 100*bone)
	}
	if part := (out.hu - s.muscle) / (s.blood - s.muscle); part < likeBlood { // never when blood is unknown
		out.lower(math.Max(part/likeBlood, 0.3), "it has %.0f HU where blood has %.0f HU and muscle %.0f HU: kidneys fill with contrast as blood does", out.hu, s.blood, s.muscle)
	}
	switch {
	case out.ml > s.set.MaxML:
		out.lower(0.5, "%.0f ml: it may have leaked into a neighbour", out.ml)
	case out.ml < wholeML && !out.cut:
		out.lower(0.5, "%.0f ml: a whole kidney of an adult has at least %.0f ml", out.ml, wholeML)
	}
	if out.cut {
		out.lower(0.8, "it reaches the first or last slice: the field of view may cut it, and its volume is that of the part scanned")
	}
	return ctx.Err()
}

// surface is which parts of the surface of m fat and bone cover.
func (s *kidneySearch) surface(m filter.Mask) (fat, bone float64) {
	faces := 0
	for n, in := range m {
		if in {
			filter.Neighbours(s.g, n, func(o int) {
				if m[o] {
					return
				}
				faces++
				switch {
				case s.bone[o]:
					bone++
				case float64(s.smooth[o]) < s.muscle:
					fat++
				}
			})
		}
	}
	all := float64(max(1, faces))
	return fat / all, bone / all
}

// Kidneys of one person are alike: the contrast of the darker is at least
// alikeHU of that of the other, the volume of the smaller alikeML.
const alikeHU, alikeML = 0.5, 0.4

// compare doubts k where it has less contrast or volume than the other one.
func (k *kidney) compare(other *kidney, muscle float64) {
	if !math.IsInf(k.cutoff, 1) && k.hu-muscle < alikeHU*(other.hu-muscle) {
		k.lower(0.5, "it has %.0f HU, the other one %.0f HU", k.hu, other.hu)
	}
	if k.ml < alikeML*other.ml && !k.cut {
		k.lower(0.7, "it has %.0f ml, the other one %.0f ml", k.ml, other.ml)
	}
}
