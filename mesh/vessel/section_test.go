package vessel

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/nifti"
)

// TestSectionEllipse cuts a tube with an elliptic lumen, turned against the
// grid: 12 and 8 mm, area 24π mm².
func TestSectionEllipse(t *testing.T) {
	g := imaging.NewGrid([3]int{50, 50, 30}, r3.Vec{X: -18, Y: -18, Z: -18}, [3]float64{0.75, 0.75, 1.2})
	turn := r3.NewRotation(0.6, r3.Vec{X: 1, Y: 0.5, Z: 0.2})
	x, y, z := turn.Rotate(r3.Vec{X: 1}), turn.Rotate(r3.Vec{Y: 1}), turn.Rotate(r3.Vec{Z: 1})
	mask := filter.Where(g.Len(), func(n int) bool {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		a, b := r3.Dot(p, x)/6, r3.Dot(p, y)/4
		return a*a+b*b < 1
	})
	s, err := SectionAt(g, mask, r3.Vec{}, z, 20)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.AreaMM2/(24*math.Pi)-1) > 0.02 || math.Abs(s.DiameterMM-12) > 0.5 || math.Abs(s.PerpendicularMM-8) > 0.5 || r3.Norm(s.CentroidLPS) > 0.1 {
		t.Errorf("area %.2f (75.40) diameters %.2f (12) %.2f (8), centroid %.2v", s.AreaMM2, s.DiameterMM, s.PerpendicularMM, s.CentroidLPS)
	}
	if d := math.Abs(r3.Dot(r3.Unit(r3.Sub(s.End, s.Start)), x)); d < 0.95 {
		t.Errorf("largest diameter %.3f off its axis", d)
	}
	if _, err := SectionAt(g, mask, r3.Scale(14, x), z, 20); !errors.Is(err, ErrNoSection) {
		t.Errorf("beside the vessel: %v", err)
	}
	if _, err := SectionAt(g, mask, r3.Vec{}, r3.Vec{}, 20); err == nil {
		t.Error("no normal: no error")
	}
}

// TestAortaReport measures the aorta of the dissection case in the planes of the
// report of TotalSegmentator: a mask given as truth against diameters rounded
// to a millimetre.
func TestAortaReport(t *testing.T) {
	root := os.Getenv("HALSTED_DATA")
	if root == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	dir := filepath.Join(root, "cases", "cta_aortic_dissection")
	var rep struct {
		Landmarks map[string]struct {
			Name             string
			Diameter, Area   *float64
			Diameter_PD      *float64
			Start, End       []float64
			Start_PD, End_PD []float64
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "aorta_report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rep); err != nil {
		t.Fatal(err)
	}
	load := func(names ...string) (imaging.Grid, filter.Mask) {
		var g imaging.Grid
		var m filter.Mask
		for _, name := range names {
			v, err := nifti.ReadVolume(filepath.Join(dir, "labels", name))
			if err != nil {
				t.Fatal(err)
			}
			if m == nil {
				g, m = v.Grid, make(filter.Mask, v.Grid.Len())
			}
			for n := range m {
				m[n] = m[n] || v.Value(n) > 0
			}
		}
		return g, m
	}
	// The report measures the union of aorta and lumina, at the annulus that of the
	// annulus, after one dilation by a voxel of 0.8 mm in its resampled frame.
	const voxel = 0.8
	g, m := load("aorta.nii.gz", "aorta_true_lumen.nii.gz", "aorta_false_lumen.nii.gz")
	ga, ma := load("annulus_proper.nii.gz")
	near := 0
	for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		l := rep.Landmarks[key]
		at := func(p []float64) r3.Vec { return r3.Vec{X: -p[0], Y: -p[1], Z: p[2]} } // RAS in the file
		a, b, c, d := at(l.Start), at(l.End), at(l.Start_PD), at(l.End_PD)
		grid, mask := g, m
		if l.Name == "annulus" {
			grid, mask = ga, ma
		}
		s, err := SectionAt(grid, mask, r3.Scale(0.5, r3.Add(a, b)), r3.Cross(r3.Sub(b, a), r3.Sub(d, c)), 40)
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		plain := s.DiameterMM - 10**l.Diameter
		t.Logf("%-28s %.1f mm, report %.0f: %+.1f, with its dilation %+.1f; across %.1f, report %.0f; area %.0f mm², report %.0f",
			l.Name, s.DiameterMM, 10**l.Diameter, plain, plain+2*voxel, s.PerpendicularMM, 10**l.Diameter_PD, s.AreaMM2, 100**l.Area)
		if math.Abs(plain+2*voxel) <= 1.5 {
			near++
		}
		if math.Abs(plain) > 3 || math.Abs(plain+2*voxel) > 2 {
			t.Errorf("%s: diameter %.1f mm, report %.0f", l.Name, s.DiameterMM, 10**l.Diameter)
		}
	}
	if near < 9 {
		t.Errorf("%d of 10 landmarks within 1.5 mm by the report's definition; 9 were", near)
	}
}
