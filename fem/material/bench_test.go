package material_test

import (
	"fmt"
	"testing"

	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

func BenchmarkNeoHookean(b *testing.B) {
	var law material.Law = must(material.NewNeoHookean(1e-3, 0.49))
	f := material.Mat3{{X: 1.1, Y: .1}, {X: -.2, Y: .95, Z: .1}, {Y: .1, Z: 1.02}}
	var p material.Mat3
	var a [9][9]float64
	b.Run("energy", func(b *testing.B) {
		for b.Loop() {
			law.Energy(&f)
		}
	})
	b.Run("stress", func(b *testing.B) {
		for b.Loop() {
			law.Stress(&p, &f)
		}
	})
	b.Run("coefficients", func(b *testing.B) {
		short, g := law.(material.InInvariants), material.Mat3{}
		for b.Loop() {
			short.Coefficients(&p, &g, &f)
		}
	})
	b.Run("tangent", func(b *testing.B) {
		for b.Loop() {
			law.Tangent(&a, &f)
		}
	})
}

// BenchmarkTangents is one tangent of every law at one state.
func BenchmarkTangents(b *testing.B) {
	f := material.Mat3{{X: 1.1, Y: .1}, {X: -.2, Y: .95, Z: .1}, {Y: .1, Z: 1.02}}
	x, y := r3.Vec{X: 1}, r3.Vec{Y: 1}
	nh := must(material.NewNeoHookean(1e-3, 0.49))
	for _, law := range []material.Law{
		nh,
		must(material.NewStVenantKirchhoff(0.01, 0.3)),
		must(material.NewMooneyRivlin(0.4, 0.1, 0.49)),
		must(material.NewRaghavanVorp(0.174, 1.881, 0.49)),
		must(material.NewOgden(material.Ogden2MuOverAlpha2, 0.49, material.OgdenTerm{MuMPa: 1e-3, Alpha: -4.7})),
		must(material.NewHolzapfelGasserOgden(3e-3, 2e-3, 0.8, 0.49, x, y)),
		must(material.NewGuccione(2e-3, 8, 2, 4, 1, material.GuccioneIsochoric)),
		must(material.NewHencky(100, 0.3)),
	} {
		var a [9][9]float64
		b.Run(fmt.Sprintf("%T", law), func(b *testing.B) {
			for b.Loop() {
				law.Tangent(&a, &f)
			}
		})
	}
	for _, law := range []material.Inelastic{
		must(material.NewViscoelastic(nh, material.PronyTerm{G: 0.5, TauS: 1}, material.PronyTerm{G: 0.3, TauS: 10})),
		must(material.NewElasticPlastic(100, 0.3, 1, 0)),
		must(material.NewDamage(nh, 0.001, 0.02, 0.9)),
	} {
		var p material.Mat3
		var a [9][9]float64
		old, next := make([]float64, law.HistorySize()), make([]float64, law.HistorySize())
		law.InitHistory(old)
		b.Run(fmt.Sprintf("%T", law), func(b *testing.B) {
			for b.Loop() {
				law.Respond(&p, &a, &f, old, next, 0.1)
			}
		})
	}
}
