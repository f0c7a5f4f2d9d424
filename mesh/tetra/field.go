package tetra

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// field samples the distance in local coordinates: mm along the grid axes,
// origin at voxel (0,0,0). They form a left-handed frame when the grid does.
type field struct {
	grid   imaging.Grid
	phi    []float32
	n      [3]int
	sp     r3.Vec // spacing, mm
	inv    r3.Vec // 1/spacing
	hi     r3.Vec // last voxel index per axis
	stride [3]int // storage step per axis; 0 along an axis of one voxel
}

func newField(d Domain, opt Options) (*field, error) {
	if err := d.Grid.Validate(); err != nil {
		return nil, fmt.Errorf("tetra: Domain.Grid: %w", err)
	}
	if len(d.Phi) != d.Grid.Len() {
		return nil, fmt.Errorf("tetra: Domain.Phi has %d samples for %d voxels", len(d.Phi), d.Grid.Len())
	}
	for _, q := range []struct {
		name string
		v    float64
		ok   bool
	}{
		{"Options.EdgeMM", opt.EdgeMM, opt.EdgeMM > 0},
		{"Options.MinComponentMM3", opt.MinComponentMM3, opt.MinComponentMM3 >= 0},
		{"Domain.TargetMM3", d.TargetMM3, d.TargetMM3 >= 0},
	} {
		if !q.ok || math.IsInf(q.v, 0) {
			return nil, fmt.Errorf("tetra: %s is %g", q.name, q.v)
		}
	}
	if opt.MemoryLimit < 0 {
		return nil, fmt.Errorf("tetra: Options.MemoryLimit is %d", opt.MemoryLimit)
	}
	inside, infinite := false, -1
	for n, v := range d.Phi {
		switch {
		case v != v:
			i, j, k := d.Grid.IJK(n)
			return nil, fmt.Errorf("tetra: Domain.Phi is not a number at voxel (%d,%d,%d)", i, j, k)
		case math.IsInf(float64(v), 0) && infinite < 0:
			infinite = n
		}
		inside = inside || v < 0
	}
	if !inside {
		return nil, &EmptyError{EdgeMM: opt.EdgeMM}
	}
	if infinite >= 0 {
		i, j, k := d.Grid.IJK(infinite)
		return nil, fmt.Errorf("tetra: Domain.Phi is infinite at voxel (%d,%d,%d)", i, j, k)
	}
	s := d.Grid.SpacingMM()
	f := &field{
		grid: d.Grid, phi: d.Phi, n: d.Grid.Size,
		sp:  r3.Vec{X: s[0], Y: s[1], Z: s[2]},
		inv: r3.Vec{X: 1 / s[0], Y: 1 / s[1], Z: 1 / s[2]},
		hi:  r3.Vec{X: float64(d.Grid.Size[0] - 1), Y: float64(d.Grid.Size[1] - 1), Z: float64(d.Grid.Size[2] - 1)},
	}
	step := 1
	for a, n := range f.n {
		if n > 1 {
			f.stride[a] = step
		}
		step *= n
	}
	return f, nil
}

// lps maps local mm to patient space.
func (f *field) lps(p r3.Vec) r3.Vec { return f.grid.Point(p.X*f.inv.X, p.Y*f.inv.Y, p.Z*f.inv.Z) }

// cell clamps a fractional index to the samples and splits it.
func cell(u, hi float64) (int, float64) {
	if u <= 0 {
		return 0, 0
	}
	if u >= hi {
		if hi == 0 {
			return 0, 0
		}
		return int(hi) - 1, 1
	}
	i := int(u)
	return i, u - float64(i)
}

// at is max(trilinear φ − level, distance to the box of all voxels): negative
// inside the structure and inside the grid.
func (f *field) at(p r3.Vec, level float64) float64 {
	ux, uy, uz := p.X*f.inv.X, p.Y*f.inv.Y, p.Z*f.inv.Z
	i, x := cell(ux, f.hi.X)
	j, y := cell(uy, f.hi.Y)
	k, z := cell(uz, f.hi.Z)
	n := i + f.n[0]*(j+f.n[1]*k)
	dx, dy, dz := f.stride[0], f.stride[1], f.stride[2]
	mix := func(a, b float32, t float64) float64 { return float64(a) + t*(float64(b)-float64(a)) }
	c00, c10 := mix(f.phi[n], f.phi[n+dx], x), mix(f.phi[n+dy], f.phi[n+dy+dx], x)
	n += dz
	c01, c11 := mix(f.phi[n], f.phi[n+dx], x), mix(f.phi[n+dy], f.phi[n+dy+dx], x)
	c0, c1 := c00+y*(c10-c00), c01+y*(c11-c01)
	box := max((math.Abs(ux-f.hi.X/2)-f.hi.X/2-0.5)*f.sp.X,
		(math.Abs(uy-f.hi.Y/2)-f.hi.Y/2-0.5)*f.sp.Y,
		(math.Abs(uz-f.hi.Z/2)-f.hi.Z/2-0.5)*f.sp.Z)
	return max(c0+z*(c1-c0)-level, box)
}
