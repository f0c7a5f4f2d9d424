package needle

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Field is a scalar sampled at the voxel centres of a crop of the case's grid
// and interpolated trilinearly between them. Beyond the outermost centres it
// goes on as at the nearest point within.
type Field struct {
	MM   []float32 // per voxel of the crop, i fastest
	size [3]int
	lo   [3]float64 // first voxel of the crop, in the case's grid
	hi   [3]float64 // size − 1
	row  int        // voxels of a row and of a slice
	page int
}

// newField wraps the samples of box, a part of the case's grid.
func newField(g imaging.Grid, lo [3]int, mm []float32) (*Field, error) {
	f := &Field{MM: mm, size: g.Size, row: g.Size[0], page: g.Size[0] * g.Size[1]}
	for a, n := range g.Size {
		if n < 2 {
			return nil, fmt.Errorf("needle: %d voxel along %c: a distance cannot be interpolated; scan or crop thicker", n, "ijk"[a])
		}
		f.lo[a], f.hi[a] = float64(lo[a]), float64(n-1)
	}
	if len(mm) != g.Len() {
		panic("needle: field does not fill its grid")
	}
	return f, nil
}

// at is the interpolated value at fractional voxel (x,y,z) of the case's grid.
// It is not inlined: search and brute force must round alike.
//
//go:noinline
func (f *Field) at(x, y, z float64) float64 {
	x = max(0, min(x-f.lo[0], f.hi[0]))
	y = max(0, min(y-f.lo[1], f.hi[1]))
	z = max(0, min(z-f.lo[2], f.hi[2]))
	i, j, k := min(int(x), f.size[0]-2), min(int(y), f.size[1]-2), min(int(z), f.size[2]-2)
	x, y, z = x-float64(i), y-float64(j), z-float64(k)
	o := i + f.row*j + f.page*k
	a, b := f.MM[o:o+2:o+2], f.MM[o+f.row:][:2]
	c, d := f.MM[o+f.page:][:2], f.MM[o+f.page+f.row:][:2]
	v0, v1, v2, v3 := float64(a[0]), float64(b[0]), float64(c[0]), float64(d[0])
	v0 += float64(x * (float64(a[1]) - v0))
	v1 += float64(x * (float64(b[1]) - v1))
	v2 += float64(x * (float64(c[1]) - v2))
	v3 += float64(x * (float64(d[1]) - v3))
	v0 += float64(y * (v1 - v0))
	v2 += float64(y * (v3 - v2))
	return v0 + float64(z*(v2-v0))
}

// gradientArmMM is the arm of the central differences that give a surface its
// normal: longer than the stairs of a mask are wide, shorter than an organ's
// curvature.
const gradientArmMM = 3

// gradient is the direction in which the field grows at p (LPS mm), unit; zero
// where it does not. The differences are taken along the grid's axes.
func (f *Field) gradient(g *imaging.Grid, p r3.Vec) r3.Vec {
	var n r3.Vec
	for _, ax := range g.Axes {
		u := r3.Unit(ax)
		d := r3.Scale(gradientArmMM, u)
		n = r3.Add(n, r3.Scale(f.point(g, r3.Add(p, d))-f.point(g, r3.Sub(p, d)), u))
	}
	l := r3.Norm(n)
	if !(l > 1e-6) {
		return r3.Vec{}
	}
	return r3.Scale(1/l, n)
}

// point is the value at p in LPS mm; g is the case's grid.
func (f *Field) point(g *imaging.Grid, p r3.Vec) float64 {
	x, y, z := g.Voxel(p)
	return f.at(x, y, z)
}

// halfDiagonal is the largest distance of a point of the grid from the nearest
// voxel centre, mm.
func halfDiagonal(g imaging.Grid) float64 {
	h := g.SpacingMM()
	return math.Sqrt(h[0]*h[0]+h[1]*h[1]+h[2]*h[2]) / 2
}
