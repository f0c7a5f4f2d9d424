package rules

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// Number is one figure of a device.
type Number struct {
	Value float64 // in Unit
	Unit  string  // UCUM
}

// Device is something that a plan uses: a needle, a stent graft. Plans name it
// by Ref, so that a new version of its data does not change an old plan.
type Device struct {
	ID        string // "probe.generic.17g"
	Version   string // of these data: "2026.1"
	Procedure string // "needle.trajectory"
	Name      string // what a surgeon reads
	Kind      string // "probe", "graft"; the procedure says which it knows
	Numbers   map[string]Number
	Source    string
	Evidence  string // tag: S, S*, M+, M
}

// Ref names the device and the version of its data: "id@version".
func (d *Device) Ref() string { return d.ID + "@" + d.Version }

// Grade is the evidence of the device's numbers.
func (d *Device) Grade() planner.Evidence {
	e, _ := planner.ParseEvidence(d.Evidence) // checked on load
	return e
}

// Number is the figure name in unit. A figure that the device does not have,
// or has in another unit, is a *DeviceError: nothing is converted or guessed.
func (d *Device) Number(name, unit string) (float64, error) {
	n, ok := d.Numbers[name]
	if !ok {
		known := make([]string, 0, len(d.Numbers))
		for k := range d.Numbers {
			known = append(known, k)
		}
		slices.Sort(known)
		return 0, &DeviceError{d.ID, fmt.Sprintf("has no number %q (has %s)", name, strings.Join(known, ", "))}
	}
	if n.Unit != unit {
		return 0, &DeviceError{d.ID, fmt.Sprintf("number %q is in %s, wanted in %s", name, n.Unit, unit)}
	}
	return n.Value, nil
}

// DeviceError is a device, or a file of devices, that is refused.
type DeviceError struct{ Device, Why string }

func (e *DeviceError) Error() string {
	if e.Device == "" {
		return "rules: devices: " + e.Why
	}
	return fmt.Sprintf("rules: device %q: %s", e.Device, e.Why)
}

const devicesSchema = "halsted.devices/1"

// devicesFile is a catalogue as it is written. Value is a pointer, so that a
// missing one is not 0.
type devicesFile struct {
	Schema  string       `json:"schema"`
	Devices []deviceFile `json:"devices"`
}

type deviceFile struct {
	ID        string                `json:"id"`
	Version   string                `json:"version"`
	Procedure string                `json:"procedure"`
	Name      string                `json:"name"`
	Kind      string                `json:"kind"`
	Numbers   map[string]numberFile `json:"numbers"`
	Source    string                `json:"source"`
	Evidence  string                `json:"evidence"`
}

type numberFile struct {
	Value *float64 `json:"value"`
	Unit  string   `json:"unit"`
}

// LoadDevices reads and checks a catalogue of devices (schema
// "halsted.devices/1"), in the order of the file. A device without version,
// source or evidence, a number without value or unit, and an unknown field are
// refused with a *DeviceError.
func LoadDevices(r io.Reader) ([]Device, error) {
	b, err := readAll(r)
	if err != nil {
		return nil, &DeviceError{Why: err.Error()}
	}
	var f devicesFile
	if err := decode(b, &f); err != nil {
		return nil, &DeviceError{Why: err.Error()}
	}
	if f.Schema != devicesSchema {
		return nil, &DeviceError{Why: fmt.Sprintf("schema is %q, want %s", f.Schema, devicesSchema)}
	}
	out := make([]Device, 0, len(f.Devices))
	seen := map[string]bool{}
	for n, df := range f.Devices {
		if df.ID == "" {
			return nil, &DeviceError{Why: fmt.Sprintf("device %d has no id", n)}
		}
		d, err := df.device()
		if err != nil {
			return nil, &DeviceError{df.ID, err.Error()}
		}
		if seen[d.Ref()] {
			return nil, &DeviceError{d.ID, "version " + d.Version + " is given twice"}
		}
		seen[d.Ref()] = true
		out = append(out, d)
	}
	return out, nil
}

func (f *deviceFile) device() (Device, error) {
	_, evidence := planner.ParseEvidence(f.Evidence)
	switch {
	case strings.ContainsAny(f.ID+f.Version, "@ \t\n") || f.Version == "":
		return Device{}, errors.New(`needs a version; neither id nor version may hold "@" or spaces`)
	case f.Procedure == "" || f.Name == "" || f.Kind == "":
		return Device{}, errors.New("needs a procedure, a name and a kind")
	case f.Source == "":
		return Device{}, errors.New("has no source")
	case evidence != nil:
		return Device{}, evidence
	case len(f.Numbers) == 0:
		return Device{}, errors.New("has no numbers")
	}
	d := Device{f.ID, f.Version, f.Procedure, f.Name, f.Kind, make(map[string]Number, len(f.Numbers)), f.Source, f.Evidence}
	names := make([]string, 0, len(f.Numbers))
	for k := range f.Numbers {
		names = append(names, k)
	}
	slices.Sort(names) // so that the same file gives the same error
	for _, k := range names {
		n := f.Numbers[k]
		switch {
		case k == "":
			return Device{}, errors.New("has a number without a name")
		case n.Value == nil:
			return Device{}, fmt.Errorf("number %q has no value", k)
		case math.IsNaN(*n.Value) || math.IsInf(*n.Value, 0):
			return Device{}, fmt.Errorf("number %q is not finite", k)
		}
		if err := checkUnit(n.Unit); err != nil {
			return Device{}, fmt.Errorf("number %q %w", k, err)
		}
		d.Numbers[k] = Number{*n.Value, n.Unit}
	}
	return d, nil
}

// devicesSuffix ends the names of the shipped files that hold devices.
const devicesSuffix = "-devices.json"

// Devices lists the shipped devices of a procedure, in the order of the files'
// names and within a file as written. None is a *DeviceError.
func Devices(procedure string) ([]Device, error) { return devicesIn(shipped, "data", procedure) }

func devicesIn(fsys fs.FS, dir, procedure string) ([]Device, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var out []Device
	seen := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), devicesSuffix) {
			continue
		}
		f, err := fsys.Open(dir + "/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		ds, err := LoadDevices(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		for _, d := range ds {
			if seen[d.Ref()] {
				return nil, &DeviceError{d.ID, "version " + d.Version + " is given in two files"}
			}
			seen[d.Ref()] = true
			if d.Procedure == procedure {
				out = append(out, d)
			}
		}
	}
	if len(out) == 0 {
		return nil, &DeviceError{Why: fmt.Sprintf("no device of procedure %q is shipped", procedure)}
	}
	return out, nil
}

// FindDevice finds the device that a plan names by its Ref.
func FindDevice(ds []Device, ref string) (*Device, error) {
	for n := range ds {
		if ds[n].Ref() == ref {
			return &ds[n], nil
		}
	}
	id, version, ok := strings.Cut(ref, "@")
	why := "is not in the catalogue"
	if ok {
		why = fmt.Sprintf("version %s is not in the catalogue", version)
	}
	return nil, &DeviceError{id, why}
}
