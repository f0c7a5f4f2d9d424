package fem

import (
	"fmt"
	"math"
	"reflect"

	"halsted/imaging"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"
)

// largestValue bounds what counts as a finite number: sums of squares and
// products of what a model holds must not overflow.
const largestValue = 1e100

func finite(v ...float64) bool {
	for _, x := range v {
		if !(math.Abs(x) <= largestValue) {
			return false
		}
	}
	return true
}

// maxCoordinateMM bounds coordinates: their products must not overflow.
const maxCoordinateMM = 1e12

// absent says that v is nil, or a nil pointer: no law.
func absent(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

func finiteVec(v r3.Vec) bool { return finite(v.X, v.Y, v.Z) }

// check refuses what can be seen wrong in the model before geometry is touched.
func (m *Model) check() error {
	if m == nil || m.Mesh == nil || len(m.Mesh.Nodes) == 0 || len(m.Mesh.Tets) == 0 && !m.beside() {
		return badInput("Mesh", "has no elements; make a mesh first")
	}
	me := m.Mesh
	if me.Mid != nil && len(me.Mid) != len(me.Tets) {
		return badInput("Mesh.Mid", "has %d entries for %d elements; all elements are Tet10 or none is", len(me.Mid), len(me.Tets))
	}
	if len(me.Region) != len(me.Tets) {
		return badInput("Mesh.Region", "has %d entries for %d elements; give each element its structure", len(me.Region), len(me.Tets))
	}
	for i, x := range me.Nodes {
		if !finiteVec(x) {
			return badInput("Mesh.Nodes", "node %d is at %v; every coordinate must be a finite number of mm", i, x)
		}
		if max(math.Abs(x.X), math.Abs(x.Y), math.Abs(x.Z)) > maxCoordinateMM {
			return badInput("Mesh.Nodes", "node %d is at %v mm, more than %g km from the origin; check the unit, or move the mesh to the origin", i, x, maxCoordinateMM/1e6)
		}
	}
	n := int32(len(me.Nodes))
	for e, t := range me.Tets {
		for _, v := range t {
			if v < 0 || v >= n {
				return badInput("Mesh.Tets", "element %d names node %d, the mesh has %d", e, v, n)
			}
		}
	}
	for e, t := range me.Mid {
		for _, v := range t {
			if v < 0 || v >= n {
				return badInput("Mesh.Mid", "element %d names node %d, the mesh has %d", e, v, n)
			}
		}
	}
	laws := map[imaging.Label]bool{}
	for i, r := range m.Regions {
		switch {
		case absent(r.Law):
			return badInput("Regions", "region %d (label %v) has no material law", i, r.Label)
		case laws[r.Label]:
			return badInput("Regions", "label %v is given twice", r.Label)
		case !(r.Law.ShearMPa() > 0) || !(r.Law.BulkMPa() > 0) || !finite(r.Law.ShearMPa(), r.Law.BulkMPa()):
			return badInput("Regions", "label %v has moduli μ = %g, κ = %g MPa; both must be positive and finite (Poisson's ratio below 0.5)", r.Label, r.Law.ShearMPa(), r.Law.BulkMPa())
		case !(r.DensityTPerMM3 >= 0) || !finite(r.DensityTPerMM3):
			return badInput("Regions", "label %v has density %g t/mm³; must not be negative (water: 1e-9)", r.Label, r.DensityTPerMM3)
		case !(r.ActiveMPa >= 0) || !finite(r.ActiveMPa):
			return badInput("Regions", "label %v has active tension %g MPa; must not be negative", r.Label, r.ActiveMPa)
		}
		laws[r.Label] = true
	}
	for e, r := range me.Region {
		if !laws[r] {
			return badInput("Regions", "element %d belongs to label %v, which has no material; add a Region for it", e, r)
		}
	}
	if err := checkPrescribed("Prescribed", m.Prescribed, n); err != nil {
		return err
	}
	if !finiteVec(m.GravityChange) {
		return badInput("GravityChange", "is %v mm/s²; must be finite", m.GravityChange)
	}
	if err := m.checkTerms(); err != nil {
		return err
	}
	if err := m.checkContacts(); err != nil {
		return err
	}
	if err := m.checkTies(); err != nil {
		return err
	}
	if err := m.checkStages(laws); err != nil {
		return err
	}
	return m.checkHistory()
}

func checkPrescribed(field string, list []Prescribed, nodes int32) error {
	given := make(map[int]float64, len(list)) // only looked up
	for i, p := range list {
		switch {
		case p.Node < 0 || p.Node >= nodes:
			return badInput(field, "entry %d names node %d, the mesh has %d", i, p.Node, nodes)
		case p.Axis < 0 || p.Axis > 2:
			return badInput(field, "entry %d has axis %d; 0, 1 or 2", i, p.Axis)
		case !finite(p.ValueMM):
			return badInput(field, "entry %d (node %d) moves by %v mm; must be finite", i, p.Node, p.ValueMM)
		}
		d := 3*int(p.Node) + int(p.Axis)
		if old, ok := given[d]; ok && old != p.ValueMM {
			return badInput(field, "entry %d: node %d, axis %d is prescribed %g mm and %g mm; keep one", i, p.Node, p.Axis, old, p.ValueMM)
		}
		given[d] = p.ValueMM
	}
	return nil
}

// checkStages refuses stages that name what is not there.
func (m *Model) checkStages(laws map[imaging.Label]bool) error {
	n := int32(len(m.Mesh.Nodes))
	for i := range m.Stages {
		st := &m.Stages[i]
		field := fmt.Sprintf("Stages[%d]", i)
		if !(st.DurationS >= 0) || !finite(st.DurationS) || st.Steps < 0 {
			return badInput(field, "lasts %g s in %d steps; neither may be negative", st.DurationS, st.Steps)
		}
		if st.Steps > maxStageSteps {
			return badInput(field+".Steps", "is %d; at most %d: make several stages of it", st.Steps, maxStageSteps)
		}
		if err := checkPrescribed(field+".Prescribed", st.Prescribed, n); err != nil {
			return err
		}
		for k, r := range st.Release {
			if r.Node < 0 || r.Node >= n || r.Axis < 0 || r.Axis > 2 {
				return badInput(field+".Release", "entry %d names node %d, axis %d; the mesh has %d nodes and axes 0 to 2", k, r.Node, r.Axis, n)
			}
		}
		for _, list := range [][]imaging.Label{st.Remove, st.Add} {
			for _, l := range list {
				if !laws[l] {
					return badInput(field, "removes or adds label %v, which has no region", l)
				}
			}
		}
		if st.Loads != nil && !finiteVec(st.Loads.GravityChange) {
			return badInput(field+".Loads", "gravity change is %v mm/s²; must be finite", st.Loads.GravityChange)
		}
		if a := st.Activation; a != nil && !(*a >= 0 && *a <= 1) {
			return badInput(field+".Activation", "is %v; 0 to 1", *a)
		}
	}
	return nil
}

// withDefaults fills in zero settings and refuses nonsense.
func (s Settings) withDefaults() (Settings, error) {
	for _, f := range []struct {
		name string
		v    *int
		def  int
		most int
	}{{"Steps", &s.Steps, 5, maxStageSteps}, {"MaxNewton", &s.MaxNewton, 25, maxIterations}, {"MaxCutbacks", &s.MaxCutbacks, 6, maxCutbacks}} {
		if *f.v < 0 || *f.v > f.most {
			return s, badInput("Settings."+f.name, "is %d; must be 0 (the default, %d) to %d", *f.v, f.def, f.most)
		}
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	if s.ResidualTol == 0 {
		s.ResidualTol = 1e-6
	}
	if !(s.ResidualTol > 0 && s.ResidualTol < 0.1) {
		return s, badInput("Settings.ResidualTol", "is %g; must be above 0 and below 0.1", s.ResidualTol)
	}
	if err := s.ArcLength.check(); err != nil {
		return s, err
	}
	if s.MemoryLimit < 0 {
		return s, badInput("Settings.MemoryLimit", "is %d bytes; must not be negative", s.MemoryLimit)
	}
	if s.Formulation > MeanDilatation {
		return s, badInput("Settings.Formulation", "is %d, which is not known", s.Formulation)
	}
	return s, nil
}

// gramTol bounds the eigenvalues of the constraints' Gram matrix, relative to
// the largest, that count as zero: a held patch of relative width s gives s²,
// so patches down to 1e-4 of the part's size hold it.
const gramTol = 1e-10

var rigidNames = [6]string{
	"translation along x", "translation along y", "translation along z",
	"rotation about x", "rotation about y", "rotation about z",
}

// checkHeld finds connected parts that keep a rigid motion: for every part the
// six rigid motions are evaluated at its fixed degrees of freedom and along the
// supports of the terms, and their Gram matrix must be regular.
func (s *system) checkHeld() error {
	part, count := s.parts()
	type body struct {
		sum      r3.Vec
		nodes    int
		elements int
		element  int32
		radius   float64
		gram     [6][6]float64
	}
	bodies := make([]body, count)
	for v, p := range part {
		if p >= 0 {
			bodies[p].sum = r3.Add(bodies[p].sum, s.x[v])
			bodies[p].nodes++
		}
	}
	for e := s.elems - 1; e >= 0; e-- {
		if s.alive != nil && !s.alive[e] {
			continue
		}
		b := &bodies[part[s.conn[e*s.k]]]
		b.elements++
		b.element = int32(e)
	}
	for p := range bodies {
		bodies[p].sum = r3.Scale(1/float64(bodies[p].nodes), bodies[p].sum)
	}
	for v, p := range part {
		if p >= 0 {
			bodies[p].radius = max(bodies[p].radius, r3.Norm(r3.Sub(s.x[v], bodies[p].sum)))
		}
	}
	hold := func(v int32, dir r3.Vec) {
		if part[v] < 0 {
			return
		}
		b := &bodies[part[v]]
		var d r3.Vec // a single node does not turn
		if b.radius > 0 {
			d = r3.Scale(1/b.radius, r3.Sub(s.x[v], b.sum))
		}
		m := r3.Cross(d, dir) // motion along dir per rigid mode: dir and (e_r × d)·dir
		row := [6]float64{dir.X, dir.Y, dir.Z, m.X, m.Y, m.Z}
		for a := range 6 {
			for c := range 6 {
				b.gram[a][c] += row[a] * row[c]
			}
		}
	}
	for v := range part {
		for i, axis := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
			if s.fixed[3*v+i] {
				hold(int32(v), axis)
			}
		}
	}
	for _, t := range s.terms {
		t.supports(hold)
	}
	for p := range bodies {
		b := &bodies[p]
		if b.elements == 0 {
			s.standing(part, int32(p), b.sum, b.radius, &b.gram)
		}
		if modes := freeModes(&b.gram); len(modes) > 0 {
			return &UnconstrainedError{Elements: b.elements, Element: b.element, AtMM: b.sum, Modes: modes}
		}
	}
	return nil
}

// freeModes names a set of rigid motions that span the null space of g.
func freeModes(g *[6][6]float64) []string {
	sym := mat.NewSymDense(6, nil)
	for a := range 6 {
		for c := a; c < 6; c++ {
			sym.SetSym(a, c, g[a][c])
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		return rigidNames[:]
	}
	values := eig.Values(nil)
	var vec mat.Dense
	eig.VectorsTo(&vec)
	free := 0
	for free < 6 && values[free] <= gramTol*max(values[5], 1e-300) {
		free++
	}
	// Greedy choice of the names: the motion with most weight in the null
	// space, taken out of it, and so on.
	null := make([][]float64, 6)
	for a := range null {
		null[a] = make([]float64, free)
		for c := range free {
			null[a][c] = vec.At(a, c)
		}
	}
	var names []string
	for range free {
		best, size := 0, -1.0
		for a, r := range null {
			if w := dotSmall(r, r); w > size*(1+1e-9) {
				best, size = a, w
			}
		}
		names = append(names, rigidNames[best])
		pivot := append([]float64(nil), null[best]...)
		for _, r := range null {
			s := dotSmall(r, pivot) / size
			for c := range r {
				r[c] -= s * pivot[c]
			}
		}
	}
	return names
}

func dotSmall(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// parts numbers the connected parts of the mesh, joined by elements and by the
// couplings of the terms; nodes with neither get −1.
func (s *system) parts() (part []int32, count int) {
	root := make([]int32, s.n)
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	used := make([]bool, s.n)
	join := func(c ...int32) {
		a := find(c[0])
		for _, v := range c {
			used[v] = true
			if b := find(v); b != a {
				lo, hi := min(a, b), max(a, b)
				root[hi], a = lo, lo
			}
		}
	}
	for e := range s.elems {
		if s.alive == nil || s.alive[e] {
			join(s.conn[e*s.k : (e+1)*s.k]...)
		}
	}
	for _, t := range s.terms {
		t.couple(func(nodes ...int32) {
			if len(nodes) > 0 {
				join(nodes...)
			}
		})
	}
	part = make([]int32, s.n)
	id := make(map[int32]int32) // only looked up
	for i := range part {
		part[i] = -1
		if used[i] {
			r := find(int32(i))
			p, ok := id[r]
			if !ok {
				p = int32(count)
				id[r] = p
				count++
			}
			part[i] = p
		}
	}
	return part, count
}
