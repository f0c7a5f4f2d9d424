package deck

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// constants reads the children of a material as numbers; others than want and
// skip are refused.
func (f *feb) constants(m *element, skip []string, want ...string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, k := range m.kids {
		switch {
		case k.name == "density" || slices.Contains(skip, k.name):
		case !slices.Contains(want, k.name):
			return nil, f.typed(m).bad("remove it, or solve the file with FEBio", "<%s> in line %d is not understood", k.name, k.line)
		case k.attr("type") != "" && k.attr("type") != "const":
			return nil, f.typed(k).bad("give a number", "a constant that varies in space is not available")
		case k.attr("lc") != "":
			return nil, f.at(k).bad("remove lc", "a constant that changes with time is not available")
		default:
			var v [1]float64
			if n, ok := numbers(k.text, v[:]); n != 1 || !ok {
				return nil, f.at(k).bad("", "%s is not a finite number", quote(k.text))
			}
			out[k.name] = v[0]
		}
	}
	return out, nil
}

// density is that of a material in the file's unit; FEBio's default is 1.
func (f *feb) density(m *element) (float64, error) {
	k := m.kid("density")
	if k == nil {
		if e := m.kid("elastic"); e != nil {
			return f.density(e)
		}
		return 1, nil
	}
	var v [1]float64
	if n, ok := numbers(k.text, v[:]); n != 1 || !ok || k.attr("type") != "" && k.attr("type") != "const" {
		return 0, f.at(k).bad("give a number", "%s is not a finite number", quote(k.text))
	}
	return v[0], nil
}

// pressureModels are FEBio's forms of U(J) by name and number.
var pressureModels = map[string]material.Volumetric{"": material.VolumetricLog, "default": material.VolumetricLog, "0": material.VolumetricLog,
	"nike3d": material.VolumetricSimo, "1": material.VolumetricSimo, "abaqus": material.VolumetricQuadratic, "2": material.VolumetricQuadratic,
	"abaqus (goh)": material.VolumetricSimo, "3": material.VolumetricSimo}

// law makes the law of a material. The constants that make shear stress are
// multiplied by scale.
func (f *feb) law(m *element, scale float64) (law material.Law, name string, err error) {
	p := f.typed(m)
	s := f.rep.Units.stress()
	typ := m.attr("type")
	skip := []string{"pressure_model", "mat_axis"}
	bulk := func(k float64) (float64, material.Volumetric, error) {
		model := ""
		if e := m.kid("pressure_model"); e != nil {
			model = strings.ToLower(e.text)
		} else if typ == "Holzapfel-Gasser-Ogden" {
			model = "3"
		}
		form, ok := pressureModels[model]
		if !ok {
			return 0, 0, p.bad("use default, NIKE3D or Abaqus", "the pressure_model %s is not known", quote(model))
		}
		return s * k, form, nil
	}
	switch typ {
	case "neo-Hookean", "isotropic elastic":
		c, err := f.constants(m, skip, "E", "v")
		if err != nil {
			return nil, "", err
		}
		if typ == "neo-Hookean" {
			l, err := material.NewCompressibleNeoHookean(s*scale*c["E"], c["v"])
			return l, "compressible neo-Hookean", p.wrap(err)
		}
		l, err := material.NewStVenantKirchhoff(s*scale*c["E"], c["v"])
		return l, "St. Venant–Kirchhoff", p.wrap(err)
	case "Mooney-Rivlin", "incomp neo-Hookean":
		c, err := f.constants(m, skip, "c1", "c2", "k", "G")
		if err != nil {
			return nil, "", err
		}
		kappa, form, err := bulk(c["k"])
		if err != nil {
			return nil, "", err
		}
		if typ != "Mooney-Rivlin" {
			l, err := material.NewNeoHookeanWith(s*scale*c["G"], kappa, form)
			return l, "neo-Hookean", p.wrap(err)
		}
		l, err := mooney(s*scale*c["c1"], s*scale*c["c2"], kappa, form)
		return l, "Mooney–Rivlin", p.wrap(err)
	case "Ogden":
		names := []string{"k"}
		for i := 1; i <= 6; i++ {
			names = append(names, fmt.Sprintf("c%d", i), fmt.Sprintf("m%d", i))
		}
		c, err := f.constants(m, skip, names...)
		if err != nil {
			return nil, "", err
		}
		var terms []material.OgdenTerm
		for i := 1; i <= 6; i++ {
			v := c[fmt.Sprintf("c%d", i)]
			if v == 0 {
				continue
			}
			if i > 3 {
				return nil, "", p.bad("use c1 to c3", "more than 3 terms")
			}
			a, ok := c[fmt.Sprintf("m%d", i)]
			if !ok {
				a = 1 // FEBio's default
			}
			terms = append(terms, material.OgdenTerm{MuMPa: s * scale * v, Alpha: a})
		}
		kappa, form, err := bulk(c["k"])
		if err != nil {
			return nil, "", err
		}
		l, err := ogden(material.OgdenCOverM2, terms, kappa, form)
		return l, "Ogden", p.wrap(err)
	case "Holzapfel-Gasser-Ogden":
		return f.artery(m, scale, bulk)
	case "uncoupled viscoelastic":
		return f.visco(m)
	}
	return nil, "", p.bad("use neo-Hookean, isotropic elastic, Mooney-Rivlin, Ogden, Holzapfel-Gasser-Ogden or uncoupled viscoelastic", "the law is not available")
}

