package deck

import (
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// volumetricNames are the forms of U(J).
var volumetricNames = map[string]material.Volumetric{"": material.VolumetricSimo, "simo": material.VolumetricSimo, "quadratic": material.VolumetricQuadratic, "log": material.VolumetricLog}

// bulkOf reads poisson_ratio or bulk_modulus, and the form of U(J).
func bulkOf(o *object, mu float64) (kappa float64, form material.Volumetric, err error) {
	nu, hasNu, err := o.number("poisson_ratio")
	if err != nil {
		return 0, 0, err
	}
	kappa, hasK, err := o.quantity("bulk_modulus", stressUnits)
	if err != nil {
		return 0, 0, err
	}
	name, err := o.text("volumetric")
	if err != nil {
		return 0, 0, err
	}
	form, ok := volumetricNames[name]
	switch {
	case !ok:
		return 0, 0, o.bad("volumetric", "want simo, quadratic or log", "%s is not known", quote(name))
	case hasNu == hasK:
		return 0, 0, o.bad("", "give one of them", "want poisson_ratio or bulk_modulus_kPa")
	case hasNu && !(nu > -1 && nu < 0.5):
		return 0, 0, o.bad("poisson_ratio", "up to 0.4999 for nearly incompressible tissue", "%g is not above −1 and below 0.5", nu)
	case hasNu:
		kappa = 2 * mu * (1 + nu) / (3 * (1 - 2*nu))
	}
	return kappa, form, nil
}

// stresses reads constants that must be there.
func stresses(o *object, into map[string]*float64, order ...string) error {
	for _, n := range order {
		v, err := o.need(n, stressUnits)
		if err != nil {
			return err
		}
		*into[n] = v
	}
	return nil
}

// plainLaws are the laws of two moduli.
func plainLaw(o *object, kind string) (material.Law, error) {
	e, err := o.need("youngs_modulus", stressUnits)
	if err != nil {
		return nil, err
	}
	nu, given, err := o.number("poisson_ratio")
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, o.bad("", "add poisson_ratio", "there is no poisson_ratio")
	}
	switch kind {
	case "linear":
		return material.NewLinear(e, nu)
	case "st-venant-kirchhoff":
		return material.NewStVenantKirchhoff(e, nu)
	case "compressible-neo-hookean":
		return material.NewCompressibleNeoHookean(e, nu)
	}
	yield, err := o.need("yield_stress", stressUnits)
	if err != nil {
		return nil, err
	}
	hard, _, err := o.quantity("hardening_modulus", stressUnits)
	if err != nil {
		return nil, err
	}
	return material.NewElasticPlastic(e, nu, yield, hard)
}

// lawNames are the laws of model files.
const lawNames = "linear, st-venant-kirchhoff, neo-hookean, compressible-neo-hookean, mooney-rivlin, yeoh, raghavan-vorp, ogden, holzapfel-gasser-ogden, guccione or elastic-plastic"

// namedLaw reads a law by its name.
func namedLaw(o *object, kind string) (material.Law, error) {
	switch kind {
	case "linear", "st-venant-kirchhoff", "compressible-neo-hookean", "elastic-plastic":
		return plainLaw(o, kind)
	case "neo-hookean":
		mu, given, err := o.quantity("shear_modulus", stressUnits)
		if err != nil {
			return nil, err
		}
		e, hasE, err := o.quantity("youngs_modulus", stressUnits)
		switch {
		case err != nil:
			return nil, err
		case given == hasE:
			return nil, o.bad("", "give one of them", "want youngs_modulus_kPa or shear_modulus_kPa")
		case hasE:
			nu, _, err := o.number("poisson_ratio")
			if err != nil {
				return nil, err
			}
			mu = e / (2 * (1 + nu))
		}
		if hasE && o.has("bulk_modulus_kPa") {
			return nil, o.bad("bulk_modulus_kPa", "give poisson_ratio", "stands beside youngs_modulus")
		}
		kappa, form, err := bulkOf(o, mu)
		if err != nil {
			return nil, err
		}
		return material.NewNeoHookeanWith(mu, kappa, form)
	case "mooney-rivlin":
		var a, b float64
		if err := stresses(o, map[string]*float64{"c10": &a, "c01": &b}, "c10", "c01"); err != nil {
			return nil, err
		}
		kappa, form, err := bulkOf(o, 2*(a+b))
		if err != nil {
			return nil, err
		}
		return mooney(a, b, kappa, form)
	case "yeoh":
		var c [3]float64
		if err := stresses(o, map[string]*float64{"c10": &c[0], "c20": &c[1], "c30": &c[2]}, "c10", "c20", "c30"); err != nil {
			return nil, err
		}
		kappa, form, err := bulkOf(o, 2*c[0])
		if err != nil {
			return nil, err
		}
		return yeoh(c, kappa, form)
	case "raghavan-vorp":
		var a, b float64
		if err := stresses(o, map[string]*float64{"alpha": &a, "beta": &b}, "alpha", "beta"); err != nil {
			return nil, err
		}
		nu, given, err := o.number("poisson_ratio")
		if err != nil {
			return nil, err
		}
		if !given {
			nu = material.IncompressibleNu
		}
		return material.NewRaghavanVorp(a, b, nu)
	case "ogden":
		return ogdenLaw(o)
	case "holzapfel-gasser-ogden":
		return arteryLaw(o)
	case "guccione":
		return guccioneLaw(o)
	}
	return nil, o.bad("law", "want "+lawNames, "%s is not known", quote(kind))
}

