package deck

import (
	"halsted/fem/material"
	"halsted/imaging"
)

// lawOf reads the law of a material: "tissue" or "law" with its constants.
func lawOf(o *object) (l material.Law, name string, density float64, err error) {
	id, err := o.text("tissue")
	if err != nil {
		return nil, "", 0, err
	}
	kind, err := o.text("law")
	switch {
	case err != nil:
		return nil, "", 0, err
	case id != "" && kind != "":
		return nil, "", 0, o.bad("law", "keep one of them", "stands beside tissue")
	case id != "":
		return tissueLaw(o, id)
	case kind == "":
		return nil, "", 0, o.bad("", `add "tissue" or "law"`, "a material without a law")
	}
	l, err = namedLaw(o, kind)
	if err != nil {
		return nil, "", 0, o.place("").wrap(err)
	}
	l, err = withProny(o, l)
	return l, kind, 0, err
}

// tissueLaw is a record of the library; artery layers want their directions.
func tissueLaw(o *object, id string) (material.Law, string, float64, error) {
	p := o.place("tissue")
	t, err := material.Lookup(id)
	if err != nil {
		return nil, "", 0, p.wrap(err)
	}
	circ, has, err := o.direction("circumferential")
	if err != nil {
		return nil, "", 0, err
	}
	axial, both, err := o.direction("axial")
	switch {
	case err != nil:
		return nil, "", 0, err
	case has != both:
		return nil, "", 0, o.bad("", "give circumferential and axial", "one of two directions")
	}
	var l material.Law
	if has {
		l, err = t.FibreLaw(circ, axial)
	} else {
		l, err = t.Law()
	}
	return l, t.Model + " of " + id, t.DensityTPerMM3, p.wrap(err)
}

// withProny makes a law viscoelastic; its constants are the instantaneous ones.
func withProny(o *object, l material.Law) (material.Law, error) {
	list, err := o.objects("prony")
	if err != nil || list == nil {
		return l, err
	}
	var terms []material.PronyTerm
	for _, t := range list {
		g, _, err := t.number("g")
		if err != nil {
			return nil, err
		}
		tau, err := t.need("tau", timeUnits)
		if err != nil {
			return nil, err
		}
		if err := t.done(); err != nil {
			return nil, err
		}
		terms = append(terms, material.PronyTerm{G: g, TauS: tau})
	}
	split, ok := l.(material.Split)
	if !ok {
		return nil, o.bad("prony", "use neo-hookean or another law with a volumetric part", "this law has no isochoric part")
	}
	v, err := material.NewViscoelastic(split, terms...)
	return v, o.place("prony").wrap(err)
}

// membraneLaw reads the law of a membrane.
func membraneLaw(o *object) (material.Membrane, error) {
	kind, err := o.text("law")
	if err != nil {
		return nil, err
	}
	t, err := o.need("thickness", lengthUnits)
	if err != nil {
		return nil, err
	}
	var nu float64
	if kind == "linear" || kind == "bilinear" {
		if nu, _, err = o.number("poisson_ratio"); err != nil {
			return nil, err
		}
	}
	var l material.Membrane
	switch kind {
	case "linear":
		e, err := o.need("youngs_modulus", stressUnits)
		if err != nil {
			return nil, err
		}
		l, err = material.NewLinearMembrane(e, nu, t)
		return l, o.place("").wrap(err)
	case "neo-hookean":
		mu, err := o.need("shear_modulus", stressUnits)
		if err != nil {
			return nil, err
		}
		l, err = material.NewNeoHookeanMembrane(mu, t)
		return l, o.place("").wrap(err)
	case "bilinear":
		var a, b float64
		if err := stresses(o, map[string]*float64{"small_modulus": &a, "large_modulus": &b}, "small_modulus", "large_modulus"); err != nil {
			return nil, err
		}
		at, _, err := o.number("transition_strain")
		if err != nil {
			return nil, err
		}
		l, err = material.NewBilinearMembrane(a, b, at, nu, t)
		return l, o.place("").wrap(err)
	}
	return nil, o.bad("law", "want linear, neo-hookean or bilinear", "%s is not known", quote(kind))
}

// labelsOf finds the labels that names of regions stand for.
func (r *modelReader) labelsOf(o *object, key string) ([]imaging.Label, error) {
	names, err := o.texts(key)
	if err != nil {
		return nil, err
	}
	var out []imaging.Label
	for _, n := range names {
		l, ok := r.label(n)
		if !ok {
			return nil, o.bad(key, "the mesh has "+r.regionNames(), "there is no region %s", quote(n))
		}
		out = append(out, l)
	}
	return out, nil
}
