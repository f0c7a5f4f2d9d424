package mesh_test

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
	"halsted/mesh"
	"halsted/mesh/contour"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

// The displayed surface of the manual liver of 3D-IRCADb-01 patient 17 follows
// an 8 mm mesh of it: a linear field comes through, and the mesh's boundary
// stays close to the surface.
func TestRealLiverSurfaceFollowsItsMesh(t *testing.T) {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(data, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	im, err := nifti.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	masks, err := nifti.ReadSegments(path, im.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	bit := masks.Bit(imaging.LabelLiver)
	inside := func(n int) bool { return masks.Bits[n]&bit != 0 }
	box := masks.Grid.Bounds(inside).Grow(masks.Grid, 10)
	s, err := contour.Extract(ctx, masks.Crop(box).Flatten(imaging.LabelLiver, imaging.LabelLiver), contour.Options{SmoothPasses: 20})
	if err != nil {
		t.Fatal(err)
	}
	g, phi, err := distance.SignedCrop(ctx, masks.Grid, box, inside)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := tetra.Fill(ctx, tetra.Domain{Grid: g, Phi: phi, TargetMM3: masks.VolumeMM3(imaging.LabelLiver)}, tetra.Options{EdgeMM: 8})
	if err != nil {
		t.Fatal(err)
	}
	m = m.Quadratic()
	start := time.Now()
	e, err := mesh.Embed(s.Verts, m)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	b, _ := m.Boundary()
	there, back := s.DistanceTo(b), b.DistanceTo(s)
	t.Logf("%d points in %v: %d outside, at most %.2f mm; surface to mesh %.2f mean, %.2f p95, %.2f max mm; back %.2f, %.2f, %.2f",
		e.Len(), took, e.Outside, e.MaxOutsideMM, there.MeanMM, there.P95MM, there.MaxMM, back.MeanMM, back.P95MM, back.MaxMM)
	if there.MeanMM > 1 || there.P95MM > 3 || back.P95MM > 3 {
		t.Fatalf("the mesh strays from the surface: %+v, %+v", there, back)
	}
	u, got := make([]r3.Vec, len(m.Nodes)), make([]r3.Vec, e.Len())
	for n, p := range m.Nodes {
		u[n] = r3.Vec{X: 0.3 * p.Y, Y: -0.2 * p.Z, Z: 0.1*p.X + 5}
	}
	e.Apply(got, u)
	off := 0
	for n, p := range s.Verts {
		want := r3.Vec{X: 0.3 * p.Y, Y: -0.2 * p.Z, Z: 0.1*p.X + 5}
		d := r3.Norm(r3.Sub(got[n], want))
		if d > 1e-9 {
			off++ // beyond the reach of the extrapolation
		}
		if d > 0.4*e.MaxOutsideMM+1e-9 || math.IsNaN(d) {
			t.Fatalf("vertex %d is %g mm off a linear field", n, d)
		}
	}
	if off > len(s.Verts)/100 {
		t.Fatalf("%d of %d vertices do not follow a linear field", off, len(s.Verts))
	}
}
