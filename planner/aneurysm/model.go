package aneurysm

import (
	"context"
	"errors"
	"fmt"

	"halsted/fem"
	"halsted/fem/inverse"
	"halsted/fem/material"
	"halsted/mesh/vessel"

	"gonum.org/v1/gonum/spatial/r3"
)

// Tissue is what the walls are made of; zero values are those of the tissue
// library (records aorta.aaa.wall and aorta.aaa.ilt).
type Tissue struct {
	AlphaMPa, BetaMPa float64 // Raghavan–Vorp
	ThrombusMPa       float64 // D1 = D2 of the thrombus; its Young's modulus at rest is 6·D1
	// Wall replaces the Raghavan–Vorp wall. Axes 1, 2, 3 of a law with directions
	// are around, along and outward (fem.Model.Natural).
	Wall material.Law
}

// Records of the tissue library.
const (
	WallTissue     = "aorta.aaa.wall"
	ThrombusTissue = "aorta.aaa.ilt"
	StrengthRecord = "aorta.aaa.strength"
)

// laws are those of wall and thrombus, nearly incompressible.
func (t Tissue) laws() (wall, thrombus material.Law, err error) {
	if t.AlphaMPa == 0 && t.BetaMPa == 0 {
		t.AlphaMPa, t.BetaMPa = material.RaghavanVorpAlphaMPa, material.RaghavanVorpBetaMPa
	}
	if t.ThrombusMPa == 0 {
		t.ThrombusMPa = 0.026 // Wang et al. 2001, as in the record
	}
	wall = t.Wall
	if wall == nil {
		if wall, err = material.NewRaghavanVorp(t.AlphaMPa, t.BetaMPa, material.IncompressibleNu); err != nil {
			return nil, nil, err
		}
	}
	thrombus, err = material.NewIsotropicI2(t.ThrombusMPa, t.ThrombusMPa, material.IncompressibleNu)
	return wall, thrombus, err
}

// GOHWall is the wall as a Gasser–Ogden–Holzapfel law, from a record of the
// library with model "goh" (fibres at the record's angle from around to along).
func GOHWall(record string) (material.Law, error) {
	t, err := material.Lookup(record)
	if err != nil {
		return nil, err
	}
	return t.FibreLaw(r3.Vec{X: 1}, r3.Vec{Y: 1})
}

// Ends is how the ends of the aorta are held.
type Ends uint8

// The boundary conditions.
const (
	EndsHeld  Ends = iota // both ends do not move
	LowerFree             // the lower end keeps its level on the body's long axis (LPS z) and is free in its plane
)

func (e Ends) String() string {
	return [...]string{"both ends held", "lower end free across the body axis"}[e]
}

// Model is the finite element problem of a wall under the blood pressure p,
// mmHg, as a pressure that follows the luminal faces: the blood presses on the
// thrombus where there is some.
func (w *Wall) Model(t Tissue, ends Ends, pressureMmHg float64) (*fem.Model, error) {
	if !(pressureMmHg > 0 && pressureMmHg <= maxPressureMmHg) {
		return nil, &InputError{"blood pressure", fmt.Sprintf("is %g mmHg: give up to %d mmHg", pressureMmHg, maxPressureMmHg)}
	}
	wall, thrombus, err := t.laws()
	if err != nil {
		return nil, err
	}
	m := &fem.Model{Mesh: w.Mesh, Regions: []fem.Region{{Label: WallRegion, Law: wall}}}
	for _, l := range w.Mesh.Region {
		if l == ThrombusRegion {
			m.Regions = append(m.Regions, fem.Region{Label: ThrombusRegion, Law: thrombus})
			break
		}
	}
	if t.Wall != nil {
		m.Natural = w.Axes
	}
	for e, nodes := range w.Ends {
		for _, n := range nodes {
			for axis := range int8(3) {
				if e == 1 && ends == LowerFree && axis != 2 {
					continue
				}
				m.Prescribed = append(m.Prescribed, fem.Prescribed{Node: n, Axis: axis})
			}
		}
	}
	for _, f := range w.Luminal {
		m.Loads = append(m.Loads, fem.FaceLoad{Face: f, PressureMPa: pressureMmHg * vessel.MPaPerMmHg, Follows: true})
	}
	return m, nil
}

const (
	maxPressureMmHg = 300
	residualTol     = 1e-9 // of the forward solves: a micrometre in 10 cm of thin wall
)

