package fem

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// split is block with the upper half as a region of its own, and a load, a
// force, a spring, a truss, a membrane and a foundation on it.
func split() *Model {
	m := block(true)
	for e, t := range m.Mesh.Tets {
		if m.Mesh.Nodes[t[0]].Z+m.Mesh.Nodes[t[1]].Z+m.Mesh.Nodes[t[2]].Z+m.Mesh.Nodes[t[3]].Z > 40 {
			m.Mesh.Region[e] = upperHalf
		}
	}
	m.Regions = append(m.Regions, Region{Label: upperHalf, Law: must(material.NewNeoHookean(2e-3, 0.4)), DensityTPerMM3: 1e-9})
	top := facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 })
	side := facesOf(m.Mesh, func(p r3.Vec) bool { return p.X == 20 })
	m.Loads = []FaceLoad{{Face: top[0], PressureMPa: 1e-5}}
	m.Forces = []NodalForce{{Node: 26, ForceN: r3.Vec{X: 1e-3}}}
	m.Springs = []Spring{{Name: "suture", Nodes: [2]int32{26, -1}, AnchorMM: r3.Vec{X: 40, Y: 20, Z: 20}, StiffnessNPerMM: 1e-3}}
	m.Trusses = []Truss{{Name: "bar", Nodes: [2]int32{26, 25}, AreaMM2: 1, EMPa: 1e-3}}
	m.Membranes = []Membrane{{Name: "capsule", Faces: side, Law: must(material.NewNeoHookeanMembrane(1e-2, 0.1))}}
	m.Foundations = []Foundation{{Name: "bed", Faces: side, NormalMPaPerMM: 1e-5}}
	return m
}

const upperHalf = imaging.Label(2)

// twoBodies is two blocks that do not touch; the second is held at its top and
// presses on the first.
func twoBodies() *Model {
	m := block(false)
	n := int32(len(m.Mesh.Nodes))
	for _, p := range m.Mesh.Nodes[:n] {
		m.Mesh.Nodes = append(m.Mesh.Nodes, r3.Add(p, r3.Vec{Z: 20}))
	}
	for _, v := range m.Mesh.Tets {
		m.Mesh.Tets = append(m.Mesh.Tets, [4]int32{v[0] + n, v[1] + n, v[2] + n, v[3] + n})
		m.Mesh.Region = append(m.Mesh.Region, liver)
	}
	for v, p := range m.Mesh.Nodes {
		for axis := range int8(3) {
			if p.Z == 40 {
				m.Prescribed = append(m.Prescribed, Prescribed{int32(v), axis, 0})
			}
		}
	}
	var own, other [][3]int32
	for _, f := range facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 }) {
		if f[0] < n {
			own = append(own, f)
		} else {
			other = append(other, f)
		}
	}
	m.Contacts = []Contact{{Name: "touch", Faces: own, Against: other}}
	return m
}

// bare is a law without any constants.
type bare struct{ material.NeoHookean }

func (bare) ShearMPa() float64 { return math.NaN() }

// refused runs Solve, which must say no before the first frame with an error
// about field in one sentence that has the words.
func refused(t *testing.T, name string, m *Model, s Settings, field, words string) {
	t.Helper()
	called := false
	_, err := Solve(context.Background(), m, s, func(*Frame) error { called = true; return nil })
	e, ok := errors.AsType[*InputError](err)
	switch {
	case !ok || called:
		t.Errorf("%s: got %v (frame: %v), want an InputError before any frame", name, err, called)
	case e.Field != field || !strings.Contains(err.Error(), words):
		t.Errorf("%s: got %v\nwant %s … %s", name, err, field, words)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: more than a sentence: %v", name, err)
	}
}

