package segment_test

import (
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"
	"halsted/imaging/segment"

	"gonum.org/v1/gonum/spatial/r3"
)

// On patients with other anatomy, contrast and noise no true portal vessel is
// called hepatic and none the other way round, where both were found.
func TestSystemsOfPhantoms(t *testing.T) {
	for _, seed := range []uint64{2, 3, 4} {
		l := phantom.NewLiver(seed)
		g := l.GridAt([3]float64{2, 2, 2})
		v, err := l.Scan(t.Context(), g, phantom.NewVariation(seed), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, rep := run(t, v, abdomen())
		truth := l.Truth(g)
		pair := [2]imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein}
		for n, own := range pair {
			if s := rep.Of(own); s.Origin != segment.ByRoot {
				t.Errorf("patient %d: %v: origin %q, %q", seed, own, s.Origin, s.Missing)
			}
			right, wrong := 0, 0
			for i, b := range truth.Bits {
				if b&truth.Bit(own) == 0 {
					continue
				}
				if got.Bits[i]&got.Bit(own) != 0 {
					right++
				}
				if got.Bits[i]&got.Bit(pair[1-n]) != 0 {
					wrong++
				}
			}
			if t.Logf("patient %d: %v: %d voxels right, %d given to the other system", seed, own, right, wrong); right < 20*wrong || right == 0 {
				t.Errorf("patient %d: %v: %d voxels right, %d given to the other system", seed, own, right, wrong)
			}
		}
	}
}

// Without the vena cava nothing is told apart: the vessels stay, and the report
// says what is missing. A seed helps.
func TestSystemsWithoutCava(t *testing.T) {
	r := abdomen()
	var steps []segment.Step
	for _, s := range r.Steps {
		if s.Do != "vena cava" {
			steps = append(steps, s)
		}
	}
	r.Steps = steps
	l := phantom.NewLiver(3)
	g := l.GridAt([3]float64{2, 2, 2})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, rep := run(t, v, r)
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		if why := rep.Of(l).Missing; !strings.Contains(why, "vena cava") || got.Bit(l) != 0 {
			t.Errorf("%v: %q", l, why)
		}
	}
	if got.Bit(imaging.LabelVessel) == 0 {
		t.Fatal("the vessels are gone")
	}
	_, rep = run(t, v, r, segment.Seed{Label: imaging.LabelPortalVein, LPS: portalSeed(l)})
	if s := rep.Of(imaging.LabelPortalVein); s.Origin != segment.FromSeed || s.VolumeML < 5 {
		t.Errorf("seeded: %+v", s)
	}
}

func portalSeed(l *phantom.Liver) r3.Vec {
	for _, s := range l.Seeds() {
		if s.Label == imaging.LabelPortalVein {
			return s.LPS
		}
	}
	panic("the patient has no portal vein")
}
