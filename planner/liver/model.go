package liver

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"
	"halsted/planner"

	"gonum.org/v1/gonum/spatial/r3"
)

// Boundary conditions of the retraction. They stand here, in one place, since
// every mechanical number depends on them.
const (
	fixedRadiusMM  = 25 // around the hepatic venous outflow, where the cava holds the liver
	graspRadiusMM  = 20 // half the width of a retractor blade
	minPatchNodes  = 12 // fewer nodes hold a body only loosely
	graspFromFixMM = 60 // the blade does not grip where the cava holds
	standardG      = 9806.65
)

// pullDirection lifts the lower front edge to the front and the head (LPS), as
// a retractor does to show the underside of the liver.
var pullDirection = r3.Unit(r3.Vec{Y: -1, Z: 1})

// Grips are the two patches of the remnant's surface that are held.
type Grips struct {
	Fixed, Grasp     []int32 // nodes
	FixedAt, GraspAt r3.Vec  // LPS mm
}

// ParenchymaTissue is the record of the tissue library that the model uses. A
// remnant holds no tumour: plans that leave one have a negative margin, which
// is vetoed.
const ParenchymaTissue = "liver.parenchyma.normal"

// Model turns a plan into a finite element problem on the remnant's mesh:
// nodes near the hepatic venous outflow are fixed, nodes at the lower front
// edge are moved by the plan's retraction, gravity changes by the plan's
// GravityG. The mesh is the remnant as imaged, so nothing moves when the plan
// asks for no retraction and no change of gravity.
func (a *Anatomy) Model(m *mesh.TetMesh, p planner.Plan) (*fem.Model, *Grips, error) {
	parenchyma, err := material.Lookup(ParenchymaTissue)
	if err != nil {
		return nil, nil, err
	}
	law, err := parenchyma.Law()
	if err != nil {
		return nil, nil, err
	}
	fm := &fem.Model{Mesh: m, GravityChange: r3.Scale(standardG, p.GravityG)}
	seen := map[imaging.Label]bool{}
	for _, l := range m.Region {
		if !seen[l] {
			seen[l] = true
			fm.Regions = append(fm.Regions, fem.Region{Label: l, Law: law, DensityTPerMM3: parenchyma.DensityTPerMM3})
		}
	}
	g, err := a.grips(m)
	if err != nil {
		return nil, nil, err
	}
	pull := r3.Scale(p.RetractionMM, pullDirection)
	for _, n := range g.Fixed {
		fm.Prescribed = append(fm.Prescribed, fem.Prescribed{Node: n, Axis: 0}, fem.Prescribed{Node: n, Axis: 1}, fem.Prescribed{Node: n, Axis: 2})
	}
	for _, n := range g.Grasp {
		fm.Prescribed = append(fm.Prescribed, fem.Prescribed{Node: n, Axis: 0, ValueMM: pull.X}, fem.Prescribed{Node: n, Axis: 1, ValueMM: pull.Y}, fem.Prescribed{Node: n, Axis: 2, ValueMM: pull.Z})
	}
	return fm, g, nil
}

// grips places the two patches on the mesh's surface.
func (a *Anatomy) grips(m *mesh.TetMesh) (*Grips, error) {
	_, node := m.Boundary()
	if len(node) < 2*minPatchNodes {
		return nil, fmt.Errorf("liver: the remnant's surface has %d nodes, too few to hold: mesh it finer", len(node))
	}
	at := func(n int32) r3.Vec { return m.Nodes[n] }
	g := &Grips{FixedAt: at(nearest(m, node, a.outflow(m, node)))}
	g.Fixed = patch(m, node, g.FixedAt, fixedRadiusMM, nil)

	fixed := map[int32]bool{}
	for _, n := range g.Fixed {
		fixed[n] = true
	}
	best := math.Inf(-1)
	for _, from := range []float64{graspFromFixMM, 0} { // a small remnant has no far edge
		for _, n := range node {
			if s := r3.Dot(at(n), r3.Vec{Y: -1, Z: -1}); s > best && !fixed[n] && r3.Norm(r3.Sub(at(n), g.FixedAt)) >= from {
				best, g.GraspAt = s, at(n)
			}
		}
		if !math.IsInf(best, -1) {
			break
		}
	}
	g.Grasp = patch(m, node, g.GraspAt, graspRadiusMM, fixed)
	if len(g.Grasp) < minPatchNodes/2 {
		return nil, fmt.Errorf("liver: only %d surface nodes to grasp near (%.0f, %.0f, %.0f) mm: mesh the remnant finer", len(g.Grasp), g.GraspAt.X, g.GraspAt.Y, g.GraspAt.Z)
	}
	return g, nil
}

// outflow is where the cava holds the liver: the widest hepatic vein voxel
// near the remnant; failing that the widest vessel of unknown system; failing
// that the point of the surface furthest to the back and the head.
func (a *Anatomy) outflow(m *mesh.TetMesh, node []int32) r3.Vec {
	for _, system := range []imaging.Label{imaging.LabelHepaticVein, imaging.LabelVessel} {
		best, found := float32(0), -1
		for _, n := range a.vessels {
			if a.Labels.ID[n] != system || a.radius[n] <= best {
				continue
			}
			q := a.at(n)
			if r3.Norm(r3.Sub(q, m.Nodes[nearest(m, node, q)])) <= fixedRadiusMM {
				best, found = a.radius[n], n
			}
		}
		if found >= 0 {
			return a.at(found)
		}
	}
	best, p := math.Inf(-1), r3.Vec{}
	for _, n := range node {
		if s := r3.Dot(m.Nodes[n], r3.Vec{Y: 1, Z: 1}); s > best {
			best, p = s, m.Nodes[n]
		}
	}
	return p
}

// nearest is the surface node closest to p.
func nearest(m *mesh.TetMesh, node []int32, p r3.Vec) int32 {
	best, at := math.Inf(1), node[0]
	for _, n := range node {
		if d := r3.Norm2(r3.Sub(m.Nodes[n], p)); d < best {
			best, at = d, n
		}
	}
	return at
}

// patch lists the surface nodes within radius of p, nearest first, at least
// minPatchNodes of them; nodes in not are left out.
func patch(m *mesh.TetMesh, node []int32, p r3.Vec, radius float64, not map[int32]bool) []int32 {
	var all []int32
	for _, n := range node {
		if !not[n] {
			all = append(all, n)
		}
	}
	dist := func(n int32) float64 { return r3.Norm2(r3.Sub(m.Nodes[n], p)) }
	slices.SortStableFunc(all, func(x, y int32) int {
		return cmp.Or(cmp.Compare(dist(x), dist(y)), cmp.Compare(x, y))
	})
	n := 0
	for n < len(all) && (n < minPatchNodes || dist(all[n]) <= radius*radius) {
		n++
	}
	return all[:n]
}
