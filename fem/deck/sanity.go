package deck

import (
	"fmt"
	"math"
	"strings"

	"halsted/fem"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// What a body and its tissues can be like. Soft tissue is below 1 GPa (tendon
// is about that), bone and devices below 1 TPa.
const (
	minSizeMM, maxSizeMM   = 1, 3000
	maxSoftMPa, maxHardMPa = 1e3, 1e6
	minModulusMPa          = 1e-6        // 1 Pa
	minDensity, maxDensity = 1e-12, 3e-8 // t/mm³: air, platinum
)

// hardNames are parts of region names that stand for bone or a device.
var hardNames = []string{"bone", "cortical", "femur", "tibia", "skull", "vertebra", "rib", "tooth", "enamel", "dentin", "steel", "metal", "titan", "nitinol", "alloy",
	"implant", "device", "plate", "screw", "stent", "wire", "clip", "instrument", "tool", "retractor", "ceramic", "acryl", "cement"}

// CheckUnits refuses a model whose size, stiffness, density or loads are far
// from those of a body: mm in place of m, Pa in place of MPa. The error is a
// *UnitsError in one sentence. Regions whose name says bone, a device or a
// metal may be stiffer than soft tissue.
func CheckUnits(m *fem.Model, rep *Report) error {
	if m.Mesh == nil || len(m.Mesh.Tets) == 0 {
		return nil // package fem says so
	}
	lo, hi := r3.Vec{X: math.Inf(1), Y: math.Inf(1), Z: math.Inf(1)}, r3.Vec{X: math.Inf(-1), Y: math.Inf(-1), Z: math.Inf(-1)}
	for _, t := range m.Mesh.Tets {
		for _, n := range t {
			if n < 0 || int(n) >= len(m.Mesh.Nodes) {
				return nil
			}
			x := m.Mesh.Nodes[n]
			lo = r3.Vec{X: min(lo.X, x.X), Y: min(lo.Y, x.Y), Z: min(lo.Z, x.Z)}
			hi = r3.Vec{X: max(hi.X, x.X), Y: max(hi.Y, x.Y), Z: max(hi.Z, x.Z)}
		}
	}
	size := max(hi.X-lo.X, hi.Y-lo.Y, hi.Z-lo.Z)
	own := rep.Format == "Halsted"
	switch {
	case size < minSizeMM:
		return &UnitsError{fmt.Sprintf("the model is %.3g mm across", size), unitRemedy(own, "its coordinates are likely in metres or centimetres: give --length-unit m or cm", "check length_unit of the mesh")}
	case size > maxSizeMM:
		return &UnitsError{fmt.Sprintf("the model is %.3g m across", size/1000), unitRemedy(own, "check --length-unit", "check length_unit of the mesh")}
	}
	for _, r := range m.Regions {
		if r.Law == nil {
			continue
		}
		name := rep.Names[r.Label]
		if name == "" {
			name = r.Label.String()
		}
		limit, sort := maxSoftMPa, "soft tissue is below 1 GPa"
		if isHard(r.Label, name) {
			limit, sort = maxHardMPa, "bone and devices are below 1 TPa"
		}
		e, d := youngs(r.Law), r.DensityTPerMM3
		switch {
		case e > limit:
			return &UnitsError{fmt.Sprintf("region %s has Young's modulus %s, and %s", quote(name), pascals(e), sort),
				unitRemedy(own, "its stiffness is likely in Pa or kPa: give it in "+rep.Units.String()+", or --length-unit m when the file is in SI units; a device or bone wants a name that says so", "give the modulus in the unit that its key names; a device or bone wants a name that says so")}
		case e < minModulusMPa:
			return &UnitsError{fmt.Sprintf("region %s has Young's modulus %s", quote(name), pascals(e)),
				unitRemedy(own, "the file is likely in mm and MPa, or in kPa: check --length-unit", "give the modulus in the unit that its key names")}
		case d > 0 && (d < minDensity || d > maxDensity):
			return &UnitsError{fmt.Sprintf("region %s has density %.3g kg/m³", quote(name), d*1e12),
				unitRemedy(own, "give it in the units that go with the others ("+rep.Units.String()+"; water is "+fmt.Sprintf("%.3g", 1e-9/rep.Units.density())+")", "give density_kg_per_m3; water is 1000")}
		}
	}
	return nil
}

func unitRemedy(own bool, foreign, ours string) string {
	if own {
		foreign = ours
	}
	return foreign + ", or --any-units if it is meant"
}

func isHard(l imaging.Label, name string) bool {
	name = strings.ToLower(name)
	for _, h := range hardNames {
		if strings.Contains(name, h) {
			return true
		}
	}
	return l == imaging.LabelBone
}

// pascals writes a stress in the unit that suits it.
func pascals(mpa float64) string {
	switch {
	case mpa >= 1e3:
		return fmt.Sprintf("%.4g GPa", mpa/1e3)
	case mpa >= 1:
		return fmt.Sprintf("%.4g MPa", mpa)
	case mpa >= 1e-3:
		return fmt.Sprintf("%.4g kPa", mpa*1e3)
	}
	return fmt.Sprintf("%.4g Pa", mpa*1e6)
}
