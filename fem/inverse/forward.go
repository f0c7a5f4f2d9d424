package inverse

import (
	"errors"
	"fmt"
	"math"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// forward solves from the shape x and returns the correction
// f = Rᵀ·(x_img − x(X)), or nil when the solve fails in a way that another shape
// may cure.
func (u *unloader) forward(m *fem.Model, x, img []float64, it *Iteration) ([]float64, error) {
	me := *m.Mesh
	me.Nodes = vectors(x)
	fm := *m
	fm.Mesh = &me
	var disp []r3.Vec
	before := u.solver.newton
	err := u.solver.run(u.ctx, &fm, func(f *fem.Frame) error { disp = f.U; return nil })
	u.rep.ForwardSolves, u.rep.Newton, it.Newton = u.solver.solves, u.solver.newton, u.solver.newton-before
	if err != nil {
		_, stuck := errors.AsType[*fem.NotConvergedError](err)
		_, inverted := errors.AsType[*fem.InvertedError](err)
		if u.ctx.Err() == nil && (stuck || inverted && len(u.rep.History) > 0) {
			u.last, it.Failure = err, err.Error()
			return nil, nil
		}
		return nil, fmt.Errorf("inverse: forward solve %d: %w", u.rep.ForwardSolves, err)
	}
	if len(disp) != len(u.u) {
		return nil, fmt.Errorf("inverse: forward solve %d gave no frame for %d nodes", u.rep.ForwardSolves, len(u.u))
	}
	copy(u.u, disp)
	u.last = nil
	f := make([]float64, len(x))
	var sum float64
	it.MaxMM = -1
	for v, d := range disp {
		f[3*v] = img[3*v] - (x[3*v] + d.X)
		f[3*v+1] = img[3*v+1] - (x[3*v+1] + d.Y)
		f[3*v+2] = img[3*v+2] - (x[3*v+2] + d.Z)
		d2 := f[3*v]*f[3*v] + f[3*v+1]*f[3*v+1] + f[3*v+2]*f[3*v+2]
		sum += d2
		if d2 > it.MaxMM {
			it.MaxMM, it.Node = d2, int32(v)
		}
	}
	it.MaxMM, it.RMSMM = math.Sqrt(it.MaxMM), math.Sqrt(sum/float64(len(disp)))
	if !u.o.NoRotation {
		to := make([]r3.Vec, len(disp))
		for v, d := range disp {
			to[v] = r3.Add(me.Nodes[v], d)
		}
		rot, err := turns(&me, to)
		if err != nil {
			return nil, fmt.Errorf("inverse: forward solve %d: %w", u.rep.ForwardSolves, err)
		}
		turnBack(f, rot, m.Prescribed)
	}
	return f, nil
}

func flat(v []r3.Vec) []float64 {
	out := make([]float64, 3*len(v))
	for i, p := range v {
		out[3*i], out[3*i+1], out[3*i+2] = p.X, p.Y, p.Z
	}
	return out
}

func vectors(x []float64) []r3.Vec {
	out := make([]r3.Vec, len(x)/3)
	for i := range out {
		out[i] = r3.Vec{X: x[3*i], Y: x[3*i+1], Z: x[3*i+2]}
	}
	return out
}
