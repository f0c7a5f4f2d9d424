package material_test

import (
	"testing"

	"halsted/fem/material"
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
	b.Run("tangent", func(b *testing.B) {
		for b.Loop() {
			law.Tangent(&a, &f)
		}
	})
}