func TestBadFieldsAreRefusedBeforeTheSolve(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	last := func(m *Model) *Stage { return &m.Stages[len(m.Stages)-1] }
	for _, c := range []struct {
		name  string
		spoil func(*Model)
		field string
		words string
	}{
		{"coordinate 1e15 mm", func(m *Model) { m.Mesh.Nodes[0].X = 1e15 }, "Mesh.Nodes", "check the unit"},
		{"coordinate Inf", func(m *Model) { m.Mesh.Nodes[0].X = inf }, "Mesh.Nodes", "finite"},
		{"mids for some elements", func(m *Model) { m.Mesh.Mid = m.Mesh.Mid[1:] }, "Mesh.Mid", "Tet10"},
		{"law is a nil pointer", func(m *Model) { m.Regions[0].Law = (*material.NeoHookean)(nil) }, "Regions", "no material law"},
		{"law with NaN moduli", func(m *Model) { m.Regions[0].Law = bare{} }, "Regions", "both must be positive"},
		{"law without constants", func(m *Model) { m.Regions[0].Law = material.NeoHookean{} }, "Regions", "both must be positive"},
		{"density NaN", func(m *Model) { m.Regions[1].DensityTPerMM3 = nan }, "Regions", "density"},
		{"tension NaN", func(m *Model) { m.Regions[1].ActiveMPa = nan }, "Regions", "active tension"},
		{"tension negative", func(m *Model) { m.Regions[1].ActiveMPa = -1 }, "Regions", "active tension"},
		{"force on no node", func(m *Model) { m.Forces[0].Node = 9999 }, "Forces", "name a node"},
		{"force NaN", func(m *Model) { m.Forces[0].ForceN.Y = nan }, "Forces", "finite force"},
		{"force on a loose node", func(m *Model) {
			m.Mesh.Nodes = append(m.Mesh.Nodes, r3.Vec{})
			m.Forces[0].Node = int32(len(m.Mesh.Nodes) - 1)
		}, "Forces", "belongs to no element"},
		{"pressure NaN", func(m *Model) { m.Loads[0].PressureMPa = nan }, "Loads", "finite"},
		{"pressure inside", func(m *Model) {
			m.Loads[0].Face = facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 10 })[0]
		}, "Loads", "lies between two elements"},
		{"gravity Inf", func(m *Model) { m.GravityChange.Z = -inf }, "GravityChange", "finite"},
		{"natural of a wrong length", func(m *Model) { m.Natural = make([]material.Mat3, 3) }, "Natural", "has 3 entries"},
		{"natural of zeros", func(m *Model) { m.Natural = make([]material.Mat3, len(m.Mesh.Tets)) }, "Natural", "det G = 0"},
		{"natural too large", func(m *Model) {
			for range m.Mesh.Tets {
				m.Natural = append(m.Natural, material.Mat3{{X: 1e200}, {Y: 1e200}, {Z: 1e200}})
			}
		}, "Natural", "det G"},
		{"stiffness of a wrong length", func(m *Model) { m.Stiffness = []float64{1} }, "Stiffness", "1 entries"},
		{"stiffness zero", func(m *Model) { m.Stiffness = make([]float64, len(m.Mesh.Tets)) }, "Stiffness", "must be positive"},

		{"spring NaN", func(m *Model) { m.Springs[0].StiffnessNPerMM = nan }, "Springs", "must be positive"},
		{"spring negative", func(m *Model) { m.Springs[0].StiffnessNPerMM = -1 }, "Springs", "must be positive"},
		{"spring on itself", func(m *Model) { m.Springs[0].Nodes = [2]int32{3, 3} }, "Springs", "name two nodes"},
		{"spring without an anchor", func(m *Model) { m.Springs[0].AnchorMM.X = nan }, "Springs", "finite"},
		{"spring of negative length", func(m *Model) { m.Springs[0].RestMM = -1 }, "Springs", "rest length"},
		{"spring curve falls", func(m *Model) {
			m.Springs[0].StiffnessNPerMM = 0
			m.Springs[0].Curve = []SpringPoint{{0, 0}, {1, -1}}
		}, "Springs", "force must not fall"},
		{"truss without area", func(m *Model) { m.Trusses[0].AreaMM2 = 0 }, "Trusses", "positive"},
		{"truss nowhere", func(m *Model) { m.Trusses[0].Nodes[1] = -1 }, "Trusses", "name two nodes"},
		{"truss strain", func(m *Model) { m.Trusses[0].Strain = 7 }, "Trusses", "not known"},
		{"truss density", func(m *Model) { m.Trusses[0].DensityTPerMM3 = inf }, "Trusses", "density"},
		{"membrane without law", func(m *Model) { m.Membranes[0].Law = nil }, "Membranes", "no law"},
		{"membrane without faces", func(m *Model) { m.Membranes[0].Faces = nil }, "Membranes", "no faces"},
		{"membrane prestretch", func(m *Model) { m.Membranes[0].Prestretch = -1 }, "Membranes", "prestretch"},
		{"membrane axis", func(m *Model) { m.Membranes[0].Axis.X = nan }, "Membranes", "axis"},
		{"membrane axis upright", func(m *Model) { m.Membranes[0].Axis = r3.Vec{X: 1} }, "Membranes", "upright"},
		{"membrane face nowhere", func(m *Model) { m.Membranes[0].Faces[0][1] = 9999 }, "Membranes", "names node 9999"},
		{"membrane face twice a node", func(m *Model) { m.Membranes[0].Faces[0][1] = m.Membranes[0].Faces[0][0] }, "Membranes", "a node twice"},
		{"bed without stiffness", func(m *Model) { m.Foundations[0].NormalMPaPerMM = 0 }, "Foundations", "nor both 0"},
		{"bed NaN", func(m *Model) { m.Foundations[0].TangentMPaPerMM = nan }, "Foundations", "negative"},
		{"bed on no face", func(m *Model) { m.Foundations[0].Faces = [][3]int32{{0, 1, 26}} }, "Foundations", "take faces"},

		{"dynamics without mass", func(m *Model) { m.Regions[0].DensityTPerMM3, m.Regions[1].DensityTPerMM3, m.Dynamic = 0, 0, &Dynamic{} }, "Dynamic", "nothing has a mass"},
		{"dynamics method", func(m *Model) { m.Dynamic = &Dynamic{Method: 9} }, "Dynamic.Method", "not known"},
		{"dynamics radius", func(m *Model) { m.Dynamic = &Dynamic{SpectralRadius: nan} }, "Dynamic.SpectralRadius", "0 to 1"},
		{"dynamics damping", func(m *Model) { m.Dynamic = &Dynamic{RayleighMassPerS: -1} }, "Dynamic", "negative"},
		{"dynamics velocity", func(m *Model) { m.Dynamic = &Dynamic{VelocityMMPerS: make([]r3.Vec, 2)} }, "Dynamic.VelocityMMPerS", "2 entries"},

		{"stage lasts NaN", func(m *Model) { last(m).DurationS = nan }, "Stages[1]", "negative"},
		{"stage of negative steps", func(m *Model) { last(m).Steps = -1 }, "Stages[1]", "negative"},
		{"stage of too many steps", func(m *Model) { last(m).Steps = 1 << 40 }, "Stages[1].Steps", "several stages"},
		{"stage prescribes twice", func(m *Model) { last(m).Prescribed = []Prescribed{{26, 0, 1}, {26, 0, 2}} }, "Stages[1].Prescribed", "keep one"},
		{"stage prescribes NaN", func(m *Model) { last(m).Prescribed = []Prescribed{{26, 0, nan}} }, "Stages[1].Prescribed", "finite"},
		{"stage releases nothing", func(m *Model) { last(m).Release = []Hold{{26, 0}} }, "Stages[1].Release", "not held"},
		{"stage releases twice", func(m *Model) { last(m).Release = []Hold{{0, 0}, {0, 0}} }, "Stages[1].Release", "not held"},
		{"stage releases an axis 5", func(m *Model) { last(m).Release = []Hold{{0, 5}} }, "Stages[1].Release", "axes 0 to 2"},
		{"stage removes all", func(m *Model) {
			m.Springs, m.Trusses, m.Membranes, m.Foundations, m.Forces = nil, nil, nil, nil, nil
			last(m).Remove = []imaging.Label{liver, upperHalf}
		}, "Stages[1]", "no element"},
		{"stage removes the unknown", func(m *Model) { last(m).Remove = []imaging.Label{77} }, "Stages[1]", "no region"},
		{"stage removes twice", func(m *Model) { last(m).Remove = []imaging.Label{upperHalf, upperHalf} }, "Stages[1].Remove", "not there"},
		{"stage adds what is there", func(m *Model) {
			m.Stages[0].Add = []imaging.Label{upperHalf}
			last(m).Add = []imaging.Label{upperHalf}
		}, "Stages[1].Add", "there already"},
		{"stage adds and removes", func(m *Model) { last(m).Add, last(m).Remove = []imaging.Label{upperHalf}, []imaging.Label{upperHalf} }, "Stages[1]", "two stages"},
		{"stage attaches the unknown", func(m *Model) { last(m).Attach = []string{"rope"} }, "Stages[1]", `"rope"`},
		{"stage detaches the unknown", func(m *Model) { last(m).Detach = []string{"rope"} }, "Stages[1]", `"rope"`},
		{"stage detaches the nameless", func(m *Model) { last(m).Detach = []string{""} }, "Stages[1]", `""`},
		{"stage detaches twice", func(m *Model) { last(m).Detach = []string{"bar", "bar"} }, "Stages[1].Detach", "does not act"},
		{"stage attaches twice", func(m *Model) { last(m).Attach = []string{"bar", "bar"} }, "Stages[1].Attach", "acts already"},
		{"stage attaches and detaches", func(m *Model) { last(m).Attach, last(m).Detach = []string{"bar"}, []string{"bar"} }, "Stages[1]", "two stages"},
		{"stage force nowhere", func(m *Model) { last(m).Loads = &LoadCase{Forces: []NodalForce{{Node: -1}}} }, "Stages[1].Loads.Forces", "name a node"},
		{"stage face nowhere", func(m *Model) { last(m).Loads = &LoadCase{Faces: []FaceLoad{{Face: [3]int32{0, 1, 26}}}} }, "Stages[1].Loads.Faces", "no element has a face"},
		{"stage traction Inf", func(m *Model) {
			last(m).Loads = &LoadCase{Faces: []FaceLoad{{Face: m.Loads[0].Face, TractionMPa: r3.Vec{X: inf}}}}
		}, "Stages[1].Loads.Faces", "finite"},
		{"stage gravity NaN", func(m *Model) { last(m).Loads = &LoadCase{GravityChange: r3.Vec{X: nan}} }, "Stages[1].Loads", "finite"},
		{"stage covers a loaded face", func(m *Model) {
			m.Forces = nil
			m.Loads[0].Face = facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 10 })[0]
			last(m).Add = []imaging.Label{upperHalf}
		}, "Loads", "lies between two elements in stage 1"},
		{"stage activation", func(m *Model) { v := 2.0; last(m).Activation = &v }, "Stages[1].Activation", "0 to 1"},
	} {
		m := split()
		m.Stages = []Stage{{Name: "first", Steps: 1}, {Name: "second", Steps: 1}}
		c.spoil(m)
		refused(t, c.name, m, Settings{Steps: 1}, c.field, c.words)
	}
	// The model itself is sound.
	m := split()
	m.Stages = []Stage{{Steps: 1}, {Steps: 1, Release: []Hold{{0, 0}}, Remove: []imaging.Label{upperHalf}, Detach: []string{"bar", "suture"}}}
	if _, err := Solve(context.Background(), m, Settings{}, func(f *Frame) error { return f.finite() }); err != nil {
		t.Error(err)
	}
}

