// Package rules holds clinical rules as data: packs of rules, each with its
// quantity, limit, unit, severity, source and evidence, versioned and
// overridable by a hospital.
//
// A pack is JSON. The shipped packs are embedded; Load reads another one of
// the same form. A rule without unit, source or evidence tag is refused, so
// that no limit reaches a surgeon without its origin. Values are in the unit
// the rule names (UCUM).
//
// Packs are immutable after loading and safe for concurrent use.
package rules
