package deck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// object is a JSON object of a model file, read key by key; keys that nobody
// asked for are refused in the end.
type object struct {
	file, path string // path: "stages[1].loads[0]"
	values     map[string]json.RawMessage
	order      []string
	used       map[string]bool
	asked      []string
}

func (o *object) place(key string) place {
	p := o.path
	if key != "" && p != "" {
		p += "."
	}
	return place{file: o.file, keyword: p + key}
}

func (o *object) bad(key, remedy, what string, a ...any) error {
	return o.place(key).bad(remedy, what, a...)
}

// newObject reads the keys of an object; one that stands twice is refused.
func newObject(file, path string, raw []byte) (*object, error) {
	o := &object{file: file, path: path, values: map[string]json.RawMessage{}, used: map[string]bool{}}
	d := json.NewDecoder(bytes.NewReader(raw))
	t, err := d.Token()
	if err != nil {
		return nil, o.syntax(raw, err)
	}
	if t != json.Delim('{') {
		return nil, o.bad("", "write { … }", "want an object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, o.syntax(raw, err)
		}
		key := t.(string)
		if _, twice := o.values[key]; twice {
			return nil, o.bad(key, "keep one of them", "stands twice")
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, o.syntax(raw, err)
		}
		o.values[key] = v
		o.order = append(o.order, key)
	}
	if _, err := d.Token(); err != nil {
		return nil, o.syntax(raw, err)
	}
	if d.More() {
		return nil, o.bad("", "keep one object", "something follows the model")
	}
	return o, nil
}

func (o *object) syntax(raw []byte, err error) error {
	p := o.place("")
	if s, ok := errors.AsType[*json.SyntaxError](err); ok && o.path == "" {
		p.line = 1 + bytes.Count(raw[:min(int(s.Offset), len(raw))], []byte{'\n'})
	}
	return p.bad("check brackets, commas and quotes", "no JSON: %v", err)
}

// has reports whether a key is there, without reading it.
func (o *object) has(key string) bool { _, ok := o.values[key]; return ok }

// take reads the value of key into v; false when it is not there.
func (o *object) take(key string, v any, want string) (bool, error) {
	o.asked = append(o.asked, key)
	raw, ok := o.values[key]
	if !ok {
		return false, nil
	}
	o.used[key] = true
	if bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, v) != nil {
		return false, o.bad(key, "", "want %s", want)
	}
	return true, nil
}

// text takes a string; empty when it is not there.
func (o *object) text(key string) (s string, err error) {
	_, err = o.take(key, &s, "a text in quotes")
	return s, err
}

// texts takes a text or a list of texts (numbers count as texts).
func (o *object) texts(key string) ([]string, error) {
	var v any
	if ok, err := o.take(key, &v, "a text or a list of texts"); !ok || err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case float64:
			out = append(out, fmt.Sprint(v))
		default:
			return nil, o.bad(key, "", "want a text or a list of texts")
		}
	}
	return out, nil
}

func (o *object) flag(key string) (b bool, err error) {
	_, err = o.take(key, &b, "true or false")
	return b, err
}

// number takes a pure number.
func (o *object) number(key string) (x float64, given bool, err error) {
	given, err = o.take(key, &x, "a number")
	return x, given, err
}

// whole takes a whole number within bounds.
func (o *object) whole(key string, low, high int) (n int, given bool, err error) {
	x, given, err := o.number(key)
	if err != nil || !given {
		return 0, given, err
	}
	if x != math.Trunc(x) || x < float64(low) || x > float64(high) {
		return 0, true, o.bad(key, "", "want a whole number from %d to %d, not %g", low, high, x)
	}
	return int(x), true, nil
}

// unit is one unit that the end of a key may name.
type unit struct {
	suffix string
	factor float64 // to the house unit
}