func TestBadContactsAndTiesAreRefused(t *testing.T) {
	nan := math.NaN()
	box := &mesh.Surface{Verts: []r3.Vec{{}, {X: 1}, {Y: 1}, {Z: 1}}, Tris: [][3]int32{{0, 2, 1}, {0, 1, 3}, {1, 2, 3}},
		Region: []mesh.Sides{{Inside: 5}, {Inside: 5}, {Inside: 5}}}
	onto := func(s Shape) func(*Model) {
		return func(m *Model) { m.Contacts[0].Against, m.Contacts[0].Obstacle = nil, &Obstacle{Shape: s} }
	}
	tie := func(change func(*Tie)) func(*Model) {
		return func(m *Model) {
			m.Ties = []Tie{{Faces: m.Contacts[0].Faces, Against: m.Contacts[0].Against}}
			m.Contacts = nil
			change(&m.Ties[0])
		}
	}
	const c0, t0 = "Contacts[0]", "Ties[0]"
	for _, c := range []struct {
		name  string
		spoil func(*Model)
		field string
		words string
	}{
		{"no faces", func(m *Model) { m.Contacts[0].Faces = nil }, c0, "no faces"},
		{"against nothing", func(m *Model) { m.Contacts[0].Against = nil }, c0, "nothing to touch"},
		{"against itself", func(m *Model) { m.Contacts[0].Against = m.Contacts[0].Faces }, c0, "share node"},
		{"friction NaN", func(m *Model) { m.Contacts[0].Friction = nan }, c0, "friction"},
		{"penalty negative", func(m *Model) { m.Contacts[0].Penalty = -1 }, c0, "penalty"},
		{"tolerance NaN", func(m *Model) { m.Contacts[0].GapToleranceMM = nan }, c0, "gap tolerance"},
		{"a face twice", func(m *Model) { m.Contacts[0].Faces = append(m.Contacts[0].Faces, m.Contacts[0].Faces[0]) }, c0 + ".Faces", "are the same"},
		{"no such face", func(m *Model) { m.Contacts[0].Faces = [][3]int32{{0, 1, 26}} }, c0 + ".Faces", "no element has a face"},
		{"no such node", func(m *Model) { m.Contacts[0].Faces = [][3]int32{{0, 1, 999}} }, c0, "names node 999"},
		{"obstacle without shape", onto(nil), c0 + ".Obstacle", "no shape"},
		{"sphere", onto(Sphere{RadiusMM: nan}), c0 + ".Obstacle", "radius"},
		{"plane", onto(Plane{Normal: r3.Vec{Z: 5e-324}}), c0 + ".Obstacle", "normal"},
		{"cylinder", onto(Cylinder{RadiusMM: 1}), c0 + ".Obstacle", "axis"},
		{"open solid", onto(Solid{Surface: box, Label: 5}), c0 + ".Obstacle", "not closed"},
		{"solid of nothing", onto(Solid{}), c0 + ".Obstacle", "without a surface"},
		{"obstacle moves NaN", func(m *Model) {
			onto(Plane{Normal: r3.Vec{Z: 1}})(m)
			m.Contacts[0].Obstacle.MoveMM = []r3.Vec{{X: nan}}
		}, c0 + ".Obstacle", "moves to"},
		{"obstacle moves too often", func(m *Model) {
			onto(Plane{Normal: r3.Vec{Z: 1}})(m)
			m.Contacts[0].Obstacle.MoveMM = make([]r3.Vec, 2)
		}, c0 + ".Obstacle", "2 stages"},
		{"tie of nothing", tie(func(t *Tie) { *t = Tie{} }), t0, "ties nothing"},
		{"tie on one side", tie(func(t *Tie) { t.Against = nil }), t0, "one side"},
		{"tie searches NaN", tie(func(t *Tie) { t.SearchMM = nan }), t0, "searches"},
		{"tie penalty", tie(func(t *Tie) { t.Penalty = math.Inf(1) }), t0, "penalty"},
		{"tie tolerance", tie(func(t *Tie) { t.JumpToleranceMM = -1 }), t0, "jump"},
		{"tie node", tie(func(t *Tie) { t.Nodes = []int32{-1} }), t0, "Nodes[0]"},
		{"tie within the unknown", tie(func(t *Tie) { t.Within = []imaging.Label{77} }), t0, "no region"},
	} {
		m := twoBodies()
		c.spoil(m)
		refused(t, c.name, m, Settings{Steps: 1}, c.field, c.words)
	}
	if _, err := Solve(context.Background(), twoBodies(), Settings{Steps: 1}, func(f *Frame) error { return f.finite() }); err != nil {
		t.Error(err)
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	m := block(false)
	n := len(m.Mesh.Nodes)
	nan := make([]r3.Vec, n)
	nan[3].Z = math.NaN()
	good, err := Solve(context.Background(), m, Settings{Steps: 1, Checkpoint: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*Checkpoint)) Settings {
		c := *good.Checkpoint
		c.Past = []PastState{c.Past[0], c.Past[1]}
		change(&c)
		return Settings{Steps: 1, Resume: &c}
	}
	for _, c := range []struct {
		name  string
		s     Settings
		field string
		words string
	}{
		{"steps", Settings{Steps: 1 << 50}, "Settings.Steps", "1000000"},
		{"cut-backs", Settings{MaxCutbacks: 2000}, "Settings.MaxCutbacks", "to 30"},
		{"iterations", Settings{MaxNewton: math.MaxInt}, "Settings.MaxNewton", "to 1000000"},
		{"tolerance", Settings{ResidualTol: math.Inf(1)}, "Settings.ResidualTol", "below 0.1"},
		{"guess too short", Settings{Guess: make([]r3.Vec, n-1)}, "Settings.Guess", "give one for each"},
		{"guess too long", Settings{Guess: make([]r3.Vec, n+1)}, "Settings.Guess", "give one for each"},
		{"guess NaN", Settings{Guess: nan}, "Settings.Guess", "node 3"},
		{"arc steps", Settings{ArcLength: &ArcLength{MaxSteps: -1}}, "Settings.ArcLength.MaxSteps", "negative"},
		{"arc bound", Settings{ArcLength: &ArcLength{MaxMM: math.NaN()}}, "Settings.ArcLength", "negative"},
		{"arc and resume", Settings{ArcLength: &ArcLength{}, Resume: good.Checkpoint}, "Settings.Resume", "choose one"},
		{"resume of nothing", Settings{Resume: &Checkpoint{}}, "Settings.Resume", "of this model"},
		{"resume of other nodes", with(func(c *Checkpoint) { c.Nodes++ }), "Settings.Resume", "of this model"},
		{"resume of another stage", with(func(c *Checkpoint) { c.Stage = 1 }), "Settings.Resume", "of this model"},
		{"resume beyond the end", with(func(c *Checkpoint) { c.Part = 1.5 }), "Settings.Resume", "of this model"},
		{"resume without a past", with(func(c *Checkpoint) { c.Past = nil }), "Settings.Resume", "of this model"},
		{"resume NaN", with(func(c *Checkpoint) { c.ExtFrom = append([]float64{math.NaN()}, c.ExtFrom[1:]...) }), "Settings.Resume", "of this model"},
		{"resume with a short past", with(func(c *Checkpoint) { c.Past[0].U = nil }), "Settings.Resume", "of this model"},
		{"resume with a memory too many", with(func(c *Checkpoint) { c.Terms = [][]float64{{0}} }), "Settings.Resume", "of this model"},
		{"resume with a history", with(func(c *Checkpoint) { c.History = []float64{0} }), "Settings.Resume", "of this model"},
	} {
		refused(t, c.name, m, c.s, c.field, c.words)
	}
	other := block(false)
	other.Mesh.Nodes[13] = r3.Add(other.Mesh.Nodes[13], r3.Vec{X: 1}) // same counts, another mesh
	refused(t, "resume of another mesh", other, Settings{Steps: 1, Resume: good.Checkpoint}, "Settings.Resume", "of this model")
}

func TestInvertedElementsAreListed(t *testing.T) {
	m := block(true)
	bad := []int32{3, 11, 12, 20, 25, 31, 40}
	for _, e := range bad {
		v := &m.Mesh.Tets[e]
		v[0], v[1] = v[1], v[0]
	}
	_, err := Solve(context.Background(), m, Settings{}, nil)
	e, ok := errors.AsType[*InvertedError](err)
	if !ok || e.Element != bad[0] || len(e.Others) != len(bad)-1 {
		t.Fatalf("got %v", err)
	}
	for i, o := range e.Others {
		if o.Element != bad[i+1] || !(o.DetJ < 0) || !(o.AtMM.X > 0 && o.AtMM.X < 20) {
			t.Errorf("entry %d is %v, want element %d", i, o, bad[i+1])
		}
	}
	text := err.Error()
	for _, want := range []string{"7 elements", "elements are inverted or flat: 3 at (", " 11 at (", " 25 at (", "and 2 more", "mesh again"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in: %s", want, text)
		}
	}
}

