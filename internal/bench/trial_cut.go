package main

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/cut"

	"gonum.org/v1/gonum/spatial/r3"
)

// cutResult is what trialCut reports.
type cutResult struct {
	Tets      int     `json:"tets"`    // before
	Faces     int     `json:"faces"`   // of the cut
	Far       int     `json:"far"`     // tets that the plane's neighbourhood leaves out
	Changed   int     `json:"changed"` // of them, not there bit for bit afterwards
	MinDeg    float64 `json:"min_dihedral_deg"`
	MaxDeg    float64 `json:"max_dihedral_deg"`
	Defect    string  `json:"defect,omitempty"`
	Before    float64 `json:"min_dihedral_before_deg"`
	BeforeMax float64 `json:"max_dihedral_before_deg"`
}

// trialCut cuts a dumped mesh through the middle by an oblique plane: DUMP.
func trialCut(args []string) (run func() error, done func() (any, error), err error) {
	m, err := readDump(args[0])
	if err != nil {
		return nil, nil, err
	}
	lo, hi := mesh.Bounds(m.Nodes)
	plane := cut.Plane{Point: r3.Scale(.5, r3.Add(lo, hi)), Normal: r3.Unit(r3.Vec{X: 1, Y: .3, Z: -.2})}
	var r *cut.Result
	run = func() (err error) {
		r, err = cut.Apply(context.Background(), m, plane, cut.Options{})
		return err
	}
	done = func() (any, error) { return checkCut(m, r, plane), nil }
	return run, done, nil
}

// checkCut looks for every tet that is farther from the plane than twice the
// longest edge of any tet the plane meets: each must have kept its bits.
func checkCut(m *mesh.TetMesh, r *cut.Result, plane cut.Plane) cutResult {
	height := func(p r3.Vec) float64 { return r3.Dot(plane.Normal, r3.Sub(p, plane.Point)) }
	corners := func(m *mesh.TetMesh, t int) (p [4]r3.Vec) {
		for i, n := range m.Tets[t] {
			p[i] = m.Nodes[n]
		}
		return p
	}
	var longest float64
	for t := range m.Tets {
		p := corners(m, t)
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, x := range p {
			lo, hi = min(lo, height(x)), max(hi, height(x))
		}
		if lo > 0 || hi < 0 {
			continue
		}
		for _, e := range mesh.TetEdges {
			longest = max(longest, length(r3.Sub(p[e[0]], p[e[1]])))
		}
	}
	c := cutResult{Tets: len(m.Tets), Faces: len(r.Faces)}
	now := map[[4]r3.Vec]imaging.Label{}
	for t := range r.Mesh.Tets {
		now[corners(r.Mesh, t)] = r.Mesh.Region[t]
	}
	for t := range m.Tets {
		p := corners(m, t)
		near := false
		for _, x := range p {
			near = near || math.Abs(height(x)) < 2*longest
		}
		if near {
			continue
		}
		c.Far++
		if l, ok := now[p]; !ok || l != m.Region[t] {
			c.Changed++
		}
	}
	var before, after figures
	before.angles(m)
	after.angles(r.Mesh)
	c.Before, c.BeforeMax, c.MinDeg, c.MaxDeg = before.MinDihedral, before.MaxDihedral, after.MinDihedral, after.MaxDihedral
	if err := r.Mesh.Check(); err != nil {
		c.Defect = err.Error()
	}
	return c
}
