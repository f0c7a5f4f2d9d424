package deck

import (
	"fmt"

	"halsted/fem/material"
)

// split is a law of an isochoric and a volumetric part, as package material
// has them with U = κ/4·(J² − 1 − 2·ln J).
type split interface {
	material.Law
	Dilatation(j float64) (u, du, ddu float64)
}

// volumetricLaw is a split law whose volumetric part has another form.
//
//	W = W_law − U_law + U,  P = P_law + (U' − U_law')·cof F,
//	A = A_law + (d + s/J)·cof F⊗cof F − s/J·cof_iL·cof_kJ,
//
// where s and d are the differences of U' and U”.
type volumetricLaw struct {
	split
	volume material.NeoHookean // its U alone is used
}

// withVolumetric gives law the volumetric energy of form.
func withVolumetric(law split, form material.Volumetric) (material.Law, error) {
	if form == material.VolumetricSimo {
		return law, nil
	}
	v, err := material.NewNeoHookeanWith(law.ShearMPa(), law.BulkMPa(), form)
	if err != nil {
		return nil, err
	}
	return volumetricLaw{law, v}, nil
}

// Dilatation is U(J), U'(J) and U”(J), MPa.
func (l volumetricLaw) Dilatation(j float64) (u, du, ddu float64) { return l.volume.Dilatation(j) }

// Energy is W, MPa.
func (l volumetricLaw) Energy(f *material.Mat3) float64 {
	j := f.Det()
	w := l.split.Energy(f)
	if !(j > 0) {
		return w
	}
	u0, _, _ := l.split.Dilatation(j)
	u, _, _ := l.volume.Dilatation(j)
	return w - u0 + u
}

// differences are those of U' and U”.
func (l volumetricLaw) differences(j float64) (s, d float64) {
	_, du0, ddu0 := l.split.Dilatation(j)
	_, du, ddu := l.volume.Dilatation(j)
	return du - du0, ddu - ddu0
}

// Stress writes P.
func (l volumetricLaw) Stress(p, f *material.Mat3) {
	l.split.Stress(p, f)
	var c material.Mat3
	s, _ := l.differences(f.Cofactor(&c))
	for k := range p {
		p[k].X += s * c[k].X
		p[k].Y += s * c[k].Y
		p[k].Z += s * c[k].Z
	}
}

// Tangent writes A.
func (l volumetricLaw) Tangent(a *[9][9]float64, f *material.Mat3) {
	l.split.Tangent(a, f)
	var c material.Mat3
	j := f.Cofactor(&c)
	s, d := l.differences(j)
	s /= j
	var m [9]float64 // m[3i+J]
	for k, v := range c {
		m[k], m[3+k], m[6+k] = v.X, v.Y, v.Z
	}
	for i := range 3 {
		for jj := range 3 {
			for k := range 3 {
				for ll := range 3 {
					a[3*i+jj][3*k+ll] += (d+s)*m[3*i+jj]*m[3*k+ll] - s*m[3*i+ll]*m[3*k+jj]
				}
			}
		}
	}
}

// poisson is Poisson's ratio of an initial shear and bulk modulus.
func poisson(mu, kappa float64) float64 { return (3*kappa - 2*mu) / (6*kappa + 2*mu) }

// describe says a law in words, with its initial moduli.
func describe(name string, l material.Law) string {
	mu, kappa := l.ShearMPa(), l.BulkMPa()
	return fmt.Sprintf("%s, E %.4g MPa, ν %.4g", name, youngs(l), poisson(mu, kappa))
}

// youngs is the initial Young's modulus, MPa.
func youngs(l material.Law) float64 {
	mu, kappa := l.ShearMPa(), l.BulkMPa()
	return 9 * kappa * mu / (3*kappa + mu)
}
