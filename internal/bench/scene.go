package main

import (
	"encoding/json"
	"math"
	"os"

	"halsted/imaging"
	"halsted/internal/par"

	"gonum.org/v1/gonum/spatial/r3"
)

// The labels of a scene, in the order in which they are painted: what comes
// later hides what was there.
const (
	organ imaging.Label = iota + 1
	inner
	tumour
	wall
	lumen
)

// A scene is a synthetic organ with a known analytic surface: three ellipsoids
// and a tree of capsules with a wall. The centre of voxel (0,0,0) is the origin
// and voxels follow the axes, so scene points are voxel indices times spacing.
// In JSON it has the same fields as the peers' generator
// (shared/peers/mesh/README.md), so that either side reads the other's scenes.
type scene struct {
	Ell  []ellipsoid
	Seg  []capsule
	Dims [3]int
	Sp   [3]float64 // mm
	near cells
}

type triple [3]float64

func (a triple) vec() r3.Vec { return r3.Vec{X: a[0], Y: a[1], Z: a[2]} }

// ellipsoid has its axes along x, y, z.
type ellipsoid struct{ C, R triple }

// capsule is a vessel branch from A to B with lumen radius R and wall W.
type capsule struct {
	A, B triple
	R, W float64
}

// plus returns a + s·b.
func (a triple) plus(s float64, b triple) triple {
	return triple{a[0] + b[0]*s, a[1] + b[1]*s, a[2] + b[2]*s}
}

func (a triple) dot(b triple) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func (a triple) cross(b triple) triple {
	return triple{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func (a triple) unit() triple {
	return triple{}.plus(1/math.Sqrt(a.dot(a)), a)
}

// newScene places the scene in a volume of the given size.
func newScene(dims [3]int, spacing [3]float64) *scene {
	s := &scene{Dims: dims, Sp: spacing}
	var size, c triple
	for a := range size {
		size[a] = float64(dims[a]) * spacing[a]
		c[a] = size[a] * 0.5
	}
	l := min(size[0], size[1], size[2])
	s.Ell = []ellipsoid{
		{c, triple{.42 * l, .36 * l, .33 * l}},
		{triple{c[0] + .02*l, c[1] + .03*l, c[2] + .01*l}, triple{.27 * l, .24 * l, .2 * l}},
		{triple{c[0] + -.13*l, c[1] + .05*l, c[2] + .06*l}, triple{.09 * l, .08 * l, .07 * l}},
	}
	const depth, minWallMM = 5, 1.4
	s.grow(triple{c[0] - .47*l, c[1] - .02*l, c[2] - .02*l}, triple{1, .12, .08}.unit(), triple{-.12, 1, 0}.unit(), .26*l, .035*l, minWallMM, depth)
	return s
}

// grow adds a branch along d and its two children, which turn in the plane of
// d and n.
func (s *scene) grow(a, d, n triple, length, radius, minWall float64, depth int) {
	b := a.plus(length, d)
	s.Seg = append(s.Seg, capsule{a, b, radius, max(0.18*radius, minWall)})
	if depth == 0 {
		return
	}
	side := d.cross(n).unit()
	for _, child := range []struct{ turn, thinner float64 }{{0.55, 0.82}, {-0.75, 0.72}} {
		sin, cos := math.Sin(child.turn), math.Cos(child.turn)
		turned := triple{}.plus(cos, d).plus(sin, n).unit()
		s.grow(b, turned, side, length*0.78, radius*child.thinner, minWall, depth-1)
	}
}

func readScene(path string) (*scene, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &scene{}
	return s, json.Unmarshal(b, s)
}

func (s *scene) write(path string) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// grid places the scene's voxels; scene points are LPS mm in it.
func (s *scene) grid() imaging.Grid {
	return imaging.NewGrid(s.Dims, r3.Vec{}, s.Sp)
}

// analytic reports whether the surfaces are known.
func (s *scene) analytic() bool { return len(s.Ell) > 0 }

// voxelMM is the voxel that distances are given in: the shortest spacing.
func (s *scene) voxelMM() float64 { return min(s.Sp[0], s.Sp[1], s.Sp[2]) }

// holds reports whether p is inside the ellipsoid.
func (e *ellipsoid) holds(p triple) bool {
	k0, k1 := 0.0, 0.0
	for a := range p {
		q := p[a] - e.C[a]
		k0 += q * q / (e.R[a] * e.R[a])
		k1 += q * q / (e.R[a] * e.R[a] * e.R[a] * e.R[a])
	}
	k0, k1 = math.Sqrt(k0), math.Sqrt(k1)
	return k1 == 0 || k0*(k0-1)/k1 < 0
}

// nearestOnAxis is the point of the capsule's axis closest to p.
func (c *capsule) nearestOnAxis(p triple) triple {
	ab := c.B.plus(-1, c.A)
	t := max(0, min(1, p.plus(-1, c.A).dot(ab)/ab.dot(ab)))
	return c.A.plus(t, ab)
}

func (c *capsule) axisDistance(p triple) float64 {
	q := p.plus(-1, c.nearestOnAxis(p))
	return math.Sqrt(q.dot(q))
}

// labelAt is the exact label of a point, mm.
func (s *scene) labelAt(p triple) imaging.Label {
	l := imaging.LabelBackground
	for n := range s.Ell {
		if s.Ell[n].holds(p) {
			l = organ + imaging.Label(n)
		}
	}
	inWall := false
	for _, n := range s.near.at(p) {
		c := &s.Seg[n]
		d := c.axisDistance(p)
		if d < c.R {
			return lumen
		}
		inWall = inWall || d < c.R+c.W
	}
	if inWall {
		return wall
	}
	return l
}

// paint gives every voxel the label at its centre.
func (s *scene) paint() *imaging.Labels {
	s.index()
	l := &imaging.Labels{Grid: s.grid(), ID: make([]imaging.Label, s.grid().Len())}
	row := s.Dims[0]
	par.Chunks(len(l.ID)/row, 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			y, z := float64(r%s.Dims[1])*s.Sp[1], float64(r/s.Dims[1])*s.Sp[2]
			for i := range row {
				l.ID[r*row+i] = s.labelAt(triple{float64(i) * s.Sp[0], y, z})
			}
		}
	})
	return l
}

