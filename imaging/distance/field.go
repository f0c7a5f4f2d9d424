package distance

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"sync/atomic"

	"halsted/imaging"
	"halsted/internal/par"
)

// tile is how many voxels of a row are worked on side by side: one cache line
// of float32.
const tile = 16

// maxAspect bounds the ratio of the largest to the smallest spacing: squared
// distances along both must fit a float32 side by side.
const maxAspect = 1e9

var inf32 = float32(math.Inf(1))

// field is one transform under way. Rows are cut into tiles. A tile with a
// distance below the cut is near and holds squared distances in units, with
// the sign of the side, the cut at most; after the last axis, mm. The other
// tiles hold ±far from the start, and most of them are never looked at again.
type field struct {
	ctx     context.Context
	size    [3]int
	rows    func(j, k int, w []uint64)
	centres bool // distances end at voxel centres (Unsigned), and all is outside

	unit float64    // mm, a power of two
	h    [3]float64 // spacing in units
	band bool
	cut  float32 // squared distance in units at which a band ends, else +Inf
	far  float32 // its width in mm, else +Inf
	// reach bounds the steps along an axis that lead to a distance below cut
	reach [3]int

	words, tiles int       // of a row
	d            []float32 // the field
	set          []uint64  // the voxels inside, words per row
	near         []bool    // tiles per row

	// for voxels outside and inside: level is a row at the cut, ramp the
	// squared distance t steps from a change of side along i, pmar the same
	// backwards
	level, ramp, pmar [2][]float32
}

func newField(ctx context.Context, g imaging.Grid, rows func(j, k int, w []uint64), maxMM float64) (*field, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("distance: %w", err)
	}
	h := g.SpacingMM()
	most, least := max(h[0], h[1], h[2]), min(h[0], h[1], h[2])
	if !(most/least <= maxAspect) {
		return nil, fmt.Errorf("distance: spacings of %g and %g mm in one grid: check them or resample", least, most)
	}
	_, exp := math.Frexp(most)
	f := &field{ctx: ctx, size: g.Size, rows: rows, unit: math.Ldexp(1, exp), cut: inf32, far: inf32, reach: g.Size}
	for a := range h {
		f.h[a] = h[a] / f.unit
	}
	if !math.IsInf(maxMM, 1) {
		f.band, f.far = true, float32(maxMM)
		// no distance is longer than the grid
		w := min(maxMM/f.unit, f.h[0]*float64(g.Size[0])+f.h[1]*float64(g.Size[1])+f.h[2]*float64(g.Size[2]))
		f.cut = float32(w * w)
		for a := range h {
			f.reach[a] = int(min(w/f.h[a]+1, float64(g.Size[a])))
		}
	}
	count := g.Size[1] * g.Size[2]
	f.words, f.tiles = (g.Size[0]+63)/64, (g.Size[0]+tile-1)/tile
	f.d, f.set, f.near = make([]float32, g.Len()), make([]uint64, count*f.words), make([]bool, count*f.tiles)
	return f, nil
}