// artery is the material "Holzapfel-Gasser-Ogden", with dispersion.
func (f *feb) artery(m *element, scale float64, bulk func(float64) (float64, material.Volumetric, error)) (material.Law, string, error) {
	p := f.typed(m)
	c, err := f.constants(m, []string{"pressure_model", "mat_axis"}, "c", "k1", "k2", "gamma", "kappa", "k")
	if err != nil {
		return nil, "", err
	}
	q := [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}}
	if a := m.kid("mat_axis"); a != nil {
		if q, err = f.axes(a); err != nil {
			return nil, "", err
		}
	}
	sin, cos := math.Sincos(c["gamma"] * math.Pi / 180)
	a1 := r3.Add(r3.Scale(cos, q[0]), r3.Scale(sin, q[1]))
	a2 := r3.Add(r3.Scale(cos, q[0]), r3.Scale(-sin, q[1]))
	kappa, form, err := bulk(c["k"])
	if err != nil {
		return nil, "", err
	}
	s := f.rep.Units.stress() * scale
	if c["kappa"] == 0 {
		l, err := material.NewHolzapfelGasserOgden(s*c["c"], s*c["k1"], c["k2"], anyNu, a1, a2)
		if err == nil {
			l, err = l.WithBulk(kappa, form)
		}
		return l, "Holzapfel–Gasser–Ogden", p.wrap(err)
	}
	l, err := material.NewGasserOgdenHolzapfel(s*c["c"], s*c["k1"], c["k2"], c["kappa"], anyNu, a1, a2)
	if err == nil {
		l, err = l.WithBulk(kappa, form)
	}
	return l, "Gasser–Ogden–Holzapfel", p.wrap(err)
}

// axes is a <mat_axis type="vector">: a is the first axis, a × d the third.
func (f *feb) axes(m *element) (q [3]r3.Vec, err error) {
	p := f.typed(m)
	var v [2][3]float64
	for i, name := range []string{"a", "d"} {
		k := m.kid(name)
		if m.attr("type") != "vector" || k == nil {
			return q, p.bad(`use type="vector" with a and d`, "these axes are not available")
		}
		if n, ok := numbers(k.text, v[i][:]); n != 3 || !ok {
			return q, f.at(k).bad("", "%s are no three finite numbers", quote(k.text))
		}
	}
	a, d := r3.Vec{X: v[0][0], Y: v[0][1], Z: v[0][2]}, r3.Vec{X: v[1][0], Y: v[1][1], Z: v[1][2]}
	c := r3.Cross(a, d)
	if !(r3.Norm(c) > 1e-9*r3.Norm(a)*r3.Norm(d)) {
		return q, p.bad("give two directions that differ", "a and d are parallel")
	}
	q[0], q[2] = r3.Unit(a), r3.Unit(c)
	q[1] = r3.Cross(q[2], q[0])
	return q, nil
}

// visco is "uncoupled viscoelastic": the isochoric stress goes with
// g0 + Σ g_i·exp(−t/t_i).
func (f *feb) visco(m *element) (material.Law, string, error) {
	p := f.typed(m)
	names := []string{"g0", "k"}
	for i := 1; i <= 6; i++ {
		names = append(names, fmt.Sprintf("g%d", i), fmt.Sprintf("t%d", i))
	}
	c, err := f.constants(m, []string{"elastic", "pressure_model"}, names...)
	if err != nil {
		return nil, "", err
	}
	e := m.kid("elastic")
	if e == nil {
		return nil, "", p.bad("add <elastic>", "there is no elastic part")
	}
	g0, ok := c["g0"]
	if !ok {
		g0 = 1
	}
	whole := g0
	for i := 1; i <= 6; i++ {
		whole += c[fmt.Sprintf("g%d", i)]
	}
	if !(whole > 0) {
		return nil, "", p.bad("give positive g", "the moduli sum up to %g", whole)
	}
	var terms []material.PronyTerm
	for i := 1; i <= 6; i++ {
		if g := c[fmt.Sprintf("g%d", i)]; g != 0 {
			tau, ok := c[fmt.Sprintf("t%d", i)]
			if !ok {
				tau = 1
			}
			terms = append(terms, material.PronyTerm{G: g / whole, TauS: tau})
		}
	}
	inner := *e
	if _, given := c["k"]; given && c["k"] != 0 { // FEBio takes the outer one
		inner.kids = slices.DeleteFunc(slices.Clone(e.kids), func(k *element) bool { return k.name == "k" || k.name == "pressure_model" })
		inner.kids = append(inner.kids, m.kid("k"))
		if q := m.kid("pressure_model"); q != nil {
			inner.kids = append(inner.kids, q)
		}
	}
	law, name, err := f.law(&inner, whole)
	if err != nil {
		return nil, "", err
	}
	split, ok := law.(material.Split)
	if !ok {
		return nil, "", p.bad("use an uncoupled law inside", "the law has no isochoric part")
	}
	l, err := material.NewViscoelastic(split, terms...)
	return l, "viscoelastic " + name, p.wrap(err)
}
