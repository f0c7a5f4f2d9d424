package inverse

import (
	"context"
	"errors"

	"halsted/fem"
	"halsted/fem/material"

	"gonum.org/v1/gonum/spatial/r3"
)

// warm solves one model after another that differs little, each in one step
// from the solution of the last. The first solve, and one whose guess leads
// nowhere, takes the steps of the settings; so do all where the answer may
// depend on the path: with stages, with laws that remember, or where frames
// before the last are asked for (whole).
type warm struct {
	solve    fem.Solver
	settings fem.Settings
	whole    bool
	last     []r3.Vec // displacement of the last solve that came through
	solves   int
	newton   int
}

// run solves m and hands every frame to emit, which may be called for a first
// try that is then given up.
func (w *warm) run(ctx context.Context, m *fem.Model, emit func(*fem.Frame) error) error {
	keep := func(f *fem.Frame) error {
		w.last = f.U
		return emit(f)
	}
	before := w.last
	if !w.whole && len(before) == len(m.Mesh.Nodes) && len(m.Stages) == 0 && !remembers(m) {
		s := w.settings
		s.Steps, s.Guess = 1, before
		w.solves++
		res, err := w.solve(ctx, m, s, keep)
		w.newton += res.Newton
		if _, stuck := errors.AsType[*fem.NotConvergedError](err); !stuck {
			return w.done(err, before)
		}
	}
	w.solves++
	res, err := w.solve(ctx, m, w.settings, keep)
	w.newton += res.Newton
	return w.done(err, before)
}

// done forgets the frames of a failed solve; a mesh that was refused was not
// solved at all.
func (w *warm) done(err error, before []r3.Vec) error {
	if err != nil {
		w.last = before
	}
	if _, refused := errors.AsType[*fem.InvertedError](err); refused {
		w.solves--
	}
	return err
}

// remembers says whether a law of the model has a history.
func remembers(m *fem.Model) bool {
	for _, r := range m.Regions {
		if l, ok := r.Law.(material.Inelastic); ok && l.HistorySize() > 0 {
			return true
		}
	}
	return false
}
