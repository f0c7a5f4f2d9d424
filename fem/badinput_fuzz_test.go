package fem

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// draw makes models of bytes; past their end it gives zeros.
type draw struct{ b []byte }

func (d *draw) next() int {
	if len(d.b) == 0 {
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return int(v)
}

// below is 0 to n−1.
func (d *draw) below(n int) int { return d.next() % n }

// rare is true for one byte in sixteen.
func (d *draw) rare() bool { return d.next()%16 == 15 }

var hostile = [...]float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, math.Copysign(0, -1), 1e300, -1e300, 5e-324, 1e-300, 1e150, 1e-150, 1e20, -1e20, 1e-20, 0.5}

// value is about scale, and now and then something that no one means.
func (d *draw) value(scale float64) float64 {
	if d.rare() {
		return hostile[d.below(len(hostile))]
	}
	return scale * float64(1+d.next()) / 128
}

func (d *draw) signed(scale float64) float64 {
	if v := d.value(scale); d.next()&1 == 0 {
		return v
	} else {
		return -v
	}
}

func (d *draw) vec(scale float64) r3.Vec {
	return r3.Vec{X: d.signed(scale), Y: d.signed(scale), Z: d.signed(scale)}
}

func (d *draw) law() material.Law {
	e, nu := d.value(1e-3), []float64{0.3, 0.45, 0.49, 0.4999, 0.1, 0, -0.9, 0.5}[d.below(8)]
	var law material.Law
	var err error
	switch d.below(8) {
	case 0, 1, 2:
		law, err = material.NewNeoHookean(e, nu)
	case 3:
		law, err = material.NewLinear(e, nu)
	case 4:
		law, err = material.NewCompressibleNeoHookean(e, nu)
	case 5:
		law, err = material.NewBilinear(e, d.value(1e-2), d.value(0.2), nu)
	case 6:
		law, err = material.NewElasticPlastic(e, nu, d.value(1e-4), d.value(1e-4))
	case 7:
		law, err = material.NewHolzapfelGasserOgden(e, d.value(1e-3), d.value(1), nu, d.vec(1), d.vec(1))
	}
	if err != nil {
		if d.rare() {
			return material.NeoHookean{}
		}
		return must(material.NewNeoHookean(1e-3, 0.45))
	}
	return law
}

// node is one of the mesh, or now and then not.
func (d *draw) node(m *mesh.TetMesh) int32 {
	if d.rare() {
		return int32(d.next()) - 3
	}
	return int32(d.below(len(m.Nodes)))
}

// face is one of an element, mostly on the surface.
func (d *draw) face(m *mesh.TetMesh) [3]int32 {
	if d.rare() {
		return [3]int32{d.node(m), d.node(m), d.node(m)}
	}
	f := [3]int32{}
	for range 8 { // try for one on the surface
		t, l := m.Tets[d.below(len(m.Tets))], mesh.TetFaces[d.below(4)]
		f = [3]int32{t[l[0]], t[l[1]], t[l[2]]}
		count := 0
		for _, o := range m.Tets {
			if slices.Contains(o[:], f[0]) && slices.Contains(o[:], f[1]) && slices.Contains(o[:], f[2]) {
				count++
			}
		}
		if count == 1 {
			break
		}
	}
	return f
}

func (d *draw) loads(m *mesh.TetMesh) (c LoadCase) {
	for range d.below(3) {
		c.Faces = append(c.Faces, FaceLoad{Face: d.face(m), TractionMPa: d.vec(1e-5), PressureMPa: d.signed(1e-4), Follows: d.next()&1 == 0})
	}
	for range d.below(3) {
		c.Forces = append(c.Forces, NodalForce{Node: d.node(m), ForceN: d.vec(1e-3)})
	}
	if d.below(4) == 0 {
		c.GravityChange = d.vec(9810)
	}
	return c
}

