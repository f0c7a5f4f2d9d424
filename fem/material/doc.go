// Package material says how tissue answers to strain, and holds the tissue
// library: values with range, unit, source and evidence.
//
// # Units and layout
//
// Stress, moduli and energy density are MPa (= N/mm²= mJ/mm³), density t/mm³.
// The library file is in Pa, kg/m³ and m; it is converted once when read. The
// deformation gradient F is a Mat3: three columns F·e_J, so F_iJ = f[J] in
// component i. P is laid out like F. Tangents are A[3i+J][3k+L] = ∂P_iJ/∂F_kL.
//
// Laws are small values without state: safe for concurrent use, no allocation.
// The arguments of a method must not overlap.
//
// # Laws
//
// U = κ/4·(J² − 1 − 2·ln J) (Simo, Taylor & Pister, Comput. Methods Appl. Mech.
// Eng. 51 (1985) 177); Ī1 and Ī2 are the invariants of J^(−2/3)·FᵀF.
//
//	Linear             λ/2·(tr ε)² + μ·ε:ε (Hooke)
//	StVenantKirchhoff  λ/2·(tr E)² + μ·E:E
//	NeoHookean         μ/2·(Ī1 − 3) + U
//	MooneyRivlin       C10·(Ī1 − 3) + C01·(Ī2 − 3) + U (Rivlin 1948)
//	Yeoh               Σ Ci0·(Ī1 − 3)^i + U, i = 1 to 3 (Yeoh 1993)
//	RaghavanVorp       α·(Ī1 − 3) + β·(Ī1 − 3)² + U (Raghavan & Vorp 2000)
//	Ogden              Σ c·(λ̄₁^α + λ̄₂^α + λ̄₃^α − 3) + U (Ogden 1972)
//	HolzapfelGasserOgden, GasserOgdenHolzapfel
//	                   c/2·(Ī1 − 3) + k1/(2k2)·Σ (exp(k2·⟨E⟩²) − 1) + U, two
//	                   fibre families in tension only, E = Ī4 − 1 (Holzapfel,
//	                   Gasser & Ogden 2000) or dispersed (Gasser, Ogden &
//	                   Holzapfel 2006)
//
// A law with fibres holds their two directions, so it is one law per direction:
// fields of fibres that vary within a region are not implemented. A constant
// out of its range is a *ParameterError.
//
// # What it does not do
//
// Viscosity, plasticity, damage evolution, active fibres and membranes are not
// implemented: such records of the library load as data, and Tissue.Law says
// which model is missing.
//
// Sources: J. Bonet & R. D. Wood, Nonlinear Continuum Mechanics for Finite
// Element Analysis (2008); R. W. Ogden, Proc. R. Soc. A 326 (1972) 565; each
// record of tissues.json names its own.
package material
