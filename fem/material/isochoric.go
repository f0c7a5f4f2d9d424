package material

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"
)

// Split is a law whose energy is the sum of an isochoric part W(F̄), F̄ =
// J^(−1/3)·F, and a volumetric part U(J) with U(1) = U'(1) = 0. Laws that act
// on the isochoric part of another need it, and so does the mean-dilatation
// element.
type Split interface {
	Law
	// Dilatation returns U(J), U'(J) and U”(J), MPa.
	Dilatation(j float64) (u, du, ddu float64)
}

var (
	_ Split = NeoHookean{}
	_ Split = Ogden{}
	_ Split = MooneyRivlin{}
	_ Split = Yeoh{}
	_ Split = RaghavanVorp{}
	_ Split = HolzapfelGasserOgden{}
	_ Split = GasserOgdenHolzapfel{}
)

// checkSplit refuses a law that is no W(F̄) + U(J), and one with a history, which
// a wrapper would lose.
func checkSplit(name string, law Split) error {
	if law == nil {
		return &ParameterError{name, 0, "", "given"}
	}
	if _, ok := law.(Inelastic); ok {
		return &ParameterError{name, 0, "", "a law without a history of its own"}
	}
	f := Mat3{{X: 1.04, Y: 0.01}, {X: -0.02, Y: 0.99, Z: 0.01}, {Y: 0.03, Z: 1.02}}
	u, _, _ := law.Dilatation(f.Det())
	if d := law.Energy(&f) - isochoricEnergy(law, &f) - u; !(math.Abs(d) <= 1e-9*(law.ShearMPa()+law.BulkMPa())) {
		return &ParameterError{name, d, "MPa", "the sum of an isochoric and a volumetric energy (the value is what is missing)"}
	}
	return nil
}

// unimodulars keep F̄ on the heap, because laws are called through an
// interface; pooled, so that laws do not allocate.
var unimodulars = sync.Pool{New: func() any { return new(Mat3) }}

// unimodular writes F̄ = J^(−1/3)·F and returns J^(−1/3).
func unimodular(bar, f *Mat3, j float64) (m float64) {
	m = math.Sqrt(cbrt2(j))
	for k := range bar {
		bar[k] = r3.Scale(m, f[k])
	}
	return m
}

// project turns the stress and, unless a is nil, the tangent of a law at F̄ =
// m·F, m = J^(−1/3), into those of its isochoric part at F; g is F⁻ᵀ. With P̄ and
// Ā the law's and s = F:P̄,
//
//	P_iso = m·(P̄ − s/3·G)
//	A_iso = m²·(Ā − ⅓(G⊗V + V⊗G) + e/9·G⊗G) − m/3·(P̄⊗G + G⊗P̄)
//	        + m·s/9·G⊗G + m·s/3·G_iL·G_kJ,  G = F⁻ᵀ,  V = Ā:F,  e = F:V.
//
// The volumetric part of a split law gives nothing: U(1) = U'(1) = 0, and the
// projection removes U”.
func project(p *Mat3, a *[9][9]float64, f, g *Mat3, m, j float64) {
	s := r3.Dot(f[0], p[0]) + r3.Dot(f[1], p[1]) + r3.Dot(f[2], p[2])
	if a != nil {
		var ff, gg, pp, v [9]float64
		f.flat(&ff)
		g.flat(&gg)
		p.flat(&pp)
		var e float64
		for r := range v {
			for c, x := range ff {
				v[r] += a[r][c] * x
			}
			e += ff[r] * v[r]
		}
		x := m * s / 3 // x·G_iL·G_kJ is x·G⊗G less 36 entries of F
		for r := range v {
			v[r] = -m*m/3*v[r] - m/3*pp[r] + (m*m*e/9+m*s/9+x)/2*gg[r]
		}
		for r := range a {
			for c := range a[r] {
				a[r][c] = m*m*a[r][c] + v[r]*gg[c] + gg[r]*v[c]
			}
		}
		addCross(a, &ff, -x/j)
	}
	for k := range p {
		p[k] = r3.Scale(m, r3.Sub(p[k], r3.Scale(s/3, g[k])))
	}
}

// isochoric writes the isochoric stress of a law at F into p and, unless a is
// nil, its tangent into a.
func isochoric(law Law, p *Mat3, a *[9][9]float64, f, g *Mat3, j float64) {
	bar := unimodulars.Get().(*Mat3)
	defer unimodulars.Put(bar)
	m := unimodular(bar, f, j)
	law.Stress(p, bar)
	if a != nil {
		law.Tangent(a, bar)
	}
	project(p, a, f, g, m, j)
}

// isochoricEnergy is W(F̄), MPa; +Inf when det F ≤ 0.
func isochoricEnergy(law Law, f *Mat3) float64 {
	j := f.Det()
	if !(j > 0) {
		return math.Inf(1)
	}
	bar := unimodulars.Get().(*Mat3)
	defer unimodulars.Put(bar)
	unimodular(bar, f, j)
	return law.Energy(bar)
}

// volumetric adds U'(J)·J·G to p, and to a unless it is nil the tangent
// (J²·U” + J·U')·G⊗G − J·U'·G_iL·G_kJ = J²·U”·G⊗G + J·U'·(36 entries of F)/J.
func volumetric(du, ddu float64, p *Mat3, a *[9][9]float64, f, g *Mat3, j float64) {
	for k := range p {
		p[k] = r3.Add(p[k], r3.Scale(du*j, g[k]))
	}
	if a != nil {
		var ff, gg [9]float64
		f.flat(&ff)
		g.flat(&gg)
		addDyad(a, ddu*j*j, &gg, &gg)
		addCross(a, &ff, du)
	}
}

// inverseTranspose writes F⁻ᵀ and returns det F; ok is false unless it is
// positive and finite.
func inverseTranspose(g, f *Mat3) (j float64, ok bool) {
	j = invert(g, f)
	return j, j > 0 && !math.IsInf(j, 0)
}
