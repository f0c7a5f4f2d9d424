// Package deck reads finite-element models: the input files of Abaqus and
// CalculiX (.inp), of FEBio (.feb), and this module's own model files (.json).
//
// Read gives a fem.Model in house units (mm, N, MPa, t, s; LPS as the file has
// it), the settings that the file asks for, and a Report of what it says beside
// that. What the solution depends on is read or refused, with file, line and
// keyword; what it does not depend on (requests for output, controls of the
// other solver) is left out with a note. Nothing is skipped in silence. Other
// discretisations of the same mechanics are noted as warnings: C3D10M, hybrid
// and nodally averaged tetrahedra, the penalties of contact and ties.
//
// # Units
//
// .inp files name no unit, .feb files seldom. Options.Units says what system of
// units a file is in; UnitsOf gives the usual one for a unit of length.
// CheckUnits tells a model that cannot be in the units it was read in.
//
// # Abaqus, CalculiX
//
// Keywords: NODE, ELEMENT (C3D4, C3D10 and its variants, T3D2, SPRINGA, M3D3,
// M3D6), NSET, ELSET, SURFACE, MATERIAL, ELASTIC, HYPERELASTIC (neo-Hooke,
// Mooney–Rivlin, Yeoh, Ogden, reduced polynomial; U = (J−1)²/D1), VISCOELASTIC
// (Prony, on a hyperelastic law), PLASTIC (perfect or one slope), DENSITY, SOLID
// SECTION, MEMBRANE SECTION, SPRING, TIE, CONTACT PAIR with SURFACE INTERACTION
// and FRICTION, BOUNDARY, CLOAD, DLOAD (P1–P4, GRAV), DSLOAD (P), STEP, STATIC,
// VISCO, INCLUDE. A step without NLGEOM is linear; with NLGEOM an *ELASTIC body
// is a St. Venant–Kirchhoff body and pressure follows the faces. Loads and
// motions grow in proportion to time from those of the step before. Lines on
// one node and direction add up within a step and replace those of earlier
// steps, as in CalculiX; OP=NEW clears them.
//
// # FEBio
//
// Versions 2.5, 3 and 4; the module solid, static; tet4 and tet10; neo-Hookean,
// isotropic elastic, Mooney-Rivlin, Ogden, incomp neo-Hookean,
// Holzapfel-Gasser-Ogden and uncoupled viscoelastic with FEBio's volumetric
// energies; zero and prescribed displacement, pressure (follows unless linear),
// traction, nodal loads, body force (against the value given), linear springs,
// sliding and tied contact. Load curves are straight; where one bends, a step is
// divided into stages. What stands in a step acts in that step alone.
//
// # Model files
//
// docs/solving.md describes them, with a worked example.
//
// # Limits, concurrency
//
// Files are bounded (Options.MaxBytes), and so is the work that sets of sets and
// repeated loads can ask for; counts in files are not trusted for memory. The
// package keeps no state and may be used concurrently; calls look at their
// context every few thousand lines. Read opens the files that a model names
// (Options.Open): give it models you trust, or an Open that keeps to a folder.
// The slices of the Model and the Report belong to the caller.
//
// # What it does not do
//
// Elements other than tetrahedra, shells, rigid bodies, amplitudes and curved
// load curves, gravity that differs between elements, fields of fibres, restart.
//
// Sources: Dassault Systèmes, Abaqus Keywords Guide and Theory Guide (4.6.1);
// G. Dhondt, CalculiX CrunchiX User's Manual, version 2.20; S. Maas et al.,
// FEBio User's Manual 4.0, and its source for the energies and the sign of the
// body force. The order in which loads add and replace was measured with
// CalculiX 2.20; TestCalculiX compares the displacements.
package deck
