package material

import "math"

// Volumetric is the form of the volumetric energy U(J) of a nearly
// incompressible law; all have U(1) = U'(1) = 0 and U”(1) = κ.
type Volumetric uint8

// The forms in use. Results differ by the order of the volume change.
const (
	VolumetricSimo      Volumetric = iota // κ/4·(J² − 1 − 2·ln J) (Simo, Taylor & Pister 1985; solids4foam, deal.II step-44)
	VolumetricQuadratic                   // κ/2·(J − 1)² (Abaqus, D1 = 2/κ; FEniCS demos)
	VolumetricLog                         // κ/2·(ln J)² (FEBio's uncoupled materials)
)

// String names the formula.
func (v Volumetric) String() string {
	switch v {
	case VolumetricSimo:
		return "κ/4·(J²−1−2·ln J)"
	case VolumetricQuadratic:
		return "κ/2·(J−1)²"
	case VolumetricLog:
		return "κ/2·(ln J)²"
	}
	return "unknown"
}

// energy is U(J), MPa.
func (v Volumetric) energy(kappa, j float64) float64 {
	switch v {
	case VolumetricQuadratic:
		return kappa / 2 * (j - 1) * (j - 1)
	case VolumetricLog:
		l := math.Log(j)
		return kappa / 2 * l * l
	}
	return kappa / 4 * (j*j - 1 - 2*math.Log(j))
}

// slopes are dU/dln J, the factor of F⁻ᵀ in P, and d²U/d(ln J)², that of
// F⁻ᵀ⊗F⁻ᵀ in A, MPa.
func (v Volumetric) slopes(kappa, j float64) (s, ss float64) {
	switch v {
	case VolumetricQuadratic:
		return kappa * j * (j - 1), kappa * j * (2*j - 1)
	case VolumetricLog:
		return kappa * math.Log(j), kappa
	}
	return kappa / 2 * (j*j - 1), kappa * j * j
}

// dilatation is U(J), U'(J) and U”(J), MPa.
func (v Volumetric) dilatation(kappa, j float64) (u, du, ddu float64) {
	s, ss := v.slopes(kappa, j)
	return v.energy(kappa, j), s / j, (ss - s) / (j * j)
}
