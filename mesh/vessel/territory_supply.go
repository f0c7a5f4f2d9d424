package vessel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/spatial/r3"

	"halsted/imaging"
	"halsted/internal/par"
)

// SupplyOptions says how the visible tree is completed. The zero value is
// what the figures of the package are measured with.
type SupplyOptions struct {
	StepMM    float64 // edge of the blocks of voxels the organ is worked on; 0: 2 mm
	Runs      int     // completions, 4 to 200; 0: 36
	Terminals int     // tips of a completion by transport, 100 to 4000; 0: 1000
	RadiusSD  float64 // relative standard error of a branch's radius, 0 to 1; 0: 0.05
	Seed      uint64  // of the completions
	Progress  func(done float64)
}

func (o SupplyOptions) withDefaults() SupplyOptions {
	if o.StepMM == 0 {
		o.StepMM = 2
	}
	if o.Runs == 0 {
		o.Runs = 36
	}
	if o.Terminals == 0 {
		o.Terminals = 1000
	}
	if o.RadiusSD == 0 {
		o.RadiusSD = 0.05
	}
	return o
}

// Validate names the field that is out of range.
func (o SupplyOptions) Validate() error {
	o = o.withDefaults()
	switch {
	case !(o.StepMM > 0) || math.IsInf(o.StepMM, 1):
		return fmt.Errorf("vessel: StepMM is %g; it must be positive and finite", o.StepMM)
	case o.Runs < 4 || o.Runs > 200:
		return fmt.Errorf("vessel: Runs is %d; give 4 to 200", o.Runs)
	case o.Terminals < 100 || o.Terminals > 4000:
		return fmt.Errorf("vessel: Terminals is %d; give 100 to 4000", o.Terminals)
	case !(o.RadiusSD >= 0 && o.RadiusSD <= 1):
		return fmt.Errorf("vessel: RadiusSD is %g; give 0 to 1", o.RadiusSD)
	}
	return nil
}

// ErrNoOrgan, ErrNoTree and ErrTreeOutside say that there is nothing to share
// out, or nothing that feeds it: the organ's mask is empty, the tree has no
// branches, or no branch loses flow in the organ or within 6 mm of it.
var (
	ErrNoOrgan     = errors.New("vessel: the mask of the organ is empty")
	ErrNoTree      = errors.New("vessel: the tree has no branches")
	ErrTreeOutside = errors.New("vessel: no branch of the tree ends or gets thinner in the organ: check that both are in one frame")
)

// DisconnectedError says that most of an organ lies in pieces that no branch of
// the tree comes within 6 mm of.
type DisconnectedError struct {
	Pieces          int     // of the organ
	UnreachedML, ML float64 // volume of the pieces without a branch, and of all
}

func (e *DisconnectedError) Error() string {
	return fmt.Sprintf("vessel: the organ is %d pieces, and %.1f of its %.1f ml lie in pieces that no branch touches: check the mask, or leave those pieces out", e.Pieces, e.UnreachedML, e.ML)
}

// TooLargeError says which limit an input to Supplies breaks.
type TooLargeError struct {
	What      string
	Is, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("vessel: %s: %d, more than %d", e.What, e.Is, e.Limit)
}

// Limits of memory and time: a tree beyond them is noise of a mask, not vessels
// of an organ. Branches must also fit an int16.
const (
	maxBranches = 20000
	maxChords   = 100000
	maxSources  = 5000
	maxLabels   = 1 << 28 // blocks times runs: 512 MiB
	maxMM       = 1e5     // a coordinate
)

// Supply is which visible branch feeds each place of an organ, once for each
// completion of the tree. It does not change after Supplies and may be used by
// many goroutines.
type Supply struct {
	// UnreachedML is the volume of pieces of the organ that no branch comes within
	// 6 mm of. They are shared out too, with confidence 0.
	UnreachedML float64
	Pieces      int // of the organ (blocks that share a face)

	tree    *Tree
	work    *working
	chords  []chord
	runs    [][]int16   // run → block of organ → branch that feeds it
	built   []bool      // run made by construct, not by transport
	ml      [][]float64 // run → branch → volume that hangs on the branch itself
	nearest []int16     // block of organ → nearest branch
	near    []float64   // branch → volume it is nearest to
	counted int         // runs by transport
}

