package deck

import (
	"fmt"
	"strings"

	"halsted/mesh/meshio"
)

// Units is a consistent system of units: a length and a force, with the second
// as the unit of time. Everything else follows: stress is force per length
// squared, mass is force·s² per length.
type Units struct {
	LengthMM float64 // length of one unit, mm
	ForceN   float64 // one unit of force, N
}

// The systems that a length unit stands for.
var (
	UnitsMM  = Units{1, 1}       // mm, N, MPa, tonne: the house units
	UnitsCGS = Units{10, 1e-5}   // cm, dyn, 0.1 Pa, gram
	UnitsSI  = Units{1000, 1}    // m, N, Pa, kg
	UnitsKPa = Units{1, 1e-3}    // mm, mN, kPa, kg
	UnitsUM  = Units{1e-3, 1e-9} // µm, nN, kPa
)

// UnitsOf is the system of a length unit: mm is mm–N–MPa–tonne, cm is CGS
// (dyn, 0.1 Pa, gram), m is SI (N, Pa, kg); another length goes with newtons.
func UnitsOf(length meshio.Unit) Units {
	switch length {
	case 0, meshio.Millimetre:
		return UnitsMM
	case meshio.Centimetre:
		return UnitsCGS
	case meshio.Metre:
		return UnitsSI
	}
	return Units{float64(length), 1}
}

// namedUnits are the names that the units element of a FEBio file may hold.
var namedUnits = map[string]Units{"si": UnitsSI, "mm-n-s": UnitsMM, "mm-kg-s": UnitsKPa, "cgs": UnitsCGS, "mm-g-s": {1, 1e-6}, "um-nn-s": UnitsUM}

// stress is one unit of stress in MPa.
func (u Units) stress() float64 { return u.ForceN / (u.LengthMM * u.LengthMM) }

// density is one unit of density in t/mm³; 1 t = 1 N·s²/mm.
func (u Units) density() float64 {
	return u.ForceN / u.LengthMM / (u.LengthMM * u.LengthMM * u.LengthMM)
}

// stiffness is one unit of force per length in N/mm.
func (u Units) stiffness() float64 { return u.ForceN / u.LengthMM }

// String names the units of length, force and stress.
func (u Units) String() string {
	switch u {
	case UnitsMM:
		return "mm, N, MPa, tonne"
	case UnitsCGS:
		return "cm, dyn, 0.1 Pa, gram"
	case UnitsSI:
		return "m, N, Pa, kg"
	case UnitsKPa:
		return "mm, mN, kPa, kg"
	}
	return fmt.Sprintf("%s, %g N, %.6g MPa", strings.TrimPrefix(meshio.Unit(u.LengthMM).String(), "1 "), u.ForceN, u.stress())
}
