package deck

import (
	"fmt"

	"halsted/fem/material"
)

// anyNu stands for Poisson's ratio where the bulk modulus is given afterwards.
const anyNu = 0.45

// mooney is a Mooney–Rivlin law with a bulk modulus and form of its own, MPa.
func mooney(c10, c01, kappa float64, form material.Volumetric) (material.Split, error) {
	l, err := material.NewMooneyRivlin(c10, c01, anyNu)
	if err != nil {
		return nil, err
	}
	return l.WithBulk(kappa, form)
}

func yeoh(c [3]float64, kappa float64, form material.Volumetric) (material.Split, error) {
	l, err := material.NewYeoh(c[0], c[1], c[2], anyNu)
	if err != nil {
		return nil, err
	}
	return l.WithBulk(kappa, form)
}

func ogden(of material.OgdenForm, terms []material.OgdenTerm, kappa float64, form material.Volumetric) (material.Split, error) {
	l, err := material.NewOgdenBulk(of, kappa, terms...)
	if err != nil {
		return nil, err
	}
	return l.WithBulk(kappa, form)
}

// poisson is Poisson's ratio of an initial shear and bulk modulus.
func poisson(mu, kappa float64) float64 { return (3*kappa - 2*mu) / (6*kappa + 2*mu) }

// describe says a law in words, with its initial moduli.
func describe(name string, l material.Law) string {
	return fmt.Sprintf("%s, E %.4g MPa, ν %.4g", name, youngs(l), poisson(l.ShearMPa(), l.BulkMPa()))
}

// youngs is the initial Young's modulus, MPa.
func youngs(l material.Law) float64 {
	mu, kappa := l.ShearMPa(), l.BulkMPa()
	return 9 * kappa * mu / (3*kappa + mu)
}
