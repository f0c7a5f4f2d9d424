package material

import "math"

// dilatation is the volumetric part U(J) = κ/4·(J² − 1 − 2·ln J) that the laws
// in invariants share; it holds κ, MPa.
type dilatation struct{ kappa float64 }

// Dilatation returns U(J), U'(J) and U”(J) of the volumetric part
// U = κ/4·(J² − 1 − 2·ln J), MPa.
func (d dilatation) Dilatation(j float64) (u, du, ddu float64) {
	return d.kappa / 4 * (j*j - 1 - 2*math.Log(j)), d.kappa / 2 * (j - 1/j), d.kappa / 2 * (1 + 1/(j*j))
}

// BulkMPa is κ.
func (d dilatation) BulkMPa() float64 { return d.kappa }

func (d dilatation) energy(j float64) float64 { return d.kappa / 4 * (j*j - 1 - 2*math.Log(j)) }

// slope is dU/dln J, the factor of F⁻ᵀ in P.
func (d dilatation) slope(j float64) float64 { return d.kappa / 2 * (j*j - 1) }

// addDyad adds c·(u⊗v + v⊗u)/2 to a.
func addDyad(a *[9][9]float64, c float64, u, v *[9]float64) {
	c /= 2
	for r := range 9 {
		x, y := c*u[r], c*v[r]
		row := &a[r]
		for k := range 9 {
			row[k] += x*v[k] + y*u[k]
		}
	}
}
