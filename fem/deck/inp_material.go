package deck

import (
	"strconv"
	"strings"

	"halsted/fem/material"
)

// inpMaterial is a *MATERIAL.
type inpMaterial struct {
	place
	name    string
	elastic *inpLaw
	hyper   *inpLaw
	density float64 // in the file's unit
}

// inpLaw is the data of *ELASTIC or *HYPERELASTIC.
type inpLaw struct {
	place
	kind   string // of *HYPERELASTIC
	terms  int    // N
	values []float64
}

func (r *inp) materialKey(k *inpKey) error {
	if k.name == "MATERIAL" {
		name := k.params["NAME"]
		if name == "" {
			return k.bad("write NAME=name", "names no material")
		}
		if _, twice := r.materials[upper(name)]; twice {
			return k.bad("give it another name", "the material %s is defined twice", quote(name))
		}
		r.material = &inpMaterial{place: k.place, name: name}
		r.materials[upper(name)] = r.material
		return r.skipData()
	}
	if r.material == nil {
		return k.bad("put it behind *MATERIAL", "stands under no material")
	}
	rows, err := r.rows(k)
	if err != nil {
		return err
	}
	m := r.material
	switch k.name {
	case "DENSITY":
		if len(rows) != 1 || len(rows[0]) < 1 || !(rows[0][0] >= 0) {
			return k.bad("write one density", "one number that is not negative is wanted")
		}
		m.density = rows[0][0]
	case "ELASTIC":
		if t := k.params["TYPE"]; t != "" && !strings.EqualFold(t, "ISO") && !strings.EqualFold(t, "ISOTROPIC") {
			return k.bad("use TYPE=ISO", "the type %s is not available", t)
		}
		if err := k.allow("TYPE"); err != nil {
			return err
		}
		if len(rows) != 1 || len(rows[0]) < 2 {
			return k.bad("write one line: E, ν", "%d lines; a law that changes with temperature is not available", len(rows))
		}
		m.elastic = &inpLaw{place: k.place, values: rows[0][:2]}
	case "HYPERELASTIC":
		return m.hyperelastic(k, rows)
	default:
		return k.bad("remove it, or choose another law", "is not available")
	}
	return nil
}

// rows reads data lines of numbers.
func (r *inp) rows(k *inpKey) (rows [][]float64, err error) {
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return rows, err
		}
		p := r.here(k)
		var row []float64
		for _, w := range r.src.fields() {
			x := 0.0
			if len(w) > 0 {
				if x, ok = parseFloat(w); !ok {
					return nil, p.bad("", "%s is not a finite number", quote(w))
				}
			}
			row = append(row, x)
		}
		if rows = append(rows, row); len(rows) > 1000 {
			return nil, p.bad("", "more than 1000 lines of constants")
		}
	}
}

// hyperKinds are the forms of *HYPERELASTIC that are read.
var hyperKinds = map[string]string{"NEOHOOKE": "NEO HOOKE", "MOONEY-RIVLIN": "MOONEY-RIVLIN", "YEOH": "YEOH", "OGDEN": "OGDEN", "POLYNOMIAL": "POLYNOMIAL", "REDUCEDPOLYNOMIAL": "REDUCED POLYNOMIAL"}

func (m *inpMaterial) hyperelastic(k *inpKey, rows [][]float64) error {
	l := &inpLaw{place: k.place, terms: 1}
	for p, v := range k.params {
		switch {
		case hyperKinds[p] != "" && l.kind == "":
			l.kind = p
		case p == "N":
			n, err := strconv.Atoi(strings.TrimSpace(v))
			if err != nil || n < 1 || n > 3 {
				return k.bad("use 1 to 3 terms", "N=%s", v)
			}
			l.terms = n
		case p == "MODULI":
		default:
			return k.bad("use NEO HOOKE, MOONEY-RIVLIN, YEOH, OGDEN (N up to 3) or REDUCED POLYNOMIAL", "the law or parameter %s is not available", p)
		}
	}
	switch {
	case l.kind == "" && l.terms == 1:
		l.kind = "POLYNOMIAL" // the default of both programs
	case l.kind == "":
		return k.bad("name the law", "names no law")
	case l.kind == "POLYNOMIAL" && l.terms > 1:
		return k.bad("use REDUCED POLYNOMIAL or MOONEY-RIVLIN", "a full polynomial with N=%d is not available", l.terms)
	}
	want := l.constants()
	for _, row := range rows {
		l.values = append(l.values, row...)
		if len(l.values) >= want {
			break
		}
		if len(row)%8 != 0 { // a full line goes on
			break
		}
	}
	lines := (want + 7) / 8
	switch {
	case len(l.values) < want:
		return k.bad("give D1 too: these bodies are not quite incompressible", "%d constants of %d", len(l.values), want)
	case len(rows) > lines:
		return k.bad("give the constants of one temperature", "a law that changes with temperature is not available")
	}
	l.values = l.values[:want]
	m.hyper = l
	return nil
}

