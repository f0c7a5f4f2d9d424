package register

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
	"halsted/imaging"
	"halsted/imaging/nifti"
)

// realVolume reads a case of HALSTED_DATA.
func realVolume(t *testing.T, kind imaging.Kind, path ...string) *imaging.Volume {
	t.Helper()
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	name := filepath.Join(append([]string{root, "cases"}, path...)...)
	v, err := nifti.ReadVolume(name)
	if err != nil {
		t.Fatal(err)
	}
	v.Kind = kind
	return v
}

// elsewhere is a grid with other spacings that covers g's middle: nothing in
// the moved image stands on the voxels of the fixed one.
func elsewhere(g imaging.Grid) imaging.Grid {
	sp := g.SpacingMM()
	out := g
	for a, f := range [3]float64{1.13, 1.07, 1.19} {
		out.Axes[a] = r3.Scale(f, g.Axes[a])
		out.Size[a] = int(float64(g.Size[a]) / f)
		out.Origin = r3.Add(out.Origin, r3.Scale(0.3*sp[a], r3.Unit(g.Axes[a])))
	}
	return out
}

func TestRealHeadsMoved(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    imaging.Kind
		path    []string
		noise   float64
		outside float64
		inside  func(float64) bool
		limit   float64 // mm: half of the largest voxel side
	}{
		{"mr_t1_colin27", imaging.KindMR, []string{"mr_t1_colin27", "ch2.nii.gz"}, 5, 0, func(v float64) bool { return v > 40 }, 0.5},
		{"ct_cranium_invesalius", imaging.KindHU, []string{"ct_cranium_invesalius", "ct.nii.gz"}, 30, -1024, tissue, 0.75},
	} {
		t.Run(c.name, func(t *testing.T) {
			fixed := realVolume(t, c.kind, c.path...)
			for seed := range uint64(2) {
				move := randomRigid(500+seed, 15, 30)
				moving := noisy(resampled(t, fixed, elsewhere(fixed.Grid), move, c.outside), c.noise, seed)
				check(t, c.name, false, fixed, moving, move, Options{Samples: 20000}, c.inside, c.limit)
			}
		})
	}
}

// Two people, CT and MR: there is no truth, and the craniectomy and the cut
// field of the CT are in one image alone. Forward and backward must agree, or
// the result be refused.
func TestTwoHeadsAreCheckedForwardAndBackward(t *testing.T) {
	ct := realVolume(t, imaging.KindHU, "ct_cranium_invesalius", "ct.nii.gz")
	mr := realVolume(t, imaging.KindMR, "mr_t1_colin27", "ch2.nii.gz")
	got, rep, err := Affine(context.Background(), ct, mr, Options{})
	t.Logf("affine CT on MR: det %.3f, error %v, report %+v", got.Determinant(), err, rep)
	if err == nil && !(rep.Checked && rep.MeanErrorMM <= 2*rep.Levels[len(rep.Levels)-1].SpacingMM && rep.Sharpness >= minSharpness) {
		t.Errorf("a result without its checks: %+v", rep)
	}
	if err != nil && got != (Transform{}) {
		t.Error("a refusal with a transform")
	}
}
