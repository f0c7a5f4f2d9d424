package segment

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"halsted/imaging"
)

// operation is what a step of a recipe can do.
type operation struct {
	name, doc  string
	needs      []imaging.Label // structures it builds on; without one of them it is left out
	gives      []imaging.Label // structures it looks for; LabelTumour stands for all tumours
	seeds      []imaging.Label // structures it takes seeds for
	share      float64         // of the time, for the progress
	parameters []Parameter
	bind       func(set map[string]float64) (func(context.Context, *work) error, error)
}

// parameter is a Parameter and where it goes in the settings.
type parameter[S any] struct {
	Parameter
	at func(*S) *float64
}

// define completes an operation whose settings are an S: check, if not nil,
// judges them together.
func define[S any](o operation, ps []parameter[S], check func(S) error, run func(context.Context, *work, S) error) operation {
	for _, p := range ps {
		o.parameters = append(o.parameters, p.Parameter)
	}
	o.bind = func(set map[string]float64) (func(context.Context, *work) error, error) {
		var s S
		left := maps.Clone(set)
		for _, p := range ps {
			v, ok := set[p.Name]
			if !ok {
				return nil, fmt.Errorf("%s is not stated", p.Name)
			}
			if !(v >= p.Least && v <= p.Most) { // also NaN
				return nil, fmt.Errorf("%s is %g %s; it must be from %g to %g", p.Name, v, p.Unit, p.Least, p.Most)
			}
			*p.at(&s) = v
			delete(left, p.Name)
		}
		for _, name := range slices.Sorted(maps.Keys(left)) {
			return nil, fmt.Errorf("there is no parameter %q", name)
		}
		if check != nil {
			if err := check(s); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, w *work) error { return run(ctx, w, s) }, nil
	}
	return o
}

// operations is everything a recipe can ask for.
func operations() []operation {
	return []operation{
		aortaOperation(), cavaOperation(), lungOperation(), spleenOperation(), kidneyOperation(), cartilageOperation(), brainOperation(), wallOperation(), cavityOperation(),
		prepareOperation(), bodyOperation(), boneOperation(),
		liverOperation(), tumourOperation(), vesselOperation(), systemOperation(), fissureOperation(), assumptionOperation(),
	}
}

// Operation describes what a step can do and the numbers it wants.
type Operation struct {
	Name, Doc    string
	Needs, Gives []imaging.Label
	Seeds        []imaging.Label
	Parameters   []Parameter
}

// Operations lists what the steps of a recipe can do.
func Operations() []Operation {
	var out []Operation
	for _, o := range operations() {
		out = append(out, Operation{o.name, o.doc, o.needs, o.gives, o.seeds, o.parameters})
	}
	return out
}

// boundStep is a step ready to run.
type boundStep struct {
	op  operation
	run func(context.Context, *work) error
}

// bind looks up the operations of the steps and checks their numbers and order.
func (r Recipe) bind() ([]boundStep, error) {
	all := operations()
	var out []boundStep
	given := map[imaging.Label]bool{}
	for n, s := range r.Steps {
		i := slices.IndexFunc(all, func(o operation) bool { return o.name == s.Do })
		if i < 0 {
			return nil, fmt.Errorf("segment: recipe %s, step %d: there is no operation %q", r.Name, n+1, s.Do)
		}
		if n == 0 && s.Do != prepareName {
			return nil, fmt.Errorf("segment: recipe %s: the first step must be %q", r.Name, prepareName)
		}
		o := all[i]
		for _, l := range o.needs {
			if !given[l] {
				return nil, fmt.Errorf("segment: recipe %s, step %d (%s): it needs %v, which no earlier step gives", r.Name, n+1, s.Do, l)
			}
		}
		run, err := o.bind(s.Set)
		if err != nil {
			return nil, fmt.Errorf("segment: recipe %s, step %d (%s): %w", r.Name, n+1, s.Do, err)
		}
		for _, l := range o.gives {
			given[l] = true
		}
		out = append(out, boundStep{o, run})
	}
	return out, nil
}
