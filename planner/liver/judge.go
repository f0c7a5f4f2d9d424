package liver

import (
	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// awayMM keeps the peak values off the two patches: at the rim of a prescribed
// patch the exact stress is unbounded, so its peak there measures the mesh.
const awayMM = 10

// kPaPerMPa converts the solver's unit to what surgeons read.
const kPaPerMPa = 1000

// Judge turns the last frame of a simulation into quantities. Under prescribed
// motion alone, force and stress are proportional to the shear modulus of the
// homogeneous remnant, while displacement and strain do not depend on it; so
// the spread of the modulus carries over exactly.
func Judge(m *mesh.TetMesh, p planner.Plan, g *Grips, f *fem.Frame) ([]planner.Quantity, error) {
	tissue, err := material.Lookup(ParenchymaTissue)
	if err != nil {
		return nil, err
	}
	evidence, err := planner.ParseEvidence(tissue.Evidence)
	if err != nil {
		return nil, err
	}
	var force r3.Vec
	for _, n := range g.Grasp {
		force = r3.Add(force, f.ReactionN[n])
	}
	move, stress, strain := 0.0, 0.0, 0.0
	for n, u := range f.U {
		move = max(move, r3.Norm(u))
		if r3.Norm(r3.Sub(m.Nodes[n], g.FixedAt)) < fixedRadiusMM+awayMM || r3.Norm(r3.Sub(m.Nodes[n], g.GraspAt)) < graspRadiusMM+awayMM {
			continue
		}
		stress = max(stress, f.VonMisesMPa[n]*kPaPerMPa)
		strain = max(strain, f.StrainMax[n]*100)
	}
	factor := tissue.ShearSpread() // 97.5 % quantile over the median
	const scaled = "spread of the liver's shear modulus; mesh and boundary conditions not included"
	const free = "does not depend on the shear modulus; mesh and boundary conditions not quantified"
	byModulus := func(id, label, unit string, v float64) planner.Quantity {
		q := planner.Quantity{ID: id, Label: label, Unit: unit, Value: v, Spread: planner.Around(v/factor, v, v*factor), Basis: scaled, Evidence: evidence}
		if r3.Norm(p.GravityG) > 0 || factor <= 1 {
			q.Spread, q.Basis = nil, "gravity and modulus do not scale together; not quantified"
		}
		return q
	}
	fixed := func(id, label, unit string, v float64) planner.Quantity {
		return planner.Quantity{ID: id, Label: label, Unit: unit, Value: v, Basis: free, Evidence: evidence}
	}
	return []planner.Quantity{
		fixed("displacement_mm", "Largest displacement under retraction", "mm", move),
		byModulus("reaction_n", "Force at the grasp", "N", r3.Norm(force)),
		byModulus("peak_stress_kpa", "Peak von Mises stress away from the grips", "kPa", stress),
		fixed("peak_strain_percent", "Peak principal strain (Green–Lagrange) away from the grips", "%", strain),
	}, nil
}
