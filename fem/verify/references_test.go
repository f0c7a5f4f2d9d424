package verify

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
)

// The closed forms give the figures of the acceptance list.
func TestReferencesAgreeWithTheTable(t *testing.T) {
	w1, u1 := elastica(1)
	w2, u2 := elastica(2)
	w5, u5 := elastica(5)
	closed, opened := artery{0.71, 1}, artery{1.43, 1.8}
	for _, c := range []struct {
		name            string
		got, want, unit float64 // unit of the last digit given
	}{
		{"tube u(a)", tubeU(lameInner), 4.089, 1e-5}, {"tube u(b)", tubeU(lameOuter), 2.871, 1e-5}, {"tube σθ(a)", tubeHoop(lameInner), .0039, 1e-8},
		{"sphere u(a)", sphereU(lameInner), 1.608553, 1e-6}, {"sphere σθ(a)", sphereHoop(lameInner), .00169737, 1e-8},
		{"tube 12", tubePressure(10, 15, 12), .16400946, 1e-8}, {"tube 15", tubePressure(10, 15, 15), .28375508, 1e-8}, {"tube 20", tubePressure(10, 15, 20), .35878396, 1e-8},
		{"sphere 12", spherePressure(10, 15, 12), .35149964, 1e-8}, {"sphere 15", spherePressure(10, 15, 15), .48817555, 1e-8},
		{"w 1", w1, .301721, 1e-6}, {"u 1", u1, .056433, 1e-6}, {"w 2", w2, .493457, 1e-6}, {"u 2", u2, .160642, 1e-6}, {"w 5", w5, .713792, 1e-6}, {"u 5", u5, .387628, 1e-6},
		{"artery 5", closed.radius(5e-3), 1.06223, 1e-5}, {"artery 13.33", closed.radius(13.33e-3), 1.18929, 1e-5}, {"artery 20", closed.radius(20e-3), 1.23006, 1e-5},
		{"artery 5, 160°", opened.radius(5e-3), 1.12843, 1e-5}, {"artery 13.33, 160°", opened.radius(13.33e-3), 1.27435, 1e-5}, {"artery 20, 160°", opened.radius(20e-3), 1.32185, 1e-5},
	} {
		if math.Abs(c.got-c.want) > 0.6*c.unit {
			t.Errorf("%s: %.9f, want %v", c.name, c.got, c.want)
		}
	}
	// The mean stress of the tube: σr = −p inside, 0 outside.
	if p := tubePressure(10, 15, 15); math.Abs(tubeMeanStress(15, 15)-(-p+((2.25-1/2.25)+(1-1/2.25))/3)) > 1e-9 {
		t.Error("mean stress at the inner radius")
	}
}

// The body force of the manufactured solution is the divergence of its stress.
func TestBodyForceAgainstDifferences(t *testing.T) {
	_, all := laws()
	w := waves{0.1}
	for _, law := range all[:5] {
		p := r3.Vec{X: 0.3, Y: 0.6, Z: 0.2}
		want := w.body(law, p)
		const h = 1e-4
		var got [3]float64
		for j := range 3 {
			for _, s := range []float64{1, -1} {
				x := [3]float64{p.X, p.Y, p.Z}
				x[j] += s * h
				f, _ := w.gradients(r3.Vec{X: x[0], Y: x[1], Z: x[2]})
				pk := f
				law.Stress(&pk, &f)
				got[0] -= s * pk[j].X / (2 * h)
				got[1] -= s * pk[j].Y / (2 * h)
				got[2] -= s * pk[j].Z / (2 * h)
			}
		}
		if d := math.Abs(got[0]-want.X) + math.Abs(got[1]-want.Y) + math.Abs(got[2]-want.Z); d > 1e-6*math.Abs(want.X) {
			t.Errorf("%T: %v, want %v", law, got, want)
		}
	}
}

func TestPlot(t *testing.T) {
	r := &Result{Rows: []Row{shown("q <1>", "", "", 1.4, 1).at(4), shown("q <1>", "", "", 1.1, 1).at(2), shown("q <1>", "", "", 1.025, 1).at(1)}}
	svg := Plot(r)
	for _, want := range []string{"<svg", "q &lt;1&gt;, rate 2.00", "size of cells"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the plot lacks %q", want)
		}
	}
	if Plot(&Result{Rows: r.Rows[:2]}) != "" {
		t.Error("a plot of two meshes")
	}
}

func Example() {
	// The pressure, over μ, that holds a tube of radii 10 and 15 mm open at 12 mm.
	fmt.Printf("%.6f\n", tubePressure(10, 15, 12))
	// Output: 0.164009
}
