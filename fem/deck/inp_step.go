package deck

import (
	"strings"
)

// inpStep is one *STEP as it is written; what changes the state is kept in the
// order of the file.
type inpStep struct {
	place
	name            string
	nonlinear       bool
	static          bool
	period, initial float64
	direct          bool
	entries         []inpEntry
}

// inpEntry is one data line of *BOUNDARY, *CLOAD, *DLOAD or *DSLOAD.
type inpEntry struct {
	what   entryKind
	key    *inpKey
	file   string
	line   int32
	a, b   int8  // degrees of freedom
	number int64 // node or element; 0: the set
	set    string
	face   string // "P1", "GRAV", …
	value  float64
	vector [3]float64
}

type entryKind uint8

const (
	entryFix entryKind = iota
	entryForce
	entryBody    // *DLOAD
	entrySurface // *DSLOAD
	entryClear   // OP=NEW of the kind in a
)

func (e *inpEntry) place() place { return place{e.file, int(e.line), e.key.keyword} }

func (r *inp) beginStep(k *inpKey) error {
	if r.step != nil {
		return k.bad("write *END STEP", "begins inside another step")
	}
	if err := k.allow("NAME", "NLGEOM", "INC", "UNSYMM", "CONVERTSDI", "EXTRAPOLATION", "AMPLITUDE"); err != nil {
		return err
	}
	if a := k.params["AMPLITUDE"]; a != "" && !strings.EqualFold(a, "RAMP") {
		return k.bad("use AMPLITUDE=RAMP", "loads that act at once are not followed")
	}
	s := &inpStep{place: k.place, name: k.params["NAME"], period: 1, initial: 1}
	if k.has("NLGEOM") && !k.is("NLGEOM", "NO") {
		s.nonlinear = true
	} else if n := len(r.steps); n > 0 && r.steps[n-1].nonlinear && !k.has("NLGEOM") {
		s.nonlinear = true
	}
	r.step = s
	r.steps = append(r.steps, s)
	return r.skipData() // the title of the step
}

func (r *inp) static(k *inpKey) error {
	if r.step == nil {
		return k.bad("put it behind *STEP", "stands outside of a step")
	}
	if err := k.allow("SOLVER", "DIRECT", "TIMERESET", "TOTALTIMEATSTART", "CETOL"); err != nil {
		return err
	}
	s := r.step
	s.static, s.direct = true, k.has("DIRECT")
	given := false
	for {
		ok, err := r.more()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if given {
			return r.here(k).bad("", "a second data line")
		}
		given = true
		p := r.here(k)
		for i, w := range r.src.fields() {
			if len(w) == 0 {
				continue
			}
			x, ok := parseFloat(w)
			if !ok || x < 0 {
				return p.bad("", "%s is no time", quote(w))
			}
			switch {
			case i == 0 && x > 0:
				s.initial = x
			case i == 1 && x > 0:
				s.period = x
			}
		}
	}
	return nil
}

// current is the step under way, or what stands before the first.
func (r *inp) current() *inpStep {
	if r.step != nil {
		return r.step
	}
	return r.base
}

// loadKey checks the parameters that loads and supports have in common.
func (r *inp) loadKey(k *inpKey, clear entryKind, extra ...string) error {
	if a := k.params["AMPLITUDE"]; a != "" {
		return k.bad("let the loads grow in proportion to time, one *STEP for each piece", "amplitudes are not followed")
	}
	if err := k.allow(append(extra, "OP", "LOADCASE")...); err != nil {
		return err
	}
	op := upper(k.params["OP"])
	if op != "" && op != "NEW" && op != "MOD" {
		return k.bad("use OP=NEW or OP=MOD", "OP=%s is not understood", op)
	}
	if op == "NEW" {
		s := r.current()
		s.entries = append(s.entries, inpEntry{what: entryClear, a: int8(clear), key: k, file: k.file, line: int32(k.line)})
	}
	return nil
}

// fixedDofs are the supports that have a name.
var fixedDofs = map[string][2]int8{"ENCASTRE": {1, 3}, "PINNED": {1, 3}, "XSYMM": {1, 1}, "YSYMM": {2, 2}, "ZSYMM": {3, 3}}

