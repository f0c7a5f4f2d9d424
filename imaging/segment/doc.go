// Package segment finds the structures of a scan by a recipe, lets a person
// correct them, and measures how good a segmentation is.
//
// # What it promises
//
// Run takes a volume, a Recipe (data: steps with all their numbers) and seeds,
// and returns overlapping masks. The same input gives the same bits for any
// GOMAXPROCS. The Report says where each structure came from and how sure it is,
// what was looked for and not found, and which assumption of the recipe does not
// hold, with the number; what is a guess is called one. Every step's masks and
// fields can be inspected. Recipes lists the built-in recipes: contrast CT of the
// abdomen, CT of the head, CT angiography of the aorta, T1 MR of the brain.
//
// Refine changes one structure around points inside and outside it; an Edit is
// such a change, a brush stroke, a relabelling or a filling as a value on the
// hash of what it was made on; History makes, undoes and branches them.
// SimulateClicks corrects a segmentation as a person who knows the truth would.
// Compare, Dice and ClDice measure.
//
// # How
//
// Shapes are found on a grid of about 2 mm (block means), smoothed by a guided
// filter that keeps edges; outlines are painted into the full grid from an
// interpolated signed distance, with the full-resolution values deciding in a
// narrow band.
//
//	body     denser than air, opened, largest piece, slices filled
//	bone     bright tissue within reach of cortical bone, marrow filled, outlined
//	         at half height; costal cartilage
//	aorta, vena cava
//	         round bright columns before the spine
//	liver    commonest value of even tissue in the right front of the body, or
//	         around a seed; a core, lesions at its surface, a minimum cut, then
//	         the edge halfway to what lies beside it
//	tumours  a star-shaped minimum cut around a ball climbed to from a seed, again
//	         from its own middle; round dark pieces as candidates without one
//	vessels  what stands out of the noise brighter than the parenchyma around it
//	systems  portal and hepatic veins by where they leave the liver
//	brain    the largest cavity of the skull (CT), or a surface grown to its edge
//	         (MR)
//
// # Frame and units
//
// LPS mm and HU; volumes in ml. The input may be stored in any order of axes;
// masks come back in that order. Oblique volumes are treated along their
// nearest axes.
//
// # What it does not do
//
// It is not a trained model: pathology that changes an organ's density as a
// whole, surgery and implants need seeds and a person's eye. It does not name
// hepatic segments (mesh/vessel does), follow vessels outside the liver or find
// arteries in it.
//
// Sources: He, Sun, Tang, Guided image filtering, IEEE TPAMI 35 (2013) 1397;
// Boykov, Kolmogorov, IEEE TPAMI 26 (2004) 1124, minimum cuts; Dijkstra, Numer.
// Math. 1 (1959) 269; Dice, Ecology 26 (1945) 297; Heimann et al., IEEE TMI 28
// (2009) 1251 for the surface measures; Shit et al., clDice, CVPR 2021.
package segment
