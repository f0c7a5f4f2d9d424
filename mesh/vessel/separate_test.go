package vessel

import (
	"context"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// moved is a copy of t shifted by d.
func moved(t *Tree, d r3.Vec) *Tree {
	out := &Tree{System: t.System}
	for _, b := range t.Branches {
		c := b
		c.Points = nil
		for _, p := range b.Points {
			c.Points = append(c.Points, r3.Add(p, d))
		}
		out.Branches = append(out.Branches, c)
	}
	return out
}

// TestSeparate shifts the hepatic tree of a phantom into its portal tree, so
// that the two cross and touch, and asks for them apart. Voxels inside both are
// left out of the count.
func TestSeparate(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		shift r3.Vec
		wrong float64 // share of the voxels that may be given to the other system
	}{
		{1, r3.Vec{Y: -6, Z: 3}, 0.05}, /* 22 contacts */
	} {
		l := liverOf(c.seed)
		p := truthOf(l, imaging.LabelPortalVein, 1.6)
		h := moved(truthOf(l, imaging.LabelHepaticVein, 1.6), c.shift)
		g := around([3]float64{1, 1, 1}, r3.Rotation{Real: 1}, p, h)
		mp, mh := paint(g, nil, p), paint(g, nil, h)
		both := 0
		mask := make([]bool, len(mp))
		for n := range mask {
			mask[n] = mp[n] || mh[n]
			if mp[n] && mh[n] {
				both++
			}
		}
		seeds := []Seed{{imaging.LabelPortalVein, p.Branches[0].Points[0]}}
		for _, q := range starts(h) {
			seeds = append(seeds, Seed{imaging.LabelHepaticVein, q})
		}
		s, err := Separate(context.Background(), g, mask, seeds)
		if err != nil {
			t.Fatal(err)
		}
		wrong, sureWrong, sure, all := 0, 0, 0, 0
		for n := range mask {
			if mp[n] == mh[n] {
				continue
			}
			all++
			want := imaging.LabelPortalVein
			if mh[n] {
				want = imaging.LabelHepaticVein
			}
			bad := s.Labels.ID[n] != want
			if bad {
				wrong++
			}
			if s.Confidence[n] >= 0.9 {
				sure++
				if bad {
					sureWrong++
				}
			}
		}
		w, sw := float64(wrong)/float64(all), float64(sureWrong)/float64(max(sure, 1))
		t.Logf("seed %d shift %v: %d voxels in both, %d contacts; wrong %.2f %%, of the sure %.0f %% wrong %.2f %%", c.seed, c.shift, both, len(s.Contacts), 100*w, 100*float64(sure)/float64(all), 100*sw)
		if w > c.wrong {
			t.Errorf("seed %d shift %v: %.1f %% of the voxels in the wrong system", c.seed, c.shift, 100*w)
		}
		for _, tr := range s.Trees {
			if err := tr.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSeparatePairs counts the branches given to the wrong system in twelve
// pairs of trees pushed into each other in random directions by up to 8 mm. A
// branch is wrong when most of its centreline is.
func TestSeparatePairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	const vox = 1.5
	mean, worst, bad, all := 0.0, 0.0, 0, 0
	for pair := range 12 {
		l := liverOf(uint64(1 + pair%3))
		push := r3.Scale(4+4*rng.Float64(), r3.Unit(r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}))
		p := truthOf(l, imaging.LabelPortalVein, 1.5*vox)
		h := moved(truthOf(l, imaging.LabelHepaticVein, 1.5*vox), push)
		g := around([3]float64{vox, vox, vox}, r3.Rotation{Real: 1}, p, h)
		mp, mh := p.Lumen(g), h.Lumen(g)
		mask := make([]bool, len(mp))
		for n := range mask {
			mask[n] = mp[n] || mh[n]
		}
		seeds := []Seed{{imaging.LabelPortalVein, p.Branches[0].Points[0]}}
		for _, q := range starts(h) {
			seeds = append(seeds, Seed{imaging.LabelHepaticVein, q})
		}
		s, err := Separate(context.Background(), g, mask, seeds)
		if err != nil {
			t.Fatal(err)
		}
		wrong, count := 0, 0
		for n := range mask {
			if mp[n] != mh[n] {
				count++
				want := imaging.LabelPortalVein
				if mh[n] {
					want = imaging.LabelHepaticVein
				}
				if s.Labels.ID[n] != want {
					wrong++
				}
			}
		}
		off := 0
		for _, tr := range []*Tree{p, h} {
			for _, b := range tr.Branches {
				miss := 0
				for _, x := range b.Points {
					i, j, k := g.Voxel(x)
					if s.Labels.ID[g.Index(int(i+0.5), int(j+0.5), int(k+0.5))] != tr.System {
						miss++
					}
				}
				if 2*miss > len(b.Points) {
					off++
				}
				all++
			}
		}
		w := float64(wrong) / float64(count)
		mean, worst, bad = mean+w/12, max(worst, w), bad+off
		t.Logf("pair %d push %.1f mm: %d contacts, %.1f %% of the voxels and %d of %d branches wrong", pair, r3.Norm(push), len(s.Contacts), 100*w, off, len(p.Branches)+len(h.Branches))
	}
	t.Logf("voxels wrong %.2f %% on average, %.1f %% at most; branches wrong %d of %d", 100*mean, 100*worst, bad, all)
	if mean > 0.02 || worst > 0.1 || float64(bad) > 0.04*float64(all) {
		t.Error("more is given to the wrong system than when this was written")
	}
}