// Supplies completes a visible tree Runs times into the organ (one bool per
// voxel of g; LPS mm) and keeps who feeds what. One of two completions shares
// random terminals out by the flow that the radii say each branch loses
// (transport), the other grows branches one by one (construct); radii, the
// exponent of Murray's law (2.5 to 3.2, clinical measurements) and terminals
// are drawn anew each time. Each block of the organ is fed by the branch of its
// nearest terminal.
//
// The tree is read, not kept or changed. A liver of 1600 ml takes two to three
// seconds of one core; the result keeps 2 bytes for each run and block (16 MB),
// and each core works on 4 bytes for each terminal and place where flow leaves
// the tree (1 MB). A done ctx ends it within 200 ms. The same seed gives the
// same bits for any GOMAXPROCS. Progress is called from one goroutine at a time.
//
// Errors: ErrNoOrgan, ErrNoTree, ErrTreeOutside, *TreeError (radii missing or
// not positive, points that are no place in a scanner), *DisconnectedError when
// over half of the organ lies in pieces without a branch, *TooLargeError,
// ctx.Err(), and options or sizes that do not fit.
func Supplies(ctx context.Context, tree *Tree, g imaging.Grid, organ []bool, o SupplyOptions) (*Supply, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("vessel: grid of the organ: %w", err)
	}
	if len(organ) != g.Len() {
		return nil, fmt.Errorf("vessel: the organ's mask has %d voxels, its grid %d", len(organ), g.Len())
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	if err := canFeed(tree); err != nil {
		return nil, err
	}
	s := &Supply{tree: outline(tree), chords: chordsOf(tree)}
	if n := len(s.chords); n > maxChords {
		return nil, &TooLargeError{"bends of the tree's centrelines", n, maxChords}
	}
	var err error
	if s.work, err = newWorking(ctx, g, organ, o.StepMM); err != nil {
		return nil, err
	}
	w := s.work
	if len(w.vox) == 0 {
		return nil, ErrNoOrgan
	}
	if n := len(w.vox) * o.Runs; n > maxLabels {
		return nil, &TooLargeError{fmt.Sprintf("organ blocks of StepMM %g times Runs (take larger blocks or fewer runs)", o.StepMM), n, maxLabels}
	}
	unit := make([]float64, len(tree.Branches))
	for n := range unit {
		unit[n] = 1
	}
	if n := len(sources(s.chords, w, unit, 3, 0)); n == 0 {
		return nil, ErrTreeOutside
	} else if n > maxSources {
		return nil, &TooLargeError{"places where flow leaves the tree (prune it)", n, maxSources}
	}
	if s.UnreachedML, s.Pieces, err = w.setApart(ctx, s.chords); err != nil {
		return nil, err
	}
	if s.UnreachedML > 0.5*w.total {
		return nil, &DisconnectedError{s.Pieces, s.UnreachedML, w.total}
	}
	s.runs, s.ml, s.built = make([][]int16, o.Runs), make([][]float64, o.Runs), make([]bool, o.Runs)
	for n := range s.built {
		s.built[n] = n%2 == 1
		if !s.built[n] {
			s.counted++
		}
	}
	var mu sync.Mutex // guards done and Progress
	done := 0
	err = par.ChunksCtx(ctx, o.Runs, 1, func(run, _ int) error {
		if err := s.complete(ctx, run, o); err != nil {
			return err
		}
		if o.Progress != nil {
			mu.Lock()
			defer mu.Unlock()
			done++
			o.Progress(float64(done) / float64(o.Runs))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, s.findNearest(ctx)
}

// canFeed says what keeps a tree from feeding an organ.
func canFeed(t *Tree) error {
	if t == nil || len(t.Branches) == 0 {
		return ErrNoTree
	}
	if n := len(t.Branches); n > maxBranches {
		return &TooLargeError{"branches of the tree (prune it)", n, maxBranches}
	}
	if err := t.Validate(); err != nil {
		return err
	}
	for n := range t.Branches {
		for m, p := range t.Branches[n].Points {
			if max(math.Abs(p.X), math.Abs(p.Y), math.Abs(p.Z)) > maxMM {
				return &TreeError{n, fmt.Sprintf("point %d at %g mm is no place in a scanner", m, p)}
			}
		}
	}
	return nil
}

// Grid is that of the blocks the organ is worked on.
func (s *Supply) Grid() imaging.Grid { return s.work.grid }

// Branches are the indices of all branches: as roots of Territories they give
// every place the branch that feeds it.
func (s *Supply) Branches() []int {
	all := make([]int, len(s.tree.Branches))
	for n := range all {
		all[n] = n
	}
	return all
}

// findNearest finds the nearest branch of each block among those that lose
// flow: all tips, and branches that get thinner by a twentieth of their flow
// (r³).
func (s *Supply) findNearest(ctx context.Context) error {
	s.nearest = make([]int16, len(s.work.vox))
	distance := func(p r3.Vec, i int) float64 { return math.Sqrt(toSegment2(p, s.chords[i].a, s.chords[i].b)) }
	loses := make([]bool, len(s.tree.Branches))
	thick := make([]float64, len(loses))
	for n := range s.chords {
		c := &s.chords[n]
		thick[c.branch] = max(thick[c.branch], c.radius)
		loses[c.branch] = c.tip || math.Pow(c.radius/thick[c.branch], 3) < 1-0.05
	}
	group := make([]int32, len(s.chords))
	for n := range group {
		if !loses[s.chords[n].branch] {
			group[n] = -1
		}
	}
	err := s.work.each(ctx, len(s.chords), distance, group, 1, func(_, v int, p r3.Vec, near []int32) {
		best, ahead := math.Inf(1), 0.0
		for _, n := range near {
			c := &s.chords[n]
			if d := toSegment2(p, c.a, c.b); d <= best*(1+1e-6) && closer(d, c.ahead(p), best, ahead) {
				best, ahead, s.nearest[v] = d, c.ahead(p), int16(c.branch)
			}
		}
	})
	s.near = make([]float64, len(s.tree.Branches))
	for v, b := range s.nearest {
		s.near[b] += s.work.ml[v]
	}
	return err
}

// outline is the branching of a tree without its points.
func outline(t *Tree) *Tree {
	out := &Tree{System: t.System, Branches: make([]Branch, len(t.Branches))}
	for n, b := range t.Branches {
		out.Branches[n] = Branch{Parent: b.Parent, Children: append([]int(nil), b.Children...), Name: b.Name}
	}
	return out
}

// transportRounds is where transport stops.
const transportRounds = 25

// complete makes one completion. Terminals of construct are fewer: it is there
// for its other way of growing, not for detail.
func (s *Supply) complete(ctx context.Context, run int, o SupplyOptions) error {
	rng := rand.New(rand.NewPCG(o.Seed, uint64(run)))
	radius := make([]float64, len(s.tree.Branches))
	for n := range radius {
		radius[n] = math.Exp(o.RadiusSD * rng.NormFloat64())
	}
	murray, back := 2.5+0.7*rng.Float64(), 0.5*rng.Float64()
	var label []int32
	points := s.work.terminals(o.Terminals, rng)
	src := sources(s.chords, s.work, radius, murray, back)
	var err error
	if s.built[run] {
		var p2, l2 = points[:0:0], label
		if p2, l2, err = construct(ctx, s.chords, s.work, max(100, 3*o.Terminals/10), radius, murray, rng); err != nil {
			return err
		}
		if len(p2) > 0 {
			points, label = p2, l2
		}
	}
	if label == nil { // also where nothing could be grown
		if len(src) == 0 {
			return ErrTreeOutside
		}
		if label, err = transport(ctx, points, src, transportRounds); err != nil {
			return err
		}
	}
	of, err := s.work.nearestPoint(ctx, points, label)
	if err != nil {
		return err
	}
	ml := make([]float64, len(s.tree.Branches))
	for v, b := range of {
		ml[b] += s.work.ml[v]
	}
	s.runs[run], s.ml[run] = of, ml
	return nil
}
