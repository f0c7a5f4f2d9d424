package pipeline

import (
	"math"
	"testing"

	"halsted/fem"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// The fields of a frame carry the solve's residual, the stress the solver's
// error estimate, and all the evidence of the tissue.
func TestFieldsSayHowWellTheyAreKnown(t *testing.T) {
	evidence, err := tissueEvidence()
	if err != nil {
		t.Fatal(err)
	}
	s := &shown{topology: &planner.Topology{Rest: make([]r3.Vec, 5)}, node: []int32{2, 0}, evidence: evidence} // vertices 2 to 4 rest
	f := &fem.Frame{U: make([]r3.Vec, 3), VonMisesMPa: make([]float64, 3), StrainMax: make([]float64, 3), ErrorMPa: []float64{0.003, 77, 0.004}, Residual: 2e-10}
	shown := s.frame(f)
	if err := shown.Validate(s.topology); err != nil {
		t.Fatal(err)
	}
	want := 1000 * math.Sqrt(1.5*(0.003*0.003+0.004*0.004)/2) // kPa, of the nodes shown alone
	for _, fd := range shown.Fields {
		q := fd.Quality
		if q == nil || q.Residual != 2e-10 || q.Evidence != evidence || (q.Error != nil) != (fd.ID == "von_mises") {
			t.Fatalf("%s: %+v", fd.ID, q)
		}
		if q.Error != nil && math.Abs(*q.Error-want) > 1e-12*want {
			t.Errorf("%s: error %g %s, want %g", fd.ID, *q.Error, fd.Unit, want)
		}
	}
	f.ErrorMPa = nil // a solver without an estimate
	if q := s.frame(f).Fields[0].Quality; q.Error != nil {
		t.Errorf("an error was made up: %g", *q.Error)
	}
}
