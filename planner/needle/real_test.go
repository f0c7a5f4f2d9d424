package needle

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/planner"
	"halsted/planner/rules"
)

// manual is the manual segmentation of patient 17 of 3D-IRCADb-01.
func manual(t testing.TB) *imaging.Segments {
	t.Helper()
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		if os.Getenv("HALSTED_REQUIRE_PEERS") == "1" {
			t.Fatal("HALSTED_DATA is not set")
		}
		t.Skip("HALSTED_DATA is not set")
	}
	path := filepath.Join(root, "cases", "ircad01_17_liver_ct", "masks_bits.nii.gz")
	v, err := nifti.ReadVolume(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nifti.ReadSegments(path, v.Grid, nifti.IRCADBits())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A patient with manual masks: what is found keeps all hard rules when it is
// simulated, whatever the search field rounded.
func TestRealPatient(t *testing.T) {
	s := manual(t)
	pack, err := rules.Shipped(Name)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1 {
		c := newCase(t, s, Config{Condition: "biopsy", Target: imaging.LabelTumour + imaging.Label(n), Candidates: 60000, SkinMM: 2})
		plans := 0
		err := c.Generate(context.Background(), 1, func(k planner.Candidate) error {
			plans++
			o, err := c.Simulate(context.Background(), k.Plan, planner.L0, nil)
			if err != nil {
				return err
			}
			e := evaluation(c, k.Plan, o)
			if _, err := pack.Check(&e, "biopsy"); err != nil {
				return err
			}
			if len(e.Vetoes) > 0 {
				t.Errorf("tumour %d: %s is vetoed: %v", n+1, k.Plan.Name, e.Vetoes[0].Text)
			}
			for _, q := range e.Quantities {
				t.Logf("%s: %s", k.Plan.Name, q.ID+" "+q.Short())
			}
			return nil
		})
		if err != nil || plans == 0 {
			t.Errorf("tumour %d: %d plans, %v", n+1, plans, err)
		}
	}
}
