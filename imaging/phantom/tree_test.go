package phantom

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// gapMM is the smallest distance between two capsules, surface to surface, by
// the closest points of two segments (Ericson, Real-Time Collision Detection,
// section 5.1.9).
func gapMM(s, t capsule) float64 {
	d1, d2, r := r3.Sub(s.b, s.a), r3.Sub(t.b, t.a), r3.Sub(s.a, t.a)
	a, e, f := r3.Norm2(d1), r3.Norm2(d2), r3.Dot(d2, r)
	c, b := r3.Dot(d1, r), r3.Dot(d1, d2)
	clamp := func(x float64) float64 { return min(max(x, 0), 1) }
	u := 0.0
	if den := a*e - b*b; den > 1e-12 {
		u = clamp((b*f - c*e) / den)
	}
	v := (b*u + f) / e
	if v < 0 {
		u, v = clamp(-c/a), 0
	} else if v > 1 {
		u, v = clamp((b-c)/a), 1
	}
	return r3.Norm(r3.Sub(r3.Add(s.a, r3.Scale(u, d1)), r3.Add(t.a, r3.Scale(v, d2)))) - s.r - t.r
}

// checkTrees holds both trees to what the package promises.
func checkTrees(t *testing.T, l *Liver) {
	t.Helper()
	br := l.Branches()
	kids := make([][]int, len(br))
	trunks := map[imaging.Label]int{}
	size := map[imaging.Label]int{}
	for n, b := range br {
		size[b.System]++
		if b.RadiusMM < minRadiusMM || len(b.Line) < 2 {
			t.Fatalf("seed %d: branch %d: radius %.3f mm, %d points", l.seed, n, b.RadiusMM, len(b.Line))
		}
		if b.Parent < 0 {
			trunks[b.System]++
			if b.Order != 0 {
				t.Errorf("seed %d: trunk %d has order %d", l.seed, n, b.Order)
			}
			continue
		}
		p := br[b.Parent]
		kids[b.Parent] = append(kids[b.Parent], n)
		if b.Parent >= n || p.System != b.System || b.Order != p.Order+1 || b.Line[0] != p.Line[len(p.Line)-1] {
			t.Errorf("seed %d: branch %d does not continue its parent %d", l.seed, n, b.Parent)
		}
	}
	if trunks[imaging.LabelPortalVein] != 1 || trunks[imaging.LabelHepaticVein] != 3 {
		t.Errorf("seed %d: trunks %v", l.seed, trunks)
	}
	for _, s := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		if size[s] < 100 {
			t.Errorf("seed %d: %v has %d branches", l.seed, s, size[s])
		}
	}
	thinnest := math.Inf(1)
	for n, k := range kids {
		thinnest = min(thinnest, br[n].RadiusMM)
		if len(k) == 0 {
			// The growth may have to stop early, but never at a main branch.
			if br[n].RadiusMM > 4 {
				t.Errorf("seed %d: branch %d of radius %.1f mm has no children", l.seed, n, br[n].RadiusMM)
			}
			continue
		}
		var cubes float64
		for _, m := range k {
			cubes += math.Pow(br[m].RadiusMM, 3)
		}
		if want := math.Pow(br[n].RadiusMM, 3); len(k) != 2 || math.Abs(cubes/want-1) > 1e-12 {
			t.Errorf("seed %d: branch %d: %d children, Σr³ %.4f, r³ %.4f", l.seed, n, len(k), cubes, want)
		}
	}
	if thinnest > 1.05 {
		t.Errorf("seed %d: thinnest branch %.2f mm", l.seed, thinnest)
	}
	checkInside(t, l, br)
	checkGaps(t, l, br)
}

// checkInside: branches lie in the liver, wall and all; trunks end there; all
// keep off the tumours.
func checkInside(t *testing.T, l *Liver, br []Branch) {
	t.Helper()
	for n, b := range br {
		for m := 1; m < len(b.Line); m++ {
			for s := range 5 {
				p := r3.Add(b.Line[m-1], r3.Scale(float64(s)/4, r3.Sub(b.Line[m], b.Line[m-1])))
				if f, _ := l.a.liver(p); b.Parent >= 0 && f > -b.RadiusMM {
					t.Fatalf("seed %d: branch %d reaches out of the liver: %.2f mm at radius %.2f mm", l.seed, n, f, b.RadiusMM)
				}
				for _, tum := range l.tumours {
					if f, _ := tum.f(p); f < b.RadiusMM+marginMM {
						t.Fatalf("seed %d: branch %d is %.2f mm from a tumour", l.seed, n, f-b.RadiusMM)
					}
				}
			}
		}
		if f, _ := l.a.liver(b.Line[len(b.Line)-1]); f > -b.RadiusMM {
			t.Errorf("seed %d: branch %d ends outside the liver", l.seed, n)
		}
	}
}

// checkGaps: the least distance between the systems, and within a system
// between branches that share no node.
func checkGaps(t *testing.T, l *Liver, br []Branch) {
	t.Helper()
	for n, b := range br {
		for m := range n {
			o := br[m]
			need := clearMM
			if o.System == b.System {
				if b.Parent == m || o.Parent == n || b.Parent == o.Parent {
					continue
				}
				need = ownClearMM
			}
			if far(b, o, need) {
				continue
			}
			for _, s := range chain(b.Line, b.RadiusMM) {
				for _, c := range chain(o.Line, o.RadiusMM) {
					if g := gapMM(s, c); g < need {
						t.Fatalf("seed %d: branches %d (%v) and %d (%v) are %.2f mm apart", l.seed, n, b.System, m, o.System, g)
					}
				}
			}
		}
	}
}

// far says cheaply, by boxes, that two branches are further apart than need.
func far(a, b Branch, need float64) bool {
	al, ah := bounds(chain(a.Line, a.RadiusMM))
	bl, bh := bounds(chain(b.Line, b.RadiusMM))
	return al.X > bh.X+need || bl.X > ah.X+need || al.Y > bh.Y+need || bl.Y > ah.Y+need || al.Z > bh.Z+need || bl.Z > ah.Z+need
}

func TestTreesKeepMurrayAndClearances(t *testing.T) { checkTrees(t, sample()) }

func TestPortalTrunkEntersFromBelow(t *testing.T) {
	l := sample()
	for _, b := range l.Branches() {
		if b.Parent >= 0 || b.System != imaging.LabelPortalVein {
			continue
		}
		first, last := b.Line[0], b.Line[len(b.Line)-1]
		if f, _ := l.a.liver(first); f < 20 || last.Z < first.Z+50 || last.X > first.X {
			t.Errorf("portal trunk from %v to %v", first, last)
		}
	}
	for n, p := range l.a.outflow {
		if f, _ := l.a.liver(p); f < 0 {
			t.Errorf("hepatic vein %d starts inside the liver, not in the vena cava", n)
		}
	}
}
