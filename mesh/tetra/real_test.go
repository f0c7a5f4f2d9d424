package tetra

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/imaging/nifti"
)

// The manual liver of 3D-IRCADb-01 patient 17 (parenchyma, tumours and the
// vessels inside): volume within 0.2 %, every component kept.
func TestRealLiver(t *testing.T) {
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
	bit := s.Bit(imaging.LabelLiver)
	inside := func(n int) bool { return s.Bits[n]&bit != 0 }
	ctx := context.Background()
	g, phi, err := distance.SignedCrop(ctx, s.Grid, s.Grid.Bounds(inside).Grow(s.Grid, 10), inside)
	if err != nil {
		t.Fatal(err)
	}
	inLiver := &imaging.Labels{Grid: g, ID: make([]imaging.Label, len(phi))}
	for n, v := range phi {
		if v < 0 {
			inLiver.ID[n] = imaging.LabelLiver
		}
	}
	for _, h := range []float64{6, 8, 10, 14} {
		d := Domain{Grid: g, Phi: phi, TargetMM3: s.VolumeMM3(imaging.LabelLiver)}
		start := time.Now()
		m, rep, err := Fill(ctx, d, Options{EdgeMM: h})
		took := time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		q := sound(t, m)
		t.Logf("edge %g mm: %d tets, %d nodes in %v; volume %.2f ml (%+.3f %%), dihedral %.1f–%.1f, %d components",
			h, q.Tets, q.Nodes, took, q.VolumeMM3/1000, 100*(q.VolumeMM3/d.TargetMM3-1), q.MinDihedralDeg, q.MaxDihedralDeg, rep.Components)
		if n := lost(inLiver, m); n > 0 {
			t.Fatalf("%d components lost", n)
		}
		if math.Abs(q.VolumeMM3/d.TargetMM3-1) > 2e-3 || len(m.Tets) == 0 {
			t.Fatalf("volume %.2f ml, want %.2f", q.VolumeMM3/1000, d.TargetMM3/1000)
		}
	}
}
