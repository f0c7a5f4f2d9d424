package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"halsted/planner"
)

const goodDevice = `{"id":"probe","version":"1","procedure":"p","name":"Probe, 17 G","kind":"probe",
 "numbers":{"length":{"value":150,"unit":"mm"},"power":{"value":60,"unit":"W"}},"source":"data sheet","evidence":"M"}`

func catalogue(devices ...string) string {
	return `{"schema":"halsted.devices/1","devices":[` + strings.Join(devices, ",") + "]}"
}

func ExampleLoadDevices() {
	ds, err := LoadDevices(strings.NewReader(catalogue(goodDevice)))
	if err != nil {
		panic(err)
	}
	length, err := ds[0].Number("length", "mm")
	fmt.Println(ds[0].Ref(), length, err, ds[0].Grade())
	_, err = ds[0].Number("length", "cm")
	fmt.Println(err)
	// Output:
	// probe@1 150 <nil> M (unverified source)
	// rules: device "probe": number "length" is in mm, wanted in cm
}

func TestDevicesAreRefusedWithTheReason(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(goodDevice, old) {
			t.Fatalf("%s is not in the good device", old)
		}
		return catalogue(strings.Replace(goodDevice, old, new, 1))
	}
	for name, c := range map[string]struct{ text, want string }{
		"no id":           {change(`"id":"probe",`, ""), "has no id"},
		"@ in the id":     {change(`"probe"`, `"pro@be"`), "@"},
		"no version":      {change(`"version":"1",`, ""), "version"},
		"no procedure":    {change(`"procedure":"p",`, ""), "procedure"},
		"no source":       {change(`"source":"data sheet",`, ""), "source"},
		"no evidence":     {change(`,"evidence":"M"`, ""), "evidence"},
		"no such tag":     {change(`"evidence":"M"`, `"evidence":"sure"`), "sure"},
		"no value":        {change(`"value":150,`, ""), "no value"},
		"null value":      {change(`"value":150,`, `"value":null,`), "no value"},
		"huge value":      {change(`150`, `1e999`), "1e999"},
		"no unit":         {change(`,"unit":"mm"`, ""), "no unit"},
		"not UCUM":        {change(`"unit":"mm"`, `"unit":"mmHg"`), "mm[Hg]"},
		"no numbers":      {change(`"length":{"value":150,"unit":"mm"},"power":{"value":60,"unit":"W"}`, ""), "no numbers"},
		"misspelt":        {change(`"kind"`, `"knd"`), "knd"},
		"twice":           {catalogue(goodDevice, goodDevice), "given twice"},
		"number twice":    {change(`"power"`, `"length"`), "twice"},
		"value twice":     {change(`"value":150`, `"value":150,"Value":15`), "twice"},
		"wrong schema":    {strings.Replace(catalogue(goodDevice), "/1", "/2", 1), "schema"},
		"goes on":         {catalogue(goodDevice) + "{}", "after its end"},
		"not UTF-8":       {change("Probe", "Pr\xffbe"), "UTF-8"},
		"not JSON":        {"[", "EOF"},
		"over the limit":  {strings.Repeat(" ", maxFileSize+1), "bytes"},
		"a list for text": {change(`"probe"`, `["probe"]`), "id"},
	} {
		_, err := LoadDevices(strings.NewReader(c.text))
		if _, ok := errors.AsType[*DeviceError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %q", name, err, c.want)
		}
	}
}

