package meshio

import (
	"fmt"
	"strings"
)

// Unit is the length of one unit of a file, in mm. The zero Unit stands for
// the default: millimetres, and metres for GLB, which its specification sets.
type Unit float64

// The units that ParseUnit knows.
const (
	Micrometre Unit = 0.001
	Millimetre Unit = 1
	Centimetre Unit = 10
	Decimetre  Unit = 100
	Metre      Unit = 1000
	Inch       Unit = 25.4 // exact, by the agreement of 1959
	Foot       Unit = 304.8
)

var unitNames = []struct {
	unit  Unit
	names []string // the first is the one String gives
}{
	{Micrometre, []string{"um", "µm", "μm", "micrometre", "micrometer", "micron"}},
	{Millimetre, []string{"mm", "millimetre", "millimeter"}},
	{Centimetre, []string{"cm", "centimetre", "centimeter"}},
	{Decimetre, []string{"dm", "decimetre", "decimeter"}},
	{Metre, []string{"m", "metre", "meter"}},
	{Inch, []string{"in", "inch", "\""}},
	{Foot, []string{"ft", "foot", "feet"}},
}

// ParseUnit reads the name of a unit of length, as for --length-unit: um, mm,
// cm, dm, m, in, ft, or the word in full, in any case. The error names them.
func ParseUnit(s string) (Unit, error) {
	want := strings.ToLower(strings.TrimSpace(s))
	for _, u := range unitNames {
		for _, n := range u.names {
			if want == n || len(n) > 4 && want == n+"s" {
				return u.unit, nil
			}
		}
	}
	return 0, fmt.Errorf("meshio: unknown unit of length %q; known: um mm cm dm m in ft", s)
}

// String is the short name of a known unit, or "0.5 mm".
func (u Unit) String() string {
	if u == 0 {
		u = Millimetre
	}
	for _, k := range unitNames {
		if u == k.unit {
			return k.names[0]
		}
	}
	return fmt.Sprintf("%g mm", float64(u))
}

// mm is the unit in mm; def stands for zero.
func (u Unit) mm(def Unit) float64 {
	if u == 0 {
		u = def
	}
	return float64(u)
}

// unitMark is how text in a file of ours names its unit.
const unitMark = "UNIT="

// markedUnit finds the unit named in a header or comment of ours; 0 when there
// is none.
func markedUnit(text string) Unit {
	_, rest, ok := strings.Cut(text, unitMark)
	if !ok {
		return 0
	}
	if end := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r > 'z' || r == '<' || r == '-' }); end >= 0 {
		rest = rest[:end]
	}
	u, err := ParseUnit(rest)
	if err != nil {
		return 0
	}
	return u
}
