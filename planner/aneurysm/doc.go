// Package aneurysm plans the repair of an abdominal aortic aneurysm: its
// geometry, the stress in its wall, and grafts that fit. It implements
// planner.Procedure as "vessel.aneurysm".
//
// # From masks to a wall
//
// New takes the lumen (imaging.LabelAorta) and, if it was seen, wall and
// thrombus (imaging.LabelVesselWall). The centreline comes from mesh/vessel;
// sections across it, one a millimetre, give the borders as radii over 64 angles
// (Shape), so every section must be star-shaped seen from the centreline. NewWall
// makes the wall of a Shape: quadratic tetrahedra, three to a prism, with curved
// sides on the borders, and thrombus as a second tissue where it is at least
// 1.5 mm thick. A bifurcation is not modelled: the wall ends above it.
//
// # Stress
//
// A CT shows the aorta under pressure. Unload finds the shape that the mean
// pressure carries into the imaged one (fem/inverse); Load carries it on to the
// systolic pressure, which follows the luminal faces. Walls are Raghavan–Vorp
// (J. Biomech. 33 (2000) 475) or Gasser–Ogden–Holzapfel, thrombus after Wang et
// al. (2001), all nearly incompressible with mean dilatation. Peak stress is the
// largest and the 99th percentile by volume, von Mises and first principal, of
// nodes of the wall alone and three decay lengths away from the held ends.
// Level L1 is equilibrium of the imaged shape alone (Wall.Stiff).
//
// A shape without pressure need not exist: an imaged dent in a thin soft wall
// may want one that no wall can have. The sample then fails with a
// *fem.NotConvergedError; it is not patched up.
//
// The rupture index is printed with its published warning (RuptureWarning).
// Stress is that of the aneurysm before repair, the same for every graft.
//
// # Grafts
//
// Generate pairs every body of the catalogue (planner/rules, generic sizes,
// unverified) with upper ends from the lowest renal artery down and the best
// limbs of each side; tubes alone. Arc lengths count from the lowest renal
// artery along the lumen's centreline. planner.Graft.Device joins the parts with
// "+": body, left limb, right limb. Oversizing is over the diameter of the circle
// with the section's area, ring by ring.
//
// # What it does not do
//
// Contact between graft and wall, gaps and kinks, growth, calcification, the
// external iliac and femoral arteries unless they are in the mask, variable wall
// thickness, residual stress, and the rupture risk equivalent diameter, for
// which no source was read (Case.Missing says what else is lost, and why).
//
// # Frame, units, determinism
//
// LPS mm, MPa inside, mmHg for blood pressure, kPa and N/cm² for stress outside.
// The same input gives the same bits for any GOMAXPROCS. A Case may be used by
// several goroutines; it keeps the mechanics of its last 512 samples.
package aneurysm