// settings are those of every solve.
func settings(steps int) fem.Settings {
	return fem.Settings{Formulation: fem.MeanDilatation, Steps: steps, ResidualTol: residualTol, MaxCutbacks: 3}
}

// Unloaded is the shape without pressure, and the way there.
type Unloaded struct {
	Reference *inverse.Reference
	Report    inverse.Report
}

// Unload finds the shape that the pressure at imaging, mmHg, carries into the
// imaged one.
func (w *Wall) Unload(ctx context.Context, t Tissue, ends Ends, imagingMmHg float64) (*Unloaded, error) {
	m, err := w.Model(t, ends, imagingMmHg)
	if err != nil {
		return nil, err
	}
	ref, rep, err := inverse.Unload(ctx, m, settings(2), inverse.Options{MaxForward: maxForward})
	if err != nil {
		return nil, notConverged(err)
	}
	return &Unloaded{ref, rep}, nil
}

// maxForward bounds the forward solves of the fallback: what does not unload
// in these does not in sixty.
const maxForward = 5

// notConverged turns the errors of unloading into those that a sample may fail
// with.
func notConverged(err error) error {
	nc, ok := errors.AsType[*inverse.NotConvergedError](err)
	if !ok {
		return err
	}
	return &fem.NotConvergedError{LoadFactor: nc.LoadFactor, AtMM: nc.AtMM, Element: 0, Residual: nc.DistanceMM,
		Reason: "no shape without pressure was found: " + nc.Reason}
}

// State is the wall under a pressure. Slices go by node of the wall's mesh.
type State struct {
	PressureMmHg float64
	Places       []r3.Vec  // LPS mm
	VonMisesMPa  []float64 // Cauchy stress
	PrincipalMPa []float64 // first principal Cauchy stress
	ErrorMPa     []float64 // estimated error of the discretisation
	Residual     float64   // relative
	Newton       int
}

// Load carries the unloaded shape to a pressure, mmHg; unloaded nil takes the
// imaged shape for free of stress, as it is not.
func (w *Wall) Load(ctx context.Context, t Tissue, ends Ends, unloaded *Unloaded, pressureMmHg float64) (*State, error) {
	m, err := w.Model(t, ends, pressureMmHg)
	if err != nil {
		return nil, err
	}
	s := settings(4)
	if unloaded != nil {
		m.Mesh = unloaded.Reference.Mesh
		s.Steps, s.Guess = 1, unloaded.Reference.U
	}
	st, err := w.solve(ctx, m, s, pressureMmHg)
	if _, stuck := errors.AsType[*fem.NotConvergedError](err); stuck && unloaded != nil {
		s.Steps, s.Guess = 4, nil
		st, err = w.solve(ctx, m, s, pressureMmHg)
	}
	return st, err
}

func (w *Wall) solve(ctx context.Context, m *fem.Model, s fem.Settings, pressure float64) (*State, error) {
	var f *fem.Frame
	if _, err := fem.Solve(ctx, m, s, func(x *fem.Frame) error { f = x; return nil }); err != nil {
		return nil, err
	}
	st := &State{PressureMmHg: pressure, VonMisesMPa: f.VonMisesMPa, PrincipalMPa: f.StressMax, ErrorMPa: f.ErrorMPa, Residual: f.Residual, Newton: f.Newton}
	for n, u := range f.U {
		st.Places = append(st.Places, r3.Add(m.Mesh.Nodes[n], u))
	}
	return st, nil
}

// Stiff is the stress of the imaged shape by equilibrium alone: the wall a
// thousand times stiffer than it is, so that it hardly moves, which leaves the
// stress of a thin wall as it is (G. Joldes et al., J. Mech. Behav. Biomed.
// Mater. 58 (2016) 139). Thrombus stiffens along with it.
func (w *Wall) Stiff(ctx context.Context, t Tissue, ends Ends, pressureMmHg float64) (*State, error) {
	if t.AlphaMPa == 0 {
		t.AlphaMPa = material.RaghavanVorpAlphaMPa
	}
	if t.ThrombusMPa == 0 {
		t.ThrombusMPa = 0.026
	}
	const stiffer, nu = 1000, 0.49
	wall, err := material.NewNeoHookean(2*stiffer*t.AlphaMPa, nu)
	if err != nil {
		return nil, err
	}
	m, err := w.Model(Tissue{ThrombusMPa: stiffer * t.ThrombusMPa}, ends, pressureMmHg)
	if err != nil {
		return nil, err
	}
	m.Regions[0].Law = wall
	return w.solve(ctx, m, settings(1), pressureMmHg)
}
