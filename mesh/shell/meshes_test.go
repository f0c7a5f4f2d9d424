package shell

import (
	"math"
	"testing"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	lumen  = imaging.LabelPortalVein
	tissue = imaging.LabelLiver
	wall   = imaging.LabelVessel
)

// extrude stacks layers of a triangulated plate, every prism cut into three
// tetrahedra along the diagonals from the smallest node number. place gives
// node n of layer k; region the label of a triangle between layers k and k+1.
func extrude(nodes int, tris [][3]int32, layers int, place func(n, k int) r3.Vec, region func(tri, k int) imaging.Label) *mesh.TetMesh {
	m := &mesh.TetMesh{}
	for k := range layers + 1 {
		for n := range nodes {
			m.Nodes = append(m.Nodes, place(n, k))
		}
	}
	for k := range layers {
		for i, tri := range tris {
			l := region(i, k)
			if l == imaging.LabelBackground {
				continue
			}
			v, odd := sorted3(tri)
			var p [6]int32
			for c, n := range v {
				p[c], p[c+3] = n+int32(k*nodes), n+int32((k+1)*nodes)
			}
			for _, t := range prismTets[odd] {
				x := [4]int32{p[t[0]], p[t[1]], p[t[2]], p[t[3]]}
				if mesh.Signed6(m.Nodes[x[0]], m.Nodes[x[1]], m.Nodes[x[2]], m.Nodes[x[3]]) < 0 {
					x[0], x[1] = x[1], x[0]
				}
				m.Tets = append(m.Tets, x)
				m.Region = append(m.Region, l)
			}
		}
	}
	return m.Keep(func(int) bool { return true })
}

// disc is a plate of rings: ring k has 6k nodes at the radius k·h.
func disc(rings int) (ring []int, angle []float64, tris [][3]int32) {
	first := make([]int32, rings+2)
	for k := range rings + 1 {
		first[k] = int32(len(ring))
		for i := range max(1, 6*k) {
			ring = append(ring, k)
			angle = append(angle, 2*math.Pi*float64(i)/float64(max(1, 6*k)))
		}
	}
	at := func(k, i int) int32 {
		if k == 0 {
			return 0
		}
		return first[k] + int32((i+6*k)%(6*k))
	}
	for k := 1; k <= rings; k++ {
		for s := range 6 {
			for i := range k {
				tris = append(tris, [3]int32{at(k-1, s*(k-1)+i), at(k, s*k+i), at(k, s*k+i+1)})
				if i < k-1 {
					tris = append(tris, [3]int32{at(k-1, s*(k-1)+i), at(k, s*k+i+1), at(k-1, s*(k-1)+i+1)})
				}
			}
		}
	}
	return ring, angle, tris
}

// tube is a cylinder of tissue of the outer radius around a lumen of the inner
// one, the length along z, all edges about h mm.
func tube(inner, outer, length, h float64) *mesh.TetMesh {
	in, rings := int(math.Round(inner/h)), int(math.Round(outer/h))
	ring, angle, tris := disc(rings)
	layers := int(math.Round(length / h))
	return extrude(len(ring), tris, layers, func(n, k int) r3.Vec {
		r := inner * float64(ring[n]) / float64(in)
		if ring[n] > in {
			r = inner + (outer-inner)*float64(ring[n]-in)/float64(rings-in)
		}
		s, c := math.Sincos(angle[n])
		return r3.Vec{X: r * c, Y: r * s, Z: length * float64(k) / float64(layers)}
	}, func(tri, _ int) imaging.Label {
		v := tris[tri]
		if max(ring[v[0]], ring[v[1]], ring[v[2]]) <= in {
			return lumen
		}
		return tissue
	})
}

