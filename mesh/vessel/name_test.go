package vessel

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

func TestMurray(t *testing.T) {
	for _, g := range []float64{2, 2.5, 3, 4} {
		r0 := math.Pow(math.Pow(2, g)+math.Pow(1.3, g), 1/g)
		if m := murray(0, r0, 0.05, []float64{2, 1.3}, []float64{0.05, 0.05}); math.Abs(m.Exponent-g) > 1e-9 || !m.Plausible {
			t.Errorf("exponent %g: %+v", g, m)
		}
	}
	// The error of γ against that of a small change of radius.
	a := murray(0, 2.5, 0.001, []float64{2.0, 2.0}, []float64{0, 0})
	b := murray(0, 2.501, 0, []float64{2.0, 2.0}, []float64{0, 0})
	if d := math.Abs(b.Exponent - a.Exponent); math.Abs(d/a.SD-1) > 0.01 {
		t.Errorf("standard error %g, difference %g", a.SD, d)
	}
	if m := murray(0, 3, 0.01, []float64{2.9, 2.9}, []float64{0.01, 0.01}); m.Plausible {
		t.Errorf("two children as thick as the parent: %+v", m)
	}
	if m := murray(0, 3, 0.01, []float64{3.5, 1}, []float64{0.01, 0.01}); m.Plausible || m.Exponent != 0 {
		t.Errorf("a child thicker than its parent: %+v", m)
	}
}

// TestPhantomNames finds the roots without help and names the main branches.
// The portal trunk and the three hepatic veins of the phantom are known; its
// right and left branches are those whose tissue lies on that side.
func TestPhantomNames(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		l := liverOf(seed)
		truth := truthOf(l, imaging.LabelPortalVein, 2.25)
		g := around([3]float64{1.5, 1.5, 1.5}, r3.Rotation{Real: 1}, truth)
		tr, rep, err := Extract(context.Background(), g, paint(g, nil, truth), Options{System: imaging.LabelPortalVein})
		if err != nil {
			t.Fatal(err)
		}
		tr.NameBranches()
		if d := r3.Norm(r3.Sub(tr.Branches[0].Points[0], truth.Branches[0].Points[0])); d > 5 {
			t.Errorf("seed %d: the portal root is %.1f mm off", seed, d)
		}
		if tr.Branches[0].Name != "portal trunk" {
			t.Errorf("seed %d: the root is called %q", seed, tr.Branches[0].Name)
		}
		right, left := tr.Find("right portal vein"), tr.Find("left portal vein")
		if right < 0 || left < 0 {
			t.Errorf("seed %d: right %d left %d", seed, right, left)
			continue
		}
		xr, _ := tr.cloud(right, r3.Vec{X: 1})
		xl, _ := tr.cloud(left, r3.Vec{X: 1})
		if xr > xl {
			t.Errorf("seed %d: right portal territory at x %.0f, left at %.0f", seed, xr, xl)
		}
		ok, all := 0, tr.Murray()
		for _, m := range all {
			if m.Plausible {
				ok++
			}
		}
		var names []string
		for _, b := range tr.Branches {
			if b.Name != "" && (b.Parent < 0 || tr.Branches[b.Parent].Name != b.Name) {
				names = append(names, b.Name)
			}
		}
		t.Logf("seed %d: loops %d, Murray plausible %d of %d, %q", seed, rep.Loops, ok, len(all), names)
		if ok < len(all)*9/10 {
			t.Errorf("seed %d: %d of %d branchings plausible; the phantom keeps γ = 3", seed, ok, len(all))
		}

		truth = truthOf(l, imaging.LabelHepaticVein, 2.25)
		g = around([3]float64{1.5, 1.5, 1.5}, r3.Rotation{Real: 1}, truth)
		tr, _, err = Extract(context.Background(), g, paint(g, nil, truth), Options{System: imaging.LabelHepaticVein, Roots: starts(truth)})
		if err != nil {
			t.Fatal(err)
		}
		tr.NameBranches()
		for k, name := range []string{"right hepatic vein", "middle hepatic vein", "left hepatic vein"} {
			n := tr.Find(name)
			if n < 0 {
				t.Errorf("seed %d: no %s", seed, name)
				continue
			}
			// The end of the true trunk lies on the vessel that has its name.
			want := truth.Branches[truth.Roots()[k]]
			end := want.Points[len(want.Points)*2/3]
			best, d := "", math.Inf(1)
			for _, b := range tr.Branches {
				if x := lineDistance(end, b.Points); x < d {
					best, d = b.Name, x
				}
			}
			if best != name {
				t.Errorf("seed %d: the %s is called %q", seed, name, best)
			}
		}
	}
}

