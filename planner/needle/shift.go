package needle

import (
	"context"
	"fmt"
	"math"
	"sync"

	"halsted/fem"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// While the needle is driven in it drags the tissue along the track by friction
// and pushes it with its tip: nonlinear elasticity of the organ with its
// capsule, in its bed. Before, it pushes on the capsule until that gives way:
// to first order only, since what happens under the tip then is not elastic. The
// mean over the target is taken, since the displacement at a point force is
// unbounded. The mesh error is the difference to a finer mesh with every input
// at its median, carried over in proportion.

const (
	factorsKept = 3   // on the coarse mesh, some 75 MB each
	loadStepMM  = 1.0 // between forces along the shaft
	underMM     = 3   // the capsule's force acts this far under the surface
)

// shiftCache keeps what plans have in common: the meshes, the factored matrices
// used last, and the mesh error of each plan.
type shiftCache struct {
	mu      sync.Mutex // guards all, and the factors while they solve
	coarse  *organMesh
	fine    *organMesh
	factors []*factor // oldest first
	gaps    map[string][2]float64
}

// factor is a prepared model.
type factor struct {
	mu, ratio, bed float64
	of             *organMesh
	prepared       *fem.Prepared
}

// shifts fills in how far the target moves.
func (c *Case) shifts(ctx context.Context, p *planner.Plan, x []float64, v map[string]planner.Value) error {
	s := &c.shift
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.coarse == nil {
		coarse, err := c.newOrganMesh(ctx, coarseEdgeMM)
		if err != nil {
			return err
		}
		fine, err := c.newOrganMesh(ctx, fineEdgeMM)
		if err != nil {
			return err
		}
		s.coarse, s.fine, s.gaps = coarse, fine, map[string][2]float64{}
	}
	got, residual, err := c.shiftOn(ctx, s.coarse, p, x)
	if err != nil {
		return err
	}
	key := fmt.Sprint(p.Needles)
	gap, ok := s.gaps[key]
	if !ok {
		mid := planner.Medians(c.Inputs())
		a, _, err := c.shiftOn(ctx, s.coarse, p, mid)
		if err != nil {
			return err
		}
		b, _, err := c.shiftOn(ctx, s.fine, p, mid)
		if err != nil {
			return err
		}
		for n := range gap {
			if a[n] > 0 {
				gap[n] = math.Abs(b[n]-a[n]) / a[n]
			}
		}
		s.gaps[key] = gap
	}
	for n, id := range []string{"target_shift_mm", "puncture_shift_mm"} {
		v[id] = planner.Value{ID: id, V: got[n], Solution: &planner.Solution{Residual: residual[n], MeshError: gap[n] * got[n]}}
	}
	return nil
}

// shiftOn solves for the shift while the needle is driven in and for that
// before the capsule gives way; of several needles the largest, by the linear
// answer.
func (c *Case) shiftOn(ctx context.Context, o *organMesh, p *planner.Plan, x []float64) (shift, residual [2]float64, err error) {
	mu, bed := x[inShear]/1000, bedsMM[min(max(int(x[inBed]), 0), len(bedsMM)-1)]
	f, err := c.factor(ctx, o, mu, x[inRatio], bed)
	if err != nil {
		return shift, residual, err
	}
	u := make([]r3.Vec, len(o.m.Nodes))
	var drive fem.LoadCase
	for n, d := range p.Needles {
		s := newShaft(&c.Grid, d.Tip, d.Entry)
		loads, ok := c.needleLoads(o, &s, x)
		if !ok {
			return shift, residual, &PlanError{p.Name, fmt.Sprintf("needle %d does not pass through the organ", n+1)}
		}
		for m := range loads {
			r, err := f.prepared.Solve(ctx, u, &loads[m], 0)
			if err != nil {
				return shift, residual, err
			}
			if v := r3.Norm(o.moved(u)); v > shift[m] || n == 0 {
				shift[m], residual[m] = v, r
				if m == 0 {
					drive = loads[0]
				}
			}
		}
	}
	model, err := o.model(mu, x[inRatio], bed)
	if err != nil {
		return shift, residual, err
	}
	model.Forces = drive.Forces
	_, err = fem.Solve(ctx, model, fem.Settings{Steps: 1}, func(f *fem.Frame) error {
		shift[0], residual[0] = r3.Norm(o.moved(f.U)), f.Residual
		return nil
	})
	return shift, residual, err
}

// needleLoads are the forces on the organ while the needle is driven in (0) and
// before the capsule gives way (1).
func (c *Case) needleLoads(o *organMesh, s *shaft, x []float64) (loads [2]fem.LoadCase, ok bool) {
	in := r3.Scale(-1, s.out)
	at := func(i int) r3.Vec { return c.Grid.Point(s.where(i)) }
	every := int(math.Round(loadStepMM / StepMM))
	entered := -1
	for i := 0; i <= s.n; i += every {
		if c.organField.at(s.where(i)) >= 0 {
			continue
		}
		if o.load(&loads[0], at(i), r3.Scale(x[inFriction]*loadStepMM, in)) {
			entered = i
		}
	}
	if entered < 0 {
		return loads, false
	}
	// the tip, or what of the shaft lies deepest in the mesh
	for i := 0; i <= entered; i += every {
		if o.load(&loads[0], at(i), r3.Scale(x[inTipForce], in)) {
			break
		}
	}
	for i := max(0, entered-int(underMM/StepMM)); i >= 0; i -= every {
		if o.load(&loads[1], at(i), r3.Scale(x[inPuncture], in)) {
			return loads, true
		}
	}
	return loads, o.load(&loads[1], at(entered), r3.Scale(x[inPuncture], in))
}

// factor is the organ's matrix under a sample, factored.
func (c *Case) factor(ctx context.Context, o *organMesh, mu, ratio, bed float64) (*factor, error) {
	if !(mu > 0 && ratio > 0) {
		return nil, fmt.Errorf("needle: shear modulus %g MPa, ratio %g: want positive numbers", mu, ratio)
	}
	s := &c.shift
	for _, f := range s.factors {
		if f.of == o && f.mu == mu && f.ratio == ratio && f.bed == bed {
			return f, nil
		}
	}
	m, err := o.model(mu, ratio, bed)
	if err != nil {
		return nil, err
	}
	p, err := fem.Prepare(ctx, m, 0)
	if err != nil {
		return nil, err
	}
	f := &factor{mu, ratio, bed, o, p}
	if o != s.coarse {
		return f, nil
	}
	if len(s.factors) == factorsKept {
		s.factors = append(s.factors[:0], s.factors[1:]...)
	}
	s.factors = append(s.factors, f)
	return f, nil
}