// Loads on one face add up; nodes that no element has stay where they are; tiny
// and far bodies are solved, or refused by name.
func TestOddButSoundModels(t *testing.T) {
	top := func(m *Model) [3]int32 { return facesOf(m.Mesh, func(p r3.Vec) bool { return p.Z == 20 })[0] }
	twice, once := block(false), block(false)
	twice.Loads = []FaceLoad{{Face: top(twice), PressureMPa: 1e-5}, {Face: top(twice), PressureMPa: 1e-5}}
	once.Loads = []FaceLoad{{Face: top(once), PressureMPa: 2e-5}}
	once.Mesh.Nodes = append(once.Mesh.Nodes, r3.Vec{X: 500}) // in no element
	a, _ := solve(t, twice, Settings{Steps: 1, ResidualTol: 1e-9})
	b, _ := solve(t, once, Settings{Steps: 1, ResidualTol: 1e-9})
	for v := range a.U {
		if d := r3.Norm(r3.Sub(a.U[v], b.U[v])); d > 1e-9 {
			t.Fatalf("node %d: %g mm apart", v, d)
		}
	}
	if b.U[len(b.U)-1] != (r3.Vec{}) {
		t.Errorf("a node of no element moves by %v", b.U[len(b.U)-1])
	}
	// A similar body of another size under the same pressure: u scales.
	for _, scale := range []float64{1e-9, 1e-3, 1e6} {
		m := block(false)
		m.Loads = []FaceLoad{{Face: top(m), PressureMPa: 2e-5}}
		for v, p := range m.Mesh.Nodes {
			m.Mesh.Nodes[v] = r3.Scale(scale, p)
		}
		f, _ := solve(t, m, Settings{Steps: 1, ResidualTol: 1e-9})
		for v := range f.U {
			if d := r3.Norm(r3.Sub(r3.Scale(1/scale, f.U[v]), b.U[v])); d > 1e-7 {
				t.Fatalf("scale %g, node %d: %g mm apart", scale, v, d)
			}
		}
	}
	// Far from the origin only the digits that the coordinates keep are left.
	far := block(false)
	far.Loads = []FaceLoad{{Face: top(far), PressureMPa: 2e-5}}
	for v, p := range far.Mesh.Nodes {
		far.Mesh.Nodes[v] = r3.Add(p, r3.Vec{X: 1e6, Y: -1e6})
	}
	f, _ := solve(t, far, Settings{Steps: 1, ResidualTol: 1e-9})
	for v := range f.U {
		if d := r3.Norm(r3.Sub(f.U[v], b.U[v])); d > 1e-6 {
			t.Fatalf("far away, node %d: %g mm apart", v, d)
		}
	}
	for v := range far.Mesh.Nodes {
		far.Mesh.Nodes[v].X += 1e11
	}
	if _, err := Solve(context.Background(), far, Settings{Steps: 1}, nil); !isType[*InputError](err) || !strings.Contains(err.Error(), "origin") {
		t.Errorf("1e11 mm away: %v", err)
	}
}
