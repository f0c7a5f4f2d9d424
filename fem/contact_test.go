package fem

import (
	"math"
	"testing"

	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// stacked puts mesh b, moved by at, beside mesh a; b gets the label other.
func stacked(a, b *mesh.TetMesh, at r3.Vec) *mesh.TetMesh {
	m := &mesh.TetMesh{Nodes: append([]r3.Vec(nil), a.Nodes...)}
	m.Tets = append(m.Tets, a.Tets...)
	m.Region = append(m.Region, a.Region...)
	n := int32(len(a.Nodes))
	for _, x := range b.Nodes {
		m.Nodes = append(m.Nodes, r3.Add(x, at))
	}
	for _, t := range b.Tets {
		m.Tets = append(m.Tets, [4]int32{t[0] + n, t[1] + n, t[2] + n, t[3] + n})
		m.Region = append(m.Region, liver+1)
	}
	return m
}

// facesOn lists boundary faces of a label's elements whose corners pass.
func facesOn(m *mesh.TetMesh, first bool, keep func(r3.Vec) bool) (faces [][3]int32) {
	for e, v := range m.Tets {
		if (m.Region[e] == liver) != first {
			continue
		}
		for _, f := range mesh.TetFaces {
			c := [3]int32{v[f[0]], v[f[1]], v[f[2]]}
			if keep(m.Nodes[c[0]]) && keep(m.Nodes[c[1]]) && keep(m.Nodes[c[2]]) {
				faces = append(faces, c)
			}
		}
	}
	return faces
}

func atZ(z float64) func(r3.Vec) bool { return func(p r3.Vec) bool { return math.Abs(p.Z-z) < 1e-9 } }

func both(law material.Law) []Region {
	return append(one(law), Region{Label: liver + 1, Law: law, DensityTPerMM3: 1e-9})
}

// contactOf is the system of a model and its first contact term.
func contactOf(t *testing.T, m *Model) (*system, *contactTerm) {
	t.Helper()
	sys, err := newSystem(m, must(Settings{}.withDefaults()))
	if err != nil {
		t.Fatal(err)
	}
	for _, tm := range sys.terms {
		if c, ok := tm.(*contactTerm); ok {
			return sys, c
		}
	}
	t.Fatal("no contact")
	return nil, nil
}

// rippled is a displacement that brings parts of the surfaces together.
func rippled(sys *system, size float64) []float64 {
	u := make([]float64, 3*sys.n)
	for v, x := range sys.x {
		a := math.Sin(1.3*x.X+0.7*x.Y+0.2*x.Z) * size
		b := math.Cos(0.9*x.X-1.1*x.Y+0.4) * size
		u[3*v], u[3*v+1], u[3*v+2] = b, -a, a+b
	}
	return u
}

// The forces of a contact are the derivative of its energy, and, where nothing
// slides over an edge, the tangent that of the forces.
func TestContactAgainstDifferences(t *testing.T) {
	law := must(material.NewNeoHookean(1, 0.3))
	ball := func(m *mesh.TetMesh) *Model {
		return &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, atZ(0), still),
			Contacts: []Contact{{Faces: facesOf(m, atZ(4)), Friction: 0.3, Obstacle: &Obstacle{Shape: Sphere{CentreMM: r3.Vec{X: 2.1, Y: 1.8, Z: 8.7}, RadiusMM: 5}}}}}
	}
	pipe := func(m *mesh.TetMesh) *Model {
		return &Model{Mesh: m, Regions: one(law), Prescribed: prescribe(m, atZ(0), still),
			Contacts: []Contact{{Faces: facesOf(m, atZ(4)), Friction: 0.3, Obstacle: &Obstacle{Shape: Cylinder{AtMM: r3.Vec{X: 2.1, Y: 1.8, Z: 8.7}, Axis: r3.Vec{X: 1, Y: 0.3}, RadiusMM: 5}}}}}
	}
	pair := func(m *mesh.TetMesh) *Model {
		b := stacked(m, brickMesh(3, 3, 1, 6, 6, 2), r3.Vec{X: -1, Y: -1, Z: 3.98})
		return &Model{Mesh: b, Regions: both(law), Prescribed: prescribe(b, func(p r3.Vec) bool { return p.Z == 0 || p.Z > 5.9 }, still),
			Contacts: []Contact{{Faces: facesOn(b, true, atZ(4)), Against: facesOn(b, false, atZ(3.98)), Friction: 0.3}}}
	}
	for _, c := range []struct {
		name  string
		model func(*mesh.TetMesh) *Model
	}{{"sphere", ball}, {"cylinder", pipe}, {"pair", pair}} {
		for _, quadratic := range []bool{false, true} {
			mesh := brickMesh(2, 2, 2, 4, 4, 4)
			model := c.model(mesh)
			if quadratic {
				model.Mesh = model.Mesh.Quadratic()
				model.Prescribed = nil
				model.Prescribed = prescribe(model.Mesh, func(p r3.Vec) bool { return p.Z == 0 || p.Z > 5.9 }, still)
			}
			sys, term := contactOf(t, model)
			u := rippled(sys, 0.03)
			term.search(u, sys.now)
			for i := range term.pts { // a round with friction, some of it sliding
				p := &term.pts[i]
				p.limit = 0.02 + 0.03*float64(i%3)
				p.drag = r3.Vec{X: 0.04, Y: -0.03}
				p.lambda = 0.01
			}
			for i := range u {
				u[i] += 0.004 * math.Sin(float64(3*i*i))
			}
			lin := newLinear(sys)
			lin.m.Zero()
			k := &stiffness{lin.m}
			term.tangent(k, u, sys.now)
			n := len(u)
			f0, f1, col, e := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
			f := make([]float64, n)
			term.force(f, u, sys.now)
			pressed, sliding := 0, 0
			for i := range term.hits {
				if term.hits[i].t > 0 {
					pressed++
				}
				if term.hits[i].sliding {
					sliding++
				}
			}
			if pressed < 4 || sliding < 4 || sliding == len(term.hits) {
				t.Errorf("%s: %d points pressed, %d slide: the state tests nothing", c.name, pressed, sliding)
			}
			var scale, force, worst, fscale float64
			for i := range u {
				fscale = max(fscale, math.Abs(f[i]))
			}
			for i := range u {
				const h = 1e-6
				x := u[i]
				clear(f0)
				clear(f1)
				u[i] = x + h
				term.force(f1, u, sys.now)
				w1, _ := term.energy(u, sys.now)
				u[i] = x - h
				term.force(f0, u, sys.now)
				w0, _ := term.energy(u, sys.now)
				u[i] = x
				e[i] = 1
				lin.m.MulVec(col, e)
				e[i] = 0
				for j := range col {
					worst = max(worst, math.Abs(col[j]-(f1[j]-f0[j])/(2*h)))
					scale = max(scale, math.Abs(col[j]))
				}
				force = max(force, math.Abs(f[i]-(w1-w0)/(2*h)))
			}
			if force > 2e-7*fscale {
				t.Errorf("%s %s: force off the energy's derivative by %.2e of it", c.name, isTet10(model.Mesh), force/fscale)
			}
			if worst > 1e-6*scale {
				t.Errorf("%s %s: tangent off by %.2e of it", c.name, isTet10(model.Mesh), worst/scale)
			}
		}
	}
}

// rollers hold the nodes that pass in x, y and z.
func rollers(m *Model, x, y, z func(r3.Vec) bool) {
	for i, p := range m.Mesh.Nodes {
		for axis, keep := range []func(r3.Vec) bool{x, y, z} {
			if keep(p) {
				m.Prescribed = append(m.Prescribed, Prescribed{Node: int32(i), Axis: int8(axis)})
			}
		}
	}
}

func laws() (material.Law, error) { return material.NewLinear(0.01, 0.3) }
