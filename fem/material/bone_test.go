package material_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"halsted/fem/material"
)

func ExampleBone() {
	site, err := material.Lookup("bone.femoral_neck")
	if err != nil {
		fmt.Println(err)
		return
	}
	// A calibration of a scan: 0 at 0 HU, 0.8 mg/cm³ per HU.
	bone, err := material.NewBone(site, material.HUCalibration{SlopeGPerCM3PerHU: 0.8e-3}, 1, 20000)
	if err != nil {
		fmt.Println(err)
		return
	}
	qct, ash, app := bone.Densities(500)
	fmt.Printf("ρ_QCT %.3f, ρ_ash %.4f, ρ_app %.4f g/cm³, E = %.0f MPa\n", qct, ash, app, bone.ModulusMPa(500))
	// Output: ρ_QCT 0.400, ρ_ash 0.4297, ρ_app 0.7162 g/cm³, E = 4165 MPa
}

// Each site against its power law written out, the limits, and the counts.
func TestBoneField(t *testing.T) {
	cal := material.HUCalibration{InterceptGPerCM3: -0.01, SlopeGPerCM3PerHU: 0.75e-3}
	const floor, ceiling = 5.0, 18000.0
	for id, e := range map[string]func(ash, app float64) float64{
		"bone.femoral_neck": func(_, app float64) float64 { return 6850 * math.Pow(app, 1.49) },
		"bone.vertebra":     func(_, app float64) float64 { return 4730 * math.Pow(app, 1.56) },
		"bone.prox_tibia":   func(_, app float64) float64 { return 15610 * math.Pow(app, 1.93) },
		"bone.trochanter":   func(_, app float64) float64 { return 15010 * math.Pow(app, 2.18) },
		"bone.keller":       func(ash, _ float64) float64 { return 10500 * math.Pow(ash, 2.29) },
		// until a strain rate is given it is 1/s
		"bone.carter_hayes": func(_, app float64) float64 { return 3790 * math.Pow(app, 3) },
	} {
		b := must(material.NewBone(must(material.Lookup(id)), cal, floor, ceiling))
		hu := []float64{-1000, -100, 0, 150, 400, 900, 1600, 3071}
		got := make([]float64, len(hu))
		counts := must(b.Field(got, hu))
		var want material.BoneField
		for n, v := range hu {
			ash := 0.0789 + 0.877*(-0.01+0.75e-3*v)
			x := floor
			if ash > 0 {
				x = math.Min(math.Max(e(ash, ash/0.6), floor), ceiling)
			}
			switch x {
			case floor:
				want.AtFloor++
			case ceiling:
				want.AtCeiling++
			}
			if math.Abs(got[n]-x) > 1e-9*x {
				t.Errorf("%s at %g HU: E = %g MPa, want %g", id, v, got[n], x)
			}
			if n > 0 && got[n] < got[n-1] {
				t.Errorf("%s: E falls from %g to %g HU", id, hu[n-1], v)
			}
		}
		if counts != want || want.AtFloor == 0 {
			t.Errorf("%s: %+v, want %+v", id, counts, want)
		}
		if law := must(b.UnitLaw()); math.Abs(9*law.BulkMPa()*law.ShearMPa()/(3*law.BulkMPa()+law.ShearMPa())-1) > 1e-14 {
			t.Errorf("%s: E of the unit law is not 1", id)
		}
	}
	slow := must(must(material.NewBone(must(material.Lookup("bone.carter_hayes")), cal, floor, ceiling)).WithStrainRate(0.01))
	if _, _, app := slow.Densities(900); math.Abs(slow.ModulusMPa(900)-3790*math.Pow(0.01, 0.06)*math.Pow(app, 3)) > 1e-9 {
		t.Errorf("Carter-Hayes at 0.01/s: %g MPa", slow.ModulusMPa(900))
	}
}

func TestBoneRefusesBadInput(t *testing.T) {
	site, cal := must(material.Lookup("bone.keller")), material.HUCalibration{SlopeGPerCM3PerHU: 1e-3}
	_, err := material.NewBone(must(material.Lookup("spleen")), cal, 1, 2)
	if _, ok := errors.AsType[*material.RecordError](err); !ok {
		t.Errorf("a spleen is bone: %v", err)
	}
	_, err = material.NewBone(site, material.HUCalibration{}, 1, 2)
	refused(t, err, "slope b")
	_, err = material.NewBone(site, material.HUCalibration{InterceptGPerCM3: math.NaN(), SlopeGPerCM3PerHU: 1}, 1, 2)
	refused(t, err, "intercept a")
	_, err = material.NewBone(site, cal, 0, 2)
	refused(t, err, "floor")
	_, err = material.NewBone(site, cal, 2, 1)
	refused(t, err, "ceiling")
	b := must(material.NewBone(site, cal, 1, 2))
	_, err = b.Field(make([]float64, 3), []float64{0, math.NaN(), 1})
	refused(t, err, "HU at point 1")
	_, err = b.WithStrainRate(0)
	refused(t, err, "strain rate")
}