// The units of keys, by quantity, to house units. 1 mmHg is 133.322387415 Pa
// (ISO 80000-4).
var (
	stressUnits  = []unit{{"kPa", 1e-3}, {"MPa", 1}, {"Pa", 1e-6}, {"GPa", 1e3}, {"mmHg", 133.322387415e-6}}
	lengthUnits  = []unit{{"mm", 1}, {"cm", 10}, {"m", 1000}, {"um", 1e-3}}
	forceUnits   = []unit{{"N", 1}, {"mN", 1e-3}, {"kN", 1e3}}
	timeUnits    = []unit{{"s", 1}, {"ms", 1e-3}, {"min", 60}}
	angleUnits   = []unit{{"deg", math.Pi / 180}, {"rad", 1}}
	densityUnits = []unit{{"kg_per_m3", 1e-12}, {"g_per_cm3", 1e-9}, {"t_per_mm3", 1}}
	gravityUnits = []unit{{"m_per_s2", 1000}, {"mm_per_s2", 1}}
	springUnits  = []unit{{"N_per_mm", 1}, {"N_per_m", 1e-3}}
	beddingUnits = []unit{{"kPa_per_mm", 1e-3}, {"MPa_per_mm", 1}}
)

// find looks for name_unit among the keys; two of them are refused.
func (o *object) find(name string, units []unit) (key string, factor float64, err error) {
	for _, u := range units {
		k := name + "_" + u.suffix
		o.asked = append(o.asked, k)
		if !o.has(k) {
			continue
		}
		if key != "" {
			return "", 0, o.bad(k, "keep one of them", "%s stands there too", key)
		}
		key, factor = k, u.factor
	}
	if key == "" && o.has(name) {
		return "", 0, o.bad(name, "write "+name+"_"+units[0].suffix, "names no unit")
	}
	return key, factor, nil
}

// quantity takes name_unit in house units.
func (o *object) quantity(name string, units []unit) (x float64, given bool, err error) {
	key, factor, err := o.find(name, units)
	if err != nil || key == "" {
		return 0, false, err
	}
	x, given, err = o.number(key)
	return x * factor, given, err
}

// need is quantity for one that must be there.
func (o *object) need(name string, units []unit) (float64, error) {
	x, given, err := o.quantity(name, units)
	if err == nil && !given {
		err = o.bad("", "add "+name+"_"+units[0].suffix, "there is no %s", name)
	}
	return x, err
}

// vector takes three numbers under name_unit; units may be nil.
func (o *object) vector(name string, units []unit) (v r3.Vec, given bool, err error) {
	key, factor := name, 1.0
	if units != nil {
		if key, factor, err = o.find(name, units); err != nil || key == "" {
			return v, false, err
		}
	}
	var x []float64
	if given, err = o.take(key, &x, "three numbers [x, y, z]"); err != nil || !given {
		return v, given, err
	}
	if len(x) != 3 {
		return v, true, o.bad(key, "", "want three numbers [x, y, z], not %d", len(x))
	}
	return r3.Vec{X: factor * x[0], Y: factor * x[1], Z: factor * x[2]}, true, nil
}

// direction takes a vector that is not zero, as a unit vector.
func (o *object) direction(name string) (v r3.Vec, given bool, err error) {
	v, given, err = o.vector(name, nil)
	if n := r3.Norm(v); err == nil && given {
		if !(n > 0) || math.IsInf(n, 0) {
			return v, true, o.bad(name, "", "want a direction that is not zero")
		}
		v = r3.Scale(1/n, v)
	}
	return v, given, err
}

// maxList bounds the lists of a model file.
const maxList = 100000

// objects takes a list of objects.
func (o *object) objects(key string) ([]*object, error) {
	var raw []json.RawMessage
	if ok, err := o.take(key, &raw, "a list of objects"); !ok || err != nil {
		return nil, err
	}
	if len(raw) > maxList {
		return nil, o.bad(key, "", "more than %d entries", maxList)
	}
	out := make([]*object, len(raw))
	for i, b := range raw {
		var err error
		if out[i], err = newObject(o.file, o.place(fmt.Sprintf("%s[%d]", key, i)).keyword, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// object takes an object; nil when it is not there.
func (o *object) object(key string) (*object, error) {
	o.asked = append(o.asked, key)
	raw, ok := o.values[key]
	if !ok {
		return nil, nil
	}
	o.used[key] = true
	return newObject(o.file, o.place(key).keyword, raw)
}

// done refuses keys that were not asked for.
func (o *object) done() error {
	for _, k := range o.order {
		if !o.used[k] {
			known := slices.Clone(o.asked)
			slices.Sort(known)
			known = slices.Compact(known)
			return o.bad(k, "known here: "+strings.Join(known, " "), "is not understood")
		}
	}
	return nil
}
