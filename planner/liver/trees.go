package liver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"halsted/imaging"
	"halsted/imaging/filter"
	"halsted/mesh/vessel"

	"gonum.org/v1/gonum/spatial/r3"
)

// Flow through the liver at rest.
const (
	// HepaticFlowMLMin is what leaves through the hepatic veins, and
	// PortalShare what the portal vein brings of it (American Society of
	// Anesthesiologists, resident toolbox question 5: 1500 ml/min, 75 %; Eipel,
	// Abshagen and Vollmar, World J Gastroenterol 2010;16:6046).
	HepaticFlowMLMin = 1500.0
	PortalShare      = 0.75
	// sinusoidMmHg is the drop of pressure beyond the visible portal or hepatic
	// branches; it is much larger than that along them, so flows depend little on it.
	sinusoidMmHg = 5.0
)

// blockMM is the edge of the blocks that territories are worked on.
const blockMM = 3.0

// System is one vessel system of the liver.
type System struct {
	Name   string // "portal" or "hepatic"
	Tree   *vessel.Tree
	Report *vessel.Report
	// FlowMLMin is the flow through each branch with the whole at
	// HepaticFlowMLMin (times PortalShare).
	FlowMLMin []float64
	Supply    *vessel.Supply
	// Of is the branch that most probably feeds (drains) each block of the
	// anatomy's organ, −1 where none does.
	Of []int32

	feedsML []float64 // of each branch with all below it, expected
	points  []treePoint
	first   []int   // first of points of each branch; one more at the end
	along   []int32 // per block: the point of its branch that is nearest to it
}

// treePoint is one point of a tree's centrelines.
type treePoint struct {
	p      r3.Vec
	radius float64
	inside bool // in the organ
}

// Trees are the vessel systems of an anatomy with what hangs on them.
type Trees struct {
	Portal, Hepatic *System // nil where the case has none
	// Missing says for each system that is not there which outputs are lost.
	Missing []MissingTree
	blocks  *blocks
	near    *nearTumour

	regionMu sync.Mutex // guards regions
	regions  map[string]*region
}

// MissingTree is a vessel system that a case lacks.
type MissingTree struct {
	System string
	Why    string
	Lost   []string // Output ids
}

func (m MissingTree) String() string {
	var lost []string
	for _, o := range l0Outputs(reach{portal: true, hepatic: true}) {
		if slices.Contains(m.Lost, o.ID) {
			lost = append(lost, o.Words())
		}
	}
	return fmt.Sprintf("no %s tree (%s); not given: %s", m.System, m.Why, strings.Join(lost, "; "))
}

// Systems are the trees that are there, portal first.
func (t *Trees) Systems() []*System {
	var out []*System
	for _, s := range []*System{t.Portal, t.Hepatic} {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

// Trees extracts the portal and hepatic trees, their flow and what they feed
// and drain. The first call takes some seconds of CPU time, later ones return
// the same. A system without a mask, or of which no vessel can be made, is
// listed in Missing; the only errors are ctx.Err() and a broken organ.
func (a *Anatomy) Trees(ctx context.Context) (*Trees, error) {
	a.treeMu.Lock()
	defer a.treeMu.Unlock()
	if a.trees != nil {
		return a.trees, nil
	}
	t := &Trees{blocks: a.newBlocks(blockMM)}
	organ := filter.Where(a.Grid.Len(), func(n int) bool { return a.Labels.ID[n].InOrgan() })
	for _, l := range []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein} {
		s, err := a.system(ctx, t.blocks, l, organ)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			t.Missing = append(t.Missing, MissingTree{systemName(l), err.Error(), lostWithout(systemName(l))})
			continue
		}
		if l == imaging.LabelPortalVein {
			t.Portal = s
		} else {
			t.Hepatic = s
		}
	}
	var err error
	if t.near, err = a.newNearTumour(ctx, t); err != nil {
		return nil, err
	}
	a.trees = t
	return t, nil
}

// A mouth of a hepatic vein is a part of its mask outside the organ that is
// this wide and reaches this far.
const (
	mouthRadiusMM = 2.0
	mouthOutMM    = 2.0
)

