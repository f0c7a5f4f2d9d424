package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/nifti"
	"halsted/imaging/phantom"
	"halsted/mesh/vessel"
)

// treeSeeds is how many phantoms give a portal and a hepatic tree.
const treeSeeds = 6

// phantomTree is one system of a phantom without the branches thinner than minMM.
func phantomTree(l *phantom.Liver, system imaging.Label, minMM float64) *vessel.Tree {
	t := &vessel.Tree{System: system}
	at := map[int]int{}
	for n, b := range l.Branches() {
		if b.System != system {
			continue
		}
		q := vessel.Branch{Parent: -1, Points: b.Line, RadiusMM: slices.Repeat([]float64{b.RadiusMM}, len(b.Line))}
		if b.Parent >= 0 {
			q.Parent = at[b.Parent]
		}
		at[n] = len(t.Branches)
		t.Branches = append(t.Branches, q)
	}
	return t.Thick(minMM)
}

// treeGrid is a grid of cubes of 1 mm, turned, around a tree.
func treeGrid(t *vessel.Tree, turn r3.Rotation) imaging.Grid {
	g := imaging.Grid{}
	for a, e := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		e = turn.Rotate(e)
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, b := range t.Branches {
			for m, p := range b.Points {
				x := r3.Dot(p, e)
				lo, hi = min(lo, x-b.RadiusMM[m]-3), max(hi, x+b.RadiusMM[m]+3)
			}
		}
		g.Axes[a], g.Size[a] = e, int(hi-lo)+1
		g.Origin = r3.Add(g.Origin, r3.Scale(lo, e))
	}
	return g
}

// segmentTrees extracts the trees of phantoms from voxels of 1 mm, cut to
// branches of at least 1.5 voxels, in grids turned at random.
func segmentTrees(ctx context.Context) ([]Row, error) {
	wrong, exact, trees, branches := 0, 0, 0, 0
	line, mean, z := 0.0, 0.0, 0.0
	var radii, joints []float64
	for seed := uint64(1); seed <= treeSeeds; seed++ {
		l := phantom.NewLiver(seed)
		for _, system := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
			truth := phantomTree(l, system, 1.5)
			g := treeGrid(truth, r3.NewRotation(float64(seed-1)*0.7, r3.Vec{X: 1, Y: -2, Z: 0.5}))
			var roots []r3.Vec
			for _, n := range truth.Roots() {
				roots = append(roots, truth.Branches[n].Points[0])
			}
			got, _, err := vessel.Extract(ctx, g, truth.Lumen(g), vessel.Options{System: system, Roots: roots})
			if err != nil {
				return nil, err
			}
			a := vessel.Compare(got, truth)
			trees, branches, wrong = trees+1, branches+a.Branches, wrong+a.Missing+a.Extra
			if a.Missing+a.Extra == 0 {
				exact++
			}
			line = max(line, a.MeanMM, a.BackMM)
			z += a.SDRatio * a.SDRatio * float64(len(a.RadiusErrors))
			joints = append(joints, a.JointsMM...)
			for _, e := range a.RadiusErrors {
				radii, mean = append(radii, e), mean+e
			}
		}
	}
	slices.Sort(radii)
	item := fmt.Sprintf("%d phantom trees, %d branches of 1.5 voxels and more: ", trees, branches)
	within := 0
	for _, e := range radii {
		if e <= 0.05 {
			within++
		}
	}
	n := float64(len(radii))
	off, far := 0.0, 0
	for _, d := range joints {
		off += d / float64(len(joints))
		if d > 2 {
			far++
		}
	}
	return []Row{
		atMost(item+"branches missing and extra", float64(wrong), "1", 0, fmt.Sprintf("topology exact in %d of %d trees", exact, trees)),
		atMost(item+"centreline, worst tree's mean", line, "voxel", 0.5, "–"),
		atMost(item+"joints, distance from the true ones, mean", off, "voxel", noLimit, fmt.Sprintf("%d joints, the worst %.1f voxels off, %d of them more than 2", len(joints), slices.Max(joints), far)),
		atMost(item+"branch-mean radius error, mean", 100*mean/n, "%", 5, "–"),
		atMost(item+"branch-mean radius error, 99 of 100 branches", 100*radii[int(0.99*(n-1)+0.5)], "%", 5, "–"),
		atMost(item+"branch-mean radius error, worst branch", 100*radii[len(radii)-1], "%", 5, fmt.Sprintf("%d of %d branches within 5 %%", within, len(radii))),
		atMost(item+"branch-mean radius error, root mean square over its standard error", math.Sqrt(z/n), "1", noLimit, "1 where the standard errors are right"),
	}, nil
}

