package contour

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/mesh"
)

// realLabels flattens the manual masks of 3D-IRCADb-01 patient 17.
func realLabels(t *testing.T) *imaging.Labels {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(data, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	im, err := nifti.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nifti.ReadSegments(path, im.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	return s.Flatten(imaging.LabelLiver, imaging.LabelLiver, imaging.LabelPortalVein, imaging.LabelHepaticVein,
		imaging.LabelArtery, imaging.LabelTumour, imaging.LabelTumour+1)
}

func TestRealLiver(t *testing.T) {
	l := realLabels(t)
	voxels := float64(l.Count(imaging.Label.InOrgan)) * l.Grid.VoxelMM3()
	if math.Abs(voxels/1000-1860.62) > 0.01 {
		t.Fatalf("organ has %.2f ml", voxels/1000)
	}
	for _, passes := range []int{0, 20} {
		start := time.Now()
		s, err := Extract(context.Background(), l, Options{SmoothPasses: passes})
		took := time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, l, s)
		v := s.VolumeMM3(imaging.Label.InOrgan)
		area := s.AreaMM2(func(r mesh.Sides) bool { return r.Inside.InOrgan() != r.Outside.InOrgan() })
		t.Logf("%d passes: %d faces in %v, organ %.2f ml (%+.4f %%), %.1f cm²", passes, len(s.Tris), took, v/1000, 100*(v/voxels-1), area/100)
		if math.Abs(v/voxels-1) > 0.003 {
			t.Fatalf("organ volume %.2f ml, voxels %.2f", v/1000, voxels/1000)
		}
		for _, id := range s.Labels() {
			want := float64(l.Count(func(x imaging.Label) bool { return x == id })) * l.Grid.VoxelMM3()
			top := s.Topology(id)
			t.Logf("  %v %.3f ml, error %+.4f %%, %d non-manifold edges", id, want/1000, 100*(volume(s, id)/want-1), top.NonManifoldEdges)
			if math.Abs(volume(s, id)/want-1) > 0.01 {
				t.Fatalf("%v: volume %g of %g", id, volume(s, id), want)
			}
		}
	}
}