// constants is how many numbers a law has, the D's among them.
func (l *inpLaw) constants() int {
	switch l.kind {
	case "NEOHOOKE":
		return 2
	case "MOONEY-RIVLIN", "POLYNOMIAL":
		return 3
	case "YEOH":
		return 6
	case "OGDEN":
		return 3 * l.terms
	}
	return 2 * l.terms // reduced polynomial
}

// law makes the law of a material; linear is for steps without NLGEOM.
func (m *inpMaterial) law(u Units, linear bool) (material.Law, string, error) {
	s := u.stress()
	switch {
	case m.elastic == nil && m.hyper == nil:
		return nil, "", m.bad("add *ELASTIC or *HYPERELASTIC", "the material %s has no law", quote(m.name))
	case m.elastic != nil && m.hyper != nil:
		return nil, "", m.bad("keep one of them", "the material %s is both *ELASTIC and *HYPERELASTIC", quote(m.name))
	case m.elastic != nil && linear:
		l, err := material.NewLinear(s*m.elastic.values[0], m.elastic.values[1])
		return l, "Hooke", m.elastic.wrap(err)
	case m.elastic != nil:
		l, err := material.NewStVenantKirchhoff(s*m.elastic.values[0], m.elastic.values[1])
		return l, "St. Venant–Kirchhoff", m.elastic.wrap(err)
	case linear:
		return nil, "", m.hyper.bad("write *STEP, NLGEOM", "a hyperelastic law in a step without NLGEOM")
	}
	l, name, err := m.hyper.law(s)
	return l, name, m.hyper.wrap(err)
}

// law makes the hyperelastic law; s is the unit of stress in MPa. All have
// U = (J − 1)²/D1.
func (l *inpLaw) law(s float64) (material.Law, string, error) {
	c := l.values
	var d []float64
	terms := l.terms
	switch l.kind {
	case "NEOHOOKE":
		c, d = c[:1], c[1:]
	case "MOONEY-RIVLIN", "POLYNOMIAL":
		c, d = c[:2], c[2:]
	case "YEOH":
		c, d, terms = c[:3], c[3:], 3
	case "OGDEN":
		c, d = c[:2*terms], c[2*terms:]
	default:
		c, d = c[:terms], c[terms:]
	}
	if !(d[0] > 0) {
		return nil, "", l.bad("give D1 = 2/κ; D1 = 0 stands for a body that cannot change its volume at all", "D1 = %g", d[0])
	}
	for i, x := range d[1:] {
		if x != 0 && x != d[0] {
			return nil, "", l.bad("write 0", "D%d = %g: higher terms of the volume change are not available", i+2, x)
		}
		if x == d[0] && x != 0 {
			return nil, "", l.bad("write 0", "D%d = %g: higher terms of the volume change are not available", i+2, x)
		}
	}
	kappa := 2 * s / d[0]
	nu := func(mu float64) float64 { return poisson(mu, kappa) }
	var law split
	var err error
	name := strings.ToLower(hyperKinds[l.kind])
	switch l.kind {
	case "NEOHOOKE":
		n, err := material.NewNeoHookeanWith(2*s*c[0], kappa, material.VolumetricQuadratic)
		return n, "neo-Hookean", err
	case "MOONEY-RIVLIN", "POLYNOMIAL":
		law, err = material.NewMooneyRivlin(s*c[0], s*c[1], nu(2*s*(c[0]+c[1])))
	case "OGDEN":
		var t []material.OgdenTerm
		for i := range terms {
			t = append(t, material.OgdenTerm{MuMPa: s * c[2*i], Alpha: c[2*i+1]})
		}
		law, err = material.NewOgdenBulk(material.Ogden2MuOverAlpha2, kappa, t...)
	default:
		var y [3]float64
		copy(y[:], c)
		law, err = material.NewYeoh(s*y[0], s*y[1], s*y[2], nu(2*s*y[0]))
		name = "Yeoh"
	}
	if err != nil {
		return nil, "", err
	}
	out, err := withVolumetric(law, material.VolumetricQuadratic)
	return out, name, err
}