func TestDevicesComeInFileOrderAndByProcedure(t *testing.T) {
	with := func(id, procedure string) string {
		return strings.NewReplacer(`"probe","v`, `"`+id+`","v`, `"p"`, `"`+procedure+`"`).Replace(goodDevice)
	}
	fsys := fstest.MapFS{
		"data/a-devices.json": {Data: []byte(catalogue(with("z", "p"), with("x", "q"), with("y", "p")))},
		"data/b-devices.json": {Data: []byte(catalogue(with("w", "p")))},
		"data/rules.json":     {Data: []byte("not devices")},
	}
	ds, err := devicesIn(fsys, "data", "p")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, d := range ds {
		got += d.ID
	}
	if got != "zyw" {
		t.Errorf("order %s, want zyw", got)
	}
	if d, err := FindDevice(ds, "y@1"); err != nil || d.ID != "y" {
		t.Errorf("found %v, %v", d, err)
	}
	for _, ref := range []string{"y@2", "y", "", "x@1"} {
		if _, err := FindDevice(ds, ref); err == nil {
			t.Errorf("found %q", ref)
		}
	}
	if _, err := devicesIn(fsys, "data", "r"); err == nil {
		t.Error("devices of a procedure that has none")
	}
	fsys["data/c-devices.json"] = &fstest.MapFile{Data: []byte(catalogue(with("w", "p")))}
	if _, err := devicesIn(fsys, "data", "q"); err == nil || !strings.Contains(err.Error(), "two files") {
		t.Errorf("the same device in two files: %v", err)
	}
}

// TestWhatIsShipped reads every file of the package, whoever wrote it.
func TestWhatIsShipped(t *testing.T) {
	entries, err := shipped.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		f, err := shipped.Open("data/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasSuffix(e.Name(), devicesSuffix):
			_, err = LoadDevices(f)
		case strings.HasSuffix(e.Name(), domainSuffix):
			_, err = LoadRanges(f)
		default:
			_, err = Load(f)
		}
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
	}
}

// TestOneDefaultRulePerCondition: the others are alternatives that a hospital
// can choose.
func TestOneDefaultRulePerCondition(t *testing.T) {
	for _, procedure := range []string{"liver.resection", "needle.trajectory"} {
		p, err := Shipped(procedure)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(p.Conditions(), "*") {
			rs, err := p.For(c)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[[3]string]string{}
			for _, r := range rs {
				k := [3]string{r.Quantity, r.Operator, string(r.Severity)}
				if seen[k] != "" {
					t.Errorf("%s, %s: %s and %s are both on", procedure, c, seen[k], r.ID)
				}
				seen[k] = r.ID
				if !strings.Contains(r.String(), r.Source) || r.Grade() >= planner.EvidenceClassic && !strings.Contains(r.String(), "unverified source") {
					t.Errorf("%s lacks source or evidence", r.String())
				}
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for _, u := range []string{"mm", "cm2", "mL", "mL/min", "N", "N/cm2", "kPa", "mm[Hg]", "%", "deg", "s", "1", "1/s", "s-1", "mL/min/m2", "mg/dL", "W", "Cel", "HU", "[hnsf'U]", "kPa.s"} {
		if err := checkUnit(u); err != nil {
			t.Error(err)
		}
	}
	for _, u := range []string{"", "mmHg", "furlong", "mm/", "/mm", "mm//s", "m-", "2", "ml ", "cm²", strings.Repeat("m.", 40) + "m"} {
		if checkUnit(u) == nil {
			t.Errorf("%q passed", u)
		}
	}
	// The units of planner's own documentation.
	for _, u := range []string{"mm", "%", "mL", "N", "kPa", "1"} {
		if checkUnit(u) != nil || planner.UnitText(u) == " " {
			t.Error(u)
		}
	}
}

func FuzzLoadDevices(f *testing.F) {
	f.Add(catalogue(goodDevice))
	f.Add(catalogue())
	f.Add(`{"schema":"halsted.devices/1","devices":[{"id":"x","numbers":{"a":{"value":1,"unit":"m-"}}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		ds, err := LoadDevices(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, d := range ds {
			for name, n := range d.Numbers {
				if v, err := d.Number(name, n.Unit); err != nil || v != n.Value || checkUnit(n.Unit) != nil {
					t.Fatalf("%s %s: %v %v", d.ID, name, v, err)
				}
			}
		}
	})
}
