package uncertainty_test

import (
	"fmt"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

func ExampleWilksRuns() {
	first, _ := uncertainty.WilksRuns(0.95, 0.95, 1)
	second, _ := uncertainty.WilksRuns(0.95, 0.95, 2)
	fmt.Println(first, second)
	// Output: 59 93
}

func ExampleFit() {
	// y = x + w², x normal, w uniform from −1 to 1: var w² = 1/5 − 1/9 = 4/45
	inputs := []planner.Distribution{uncertainty.Normal{Mean: 0, SD: 1}, uncertainty.Uniform{Low: -1, High: 1}}
	points, _ := uncertainty.Points(uncertainty.Method{Kind: uncertainty.Chaos, Seed: 1}, uncertainty.ChaosRuns(2), 2)
	var y []float64
	for _, u := range points {
		x, w := inputs[0].Quantile(u[0]), inputs[1].Quantile(u[1])
		y = append(y, x+w*w)
	}
	s, _ := uncertainty.Fit(inputs, points, y)
	first, _, _ := s.Indices()
	fmt.Printf("%d runs, mean %.4f, variance %.4f, shares %.4f and %.4f\n", s.Runs, s.Mean(), s.Variance(), first[0], first[1])
	// Output: 12 runs, mean 0.3333, variance 1.0889, shares 0.9184 and 0.0816
}
