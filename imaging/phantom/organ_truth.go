package phantom

import (
	"halsted/imaging"
	"halsted/internal/par"
)

// OrganTruth labels each voxel by its centre with the organs that are painted
// besides the liver: LabelLung (both lungs with the vessels in them),
// LabelSpleen, LabelKidneyLeft and LabelKidneyRight (cortex and medulla, the
// sinus not), LabelAorta and LabelVenaCava. What later layers paint over, as
// the vertebrae do with a part of the aorta, does not count. It panics on an
// invalid grid.
func (l *Liver) OrganTruth(g imaging.Grid) *imaging.Segments {
	if err := g.Validate(); err != nil {
		panic("phantom: " + err.Error())
	}
	organs := l.organFields()
	of := []imaging.Label{imaging.LabelLung, imaging.LabelSpleen, imaging.LabelKidneyRight, imaging.LabelKidneyLeft, imaging.LabelVenaCava, imaging.LabelAorta}
	var fs []field
	for _, o := range of {
		fs = append(fs, organs[o])
	}
	// what lies over each of them, as bits after the organs
	over := []field{l.a.bone, l.a.liver, organs[imaging.LabelHeart], organs[imaging.LabelStomach], organs[imaging.LabelGallbladder]}
	fs = append(fs, over...)
	const bone, liver, heart, stomach, gall = 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
	const cava, aorta = 1 << 4, 1 << 5
	hidden := [6]uint32{
		bone | liver | heart | cava | aorta, bone | liver | stomach | cava | aorta,
		bone | liver | gall | cava | aorta, bone | liver | gall | cava | aorta,
		bone | liver | gall | aorta, bone | liver | gall,
	}
	out := imaging.NewSegments(g, of...)
	s := newScan(g, nil)
	slice := g.Size[0] * g.Size[1]
	par.Chunks(g.Size[2], 1, func(k0, k1 int) {
		for k := k0; k < k1; k++ {
			bits := out.Bits[k*slice : (k+1)*slice]
			s.label(bits, fs, k)
			for n, b := range bits {
				v := uint32(0)
				for o, h := range hidden {
					if b&(1<<o) != 0 && b&h == 0 {
						v |= 1 << o
					}
				}
				bits[n] = v
			}
		}
	})
	return out
}

// organFields picks the organs out of the layers: each has a value of its own,
// except that the aorta, painted last of those before the liver, shares that
// of the renal medulla, and the vena cava comes just before it. LabelStomach
// is the stomach's outside.
func (l *Liver) organFields() map[imaging.Label]field {
	ls := l.a.before
	out := map[imaging.Label]field{
		imaging.LabelAorta:       ls[len(ls)-1].f,
		imaging.LabelVenaCava:    ls[len(ls)-2].f,
		imaging.LabelGallbladder: l.a.after[0].f,
	}
	for n, y := range ls {
		switch y.hu {
		case huLung:
			out[imaging.LabelLung] = y.f
		case huHeart:
			out[imaging.LabelHeart] = y.f
		case huSpleen:
			out[imaging.LabelSpleen] = y.f
			out[imaging.LabelStomach] = ls[n+1].f
		case huCortex: // the right one is painted first
			if out[imaging.LabelKidneyRight] == nil {
				out[imaging.LabelKidneyRight] = y.f
			} else {
				out[imaging.LabelKidneyLeft] = y.f
			}
		}
	}
	return out
}
