package segment_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"halsted/imaging"
	"halsted/imaging/nifti"
	"halsted/imaging/phantom"
	"halsted/imaging/segment"
	"halsted/imaging/series"

	"gonum.org/v1/gonum/spatial/r3"
)

// Bad input: the report names the assumption that fails with its number, what
// is still sound comes back with a confidence, and nothing empty is called
// found.

// patient4 is a synthetic patient on voxels of about 2.4×2.4×3 mm.
var patient4 = sync.OnceValues(func() (*phantom.Liver, *imaging.Volume) {
	l := phantom.NewLiver(4)
	v, err := l.Volume(context.Background(), l.GridAt([3]float64{2.4, 2.4, 3}), nil)
	if err != nil {
		panic(err)
	}
	return l, v
})

// honest runs the recipe and checks that no line of the report claims what the
// masks do not hold.
func honest(t *testing.T, v *imaging.Volume, r segment.Recipe, seeds ...segment.Seed) (*imaging.Segments, *segment.Report) {
	t.Helper()
	got, rep := run(t, v, r, seeds...)
	for _, s := range rep.Structures {
		if math.IsNaN(s.VolumeML+s.MeanHU) || !(s.Confidence >= 0 && s.Confidence <= 1) {
			t.Errorf("%v: %+v", s.Label, s)
		}
		if count := got.Count(s.Label); (s.Missing == "") != (count > 0) {
			t.Errorf("%v: %d voxels, %+v", s.Label, count, s)
		}
	}
	for _, l := range got.Of {
		if got.Count(l) == 0 {
			t.Errorf("%v is an empty mask", l)
		}
	}
	return got, rep
}

// broken is the check that failed of that name, which must hold a number.
func broken(t *testing.T, rep *segment.Report, name string) segment.Check {
	t.Helper()
	for _, c := range rep.Checks {
		if !c.Holds && strings.Contains(c.Assumption, name) {
			if !strings.ContainsAny(c.Measured, "0123456789") || c.Wanted == "" || c.Do == "" {
				t.Errorf("%+v does not say what was measured, wanted and to be done", c)
			}
			if rep.Sound() {
				t.Error("the report is called sound")
			}
			return c
		}
	}
	t.Errorf("no failed check %q in %q", name, rep.Notes())
	return segment.Check{}
}

// cropped is the part of v from lo to before hi.
func cropped(v *imaging.Volume, lo, hi [3]int) *imaging.Volume {
	out := *v
	out.Grid = v.Grid.Crop(imaging.Box{Lo: lo, Hi: hi})
	out.Data = make([]int16, out.Grid.Len())
	for n := range out.Data {
		i, j, k := out.Grid.IJK(n)
		out.Data[n] = v.Data[v.Grid.Index(i+lo[0], j+lo[1], k+lo[2])]
	}
	return &out
}

func boundsOf(s *imaging.Segments, l imaging.Label) imaging.Box {
	bit := s.Bit(l)
	return s.Grid.Bounds(func(n int) bool { return s.Bits[n]&bit != 0 })
}

func TestScanWithoutContrast(t *testing.T) {
	l, v := patient4()
	v, err := l.Scan(t.Context(), v.Grid, phantom.Variation{LiverHU: 58, Contrast: 0.05, NoiseHU: 15}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, rep := honest(t, v, abdomen())
	broken(t, rep, "contrast given")
	broken(t, rep, "portal-venous phase")
	if d, s := dice(got, l.Truth(v.Grid), imaging.LabelLiver), rep.Of(imaging.LabelLiver); d < 0.93 || s.Confidence > 0.3 {
		t.Errorf("liver Dice %.3f, %+v", d, s)
	}
}

func TestArterialPhase(t *testing.T) {
	l, v := patient4()
	v, err := l.Scan(t.Context(), v.Grid, phantom.Variation{LiverHU: 65, Contrast: 0.05, NoiseHU: 12}, nil)
	if err != nil {
		t.Fatal(err)
	}
	organs := l.OrganTruth(v.Grid)
	for n, b := range organs.Bits {
		if b&organs.Bit(imaging.LabelAorta) != 0 {
			v.Data[n] += 260
		}
	}
	got, rep := honest(t, v, abdomen())
	broken(t, rep, "not arterial")
	if d := dice(got, l.Truth(v.Grid), imaging.LabelLiver); d < 0.94 {
		t.Errorf("liver Dice %.3f", d)
	}
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel} {
		if s := rep.Of(l); s.Confidence > 0.3 {
			t.Errorf("%+v", s)
		}
	}
}

