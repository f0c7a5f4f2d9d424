// Package segment finds the structures of a scan by a recipe, and measures how
// good a segmentation is.
//
// # What it promises
//
// Run takes a volume, a Recipe (data: steps with all their numbers) and seeds,
// and returns overlapping masks; for the abdomen body, bone, liver (the whole
// organ with tumours and vessels inside), portal and hepatic veins inside the
// liver, vessels whose system is not known, and tumours. The same input gives
// the same bits for any GOMAXPROCS. The Report says where each structure came
// from and how sure it is, what was looked for and not found, and which
// assumption of the recipe does not hold, with the number; what is a guess is
// called one. Every step's masks and fields can be inspected.
//
// # How
//
// Shapes are found on a grid of about 2 mm (block means), smoothed by a guided
// filter that keeps edges; outlines are painted into the full grid from an
// interpolated signed distance, with the full-resolution values deciding in a
// narrow band.
//
//	body    denser than air, opened, largest piece, slices filled
//	bone    bright tissue within reach of cortical bone, marrow filled
//	liver   commonest value of even tissue in the right front of the body, or
//	        around a seed; a window around it, opened, the piece on the right,
//	        grown back, closed; then tumours that reach the surface: darker
//	        pieces in a notch of the liver that touch mostly liver or lung
//	vessels brighter than their surroundings inside the liver, by hysteresis;
//	        system by seed, else guessed from the thick end, else unknown
//	tumours from seeds, or else round dark pieces as candidates
//
// # Frame and units
//
// LPS mm and HU; volumes in ml. The input may be stored in any order of axes;
// masks come back in that order. Oblique volumes are treated along their
// nearest axes.
//
// # What it does not do
//
// It is not a trained model: pathology that changes the liver's density as a
// whole, arterial or unenhanced phases, surgery and implants need seeds and a
// person's eye. It does not name hepatic segments, follow vessels outside the
// liver or find arteries.
//
// Sources: He, Sun, Tang, Guided image filtering, IEEE TPAMI 35 (2013) 1397;
// Dice, Ecology 26 (1945) 297; Heimann et al., IEEE TMI 28 (2009) 1251 for the
// surface measures; Shit et al., clDice, CVPR 2021.
package segment
