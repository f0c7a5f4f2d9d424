package sparse

import (
	"context"
	"fmt"
	"testing"
)

// Three nodes in a row, each joined to the next by springs of 1 N/mm, the first
// also to the ground. The eigenvalues are 0.198, 1.555 and 3.247 for each axis:
// six lie below 1.9.
func ExampleNewCholeskyWith() {
	m := NewBSR3(3, []int32{0, 1, 1, 2}, 2)
	m.Zero()
	for i := range int32(3) {
		for r := range int32(3) {
			d := 2.0
			if i == 2 {
				d = 1
			}
			m.Val[9*m.Diag[i]+4*r] = d - 1.9 // K − 1.9·1
			if i > 0 {
				m.Val[9*m.Index(i, i-1)+4*r] = -1
				m.Val[9*m.Index(i-1, i)+4*r] = -1
			}
		}
	}
	c := NewCholeskyWith(m, CholeskyConfig{Indefinite: true})
	if err := c.Factor(context.Background(), m); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Negative())
	// Output: 6
}

func benchFactor(b *testing.B, config CholeskyConfig) {
	m := spring(22, 22, 22, true)
	c := NewCholeskyWith(m, config)
	for b.Loop() {
		if err := c.Factor(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(2*float64(c.Flops())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
	b.ReportMetric(float64(c.Bytes())/1e6, "MB")
}

func BenchmarkFactorDouble(b *testing.B) { benchFactor(b, CholeskyConfig{}) }
func BenchmarkFactorSingle(b *testing.B) { benchFactor(b, CholeskyConfig{Precision: Single}) }
func BenchmarkFactorLDL(b *testing.B)    { benchFactor(b, CholeskyConfig{Indefinite: true}) }

func benchSolve(b *testing.B, config CholeskyConfig) {
	m := spring(22, 22, 22, true)
	c := NewCholeskyWith(m, config)
	if err := c.Factor(context.Background(), m); err != nil {
		b.Fatal(err)
	}
	x := random(3*m.N, 1)
	for b.Loop() {
		c.Solve(x, x)
	}
	b.ReportMetric(2*float64(c.plan.values*c.plan.size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}

func BenchmarkSolveDouble(b *testing.B) { benchSolve(b, CholeskyConfig{}) }
func BenchmarkSolveSingle(b *testing.B) { benchSolve(b, CholeskyConfig{Precision: Single}) }
