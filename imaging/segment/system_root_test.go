package segment

import (
	"math"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/imaging/filter"

	"gonum.org/v1/gonum/spatial/r3"
)

// rootScene is a liver above and right of z = 0 with a vena cava behind it: a
// hepatic vein joins the vena cava at the top. The portal vein leaves the liver
// below, passes gapMM in front of the vena cava and goes on to the left, where a
// renal vein that ends in the vena cava touches it.
func rootScene(t *testing.T, gapMM float64) (w *work, portal, hepatic filter.Mask) {
	t.Helper()
	g := imaging.NewGrid([3]int{90, 70, 70}, r3.Vec{}, [3]float64{1.5, 1.5, 1.5})
	out := imaging.NewSegments(g, imaging.LabelLiver, imaging.LabelVessel, imaging.LabelVenaCava)
	liver, vessel, cava := out.Bit(imaging.LabelLiver), out.Bit(imaging.LabelVessel), out.Bit(imaging.LabelVenaCava)
	v := &imaging.Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1, Kind: imaging.KindHU}
	portal, hepatic = make(filter.Mask, g.Len()), make(filter.Mask, g.Len())
	for n := range out.Bits {
		i, j, k := g.IJK(n)
		x, y, z := float64(i)*1.5, float64(j)*1.5, float64(k)*1.5 // left, posterior, head
		front := 75 - 9 - gapMM - 6                               // of the portal vein's axis
		isCava := math.Hypot(x-75, y-75) < 9
		isPortal := math.Hypot(y-front, z-30) < 6 && x > 15
		isRenal := math.Hypot(y-front-7, z-30) < 4 && x > 100 || math.Hypot(x-102, z-30) < 4 && y > front && y < 77 || math.Hypot(y-75, z-30) < 4 && x > 75 && x < 104
		isHepatic := math.Hypot(y-60+(x-75)/3, z-80) < 5 && x > 15 && x < 75 || math.Hypot(x-72, z-80) < 5 && y > 55 && y < 75
		inside := x < 70 && y < 70 || z > 55 && y < 69
		v.Data[n] = -100
		switch {
		case isCava:
			v.Data[n], out.Bits[n] = 140, cava
		case isHepatic && inside:
			v.Data[n], out.Bits[n], hepatic[n] = 190, liver|vessel, true
		case isPortal && inside:
			v.Data[n], out.Bits[n], portal[n] = 190, liver|vessel, true
		case isHepatic, isPortal, isRenal:
			v.Data[n] = 190
		case inside:
			v.Data[n], out.Bits[n] = 110, liver
		}
	}
	return &work{v: v, out: out, rep: &Report{}, liverHU: 110}, portal, hepatic
}

// However near the portal vein passes before the vena cava, and though a renal
// vein leads from the one to the other, each vein of the liver has its name.
func TestRootsOfVeinsBesideTheCava(t *testing.T) {
	s := systemSettings{WorkMM: 1.5, ReachMM: 40, RimMM: 6, GapMM: 5, CavaMM: 7, MinML: 0.3}
	for _, gap := range []float64{-1, 0, 1, 2, 3, 5, 8, 15} {
		w, portal, hepatic := rootScene(t, gap)
		if err := tellSystems(t.Context(), w, s); err != nil {
			t.Fatal(err)
		}
		for n, m := range []filter.Mask{portal, hepatic} {
			l := vesselSystems[n]
			right, all := 0, 0
			for v, in := range m {
				if in {
					all++
					if b := w.out.Bit(l); b != 0 && w.out.Bits[v]&b != 0 {
						right++
					}
				}
			}
			if c := w.rep.Of(l).Confidence; float64(right) < 0.97*float64(all) || c < 0.8 {
				t.Errorf("%g mm between portal vein and vena cava: %d of %d voxels are called %s, at a confidence of %.2f", gap, right, all, l.Words(), c)
			}
		}
	}
}

// The trunk of the portal vein is painted outside the liver, as far as it is
// followed and no farther, and nothing else is.
func TestPortalTrunkOutsideTheLiver(t *testing.T) {
	const reach = 20.0
	for _, seeds := range [][]Seed{nil, {
		{Label: imaging.LabelPortalVein, LPS: r3.Vec{X: 40, Y: 55, Z: 30}}, {Label: imaging.LabelHepaticVein, LPS: r3.Vec{X: 45, Y: 70, Z: 80}},
	}} {
		w, _, _ := rootScene(t, 5)
		w.o.Seeds = seeds
		if err := tellSystems(t.Context(), w, systemSettings{WorkMM: 1.5, ReachMM: reach, RimMM: 6, GapMM: 5, CavaMM: 7, MinML: 0.3}); err != nil {
			t.Fatal(err)
		}
		liver, portal := w.out.Bit(imaging.LabelLiver), w.out.Bit(imaging.LabelPortalVein)
		right, all := 0, 0
		for n, b := range w.out.Bits {
			i, j, k := w.out.Grid.IJK(n)
			x, axis := float64(i)*1.5, math.Hypot(float64(j)*1.5-55, float64(k)*1.5-30)
			if b&liver == 0 && axis < 4.5 && x >= 72 && x < 70+reach-5 {
				if all++; b&portal != 0 {
					right++
				}
			}
			if b&liver == 0 && b&portal != 0 && (axis > 6 || x > 70+reach+5) {
				t.Fatalf("voxel %d,%d,%d is called portal vein", i, j, k)
			}
		}
		if t.Logf("%d seeds: %d of %d voxels of the trunk", len(seeds), right, all); float64(right) < 0.9*float64(all) {
			t.Errorf("%d seeds: %d of %d voxels of the trunk are called portal vein", len(seeds), right, all)
		}
	}
}

// A system that is far smaller than the other, one whose other has no root, and
// a portal vein rooted above the hepatic veins are doubted, with the number.
func TestImplausibleSystems(t *testing.T) {
	g := imaging.NewGrid([3]int{4, 4, 20}, r3.Vec{}, [3]float64{2, 2, 2})
	y := &systems{c: &filter.Coarse{Grid: g}}
	at := func(k int) filter.Mask {
		m := make(filter.Mask, g.Len())
		if k >= 0 {
			m[g.Index(1, 1, k)] = true
		}
		return m
	}
	for _, c := range []struct {
		portal, hepatic int // slices of the roots
		ml              [2]float64
		least, most     float64
		says            string
	}{
		{3, 15, [2]float64{25, 20}, 1, 1, ""},
		{3, 15, [2]float64{10, 25}, 1, 1, ""},
		{3, 15, [2]float64{0.1, 43}, 0, 0.05, "0.1 ml"},
		{15, 3, [2]float64{25, 20}, 0, 0.5, "24 mm above"},
		{3, -1, [2]float64{25, 0}, 0, 0.3, "no root"},
	} {
		d := doubts{confidence: 1}
		y.implausible(imaging.LabelPortalVein, [2]filter.Mask{at(c.portal), at(c.hepatic)}, c.ml, &d)
		if d.confidence < c.least || d.confidence > c.most || !strings.Contains(strings.Join(d.why, "; "), c.says) || (c.says == "") != (len(d.why) == 0) {
			t.Errorf("roots in slices %d and %d, %v ml: confidence %.2f, %q", c.portal, c.hepatic, c.ml, d.confidence, d.why)
		}
	}
}