// cells lists, per cube of space, the capsules of which some part is inside the
// cube or within marginMM of it.
type cells struct {
	n     [3]int
	edge  float64
	lists [][]int32
}

// nearMM is how far from a point the lists of cells are complete.
const nearMM = 2.0

// index fills near. It must be called before the scene is asked anything.
func (s *scene) index() {
	if s.near.lists != nil {
		return
	}
	g := &s.near
	g.edge = 4
	for a := range g.n {
		g.n[a] = int(float64(s.Dims[a])*s.Sp[a]/g.edge) + 1
	}
	g.lists = make([][]int32, g.n[0]*g.n[1]*g.n[2])
	reach := nearMM + g.edge*math.Sqrt(3)/2
	for c := range g.lists {
		i, j, k := c%g.n[0], c/g.n[0]%g.n[1], c/g.n[0]/g.n[1]
		mid := triple{(float64(i) + .5) * g.edge, (float64(j) + .5) * g.edge, (float64(k) + .5) * g.edge}
		for n := range s.Seg {
			if s.Seg[n].axisDistance(mid) <= s.Seg[n].R+s.Seg[n].W+reach {
				g.lists[c] = append(g.lists[c], int32(n))
			}
		}
	}
}

func (g *cells) at(p triple) []int32 {
	var c [3]int
	for a := range c {
		c[a] = max(0, min(g.n[a]-1, int(p[a]/g.edge)))
	}
	return g.lists[c[0]+g.n[0]*(c[1]+g.n[1]*c[2])]
}
