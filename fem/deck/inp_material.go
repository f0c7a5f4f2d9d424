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
	plastic *inpLaw // yield stress, plastic strain
	prony   *inpLaw // g, k, τ each
	density float64 // in the file's unit
}

// inpLaw is the data of *ELASTIC or *HYPERELASTIC.
type inpLaw struct {
	place
	kind   string // of *HYPERELASTIC
	terms  int    // N
	now    bool   // the moduli are instantaneous, not those of the long term
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
		if err := k.allow("TYPE", "MODULI"); err != nil {
			return err
		}
		if len(rows) != 1 || len(rows[0]) < 2 {
			return k.bad("write one line: E, ν", "%d lines; a law that changes with temperature is not available", len(rows))
		}
		m.elastic = &inpLaw{place: k.place, values: rows[0][:2]}
	case "PLASTIC":
		if h := k.params["HARDENING"]; h != "" && !strings.EqualFold(h, "ISOTROPIC") {
			return k.bad("use HARDENING=ISOTROPIC", "HARDENING=%s is not available", h)
		}
		if err := k.allow("HARDENING"); err != nil {
			return err
		}
		m.plastic = &inpLaw{place: k.place}
		for _, row := range rows {
			if len(row) < 1 || len(row) > 2 {
				return k.bad("write yield stress, plastic strain", "%d values on a line; yield that depends on temperature is not available", len(row))
			}
			m.plastic.values = append(m.plastic.values, row[0], append(row, 0)[1])
		}
	case "VISCOELASTIC":
		if t := k.params["TIME"]; !strings.EqualFold(t, "PRONY") {
			return k.bad("use TIME=PRONY", "TIME=%s is not available", t)
		}
		if err := k.allow("TIME"); err != nil {
			return err
		}
		m.prony = &inpLaw{place: k.place}
		for _, row := range rows {
			if len(row) != 3 || row[1] != 0 {
				return k.bad("write g, 0, τ: the bulk modulus does not relax", "a line of %d values, or one with k ≠ 0", len(row))
			}
			m.prony.values = append(m.prony.values, row...)
		}
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
			l.now = strings.EqualFold(v, "INSTANTANEOUS")
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
	case m.prony != nil && m.hyper == nil:
		return nil, "", m.prony.bad("use *HYPERELASTIC, NEO HOOKE", "viscoelasticity needs a hyperelastic law")
	case m.plastic != nil && (m.elastic == nil || linear):
		return nil, "", m.plastic.bad("use *ELASTIC and *STEP, NLGEOM", "plasticity needs *ELASTIC and a step with NLGEOM")
	case m.plastic != nil:
		l, err := m.yielding(s)
		return l, "elastic–plastic", err
	case m.elastic != nil && linear:
		l, err := material.NewLinear(s*m.elastic.values[0], m.elastic.values[1])
		return l, "Hooke", m.elastic.wrap(err)
	case m.elastic != nil:
		l, err := material.NewStVenantKirchhoff(s*m.elastic.values[0], m.elastic.values[1])
		return l, "St. Venant–Kirchhoff", m.elastic.wrap(err)
	case linear:
		return nil, "", m.hyper.bad("write *STEP, NLGEOM", "a hyperelastic law in a step without NLGEOM")
	case m.prony == nil:
		l, name, err := m.hyper.law(s, 1)
		return l, name, m.hyper.wrap(err)
	}
	var terms []material.PronyTerm
	rest := 1.0
	for i := 0; i < len(m.prony.values); i += 3 {
		terms = append(terms, material.PronyTerm{G: m.prony.values[i], TauS: m.prony.values[i+2]})
		rest -= m.prony.values[i]
	}
	scale := 1.0
	if !m.hyper.now && rest > 0 {
		scale = 1 / rest
	}
	l, name, err := m.hyper.law(s, scale)
	if err != nil {
		return nil, "", m.hyper.wrap(err)
	}
	v, err := material.NewViscoelastic(l, terms...)
	return v, "viscoelastic " + name, m.prony.wrap(err)
}

// yielding is *ELASTIC with *PLASTIC: perfect, or with one slope.
func (m *inpMaterial) yielding(s float64) (material.Law, error) {
	p, slope := m.plastic.values, 0.0
	switch {
	case len(p) == 2 && p[1] == 0:
	case len(p) == 4 && p[1] == 0 && p[3] > 0:
		slope = (p[2] - p[0]) / p[3]
	default:
		return nil, m.plastic.bad("write one line, or two with the first at strain 0", "the hardening curve has %d points", len(p)/2)
	}
	l, err := material.NewElasticPlastic(s*m.elastic.values[0], m.elastic.values[1], s*p[0], s*slope)
	return l, m.plastic.wrap(err)
}

// law makes the hyperelastic law; s is the unit of stress in MPa, and the
// constants other than D are multiplied by scale. All have U = (J − 1)²/D1.
func (l *inpLaw) law(s, scale float64) (material.Split, string, error) {
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
		if x != 0 {
			return nil, "", l.bad("write 0", "D%d = %g: higher terms of the volume change are not available", i+2, x)
		}
	}
	const form = material.VolumetricQuadratic
	kappa := 2 * s / d[0]
	s *= scale
	switch l.kind {
	case "NEOHOOKE":
		n, err := material.NewNeoHookeanWith(2*s*c[0], kappa, form)
		return n, "neo-Hookean", err
	case "MOONEY-RIVLIN", "POLYNOMIAL":
		n, err := mooney(s*c[0], s*c[1], kappa, form)
		return n, "Mooney–Rivlin", err
	case "OGDEN":
		var t []material.OgdenTerm
		for i := range terms {
			t = append(t, material.OgdenTerm{MuMPa: s * c[2*i], Alpha: c[2*i+1]})
		}
		n, err := ogden(material.Ogden2MuOverAlpha2, t, kappa, form)
		return n, "Ogden", err
	}
	var y [3]float64
	for i, v := range c {
		y[i] = s * v
	}
	n, err := yeoh(y, kappa, form)
	return n, "Yeoh", err
}