// mouths are the places where the hepatic veins leave the organ for the vena
// cava: in each connected part of the mask outside the organ the voxel furthest
// from it. The blood runs there, whatever end of the tree is the widest.
func (a *Anatomy) mouths(mask filter.Mask) []r3.Vec {
	seen := make([]bool, len(mask))
	var out []r3.Vec
	var queue []int
	for n := range mask {
		if !mask[n] || seen[n] || a.Phi[n] < 0 {
			continue
		}
		seen[n] = true
		queue = append(queue[:0], n)
		far, wide := n, 0.0
		for h := 0; h < len(queue); h++ {
			m := queue[h]
			if a.Phi[m] > a.Phi[far] {
				far = m
			}
			wide = max(wide, float64(a.radius[m]))
			i, j, k := a.Grid.IJK(m)
			for _, d := range faceNeighbours {
				if u, v, w := i+d[0], j+d[1], k+d[2]; a.Grid.Contains(u, v, w) {
					if o := a.Grid.Index(u, v, w); mask[o] && !seen[o] && a.Phi[o] >= 0 {
						seen[o] = true
						queue = append(queue, o)
					}
				}
			}
		}
		if wide >= mouthRadiusMM && a.Phi[far] >= mouthOutMM {
			out = append(out, a.at(far))
		}
	}
	return out
}

// main are the two largest subtrees below the trunk, the larger one first; nil
// when there are no two.
func (s *System) main(organML float64) []int {
	var front []int
	var open func(n int)
	open = func(n int) {
		if s.feedsML[n] < trunkShare*organML {
			front = append(front, n)
			return
		}
		for _, c := range s.Tree.Branches[n].Children {
			open(c)
		}
	}
	for _, r := range s.Tree.Roots() {
		open(r)
	}
	slices.SortStableFunc(front, func(x, y int) int { return cmp.Compare(s.feedsML[y], s.feedsML[x]) })
	const least = 0.05
	if len(front) < 2 || s.feedsML[front[1]] < least*organML {
		return nil
	}
	return front[:2]
}

// supplySeed fixes the completions of the trees: all plans of a case, and all
// its runs, see the same.
const supplySeed = 1

func (a *Anatomy) system(ctx context.Context, b *blocks, l imaging.Label, organ filter.Mask) (*System, error) {
	mask := a.masks[l]
	if mask == nil {
		return nil, errors.New("the case has no mask of it")
	}
	s := &System{Name: systemName(l)}
	var err error
	o := vessel.Options{System: l, Organ: organ}
	if l == imaging.LabelHepaticVein {
		o.Roots = a.mouths(mask)
	}
	if s.Tree, s.Report, err = vessel.Extract(ctx, a.Grid, mask, o); err != nil {
		return nil, err
	}
	total := HepaticFlowMLMin
	if l == imaging.LabelPortalVein {
		total *= PortalShare
	}
	if s.FlowMLMin, err = a.perfuse(ctx, s.Tree, total); err != nil {
		return nil, err
	}
	if s.Supply, err = vessel.Supplies(ctx, s.Tree, a.Grid, organ, vessel.SupplyOptions{StepMM: blockMM, Seed: supplySeed}); err != nil {
		return nil, err
	}
	return s, s.share(ctx, a, b)
}

