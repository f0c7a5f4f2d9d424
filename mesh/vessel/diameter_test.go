package vessel

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/nifti"
)

// TestDiameters has closed forms: a rectangle of 6 × 8 mm and an ellipse.
func TestDiameters(t *testing.T) {
	s := &Section{Normal: r3.Vec{Z: 1}, Outline: []r3.Vec{{}, {X: 6}, {X: 6, Y: 8}, {Y: 8}}}
	s.measure(across(s.Normal))
	for _, m := range []float64{0, 0.75, 2} {
		d := s.Diameters(m)
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"max", d.MaxMM, 10 + 2*m}, {"min", d.MinMM, 6 + 2*m}, {"mean", d.MeanMM, 28/math.Pi + 2*m},
			{"area", d.AreaMM2, 48 + 28*m + math.Pi*m*m},
			{"equivalent", d.EquivalentMM, 2 * math.Sqrt((48+28*m+math.Pi*m*m)/math.Pi)},
		} {
			if math.Abs(c.got-c.want) > 1e-9 {
				t.Errorf("margin %g: %s %.6f, want %.6f", m, c.name, c.got, c.want)
			}
		}
	}
	s = &Section{Normal: r3.Vec{X: 0.6, Z: 0.8}, Centre: r3.Vec{X: 100, Y: -20}}
	u, v := across(s.Normal)
	for k := range 720 {
		a := 2 * math.Pi * float64(k) / 720
		s.Outline = append(s.Outline, r3.Add(s.Centre, r3.Add(r3.Scale(9*math.Cos(a), u), r3.Scale(5*math.Sin(a), v))))
	}
	s.measure(u, v)
	d := s.Diameters(0)
	// Perimeter of the ellipse by Ramanujan's second formula, good to 1e-6 here.
	h := 4.0 * 4 / (14 * 14)
	round := math.Pi * 14 * (1 + 3*h/(10+math.Sqrt(4-3*h)))
	if math.Abs(d.MaxMM-18) > 1e-3 || math.Abs(d.MinMM-10) > 1e-3 || math.Abs(d.AcrossMM-10) > 1e-3 || math.Abs(d.MeanMM-round/math.Pi) > 1e-3 || math.Abs(d.EquivalentMM-2*math.Sqrt(45)) > 1e-3 {
		t.Errorf("ellipse 9 × 5: %+v", d)
	}
}

// TestAortaReport measures the aorta of the dissection case in the planes of the
// report of TotalSegmentator: a mask given as truth against diameters rounded
// to a millimetre.
//
// The report measures the union of aorta and lumina (at the annulus the annulus)
// after one dilation by a voxel of the grid of 0.8 mm it works on. Its own areas
// tell: that of the section exceeds those of the lumina in it by 9–12 %, but for
// the sinuses of Valsalva, where the two are equal: there the section was not
// dilated. The margin follows that, landmark by landmark.
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
			AreaTL           float64 `json:"area_tl"`
			AreaFL           float64 `json:"area_fl"`
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
	g, m := load("aorta.nii.gz", "aorta_true_lumen.nii.gz", "aorta_false_lumen.nii.gz")
	ga, ma := load("annulus_proper.nii.gz")
	inner := 0
	for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		l := rep.Landmarks[key]
		at := func(p []float64) r3.Vec { return r3.Vec{X: -p[0], Y: -p[1], Z: p[2]} } // RAS in the file
		a, b, c, d := at(l.Start), at(l.End), at(l.Start_PD), at(l.End_PD)
		grid, mask := g, m
		if l.Name == "annulus" {
			grid, mask = ga, ma
		}
		margin := 0.8
		if l.AreaTL+l.AreaFL > *l.Area-0.1 { // areas are rounded to 0.1 cm²
			margin = 0
		}
		s, err := SectionAt(grid, mask, r3.Scale(0.5, r3.Add(a, b)), r3.Cross(r3.Sub(b, a), r3.Sub(d, c)), 40)
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		plain, theirs := s.Diameters(0), s.Diameters(margin)
		off := theirs.MaxMM - 10**l.Diameter
		t.Logf("%-28s inner edges %.1f mm, report %.0f: %+.1f; with its margin of %.1f mm %+.1f, across %+.1f, area %+.1f %%", l.Name, plain.MaxMM,
			10**l.Diameter, plain.MaxMM-10**l.Diameter, margin, off, theirs.AcrossMM-10**l.Diameter_PD, theirs.AreaMM2 / *l.Area - 100)
		if math.Abs(off) > 1.5 {
			t.Errorf("%s: diameter %.1f mm, report %.0f", l.Name, theirs.MaxMM, 10**l.Diameter)
		}
		if math.Abs(theirs.AreaMM2 / *l.Area - 100) > 5 {
			t.Errorf("%s: area %.0f mm², report %.0f", l.Name, theirs.AreaMM2, 100**l.Area)
		}
		if math.Abs(plain.MaxMM-10**l.Diameter) <= 1.5 {
			inner++
		}
	}
	t.Logf("%d of 10 landmarks within 1.5 mm between inner edges", inner)
}