func TestLiverCutOffByTheFieldOfView(t *testing.T) {
	l, v := patient4()
	truth := l.Truth(v.Grid)
	b := boundsOf(truth, imaging.LabelLiver)
	size, mid := v.Grid.Size, (b.Lo[2]+b.Hi[2])/2
	for name, part := range map[string][2][3]int{
		"top":   {{0, 0, 0}, {size[0], size[1], mid}},
		"foot":  {{0, 0, mid}, size},
		"right": {{(3*b.Lo[0] + b.Hi[0]) / 4, 0, 0}, size},
	} {
		got, rep := honest(t, cropped(v, part[0], part[1]), abdomen())
		s := rep.Of(imaging.LabelLiver)
		if s.Missing != "" || s.Confidence > 0.95 || !strings.Contains(strings.Join(s.Doubts, " "), "cut off by the field of view") {
			t.Errorf("%s: %+v", name, s)
		}
		in, bit, ours := imaging.NewSegments(got.Grid, imaging.LabelLiver), truth.Bit(imaging.LabelLiver), got.Bit(imaging.LabelLiver)
		for n := range in.Bits {
			i, j, k := got.Grid.IJK(n)
			if truth.Bits[truth.Grid.Index(i+part[0][0], j+part[0][1], k+part[0][2])]&bit != 0 {
				in.Bits[n] = 1
			}
		}
		if d := segment.Dice(len(in.Bits), func(n int) bool { return in.Bits[n] != 0 }, func(n int) bool { return got.Bits[n]&ours != 0 }); d < 0.93 {
			t.Errorf("%s: Dice %.3f with the part in the field", name, d)
		}
	}
}

func TestMetalInTheLiver(t *testing.T) {
	l, plain := patient4()
	v := *plain
	v.Data = slices.Clone(plain.Data)
	g := v.Grid
	b := boundsOf(l.Truth(g), imaging.LabelLiver)
	at := g.Point(float64(b.Lo[0]+b.Hi[0])/2-10, float64(b.Lo[1]+b.Hi[1])/2, float64(b.Lo[2]+b.Hi[2])/2)
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := r3.Sub(g.Point(float64(i), float64(j), float64(k)), at)
		switch r := math.Hypot(p.X, p.Y); {
		case math.Abs(p.Z) > 10:
		case r < 4:
			v.Data[n] = 3000
		case r < 120: // bright and dark rays
			v.Data[n] += int16(300 * math.Cos(8*math.Atan2(p.Y, p.X)) * math.Exp(-r/30))
		}
	}
	_, rep := honest(t, &v, abdomen())
	c := broken(t, rep, "metal")
	if s := rep.Of(imaging.LabelLiver); s.Missing != "" || s.Confidence > c.AtMost {
		t.Errorf("%+v", s)
	}
}

