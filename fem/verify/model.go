package verify

import (
	"context"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// near is how close, mm, a node must be to a plane or surface to be on it.
const near = 1e-9

// onX, onY, onZ pass the points of a coordinate plane.
func onX(x float64) func(r3.Vec) bool {
	return func(p r3.Vec) bool { return math.Abs(p.X-x) < near }
}
func onY(y float64) func(r3.Vec) bool {
	return func(p r3.Vec) bool { return math.Abs(p.Y-y) < near }
}
func onZ(z float64) func(r3.Vec) bool {
	return func(p r3.Vec) bool { return math.Abs(p.Z-z) < near }
}

// everywhere passes every point.
func everywhere(r3.Vec) bool { return true }

// onCube passes the points on the surface of [0,a]³.
func onCube(a float64) func(r3.Vec) bool {
	on := func(v float64) bool { return math.Abs(v) < near || math.Abs(v-a) < near }
	return func(p r3.Vec) bool { return on(p.X) || on(p.Y) || on(p.Z) }
}

// onRadius passes the points at distance r from the z axis.
func onRadius(r float64) func(r3.Vec) bool {
	return func(p r3.Vec) bool { return math.Abs(math.Hypot(p.X, p.Y)-r) < near }
}

// prescribed gives the nodes that pass the displacement u(x), mm.
func prescribed(m *mesh.TetMesh, keep func(r3.Vec) bool, u func(r3.Vec) r3.Vec) (p []fem.Prescribed) {
	for i, x := range m.Nodes {
		if keep(x) {
			v := u(x)
			p = append(p, fem.Prescribed{Node: int32(i), Axis: 0, ValueMM: v.X}, fem.Prescribed{Node: int32(i), Axis: 1, ValueMM: v.Y}, fem.Prescribed{Node: int32(i), Axis: 2, ValueMM: v.Z})
		}
	}
	return p
}

// still is no displacement.
func still(r3.Vec) r3.Vec { return r3.Vec{} }

// held gives one axis of the nodes that pass a displacement, mm.
func held(m *mesh.TetMesh, axis int8, value float64, keep func(r3.Vec) bool) (p []fem.Prescribed) {
	for i, x := range m.Nodes {
		if keep(x) {
			p = append(p, fem.Prescribed{Node: int32(i), Axis: axis, ValueMM: value})
		}
	}
	return p
}

// symmetry holds the nodes of the planes x = 0, y = 0, z = 0 in them, for the
// axes named.
func symmetry(m *mesh.TetMesh, axes ...int8) (p []fem.Prescribed) {
	for _, a := range axes {
		p = append(p, held(m, a, 0, [3]func(r3.Vec) bool{onX(0), onY(0), onZ(0)}[a])...)
	}
	return p
}

// pressed puts a pressure, MPa, on the faces that pass.
func pressed(m *mesh.TetMesh, keep func(r3.Vec) bool, mpa float64, follows bool) (l []fem.FaceLoad) {
	for _, f := range facesWhere(m, keep) {
		l = append(l, fem.FaceLoad{Face: f, PressureMPa: mpa, Follows: follows})
	}
	return l
}

// one is the only region of a mesh.
func one(law material.Law) []fem.Region { return []fem.Region{{Label: tissue, Law: law}} }

// last solves and returns the last frame.
func last(ctx context.Context, m *fem.Model, s fem.Settings) (*fem.Frame, fem.Result, error) {
	var f *fem.Frame
	r, err := fem.Solve(ctx, m, s, func(next *fem.Frame) error { f = next; return nil })
	return f, r, err
}

// mean is the mean of f over nodes, and the largest |f/ref − 1| of one of them.
func mean(nodes []int32, ref float64, f func(int32) float64) (avg, worst float64) {
	for _, v := range nodes {
		x := f(v)
		avg += x / float64(len(nodes))
		worst = max(worst, math.Abs(x/ref-1))
	}
	return avg, worst
}

// nodeAt is the node nearest to a point.
func nodeAt(m *mesh.TetMesh, p r3.Vec) int32 {
	best := int32(0)
	for i, x := range m.Nodes {
		if r3.Norm(r3.Sub(x, p)) < r3.Norm(r3.Sub(m.Nodes[best], p)) {
			best = int32(i)
		}
	}
	return best
}

// must is for constants that are in range.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
