package segment_test

import (
	"testing"

	"halsted/imaging"
	"halsted/imaging/phantom"
)

// In slices of 5 mm without contrast the liver's outline is drawn a long way from
// the surface that was found; ribs there are no liver, and no vessels of it.
func TestThickSlicesLeaveRibsOut(t *testing.T) {
	l := phantom.NewLiver(2)
	g := l.GridAt([3]float64{1.2, 1.2, 5})
	v, err := l.Scan(t.Context(), g, phantom.Variation{LiverHU: 65, Contrast: 0.05, NoiseHU: 8}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, rep := run(t, v, abdomen())
	liver, truth := got.Bit(imaging.LabelLiver), l.Truth(g)
	bone, voxels := truth.Bit(imaging.LabelBone), 0
	for n, b := range got.Bits {
		if b&liver != 0 && truth.Bits[n]&bone != 0 {
			voxels++
		}
	}
	if ml := float64(voxels) * g.VoxelMM3() / 1000; liver == 0 || bone == 0 || ml > 0.1 {
		t.Errorf("%.1f ml of bone in the liver (%+v)", ml, rep.Of(imaging.LabelLiver))
	}
	for _, o := range anyVessel {
		if s := rep.Of(o); s.Missing == "" || got.Bit(o) != 0 {
			t.Errorf("%v in a scan without contrast: %+v", o, s)
		}
	}
}
