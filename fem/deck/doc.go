// Package deck reads finite-element models: the input files of Abaqus and
// CalculiX (.inp), of FEBio (.feb), and this module's own model files (.json).
//
// Read gives a fem.Model in house units (mm, N, MPa, t, s; LPS as the file has
// it), the settings that the file asks for, and a Report of what it says beside
// that. What the solution depends on is read or refused, with file, line and
// keyword; what it does not depend on (requests for output, controls of the
// other solver) is left out with a note. Nothing is skipped in silence. Other element
// formulations of the same mechanics are noted as warnings (C3D10M, hybrid and
// nodally averaged tetrahedra).
//
// # Units
//
// .inp and .feb files name no unit. Options.Units says what system of units a
// file is in; UnitsOf gives the usual one for a unit of length. CheckUnits tells
// a model that cannot be in the units it was read in.
//
// # Abaqus, CalculiX
//
// Keywords: NODE, ELEMENT (C3D4, C3D10 and its variants), NSET, ELSET, SURFACE,
// MATERIAL, ELASTIC, HYPERELASTIC (neo-Hooke, Mooney–Rivlin, Yeoh, Ogden,
// reduced polynomial; U = (J−1)²/D1), DENSITY, SOLID SECTION, BOUNDARY, CLOAD,
// DLOAD (P1–P4, GRAV), DSLOAD (P), STEP, STATIC, INCLUDE. A step without NLGEOM
// is linear; with NLGEOM an *ELASTIC body is a St. Venant–Kirchhoff body and
// pressure follows the faces. Loads and motions grow in proportion to time from
// those of the step before. Lines on one node and direction add up within a
// step and replace those of earlier steps, as in CalculiX; OP=NEW clears them.
// Element faces are those of the Abaqus manual.
//
// # Limits
//
// Files are bounded (Options.MaxBytes), and so is the work that sets of sets and
// repeated loads can ask for; counts in files are not trusted for memory. The
// package keeps no state; calls look at their context every few thousand lines.
//
// Sources: Dassault Systèmes, Abaqus Keywords Guide and Theory Guide (4.6.1);
// G. Dhondt, CalculiX CrunchiX User's Manual, version 2.20; S. Maas et al.,
// FEBio User's Manual 4.0. Order of additions and replacements of loads: measured
// with CalculiX 2.20.
package deck