func (d *draw) stage(m *mesh.TetMesh) Stage {
	names := [...]string{"a", "b", "c", "d", "nobody"}
	labels := [...]imaging.Label{liver, 2, 3}
	st := Stage{Steps: d.below(3)}
	if d.below(3) == 0 {
		st.DurationS = d.value(1)
	}
	for range d.below(3) {
		st.Prescribed = append(st.Prescribed, Prescribed{d.node(m), int8(d.below(3)), d.signed(1)})
	}
	if d.below(8) == 0 {
		st.Release = append(st.Release, Hold{d.node(m), int8(d.below(3))})
	}
	switch d.below(8) {
	case 0:
		st.Remove = []imaging.Label{labels[d.below(3)]}
	case 1:
		st.Add = []imaging.Label{labels[d.below(3)]}
	case 2:
		st.Attach = []string{names[d.below(5)]}
	case 3:
		st.Detach = []string{names[d.below(5)]}
	case 4:
		v := d.value(0.3)
		st.Activation = &v
	case 5:
		st.Sudden = true
	}
	if d.below(3) == 0 {
		l := d.loads(m)
		st.Loads = &l
	}
	return st
}

// model builds a model of at most 24 tetrahedra and its settings.
func (d *draw) model() (*Model, Settings) {
	size := []float64{10, 10, 10, 1e-6, 1e5}[d.below(5)]
	me := brickMesh(1+d.below(2), 1+d.below(2), 1, size, size, size)
	if d.below(3) > 0 {
		for v := range me.Nodes {
			me.Nodes[v] = r3.Add(me.Nodes[v], d.vec(0.05*size))
		}
	}
	for e := range me.Tets {
		if d.next()%4 == 0 {
			me.Region[e] = 2
		}
		if twice := d.rare(); twice && d.rare() {
			me.Tets[e] = [4]int32{d.node(me), d.node(me), d.node(me), d.node(me)}
		}
	}
	sound := true
	for _, t := range me.Tets {
		for _, v := range t {
			sound = sound && v >= 0 && int(v) < len(me.Nodes)
		}
	}
	if sound && d.next()&1 == 0 {
		me = me.Quadratic()
	}
	m := &Model{Mesh: me, Regions: []Region{{Label: liver, Law: d.law(), DensityTPerMM3: d.value(1e-9)}, {Label: 2, Law: d.law(), DensityTPerMM3: d.value(1e-9)}}}
	if d.below(4) == 0 {
		m.Regions[0].ActiveMPa = d.value(1e-4)
	}
	for v := range me.Nodes {
		if v%4 == 0 || d.below(8) == 0 {
			for axis := range int8(3) {
				if !d.rare() {
					m.Prescribed = append(m.Prescribed, Prescribed{Node: int32(v), Axis: axis})
				}
			}
		}
	}
	if d.below(3) == 0 {
		m.Prescribed = append(m.Prescribed, Prescribed{d.node(me), int8(d.below(3)), d.signed(0.2 * size)})
	}
	l := d.loads(me)
	m.Loads, m.Forces, m.GravityChange = l.Faces, l.Forces, l.GravityChange
	if d.below(4) == 0 {
		m.Springs = []Spring{{Name: "a", Nodes: [2]int32{d.node(me), d.node(me)}, StiffnessNPerMM: d.value(1e-2), RestMM: d.value(size), TensionOnly: d.next()&1 == 0}}
	}
	if d.below(4) == 0 {
		m.Trusses = []Truss{{Name: "b", Nodes: [2]int32{d.node(me), d.node(me)}, AreaMM2: d.value(1), EMPa: d.value(1e-2), Strain: TrussStrain(d.below(3))}}
	}
	if d.below(4) == 0 {
		if law, err := material.NewNeoHookeanMembrane(d.value(1e-2), d.value(0.1)); err == nil {
			m.Membranes = []Membrane{{Name: "c", Faces: [][3]int32{d.face(me)}, Law: law, Prestretch: d.value(1), Axis: d.vec(1)}}
		}
	}
	if d.below(4) == 0 {
		m.Foundations = []Foundation{{Name: "d", Faces: [][3]int32{d.face(me)}, NormalMPaPerMM: d.value(1e-4), TangentMPaPerMM: d.value(1e-5)}}
	}
	if d.below(4) == 0 {
		shapes := [...]Shape{Plane{AtMM: d.vec(size), Normal: d.vec(1)}, Sphere{CentreMM: d.vec(2 * size), RadiusMM: d.value(size)}, Cylinder{AtMM: d.vec(2 * size), Axis: d.vec(1), RadiusMM: d.value(size)}}
		m.Contacts = []Contact{{Faces: [][3]int32{d.face(me)}, Obstacle: &Obstacle{Shape: shapes[d.below(3)]}, Friction: float64(d.below(2)) * d.value(0.3), Penalty: float64(d.below(2)) * d.value(10), GapToleranceMM: float64(d.below(2)) * d.value(0.01)}}
	}
	if d.below(6) == 0 {
		m.Ties = []Tie{{Faces: [][3]int32{d.face(me)}, Against: [][3]int32{d.face(me)}, SearchMM: d.value(size)}}
	}
	if d.below(6) == 0 {
		m.Dynamic = &Dynamic{Method: DynamicMethod(d.below(3)), SpectralRadius: d.value(0.5), RayleighMassPerS: d.value(1), RayleighStiffnessS: d.value(0.01)}
	}
	if d.below(6) == 0 {
		for range me.Tets {
			m.Stiffness = append(m.Stiffness, d.value(1))
		}
	}
	if d.below(6) == 0 {
		for range me.Tets {
			m.Natural = append(m.Natural, material.Mat3{{X: d.value(1)}, {Y: d.value(1)}, {Z: d.value(1)}})
		}
	}
	for range d.below(4) {
		m.Stages = append(m.Stages, d.stage(me))
	}
	s := Settings{Steps: 1 + d.below(2), MaxNewton: 15, MaxCutbacks: 1 + d.below(2), Formulation: Formulation(d.below(2)), Checkpoint: true}
	if d.below(6) == 0 {
		s.ArcLength = &ArcLength{MaxSteps: 6, MaxMM: d.value(size), StepMM: d.value(size)}
	}
	if d.below(6) == 0 {
		for range me.Nodes {
			s.Guess = append(s.Guess, d.vec(0.01*size))
		}
	}
	return m, s
}

