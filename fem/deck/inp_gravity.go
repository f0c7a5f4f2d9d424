package deck

import (
	"fmt"
	"slices"

	"halsted/fem"
	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// inpGravity is what the GRAV lines of one set give.
type inpGravity struct {
	entry *inpEntry
	step  int // that set it last
	g     r3.Vec
	elems []int32
}

// gravity takes a GRAV line: acceleration and direction. Lines on one set add
// up within a step; a later step replaces them, if the direction is the same.
func (b *inpBuild) gravity(step int, e *inpEntry) error {
	n := r3.Vec{X: e.vector[0], Y: e.vector[1], Z: e.vector[2]}
	if !(r3.Norm(n) > 0) {
		return e.place().bad("write set, GRAV, acceleration, direction", "gravity without a direction")
	}
	key := fmt.Sprintf("%s %d", upper(e.set), e.number)
	g := r3.Scale(e.value*b.u.LengthMM/r3.Norm(n), n)
	if old, ok := b.body[key]; ok {
		switch {
		case old.step == step:
			g = r3.Add(g, old.g)
		case r3.Norm(r3.Cross(g, old.g)) > 1e-12*r3.Norm(g)*r3.Norm(old.g):
			return e.place().bad("write OP=NEW and all loads that stay", "gravity in another direction than in the step before")
		}
	}
	list, err := b.elementsOf(e)
	if err != nil {
		return err
	}
	b.body[key] = inpGravity{e, step, g, list}
	return b.spend(e, len(list))
}

// gravityChange is the acceleration that all elements with a density see; the
// solver has one for the whole model.
func (b *inpBuild) gravityChange() (g r3.Vec, err error) {
	if len(b.body) == 0 {
		return g, nil
	}
	each := make([]r3.Vec, len(b.kind))
	var last *inpEntry
	for _, k := range sortedKeys(b.body) {
		q := b.body[k]
		if last = q.entry; len(each)+len(q.elems) > maxWork-b.work {
			return g, b.spend(last, maxWork)
		}
		b.work += len(q.elems)
		for _, e := range q.elems {
			each[e] = r3.Add(each[e], q.g)
		}
	}
	has := map[imaging.Label]bool{}
	for _, r := range b.m.Regions {
		has[r.Label] = r.DensityTPerMM3 > 0
	}
	thin := slices.ContainsFunc(b.m.Trusses, func(t fem.Truss) bool { return t.DensityTPerMM3 > 0 }) ||
		slices.ContainsFunc(b.m.Membranes, func(m fem.Membrane) bool { return m.DensityTPerMM3 > 0 })
	first := true
	for e, a := range each {
		heavy := thin && b.kind[e] != kindSkin
		if t := b.tet(int32(e)); t >= 0 {
			heavy = has[b.mesh.Region[t]]
		}
		switch {
		case !heavy:
		case first:
			first, g = false, a
		case a != g:
			return g, last.place().bad("put the same gravity on all elements, or give the others no density", "element %d sees another gravity than the elements before it", b.elem.tags[e])
		}
	}
	if first {
		return g, last.place().bad("add *DENSITY to the material", "gravity acts on no element with a density")
	}
	return g, nil
}
