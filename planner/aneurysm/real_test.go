package aneurysm

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/planner"
)

// The descending aorta of a patient with a dissection (shared data
// cta_aortic_dissection, 1.5 mm voxels, both lumens) is unloaded from 93 mmHg as
// imaged: at most 1 µm in at most 5 forward solves.
func TestRealAortaUnloads(t *testing.T) {
	dir := os.Getenv("HALSTED_DATA")
	if dir == "" {
		if os.Getenv("HALSTED_REQUIRE_PEERS") == "1" {
			t.Fatal("HALSTED_DATA is not set")
		}
		t.Skip("HALSTED_DATA is not set: no real aorta")
	}
	f, err := os.Open(filepath.Join(dir, "cases", "cta_aortic_dissection", "labels", "T716_aorta_true_false_lumen.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := nifti.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	v, err := im.Volume()
	if err != nil {
		t.Fatal(err)
	}
	s := imaging.NewSegments(v.Grid, imaging.LabelAorta)
	for n, x := range v.Data {
		if x > 0 {
			s.Bits[n] = 1
		}
	}
	size := v.Grid.Size
	size[2] = size[2] * 45 / 100 // below the arch
	ctx := context.Background()
	c, err := New(ctx, s.Crop(imaging.Box{Hi: size}), Config{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWall(c.Shape, planner.Medians(c.Inputs())[inThickness], c.meshOptions(planner.L2))
	if err != nil {
		t.Fatal(err)
	}
	u, err := w.Unload(ctx, Tissue{}, EndsHeld, 93)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d nodes, %.0f mm long, %.1f mm wide: %.2g mm after %d forward solves and %d iterations", len(w.Mesh.Nodes), c.Shape.LengthMM(), c.diameter(0, 0), u.Report.MaxMM, u.Report.ForwardSolves, u.Report.InverseNewton)
	if !(u.Report.MaxMM <= 1e-3) || u.Report.ForwardSolves > 5 {
		t.Errorf("%.3g mm after %d forward solves", u.Report.MaxMM, u.Report.ForwardSolves)
	}
}
