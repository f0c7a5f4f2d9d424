package segment_test

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// A vertebra in a trunk of muscle: a body of dense shell and marrow, an arch
// around the canal with a pocket of fat in it, and beside it a vessel brighter
// than marrow. Marrow and fat are bone, canal and vessel are not, and the
// outline lies where the shell ends.
func TestBoneFillsMarrowNotTheCanal(t *testing.T) {
	r, err := abdomenSteps("prepare", "body", "bone")
	if err != nil {
		t.Fatal(err)
	}
	g := imaging.NewGrid([3]int{160, 140, 16}, r3.Vec{X: -80, Y: -70, Z: 0}, [3]float64{1, 1, 2})
	v := imaging.NewVolume(g, imaging.KindHU)
	truth := imaging.NewSegments(g, imaging.LabelBone)
	canal, vessel := make([]bool, g.Len()), make([]bool, g.Len())
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		hu := -1000.0
		e := func(x, y, a, b float64) float64 { return math.Hypot((p.X-x)/a, (p.Y-y)/b) }
		bone := true
		switch {
		case e(0, 0, 70, 60) > 1:
			bone = false
		case e(0, 0, 17, 13) < 1:
			hu = 170
		case e(0, 0, 20, 16) < 1:
			hu = 650
		case e(0, 25, 8, 8) < 1: // canal
			hu, bone, canal[n] = 30, false, true
		case e(0, 38, 3, 2) < 1: // fat in the arch
			hu = -60
		case e(0, 26, 15, 16) < 1:
			hu = 700
		case e(-5, -32, 9, 9) < 1: // a vessel
			hu, bone, vessel[n] = 230, false, true
		default:
			hu, bone = 55, false
		}
		v.Data[n] = int16(hu)
		if bone {
			truth.Bits[n] = 1
		}
	}
	got, rep, err := segment.Run(t.Context(), v, r, segment.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := rep.Of(imaging.LabelBone); s.Missing != "" {
		t.Fatal(s.Missing)
	}
	if d := dice(got, truth, imaging.LabelBone); d < 0.97 {
		t.Errorf("Dice %.3f", d)
	}
	bit, in, all := got.Bit(imaging.LabelBone), 0, 0
	for n := range canal {
		if vessel[n] && got.Bits[n]&bit != 0 {
			t.Fatalf("the vessel is bone at voxel %d", n)
		}
		if canal[n] {
			all++
			if got.Bits[n]&bit != 0 {
				in++
			}
		}
	}
	if in > all/10 {
		t.Errorf("%d of %d voxels of the canal are bone", in, all)
	}
}

// abdomenSteps is the recipe for the abdomen cut down to some steps.
func abdomenSteps(do ...string) (segment.Recipe, error) {
	r := abdomen()
	var steps []segment.Step
	for _, name := range do {
		for _, s := range r.Steps {
			if s.Do == name {
				steps = append(steps, s)
			}
		}
	}
	r.Steps, r.Must = steps, []string{"bone"}
	return r, r.Validate()
}
