package tetra

import (
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// blockSide is the side of a block of a labelField, in voxels.
const blockSide = 8

// labelField tells which label is where, between the voxels too. Every voxel v
// next to an interface carries d(v), its distance to the interface in mm; the
// support of a label L at a point is
//
//	D_L = Σ w_c·d_c over the eight voxels c around it that carry L
//
// with trilinear weights w. The label of the point is the one of largest
// support, and the interface between A and B is D_A = D_B: for two labels the
// zero level of the trilinear signed distance. Values are kept in blocks, and
// only where there are interfaces. One voxel of background stands around the
// grid.
//
// Points are in local mm: along the grid axes, origin at voxel (0,0,0).
type labelField struct {
	grid  imaging.Grid
	n     [3]int // voxels
	sp    r3.Vec // spacing, mm
	inv   r3.Vec
	far   float32 // d of voxels away from interfaces, mm
	nb    [3]int  // blocks
	block []int32 // start of the block's values, or −1−label
	value []uint32
}

// A value is the label in the low eight bits and d, a float32 without its last
// eight, above: one load instead of two.
func packValue(l uint8, d float32) uint32 { return math.Float32bits(d)&^0xff | uint32(l) }

func unpackValue(v uint32) (uint8, float32) { return uint8(v), math.Float32frombits(v &^ 0xff) }

// support is the labels around a point and how strongly each is there, the
// strongest first; equal ones by label.
type support struct {
	n   int
	lab [8]uint8
	d   [8]float64
}

// of is the support of a label.
func (s *support) of(l uint8) float64 {
	for i := range s.n {
		if s.lab[i] == l {
			return s.d[i]
		}
	}
	return 0
}

func newLabelFieldOn(g imaging.Grid) *labelField {
	s := g.SpacingMM()
	f := &labelField{
		grid: g, n: g.Size,
		sp:  r3.Vec{X: s[0], Y: s[1], Z: s[2]},
		inv: r3.Vec{X: 1 / s[0], Y: 1 / s[1], Z: 1 / s[2]},
		far: float32(math.Min(s[0], math.Min(s[1], s[2]))),
	}
	size := 1
	for a := range 3 {
		f.nb[a] = (g.Size[a] + 2 + blockSide - 1) / blockSide
		size *= f.nb[a]
	}
	f.block = make([]int32, size)
	return f
}

// slot finds the values of a padded voxel, 0 ≤ index ≤ n+1: the place in the
// block arrays, or −1 and the uniform label.
func (f *labelField) slot(i, j, k int) (int, uint8) {
	b := f.block[i>>3+f.nb[0]*(j>>3+f.nb[1]*(k>>3))]
	if b < 0 {
		return -1, uint8(-1 - b)
	}
	return int(b) + i&7 + (j&7+(k&7)<<3)<<3, 0
}

// at takes the support at a point.
func (f *labelField) at(p r3.Vec, s *support) {
	x := min(max(p.X*f.inv.X+1, 0), float64(f.n[0]+1)-1e-9)
	y := min(max(p.Y*f.inv.Y+1, 0), float64(f.n[1]+1)-1e-9)
	z := min(max(p.Z*f.inv.Z+1, 0), float64(f.n[2]+1)-1e-9)
	i, j, k := int(x), int(y), int(z)
	x, y, z = x-float64(i), y-float64(j), z-float64(k)
	var value [8]uint32
	if i&7 != 7 && j&7 != 7 && k&7 != 7 {
		b := f.block[i>>3+f.nb[0]*(j>>3+f.nb[1]*(k>>3))]
		if b < 0 {
			s.n, s.lab[0], s.d[0] = 1, uint8(-1-b), float64(f.far)
			return
		}
		o := int(b) + i&7 + (j&7+(k&7)<<3)<<3
		v := f.value[o : o+74]
		value = [8]uint32{v[0], v[1], v[8], v[9], v[64], v[65], v[72], v[73]}
	} else {
		// block and place in it of the two voxels along each axis
		bx := [2]int{i >> 3, (i + 1) >> 3}
		by := [2]int{f.nb[0] * (j >> 3), f.nb[0] * ((j + 1) >> 3)}
		bz := [2]int{f.nb[0] * f.nb[1] * (k >> 3), f.nb[0] * f.nb[1] * ((k + 1) >> 3)}
		ox := [2]int{i & 7, (i + 1) & 7}
		oy := [2]int{j & 7 << 3, (j + 1) & 7 << 3}
		oz := [2]int{k & 7 << 6, (k + 1) & 7 << 6}
		for c := range 8 {
			p, q, r := c&1, c>>1&1, c>>2
			b := f.block[bx[p]+by[q]+bz[r]]
			if b < 0 {
				value[c] = packValue(uint8(-1-b), f.far)
			} else {
				value[c] = f.value[int(b)+ox[p]+oy[q]+oz[r]]
			}
		}
	}
	x1, y1, z1 := 1-x, 1-y, 1-z
	w := [8]float64{x1 * y1 * z1, x * y1 * z1, x1 * y * z1, x * y * z1, x1 * y1 * z, x * y1 * z, x1 * y * z, x * y * z}
	// two labels are the rule
	a := uint8(value[0])
	b := a
	var da, db float64
	for c, x := range value {
		l, d := unpackValue(x)
		v := w[c] * float64(d)
		if l == a {
			da += v
			continue
		}
		if b == a {
			b = l
		}
		if l != b {
			s.count(&value, &w)
			return
		}
		db += v
	}
	s.n, s.lab[0], s.d[0] = 1, a, da
	if a != b {
		s.n, s.lab[1], s.d[1] = 2, b, db
		if db > da || db == da && b < a {
			s.lab[0], s.d[0], s.lab[1], s.d[1] = b, db, a, da
		}
	}
}

// count is the general case of at.
func (s *support) count(value *[8]uint32, w *[8]float64) {
	s.n = 0
	for c, x := range value {
		l, d := unpackValue(x)
		v := w[c] * float64(d)
		m := 0
		for m < s.n && s.lab[m] != l {
			m++
		}
		if m == s.n {
			s.lab[m], s.d[m] = l, v
			s.n++
		} else {
			s.d[m] += v
		}
	}
	for m := 1; m < s.n; m++ {
		for q := m; q > 0 && (s.d[q] > s.d[q-1] || s.d[q] == s.d[q-1] && s.lab[q] < s.lab[q-1]); q-- {
			s.d[q], s.d[q-1] = s.d[q-1], s.d[q]
			s.lab[q], s.lab[q-1] = s.lab[q-1], s.lab[q]
		}
	}
}

// label is the label of largest support at a point.
func (f *labelField) label(p r3.Vec) uint8 {
	var s support
	f.at(p, &s)
	return s.lab[0]
}

// lps maps local mm to patient space.
func (f *labelField) lps(p r3.Vec) r3.Vec {
	return f.grid.Point(p.X*f.inv.X, p.Y*f.inv.Y, p.Z*f.inv.Z)
}
