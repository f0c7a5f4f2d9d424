package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/planner"
	"halsted/planner/aneurysm"

	"gonum.org/v1/gonum/spatial/r3"
)

// writeAorta writes a synthetic aorta as a volume and a mask of its lumen: a
// neck of 22 mm over 25 mm below the renal artery at the origin, an aneurysm of
// 50 mm, and two iliac arteries of 12 mm.
func writeAorta(t *testing.T) (volume, masks string) {
	t.Helper()
	const neckMM, sacMM, neckR, sacR, iliacR, iliacMM, aboveMM, voxel = 25, 75, 11, 25, 6, 55, 40, 1.5
	radius := func(s float64) float64 {
		d := (s - neckMM - sacMM/2) / (sacMM / 4)
		return neckR + (sacR-neckR)*math.Exp(-d*d)
	}
	low := -float64(neckMM + sacMM + iliacMM + 15)
	count := func(mm float64) int { return int(mm/voxel) + 1 }
	g := imaging.NewGrid([3]int{count(110), count(80), count(aboveMM - low)}, r3.Vec{X: -55, Y: -40, Z: low}, [3]float64{voxel, voxel, voxel})
	s := imaging.NewSegments(g, imaging.LabelAorta)
	v := imaging.NewVolume(g, imaging.KindHU)
	for n := range s.Bits {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		down := -p.Z
		in := down <= neckMM+sacMM && math.Hypot(p.X, p.Y) <= radius(down)
		for _, side := range []float64{-1, 1} {
			dir := r3.Unit(r3.Vec{X: side * 0.45, Z: -1})
			q := r3.Sub(p, r3.Vec{Z: -(neckMM + sacMM)})
			along := min(max(r3.Dot(q, dir), 0), iliacMM)
			in = in || r3.Norm(r3.Sub(q, r3.Scale(along, dir))) <= iliacR
		}
		v.Data[n] = 40
		if in {
			s.Bits[n], v.Data[n] = s.Bit(imaging.LabelAorta), 300
		}
	}
	return writeNIfTI(t, v, s)
}

// An aneurysm through the command: the graft of the right size at the top of
// the neck is proposed, the sizes next to it are shown with the reason why not,
// and table and dossier carry the rupture index with its published warning.
func TestPlanAnAneurysm(t *testing.T) {
	volume, masks := writeAorta(t)
	out := filepath.Join(t.TempDir(), "out")
	r, code, said := plans(t, volume, "--procedure", "vessel.aneurysm", "--structures", masks, "--bits", "aorta", "--seed", "renal_artery=11,0,0",
		"--sex", "M", "--family-history", "no", "--level", "L1", "--method", "latin-hypercube", "--runs", "8", "--out", out)
	if code != exitOK {
		t.Fatal(said)
	}
	d := r.Decision
	if d.Searched < 100 || d.Feasible < 10 || d.Feasible >= d.Searched || len(d.Plans) < 3 || d.Knee == "" {
		t.Fatalf("%d searched, %d feasible, %d shown, knee %q", d.Searched, d.Feasible, len(d.Plans), d.Knee)
	}
	size := func(n int) string { return strings.Split(d.Plans[n].Graft.Device, "@")[0] }
	var sizes []string
	for n, e := range d.Evaluations {
		sizes = append(sizes, size(n))
		for _, q := range e.Quantities {
			if err := q.Validate(); err != nil {
				t.Error(err)
			}
		}
		for _, id := range []string{"wall_stress_p99_kpa", "rupture_index"} {
			if q, ok := e.Quantity(id); !ok || !q.HasInterval() || q.Solution == nil {
				t.Errorf("%s is %v", id, q)
			}
		}
	}
	all := strings.Join(sizes, " ")
	// 22 mm of lumen and 10 to 20 % are 24.2 to 26.4 mm.
	if d.Plans[0].ID != d.Knee || size(0) != "graft.body.26" || d.Plans[0].Graft.ProximalMM != 0 || !strings.Contains(all, "graft.body.24") || !strings.Contains(all, "graft.body.28") {
		t.Errorf("proposed %s, shown %s", d.Plans[0].Name, all)
	}
	for _, p := range d.Plans[1:] { // the neighbours
		if !slices.ContainsFunc(d.WhyNot, func(w planner.WhyNot) bool { return w.Plan.ID == p.ID && strings.Contains(w.Text, p.Name) }) {
			t.Errorf("%s is shown without a reason why not", p.Name)
		}
	}
	noBareNumber(t, d)
	noRawID(t, d, out)
	table, err := os.ReadFile(filepath.Join(out, "plans.txt"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{aneurysm.RuptureWarning, "Bifurcated body 26 mm", "Limb 14 mm", "Bifurcated body 28 mm", "PMC6105024", "rupture index", "No plan is approved."} {
		for name, text := range map[string]string{"plans.txt": string(table), "report.html": strings.ReplaceAll(string(page), "&#43;", "+")} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	for _, want := range []string{"Aortic aneurysm", "kPa", "Why not this one", "doi 10.5772/66369", "unverified source", "The outer border was not given"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, f := range []string{"report.pdf", "report.json"} {
		if st, err := os.Stat(filepath.Join(out, f)); err != nil || st.Size() < 5000 {
			t.Errorf("%s: %v", f, err)
		}
	}
}