// run fills d; it returns none when there is nothing to measure a distance to.
func (f *field) run(none error) ([]float32, error) {
	f.ramps()
	// the rows of a plane, then its columns while it is in the cache
	err := par.ChunksCtx(f.ctx, f.size[2], 1, func(k, _ int) error {
		ny := f.size[1]
		for j := range ny {
			if j&63 == 0 && f.ctx.Err() != nil {
				return f.ctx.Err()
			}
			f.row(j, k)
		}
		c := newColumns(f, 1)
		for t := range f.tiles {
			if err := f.ctx.Err(); err != nil {
				return err
			}
			c.do(k*ny, 1, t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found atomic.Bool
	err = par.ChunksCtx(f.ctx, f.size[1], 4, func(lo, hi int) error {
		c := newColumns(f, 2)
		for j := lo; j < hi; j++ {
			for t := range f.tiles {
				if err := f.ctx.Err(); err != nil {
					return err
				}
				if c.do(j, f.size[1], t) {
					found.Store(true)
				}
			}
		}
		return nil
	})
	if err == nil && !found.Load() {
		err = none
	}
	if err != nil {
		return nil, err
	}
	return f.d, nil
}

func (f *field) ramps() {
	nx, first := f.size[0], 0.5 // steps from the first voxel beyond a change of side
	if f.centres {
		first = 1
	}
	for s, sign := range [2]float32{1, -1} {
		f.level[s], f.ramp[s], f.pmar[s] = make([]float32, nx), make([]float32, nx), make([]float32, nx)
		for t := range nx {
			x := (float64(t) + first) * f.h[0]
			v := sign * min(float32(x*x), f.cut)
			f.level[s][t], f.ramp[s][t], f.pmar[s][nx-1-t] = sign*f.cut, v, v
		}
	}
}

// row writes the distance along i to the nearest change of side of row (j,k),
// or to the nearest voxel of the set.
func (f *field) row(j, k int) {
	nx, r := f.size[0], j+f.size[1]*k
	w, d, near := f.set[r*f.words:][:f.words], f.d[r*nx:][:nx], f.near[r*f.tiles:][:f.tiles]
	f.rows(j, k, w)
	for a := 0; a < nx; {
		side := int(w[a>>6] >> (a & 63) & 1)
		b := change(w, a, nx, side)
		if f.centres && side == 1 {
			clear(d[a:b])
			mark(near, a, b)
			a = b
			continue
		}
		up, down := a, b // a ramp before up, one from down on, level between
		switch {
		case a > 0 && b < nx:
			mid := (a + b + 1) / 2
			up, down = min(mid, a+f.reach[0]), max(mid, b-f.reach[0])
		case a > 0:
			up = min(b, a+f.reach[0])
		case b < nx:
			down = max(a, b-f.reach[0])
		}
		copy(d[a:up], f.ramp[side])
		copy(d[up:down], f.level[side])
		copy(d[down:b], f.pmar[side][nx-(b-down):])
		mark(near, a, up)
		mark(near, down, b)
		a = b
	}
	if f.band {
		for t, n := range near {
			if !n {
				f.flat(d[t*tile:min(nx, t*tile+tile)], w, t, f.far)
			}
		}
	}
}

// change is the first voxel after a that is not on the given side, or n.
func change(w []uint64, a, n, side int) int {
	flip := -uint64(side)
	i := a >> 6
	x := (w[i] ^ flip) &^ (1<<(a&63) - 1)
	for x == 0 {
		if i++; i == len(w) {
			return n
		}
		x = w[i] ^ flip
	}
	return min(n, i<<6+bits.TrailingZeros64(x))
}

// mark sets the tiles of voxels a … b−1.
func mark(near []bool, a, b int) {
	if a < b {
		for t := a / tile; t*tile < b; t++ {
			near[t] = true
		}
	}
}

// sides are the bits of tile t of a row.
func sides(w []uint64, t int) uint16 { return uint16(w[t*tile>>6] >> (t * tile & 63)) }

// flat fills tile t of a row, which lies on one side, with v or −v.
func (f *field) flat(d []float32, w []uint64, t int, v float32) {
	if !f.centres && sides(w, t)&1 != 0 {
		v = -v
	}
	for i := range d {
		d[i] = v
	}
}

// columns works on the lines of a tile along axis 1 or 2.
type columns struct {
	*field
	axis int
	line line
	buf  []float32 // voxel p of lane l at p*tile+l
}

func newColumns(f *field, axis int) *columns {
	n := f.size[axis]
	return &columns{field: f, axis: axis, line: newLine(n, f.h[axis]), buf: make([]float32, n*tile)}
}

// do works on the lines of tile t of rows r0, r0+step, … and reports whether
// there was anything to do: only stretches within reach of a near tile or of a
// change of side are looked at.
func (c *columns) do(r0, step, t int) bool {
	n, reach := c.size[c.axis], c.reach[c.axis]+1
	from, to := 0, 0
	var before uint16
	for p := 0; p < n && to < n; p++ {
		r := r0 + p*step
		hot := c.near[r*c.tiles+t]
		if !c.centres {
			s := sides(c.set[r*c.words:][:c.words], t)
			hot = hot || p > 0 && s != before
			before = s
		}
		if hot {
			if p-reach > to {
				c.stretch(r0, step, t, from, to)
				from = p - reach
			}
			to = min(n, p+reach+1)
		}
	}
	c.stretch(r0, step, t, from, to)
	return to > 0
}

// stretch does voxels from … to−1 of the lines.
func (c *columns) stretch(r0, step, t, from, to int) {
	nx := c.size[0]
	lanes := min(tile, nx-t*tile)
	for p := from; p < to; p++ {
		r, b := r0+p*step, c.buf[p*tile:][:lanes]
		if c.band && !c.near[r*c.tiles+t] {
			c.flat(b, c.set[r*c.words:][:c.words], t, c.cut)
		} else {
			copy(b, c.d[r*nx+t*tile:][:lanes])
		}
	}
	for l := range lanes {
		if c.centres {
			c.line.centre(c.buf[l:], from, to)
		} else {
			c.line.signed(c.buf[l:], from, to)
		}
	}
	for p := from; p < to; p++ {
		r, b := r0+p*step, c.buf[p*tile:][:lanes]
		d, near := c.d[r*nx+t*tile:][:lanes], &c.near[r*c.tiles+t]
		if c.band && !*near && !below(b, c.cut) {
			continue // holds ±far
		}
		if c.axis == 1 {
			*near = true
			copy(d, b)
		} else {
			c.root(d, b)
		}
	}
}

// below reports whether some |v| is less than cut.
func below(b []float32, cut float32) bool {
	for _, v := range b {
		if v < cut && v > -cut {
			return true
		}
	}
	return false
}

// root turns squared distances into mm, keeping the sign.
func (f *field) root(d, b []float32) {
	const signBit = 1 << 31
	unit, cut, far := float32(f.unit), f.cut, f.far
	for l, v := range b {
		x := math.Float32bits(v)
		m := math.Float32frombits(x &^ signBit)
		y := far
		if m < cut {
			y = min(far, float32(math.Sqrt(float64(m)))*unit)
		}
		d[l] = math.Float32frombits(math.Float32bits(y) | x&signBit)
	}
}
