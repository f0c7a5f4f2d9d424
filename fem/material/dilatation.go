package material

// dilatation is the volumetric part that the laws in invariants share: κ in
// MPa and the form of U(J), VolumetricSimo unless another is chosen.
type dilatation struct {
	kappa float64
	form  Volumetric
}

// dilatationOf is κ of an initial shear modulus and Poisson's ratio, with the
// form of Simo.
func dilatationOf(mu, nu float64) dilatation { return dilatation{kappa: bulk(mu, nu)} }

// newDilatation takes κ in MPa and the form of U(J).
func newDilatation(kappaMPa float64, form Volumetric) (dilatation, error) {
	if err := positive("bulk modulus", kappaMPa, "MPa"); err != nil {
		return dilatation{}, err
	}
	if form > VolumetricLog {
		return dilatation{}, &ParameterError{"volumetric form", float64(form), "", "VolumetricSimo, VolumetricQuadratic or VolumetricLog"}
	}
	return dilatation{kappaMPa, form}, nil
}

// Dilatation returns U(J), U'(J) and U”(J) of the volumetric part, MPa.
func (d dilatation) Dilatation(j float64) (u, du, ddu float64) { return d.form.dilatation(d.kappa, j) }

// BulkMPa is κ.
func (d dilatation) BulkMPa() float64 { return d.kappa }

// Volumetric is the form of U(J).
func (d dilatation) Volumetric() Volumetric { return d.form }

func (d dilatation) energy(j float64) float64 { return d.form.energy(d.kappa, j) }

// slope is dU/dln J, the factor of F⁻ᵀ in P.
func (d dilatation) slope(j float64) float64 {
	s, _ := d.form.slopes(d.kappa, j)
	return s
}

// curve is d²U/d(ln J)², the factor of F⁻ᵀ⊗F⁻ᵀ in A.
func (d dilatation) curve(j float64) float64 {
	_, ss := d.form.slopes(d.kappa, j)
	return ss
}

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
