package liver

import (
	"context"
	"testing"
)

func BenchmarkResect(b *testing.B) {
	a := anatomy(b, [3]float64{0.5, 0.5, 1})
	for b.Loop() {
		if _, err := a.Resect(context.Background(), planeAt(10)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	a := anatomy(b, [3]float64{0.5, 0.5, 1})
	for b.Loop() {
		if _, err := a.Generate(context.Background(), "ball", Spec{}); err != nil {
			b.Fatal(err)
		}
	}
}
