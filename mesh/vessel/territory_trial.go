package vessel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Trial is how well Territories does on one synthetic tree of which only the
// thickest segments are visible. Parts are of the organ's volume, 0 to 1.
type Trial struct {
	Visible, Branches, Roots int     // segments, branches, territories
	Nearest, Resistance, Own float64 // part given to the wrong territory
	Sure, SureWrong          float64 // part declared sure; part of that which is wrong
	Covered                  int     // of the territories whose true volume lies in the interval
	Counted                  int     // territories
	Width                    float64 // mean width of the intervals
	WorstNearest, WorstOwn   float64 // largest error of a territory's volume
	CutCovered               int     // of Counted (without the rest), by Devascularised
	CutCounted               int
}

// Case is a complete tree in an organ: the truth of trials.
type Case struct {
	Grid  imaging.Grid
	Organ []bool
	Full  *Synthetic
	Seed  uint64
}

// NewCase grows a complete tree of about 300 terminals and trunk radius 6.4 mm
// in an organ. The exponent of Murray's law is 2.7, 2.8, 2.9 or 3.0 by the
// seed.
func NewCase(how Growth, g imaging.Grid, organ []bool, root, hilum r3.Vec, seed uint64) *Case {
	return &Case{g, organ, GrowSynthetic(how, g, organ, root, hilum, 300, 6.4, 2.7+0.1*float64(seed%4), seed), seed}
}

// EllipsoidCase is a case in an ellipsoid of 1639 ml (half axes 86, 65 and
// 70 mm) with a trunk from below, on a grid of stepMM.
func EllipsoidCase(how Growth, stepMM float64, seed uint64) *Case {
	half := r3.Vec{X: 86, Y: 65, Z: 70}
	n := [3]int{int(2 * half.X / stepMM), int(2 * half.Y / stepMM), int(2 * half.Z / stepMM)}
	for a := range n {
		n[a] += 2
	}
	at := r3.Scale(-stepMM/2, r3.Vec{X: float64(n[0] - 1), Y: float64(n[1] - 1), Z: float64(n[2] - 1)})
	g := imaging.NewGrid(n, at, [3]float64{stepMM, stepMM, stepMM})
	organ := make([]bool, g.Len())
	for v := range organ {
		p := g.Point(ijk(g, v))
		organ[v] = p.X*p.X/(half.X*half.X)+p.Y*p.Y/(half.Y*half.Y)+p.Z*p.Z/(half.Z*half.Z) < 1
	}
	return NewCase(how, g, organ, r3.Vec{X: 5, Y: 10, Z: -69}, r3.Vec{X: 3, Y: 8, Z: -40}, seed)
}

// Try cuts the visible tree of count segments, its radii 5 % off, into at most
// eight territories (Subtrees) and compares with the truth: a voxel belongs to
// the territory whose subtree holds its terminal in the complete tree.
func (c *Case) Try(ctx context.Context, count int, o SupplyOptions) (*Trial, error) {
	tree, of := c.Full.Visible(count, 0.05, c.Seed)
	roots := Subtrees(tree, 8)
	o.Seed = c.Seed
	s, err := Supplies(ctx, tree, c.Grid, c.Organ, o)
	if err != nil {
		return nil, err
	}
	t, err := s.Territories(ctx, roots)
	if err != nil {
		return nil, err
	}
	owner, err := s.owners(roots)
	if err != nil {
		return nil, err
	}
	own, err := t.Paint(t.Of, c.Organ)
	if err != nil {
		return nil, err
	}
	out := &Trial{Visible: count, Branches: len(tree.Branches), Roots: len(roots), Counted: len(t.List)}
	truth := make([]float64, len(t.List))
	var all, wrong, near, resist, sure, sureWrong float64
	for v, in := range c.Organ {
		if !in {
			continue
		}
		is := owner[of[c.Full.Of[v]]]
		b := s.work.vox[s.work.blockOf(c.Grid.IJK(v))]
		truth[is] += c.Grid.VoxelMM3() / 1000
		bad := 0.0
		if own[v] != is {
			bad = 1
		}
		all++
		wrong += bad
		if t.Nearest[b] != is {
			near++
		}
		if t.Resistance[b] != is {
			resist++
		}
		if t.Confidence[b] >= SureAt {
			sure++
			sureWrong += bad
		}
	}
	out.Own, out.Nearest, out.Resistance = wrong/all, near/all, resist/all
	out.Sure, out.SureWrong = sure/all, sureWrong/max(sure, 1)
	for i, l := range t.List {
		if l.LowML <= truth[i] && truth[i] <= l.HighML {
			out.Covered++
		}
		out.Width += (l.HighML - l.LowML) / t.OrganML / float64(len(t.List))
		out.WorstNearest = max(out.WorstNearest, math.Abs(l.NearestML-truth[i])/t.OrganML)
		out.WorstOwn = max(out.WorstOwn, math.Abs(l.ML-truth[i])/t.OrganML)
		if l.Root >= 0 {
			v, err := s.Devascularised(l.Root)
			if err != nil {
				return nil, err
			}
			out.CutCounted++
			if v.LowML <= truth[i] && truth[i] <= v.HighML {
				out.CutCovered++
			}
		}
	}
	return out, nil
}
