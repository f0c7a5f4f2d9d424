package vessel

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/imaging/phantom"
)

var livers sync.Map

// liverOf is the phantom of a seed, made once.
func liverOf(seed uint64) *phantom.Liver {
	f, _ := livers.LoadOrStore(seed, sync.OnceValue(func() *phantom.Liver { return phantom.NewLiver(seed) }))
	return f.(func() *phantom.Liver)()
}

// truthOf is one system of a phantom without the branches thinner than minMM.
// Where that leaves a branch with one child the two become one.
func truthOf(l *phantom.Liver, system imaging.Label, minMM float64) *Tree {
	bs := l.Branches()
	kids := make([]int, len(bs))
	for _, b := range bs {
		if b.System == system && b.Parent >= 0 && b.RadiusMM >= minMM {
			kids[b.Parent]++
		}
	}
	t := &Tree{System: system}
	at := make([]int, len(bs))
	for n, b := range bs {
		at[n] = -1
		if b.System != system || b.RadiusMM < minMM || b.Parent >= 0 && at[b.Parent] < 0 {
			continue
		}
		r := make([]float64, len(b.Line))
		for m := range r {
			r[m] = b.RadiusMM
		}
		if b.Parent >= 0 && kids[b.Parent] == 1 {
			p := &t.Branches[at[b.Parent]]
			p.Points, p.RadiusMM = append(slices.Clone(p.Points), b.Line[1:]...), append(p.RadiusMM, r[1:]...)
			at[n] = at[b.Parent]
			continue
		}
		q := Branch{Parent: -1, Points: b.Line, RadiusMM: r}
		if b.Parent >= 0 {
			q.Parent = at[b.Parent]
		}
		at[n] = len(t.Branches)
		t.Branches = append(t.Branches, q)
	}
	t.SetOrders()
	return t
}

// around is a grid with the given spacings, turned by the rotation, that holds
// the trees and a margin.
func around(spacing [3]float64, turn r3.Rotation, trees ...*Tree) imaging.Grid {
	ax := [3]r3.Vec{turn.Rotate(r3.Vec{X: 1}), turn.Rotate(r3.Vec{Y: 1}), turn.Rotate(r3.Vec{Z: 1})}
	lo, hi := [3]float64{1e9, 1e9, 1e9}, [3]float64{-1e9, -1e9, -1e9}
	for _, t := range trees {
		for _, b := range t.Branches {
			for m, p := range b.Points {
				for a := range ax {
					x := r3.Dot(p, ax[a])
					lo[a], hi[a] = min(lo[a], x-b.RadiusMM[m]-3), max(hi[a], x+b.RadiusMM[m]+3)
				}
			}
		}
	}
	var g imaging.Grid
	for a := range ax {
		g.Axes[a] = r3.Scale(spacing[a], ax[a])
		g.Size[a] = int((hi[a]-lo[a])/spacing[a]) + 1
		g.Origin = r3.Add(g.Origin, r3.Scale(lo[a]+0.37*spacing[a], ax[a]))
	}
	return g
}

// paint sets the voxels whose centre is in a ball of a tree.
func paint(g imaging.Grid, mask filter.Mask, t *Tree) filter.Mask {
	if mask == nil {
		mask = make(filter.Mask, g.Len())
	}
	h := g.SpacingMM()
	for _, b := range t.Branches {
		for m := 1; m < len(b.Points); m++ {
			p, q, rp, rq := b.Points[m-1], b.Points[m], b.RadiusMM[m-1], b.RadiusMM[m]
			pi, pj, pk := g.Voxel(p)
			qi, qj, qk := g.Voxel(q)
			r := max(rp, rq)
			d := r3.Sub(q, p)
			n2 := r3.Norm2(d)
			for k := max(0, int(min(pk, qk)-r/h[2])); k <= min(g.Size[2]-1, int(max(pk, qk)+r/h[2])+1); k++ {
				for j := max(0, int(min(pj, qj)-r/h[1])); j <= min(g.Size[1]-1, int(max(pj, qj)+r/h[1])+1); j++ {
					for i := max(0, int(min(pi, qi)-r/h[0])); i <= min(g.Size[0]-1, int(max(pi, qi)+r/h[0])+1); i++ {
						x := g.Point(float64(i), float64(j), float64(k))
						s := 0.0
						if n2 > 0 {
							s = min(max(r3.Dot(r3.Sub(x, p), d)/n2, 0), 1)
						}
						rad := rp + s*(rq-rp)
						if r3.Norm2(r3.Sub(x, r3.Add(p, r3.Scale(s, d)))) < rad*rad {
							mask[g.Index(i, j, k)] = true
						}
					}
				}
			}
		}
	}
	return mask
}

