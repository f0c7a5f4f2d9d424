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
// U(J) is one of three forms (Volumetric); unless another is chosen it is
// κ/4·(J² − 1 − 2·ln J) (Simo, Taylor & Pister, Comput. Methods Appl. Mech. Eng.
// 51 (1985) 177). Ī1 and Ī2 are the invariants of J^(−2/3)·FᵀF. Catalogue lists
// every law with its source and the range and unit of each constant; a constant
// out of its range is a *ParameterError.
//
//	Linear             λ/2·(tr ε)² + μ·ε:ε (Hooke)
//	StVenantKirchhoff  λ/2·(tr E)² + μ·E:E
//	Hencky             μ·|dev ln U|² + κ/2·(ln J)²
//	CompressibleNeoHookean  μ/2·(I1 − 3) − μ·ln J + λ/2·(ln J)²
//	NeoHookean         μ/2·(Ī1 − 3) + U
//	MooneyRivlin       C10·(Ī1 − 3) + C01·(Ī2 − 3) + U
//	Yeoh               Σ Ci0·(Ī1 − 3)^i + U, i = 1 to 3
//	RaghavanVorp       α·(Ī1 − 3) + β·(Ī1 − 3)² + U
//	IsotropicI2        D1·(Ī2 − 3) + D2·(Ī2 − 3)² + U
//	StrainDependentNeoHookean  Ψ(Ī1) + U with 2Ψ' = G0·Cyy^p
//	Bilinear           two slopes of a tensile test
//	Ogden              Σ c·(λ̄₁^α + λ̄₂^α + λ̄₃^α − 3) + U, three ways to read c
//	HolzapfelGasserOgden, GasserOgdenHolzapfel
//	                   c/2·(Ī1 − 3) + k1/(2k2)·Σ (exp(k2·⟨E⟩²) − 1) + U, two
//	                   fibre families in tension only, E = Ī4 − 1 or dispersed
//	Guccione           C/2·(exp(Q) − 1) + U, fibre along axis 1
//	Active             a law and a tension along a fibre
//
// A law with directions holds them, or has them in axes 1, 2, 3; where they vary
// in a region the element turns F by its natural map.
//
// # Laws with a history (Inelastic)
//
//	Viscoelastic       a split law whose isochoric stress relaxes in a Prony series
//	ElasticPlastic     Hencky, von Mises, perfect or with linear hardening
//	Damage             (1 − d)·W_iso + U, d of the largest √(2·W_iso) seen
//
// # Sheets (Membrane)
//
//	LinearMembrane, BilinearMembrane, NeoHookeanMembrane, ExponentialMembrane
//
// # Bone
//
// Bone maps Hounsfield units to moduli, point by point, by the power laws of the
// library.
//
// # What it does not do
//
// Superelastic alloys, wrinkling of sheets, rate-dependent plasticity and
// kinematic hardening, damage of volume, fibres that bear compression. Records of
// such models load as data, and Tissue.Law says which model is missing.
//
// Sources: J. Bonet & R. D. Wood, Nonlinear Continuum Mechanics for Finite
// Element Analysis (2008); R. W. Ogden, Proc. R. Soc. A 326 (1972) 565; each
// record of tissues.json names its own.
package material
