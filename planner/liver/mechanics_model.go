package liver

import (
	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Names of what the stages detach.
const cutName = "cut"

const (
	// sutureNPerMM joins the two nodes of a pair of the cut until it is opened:
	// a thousand times what an element of parenchyma resists.
	sutureNPerMM = 10
	kPaToMPa     = 1e-3
	// rigidBed is how much stiffer than tissue a bed is that stands for a fixed
	// support.
	rigidBed = 30
)

// tissues are the constants that no sample changes.
type tissues struct {
	nu, densityTPerMM3 float64
	tumourDensity      float64
	capsuleMM          float64
	veinMPa, veinMM    float64
}

func lookupTissues() (tissues, error) {
	var t tissues
	for _, r := range []struct {
		id string
		do func(material.Tissue)
	}{
		{ParenchymaTissue, func(m material.Tissue) { t.nu, _ = m.Param("nu"); t.densityTPerMM3 = m.DensityTPerMM3 }},
		{TumourTissue, func(m material.Tissue) { t.tumourDensity = m.DensityTPerMM3 }},
		{CapsuleTissue, func(m material.Tissue) { h, _ := m.Param("thickness_m"); t.capsuleMM = 1000 * h }},
		{VeinTissue, func(m material.Tissue) {
			h, _ := m.Param("thickness_m")
			e, _ := m.Param("E_small_Pa")
			t.veinMM, t.veinMPa = 1000*h, e*1e-6
		}},
	} {
		m, err := material.Lookup(r.id)
		if err != nil {
			return t, err
		}
		r.do(m)
	}
	return t, nil
}

// discretised is one mesh of a plan with what holds it: all that the samples of
// the plan share.
type discretised struct {
	*organMesh
	*holds
	walls  walls
	tissue tissues
	plan   planner.Plan
	level  planner.Level
	edgeMM float64

	tumours *mesh.Embedding // of the tumours' centres
	judged  []int32         // nodes at which stress and strain are judged
	share   []float64       // volume per node, mm³
	stays   []bool          // per node: of the remnant
}

// dof is the number of degrees of freedom: those of the corner nodes for L1.
func (d *discretised) dof() int {
	if d.level == planner.L1 {
		return 3 * d.corners
	}
	return 3 * len(d.Nodes)
}

// model is the finite element problem of a sample.
func (d *discretised) model(x MechanicalSample) (*fem.Model, error) {
	mu := x.ShearKPa * kPaToMPa
	parenchyma, err := material.NewNeoHookean(mu, d.tissue.nu)
	if err != nil {
		return nil, err
	}
	tumour, err := material.NewNeoHookean(mu*x.TumourRatio, d.tissue.nu)
	if err != nil {
		return nil, err
	}
	m := &fem.Model{Mesh: d.TetMesh}
	for _, l := range mechanicalRegions {
		r := fem.Region{Label: l, Law: parenchyma, DensityTPerMM3: d.tissue.densityTPerMM3}
		if tumourRegion(l) {
			r.Law, r.DensityTPerMM3 = tumour, d.tissue.tumourDensity
		}
		m.Regions = append(m.Regions, r)
	}
	m.Stiffness = make([]float64, len(d.Tets))
	for t, l := range d.Region {
		m.Stiffness[t] = 1
		if !tumourRegion(l) {
			m.Stiffness[t] = d.walls.multiplier(t, mu, d.tissue.veinMPa)
		}
	}
	if d.level == planner.L2 {
		capsule, err := d.capsule(x.CapsuleMPa, d.tissue.capsuleMM)
		if err != nil {
			return nil, err
		}
		m.Membranes = []fem.Membrane{capsule}
	}
	groove, ligaments := x.SupportKPaPerMM*kPaToMPa, 0.0
	switch x.Boundary {
	case BoundaryLigaments:
		ligaments = groove
	case BoundaryFixed:
		groove *= rigidBed
	}
	bed := func(name string, faces [][3]int32, k float64) {
		if len(faces) > 0 {
			m.Foundations = append(m.Foundations, fem.Foundation{Name: name, Faces: faces, NormalMPaPerMM: k, TangentMPaPerMM: bedTangentShare * k})
		}
	}
	for _, g := range d.groove {
		bed("vena cava", [][3]int32{g.face}, groove*g.share)
	}
	bed("ligaments", d.ligaments, max(ligaments, 1e-6*groove)) // the same matrix pattern for every boundary
	for _, p := range d.openPairs {
		m.Springs = append(m.Springs, fem.Spring{Name: cutName, Nodes: p, StiffnessNPerMM: sutureNPerMM})
	}
	m.Springs = append(m.Springs, d.rests(x)...)
	m.Stages = d.stages()
	return m, nil
}

// What lies around the liver answers a change of gravity: at the median of the
// support's stiffness it holds restShare times the change of the liver's weight
// when it has given way by restDepthMM, and no more beyond. Both are assumptions;
// held by the groove alone a mobilised liver would hang from it by a decimetre.
const (
	restDepthMM = 10
	restShare   = 2
)

// rests hold the under-surface against a change of gravity; without one there
// are none: the weight as imaged is carried by what lies under the liver and by
// packs that follow it.
func (d *discretised) rests(x MechanicalSample) []fem.Spring {
	g := r3.Norm(d.plan.GravityG)
	if g == 0 {
		return nil
	}
	weight := 0.0 // N
	for t, l := range d.Region {
		rho := d.tissue.densityTPerMM3
		if tumourRegion(l) {
			rho = d.tissue.tumourDensity
		}
		weight += rho * tetMM3(d.organMesh, d.Tets[t]) * standardG
	}
	weight *= restShare * g
	depth := restDepthMM * supportKPaPerMM / x.SupportKPaPerMM
	var out []fem.Spring
	for _, u := range d.under {
		f := u.share * weight
		out = append(out, fem.Spring{Nodes: [2]int32{u.node, -1}, AnchorMM: d.Nodes[u.node], Curve: []fem.SpringPoint{
			{}, {ElongationMM: 0.75 * depth, ForceN: 0.75 * f}, {ElongationMM: 1.25 * depth, ForceN: f}, {ElongationMM: 2*depth + beyondMM, ForceN: f}}})
	}
	return out
}

// beyondMM is beyond every displacement.
const beyondMM = 1000

// Stages of the load history.
const (
	stageGravity = "change of gravity"
	stageRetract = "retract"
	stageCut     = "cut"
	stageRelax   = "relax"
)

// stages is the load history. Mobilisation is not a stage of its own: what is
// released had no force in the state of the CT, from which forces are counted.
// Gravity goes first, then the grasp; the cut opens half way under the pull. The
// last stage takes the resected part away and lets go; without a change of
// gravity an elastic remnant then has its first shape again, and the stage is
// left out.
func (d *discretised) stages() []fem.Stage {
	var out []fem.Stage
	gravity := r3.Norm(d.plan.GravityG) > 0
	if gravity {
		out = append(out, fem.Stage{Name: stageGravity, Steps: 1, Loads: &fem.LoadCase{GravityChange: r3.Scale(standardG, d.plan.GravityG)}})
	}
	if d.plan.RetractionMM > 0 {
		pull := r3.Scale(d.plan.RetractionMM, pullDirection)
		grip := fem.Stage{Name: stageRetract, Steps: 1}
		for _, n := range d.grasp {
			for axis, v := range [3]float64{pull.X, pull.Y, pull.Z} {
				grip.Prescribed = append(grip.Prescribed, fem.Prescribed{Node: n, Axis: int8(axis), ValueMM: v})
			}
		}
		out = append(out, grip)
	}
	if d.level == planner.L1 || len(out) == 0 {
		return out
	}
	if len(d.openPairs) > 0 {
		out = append(out, fem.Stage{Name: stageCut, Steps: 1, Detach: []string{cutName}})
	}
	if gravity {
		relax := fem.Stage{Name: stageRelax, Steps: 1, Remove: []imaging.Label{regionResected, regionTumourResected}}
		if d.plan.RetractionMM > 0 {
			for _, n := range d.grasp {
				for axis := range int8(3) {
					relax.Release = append(relax.Release, fem.Hold{Node: n, Axis: axis})
				}
			}
		}
		out = append(out, relax)
	}
	return out
}