// TestTributaries gives a portal vein a splenic vein on its way to the liver: the
// main division is that inside the organ.
func TestTributaries(t *testing.T) {
	line := func(parent int, r float64, p ...r3.Vec) Branch {
		b := Branch{Parent: parent, Points: p}
		for range p {
			b.RadiusMM = append(b.RadiusMM, r)
		}
		return b
	}
	tr := &Tree{System: imaging.LabelPortalVein, Branches: []Branch{
		line(-1, 5, r3.Vec{Z: -100}, r3.Vec{Z: -60}),
		line(0, 6.5, r3.Vec{Z: -60}, r3.Vec{}),
		line(0, 5, r3.Vec{Z: -60}, r3.Vec{X: 70, Z: -70}),
		line(1, 5, r3.Vec{}, r3.Vec{X: -60, Z: 20}),
		line(1, 4.5, r3.Vec{}, r3.Vec{X: 50, Y: -20, Z: 20}),
	}}
	tr.SetOrders()
	tr.NameBranches()
	if tr.Branches[2].Name != "left portal vein" {
		t.Errorf("without the organ the splenic vein is called %q", tr.Branches[2].Name)
	}
	tr.NameBranchesIn(func(p r3.Vec) bool { return p.Z > -10 })
	for n, want := range []string{"portal trunk", "portal trunk", "", "right portal vein", "left portal vein"} {
		if got := tr.Branches[n].Name; got != want {
			t.Errorf("branch %d is called %q, want %q", n, got, want)
		}
	}
	tr.NameBranchesIn(func(r3.Vec) bool { return false })
	for n := range tr.Branches {
		if name := tr.Branches[n].Name; name != "" {
			t.Errorf("nothing leads to the organ, and branch %d is called %q", n, name)
		}
	}
}

// TestPieces names trees of several pieces: one trunk at most, the right and the
// left branch where the trunk is not seen, and the rest for what it is.
func TestPieces(t *testing.T) {
	line := func(parent int, r float64, p ...r3.Vec) Branch {
		b := Branch{Parent: parent, Points: p}
		for range p {
			b.RadiusMM = append(b.RadiusMM, r)
		}
		return b
	}
	right := []Branch{
		line(-1, 5, r3.Vec{X: -10}, r3.Vec{X: -30}),
		line(0, 4, r3.Vec{X: -30}, r3.Vec{X: -60, Y: -20}),
		line(0, 4, r3.Vec{X: -30}, r3.Vec{X: -60, Y: 20}),
	}
	left := []Branch{
		line(-1, 5, r3.Vec{X: 10, Z: 5}, r3.Vec{X: 20}),
		line(0, 4, r3.Vec{X: 20}, r3.Vec{X: 30, Y: -40}),
		line(0, 4, r3.Vec{X: 20}, r3.Vec{X: 60}),
	}
	speck := []Branch{line(-1, 2, r3.Vec{X: -40, Z: 40}, r3.Vec{X: -45, Z: 55})}
	whole := append([]Branch{line(-1, 6.5, r3.Vec{Z: -40}, r3.Vec{})},
		line(0, 5, r3.Vec{}, r3.Vec{X: -60}), line(0, 4.5, r3.Vec{}, r3.Vec{X: 50, Z: 10}))
	third := []Branch{line(-1, 5, r3.Vec{Y: -50}, r3.Vec{Y: -90}), line(0, 4, r3.Vec{Y: -90}, r3.Vec{Y: -120, X: 3})}
	for _, c := range []struct {
		what   string
		pieces [][]Branch
		want   []string // of the roots of the pieces
	}{
		{"trunk and a loose branch", [][]Branch{whole, speck}, []string{"portal trunk", LoosePortal}},
		{"a loose branch and the trunk", [][]Branch{speck, whole}, []string{LoosePortal, "portal trunk"}},
		{"no trunk, both branches", [][]Branch{right, left, speck}, []string{"right portal vein", "left portal vein", LoosePortal}},
		{"three pieces alike", [][]Branch{right, left, third}, []string{LoosePortal, LoosePortal, LoosePortal}},
	} {
		tr := &Tree{System: imaging.LabelPortalVein}
		for _, p := range c.pieces {
			from := len(tr.Branches)
			for _, b := range p {
				if b.Parent >= 0 {
					b.Parent += from
				}
				tr.Branches = append(tr.Branches, b)
			}
		}
		tr.SetOrders()
		tr.NameBranches()
		trunks := 0
		for _, n := range tr.Roots() {
			if tr.Branches[n].Name == "portal trunk" {
				trunks++
			}
		}
		if trunks > 1 {
			t.Errorf("%s: %d trunks", c.what, trunks)
		}
		for k, n := range tr.Roots() {
			b := &tr.Branches[n]
			if b.Name != c.want[k] {
				t.Errorf("%s: root %d is called %q, want %q", c.what, k, b.Name, c.want[k])
			}
			if b.Name == LoosePortal && b.Confidence >= sureName || b.Confidence <= 0 || b.Confidence > 1 {
				t.Errorf("%s: root %d, %q, has confidence %g", c.what, k, b.Name, b.Confidence)
			}
		}
	}
}
