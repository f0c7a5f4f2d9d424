package aneurysm_test

import (
	"context"
	"fmt"

	"halsted/planner/aneurysm"
)

// A fusiform aneurysm that is known without pressure is inflated to 93 mmHg;
// the shape without pressure is found from the inflated one alone.
func ExampleReinflate() {
	r, err := aneurysm.Reinflate(context.Background(), "fusiform", aneurysm.MeshOptions{Angles: 8, Rows: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("moved %.0f mm; back within 1 µm: %v; forward solves: %d\n", r.MovedMM, r.MaxMM <= 1e-3 && r.TruthMM <= 1e-3, r.ForwardSolves)
	// Output: moved 2 mm; back within 1 µm: true; forward solves: 1
}
