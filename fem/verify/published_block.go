package verify

import (
	"context"
	"fmt"
	"math"

	"halsted/fem"
	"halsted/fem/material"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func init() {
	register(Case{
		Name: "block-incompressible", Title: "Nearly incompressible block under a local pressure (deal.II step-44)", Group: Published,
		Text: "A quarter of a block, 1 mm in each direction: symmetry on x = 0, y = 0 and z = 0, no motion in the plane of the top, where the part x, y < ½ bears a dead pressure p, p₀ = 4 MPa; " +
			"neo-Hookean, μ = 80.194 MPa, ν = 0.4999. The downward displacement of the middle of the loaded face, (0, 0, 1), in mm (that is, of the height), and the change of volume. Tet10 with mean dilatation.",
		Source: "[R] dealii/dealii, examples/step-44 (problem, constants; results.dox: less than 0.01 % change of volume; displacements are there as figures only), after S. Reese, P. Wriggers & B. D. Reddy, Comput. Struct. 75 (2000) 291; " +
			"displacements [C] with the two-field Taylor–Hood form (P2–P1, 8 × 8 × 8 × 6 tetrahedra) in FEniCS 2019.2, whose meshes of 4 and 8 cells differ by 0.2 % at p/p₀ = 50 and 1.2 % at 80",
		Run: runBlock,
	})
}

// blockMixed is the displacement of the mixed method by p/p₀, mm.
var blockMixed = []struct{ ratio, downMM float64 }{{20, 0.219511}, {40, 0.424158}, {60, 0.583997}}

func runBlock(ctx context.Context, l Level) (rows []Row, err error) {
	const mu, p0, nu = 80.194, 4.0, material.IncompressibleNu
	sizes, steps, tol := []int{2, 4, 6, 8}, 4, 1e-2
	marks := blockMixed
	if l == Quick {
		sizes, marks, tol = []int{2, 4}, marks[:1], 3e-2
	}
	law := must(material.NewNeoHookean(mu, nu))
	series := make([][]Row, len(marks))
	var volume []Row
	for _, n := range sizes {
		m := brick(n, n, n, 1, 1, 1).Quadratic()
		hold := append(symmetry(m, 0, 1, 2), append(held(m, 0, 0, onZ(1)), held(m, 1, 0, onZ(1))...)...)
		mod := &fem.Model{Mesh: m, Regions: one(law), Prescribed: onceEach(hold)}
		for _, k := range marks {
			mod.Stages = append(mod.Stages, fem.Stage{Loads: &fem.LoadCase{Faces: pressed(m, func(p r3.Vec) bool {
				return math.Abs(p.Z-1) < near && p.X < 0.5+near && p.Y < 0.5+near
			}, p0*k.ratio, false)}})
		}
		top := nodeAt(m, r3.Vec{Z: 1})
		name := described(fmt.Sprintf("%d × %d × %d cells", n, n, n), m)
		_, err := fem.Solve(ctx, mod, fem.Settings{Formulation: fem.MeanDilatation, Steps: steps}, func(f *fem.Frame) error {
			if f.Step == 0 || f.LoadFactor < 1 {
				return nil
			}
			k := marks[f.Stage]
			series[f.Stage] = append(series[f.Stage], shown(fmt.Sprintf("displacement at p/p₀ = %g", k.ratio), name, "mm", -f.U[top].Z, k.downMM).at(1/float64(n)))
			if f.Stage == len(marks)-1 {
				volume = append(volume, bound("change of volume at the end", name, "", math.Abs(volumeRatio(m, f.U)-1), 1e-4))
			}
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, s := range series {
		rows = append(rows, judged(s, tol)...)
	}
	return append(rows, volume[len(volume)-1]), nil
}

// volumeRatio is the volume of the moved Tet10 mesh over that at rest.
func volumeRatio(m *mesh.TetMesh, u []r3.Vec) float64 {
	at := func(moved bool, v int32) r3.Vec {
		if moved {
			return r3.Add(m.Nodes[v], u[v])
		}
		return m.Nodes[v]
	}
	var v [2]float64
	for k, moved := range []bool{false, true} {
		for e, t := range m.Tets {
			var x [10]r3.Vec
			for a := range 4 {
				x[a] = at(moved, t[a])
			}
			for a := range 6 {
				x[4+a] = at(moved, m.Mid[e][a])
			}
			v[k] += volume10(&x)
		}
	}
	return v[1] / v[0]
}

// volume10 is the volume of a Tet10 with these nodes: det ∂x/∂ξ, a cubic,
// integrated over the reference tetrahedron by Keast's rule of degree 3.
func volume10(x *[10]r3.Vec) (v float64) {
	const w0, w1 = -4.0 / 5 / 6, 9.0 / 20 / 6
	add := func(w float64, l [4]float64) {
		var g [3]r3.Vec // ∂x/∂l_k − ∂x/∂l_0, k = 1, 2, 3
		d := func(k int) (s r3.Vec) {
			s = r3.Scale(4*l[k]-1, x[k])
			for e, ends := range mesh.TetEdges {
				if int(ends[0]) == k {
					s = r3.Add(s, r3.Scale(4*l[ends[1]], x[4+e]))
				} else if int(ends[1]) == k {
					s = r3.Add(s, r3.Scale(4*l[ends[0]], x[4+e]))
				}
			}
			return s
		}
		for k := range g {
			g[k] = r3.Sub(d(k+1), d(0))
		}
		v += w * r3.Dot(g[0], r3.Cross(g[1], g[2]))
	}
	add(w0, [4]float64{0.25, 0.25, 0.25, 0.25})
	for a := range 4 {
		l := [4]float64{1. / 6, 1. / 6, 1. / 6, 1. / 6}
		l[a] = 0.5
		add(w1, l)
	}
	return v
}