// lineDistance is the distance from p to a polyline.
func lineDistance(p r3.Vec, line []r3.Vec) float64 {
	best := math.Inf(1)
	for n := 1; n < len(line); n++ {
		d := r3.Sub(line[n], line[n-1])
		t := min(max(r3.Dot(r3.Sub(p, line[n-1]), d)/max(r3.Norm2(d), 1e-30), 0), 1)
		best = min(best, r3.Norm(r3.Sub(p, r3.Add(line[n-1], r3.Scale(t, d)))))
	}
	return best
}

// leaves names every branch by the leaves of the truth beyond it; the leaf of a
// tip is the truth's leaf whose end is nearest.
func leaves(t, truth *Tree) []string {
	tips := truth.Tips()
	key := make([][]int, len(t.Branches))
	out := make([]string, len(t.Branches))
	for n := len(t.Branches) - 1; n >= 0; n-- {
		b := &t.Branches[n]
		if len(b.Children) == 0 {
			best, d := -1, math.Inf(1)
			for _, m := range tips {
				e := truth.Branches[m].Points
				if x := r3.Norm(r3.Sub(e[len(e)-1], b.Points[len(b.Points)-1])); x < d {
					best, d = m, x
				}
			}
			key[n] = append(key[n], best)
		}
		slices.Sort(key[n])
		out[n] = fmt.Sprint(key[n])
		if b.Parent >= 0 {
			key[b.Parent] = append(key[b.Parent], key[n]...)
		}
	}
	return out
}

// score is how far a tree is from the truth.
type score struct {
	missing, extra int     // branches of the truth without a counterpart and the other way round
	mean, max      float64 // of our centreline from the truth's, mm
	reach          float64 // mean of the truth's centreline from ours, mm
	radius         float64 // largest relative error of the branch-mean radius
	radiusMean     float64 // mean of it
	radiusP95      float64
	z              float64 // root mean square of radius error over RadiusSDMM
	branches       int
}

func (s score) String() string {
	return fmt.Sprintf("%d branches, %d missing, %d extra, centreline %.3f (max %.2f, back %.3f) mm, branch radius mean %.1f p95 %.1f max %.1f %%, z %.2f",
		s.branches, s.missing, s.extra, s.mean, s.max, s.reach, 100*s.radiusMean, 100*s.radiusP95, 100*s.radius, s.z)
}

func compare(t *testing.T, got, truth *Tree) score {
	t.Helper()
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	s := score{branches: len(truth.Branches)}
	ours, theirs := leaves(got, truth), leaves(truth, truth)
	at := map[string]int{}
	for n, k := range theirs {
		at[k] = n
	}
	seen := map[string]bool{}
	var dist, back, radii []float64
	z := 0.0
	for n := range got.Branches {
		m, ok := at[ours[n]]
		if !ok || seen[ours[n]] {
			s.extra++
			continue
		}
		seen[ours[n]] = true
		b, want := &got.Branches[n], &truth.Branches[m]
		// Fine steps, so that long segments count as much.
		count := int(b.LengthMM()/0.3) + 1
		p, _ := even(b.Points, b.RadiusMM, count)
		for _, x := range p {
			dist = append(dist, lineDistance(x, want.Points))
		}
		p, _ = even(want.Points, want.RadiusMM, count)
		for _, x := range p {
			back = append(back, lineDistance(x, b.Points))
		}
		e := b.MeanRadiusMM()/want.MeanRadiusMM() - 1
		s.radius = max(s.radius, math.Abs(e))
		s.radiusMean += math.Abs(e)
		radii = append(radii, math.Abs(e))
		x := (b.MeanRadiusMM() - want.MeanRadiusMM()) / b.RadiusSDMM
		z += x * x
	}
	slices.Sort(radii)
	if len(radii) > 0 {
		s.radiusP95 = radii[len(radii)*95/100]
	}
	s.missing = len(truth.Branches) - len(seen)
	s.radiusMean /= float64(max(len(seen), 1))
	s.z = math.Sqrt(z / float64(max(len(seen), 1)))
	for _, d := range dist {
		s.mean += d / float64(len(dist))
		s.max = max(s.max, d)
	}
	for _, d := range back {
		s.reach += d / float64(len(back))
	}
	return s
}

// starts is the first point of every root.
func starts(t *Tree) []r3.Vec {
	var out []r3.Vec
	for _, n := range t.Roots() {
		out = append(out, t.Branches[n].Points[0])
	}
	return out
}
