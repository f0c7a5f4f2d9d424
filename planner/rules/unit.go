package rules

import (
	"fmt"
	"strings"
)

// Atoms of UCUM (The Unified Code for Units of Measure, version 2.1, tables 1
// to 4) that planning data use. Metric ones take a prefix.
var (
	metricAtoms = []string{"m", "g", "s", "L", "l", "N", "Pa", "J", "W", "Hz", "K", "Cel", "V", "A", "mol", "rad", "m[Hg]"}
	otherAtoms  = []string{"1", "%", "deg", "min", "h", "d", "wk", "mo", "a", "[Ch]", "[hnsf'U]", "HU"} // HU: as CT people write [hnsf'U]
	prefixes    = []string{"G", "M", "k", "h", "d", "c", "m", "u", "n", "p"}
)

var atoms = func() map[string]bool {
	out := map[string]bool{}
	for _, a := range metricAtoms {
		out[a] = true
		for _, p := range prefixes {
			out[p+a] = true
		}
	}
	for _, a := range otherAtoms {
		out[a] = true
	}
	return out
}()

// maxUnitLen is more than any unit of the planner has.
const maxUnitLen = 32

// checkUnit fails on what is no UCUM unit: atoms with an optional exponent,
// joined by "." and "/". Equal units have equal text; there is no conversion.
func checkUnit(unit string) error {
	if unit == "" {
		return fmt.Errorf("has no unit")
	}
	if len(unit) > maxUnitLen {
		return fmt.Errorf("unit is longer than %d characters", maxUnitLen)
	}
	for _, part := range strings.Split(strings.ReplaceAll(unit, "/", "."), ".") {
		atom := part
		if base := strings.TrimRight(part, "0123456789"); part != "1" && base != part {
			atom = strings.TrimSuffix(base, "-")
		}
		if !atoms[atom] {
			return fmt.Errorf("unit %q: %q is no UCUM unit known here (write mm, cm2, mL, mL/min, N, kPa, mm[Hg], %%, deg, s, 1)", unit, part)
		}
	}
	return nil
}