// icosphere are the nodes on the unit sphere and the faces of an icosahedron
// divided the given number of times.
func icosphere(times int) (p []r3.Vec, tris [][3]int32) {
	f := (1 + math.Sqrt(5)) / 2
	for _, s := range [][2]float64{{1, f}, {-1, f}, {1, -f}, {-1, -f}} {
		p = append(p, r3.Vec{X: s[0], Y: s[1]}, r3.Vec{Y: s[0], Z: s[1]}, r3.Vec{Z: s[0], X: s[1]})
	}
	for i := range p {
		p[i] = r3.Unit(p[i])
	}
	for a := range 12 {
		for b := a + 1; b < 12; b++ {
			for c := b + 1; c < 12; c++ {
				if max(r3.Norm(r3.Sub(p[a], p[b])), r3.Norm(r3.Sub(p[b], p[c])), r3.Norm(r3.Sub(p[c], p[a]))) < 1.2 {
					t := [3]int32{int32(a), int32(b), int32(c)}
					if r3.Dot(p[a], r3.Cross(p[b], p[c])) < 0 {
						t[1], t[2] = t[2], t[1]
					}
					tris = append(tris, t)
				}
			}
		}
	}
	for range times {
		mid := map[[2]int32]int32{}
		half := func(a, b int32) int32 {
			k := [2]int32{min(a, b), max(a, b)}
			if _, ok := mid[k]; !ok {
				mid[k] = int32(len(p))
				p = append(p, r3.Unit(r3.Add(p[a], p[b])))
			}
			return mid[k]
		}
		var fine [][3]int32
		for _, t := range tris {
			ab, bc, ca := half(t[0], t[1]), half(t[1], t[2]), half(t[2], t[0])
			fine = append(fine, [3]int32{t[0], ab, ca}, [3]int32{ab, t[1], bc}, [3]int32{ca, bc, t[2]}, [3]int32{ab, bc, ca})
		}
		tris = fine
	}
	return p, tris
}

// ball is tissue between the inner and the outer radius around a lumen, which
// is itself hollow inside half its radius.
func ball(inner, outer float64, times int) *mesh.TetMesh {
	p, tris := icosphere(times)
	radii := []float64{inner / 2, inner * 0.75, inner}
	edge := inner * 1.05 / float64(int(1)<<times)
	for r := inner; r < outer-edge/2; {
		r = min(r*(1+1.05/float64(int(1)<<times)), outer)
		radii = append(radii, r)
	}
	return extrude(len(p), tris, len(radii)-1, func(n, k int) r3.Vec { return r3.Scale(radii[k], p[n]) },
		func(_, k int) imaging.Label {
			if k < 2 {
				return lumen
			}
			return tissue
		})
}

// capsules is a union of round-ended tubes.
type capsules []struct {
	a, b r3.Vec
	r    float64
}

// blend rounds the creases between the tubes, mm.
const blend = 0.8

// dist is the signed distance to the union, creases rounded.
func (c capsules) dist(p r3.Vec) float64 {
	sum := 0.0
	for _, s := range c {
		ab := r3.Sub(s.b, s.a)
		t := math.Max(0, math.Min(1, r3.Dot(r3.Sub(p, s.a), ab)/r3.Norm2(ab)))
		d := r3.Norm(r3.Sub(p, r3.Add(s.a, r3.Scale(t, ab)))) - s.r
		sum += math.Exp(-d / blend * 2)
	}
	return -blend / 2 * math.Log(sum)
}

// around fills a block of the given half side, less the capsules, with
// tetrahedra of the given edge: the lumen is hollow.
func (c capsules) around(t testing.TB, half, edge float64) *mesh.TetMesh {
	t.Helper()
	h := edge / 2
	n := int(2*half/h) + 1
	g := imaging.NewGrid([3]int{n, n, n}, r3.Vec{X: -half, Y: -half, Z: -half}, [3]float64{h, h, h})
	phi := make([]float32, g.Len())
	for i := range phi {
		x, y, z := g.IJK(i)
		phi[i] = float32(-c.dist(g.Point(float64(x), float64(y), float64(z))))
	}
	m, _, err := tetra.Fill(t.Context(), tetra.Domain{Grid: g, Phi: phi}, tetra.Options{EdgeMM: edge})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fork is a vessel that divides in two.
func fork() capsules {
	return capsules{
		{r3.Vec{X: -12}, r3.Vec{X: -4}, 4},
		{r3.Vec{X: -4}, r3.Vec{X: 12, Y: 8}, 3},
		{r3.Vec{X: -4}, r3.Vec{X: 11, Y: -7, Z: 3}, 2.6},
	}
}
