package vessel

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
)

// Trial is how well Territories does on one synthetic tree of which only the
// thickest segments are visible. Parts are of the organ's volume, 0 to 1.
type Trial struct {
	Visible, Branches, Roots int     // segments, branches, territories
	Nearest, Resistance, Own float64 // part given to the wrong territory
	Sure, SureWrong          float64 // part declared sure; part of that which is wrong
	WorstNearest, WorstOwn   float64 // largest error of a territory's volume
	// Of the territories; of what cutting each takes (Devascularised, without the
	// rest); and of what is lost with a ball of 30 mm about its first branching (Lost).
	Territory, Cut, Loss Intervals
}

// Intervals counts how often a true volume lay in its 95 % interval.
type Intervals struct {
	Count, Held  int
	Below, Above int     // misses on each side: the truth is below LowML, above HighML
	Under        int     // the truth is less than the estimate
	Width        float64 // sum of the widths, parts of the organ
}

func (n *Intervals) add(v Volume, truth, organ float64) {
	const rounding = 1e-9
	n.Count++
	switch {
	case truth < v.LowML-rounding*organ:
		n.Below++
	case truth > v.HighML+rounding*organ:
		n.Above++
	default:
		n.Held++
	}
	if truth < v.ML {
		n.Under++
	}
	n.Width += (v.HighML - v.LowML) / organ
}

// Add counts those of m too.
func (n *Intervals) Add(m Intervals) {
	n.Count, n.Held, n.Below, n.Above = n.Count+m.Count, n.Held+m.Held, n.Below+m.Below, n.Above+m.Above
	n.Under, n.Width = n.Under+m.Under, n.Width+m.Width
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
func NewCase(ctx context.Context, how Growth, g imaging.Grid, organ []bool, root, hilum r3.Vec, seed uint64) (*Case, error) {
	full, err := GrowSynthetic(ctx, how, g, organ, root, hilum, 300, 6.4, 2.7+0.1*float64(seed%4), seed)
	return &Case{g, organ, full, seed}, err
}

// EllipsoidCase is a case in an ellipsoid of 1639 ml (half axes 86, 65 and
// 70 mm) with a trunk from below, on a grid of stepMM.
func EllipsoidCase(ctx context.Context, how Growth, stepMM float64, seed uint64) (*Case, error) {
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
	return NewCase(ctx, how, g, organ, r3.Vec{X: 5, Y: 10, Z: -69}, r3.Vec{X: 3, Y: 8, Z: -40}, seed)
}

// Try cuts the visible tree of count segments, its radii 5 % off, into at most
// territories ones (from the thickest subtrees; 0 for every branch its own) and compares with the
// truth: a voxel belongs to the territory whose subtree holds its terminal in
// the complete tree.
func (c *Case) Try(ctx context.Context, count, territories int, o SupplyOptions) (*Trial, error) {
	tree, of := c.Full.Visible(count, 0.05, c.Seed)
	o.Seed = c.Seed
	s, err := Supplies(ctx, tree, c.Grid, c.Organ, o)
	if err != nil {
		return nil, err
	}
	roots := s.Branches()
	if territories > 0 {
		roots = thickest(tree, territories)
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
	nearest, err := t.Paint(t.Nearest, c.Organ)
	if err != nil {
		return nil, err
	}
	resist, err := t.Paint(t.Resistance, c.Organ)
	if err != nil {
		return nil, err
	}
	out := &Trial{Visible: count, Branches: len(tree.Branches), Roots: len(roots)}
	truth := make([]float64, len(t.List))
	voxel := c.Grid.VoxelMM3() / 1000
	var all float64
	for v, in := range c.Organ {
		if !in {
			continue
		}
		is := owner[of[c.Full.Of[v]]]
		truth[is] += voxel
		all++
		if own[v] != is {
			out.Own++
		}
		if nearest[v] != is {
			out.Nearest++
		}
		if resist[v] != is {
			out.Resistance++
		}
		if t.Confidence[s.work.vox[s.work.blockOf(c.Grid.IJK(v))]] >= SureAt {
			out.Sure++
			if own[v] != is {
				out.SureWrong++
			}
		}
	}
	out.SureWrong /= max(out.Sure, 1)
	for _, x := range []*float64{&out.Own, &out.Nearest, &out.Resistance, &out.Sure} {
		*x /= all
	}
	ball := make([]bool, len(c.Organ))
	for i, l := range t.List {
		out.Territory.add(l.Volume, truth[i], t.OrganML)
		out.WorstNearest = max(out.WorstNearest, math.Abs(l.NearestML-truth[i])/t.OrganML)
		out.WorstOwn = max(out.WorstOwn, math.Abs(l.ML-truth[i])/t.OrganML)
		if l.Root < 0 || territories == 0 {
			continue
		}
		v, err := s.Devascularised(l.Root)
		if err != nil {
			return nil, err
		}
		out.Cut.add(v, truth[i], t.OrganML)
		b := &tree.Branches[l.Root]
		lost := 0.0
		for n, in := range c.Organ {
			const radiusMM = 30
			ball[n] = in && r3.Norm(r3.Sub(c.Grid.Point(ijk(c.Grid, n)), b.Points[len(b.Points)-1])) < radiusMM
			if ball[n] || in && owner[of[c.Full.Of[n]]] == int32(i) {
				lost += voxel
			}
		}
		part, err := s.Blocks(ball)
		if err != nil {
			return nil, err
		}
		if v, err = s.Lost(part, l.Root); err != nil {
			return nil, err
		}
		out.Loss.add(v, lost, t.OrganML)
	}
	return out, nil
}

// thickest picks at most count roots: it starts with the roots of the tree and
// divides the thickest into its children while less than a sixth of its flow
// (Murray, r³) leaves it on the way.
func thickest(t *Tree, count int) []int {
	var roots []int
	for n := range t.Branches {
		if t.Branches[n].Parent < 0 {
			roots = append(roots, n)
		}
	}
	for len(roots) < count {
		best, at := 0.0, -1
		for n, r := range roots {
			b := &t.Branches[r]
			first, last := b.RadiusMM[0], b.RadiusMM[len(b.RadiusMM)-1]
			if len(b.Children) < 2 || len(roots)-1+len(b.Children) > count {
				continue
			}
			if b.Parent >= 0 && last*last*last < 5.0/6*first*first*first {
				continue
			}
			if first > best {
				best, at = first, n
			}
		}
		if at < 0 {
			break
		}
		kids := t.Branches[roots[at]].Children
		roots = append(slices.Delete(roots, at, at+1), kids...)
	}
	slices.Sort(roots)
	return roots
}