// aortaLandmark is one landmark of a report of TotalSegmentator: cm and cm²,
// RAS mm.
type aortaLandmark struct {
	Name             string
	Diameter, Area   float64
	AreaTL           float64 `json:"area_tl"`
	AreaFL           float64 `json:"area_fl"`
	Start, End       []float64
	Start_PD, End_PD []float64
}

// margin is how far the report's section reaches beyond the mask: one voxel of
// its grid of 0.8 mm, by which it dilates, but nothing where its own areas of the
// lumina make up that of the section.
func (l *aortaLandmark) margin() float64 {
	if l.AreaTL+l.AreaFL > l.Area-0.1 { // rounded to 0.1 cm²
		return 0
	}
	return 0.8
}

// segmentAorta measures the diameters of the aorta in the planes of the report.
func segmentAorta(ctx context.Context) ([]Row, error) {
	const item = "aorta diameter at the landmarks of the report"
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		return []Row{notMeasured(item, "mm", "≤ 1.5", "HALSTED_DATA is not set")}, nil
	}
	dir := filepath.Join(data, "cases", "cta_aortic_dissection")
	text, err := os.ReadFile(filepath.Join(dir, "aorta_report.json"))
	if err != nil {
		return nil, err
	}
	var report struct{ Landmarks map[string]*aortaLandmark }
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, err
	}
	load := func(names ...string) (g imaging.Grid, m filter.Mask, err error) {
		for _, name := range names {
			v, err := nifti.ReadVolume(filepath.Join(dir, "labels", name+".nii.gz"))
			if err != nil {
				return g, nil, err
			}
			if m == nil {
				g, m = v.Grid, make(filter.Mask, v.Grid.Len())
			}
			for n := range m {
				m[n] = m[n] || v.Value(n) > 0
			}
		}
		return g, m, nil
	}
	g, whole, err := load("aorta", "aorta_true_lumen", "aorta_false_lumen")
	if err != nil {
		return nil, err
	}
	_, annulus, err := load("annulus_proper")
	if err != nil {
		return nil, err
	}
	worst, inner, within := 0.0, 0.0, 0
	var list []string
	for n := 1; n <= 10; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l := report.Landmarks[fmt.Sprint(n)]
		if l == nil {
			return nil, fmt.Errorf("landmark %d is not in the report", n)
		}
		at := func(p []float64) r3.Vec { return r3.Vec{X: -p[0], Y: -p[1], Z: p[2]} }
		a, b, c, d := at(l.Start), at(l.End), at(l.Start_PD), at(l.End_PD)
		mask := whole
		if l.Name == "annulus" {
			mask = annulus
		}
		s, err := vessel.SectionAt(g, mask, r3.Scale(0.5, r3.Add(a, b)), r3.Cross(r3.Sub(b, a), r3.Sub(d, c)), 40)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		off := s.Diameters(l.margin()).MaxMM - 10*l.Diameter
		plain := s.Diameters(0).MaxMM - 10*l.Diameter
		worst, inner = max(worst, math.Abs(off)), max(inner, math.Abs(plain))
		if math.Abs(plain) <= 1.5 {
			within++
		}
		list = append(list, fmt.Sprintf("%s %+.1f", l.Name, off))
	}
	return []Row{
		atMost(item+", with the report's own dilation: worst of 10", worst, "mm", 1.5, strings.Join(list, ", ")),
		atMost(item+", the mask as it is: worst of 10", inner, "mm", noLimit, fmt.Sprintf("%d of 10 within 1.5 mm", within)),
	}, nil
}