var ogdenForms = map[string]material.OgdenForm{"mu/alpha": material.OgdenMuOverAlpha, "2mu/alpha2": material.Ogden2MuOverAlpha2, "c/m2": material.OgdenCOverM2}

func ogdenLaw(o *object) (material.Law, error) {
	name, err := o.text("form")
	if err != nil {
		return nil, err
	}
	form, ok := ogdenForms[name]
	if !ok {
		return nil, o.bad("form", "want mu/alpha, 2mu/alpha2 (Abaqus) or c/m2 (FEBio)", "%s is not known", quote(name))
	}
	list, err := o.objects("terms")
	if err != nil {
		return nil, err
	}
	var terms []material.OgdenTerm
	for _, t := range list {
		mu, err := t.need("mu", stressUnits)
		if err != nil {
			return nil, err
		}
		alpha, _, err := t.number("alpha")
		if err != nil {
			return nil, err
		}
		if err := t.done(); err != nil {
			return nil, err
		}
		terms = append(terms, material.OgdenTerm{MuMPa: mu, Alpha: alpha})
	}
	l, err := material.NewOgden(form, anyNu, terms...)
	if err != nil {
		return nil, err
	}
	kappa, vol, err := bulkOf(o, l.ShearMPa())
	if err != nil {
		return nil, err
	}
	return l.WithBulk(kappa, vol)
}

func arteryLaw(o *object) (material.Law, error) {
	var c, k1 float64
	if err := stresses(o, map[string]*float64{"c": &c, "k1": &k1}, "c", "k1"); err != nil {
		return nil, err
	}
	k2, _, err := o.number("k2")
	if err != nil {
		return nil, err
	}
	d, _, err := o.number("dispersion")
	if err != nil {
		return nil, err
	}
	angle, err := o.need("angle", angleUnits)
	if err != nil {
		return nil, err
	}
	var dir [2]r3.Vec
	for i, n := range []string{"circumferential", "axial"} {
		v, given, err := o.direction(n)
		if err != nil {
			return nil, err
		}
		if !given {
			return nil, o.bad("", "add circumferential and axial, each [x, y, z]", "there is no direction %s", n)
		}
		dir[i] = v
	}
	if dot := r3.Dot(dir[0], dir[1]); dot > 1e-6 || dot < -1e-6 {
		return nil, o.bad("axial", "give two directions at right angles", "is not at right angles to circumferential")
	}
	kappa, form, err := bulkOf(o, c)
	if err != nil {
		return nil, err
	}
	a1, a2 := material.FibresInPlane(dir[0], dir[1], angle)
	if d == 0 {
		l, err := material.NewHolzapfelGasserOgden(c, k1, k2, anyNu, a1, a2)
		if err != nil {
			return nil, err
		}
		return l.WithBulk(kappa, form)
	}
	l, err := material.NewGasserOgdenHolzapfel(c, k1, k2, d, anyNu, a1, a2)
	if err != nil {
		return nil, err
	}
	return l.WithBulk(kappa, form)
}

func guccioneLaw(o *object) (material.Law, error) {
	c, err := o.need("c", stressUnits)
	if err != nil {
		return nil, err
	}
	var b [3]float64
	for i, n := range []string{"bf", "bt", "bfs"} {
		if b[i], _, err = o.number(n); err != nil {
			return nil, err
		}
	}
	kappa, err := o.need("bulk_modulus", stressUnits)
	if err != nil {
		return nil, err
	}
	full, err := o.flag("full_strain")
	if err != nil {
		return nil, err
	}
	strain := material.GuccioneIsochoric
	if full {
		strain = material.GuccioneFull
	}
	return material.NewGuccione(c, b[0], b[1], b[2], kappa, strain)
}
