package imaging

// colours are the recommended display colours of the structures, sRGB.
var colours = map[Label][3]uint8{
	LabelBody: {222, 184, 160}, LabelBone: {241, 214, 145}, LabelLiver: {178, 92, 72},
	LabelPortalVein: {60, 130, 210}, LabelHepaticVein: {40, 80, 170}, LabelVessel: {150, 90, 170},
	LabelArtery: {216, 60, 50}, LabelResected: {250, 160, 60}, LabelLung: {197, 165, 145},
	LabelSpleen: {157, 108, 162}, LabelKidneyLeft: {185, 102, 83}, LabelKidneyRight: {175, 92, 93},
	LabelAorta: {224, 97, 76}, LabelVenaCava: {0, 120, 200}, LabelBrain: {250, 250, 225},
	LabelVesselWall: {230, 150, 140}, LabelGallbladder: {139, 150, 98}, LabelHeart: {206, 110, 84},
	LabelStomach: {216, 132, 105}, LabelRenalArtery: {222, 90, 70},
}

// Colour is a display colour for l, sRGB: one for each structure, tumours in
// shades of yellow and green.
func (l Label) Colour() [3]uint8 {
	if l.IsTumour() {
		n := uint8(l - LabelTumour)
		return [3]uint8{230 - 9*n, 215 - 3*n, 40 + 10*n}
	}
	if c, ok := colours[l]; ok {
		return c
	}
	return [3]uint8{128, 128, 128}
}