// solveAnything solves the model of data: a result or a typed error, no panic,
// no frame with a number that is none, and an end.
func solveAnything(t *testing.T, data []byte) (kind string) {
	m, s := (&draw{data}).model()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := Solve(ctx, m, s, func(f *Frame) error {
		if err := f.finite(); err != nil {
			t.Errorf("a frame came out: %v", err)
		}
		for v := range f.Stress {
			if !finite(f.Stress[v][:]...) || !finite(f.ErrorMPa[v], f.ErrorRel) {
				t.Fatalf("frame %d: node %d has stress %v, error %g", f.Step, v, f.Stress[v], f.ErrorMPa[v])
			}
		}
		for _, c := range f.Contacts {
			if !finiteVec(c.ForceN) || !finite(c.AreaMM2, c.Slipping) {
				t.Fatalf("frame %d: contact %+v", f.Step, c)
			}
		}
		return nil
	})
	switch {
	case err == nil:
		return "solved"
	case isType[*InputError](err):
		return "input"
	case isType[*InvertedError](err):
		return "inverted"
	case isType[*UnconstrainedError](err):
		return "loose"
	case isType[*NotConvergedError](err):
		return "not converged"
	case isType[*ContactError](err):
		return "overlap"
	case isType[*NotFiniteError](err):
		return "not finite"
	case errors.Is(err, context.DeadlineExceeded):
		t.Errorf("no end: %+v", s)
	default:
		t.Errorf("an error without a type: %v", err)
	}
	return "bad"
}

func FuzzSolve(f *testing.F) {
	for i := range uint64(8) {
		f.Add(randomBytes(i))
	}
	f.Fuzz(func(t *testing.T, data []byte) { solveAnything(t, data) })
}

func randomBytes(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 9))
	b := make([]byte, 400)
	for i := range b {
		b[i] = byte(rng.Uint32())
		if rng.IntN(12) > 0 && b[i]%16 == 15 { // fewer hostile values: more gets to the solve
			b[i]--
		}
	}
	return b
}

// Random models, sound and not: see solveAnything.
func TestRandomModelsEndWell(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(fuzzSeeds) {
		ok := t.Run("", func(t *testing.T) { count[solveAnything(t, randomBytes(seed))]++ })
		if !ok {
			t.Errorf("seed %d", seed)
		}
	}
	t.Log(count)
	for _, kind := range []string{"solved", "input", "loose", "not converged"} {
		if count[kind] == 0 {
			t.Errorf("no model of %d ended as %q", fuzzSeeds, kind)
		}
	}
}

const fuzzSeeds = 600
