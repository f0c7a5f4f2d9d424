package vessel

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/imaging/filter"
)

// Agreement is how far a tree is from the true one. Branches correspond when the
// same tips of the truth lie beyond them: a false branching spoils every branch
// between it and the root, and so does a missed one.
type Agreement struct {
	Branches       int       // of the truth
	Missing, Extra int       // of them without a counterpart, and the other way round
	MeanMM, MaxMM  float64   // of the centreline from the truth's of the corresponding branch
	BackMM         float64   // mean the other way round
	RadiusErrors   []float64 // |branch-mean radius over the truth's − 1| of each pair, ascending
	JointsMM       []float64 // how far the end of each pair that divides lies from the truth's, ascending
	SDRatio        float64   // root mean square of the radius errors over RadiusSDMM: 1 when that is right
}

// RadiusMean is the mean of the relative errors of the branch-mean radii.
func (a *Agreement) RadiusMean() float64 {
	sum := 0.0
	for _, e := range a.RadiusErrors {
		sum += e
	}
	return sum / float64(max(len(a.RadiusErrors), 1))
}

// RadiusQuantile is the error that a share q of the branches stays within.
func (a *Agreement) RadiusQuantile(q float64) float64 {
	if len(a.RadiusErrors) == 0 {
		return 0
	}
	n := len(a.RadiusErrors) - 1
	return a.RadiusErrors[min(max(int(q*float64(n)+0.5), 0), n)]
}

func (a Agreement) String() string {
	return fmt.Sprintf("%d branches, %d missing, %d extra, centreline %.3f (max %.2f, back %.3f) mm, branch radius mean %.1f p95 %.1f max %.1f %%, z %.2f",
		a.Branches, a.Missing, a.Extra, a.MeanMM, a.MaxMM, a.BackMM, 100*a.RadiusMean(), 100*a.RadiusQuantile(0.95), 100*a.RadiusQuantile(1), a.SDRatio)
}

// Compare measures a tree against the truth. Both must be valid (Validate).
func Compare(got, truth *Tree) Agreement {
	a := Agreement{Branches: len(truth.Branches)}
	ours, theirs := leaves(got, truth), leaves(truth, truth)
	at := map[string]int{}
	for n, k := range theirs {
		at[k] = n
	}
	seen := map[string]bool{}
	there, back, z := 0.0, 0.0, 0.0
	nThere, nBack := 0, 0
	for n := range got.Branches {
		m, ok := at[ours[n]]
		if !ok || seen[ours[n]] {
			a.Extra++
			continue
		}
		seen[ours[n]] = true
		b, want := &got.Branches[n], &truth.Branches[m]
		// Fine steps, so that long segments count as much.
		count := int(b.LengthMM()/0.3) + 1
		p, _ := even(b.Points, b.RadiusMM, count)
		for _, x := range p {
			d := lineDistance(x, want.Points)
			there, nThere, a.MaxMM = there+d, nThere+1, max(a.MaxMM, d)
		}
		p, _ = even(want.Points, want.RadiusMM, count)
		for _, x := range p {
			back, nBack = back+lineDistance(x, b.Points), nBack+1
		}
		d := b.MeanRadiusMM() - want.MeanRadiusMM()
		a.RadiusErrors = append(a.RadiusErrors, math.Abs(d)/want.MeanRadiusMM())
		if len(b.Children) > 1 && len(want.Children) > 1 {
			a.JointsMM = append(a.JointsMM, r3.Norm(r3.Sub(b.Points[len(b.Points)-1], want.Points[len(want.Points)-1])))
		}
		if b.RadiusSDMM > 0 {
			z += d / b.RadiusSDMM * d / b.RadiusSDMM
		}
	}
	a.Missing = a.Branches - len(seen)
	a.MeanMM, a.BackMM = there/float64(max(nThere, 1)), back/float64(max(nBack, 1))
	a.SDRatio = math.Sqrt(z / float64(max(len(seen), 1)))
	slices.Sort(a.RadiusErrors)
	slices.Sort(a.JointsMM)
	return a
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

// Thick is the tree without the branches of a mean radius below minMM and all
// that hangs on them. Where that leaves a branch with one child the two become
// one. Names, confidences and standard errors stay behind.
func (t *Tree) Thick(minMM float64) *Tree {
	keep, at := make([]bool, len(t.Branches)), make([]int, len(t.Branches))
	kids := make([]int, len(t.Branches))
	for n := range t.Branches {
		b := &t.Branches[n]
		keep[n] = b.MeanRadiusMM() >= minMM && (b.Parent < 0 || keep[b.Parent])
		if keep[n] && b.Parent >= 0 {
			kids[b.Parent]++
		}
	}
	out := &Tree{System: t.System}
	for n := range t.Branches {
		b := &t.Branches[n]
		switch {
		case !keep[n]:
		case b.Parent >= 0 && kids[b.Parent] == 1:
			at[n] = at[b.Parent]
			p := &out.Branches[at[n]]
			p.Points, p.RadiusMM = append(p.Points, b.Points[1:]...), append(p.RadiusMM, b.RadiusMM[1:]...)
		default:
			q := Branch{Parent: -1, Points: slices.Clone(b.Points), RadiusMM: slices.Clone(b.RadiusMM)}
			if b.Parent >= 0 {
				q.Parent = at[b.Parent]
			}
			at[n] = len(out.Branches)
			out.Branches = append(out.Branches, q)
		}
	}
	out.SetOrders()
	return out
}

// Lumen is the voxels of a grid whose centres lie in the tubes of the tree: cones
// between the points of each branch with round ends.
func (t *Tree) Lumen(g imaging.Grid) filter.Mask {
	mask := make(filter.Mask, g.Len())
	h := g.SpacingMM()
	for _, b := range t.Branches {
		for m := 1; m < len(b.Points); m++ {
			p, q, rp, rq := b.Points[m-1], b.Points[m], b.RadiusMM[m-1], b.RadiusMM[m]
			pi, pj, pk := g.Voxel(p)
			qi, qj, qk := g.Voxel(q)
			r := max(rp, rq)
			d := r3.Sub(q, p)
			n2 := max(r3.Norm2(d), 1e-30)
			for k := max(0, int(min(pk, qk)-r/h[2])); k <= min(g.Size[2]-1, int(max(pk, qk)+r/h[2])+1); k++ {
				for j := max(0, int(min(pj, qj)-r/h[1])); j <= min(g.Size[1]-1, int(max(pj, qj)+r/h[1])+1); j++ {
					for i := max(0, int(min(pi, qi)-r/h[0])); i <= min(g.Size[0]-1, int(max(pi, qi)+r/h[0])+1); i++ {
						x := g.Point(float64(i), float64(j), float64(k))
						s := min(max(r3.Dot(r3.Sub(x, p), d)/n2, 0), 1)
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
