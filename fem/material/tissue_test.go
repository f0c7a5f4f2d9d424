package material

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

func ExampleLookup() {
	t, err := Lookup("liver.parenchyma.normal")
	if err != nil {
		panic(err)
	}
	mu, _ := t.ShearMPa()
	fmt.Printf("%s: mu = %.1e MPa, density %.3e t/mm3, 95 %% within a factor of %.2f, evidence %s\n", t.Model, mu, t.DensityTPerMM3, t.ShearSpread(), t.Evidence)
	// Output: neo-hookean: mu = 9.0e-04 MPa, density 1.079e-09 t/mm3, 95 % within a factor of 2.51, evidence M
}

func TestTheShippedLibraryLoads(t *testing.T) {
	all, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 45 {
		t.Errorf("%d records", len(all))
	}
	laws := map[string]int{}
	for id, rec := range all {
		law, err := rec.LawWith(Supplement{Nu: 0.49, TransitionStrain: 0.2})
		sheet, sheetErr := rec.MembraneWith(Supplement{TransitionStrain: 0.2})
		switch rec.Model {
		case "linear-membrane", "bilinear-membrane", "linear-large-strain":
			if h, _ := rec.Param("thickness_m"); sheetErr != nil || math.Abs(sheet.ThicknessMM()-1000*h) > 1e-15 {
				t.Errorf("%s: sheet %v, %v", id, sheet, sheetErr)
			}
			laws["sheet"]++
		default:
			if _, ok := errors.AsType[*MissingModelError](sheetErr); !ok {
				t.Errorf("%s as a sheet: %v", id, sheetErr)
			}
		}
		switch rec.Model {
		case "hgo", "goh":
			law, err = rec.FibreLaw(r3.Vec{X: 1}, r3.Vec{Z: 1})
		case "power-law":
			b, e := NewBone(rec, HUCalibration{0, 1e-3}, 1, 3e4)
			if e != nil {
				t.Errorf("%s: %v", id, e)
				continue
			}
			law, err = b.UnitLaw()
		case "linear-membrane", "bilinear-membrane":
			if _, ok := errors.AsType[*RecordError](err); !ok {
				t.Errorf("%s: a sheet as a solid: %v", id, err)
			}
			continue
		case "superelastic", "newtonian", "strength", "calibration":
			if m, ok := errors.AsType[*MissingModelError](err); !ok || m.Model != rec.Model {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		laws[rec.Model]++
		if mu, ok := rec.ShearMPa(); ok && math.Abs(law.ShearMPa()-mu) > 1e-12*mu {
			t.Errorf("%s: law has mu %g, record %g MPa", id, law.ShearMPa(), mu)
		}
		if mu, ok := rec.ShearMPa(); ok && !(mu > 1e-5 && mu < 1e5) {
			t.Errorf("%s: shear modulus of %g MPa: a unit went wrong", id, mu)
		}
		if rho := rec.DensityTPerMM3; rho != 0 && !(rho > 5e-10 && rho < 1e-8) {
			t.Errorf("%s: density of %g t/mm³: a unit went wrong", id, rho)
		}
	}
	for _, model := range []string{"neo-hookean", "linear", "linear-large-strain", "ogden1", "ogden1-prony", "yeoh2", "raghavan-vorp", "isotropic-I2", "strain-dependent-nh", "bilinear", "elastic-plastic", "hgo", "goh", "power-law", "sheet"} {
		if laws[model] == 0 {
			t.Errorf("no record gives a law of the model %s", model)
		}
	}
}

// What a source does not say is not made up.
func TestRecordsAskForWhatIsMissing(t *testing.T) {
	for _, id := range []string{"brain.regions", "fat.tension", "liver.capsule", "bone.vertebra", "artery.carotid.media"} {
		_, err := must(Lookup(id)).Law()
		if e, ok := errors.AsType[*RecordError](err); !ok || e.ID != id {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err := must(Lookup("liver.capsule")).MembraneWith(Supplement{})
	if _, ok := errors.AsType[*RecordError](err); !ok {
		t.Errorf("a bilinear sheet without its kink: %v", err)
	}
	law, err := must(Lookup("brain.miller")).Law()
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := law.(Viscoelastic); !ok || math.Abs(v.Relaxed(math.Inf(1))-0.185) > 1e-12 {
		t.Errorf("brain.miller is %T", law)
	}
	law, err = must(Lookup("dev.ti6al4v")).Law()
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := law.(ElasticPlastic); !ok || math.Abs(p.YieldMPa()-795) > 1e-9 {
		t.Errorf("dev.ti6al4v is %T", law)
	}
}

func TestTheOgdenFormDecidesTheStiffness(t *testing.T) {
	for id, want := range map[string]float64{"brain.whole.invivo": 335e-6, "brain.miller": 842e-6} {
		rec, err := Lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		if mu, _ := rec.ShearMPa(); math.Abs(mu-want) > 1e-12 {
			t.Errorf("%s (%s): initial shear modulus %g MPa, want %g", id, rec.Form, mu, want)
		}
	}
}

func TestHyperelasticRecordsGiveTheirLaws(t *testing.T) {
	for id, want := range map[string]Law{
		"aorta.aaa.wall":              must(NewRaghavanVorp(RaghavanVorpAlphaMPa, RaghavanVorpBetaMPa, IncompressibleNu)),
		"liver.parenchyma.aspiration": must(NewYeoh(9850e-6, 26290e-6, 0, 0.49)),
	} {
		rec := must(Lookup(id))
		f := Mat3{{X: 1.2, Y: .1}, {X: -.1, Y: .9, Z: .2}, {Y: .1, Z: 1}}
		if got, w := must(rec.Law()).Energy(&f), want.Energy(&f); math.Abs(got-w) > 1e-12*w {
			t.Errorf("%s: energy %g, want %g", id, got, w)
		}
	}
}

func TestFibreRecordsGiveTheirLaws(t *testing.T) {
	z, x := r3.Vec{Z: 2}, r3.Vec{X: 3} // circumferential, axial
	for id, want := range map[string]Law{
		"artery.carotid.media":      must(NewHolzapfelGasserOgden(3e-3, 2.3632e-3, 0.8393, IncompressibleNu, r3.Vec{X: math.Sin(29 * math.Pi / 180), Z: math.Cos(29 * math.Pi / 180)}, r3.Vec{X: -math.Sin(29 * math.Pi / 180), Z: math.Cos(29 * math.Pi / 180)})),
		"artery.carotid.adventitia": must(NewHolzapfelGasserOgden(0.3e-3, 0.562e-3, 0.7112, IncompressibleNu, r3.Vec{X: math.Sin(62 * math.Pi / 180), Z: math.Cos(62 * math.Pi / 180)}, r3.Vec{X: -math.Sin(62 * math.Pi / 180), Z: math.Cos(62 * math.Pi / 180)})),
		// directions as published with the strip benchmark, six digits
		"artery.iliac.adventitia": must(NewGasserOgdenHolzapfel(7.64e-3, 0.9966, 524.6, 0.226, IncompressibleNu, r3.Vec{X: 0.76582, Z: 0.643055}, r3.Vec{X: -0.76582, Z: 0.643055})),
	} {
		rec := must(Lookup(id))
		f := Mat3{{X: 1.06, Y: .01}, {X: -.01, Y: .9, Z: .02}, {Y: .01, Z: 1.08}}
		law := must(rec.FibreLaw(z, x))
		if got, w := law.Energy(&f), want.Energy(&f); math.Abs(got-w) > 1e-4*w {
			t.Errorf("%s: energy %g, want %g", id, got, w)
		}
		for _, axial := range []r3.Vec{{}, {X: math.NaN()}, {X: 1, Z: 1}} {
			_, err := rec.FibreLaw(z, axial)
			if _, ok := errors.AsType[*ParameterError](err); !ok {
				t.Errorf("%s: axial direction %v: got %v, want a *ParameterError", id, axial, err)
			}
		}
	}
	_, err := must(Lookup("spleen")).FibreLaw(z, x)
	if _, ok := errors.AsType[*MissingModelError](err); !ok {
		t.Errorf("a tissue without fibres: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const goodLibrary = `{"schema":"materials/0.1","units":"Pa,kg/m3,m","sources":{"s":"Somebody 2000"},"materials":[
 {"id":"t","tissue":"T","model":"ogden1","form":"2mu/alpha^2","params":{"mu_Pa":900,"alpha":-4},"density_kg_m3":1000,"uq":{},"failure":{},"evidence":"S","sources":["s"],"note":""}]}`

func TestRecordsWithoutOriginUnitOrFormAreRefused(t *testing.T) {
	if _, err := Load(strings.NewReader(goodLibrary)); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string][2]string{
		"unit":         {`"mu_Pa"`, `"mu"`},
		"source":       {`"sources":["s"]`, `"sources":[]`},
		"named source": {`"sources":["s"]`, `"sources":["x"]`},
		"evidence":     {`"evidence":"S"`, `"evidence":""`},
		"form":         {`"form":"2mu/alpha^2"`, `"form":""`},
		"stiffness":    {`900`, `-900`},
		"no stiffness": {`900`, `0`},
		"density":      {`1000`, `0`},
		"model":        {`"ogden1"`, `""`},
	} {
		_, err := Load(strings.NewReader(strings.Replace(goodLibrary, change[0], change[1], 1)))
		if _, ok := errors.AsType[*RecordError](err); !ok {
			t.Errorf("%s: got %v, want a *RecordError", what, err)
		}
	}
	solid := strings.NewReplacer(`"ogden1"`, `"neo-hookean"`, `"alpha":-4`, `"nu":0.5`).Replace(goodLibrary)
	if _, err := Load(strings.NewReader(solid)); !strings.Contains(fmt.Sprint(err), `"t"`) {
		t.Errorf("nu = 0.5: got %v, want an error that names the record", err)
	}
	for model, params := range map[string][2]string{
		"neo-hookean":         {`"nu":0.49`, "needs the number"},
		"yeoh2":               {`"C10_Pa":9850,"nu":0.49`, "needs the number"},
		"raghavan-vorp":       {`"alpha_Pa":174000`, "needs the number"},
		"hgo":                 {`"c_Pa":3000,"k1_Pa":2363.2,"k2":0.8393`, "needs the number"},
		"goh":                 {`"c_Pa":3000,"k1_Pa":2363.2,"k2":0.8393,"gamma_deg":49.98`, "needs the number"},
		"isotropic-I2":        {`"D1_Pa":26000`, "needs the number"},
		"elastic-plastic":     {`"E_Pa":1e9,"nu":0.3`, "needs the number"},
		"bilinear-membrane":   {`"E_small_Pa":1e6,"E_large_Pa":2e6`, "needs the number"},
		"strain-dependent-nh": {`"G0_Pa":700,"exponent_Cyy":-1`, "nu is missing"},
		"raghavan-vorp ":      {`"alpha_Pa":174000,"beta_Pa":1,"nu":0.5`, "nu is missing or out"},
		"ogden1-prony":        {`"mu_Pa":900,"alpha":-4,"g":[0.5],"tau_s":[1,2]`, "of one length"},
		"ogden1-prony ":       {`"mu_Pa":900,"alpha":-4`, "of one length"},
		"power-law":           {`"E_MPa":{"coef":1,"exponent":2,"density":"rho_wet","density_unit":"g/cm3"},"nu":0.3`, "rho_wet"},
		"power-law ":          {`"E_MPa":{"coef":1,"exponent":2,"density":"rho_app","density_unit":"kg/m3"},"nu":0.3`, "kg/m3"},
		"power-law  ":         {`"E_MPa":{"coef":-1,"exponent":2,"density":"rho_app","density_unit":"g/cm3"},"nu":0.3`, "not positive"},
		"power-law   ":        {`"E_MPa":"6850*rho^1.49","nu":0.3`, "as coefficient"},
		"calibration":         {`"rho_ash":{"coef":1,"density":"rho_QCT","density_unit":"g/cm3"}`, "rho_app"},
	} {
		_, err := Load(strings.NewReader(strings.NewReplacer(`"ogden1"`, `"`+strings.TrimSpace(model)+`"`, `"mu_Pa":900,"alpha":-4`, params[0]).Replace(goodLibrary)))
		if e, ok := errors.AsType[*RecordError](err); !ok || !strings.Contains(e.Why, params[1]) {
			t.Errorf("%s with %s: got %v, want a *RecordError about %q", model, params[0], err, params[1])
		}
	}
	if _, err := Load(strings.NewReader(strings.Replace(goodLibrary, "Pa,kg/m3,m", "kPa", 1))); err == nil {
		t.Error("a library in other units was read")
	}
	if _, err := Load(strings.NewReader(strings.Replace(goodLibrary, `"note"`, `"nota"`, 1))); err == nil {
		t.Error("an unknown field was read over")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(goodLibrary)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = Load(strings.NewReader(s)) })
}
