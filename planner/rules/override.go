package rules

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Change is one override that a pack was made with.
type Change struct {
	Who      string   `json:"who"` // the person or body that answers for it
	Why      string   `json:"why"`
	Version  string   `json:"version"`
	Base     string   `json:"base"` // version of the pack that it was written for
	Replaced []string `json:"replaced,omitempty"`
	Added    []string `json:"added,omitempty"`
	Off      []string `json:"off,omitempty"`
	Chosen   []string `json:"chosen,omitempty"`
}

const overrideSchema = "halsted.rules-override/1"

// overrideFile is an override as it is written.
type overrideFile struct {
	Schema    string     `json:"schema"`
	Procedure string     `json:"procedure"`
	Base      string     `json:"base"`
	Version   string     `json:"version"`
	Who       string     `json:"who"`
	Why       string     `json:"why"`
	Replace   []ruleFile `json:"replace"`
	Add       []ruleFile `json:"add"`
	Off       []string   `json:"off"`
	Choose    []string   `json:"choose"`
}

// Override is base with a hospital's changes (schema
// "halsted.rules-override/1"): rules replaced, added, switched off by id, and
// shipped alternatives chosen, with who answers for it and why. Base stays as
// it is. The result has the version "base+override", records the change, and
// each rule touched says by whom.
//
// It is refused with an *Error when it was written for another version of the
// pack, names a rule that is not there or one twice, changes the quantity or
// the unit of a rule, or leaves hard rules that contradict each other.
func Override(base *Pack, over io.Reader) (*Pack, error) {
	b, err := readAll(over)
	if err != nil {
		return nil, &Error{Pack: base.ID, Why: "override " + err.Error()}
	}
	var f overrideFile
	if err := decode(b, &f); err != nil {
		return nil, &Error{Pack: base.ID, Why: "override: " + err.Error()}
	}
	refuse := func(rule, format string, args ...any) (*Pack, error) {
		return nil, &Error{base.ID, rule, fmt.Sprintf("override %q: ", f.Version) + fmt.Sprintf(format, args...)}
	}
	switch {
	case f.Schema != overrideSchema:
		return refuse("", "schema is %q, want %s", f.Schema, overrideSchema)
	case f.Procedure != base.ID:
		return refuse("", "is for procedure %q", f.Procedure)
	case f.Base != base.Version:
		return refuse("", "was written for version %q, this is %q: read what changed and write it anew", f.Base, base.Version)
	case strings.TrimSpace(f.Who) == "" || strings.TrimSpace(f.Why) == "" || strings.TrimSpace(f.Version) == "":
		return refuse("", "needs who, why and a version")
	}
	replace, err := rulesOf(base.ID, f.Replace)
	if err != nil {
		return nil, err
	}
	add, err := rulesOf(base.ID, f.Add)
	if err != nil {
		return nil, err
	}

	by := fmt.Sprintf("%s, version %s: %s", f.Who, f.Version, f.Why)
	change := Change{Who: f.Who, Why: f.Why, Version: f.Version, Base: f.Base}
	out := &Pack{base.Schema, base.ID, base.Version + "+" + f.Version, slices.Clone(base.Rules), slices.Clone(base.Changes)}
	touched := map[string]bool{}
	find := func(id string) int {
		return slices.IndexFunc(out.Rules, func(r Rule) bool { return r.ID == id })
	}
	for _, r := range replace {
		n := find(r.ID)
		if n < 0 || touched[r.ID] {
			return refuse(r.ID, "replaces a rule that is not there, or twice")
		}
		if old := out.Rules[n]; old.Quantity != r.Quantity || old.Unit != r.Unit {
			return refuse(r.ID, "is on %s in %s, what it replaces on %s in %s: switch that off and add this one",
				r.Quantity, r.Unit, old.Quantity, old.Unit)
		}
		touched[r.ID] = true
		r.By = by
		out.Rules[n] = r
		change.Replaced = append(change.Replaced, r.ID)
	}
	for _, r := range add {
		if find(r.ID) >= 0 {
			return refuse(r.ID, "adds a rule that is there already: replace it")
		}
		touched[r.ID] = true
		r.By = by
		out.Rules = append(out.Rules, r)
		change.Added = append(change.Added, r.ID)
	}
	for _, id := range f.Off {
		n := find(id)
		if n < 0 || touched[id] || out.Rules[n].Off {
			return refuse(id, "switches off a rule that is not there or not on, or twice")
		}
		touched[id] = true
		out.Rules[n].Off, out.Rules[n].By = true, by
		change.Off = append(change.Off, id)
	}
	for _, id := range f.Choose {
		n := find(id)
		if n < 0 || touched[id] || !out.Rules[n].Off {
			return refuse(id, "chooses a rule that is no alternative, or twice")
		}
		touched[id] = true
		out.Rules[n].Off, out.Rules[n].By = false, by
		change.Chosen = append(change.Chosen, id)
		if o := find(out.Rules[n].AlternativeTo); o >= 0 && !out.Rules[o].Off {
			out.Rules[o].Off, out.Rules[o].By = true, by
			change.Off = append(change.Off, out.Rules[o].ID)
		}
	}
	if len(touched) == 0 {
		return refuse("", "changes nothing")
	}
	out.Changes = append(out.Changes, change)
	if err := out.validate(); err != nil {
		return nil, err
	}
	return out, nil
}

// OverrideDevices is base with a hospital's catalogue (schema
// "halsted.devices/1") at its end; all versions of a device that is in both are
// left out of base. The same id and version with other content is a
// *DeviceError, because plans name devices by them.
func OverrideDevices(base []Device, over io.Reader) ([]Device, error) {
	ds, err := LoadDevices(over)
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		if old, err := FindDevice(base, d.Ref()); err == nil && !sameDevice(old, &d) {
			return nil, &DeviceError{d.ID, "version " + d.Version + " is shipped with other content: give it a version of its own"}
		}
	}
	out := slices.DeleteFunc(slices.Clone(base), func(o Device) bool {
		return slices.ContainsFunc(ds, func(n Device) bool { return n.ID == o.ID })
	})
	return append(out, ds...), nil
}

func sameDevice(a, b *Device) bool {
	return maps.Equal(a.Numbers, b.Numbers) && a.Procedure == b.Procedure && a.Kind == b.Kind && a.Name == b.Name && a.Source == b.Source && a.Evidence == b.Evidence
}
