package material

import "gonum.org/v1/gonum/spatial/r3"

// Mat3 is a 3×3 matrix as three columns; passed by pointer in kernels.
type Mat3 [3]r3.Vec

// Law is how a tissue answers to strain: a stored energy W(F) per reference
// volume (MPa), the first Piola–Kirchhoff stress P = ∂W/∂F and the tangent
// A = ∂P/∂F. All in MPa; F is the deformation gradient, columns F·e_j.
// Laws are stateless and safe for concurrent use.
type Law interface {
	// Energy returns W; +Inf when det F ≤ 0.
	Energy(f *Mat3) float64
	// Stress writes P into p.
	Stress(p, f *Mat3)
	// Tangent writes A[3i+J][3k+L] = ∂P_iJ/∂F_kL into a, symmetric 9×9.
	Tangent(a *[9][9]float64, f *Mat3)
	// ShearMPa and BulkMPa are the initial moduli.
	ShearMPa() float64
	BulkMPa() float64
}

var (
	_ Law = Linear{}
	_ Law = StVenantKirchhoff{}
	_ Law = NeoHookean{}
	_ Law = Ogden{}
	_ Law = MooneyRivlin{}
	_ Law = Yeoh{}
	_ Law = RaghavanVorp{}
	_ Law = HolzapfelGasserOgden{}
	_ Law = GasserOgdenHolzapfel{}
)
