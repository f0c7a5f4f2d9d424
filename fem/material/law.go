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

// Inelastic is a law that remembers: HistorySize numbers at each quadrature
// point, which the caller keeps, one set for the last converged step and one
// for the step under way. The methods of Law are the response without history,
// that is instantaneous and elastic from the unloaded state. Like every law it
// holds no state itself and is safe for concurrent use.
type Inelastic interface {
	Law
	// HistorySize is the number of history values per quadrature point.
	HistorySize() int
	// InitHistory writes the state of the unloaded body into h[:HistorySize()].
	InitHistory(h []float64)
	// Respond writes the stress P (MPa) and, unless a is nil, the consistent
	// tangent A = ∂P/∂F of the step (laid out as in Law.Tangent), at F reached
	// dtS seconds after the state old; next receives the new state. old is not
	// changed, and old and next must not overlap. With dtS = 0 the step is
	// instantaneous. ok is false where the state cannot be computed (det F ≤ 0,
	// F not finite, no local convergence): p, a and next are then without
	// meaning, and the caller cuts the step back.
	Respond(p *Mat3, a *[9][9]float64, f *Mat3, old, next []float64, dtS float64) (ok bool)
}

// Membrane is a law of a thin sheet in plane stress, per reference area. Its
// input is the in-plane right Cauchy–Green tensor c = (C11, C22, C12) in an
// orthonormal basis of the reference surface, that is C_ab = g_a·g_b with the
// deformed tangent vectors g; rest is (1, 1, 0). Thickness is included: forces
// are per reference length, N/mm (= MPa·mm). Like a Law it holds no state, is
// safe for concurrent use and does not allocate.
type Membrane interface {
	// Energy returns W, N·mm per mm² (= N/mm); +Inf when det C ≤ 0 or C11 ≤ 0.
	Energy(c [3]float64) float64
	// Stress writes the second Piola–Kirchhoff force per length S = 2·∂W/∂C as
	// (S11, S22, S12), N/mm; 2·∂W/∂C12 with C12 and C21 taken as one variable
	// is 2·S12.
	Stress(s *[3]float64, c [3]float64)
	// Tangent writes D[r][s] = ∂S_r/∂E_s with E = (E11, E22, 2·E12) and
	// E = (C − I)/2, so that dS = D·dE and D = 2·∂S/∂C; symmetric 3×3, N/mm.
	Tangent(d *[3][3]float64, c [3]float64)
	// ThicknessMM is the thickness at rest, mm.
	ThicknessMM() float64
}

var (
	_ Law = Linear{}
	_ Law = StVenantKirchhoff{}
	_ Law = NeoHookean{}
	_ Law = CompressibleNeoHookean{}
	_ Law = Ogden{}
	_ Law = MooneyRivlin{}
	_ Law = Yeoh{}
	_ Law = RaghavanVorp{}
	_ Law = HolzapfelGasserOgden{}
	_ Law = GasserOgdenHolzapfel{}
	_ Law = Guccione{}
	_ Law = Hencky{}
	_ Law = IsotropicI2{}
	_ Law = StrainDependentNeoHookean{}
	_ Law = Bilinear{}
	_ Law = Active{}

	_ Inelastic = Viscoelastic{}
	_ Inelastic = ElasticPlastic{}
	_ Inelastic = Damage{}
)