func (r *inp) boundary(k *inpKey) error {
	if err := r.loadKey(k, entryFix, "TYPE"); err != nil {
		return err
	}
	if t := k.params["TYPE"]; t != "" && !strings.EqualFold(t, "DISPLACEMENT") {
		return k.bad("prescribe displacements", "TYPE=%s is not understood", t)
	}
	into := r.current()
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		s := r.src
		e := inpEntry{what: entryFix, key: k, file: s.name, line: int32(s.line)}
		target := s.field()
		e.target(target)
		dof := s.field()
		if d, named := fixedDofs[upper(string(dof))]; named {
			e.a, e.b = d[0], d[1]
		} else {
			a, ok := parseInt(dof)
			b := a
			if w := s.field(); len(w) > 0 && ok {
				b, ok = parseInt(w)
			}
			if !ok || a < 1 || b < a || b > 6 {
				return r.here(k).bad("write node or set, first and last degree of freedom, value", "%s is no degree of freedom from 1 to 6", quote(dof))
			}
			e.a, e.b = int8(a), int8(b)
			if w := s.field(); len(w) > 0 {
				if e.value, ok = parseFloat(w); !ok {
					return r.here(k).bad("", "%s is not a finite number", quote(w))
				}
			}
		}
		if e.b > 3 {
			if e.a > 3 && e.value != 0 {
				return r.here(k).bad("prescribe displacements", "a rotation is prescribed, which nodes of solid elements do not have")
			}
			e.b = 3
		}
		if err := r.end(k); err != nil {
			return err
		}
		if e.a <= 3 {
			into.entries = append(into.entries, e)
		}
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// target reads a number or the name of a set.
func (e *inpEntry) target(w []byte) {
	if n, ok := parseInt(w); ok && n > 0 {
		e.number = n
	} else {
		e.set = string(w)
	}
}

func (r *inp) cload(k *inpKey) error {
	if r.step == nil && !r.meshOnly {
		return k.bad("put it behind *STEP", "stands outside of a step")
	}
	if err := r.loadKey(k, entryForce); err != nil {
		return err
	}
	into := r.current()
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		s := r.src
		e := inpEntry{what: entryForce, key: k, file: s.name, line: int32(s.line)}
		e.target(s.field())
		w := s.field()
		d, ok := parseInt(w)
		if !ok || d < 1 || d > 3 {
			return r.here(k).bad("write node or set, direction 1 to 3, force", "%s is no direction", quote(w))
		}
		e.a = int8(d)
		w = s.field()
		if e.value, ok = parseFloat(w); !ok {
			return r.here(k).bad("", "%s is not a finite number", quote(w))
		}
		if err := r.end(k); err != nil {
			return err
		}
		into.entries = append(into.entries, e)
		if err := r.alive(); err != nil {
			return err
		}
	}
}

// dload reads *DLOAD and *DSLOAD.
func (r *inp) dload(k *inpKey) error {
	if r.step == nil {
		return k.bad("put it behind *STEP", "stands outside of a step")
	}
	what := entryBody
	if k.name == "DSLOAD" {
		what = entrySurface
	}
	if err := r.loadKey(k, what, "FOLLOWER", "CONSTANTRESULTANT"); err != nil {
		return err
	}
	into := r.current()
	for {
		ok, err := r.more()
		if err != nil || !ok {
			return err
		}
		e := inpEntry{what: what, key: k, file: r.src.name, line: int32(r.src.line)}
		p := r.here(k)
		f := r.src.fields()
		if len(f) < 3 {
			return p.bad("write element, set or surface, label, size", "%d values are too few", len(f))
		}
		if what == entrySurface {
			e.set = string(f[0])
		} else {
			e.target(f[0])
		}
		e.face = upper(string(f[1]))
		if e.value, ok = parseFloat(f[2]); !ok {
			return p.bad("", "%s is not a finite number", quote(f[2]))
		}
		for i, w := range f[3:] {
			if i > 2 {
				return p.bad("", "%s is too much on this line", quote(w))
			}
			if len(w) > 0 {
				if e.vector[i], ok = parseFloat(w); !ok {
					return p.bad("", "%s is not a finite number", quote(w))
				}
			}
		}
		into.entries = append(into.entries, e)
		if err := r.alive(); err != nil {
			return err
		}
	}
}
