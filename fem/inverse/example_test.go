package inverse_test

import (
	"context"
	"fmt"

	"halsted/fem"
	"halsted/fem/inverse"
	"halsted/fem/material"
	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// cube is one tetrahedral cube of 10 mm, pulled at its top (z = 10) by 1 kPa
// in an image, free to contract sideways.
func cube(eMPa float64) (*fem.Model, error) {
	law, err := material.NewNeoHookean(eMPa/(2*1.3), 0.3)
	if err != nil {
		return nil, err
	}
	me := &mesh.TetMesh{
		Nodes: []r3.Vec{{}, {X: 10}, {Y: 10}, {X: 10, Y: 10}, {Z: 10}, {X: 10, Z: 10}, {Y: 10, Z: 10}, {X: 10, Y: 10, Z: 10}},
		Tets:  [][4]int32{{0, 1, 3, 7}, {0, 3, 2, 7}, {0, 2, 6, 7}, {0, 6, 4, 7}, {0, 4, 5, 7}, {0, 5, 1, 7}},
	}
	m := &fem.Model{Mesh: me, Regions: []fem.Region{{Label: imaging.LabelLiver, Law: law, DensityTPerMM3: 1e-9}}}
	for range me.Tets {
		me.Region = append(me.Region, imaging.LabelLiver)
	}
	for i, p := range me.Nodes {
		for axis, v := range [3]float64{p.X, p.Y, p.Z} {
			if v == 0 {
				m.Prescribed = append(m.Prescribed, fem.Prescribed{Node: int32(i), Axis: int8(axis)})
			}
		}
	}
	for _, f := range [][3]int32{{4, 6, 7}, {4, 5, 7}} {
		m.Loads = append(m.Loads, fem.FaceLoad{Face: f, TractionMPa: r3.Vec{Z: 1e-3}})
	}
	return m, nil
}

// The image shows a cube of 10 mm under a pull of 1 kPa; at E = 5 kPa it was
// 7.99 mm tall before (uniaxial stress, solved by bisection).
func ExampleUnload() {
	m, err := cube(5e-3)
	if err != nil {
		fmt.Println(err)
		return
	}
	ref, rep, err := inverse.Unload(context.Background(), m, fem.Settings{}, inverse.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f mm tall without load; %v within 1 µm\n", ref.Mesh.Nodes[7].Z, rep.MaxMM <= 1e-3)
	// Output: 7.99 mm tall without load; true within 1 µm
}

// The top of the cube rose by 1.00 and 0.98 mm in two readings. The displacement
// says how stiff it is, as the pull is known.
func ExampleCalibrate() {
	build := func(p []float64) (*fem.Model, error) { return cube(p[0]) }
	corner := func(node int32, moved float64) inverse.Displacement {
		return inverse.Displacement{OnNode: true, Node: node, MovedMM: r3.Vec{Z: moved}, SDMM: r3.Vec{Z: 0.02}}
	}
	obs := inverse.Observations{Displacements: []inverse.Displacement{corner(4, 1.00), corner(7, 0.98)}}
	e := []inverse.Parameter{{Name: "Young's modulus", Unit: "MPa", Start: 0.005}}
	fit, err := inverse.Calibrate(context.Background(), build, obs, e, inverse.CalibrateOptions{NoiseKnown: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := fit.Parameters[0]
	fmt.Printf("%s %.2f kPa, 95 %% between %.2f and %.2f\n", p.Name, 1e3*p.Value, 1e3*p.Low, 1e3*p.High)
	// Output: Young's modulus 11.16 kPa, 95 % between 10.88 and 11.44
}
