// Package uncertainty spreads the uncertain inputs of a procedure over its
// outputs and bounds them.
//
// # What it promises
//
// Quantify takes any planner.Procedure and a plan and gives every output as a
// planner.Quantity: the value with all inputs at their medians, its quantiles
// over the samples with the basis they come from, the probability of breaking
// a hard rule, the worst residual and mesh error, the worst evidence. The same
// seed gives the same samples for every plan, the same bits for any number of
// cores and after a stop. Compare tells two plans apart sample by sample.
//
// # How the inputs are spread
//
// Points of the unit cube go through the quantile functions of the inputs:
// independent random ones, a Latin hypercube (McKay, Beckman, Conover,
// Technometrics 21 (1979) 239), or Sobol points with Owen's scrambling. Chaos
// fits a polynomial of degree 2 in the inputs' germs to 2·C(d+2, 2) runs and
// takes quantiles and Sobol indices from it, with the scatter that it leaves
// over added back.
//
// Order statistics (Wilks) bound an output without any assumption on its
// distribution, from independent random samples alone; the other designs are
// refused.
//
// # Runs that fail
//
// A run that does not converge is never dropped. It counts as beyond all values
// on the worse side, which a rule's limit or an objective names, or on both
// sides when none does. When a quantile falls among failed runs there is no
// interval, and the basis says so.
//
// # Borders
//
// Offset is the error of a segmented border: a smooth random field of normal
// offsets, in mm at LPS points, seeded by an input of its own (FieldSeed).
//
// How large and how smooth that error is can be read from the image itself.
// MeasureNoise takes noise and its correlation from even tissue; Scan.Border
// finds a structure's border between voxels, how far blur has moved it, and how
// far noise, blur and contrast let it lie elsewhere; Border.Move is the border
// under one sample of that, with volumes and least distances. planner/liver and
// planner/needle take their borders from it (PrepareImage, Border.Pieces,
// Border.Nearest), and the coverage test holds their intervals against patients
// whose truth is a formula. What it does not hold: a structure taken for
// another, an edge that leaks, motion, or a scan unlike those patients (their
// steps are 40 to 80 HU, their noise 12 to 20 HU, their slices 2 to 3 mm).
//
// A border is measured only where there is one to measure. Where several
// neighbours meet, or one of nearly the same density lies, the mask stands
// (Surface.Gain is 0, Moved.UnseenMM moves it); where the mask lies further than
// a millimetre from the step in the mean, nothing is measured (ApartError): an
// expert's outline of a tumour with a rim is not the step of its core.
//
// # Units and frames
//
// Values are in the unit of their input or output; positions are LPS mm,
// volumes mm³.
package uncertainty