// labels says which branch feeds each block: of two large subtrees the more
// probable, of at most eight within it the most probable, and of its branches
// again. Taking the most probable branch at once would give a block to the one
// thick branch rather than to the many thin ones of the other side. Where the
// levels disagree the block hangs on the branch of the subtree that is nearest.
func (s *System) labels(ctx context.Context, b *blocks) error {
	s.Of = make([]int32, len(b.vox))
	for v := range s.Of {
		s.Of[v] = -1
	}
	below := func(n, top int32) bool {
		for ; n >= 0; n = int32(s.Tree.Branches[n].Parent) {
			if n == top {
				return true
			}
		}
		return false
	}
	done := make([]bool, len(b.vox))
	for level, roots := range [][]int{s.main(b.total), s.Supply.Subtrees(segmentsAtMost), s.Supply.Branches()} {
		if len(roots) == 0 {
			continue
		}
		t, err := s.Supply.Territories(ctx, roots)
		if err != nil {
			return err
		}
		if t.Grid != b.grid {
			return fmt.Errorf("liver: blocks of %v voxels, territories of %v", b.grid.Size, t.Grid.Size)
		}
		for v, n := range b.vox {
			if of := t.Of[n]; of >= 0 && t.List[of].Root >= 0 {
				if r := int32(t.List[of].Root); s.Of[v] < 0 || below(r, s.Of[v]) {
					s.Of[v] = r
					done[v] = level == 2
				}
			}
		}
	}
	near := map[int32][]int{} // branches of the subtrees that are needed
	for v := range done {
		top := s.Of[v]
		if done[v] || top < 0 {
			continue
		}
		if near[top] == nil {
			near[top] = s.Tree.Subtree(int(top))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		best := math.Inf(1)
		for _, n := range near[top] {
			for m := s.first[n]; m < s.first[n+1]; m++ {
				if d := r3.Norm2(r3.Sub(b.centre[v], s.points[m].p)); d < best {
					best, s.Of[v] = d, int32(n)
				}
			}
		}
	}
	return nil
}

// share fills Of and what goes with it.
func (s *System) share(ctx context.Context, a *Anatomy, b *blocks) error {
	s.feedsML = make([]float64, len(s.Tree.Branches))
	for n := range s.feedsML {
		v, err := s.Supply.Devascularised(n)
		if err != nil {
			return err
		}
		s.feedsML[n] = v.ML
	}
	for n := range s.Tree.Branches {
		br := &s.Tree.Branches[n]
		s.first = append(s.first, len(s.points))
		for m, p := range br.Points {
			s.points = append(s.points, treePoint{p, br.RadiusMM[m], b.find(p) >= 0})
		}
	}
	s.first = append(s.first, len(s.points))
	if err := s.labels(ctx, b); err != nil {
		return err
	}
	s.along = make([]int32, len(b.vox))
	for v := range b.vox {
		if s.Of[v] < 0 {
			continue
		}
		best := math.Inf(1)
		for m := s.first[s.Of[v]]; m < s.first[s.Of[v]+1]; m++ {
			if d := r3.Norm2(r3.Sub(b.centre[v], s.points[m].p)); d < best {
				best, s.along[v] = d, int32(m)
			}
		}
	}
	return nil
}

// perfuse is the flow of each branch, ml/min, with total entering at the roots
// and none leaving through tips outside the organ (splenic vein, vena cava).
func (a *Anatomy) perfuse(ctx context.Context, t *vessel.Tree, total float64) ([]float64, error) {
	leads := make([]bool, len(t.Branches))
	r3sum := 0.0
	for n := len(t.Branches) - 1; n >= 0; n-- {
		b := &t.Branches[n]
		if len(b.Children) == 0 {
			leads[n] = a.beside(b.Points[len(b.Points)-1])
			if leads[n] {
				r3sum += math.Pow(b.RadiusMM[len(b.RadiusMM)-1], 3)
			}
		}
		if leads[n] && b.Parent >= 0 {
			leads[b.Parent] = true
		}
	}
	if r3sum == 0 {
		return nil, errors.New("no branch ends in the organ")
	}
	mm3 := total * 1000 / 60
	blood := vessel.Blood{InflowMM3PerS: mm3, TerminalGamma: 3, TerminalFactor: sinusoidMmHg * vessel.MPaPerMmHg * r3sum / mm3}
	for n, ok := range leads {
		if p := t.Branches[n].Parent; !ok && (p < 0 || leads[p]) {
			blood.Cut = append(blood.Cut, n)
		}
	}
	flow, _, _, err := t.Perfuse(ctx, blood)
	for n := range flow {
		flow[n] *= 60.0 / 1000
	}
	return flow, err
}

// besideMM is how far outside the organ a vessel may end that feeds it.
const besideMM = 6.0

// beside reports whether p lies in the organ or near it.
func (a *Anatomy) beside(p r3.Vec) bool {
	x, y, z := a.Grid.Voxel(p)
	i, j, k := int(math.Round(x)), int(math.Round(y)), int(math.Round(z))
	return a.Grid.Contains(i, j, k) && float64(a.Phi[a.Grid.Index(i, j, k)]) <= besideMM
}

// trunkName is the name of the portal trunk in mesh/vessel.
const trunkName = "portal trunk"

// name is what a surgeon calls a branch: its own name, or that of the nearest
// named branch above it. A tree names the trunk by where it lies; a branch that
// most of the organ does not hang on is none.
func (s *System) name(n int) string {
	of := ""
	misnamed := func(n int) bool {
		return s.Tree.Branches[n].Name == trunkName && s.feedsML[n] < trunkShare*s.Supply.OrganML()
	}
	for n >= 0 && (s.Tree.Branches[n].Name == "" || misnamed(n)) {
		n, of = s.Tree.Branches[n].Parent, "branch of "
	}
	if n < 0 {
		return ""
	}
	return of + s.Tree.Branches[n].Name
}
