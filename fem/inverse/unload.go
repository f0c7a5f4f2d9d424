package inverse

import (
	"context"
	"errors"
	"math"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// Unload finds the shape X that the loads of m carry into the shape of m.Mesh:
// the zero-pressure or gravity-free configuration of an imaged organ. Here the
// loads are those that acted while the image was taken; GravityChange is the
// gravity vector itself. A prescribed node stands at its place in the image
// less its prescribed value. Fibre directions and residual stress (Natural)
// belong to the stress-free shape. With stages, the image shows the end of the
// last one.
//
// Where the model allows it, X is first sought directly, as the zero of the
// equilibrium of the imaged shape (direct), and the first forward solve, from
// the displacement so found, measures the distance. Models with stages,
// attachments, histories, residual strain that changes volume, dead loads on
// faces, or Tet4 with mean dilatation go without, as do those for which Newton's
// method fails.
//
// Fixed point X ← X − Rᵀ·(x(X) − x_img) (M. Sellier, J. Fluids Struct. 27 (2011)
// 1461; J. Bols et al., J. Comput. Appl. Math. 246 (2013) 10; both with R = 1)
// with Anderson acceleration. R, the rotation of the tissue at the node, makes
// the correction right for a body that turns, where the original one diverges; each iteration is one forward solve: the first with s, later
// ones in a single step from the displacement of the last (Settings.Guess), and
// with s again where that does not converge or where the path matters (stages,
// laws with a history). A step that makes
// the distance (root mean square) grow is taken back and its difference kept;
// one that turns an element inside out, or whose solve fails, is halved. Where
// that does not help, the loads are first unloaded in part.
//
// The result is the shape of the last forward solve, whose distance was
// measured. Errors: *InputError; those of the solver that no other shape can
// cure; *NotConvergedError, with which the best shape at full load, if any, is
// returned too; the error of ctx. Settings.MemoryLimit bounds the vectors kept
// here and the forward solve together (*fem.MemoryError).
func Unload(ctx context.Context, m *fem.Model, s fem.Settings, o Options) (*Reference, Report, error) {
	o, err := o.withDefaults()
	rep := Report{Node: -1, MaxMM: math.NaN(), RMSMM: math.NaN()}
	if err != nil {
		return nil, rep, err
	}
	if m == nil || m.Mesh == nil || len(m.Mesh.Nodes) == 0 {
		return nil, rep, badInput("model", "has no mesh; give the imaged one")
	}
	if s.ResidualTol == 0 {
		s.ResidualTol = residualTol
	}
	if s.MemoryLimit > 0 {
		need := int64(3*max(o.Window, 0)+spareVectors) * 24 * int64(len(m.Mesh.Nodes))
		if need >= s.MemoryLimit {
			return nil, rep, &fem.MemoryError{NeedBytes: need, LimitBytes: s.MemoryLimit}
		}
		s.MemoryLimit -= need
	}
	u := &unloader{ctx: ctx, o: o, solver: warm{solve: o.Solve, settings: s}, model: m, rep: &rep, u: make([]r3.Vec, len(m.Mesh.Nodes))}
	return u.run()
}

// unloader is the state of one Unload. Vectors are flat, 3·node + axis, mm.
type unloader struct {
	ctx    context.Context
	o      Options
	solver warm
	model  *fem.Model
	rep    *Report
	u      []r3.Vec // displacement of the last solve that came through
	best   struct { // at the load factor under way
		x, f []float64
		u    []r3.Vec
		at   Iteration
	}
	last error // of the last failed solve
}

// spareVectors is how many vectors of three numbers per node are held beside
// three per column of Anderson's window.
const spareVectors = 12

// residualTol is the default of the forward solves.
const residualTol = 1e-9

// minLoadStep is the least share of the loads by which unloading in parts goes on.
const minLoadStep = 1. / 32

// partTol is how exactly a part of the loads is unloaded before the next part,
// relative to its largest displacement.
const partTol = 0.01

func (u *unloader) run() (*Reference, Report, error) {
	img := flat(u.model.Mesh.Nodes)
	past := [2]shape{{0, img}, {0, img}} // found at two parts of the loads, the larger last
	reached, step := 0.0, 1.0
	first, err := u.direct()
	if err != nil {
		return nil, *u.rep, err
	}
	for {
		target := min(1, reached+step)
		if target > 1-1e-9 {
			target = 1
		}
		start := append([]float64(nil), past[1].x...)
		if reached > 0 { // carried on in proportion
			axpy(start, (target-reached)/(reached-past[0].at), difference(past[1].x, past[0].x))
		}
		if first != nil {
			start = first
		}
		err := u.fixedPoint(start, img, target)
		b := &u.best
		if first != nil && err != nil && u.ctx.Err() == nil { // the direct shape is no help
			first, u.solver.last = nil, nil
			continue
		}
		part, ok := errors.AsType[*partError](err)
		switch {
		case err == nil && target == 1:
			u.rep.LoadFactor = 1
			return u.reference(), *u.rep, nil
		case err == nil:
			past = [2]shape{past[1], {target, append([]float64(nil), b.x...)}}
			reached = target
			u.rep.LoadFactor = reached
			step = min(2*step, 1-reached)
			continue
		case !ok:
			return nil, *u.rep, err
		case u.rep.ForwardSolves < u.o.MaxForward && step/2 >= minLoadStep && !u.near():
			step /= 2
			continue
		}
		nc := &NotConvergedError{LoadFactor: reached, ForwardSolves: u.rep.ForwardSolves, DistanceMM: math.NaN(), Node: -1, Reason: part.msg, Err: u.last}
		if b.x == nil {
			return nil, *u.rep, nc
		}
		nc.DistanceMM, nc.Node, nc.AtMM = b.at.MaxMM, b.at.Node, u.model.Mesh.Nodes[b.at.Node]
		if target < 1 {
			return nil, *u.rep, nc
		}
		return u.reference(), *u.rep, nc
	}
}

// direct is the shape that solves the equilibrium of the imaged one, and leaves
// its displacement as the guess of the first forward solve; nil where the model
// or the options have no such way, or Newton's method finds none.
func (u *unloader) direct() ([]float64, error) {
	if u.o.FixedPoint || u.o.NoRotation || u.o.Window < 0 {
		return nil, nil
	}
	d, err := newDirect(u.ctx, u.model, u.solver.settings)
	if err != nil {
		return nil, nil
	}
	x, err := d.run(u.model.Prescribed)
	u.rep.InverseNewton = d.newtons
	if err != nil {
		return nil, u.ctx.Err()
	}
	for v, p := range u.model.Mesh.Nodes {
		u.solver.last = append(u.solver.last, r3.Sub(p, r3.Vec{X: x[3*v], Y: x[3*v+1], Z: x[3*v+2]}))
	}
	return x, nil
}

// shape is a stress-free shape for a part of the loads.
type shape struct {
	at float64 // load factor
	x  []float64
}

func difference(a, b []float64) []float64 {
	d := append([]float64(nil), a...)
	axpy(d, -1, b)
	return d
}

// reference packs the best shape.
func (u *unloader) reference() *Reference {
	b := &u.best
	u.rep.MaxMM, u.rep.RMSMM, u.rep.Node = b.at.MaxMM, b.at.RMSMM, b.at.Node
	me := *u.model.Mesh
	me.Nodes = vectors(b.x)
	return &Reference{Mesh: &me, Imaged: append([]r3.Vec(nil), u.model.Mesh.Nodes...), U: b.u}
}

// partError is a failure that a smaller part of the loads may cure.
type partError struct{ msg string }

func (e *partError) Error() string { return e.msg }

const (
	maxBackoff   = 2       // halvings of a step whose forward solve fails before the loads are divided
	leastDamping = 1. / 64 // of a step
	maxGrowth    = 4       // steps in a row that may be taken back because the distance grew
)

// fixedPoint finds the shape for a load factor from start; it is u.best then.
// A *partError leaves u.best at the best shape met, if any.
func (u *unloader) fixedPoint(start, img []float64, factor float64) error {
	b := &u.best
	b.x, b.f, b.u = nil, nil, nil
	mix := anderson{window: u.o.Window}
	model := scaled(u.model, factor)
	x := append([]float64(nil), start...)
	step := make([]float64, len(x))
	damping, columns, grown, backoff := 1.0, 0, 0, 0
	for {
		if u.rep.ForwardSolves >= u.o.MaxForward {
			return &partError{"the allowed forward solves are used up"}
		}
		it := Iteration{LoadFactor: factor, Columns: columns, Damping: damping, MaxMM: math.NaN(), RMSMM: math.NaN(), Node: -1}
		f, err := u.forward(model, x, img, &it)
		if err != nil {
			return err
		}
		if f == nil { // no solution at x
			u.note(it)
			if b.x == nil {
				return &partError{"the forward solve fails on the shape that the iteration starts from"}
			}
			if backoff++; damping/2 < leastDamping || backoff > maxBackoff && !u.near() {
				return &partError{"the forward solve fails however short the step"}
			}
			damping /= 2
			copy(x, b.x)
			axpy(x, damping, step)
			continue
		}
		if b.x != nil {
			mix.learn(difference(x, b.x), difference(f, b.f))
		}
		if b.x == nil || it.RMSMM < b.at.RMSMM {
			it.Kept = true
			b.x, b.f, b.u, b.at, grown = append(b.x[:0], x...), f, append(b.u[:0], u.u...), it, 0
			damping, backoff = min(1, 2*damping), 0
		} else {
			if grown++; grown > maxGrowth {
				u.note(it)
				return &partError{"the distance no longer falls: lower Settings.ResidualTol, raise TolMM, or use Anderson acceleration with a larger window"}
			}
			damping = 0.5
			if u.o.Window < 0 {
				damping = math.Pow(0.5, float64(grown))
			}
		}
		u.note(it)
		if b.at.MaxMM <= u.tolerance(factor) {
			return nil
		}
		mix.step(step, b.f)
		columns = mix.kept
		copy(x, b.x)
		axpy(x, damping, step)
	}
}

// tolerance at a load factor, mm.
func (u *unloader) tolerance(factor float64) float64 {
	if factor == 1 {
		return u.o.TolMM
	}
	return max(u.o.TolMM, u.partTolMM())
}

// partTolMM is partTol of the largest displacement of the best shape, mm.
func (u *unloader) partTolMM() (size float64) {
	for _, v := range u.best.u {
		size = max(size, r3.Norm(v))
	}
	return partTol * size
}

// near says that the best shape is so good that unloading in parts would only
// lead back to it.
func (u *unloader) near() bool {
	return u.best.x != nil && u.best.at.MaxMM <= u.partTolMM()
}

func (u *unloader) note(it Iteration) {
	u.rep.History = append(u.rep.History, it)
	if u.o.Progress != nil {
		u.o.Progress(it)
	}
}