func TestThickSlices(t *testing.T) {
	l, _ := patient4()
	g := l.GridAt([3]float64{2, 2, 5})
	v, err := l.Volume(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, rep := honest(t, v, abdomen())
	c := broken(t, rep, "thin slices")
	if !strings.Contains(c.Measured, "5.00 mm") {
		t.Errorf("%q", c.Measured)
	}
	if d, s := dice(got, l.Truth(g), imaging.LabelLiver), rep.Of(imaging.LabelLiver); d < 0.94 || s.Confidence > 0.6 {
		t.Errorf("liver Dice %.3f, %+v", d, s)
	}
}

func TestSeedOutsideTheBody(t *testing.T) {
	v, _ := trunk(1).make()
	air := v.Grid.Point(1, 1, 20)
	for _, l := range []imaging.Label{imaging.LabelLiver, imaging.LabelTumour + 2, imaging.LabelPortalVein} {
		_, rep := honest(t, v, coarse(), segment.Seed{Label: l, LPS: air})
		if c := broken(t, rep, "seeds inside the body"); !strings.Contains(c.Measured, l.Words()) {
			t.Errorf("%q", c.Measured)
		}
		if l != imaging.LabelPortalVein { // veins may be found without a seed
			if e, ok := errors.AsType[*segment.NotFoundError](rep.Failed()); !ok || e.Label != l {
				t.Errorf("%v: %v", l, rep.Failed())
			}
		}
	}
}

// Volumes without a patient, or with a little piece of one.
func TestVolumesThatHoldNoLiver(t *testing.T) {
	cube := func(size [3]int, at func(n int) int16) *imaging.Volume {
		v := imaging.NewVolume(imaging.NewGrid(size, r3.Vec{}, [3]float64{1, 1, 1}), imaging.KindHU)
		for n := range v.Data {
			v.Data[n] = at(n)
		}
		return v
	}
	flat := func(hu int16) func(int) int16 { return func(int) int16 { return hu } }
	rough := func(hu int16) func(int) int16 { return func(n int) int16 { return hu + int16(n*7%23) } }
	_, patient := patient4()
	for name, v := range map[string]*imaging.Volume{
		"fat":             cube([3]int{90, 80, 60}, flat(-100)),
		"water":           cube([3]int{90, 80, 60}, flat(0)),
		"all liver":       cube([3]int{90, 80, 60}, flat(100)),
		"bone":            cube([3]int{90, 80, 60}, flat(900)),
		"brightest":       cube([3]int{90, 80, 60}, flat(math.MaxInt16)),
		"8×8×8 water":     cube([3]int{8, 8, 8}, rough(0)),
		"8×8×8 soft":      cube([3]int{8, 8, 8}, rough(100)),
		"8×8×8 bone":      cube([3]int{8, 8, 8}, rough(500)),
		"8×8×8 in liver":  cropped(patient, [3]int{50, 80, 30}, [3]int{58, 88, 38}),
		"one slice":       cube([3]int{512, 512, 1}, rough(100)),
		"one column":      cube([3]int{2, 2, 200}, rough(100)),
		"sheet":           cube([3]int{1, 300, 300}, rough(100)),
		"sheet lying":     cube([3]int{300, 1, 300}, rough(100)),
		"one slice of it": cropped(patient, [3]int{0, 0, 40}, [3]int{patient.Grid.Size[0], patient.Grid.Size[1], 41}),
	} {
		got, rep := honest(t, v, abdomen())
		e, ok := errors.AsType[*segment.NotFoundError](rep.Failed())
		if !ok || e.Label != imaging.LabelLiver || rep.Sound() || got.Bit(imaging.LabelLiver) != 0 {
			t.Errorf("%s: %v", name, rep.Failed())
		}
	}
	for _, hu := range []int16{-1000, -1024, math.MinInt16} {
		got, _, err := segment.Run(t.Context(), cube([3]int{90, 80, 60}, flat(hu)), abdomen(), segment.Options{})
		if e, ok := errors.AsType[*segment.NotFoundError](err); !ok || e.Label != imaging.LabelBody || got != nil {
			t.Errorf("%d HU everywhere: %v", hu, err)
		}
	}
}

// A head is even tissue in a case of bone, and no liver.
func TestHeadIsNoAbdomen(t *testing.T) {
	g := imaging.NewGrid([3]int{90, 100, 70}, r3.Vec{X: -110, Y: -120}, [3]float64{2.4, 2.4, 2.4})
	v := imaging.NewVolume(g, imaging.KindHU)
	for n := range v.Data {
		i, j, k := g.IJK(n)
		p := g.Point(float64(i), float64(j), float64(k))
		hu := -1000
		switch q := r3.Norm(r3.Vec{X: p.X / 70, Y: p.Y / 90, Z: (p.Z - 60) / 80}); {
		case q < 0.15:
			hu = 8
		case q < 0.85:
			hu = 35
		case q < 0.93:
			hu = 900
		case q < 1:
			hu = 20
		}
		v.Data[n] = int16(hu + n*7919%11 - 5)
	}
	_, rep := honest(t, v, abdomen())
	broken(t, rep, "not a head")
	if rep.Failed() == nil || rep.Of(imaging.LabelBody).Missing != "" || rep.Of(imaging.LabelBone).Missing != "" {
		t.Errorf("%v, %+v", rep.Failed(), rep.Structures)
	}
}

// Real scans the recipe is not for: a head, a chest without contrast that holds
// the dome of the liver, an arterial chest.
func TestRealScansOfAnotherKind(t *testing.T) {
	data := os.Getenv("HALSTED_DATA")
	if data == "" {
		t.Skip("HALSTED_DATA is not set")
	}
	head, err := nifti.ReadVolume(filepath.Join(data, "cases", "ct_cranium_invesalius", "ct.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	head.Kind = imaging.KindHU
	if _, rep := honest(t, head, abdomen()); rep.Failed() == nil || rep.Of(imaging.LabelBody).Missing != "" {
		t.Errorf("head: %v, %q", rep.Failed(), rep.Notes())
	}
	all, err := series.ReadDir(t.Context(), filepath.Join(data, "cases", "ct_chest_lidc0314_36", "dicom"), series.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chest, err := all[0].Volume(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, rep := honest(t, chest, abdomen())
	broken(t, rep, "contrast given")
	if s := rep.Of(imaging.LabelLiver); s.Missing == "" && (s.Confidence > 0.3 || !strings.Contains(fmt.Sprint(s.Doubts), "cut off by the field of view")) {
		t.Errorf("chest: %+v", s)
	}
}

// Cancelled at any stage, the run ends before the next one.
func TestCancelBetweenStages(t *testing.T) {
	v, _ := trunk(1).make()
	stages := 0
	count := func(segment.Stage) error { stages++; return nil }
	if _, _, err := segment.Run(t.Context(), v, coarse(), segment.Options{Inspect: count}); err != nil {
		t.Fatal(err)
	}
	if stages < 10 {
		t.Fatalf("%d stages", stages)
	}
	for stop := 1; stop < stages; stop += 3 {
		ctx, cancel := context.WithCancel(t.Context())
		n, after := 0, 0
		_, _, err := segment.Run(ctx, v, coarse(), segment.Options{Inspect: func(segment.Stage) error {
			if n++; n == stop {
				cancel()
			} else if n > stop {
				after++
			}
			return nil
		}})
		cancel()
		if !errors.Is(err, context.Canceled) || after > 1 {
			t.Errorf("cancelled at stage %d of %d: %v, %d stages more", stop, stages, err, after)
		}
	}
}

// Where noise hides the outline the confidence of the liver says so: above 0.9
// its Dice is at least 0.95, below 0.5 it may not be trusted.
func TestLiverConfidenceFollowsDice(t *testing.T) {
	l, _ := patient4()
	g := l.GridAt([3]float64{3, 3, 3})
	truth := l.Truth(g)
	r := abdomen()
	for n, s := range r.Steps {
		if s.Do == "liver" {
			r.Steps = r.Steps[:n+1]
			break
		}
	}
	confidence := math.Inf(1)
	for _, c := range []struct {
		noise        float64
		least, most  float64 // confidence
		worst, bound float64 // Dice
	}{{10, 0.9, 1, 0.95, 1}, {45, 0.3, 0.6, 0.7, 0.93}, {90, 0, 0.3, 0.5, 0.93}} {
		v, err := l.Scan(t.Context(), g, phantom.Variation{LiverHU: 100, Contrast: 1, NoiseHU: c.noise}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, rep := run(t, v, r)
		s, is := rep.Of(imaging.LabelLiver), dice(got, truth, imaging.LabelLiver)
		t.Logf("noise %.0f HU: confidence %.3f, Dice %.3f", c.noise, s.Confidence, is)
		if s.Confidence < c.least || s.Confidence > c.most || is < c.worst || is > c.bound {
			t.Errorf("noise %.0f HU: Dice %.3f, %+v", c.noise, is, s)
		}
		if s.Confidence >= confidence {
			t.Errorf("noise %.0f HU: confidence %.3f after %.3f", c.noise, s.Confidence, confidence)
		}
		confidence = s.Confidence
	}
}
