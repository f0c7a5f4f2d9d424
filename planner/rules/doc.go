// Package rules holds clinical rules and devices as data: packs of rules, each
// with its quantity, limit, unit, severity, source and evidence, versioned and
// overridable by a hospital; catalogues of needles and grafts; and the ranges in
// which the numbers of a procedure were verified.
//
// A pack is JSON. The shipped packs are embedded; Load reads another one of
// the same form, Override a hospital's changes to one, with who answers for
// them and why. A rule without value, unit, source or evidence tag is refused,
// so that no limit reaches a surgeon without its origin; so are hard rules that
// contradict each other. Values are in the unit the rule names (UCUM); nothing
// is converted.
//
// Check writes broken rules into an evaluation as vetoes and warnings; Judge
// gives the state of every rule, those that could not be checked among them.
// Tags M and M+ read "unverified source".
//
// Packs and devices are immutable after loading and safe for concurrent use.
package rules
